//! Parts of a view: what belongs to one volume, server or request.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::report::graph::GraphView;
use crate::trace::node::{Node, NodeId};

impl GraphView<'_> {
    /// Keeps the nodes that are asked for, with what caused them and what they caused.
    pub fn narrowed(mut self, keep: impl Fn(NodeId, &Node) -> bool) -> Self {
        let wanted: Vec<NodeId> = self.nodes.iter().filter(|(id, node)| keep(*id, node)).map(|(id, _)| *id).collect();
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
