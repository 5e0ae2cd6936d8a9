//! What a flow owes beyond the order of its steps: an end in time, legal statuses, nothing left behind.

use uuid::Uuid;

use crate::check::alignment::{Move, Phase};
use crate::check::conformance::sought;
use crate::check::findings::{Defect, clock, duration};
use crate::check::judge::Trial;
use crate::check::verdict::Evidence;
use crate::model::source::Place;
use crate::spec::automaton::UseId;
use crate::spec::grammar::{StepKind, Wrong};
use crate::trace::clocks::Stamp;
use crate::trace::history::Effect;
use crate::trace::node::{JoinedBy, Node, NodeKind};

impl Trial<'_> {
    pub(super) fn stuck(&self) -> Option<Defect> {
        let step = self.pending()?;
        let rule = self.step_use(step);
        let grammar = self.judge.grammar;
        let mut defect = Defect::new(Wrong::Stuck, vec![rule.step]);
        let deadline = self.deadline(step).map(duration).unwrap_or_default();
        let others = self.fit.ties.iter().filter_map(|(variant, alignment)| {
            let step = self.pending_of(alignment)?;
            Some(self.judge.automata.variants[self.fit.flow][*variant].uses[step as usize].step)
        });
        defect.steps.extend(others);
        let mut names: Vec<&str> = Vec::new();
        for name in defect.steps.iter().map(|step| grammar.step_at(*step).name.as_str()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        defect.expected = match names.as_slice() {
            [name] => format!("{name} within {deadline}: {}", grammar.step_at(rule.step).title),
            _ => format!("{} within {deadline}", names.join(" or ")),
        };
        let method = match &grammar.step_at(rule.step).kind {
            StepKind::Cast { method } | StepKind::Call { method } => Some(method.as_str()),
            _ => None,
        };
        let sent = self
            .case
            .nodes
            .iter()
            .map(|id| self.judge.graph.node(*id))
            .find(|node| node.received.is_none() && node.rpc.is_some() && node.rpc.as_deref() == method);
        if let Some(place) = sent.and_then(|node| node.sent) {
            defect.evidence.push(Evidence { place, role: "sent here, never received".to_owned() });
        } else {
            let last = self.fit.alignment.moves.iter().rev().find_map(|step| match step {
                Move::Both(_, seen) | Move::Log(seen) => self.place(*seen),
                _ => None,
            });
            defect
                .evidence
                .extend(last.map(|place| Evidence { place, role: "the last thing seen of this flow".to_owned() }));
        }
        defect.rule = Some(rule.origin);
        defect.values = self.values(Some(rule.step));
        defect.values.push(("delay", deadline));
        defect.state = self.last_status();
        Some(defect)
    }

    pub(super) fn last_status(&self) -> Option<String> {
        let machine = self.machine?;
        let last = self.changes().last().and_then(|change| change.to)?;
        Some(machine.states[last].0.clone())
    }

    pub(super) fn illegal_transitions(&self) -> Vec<Defect> {
        let broken = self.changes().into_iter().filter_map(|change| Some((change, change.broken.as_ref()?)));
        let defects = broken.map(|(change, broken)| {
            let mut defect = Defect::new(Wrong::IllegalTransition, vec![change.step]);
            let (from, to) = (&broken.from, &broken.to);
            let name = &self.judge.grammar.step_at(change.step).name;
            defect.expected = match broken.lawful.as_slice() {
                [] => format!("no {name} where the state is {from}"),
                lawful => format!("{name} where the state is {}, not {from}", lawful.join(" or ")),
            };
            defect.shape = format!("{from}>{to}");
            defect.state = Some(to.clone());
            let node = self.judge.graph.node(change.node);
            let place = node.last_place();
            defect.evidence.extend(place.map(|place| Evidence { place, role: format!("{from} becomes {to} here") }));
            defect.rule = Some(broken.rule);
            defect.values = self.values(Some(change.step));
            defect.values.extend([("from", from.clone()), ("to", to.clone())]);
            defect
        });
        defects.collect()
    }

    /// A status of transit that nothing in the flow can lead out of any more, of its volume or of the one that takes its place.
    pub(super) fn left_behind(&self) -> Option<Defect> {
        if self.has_nameless_changes() {
            return None;
        }
        let target = self.case.root.and_then(|root| self.judge.graph.node(root).target);
        self.case.volume.into_iter().chain(target).find_map(|volume| self.left_behind_on(volume))
    }

    fn left_behind_on(&self, volume: Uuid) -> Option<Defect> {
        let machine = self.machine?;
        let track = self.judge.histories.tracks.get(&volume)?;
        let last = self.changes_of(volume).into_iter().rfind(|change| matches!(change.effect, Effect::Changed))?;
        let state = last.to?;
        let later = track.changes.iter().skip_while(|change| change.node != last.node).skip(1);
        let unseen = |step: &Move| match step {
            Move::Model(step, Phase::Begin, false) => machine.concerns(self.step_use(*step).step),
            _ => false,
        };
        let others_follow = later
            .clone()
            .any(|change| matches!(change.effect, Effect::Changed) && !self.case.nodes.contains(&change.node));
        // What no line tells apart may have changed anything.
        let is_known = !later.clone().any(|change| change.effect == Effect::Open && change.to.is_none());
        if machine.rest.contains(&state)
            || !is_known
            || self.flow.leaves.contains(&state)
            || self.fit.alignment.moves.iter().any(unseen)
            || !self.failure_is_seen() && !self.end_is_shown()
            || !self.unseen_ways_out(machine, state, last).is_empty()
            || others_follow && self.flow.direct
        {
            return None;
        }
        let name = machine.states[state].0.clone();
        let mut defect = Defect::new(Wrong::LeftBehind, vec![last.step]);
        defect.state = Some(name.clone());
        defect.shape = name.clone();
        defect.expected = format!("a volume that is not left {name} by a flow that is over");
        let ways_out = self.ways_out(machine, state);
        let names: Vec<&str> = ways_out.iter().map(|step| self.judge.grammar.step_at(*step).name.as_str()).collect();
        if !names.is_empty() {
            defect.expected.push_str(&format!(": {} lets it go", names.join(" or ")));
        }
        let node = self.judge.graph.node(last.node);
        let place = node.last_place();
        defect.evidence.extend(place.map(|place| Evidence { place, role: format!("{name} from here on") }));
        let failed = self.failing_nodes();
        let would_change = |node: &&&Node| node.steps.iter().any(|step| machine.concerns(*step));
        let last_failed = failed.iter().skip(1).rfind(would_change).or(failed.last().filter(|_| failed.len() > 1));
        for (index, node) in failed.first().into_iter().chain(last_failed).enumerate() {
            let role = if index == 0 { "is the first failure" } else { "is the last failure" };
            defect.evidence.extend(self.failure_line(node, role));
        }
        defect.rule = Some(machine.origin);
        defect.values = self.values(Some(last.step));
        defect.values.retain(|(name, _)| !["status", "volume"].contains(name));
        defect.values.extend([("status", name), ("volume", volume.to_string())]);
        Some(defect)
    }

    /// What would have reached the goal, or taken back what was done, failed, and the flow went on as if it had not: the volume
    /// is still held.
    pub(super) fn not_released(&self) -> Option<Defect> {
        let missed = self.missed_goal().map(|missed| (missed, Wrong::LeftBehind));
        let ((step, seen), wrong) = missed.or_else(|| Some((self.failed_rollback()?, Wrong::NotRolledBack)))?;
        let rule = self.step_use(step);
        if !self.unseen_after(seen, |step| step == rule.step).is_empty() {
            return None;
        }
        let mut defect = Defect::new(wrong, vec![rule.step]);
        defect.state = self.last_status();
        defect.shape = "not released".to_owned();
        let grammar = self.judge.grammar;
        defect.expected =
            format!("{} to go well: {}", grammar.step_at(rule.step).name, grammar.step_at(rule.step).title);
        let node = self.node(seen);
        let place = node.last_place();
        defect
            .evidence
            .extend(place.map(|place| Evidence { place, role: "failed here, and nothing tries again".to_owned() }));
        defect.rule = Some(rule.origin);
        defect.values = self.values(Some(rule.step));
        Some(defect)
    }

    /// The line that shows a failure, and what it is: the step's name and `role`.
    pub(super) fn failure_line(&self, node: &Node, role: &str) -> Option<Evidence> {
        let step = node.steps.first().map_or("work", |step| self.judge.grammar.step_at(*step).name.as_str());
        Some(Evidence { place: node.failure_place()?, role: format!("{step} {role}") })
    }

    pub(super) fn failing_nodes(&self) -> Vec<&Node> {
        self.failed_ends().map(|(_, seen)| self.node(seen)).collect()
    }

    /// Whether the logs show that what encloses the failure has ended: the work of a cast, or the request itself.
    pub(super) fn failure_is_seen(&self) -> bool {
        let outermost = |node: &&Node| !matches!(node.kind, NodeKind::Operation | NodeKind::Client);
        self.flow.direct
            || self.failing_nodes().iter().filter(|node| outermost(node)).any(|node| {
                node.kind == NodeKind::Cast || node.steps.iter().any(|step| self.flow.starts.contains(step))
            })
    }

    /// Whether the work of a cast is seen to end, and the logs of all that could follow go on beyond that.
    pub(super) fn end_is_shown(&self) -> bool {
        let follows = |step: UseId| self.machine.is_some_and(|machine| machine.concerns(self.step_use(step).step));
        let last_seen = self.last_seen();
        let (from, until) = (self.last_seen_by_clock(), last_seen.as_slice());
        let covered = |step| self.judge.observability.covers(sought(self.automaton, step), &self.touched, &from, until);
        self.ends().any(|(_, seen)| self.node(seen).kind == NodeKind::Cast)
            && (0..self.automaton.uses.len() as UseId).filter(|step| follows(*step)).all(covered)
    }

    /// What is legal and worth knowing: late casts, calls without an answer, requests without effect.
    pub(super) fn remarks(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        for step in &self.fit.alignment.moves {
            let Move::Both(step, seen) = step else { continue };
            if self.observation(*seen).phase != Phase::Begin {
                continue;
            }
            let node = self.node(*seen);
            let rule = self.step_use(*step);
            let clocks = self.judge.graph.clocks();
            if let (Some(within), Some(start)) = (rule.within, node.start)
                && let (Some((sent, line)), Some(start_stamp)) = (self.sent_by(*seen), node.beginning_stamp())
                && clocks.least_between(sent, start_stamp).is_some_and(|apart| apart > within)
            {
                let mut defect = Defect::new(Wrong::Late, vec![rule.step]);
                let delay = duration(start.since(sent.time));
                defect.expected = format!("work within {} after the cast; it took {delay}", duration(within));
                let role = if node.sent.is_some() { "sent here" } else { "sent before this" };
                defect.evidence.extend(line.map(|place| Evidence { place, role: role.to_owned() }));
                defect.evidence.extend(node.received.map(|place| Evidence {
                    place,
                    role: format!("begun here, at {}", clock(Some(clocks.logged(start_stamp)))),
                }));
                defect.values = self.values(Some(rule.step));
                defect.values.push(("delay", delay));
                defects.push(defect);
            }
            if node.timed_out {
                let mut defect = Defect::new(Wrong::TimedOut, vec![rule.step]);
                defect.expected = "an answer before the sender gives up".to_owned();
                defect.evidence.extend(
                    node.sent
                        .or(node.received)
                        .map(|place| Evidence { place, role: "no answer came in time".to_owned() }),
                );
                defect.values = self.values(Some(rule.step));
                defects.push(defect);
            }
        }
        for change in self.changes() {
            if let (Some(seen), Some(machine), Some(to)) = (&change.contradicted, self.machine, change.to) {
                let mut defect = Defect::new(Wrong::StatusContradiction, vec![change.step]);
                let (known, status) = (machine.states[to].0.clone(), seen.status.clone());
                defect.expected = format!("{known}, as {} leaves it", self.judge.grammar.step_at(change.step).name);
                defect.shape = format!("{known}/{status}");
                let made = self.judge.graph.node(change.node).ended;
                defect.evidence.extend(made.map(|place| Evidence { place, role: format!("makes the volume {known}") }));
                defect.evidence.push(Evidence { place: seen.place, role: format!("shows it {status}") });
                defect.rule = Some(machine.origin);
                defect.values = self.values(Some(change.step));
                defect.values.retain(|(name, _)| *name != "status");
                defect.values.extend([("status", status), ("to", known)]);
                defects.push(defect);
            }
            let without_effect = change.effect == Effect::None
                && self.machine.is_some_and(|machine| {
                    !machine.transitions.iter().all(|transition| !transition.by.contains(&change.step))
                });
            if without_effect && self.flow.direct {
                let mut defect = Defect::new(Wrong::NoEffect, vec![change.step]);
                let node = self.judge.graph.node(change.node);
                defect.expected = "a status that this request changes".to_owned();
                defect.evidence.extend(
                    node.ended.map(|place| Evidence { place, role: "answered well, and nothing changed".to_owned() }),
                );
                defect.values = self.values(Some(change.step));
                defects.push(defect);
            }
        }
        defects
    }

    /// By when a message was sent, and the line that shows it: its own, else the end of the request that sent it.
    fn sent_by(&self, seen: usize) -> Option<(Stamp, Option<Place>)> {
        let node = self.node(seen);
        if let Some(sent) = node.sent_stamp() {
            return Some((sent, node.sent));
        }
        let (parent, edge) = self.judge.graph.parent(self.node_id(seen))?;
        let request = self.judge.graph.node(parent);
        let by_id = edge.joined_by != JoinedBy::Resource && request.kind == NodeKind::Http;
        let answered = request.ending_stamp().filter(|_| by_id && request.status.is_some_and(|status| status < 300))?;
        // Where more was done for it in between, somebody else was still at work: nova-conductor.
        let clocks = self.judge.graph.clocks();
        let own = node.beginning_stamp()?;
        let between = |other: Stamp| {
            let apart = |from, to| clocks.least_between(from, to).is_some_and(|apart| apart > 0);
            apart(answered, other) && apart(other, own)
        };
        let mut others = self.case.nodes.iter().filter_map(|id| self.judge.graph.node(*id).beginning_stamp());
        (!others.any(between)).then_some((answered, request.ended))
    }
}
