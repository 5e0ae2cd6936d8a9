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
    let concerned = |subject| {
        let machine = grammar.machines.iter().find(move |machine| machine.subject == subject);
        move |node: &Node| machine.is_some_and(|machine| node.steps.iter().any(|step| machine.concerns(*step)))
    };
    let of_status = concerned(Subject::VolumeStatus);
    // What a service does inside may need volumes of its own: copies, caches, what takes a volume's place.
    let is_asked = |node: &Node| node.kind == NodeKind::Http && node.service != root.service && of_status(node);
    let other_volume = |id: &NodeId| {
        let told = resources.told_volume(*id).filter(|_| is_asked(graph.node(*id)));
        told.is_some() && told != root.volume && told != root.target
    };
    let mut found: FxHashSet<NodeId> = case.nodes.iter().copied().filter(other_volume).collect();
    if !exchanges && let Some(records) = grammar.machines.iter().find(|machine| machine.subject == Subject::Attachment)
    {
        found.extend(of_other_attachment(records, graph, case));
    }
    // What is done for such a request is about the same.
    let all = case.nodes.iter().copied();
    let causes =
        |id: NodeId| std::iter::successors(Some(id), |at| graph.parent(*at).map(|(parent, _)| parent)).take(64);
    let mut found: Vec<NodeId> = all.filter(|id| causes(*id).any(|cause| found.contains(&cause))).collect();
    found.sort_unstable();
    found
}

/// The requests about another attachment than the first, when the case can have one only. That a request to make one was sent
/// twice, since the first answer was lost, leaves a second one that nobody works on.
fn of_other_attachment(records: &Machine, graph: &CallGraph, case: &Case) -> Vec<NodeId> {
    let none = records.states.iter().position(|(name, _)| name == "none");
    let makes = |node: &Node| {
        let mut of_step = records
            .transitions
            .iter()
            .filter(|transition| node.step().is_some_and(|step| transition.by.contains(&step)));
        of_step.any(|transition| none.is_some_and(|none| transition.from.contains(&none)))
    };
    let works = |id: &NodeId| {
        let node = graph.node(*id);
        let root = case.root.map(|root| graph.node(root).service);
        let is_asked = node.kind == NodeKind::Http && root != Some(node.service);
        let concerned = is_asked && node.step().is_some_and(|step| records.concerns(step));
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
