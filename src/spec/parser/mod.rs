//! From the lines of a file to its syntax tree. Every mistake is noted and reading goes on with the next line.

mod finding;
mod flow;
mod layer;
mod machine;
mod service;
mod step;

pub(crate) use finding::{severity_word, wrong_words};
pub(crate) use machine::subject_words;
pub(crate) use step::{level_word, role_word};
#[cfg(test)]
pub(crate) use {finding::WRONGS, step::ROLES};

use crate::base::span::Spanned;
use crate::spec::grammar::{FileId, Origin};
use crate::spec::lexer::TokenKind;
use crate::spec::outline::{Node, outline};
use crate::spec::problem::Problem;
use crate::spec::tree::{Ending, File, Item, ItemBody, Line, Name, Notes, Quote};
use crate::spec::words::{Words, is_name};

/// The kinds of items.
pub(crate) const ITEMS: [&str; 7] = ["layer", "service", "step", "machine", "block", "flow", "finding"];

/// Reads a file. The tree lacks the lines in which mistakes were found.
pub(crate) fn parse(file: FileId, text: &str, problems: &mut Vec<Problem>) -> File {
    let mut parser = Parser { file, problems };
    let (nodes, tail) = outline(file, text, parser.problems);
    let mut nodes = nodes.as_slice();
    let mut notes = Notes::default();
    match nodes.split_first() {
        Some((first, rest)) if Words::new(file, first).peek() == Some("format") => {
            notes = first.notes.clone();
            parser.format(first);
            nodes = rest;
        }
        first => {
            let span = first.map(|(node, _)| node.span).unwrap_or_default();
            let problem =
                Problem::error("the file does not begin with `format 1`", Origin { file, span }, "before this");
            parser.problems.push(problem.help("write `format 1` on the first line"));
        }
    }
    let items = nodes.iter().filter_map(|node| parser.item(node)).collect();
    File { notes, items, tail }
}

/// What the parser of a file carries along.
pub(crate) struct Parser<'a> {
    file: FileId,
    problems: &'a mut Vec<Problem>,
}

impl Parser<'_> {
    /// `format 1`.
    fn format(&mut self, node: &Node) {
        let mut words = Words::new(self.file, node);
        let mut read = || {
            words.expect("format")?;
            let version = words.word("the number of the format")?;
            if version.value != "1" {
                let message = format!("format `{}` is not known", version.value);
                return Err(
                    Problem::error(message, words.at(version.span), "this").help("this release reads `format 1`")
                );
            }
            words.end()
        };
        if let Err(problem) = read() {
            self.problems.push(problem);
        }
        self.leaf(node);
    }

    /// An item. It is kept with what could be read, so that its name is known to others.
    fn item(&mut self, node: &Node) -> Option<Line<Item>> {
        let mut words = Words::new(self.file, node);
        let first = match words.word("an item") {
            Ok(first) => first,
            Err(problem) => {
                self.note(node, problem.help(format!("an item begins with one of: {}", ITEMS.join(", "))));
                return None;
            }
        };
        let Some(kind) = ITEMS.into_iter().find(|kind| *kind == first.value) else {
            self.note(node, self.unknown_item(&first));
            return None;
        };
        let mut code = Spanned::new(String::new(), first.span);
        if kind == "finding" {
            match words.name("the code of the finding") {
                Ok(found) => code = found,
                Err(problem) => {
                    self.note(node, problem);
                    return None;
                }
            }
        }
        let name = match words.name(&format!("the name of the {kind}")) {
            Ok(name) => name,
            Err(problem) => {
                self.note(node, problem);
                return None;
            }
        };
        let title = words.optional_text();
        if title.is_none() && kind != "block" && !node.broken {
            self.note(node, words.expected("a title").help("a title is one line in double quotes"));
        } else if let Err(problem) = words.end() {
            self.note(node, problem);
        }
        if kind == "step" && !name.value.contains('.') {
            let message = format!("the step's name `{}` has no dot", name.value);
            let problem = Problem::error(message, words.at(name.span), "this name");
            self.problems.push(problem.help(format!("name it by its place, as in `nova.{}`", name.value)));
        }
        let lines = &node.children;
        let body = match kind {
            "layer" => ItemBody::Layer(self.lines(lines, Self::layer_statement)),
            "service" => ItemBody::Service(self.lines(lines, Self::service_statement)),
            "step" => ItemBody::Step(self.step_body(node)),
            "machine" => ItemBody::Machine(self.lines(lines, Self::machine_statement)),
            "block" => ItemBody::Block(self.flow_body(lines, false)),
            "flow" => ItemBody::Flow(self.flow_body(lines, true)),
            _ => ItemBody::Finding(code, self.lines(lines, Self::finding_statement)),
        };
        let item = Item { name, title, end: Ending(end_of(node)), body };
        Some(Line { notes: node.notes.clone(), value: item, span: node.span })
    }

    fn unknown_item(&self, first: &Name) -> Problem {
        let origin = Origin { file: self.file, span: first.span };
        if first.value == "format" {
            return Problem::error("`format` stands here twice", origin, "the second time");
        }
        let all = format!("an item begins with one of: {}", ITEMS.join(", "));
        Problem::error(format!("unknown item `{}`", first.value), origin, "no item begins like this").suggest(
            &first.value,
            ITEMS,
            all,
        )
    }

    /// Notes a problem of a line, unless its words could not be read anyway.
    fn note(&mut self, node: &Node, problem: Problem) {
        if !node.broken {
            self.problems.push(problem);
        }
    }

    /// Reads each line by itself and drops those with mistakes.
    fn lines<T>(
        &mut self,
        nodes: &[Node],
        mut read: impl FnMut(&mut Self, &Node, &mut Words) -> Result<T, Problem>,
    ) -> Vec<Line<T>> {
        let mut lines = Vec::with_capacity(nodes.len());
        for node in nodes.iter().filter(|node| !node.broken) {
            let mut words = Words::new(self.file, node);
            match read(self, node, &mut words).and_then(|value| words.end().map(|()| value)) {
                Ok(value) => lines.push(Line { notes: node.notes.clone(), value, span: node.span }),
                Err(problem) => self.problems.push(problem),
            }
        }
        lines
    }

    /// Complains of lines nested under a statement that takes none.
    fn leaf(&mut self, node: &Node) {
        if let Some(child) = node.children.first() {
            let origin = Origin { file: self.file, span: child.span };
            let first = match node.tokens.first().map(|token| &token.kind) {
                Some(TokenKind::Word(word)) => word.as_str(),
                _ => "this",
            };
            let message = format!("nothing can be nested under `{first}`");
            self.problems
                .push(Problem::error(message, origin, "nested too deep").help("indent it like the line above"));
        }
    }

    /// `source` and `about`, which every item has; anything else is an unknown statement.
    fn quote(&mut self, node: &Node, words: &mut Words, known: &[&str]) -> Result<Quote, Problem> {
        self.leaf(node);
        if words.take("source") {
            return words.text("what is cited").map(Quote::Source);
        }
        if words.take("about") {
            return words.text("a sentence").map(Quote::About);
        }
        let known: Vec<&str> = known.iter().copied().chain(["source", "about"]).collect();
        Err(unknown_statement(words, &known))
    }
}

/// The complaint of a statement that is not known here.
fn unknown_statement(words: &mut Words, known: &[&str]) -> Problem {
    let all = format!("these are known here: {}", known.join(", "));
    match words.word("a statement") {
        Ok(first) => {
            let message = format!("unknown statement `{}`", first.value);
            Problem::error(message, words.at(first.span), "not known here").suggest(
                &first.value,
                known.iter().copied(),
                all,
            )
        }
        Err(problem) => problem.help(all),
    }
}

/// The offset behind the last word of a node's last line.
fn end_of(node: &Node) -> usize {
    let mut last = node;
    while let Some(child) = last.children.last() {
        last = child;
    }
    last.span.end
}

/// A part of a message or of a text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatternPart<'a> {
    /// A literal text.
    Literal(&'a str),
    /// The name in braces.
    Placeholder(&'a str),
}

/// Splits a text at its `{name}`s. A brace that holds no name is a literal brace.
pub(crate) fn pattern_parts(text: &str) -> Vec<PatternPart<'_>> {
    let mut parts = Vec::new();
    let (mut literal, mut from) = (0, 0);
    while let Some(open) = text[from..].find('{').map(|offset| from + offset) {
        let close = text[open..].find('}').map(|offset| open + offset);
        match close.map(|close| (&text[open + 1..close], close)) {
            Some((name, close)) if is_name(name) => {
                if literal < open {
                    parts.push(PatternPart::Literal(&text[literal..open]));
                }
                parts.push(PatternPart::Placeholder(name));
                literal = close + 1;
                from = literal;
            }
            _ => from = open + 1,
        }
    }
    if literal < text.len() {
        parts.push(PatternPart::Literal(&text[literal..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_without_a_name_are_literal() {
        use PatternPart::{Literal, Placeholder};
        assert_eq!(pattern_parts("a {b} c"), [Literal("a "), Placeholder("b"), Literal(" c")]);
        assert_eq!(pattern_parts("{b}"), [Placeholder("b")]);
        assert_eq!(pattern_parts("{ 'a' } {b"), [Literal("{ 'a' } {b")]);
        assert_eq!(pattern_parts("{{b}"), [Literal("{"), Placeholder("b")]);
    }

    #[test]
    fn an_item_with_a_bad_line_is_still_known() {
        let mut problems = Vec::new();
        let text = "format 1\nstep a.b \"t\"\n  c runs f\n  lokc x\n";
        let file = parse(FileId(0), text, &mut problems);
        assert_eq!(file.items[0].value.name.value, "a.b");
        assert_eq!(problems.len(), 1);
    }
}
