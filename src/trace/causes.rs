//! What causes tell of clocks: a request is sent before it arrives, an answer is given before the caller has it, and what encloses
//! some work begins before it.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::time::{SECOND, Timestamp};
use crate::model::event::RequestId;
use crate::spec::grammar::{Grammar, StepId};
use crate::trace::clocks::ClockId;
use crate::trace::node::{Node, NodeKind};

/// A log's last line of some work may be written that long after its answer has left, in microseconds.
const LATE_LINE: i64 = SECOND / 2;

/// What a cast encloses may go on for that long after its lock is free, in microseconds.
const LATE_WORK: i64 = 2 * SECOND;

/// The dates of answers are whole seconds.
const DATE: i64 = SECOND;

/// What causes tell of two clocks: how far the second is ahead of the first.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) least: Vec<i64>,
    pub(super) most: Vec<i64>,
    /// The same where no line is late.
    pub(super) near_least: Vec<i64>,
    /// See above.
    pub(super) near_most: Vec<i64>,
}

/// What causes tell of each two clocks, the lower number first.
pub(super) type Pairs = BTreeMap<(ClockId, ClockId), Told>;

/// Looks for causes that ids alone have joined to what they caused, and that another clock told.
pub(super) fn pairs(grammar: &Grammar, nodes: &[Node], is_alive: &impl Fn(usize) -> bool) -> Pairs {
    let mut causes = Causes { nodes, pairs: Pairs::new() };
    causes.of_both_ends(is_alive);
    causes.of_callers(grammar, is_alive);
    causes.pairs
}

/// What was found.
struct Causes<'a> {
    nodes: &'a [Node],
    pairs: Pairs,
}

impl Causes<'_> {
    /// Notes that one moment was not before another, each on its own clock; the cause's line may be `late`.
    fn follows(
        &mut self,
        (cause, cause_clock): (Timestamp, ClockId),
        (effect, clock): (Timestamp, ClockId),
        late: i64,
    ) {
        let near = effect.since(cause);
        let ahead = near.saturating_add(late);
        if cause_clock < clock {
            let told = self.pairs.entry((cause_clock, clock)).or_default();
            told.most.push(ahead);
            told.near_most.push(near);
        } else if clock < cause_clock {
            let told = self.pairs.entry((clock, cause_clock)).or_default();
            told.least.push(ahead.saturating_neg());
            told.near_least.push(near.saturating_neg());
        }
    }

    /// What the two ends of requests and messages tell.
    fn of_both_ends(&mut self, is_alive: &impl Fn(usize) -> bool) {
        for (_, node) in self.nodes.iter().enumerate().filter(|(index, _)| is_alive(*index)) {
            let (Some(own), Some(sender)) = (node.clock, node.sender_clock) else { continue };
            let (start, end) = (node.start.map(|time| (time, own)), node.end.map(|time| (time, own)));
            let answered = node.answered_time.filter(|_| !node.timed_out).map(|time| (time, sender));
            if !node.dated {
                let sent = node.sent_time.map(|time| (time, sender));
                if let Some((sent, start)) = sent.zip(start) {
                    self.follows(sent, start, 0);
                }
                if let Some((end, answered)) = end.zip(answered) {
                    self.follows(end, answered, LATE_LINE);
                }
                continue;
            }
            // An answer is dated within the second in which it was given.
            if let (Some(start), Some((date, clock))) = (start, answered) {
                self.follows(start, (date.plus(DATE), clock), LATE_LINE);
            }
            if let (Some((end, own)), Some(date)) = (end, answered) {
                self.follows(date, (end, own), LATE_LINE);
            }
        }
    }

    /// What work tells that the same request caused: its root came before it, and what encloses it by the specification ended
    /// after it.
    fn of_callers(&mut self, grammar: &Grammar, is_alive: &impl Fn(usize) -> bool) {
        let nodes = self.nodes;
        let enclosing = enclosing(grammar);
        let mut by_request: FxHashMap<RequestId, Vec<&Node>> = FxHashMap::default();
        for (_, node) in nodes.iter().enumerate().filter(|(index, _)| is_alive(*index)) {
            if let (Some(request), Some(_), Some(_)) = (node.request, node.received, node.clock)
                && matches!(node.kind, NodeKind::Http | NodeKind::Call | NodeKind::Cast)
            {
                by_request.entry(request).or_default().push(node);
            }
        }
        for (_, node) in nodes.iter().enumerate().filter(|(index, _)| is_alive(*index)) {
            let id = match node.kind {
                NodeKind::Http => node.global,
                NodeKind::Call | NodeKind::Cast => node.request,
                NodeKind::Client | NodeKind::Operation => None,
            };
            let (Some(id), Some(clock), Some(_)) = (id, node.clock, node.received) else { continue };
            let Some(callers) = by_request.get(&id) else { continue };
            let mut roots = callers.iter().filter(|other| other.kind == NodeKind::Http && other.begun);
            if let (Some(root), None) = (roots.next(), roots.next())
                && let (Some(cause), Some(effect)) = (root.start.zip(root.clock), node.start)
            {
                self.follows(cause, (effect, clock), 0);
            }
            let encloses = |other: &&&Node| {
                let steps = node.steps.iter().filter_map(|step| enclosing.get(step));
                !std::ptr::eq(**other, node) && steps.flatten().any(|step| other.steps.contains(step))
            };
            let mut enclosers = callers.iter().filter(encloses);
            let (Some(outer), None) = (enclosers.next(), enclosers.next()) else { continue };
            let Some(outer_clock) = outer.clock else { continue };
            if let (true, Some(cause), Some(effect)) = (outer.begun, outer.start, node.start) {
                self.follows((cause, outer_clock), (effect, clock), 0);
            }
            let waits = node.kind != NodeKind::Cast
                && !node.timed_out
                && outer.status.is_none_or(|status| status < 500)
                && outer.success != Some(false);
            if let (true, Some(end), Some(outer_end)) = (waits, node.end, outer.end) {
                let doubt = if outer.kind == NodeKind::Cast { LATE_WORK } else { LATE_LINE };
                self.follows((end, clock), (outer_end, outer_clock), doubt);
            }
        }
    }
}

/// The steps that each step may be right inside of, over all flows.
fn enclosing(grammar: &Grammar) -> FxHashMap<StepId, FxHashSet<StepId>> {
    let mut enclosing: FxHashMap<StepId, FxHashSet<StepId>> = FxHashMap::default();
    for variant in grammar.flows.iter().flat_map(|flow| &flow.variants) {
        variant.term.each_use(&mut |outer| {
            outer.body.each_outermost(&mut |inner| {
                enclosing.entry(inner.step).or_default().insert(outer.step);
            });
        });
    }
    enclosing
}
