//! The call graph as a mermaid sequence diagram: who asked whom, in the order of time, with the answers.

use std::fmt::Write as _;

use rustc_hash::FxHashSet;

use crate::report::graph::{GraphView, Index, Visit, words};
use crate::report::text::look::clip;
use crate::trace::node::{Node, NodeId, NodeKind};

/// Writes the diagram.
pub fn write(view: &GraphView<'_>) -> String {
    let index = Index::new(view);
    let mut diagram = Diagram { view, index: &index, participants: Vec::new(), body: String::new() };
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    for start in index.starts(view) {
        if !seen.insert(start) {
            continue;
        }
        let mut open = vec![Turn::Enter(Visit { node: start, last: start, times: 1, edge: None })];
        while let Some(turn) = open.pop() {
            match turn {
                Turn::Enter(visit) => {
                    diagram.enter(&visit);
                    open.push(Turn::Leave(visit.node));
                    let visits = index.visits(view, visit.node, &mut seen);
                    open.extend(visits.into_iter().rev().map(Turn::Enter));
                }
                Turn::Leave(node) => diagram.leave(node),
            }
        }
    }
    diagram.finish()
}

/// A step of the walk.
enum Turn {
    /// The work begins.
    Enter(Visit),
    /// The work, and all inside it, is done.
    Leave(NodeId),
}

struct Diagram<'a> {
    view: &'a GraphView<'a>,
    index: &'a Index<'a>,
    participants: Vec<String>,
    body: String,
}

impl Diagram<'_> {
    fn enter(&mut self, visit: &Visit) {
        let Some(node) = self.index.nodes.get(&visit.node) else { return };
        let mut text = clip(&words::shown_work(node, false), 100);
        if visit.times > 1 {
            text.push_str(&format!(" (x{})", visit.times));
        }
        let (from, to) = self.ends(node);
        match node.kind {
            NodeKind::Client => self.line(&format!("Note over {to}: {}", escaped(&text))),
            NodeKind::Operation => self.line(&format!("{to}->>{to}: {}", escaped(&text))),
            NodeKind::Cast => self.line(&format!("{from}-){to}: {}", escaped(&text))),
            NodeKind::Http | NodeKind::Call => self.line(&format!("{from}->>{to}: {}", escaped(&text))),
        }
    }

    fn leave(&mut self, id: NodeId) {
        let Some(node) = self.index.nodes.get(&id) else { return };
        let (from, to) = self.ends(node);
        if let Some((before, after)) = (self.view.status_change)(id) {
            self.line(&format!("Note over {to}: {}", escaped(&format!("{before} > {after}"))));
        }
        let took = words::took(node, node);
        match node.kind {
            NodeKind::Http | NodeKind::Call if node.timed_out => self.line(&format!("{to}--x{from}: timed out")),
            NodeKind::Http | NodeKind::Call => {
                let words: Vec<String> = words::result(node).into_iter().chain(took).collect();
                if !words.is_empty() {
                    self.line(&format!("{to}-->>{from}: {}", escaped(&words.join(", "))));
                }
            }
            _ if words::failed(node) || node.error.is_some() => {
                let error = node.error.as_ref().map_or("failed".to_owned(), |error| clip(&error.message, 80));
                self.line(&format!("Note over {to}: {}", escaped(&error)));
            }
            _ => {}
        }
    }

    /// The participants of a node: who asks and who works.
    fn ends(&mut self, node: &Node) -> (String, String) {
        let from = words::caller(self.view, node);
        let to = words::service(self.view, node);
        (self.participant(from), self.participant(to))
    }

    /// The alias of a participant; a name of its own could be a word of mermaid.
    fn participant(&mut self, name: String) -> String {
        let known = self.participants.iter().position(|each| *each == name);
        let number = known.unwrap_or_else(|| {
            self.participants.push(name);
            self.participants.len() - 1
        });
        format!("p{number}")
    }

    fn line(&mut self, text: &str) {
        // Writing into a string does not fail.
        let _ = writeln!(self.body, "  {text}");
    }

    fn finish(self) -> String {
        let mut out = String::from("sequenceDiagram\n");
        for (number, name) in self.participants.iter().enumerate() {
            let _ = writeln!(out, "  participant p{number} as {}", escaped(name));
        }
        out + &self.body
    }
}

/// Text in a diagram: what mermaid could read as its own, or a browser as markup, is written as a character code.
fn escaped(text: &str) -> String {
    let text = crate::report::text::look::clean(text);
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | '{' | '}' | '\\' | '`' => {
                let _ = write!(safe, "#{};", u32::from(character));
            }
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_syntax() {
        assert_eq!(escaped("a;b #1 <i> %%"), "a#59;b #35;1 #60;i#62; #37;#37;");
        assert!(!escaped("x\ny").contains('\n'));
    }
}
