//! The grammar files that the program carries with it.

/// Name and text of each file. The order is that of flows: the first that fits a request is taken.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("grammars/services.flow", include_str!("../../grammars/services.flow")),
    ("grammars/example.flow", include_str!("../../grammars/example.flow")),
];
