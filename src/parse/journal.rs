//! What a host's journal or syslog puts in front of oslo.log's text: journalctl's short formats (systemd `logs-show.c`), syslog
//! files and RFC 3164 (`Nov 22 08:13:38.294958 host program[pid]: `, also with an ISO 8601 stamp), and RFC 5424. The text has a
//! stamp of its own, or (devstack, uwsgi) none. A stamp of the prefix may have no year: it is set to [`BASE_YEAR`] here and to
//! that of other evidence when everything is read. The process is that of the prefix, which is the parent's for a worker's
//! lines.

use nom::Parser;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::space1;
use nom::combinator::map_res;
use nom::sequence::{preceded, terminated};

use super::dialect::Dialect;
use super::header::{self, Parsed};
use super::oslo;
use super::record::Head;
use super::scan;
use crate::base::time::{SECOND, Timestamp};

/// The year of stamps without one: a leap year, so that every date exists.
pub(crate) const BASE_YEAR: i64 = 1972;

/// A journal's or a syslog's text around oslo.log's.
pub(crate) struct Journal;

/// What stands before the text.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Prefix<'a> {
    time: Timestamp,
    /// Whether the stamp has its zone.
    is_zoned: bool,
    host: &'a [u8],
    program: &'a [u8],
    /// 0 when it is not told.
    process: u32,
}

impl Dialect for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        let (rest, prefix) = prefix(line)?;
        let rest = rest.trim_ascii_start();
        let head = match header::tail(rest, false) {
            Ok((message, tail)) => Head {
                is_zoned: prefix.is_zoned,
                ..oslo::head_of(line, message, Some(prefix.time), prefix.process, tail)
            },
            Err(_) => {
                let head = oslo::timed(rest, false)?;
                let process = if head.process == 0 { prefix.process } else { head.process };
                Head { process, message: line.len() - rest.len() + head.message, ..head }
            }
        };
        Some(Head { host: prefix.host, program: prefix.program, ..head })
    }
}

/// Everything up to the program's text.
fn prefix(line: &[u8]) -> Option<(&[u8], Prefix<'_>)> {
    let (rest, has_priority) = match priority(line) {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    match rest.strip_prefix(b"1 ").filter(|_| has_priority) {
        Some(rest) => structured(rest),
        None => program_prefix(rest).ok().or_else(|| structured(rest.strip_prefix(b"1 ").unwrap_or(rest))),
    }
}

/// What follows `<134>`.
fn priority(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"<")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest[digits..].strip_prefix(b">").filter(|_| (1..=3).contains(&digits))
}

/// `STAMP host program[pid]: `.
fn program_prefix(line: &[u8]) -> Parsed<'_, Prefix<'_>> {
    let failed = || nom::Err::Error(());
    let (rest, (time, is_zoned)) =
        dated(line).map(|(rest, time)| (rest, (time, false))).or_else(|_| iso(line).ok_or_else(failed))?;
    let (rest, host) = word(rest)?;
    let (rest, unit) = word(rest)?;
    let unit = unit.strip_suffix(b":").ok_or_else(failed)?;
    let (program, process) = match memchr::memchr(b'[', unit) {
        Some(open) => (&unit[..open], number(&unit[open + 1..])),
        None => (unit, 0),
    };
    Ok((rest, Prefix { time, is_zoned, host, program, process }))
}

/// RFC 5424 behind its version: `STAMP host program pid message-id structured-data `; `-` stands for what is missing.
fn structured(line: &[u8]) -> Option<(&[u8], Prefix<'_>)> {
    let (rest, (time, is_zoned)) = iso(line)?;
    let field = |text| word(text).ok().map(|(rest, word)| (rest, if word == b"-" { &b""[..] } else { word }));
    let (rest, host) = field(rest)?;
    let (rest, program) = field(rest)?;
    let (rest, process) = field(rest)?;
    let (rest, _) = field(rest)?;
    let mut rest = rest.strip_prefix(b" ")?;
    if let Some(none) = rest.strip_prefix(b"-") {
        rest = none;
    } else {
        // `[id name="value"]`, with `\]` for a bracket in a value.
        while rest.first() == Some(&b'[') {
            let close = memchr::memchr_iter(b']', rest).find(|close| rest[close - 1] != b'\\')?;
            rest = &rest[close + 1..];
        }
    }
    let text = rest.strip_prefix(b" ")?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    Some((text, Prefix { time, is_zoned, host, program, process: number(process) }))
}

fn word(text: &[u8]) -> Parsed<'_, &[u8]> {
    preceded(space1, take_while1(|byte: u8| !byte.is_ascii_whitespace())).parse(text)
}

fn number(text: &[u8]) -> u32 {
    scan::number(text).and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// `Nov 22 08:13:34.377824`, without a year.
fn dated(line: &[u8]) -> Parsed<'_, Timestamp> {
    let day = map_res(take_while_m_n(1, 2, |byte: u8| byte.is_ascii_digit()), |day| scan::number(day).ok_or(()));
    let (rest, month) = terminated(month, space1).parse(line)?;
    let (rest, day) = terminated(day, space1).parse(rest)?;
    let (rest, (hour, minute, second)) = header::clock(rest)?;
    let (rest, micros) = header::fraction(rest);
    let time = Timestamp::from_parts(BASE_YEAR, month, day as u32, hour, minute, second, micros);
    time.map(|time| (rest, time)).ok_or(nom::Err::Error(()))
}

/// A month in English, or its number as languages that have no names for months write it (`2월`, `2月`).
fn month(text: &[u8]) -> Parsed<'_, u32> {
    let numbered = |text: &[u8]| {
        let digits = text.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        let name = text.get(digits..digits + 3)?;
        let is_month = digits > 0 && ["월", "月"].iter().any(|month| month.as_bytes() == name);
        is_month.then(|| number(&text[..digits])).map(|month| (digits + 3, month))
    };
    match numbered(text) {
        Some((length, month)) => Ok((&text[length..], month)),
        None => header::month(text),
    }
}

/// `2026-11-22T08:13:34.377824+0000`, in UTC, and whether it has its offset.
fn iso(text: &[u8]) -> Option<(&[u8], (Timestamp, bool))> {
    let (rest, time) = header::stamp(text).ok().filter(|_| text[10] == b'T')?;
    Some(match header::offset(rest) {
        Some((rest, seconds)) => (rest, (time.plus(-seconds * SECOND), true)),
        None => (rest, (time, false)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Level;
    use crate::parse::scan::lossy;

    #[test]
    fn both_precisions() {
        let line = b"Nov 22 08:13:34.377824 vm nova-compute[8873]: INFO nova.compute.manager [None req-cbafecd5-0324-4f77-9817-30eb4c4b1b45 demo demo] [instance: ae59a50c-2c53-42f8-a2de-49cc84601770] Attaching";
        let head = Journal.head(line).expect("a head");
        assert_eq!((head.host, head.program, head.process), (&b"vm"[..], &b"nova-compute"[..], 8873));
        assert_eq!((head.level, &line[head.message..]), (Level::Info, &b"Attaching"[..]));
        assert!(head.context.request.is_some() && head.context.server.is_some());
        let line = b"Jan  5 09:30:44 devstack02 nova-compute[100024]: ERROR nova.compute.manager Traceback";
        assert!(Journal.head(line).expect("a head").may_continue);
        assert!(Journal.head(b"Jan 25 09:30:39 devstack02 sudo[330404]:    stack : PWD=/ ; USER=root").is_none());
        assert!(Journal.head(b"-- Logs begin at Mon 2018").is_none());
    }

    #[test]
    fn every_kind_of_prefix() {
        let text = "INFO nova.compute.manager [-] x";
        let (short, utc) = ("1972-11-22T08:13:34.377", "2026-11-22T08:13:34.377");
        let cases = [
            ("<134>Nov 22 08:13:34.377 vm nova-compute[7]: ", short, 7),
            ("11월 22 08:13:34.377 vm nova-compute[7]: ", short, 7),
            ("2026-11-22T08:13:34.377824+0000 vm nova-compute[7]: ", utc, 7),
            ("2026-11-22T09:13:34.377824+01:00 vm nova-compute: ", utc, 0),
            ("<134>1 2026-11-22T08:13:34.377Z vm nova-compute 7 - - ", utc, 7),
            ("1 2026-11-22T08:13:34.377Z vm nova-compute - ID [a b=\"\\]\"][c] \u{feff}", utc, 0),
        ];
        for (prefix, time, process) in cases {
            let line = format!("{prefix}{text}");
            let head = Journal.head(line.as_bytes()).unwrap_or_else(|| panic!("no head: {line}"));
            let found = (head.time.map(|time| time.to_string()), head.process, lossy(head.program), lossy(head.host));
            assert_eq!(found, (Some(time.to_owned()), process, "nova-compute".into(), "vm".into()), "{line}");
            assert_eq!(&line[head.message..], "x");
            // The text's own stamp is the program's.
            let line = format!("{prefix}2026-11-22 10:13:34.300 9 {text}");
            let head = Journal.head(line.as_bytes()).unwrap_or_else(|| panic!("no head: {line}"));
            let found = (head.time.map(|time| time.to_string()), head.process, lossy(head.program));
            assert_eq!(found, (Some("2026-11-22T10:13:34.300".into()), 9, "nova-compute".into()), "{line}");
            assert_eq!(&line[head.message..], "x");
        }
        for line in
            ["<>x", "<9999>Nov 22 08:13:34 a b: x", "1 2026-11-22T08:13:34Z a b", "2026-11-22T08:13:34Z", "[", "<1>1 "]
        {
            assert!(Journal.head(line.as_bytes()).is_none(), "{line}");
        }
    }
}
