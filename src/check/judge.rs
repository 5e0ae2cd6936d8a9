//! The judgement of one case: outcome, verdict, steps, findings, missing evidence.

use rustc_hash::FxHashSet;

use crate::base::time::Timestamp;
use crate::check::alignment::{Move, Phase};
use crate::check::conformance::{Automata, Fit};
use crate::check::findings::{self, Defect, clock, duration};
use crate::check::observability::{Observability, Touched};
use crate::check::verdict::{Evidence, Finding, FlowVerdict, MissingEvidence, Outcome, StepState, StepVerdict, Verdict};
use crate::model::event::RequestId;
use crate::model::source::Place;
use crate::spec::automaton::{Automaton, Finish, UseId};
use crate::spec::grammar::{Flow, Grammar, Machine, StepId, StepKind, StepUse, Subject, Wrong};
use crate::trace::cases::Case;
use crate::trace::graph::CallGraph;
use crate::trace::history::{Change, Effect, Histories};
use crate::trace::node::{Node, NodeId, NodeKind};

/// All that judging needs.
pub(crate) struct Judge<'a> {
    pub(crate) grammar: &'a Grammar,
    pub(crate) graph: &'a CallGraph,
    pub(crate) histories: &'a Histories,
    pub(crate) observability: &'a Observability<'a>,
    pub(crate) automata: &'a Automata,
}

/// A case on its way to a verdict.
struct Trial<'a> {
    judge: &'a Judge<'a>,
    case: &'a Case,
    fit: Fit,
    touched: Touched,
    flow: &'a Flow,
    automaton: &'a Automaton,
    machine: Option<&'a Machine>,
}

impl Judge<'_> {
    /// Judges a case. `None` when it shows nothing of any flow.
    pub(crate) fn judge(&self, case: &Case) -> Option<FlowVerdict> {
        let touched = self.touched(case);
        let fit = self.automata.fit(self.grammar, self.graph, self.observability, case, &touched)?;
        let flow = &self.grammar.flows[fit.flow];
        let automaton = &self.automata.variants[fit.flow][fit.variant];
        let machine = self.grammar.machines.iter().find(|machine| machine.subject == Subject::VolumeStatus);
        Some(Trial { judge: self, case, fit, touched, flow, automaton, machine }.verdict())
    }

    /// The logs that have lines of a case, and the processes that wrote them.
    fn touched(&self, case: &Case) -> Touched {
        let mut touched = Touched::default();
        for id in &case.nodes {
            let node = self.graph.node(*id);
            if let (Some(service), Some(received)) = (node.service, node.received) {
                touched.entry((received.source, service)).or_default().extend(node.process);
            }
            if let (Some(caller), Some(sent)) = (node.caller, node.sent) {
                touched.entry((sent.source, caller)).or_default();
            }
        }
        touched
    }
}

impl Trial<'_> {
    fn node(&self, observation: usize) -> &Node {
        self.judge.graph.node(self.node_id(observation))
    }

    fn node_id(&self, observation: usize) -> NodeId {
        self.fit.observed.nodes[self.fit.observed.observations[observation].node]
    }

    fn step_use(&self, step: UseId) -> &StepUse {
        &self.automaton.uses[step as usize]
    }

    fn verdict(&self) -> FlowVerdict {
        let graph = self.judge.graph;
        let outcome = self.outcome();
        let mut findings = self.findings(outcome);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let missing_evidence = self.missing_evidence(outcome);
        // What the logs do not show to be this flow cannot break its rules.
        if !self.case.certain || self.fit.gave_up {
            findings.retain(|finding| !findings::is_error(finding));
        }
        let verdict = if findings.iter().any(findings::is_error) {
            Verdict::Violated
        } else if outcome == Outcome::Unknown || !self.case.certain || self.fit.gave_up || !missing_evidence.is_empty() {
            Verdict::Inconclusive
        } else {
            Verdict::Conformant
        };
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
            start: root.and_then(Node::beginning).or_else(|| nodes().filter_map(Node::beginning).min()),
            end: self.last_seen(),
            outcome,
            verdict,
            statuses: self.statuses(),
            steps: self.steps(),
            missing_evidence,
            findings,
            deadline: matches!(outcome, Outcome::Stuck | Outcome::Unknown).then(|| self.pending().and_then(|step| self.deadline(step))).flatten(),
        }
    }

    /// The names of the variants that fit equally well, when more than one does.
    fn possible_variants(&self) -> Vec<String> {
        let others = self.fit.ties.iter().map(|(variant, _)| *variant);
        let all = std::iter::once(self.fit.variant).chain(others).filter(|_| !self.fit.ties.is_empty());
        all.filter_map(|variant| self.flow.variants[variant].name.clone()).collect()
    }

    fn server_name(&self, server: uuid::Uuid) -> Option<String> {
        let nodes = self.case.nodes.iter().map(|id| self.judge.graph.node(*id));
        let mut names = nodes.flat_map(|node| &node.answered.servers).filter(|(id, _)| *id == server);
        names.find_map(|(_, name)| name.clone())
    }

    /// The id of the request that started the flow, then those of the others.
    fn request_ids(&self) -> Vec<RequestId> {
        let graph = self.judge.graph;
        let mut ids: Vec<RequestId> = self.case.root.and_then(|root| graph.node(root).request).into_iter().collect();
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

    fn last_seen(&self) -> Option<Timestamp> {
        self.fit.observed.times.iter().copied().flatten().max()
    }

    /// The status changes that the case's steps made, in order.
    fn changes(&self) -> Vec<&Change> {
        let Some(track) = self.case.volume.and_then(|volume| self.judge.histories.tracks.get(&volume)) else { return Vec::new() };
        let mine: FxHashSet<NodeId> = self.case.nodes.iter().copied().collect();
        track.changes.iter().filter(|change| mine.contains(&change.node)).collect()
    }

    fn statuses(&self) -> Vec<String> {
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

    fn reached_goal(&self) -> bool {
        self.fit.alignment.moves.iter().any(|step| match step {
            Move::Both(step, seen) => {
                let rule = self.step_use(*step);
                let observation = &self.fit.observed.observations[*seen];
                let well = observation.status.map_or(observation.success == Some(true), |status| rule.success.contains(&status));
                observation.phase == Phase::End && well && self.flow.goals.contains(&rule.step)
            }
            _ => false,
        })
    }

    fn outcome(&self) -> Outcome {
        let alignment = &self.fit.alignment;
        // A step that later ones speak for may go unseen.
        let unseen = |step: &Move| matches!(step, Move::Model(step, Phase::Begin, visible) if *visible || self.automaton.is_required(*step));
        let failed = alignment.finish == Finish::Failed || alignment.doomed;
        if failed && !(self.reached_goal() && !alignment.doomed) {
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
            return Outcome::Completed;
        }
        match self.pending() {
            Some(step) if self.is_overdue(step) => Outcome::Stuck,
            _ => Outcome::Unknown,
        }
    }

    /// What became of requests sent straight to cinder whose volume is at rest again: all of them turned down, the last chain
    /// given up, or done.
    fn direct_outcome(&self) -> Outcome {
        let mut refused = true;
        let mut given_up = false;
        for step in &self.fit.alignment.moves {
            match step {
                Move::Break => given_up = true,
                Move::Both(step, seen) if self.fit.observed.observations[*seen].phase == Phase::End => {
                    let (rule, observation) = (self.step_use(*step), &self.fit.observed.observations[*seen]);
                    let well = observation.status.map_or(observation.success != Some(false), |status| rule.success.contains(&status));
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

    fn root_status(&self) -> Option<u16> {
        self.judge.graph.node(self.case.root?).status
    }

    /// Whether nothing that the logs could show is still to come.
    fn may_be_over(&self) -> bool {
        self.fit.alignment.finish == Finish::Completed || self.fit.alignment.pending.iter().all(|(_, visible)| !visible)
    }

    /// The first step that is still to come: one that the logs could show, if there is one.
    fn pending(&self) -> Option<UseId> {
        let pending = &self.fit.alignment.pending;
        pending.iter().find(|(_, visible)| *visible).or(pending.first()).map(|(step, _)| *step)
    }

    /// How long a step may take to come.
    fn deadline(&self, step: UseId) -> Option<i64> {
        self.step_use(step).within.or(self.flow.deadline)
    }

    fn due(&self, step: UseId) -> Option<Timestamp> {
        Some(self.last_seen()?.plus(self.deadline(step)?))
    }

    /// Whether a step has not come although a log goes on past its deadline.
    fn is_overdue(&self, step: UseId) -> bool {
        let until = self.judge.observability.shown_until(self.step_use(step).step, &self.touched);
        self.due(step).zip(until).is_some_and(|(due, until)| due <= until)
    }

    /// What would decide: the logs of required steps that nothing given could show, in every variant that fits.
    fn missing_evidence(&self, outcome: Outcome) -> Vec<MissingEvidence> {
        let mut missing: Vec<MissingEvidence> = Vec::new();
        let mut add = |automaton: &Automaton, step: UseId, until: Option<Timestamp>| {
            if !automaton.is_required(step) {
                return;
            }
            let rule = &automaton.uses[step as usize];
            let step = self.judge.grammar.step_at(rule.step);
            let service = self.judge.grammar.vocabulary.service_name(step.service).to_owned();
            let needs = self.judge.observability.needs(rule.step, &self.touched, until);
            match missing.iter_mut().find(|known| known.needs == needs) {
                Some(known) if !known.steps.contains(&step.name) => known.steps.push(step.name.clone()),
                Some(_) => {}
                None => missing.push(MissingEvidence { service, needs, steps: vec![step.name.clone()] }),
            }
        };
        let variants = &self.judge.automata.variants[self.fit.flow];
        let best = std::iter::once((self.fit.variant, &self.fit.alignment));
        for (variant, alignment) in best.chain(self.fit.ties.iter().map(|(variant, alignment)| (*variant, alignment))) {
            let automaton = &variants[variant];
            for step in &alignment.moves {
                if let Move::Model(step, Phase::Begin, false) = step {
                    add(automaton, *step, self.last_seen());
                }
            }
            for (step, visible) in alignment.pending.iter().filter(|_| outcome == Outcome::Unknown) {
                let deadline = automaton.uses[*step as usize].within.or(self.flow.deadline);
                add(automaton, *step, self.last_seen().zip(deadline).map(|(last, deadline)| last.plus(deadline)));
                if *visible {
                    break;
                }
            }
        }
        missing
    }

    fn steps(&self) -> Vec<StepVerdict> {
        let mut steps: Vec<StepVerdict> = Vec::new();
        let mut depth = 0_usize;
        for step in &self.fit.alignment.moves {
            match step {
                Move::Both(_, seen) | Move::Log(seen) if self.fit.observed.observations[*seen].phase == Phase::End => {
                    depth = depth.saturating_sub(usize::from(matches!(step, Move::Both(..))));
                }
                Move::Both(step, seen) => {
                    steps.push(self.seen_step(self.step_use(*step).step, self.node_id(*seen), StepState::Observed, depth));
                    depth += 1;
                }
                Move::Log(seen) => {
                    let observation = &self.fit.observed.observations[*seen];
                    let Some(first) = observation.steps.first() else { continue };
                    steps.push(self.seen_step(*first, self.node_id(*seen), if observation.strict { StepState::Unexpected } else { StepState::Observed }, depth));
                }
                Move::Model(step, Phase::Begin, visible) => {
                    let rule = self.step_use(*step);
                    let command = matches!(self.judge.grammar.step_at(rule.step).kind, StepKind::Command { .. });
                    if !command && self.fit.ties.is_empty() {
                        let state = if *visible { StepState::Missing } else { StepState::Unobservable };
                        steps.push(unseen_step(rule.step, state, depth));
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
            steps.push(unseen_step(self.step_use(step).step, StepState::Missing, depth));
        }
        steps
    }

    /// Puts the steps that may occur anywhere in their places in time; the same again and again is one.
    fn add_look_ups(&self, steps: &mut Vec<StepVerdict>) {
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

    fn seen_step(&self, step: StepId, id: NodeId, state: StepState, depth: usize) -> StepVerdict {
        let node = self.judge.graph.node(id);
        let rule = self.judge.grammar.step_at(step);
        let failed = match (&rule.kind, node.status) {
            (StepKind::Http { .. }, Some(status)) => !rule.success.contains(&status),
            _ => node.success == Some(false),
        };
        StepVerdict {
            step,
            state,
            start: node.beginning(),
            end: node.ending(),
            status: node.status.filter(|_| node.kind == NodeKind::Http),
            failed,
            request: node.request,
            evidence: node.places(),
            depth,
            repeats: 0,
        }
    }

    /// The lines before and after a place among the moves, as evidence.
    fn around(&self, index: usize) -> Vec<Evidence> {
        let seen = |step: &Move| match step {
            Move::Both(_, seen) | Move::Log(seen) => Some(*seen),
            _ => None,
        };
        let name = |seen: usize| {
            let steps = &self.fit.observed.observations[seen].steps;
            steps.first().map_or(String::new(), |step| self.judge.grammar.step_at(*step).name.clone())
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

    /// The line that shows an observation.
    fn place(&self, seen: usize) -> Option<Place> {
        let node = self.node(seen);
        match self.fit.observed.observations[seen].phase {
            Phase::Begin => node.received.or(node.sent).or(node.ended),
            Phase::End => node.ended.or(node.received),
        }
    }

    fn values(&self, step: Option<StepId>) -> Vec<(&'static str, String)> {
        let graph = self.judge.graph;
        let mut values = vec![("flow", self.flow.name.clone())];
        values.extend(self.case.volume.map(|id| ("volume", id.to_string())));
        values.extend(self.case.server.map(|id| ("server", id.to_string())));
        values.extend(self.case.nodes.iter().find_map(|id| graph.node(*id).attachment).map(|id| ("attachment", id.to_string())));
        values.extend(step.map(|step| ("step", self.judge.grammar.step_at(step).name.clone())));
        let host = self.case.nodes.iter().map(|id| graph.node(*id)).find_map(|node| {
            node.label.as_deref().filter(|_| node.kind == NodeKind::Cast).and_then(|topic| topic.split_once('.')).map(|(_, host)| host.to_owned())
        });
        values.push(("host", host.unwrap_or_else(|| "the server's host".to_owned())));
        if let Some(track) = self.case.volume.and_then(|volume| self.judge.histories.tracks.get(&volume))
            && let (Some(machine), Some(last)) = (self.machine, track.last)
        {
            values.push(("status", machine.states[last].0.clone()));
        }
        values
    }

    fn findings(&self, outcome: Outcome) -> Vec<Finding> {
        let mut defects = self.deviations();
        if defects.is_empty() && outcome == Outcome::Stuck {
            defects.extend(self.stuck());
        }
        if defects.is_empty() {
            defects.extend(self.illegal_transitions());
        }
        if defects.is_empty() && matches!(outcome, Outcome::Failed | Outcome::Refused) {
            defects.extend(self.left_behind());
        }
        defects.extend(self.remarks());
        defects.into_iter().filter_map(|defect| findings::finding(self.judge.grammar, &self.flow.name, defect)).collect()
    }

    /// Steps that are missing, not allowed, or at the wrong place. Neighbours are one defect.
    fn deviations(&self) -> Vec<Defect> {
        let mut defects: Vec<Defect> = Vec::new();
        let mut group: Option<(usize, Vec<StepId>, Vec<(StepId, usize)>, Option<UseId>)> = None;
        let moves = &self.fit.alignment.moves;
        let mut handling = false;
        for (index, step) in moves.iter().enumerate() {
            match step {
                Move::Model(step, Phase::Begin, true) => {
                    let group = group.get_or_insert_with(|| (index, Vec::new(), Vec::new(), None));
                    group.1.push(self.step_use(*step).step);
                    group.3.get_or_insert(*step);
                }
                Move::Log(seen) if self.is_unexpected(*seen) => {
                    let group = group.get_or_insert_with(|| (index, Vec::new(), Vec::new(), None));
                    if let Some(step) = self.fit.observed.observations[*seen].steps.first() {
                        group.2.push((*step, *seen));
                    }
                }
                Move::Both(_, seen) if self.fit.observed.observations[*seen].phase == Phase::Begin => {
                    defects.extend(group.take().map(|group| self.deviation(group, handling)));
                }
                Move::Break => handling = true,
                Move::Both(step, seen) => handling |= self.has_failed(*step, *seen),
                _ => {}
            }
        }
        defects.extend(group.take().map(|group| self.deviation(group, handling)));
        join_moved(defects)
    }

    fn is_unexpected(&self, seen: usize) -> bool {
        let observation = &self.fit.observed.observations[seen];
        observation.phase == Phase::Begin && observation.strict
    }

    fn deviation(&self, group: (usize, Vec<StepId>, Vec<(StepId, usize)>, Option<UseId>), handling: bool) -> Defect {
        let (index, missing, unexpected, first) = group;
        let grammar = self.judge.grammar;
        let names = |steps: &[StepId]| steps.iter().map(|step| grammar.step_at(*step).name.as_str()).collect::<Vec<_>>().join(", ");
        let mut defect = if missing.is_empty() {
            let steps: Vec<StepId> = unexpected.iter().map(|(step, _)| *step).collect();
            let mut defect = Defect::new(Wrong::Unexpected, steps);
            defect.expected = format!("{} has no place here in {}", names(&defect.steps), self.flow.name);
            defect
        } else {
            let wrong = if handling { Wrong::NotRolledBack } else { Wrong::Missing };
            let mut defect = Defect::new(wrong, missing);
            defect.expected = format!("{} here: {}", names(&defect.steps), grammar.step_at(defect.steps[0]).title);
            defect.evidence = self.around(index);
            defect
        };
        for (step, seen) in &unexpected {
            if let Some(place) = self.place(*seen) {
                defect.evidence.push(Evidence { place, role: format!("{} is not allowed here", grammar.step_at(*step).name) });
            }
        }
        defect.evidence.dedup_by_key(|evidence| evidence.place);
        defect.rule = first.map(|step| self.step_use(step).origin);
        defect.shape = names(&defect.steps);
        defect.values = self.values(defect.steps.first().copied());
        defect
    }

    fn stuck(&self) -> Option<Defect> {
        let step = self.pending()?;
        let rule = self.step_use(step);
        let grammar = self.judge.grammar;
        let mut defect = Defect::new(Wrong::Stuck, vec![rule.step]);
        let deadline = self.deadline(step).map(duration).unwrap_or_default();
        defect.expected = format!("{} within {deadline}: {}", grammar.step_at(rule.step).name, grammar.step_at(rule.step).title);
        let method = match &grammar.step_at(rule.step).kind {
            StepKind::Cast { method } | StepKind::Call { method } => Some(method.as_str()),
            _ => None,
        };
        let sent = self.case.nodes.iter().map(|id| self.judge.graph.node(*id)).find(|node| node.received.is_none() && node.rpc.is_some() && node.rpc.as_deref() == method);
        if let Some(place) = sent.and_then(|node| node.sent) {
            defect.evidence.push(Evidence { place, role: "sent here, never received".to_owned() });
        } else {
            let last = self.fit.alignment.moves.iter().rev().find_map(|step| match step {
                Move::Both(_, seen) | Move::Log(seen) => self.place(*seen),
                _ => None,
            });
            defect.evidence.extend(last.map(|place| Evidence { place, role: "the last thing seen of this flow".to_owned() }));
        }
        defect.rule = Some(rule.origin);
        defect.values = self.values(Some(rule.step));
        defect.values.push(("delay", deadline));
        defect.state = self.last_status();
        Some(defect)
    }

    fn last_status(&self) -> Option<String> {
        let machine = self.machine?;
        let last = self.changes().last().and_then(|change| change.to)?;
        Some(machine.states[last].0.clone())
    }

    fn illegal_transitions(&self) -> Vec<Defect> {
        let broken = self.changes().into_iter().filter_map(|change| Some((change, change.broken.as_ref()?)));
        let defects = broken.map(|(change, broken)| {
            let mut defect = Defect::new(Wrong::IllegalTransition, vec![change.step]);
            let (from, to) = (&broken.from, &broken.to);
            defect.expected = format!("{} only where it may follow {from}", self.judge.grammar.step_at(change.step).name);
            defect.shape = format!("{from}>{to}");
            let node = self.judge.graph.node(change.node);
            let place = node.ended.or(node.received).or(node.sent);
            defect.evidence.extend(place.map(|place| Evidence { place, role: format!("{from} becomes {to} here") }));
            defect.rule = Some(broken.rule);
            defect.values = self.values(Some(change.step));
            defect.values.extend([("from", from.clone()), ("to", to.clone())]);
            defect
        });
        defects.collect()
    }

    /// A status of transit that nothing in the flow can lead out of any more.
    fn left_behind(&self) -> Option<Defect> {
        let machine = self.machine?;
        let track = self.judge.histories.tracks.get(&self.case.volume?)?;
        let last = self.changes().into_iter().rfind(|change| matches!(change.effect, Effect::Changed))?;
        let state = last.to?;
        let later = track.changes.iter().skip_while(|change| change.node != last.node).skip(1);
        let unseen = |step: &Move| match step {
            Move::Model(step, Phase::Begin, false) => machine.concerns(self.step_use(*step).step),
            _ => false,
        };
        let others_follow = later.clone().any(|change| matches!(change.effect, Effect::Changed) && !self.case.nodes.contains(&change.node));
        if machine.rest.contains(&state) || self.fit.alignment.moves.iter().any(unseen) || !self.failure_is_seen() || others_follow && self.flow.direct {
            return None;
        }
        let name = machine.states[state].0.clone();
        let mut defect = Defect::new(Wrong::LeftBehind, vec![last.step]);
        defect.state = Some(name.clone());
        defect.shape = name.clone();
        defect.expected = format!("a volume that is not left {name} by a flow that is over");
        let node = self.judge.graph.node(last.node);
        let place = node.ended.or(node.received).or(node.sent);
        defect.evidence.extend(place.map(|place| Evidence { place, role: format!("{name} from here on") }));
        let failed = self.failing_nodes();
        for (index, node) in [failed.first(), failed.last().filter(|_| failed.len() > 1)].into_iter().flatten().enumerate() {
            let place = node.error_place.filter(|_| node.kind != NodeKind::Http).or(node.ended);
            let role = if index == 0 { "failed here" } else { "and failed here, for good" };
            defect.evidence.extend(place.map(|place| Evidence { place, role: role.to_owned() }));
        }
        defect.rule = Some(machine.origin);
        defect.values = self.values(Some(last.step));
        defect.values.retain(|(name, _)| *name != "status");
        defect.values.push(("status", name));
        Some(defect)
    }

    /// Whether an observed end is that of a failure.
    fn has_failed(&self, step: UseId, seen: usize) -> bool {
        let observation = &self.fit.observed.observations[seen];
        let rule = self.step_use(step);
        match observation.status {
            Some(status) if !rule.success.is_empty() => !rule.success.contains(&status),
            _ => observation.success == Some(false),
        }
    }

    fn failing_nodes(&self) -> Vec<&Node> {
        let ends = self.fit.alignment.moves.iter().filter_map(|step| match step {
            Move::Both(step, seen) if self.fit.observed.observations[*seen].phase == Phase::End => Some((*step, *seen)),
            _ => None,
        });
        let failing = ends.filter(|(step, seen)| self.has_failed(*step, *seen));
        failing.map(|(_, seen)| self.node(seen)).collect()
    }

    /// Whether the logs show that what encloses the failure has ended: the work of a cast, or the request itself.
    fn failure_is_seen(&self) -> bool {
        let outermost = |node: &&Node| !matches!(node.kind, NodeKind::Operation | NodeKind::Client);
        self.flow.direct || self.failing_nodes().iter().filter(|node| outermost(node)).any(|node| {
            node.kind == NodeKind::Cast || node.steps.iter().any(|step| self.flow.starts.contains(step))
        })
    }

    /// What is legal and worth knowing: late casts, calls without an answer, requests without effect.
    fn remarks(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        for step in &self.fit.alignment.moves {
            let Move::Both(step, seen) = step else { continue };
            if self.fit.observed.observations[*seen].phase != Phase::Begin {
                continue;
            }
            let node = self.node(*seen);
            let rule = self.step_use(*step);
            if let (Some(within), Some(sent), Some(start)) = (rule.within, node.sent_time, node.start)
                && start.since(sent) > within
            {
                let mut defect = Defect::new(Wrong::Late, vec![rule.step]);
                let delay = duration(start.since(sent));
                defect.expected = format!("work within {} after the cast; it took {delay}", duration(within));
                defect.evidence.extend(node.sent.map(|place| Evidence { place, role: "sent here".to_owned() }));
                defect.evidence.extend(node.received.map(|place| Evidence { place, role: format!("begun here, at {}", clock(node.start)) }));
                defect.values = self.values(Some(rule.step));
                defect.values.push(("delay", delay));
                defects.push(defect);
            }
            if node.timed_out {
                let mut defect = Defect::new(Wrong::TimedOut, vec![rule.step]);
                defect.expected = "an answer before the sender gives up".to_owned();
                defect.evidence.extend(node.sent.or(node.received).map(|place| Evidence { place, role: "no answer came in time".to_owned() }));
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
                defect.values.push(("status", status));
                defects.push(defect);
            }
            let without_effect = change.effect == Effect::None && self.machine.is_some_and(|machine| !machine.transitions.iter().all(|transition| !transition.by.contains(&change.step)));
            if without_effect && self.flow.direct {
                let mut defect = Defect::new(Wrong::NoEffect, vec![change.step]);
                let node = self.judge.graph.node(change.node);
                defect.expected = "a status that this request changes".to_owned();
                defect.evidence.extend(node.ended.map(|place| Evidence { place, role: "answered well, and nothing changed".to_owned() }));
                defect.values = self.values(Some(change.step));
                defects.push(defect);
            }
        }
        defects
    }
}

/// Whether a step was seen before another: by the lines of the same log, else by time.
fn is_before(step: &StepVerdict, other: &StepVerdict) -> bool {
    match (step.evidence.first(), other.evidence.first()) {
        (Some(line), Some(line_of_other)) if line.source == line_of_other.source => line < line_of_other,
        (_, Some(_)) => step.start < other.start,
        (_, None) => false,
    }
}

fn unseen_step(step: StepId, state: StepState, depth: usize) -> StepVerdict {
    StepVerdict { step, state, start: None, end: None, status: None, failed: false, request: None, evidence: Vec::new(), depth, repeats: 0 }
}

/// A step that is missing in one place and not allowed in another is one defect: it is out of order.
fn join_moved(defects: Vec<Defect>) -> Vec<Defect> {
    let mut joined: Vec<Defect> = Vec::new();
    for defect in defects {
        let opposite = |known: &Defect| {
            let pair = matches!((known.wrong, defect.wrong), (Wrong::Missing | Wrong::NotRolledBack, Wrong::Unexpected) | (Wrong::Unexpected, Wrong::Missing | Wrong::NotRolledBack));
            pair && known.steps.iter().any(|step| defect.steps.contains(step))
        };
        match joined.iter_mut().find(|known| opposite(known)) {
            Some(known) => {
                known.steps.retain(|step| defect.steps.contains(step));
                known.wrong = Wrong::OutOfOrder;
                known.expected = if defect.wrong == Wrong::Unexpected { known.expected.clone() } else { defect.expected.clone() };
                known.evidence.extend(defect.evidence);
                known.rule = known.rule.or(defect.rule);
                known.shape.push_str(" moved");
            }
            None => joined.push(defect),
        }
    }
    joined
}
