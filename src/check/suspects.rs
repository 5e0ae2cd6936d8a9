//! Which layers a failure, or a silence, may be due to with what the logs show.
//!
//! A layer is a suspect unless something speaks for it: its work was seen to end well, or its log was there and shows no such
//! work. An exception's traceback tells whose code raised it; an answer's failure only that it came from the other side.

use crate::check::alignment::{Move, Phase};
use crate::check::blame::Failure;
use crate::check::conformance::sought;
use crate::check::judge::Trial;
use crate::check::observability::Sought;
use crate::model::vocabulary::{LayerId, ServiceId};
use crate::spec::automaton::UseId;
use crate::spec::grammar::{StepId, StepKind};
use crate::trace::clocks::Stamp;
use crate::trace::node::{Node, NodeId, NodeKind};

/// The layers that fit, the nearest first, and the logs that would tell which.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspects {
    pub(super) layers: Vec<LayerId>,
    pub(super) needs: Vec<String>,
}

impl Suspects {
    pub(super) fn of(layer: LayerId) -> Self {
        Self { layers: vec![layer], needs: Vec::new() }
    }

    pub(super) fn add(&mut self, layer: impl IntoIterator<Item = LayerId>) {
        for layer in layer {
            if !self.layers.contains(&layer) {
                self.layers.push(layer);
            }
        }
    }

    pub(super) fn need(&mut self, need: String) {
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
    }

    fn or(self, layer: LayerId) -> Self {
        if self.layers.is_empty() { Self::of(layer) } else { self }
    }
}

impl Trial<'_> {
    /// The layers that the innermost failure may be due to.
    pub(super) fn suspects_of(&self, failure: &Failure) -> Suspects {
        let node = self.judge.graph.node(failure.node);
        let own = self.layer(failure.step);
        let Some(used) = failure.used else {
            let raised = node.error.as_ref().and_then(|error| error.raised.layer);
            return Suspects::of(raised.unwrap_or(own));
        };
        let carrier = self.judge.grammar.vocabulary.carrier();
        let Some(raised) = node.error.as_ref().map(|error| error.raised) else {
            return self.suspects_within(used, own);
        };
        let during = (node.beginning_stamp(), node.ending_stamp());
        let mut suspects = Suspects::default();
        match raised.layer.filter(|layer| *layer != own) {
            Some(layer) if Some(layer) == carrier => {
                // What was taken, and has not ended in time, was carried well.
                let is_outstanding = self.automaton.inside[used as usize].clone().any(|inner| {
                    let is_taken = self.seen_nodes(inner).any(|node| node.received.is_some());
                    self.encloser(inner) == Some(used) && is_taken && !self.is_cleared(inner, during)
                });
                suspects.add(carrier.filter(|_| !raised.remote && !is_outstanding));
                self.add_behind(used, during, &|step| self.is_message(step), &mut suspects);
            }
            Some(layer) => {
                // What is in its own process has nobody behind it.
                let answers = |step| self.layer(step) == layer && !self.is_local(step);
                self.add_behind(used, during, &answers, &mut suspects);
                return suspects.or(layer);
            }
            None if raised.remote => self.add_behind(used, during, &|step| self.is_message(step), &mut suspects),
            None if raised.traced => {}
            None => {
                suspects.add([own]);
                self.add_local(failure.step, Some(used), &mut suspects);
            }
        }
        suspects.or(raised.layer.unwrap_or(own))
    }

    /// A layer, and all that its work at one place of the flow may have been waiting for.
    pub(super) fn suspects_within(&self, used: UseId, own: LayerId) -> Suspects {
        let mut suspects = Suspects::of(own);
        self.add_local(self.step_use(used).step, Some(used), &mut suspects);
        let node = self.seen_nodes(used).next_back();
        let during = node.map_or((None, None), |node| (node.beginning_stamp(), node.ending_stamp()));
        self.add_behind(used, during, &|_| true, &mut suspects);
        suspects
    }

    /// Adds the layers of the steps directly inside a step use that may have failed unseen, and of what is inside these.
    fn add_behind(
        &self,
        used: UseId,
        during: (Option<Stamp>, Option<Stamp>),
        fits: &dyn Fn(StepId) -> bool,
        suspects: &mut Suspects,
    ) {
        let owed = self.automaton.owed[used as usize];
        for inner in self.automaton.inside[used as usize].clone() {
            let step = self.step_use(inner).step;
            let is_direct = self.encloser(inner) == Some(used);
            // Nobody waits for the work of a cast.
            let is_cast = matches!(self.judge.grammar.step_at(step).kind, StepKind::Cast { .. });
            if !is_direct
                || is_cast
                || !fits(step)
                || !owed && self.automaton.owed[inner as usize]
                || self.is_cleared(inner, during)
            {
                continue;
            }
            if self.is_message(step) && self.seen_nodes(inner).all(|node| node.received.is_none()) {
                suspects.add(self.judge.grammar.vocabulary.carrier());
            }
            suspects.add([self.layer(step)]);
            if self.seen_nodes(inner).next().is_none() {
                suspects.need(self.judge.observability.needs(sought(self.automaton, inner), &self.touched, None));
            }
            self.add_behind(inner, during, &|_| true, suspects);
        }
    }

    /// Adds the layers that work in the same process as a step, unless what they did for it went well.
    pub(super) fn add_local(&self, step: StepId, used: Option<UseId>, suspects: &mut Suspects) {
        let grammar = self.judge.grammar;
        let service = grammar.step_at(step).service;
        for (number, other) in (0..).zip(&grammar.steps) {
            let id = StepId(number);
            if other.service != service || !self.is_local(id) || suspects.layers.contains(&other.layer) {
                continue;
            }
            let uses = used.map_or(0..0, |used| self.automaton.inside[used as usize].clone());
            let mut known = uses.filter(|used| self.layer(self.step_use(*used).step) == other.layer).peekable();
            if known.peek().is_none() || known.any(|used| !self.is_cleared(used, (None, None))) {
                suspects.add([other.layer]);
                let sought = Sought { step: id, caller: None };
                suspects.need(self.judge.observability.needs(sought, &self.touched, None));
            }
        }
    }

    /// Whether a step is known to have gone well, or not to have been at all.
    fn is_cleared(&self, used: UseId, (from, until): (Option<Stamp>, Option<Stamp>)) -> bool {
        let mut seen = false;
        for step in &self.fit.alignment.moves {
            if let Move::Both(known, at) = step
                && *known == used
            {
                seen = true;
                let well = self.observation(*at).phase == Phase::End && self.went_well(used, *at) == Some(true);
                // What was done after its caller had given up helped nobody.
                let clocks = self.judge.graph.clocks();
                let in_time = until.zip(self.node(*at).ending_stamp()).is_none_or(|(until, end)| {
                    // Clocks that nothing binds to each other tell of no order.
                    clocks.least_between(until, end).is_some_and(|late| late <= 0)
                });
                if well && in_time {
                    return true;
                }
            }
        }
        let (from, until) = (from.as_slice(), until.as_slice());
        !seen && self.judge.observability.covers(sought(self.automaton, used), &self.touched, from, until)
    }

    /// What was seen of a step use.
    pub(super) fn seen_nodes(&self, used: UseId) -> impl DoubleEndedIterator<Item = &Node> {
        self.fit.alignment.moves.iter().filter_map(move |step| match step {
            Move::Both(known, seen) if *known == used && self.observation(*seen).phase == Phase::Begin => {
                Some(self.node(*seen))
            }
            _ => None,
        })
    }

    pub(super) fn is_message(&self, step: StepId) -> bool {
        matches!(self.judge.grammar.step_at(step).kind, StepKind::Call { .. } | StepKind::Cast { .. })
    }

    /// Whether a step runs in the process of what calls it.
    fn is_local(&self, step: StepId) -> bool {
        matches!(self.judge.grammar.step_at(step).kind, StepKind::Operation { .. })
    }

    /// Who is to be asked for a message that was not answered, or not taken: the way, or the work of the one who took it. With
    /// the step that it stopped in.
    pub(super) fn suspects_of_call(
        &self,
        step: StepId,
        used: Option<UseId>,
        id: Option<NodeId>,
        is_untaken: bool,
    ) -> (Suspects, StepId) {
        let own = self.layer(step);
        let node = id.map(|id| self.judge.graph.node(id));
        if node.is_some_and(|node| node.received.is_some()) {
            let open = id.and_then(|id| self.open_inside(id));
            return match open {
                Some((step, layer)) => (Suspects::of(layer), step),
                None => {
                    let mut suspects = Suspects::of(own);
                    self.add_local(step, used, &mut suspects);
                    (suspects, step)
                }
            };
        }
        let mut suspects = Suspects::default();
        suspects.add(self.judge.grammar.vocabulary.carrier());
        let service = self.judge.grammar.step_at(step).service;
        let until = used.and_then(|used| self.due(used));
        // A log that would show it, and shows its service at work, speaks for the service.
        if !is_untaken || !self.is_alive(service, node.and_then(Node::sent_stamp), until) {
            suspects.add([own]);
            // Where the log would show it, nobody took it: then nothing of its work was done.
            if let Some(used) = used.filter(|_| !is_untaken) {
                suspects.need(self.judge.observability.needs(sought(self.automaton, used), &self.touched, None));
                self.add_behind(used, (None, None), &|_| true, &mut suspects);
            }
        }
        (suspects.or(own), step)
    }

    /// Whether the receiver's log is there for all of the time in which a message's sender waited, and shows nothing of it.
    pub(super) fn was_not_taken(&self, used: UseId, node: &Node) -> bool {
        let (from, until) = (node.sent_stamp(), self.last_seen());
        let sought = sought(self.automaton, used);
        node.received.is_none()
            && self.judge.observability.covers(sought, &self.touched, from.as_slice(), until.as_slice())
    }

    /// The work inside some other that did not end, or did not end well.
    pub(super) fn open_inside(&self, id: NodeId) -> Option<(StepId, LayerId)> {
        let graph = self.judge.graph;
        let open = |child: &NodeId| graph.node(*child).ended.is_none() && graph.node(*child).begun;
        let child = graph.children(id).into_iter().rfind(open)?;
        let step = graph.node(child).step()?;
        Some(self.open_inside(child).unwrap_or((step, self.layer(step))))
    }

    /// Whether a service's log of this flow shows it at work after a moment.
    fn is_alive(&self, service: ServiceId, since: Option<Stamp>, until: Option<Stamp>) -> bool {
        let Some(since) = since else { return false };
        if until.is_some_and(|until| self.judge.observability.is_writing(service, &self.touched, since, until)) {
            return true;
        }
        let of_flow = |node: &Node| {
            let source = node.received.map(|place| place.source);
            source.is_some_and(|source| self.touched.logs.contains_key(&(source, service)))
        };
        let clocks = self.judge.graph.clocks();
        let after =
            |stamp: Option<Stamp>| stamp.and_then(|stamp| clocks.least_between(since, stamp)).is_some_and(|d| d > 0);
        let mut nodes = self.judge.graph.nodes().map(|(_, node)| node);
        nodes.any(|node| {
            let takes = matches!(node.kind, NodeKind::Call | NodeKind::Cast);
            takes && node.service == Some(service) && of_flow(node) && after(node.beginning_stamp())
        })
    }
}
