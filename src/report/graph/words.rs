//! What the forms of the graph say of a node.

use crate::report::graph::GraphView;
use crate::report::text::look::{clean, clip, duration};
use crate::trace::node::{Node, NodeKind};

/// The work of a node: `POST /v3/.../attachments`, `cast attach_volume`, `connect_volume`. Raw log text.
pub(super) fn work(node: &Node) -> String {
    let label = node.label.as_deref().unwrap_or("?");
    match node.kind {
        NodeKind::Client => label.to_owned(),
        NodeKind::Operation => label.to_owned(),
        NodeKind::Http => {
            format!("{} {}", node.method.as_deref().unwrap_or("?"), node.path.as_deref().unwrap_or("?"))
        }
        NodeKind::Call => format!("call {}", node.rpc.as_deref().unwrap_or(label)),
        NodeKind::Cast => format!("cast {}", node.rpc.as_deref().unwrap_or(label)),
    }
}

/// The same, safe to print, with ids cut to their first eight digits unless `whole`.
pub(super) fn shown_work(node: &Node, whole: bool) -> String {
    let work = work(node);
    // What is far behind any terminal's end needs no cleaning.
    let work = clean(&clip(&work, 4_000));
    if whole { work } else { short_ids(&work) }
}

/// Cuts ids (32 hexadecimal digits, with or without dashes) to their first eight digits.
fn short_ids(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for word in text.split_inclusive(|character: char| !(character.is_ascii_hexdigit() || character == '-')) {
        let id = word.trim_end_matches(|character: char| !(character.is_ascii_hexdigit() || character == '-'));
        if uuid::Uuid::try_parse(id).is_ok() {
            short.push_str(&id[..8]);
            short.push_str(&word[id.len()..]);
        } else {
            short.push_str(word);
        }
    }
    short
}

/// The service of a node, or what stands in for it.
pub(super) fn service(view: &GraphView<'_>, node: &Node) -> String {
    match (node.service, node.kind) {
        (Some(service), _) => clean(view.grammar.vocabulary.service_name(service)),
        (None, NodeKind::Client) => "client".to_owned(),
        (None, _) => "?".to_owned(),
    }
}

/// The asking service of a node.
pub(super) fn caller(view: &GraphView<'_>, node: &Node) -> String {
    node.caller.map_or_else(|| "client".to_owned(), |caller| clean(view.grammar.vocabulary.service_name(caller)))
}

/// How long the work took, first of `first`, last of `last`.
pub(super) fn took(first: &Node, last: &Node) -> Option<String> {
    first
        .start
        .zip(last.end.or(last.start))
        .filter(|(start, end)| start != end)
        .map(|(start, end)| duration(end.since(start)))
}

/// Whether a node is known to have failed. An error that was logged in it is none: it may have been dealt with.
pub(super) fn failed(node: &Node) -> bool {
    let bad_status = match node.kind {
        NodeKind::Client => node.status.is_some_and(|code| code != 0),
        _ => node.status.is_some_and(|status| status >= 400),
    };
    bad_status || node.success == Some(false) || node.timed_out
}

/// The result of a node in a word: a status, `timed out`, `failed`.
pub(super) fn result(node: &Node) -> Option<String> {
    match (node.kind, node.status) {
        (NodeKind::Client, Some(0)) => None,
        (NodeKind::Client, Some(code)) => Some(format!("exit code {code}")),
        (_, Some(status)) => Some(status.to_string()),
        _ if node.timed_out => Some("timed out".to_owned()),
        _ if failed(node) => Some("failed".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_cut() {
        let text = "GET /v3/9c2e9c2e9c2e9c2e9c2e9c2e9c2e9c2e/volumes/c6e212b4-13cb-4727-bb3a-772a4c2bf842?all=1";
        assert_eq!(short_ids(text), "GET /v3/9c2e9c2e/volumes/c6e212b4?all=1");
        assert_eq!(short_ids("no id: deadbeef-"), "no id: deadbeef-");
    }
}
