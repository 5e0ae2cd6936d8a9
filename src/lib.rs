//! flowcheck verifies the volume attach and detach flows of an OpenStack cloud from the logs that it already writes.

pub mod base;
pub mod check;
pub mod cli;
pub mod input;
pub mod model;
pub mod parse;
pub mod report;
pub mod spec;
pub mod trace;
