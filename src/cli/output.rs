//! The one door for output: the report to standard output or a file, notes and errors to standard error.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};

use crate::report::text::look::clean;

/// Writes the report. A pipe that the reader closed is no error. Escape codes are kept only with `colour`.
pub(super) fn report(text: &str, file: Option<&Path>, colour: bool) -> Result<(), String> {
    let choice = if colour { ColorChoice::AlwaysAnsi } else { ColorChoice::Never };
    let written = match file {
        Some(path) => File::create(path).and_then(|file| write_all(AutoStream::new(file, choice), text)),
        None => write_all(AutoStream::new(io::stdout().lock(), choice), text),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe || file.is_some() => {
            let to = file.map_or_else(|| "standard output".into(), |path| path.display().to_string());
            Err(format!("cannot write to {to}: {error}"))
        }
        _ => Ok(()),
    }
}

fn write_all(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Writes help to standard output, in colour on a terminal.
pub(super) fn help(text: &str) -> Result<(), String> {
    match write_all(anstream::stdout(), text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes a note to standard error.
pub(super) fn note(text: &str) {
    standard_error(&format!("flowcheck: {}\n", clean(text)));
}

/// Writes an error to standard error.
pub(super) fn error(text: &str) {
    standard_error(&format!("flowcheck: error: {}\n", clean(text)));
}

/// Writes a drawn text (with its own lines and colours) to standard error.
pub(super) fn drawn(text: &str) {
    standard_error(text);
}

/// Nobody is left to hear that standard error cannot be written to.
fn standard_error(text: &str) {
    let _ = write_all(anstream::stderr(), text);
}
