//! The attachment records of a volume while its history is followed.

use uuid::Uuid;

use super::{Broken, Walk, Work, lawful, state_name};
use crate::base::time::Timestamp;
use crate::spec::grammar::{Grammar, Machine, StepId, Target, Transition};
use crate::trace::graph::CallGraph;
use crate::trace::node::NodeId;
use crate::trace::resources::Resources;

/// An attachment record while its volume's history is followed.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its id, where a log tells it.
    pub(super) attachment: Option<Uuid>,
    /// Its server.
    pub(super) server: Option<Uuid>,
    /// An index into the states of the records' machine.
    pub(super) state: usize,
    /// Whether these logs show how it came into this state.
    pub(super) told: bool,
}

impl Walk<'_> {
    /// The history has a gap: what became of the records in it is not known.
    pub(super) fn forget_records(&mut self) {
        self.attachments.iter_mut().for_each(|record| record.told = false);
    }

    /// The record that a node is about: by its id, else the server's, else the latest that nothing speaks against.
    pub(super) fn record_of(&self, work: &Work<'_>) -> Option<usize> {
        let attachment = work.node.attachment;
        let by_id = attachment.and_then(|id| self.attachments.iter().position(|record| record.attachment == Some(id)));
        let fits = |record: &Record| {
            let id_fits = attachment.is_none() || record.attachment.is_none();
            id_fits && (work.server.is_none() || record.server.is_none() || record.server == work.server)
        };
        by_id.or_else(|| self.attachments.iter().rposition(fits))
    }

    /// Whether a removal is about one of two records of which no line tells the ids.
    pub(super) fn is_either(&self, work: &Work<'_>, step: StepId) -> bool {
        let is_known = |record: &Record| record.attachment == work.node.attachment;
        let may_be = |record: &&Record| record.attachment.is_none() && record.server == work.server;
        let removes = self.records.is_some_and(|records| records.removes(step));
        removes
            && work.node.attachment.is_some()
            && self.success(work.node, step) != Some(false)
            && !self.attachments.iter().any(is_known)
            && self.attachments.iter().filter(may_be).count() > 1
    }

    /// Takes the record through its own machine; the rule that this breaks, if it does.
    pub(super) fn follow_record(
        &mut self,
        work: &Work<'_>,
        step: StepId,
        success: bool,
        record: Option<usize>,
    ) -> Option<Broken> {
        let machine = self.records.filter(|_| !work.is_target)?;
        let fits = |transition: &&Transition, state: usize| {
            transition.by.contains(&step)
                && transition.failing != success
                && (transition.from.is_empty() || transition.from.contains(&state))
                && transition.guards.iter().all(|guard| self.holds(guard, work, record, false))
        };
        if work.node.attachment.is_some_and(|id| self.gone.contains(&id)) {
            let over = *machine.finals.first()?;
            let again = machine.transitions.iter().find(|transition| fits(transition, over))?;
            self.made.push(again.origin);
            let name = || state_name(machine, Some(over));
            let lawful = lawful(machine, step, Some(over));
            return (!again.legal).then(|| Broken { from: name(), to: name(), lawful, rule: again.origin });
        }
        let creating = machine.initial.and_then(|none| {
            let from_none = |transition: &&Transition| transition.from.contains(&none) && fits(transition, none);
            machine.transitions.iter().find(from_none)
        });
        let state = record.map(|index| self.attachments[index].state);
        let moving = || state.and_then(|state| machine.transitions.iter().find(|transition| fits(transition, state)));
        let (transition, record) = match creating {
            Some(transition) => (transition, None),
            None => (moving()?, record),
        };
        let Target::State(to) = transition.to else { return None };
        self.made.push(transition.origin);
        let from = if record.is_some() { state } else { machine.initial };
        let is_over = machine.is_absent(to);
        match record {
            // Written from `any`, it is about every record of the volume.
            Some(_) if transition.from.is_empty() && is_over => self.attachments.clear(),
            Some(_) if transition.from.is_empty() => {
                self.attachments.iter_mut().for_each(|record| record.state = to);
            }
            None => {
                let (attachment, server) = (work.node.attachment, work.server);
                self.attachments.push(Record { attachment, server, state: to, told: true });
            }
            Some(index) if is_over => {
                let record = self.attachments.remove(index);
                self.gone.extend(record.attachment.or(work.node.attachment));
            }
            Some(index) => {
                let record = &mut self.attachments[index];
                (record.state, record.told) = (to, true);
                record.attachment = record.attachment.or(work.node.attachment);
            }
        }
        let name = |state| state_name(machine, state);
        (!transition.legal).then(|| Broken {
            from: name(from),
            to: name(Some(to)),
            lawful: lawful(machine, step, from),
            rule: transition.origin,
        })
    }
}

/// The attachments that the first answer about a volume lists, and when it came.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) time: Option<Timestamp>,
    /// Attachments and their servers.
    pub(super) attachments: Vec<(Option<Uuid>, Option<Uuid>)>,
}

/// An attachment that requests name, as the first of them shows it.
struct Named {
    attachment: Uuid,
    server: Option<Uuid>,
    step: StepId,
    /// The place of the first among all requests.
    place: usize,
    /// Whether one of the requests made it.
    made: bool,
    /// Whether the requests do nothing but remove it.
    only_removed: bool,
}

/// The status of a volume before the flow begins that its first request belongs to.
pub(super) fn status_before(grammar: &Grammar, graph: &CallGraph, first: NodeId) -> Option<usize> {
    let mut steps = std::iter::once(first).chain(graph.causes(first)).filter_map(|id| graph.node(id).step());
    let begun_by = |step: StepId| grammar.flows.iter().filter(move |flow| flow.starts.contains(&step));
    steps.find_map(|step| begun_by(step).find_map(|flow| flow.begins))
}

/// The state of a volume's attachment record when the volume has a status: one step leads to both.
pub(super) fn record_with(status: usize, machine: &Machine, records: &Machine) -> Option<usize> {
    let leads = |made: &&Transition| {
        made.legal && !made.failing && made.to == Target::State(status) && !made.from.contains(&status)
    };
    let to_status = machine.transitions.iter().filter(leads);
    let of_record = |step: &StepId| {
        let plain = records.transitions_by(*step).filter(|made| made.legal && !made.failing && made.guards.is_empty());
        plain.filter_map(|made| match made.to {
            Target::State(state) => Some(state).filter(|state| !records.is_absent(*state)),
            _ => None,
        })
    };
    to_status.flat_map(|made| &made.by).flat_map(of_record).next()
}

/// The attachment records that were there before the logs begin: the first request about each does not make it, or they are
/// listed before anything is done, or the flow that begins finds one, in the state `begun_with`.
pub(super) fn earlier(
    graph: &CallGraph,
    resources: &Resources,
    records: &Machine,
    nodes: &[NodeId],
    listed: Option<&Listed>,
    begun_with: Option<usize>,
) -> Vec<Record> {
    let mut unnamed: Vec<(usize, Option<Uuid>)> = Vec::new();
    let mut named: Vec<Named> = Vec::new();
    for (place, id) in nodes.iter().enumerate() {
        let (node, server) = (graph.node(*id), resources.server(*id));
        let Some(step) = node.step() else { continue };
        let (makes, only_removed) = (records.makes(step), records.removes(step));
        match node.attachment {
            Some(attachment) => match named.iter_mut().find(|known| known.attachment == attachment) {
                Some(known) => known.only_removed &= only_removed,
                None => named.push(Named { attachment, server, step, place, made: makes, only_removed }),
            },
            // Its answer was not logged: it made one of those that follow.
            None if makes => unnamed.push((place, server)),
            None => {}
        }
    }
    // What is only removed may have been there before: the others come first.
    named.sort_by_key(|known| (known.only_removed, known.place));
    for known in named.iter_mut().filter(|known| !known.made) {
        let fits = |(place, server): &(usize, Option<Uuid>)| {
            *place < known.place && (*server == known.server || server.is_none() || known.server.is_none())
        };
        if let Some(made) = unnamed.iter().position(fits) {
            unnamed.remove(made);
            known.made = true;
        }
    }
    named.retain(|known| !known.made);
    named.sort_by_key(|known| known.place);
    let mut found = Vec::new();
    for Named { attachment, server, step, .. } in named {
        // It was in the first state from which the step breaks no rule.
        let of_step = || records.transitions_by(step);
        let forbidden = |state: &usize| of_step().any(|rule| !rule.legal && rule.from.contains(state));
        let lawful = of_step().filter(|rule| rule.legal).flat_map(|rule| rule.from.iter().copied());
        let state = lawful.into_iter().find(|state| !forbidden(state));
        found.extend(state.map(|state| Record { attachment: Some(attachment), server, state, told: false }));
    }
    let begins = nodes.first().and_then(|first| graph.node(*first).beginning());
    let is_before = |listed: &&Listed| listed.time.zip(begins).is_some_and(|(listed, begins)| listed <= begins);
    if let Some((listed, state)) = listed.filter(is_before).zip(records.listed) {
        for (attachment, server) in &listed.attachments {
            if attachment.is_some() && !found.iter().any(|known: &Record| known.attachment == *attachment) {
                found.push(Record { attachment: *attachment, server: *server, state, told: false });
            }
        }
    }
    let server = nodes.first().and_then(|first| resources.server(*first));
    let is_known = found.iter().any(|known| known.server.is_none() || known.server == server);
    let begun = begun_with.filter(|_| server.is_some() && !is_known);
    found.extend(begun.map(|state| Record { attachment: None, server, state, told: false }));
    found
}
