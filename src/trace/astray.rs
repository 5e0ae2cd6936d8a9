//! Requests of a case that are about something else than the case.

use rustc_hash::FxHashSet;
use uuid::Uuid;

use crate::spec::grammar::{Flow, Grammar, Machine, Subject};
use crate::trace::cases::Case;
use crate::trace::graph::CallGraph;
use crate::trace::node::{Node, NodeId, NodeKind};
use crate::trace::resources::Resources;

/// The nodes of a case that change another volume than that which its first request names, or work on another attachment than
/// the others do, sorted. Flows that move a volume from one attachment to another, or exchange volumes, have several.
pub(crate) fn astray(grammar: &Grammar, graph: &CallGraph, resources: &Resources, case: &Case) -> Vec<NodeId> {
    let flows = || case.flows.iter().map(|index| &grammar.flows[*index]);
    if flows().any(|flow| flow.direct || flow.per_volume) {
        return Vec::new();
    }
    let exchanges = flows().flat_map(Flow::steps).any(|step| grammar.step_at(step).names_target.is_some());
    let root =
        case.root.map(|root| graph.node(root)).filter(|root| root.volume.is_some() && case.volume == root.volume);
    let Some(root) = root.filter(|root| !exchanges || root.target.is_some()) else { return Vec::new() };
    // What a service does inside may need volumes of its own: copies, caches, what takes a volume's place.
    let is_asked = |node: &Node| node.kind == NodeKind::Http && node.service != root.service;
    let status = grammar.machine(Subject::VolumeStatus);
    let changes = |node: &Node| status.is_some_and(|status| node.steps.iter().any(|step| status.concerns(*step)));
    let other_volume = |id: &NodeId| {
        let node = graph.node(*id);
        let told = resources.told_volume(*id).filter(|_| is_asked(node) && changes(node));
        told.is_some() && told != root.volume && told != root.target
    };
    let mut found: FxHashSet<NodeId> = case.nodes.iter().copied().filter(other_volume).collect();
    if let Some(records) = grammar.machine(Subject::Attachment).filter(|_| !exchanges) {
        found.extend(of_other_attachment(records, graph, case, &is_asked));
    }
    // What is done for such a request is about the same.
    let is_found = |id: &NodeId| std::iter::once(*id).chain(graph.causes(*id)).any(|cause| found.contains(&cause));
    let mut found: Vec<NodeId> = case.nodes.iter().copied().filter(is_found).collect();
    found.sort_unstable();
    found
}

/// The requests about another attachment than the first, when the case can have one only. That a request to make one was sent
/// twice, since the first answer was lost, leaves a second one that nobody works on.
fn of_other_attachment(
    records: &Machine,
    graph: &CallGraph,
    case: &Case,
    is_asked: &dyn Fn(&Node) -> bool,
) -> Vec<NodeId> {
    let makes = |node: &Node| node.step().is_some_and(|step| records.makes(step));
    let works = |id: &NodeId| {
        let node = graph.node(*id);
        let concerned = is_asked(node) && node.step().is_some_and(|step| records.concerns(step));
        node.attachment.filter(|_| concerned && !makes(node)).map(|attachment| (*id, attachment))
    };
    let mut works: Vec<(NodeId, Uuid)> = case.nodes.iter().filter_map(works).collect();
    works.sort_by_key(|(id, _)| (graph.node(*id).beginning(), *id));
    let made = case.nodes.iter().map(|id| graph.node(*id)).filter(|node| makes(node)).find_map(|node| node.attachment);
    let first = works.first().map(|(_, attachment)| *attachment);
    let made = made.filter(|made| works.iter().any(|(_, attachment)| attachment == made));
    let Some(own) = made.or(first) else { return Vec::new() };
    works.into_iter().filter(|(_, attachment)| *attachment != own).map(|(id, _)| id).collect()
}
