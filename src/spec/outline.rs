//! The lines of a file as a tree by their indentation, with comments and blank lines kept.

use crate::base::span::Span;
use crate::spec::grammar::{FileId, Origin};
use crate::spec::lexer::{Token, tokens};
use crate::spec::problem::Problem;
use crate::spec::tree::{Notes, Trivia};

/// How deep lines may be nested. It bounds every recursion over a syntax tree.
pub(crate) const MAX_DEPTH: usize = 32;

/// A line and the lines nested under it.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its words.
    pub(crate) tokens: Vec<Token>,
    /// From its first word to its last.
    pub(crate) span: Span,
    /// Comments and blank lines around it.
    pub(crate) notes: Notes,
    /// Whether its words could not be read to the end.
    pub(crate) broken: bool,
    /// The lines under it.
    pub(crate) children: Vec<Node>,
}

/// Reads the lines of a file; gives also what stands behind the last statement.
pub(crate) fn outline(file: FileId, text: &str, problems: &mut Vec<Problem>) -> (Vec<Node>, Vec<Trivia>) {
    let mut open: Vec<Node> = Vec::new();
    let mut roots: Vec<Node> = Vec::new();
    let mut pending: Vec<Trivia> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line_start = start;
        start += raw.len();
        let (line, line_start) = match raw.strip_prefix('\u{feff}') {
            Some(behind_mark) if line_start == 0 => (behind_mark, '\u{feff}'.len_utf8()),
            _ => (raw, line_start),
        };
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
        if line.is_empty() {
            let is_top = roots.is_empty() && open.is_empty() && pending.is_empty();
            if !is_top && pending.last() != Some(&Trivia::Blank) {
                pending.push(Trivia::Blank);
            }
            continue;
        }
        let content = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - content.len();
        let found = tokens(file, content, line_start + indent);
        let is_comment = found.tokens.is_empty() && found.problem.is_none();
        problems.extend(found.problem.clone());
        if is_comment {
            pending.extend(found.comment.map(Trivia::Comment));
            continue;
        }
        let first = found.tokens.first().map_or(line_start + indent, |token| token.span.start);
        let span = Span::new(first, found.tokens.last().map_or(line_start + line.len(), |token| token.span.end));
        let margin = Origin { file, span: Span::new(line_start, line_start + indent) };
        let level = match level(&line[..indent], margin, open.len(), problems) {
            Some(level) => level,
            None => {
                pending.clear();
                continue;
            }
        };
        close(&mut open, &mut roots, level);
        let notes = Notes { before: std::mem::take(&mut pending), behind: found.comment };
        let broken = found.problem.is_some();
        open.push(Node { tokens: found.tokens, span, notes, broken, children: Vec::new() });
    }
    close(&mut open, &mut roots, 0);
    if matches!(pending.last(), Some(Trivia::Blank)) {
        pending.pop();
    }
    (roots, pending)
}

/// The level of a line by its margin; mistakes are reported and the likely level is taken. `None` when it is too deep.
fn level(margin: &str, origin: Origin, open: usize, problems: &mut Vec<Problem>) -> Option<usize> {
    let width = if margin.contains('\t') {
        problems.push(
            Problem::error("a tab in the indentation", origin, "a tab stands here")
                .help("indent by two blanks a level"),
        );
        margin.chars().map(|character| if character == '\t' { 2 } else { 1 }).sum()
    } else {
        margin.len()
    };
    let asked = (width / 2).max(usize::from(width > 0));
    if !margin.contains('\t') && width % 2 == 1 {
        let message = format!("an indentation of {width} blanks");
        problems.push(Problem::error(message, origin, "an odd number of blanks").help("indent by two blanks a level"));
    } else if asked > open {
        let message =
            if open == 0 { "the first line of a file is indented".to_owned() } else { "indented too far".to_owned() };
        let help = format!("at most {} blanks can stand here", open * 2);
        problems.push(Problem::error(message, origin, format!("{width} blanks")).help(help));
    }
    let level = asked.min(open);
    if level > MAX_DEPTH {
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        problems
            .push(Problem::error(message, origin, "this deep").help("put the inner lines into a `block` and `use` it"));
        return None;
    }
    Some(level)
}

/// Ends all open lines from `level` on.
fn close(open: &mut Vec<Node>, roots: &mut Vec<Node>, level: usize) {
    while open.len() > level {
        let Some(node) = open.pop() else { return };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => roots.push(node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        outline(FileId(0), text, &mut problems);
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn lines_nest_by_indentation() {
        let mut problems = Vec::new();
        let (roots, tail) = outline(FileId(0), "# top\n\n\na\n  b\r\n    c # c\n  d\n\ne\n# end\n", &mut problems);
        assert!(problems.is_empty());
        assert_eq!(roots.len(), 2);
        assert_eq!(roots[0].children.len(), 2);
        assert_eq!(roots[0].notes.before, [Trivia::Comment("# top".to_owned()), Trivia::Blank]);
        assert_eq!(roots[0].children[0].children[0].notes.behind.as_deref(), Some("# c"));
        assert_eq!(roots[1].notes.before, [Trivia::Blank]);
        assert_eq!(tail, [Trivia::Comment("# end".to_owned())]);
    }

    #[test]
    fn wrong_margins_are_reported_and_reading_goes_on() {
        assert_eq!(messages("a\n   b\n"), ["an indentation of 3 blanks"]);
        assert_eq!(messages("a\n\tb\n"), ["a tab in the indentation"]);
        assert_eq!(messages("a\n    b\n"), ["indented too far"]);
        assert_eq!(messages("  a\n"), ["the first line of a file is indented"]);
    }

    #[test]
    fn depth_is_bounded() {
        let deep: String = (0..100_usize).map(|level| format!("{}x\n", "  ".repeat(level))).collect();
        assert!(messages(&deep).iter().any(|message| message.contains("nested more than")));
    }
}
