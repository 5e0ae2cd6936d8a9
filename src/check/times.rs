//! How a flow's time was shared between the layers.
//!
//! How long some work took is told by one clock: its own, or that of who waited for it. Where it lies follows from the common
//! clock; work that would lie outside of what waited for it is moved into it, so that no clock makes a time negative. A
//! moment belongs to the innermost work that was going on; what was sent and not yet taken belongs to the layer that
//! carries messages, and what no log shows to nobody.

use rustc_hash::FxHashSet;

use crate::base::time::SECOND;
use crate::check::alignment::{Move, Phase};
use crate::check::judge::Trial;
use crate::check::shares::{Span, share, shift_into, whole_units};
use crate::check::verdict::{LayerTime, Times};
use crate::model::vocabulary::LayerId;
use crate::spec::grammar::StepKind;
use crate::trace::node::{EdgeKind, Node, NodeId, NodeKind};

/// A millisecond, in microseconds.
const MILLISECOND: i64 = SECOND / 1_000;

/// How deep work is followed.
const MOST_DEPTH: usize = 64;

/// Where work stands in time.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// What has to be added to its times.
    shift: i64,
    /// The work that waits for it, and must enclose it.
    within: Option<(i64, i64)>,
    depth: usize,
}

impl Trial<'_> {
    /// How the flow's time was shared; `None` when the logs tell no time of it.
    pub(super) fn times(&self) -> Option<Times> {
        let mine: FxHashSet<NodeId> = self.case.nodes.iter().copied().collect();
        let graph = self.judge.graph;
        let is_client = |id: NodeId| graph.node(id).kind == NodeKind::Client;
        let is_top = |id: &NodeId| {
            let parent = graph.parent(*id).map(|(parent, _)| parent);
            !is_client(*id) && parent.is_none_or(|parent| !mine.contains(&parent) || is_client(parent))
        };
        let mut timeline = Timeline { trial: self, mine: &mine, spans: Vec::new(), ends: Vec::new() };
        let mut tops: Vec<NodeId> = self.case.nodes.iter().copied().filter(is_top).collect();
        tops.sort_by_key(|id| (graph.node(*id).beginning(), *id));
        for id in tops {
            timeline.place(id, Place { shift: 0, within: None, depth: 0 });
        }
        let Timeline { spans, ends, .. } = timeline;
        // Look-ups before and after the flow are no part of its time.
        let steps: FxHashSet<NodeId> = self.fit.observed.nodes.iter().copied().collect();
        let of_flow = || ends.iter().filter(|(id, _)| steps.contains(id)).map(|(_, span)| *span);
        let root = self.case.root.and_then(|root| ends.iter().find(|(id, _)| *id == root));
        let from = root.map(|(_, (from, _))| *from).or_else(|| of_flow().map(|(from, _)| from).min())?;
        let to = of_flow().map(|(_, to)| to).max()?.max(from);
        let mut shares = share(&spans, from, to, self.sender_between());
        shares.sort_by_key(|(layer, part)| (layer.is_none(), std::cmp::Reverse(*part)));
        let parts: Vec<i64> = shares.iter().map(|(_, part)| *part).collect();
        let millis = whole_units(&parts, MILLISECOND);
        let told: Vec<LayerId> = spans.iter().filter_map(|span| span.owner).collect();
        let layers = shares.iter().zip(&millis).map(|((layer, _), millis)| LayerTime {
            layer: *layer,
            millis: *millis,
            may_include: layer.map(|layer| self.hidden_in(layer, &told)).unwrap_or_default(),
        });
        Some(Times { millis: millis.iter().sum(), layers: layers.collect() })
    }

    /// Whose the time between requests is: of those that a client sends one by one, the client's.
    fn sender_between(&self) -> Option<LayerId> {
        let root = self.judge.graph.node(self.case.root.filter(|_| self.flow.direct)?);
        self.judge.grammar.vocabulary.layer_of(root.caller?)
    }

    /// The layers whose time may be in that of another: they work in its processes and no line tells of it, or it waited for
    /// them and no line tells when they began.
    fn hidden_in(&self, layer: LayerId, told: &[LayerId]) -> Vec<LayerId> {
        let grammar = self.judge.grammar;
        let mut hidden: Vec<LayerId> = Vec::new();
        for step in &self.fit.alignment.moves {
            let used = match step {
                Move::Both(used, seen) if !self.node(*seen).begun => *used,
                Move::Model(used, Phase::Begin, _) => *used,
                _ => continue,
            };
            let own = self.step_use(used).step;
            let asks = matches!(grammar.step_at(own).kind, StepKind::Call { .. } | StepKind::Http { .. });
            // Where the asker is not seen either, its time is in that of who asked it.
            let asker = self.enclosers(used).find(|around| self.seen_nodes(*around).any(|node| node.begun));
            let is_asked = asker.is_some_and(|asker| self.layer(self.step_use(asker).step) == layer);
            let unseen = self.layer(own);
            if asks && is_asked && unseen != layer && !hidden.contains(&unseen) {
                hidden.push(unseen);
            }
        }
        for step in self.flow.steps().into_iter().map(|step| grammar.step_at(step)) {
            let host = grammar.vocabulary.layer_of(step.service);
            let is_hidden = matches!(step.kind, StepKind::Operation { .. }) && host == Some(layer);
            if is_hidden && step.layer != layer && !told.contains(&step.layer) && !hidden.contains(&step.layer) {
                hidden.push(step.layer);
            }
        }
        hidden
    }

    fn layer_of(&self, node: &Node) -> Option<LayerId> {
        let of_service = || self.judge.grammar.vocabulary.layer_of(node.service?);
        node.step().map(|step| self.layer(step)).or_else(of_service)
    }
}

/// The work of a case in time.
struct Timeline<'a> {
    trial: &'a Trial<'a>,
    mine: &'a FxHashSet<NodeId>,
    spans: Vec<Span<Option<LayerId>>>,
    /// From when to when each unit of work is known to have gone on.
    ends: Vec<(NodeId, (i64, i64))>,
}

impl Timeline<'_> {
    /// Finds the place of some work and of all that it caused.
    fn place(&mut self, id: NodeId, at: Place) {
        let graph = self.trial.judge.graph;
        let node = graph.node(id);
        let (asked, own) = (asked(node), self.own(id));
        let Some(whole) = asked.or(own) else {
            return self.place_inside(id, at, None);
        };
        let moved = |span: (i64, i64), shift: i64| (span.0.saturating_add(shift), span.1.saturating_add(shift));
        let fit = |span: (i64, i64), shift: i64, within: Option<(i64, i64)>| {
            let span = moved(span, shift);
            let Some(within) = within else { return (span, shift) };
            let extra = shift_into(span, within);
            let (from, to) = moved(span, extra);
            ((from.max(within.0), to.min(within.1)), shift.saturating_add(extra))
        };
        let (whole, shift) = fit(whole, at.shift, at.within);
        let owner = self.trial.layer_of(node);
        let carrier = self.trial.judge.grammar.vocabulary.carrier();
        let (mut inner, mut inner_shift) = (whole, shift);
        if asked.is_some() {
            let between = carrier.filter(|_| node.kind == NodeKind::Call && own.is_some());
            self.push(whole, at.depth * 2, between);
            if let Some(own) = own {
                (inner, inner_shift) = fit(own, shift, Some(whole));
                self.push(inner, at.depth * 2 + 1, owner);
            }
        } else {
            self.push(whole, at.depth * 2 + 1, owner);
        }
        self.ends.push((id, whole));
        self.place_inside(id, Place { shift: inner_shift, within: Some(inner), depth: at.depth + 1 }, Some(inner));
    }

    /// Finds the places of what some work caused. What is cast goes on by itself.
    fn place_inside(&mut self, id: NodeId, at: Place, inner: Option<(i64, i64)>) {
        if at.depth > MOST_DEPTH {
            return;
        }
        let graph = self.trial.judge.graph;
        for child in graph.children(id) {
            if !self.mine.contains(&child) {
                continue;
            }
            let node = graph.node(child);
            let is_cast = graph.parent(child).is_some_and(|(_, edge)| edge.kind == EdgeKind::Cast);
            if !is_cast {
                self.place(child, at);
                continue;
            }
            // It was taken as long after it was sent as the clocks leave certain.
            let since = node.sent_stamp().or(graph.node(id).beginning_stamp());
            let sent = since.map(|since| since.time.0).or(inner.map(|(from, _)| from));
            let apart = since.zip(node.beginning_stamp().filter(|_| node.start.is_some()));
            let apart = apart.and_then(|(since, start)| graph.clocks().least_between(since, start)).unwrap_or(0).max(0);
            let start = node.start.map(|start| start.0);
            let taken = sent.map(|sent| sent.saturating_add(at.shift).saturating_add(apart));
            let shift = taken.zip(start).map_or(at.shift, |(taken, start)| taken.saturating_sub(start));
            if let (Some(_), Some(taken)) = (node.sent_time, taken) {
                let carrier = self.trial.judge.grammar.vocabulary.carrier();
                // Whoever sent it may still be at work on something else.
                self.push((taken.saturating_sub(apart), taken), 0, carrier);
            }
            self.place(child, Place { shift, within: None, depth: 0 });
        }
    }

    fn push(&mut self, (from, to): (i64, i64), depth: usize, owner: Option<LayerId>) {
        self.spans.push(Span { from, to, depth, owner });
    }

    /// From when to when its own service's lines show some work: to what it caused last where no line shows its end.
    fn own(&self, id: NodeId) -> Option<(i64, i64)> {
        let graph = self.trial.judge.graph;
        let node = graph.node(id);
        let start = node.start?.0;
        let end = node.end.map(|end| end.0).or_else(|| {
            let waited = graph.children(id).into_iter().filter(|child| {
                graph.parent(*child).is_some_and(|(_, edge)| edge.kind != EdgeKind::Cast) && self.is_bound(id, *child)
            });
            let inside = waited.filter_map(|child| graph.node(child).ending().map(|end| end.0));
            let told = node.messages.iter().filter_map(|seen| seen.time.map(|time| time.0));
            inside.chain(told).max()
        });
        Some((start, end.unwrap_or(start).max(start)))
    }

    /// Whether the clocks of two units of work are compared with each other.
    fn is_bound(&self, first: NodeId, second: NodeId) -> bool {
        let graph = self.trial.judge.graph;
        let clock = |id: NodeId| graph.node(id).clock.or(graph.node(id).sender_clock);
        match (clock(first), clock(second)) {
            (Some(first), Some(second)) => first == second || graph.clocks().are_bound(first, second),
            _ => false,
        }
    }
}

/// From when to when somebody waited for some work.
fn asked(node: &Node) -> Option<(i64, i64)> {
    let (sent, answered) = (node.sent_time?.0, node.answered_time?.0);
    (sent <= answered && !node.dated).then_some((sent, answered))
}
