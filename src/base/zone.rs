//! Time zones: what a stamp on a wall clock means in UTC.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::base::time::{SECOND, Timestamp};

/// The moments that a stamp can mean, the earlier one first. A stamp in the hour that is left out when summer time begins is
/// read as if the clock had not been changed yet.
pub fn moments(zone: &TimeZone, time: Timestamp) -> (Timestamp, Timestamp) {
    let Ok(civil) = jiff::Timestamp::from_microsecond(time.0) else { return (time, time) };
    let civil = TimeZone::UTC.to_datetime(civil);
    let at = |offset: Offset| time.plus(-i64::from(offset.seconds()) * SECOND);
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => (at(offset), at(offset)),
        AmbiguousOffset::Gap { before, .. } => (at(before), at(before)),
        AmbiguousOffset::Fold { before, after } => (at(before), at(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_become_utc() {
        let at = |day, hour| Timestamp::from_parts(2026, 10, day, hour, 0, 0, 0).expect("a date");
        // Central Europe, by rule, so that no data base of zones is needed.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        assert_eq!(moments(&zone, at(24, 12)), (at(24, 10), at(24, 10)));
        assert_eq!(moments(&zone, at(25, 2)), (at(25, 0), at(25, 1)));
        assert_eq!(moments(&TimeZone::fixed(jiff::tz::offset(-3)), at(24, 12)).0, at(24, 15));
    }
}
