//! Joins by resource: requests that no id leads to a cause, in the logs of releases before oslo.log 4.8.0, where cinder does not
//! log nova's id.
//!
//! A request joins the only flow that was under way, that has such a step, and that is about the same volume. Where two flows
//! could have sent it, it stays alone.

use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::base::time::{SECOND, Timestamp};
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Flow, Grammar, StepId};
use crate::trace::graph::CallGraph;
use crate::trace::node::{Edge, EdgeKind, JoinedBy, Node, NodeId, NodeKind};

/// How far clocks of hosts may differ for a request still to be taken as sent within a flow, in microseconds.
const SLACK: i64 = 2 * SECOND;

/// A flow that no id leads out of.
struct Started {
    root: NodeId,
    /// The root and the work that it caused, which may have sent requests.
    senders: Vec<NodeId>,
    from: Timestamp,
    to: Timestamp,
    volume: Option<Uuid>,
    /// The steps of the flows that it can be.
    steps: Vec<StepId>,
}

/// Gives causes to requests of services that take part in flows sent straight to them and that nothing else joins.
pub(crate) fn join_by_resource(grammar: &Grammar, graph: &mut CallGraph) {
    let started = started(grammar, graph);
    if started.is_empty() {
        return;
    }
    let direct: Vec<StepId> =
        grammar.flows.iter().filter(|flow| flow.direct).flat_map(|flow| flow.starts.iter().copied()).collect();
    let alone = |node: &Node| {
        node.kind == NodeKind::Http
            && node.sent.is_none()
            && node.global.is_none()
            && node.steps.iter().any(|step| direct.contains(step))
    };
    let loose: Vec<NodeId> =
        graph.nodes().filter(|(id, node)| alone(node) && graph.parent(*id).is_none()).map(|(id, _)| id).collect();
    // What the first round joins tells the volumes of attachments for the second.
    for _ in 0..2 {
        let volumes: FxHashMap<Uuid, Uuid> =
            graph.nodes().filter_map(|(_, node)| node.attachment.zip(node.volume)).collect();
        for id in &loose {
            if graph.parent(*id).is_some() {
                continue;
            }
            let node = graph.node(*id);
            let volume = node.volume.or_else(|| volumes.get(&node.attachment?).copied());
            let Some(time) = node.beginning() else { continue };
            let fits = |flow: &&Started, slack: i64| {
                let in_time = flow.from.plus(-slack) <= time && time <= flow.to.plus(slack);
                let same_volume = volume.is_none() || flow.volume.is_none() || volume == flow.volume;
                in_time && same_volume && node.steps.iter().any(|step| flow.steps.binary_search(step).is_ok())
            };
            // One that was under way by its own clock is nearer than one that had just ended.
            let only = |slack: i64| {
                let mut fitting = started.iter().filter(|flow| fits(flow, slack));
                fitting.next().map(|flow| (flow, fitting.next().is_none()))
            };
            let Some((flow, true)) = only(0).or_else(|| only(SLACK)) else { continue };
            let begun = |sender: &&NodeId| graph.node(**sender).beginning().is_some_and(|begin| begin <= time);
            let sender = flow.senders.iter().filter(begun).max_by_key(|sender| graph.node(**sender).beginning());
            let sender = sender.copied().unwrap_or(flow.root);
            let known = volume.or(flow.volume);
            graph.add_edge(
                sender,
                *id,
                Edge { kind: EdgeKind::Request, joined_by: JoinedBy::Resource, certain: false },
            );
            graph.node_mut(*id).volume = known;
        }
    }
}

/// The flows of which no request to another service was joined by an id.
fn started(grammar: &Grammar, graph: &CallGraph) -> Vec<Started> {
    let mut started = Vec::new();
    for (root, node) in graph.nodes() {
        let flows: Vec<&Flow> = grammar
            .flows
            .iter()
            .filter(|flow| !flow.direct && node.steps.iter().any(|step| flow.starts.contains(step)))
            .collect();
        let (Some(from), false) = (node.beginning(), flows.is_empty()) else { continue };
        let tree = tree(graph, root);
        let strange = |id: &NodeId| {
            let other = graph.node(*id);
            other.kind == NodeKind::Http && other.service != node.service && serves_steps(grammar, other)
        };
        if tree.iter().any(strange) {
            continue;
        }
        let senders: Vec<NodeId> = tree.into_iter().filter(|id| graph.node(*id).kind != NodeKind::Operation).collect();
        let to = senders.iter().filter_map(|id| graph.node(*id).ending()).max().unwrap_or(from);
        let volume = senders.iter().find_map(|id| graph.node(*id).volume);
        let mut steps: Vec<StepId> = flows.iter().flat_map(|flow| flow.steps()).collect();
        steps.sort_unstable();
        started.push(Started { root, senders, from, to, volume, steps });
    }
    started
}

/// Whether a request is a step of some flow, and no look-up.
fn serves_steps(grammar: &Grammar, node: &Node) -> bool {
    let is_step = |flow: &Flow| node.steps.iter().any(|step| flow.starts.contains(step));
    grammar.flows.iter().filter(|flow| flow.direct).any(is_step)
}

fn tree(graph: &CallGraph, root: NodeId) -> Vec<NodeId> {
    let mut nodes = vec![root];
    let mut next = 0;
    while next < nodes.len() {
        nodes.extend(graph.children(nodes[next]));
        next += 1;
    }
    nodes
}

/// The logs, by input and service, whose lines tell the id that the caller passed along.
pub fn logs_with_global_ids(graph: &CallGraph) -> rustc_hash::FxHashSet<(crate::model::source::SourceId, ServiceId)> {
    let told = |node: &Node| node.global.and(node.received).map(|place| place.source).zip(node.service);
    graph.nodes().filter_map(|(_, node)| told(node)).collect()
}
