//! The call graph: who caused what.

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::model::event::{Event, EventKind};
use crate::spec::grammar::Grammar;
use crate::trace::builder::Builder;
use crate::trace::catalog::Catalog;
use crate::trace::clocks::Clocks;
use crate::trace::link;
use crate::trace::nearby::join_by_resource;
use crate::trace::node::{Edge, Node, NodeId};
use crate::trace::strangers::Strangers;

/// The units of work that a set of logs shows, and what caused what. Every node has at most one cause.
#[derive(Clone, Debug, Default)]
pub struct CallGraph {
    graph: DiGraph<Node, Edge>,
    clocks: Clocks,
}

impl CallGraph {
    /// Builds the graph of events that come in the order of their inputs.
    pub fn build(grammar: &Grammar, events: &[Event]) -> Self {
        let catalog = Catalog::new(grammar);
        let mut builder = Builder::new(grammar, &catalog);
        let strangers = Strangers::find(&catalog, events);
        let mut take = |event: &Event| match strangers.owner(event) {
            Some(owner) => {
                let mut own = event.clone();
                own.context.request = Some(owner);
                builder.event(&own);
            }
            None => builder.event(event),
        };
        // What a message is, its sender tells; its receiver's log may come first.
        let sends = |event: &&Event| matches!(event.kind, EventKind::RpcCalling { .. } | EventKind::RpcSent { .. });
        events.iter().filter(sends).for_each(&mut take);
        events.iter().filter(|event| !sends(event)).for_each(&mut take);
        let mut graph = link::join(builder);
        join_by_resource(grammar, &mut graph);
        graph
    }

    /// A graph without nodes, whose times will be on the common clock of these.
    pub(crate) fn on(clocks: Clocks) -> Self {
        Self { clocks, ..Self::default() }
    }

    /// The clocks of the logs.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    pub(crate) fn clocks_mut(&mut self) -> &mut Clocks {
        &mut self.clocks
    }

    pub(crate) fn add_node(&mut self, node: Node) -> NodeId {
        NodeId(self.graph.add_node(node).index() as u32)
    }

    pub(crate) fn add_edge(&mut self, from: NodeId, to: NodeId, edge: Edge) {
        self.graph.add_edge(index(from), index(to), edge);
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of a node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[index(id)]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph[index(id)]
    }

    /// All nodes, in the order of their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.graph.node_indices().map(|node| (NodeId(node.index() as u32), &self.graph[node]))
    }

    /// All edges: from the cause to what it caused.
    pub fn edges(&self) -> impl Iterator<Item = (NodeId, NodeId, Edge)> {
        let id = |node: NodeIndex| NodeId(node.index() as u32);
        self.graph.edge_references().map(move |edge| (id(edge.source()), id(edge.target()), *edge.weight()))
    }

    /// The cause of a node.
    pub fn parent(&self, id: NodeId) -> Option<(NodeId, Edge)> {
        let edge = self.graph.edges_directed(index(id), Direction::Incoming).next()?;
        Some((NodeId(edge.source().index() as u32), *edge.weight()))
    }

    /// The causes of a node, the nearest first. Clocks and ids of hostile logs could close a circle; no real chain is as deep.
    pub fn causes(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        const MOST: usize = 64;
        let parent = |at: &NodeId| self.parent(*at).map(|(parent, _)| parent);
        std::iter::successors(parent(&id), parent).take(MOST)
    }

    /// What a node caused, in the order of asking where one log shows it all, else in the order of time.
    pub fn children(&self, id: NodeId) -> Vec<NodeId> {
        let mut children: Vec<NodeId> = self
            .graph
            .neighbors_directed(index(id), Direction::Outgoing)
            .map(|node| NodeId(node.index() as u32))
            .collect();
        let asked = |child: &NodeId| self.node(*child).sent;
        let source = children.first().and_then(asked).map(|place| place.source);
        if source.is_some() && children.iter().all(|child| asked(child).map(|place| place.source) == source) {
            children.sort_by_key(|child| (asked(child), *child));
        } else {
            children.sort_by_key(|child| (self.node(*child).beginning(), *child));
        }
        children
    }

    /// The nodes without a cause, in the order of time.
    pub fn roots(&self) -> Vec<NodeId> {
        let mut roots: Vec<NodeId> =
            self.graph.externals(Direction::Incoming).map(|node| NodeId(node.index() as u32)).collect();
        roots.sort_by_key(|root| (self.node(*root).beginning(), *root));
        roots
    }
}

fn index(id: NodeId) -> NodeIndex {
    NodeIndex::new(id.0 as usize)
}
