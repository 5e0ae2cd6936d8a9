//! Logs that are there twice: copied behind themselves, or two copies of one. What the same process says in the same moment
//! in the same words was said once. (A line that stands twice in a row is left out before, in [`super::assemble`].)

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::base::time::{SECOND, Timestamp};
use crate::model::event::{Event, EventKind, RequestId};
use crate::model::source::{SourceId, SourceSummary};

/// Drops the events that were told before and says so of their logs. `goes_back` tells whether the time goes back in a log.
pub(super) fn drop_repeated(events: &mut Vec<Event>, sources: &mut [SourceSummary], goes_back: bool) {
    let mut is_repeated = vec![false; events.len()];
    mark_sessions(events, &mut is_repeated);
    if goes_back || share_a_writer(sources) {
        mark_moments(events, &mut is_repeated);
    }
    let mut counts: BTreeMap<SourceId, usize> = BTreeMap::new();
    for (event, _) in events.iter().zip(&is_repeated).filter(|(_, is_repeated)| **is_repeated) {
        *counts.entry(event.place.source).or_default() += 1;
    }
    if counts.is_empty() {
        return;
    }
    let mut marks = is_repeated.into_iter();
    events.retain(|_| !marks.next().unwrap_or(false));
    for (source, count) in counts {
        if let Some(source) = sources.get_mut(source.0 as usize) {
            add_remark(source, &format!("events told twice and taken once: {count}"));
        }
    }
}

/// Says how many lines were left out because they stand twice in a row.
pub(super) fn tell_doubled(source: &mut SourceSummary, lines: u64) {
    if lines > 0 {
        add_remark(source, &format!("lines that stand twice in a row and were read once: {lines}"));
    }
}

fn add_remark(source: &mut SourceSummary, remark: &str) {
    let before = source.remark.take().map(|before| format!("{before}; ")).unwrap_or_default();
    source.remark = Some(before + remark);
}

/// Whether two logs may be copies of one: they are of the same service and host, as far as that is told, and of the same time.
fn share_a_writer(sources: &[SourceSummary]) -> bool {
    let mut spans: FxHashMap<_, Vec<(Timestamp, Timestamp)>> = FxHashMap::default();
    for coverage in sources.iter().flat_map(|source| &source.coverage) {
        let Some(span) = coverage.first.zip(coverage.last) else { continue };
        let others = spans.entry((coverage.service, &coverage.host)).or_default();
        if others.iter().any(|other| other.0 <= span.1 && span.0 <= other.1) {
            return true;
        }
        others.push(span);
    }
    false
}

/// Marks events that have an earlier one of the same moment. Stamps of whole seconds do not tell moments apart.
fn mark_moments(events: &[Event], is_repeated: &mut [bool]) {
    let mut seen: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (at, event) in events.iter().enumerate() {
        let Some(time) = event.time.filter(|time| time.0 % SECOND != 0) else { continue };
        let earlier = seen.entry(FxBuildHasher.hash_one((time, event.process))).or_default();
        is_repeated[at] |= earlier.iter().any(|earlier| says_the_same(&events[*earlier], event));
        if !is_repeated[at] {
            earlier.push(at);
        }
    }
}

/// Marks what stands a second time in a log without stamps: runs of events that are equal to an earlier run, with an answer to
/// the same request in them.
fn mark_sessions(events: &[Event], is_repeated: &mut [bool]) {
    let mut answers: FxHashMap<(SourceId, RequestId), usize> = FxHashMap::default();
    let mut at = 0;
    while at < events.len() {
        let event = &events[at];
        at += 1;
        let EventKind::HttpAnswered { header: Some(request), .. } = &event.kind else { continue };
        if event.time.is_some() {
            continue;
        }
        let Some(earlier) = answers.insert((event.place.source, *request), at - 1) else { continue };
        let shift = at - 1 - earlier;
        let is_equal = |at: usize| {
            let log = events[at].place.source;
            log == event.place.source
                && log == events[at - shift].place.source
                && says_the_same(&events[at - shift], &events[at])
        };
        if !is_equal(at - 1) {
            continue;
        }
        let start = (shift..at).rev().take_while(|at| !is_repeated[*at] && is_equal(*at)).last().unwrap_or(at - 1);
        let end = (at..events.len()).find(|at| !is_equal(*at)).unwrap_or(events.len());
        // What follows may begin in the same way.
        let end = (at..end).rev().find(|at| ends_something(&events[*at])).map_or(at, |last| last + 1);
        is_repeated[start..end].fill(true);
        at = end;
    }
}

/// Whether an exchange or a command ends with this.
fn ends_something(event: &Event) -> bool {
    use EventKind::{CommandEnded, HttpAnswered, HttpBody, HttpUsed};
    matches!(event.kind, HttpAnswered { .. } | HttpBody { .. } | HttpUsed { .. } | CommandEnded { .. })
}

fn says_the_same(one: &Event, other: &Event) -> bool {
    one.place != other.place
        && one.time == other.time
        && (one.process, one.service) == (other.process, other.service)
        && one.context == other.context
        && one.kind == other.kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Context;
    use crate::model::source::Place;

    fn event(line: u64, time: Option<i64>, kind: EventKind) -> Event {
        let place = Place::new(SourceId(0), line);
        Event { place, time: time.map(Timestamp), process: 1, service: None, context: Context::default(), kind }
    }

    fn kept(mut events: Vec<Event>, goes_back: bool) -> (Vec<u64>, Option<String>) {
        let mut sources = vec![SourceSummary::default()];
        drop_repeated(&mut events, &mut sources, goes_back);
        (events.iter().map(|event| event.place.line).collect(), sources.remove(0).remark)
    }

    #[test]
    fn the_same_moment_is_told_once() {
        let ended = |code| EventKind::CommandEnded { code };
        let events = vec![
            event(1, Some(1_500_000), ended(0)),
            event(2, Some(1_500_000), ended(1)),
            event(3, Some(2_000_000), ended(0)),
            event(4, Some(1_500_000), ended(0)),
            event(5, Some(2_000_000), ended(0)),
            event(6, None, ended(0)),
            event(7, None, ended(0)),
        ];
        let remark = Some("events told twice and taken once: 1".to_owned());
        assert_eq!(kept(events.clone(), true), (vec![1, 2, 3, 5, 6, 7], remark));
        assert_eq!(kept(events, false), ((1..=7).collect(), None));
    }

    #[test]
    fn a_session_is_told_once() {
        let id = |id| Some(RequestId(uuid::Uuid::from_u128(id)));
        let answer =
            |line, request| event(line, None, EventKind::HttpAnswered { status: 200, header: id(request), date: None });
        let sent = |line| {
            let (method, url) = ("GET".to_owned(), "http://a".to_owned());
            event(line, None, EventKind::HttpSent { method, url, header: None, body: <_>::default() })
        };
        let end = |line| event(line, None, EventKind::CommandEnded { code: 0 });
        let session =
            |first| vec![sent(first), answer(first + 1, 1), sent(first + 2), answer(first + 3, 2), end(first + 4)];
        let other = vec![sent(11), answer(12, 3), end(13)];
        let events = [session(1), session(6), other].concat();
        assert_eq!(kept(events, false).0, [1, 2, 3, 4, 5, 11, 12, 13]);
        // The same requests again, with other answers.
        assert_eq!(kept(vec![sent(1), answer(2, 1), sent(3), answer(4, 2)], false).0, [1, 2, 3, 4]);
    }
}
