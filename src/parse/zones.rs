//! Brings time stamps without a zone to UTC, when it is said in which zone they were written.

use jiff::tz::TimeZone;

use crate::base::time::{SECOND, Timestamp};
use crate::base::zone::moments;
use crate::model::event::Event;
use crate::model::source::Coverage;

/// Brings the events and the coverage of one log to UTC. The hour that comes twice when summer time ends is told by the order
/// of the lines.
pub(super) fn to_utc(zone: &TimeZone, events: &mut [Event], coverage: &mut [Coverage]) {
    let mut clock = Clock { zone, last: None };
    for time in events.iter_mut().filter_map(|event| event.time.as_mut()) {
        *time = clock.utc(*time);
    }
    for entry in coverage {
        let earliest = |time| Clock { zone, last: None }.utc(time);
        entry.first = entry.first.map(earliest);
        entry.last = entry.last.map(|time| moments(zone, time).1);
        entry.activity = std::mem::take(&mut entry.activity).moved(earliest);
    }
}

/// Follows the stamps of a log.
struct Clock<'a> {
    zone: &'a TimeZone,
    last: Option<Timestamp>,
}

impl Clock<'_> {
    fn utc(&mut self, time: Timestamp) -> Timestamp {
        let (earlier, later) = moments(self.zone, time);
        // Lines of threads that write at once are a little out of order.
        let is_later = self.last.is_some_and(|last| earlier.plus(SLACK) < last);
        let time = if is_later { later } else { earlier };
        self.last = Some(time);
        time
    }
}

/// How far a stamp may be behind the one before, in microseconds.
const SLACK: i64 = 60 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32, minute: u32, day: u32) -> Timestamp {
        Timestamp::from_parts(2026, 10, day, hour, minute, 0, 0).expect("a date")
    }

    #[test]
    fn the_hour_that_comes_twice() {
        // Central Europe, by rule, so that no data base of zones is needed.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let mut clock = Clock { zone: &zone, last: None };
        let stamps = [(1, 59), (2, 10), (2, 50), (2, 49), (2, 5), (2, 55), (3, 0)];
        let utc: Vec<String> = stamps.iter().map(|(hour, minute)| clock.utc(at(*hour, *minute, 25)).clock()).collect();
        let expected = ["23:59", "00:10", "00:50", "00:49", "01:05", "01:55", "02:00"];
        assert_eq!(utc, expected.map(|clock| format!("{clock}:00.000")));
    }
}
