//! The command line program; see [`flowcheck::cli`].

fn main() {}
