//! Layer 4: conformance, status machines, obligations, findings. Knows nothing of how anything is printed.

pub mod alignment;
pub mod verdict;
