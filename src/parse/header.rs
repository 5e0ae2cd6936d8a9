//! The parts of a record's head that several dialects share. Formats: oslo.log `_options.py`
//! (`logging_context_format_string`, `logging_default_format_string`, `logging_exception_prefix`) from Essex to 2025.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{space0, space1};
use nom::combinator::{map, map_res, opt, value};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::scan;
use crate::base::text::leading_uuid;
use crate::base::time::{SECOND, Timestamp};
use crate::model::event::{Context, Level};

/// The result of a parser that says nothing about why it failed: most lines that fail are plain text.
pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T, ()>;

fn digits(text: &[u8], at: usize, count: usize) -> Option<u32> {
    text.get(at..at + count)?
        .iter()
        .try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// `2026-11-22 08:04:15` at fixed places (also with `T` between), then perhaps `.281`, `,281` or `.281456`.
pub(crate) fn stamp(text: &[u8]) -> Parsed<'_, Timestamp> {
    let failed = Err(nom::Err::Error(()));
    let fits = text.len() >= 19 && text[4] == b'-' && text[7] == b'-' && matches!(text[10], b' ' | b'T');
    if !fits || text[13] != b':' || text[16] != b':' {
        return failed;
    }
    let parts = (|| {
        let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
        let (hour, minute, second) = (digits(text, 11, 2)?, digits(text, 14, 2)?, digits(text, 17, 2)?);
        Some((year, month, day, hour, minute, second))
    })();
    let Some((year, month, day, hour, minute, second)) = parts else { return failed };
    let (rest, fraction) = fraction(&text[19..]);
    match Timestamp::from_parts(i64::from(year), month, day, hour, minute, second, fraction) {
        Some(time) => Ok((rest, time)),
        None => failed,
    }
}

/// A whole text that is a [`stamp`], in UTC where it has an offset, and whether it has: `2026-11-22T10:04:15.281+02:00`.
pub(crate) fn moment(text: &[u8]) -> Option<(Timestamp, bool)> {
    let (rest, time) = stamp(text).ok()?;
    match offset(rest) {
        Some((b"", seconds)) => Some((time.plus(-seconds * SECOND), true)),
        None if rest.is_empty() => Some((time, false)),
        _ => None,
    }
}

/// The seconds that `Z`, `+0200`, `+02:00` or `-03` says a zone is ahead of UTC, and what follows.
pub(crate) fn offset(text: &[u8]) -> Option<(&[u8], i64)> {
    if let Some(rest) = text.strip_prefix(b"Z") {
        return Some((rest, 0));
    }
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(text, 1, 2)?;
    let colon = usize::from(text.get(3) == Some(&b':'));
    let (minutes, length) = digits(text, 3 + colon, 2).map_or((0, 3), |minutes| (minutes, 5 + colon));
    (hours < 24 && minutes < 60).then(|| (&text[length..], sign * i64::from(hours * 3_600 + minutes * 60)))
}

/// Whether a word is one of the levels.
pub(crate) fn is_level(word: &[u8]) -> bool {
    level(&[word, b" "].concat()).is_ok_and(|(rest, _)| rest.is_empty())
}

/// The microseconds of `.281`, `,281` or `.281456`; 0 when there is no fraction.
pub(crate) fn fraction(text: &[u8]) -> (&[u8], u32) {
    let Some(rest) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else { return (text, 0) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut micros = 0;
    for place in 0..6 {
        micros = micros * 10 + rest.get(place).filter(|_| place < length).map_or(0, |byte| u32::from(byte - b'0'));
    }
    if length == 0 { (text, 0) } else { (&rest[length..], micros) }
}

/// A process id and the blanks behind it.
pub(crate) fn process(text: &[u8]) -> Parsed<'_, u32> {
    let digits = take_while_m_n(1, 10, |byte: u8| byte.is_ascii_digit());
    let number =
        map_res(digits, |digits: &[u8]| scan::number(digits).and_then(|number| u32::try_from(number).ok()).ok_or(()));
    terminated(number, space1).parse(text)
}

/// A level word, a blank or the end behind it; and whether it is a level that traceback lines have.
pub(crate) fn level(text: &[u8]) -> Parsed<'_, (Level, bool)> {
    let word = alt((
        value((Level::Debug, false), tag("DEBUG")),
        value((Level::Info, false), tag("INFO")),
        value((Level::Warning, false), alt((tag("WARNING"), tag("WARN")))),
        value((Level::Error, true), alt((tag("ERROR"), tag("TRACE")))),
        value((Level::Critical, true), tag("CRITICAL")),
        value((Level::Info, false), alt((tag("AUDIT"), tag("NOTICE")))),
    ));
    terminated(word, space1).parse(text)
}

fn is_logger_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// A logger's name, `cinder.api.v1.volumes` or (Grizzly) `[cinder.api.v1.volumes]`, and one blank behind it.
pub(crate) fn logger(text: &[u8]) -> Parsed<'_, &[u8]> {
    let plain = take_while1(is_logger_byte);
    let bracketed = nom::sequence::delimited(tag("["), take_while1(is_logger_byte), tag("]"));
    let (rest, name) = alt((plain, bracketed)).parse(text)?;
    let (rest, blank) = opt(tag(" ")).parse(rest)?;
    let is_name = name[0].is_ascii_alphabetic() || name[0] == b'_';
    if is_name && (blank.is_some() || rest.is_empty()) { Ok((rest, name)) } else { Err(nom::Err::Error(())) }
}

/// The ids in brackets. `any` takes every bracket for a context, as `--log-file` of the client writes them
/// (`[ demo None]`); without it only `[-]`, `[req-...]`, `[None ...]` and `[global req-...]` are one.
pub(crate) fn context(text: &[u8], any: bool) -> Parsed<'_, Context> {
    let failed = Err(nom::Err::Error(()));
    let Some(inner) = text.strip_prefix(b"[") else { return failed };
    let is_context = inner.starts_with(b"-]")
        || inner.starts_with(b"req-")
        || inner.starts_with(b"- req-")
        || inner.starts_with(b"None")
        || inner.starts_with(b"- -")
        || (any && !inner.starts_with(b"instance: "));
    if !is_context {
        return failed;
    }
    let Some(end) = memchr::memchr(b']', &inner[..inner.len().min(2048)]) else { return failed };
    let mut ids = inner[..end].split(|byte| matches!(byte, b' ' | b'|')).take(2).map(scan::request_id);
    let (first, second) = (ids.next().flatten(), ids.next().flatten());
    // A doubled context, `[req-A user project|req-A ...]`, has its second id behind the bar, which is never the second word.
    let (global, request) = if second.is_some() { (first, second) } else { (None, first) };
    let (rest, _) = space0(&inner[end + 1..])?;
    // From oslo.log 4.8.0 on the global id comes first, `None` where the caller passed none.
    let has_global = request.is_some() && (global.is_some() || inner.starts_with(b"None req-"));
    Ok((rest, Context { global, request, has_global, server: None }))
}

/// `[instance: UUID] ` (also doubled, `[instance: A|instance: A]`); gives the server.
pub(crate) fn instance(text: &[u8]) -> Parsed<'_, Option<uuid::Uuid>> {
    let (inside, _) = tag("[instance: ")(text)?;
    let server = leading_uuid(inside);
    match memchr::memchr(b']', &inside[..inside.len().min(256)]) {
        Some(end) => {
            let rest = &inside[end + 1..];
            Ok((rest.strip_prefix(b" ").unwrap_or(rest), server))
        }
        None => Err(nom::Err::Error(())),
    }
}

/// From the level on: `LEVEL logger [context] [instance: ...] message`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tail<'a> {
    pub(crate) level: Level,
    pub(crate) logger: &'a [u8],
    pub(crate) context: Context,
    /// Whether there is a bracket with ids.
    pub(crate) has_context: bool,
    /// Whether the level is one that traceback lines have.
    pub(crate) is_error: bool,
}

/// Reads a [`Tail`]; the rest is the message.
pub(crate) fn tail(text: &[u8], any_context: bool) -> Parsed<'_, Tail<'_>> {
    let (rest, (level, is_error)) = level(text)?;
    let (rest, logger) = logger(rest)?;
    let (rest, context) = opt(preceded(space0, |text| context(text, any_context))).parse(rest)?;
    let has_context = context.is_some();
    let (rest, server) = opt(instance).parse(rest)?;
    let context = Context { server: server.flatten(), ..context.unwrap_or_default() };
    Ok((rest, Tail { level, logger, context, has_context, is_error }))
}

/// Three letters of an English month.
pub(crate) fn month(text: &[u8]) -> Parsed<'_, u32> {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let word = nom::bytes::complete::take(3_usize);
    map_res(word, |word: &[u8]| MONTHS.iter().position(|month| *month == word).map(|index| index as u32 + 1).ok_or(()))
        .parse(text)
}

/// `08:04:15`.
pub(crate) fn clock(text: &[u8]) -> Parsed<'_, (u32, u32, u32)> {
    let parts = (|| {
        let is_clock = text.get(2) == Some(&b':') && text.get(5) == Some(&b':');
        is_clock.then_some(())?;
        Some((digits(text, 0, 2)?, digits(text, 3, 2)?, digits(text, 6, 2)?))
    })();
    parts.map(|clock| (&text[8..], clock)).ok_or(nom::Err::Error(()))
}

/// `Sun, 22 Nov 2026 08:04:11 GMT` (RFC 9110, 5.6.7), without the zone.
pub(crate) fn http_date(text: &[u8]) -> Parsed<'_, Timestamp> {
    let weekday = terminated(take_while_m_n(3, 9, |byte: u8| byte.is_ascii_alphabetic()), tag(", "));
    let day = map_res(take_while_m_n(1, 2, |byte: u8| byte.is_ascii_digit()), |day| scan::number(day).ok_or(()));
    let year = map_res(take_while_m_n(4, 4, |byte: u8| byte.is_ascii_digit()), |year| scan::number(year).ok_or(()));
    let blank = || alt((tag(" "), tag("-")));
    let date = (preceded(weekday, day), blank(), month, blank(), year, tag(" "), clock);
    let (rest, time) = map(date, |(day, _, month, _, year, _, (hour, minute, second))| {
        Timestamp::from_parts(year as i64, month, day as u32, hour, minute, second, 0)
    })
    .parse(text)?;
    time.map(|time| (rest, time)).ok_or(nom::Err::Error(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps() {
        let at = |text: &str| stamp(text.as_bytes()).ok().map(|(rest, time)| (time.to_string(), rest.len()));
        assert_eq!(at("2026-11-22 08:04:15.281 4527"), Some(("2026-11-22T08:04:15.281".into(), 5)));
        assert_eq!(at("2025-12-17 13:16:52,976"), Some(("2025-12-17T13:16:52.976".into(), 0)));
        assert_eq!(at("2014-02-24 04:47:56 DEBUG"), Some(("2014-02-24T04:47:56.000".into(), 6)));
        assert_eq!(at("2014-02-24 04:47"), None);
        assert_eq!(at("2014-13-24 04:47:56"), None);
    }

    #[test]
    fn moments_with_an_offset() {
        let at = |text: &str| moment(text.as_bytes()).map(|(time, _)| time.to_string());
        assert_eq!(at("2026-11-22T10:04:15.281456+02:00").as_deref(), Some("2026-11-22T08:04:15.281"));
        assert_eq!(at("2026-11-22T08:04:15-0330").as_deref(), Some("2026-11-22T11:34:15.000"));
        assert_eq!(at("2026-11-22 08:04:15,281").as_deref(), Some("2026-11-22T08:04:15.281"));
        assert_eq!(at("2026-11-22T08:04:15Zulu"), None);
        assert!(is_level(b"WARNING") && !is_level(b"WARNINGS") && !is_level(b"6"));
    }

    #[test]
    fn contexts() {
        let ids = |text: &str| {
            context(text.as_bytes(), false)
                .ok()
                .map(|(_, context)| (context.global.is_some(), context.request.is_some()))
        };
        let id = "req-79f05250-8680-41f2-8ef9-53bb9bf9f60e";
        assert_eq!(ids("[-] x"), Some((false, false)));
        assert_eq!(ids(&format!("[{id} - - - - -]")), Some((false, true)));
        assert_eq!(ids(&format!("[{id} f4f1 f1b3] ")), Some((false, true)));
        assert_eq!(ids(&format!("[{id} ]")), Some((false, true)));
        assert_eq!(ids(&format!("[None {id} demo demo]")), Some((false, true)));
        assert_eq!(ids(&format!("[{id} {id} - - - - - -]")), Some((true, true)));
        assert_eq!(ids(&format!("[{id} u p|{id} u p]")), Some((false, true)));
        assert_eq!(ids("[d0934f40-e0c2-4ff8-b7a5-d0879a118e96] Connecting"), None);
        assert_eq!(ids("[instance: 2775afe3-baa5-41f7-ade0-3bb3cba46c85] x"), None);
    }

    #[test]
    fn http_dates() {
        let (_, time) = http_date(b"Sun, 22 Nov 2026 08:04:11 GMT Openstack").expect("a date");
        assert_eq!(time.to_string(), "2026-11-22T08:04:11.000");
    }
}
