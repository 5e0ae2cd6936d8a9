//! The words of one line: words, texts in quotes, commas, and the comment at its end.

use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::value;
use nom::{IResult, Parser};

use crate::base::span::Span;
use crate::base::text::escape;
use crate::spec::grammar::{FileId, Origin};
use crate::spec::problem::Problem;

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Where it stands in its file.
    pub(crate) span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Anything without blanks, commas, quotes and `#`.
    Word(String),
    /// A text in quotes, its escapes undone.
    Text(String),
    /// A comma.
    Comma,
}

/// What a line holds.
#[derive(Debug, Default)]
pub(crate) struct LineTokens {
    /// Its words.
    pub(crate) tokens: Vec<Token>,
    /// The comment behind them, with its `#`.
    pub(crate) comment: Option<String>,
    /// What is wrong with its words; those behind the mistake are missing.
    pub(crate) problem: Option<Problem>,
}

/// Splits a line, without its indentation and its end, that begins at `start` in its file.
pub(crate) fn tokens(file: FileId, line: &str, start: usize) -> LineTokens {
    let mut found = LineTokens::default();
    let mut rest = line.trim_start_matches(' ');
    while let Some(first) = rest.chars().next() {
        let at = start + line.len() - rest.len();
        if first == '#' {
            found.comment = Some(rest.trim_end().to_owned());
            found.problem = hidden_character(file, rest, at);
            return found;
        }
        let (after, kind) = if first == '"' {
            match text(rest) {
                Ok((after, text)) => (after, TokenKind::Text(text)),
                Err(mistake) => {
                    found.problem = Some(mistake.problem(file, rest, at));
                    return found;
                }
            }
        } else {
            match alt((value(TokenKind::Comma, char(',')), word)).parse(rest) {
                Ok(parsed) => parsed,
                Err(_) => {
                    let end = at + first.len_utf8();
                    let origin = Origin { file, span: Span::new(at, end) };
                    found.problem = Some(if first == '\t' {
                        Problem::error("a tab between words", origin, "a tab").help("use blanks")
                    } else {
                        Problem::error(format!("`{}` cannot stand here", escape(&first.to_string())), origin, "this")
                    });
                    return found;
                }
            }
        };
        let length = rest.len() - after.len();
        if let Some(problem) = hidden_character(file, &rest[..length], at) {
            found.problem = Some(problem);
            return found;
        }
        found.tokens.push(Token { kind, span: Span::new(at, at + length) });
        rest = after.trim_start_matches(' ');
    }
    found
}

/// A run of characters that are neither blank nor mean anything by themselves.
fn word(input: &str) -> IResult<&str, TokenKind> {
    take_while1(|character: char| !character.is_whitespace() && !matches!(character, ',' | '"' | '#'))
        .map(|word: &str| TokenKind::Word(word.to_owned()))
        .parse(input)
}

/// What can be wrong with a text in quotes, with the offset of the mistake.
enum TextMistake {
    Unterminated,
    Escape(usize),
}

impl TextMistake {
    fn problem(&self, file: FileId, rest: &str, at: usize) -> Problem {
        match self {
            Self::Unterminated => {
                let span = Span::new(at, at + rest.trim_end().len());
                Problem::error("this text does not end", Origin { file, span }, "begins here")
                    .help("end it with `\"` on the same line")
            }
            Self::Escape(offset) => {
                let length = 1 + rest[offset + 1..].chars().next().map_or(0, char::len_utf8);
                let span = Span::new(at + offset, at + offset + length);
                Problem::error("unknown escape in a text", Origin { file, span }, "this")
                    .help("only `\\\"` and `\\\\` are known; write `\\\\` for a backslash")
            }
        }
    }
}

/// A text in quotes, its escapes undone.
fn text(input: &str) -> Result<(&str, String), TextMistake> {
    let mut text = String::new();
    let mut characters = input.char_indices().skip(1);
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => return Ok((&input[offset + 1..], text)),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some(_) => return Err(TextMistake::Escape(offset)),
                None => return Err(TextMistake::Unterminated),
            },
            other => text.push(other),
        }
    }
    Err(TextMistake::Unterminated)
}

/// Complains of control characters and of those that hide or reorder text: a reader could not see what is written.
fn hidden_character(file: FileId, text: &str, start: usize) -> Option<Problem> {
    let (offset, character) = text
        .char_indices()
        .find(|(_, character)| matches!(escape(character.encode_utf8(&mut [0; 4])), std::borrow::Cow::Owned(_)))?;
    let span = Span::new(start + offset, start + offset + character.len_utf8());
    let shown = escape(&character.to_string()).into_owned();
    Some(Problem::error(format!("the hidden character `{shown}`"), Origin { file, span }, "here").help("remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str) -> Vec<TokenKind> {
        let found = tokens(FileId(0), line, 0);
        assert_eq!(found.problem, None);
        found.tokens.into_iter().map(|token| token.kind).collect()
    }

    fn message(line: &str) -> String {
        tokens(FileId(0), line, 0).problem.map(|problem| problem.message).unwrap_or_default()
    }

    #[test]
    fn words_texts_and_commas() {
        let word = |text: &str| TokenKind::Word(text.to_owned());
        assert_eq!(kinds("a, b -> c"), [word("a"), TokenKind::Comma, word("b"), word("->"), word("c")]);
        assert_eq!(
            kinds(r#"say "a \"b\" \\ # , c" # no"#),
            [word("say"), TokenKind::Text("a \"b\" \\ # , c".to_owned())]
        );
    }

    #[test]
    fn comments_are_kept_with_their_spans_apart() {
        let found = tokens(FileId(0), "lock a # why ", 10);
        assert_eq!(found.comment.as_deref(), Some("# why"));
        assert_eq!(found.tokens[1].span, Span::new(15, 16));
    }

    #[test]
    fn bad_texts_are_told_apart() {
        assert_eq!(message("a \"b"), "this text does not end");
        assert_eq!(message("a \"b\\"), "this text does not end");
        assert_eq!(message("a \"\\n\""), "unknown escape in a text");
        assert_eq!(message("a \"\u{202e}\""), "the hidden character `\\u{202e}`");
        assert_eq!(message("a\tb"), "a tab between words");
    }
}
