//! What can go wrong with an input. Every message names the input and what was expected.

use std::io;

use super::limits::{Budget, Cap};

/// An input that could not be read, or not to its end. The other inputs are read all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The path does not exist or may not be opened.
    #[error("cannot open {path}: {reason}; expected a log file, a folder of log files or - for standard input")]
    Open {
        /// The path as given.
        path: String,
        /// What the system says.
        reason: io::Error,
    },
    /// Reading stopped half way.
    #[error("cannot read {path} beyond line {line}: {reason}")]
    Read {
        /// The path as given.
        path: String,
        /// The last line that was read.
        line: u64,
        /// What the system or the decompressor says.
        reason: io::Error,
    },
    /// A line is longer than a log line can be.
    #[error(
        "{path}:{line}: this line is longer than {limit} bytes; expected a text log; the input is not read further"
    )]
    LineTooLong {
        /// The path as given.
        path: String,
        /// The line.
        line: u64,
        /// The longest line accepted.
        limit: usize,
    },
    /// Decompression gives more than may be read.
    #[error(
        "{path}: decompressed to more than {limit} bytes in all (line {line}); expected less; the input is not read further"
    )]
    TooLarge {
        /// The path as given.
        path: String,
        /// The last line that was read.
        line: u64,
        /// The most that is read of the compressed parts of one input.
        limit: u64,
    },
    /// Decompression gives far more than a log can.
    #[error(
        "{path}: one compressed byte gives more than {limit} bytes (line {line}), which no log does; \
         expected a compressed log; the input is not read further"
    )]
    RatioTooHigh {
        /// The path as given.
        path: String,
        /// The last line that was read.
        line: u64,
        /// The greatest ratio accepted.
        limit: u64,
    },
    /// What was given by its name is no log.
    #[error("{path}: {kind}; expected a text log, a compressed one or a tar archive")]
    Binary {
        /// The path as given.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// An archive cannot be read to its end.
    #[error(
        "cannot read the archive {path} further: {reason}; expected a whole tar archive; what came before is checked"
    )]
    Archive {
        /// The path as given, and within outer archives.
        path: String,
        /// What is wrong.
        reason: io::Error,
    },
    /// Too many archives and compressions inside each other.
    #[error("{path}: archives and compressions stand more than {limit} deep inside each other; this one is not read")]
    NestedTooDeep {
        /// The path as given, and within outer archives.
        path: String,
        /// How deep they may stand.
        limit: usize,
    },
    /// Too many entries.
    #[error("{path}: more than {limit} entries in the archives of this input; the rest of this archive is not read")]
    TooManyMembers {
        /// The path as given, and within outer archives.
        path: String,
        /// The most entries accepted.
        limit: u64,
    },
    /// Standard input can be read once only.
    #[error("- (standard input) is given more than once; expected it once")]
    StandardInputTwice,
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {reason}; reading with the default number")]
    Threads {
        /// How many were wanted.
        threads: usize,
        /// Why not.
        reason: String,
    },
    /// A line that is wanted again cannot be had any more.
    #[error("{path}:{line}: this line cannot be read again: {reason}")]
    Gone {
        /// The path as given.
        path: String,
        /// The line.
        line: u64,
        /// Why not.
        reason: String,
    },
}

impl InputError {
    /// Why a stream cannot be read beyond a line: a limit, or what the system says.
    pub(super) fn of_stream(path: String, line: u64, reason: io::Error, budget: &Budget) -> Self {
        let limits = budget.limits;
        match budget.take_hit() {
            Some(Cap::Size) => Self::TooLarge { path, line, limit: limits.decompressed_bytes },
            Some(Cap::Ratio) => Self::RatioTooHigh { path, line, limit: limits.ratio },
            None => Self::Read { path, line, reason },
        }
    }

    /// Why an archive cannot be read further.
    pub(super) fn of_archive(path: String, reason: io::Error, budget: &Budget) -> Self {
        match Self::of_stream(path, 0, reason, budget) {
            Self::Read { path, reason, .. } => Self::Archive { path, reason },
            limit => limit,
        }
    }
}
