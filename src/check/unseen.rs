//! What may have happened where no log reaches: a flow is over, and a volume was let go after the last line of the log that
//! would show it.

use rustc_hash::FxHashMap;

use crate::check::alignment::Alignment;
use crate::check::conformance::sought;
use crate::check::judge::{Judge, Trial};
use crate::spec::automaton::{Automaton, UseId};
use crate::spec::grammar::{Machine, StepId, Target, Transition};
use crate::trace::history::Change;
use crate::trace::node::{Node, NodeKind};

impl Trial<'_> {
    /// The steps of the flow that take a volume out of a state: those that are owed after a failure, or else any.
    pub(super) fn ways_out(&self, machine: &Machine, state: usize) -> Vec<StepId> {
        let owed = self.owed_ways_out(machine, state);
        if owed.is_empty() { self.ways_out_by(machine, state, false) } else { owed }
    }

    /// The steps that take a volume out of a state and are owed after a failure.
    pub(super) fn owed_ways_out(&self, machine: &Machine, state: usize) -> Vec<StepId> {
        self.ways_out_by(machine, state, true)
    }

    fn ways_out_by(&self, machine: &Machine, state: usize, owed: bool) -> Vec<StepId> {
        let uses = self.automaton.uses.iter().zip(&self.automaton.owed).filter(|(_, known)| **known == owed);
        let steps = uses.map(|(rule, _)| rule.step);
        let mut steps: Vec<StepId> = steps.filter(|step| leads_out(machine, state, *step)).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// The steps that may have taken the volume out of the state that a change led to, unseen.
    pub(super) fn unseen_ways_out(&self, machine: &Machine, state: usize, change: &Change) -> Vec<(&Automaton, UseId)> {
        let made = self.ends().map(|(_, seen)| seen).find(|seen| self.node_id(*seen) == change.node);
        made.map_or_else(Vec::new, |made| self.unseen_after(made, |step| leads_out(machine, state, step)))
    }

    /// Whether a request of the flow changed some volume, and no line tells which.
    pub(super) fn has_nameless_changes(&self) -> bool {
        let changes = |node: &Node| {
            let may_succeed = node.kind == NodeKind::Http && node.status.is_none_or(|status| status < 400);
            let machine = self.machine.filter(|_| may_succeed);
            machine.is_some_and(|machine| node.steps.iter().any(|step| machine.concerns(*step)))
        };
        let mut nodes = self.case.nodes.iter().filter(|id| self.judge.histories.change(**id).is_none());
        nodes.any(|id| changes(self.judge.graph.node(*id)))
    }

    /// Whether the flow is as good when a step had gone well some time after an observation, unseen.
    fn may_follow(&self, reading: (usize, &Alignment), step: StepId, after: usize) -> bool {
        let Judge { grammar, observability, automata, .. } = self.judge;
        automata.fits_with(grammar, observability, (&self.touched, &self.fit), reading, step, after)
    }

    /// Whether a request of a step was begun, and no line tells what was answered.
    fn is_under_way(&self, step: StepId) -> bool {
        let mut nodes = self.case.nodes.iter().map(|id| self.judge.graph.node(*id));
        nodes.any(|node| node.step() == Some(step) && node.received.is_some() && node.ending().is_none())
    }

    /// The uses of some steps that may have gone well after an observation, unseen: neither the log of the service that is asked
    /// goes on to the flow's end, nor one of a caller that names what it asks for, and the flow is as good with it.
    pub(super) fn unseen_after(&self, seen: usize, fits: impl Fn(StepId) -> bool) -> Vec<(&Automaton, UseId)> {
        let observability = self.judge.observability;
        let (from, until) = (self.node(seen).ending_stamp(), self.last_seen());
        let is_shown = |sought| {
            let (from, until) = (from.as_slice(), until.as_slice());
            observability.covers(sought, &self.touched, from, until)
                || observability.caller_covers(sought, &self.touched, from, until)
        };
        let mut unseen = Vec::new();
        for (variant, alignment) in self.fit.variants() {
            let automaton = &self.judge.automata.variants[self.fit.flow][variant];
            let mut known: FxHashMap<StepId, bool> = FxHashMap::default();
            for used in 0..automaton.uses.len() as UseId {
                let sought = sought(automaton, used);
                if !fits(sought.step) || is_shown(sought) {
                    continue;
                }
                let may_be =
                    || self.is_under_way(sought.step) || self.may_follow((variant, alignment), sought.step, seen);
                if *known.entry(sought.step).or_insert_with(may_be) {
                    unseen.push((automaton, used));
                }
            }
        }
        unseen
    }
}

/// Whether a step that goes well takes a volume out of a state to another one in which it is at rest.
fn leads_out(machine: &Machine, state: usize, step: StepId) -> bool {
    let legal = |made: &&Transition| made.legal && !made.failing && made.from.contains(&state);
    let mut made = machine.transitions_by(step).filter(legal);
    made.any(|made| matches!(made.to, Target::State(to) if to != state && machine.rest.contains(&to)))
}
