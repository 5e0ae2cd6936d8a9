//! Joins by resource: requests that no id leads to a cause, in the logs of releases before oslo.log 4.8.0, where cinder does not
//! log nova's id.
//!
//! A request joins the only flow that was under way, that has such a step, that is about the same volume, and whose work is told
//! by a log that names none of the requests that it sends. Where two flows could have sent it, it stays alone.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::base::time::{SECOND, Timestamp};
use crate::model::source::SourceId;
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Flow, Grammar, StepId, StepKind};
use crate::trace::clocks::ClockId;
use crate::trace::graph::CallGraph;
use crate::trace::node::{Edge, EdgeKind, JoinedBy, Node, NodeId, NodeKind};

/// How far clocks of hosts may differ for a request still to be taken as sent within a flow, in microseconds.
const SLACK: i64 = 2 * SECOND;

/// A flow with work whose log names none of the requests that it sends.
struct Started {
    root: NodeId,
    /// The root and the work that it caused, which may have sent requests.
    senders: Vec<NodeId>,
    from: Timestamp,
    to: Timestamp,
    /// Until when it may have gone on: later than `to` where no log shows the end of its work.
    at_most: Timestamp,
    volume: Option<Uuid>,
    /// The volume that takes its place.
    target: Option<Uuid>,
    /// The steps of the flows that it can be.
    steps: Vec<StepId>,
}

impl Started {
    fn may_have_sent(&self, time: Timestamp, slack: i64) -> bool {
        self.from.plus(-slack) <= time && time <= self.to.plus(slack)
    }

    fn may_still_have_sent(&self, time: Timestamp) -> bool {
        self.from <= time && time <= self.at_most
    }
}

/// Gives causes to requests of services that take part in flows sent straight to them and that nothing else joins.
pub(crate) fn join_by_resource(grammar: &Grammar, graph: &mut CallGraph) {
    let started = started(grammar, graph);
    if started.is_empty() {
        return;
    }
    let direct: Vec<StepId> =
        grammar.flows.iter().filter(|flow| flow.direct).flat_map(|flow| flow.starts.iter().copied()).collect();
    // A log that tells what callers pass along tells that nothing was.
    let alone = |node: &Node| {
        node.kind == NodeKind::Http
            && node.sent.is_none()
            && node.global.is_none()
            && !node.tells_global
            && node.steps.iter().any(|step| direct.contains(step))
    };
    let loose: Vec<NodeId> =
        graph.nodes().filter(|(id, node)| alone(node) && graph.parent(*id).is_none()).map(|(id, _)| id).collect();
    let mut joined: BTreeMap<(ClockId, ClockId), (i64, i64)> = BTreeMap::new();
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
            let Some(flow) = sender_of(&started, node, volume, time) else { continue };
            let begun = |sender: &&NodeId| graph.node(**sender).beginning().is_some_and(|begin| begin <= time);
            let sender = flow.senders.iter().filter(begun).max_by_key(|sender| graph.node(**sender).beginning());
            let sender = sender.copied().unwrap_or(flow.root);
            let known = volume.or(flow.volume.filter(|_| flow.target.is_none()));
            if let (Some(own), Some(clock)) = (graph.node(flow.root).clock, node.clock) {
                let (least, most) = (time.since(flow.at_most) - SLACK, time.since(flow.from) + SLACK);
                let bounds = joined.entry((own, clock)).or_insert((least, most));
                *bounds = (bounds.0.max(least), bounds.1.min(most));
            }
            graph.add_edge(
                sender,
                *id,
                Edge { kind: EdgeKind::Request, joined_by: JoinedBy::Resource, certain: false },
            );
            graph.node_mut(*id).volume = known;
        }
    }
    for ((first, second), (least, most)) in joined {
        if !graph.clocks().are_bound(first, second) {
            graph.clocks_mut().bind(first, second, least, most);
        }
    }
}

/// The only flow that can have sent a request.
fn sender_of<'a>(started: &'a [Started], node: &Node, volume: Option<Uuid>, time: Timestamp) -> Option<&'a Started> {
    let fits = |flow: &&Started| {
        let same_volume = volume.is_none() || flow.volume.is_none() || volume == flow.volume || volume == flow.target;
        same_volume && node.steps.iter().any(|step| flow.steps.binary_search(step).is_ok())
    };
    let only = |in_time: &dyn Fn(&Started) -> bool| {
        let mut fitting = started.iter().filter(|flow| in_time(flow) && fits(flow));
        fitting.next().map(|flow| (flow, fitting.next().is_none()))
    };
    let nearly = |flow: &Started| flow.may_have_sent(time, SLACK);
    let found = match volume {
        // Two that may be at work on one volume are two readings, however near one of them is.
        Some(_) => only(&|flow| flow.may_still_have_sent(time)).or_else(|| only(&nearly)),
        // One that was under way by its own clock is nearer than one that had just ended, or that may go on.
        None => only(&|flow| flow.may_have_sent(time, 0))
            .or_else(|| only(&nearly))
            .or_else(|| only(&|flow| flow.may_still_have_sent(time))),
    };
    found.and_then(|(flow, only)| only.then_some(flow))
}

/// The flows with work whose log names no request that it sent.
fn started(grammar: &Grammar, graph: &CallGraph) -> Vec<Started> {
    let telling: FxHashSet<(SourceId, ServiceId)> =
        graph.nodes().filter_map(|(_, node)| node.sent.map(|place| place.source).zip(node.caller)).collect();
    let direct: FxHashSet<ServiceId> = grammar
        .flows
        .iter()
        .filter(|flow| flow.direct)
        .flat_map(|flow| &flow.starts)
        .map(|step| grammar.step_at(*step).service)
        .collect();
    let mut started = Vec::new();
    // What is itself sent straight to such a service sends nothing to it.
    let senders = graph.nodes().filter(|(_, node)| node.service.is_none_or(|service| !direct.contains(&service)));
    for (root, node) in senders {
        let flows: Vec<&Flow> = grammar
            .flows
            .iter()
            .filter(|flow| !flow.direct && node.steps.iter().any(|step| flow.starts.contains(step)))
            .collect();
        let (Some(from), false) = (node.beginning(), flows.is_empty()) else { continue };
        let tree = tree(graph, root);
        let is_silent = |id: &NodeId| {
            let sender = graph.node(*id);
            let log = sender.received.map(|place| place.source).zip(sender.service);
            sender.kind != NodeKind::Operation && log.is_none_or(|log| !telling.contains(&log))
        };
        let volume = tree.iter().find_map(|id| graph.node(*id).volume);
        let is_done = |id: &NodeId| graph.node(*id).kind == NodeKind::Cast && graph.node(*id).end.is_some();
        let refused = node.status.is_some_and(|status| status >= 400);
        let goes_on = !refused && !tree.iter().any(is_done);
        // Of work that only a log that is not given would tell, the request that asked for it stands for the sender.
        let is_cast = |id: &NodeId| graph.node(*id).kind == NodeKind::Cast;
        let by_others = flows.iter().flat_map(|flow| flow.steps()).map(|step| grammar.step_at(step));
        let mut by_others = by_others.filter(|step| matches!(step.kind, StepKind::Cast { .. }));
        let is_unseen = !refused
            && !tree.iter().any(is_cast)
            && by_others.any(|step| !telling.iter().any(|(_, service)| *service == step.service));
        let deadline = flows.iter().filter_map(|flow| flow.deadline).max().filter(|_| goes_on);
        // In its work others serve: a request to them is no sender of another.
        let served = graph.node(root).service;
        let sends =
            |id: &NodeId| *id == root || graph.node(*id).kind != NodeKind::Http || graph.node(*id).service == served;
        let senders: Vec<NodeId> =
            tree.into_iter().filter(|id| sends(id) && (is_silent(id) || *id == root && is_unseen)).collect();
        let Some(to) = senders.iter().map(|id| graph.node(*id).ending().unwrap_or(from)).max() else { continue };
        let at_most = deadline.map_or(to, |deadline| from.plus(deadline).max(to));
        let mut steps: Vec<StepId> = flows.iter().flat_map(|flow| flow.steps()).collect();
        steps.sort_unstable();
        let target = senders.iter().find_map(|id| graph.node(*id).target);
        started.push((refused, Started { root, senders, from, to, at_most, volume, target, steps }));
    }
    end_before_the_next(&mut started);
    started.into_iter().map(|(_, flow)| flow).collect()
}

/// Nova begins nothing with a volume that something else is under way with: what may go on is over when the next begins.
fn end_before_the_next(started: &mut [(bool, Started)]) {
    let mut begun: FxHashMap<Uuid, Vec<Timestamp>> = FxHashMap::default();
    for (_, flow) in started.iter().filter(|(refused, _)| !refused) {
        begun.entry(flow.volume.unwrap_or_default()).or_default().push(flow.from);
    }
    for (_, flow) in started {
        let others = flow.volume.and_then(|volume| begun.get(&volume)).map_or(&[][..], Vec::as_slice);
        if let Some(next) = others.iter().filter(|next| **next > flow.to).min() {
            flow.at_most = flow.at_most.min(*next).max(flow.to);
        }
    }
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
pub fn logs_with_global_ids(graph: &CallGraph) -> FxHashSet<(SourceId, ServiceId)> {
    let told = |node: &Node| node.received.filter(|_| node.tells_global).map(|place| place.source).zip(node.service);
    graph.nodes().filter_map(|(_, node)| told(node)).collect()
}
