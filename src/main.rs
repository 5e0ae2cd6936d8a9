//! The command line program; see [`flowcheck::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    flowcheck::cli::main(std::env::args_os())
}
