//! journalctl's short formats (systemd `logs-show.c`): `Nov 22 08:13:38.294958 host program[pid]: ` in front of oslo.log's text
//! without time stamp. The year is missing: it is set to [`BASE_YEAR`] here and to that of other evidence when everything
//! is read. The process is that of the prefix, which is the parent's for a worker's lines.

use nom::Parser;
use nom::character::complete::space1;
use nom::sequence::{preceded, terminated};

use super::header::{self, Parsed};
use super::oslo::head_of;
use super::record::Head;
use super::scan;
use super::sniff::Dialect;
use crate::base::time::Timestamp;

/// The year of stamps without one: a leap year, so that every date exists.
pub(crate) const BASE_YEAR: i64 = 1972;

/// journald text around oslo.log's.
pub(crate) struct Journal;

impl Dialect for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        let (rest, (time, host, program, process)) = prefix(line).ok()?;
        let rest = rest.trim_ascii_start();
        let (message, tail) = header::tail(rest, false).ok()?;
        Some(Head { host, program, ..head_of(line, message, Some(time), process, tail) })
    }

    fn has_year(&self) -> bool {
        false
    }
}

/// Everything up to the oslo.log text.
pub(crate) fn prefix(line: &[u8]) -> Parsed<'_, (Timestamp, &[u8], &[u8], u32)> {
    let failed = nom::Err::Error(());
    let day =
        nom::combinator::map_res(nom::bytes::complete::take_while_m_n(1, 2, |byte: u8| byte.is_ascii_digit()), |day| {
            scan::number(day).ok_or(())
        });
    let (rest, month) = terminated(header::month, space1).parse(line)?;
    let (rest, day) = terminated(day, space1).parse(rest)?;
    let (rest, (hour, minute, second)) = header::clock(rest)?;
    let (rest, micros) = header::fraction(rest);
    let word =
        |text| preceded(space1, nom::bytes::complete::take_while1(|byte: u8| !byte.is_ascii_whitespace())).parse(text);
    let (rest, host) = word(rest)?;
    let (rest, unit): (_, &[u8]) = word(rest)?;
    let unit = unit.strip_suffix(b":").ok_or(failed.clone())?;
    let (program, process) = match memchr::memchr(b'[', unit) {
        Some(open) => (&unit[..open], scan::number(&unit[open + 1..]).and_then(|number| u32::try_from(number).ok())),
        None => (unit, None),
    };
    let time = Timestamp::from_parts(BASE_YEAR, month, day as u32, hour, minute, second, micros).ok_or(failed)?;
    Ok((rest, (time, host, program, process.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Level;

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
}
