//! Tells a log's dialect from its first lines.

use super::client::Client;
use super::journal::Journal;
use super::oslo::{ClientFile, Oslo, Untimed};
use super::record::Head;
use crate::input::chunk::lines;

/// How many lines decide.
const LINES: usize = 2_000;

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

    /// Whether its time stamps have a year.
    fn has_year(&self) -> bool {
        true
    }

    /// Whether a record begins with this line, whatever stands before it.
    fn begins(&self, line: &[u8]) -> bool {
        self.head(line).is_some_and(|head| !head.may_continue)
    }
}

/// The dialect of the first lines of a log; `None` when no line of them is the head of a record in any.
pub(crate) fn sniff(start: &[u8]) -> Option<&'static dyn Dialect> {
    const DIALECTS: [&dyn Dialect; 4] = [&Oslo, &Journal, &Client, &Untimed];
    let plain = strip_colours(start);
    let mut counts = [0_usize; DIALECTS.len()];
    let mut client_loggers = 0;
    for (_, line) in lines(plain.as_deref().unwrap_or(start)).take(LINES) {
        for (count, dialect) in counts.iter_mut().zip(DIALECTS) {
            if let Some(head) = dialect.head(line) {
                *count += 1;
                client_loggers += usize::from(is_client_logger(head.logger));
            }
        }
    }
    let (best, count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
    if *count == 0 {
        None
    } else if best == 0 && client_loggers > 0 {
        Some(&ClientFile)
    } else {
        Some(DIALECTS[best])
    }
}

fn is_client_logger(logger: &[u8]) -> bool {
    [&b"osc_lib."[..], b"openstackclient.", b"cliff."].iter().any(|name| logger.starts_with(name))
}

/// The text without colour codes (`ESC [ ... m`), or `None` when it has none. Lines stay lines.
pub(crate) fn strip_colours(bytes: &[u8]) -> Option<Vec<u8>> {
    const ESCAPE: u8 = 0x1b;
    let mut at = memchr::memchr(ESCAPE, bytes)?;
    let mut plain = Vec::with_capacity(bytes.len());
    let mut taken = 0;
    loop {
        let rest = &bytes[at + 1..];
        let length = rest
            .strip_prefix(b"[")
            .map(|code| code.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count());
        if let Some(length) = length.filter(|length| rest.get(length + 1) == Some(&b'm')) {
            plain.extend_from_slice(&bytes[taken..at]);
            taken = at + length + 3;
        }
        match memchr::memchr(ESCAPE, rest) {
            Some(next) => at += 1 + next,
            None => break,
        }
    }
    plain.extend_from_slice(&bytes[taken..]);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<&'static str> {
        sniff(text.as_bytes()).map(Dialect::name)
    }

    #[test]
    fn dialects() {
        assert_eq!(name("x\n2026-11-22 08:04:19.756 4498 INFO nova.compute.manager [-] y\n"), Some("oslo"));
        assert_eq!(
            name("2026-11-22 08:17:24.063 13346 INFO osc_lib.shell [ demo None] START with options: a"),
            Some("client-logfile")
        );
        assert_eq!(name("prose\nREQ: curl -g\nprose"), Some("client"));
        assert_eq!(name("DEBUG (session:580) REQ: curl -g"), Some("client"));
        assert_eq!(
            name("Nov 22 08:13:34.377824 vm nova-compute[8873]: INFO nova.compute.manager [-] x"),
            Some("journal")
        );
        assert_eq!(name("\u{1b}[00;36mINFO nova.compute.manager [\u{1b}[01;36m-\u{1b}[00m] x"), Some("oslo-untimed"));
        assert_eq!(name("{\"a\": 1}\n"), None);
        assert_eq!(name(""), None);
    }

    #[test]
    fn colours_go() {
        assert_eq!(strip_colours(b"plain"), None);
        assert_eq!(strip_colours(b"a\x1b[01;36mb\x1b[00m\x1b[2Kc\x1b").as_deref(), Some(&b"ab\x1b[2Kc\x1b"[..]));
    }
}
