//! The call graph for Graphviz.

use std::fmt::Write as _;

use crate::report::graph::{GraphView, Index, words};
use crate::report::text::look::{clean, clip};
use crate::trace::node::EdgeKind;

/// Writes the graph in the DOT language.
pub fn write(view: &GraphView<'_>) -> String {
    let index = Index::new(view);
    let mut out = String::from(
        "digraph flowcheck {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n",
    );
    for (id, node) in &view.nodes {
        let mut lines = vec![words::service(view, node), clip(&words::shown_work(node, false), 120)];
        lines.extend(words::result(node));
        lines.extend((view.status_change)(*id).map(|(from, to)| format!("{} > {}", clean(&from), clean(&to))));
        let colour = if words::failed(node) { ", color=red" } else { "" };
        let label = lines.iter().map(|line| quoted(line)).collect::<Vec<_>>().join("\\n");
        // Writing into a string does not fail.
        let _ = writeln!(out, "  n{} [label=\"{label}\"{colour}];", id.0);
    }
    for (from, to, edge) in &view.edges {
        if !index.nodes.contains_key(from) || !index.nodes.contains_key(to) {
            continue;
        }
        let style = match edge.kind {
            EdgeKind::Request => "label=\"request\"",
            EdgeKind::Call => "label=\"call\"",
            EdgeKind::Cast => "label=\"cast\", style=dashed",
            EdgeKind::Local => "style=dotted",
            EdgeKind::Retry => "label=\"retry\", color=orange",
        };
        let _ = writeln!(out, "  n{} -> n{} [{style}];", from.0, to.0);
    }
    out.push_str("}\n");
    out
}

/// Text inside a quoted string: a backslash would begin an escape of Graphviz.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
