//! What happened to the user's wish, and what would decide it.

use crate::check::alignment::{Alignment, Move, Phase};
use crate::check::conformance::sought;
use crate::check::judge::Trial;
use crate::check::outlook::silent_end;
use crate::check::verdict::{MissingEvidence, Outcome};
use crate::spec::automaton::{Automaton, Finish, UseId};
use crate::spec::grammar::Machine;
use crate::trace::clocks::Stamp;
use crate::trace::history::{Change, Effect};
use crate::trace::node::{JoinedBy, NodeKind};

impl Trial<'_> {
    pub(super) fn reached_goal(&self) -> bool {
        self.goals_reached().next().is_some()
    }

    /// The steps that were seen to reach the goal.
    fn goals_reached(&self) -> impl DoubleEndedIterator<Item = UseId> {
        let reaches = |(step, seen): &(UseId, usize)| {
            self.flow.goals.contains(&self.step_use(*step).step) && self.went_well(*step, *seen) == Some(true)
        };
        self.ends().filter(reaches).map(|(step, _)| step)
    }

    /// Whether a handler reached the goal after all: another host was tried.
    fn is_rescued(&self) -> bool {
        !self.flow.direct && self.goals_reached().next_back().is_some_and(|step| self.automaton.owed[step as usize])
    }

    /// What would have reached the goal, or led there, and failed, though the flow went on: the step and its end.
    pub(super) fn missed_goal(&self) -> Option<(UseId, usize)> {
        let leads_there = |(step, _): &(UseId, usize)| {
            let step = self.step_use(*step).step;
            self.flow.goals.contains(&step) || self.machine.is_some_and(|machine| machine.concerns(step))
        };
        let went_on = self.fit.alignment.finish == Finish::Completed && !self.flow.direct && !self.reached_goal();
        let last = self.failed_requests().rfind(leads_there).filter(|_| went_on)?;
        // What was tried again with success was not missed.
        (!self.goes_well_after(last)).then_some(last)
    }

    /// What had to be taken back after a failure and could not be, though the flow may not leave the volume as it is: the step
    /// and its end.
    pub(super) fn failed_rollback(&self) -> Option<(UseId, usize)> {
        let (machine, state) = self.machine.zip(self.last_change())?;
        let may_stay =
            self.flow.direct || self.flow.leaves.contains(&state) || self.owed_ways_out(machine, state).is_empty();
        let is_owed = |(step, _): &(UseId, usize)| {
            let used = *step as usize;
            self.automaton.owed[used] && !self.automaton.skippable[used] && machine.concerns(self.step_use(*step).step)
        };
        let is_final = |failed: &(UseId, usize)| is_owed(failed) && !self.goes_well_after(*failed);
        self.failed_requests().rfind(is_final).filter(|_| !may_stay)
    }

    /// The requests that were seen to fail, and their ends.
    fn failed_requests(&self) -> impl DoubleEndedIterator<Item = (UseId, usize)> {
        self.failed_ends().filter(|(_, seen)| self.node(*seen).kind == NodeKind::Http)
    }

    /// Whether a step that was seen to end goes well later on, at the same place of the flow.
    fn goes_well_after(&self, end: (UseId, usize)) -> bool {
        let goes_well = |(step, seen): (UseId, usize)| step == end.0 && self.went_well(step, seen) == Some(true);
        self.ends().rev().take_while(|later| *later != end).any(goes_well)
    }

    pub(super) fn outcome(&self) -> Outcome {
        let alignment = &self.fit.alignment;
        // A step that later ones speak for may go unseen.
        let unseen = |step: &Move| matches!(step, Move::Model(step, Phase::Begin, visible) if *visible || self.automaton.is_required(*step));
        let failed = alignment.finish == Finish::Failed || alignment.doomed;
        if failed && !self.is_rescued() && (alignment.doomed || !self.reached_goal()) {
            let changed = self.changes().iter().any(|change| matches!(change.effect, Effect::Changed));
            let refused = self.root_status().is_some_and(|status| (400..500).contains(&status));
            return if changed || !refused { Outcome::Failed } else { Outcome::Refused };
        }
        if self.flow.direct && alignment.finish == Finish::Completed && !alignment.moves.iter().any(unseen) {
            return self.direct_outcome();
        }
        if self.reached_goal() && self.may_be_over() {
            return Outcome::Completed;
        }
        if alignment.finish == Finish::Completed && !alignment.moves.iter().any(unseen) {
            return if self.missed_goal().is_some() { Outcome::Failed } else { Outcome::Completed };
        }
        if alignment.finish == Finish::Completed && self.goal_is_missing() {
            return Outcome::Stuck;
        }
        match self.pending() {
            Some(step) if self.is_overdue(step) && self.silent_end().is_none() => Outcome::Stuck,
            _ => Outcome::Unknown,
        }
    }

    /// How the flow may be over by rights without a trace: what no log could show failed, and the volume is left in a status that
    /// the flow may leave behind, or, of a flow that changes it, as it was.
    fn silent_end(&self) -> Option<Vec<UseId>> {
        let due = self.due(self.pending()?);
        let is_shown = |step: UseId| {
            let sought = sought(self.automaton, step);
            self.judge.observability.covers(sought, &self.touched, &self.last_seen_by_clock(), due.as_slice())
        };
        let changes = self.machine.is_some_and(|machine| self.flow.goals.iter().any(|goal| machine.concerns(*goal)));
        let left = self.last_change().map_or(changes, |state| self.flow.leaves.contains(&state));
        if !left || !self.case.certain {
            return None;
        }
        let uses = || 0..self.automaton.uses.len() as UseId;
        let visible: Vec<bool> = uses().map(is_shown).collect();
        let failing: Vec<bool> = uses().map(|step| self.would_fail_visibly(step, due)).collect();
        let silent = silent_end(self.automaton, self.fit.alignment.state, &visible, &failing)?;
        (!silent.iter().any(|step| self.was_never_sent(*step))).then_some(silent)
    }

    /// Whether a failure of a step by some moment would be told: its work has begun in a log that goes on, and at every level an
    /// exception is logged (oslo.messaging `rpc/server.py`).
    fn would_fail_visibly(&self, step: UseId, by: Option<Stamp>) -> bool {
        let mut begun = self.begins().filter(|(begun, _)| *begun == step).map(|(_, seen)| self.node(seen));
        begun.any(|node| node.kind == NodeKind::Cast && by.is_some_and(|by| self.judge.observability.goes_on(node, by)))
    }

    /// Whether a step is a message that its sender's log would show and does not.
    fn was_never_sent(&self, step: UseId) -> bool {
        let sought = self.step_use(step).step;
        let graph = self.judge.graph;
        let sender = self.encloser(step).map(|outer| self.judge.grammar.step_at(self.step_use(outer).step).service);
        self.is_message(sought)
            && sender.is_some_and(|sender| self.judge.observability.shows_messages(sender, &self.touched))
            && !self.case.nodes.iter().any(|id| graph.node(*id).steps.contains(&sought))
    }

    /// Whether all is over, and what the user wanted had to be seen and was not.
    fn goal_is_missing(&self) -> bool {
        let is_goal = |step: UseId| self.flow.goals.contains(&self.step_use(step).step);
        self.fit.alignment.moves.iter().any(|step| match step {
            Move::Model(step, Phase::Begin, true) => {
                is_goal(*step) || self.automaton.inside[*step as usize].clone().any(is_goal)
            }
            _ => false,
        })
    }

    /// What became of requests sent straight to cinder whose volume is at rest again: all of them turned down, the last chain
    /// given up, or done.
    pub(super) fn direct_outcome(&self) -> Outcome {
        let mut refused = true;
        let mut given_up = false;
        for step in &self.fit.alignment.moves {
            match step {
                Move::Break => given_up = true,
                Move::Both(step, seen) if self.observation(*seen).phase == Phase::End => {
                    let rule = self.step_use(*step);
                    let well = self.went_well(*step, *seen) != Some(false);
                    refused &= !well;
                    // What takes a chain back reaches no goal of it.
                    let owed = self.automaton.owed[*step as usize];
                    given_up = (given_up || owed && well) && (owed || !well || !self.flow.goals.contains(&rule.step));
                }
                _ => {}
            }
        }
        match (refused, given_up) {
            (true, _) => Outcome::Refused,
            (_, true) => Outcome::Failed,
            _ => Outcome::Completed,
        }
    }

    pub(super) fn root_status(&self) -> Option<u16> {
        self.judge.graph.node(self.case.root?).status
    }

    /// Whether nothing that the logs could show is still to come.
    pub(super) fn may_be_over(&self) -> bool {
        self.fit.alignment.finish == Finish::Completed || self.fit.alignment.pending.iter().all(|(_, visible)| !visible)
    }

    /// The first step that is still to come: one that the logs could show, if there is one.
    pub(super) fn pending(&self) -> Option<UseId> {
        self.pending_of(&self.fit.alignment)
    }

    /// As [`Self::pending`], in another reading.
    pub(super) fn pending_of(&self, reading: &Alignment) -> Option<UseId> {
        let pending = &reading.pending;
        pending.iter().find(|(_, visible)| *visible).or(pending.first()).map(|(step, _)| *step)
    }

    /// How long a step may take to come.
    pub(super) fn deadline(&self, step: UseId) -> Option<i64> {
        self.step_use(step).within.or(self.flow.deadline)
    }

    pub(super) fn due(&self, step: UseId) -> Option<Stamp> {
        Some(self.last_seen()?.plus(self.deadline(step)?))
    }

    /// Whether a step has not come although a log shows all the time from what was seen last to its deadline.
    pub(super) fn is_overdue(&self, step: UseId) -> bool {
        self.is_overdue_in(self.automaton, step)
    }

    /// As [`Self::is_overdue`], in another variant.
    pub(super) fn is_overdue_in(&self, automaton: &Automaton, step: UseId) -> bool {
        let deadline = automaton.uses[step as usize].within.or(self.flow.deadline);
        let due = self.last_seen().zip(deadline).map(|(last, deadline)| last.plus(deadline));
        let from = self.last_seen_by_clock();
        self.judge.observability.covers(sought(automaton, step), &self.touched, &from, due.as_slice())
    }

    /// What would decide: the logs of required steps that nothing given could show, in every variant that fits.
    pub(super) fn missing_evidence(&self, outcome: Outcome) -> Vec<MissingEvidence> {
        let mut missing: Vec<MissingEvidence> = Vec::new();
        let mut add = |automaton: &Automaton, step: UseId, until: Option<Stamp>| {
            let rule = &automaton.uses[step as usize];
            let named = self.judge.grammar.step_at(rule.step);
            let service = self.judge.grammar.vocabulary.service_name(named.service).to_owned();
            let needs = self.judge.observability.needs(sought(automaton, step), &self.touched, until);
            match missing.iter_mut().find(|known| known.needs == needs) {
                Some(known) if !known.steps.contains(&named.name) => known.steps.push(named.name.clone()),
                Some(_) => {}
                None => missing.push(MissingEvidence { service, needs, steps: vec![named.name.clone()] }),
            }
        };
        let late = self.pending().filter(|step| outcome == Outcome::Unknown && self.is_overdue(*step));
        let silent = late.and_then(|_| self.silent_end());
        for step in silent.iter().flatten() {
            add(self.automaton, *step, None);
        }
        let variants = &self.judge.automata.variants[self.fit.flow];
        for (variant, alignment) in self.fit.variants() {
            let automaton = &variants[variant];
            for step in &alignment.moves {
                if let Move::Model(step, Phase::Begin, false) = step
                    && automaton.is_required(*step)
                {
                    add(automaton, *step, self.last_seen());
                }
            }
            for (step, visible) in alignment.pending.iter().filter(|_| outcome == Outcome::Unknown && silent.is_none())
            {
                let deadline = automaton.uses[*step as usize].within.or(self.flow.deadline);
                if automaton.is_required(*step) {
                    add(automaton, *step, self.last_seen().zip(deadline).map(|(last, deadline)| last.plus(deadline)));
                }
                if *visible {
                    break;
                }
            }
        }
        // What failed may still be taken back where the logs do not reach.
        if let Some((machine, state, last)) = self.transit().filter(|_| outcome == Outcome::Failed) {
            for (automaton, step) in self.unseen_ways_out(machine, state, last) {
                add(automaton, step, self.last_seen());
            }
            if !self.failure_is_seen() && !self.end_is_shown() {
                let is_goal = |step: &UseId| self.flow.goals.contains(&self.step_use(*step).step);
                let required = (0..self.automaton.uses.len() as UseId).filter(|step| self.automaton.is_required(*step));
                required.filter(is_goal).take(1).for_each(|goal| add(self.automaton, goal, self.last_seen()));
            }
        }
        if let Some((step, seen)) = self.missed_goal().filter(|_| outcome == Outcome::Failed) {
            let goal = self.step_use(step).step;
            for (automaton, step) in self.unseen_after(seen, |step| step == goal) {
                add(automaton, step, self.last_seen());
            }
        }
        missing
    }

    /// What would show which steps the requests were of which the log tells the answer only.
    pub(super) fn missing_actions(&self) -> Option<MissingEvidence> {
        let mut steps: Vec<String> =
            self.untold().map(|(step, _)| self.judge.grammar.step_at(step).name.clone()).collect();
        steps.dedup();
        let service = self.untold().find_map(|(_, node)| node.service)?;
        let service = self.judge.grammar.vocabulary.service_name(service).to_owned();
        let needs = format!("the log of {service} at DEBUG, which tells the actions");
        Some(MissingEvidence { service, needs, steps })
    }

    /// What would show whose requests those are that belong to the case only by time, or by what they are about.
    pub(super) fn missing_ids(&self) -> Option<MissingEvidence> {
        let graph = self.judge.graph;
        let mut loose = self.case.nodes.iter().filter(|id| {
            let node = graph.node(**id);
            let by_resource = graph.parent(**id).is_none_or(|(_, edge)| edge.joined_by == JoinedBy::Resource);
            node.kind == NodeKind::Http && node.sent.is_none() && node.global.is_none() && by_resource
        });
        let first = loose.find(|id| Some(**id) != self.case.root || !self.case.certain)?;
        let names = std::iter::once(first).chain(loose).filter_map(|id| {
            let step = graph.node(*id).steps.first()?;
            Some(self.judge.grammar.step_at(*step).name.clone())
        });
        let mut steps: Vec<String> = names.collect();
        steps.dedup();
        let service = graph.node(*first).service?;
        let caller = graph.parent(*first).and_then(|(cause, _)| graph.node(cause).service);
        let needs = self.judge.observability.ids_needed(service, caller);
        let service = self.judge.grammar.vocabulary.service_name(service).to_owned();
        Some(MissingEvidence { service, needs, steps })
    }

    /// The last change that was seen and the status that it leads to, when something has to follow.
    fn transit(&self) -> Option<(&Machine, usize, &Change)> {
        let machine = self.machine?;
        let last = self.last_effective()?;
        let state = last.to?;
        let has_to_go_on = !machine.rest.contains(&state) && !self.flow.leaves.contains(&state);
        has_to_go_on.then_some((machine, state, last))
    }

    /// The status that the last change that was seen leads to.
    fn last_change(&self) -> Option<usize> {
        self.last_effective().and_then(|change| change.to)
    }

    fn last_effective(&self) -> Option<&Change> {
        // What no line tells apart may have changed anything.
        let is_unknown = |change: &Change| change.effect == Effect::Open && change.to.is_none();
        let last = self.changes().into_iter().rfind(|change| change.effect == Effect::Changed || is_unknown(change));
        last.filter(|change| !is_unknown(change))
    }
}
