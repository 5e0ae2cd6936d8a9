//! Parts of a view: what belongs to one volume, server or request; and what nodes did to a volume's status.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::verdict::VolumeHistory;
use crate::model::source::Place;
use crate::report::graph::GraphView;
use crate::spec::grammar::Grammar;
use crate::trace::node::{Node, NodeId};

impl GraphView<'_> {
    /// Keeps the nodes that are asked for, with what caused them and what they caused.
    pub fn narrowed(mut self, keep: impl Fn(&Node) -> bool) -> Self {
        let wanted: Vec<NodeId> = self.nodes.iter().filter(|(_, node)| keep(node)).map(|(id, _)| *id).collect();
        let links = |turned: bool| {
            let mut links: FxHashMap<NodeId, Vec<NodeId>> = FxHashMap::default();
            for (from, to, _) in &self.edges {
                let (one, other) = if turned { (*to, *from) } else { (*from, *to) };
                links.entry(one).or_default().push(other);
            }
            links
        };
        let mut kept = reached(&wanted, &links(false));
        kept.extend(reached(&wanted, &links(true)));
        self.nodes.retain(|(id, _)| kept.contains(id));
        self.roots.retain(|id| kept.contains(id));
        self
    }
}

/// All that can be reached from `starts`, these included.
fn reached(starts: &[NodeId], links: &FxHashMap<NodeId, Vec<NodeId>>) -> FxHashSet<NodeId> {
    let mut reached = FxHashSet::default();
    let mut open = starts.to_vec();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(links.get(&node).into_iter().flatten());
        }
    }
    reached
}

/// What each node did to its volume's status: the transitions whose step the node is, and whose lines are the node's.
pub fn status_changes<'a>(
    nodes: impl Iterator<Item = (NodeId, &'a Node)>,
    volumes: &[VolumeHistory],
    grammar: &Grammar,
) -> FxHashMap<NodeId, (String, String)> {
    let mut by_place: FxHashMap<Place, Vec<(NodeId, &Node)>> = FxHashMap::default();
    for (id, node) in nodes {
        let places = [node.sent, node.received, node.ended].into_iter().flatten().chain(node.evidence.iter().copied());
        for place in places {
            by_place.entry(place).or_default().push((id, node));
        }
    }
    let mut changes = FxHashMap::default();
    for volume in volumes {
        for transition in volume.transitions.iter().filter(|transition| transition.observed) {
            let Some(step) = grammar.step(&transition.by) else { continue };
            let places = transition.evidence.iter().filter_map(|place| by_place.get(place)).flatten();
            let mut makers = places.filter(|(_, node)| node.steps.contains(&step) && node.volume == Some(volume.id));
            if let Some((id, _)) = makers.next() {
                let from = transition.from.clone().unwrap_or_else(|| "?".to_owned());
                changes.entry(*id).or_insert((from, transition.to.clone()));
            }
        }
    }
    changes
}
