//! Layer 6: arguments, settings, exit codes.
//!
//! `words` makes `check` the default command, `args` is what was said, `settings` what it means (with the environment),
//! `command` has one function a command, `run` joins the layers, `exit` decides, `output` writes.

pub mod args;
pub mod command;
pub mod exit;
pub mod narrow;
mod output;
pub mod run;
pub mod settings;
mod spec;
mod words;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::cli::exit::Exit;

/// The program. A defect of ours that panics counts as work that could not be done, so that nothing but the documented exit
/// codes is ever returned.
pub fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let words = words.collect();
    catch_unwind(AssertUnwindSafe(|| command::run(words))).unwrap_or(Exit::Failed).into()
}
