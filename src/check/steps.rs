//! The steps of a flow as its alignment tells them.

use crate::check::alignment::{Move, Phase};
use crate::check::judge::Trial;
use crate::check::verdict::{Outcome, StepState, StepVerdict};
use crate::spec::grammar::{StepId, StepKind, StepUse};
use crate::trace::node::{NodeId, NodeKind};

impl Trial<'_> {
    pub(super) fn steps(&self) -> Vec<StepVerdict> {
        let mut steps: Vec<StepVerdict> = Vec::new();
        let mut depth = 0_usize;
        for step in &self.fit.alignment.moves {
            match step {
                Move::Both(_, seen) | Move::Log(seen) if self.observation(*seen).phase == Phase::End => {
                    depth = depth.saturating_sub(usize::from(matches!(step, Move::Both(..))));
                }
                Move::Both(step, seen) => {
                    let rule = self.step_use(*step);
                    let seen = self.seen_step(rule.step, self.node_id(*seen), StepState::Observed, depth);
                    steps.push(StepVerdict { rule: Some(rule.origin), ..seen });
                    depth += 1;
                }
                Move::Log(seen) => {
                    let observation = self.observation(*seen);
                    let Some(first) = self.step_seen(*seen) else { continue };
                    steps.push(self.seen_step(
                        first,
                        self.node_id(*seen),
                        if observation.strict { StepState::Unexpected } else { StepState::Observed },
                        depth,
                    ));
                }
                Move::Model(step, Phase::Begin, visible) => {
                    let rule = self.step_use(*step);
                    let command = matches!(self.judge.grammar.step_at(rule.step).kind, StepKind::Command { .. });
                    if !command && self.fit.ties.is_empty() {
                        let state = if *visible { StepState::Missing } else { StepState::Unobservable };
                        steps.push(unseen_step(rule, state, depth));
                    }
                    depth += 1;
                }
                Move::Model(_, Phase::End, _) => depth = depth.saturating_sub(1),
                Move::Break => {}
            }
        }
        self.add_look_ups(&mut steps);
        if self.outcome() == Outcome::Stuck
            && let Some(step) = self.pending()
        {
            steps.push(unseen_step(self.step_use(step), StepState::Missing, depth));
        }
        steps
    }

    /// Puts the steps that may occur anywhere in their places in time; the same again and again is one.
    pub(super) fn add_look_ups(&self, steps: &mut Vec<StepVerdict>) {
        for id in &self.fit.observed.anytime {
            let Some(step) = self.judge.graph.node(*id).steps.first() else { continue };
            let look_up = self.seen_step(*step, *id, StepState::Observed, 0);
            let later = steps.iter().position(|other| is_before(&look_up, other));
            let place = later.unwrap_or(steps.len());
            match place.checked_sub(1).map(|before| &mut steps[before]) {
                Some(before) if before.step == look_up.step && before.status == look_up.status => {
                    before.repeats += 1;
                    before.evidence.extend(look_up.evidence);
                }
                before => {
                    let depth = before.map_or(0, |before| before.depth);
                    steps.insert(place, StepVerdict { depth, ..look_up });
                }
            }
        }
    }

    pub(super) fn seen_step(&self, step: StepId, id: NodeId, state: StepState, depth: usize) -> StepVerdict {
        let node = self.judge.graph.node(id);
        let logged = |stamp| self.judge.graph.clocks().logged(stamp);
        StepVerdict {
            step,
            state,
            start: node.beginning_stamp().map(logged),
            common_start: node.beginning(),
            end: node.ending_stamp().map(logged),
            status: node.status.filter(|_| node.kind == NodeKind::Http),
            failed: self.has_failed(step, node),
            request: node.request,
            evidence: node.places(),
            rule: None,
            depth,
            repeats: 0,
        }
    }
}

/// Whether a step was seen before another: by the lines of the same log, else by time.
fn is_before(step: &StepVerdict, other: &StepVerdict) -> bool {
    match (step.evidence.first(), other.evidence.first()) {
        (Some(line), Some(line_of_other)) if line.source == line_of_other.source => line < line_of_other,
        (_, Some(_)) => step.common_start < other.common_start,
        (_, None) => false,
    }
}

fn unseen_step(rule: &StepUse, state: StepState, depth: usize) -> StepVerdict {
    StepVerdict {
        step: rule.step,
        rule: Some(rule.origin),
        state,
        start: None,
        common_start: None,
        end: None,
        status: None,
        failed: false,
        request: None,
        evidence: Vec::new(),
        depth,
        repeats: 0,
    }
}
