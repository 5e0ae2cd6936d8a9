//! Layer 2: the `.flow` language. Knows nothing of logs.

pub mod automaton;
mod built_in;
pub mod diagram;
pub mod format;
pub mod grammar;
mod lexer;
pub mod lint;
pub mod load;
mod outline;
mod parser;
pub mod problem;
mod residual;
mod resolve;
pub mod show;
pub mod size;
mod tree;
mod walk;
mod words;

pub use load::{Specification, alone, built_in, load, specification};
pub use problem::{Problem, ProblemLabel, ProblemLevel, SpecErrors};
