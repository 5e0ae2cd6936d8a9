//! Layer 2: the `.flow` language. Knows nothing of logs.

pub mod automaton;
pub mod grammar;
