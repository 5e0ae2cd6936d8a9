//! Lines that carry a stranger's request id in their brackets.
//!
//! A green thread may log under the id of a request that ran in between: in nova of 2016 to 2019 the end of a server's deletion
//! stands under the id of a neutron event. Two things on the lines themselves tell whose work it is: the request id header of
//! the requests that the thread sends, and the lock that it holds meanwhile.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::event::{Event, EventKind, LockState, RequestId};
use crate::model::source::{Place, SourceId};
use crate::trace::catalog::Catalog;

/// A process, as far as a log tells it.
type Process = (SourceId, u32);

/// While a lock was held: from its first line to its last.
#[derive(Clone, Copy, Debug)]
struct Hold {
    owner: RequestId,
    from: Place,
    /// Nothing while it was not released.
    to: Option<Place>,
}

/// The ids that are not those of the work whose lines they stand on.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    holds: FxHashMap<Process, Vec<Hold>>,
    /// The hold during which a stranger's id stands for its owner's.
    lent: FxHashMap<(Process, RequestId), Vec<usize>>,
    /// The lines that tell the end of a hold under another id than its beginning.
    ends: FxHashMap<Place, RequestId>,
}

impl Strangers {
    /// Looks for them in events that come in the order of each input's lines.
    pub(crate) fn find(catalog: &Catalog<'_>, events: &[Event]) -> Self {
        let mut strangers = Self::default();
        let mut held: FxHashMap<(Process, &str, &str), usize> = FxHashMap::default();
        let mut workers: FxHashSet<(Process, RequestId)> = FxHashSet::default();
        for event in events {
            let process = (event.place.source, event.process);
            match (&event.kind, event.service, event.context.request) {
                (EventKind::Lock { name, function, state }, Some(service), Some(request))
                    if catalog.lock(service, function).is_some() =>
                {
                    let holds = strangers.holds.entry(process).or_default();
                    match state {
                        LockState::Acquired => {
                            workers.insert((process, request));
                            held.insert((process, name, function), holds.len());
                            holds.push(Hold { owner: request, from: event.place, to: None });
                        }
                        LockState::Released => {
                            if let Some(hold) = held.remove(&(process, name.as_str(), function.as_str())) {
                                holds[hold].to = Some(event.place);
                                if holds[hold].owner != request {
                                    strangers.ends.insert(event.place, holds[hold].owner);
                                    strangers.lent.entry((process, request)).or_default().push(hold);
                                }
                            }
                        }
                        LockState::Acquiring => {}
                    }
                }
                (EventKind::HttpSent { header: Some(header), .. }, Some(_), Some(request)) if *header != request => {
                    let holds = strangers.holds.get(&process).map_or(&[][..], Vec::as_slice);
                    if let Some(hold) = holds.iter().rposition(|hold| hold.owner == *header && hold.to.is_none()) {
                        strangers.lent.entry((process, request)).or_default().push(hold);
                    }
                }
                _ => {}
            }
        }
        // What works under an id of its own keeps it.
        strangers.lent.retain(|key, _| !workers.contains(key));
        strangers
    }

    /// The id of the work that a line belongs to, when it is not the one on the line.
    pub(crate) fn owner(&self, event: &Event) -> Option<RequestId> {
        if self.ends.is_empty() && self.lent.is_empty() {
            return None;
        }
        if let Some(owner) = self.ends.get(&event.place) {
            return Some(*owner);
        }
        let process = (event.place.source, event.process);
        let lent = self.lent.get(&(process, event.context.request?))?;
        let holds = self.holds.get(&process)?;
        let during = |hold: &&Hold| hold.from <= event.place && hold.to.is_none_or(|to| event.place <= to);
        let mut owners = lent.iter().filter_map(|hold| holds.get(*hold)).filter(during).map(|hold| hold.owner);
        let owner = owners.next()?;
        owners.all(|other| other == owner).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use crate::model::event::{Body, Context, Raised};
    use crate::model::vocabulary::ServiceId;
    use crate::spec::grammar::Grammar;
    use uuid::Uuid;

    const SPEC: &str = "format 1\nservice agent \"a\"\n  loggers agent\nstep work.remove \"r\"\n  agent receives cast remove\n  \
        lock do_remove\n";
    const OWN: RequestId = RequestId(Uuid::from_u128(1));
    const STRANGER: RequestId = RequestId(Uuid::from_u128(2));

    fn grammar() -> Grammar {
        let files = [("a.flow".to_owned(), SPEC.to_owned())];
        crate::spec::load::alone(&files).unwrap_or_else(|errors| panic!("{errors}")).grammar
    }

    fn lock(state: LockState) -> EventKind {
        EventKind::Lock { name: "server".to_owned(), function: "do_remove".to_owned(), state }
    }

    fn sent(header: RequestId) -> EventKind {
        let url = "http://127.0.0.1:8776/v2/volumes/v/action".to_owned();
        EventKind::HttpSent { method: "POST".to_owned(), url, header: Some(header), body: Body::default() }
    }

    /// Whose line each of these is, where it is not that of the id in its brackets.
    fn owners(lines: &[(RequestId, EventKind)]) -> Vec<Option<RequestId>> {
        let event = |(line, (request, kind)): (u64, &(RequestId, EventKind))| Event {
            place: Place::new(SourceId(0), line),
            time: Some(Timestamp(line as i64 * 1_000_000)),
            process: 1,
            service: Some(ServiceId(0)),
            context: Context { request: Some(*request), ..Context::default() },
            kind: kind.clone(),
        };
        let events: Vec<Event> = (1..).zip(lines).map(event).collect();
        let grammar = grammar();
        let strangers = Strangers::find(&Catalog::new(&grammar), &events);
        events.iter().map(|event| strangers.owner(event)).collect()
    }

    #[test]
    fn the_header_and_the_lock_tell_whose_lines_they_are() {
        let used = EventKind::Error { class: String::new(), text: "no".to_owned(), raised: Raised::default() };
        let lines = [
            (STRANGER, used.clone()),
            (OWN, lock(LockState::Acquired)),
            (STRANGER, used.clone()),
            (STRANGER, sent(OWN)),
            (STRANGER, lock(LockState::Released)),
            (STRANGER, used),
        ];
        let own = Some(OWN);
        assert_eq!(owners(&lines), [None, None, own, own, own, None], "only while the lock is held");
    }

    #[test]
    fn who_works_under_an_id_of_its_own_keeps_it() {
        let other = |state| EventKind::Lock { name: "other".to_owned(), function: "do_remove".to_owned(), state };
        let lines = [
            (OWN, lock(LockState::Acquired)),
            (STRANGER, other(LockState::Acquired)),
            (STRANGER, sent(OWN)),
            (STRANGER, other(LockState::Released)),
            (STRANGER, lock(LockState::Released)),
        ];
        assert_eq!(owners(&lines), [None, None, None, None, Some(OWN)], "but the hold of a lock is its owner's");
        let lines = [(OWN, lock(LockState::Acquired)), (STRANGER, sent(RequestId(Uuid::from_u128(3))))];
        assert_eq!(owners(&lines), [None, None], "a header of which nobody holds a lock");
    }
}
