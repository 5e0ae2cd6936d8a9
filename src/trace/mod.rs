//! Layer 3: time order, linking, the call graph, cases. Knows nothing of verdicts.

pub mod node;
