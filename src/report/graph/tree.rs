//! The call graph as an indented tree:
//!
//! ```text
//! client        server add volume web data                 4.6 s
//! `- nova-api  POST /v2.1/servers/d073926b/os-volume...    200  4.1 s  req-79f05250
//!    |- cinder-api  GET /v3/9c2e9c2e/volumes/c6e212b4      200  x14  0.2 s
//!    `- cinder-api  POST /v3/9c2e9c2e/attachments          200  0.3 s  available > reserved  req-5c1b0d11
//! ```

use rustc_hash::FxHashSet;
use textwrap::core::display_width;

use crate::report::graph::{GraphView, Index, Visit, words};
use crate::report::text::look::{Look, Tone, clean, clip};
use crate::trace::node::{EdgeKind, NodeId};

/// Writes the tree; `whole` keeps ids whole.
pub fn write(view: &GraphView<'_>, look: &Look, whole: bool) -> String {
    let index = Index::new(view);
    let lines = lines(view, &index, look, whole);
    let column = lines.iter().map(|line| display_width(&line.left)).max().unwrap_or(0).min(look.width * 3 / 5);
    let mut out = String::new();
    for line in &lines {
        let left = clip(&line.left, look.width * 3 / 5);
        out.push_str(&left);
        let mut used = display_width(&left);
        for (number, (tone, text)) in line.right.iter().enumerate() {
            let gap = if number == 0 { column.saturating_sub(used) + 2 } else { 2 };
            // The most telling comes first; what does not fit is left out.
            let text = clip(text, look.width.saturating_sub(used + gap));
            if display_width(&text) < 4 && display_width(&text) < display_width(&line.right[number].1) {
                break;
            }
            out.push_str(&" ".repeat(gap));
            out.push_str(&tone.map_or_else(|| text.clone(), |tone| look.paint(tone, &text)));
            used += gap + display_width(&text);
        }
        out.push('\n');
    }
    if out.is_empty() {
        out.push_str("No request was found in these logs.\n");
    }
    out
}

/// One line: where and what, and the result.
struct Line {
    left: String,
    right: Vec<(Option<Tone>, String)>,
}

/// The lines, in the order of a walk that visits every node once. A stack instead of recursion: a log decides how deep it is.
fn lines(view: &GraphView<'_>, index: &Index<'_>, look: &Look, whole: bool) -> Vec<Line> {
    let [branch, corner, bar] = if look.unicode { ["├─ ", "└─ ", "│  "] } else { ["|- ", "`- ", "|  "] };
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    let mut lines = Vec::new();
    for start in index.starts(view) {
        if !seen.insert(start) {
            continue;
        }
        let root = Visit { node: start, last: start, times: 1, edge: None };
        let mut open = vec![(root, String::new(), String::new())];
        while let Some((visit, own, below)) = open.pop() {
            lines.push(line(view, index, &visit, &own, whole));
            let mut visits = index.visits(view, visit.node, &mut seen);
            let last = visits.len().saturating_sub(1);
            for (number, child) in visits.drain(..).enumerate().rev() {
                let (sign, stem) = if number == last { (corner, "   ") } else { (branch, bar) };
                open.push((child, format!("{below}{sign}"), format!("{below}{stem}")));
            }
        }
    }
    lines
}

fn line(view: &GraphView<'_>, index: &Index<'_>, visit: &Visit, prefix: &str, whole: bool) -> Line {
    let (Some(node), Some(last)) = (index.nodes.get(&visit.node), index.nodes.get(&visit.last)) else {
        return Line { left: prefix.to_owned(), right: Vec::new() };
    };
    let retry = if visit.edge.is_some_and(|edge| edge.kind == EdgeKind::Retry) { "again: " } else { "" };
    let left = format!("{prefix}{}  {retry}{}", words::service(view, node), words::shown_work(node, whole));
    let mut right = Vec::new();
    if let Some(result) = words::result(node) {
        right.push((Some(if words::failed(node) { Tone::Bad } else { Tone::Good }), result));
    }
    if visit.times > 1 {
        right.push((None, format!("x{}", visit.times)));
    }
    right.extend(words::took(node, last).map(|took| (None, took)));
    if let Some((from, to)) = (view.status_change)(visit.node) {
        right.push((Some(Tone::Strong), format!("{} > {}", clean(&from), clean(&to))));
    }
    if let Some(request) = node.request {
        let id = request.to_string();
        right.push((Some(Tone::Faint), if whole { id } else { id[..12].to_owned() }));
    }
    if let Some(error) = &node.error {
        right.push((Some(Tone::Doubt), clip(&clean(&error.message), 60)));
    }
    Line { left, right }
}
