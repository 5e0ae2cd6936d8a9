//! The two sides of requests and messages, and the lines of their work: each becomes one node.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::event::RequestId;
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::StepKind;
use crate::trace::builder::{Builder, Index};
use crate::trace::link::Link;
use crate::trace::node::{Edge, EdgeKind, JoinedBy, Node};

/// Where a node went that became part of another.
pub(crate) type Merged = FxHashMap<Index, Index>;

/// Makes the caller's and the server's side of a request one node.
pub(crate) fn join_exchanges(builder: &mut Builder<'_>, merged: &mut Merged) -> Vec<Link> {
    let mut by_id: FxHashMap<RequestId, Vec<Index>> = FxHashMap::default();
    for ((_, request), indices) in &builder.served {
        by_id.entry(*request).or_default().extend(indices);
    }
    for indices in by_id.values_mut() {
        indices.sort_unstable();
    }
    let mut links = Vec::new();
    let mut claimed: FxHashMap<Index, Index> = FxHashMap::default();
    let exchanges = builder.exchanges.take();
    for (index, command) in exchanges.iter().copied() {
        let exchange = &builder.nodes[index];
        let same = |other: &Index| {
            let other = &builder.nodes[*other];
            other.path.is_none() || other.path == exchange.path
        };
        let twin = exchange.request.and_then(|request| by_id.get(&request)?.iter().copied().find(same));
        let whole = match twin {
            Some(twin) => {
                let exchange = exchange.clone();
                builder.nodes[twin].absorb(exchange);
                merged.insert(index, twin);
                twin
            }
            None => {
                if let Some(request) = exchange.request {
                    by_id.entry(request).or_default().push(index);
                }
                index
            }
        };
        // The same command may be in two logs, the terminal's and the file's.
        match (command, claimed.get(&whole).copied()) {
            (Some(command), Some(other)) if other != command && !merged.contains_key(&command) => {
                let node = builder.nodes[command].clone();
                builder.nodes[other].absorb(node);
                merged.insert(command, other);
            }
            (Some(command), None) => {
                claimed.insert(whole, command);
                let joined_by =
                    if builder.nodes[whole].request.is_some() { JoinedBy::UsedRequestId } else { JoinedBy::BracketId };
                links.push((command, whole, Edge { kind: EdgeKind::Request, joined_by, certain: true }));
            }
            _ => {}
        }
    }
    join_unanswered(builder, exchanges.iter().map(|(index, _)| *index), merged);
    for (from, to, _) in &mut links {
        *from = resolve(merged, *from);
        *to = resolve(merged, *to);
    }
    let brackets = std::mem::take(&mut builder.exchanges_bracket);
    builder.exchanges_bracket =
        brackets.into_iter().map(|(index, request)| (resolve(merged, index), request)).collect();
    links
}

/// Joins requests whose answers the caller's log does not show: those that it names, and no more, with the requests of the same
/// chain that were served and nobody is known to have sent, in their order.
fn join_unanswered(builder: &mut Builder<'_>, exchanges: impl Iterator<Item = Index>, merged: &mut Merged) {
    type Key<'a> = (RequestId, Option<&'a str>, &'a str);
    let brackets: FxHashMap<Index, RequestId> = builder.exchanges_bracket.iter().copied().collect();
    let key = |index: Index, chain: Option<RequestId>| {
        let node = &builder.nodes[index];
        Some((chain?, node.method.as_deref(), node.path.as_deref()?))
    };
    let mut groups: FxHashMap<Key<'_>, (Vec<Index>, Vec<Index>)> = FxHashMap::default();
    for index in exchanges {
        let node = &builder.nodes[index];
        let chain = node.global.or_else(|| brackets.get(&index).copied());
        let is_unanswered = node.request.is_none() && node.ended.is_none() && !merged.contains_key(&index);
        if let Some(key) = key(index, chain).filter(|_| is_unanswered) {
            groups.entry(key).or_default().0.push(index);
        }
    }
    let is_wanted = !groups.is_empty();
    for index in builder.served.values().flatten().filter(|_| is_wanted) {
        let node = &builder.nodes[*index];
        if let Some(key) = key(*index, node.global).filter(|_| node.sent.is_none())
            && let Some((_, served)) = groups.get_mut(&key)
        {
            served.push(*index);
        }
    }
    let mut pairs: Vec<(Index, Index)> = Vec::new();
    for (sent, mut served) in groups.into_values().filter(|(sent, served)| sent.len() == served.len()) {
        served.sort_by_key(|index| (builder.nodes[*index].start, *index));
        pairs.extend(sent.into_iter().zip(served));
    }
    for (sent, served) in pairs {
        let exchange = builder.nodes[sent].clone();
        builder.nodes[served].absorb(exchange);
        merged.insert(sent, served);
    }
}

/// Where a node is now.
fn resolve(merged: &Merged, mut index: Index) -> Index {
    while let Some(next) = merged.get(&index) {
        index = *next;
    }
    index
}

/// Makes the RPC message and the work that locks and messages show of it one node.
pub(crate) fn join_work(builder: &mut Builder<'_>, merged: &mut Merged) {
    for (sent, taken) in builder.nameless_casts() {
        let node = builder.nodes[taken].clone();
        builder.nodes[sent].absorb(node);
        merged.insert(taken, sent);
    }
    let mut messages: FxHashMap<(ServiceId, RequestId, &str), Index> = FxHashMap::default();
    let mut pairs = Vec::new();
    // Where a log begins in the middle of the work of a cast, its last line has an id that nothing else has.
    let is_last_line = |node: &Node| node.sent.is_none() && node.received.is_none();
    let alive = builder.messages.all.iter().filter(|index| !merged.contains_key(index));
    let (whole, rests): (Vec<Index>, Vec<Index>) = alive.partition(|index| !is_last_line(&builder.nodes[**index]));
    // The messages of which another asks for the same in the same request.
    let mut several: FxHashSet<Index> = FxHashSet::default();
    for index in rests.into_iter().rev().chain(whole.iter().copied().rev()) {
        let node = &builder.nodes[index];
        if let (Some(service), Some(request), Some(method)) = (node.service, node.request, node.rpc.as_deref())
            && let Some(rest) = messages.insert((service, request, method), index)
        {
            if !is_last_line(&builder.nodes[rest]) {
                several.insert(index);
            } else if node.ended.is_none() {
                pairs.push((rest, index));
            }
        }
    }
    let earlier = builder.earlier_work.iter().map(|(key, index)| (key, index));
    for ((service, request, step), index) in builder.work.iter().chain(earlier) {
        let (StepKind::Call { method } | StepKind::Cast { method }) = &builder.grammar.step_at(*step).kind else {
            continue;
        };
        let work = &builder.nodes[*index];
        let taken = |message: &&Index| {
            let node = &builder.nodes[**message];
            let same = (node.service, node.request) == (Some(*service), Some(*request))
                && node.rpc.as_deref() == Some(method.as_str());
            let place = |node: &Node| node.received.map(|place| place.source);
            same && place(node).is_some() && place(node) == place(work) && node.start <= work.start
        };
        // Where the same was asked for several times, it is the last one that was taken before.
        let last = || whole.iter().filter(taken).max_by_key(|message| builder.nodes[**message].start).copied();
        let message = messages.get(&(*service, *request, method.as_str())).copied();
        if let Some(message) = message.map(|only| if several.contains(&only) { last().unwrap_or(only) } else { only }) {
            pairs.push((*index, message));
        }
    }
    pairs.sort_unstable();
    for (work, message) in pairs {
        let node = builder.nodes[work].clone();
        builder.nodes[message].absorb(node);
        merged.insert(work, message);
    }
}
