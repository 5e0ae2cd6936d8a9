//! The forms of the call graph against expectations.

mod common;

use common::{at, expect, grammar, id, place, sources};
use flowcheck::model::event::{Raised, RequestId};
use flowcheck::model::vocabulary::ServiceId;
use flowcheck::report::graph::{GraphView, dot, json, mermaid, tree};
use flowcheck::report::text::look::Look;
use flowcheck::spec::grammar::StepId;
use flowcheck::trace::clocks::Clocks;
use flowcheck::trace::errors::{Gravity, LoggedError};
use flowcheck::trace::node::{Edge, EdgeKind, JoinedBy, Node, NodeId, NodeKind};

fn node(kind: NodeKind, service: Option<u16>, millis: i64) -> Node {
    Node {
        service: service.map(ServiceId),
        caller: Some(ServiceId(0)),
        volume: Some(id(11)),
        server: Some(id(1)),
        start: Some(at(millis)),
        end: Some(at(millis + 250)),
        sent: Some(place(0, 80)),
        ..Node::new(kind)
    }
}

fn http(service: u16, method: &str, path: &str, status: u16, millis: i64) -> Node {
    Node {
        method: Some(method.to_owned()),
        path: Some(path.to_owned()),
        status: Some(status),
        request: Some(RequestId(id(31))),
        received: Some(place(1, 42)),
        ..node(NodeKind::Http, Some(service), millis)
    }
}

fn nodes() -> Vec<Node> {
    let show = "/v3/9c2e9c2e9c2e9c2e9c2e9c2e9c2e9c2e/volumes/c6e212b4-13cb-4727-bb3a-772a4c2bf842";
    let words = "server add volume web \"da;ta\" --os-password hunter2";
    vec![
        Node { label: Some(words.to_owned()), caller: None, ..node(NodeKind::Client, None, 0) },
        Node { caller: None, ..http(0, "POST", "/v2.1/servers/d073/os-volume_attachments", 200, 10) },
        http(2, "GET", show, 200, 20),
        http(2, "GET", show, 200, 30),
        http(2, "GET", show, 200, 40),
        Node { steps: vec![StepId(1)], ..http(2, "POST", "/v3/9c2e/attachments?token=hunter2", 200, 50) },
        Node {
            rpc: Some("attach_volume".to_owned()),
            label: Some("compute.node1".to_owned()),
            error: Some(LoggedError {
                message: "nova.exception.Oops: \u{1b}[31mpassword=hunter2".to_owned(),
                place: place(0, 80),
                raised: Raised::default(),
                gravity: Gravity::Final,
            }),
            ..node(NodeKind::Cast, Some(1), 60)
        },
        Node {
            label: Some("connect_volume".to_owned()),
            success: Some(false),
            ..node(NodeKind::Operation, Some(1), 70)
        },
        Node { timed_out: true, rpc: Some("lost".to_owned()), ..node(NodeKind::Call, Some(1), 5_000) },
    ]
}

fn with_view(check: impl FnOnce(GraphView<'_>)) {
    let (nodes, grammar, sources) = (nodes(), grammar(), sources());
    let edge = |kind| Edge { kind, joined_by: JoinedBy::HeaderId, certain: true };
    let links = [
        (0, 1, EdgeKind::Request),
        (1, 2, EdgeKind::Request),
        (1, 3, EdgeKind::Request),
        (1, 4, EdgeKind::Request),
        (1, 5, EdgeKind::Request),
        (1, 6, EdgeKind::Cast),
        (6, 7, EdgeKind::Local),
        // A second way to a node, a circle, and an edge out of the view.
        (5, 7, EdgeKind::Retry),
        (7, 6, EdgeKind::Local),
        (7, 99, EdgeKind::Local),
    ];
    let change = |id: NodeId| (id.0 == 5).then(|| ("available".to_owned(), "reserved".to_owned()));
    check(GraphView {
        nodes: nodes.iter().enumerate().map(|(number, node)| (NodeId(number as u32), node)).collect(),
        edges: links.iter().map(|(from, to, kind)| (NodeId(*from), NodeId(*to), edge(*kind))).collect(),
        roots: vec![NodeId(0)],
        status_change: &change,
        clocks: &Clocks::default(),
        sources: &sources,
        grammar: &grammar,
    });
}

#[test]
fn the_forms_look_as_expected() {
    with_view(|view| {
        let view = &view;
        expect("graph.txt", &tree::write(view, &Look::plain(120), false));
        expect("graph-unicode.txt", &tree::write(view, &Look { unicode: true, ..Look::plain(100) }, true));
        expect("graph.dot", &dot::write(view));
        expect("graph.mmd", &mermaid::write(view));
        expect("graph.json", &json::write(view).expect("JSON"));
    });
}

#[test]
fn no_secret_and_no_control_character_gets_out() {
    with_view(|view| {
        let view = &view;
        let forms = [
            tree::write(view, &Look::plain(300), true),
            dot::write(view),
            mermaid::write(view),
            json::write(view).expect("JSON"),
        ];
        for text in forms {
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.chars().all(|each| each == '\n' || !each.is_control()), "{text}");
        }
    });
}

#[test]
fn an_empty_graph_says_so() {
    let (grammar, sources) = (grammar(), sources());
    let view = GraphView {
        nodes: vec![],
        edges: vec![],
        roots: vec![],
        status_change: &|_| None,
        clocks: &Clocks::default(),
        sources: &sources,
        grammar: &grammar,
    };
    assert_eq!(tree::write(&view, &Look::plain(80), false), "No request was found in these logs.\n");
}

#[test]
fn a_part_has_its_causes_and_its_effects() {
    with_view(|view| {
        let view = view.narrowed(|_, node| {
            node.method.as_deref() == Some("POST") && node.status == Some(200) && node.steps == [StepId(1)]
        });
        let kept: Vec<u32> = view.nodes.iter().map(|(id, _)| id.0).collect();
        // The circle 6 - 7 is in: 5 caused 7, and 7 caused 6.
        assert_eq!(kept, [0, 1, 5, 6, 7]);
        assert_eq!(view.roots, [NodeId(0)]);
        assert!(!tree::write(&view, &Look::plain(120), false).contains("GET"));
    });
}
