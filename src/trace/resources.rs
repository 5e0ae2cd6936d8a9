//! Which volume and which server each node is about, also where its own lines do not say so.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::base::time::Timestamp;
use crate::model::event::RequestId;
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::StepId;
use crate::trace::graph::CallGraph;
use crate::trace::node::{EdgeKind, Node, NodeId, NodeKind};

/// What each node is about, by the number of the node.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    volumes: Vec<Option<Uuid>>,
    /// The volumes that their own lines tell, or those of work inside the service.
    told: Vec<Option<Uuid>>,
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
        let mut resources = Self { told: Vec::new(), volumes, servers, tops, served };
        let by_chain = resources.only(graph, &resources.servers);
        for index in 0..resources.servers.len() {
            let of_chain = || chain(graph, resources.tops[index]).and_then(|key| *by_chain.get(&key)?);
            resources.servers[index] = resources.servers[index].or_else(of_chain);
        }
        // What is certain comes first: an attachment leads to its volume, and so does the work inside a service. Then a volume
        // may be the only one of its chain, which leads to more attachments.
        let listed = listed(graph);
        resources.exchanged(graph);
        resources.share_within(graph);
        resources.told.clone_from(&resources.volumes);
        resources.share_by_attachment(graph, &listed);
        resources.share_within(graph);
        resources.share_by_attachment(graph, &listed);
        resources.share_by_chain(graph);
        resources.share_by_attachment(graph, &listed);
        resources.share_within(graph);
        resources
    }

    /// Takes the volume of work inside a service for that of the request that it is done for, and the other way round.
    fn share_within(&mut self, graph: &CallGraph) {
        let mut below: FxHashMap<NodeId, FxHashSet<Uuid>> = FxHashMap::default();
        let inner: Vec<(NodeId, NodeId)> =
            graph.edges().filter(|(.., edge)| edge.kind != EdgeKind::Request).map(|(from, to, _)| (from, to)).collect();
        for (id, _) in graph.nodes() {
            let Some(volume) = self.volumes[id.0 as usize] else { continue };
            let mut at = id;
            // No real chain is as deep.
            for _ in 0..64 {
                let Some((parent, edge)) = graph.parent(at) else { break };
                if edge.kind == EdgeKind::Request {
                    break;
                }
                below.entry(parent).or_default().insert(volume);
                at = parent;
            }
        }
        for (id, volumes) in below {
            let only = volumes.iter().next().copied().filter(|_| volumes.len() == 1);
            let known = &mut self.volumes[id.0 as usize];
            *known = known.or(only);
        }
        for (from, to) in inner {
            let of_cause = self.volumes[from.0 as usize];
            let known = &mut self.volumes[to.0 as usize];
            *known = known.or(of_cause);
        }
    }

    /// Takes the volume that lists an attachment, or that of one request about it, for that of all requests about it.
    fn share_by_attachment(&mut self, graph: &CallGraph, listed: &FxHashMap<Uuid, Uuid>) {
        let mut by_attachment = listed.clone();
        for (id, node) in graph.nodes() {
            if let (Some(attachment), Some(volume)) = (node.attachment, self.volumes[id.0 as usize]) {
                by_attachment.entry(attachment).or_insert(volume);
            }
        }
        let moves = moves(graph);
        for (id, node) in graph.nodes() {
            let of_attachment = node.attachment.and_then(|attachment| by_attachment.get(&attachment).copied());
            let moved = |volume| moves.iter().find(|(from, _, time)| *from == volume && node.beginning() > *time);
            let of_attachment = of_attachment.map(|volume| moved(volume).map_or(volume, |(_, to, _)| *to));
            let known = &mut self.volumes[id.0 as usize];
            *known = known.or(of_attachment);
        }
    }

    /// Takes the only volume of a chain for that of all its requests; not where the same was done to several attachments that
    /// the chain did not make: then it may be about several volumes, of which the logs tell only one.
    fn share_by_chain(&mut self, graph: &CallGraph) {
        let by_chain = self.only(graph, &self.volumes);
        let mut making: FxHashSet<RequestId> = FxHashSet::default();
        let mut done: FxHashMap<(RequestId, &[StepId]), FxHashSet<Uuid>> = FxHashMap::default();
        for (id, node) in graph.nodes() {
            let Some(key) = chain(graph, self.top(id)) else { continue };
            if node.asked.volume.is_some() {
                making.insert(key);
            }
            if let Some(attachment) = node.attachment {
                done.entry((key, node.steps.as_slice())).or_default().insert(attachment);
            }
        }
        // The other volume of an exchange may be what the rest is about.
        let exchanging: FxHashSet<RequestId> = graph
            .nodes()
            .filter(|(_, node)| node.may_exchange || node.target.is_some())
            .filter_map(|(id, _)| chain(graph, self.top(id)))
            .collect();
        for (id, node) in graph.nodes() {
            let Some(key) = chain(graph, self.top(id)).filter(|key| !exchanging.contains(key)) else { continue };
            let several = || done.get(&(key, node.steps.as_slice())).is_some_and(|attachments| attachments.len() > 1);
            if node.attachment.is_some() && !making.contains(&key) && several() {
                continue;
            }
            let known = &mut self.volumes[id.0 as usize];
            *known = known.or_else(|| *by_chain.get(&key)?);
        }
    }

    /// The volume that a node is about.
    pub fn volume(&self, id: NodeId) -> Option<Uuid> {
        self.volumes[id.0 as usize]
    }

    /// The volume that a node is about, where neither its attachment nor its chain has to tell.
    pub(crate) fn told_volume(&self, id: NodeId) -> Option<Uuid> {
        self.told[id.0 as usize]
    }

    /// Whether a node belongs to requests that were sent straight to the service that serves it: the chain's first request is
    /// one of its own, and no other service's stands between.
    pub fn is_direct(&self, graph: &CallGraph, id: NodeId) -> bool {
        let service = graph.node(id).service;
        let own = service.zip(chain(graph, self.top(id)));
        let strange = |cause: NodeId| {
            let node = graph.node(cause);
            node.kind == NodeKind::Http && node.service != service
        };
        own.is_some_and(|own| self.served.contains(&own)) && !std::iter::once(id).chain(graph.causes(id)).any(strange)
    }

    /// Where a request exchanges one volume for another, tells whose the attachments of its chain are that no line tells: one
    /// that more is done with than removing it is the other volume's, and with such a one known, the rest are the volume's own.
    fn exchanged(&mut self, graph: &CallGraph) {
        let mut chains: FxHashMap<RequestId, (Uuid, Uuid)> = FxHashMap::default();
        for (id, node) in graph.nodes() {
            if let (Some(key), Some(volume), Some(target)) = (chain(graph, self.top(id)), node.volume, node.target) {
                chains.entry(key).or_insert((volume, target));
            }
        }
        let mut used: FxHashSet<(RequestId, Uuid)> = FxHashSet::default();
        let of_chain = |resources: &Self, id| {
            let key = chain(graph, resources.top(id))?;
            Some((key, *chains.get(&key)?))
        };
        let is_use = |node: &Node| matches!(node.method.as_deref(), Some("POST" | "PUT"));
        for (id, node) in graph.nodes().filter(|(_, node)| is_use(node)) {
            if let (Some(attachment), Some((key, _))) = (node.attachment, of_chain(self, id)) {
                used.insert((key, attachment));
            }
        }
        for (id, node) in graph.nodes() {
            let Some((attachment, (key, (volume, target)))) = node.attachment.zip(of_chain(self, id)) else { continue };
            let found = match used.contains(&(key, attachment)) {
                true => Some(target),
                false => used.iter().any(|(chain, _)| *chain == key).then_some(volume),
            };
            let index = id.0 as usize;
            self.volumes[index] = self.volumes[index].or(found);
        }
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

/// The volumes of the attachments that answers about volumes list.
fn listed(graph: &CallGraph) -> FxHashMap<Uuid, Uuid> {
    let mut listed = FxHashMap::default();
    for volume in graph.nodes().flat_map(|(_, node)| &node.answered.volumes) {
        listed.extend(volume.attachments.iter().filter_map(|(attachment, _)| Some(((*attachment)?, volume.id))));
    }
    listed
}

/// The exchanges of volumes that were completed: from when on the attachments of the one are the other's.
fn moves(graph: &CallGraph) -> Vec<(Uuid, Uuid, Option<Timestamp>)> {
    let completed = |node: &Node| node.status.is_some_and(|status| status < 300);
    let ended = graph.nodes().filter(|(_, node)| completed(node));
    ended.filter_map(|(_, node)| Some((node.asked.target?, node.volume?, node.ending()))).collect()
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
