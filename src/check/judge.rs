//! The judgement of one case: outcome, verdict, steps, findings, missing evidence.

use rustc_hash::FxHashSet;
use uuid::Uuid;

use crate::check::alignment::{Alignment, Move, Observation, Phase};
use crate::check::conformance::{Automata, Fit, nearest};
use crate::check::findings;
use crate::check::observability::{Observability, Touched};
use crate::check::verdict::{Finding, FlowVerdict, Outcome, Verdict};
use crate::model::event::RequestId;
use crate::model::source::Place;
use crate::spec::automaton::{Automaton, Finish, UseId};
use crate::spec::grammar::{Flow, Grammar, Machine, StepId, StepUse, Subject};
use crate::trace::cases::Case;
use crate::trace::clocks::Stamp;
use crate::trace::graph::CallGraph;
use crate::trace::history::{Change, Effect, Histories};
use crate::trace::node::{Edge, JoinedBy, Node, NodeId, NodeKind};

/// All that judging needs.
pub(crate) struct Judge<'a> {
    pub(crate) grammar: &'a Grammar,
    pub(crate) graph: &'a CallGraph,
    pub(crate) histories: &'a Histories,
    pub(crate) observability: &'a Observability<'a>,
    pub(crate) automata: &'a Automata,
}

/// A case on its way to a verdict.
pub(super) struct Trial<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) case: &'a Case,
    pub(super) fit: Fit,
    pub(super) touched: Touched,
    pub(super) flow: &'a Flow,
    pub(super) automaton: &'a Automaton,
    pub(super) machine: Option<&'a Machine>,
}

impl Judge<'_> {
    /// Judges a case. `None` when it shows nothing of any flow.
    pub(crate) fn judge(&self, case: &Case) -> Option<FlowVerdict> {
        let touched = self.touched(case);
        let fit = self.automata.fit(self.grammar, self.graph, self.observability, case, &touched)?;
        let flow = &self.grammar.flows[fit.flow];
        let automaton = &self.automata.variants[fit.flow][fit.variant];
        let machine = self.grammar.machine(Subject::VolumeStatus);
        Some(Trial { judge: self, case, fit, touched, flow, automaton, machine }.verdict())
    }

    /// The logs that have lines of a case, and the processes that wrote them.
    fn touched(&self, case: &Case) -> Touched {
        let direct = case.flows.iter().all(|flow| self.grammar.flows[*flow].direct);
        let mut touched = Touched { direct, volume: case.volume, ..Touched::default() };
        for id in &case.nodes {
            let node = self.graph.node(*id);
            if let (Some(service), Some(received)) = (node.service, node.received) {
                touched.logs.entry((received.source, service)).or_default().extend(node.process);
            }
            if let (Some(caller), Some(sent)) = (node.caller, node.sent) {
                touched.logs.entry((sent.source, caller)).or_default();
            }
            // The topic of a message names the host that has to show it.
            let host = node.sent.and(node.label.as_deref()).and_then(|topic| topic.split_once('.'));
            if let (NodeKind::Call | NodeKind::Cast, Some(service), Some((_, host))) = (node.kind, node.service, host) {
                for (log, processes) in self.observability.logs_of_host(service, host) {
                    touched.logs.entry(log).or_default().extend(processes);
                }
                for (log, process) in node.label.iter().flat_map(|topic| self.observability.logs_of_topic(topic)) {
                    touched.logs.entry(log).or_default().insert(process);
                }
            }
        }
        touched
    }
}

impl Trial<'_> {
    /// The steps that were seen to begin where they may, with the observations, in order.
    pub(super) fn begins(&self) -> impl DoubleEndedIterator<Item = (UseId, usize)> {
        self.matched(Phase::Begin)
    }

    /// As [`Self::begins`], for those that were seen to end.
    pub(super) fn ends(&self) -> impl DoubleEndedIterator<Item = (UseId, usize)> {
        self.matched(Phase::End)
    }

    /// The ends of which it is known that the step failed.
    pub(super) fn failed_ends(&self) -> impl DoubleEndedIterator<Item = (UseId, usize)> {
        self.ends().filter(|(step, seen)| self.went_well(*step, *seen) == Some(false))
    }

    fn matched(&self, phase: Phase) -> impl DoubleEndedIterator<Item = (UseId, usize)> {
        self.fit.alignment.moves.iter().filter_map(move |step| match step {
            Move::Both(step, seen) if self.observation(*seen).phase == phase => Some((*step, *seen)),
            _ => None,
        })
    }

    pub(super) fn node(&self, observation: usize) -> &Node {
        self.judge.graph.node(self.node_id(observation))
    }

    pub(super) fn node_id(&self, observation: usize) -> NodeId {
        self.fit.observed.nodes[self.fit.observed.observations[observation].node]
    }

    pub(super) fn step_use(&self, step: UseId) -> &StepUse {
        &self.automaton.uses[step as usize]
    }

    pub(super) fn observation(&self, observation: usize) -> &Observation {
        &self.fit.observed.observations[observation]
    }

    /// The step that an observation is, or the first that it may be.
    pub(super) fn step_seen(&self, observation: usize) -> Option<StepId> {
        self.node(observation).steps.first().copied()
    }

    /// Whether an observation is about something else than the case.
    pub(super) fn is_astray(&self, observation: usize) -> bool {
        self.case.astray.binary_search(&self.node_id(observation)).is_ok()
    }

    /// Whether a step ended well where it stands in the flow, as far as a log tells.
    pub(super) fn went_well(&self, step: UseId, seen: usize) -> Option<bool> {
        let (rule, observation) = (self.step_use(step), self.observation(seen));
        match observation.status {
            Some(status) if !rule.success.is_empty() => Some(rule.success.contains(&status)),
            _ => observation.success,
        }
    }

    fn verdict(&self) -> FlowVerdict {
        let graph = self.judge.graph;
        let outcome = self.outcome();
        let mut findings = self.findings(outcome);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let mut missing_evidence = self.missing_evidence(outcome);
        // What the logs do not show to be this flow cannot break its rules.
        let ambiguous = self.is_ambiguous(outcome);
        let doubtful =
            !self.case.certain || self.fit.gave_up || ambiguous || self.is_likely() || self.may_be_explained();
        let mut dropped = false;
        if doubtful {
            dropped = findings.iter().any(findings::is_error);
            findings.retain(|finding| !findings::is_error(finding));
        }
        let verdict = if findings.iter().any(findings::is_error) {
            Verdict::Violated
        } else if outcome == Outcome::Unknown
            || !self.case.certain
            || self.fit.gave_up
            || ambiguous
            || dropped
            || !missing_evidence.is_empty()
        {
            Verdict::Inconclusive
        } else {
            Verdict::Conformant
        };
        if verdict == Verdict::Inconclusive && missing_evidence.is_empty() {
            missing_evidence.extend(self.missing_actions().or_else(|| self.missing_ids()));
        }
        let nodes = || self.case.nodes.iter().map(|id| graph.node(*id));
        let root = self.case.root.map(|root| graph.node(root));
        let device = nodes().find_map(|node| node.answered.device.clone().or_else(|| node.asked.device.clone()));
        let named = |volume| self.judge.histories.tracks.get(&volume).and_then(|track| track.name.clone());
        FlowVerdict {
            id: String::new(),
            flow: self.flow.name.clone(),
            variant: if self.fit.ties.is_empty() { self.flow.variants[self.fit.variant].name.clone() } else { None },
            possible_variants: self.possible_variants(),
            server: self.case.server,
            server_name: self.case.server.and_then(|server| self.server_name(server)),
            volume: self.case.volume,
            volume_name: self.case.volume.and_then(named),
            attachment: nodes().find_map(|node| node.attachment),
            device,
            request_ids: self.request_ids(),
            client_command: self.case.command.and_then(|command| graph.node(command).label.clone()),
            start: root
                .and_then(Node::beginning_stamp)
                .or_else(|| nodes().filter_map(Node::beginning_stamp).min())
                .map(|stamp| graph.clocks().logged(stamp)),
            end: self.last_seen().map(|stamp| graph.clocks().logged(stamp)),
            outcome,
            verdict,
            likely: self.is_only_likely(),
            statuses: self.statuses(),
            steps: self.steps(),
            missing_evidence,
            findings,
            blame: self.blame(outcome),
            times: self.times(),
            deadline: matches!(outcome, Outcome::Stuck | Outcome::Unknown)
                .then(|| self.pending().and_then(|step| self.deadline(step)))
                .flatten(),
        }
    }

    /// Whether what has no place in the flow may be explained by what came before the logs begin: its first request is not in
    /// them, or only its answer.
    fn may_be_explained(&self) -> bool {
        let root = self.case.root.map(|root| self.judge.graph.node(root));
        let begun = root.is_some_and(|root| root.begun && root.start.is_some());
        let unexpected = |step: &Move| matches!(step, Move::Log(seen) if self.is_unexpected(*seen));
        // What is sent straight to a service may begin with anything, but not with an answer alone.
        !begun && (!self.flow.direct || root.is_some()) && self.fit.alignment.moves.iter().any(unexpected)
    }

    /// Whether a request belongs to the flow only by time, with not even its volume in its path: likely, no more.
    fn is_likely(&self) -> bool {
        self.case.nodes.iter().any(|id| {
            let by_resource = |edge: Edge| edge.joined_by == JoinedBy::Resource;
            let node = self.judge.graph.node(*id);
            let named = self
                .case
                .volume
                .zip(node.path.as_deref())
                .is_some_and(|(volume, path)| path.contains(&volume.to_string()));
            !named && self.judge.graph.parent(*id).is_some_and(|(_, edge)| by_resource(edge))
        })
    }

    /// Whether the log does not tell of some request what it was, and the flow can be read in more than one way: the request as
    /// another step, or a failure that nothing shows.
    fn is_ambiguous(&self, outcome: Outcome) -> bool {
        let unseen = || outcome == Outcome::Failed && self.failing_nodes().is_empty();
        // Of a reading that something has to follow, or is owed after a failure, it would be there.
        let may_be = |(variant, reading): &(usize, Alignment)| {
            let automaton = &self.judge.automata.variants[self.fit.flow][*variant];
            let owed = || (0..automaton.uses.len() as UseId).filter(|step| automaton.owed[*step as usize]);
            let late = match self.pending_of(reading) {
                Some(step) => self.is_overdue_in(automaton, step),
                None => reading.doomed && owed().any(|step| self.is_overdue_in(automaton, step)),
            };
            reading.finish != Finish::Open || !late
        };
        self.fit.readings.iter().any(may_be) || self.untold().next().is_some() && unseen()
    }

    /// The requests that may have been one of several steps, and those that they are taken for.
    pub(super) fn untold(&self) -> impl Iterator<Item = (StepId, &Node)> {
        self.fit.alignment.moves.iter().filter_map(|step| match step {
            Move::Both(step, seen) if self.observation(*seen).steps.len() > 1 => {
                Some((self.step_use(*step).step, self.node(*seen)))
            }
            _ => None,
        })
    }

    /// Whether the flow is what its requests' volume, time and answers make likely, and no id or action shows.
    fn is_only_likely(&self) -> bool {
        let steps = self.flow.steps();
        let is_step = |node: &Node| {
            node.steps.iter().any(|step| steps.binary_search(step).is_ok() && !self.flow.anytime.contains(step))
        };
        let by_resource = |id: &NodeId| {
            self.judge.graph.parent(*id).is_some_and(|(_, edge)| edge.joined_by == JoinedBy::Resource)
                && is_step(self.judge.graph.node(*id))
        };
        !self.case.certain || self.untold().next().is_some() || self.case.nodes.iter().any(by_resource)
    }

    /// The names of the variants that fit equally well, when more than one does.
    pub(super) fn possible_variants(&self) -> Vec<String> {
        let others = self.fit.ties.iter().map(|(variant, _)| *variant);
        let all = std::iter::once(self.fit.variant).chain(others).filter(|_| !self.fit.ties.is_empty());
        all.filter_map(|variant| self.flow.variants[variant].name.clone()).collect()
    }

    pub(super) fn server_name(&self, server: Uuid) -> Option<String> {
        let nodes = self.case.nodes.iter().map(|id| self.judge.graph.node(*id));
        let mut names = nodes.flat_map(|node| &node.answered.servers).filter(|(id, _)| *id == server);
        names.find_map(|(_, name)| name.clone())
    }

    /// The id of the request that started the flow, then those of the others.
    pub(super) fn request_ids(&self) -> Vec<RequestId> {
        let graph = self.judge.graph;
        let root = self.case.root.map(|root| graph.node(root));
        // What a service asked another for is known by the id that it passed along, too.
        let starts = self.judge.grammar.flows.iter().filter(|flow| flow.direct).flat_map(|flow| &flow.starts);
        let direct = |service| starts.clone().any(|step| Some(self.judge.grammar.step_at(*step).service) == service);
        let passed = root.filter(|root| !direct(root.service)).and_then(|root| root.global);
        let mut ids: Vec<RequestId> = root.and_then(|root| root.request).into_iter().chain(passed).collect();
        let mut nodes: Vec<&Node> = self.case.nodes.iter().map(|id| graph.node(*id)).collect();
        nodes.sort_by_key(|node| (node.beginning(), node.places().first().copied()));
        for node in nodes {
            // A half flow is known by the id that its lost first request passed along.
            let of_chain = node.global.filter(|_| self.case.root.is_none());
            for id in of_chain.into_iter().chain(node.request) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        ids
    }

    pub(super) fn last_seen(&self) -> Option<Stamp> {
        self.fit.observed.times.iter().copied().flatten().max()
    }

    /// The last moment that each clock told: what is still to come comes after all of them.
    pub(super) fn last_seen_by_clock(&self) -> Vec<Stamp> {
        let mut times: Vec<Stamp> = self.fit.observed.times.iter().copied().flatten().collect();
        times.sort_unstable();
        nearest(times.into_iter().rev())
    }

    /// The status changes that the case's steps made, in order.
    pub(super) fn changes(&self) -> Vec<&Change> {
        self.case.volume.map_or_else(Vec::new, |volume| self.changes_of(volume))
    }

    /// The changes that the case's steps made to a volume's status, in order.
    pub(super) fn changes_of(&self, volume: Uuid) -> Vec<&Change> {
        let Some(track) = self.judge.histories.tracks.get(&volume) else { return Vec::new() };
        let mine: FxHashSet<NodeId> = self.case.nodes.iter().copied().collect();
        track.changes.iter().filter(|change| mine.contains(&change.node)).collect()
    }

    pub(super) fn statuses(&self) -> Vec<String> {
        let Some(machine) = self.machine else { return Vec::new() };
        let mut statuses: Vec<String> = Vec::new();
        for change in self.changes() {
            if matches!(change.effect, Effect::Changed) {
                for state in [change.from, change.to].into_iter().flatten() {
                    let name = &machine.states[state].0;
                    if statuses.last() != Some(name) {
                        statuses.push(name.clone());
                    }
                }
            }
        }
        if statuses.is_empty() {
            let seen = self.case.nodes.iter().flat_map(|id| &self.judge.graph.node(*id).answered.volumes);
            let of_volume = seen.filter(|volume| Some(volume.id) == self.case.volume);
            statuses.extend(of_volume.filter_map(|volume| volume.status.clone()).next());
        }
        statuses
    }

    /// The line that shows an observation.
    pub(super) fn place(&self, seen: usize) -> Option<Place> {
        let node = self.node(seen);
        match self.fit.observed.observations[seen].phase {
            Phase::Begin => node.first_place(),
            Phase::End => node.ended.or(node.received),
        }
    }

    pub(super) fn values(&self, step: Option<StepId>) -> Vec<(&'static str, String)> {
        let graph = self.judge.graph;
        let mut values = vec![("flow", self.flow.name.clone())];
        values.extend(self.case.volume.map(|id| ("volume", id.to_string())));
        values.extend(self.case.server.map(|id| ("server", id.to_string())));
        values.extend(
            self.case.nodes.iter().find_map(|id| graph.node(*id).attachment).map(|id| ("attachment", id.to_string())),
        );
        values.extend(step.map(|step| ("step", self.judge.grammar.step_at(step).name.clone())));
        let host = self.case.nodes.iter().map(|id| graph.node(*id)).find_map(|node| {
            node.label
                .as_deref()
                .filter(|_| node.kind == NodeKind::Cast)
                .and_then(|topic| topic.split_once('.'))
                .map(|(_, host)| host.to_owned())
        });
        values.push(("host", host.unwrap_or_else(|| "the server's host".to_owned())));
        if let Some(track) = self.case.volume.and_then(|volume| self.judge.histories.tracks.get(&volume))
            && let (Some(machine), Some(last)) = (self.machine, track.last)
        {
            values.push(("status", machine.states[last].0.clone()));
        }
        values
    }

    pub(super) fn findings(&self, outcome: Outcome) -> Vec<Finding> {
        let mut defects = self.deviations();
        defects.extend(self.intrusions());
        if defects.is_empty() && outcome == Outcome::Stuck {
            defects.extend(self.stuck());
        }
        if defects.is_empty() {
            defects.extend(self.illegal_transitions());
        }
        if defects.is_empty() && matches!(outcome, Outcome::Failed | Outcome::Refused) {
            defects.extend(self.left_behind().or_else(|| self.not_released()));
        }
        defects.extend(self.remarks());
        let told = self.signs();
        let signs: Vec<String> = told.iter().filter_map(|defect| defect.sign.clone()).collect();
        let finding = |defect| findings::finding(self.judge.grammar, &self.flow.name, &signs, defect);
        let mut found: Vec<Finding> = defects.into_iter().filter_map(finding).collect();
        // Several signs of one thing are one finding.
        for told in told.into_iter().filter_map(finding) {
            match found.iter_mut().find(|known| known.code == told.code) {
                Some(known) => known.evidence.extend(told.evidence),
                None => found.push(told),
            }
        }
        found
    }
}
