//! Joins the nodes: every node gets its cause.
//!
//! Order of trust: ids on the line itself (`used request id`, the answer's header, msg_id, unique_id), then the global id,
//! then the request id in the brackets.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::time::Timestamp;
use crate::model::event::RequestId;
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Grammar, MessageRole, StepId, StepKind, StepUse};
use crate::trace::builder::{Builder, Index};
use crate::trace::clocks::Clocks;
use crate::trace::graph::CallGraph;
use crate::trace::implied::add_implied;
use crate::trace::node::{Edge, EdgeKind, JoinedBy, MessageSeen, Node, NodeId, NodeKind};
use crate::trace::sides::{Merged, join_exchanges, join_work};
use crate::trace::told_by_work::narrow;

/// A cause, before the nodes have their final numbers.
pub(crate) type Link = (Index, Index, Edge);

/// The rank of a candidate that was under way.
const UNDER_WAY: u8 = 4;

/// How far a stranger's clock may be off before a cause is looked for elsewhere, in microseconds.
const SLACK: i64 = 2_000_000;

pub(crate) fn join(mut builder: Builder<'_>) -> CallGraph {
    let mut merged = Merged::default();
    let mut links = join_exchanges(&mut builder, &mut merged);
    join_work(&mut builder, &mut merged);
    for index in 0..builder.nodes.len() {
        label(&mut builder, index);
    }
    let clocks = Clocks::align(builder.grammar, &mut builder.nodes, |index| !merged.contains_key(&index));
    let dropped = |node: &Node| node.kind != NodeKind::Client && node.rpc.is_some() && node.steps.is_empty();
    let mut alive: Vec<Index> = (0..builder.nodes.len())
        .filter(|index| !merged.contains_key(index) && !dropped(&builder.nodes[*index]))
        .collect();
    find_causes(&builder, &alive, &mut links);
    narrow(&mut builder, &links);
    alive.extend(add_implied(&mut builder, &mut links));
    let mut graph = CallGraph::on(clocks);
    let mut numbers: FxHashMap<Index, NodeId> = FxHashMap::default();
    let mut nodes: Vec<Option<Node>> = builder.nodes.into_iter().map(Some).collect();
    for index in alive {
        if let Some(node) = nodes[index].take() {
            numbers.insert(index, graph.add_node(node));
        }
    }
    for (from, to, edge) in links {
        if let (Some(from), Some(to)) = (numbers.get(&from), numbers.get(&to))
            && graph.parent(*to).is_none()
            && !is_cause(&graph, *to, *from)
        {
            graph.add_edge(*from, *to, edge);
        }
    }
    graph
}

/// Whether a node is another one, or one of its causes.
fn is_cause(graph: &CallGraph, node: NodeId, of: NodeId) -> bool {
    let mut causes = std::iter::successors(Some(of), |at| graph.parent(*at).map(|(parent, _)| parent));
    causes.any(|cause| cause == node)
}

/// Finds the steps that a node can be, and the ids that its path and bodies have.
fn label(builder: &mut Builder<'_>, index: Index) {
    let node = &builder.nodes[index];
    match node.kind {
        NodeKind::Http => {
            let Some(path) = node.path.as_deref() else { return };
            let method = node.method.as_deref();
            let mut fitting = builder.catalog.request(node.service, method, path, node.asked.action.as_deref());
            let told = node.messages.iter().map(|seen| builder.grammar.meaning(seen.message).step);
            if let Some(step) = told.rev().find(|step| fitting.steps.contains(step))
                && fitting.steps.len() > 1
            {
                fitting.steps = vec![step];
            }
            // Each action has an answer of its own when it goes well.
            let answers = |step: &StepId| match (&builder.grammar.step_at(*step).success, node.status) {
                (success, Some(status)) => status >= 400 || success.contains(&status),
                (_, None) => true,
            };
            if fitting.steps.len() > 1 && fitting.steps.iter().any(answers) {
                fitting.steps.retain(answers);
            }
            let known = node.asked.volume.zip(fitting.ids.volume);
            if let Some(target) = known.map(|(asked, own)| asked != own)
                && fitting.steps.len() > 1
            {
                fitting.steps.retain(|step| builder.grammar.step_at(*step).names_target.is_none_or(|is| is == target));
            }
            let names_target = |step: &StepId| builder.grammar.step_at(*step).names_target == Some(true);
            let may_exchange = known.is_none() && fitting.steps.iter().any(names_target);
            let by_step = fitting.steps.first().map(|step| builder.grammar.step_at(*step).service);
            let service = node.service.or(by_step).or_else(|| builder.catalog.service_of_route(path));
            let node = &mut builder.nodes[index];
            node.service = service;
            node.steps = fitting.steps;
            node.may_exchange = may_exchange;
            node.volume = node.volume.or(fitting.ids.volume);
            node.server = node.server.or(fitting.ids.server);
            node.attachment = node.attachment.or(fitting.ids.attachment);
        }
        NodeKind::Call | NodeKind::Cast => {
            if let (Some(service), Some(method)) = (node.service, node.rpc.as_deref())
                && node.steps.is_empty()
            {
                let all = builder.catalog.rpc(service, method);
                let is_cast = |step: &StepId| matches!(builder.grammar.step_at(*step).kind, StepKind::Cast { .. });
                let cast = node.kind == NodeKind::Cast;
                // Only a line that was logged with sending or receiving tells a call from a cast.
                let told = node.sent.is_some() || node.label.is_some();
                let same: Vec<StepId> = all.iter().filter(|step| is_cast(step) == cast).copied().collect();
                let steps = if same.is_empty() && !told { all.to_vec() } else { same };
                builder.nodes[index].steps = steps;
            }
            let node = &builder.nodes[index];
            if let Some(step) = node.step() {
                let cast = matches!(builder.grammar.step_at(step).kind, StepKind::Cast { .. });
                builder.nodes[index].kind = if cast { NodeKind::Cast } else { NodeKind::Call };
            }
        }
        NodeKind::Client | NodeKind::Operation => {}
    }
    let node = &mut builder.nodes[index];
    // A body that names another volume than the path asks for an exchange.
    let other = node.asked.volume.filter(|asked| node.volume.is_some_and(|volume| volume != *asked));
    node.target = node.target.or(node.asked.target).or(other);
    node.volume = node.volume.or(node.asked.volume).or(node.answered.volume);
    node.server = node.server.or(node.asked.server).or(node.answered.server);
    node.attachment = node.attachment.or(node.asked.attachment).or(node.answered.attachment);
}

/// Which service sends requests to which in some flow; any other cause of a request is one by way of a service that no log shows.
fn callers(grammar: &Grammar) -> FxHashSet<(ServiceId, ServiceId)> {
    let mut found = FxHashSet::default();
    let service = |step_use: &StepUse| grammar.step_at(step_use.step).service;
    for variant in grammar.flows.iter().flat_map(|flow| &flow.variants) {
        variant.term.each_use(&mut |outer| {
            outer.body.each_outermost(&mut |inner| {
                found.insert((service(outer), service(inner)));
            });
        });
    }
    found
}

/// Finds a cause for every node that has none yet.
fn find_causes(builder: &Builder<'_>, alive: &[Index], links: &mut Vec<Link>) {
    let mut by_request: FxHashMap<RequestId, Vec<Index>> = FxHashMap::default();
    let mut by_global: FxHashMap<RequestId, Vec<Index>> = FxHashMap::default();
    for index in alive {
        let node = &builder.nodes[*index];
        if !matches!(node.kind, NodeKind::Http | NodeKind::Call | NodeKind::Cast) {
            continue;
        }
        if let Some(request) = node.request {
            by_request.entry(request).or_default().push(*index);
        }
        if let Some(global) = node.global.filter(|global| node.request != Some(*global)) {
            by_global.entry(global).or_default().push(*index);
        }
    }
    let brackets: FxHashMap<Index, RequestId> = builder.exchanges_bracket.iter().copied().collect();
    let among = |request: Option<RequestId>| {
        request.and_then(|request| by_request.get(&request)).map_or(&[][..], Vec::as_slice)
    };
    let client = builder.grammar.vocabulary.service("client");
    let callers = callers(builder.grammar);
    for index in alive {
        let node = &builder.nodes[*index];
        let time = node.sent_time.or(node.start);
        let found = match node.kind {
            NodeKind::Client => None,
            NodeKind::Http => {
                let caller = |other: &Node| node.caller.is_none_or(|caller| other.service == Some(caller));
                let strange = |other: &Node| other.service != node.service && caller(other);
                // The id of an earlier request to the same service was passed along by their common client.
                let own = |other: &Index| {
                    let other = &builder.nodes[*other];
                    other.kind == NodeKind::Http && other.service == node.service
                };
                let global = node.global.filter(|_| !among(node.global).iter().any(own));
                // Of the caller's own work there may be no line: then what made it work is the nearest cause.
                let served = node.caller.is_some() && node.caller != client;
                let other = |other: &Node| served && other.service != node.service;
                // Whoever was called with an id passes that one on, not its own: nova, when cinder has called it.
                let server =
                    |request| among(Some(request)).iter().find(|other| builder.nodes[**other].kind == NodeKind::Http);
                let passes_on = |other: &Node| {
                    let server = other.request.and_then(server).map(|server| builder.nodes[*server].service);
                    let begun = other.beginning().zip(time).is_some_and(|(begun, time)| begun <= time.plus(SLACK));
                    strange(other) && begun && server.is_some_and(|server| server != node.service)
                };
                let between = node.global.and_then(|global| by_global.get(&global)).map_or(&[][..], Vec::as_slice);
                let by_global = choose(builder, among(global), *index, time, strange)
                    .or_else(|| choose(builder, between, *index, time, passes_on))
                    .or_else(|| choose(builder, among(global), *index, time, other).map(|(cause, _)| (cause, false)))
                    .map(|cause| (cause, if node.sent.is_some() { JoinedBy::HeaderId } else { JoinedBy::GlobalId }));
                by_global.or_else(|| {
                    // The header on the line tells that the id in its brackets is a stranger's.
                    let bracket = brackets.get(index).copied().filter(|id| node.global.is_none_or(|own| own == *id));
                    choose(builder, among(bracket), *index, time, strange).map(|cause| (cause, JoinedBy::UsedRequestId))
                })
            }
            NodeKind::Call | NodeKind::Cast => {
                let asks = |other: &Node| match node.caller {
                    Some(caller) => other.service == Some(caller),
                    None => other.service != node.service,
                };
                let joined_by = match (node.kind, node.sent.is_some() && node.received.is_some()) {
                    (_, false) => JoinedBy::BracketId,
                    (NodeKind::Call, true) => JoinedBy::MsgId,
                    (_, true) => JoinedBy::UniqueId,
                };
                choose(builder, among(node.request), *index, time, asks).map(|cause| (cause, joined_by))
            }
            NodeKind::Operation => {
                let may_be = |other: &Node| !begins_after(builder, other, node, time);
                let same = |other: &Node| other.service == node.service && may_be(other);
                let near = choose(builder, among(node.request), *index, time, same);
                let far = || choose(builder, among(node.request), *index, time, may_be);
                near.or_else(far).map(|cause| (cause, JoinedBy::BracketId))
            }
        };
        if let Some(((cause, mut certain), joined_by)) = found {
            if node.kind == NodeKind::Http {
                let pair = builder.nodes[cause].service.zip(node.service);
                certain &= pair.is_none_or(|pair| callers.contains(&pair));
            }
            let kind = match node.kind {
                NodeKind::Http | NodeKind::Client => EdgeKind::Request,
                NodeKind::Call => EdgeKind::Call,
                NodeKind::Cast => EdgeKind::Cast,
                NodeKind::Operation => EdgeKind::Local,
            };
            links.push((cause, *index, Edge { kind, joined_by, certain }));
        }
    }
}

/// The cause among some candidates, and whether it is certain: one that was under way at that time, the latest begun; else a
/// request, which other work comes from; else what ended last. It is certain when there is no other candidate; work that was
/// not under way is not, because what was may be in no log.
fn choose(
    builder: &Builder<'_>,
    candidates: &[Index],
    child: Index,
    time: Option<Timestamp>,
    fits: impl Fn(&Node) -> bool,
) -> Option<(Index, bool)> {
    let fitting =
        || candidates.iter().copied().filter(|candidate| *candidate != child && fits(&builder.nodes[*candidate]));
    let only = fitting().take(2).count() == 1;
    let rank = |candidate: &Index| {
        let node = &builder.nodes[*candidate];
        let (Some(time), Some(start)) = (time, node.beginning()) else { return (0, 0, *candidate) };
        // The first line that is left of it may not be its beginning.
        let begun = start <= time || !node.begun;
        let open = node.ending().is_none_or(|end| time <= end);
        let near = start <= time.plus(SLACK) && node.ending().is_none_or(|end| time <= end.plus(SLACK));
        let rank = match (begun && open, near, begun) {
            (true, ..) => UNDER_WAY,
            (_, true, _) if node.kind == NodeKind::Http => 3,
            (_, true, true) => 2,
            (_, _, begun) => u8::from(begun),
        };
        (rank, start.0, *candidate)
    };
    // The only one known need not be the cause when it was not under way.
    fitting().max_by_key(rank).map(|best| (best, only && rank(&best).0 == UNDER_WAY))
}

/// Whether a node of the same log is known to have begun only after a moment. Where a node's first line is a message that it
/// writes later on, its beginning is not known.
fn begins_after(builder: &Builder<'_>, node: &Node, child: &Node, time: Option<Timestamp>) -> bool {
    let (Some(first), Some(own)) = (node.received, child.received) else { return false };
    let tells_less =
        |seen: &MessageSeen| seen.place == first && builder.grammar.meaning(seen.message).role != MessageRole::Begins;
    let later = node.start.zip(time).is_some_and(|(start, time)| start > time);
    first.source == own.source && later && !node.messages.iter().any(tells_less)
}
