//! Requests about a server move several volumes: each is a case of its own.

use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::spec::grammar::{Grammar, StepId, StepKind, Subject};
use crate::trace::cases::Case;
use crate::trace::graph::CallGraph;
use crate::trace::node::{Node, NodeId, NodeKind};
use crate::trace::resources::Resources;

/// What a part of a case is about: a volume, or where the logs do not tell that, an attachment.
type Part = (Option<Uuid>, Option<Uuid>);

/// A case, or one for each volume that was touched for it, where its flow is about a server. Work that is about no volume
/// belongs to all of them.
pub(crate) fn per_volume(grammar: &Grammar, graph: &CallGraph, resources: &Resources, case: Case) -> Vec<Case> {
    let is_per_volume = |flow: &usize| grammar.flows[*flow].per_volume;
    if !case.flows.iter().any(is_per_volume) {
        return vec![case];
    }
    let flows = narrowed(grammar, graph, &case);
    let parts = Parts::new(grammar, graph, resources, &case, &flows);
    let found = parts.found();
    // An attachment that was made and is not named may be another's volume: then it is not known what belongs together.
    let is_nameless =
        parts.has_unnamed || parts.has_unnamed_attachment && found.iter().any(|(volume, _)| volume.is_none());
    let certain = case.certain && flows.len() == 1 && (found.len() < 2 || !is_nameless);
    let may_be_one = found.len() < 2 && !flows.iter().all(is_per_volume);
    if may_be_one || !flows.iter().any(is_per_volume) {
        return vec![Case { flows, certain, ..case }];
    }
    let flows: Vec<usize> = flows.into_iter().filter(is_per_volume).collect();
    let split = |part: &Part| {
        let nodes = case.nodes.iter().copied().filter(|id| parts.concerns(*id, *part)).collect();
        let certain = certain && !parts.may_be_half(part);
        Case { flows: flows.clone(), certain, volume: part.0, nodes, ..case.clone() }
    };
    found.iter().map(split).collect()
}

/// The flows that a case can be, by the work that was done for it where that tells more than its first request: at INFO an
/// action on a server has no name.
fn narrowed(grammar: &Grammar, graph: &CallGraph, case: &Case) -> Vec<usize> {
    if case.flows.len() < 2 {
        return case.flows.clone();
    }
    let is_work = |step: &StepId| matches!(grammar.step_at(*step).kind, StepKind::Call { .. } | StepKind::Cast { .. });
    let mut flows = case.flows.clone();
    for step in case.nodes.iter().filter_map(|id| graph.node(*id).step()).filter(is_work) {
        let has = |flow: &usize| grammar.flows[*flow].steps().binary_search(&step).is_ok();
        if flows.iter().any(has) {
            flows.retain(has);
        }
    }
    flows
}

/// The parts of a case, by what its nodes and all that they caused are about.
#[derive(Default)]
struct Parts {
    order: Vec<Part>,
    /// Whether a request that changes a volume tells neither the volume nor the attachment.
    has_unnamed: bool,
    /// Whether an attachment was made, and its answer is not logged.
    has_unnamed_attachment: bool,
    /// The parts that an attachment was made of.
    made: Vec<Part>,
    /// The parts that something was only removed of.
    removed: Vec<Part>,
    of_node: FxHashMap<NodeId, Vec<Part>>,
}

impl Parts {
    fn new(grammar: &Grammar, graph: &CallGraph, resources: &Resources, case: &Case, flows: &[usize]) -> Self {
        let machine = grammar.machine(Subject::VolumeStatus);
        let records = grammar.machine(Subject::Attachment);
        // What may be done anywhere in a flow, such as asking for a connection again, does nothing to a volume there.
        let is_aside = |step: &StepId| flows.iter().all(|flow| grammar.flows[*flow].anytime.contains(step));
        let concerns = |step: &StepId| machine.is_some_and(|machine| machine.concerns(*step));
        let changes = |node: &Node| node.steps.iter().any(|step| concerns(step) && !is_aside(step));
        let mut parts = Self::default();
        let mut nodes = case.nodes.clone();
        nodes.sort_by_key(|id| (graph.node(*id).beginning(), *id));
        for id in nodes {
            let node = graph.node(id);
            if node.kind != NodeKind::Http || Some(id) == case.root {
                continue;
            }
            let makes = |step: &StepId| records.is_some_and(|records| records.makes(*step));
            let is_made = node.steps.iter().any(makes);
            parts.has_unnamed_attachment |= is_made && node.attachment.is_none();
            let part = match resources.volume(id) {
                Some(volume) => (Some(volume), None),
                None => (None, node.attachment),
            };
            if part == (None, None) {
                parts.has_unnamed |= changes(node);
                continue;
            }
            parts.made.extend(Some(part).filter(|_| is_made));
            let removes = |step: &StepId| records.is_some_and(|records| records.removes(*step));
            let is_removal = node.steps.iter().all(removes);
            if changes(node) && !parts.order.contains(&part) {
                parts.order.push(part);
                parts.removed.extend(Some(part).filter(|_| is_removal));
            } else if changes(node) && !is_removal {
                parts.removed.retain(|removed| *removed != part);
            }
            parts.mark(graph, id, part);
        }
        parts
    }

    /// Whether a part may be half of what was done to a volume: one attachment was made and another removed of which no line tells
    /// the volume.
    fn may_be_half(&self, part: &Part) -> bool {
        let is_nameless = |removed: &Part| removed.0.is_none();
        let has_both = !self.made.is_empty() && self.removed.iter().any(is_nameless);
        self.order.len() > 1 && has_both && (self.made.contains(part) || self.removed.contains(part))
    }

    /// Marks a request as being about something, and with it what it caused and what caused it.
    fn mark(&mut self, graph: &CallGraph, id: NodeId, part: Part) {
        let mut below = vec![id];
        while let Some(next) = below.pop() {
            self.add(next, part);
            below.extend(graph.children(next));
        }
        let mut above = graph.parent(id);
        // No real chain is as deep.
        for _ in 0..64 {
            let Some((parent, _)) = above else { break };
            self.add(parent, part);
            above = graph.parent(parent);
        }
    }

    fn add(&mut self, id: NodeId, part: Part) {
        let known = self.of_node.entry(id).or_default();
        if !known.contains(&part) {
            known.push(part);
        }
    }

    /// The volumes, or attachments, that something was done to, in the order of time.
    fn found(&self) -> &[Part] {
        &self.order
    }

    /// Whether a node is about a part, or about none.
    fn concerns(&self, id: NodeId, part: Part) -> bool {
        self.of_node
            .get(&id)
            .is_none_or(|parts| parts.contains(&part) || !parts.iter().any(|other| self.order.contains(other)))
    }
}
