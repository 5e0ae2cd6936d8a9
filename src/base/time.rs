//! Time stamps as the logs write them: microseconds, without a zone.

use std::fmt;

use serde::{Serialize, Serializer};

/// A moment in microseconds since 1970-01-01T00:00:00, on the clock and in the zone of the log that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;

impl Timestamp {
    /// The moment of a calendar date and time of day; `None` when there is no such date or time.
    pub fn from_parts(
        year: i64,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        micros: u32,
    ) -> Option<Self> {
        let month_is_good = (1..=12).contains(&month) && (1..=31).contains(&day);
        if !month_is_good || hour > 23 || minute > 59 || second > 60 || micros > 999_999 {
            return None;
        }
        let days = days_from_civil(year, month, day);
        let seconds = days * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        Some(Self(seconds * SECOND + i64::from(micros)))
    }

    /// The moment `micros` microseconds later.
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this moment.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The calendar year.
    pub fn year(self) -> i64 {
        civil_from_days(self.0.div_euclid(SECOND * 86_400)).0
    }

    /// The same date and time of day in another year; 29 February becomes 1 March where there is none.
    pub fn in_year(self, year: i64) -> Self {
        let (days, rest) = (self.0.div_euclid(SECOND * 86_400), self.0.rem_euclid(SECOND * 86_400));
        let (_, month, day) = civil_from_days(days);
        let (month, day) = (u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1));
        Self(days_from_civil(year, month, day) * 86_400 * SECOND + rest)
    }

    /// `HH:MM:SS.mmm`.
    pub fn clock(self) -> String {
        self.to_string().split_once('T').map(|(_, clock)| clock.to_owned()).unwrap_or_default()
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let rest = seconds.rem_euclid(86_400);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}",
            rest / 3_600,
            rest / 60 % 60,
            rest % 60,
            micros / 1_000
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        let leap = Timestamp::from_parts(2024, 2, 29, 23, 59, 58, 123_000).expect("a date");
        assert_eq!(leap.to_string(), "2024-02-29T23:59:58.123");
        assert_eq!(leap.clock(), "23:59:58.123");
        assert_eq!(Timestamp::from_parts(1970, 1, 1, 0, 0, 0, 0), Some(Timestamp(0)));
        assert_eq!(Timestamp::from_parts(2024, 13, 1, 0, 0, 0, 0), None);
        assert_eq!(leap.year(), 2024);
        assert_eq!(leap.in_year(2026).to_string(), "2026-03-01T23:59:58.123");
        assert_eq!(leap.in_year(2028).in_year(2024), leap);
    }
}
