//! `flow` and `block`: legal sequences.

use super::{Parser, unknown_statement};
use crate::base::span::{Span, Spanned};
use crate::spec::grammar::{Age, Origin};
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::{Branch, BranchLabel, FlowStatement, Line, Statement, StepLine};
use crate::spec::words::Words;

/// The statements of a flow's head.
const HEAD: [&str; 8] = ["starts", "goal", "anytime", "deadline", "direct", "per volume", "begins", "leaves"];

/// The words that begin a line of a sequence other than a step.
const SEQUENCE: [&str; 9] =
    ["implied", "optional", "choice", "any order", "repeat", "attempt", "on failure", "tolerate", "use"];

impl Parser<'_> {
    /// The lines of a flow, or of a block, which has no head.
    pub(super) fn flow_body(&mut self, nodes: &[Node], has_head: bool) -> Vec<Line<FlowStatement>> {
        let before = self.problems.len();
        let lines = self.lines(nodes, |parser, node, words| parser.flow_statement(node, words, has_head));
        if self.problems.len() == before && !nodes.iter().any(|node| node.broken) {
            self.attempts(lines.iter().map(|line| match &line.value {
                FlowStatement::Sequence(statement) => (Some(statement), line.span),
                _ => (None, line.span),
            }));
        }
        lines
    }

    fn flow_statement(&mut self, node: &Node, words: &mut Words, has_head: bool) -> Result<FlowStatement, Problem> {
        let first = words.peek().unwrap_or_default();
        if matches!(first, "source" | "about") {
            return self.quote(node, words, &[]).map(FlowStatement::Quote);
        }
        if !HEAD.iter().any(|word| word.split(' ').next() == Some(first)) {
            let head: &[&str] = if has_head { &HEAD } else { &[] };
            return self.statement(node, words, head).map(FlowStatement::Sequence);
        }
        if !has_head {
            let message = format!("`{first}` in a block");
            return Err(Problem::error(message, words.here(), "only flows have this").help("put it into the flow"));
        }
        self.leaf(node);
        words.expect(first)?;
        match first {
            "starts" => words.names("a step").map(FlowStatement::Starts),
            "goal" => words.names("a step").map(FlowStatement::Goal),
            "anytime" => words.names("a step").map(FlowStatement::Anytime),
            "deadline" => words.duration().map(|duration| FlowStatement::Deadline(duration.value)),
            "begins" => words.name("a status").map(FlowStatement::Begins),
            "leaves" => words.names("a status").map(FlowStatement::Leaves),
            "per" => words.expect("volume").map(|()| FlowStatement::PerVolume),
            _ => Ok(FlowStatement::Direct),
        }
    }

    /// The lines nested under a statement.
    fn sequence(&mut self, nodes: &[Node]) -> Vec<Line<Statement>> {
        let before = self.problems.len();
        let lines = self.lines(nodes, |parser, node, words| parser.statement(node, words, &[]));
        if self.problems.len() == before && !nodes.iter().any(|node| node.broken) {
            self.attempts(lines.iter().map(|line| (Some(&line.value), line.span)));
        }
        lines
    }

    /// The lines nested under a statement that is nothing without them.
    fn block(&mut self, node: &Node, words: &mut Words) -> Result<Vec<Line<Statement>>, Problem> {
        words.end()?;
        self.needs_lines(node);
        Ok(self.sequence(&node.children))
    }

    fn needs_lines(&mut self, node: &Node) {
        if node.children.is_empty() {
            let origin = Origin { file: self.file, span: node.span };
            let problem = Problem::error("an empty block", origin, "nothing is nested under this");
            self.problems.push(problem.help("nest its lines under it, or remove it"));
        }
    }

    /// Every `attempt` is followed by `on failure`, and no `on failure` stands alone.
    fn attempts<'t>(&mut self, lines: impl Iterator<Item = (Option<&'t Statement>, Span)>) {
        let mut attempt: Option<Span> = None;
        let file = self.file;
        let alone = |span| {
            Problem::error("`attempt` without `on failure`", Origin { file, span }, "what follows its failure?")
                .help("`on failure` and a block stand on the next line of the same indentation; `tolerate` needs none")
        };
        for (statement, span) in lines {
            if matches!(statement, Some(Statement::OnFailure(_))) {
                if attempt.take().is_none() {
                    let origin = Origin { file, span };
                    self.problems.push(
                        Problem::error("`on failure` without `attempt`", origin, "the failure of what?")
                            .help("`attempt` and its block stand just before it, at the same indentation"),
                    );
                }
                continue;
            }
            self.problems.extend(attempt.take().map(alone));
            if matches!(statement, Some(Statement::Attempt(_))) {
                attempt = Some(span);
            }
        }
        self.problems.extend(attempt.map(alone));
    }

    /// A line of a sequence.
    fn statement(&mut self, node: &Node, words: &mut Words, head: &[&str]) -> Result<Statement, Problem> {
        match words.peek().unwrap_or_default() {
            "choice" => {
                words.expect("choice")?;
                words.end()?;
                self.needs_lines(node);
                Ok(Statement::Choice(self.lines(&node.children, Self::branch)))
            }
            "any" => {
                words.expect("any")?;
                words.expect("order")?;
                self.block(node, words).map(Statement::AnyOrder)
            }
            "repeat" => {
                words.expect("repeat")?;
                let most = if words.is_empty() { None } else { Some(up_to(words, 1)?) };
                Ok(Statement::Repeat(most, self.block(node, words)?))
            }
            "attempt" => {
                words.expect("attempt")?;
                self.block(node, words).map(Statement::Attempt)
            }
            "on" => {
                words.expect("on")?;
                words.expect("failure")?;
                self.block(node, words).map(Statement::OnFailure)
            }
            "tolerate" => {
                words.expect("tolerate")?;
                self.block(node, words).map(Statement::Tolerate)
            }
            "use" => {
                words.expect("use")?;
                self.leaf(node);
                words.name("the name of a block").map(Statement::Use)
            }
            "optional" if node.tokens.len() == 1 => {
                words.expect("optional")?;
                self.block(node, words).map(Statement::Optional)
            }
            "optional" | "implied" => self.step_line(node, words).map(Statement::Step),
            first @ ("option" | "variant") => {
                let message = format!("`{first}` outside of `choice`");
                Err(Problem::error(message, words.here(), "this belongs into a choice").help("nest it under `choice`"))
            }
            first if first.contains('.') => self.step_line(node, words).map(Statement::Step),
            _ => {
                let known: Vec<&str> = head.iter().copied().chain(SEQUENCE).chain(["source", "about"]).collect();
                let all = format!("write the name of a step, or one of: {}", known.join(", "));
                let problem = unknown_statement(words, &known);
                let is_helped = problem.help.as_deref().is_some_and(|help| help.starts_with("did you"));
                Err(if is_helped { problem } else { problem.help(all) })
            }
        }
    }

    /// A line of a choice.
    fn branch(&mut self, node: &Node, words: &mut Words) -> Result<Branch, Problem> {
        let label = if words.take("option") {
            BranchLabel::Option(words.optional_text())
        } else if words.take("variant") {
            BranchLabel::Variant(words.name("the name of a variant")?)
        } else {
            let problem = unknown_statement(words, &["option", "variant"]);
            return Err(
                problem.help("only `option` and `variant NAME` stand under `choice`; nest the line under one of them")
            );
        };
        words.end()?;
        Ok(Branch { label, body: self.sequence(&node.children) })
    }

    /// A step and the lines in it.
    fn step_line(&mut self, node: &Node, words: &mut Words) -> Result<StepLine, Problem> {
        let (mut optional, mut implied) = (false, false);
        loop {
            if !optional && words.take("optional") {
                optional = true;
            } else if !implied && words.take("implied") {
                implied = true;
            } else {
                break;
            }
        }
        let step = words.name("a step")?;
        if !step.value.contains('.') {
            let problem =
                Problem::error(format!("`{}` is not a step", step.value), words.at(step.span), "a step belongs here");
            return Err(problem.help("`optional` alone on its line takes a block of other statements"));
        }
        let mut line =
            StepLine { optional, implied, step, success: None, retry: None, within: None, age: None, body: Vec::new() };
        while let Some(word) = words.peek() {
            let start = words.here();
            let is_second = match word {
                "with" => line.success.is_some(),
                "retry" => line.retry.is_some(),
                "within" => line.within.is_some(),
                "on" => line.age.is_some(),
                _ => {
                    let all = "behind a step stand `with STATUSES`, `retry up to N on STATUSES`, `within DURATION` and `on old`";
                    let message = format!("`{word}` is too much here");
                    let problem = Problem::error(message, words.here(), "not known behind a step");
                    return Err(problem.suggest(word, ["with", "retry", "within", "on"], all));
                }
            };
            if is_second {
                return Err(Problem::error(format!("`{word}` stands here twice"), start, "the second time"));
            }
            words.expect(word)?;
            match word {
                "with" => line.success = Some(Spanned::new(words.statuses()?, start.span)),
                "retry" => {
                    let most = up_to(words, 2)?;
                    words.expect("on")?;
                    line.retry = Some(Spanned::new((most, words.statuses()?), start.span));
                }
                "on" => line.age = Some(Spanned::new(age(words)?, start.span)),
                _ => line.within = Some(Spanned::new(words.duration()?.value, start.span)),
            }
        }
        words.end()?;
        line.body = self.sequence(&node.children);
        Ok(line)
    }
}

/// `old` or `new`.
fn age(words: &mut Words) -> Result<Age, Problem> {
    let age = [Age::Old, Age::New].into_iter().find(|age| words.peek() == Some(age.word()));
    match age {
        Some(age) => words.expect(age.word()).map(|()| age),
        None => Err(Problem::error("`on` what?", words.here(), "`old` or `new` belongs here")
            .help("`on old`: an attachment that was there before the flow; `on new`: one that the flow made")),
    }
}

/// `up to N`.
fn up_to(words: &mut Words, least: u32) -> Result<u32, Problem> {
    words.expect("up")?;
    words.expect("to")?;
    words.number("a number of times", least)
}
