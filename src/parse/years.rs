//! Gives journal stamps their year. They have none; they were read as of [`BASE_YEAR`]. The year is that of the evidence in
//! the other inputs (their stamps, and `Date:` headers); without evidence it stays [`BASE_YEAR`]. Where stamps go back by
//! more than half a year, a new year has begun; the evidence is taken to be of the input's first year.

use super::journal::BASE_YEAR;
use crate::base::time::Timestamp;
use crate::model::event::{Event, EventKind};
use crate::model::source::Coverage;

/// Half a year in microseconds.
const HALF_A_YEAR: i64 = 182 * 86_400 * 1_000_000;

/// The earliest moment that is known with its year.
pub(crate) fn evidence(times: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    times.filter(|time| has_year(*time)).min()
}

fn has_year(time: Timestamp) -> bool {
    time >= FIRST_YEAR
}

/// Stamps from here on have a year: OpenStack is not older.
const FIRST_YEAR: Timestamp = Timestamp(14_610 * 86_400 * 1_000_000);

/// The `Date:` header that an event holds.
pub(crate) fn date_of(event: &Event) -> Option<Timestamp> {
    match event.kind {
        EventKind::HttpAnswered { date, .. } => date,
        _ => None,
    }
}

/// Sets the year of one input's events and coverage where they have none.
pub(crate) fn set(
    evidence: Option<Timestamp>,
    times: Option<(Timestamp, Timestamp)>,
    events: &mut [Event],
    coverage: &mut [Coverage],
) {
    let evidence = evidence.or_else(|| events.iter().filter_map(date_of).min());
    let Some((first, last)) = times.filter(|(first, last)| !has_year(*first) || !has_year(*last)) else { return };
    // Logs that begin in December belong to the year before evidence of January.
    let year = evidence.map_or(BASE_YEAR, |evidence| {
        let near = |year: &i64| first.in_year(*year).since(evidence).abs();
        let year = evidence.year();
        [year, year - 1, year + 1].into_iter().min_by_key(near).unwrap_or(year)
    });
    let mut turn = Turn { year, previous: first };
    for time in events.iter_mut().filter_map(|event| event.time.as_mut()) {
        *time = turn.set(*time);
    }
    let end = turn.set(last);
    for entry in coverage {
        let turned = turn.year != year;
        entry.activity.forget();
        let within = |time: Timestamp| if has_year(time) { time } else { time.in_year(year) };
        entry.first = entry.first.map(|time| if turned { within(first) } else { within(time) });
        entry.last = entry.last.map(|time| if turned { end } else { within(time) });
    }
}

/// Follows the stamps of an input through the turns of the year.
struct Turn {
    year: i64,
    previous: Timestamp,
}

impl Turn {
    fn set(&mut self, time: Timestamp) -> Timestamp {
        if has_year(time) {
            return time;
        }
        let step = time.since(self.previous);
        if step < -HALF_A_YEAR {
            self.year += 1;
        } else if step > HALF_A_YEAR {
            self.year -= 1;
        }
        self.previous = time;
        time.in_year(self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_turns() {
        let at = |year, month, day| Timestamp::from_parts(year, month, day, 1, 2, 3, 4).expect("a date");
        let mut turn = Turn { year: 2025, previous: at(BASE_YEAR, 12, 31) };
        assert_eq!(turn.set(at(BASE_YEAR, 12, 31)), at(2025, 12, 31));
        assert_eq!(turn.set(at(BASE_YEAR, 1, 1)), at(2026, 1, 1));
        assert_eq!(turn.set(at(BASE_YEAR, 12, 31)), at(2025, 12, 31));
        assert_eq!(turn.set(at(BASE_YEAR, 3, 1)), at(2026, 3, 1));
        assert_eq!(evidence([at(2026, 1, 1), at(2025, 1, 1), at(BASE_YEAR, 5, 5)].into_iter()), Some(at(2025, 1, 1)));
    }
}
