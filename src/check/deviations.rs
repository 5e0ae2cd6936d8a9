//! Steps that are missing, not allowed, or at the wrong place.

use crate::check::alignment::{Move, Phase};
use crate::check::findings::Defect;
use crate::check::judge::Trial;
use crate::check::verdict::Evidence;
use crate::spec::automaton::{Finish, UseId};
use crate::spec::grammar::{StepId, Wrong};
use crate::trace::node::{Node, NodeKind};

/// Neighbouring deviations: one cause, one defect.
#[derive(Default)]
struct Group {
    /// The index of the first among the moves.
    first: usize,
    /// The steps that are missing.
    missing: Vec<UseId>,
    /// The observations that are not allowed.
    unexpected: Vec<usize>,
    /// Whether a failure came before, so that what is missing is owed.
    owed: bool,
}

impl Trial<'_> {
    /// Steps that are missing, not allowed, or at the wrong place. Neighbours are one defect.
    pub(super) fn deviations(&self) -> Vec<Defect> {
        let mut groups: Vec<Group> = Vec::new();
        let mut open = false;
        let mut failed = false;
        for (index, step) in self.fit.alignment.moves.iter().enumerate() {
            let deviates = match step {
                Move::Model(_, Phase::Begin, visible) => *visible,
                Move::Log(seen) => self.is_unexpected(*seen),
                _ => false,
            };
            if deviates && !open {
                groups.push(Group { first: index, owed: failed, ..Group::default() });
                open = true;
            }
            match (step, groups.last_mut()) {
                (Move::Model(step, ..), Some(group)) if deviates => group.missing.push(*step),
                (Move::Log(seen), Some(group)) if deviates => group.unexpected.push(*seen),
                (Move::Break, _) => failed = true,
                (Move::Both(_, seen), _) if self.observation(*seen).phase == Phase::Begin => open = false,
                (Move::Both(step, seen), _) => failed |= self.went_well(*step, *seen) == Some(false),
                _ => {}
            }
        }
        join_moved(groups.iter().map(|group| self.deviation(group)).collect())
    }

    pub(super) fn is_unexpected(&self, seen: usize) -> bool {
        let observation = self.observation(seen);
        observation.phase == Phase::Begin && observation.strict
    }

    fn deviation(&self, group: &Group) -> Defect {
        let grammar = self.judge.grammar;
        let name = |step: &StepId| grammar.step_at(*step).name.clone();
        let unexpected = group.unexpected.iter().filter_map(|seen| Some((self.step_seen(*seen)?, *seen)));
        let unexpected: Vec<(StepId, usize)> = unexpected.collect();
        let missing: Vec<StepId> = group.missing.iter().map(|step| self.step_use(*step).step).collect();
        let mut defect = match missing.first() {
            None => Defect::new(Wrong::Unexpected, unexpected.iter().map(|(step, _)| *step).collect()),
            Some(_) => Defect::new(if group.owed { Wrong::NotRolledBack } else { Wrong::Missing }, missing),
        };
        let is_astray = |step: &StepId| unexpected.iter().any(|(seen, at)| seen == step && self.is_astray(*at));
        if defect.steps.first().is_some_and(is_astray) {
            defect.wrong = Wrong::AboutAnother;
        }
        let names = defect.steps.iter().map(name).collect::<Vec<_>>().join(", ");
        if group.missing.is_empty() {
            defect.expected = match defect.wrong {
                Wrong::AboutAnother => format!("{names} about the volume and the attachment of this flow"),
                _ => format!("{names} has no place here in {}", self.flow.name),
            };
        } else {
            let title = defect.steps.first().map_or("", |step| grammar.step_at(*step).title.as_str());
            defect.expected = format!("{names} here: {title}");
            defect.evidence.extend(self.failure_before(group.owed));
            defect.evidence.extend(self.around(group.first));
        }
        for (step, seen) in &unexpected {
            let role = match self.is_astray(*seen) {
                true => format!("{} is about something else", name(step)),
                false => format!("{} is not allowed here", name(step)),
            };
            defect.evidence.extend(self.place(*seen).map(|place| Evidence { place, role }));
        }
        defect.evidence.dedup_by_key(|evidence| evidence.place);
        defect.rule = group.missing.first().map(|step| self.step_use(*step).origin);
        defect.shape = names;
        defect.values = self.values(defect.steps.first().copied());
        defect
    }

    /// The failure that something is owed for, or that the flow went on behind although it could not.
    fn failure_before(&self, owed: bool) -> Option<Evidence> {
        let failing = self.failing_nodes();
        let went_on = self.fit.alignment.finish == Finish::Failed || self.fit.alignment.doomed;
        let is_request = |node: &&&Node| node.kind == NodeKind::Http;
        let failed = if owed { failing.first() } else { failing.iter().rfind(is_request).filter(|_| went_on) }?;
        self.failure_line(failed, "fails")
    }

    /// The lines before and after a place among the moves, as evidence.
    pub(super) fn around(&self, index: usize) -> Vec<Evidence> {
        let seen = |step: &Move| match step {
            Move::Both(_, seen) | Move::Log(seen) => Some(*seen),
            _ => None,
        };
        let name = |seen: usize| {
            self.step_seen(seen).map_or(String::new(), |step| self.judge.grammar.step_at(step).name.clone())
        };
        let moves = &self.fit.alignment.moves;
        let mut evidence = Vec::new();
        if let Some(before) = moves[..index].iter().rev().find_map(seen)
            && let Some(place) = self.place(before)
        {
            evidence.push(Evidence { place, role: format!("{} is the last thing seen before", name(before)) });
        }
        if let Some(after) = moves[index..].iter().find_map(seen)
            && let Some(place) = self.place(after)
        {
            evidence.push(Evidence { place, role: format!("{} is seen without it", name(after)) });
        }
        evidence
    }
}

/// A step that is missing in one place and not allowed in another is one defect: it is out of order, or about something else.
fn join_moved(defects: Vec<Defect>) -> Vec<Defect> {
    let mut joined: Vec<Defect> = Vec::new();
    for defect in defects {
        let opposite = |known: &Defect| {
            let pair = matches!(
                (known.wrong, defect.wrong),
                (Wrong::Missing | Wrong::NotRolledBack, Wrong::Unexpected | Wrong::AboutAnother)
                    | (Wrong::Unexpected | Wrong::AboutAnother, Wrong::Missing | Wrong::NotRolledBack)
            );
            pair && known.steps.iter().any(|step| defect.steps.contains(step))
        };
        match joined.iter_mut().find(|known| opposite(known)) {
            Some(known) => {
                known.steps.retain(|step| defect.steps.contains(step));
                let is_missing = |wrong| matches!(wrong, Wrong::Missing | Wrong::NotRolledBack);
                let astray = [known.wrong, defect.wrong].contains(&Wrong::AboutAnother);
                if is_missing(defect.wrong) {
                    known.expected.clone_from(&defect.expected);
                }
                known.wrong = if astray { Wrong::AboutAnother } else { Wrong::OutOfOrder };
                known.evidence.extend(defect.evidence);
                known.rule = known.rule.or(defect.rule);
                known.shape.push_str(" moved");
            }
            None => joined.push(defect),
        }
    }
    joined
}
