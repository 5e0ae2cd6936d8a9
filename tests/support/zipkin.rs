//! A Zipkin trace of OpenStack's messages, as the fault-injection data set has it: one span for each RPC, with its method, its
//! target and the request ids of its context, and one for each request of the workload's client.

use std::path::Path;

use flowcheck::model::event::RequestId;
use flowcheck::spec::grammar::{Grammar, StepKind};
use flowcheck::trace::graph::CallGraph;
use flowcheck::trace::node::{Node, NodeId, NodeKind};
use serde_json::Value;

/// An RPC, or a request of the client.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Microseconds.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// The RPC's method, or the request's.
    pub(crate) method: String,
    /// The service that asks; the client asks nova-api.
    pub(crate) caller: String,
    /// The service that does it.
    pub(crate) callee: String,
    /// The id of the request that it belongs to, and the one that this was given.
    pub(crate) request: Option<RequestId>,
    pub(crate) global: Option<RequestId>,
}

/// What a trace has of the volume flows, and what of it the graph shows.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) expected: usize,
    pub(crate) found: usize,
    pub(crate) missing: Vec<String>,
    pub(crate) contradictions: Vec<String>,
}

/// What stands behind a word in the text of a message's context: `'_context_request_id': 'req-...'`.
fn behind<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("'{key}': "))?.1;
    let rest = rest.strip_prefix('u').unwrap_or(rest).strip_prefix('\'')?;
    rest.split('\'').next()
}

fn request(text: &str) -> Option<RequestId> {
    text.strip_prefix("req-")?.parse().ok().map(RequestId)
}

/// The service whose code calls, by the file of the caller: `('/usr/lib/.../nova/compute/api.py', 2016, '_attach_volume')`.
fn service_of_code(caller: &str) -> String {
    let services = [
        ("/nova/compute/api.py", "nova-api"),
        ("/nova/conductor/", "nova-conductor"),
        ("/nova/scheduler/", "nova-scheduler"),
        ("/nova/compute/", "nova-compute"),
        ("/cinder/volume/api.py", "cinder-api"),
        ("/cinder/volume/flows/api/", "cinder-api"),
        ("/cinder/scheduler/", "cinder-scheduler"),
        ("/cinder/volume/", "cinder-volume"),
    ];
    let known = services.iter().find(|(code, _)| caller.contains(code));
    known.map_or(String::new(), |(_, service)| (*service).to_owned())
}

fn span(span: &Value) -> Option<Span> {
    let annotations = span["binaryAnnotations"].as_array()?;
    let value = |key: &str| {
        let of_key = annotations.iter().find(|one| one["key"].as_str().is_some_and(|name| name.trim() == key));
        of_key.and_then(|one| one["value"].as_str()).unwrap_or_default()
    };
    let start = span["timestamp"].as_i64()?;
    let end = start + span["duration"].as_i64()?;
    if span["name"] == "request" {
        let (caller, callee) = ("client".to_owned(), "nova-api".to_owned());
        let method = value("method").to_owned();
        return Some(Span { start, end, method, caller, callee, request: None, global: None });
    }
    let message = value("message");
    let method = behind(message, "method")?.to_owned();
    // What was answered with an error has no target: the code that sends tells it.
    let topic = value("target").split_once("topic=").map_or("", |(_, topic)| topic);
    let topic = topic.split([',', '>', '.']).next().unwrap_or_default();
    let sender = value("caller_1:");
    let callee = match topic {
        "compute" => "nova-compute",
        "conductor" => "nova-conductor",
        "scheduler" => "nova-scheduler",
        "" if sender.contains("/cinder/volume/rpcapi.py") => "cinder-volume",
        "" if sender.contains("/nova/compute/rpcapi.py") => "nova-compute",
        other => other,
    };
    let caller = service_of_code(value("caller_2:"));
    let ids = [behind(message, "_context_request_id"), behind(message, "_context_global_request_id")];
    let [request, global] = ids.map(|id| id.and_then(request));
    Some(Span { start, end, method, caller, callee: callee.to_owned(), request, global })
}

/// The spans of a trace, in the order of time.
pub(crate) fn spans(path: &Path) -> Vec<Span> {
    let file = std::fs::File::open(path).expect("the trace");
    let text = lzma_rust2::XzReader::new(std::io::BufReader::new(file), true);
    let traces: Value = serde_json::from_reader(std::io::BufReader::new(text)).expect("the trace is JSON");
    let all = traces.as_array().expect("a list").iter();
    let all = all.flat_map(|trace| trace.as_array().map_or(std::slice::from_ref(trace), Vec::as_slice));
    let mut spans: Vec<Span> = all.filter_map(span).collect();
    spans.sort_by_key(|span| span.start);
    spans
}

/// The causes of a node, the nearest first.
fn causes(graph: &CallGraph, id: NodeId) -> Vec<NodeId> {
    let parent = |id: &NodeId| graph.parent(*id).map(|(parent, _)| parent);
    std::iter::successors(parent(&id), parent).take(64).collect()
}

/// Looks in the graph for the RPCs that some flow has, and for the requests that they belong to.
pub(crate) fn compare(grammar: &Grammar, graph: &CallGraph, spans: &[Span]) -> Compared {
    let mut compared = Compared::default();
    // What is done for a server without a volume is no volume flow.
    let chain = |span: &Span| span.global.or(span.request);
    let of_volumes: Vec<Option<RequestId>> =
        spans.iter().filter(|span| span.callee == "cinder-volume").map(chain).collect();
    let of_flows = |span: &&Span| {
        // Neutron tells nova of ports in the same way as cinder of volumes.
        if span.method == "external_instance_event" && !of_volumes.contains(&chain(span)) {
            return false;
        }
        let flows = grammar.flows.iter().filter(|flow| !flow.per_volume || of_volumes.contains(&chain(span)));
        flows.flat_map(|flow| flow.steps()).any(|step| {
            let step = grammar.step_at(step);
            let service = grammar.vocabulary.service_name(step.service);
            matches!(&step.kind, StepKind::Call { method } | StepKind::Cast { method } if *method == span.method)
                && service == span.callee
        })
    };
    let service = |node: &Node| node.service.map_or("", |service| grammar.vocabulary.service_name(service));
    let served = |id: RequestId, by: &str| {
        let is = |node: &Node| node.kind == NodeKind::Http && node.request == Some(id) && service(node) == by;
        graph.nodes().find(|(_, node)| is(node)).map(|(id, _)| id)
    };
    let mut before: Vec<(RequestId, NodeId)> = Vec::new();
    for span in spans.iter().filter(of_flows) {
        let Some(request) = span.request else { continue };
        let name = format!("{} > {} {} of req-{}", span.caller, span.callee, span.method, request.0);
        let rest = served(request, &span.caller);
        let is_rpc = |node: &Node| {
            matches!(node.kind, NodeKind::Call | NodeKind::Cast)
                && node.rpc.as_deref() == Some(&span.method)
                && node.request == Some(request)
                && service(node) == span.callee
        };
        let rpc = graph.nodes().find(|(_, node)| is_rpc(node)).map(|(id, _)| id);
        if span.caller.ends_with("-api") {
            // The request whose work the RPC is: of the client, or of nova.
            compared.expected += 1;
            let is_asked =
                |asked: &&Span| asked.caller == "client" && asked.start <= span.start && span.end <= asked.end;
            let method = spans
                .iter()
                .filter(is_asked)
                .map(|asked| asked.method.as_str())
                .find(|method| !matches!(*method, "GET" | ""));
            match rest.map(|id| graph.node(id)) {
                None => compared.missing.push(format!("the request of {name}")),
                Some(node)
                    if method.is_some_and(|method| node.method.as_deref() != Some(method)) && span.global.is_none() =>
                {
                    compared.contradictions.push(format!("the request of {name} is no {method:?}"));
                }
                Some(_) => compared.found += 1,
            }
        }
        if let (Some(global), Some(rest)) = (span.global, rest) {
            let tops = causes(graph, rest);
            let top = tops.iter().rev().map(|id| graph.node(*id)).find(|node| node.kind == NodeKind::Http);
            if top.is_some_and(|top| top.request != Some(global))
                || top.is_none() && served(global, "nova-api").is_some()
            {
                compared.contradictions.push(format!("{name} does not come from req-{}", global.0));
            }
        }
        compared.expected += 1;
        let Some(rpc) = rpc else {
            compared.missing.push(name);
            continue;
        };
        compared.found += 1;
        let near = causes(graph, rpc).into_iter().map(|id| graph.node(id)).next();
        let is_sender = |node: &Node| service(node) == span.caller && node.request == Some(request);
        if rest.is_some() && !near.is_some_and(is_sender) {
            compared.contradictions.push(format!("{name} has another sender"));
        }
        let chain = span.global.unwrap_or(request);
        let begins = |id: NodeId| graph.node(id).beginning();
        if before.iter().any(|(of, other)| *of == chain && begins(*other) > begins(rpc)) {
            compared.contradictions.push(format!("{name} comes before what it came after"));
        }
        before.push((chain, rpc));
    }
    compared
}
