//! What the formats of logs have in common.

use super::client::Client;
use super::journal::Journal;
use super::oslo::{Oslo, Untimed};
use super::record::Head;

/// A log dialect.
pub(crate) trait Dialect: Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// The head of a record, when `line` is the first line of one (or a line of a traceback that repeats the head).
    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>>;

    /// Whether a client writes it, and no service.
    fn is_client(&self) -> bool {
        false
    }

    /// Whether a record begins with this line, whatever stands before it.
    fn begins(&self, line: &[u8]) -> bool {
        self.head(line).is_some_and(|head| !head.may_continue)
    }

    /// The dialect of the same shape that a line with this logger is in, when it is not this one. `is_service` tells whether a
    /// service alone has the logger.
    fn other_by_logger(&self, _logger: &[u8], _is_service: &dyn Fn() -> bool) -> Option<&'static dyn Dialect> {
        None
    }

    /// Whether a log that was of another dialect up to here goes on in this one, as in files that were put one behind the
    /// other. Lines that a record of another dialect may have in it do not tell.
    fn opens(&self, line: &[u8]) -> bool {
        self.begins(line)
    }
}

/// All dialects that lines are tried in.
pub(crate) const DIALECTS: [&dyn Dialect; 4] = [&Oslo, &Journal, &Client, &Untimed];

/// The dialect that a log goes on in with a line that is no head in `current`.
pub(crate) fn opened_by(line: &[u8], current: &dyn Dialect) -> Option<&'static dyn Dialect> {
    // Blank lines and lines that are set in, as most that go on with a record are, open nothing.
    if line.first().is_none_or(|first| first.is_ascii_whitespace()) {
        return None;
    }
    DIALECTS.into_iter().find(|dialect| dialect.name() != current.name() && dialect.opens(line))
}

/// Whether this logger is one of a client's shell or of the libraries that clients are made of.
pub(crate) fn is_library_logger(logger: &[u8]) -> bool {
    const LIBRARIES: [&[u8]; 6] =
        [b"keystoneauth.", b"keystoneclient.", b"novaclient.", b"cinderclient.", b"openstack.", b"urllib3."];
    LIBRARIES.iter().any(|name| logger.starts_with(name)) || !logger.is_empty() && is_client_logger(logger)
}

/// Whether only a client's shell has this logger, or programs around a client's libraries, which name none.
pub(crate) fn is_client_logger(logger: &[u8]) -> bool {
    logger.is_empty() || [&b"osc_lib."[..], b"openstackclient.", b"cliff."].iter().any(|name| logger.starts_with(name))
}
