//! The call graph for programs: `flowcheck.graph/1`.

use serde::Serialize;
use uuid::Uuid;

use crate::base::secret::redact;
use crate::base::time::Timestamp;
use crate::model::event::RequestId;
use crate::model::source::Place;
use crate::report::data::LineReport;
use crate::report::graph::GraphView;
use crate::report::json::to_text;
use crate::report::subject::located;
use crate::trace::node::{EdgeKind, JoinedBy, Node, NodeId, NodeKind};

/// The name and version of the graph's form.
pub const SCHEMA: &str = "flowcheck.graph/1";

/// Writes the graph.
pub fn write(view: &GraphView<'_>) -> Result<String, serde_json::Error> {
    to_text(&graph(view))
}

/// The whole graph.
#[derive(Debug, Serialize)]
pub struct Graph {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// The edges.
    pub edges: Vec<EdgeReport>,
}

/// One unit of work.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the keys are those of the contract; see `crate::trace::node::Node`")]
pub struct NodeReport {
    pub id: String,
    pub kind: NodeKind,
    pub service: Option<String>,
    pub caller: Option<String>,
    pub host: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub rpc: Option<String>,
    pub name: Option<String>,
    pub topic: Option<String>,
    pub status: Option<u16>,
    pub request_id: Option<RequestId>,
    pub global_request_id: Option<RequestId>,
    pub volume: Option<Uuid>,
    pub server: Option<Uuid>,
    pub attachment: Option<Uuid>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub sent: Option<LineReport>,
    pub received: Option<LineReport>,
    pub error: Option<String>,
    pub status_change: Option<ChangeReport>,
}

/// What a node did to its volume's status.
#[derive(Debug, Serialize)]
pub struct ChangeReport {
    /// The status before.
    pub from: String,
    /// The status after.
    pub to: String,
}

/// A cause and what it caused.
#[derive(Debug, Serialize)]
pub struct EdgeReport {
    /// The cause.
    pub from: String,
    /// What it caused.
    pub to: String,
    /// What it means.
    pub kind: EdgeKind,
    /// What joined the two.
    pub joined_by: JoinedBy,
}

fn graph(view: &GraphView<'_>) -> Graph {
    let mut known: Vec<NodeId> = view.nodes.iter().map(|(id, _)| *id).collect();
    known.sort_unstable();
    let inside = |id: &NodeId| known.binary_search(id).is_ok();
    let edges = view.edges.iter().filter(|(from, to, _)| inside(from) && inside(to));
    Graph {
        schema: SCHEMA,
        nodes: view.nodes.iter().map(|(id, node)| node_report(view, *id, node)).collect(),
        edges: edges
            .map(|(from, to, edge)| EdgeReport {
                from: name(*from),
                to: name(*to),
                kind: edge.kind,
                joined_by: edge.joined_by,
            })
            .collect(),
    }
}

fn name(id: NodeId) -> String {
    format!("n{}", id.0)
}

fn node_report(view: &GraphView<'_>, id: NodeId, node: &Node) -> NodeReport {
    let service = |id| view.grammar.vocabulary.service_name(id).to_owned();
    let is_rpc = matches!(node.kind, NodeKind::Call | NodeKind::Cast);
    let (topic, label) = if is_rpc { (node.label.clone(), None) } else { (None, node.label.as_deref()) };
    // More than one candidate is no name.
    let step = node.step().and_then(|step| view.grammar.steps.get(step.0 as usize)).map(|step| step.name.clone());
    let line = |place: Option<Place>| {
        place.map(|place| {
            let (path, line) = located(view.sources, place);
            LineReport { path: path.to_owned(), line, role: None }
        })
    };
    NodeReport {
        id: name(id),
        kind: node.kind,
        service: node.service.map(service),
        caller: node.caller.map(service),
        host: node.host.clone(),
        method: node.method.clone(),
        path: node.path.as_deref().map(safe),
        rpc: node.rpc.clone(),
        name: step.or_else(|| label.map(safe)),
        topic,
        status: node.status,
        request_id: node.request,
        global_request_id: node.global,
        volume: node.volume,
        server: node.server,
        attachment: node.attachment,
        start: node.beginning_stamp().map(|stamp| view.clocks.logged(stamp)),
        end: node.ending_stamp().map(|stamp| view.clocks.logged(stamp)),
        sent: line(node.sent),
        received: line(node.received),
        error: node.error.as_ref().map(|error| safe(&error.message)),
        status_change: (view.status_change)(id).map(|(from, to)| ChangeReport { from, to }),
    }
}

fn safe(text: &str) -> String {
    redact(text).into_owned()
}
