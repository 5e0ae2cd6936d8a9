//! The volumes' histories: every step that a status machine knows, in order, with the status before and after it.

mod migration;
mod records;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::base::time::{SECOND, Timestamp};
use crate::model::source::Place;
use crate::spec::grammar::{
    Flow, Grammar, Guard, Machine, Origin, StatusShown, StepId, StepKind, Subject, Target, Transition,
};
use crate::trace::clocks::{ClockId, Stamp};
use crate::trace::graph::CallGraph;
use crate::trace::node::{MessageSeen, Node, NodeId, NodeKind};
use crate::trace::resources::Resources;
use records::{Listed, Record, earlier, record_with, status_before};

/// One volume's history.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// Its name, when a log tells it.
    pub name: Option<String>,
    /// What was done to it, in order.
    pub changes: Vec<Change>,
    /// Statuses that a log shows directly, in order of time.
    pub seen: Vec<Seen>,
    /// The status at the end, as far as it follows.
    pub last: Option<usize>,
    /// Where the transitions are written that were made, in order: of its status, its attachment records and its migration.
    pub made: Vec<Origin>,
}

/// A status that a log shows directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When the request began that brought it.
    pub from: Option<Timestamp>,
    /// When it ended.
    pub to: Option<Timestamp>,
    /// The status.
    pub status: String,
    /// The line.
    pub place: Place,
    /// The clock that told the times.
    pub clock: Option<ClockId>,
    /// Whether the times are those of the service that answered; else they are a client's, of whole seconds perhaps.
    pub exact: bool,
}

/// How far a client's time may be off, in microseconds.
const INEXACT: i64 = 2 * SECOND;

/// What one step did to a volume's status.
#[derive(Clone, Debug)]
pub struct Change {
    /// The step's node.
    pub node: NodeId,
    /// The step, chosen by the status where the log does not tell it.
    pub step: StepId,
    /// The status before, as an index into the machine's states; `None` when it does not follow.
    pub from: Option<usize>,
    /// The status after.
    pub to: Option<usize>,
    /// What became of it.
    pub effect: Effect,
    /// The rule that it broke: of the volume's machine, or of the attachment records'.
    pub broken: Option<Broken>,
    /// A status that was seen after it and before the next change, and that is not the one after it.
    pub contradicted: Option<Seen>,
    /// Whether no request to another service caused the step.
    pub direct: bool,
}

/// A transition that the code makes and the protocol forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The states from which the step may be made.
    pub lawful: Vec<String>,
    /// Where the rule is written.
    pub rule: Origin,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It made a transition.
    Changed,
    /// It was answered well and changed nothing.
    None,
    /// It failed and changed nothing.
    Failed,
    /// Its answer is not known.
    Open,
}

/// The histories of all volumes.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    /// By volume, sorted.
    pub tracks: BTreeMap<Uuid, Track>,
    /// Where a node's change stands in its volume's track.
    by_node: FxHashMap<NodeId, (Uuid, usize)>,
}

impl Histories {
    /// Follows every volume through the machine of its status.
    pub fn new(grammar: &Grammar, graph: &CallGraph, resources: &Resources) -> Self {
        let mut histories = Self::default();
        let Some(machine) = grammar.machine(Subject::VolumeStatus) else {
            return histories;
        };
        let records = grammar.machine(Subject::Attachment);
        let migration = grammar.machine(Subject::VolumeMigration);
        let alphabets: Vec<Vec<StepId>> = grammar.flows.iter().map(Flow::steps).collect();
        let mut volumes: FxHashMap<NodeId, Uuid> = FxHashMap::default();
        let mut work: BTreeMap<Uuid, Vec<NodeId>> = BTreeMap::new();
        let mut multiattach: FxHashMap<Uuid, bool> = FxHashMap::default();
        let mut listed: FxHashMap<Uuid, Listed> = FxHashMap::default();
        for (id, node) in graph.nodes() {
            for volume in &node.answered.volumes {
                let track = histories.tracks.entry(volume.id).or_default();
                track.name = track.name.take().or_else(|| volume.name.clone());
                if let Some(status) = &volume.status
                    && let Some(place) = node.ended.or(node.sent)
                {
                    let (from, to, exact) = (node.beginning(), node.ending(), node.received.is_some());
                    let clock = node.beginning_stamp().and_then(|stamp| stamp.clock);
                    track.seen.push(Seen { from, to, status: status.clone(), place, clock, exact });
                }
                if node.ending().is_some() && listed.get(&volume.id).is_none_or(|known| node.ending() < known.time) {
                    listed.insert(volume.id, Listed { time: node.ending(), attachments: volume.attachments.clone() });
                }
                if let Some(known) = volume.multiattach {
                    multiattach.insert(volume.id, known);
                }
            }
            if let Some(volume) = resources.volume(id) {
                let shown = node.messages.iter().filter_map(|message| shown(grammar, node, message));
                histories.tracks.entry(volume).or_default().seen.extend(shown);
            }
            let concerned = |machine: &Machine| node.steps.iter().any(|step| machine.concerns(*step));
            if concerned(machine) || migration.is_some_and(concerned) {
                let volume = resources.volume(id).or_else(|| begun_for(grammar, &alphabets, graph, id));
                volumes.extend(volume.map(|volume| (id, volume)));
                for volume in volume.into_iter().chain(node.target) {
                    work.entry(volume).or_default().push(id);
                }
            }
        }
        for track in histories.tracks.values_mut() {
            track.seen.sort_by_key(|seen| (seen.from, seen.place));
        }
        let concerns = |node: &Node| node.steps.iter().any(|step| machine.concerns(*step));
        let unbound = graph
            .nodes()
            .any(|(id, node)| node.attachment.is_some() && resources.volume(id).is_none() && concerns(node));
        for (volume, mut nodes) in work {
            nodes.sort_by_key(|id| (graph.node(*id).ending().or(graph.node(*id).beginning()), *id));
            let track = histories.tracks.entry(volume).or_default();
            let mut status_before = nodes.first().and_then(|first| status_before(grammar, graph, *first));
            let mut walk = Walk {
                grammar,
                machine,
                records,
                migration: migration.map(|machine| (machine, None)),
                multiattach: multiattach.get(&volume).copied(),
                status: None,
                previous: None,
                attachments: records.map_or_else(Vec::new, |records| {
                    let begun_with = status_before.and_then(|status| record_with(status, machine, records));
                    earlier(graph, resources, records, &nodes, listed.get(&volume), begun_with)
                }),
                gone: FxHashSet::default(),
                unbound,
                made: Vec::new(),
            };
            for id in nodes {
                walk.compare(graph, track, graph.node(id).beginning_stamp());
                let begins = graph.node(id).beginning_stamp();
                let clearly_before = |seen: &&Seen| {
                    let until = seen.to.map(|time| Stamp { time, clock: seen.clock }).zip(begins);
                    until
                        .and_then(|(seen, begin)| graph.clocks().least_between(seen, begin))
                        .is_some_and(|apart| apart >= 0)
                };
                let before = track.seen.iter().rev().find(clearly_before);
                let (server, direct) = (resources.server(id), resources.is_direct(graph, id));
                let is_target = volumes.get(&id) != Some(&volume);
                let subject = Work { id, node: graph.node(id), server, direct, is_target };
                if concerns(subject.node) {
                    let seen = before.and_then(|seen| machine.state(&seen.status));
                    let change = walk.step(&subject, seen.or(status_before.take()));
                    if !is_target {
                        histories.by_node.insert(id, (volume, track.changes.len()));
                    }
                    track.changes.push(change);
                }
                walk.follow_migration(&subject);
            }
            walk.compare(graph, track, None);
            track.last = walk.status;
            track.made = walk.made;
        }
        histories
    }

    /// What a node did to its volume's status.
    pub fn change(&self, id: NodeId) -> Option<&Change> {
        let (volume, index) = self.by_node.get(&id)?;
        self.tracks.get(volume)?.changes.get(*index)
    }
}

/// A node and the server that it is about.
struct Work<'a> {
    id: NodeId,
    node: &'a Node,
    server: Option<Uuid>,
    direct: bool,
    /// Whether the volume is not the node's own, but the one that takes its place.
    is_target: bool,
}

struct Walk<'a> {
    grammar: &'a Grammar,
    machine: &'a Machine,
    records: Option<&'a Machine>,
    /// The machine of the migration, and its state once something of one was seen.
    migration: Option<(&'a Machine, Option<usize>)>,
    multiattach: Option<bool>,
    status: Option<usize>,
    previous: Option<usize>,
    attachments: Vec<Record>,
    /// The records that are gone.
    gone: FxHashSet<Uuid>,
    /// Whether there are requests about attachments of which the volume is not known.
    unbound: bool,
    /// Where the transitions are written that were made so far.
    made: Vec<Origin>,
}

impl Walk<'_> {
    /// Compares the status that follows from the last change with what was clearly seen behind it, and before `next`; goes on
    /// from what was seen.
    fn compare(&mut self, graph: &CallGraph, track: &mut Track, next: Option<Stamp>) {
        let Some(last) = track.changes.last_mut() else { return };
        let end = graph.node(last.node).ending_stamp();
        let clearly_between = |seen: &&Seen| {
            let margin = if seen.exact { 0 } else { INEXACT };
            let apart = |from, to| graph.clocks().least_between(from, to).is_some_and(|apart| apart >= margin);
            let on_its_clock = |time: Option<Timestamp>| time.map(|time| Stamp { time, clock: seen.clock });
            let behind = on_its_clock(seen.from).zip(end).is_some_and(|(from, end)| apart(end, from));
            behind && next.is_none_or(|next| on_its_clock(seen.to).is_some_and(|to| apart(to, next)))
        };
        let Some(seen) = track.seen.iter().rev().find(clearly_between) else { return };
        let Some(status) = self.machine.state(&seen.status) else { return };
        // Work that a request only begins goes on behind it, perhaps in a log that is not there.
        let is_begun = |step| matches!(self.grammar.step_at(step).kind, StepKind::Cast { .. });
        let goes_on = |known| self.machine.works_between(known, status, is_begun);
        if self.status.is_some_and(|known| known != status && !goes_on(known)) {
            last.contradicted = Some(seen.clone());
            self.forget_records();
        }
        self.status = Some(status);
    }

    /// `known` is the status before it, where something else than the last change tells it.
    fn step(&mut self, work: &Work<'_>, known: Option<usize>) -> Change {
        self.status = self.status.or(known);
        let Some(step) = self.choose_step(work).filter(|step| !self.is_either(work, *step)) else {
            // It may have changed anything.
            let from = self.status.take();
            let step = work.node.steps.first().copied().unwrap_or(StepId(0));
            return Change {
                node: work.id,
                step,
                from,
                to: None,
                effect: Effect::Open,
                broken: None,
                contradicted: None,
                direct: work.direct,
            };
        };
        let success = self.success(work.node, step);
        let from = self.status;
        let unchanged = |effect: Effect| Change {
            node: work.id,
            step,
            from,
            to: from,
            effect,
            broken: None,
            contradicted: None,
            direct: work.direct,
        };
        let Some(success) = success else {
            return unchanged(Effect::Open);
        };
        let record = self.record_of(work);
        let found = self.transition(work, step, !success, record, false).or_else(|| {
            // Cinder answers well only from some statuses: then it is the history that has a gap.
            let resync = success && !self.machine.unchanged.contains(&step);
            if !resync {
                return None;
            }
            self.transition(work, step, false, record, true).or_else(|| {
                let known = self.status.take();
                let found = self.transition(work, step, false, record, true);
                self.forget_records();
                if found.is_none() {
                    self.status = known;
                }
                found
            })
        });
        let of_record = self.follow_record(work, step, success, record);
        match found {
            Some((index, from, to)) => {
                if to.is_none_or(|to| from != Some(to)) {
                    self.previous = from;
                }
                let transition = &self.machine.transitions[index];
                self.made.push(transition.origin);
                self.status = match transition.to {
                    Target::Previous => to,
                    Target::State(_) | Target::Given => to.or(self.status),
                };
                // Where requests about some attachment could not be told apart, records may be gone that seem to be there.
                let sure = !self.unbound || !transition.guards.contains(&Guard::SameServer);
                let of_volume = (!transition.legal && sure).then(|| Broken {
                    from: state_name(self.machine, from),
                    to: state_name(self.machine, to),
                    lawful: lawful(self.machine, step, from),
                    rule: transition.origin,
                });
                Change {
                    node: work.id,
                    step,
                    from,
                    to: self.status,
                    effect: Effect::Changed,
                    broken: of_volume.or(of_record),
                    contradicted: None,
                    direct: work.direct,
                }
            }
            None => Change { broken: of_record, ..unchanged(if success { Effect::None } else { Effect::Failed }) },
        }
    }

    /// The step that a node is. Where the log does not tell, the only one that fits its answer and the status.
    fn choose_step(&self, work: &Work<'_>) -> Option<StepId> {
        if let Some(step) = work.node.step() {
            return Some(step);
        }
        let record = self.record_of(work);
        let fits = |step: &&StepId| {
            let legal = |(index, ..): (usize, Option<usize>, Option<usize>)| self.machine.transitions[index].legal;
            let changes = self.transition(work, **step, false, record, false).is_some_and(legal);
            self.success(work.node, **step) != Some(false) && (changes || self.machine.unchanged.contains(step))
        };
        let mut fitting = work.node.steps.iter().filter(fits);
        fitting.next().filter(|_| fitting.next().is_none()).copied()
    }

    fn success(&self, node: &Node, step: StepId) -> Option<bool> {
        self.grammar.went_well(step, node.status, node.success)
    }

    /// The first transition that fits: its number, the status before and the one after. With `trusting`, what is not known of
    /// the volume is taken to be as the transition needs it.
    fn transition(
        &self,
        work: &Work<'_>,
        step: StepId,
        failing: bool,
        record: Option<usize>,
        trusting: bool,
    ) -> Option<(usize, Option<usize>, Option<usize>)> {
        let at_rest = |transition: &Transition| transition.from.iter().any(|state| self.machine.rest.contains(state));
        let mut transitions: Vec<(usize, &Transition)> = self.machine.transitions.iter().enumerate().collect();
        if self.status.is_none() {
            // Most requests are made of a volume at rest.
            transitions.sort_by_key(|(_, transition)| !at_rest(transition) && !transition.from.is_empty());
        }
        for (index, transition) in transitions {
            if transition.failing != failing || !transition.by.contains(&step) {
                continue;
            }
            let from_fits = match self.status {
                Some(status) => transition.from.is_empty() || transition.from.contains(&status),
                // Without a status, a transition that breaks the protocol is never assumed, and none out of the middle of
                // something by a step that may as well change nothing.
                None => transition.legal && (!self.machine.unchanged.contains(&step) || at_rest(transition)),
            };
            let of_volume = transition.guards.contains(&Guard::Target) == work.is_target;
            let holds = |guard| self.holds(guard, work, record, trusting);
            if !from_fits || !of_volume || !transition.guards.iter().all(holds) {
                continue;
            }
            let from = self.status.or_else(|| self.likely_source(transition));
            let to = match transition.to {
                Target::State(state) => Some(state),
                Target::Previous => self.previous,
                Target::Given => work.node.asked.status.as_ref().and_then(|given| self.machine.state(given)),
            };
            return Some((index, from, to));
        }
        None
    }

    /// Where a transition most likely started from: a status in which nothing was under way, else the first in its list.
    fn likely_source(&self, transition: &Transition) -> Option<usize> {
        let at_rest = transition.from.iter().find(|state| self.machine.rest.contains(state));
        at_rest.or(transition.from.first()).copied()
    }

    fn holds(&self, guard: &Guard, work: &Work<'_>, record: Option<usize>, trusting: bool) -> bool {
        let others =
            || self.attachments.iter().enumerate().filter(|(index, _)| Some(*index) != record).map(|(_, other)| other);
        match guard {
            Guard::Multiattach => self.multiattach.unwrap_or(trusting),
            Guard::Others(state) => {
                let named =
                    |other: &Record| self.records.is_some_and(|machine| machine.states[other.state].0 == *state);
                others().any(named)
            }
            Guard::Some(state) => {
                let named = |record: &Record| {
                    record.told && self.records.is_some_and(|machine| machine.states[record.state].0 == *state)
                };
                self.attachments.iter().any(named)
            }
            Guard::NoOthers => others().next().is_none(),
            Guard::SameServer => {
                work.server.is_some() && self.attachments.iter().any(|other| other.server == work.server)
            }
            Guard::Connector => work.node.asked.connector,
            Guard::Direct => work.direct,
            Guard::Migration(name) => {
                let state =
                    |(machine, state): (&Machine, Option<usize>)| state.map(|state| machine.states[state].0 == *name);
                self.migration.and_then(state).unwrap_or(false)
            }
            Guard::Target => work.is_target,
            Guard::Asked(key, value) => {
                let value = value.as_deref().unwrap_or("true");
                work.node.asked.options.iter().any(|(known, given)| known == key && given == value)
            }
        }
    }
}

/// The volume of work of which no line tells it: that of the request whose flow has this work as a step.
fn begun_for(grammar: &Grammar, alphabets: &[Vec<StepId>], graph: &CallGraph, id: NodeId) -> Option<Uuid> {
    let node = graph.node(id);
    let step = node.step().filter(|_| matches!(node.kind, NodeKind::Call | NodeKind::Cast))?;
    let begins = |cause: &Node| {
        let mut flows = grammar.flows.iter().zip(alphabets);
        flows.any(|(flow, steps)| {
            steps.binary_search(&step).is_ok() && cause.step().is_some_and(|cause| flow.starts.contains(&cause))
        })
    };
    graph.causes(id).map(|cause| graph.node(cause)).find(|cause| begins(cause))?.volume
}

/// The status of the volume that a message shows.
fn shown(grammar: &Grammar, node: &Node, message: &MessageSeen) -> Option<Seen> {
    let status = match grammar.meaning(message.message).shows.as_ref()? {
        StatusShown::Fixed(status) => status.clone(),
        StatusShown::Placeholder(index) => message.captures.get(*index)?.clone(),
    };
    Some(Seen { from: message.time, to: message.time, status, place: message.place, clock: node.clock, exact: true })
}

/// The states, other than this one, from which a step makes a legal transition.
fn lawful(machine: &Machine, step: StepId, from: Option<usize>) -> Vec<String> {
    let legal = machine.transitions.iter().filter(|transition| transition.legal && transition.by.contains(&step));
    let mut states: Vec<usize> = legal.flat_map(|transition| transition.from.iter().copied()).collect();
    states.sort_unstable();
    states.dedup();
    states.into_iter().filter(|state| Some(*state) != from).map(|state| machine.states[state].0.clone()).collect()
}

fn state_name(machine: &Machine, state: Option<usize>) -> String {
    state.map_or_else(|| "unknown".to_owned(), |state| machine.states[state].0.clone())
}
