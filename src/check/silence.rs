//! Where a flow that is stuck stopped: in the innermost work that has no end, or on the way to what never began.

use crate::check::alignment::{Move, Phase};
use crate::check::conformance::sought;
use crate::check::judge::Trial;
use crate::check::suspects::Suspects;
use crate::check::verdict::{Blame, Broke};
use crate::spec::automaton::UseId;
use crate::trace::node::{Node, NodeId};

impl Trial<'_> {
    /// Where a flow that is stuck stopped.
    pub(super) fn blame_of_silence(&self) -> Blame {
        let Some(pending) = self.pending() else { return self.blame_of_missing() };
        let step = self.step_use(pending).step;
        if self.is_message(step) {
            let suspects = self.suspects_of_message(pending);
            return self.blamed(suspects, Some(step), Broke::NeverBegan, None);
        }
        let Some((used, id)) = self.open_around(pending) else { return self.blame_of_missing() };
        let (node, own) = (self.judge.graph.node(id), self.step_use(used).step);
        if self.is_message(own) && node.received.is_none() {
            let (suspects, step) = self.suspects_of_call(own, Some(used), Some(id), false);
            return self.blamed(suspects, Some(step), Broke::NeverEnded, None);
        }
        let (suspects, step) = match self.open_inside(id) {
            Some((step, layer)) => (Suspects::of(layer), step),
            None => {
                let mut suspects = Suspects::of(self.layer(own));
                self.add_local(own, Some(used), &mut suspects);
                (suspects, own)
            }
        };
        self.blamed(suspects, Some(step), Broke::NeverEnded, self.cause(id))
    }

    /// The innermost work around a step that was seen to begin and not to end.
    fn open_around(&self, pending: UseId) -> Option<(UseId, NodeId)> {
        let is_open = |node: &Node| node.ending().is_none() && node.status.is_none();
        let is_around = |used: &UseId| self.automaton.inside[*used as usize].contains(&pending);
        self.fit.alignment.moves.iter().rev().find_map(|step| match step {
            Move::Both(used, seen) if self.observation(*seen).phase == Phase::Begin && is_around(used) => {
                is_open(self.node(*seen)).then(|| (*used, self.node_id(*seen)))
            }
            _ => None,
        })
    }

    /// Who is to be asked for a message that nobody took: who had to send it, the way, and who had to take it.
    fn suspects_of_message(&self, used: UseId) -> Suspects {
        let graph = self.judge.graph;
        let step = self.step_use(used).step;
        let of_step = |id: &&NodeId| graph.node(**id).steps.contains(&step) && graph.node(**id).received.is_none();
        let sent = self.case.nodes.iter().find(of_step).copied();
        let (receiving, _) = self.suspects_of_call(step, Some(used), sent, self.is_overdue(used));
        if sent.is_some() {
            return receiving;
        }
        let mut suspects = Suspects::default();
        for around in self.enclosers(used) {
            let sender = self.step_use(around).step;
            let service = self.judge.grammar.step_at(sender).service;
            suspects.add([self.layer(sender)]);
            if self.seen_nodes(around).next().is_none() {
                suspects.need(self.judge.observability.needs(sought(self.automaton, around), &self.touched, None));
                continue;
            }
            // Where the log shows what is sent, nothing was.
            if self.judge.observability.shows_messages(service, &self.touched) {
                return Suspects::of(self.layer(sender));
            }
            suspects.need(self.judge.observability.messages_needed(service));
            break;
        }
        suspects.add(receiving.layers);
        receiving.needs.into_iter().for_each(|need| suspects.need(need));
        suspects
    }

    /// The step uses around one, the nearest first.
    pub(super) fn enclosers(&self, used: UseId) -> impl Iterator<Item = UseId> {
        std::iter::successors(self.encloser(used), |used| self.encloser(*used))
    }

    /// What had to be asked for was not, by the one who had to, or by whoever had to make that one work.
    fn blame_of_missing(&self) -> Blame {
        let missing = self.fit.alignment.moves.iter().find_map(|step| match step {
            Move::Model(used, Phase::Begin, true) => Some(*used),
            _ => None,
        });
        let used = missing.or_else(|| self.pending());
        let mut suspects = Suspects::default();
        for around in used.into_iter().flat_map(|used| self.enclosers(used)) {
            let step = self.step_use(around).step;
            suspects.add([self.layer(step)]);
            if self.seen_nodes(around).next().is_some() {
                break;
            }
            self.add_local(step, Some(around), &mut suspects);
            suspects.add(self.judge.grammar.vocabulary.carrier().filter(|_| self.is_message(step)));
            suspects.need(self.judge.observability.needs(sought(self.automaton, around), &self.touched, None));
        }
        let step = used.map(|used| self.step_use(used).step);
        self.blamed(suspects, step, Broke::NeverBegan, None)
    }
}
