//! Layer 3: time order, linking, the call graph, cases. Knows nothing of verdicts.

mod astray;
mod builder;
pub mod cases;
pub mod catalog;
mod causes;
pub mod clocks;
pub mod errors;
mod exchanges;
pub mod graph;
pub mod history;
mod implied;
mod link;
mod messages;
pub mod nearby;
pub mod node;
mod offsets;
pub mod path;
pub mod resources;
mod sides;
mod strangers;
mod told_by_work;
mod volumes;
