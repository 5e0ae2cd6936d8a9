//! Where a flow that failed or is stuck broke, and the first cause among its errors.
//!
//! A failure is passed on: what encloses the step that failed fails too. So the flow broke in the innermost of the first step
//! that failed and was neither repeated with success, nor tolerated, nor part of taking things back.

use rustc_hash::FxHashSet;

use crate::check::alignment::{Move, Phase};
use crate::check::judge::Trial;
use crate::check::suspects::Suspects;
use crate::check::verdict::{Blame, Broke, Cause, Outcome};
use crate::model::vocabulary::LayerId;
use crate::spec::automaton::UseId;
use crate::spec::grammar::{MessageRole, StepId, StepKind};
use crate::trace::node::{Node, NodeId, NodeKind};

/// How much a failure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// What encloses it fails with it.
    Full,
    /// The flow may go on as if it had not been.
    Tolerated,
    /// It is one of taking things back.
    Owed,
}

/// A step that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) node: NodeId,
    pub(super) step: StepId,
    /// Its place in the flow, when it has one.
    pub(super) used: Option<UseId>,
    order: usize,
    weight: Weight,
}

impl Trial<'_> {
    /// Where the flow broke, when it failed or is stuck.
    pub(super) fn blame(&self, outcome: Outcome) -> Option<Blame> {
        match outcome {
            Outcome::Failed => Some(self.blame_of_failure()),
            Outcome::Stuck => Some(self.blame_of_silence()),
            Outcome::Completed | Outcome::Refused | Outcome::Unknown => None,
        }
    }

    fn blame_of_failure(&self) -> Blame {
        let failures = self.failures();
        let is_top = |failure: &&Failure| !failures.iter().any(|other| self.encloses(other, failure));
        let top = failures.iter().filter(is_top).min_by_key(|failure| (failure.weight, failure.order));
        // What failed in taking things back did so after what made it necessary.
        let Some(top) = top.filter(|top| top.weight < Weight::Owed) else { return self.blame_of_unseen_failure() };
        let mut way = vec![*top];
        while let Some(inner) = way.last().and_then(|outer| self.first_inside(&failures, outer)) {
            way.push(inner);
        }
        let innermost = way[way.len() - 1];
        let node = self.judge.graph.node(innermost.node);
        let (suspects, step) = if node.timed_out {
            let is_untaken = innermost.used.is_some_and(|used| self.was_not_taken(used, node));
            self.suspects_of_call(innermost.step, innermost.used, Some(innermost.node), is_untaken)
        } else {
            (self.suspects_of(&innermost), innermost.step)
        };
        let how = if node.timed_out { Broke::TimedOut } else { Broke::Failed };
        let cause = way.iter().rev().find_map(|failure| self.cause(failure.node)).or_else(|| self.answer(node));
        self.blamed(suspects, Some(step), how, cause)
    }

    pub(super) fn blamed(&self, suspects: Suspects, step: Option<StepId>, how: Broke, cause: Option<Cause>) -> Blame {
        let Suspects { layers, needs } = suspects;
        let needs = if layers.len() > 1 { needs } else { Vec::new() };
        Blame { layers, step, how, cause, needs }
    }

    pub(super) fn layer(&self, step: StepId) -> LayerId {
        self.judge.grammar.step_at(step).layer
    }

    /// Everything that failed, in the order of its end.
    fn failures(&self) -> Vec<Failure> {
        let moves = &self.fit.alignment.moves;
        let well = self.ended_well();
        let mut failures: Vec<Failure> = Vec::new();
        for (order, step) in moves.iter().enumerate() {
            let (used, seen) = match step {
                Move::Both(used, seen) => (Some(*used), *seen),
                Move::Log(seen) => (None, *seen),
                Move::Model(..) | Move::Break => continue,
            };
            let (id, node) = (self.node_id(seen), self.node(seen));
            // A message may say that some work failed, and nothing shows its end.
            let is_over = self.observation(seen).phase == Phase::End || node.ended.is_none();
            let step = used.map(|used| self.step_use(used).step).or(self.observation(seen).steps.first().copied());
            let Some(step) = step else { continue };
            let failed = match used {
                Some(used) if node.ended.is_some() => is_over && self.went_well(used, seen) == Some(false),
                _ => is_over && self.has_failed(step, node),
            };
            let again = |other: &Move| {
                matches!((other, used), (Move::Both(again, seen), Some(used)) if *again == used
                    && self.observation(*seen).phase == Phase::End
                    && self.went_well(used, *seen) == Some(true))
            };
            let is_known = failures.iter().any(|known| known.node == id);
            if (failed || node.timed_out) && !is_known && !moves[order..].iter().any(again) {
                let weight = self.weight(used, &well);
                failures.push(Failure { node: id, step, used, order, weight });
            }
        }
        self.add_failed_look_ups(&mut failures);
        failures
    }

    /// Look-ups and the like that failed, and were not repeated with success.
    fn add_failed_look_ups(&self, failures: &mut Vec<Failure>) {
        let look_ups = &self.fit.observed.anytime;
        for (number, id) in look_ups.iter().enumerate() {
            let node = self.judge.graph.node(*id);
            let Some(step) = node.steps.first().copied() else { continue };
            let again = look_ups[number + 1..].iter().map(|other| self.judge.graph.node(*other));
            let mut again = again.filter(|other| other.steps == node.steps);
            if self.has_failed(step, node) && !again.any(|other| !self.has_failed(step, other)) {
                let order = self.fit.alignment.moves.len() + look_ups.len() - number;
                failures.push(Failure { node: *id, step, used: None, order, weight: Weight::Tolerated });
            }
        }
    }

    pub(super) fn has_failed(&self, step: StepId, node: &Node) -> bool {
        self.judge.grammar.went_well(step, node.status, node.success) == Some(false)
    }

    /// The step uses whose last end was seen to be a good one.
    fn ended_well(&self) -> FxHashSet<UseId> {
        let mut well = FxHashSet::default();
        for step in &self.fit.alignment.moves {
            if let Move::Both(used, seen) = step
                && self.observation(*seen).phase == Phase::End
            {
                match self.went_well(*used, *seen) {
                    Some(true) => well.insert(*used),
                    _ => well.remove(used),
                };
            }
        }
        well
    }

    fn weight(&self, used: Option<UseId>, well: &FxHashSet<UseId>) -> Weight {
        let Some(used) = used else { return Weight::Full };
        let is_cast =
            |used: &UseId| matches!(self.judge.grammar.step_at(self.step_use(*used).step).kind, StepKind::Cast { .. });
        // What waited for it and went well took no harm.
        let mut waiting = std::iter::once(used).chain(self.enclosers(used)).take_while(|used| !is_cast(used));
        let took_no_harm = !is_cast(&used)
            && waiting.any(|around| {
                let outer = self.encloser(around);
                outer.is_some_and(|outer| well.contains(&outer))
            });
        if self.automaton.owed[used as usize] {
            Weight::Owed
        } else if self.automaton.tolerated[used as usize] || took_no_harm {
            Weight::Tolerated
        } else {
            Weight::Full
        }
    }

    /// Whether a failure happened inside another: caused by it, or inside it by the flow's rules.
    fn encloses(&self, outer: &Failure, inner: &Failure) -> bool {
        let mut causes = self.judge.graph.causes(inner.node);
        if outer.node == inner.node || causes.any(|cause| cause == outer.node) {
            return outer.node != inner.node;
        }
        let (Some(around), Some(within)) = (outer.used, inner.used) else { return false };
        // Of several attempts, each has its own.
        let step = self.judge.graph.node(outer.node).step();
        let mut causes = self.judge.graph.causes(inner.node);
        self.automaton.inside[around as usize].contains(&within)
            && !causes.any(|cause| step.is_some() && self.judge.graph.node(cause).step() == step)
    }

    /// The first failure inside another that made it fail.
    fn first_inside(&self, failures: &[Failure], outer: &Failure) -> Option<Failure> {
        let inside: Vec<&Failure> = failures.iter().filter(|inner| self.encloses(outer, inner)).collect();
        let is_direct = |inner: &&&Failure| !inside.iter().any(|other| self.encloses(other, inner));
        let counts = |inner: &&&Failure| inner.used.is_none() || inner.weight <= outer.weight;
        inside
            .iter()
            .filter(is_direct)
            .filter(counts)
            .min_by_key(|inner| (inner.weight, inner.order))
            .map(|inner| **inner)
    }

    /// Nothing is seen to have failed, but what follows shows that something has.
    fn blame_of_unseen_failure(&self) -> Blame {
        let begun = self.fit.alignment.moves.iter().filter_map(|step| match step {
            Move::Both(used, _) | Move::Model(used, Phase::Begin, _) => Some(*used),
            _ => None,
        });
        let owed = begun.clone().find(|used| self.automaton.owed[*used as usize]);
        let around = owed.and_then(|used| self.encloser(used));
        if let Some(around) = around {
            let step = self.step_use(around).step;
            let suspects = self.suspects_within(around, self.layer(step));
            return self.blamed(suspects, Some(step), Broke::Failed, self.first_error());
        }
        // Whoever sent the requests gave up; only the sender's own log tells who that is.
        let root = self.case.root.map(|root| self.judge.graph.node(root));
        let sender = root.and_then(|root| self.judge.grammar.vocabulary.layer_of(root.caller?));
        let layers = sender.into_iter().collect();
        let last = begun.clone().next_back().map(|used| self.step_use(used).step);
        self.blamed(Suspects { layers, needs: Vec::new() }, last, Broke::GivenUp, self.first_error())
    }

    /// The step use around another.
    pub(super) fn encloser(&self, used: UseId) -> Option<UseId> {
        let all = self.automaton.uses.len() as UseId;
        // Inner steps have lower numbers than what is around them.
        (used + 1..all).find(|outer| self.automaton.inside[*outer as usize].contains(&used))
    }

    /// The first error of all that the case's work logged, other than in taking things back.
    fn first_error(&self) -> Option<Cause> {
        let graph = self.judge.graph;
        let owed = self.fit.alignment.moves.iter().filter_map(|step| match step {
            Move::Both(used, seen) if self.automaton.owed[*used as usize] => Some(self.node_id(*seen)),
            _ => None,
        });
        let owed: FxHashSet<NodeId> = owed.collect();
        let is_owed = |id: NodeId| owed.contains(&id) || self.judge.graph.causes(id).any(|cause| owed.contains(&cause));
        let with_error = self.case.nodes.iter().filter(|id| graph.node(**id).error.is_some() && !is_owed(**id));
        let first = with_error.min_by_key(|id| (graph.node(**id).ending(), **id))?;
        self.cause(*first)
    }

    /// The error of a unit of work: what it logged, else the message that says that it failed.
    pub(super) fn cause(&self, id: NodeId) -> Option<Cause> {
        let node = self.judge.graph.node(id);
        if let Some(error) = &node.error {
            return Some(Cause { message: error.message.clone(), place: error.place });
        }
        let grammar = self.judge.grammar;
        let fails = |role| matches!(role, MessageRole::Fails | MessageRole::Refuses);
        let said = node.messages.iter().find(|seen| fails(grammar.meaning(seen.message).role))?;
        let literals = &grammar.vocabulary.messages[said.message.0 as usize].literals;
        let mut message = String::new();
        for (number, literal) in literals.iter().enumerate() {
            message.push_str(literal);
            message.push_str(said.captures.get(number).map_or("", String::as_str));
        }
        Some(Cause { message, place: said.place })
    }

    /// What a request was answered, where nothing tells more.
    fn answer(&self, node: &Node) -> Option<Cause> {
        let place = node.last_place()?;
        let status = node.status.filter(|_| node.kind == NodeKind::Http);
        let message = node.answered.error.clone().or_else(|| status.map(|status| format!("HTTP {status}")))?;
        Some(Cause { message, place })
    }
}
