//! The call graph for readers and programs: `tree` for a terminal, `dot` and `mermaid` for drawings, `json` for programs.
//!
//! All of them read a [`GraphView`], so that they know nothing of how the graph is kept.

pub mod dot;
pub mod json;
pub mod mermaid;
mod part;
pub mod tree;
mod words;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::source::SourceSummary;
use crate::spec::grammar::Grammar;
use crate::trace::clocks::Clocks;
use crate::trace::node::{Edge, Node, NodeId};

/// A volume's status before and after a node, when the node changed it.
pub type StatusChange<'a> = &'a dyn Fn(NodeId) -> Option<(String, String)>;

/// A call graph, or the part of one that was asked for.
pub struct GraphView<'a> {
    /// The nodes, in the order in which they are to be listed.
    pub nodes: Vec<(NodeId, &'a Node)>,
    /// The edges, from the cause to what it caused. Those with an end outside of `nodes` are left out.
    pub edges: Vec<(NodeId, NodeId, Edge)>,
    /// The nodes that nothing caused, in the order of time.
    pub roots: Vec<NodeId>,
    /// What a node did to its volume's status.
    pub status_change: StatusChange<'a>,
    /// The clocks of the logs.
    pub clocks: &'a Clocks,
    /// What was read.
    pub sources: &'a [SourceSummary],
    /// The specification, for names.
    pub grammar: &'a Grammar,
}

/// A node in a walk: the first of a run of siblings that look the same.
#[derive(Clone, Debug)]
struct Visit {
    node: NodeId,
    /// The last of the run; the node itself when it stands alone.
    last: NodeId,
    /// How many nodes the run has.
    times: usize,
    /// The caller's edge; `None` for a root.
    edge: Option<Edge>,
}

/// Fast access to the parts of a view.
struct Index<'a> {
    nodes: FxHashMap<NodeId, &'a Node>,
    children: FxHashMap<NodeId, Vec<(NodeId, Edge)>>,
}

impl<'a> Index<'a> {
    fn new(view: &GraphView<'a>) -> Self {
        let nodes: FxHashMap<_, _> = view.nodes.iter().copied().collect();
        let mut children: FxHashMap<NodeId, Vec<(NodeId, Edge)>> = FxHashMap::default();
        for (from, to, edge) in &view.edges {
            if nodes.contains_key(from) && nodes.contains_key(to) {
                children.entry(*from).or_default().push((*to, *edge));
            }
        }
        for list in children.values_mut() {
            // Nodes without a time stay behind those of their time, in the order of their numbers.
            list.sort_by_key(|(node, _)| (nodes.get(node).and_then(|node| node.beginning().or(node.ending())), *node));
        }
        Self { nodes, children }
    }

    /// What a node caused, runs of siblings that look the same put together. `seen` keeps a node from being visited twice.
    fn visits(&self, view: &GraphView<'_>, parent: NodeId, seen: &mut FxHashSet<NodeId>) -> Vec<Visit> {
        let mut visits: Vec<Visit> = Vec::new();
        for (child, edge) in self.children.get(&parent).map_or(&[][..], Vec::as_slice) {
            if !seen.insert(*child) {
                continue;
            }
            if let Some(before) = visits.last_mut()
                && self.look_alike(view, before.last, *child)
            {
                before.last = *child;
                before.times += 1;
                continue;
            }
            visits.push(Visit { node: *child, last: *child, times: 1, edge: Some(*edge) });
        }
        visits
    }

    /// Whether two siblings may be shown as one: the same work with the same result, and nothing below.
    fn look_alike(&self, view: &GraphView<'_>, one: NodeId, other: NodeId) -> bool {
        let is_leaf = |node| !self.children.contains_key(&node) && (view.status_change)(node).is_none();
        let (Some(first), Some(second)) = (self.nodes.get(&one), self.nodes.get(&other)) else { return false };
        is_leaf(one)
            && is_leaf(other)
            && first.service == second.service
            && first.status == second.status
            && words::work(first) == words::work(second)
    }

    /// Where a walk begins: the roots, then every node that no root leads to, so that nothing is left out.
    fn starts(&self, view: &GraphView<'_>) -> Vec<NodeId> {
        let mut reached: FxHashSet<NodeId> = FxHashSet::default();
        let mut starts = Vec::new();
        for node in view.roots.iter().copied().chain(view.nodes.iter().map(|(node, _)| *node)) {
            if !self.nodes.contains_key(&node) || reached.contains(&node) {
                continue;
            }
            starts.push(node);
            let mut open = vec![node];
            while let Some(next) = open.pop() {
                if reached.insert(next) {
                    open.extend(self.children.get(&next).into_iter().flatten().map(|(child, _)| *child));
                }
            }
        }
        starts
    }
}
