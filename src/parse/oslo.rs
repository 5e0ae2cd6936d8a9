//! oslo.log's text formats, with time stamp (files) and without (devstack and uwsgi, where the journal adds it), and the
//! file that the client's `--log-file` writes (osc-lib `logs.py`), which has the same shape.

use nom::Parser;
use nom::character::complete::{space0, space1};
use nom::combinator::opt;
use nom::sequence::terminated;

use super::client;
use super::dialect::{Dialect, is_client_logger, is_library_logger};
use super::header::{self, Parsed, Tail};
use super::record::Head;
use crate::base::time::Timestamp;
use crate::model::event::Level;

/// `YYYY-MM-DD HH:MM:SS[.mmm] [PID] LEVEL logger [context] message`.
pub(crate) struct Oslo;

/// The same, written by `openstack --log-file` around the client's messages.
pub(crate) struct ClientFile;

/// `LEVEL logger [context] message`: order only.
pub(crate) struct Untimed;

impl Dialect for Oslo {
    fn name(&self) -> &'static str {
        "oslo"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        timed(line, false)
    }

    fn other_by_logger(&self, logger: &[u8], _is_service: &dyn Fn() -> bool) -> Option<&'static dyn Dialect> {
        is_client_logger(logger).then_some(&ClientFile as &dyn Dialect)
    }
}

impl Dialect for ClientFile {
    fn name(&self) -> &'static str {
        "client-logfile"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        timed(line, true)
    }

    fn other_by_logger(&self, _logger: &[u8], is_service: &dyn Fn() -> bool) -> Option<&'static dyn Dialect> {
        is_service().then_some(&Oslo as &dyn Dialect)
    }

    fn is_client(&self) -> bool {
        true
    }
}

impl Dialect for Untimed {
    fn name(&self) -> &'static str {
        "oslo-untimed"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        let (rest, tail) = header::tail(line, false).ok()?;
        let is_dotted = memchr::memchr(b'.', tail.logger).is_some();
        (tail.has_context || (tail.is_error && is_dotted)).then(|| head_of(line, rest, None, 0, tail))
    }
}

/// Joins the parts of a head; `rest` is the end of `line` from the message on.
pub(crate) fn head_of<'a>(
    line: &'a [u8],
    rest: &'a [u8],
    time: Option<Timestamp>,
    process: u32,
    tail: Tail<'a>,
) -> Head<'a> {
    Head {
        time,
        is_zoned: false,
        process,
        level: tail.level,
        logger: tail.logger,
        context: tail.context,
        host: b"",
        program: b"",
        message: line.len() - rest.len(),
        may_continue: tail.is_error && !tail.has_context,
        multi_line: true,
    }
}

/// A head that begins with a time stamp; `any_context` is that of [`header::context`].
pub(crate) fn timed(line: &[u8], any_context: bool) -> Option<Head<'_>> {
    let (rest, time) = match stamp_start(line) {
        Some(start) => header::stamp(&line[start..]).ok()?,
        None => clipped_stamp(line)?,
    };
    let (rest, _) = blanks(rest).ok()?;
    let (rest, process) = opt(header::process).parse(rest).ok()?;
    let process = process.unwrap_or(0);
    let bare = |tail: &Tail<'_>| !tail.has_context && memchr::memchr(b'.', tail.logger).is_none();
    let is_client = || header::level(rest).is_ok_and(|(message, _)| client::is_message(message));
    if let Some((rest, tail)) = header::tail(rest, any_context).ok().filter(|(_, tail)| !bare(tail) || !is_client()) {
        return Some(head_of(line, rest, Some(time), process, tail));
    }
    let tail = |level, logger| Tail { level, logger, context: <_>::default(), has_context: true, is_error: false };
    // `asctime LEVEL message` and `asctime logger message`, as programs around the client's libraries write them.
    if let Ok((rest, (level, _))) = header::level(rest) {
        return client::is_message(rest).then(|| head_of(line, rest, Some(time), process, tail(level, b"")));
    }
    let (rest, logger) = terminated(header::logger, space0).parse(rest).ok()?;
    is_library_logger(logger).then(|| head_of(line, rest, Some(time), process, tail(Level::Debug, logger)))
}

fn blanks(text: &[u8]) -> Parsed<'_, &[u8]> {
    space1(text)
}

/// Where the time stamp begins: at once, or behind one word (`nova-api.log.1.2017-05-16_13:53:08 `, `nova-api.log:`, a line
/// number), as grep and collected data sets put it.
fn stamp_start(line: &[u8]) -> Option<usize> {
    let is_stamp = |at: usize| {
        let found = line.get(at..at + 11);
        found.is_some_and(|found| {
            found[4] == b'-' && found[7] == b'-' && found[10] == b' ' && found[..4].iter().all(u8::is_ascii_digit)
        })
    };
    if is_stamp(0) {
        return Some(0);
    }
    if line.first().is_none_or(|first| !first.is_ascii_alphanumeric() && *first != b'/' && *first != b'.') {
        return None;
    }
    let word = &line[..line.len().min(200)];
    memchr::memchr2_iter(b' ', b':', word)
        .take_while(|&at| !line[..at].contains(&b' '))
        .map(|at| at + 1)
        .find(|&at| is_stamp(at))
}

/// A time stamp that lost its first digits when it was copied: `015-05-12 10:26:39`. What is behind it, and the time.
fn clipped_stamp(line: &[u8]) -> Option<(&[u8], Timestamp)> {
    /// More than the longest time stamp has.
    const LONGEST: usize = 40;
    let century = b"20";
    let lost =
        (1..=century.len()).find(|lost| line.get(4 - lost) == Some(&b'-') && line.get(7 - lost) == Some(&b'-'))?;
    let length = (line.len() + lost).min(LONGEST);
    let mut whole = [0; LONGEST];
    whole[..lost].copy_from_slice(&century[..lost]);
    whole[lost..length].copy_from_slice(&line[..length - lost]);
    let (rest, time) = header::stamp(&whole[..length]).ok()?;
    Some((&line[length - lost - rest.len()..], time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::scan::lossy;

    fn head(line: &str) -> (String, u32, Level, String, String) {
        let head = Oslo.head(line.as_bytes()).unwrap_or_else(|| panic!("no head: {line}"));
        let time = head.time.map(|time| time.clock()).unwrap_or_default();
        (time, head.process, head.level, lossy(head.logger), lossy(&line.as_bytes()[head.message..]))
    }

    #[test]
    fn heads_that_lost_their_first_characters() {
        let line = "2015-05-12 10:26:39.123 4498 INFO nova.compute.manager [-] Detaching";
        assert_eq!(head(&line[1..]), head(line));
        assert_eq!(head(&line[2..]), head(line));
        for lost in 3..20 {
            assert_eq!(Oslo.head(&line.as_bytes()[lost..]), None, "{lost}");
        }
        assert_eq!(Oslo.head(b"15-05-12"), None);
    }

    #[test]
    fn heads_of_all_releases() {
        let id = "req-d003a8fd-6ed4-4a35-8e8a-1fbd1a8e0d3c";
        let server = "528d7e71-6d1c-4fd3-bb22-0f8a1a3f7c8b";
        let cases = [
            (
                format!("2026-11-22 08:04:19.756 4498 INFO nova.compute.manager [None {id} f4 f1 - - default default] [instance: {server}] Detaching"),
                ("08:04:19.756", 4498, Level::Info, "nova.compute.manager", "Detaching"),
            ),
            (
                format!("2014-04-17 14:07:50.849 1459 AUDIT nova.compute.manager [{id} e7 e7] [instance: {server}|instance: {server}] Attaching"),
                ("14:07:50.849", 1459, Level::Info, "nova.compute.manager", "Attaching"),
            ),
            (
                format!("2014-02-24 04:47:56 DEBUG cinder.api.openstack.wsgi [{id} 9f 66]  Action body: {{}}"),
                ("04:47:56.000", 0, Level::Debug, "cinder.api.openstack.wsgi", "Action body: {}"),
            ),
            (
                "2013-08-08 00:08:05    AUDIT [cinder.api.v1.volumes] Create volume of 50 GB".to_owned(),
                ("00:08:05.000", 0, Level::Info, "cinder.api.v1.volumes", "Create volume of 50 GB"),
            ),
            (
                "2013-04-03 13:04:17 45732 TRACE nova.rpc.amqp   File \"/usr/x.py\"".to_owned(),
                ("13:04:17.000", 45732, Level::Error, "nova.rpc.amqp", "  File \"/usr/x.py\""),
            ),
            (
                "2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager ".to_owned(),
                ("08:18:33.684", 11134, Level::Error, "cinder.volume.manager", ""),
            ),
            (
                "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.272 25746 INFO nova.osapi_compute.wsgi.server [-] x".to_owned(),
                ("00:00:00.272", 25746, Level::Info, "nova.osapi_compute.wsgi.server", "x"),
            ),
            (
                "nova-compute.log:2018-05-16 00:00:00.272 25746 INFO nova.virt [-] x".to_owned(),
                ("00:00:00.272", 25746, Level::Info, "nova.virt", "x"),
            ),
            (
                "2025-12-17 13:16:52,976 DEBUG REQ: curl -g -i -X GET \"http://192.168.0.1\"".to_owned(),
                ("13:16:52.976", 0, Level::Debug, "", "REQ: curl -g -i -X GET \"http://192.168.0.1\""),
            ),
            (
                "2017-09-19 22:10:09,490 keystoneauth.session.request     curl -g -i -X GET http://a".to_owned(),
                ("22:10:09.490", 0, Level::Debug, "keystoneauth.session.request", "curl -g -i -X GET http://a"),
            ),
        ];
        for (line, (time, process, level, logger, message)) in cases {
            assert_eq!(head(&line), (time.to_owned(), process, level, logger.to_owned(), message.to_owned()), "{line}");
        }
    }

    #[test]
    fn only_a_traceback_line_may_continue() {
        let may = |line: &str| Oslo.head(line.as_bytes()).expect("a head").may_continue;
        assert!(may("2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager Traceback (most recent call last):"));
        assert!(may(
            "2018-06-26 04:10:56.366 22822 ERROR nova.compute.manager [instance: 2775afe3-baa5-41f7-ade0-3bb3cba46c85]   File"
        ));
        assert!(!may("2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager [-] x"));
        assert!(!may("2026-11-22 08:18:33.684 11134 INFO cinder.volume.manager x"));
    }

    #[test]
    fn other_lines_have_no_head() {
        for line in [
            "",
            "    <serial>x</serial>",
            "Date: Tue, 26 Jun 2018 07:01:05 GMT",
            "2026-11-22 08:18:33.684",
            "2026-11-22 what",
        ] {
            assert!(Oslo.head(line.as_bytes()).is_none(), "{line}");
        }
    }
}
