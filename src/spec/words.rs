//! Reads the words of one statement from left to right, and says what was expected when another word stands there.

use nom::bytes::complete::take_while1;
use nom::character::complete::{alpha1, char, u32 as number};
use nom::combinator::{all_consuming, map_opt};
use nom::multi::many1;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser, branch::alt};

use crate::base::span::{Span, Spanned};
use crate::spec::grammar::{FileId, Origin, PathSegment};
use crate::spec::lexer::{Token, TokenKind};
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::{Duration, Name, TIME_UNITS, Text, TimeUnit};

/// The words of a statement that are still to be read.
pub(crate) struct Words<'a> {
    file: FileId,
    span: Span,
    tokens: &'a [Token],
}

impl<'a> Words<'a> {
    /// All words of a line.
    pub(crate) fn new(file: FileId, node: &'a Node) -> Self {
        Self { file, span: node.span, tokens: &node.tokens }
    }

    /// The statement's place.
    pub(crate) fn statement(&self) -> Origin {
        Origin { file: self.file, span: self.span }
    }

    /// A place in the statement's file.
    pub(crate) fn at(&self, span: Span) -> Origin {
        Origin { file: self.file, span }
    }

    /// The place of the next word, or the end of the statement.
    pub(crate) fn here(&self) -> Origin {
        let end = Span::new(self.span.end, self.span.end);
        self.at(self.tokens.first().map_or(end, |token| token.span))
    }

    /// The next word, without taking it.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        match self.tokens.first() {
            Some(Token { kind: TokenKind::Word(word), .. }) => Some(word),
            _ => None,
        }
    }

    /// Whether all words have been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether one of the words that are left is this one.
    pub(crate) fn contains(&self, wanted: &str) -> bool {
        self.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Word(word) if word == wanted))
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// Takes this word or complains.
    pub(crate) fn expect(&mut self, wanted: &str) -> Result<(), Problem> {
        if self.take(wanted) { Ok(()) } else { Err(self.expected(&format!("`{wanted}`"))) }
    }

    /// The complaint that something else stands here.
    pub(crate) fn expected(&self, what: &str) -> Problem {
        let message = match self.tokens.first().map(|token| &token.kind) {
            None => format!("{what} is missing"),
            Some(TokenKind::Word(word)) => format!("expected {what}, found `{word}`"),
            Some(TokenKind::Text(_)) => format!("expected {what}, found a text"),
            Some(TokenKind::Comma) => format!("expected {what}, found a comma"),
        };
        Problem::error(message, self.here(), format!("{what} belongs here"))
    }

    /// Any word.
    pub(crate) fn word(&mut self, what: &str) -> Result<Name, Problem> {
        match self.tokens.split_first() {
            Some((Token { kind: TokenKind::Word(word), span }, rest)) => {
                self.tokens = rest;
                Ok(Spanned::new(word.clone(), *span))
            }
            _ => Err(self.expected(what)),
        }
    }

    /// A word of a closed list.
    pub(crate) fn one_of(&mut self, what: &str, list: &[&'static str]) -> Result<Spanned<&'static str>, Problem> {
        let word = self.word(what)?;
        match list.iter().find(|candidate| **candidate == word.value) {
            Some(found) => Ok(Spanned::new(found, word.span)),
            None => {
                let message = format!("`{}` is not {what}", word.value);
                let all = format!("it is one of: {}", list.join(", "));
                Err(Problem::error(message, self.at(word.span), "not known").suggest(
                    &word.value,
                    list.iter().copied(),
                    all,
                ))
            }
        }
    }

    /// A name: letters, digits, `.`, `-`, `_` and `@`.
    pub(crate) fn name(&mut self, what: &str) -> Result<Name, Problem> {
        let word = self.word(what)?;
        if is_name(&word.value) {
            return Ok(word);
        }
        let message = format!("`{}` is not a name", word.value);
        Err(Problem::error(message, self.at(word.span), format!("{what} belongs here"))
            .help("names are made of letters, digits, `.`, `-`, `_` and `@`"))
    }

    /// Names with commas between them.
    pub(crate) fn names(&mut self, what: &str) -> Result<Vec<Name>, Problem> {
        self.list(|words| words.name(what))
    }

    /// Things with commas between them.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, Problem>) -> Result<Vec<T>, Problem> {
        let mut list = vec![one(self)?];
        while let Some((Token { kind: TokenKind::Comma, .. }, rest)) = self.tokens.split_first() {
            self.tokens = rest;
            list.push(one(self)?);
        }
        Ok(list)
    }

    /// A text in quotes.
    pub(crate) fn text(&mut self, what: &str) -> Result<Text, Problem> {
        match self.optional_text() {
            Some(text) => Ok(text),
            None => Err(self.expected(what).help("texts stand in double quotes")),
        }
    }

    /// Texts with commas between them.
    pub(crate) fn texts(&mut self, what: &str) -> Result<Vec<Text>, Problem> {
        self.list(|words| words.text(what))
    }

    /// A text in quotes, if one stands here.
    pub(crate) fn optional_text(&mut self) -> Option<Text> {
        let (Token { kind: TokenKind::Text(text), span }, rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(Spanned::new(text.clone(), *span))
    }

    /// A number.
    pub(crate) fn number(&mut self, what: &str, least: u32) -> Result<u32, Problem> {
        let word = self.word(what)?;
        match word.value.parse() {
            Ok(parsed) if parsed >= least => Ok(parsed),
            _ => {
                let message = format!("`{}` is not {what}", word.value);
                Err(Problem::error(message, self.at(word.span), format!("a number from {least} on belongs here")))
            }
        }
    }

    /// HTTP statuses with commas between them.
    pub(crate) fn statuses(&mut self) -> Result<Vec<u16>, Problem> {
        let statuses = self.list(|words| {
            let word = words.word("an HTTP status")?;
            match word.value.parse() {
                Ok(status @ 100..=599) if word.value.len() == 3 => Ok(Spanned::new(status, word.span)),
                _ => {
                    Err(Problem::error(format!("`{}` is not an HTTP status", word.value), words.at(word.span), "this")
                        .help("an HTTP status is a number from 100 to 599"))
                }
            }
        })?;
        for (index, status) in statuses.iter().enumerate() {
            if statuses[..index].contains(status) {
                let message = format!("status {} stands here twice", status.value);
                return Err(Problem::error(message, self.at(status.span), "the second time"));
            }
        }
        Ok(statuses.into_iter().map(|status| status.value).collect())
    }

    /// A duration.
    pub(crate) fn duration(&mut self) -> Result<Spanned<Duration>, Problem> {
        let word = self.word("a duration")?;
        let parsed = all_consuming((number::<&str, ()>, time_unit)).parse(&word.value);
        match parsed {
            Ok((_, (amount, unit))) if amount > 0 => Ok(Spanned::new(Duration { amount, unit }, word.span)),
            _ => Err(Problem::error(format!("`{}` is not a duration", word.value), self.at(word.span), "this")
                .help("a duration is a number and `ms`, `s`, `m` or `h`, as in `60s`")),
        }
    }

    /// A path pattern; `/` alone has no segments.
    pub(crate) fn path(&mut self) -> Result<Vec<PathSegment>, Problem> {
        let word = self.word("a path")?;
        if word.value == "/" {
            return Ok(Vec::new());
        }
        match path_pattern(&word.value) {
            Ok((_, segments)) => Ok(segments),
            Err(_) => Err(Problem::error(format!("`{}` is not a path", word.value), self.at(word.span), "this")
                .help("a path is `/` and words or `{names}` between `/`, as in `/volumes/{volume}/action`")),
        }
    }

    /// Complains of words that are left.
    pub(crate) fn end(&mut self) -> Result<(), Problem> {
        let message = match self.tokens.first().map(|token| &token.kind) {
            None => return Ok(()),
            Some(TokenKind::Word(word)) => format!("`{word}` is too much here"),
            Some(TokenKind::Text(_)) => "a text is too much here".to_owned(),
            Some(TokenKind::Comma) => "a comma is too much here".to_owned(),
        };
        Err(Problem::error(message, self.here(), "the statement should end before this"))
    }
}

/// Whether a word can be a name.
pub(crate) fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | '@'))
}

/// A unit of time.
fn time_unit(input: &str) -> IResult<&str, TimeUnit, ()> {
    map_opt(alpha1, |word: &str| TIME_UNITS.into_iter().find(|unit| unit.word == word)).parse(input)
}

/// `/word/{placeholder}`, at least one segment.
fn path_pattern(input: &str) -> IResult<&str, Vec<PathSegment>, ()> {
    let is_word =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '~' | '%');
    let is_placeholder = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let placeholder = delimited(char('{'), take_while1(is_placeholder), char('}'))
        .map(|name: &str| PathSegment::Placeholder(name.to_owned()));
    let word = take_while1(is_word).map(|word: &str| PathSegment::Word(word.to_owned()));
    all_consuming(many1(preceded(char('/'), alt((placeholder, word))))).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::outline::outline;

    fn with<T>(line: &str, read: impl FnOnce(&mut Words) -> Result<T, Problem>) -> Result<T, String> {
        let (nodes, _) = outline(FileId(0), line, &mut Vec::new());
        read(&mut Words::new(FileId(0), &nodes[0])).map_err(|problem| problem.message)
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(with("60s", |words| words.duration()).map(|found| found.value.micros()), Ok(60_000_000));
        assert_eq!(with("5ms", |words| words.duration()).map(|found| found.value.micros()), Ok(5_000));
        assert_eq!(with("60", |words| words.duration()).err(), Some("`60` is not a duration".to_owned()));
        assert_eq!(with("0s", |words| words.duration()).err(), Some("`0s` is not a duration".to_owned()));
    }

    #[test]
    fn paths_have_segments() {
        let path = with("/volumes/{volume}/action", |words| words.path()).expect("a path");
        assert_eq!(path[1], PathSegment::Placeholder("volume".to_owned()));
        assert_eq!(with("/", |words| words.path()), Ok(Vec::new()));
        for bad in ["volumes", "//", "/a//b", "/a/", "/{a", "/{}"] {
            assert!(with(bad, |words| words.path()).is_err(), "{bad}");
        }
    }

    #[test]
    fn statuses_are_three_digits() {
        assert_eq!(with("200, 404 x", |words| words.statuses()), Ok(vec![200, 404]));
        assert!(with("20", |words| words.statuses()).is_err());
        assert!(with("200, 200", |words| words.statuses()).is_err());
        assert_eq!(with("200,", |words| words.statuses()).err(), Some("an HTTP status is missing".to_owned()));
    }
}
