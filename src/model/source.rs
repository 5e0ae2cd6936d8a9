//! Where a log line came from, and what a log could have shown.

use crate::base::time::Timestamp;
use crate::model::event::Level;
use crate::model::vocabulary::ServiceId;

/// The number of an input, in the order of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// One line of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The input.
    pub source: SourceId,
    /// The line's number, from 1.
    pub line: u64,
}

/// What was read from one input: the ground of everything that is said about missing evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceSummary {
    /// The path as given on the command line (`-` for standard input), with `/` between folder and file.
    pub path: String,
    /// The name of the log dialect, such as `oslo`; `None` when nothing could be recognised.
    pub format: Option<String>,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Records read.
    pub records: u64,
    /// Lines that belong to no record.
    pub unread_lines: u64,
    /// The numbers of the first few unread lines.
    pub unread_samples: Vec<u64>,
    /// What each service that wrote into this input shows in it, most records first.
    pub coverage: Vec<Coverage>,
    /// A remark for the reader, such as "empty file" or "binary file".
    pub remark: Option<String>,
}

/// What one service shows in one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// The service; `None` for records that no service could be told for.
    pub service: Option<ServiceId>,
    /// Its host, when a line of its own tells it.
    pub host: Option<String>,
    /// Its records in this input.
    pub records: u64,
    /// The earliest time stamp.
    pub first: Option<Timestamp>,
    /// The latest time stamp.
    pub last: Option<Timestamp>,
    /// The most detailed level seen.
    pub level: Level,
    /// Whether oslo.messaging wrote its DEBUG lines.
    pub rpc_debug: bool,
    /// The processes of which DEBUG lines were seen, sorted: a level is a process's own.
    pub debug_processes: Vec<u32>,
    /// The processes of which oslo.messaging's DEBUG lines were seen, sorted.
    pub rpc_processes: Vec<u32>,
    /// Whether keystoneauth or cinderclient wrote its REQ and RESP lines.
    pub http_debug: bool,
}
