//! Which volume and which server each node is about, also where its own lines do not say so.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::model::event::RequestId;
use crate::model::vocabulary::ServiceId;
use crate::trace::graph::CallGraph;
use crate::trace::node::{Node, NodeId, NodeKind};

/// What each node is about, by the number of the node.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    volumes: Vec<Option<Uuid>>,
    servers: Vec<Option<Uuid>>,
    tops: Vec<NodeId>,
    /// Service and id of every request served.
    served: FxHashSet<(ServiceId, RequestId)>,
}

impl Resources {
    /// Works out the volume of every node: from the node itself, from its attachment, or from the only volume of the chain of
    /// requests that it belongs to.
    pub fn new(graph: &CallGraph) -> Self {
        let tops: Vec<NodeId> = graph.nodes().map(|(id, _)| top(graph, id)).collect();
        let volumes = graph.nodes().map(|(_, node)| node.volume).collect();
        let servers = graph.nodes().map(|(_, node)| node.server).collect();
        let own = |(_, node): (NodeId, &Node)| {
            (node.kind == NodeKind::Http).then_some(()).and(node.service.zip(node.request))
        };
        let served = graph.nodes().filter_map(own).collect();
        let mut resources = Self { volumes, servers, tops, served };
        let by_chain = resources.only(graph, &resources.servers);
        for index in 0..resources.servers.len() {
            let of_chain = || chain(graph, resources.tops[index]).and_then(|key| *by_chain.get(&key)?);
            resources.servers[index] = resources.servers[index].or_else(of_chain);
        }
        let mut by_attachment: FxHashMap<Uuid, Uuid> = FxHashMap::default();
        // An attachment leads to a volume, which may be the only one of its chain, which leads to more attachments.
        for _ in 0..2 {
            let by_chain = resources.only(graph, &resources.volumes);
            for (id, node) in graph.nodes() {
                let index = id.0 as usize;
                let known = resources.volumes[index]
                    .or_else(|| node.attachment.and_then(|key| by_attachment.get(&key).copied()));
                let known =
                    known.or_else(|| chain(graph, resources.tops[index]).and_then(|key| *by_chain.get(&key)?));
                resources.volumes[index] = known;
                if let (Some(attachment), Some(volume)) = (node.attachment, known) {
                    by_attachment.entry(attachment).or_insert(volume);
                }
            }
        }
        resources
    }

    /// The volume that a node is about.
    pub fn volume(&self, id: NodeId) -> Option<Uuid> {
        self.volumes[id.0 as usize]
    }

    /// Whether a node belongs to requests that were sent straight to the service that serves it: the chain's first request is
    /// one of its own.
    pub fn is_direct(&self, graph: &CallGraph, id: NodeId) -> bool {
        let own = graph.node(id).service.zip(chain(graph, self.top(id)));
        own.is_some_and(|own| self.served.contains(&own))
    }

    /// The first cause of a node that is no client command; the node itself when it has none.
    pub fn top(&self, id: NodeId) -> NodeId {
        self.tops[id.0 as usize]
    }

    /// The server that a node is about.
    pub fn server(&self, id: NodeId) -> Option<Uuid> {
        self.servers[id.0 as usize]
    }

    /// The volume or server of each chain that is about just one.
    fn only(&self, graph: &CallGraph, subjects: &[Option<Uuid>]) -> FxHashMap<RequestId, Option<Uuid>> {
        let mut seen: FxHashMap<RequestId, FxHashSet<Uuid>> = FxHashMap::default();
        for ((id, _), subject) in graph.nodes().zip(subjects) {
            if let (Some(key), Some(subject)) = (chain(graph, self.top(id)), subject) {
                seen.entry(key).or_default().insert(*subject);
            }
        }
        let only = |subjects: FxHashSet<Uuid>| if subjects.len() == 1 { subjects.into_iter().next() } else { None };
        seen.into_iter().map(|(key, subjects)| (key, only(subjects))).collect()
    }
}

/// The id that all requests of a chain share: the one that the first request was given, else its own.
pub fn chain(graph: &CallGraph, top: NodeId) -> Option<RequestId> {
    let node = graph.node(top);
    node.global.or(node.request)
}

fn top(graph: &CallGraph, id: NodeId) -> NodeId {
    let mut at = id;
    // Clocks and ids of hostile logs could close a circle; no real chain is as deep.
    for _ in 0..64 {
        match graph.parent(at) {
            Some((parent, _)) if graph.node(parent).kind != NodeKind::Client => at = parent,
            _ => break,
        }
    }
    at
}
