//! Puts blocks in place and takes the branches of a variant. Both are bounded: a few lines could mean endless work.

use std::collections::{BTreeMap, BTreeSet};

use super::Entry;
use super::names::Names;
use crate::spec::grammar::{Need, Retry, StepUse, Term};
use crate::spec::problem::Problem;
use crate::spec::tree::{Branch, BranchLabel, FlowStatement, ItemBody, Line, Statement, StepLine};
use crate::spec::walk::{children, sequence, uses};

/// How deep blocks may use blocks.
const MAX_BLOCKS: usize = 8;

/// How many statements a flow may have with its blocks in place, all its variants together.
const MAX_STATEMENTS: usize = 50_000;

/// The most variants of a flow.
const MAX_VARIANTS: usize = 64;

/// The expansion of one flow.
pub(super) struct Expansion<'n, 'a> {
    names: &'n Names<'a>,
    flow: Entry<'a>,
    lines: &'a [Line<FlowStatement>],
    problems: Vec<Problem>,
    statements: usize,
    blocks: Vec<&'a str>,
}

impl<'n, 'a> Expansion<'n, 'a> {
    /// Prepares the expansion of a flow.
    pub(super) fn new(names: &'n Names<'a>, flow: Entry<'a>, lines: &'a [Line<FlowStatement>]) -> Self {
        Self { names, flow, lines, problems: Vec::new(), statements: 0, blocks: Vec::new() }
    }

    /// What was found wrong.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The names of the variants, in the order of the lines, blocks included.
    pub(super) fn variant_names(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for statement in sequence(self.lines) {
            self.names.variants(statement, &mut seen, &mut found);
        }
        if found.len() > MAX_VARIANTS {
            let problem = Problem::error(
                format!("the flow has {} variants", found.len()),
                self.flow.origin(),
                format!("at most {MAX_VARIANTS} can be checked"),
            );
            self.problems.push(problem.help("use `option` where choices do not depend on each other"));
            found.truncate(1);
        }
        found
    }

    /// The process tree of one variant.
    pub(super) fn term(&mut self, variant: Option<&str>) -> Term {
        self.blocks.clear();
        self.top(self.flow, self.lines, variant)
    }

    /// The lines of a flow or of a block.
    fn top(&mut self, entry: Entry<'a>, lines: &'a [Line<FlowStatement>], variant: Option<&str>) -> Term {
        let statements: Vec<&'a Statement> = sequence(lines).collect();
        joined(self.terms(entry, &statements, variant))
    }

    fn body(&mut self, entry: Entry<'a>, lines: &'a [Line<Statement>], variant: Option<&str>) -> Term {
        joined(self.lines(entry, lines, variant))
    }

    fn lines(&mut self, entry: Entry<'a>, lines: &'a [Line<Statement>], variant: Option<&str>) -> Vec<Term> {
        let statements: Vec<&'a Statement> = lines.iter().map(|line| &line.value).collect();
        self.terms(entry, &statements, variant)
    }

    /// One term for each statement; `attempt` and the `on failure` after it become one.
    fn terms(&mut self, entry: Entry<'a>, statements: &[&'a Statement], variant: Option<&str>) -> Vec<Term> {
        let mut terms = Vec::with_capacity(statements.len());
        let mut rest = statements.iter().peekable();
        while let Some(statement) = rest.next() {
            if !self.count() {
                break;
            }
            if let Statement::Attempt(body) = statement {
                let body = Box::new(self.body(entry, body, variant));
                let handler = match rest.peek() {
                    Some(Statement::OnFailure(handler)) => {
                        rest.next();
                        self.body(entry, handler, variant)
                    }
                    _ => Term::Empty,
                };
                terms.push(Term::Attempt { body, handler: Box::new(handler) });
            } else {
                terms.push(self.statement(entry, statement, variant));
            }
        }
        terms
    }

    fn statement(&mut self, entry: Entry<'a>, statement: &'a Statement, variant: Option<&str>) -> Term {
        match statement {
            Statement::Step(line) => self.step(entry, line, variant),
            Statement::Optional(body) => Term::Optional(Box::new(self.body(entry, body, variant))),
            Statement::AnyOrder(body) => Term::AnyOrder(self.lines(entry, body, variant)),
            Statement::Repeat(most, body) => {
                Term::Repeat { body: Box::new(self.body(entry, body, variant)), most: *most }
            }
            // Alone they are reported by the parser.
            Statement::Attempt(body) | Statement::OnFailure(body) => self.body(entry, body, variant),
            Statement::Tolerate(body) => Term::Tolerate(Box::new(self.body(entry, body, variant))),
            Statement::Choice(branches) => self.choice(entry, branches, variant),
            Statement::Use(name) => self.block(&name.value, variant),
        }
    }

    fn step(&mut self, entry: Entry<'a>, line: &'a StepLine, variant: Option<&str>) -> Term {
        let body = self.body(entry, &line.body, variant);
        let Some((step, _)) = self.names.steps.get(line.step.value.as_str()).copied() else { return body };
        let success = match &line.success {
            Some(statuses) => statuses.value.clone(),
            None => self.names.success(line.step.value.as_str()),
        };
        let retry = line.retry.as_ref().map(|retry| Retry { most: retry.value.0, statuses: retry.value.1.clone() });
        let term = Term::Step(Box::new(StepUse {
            step,
            need: if line.implied { Need::Implied } else { Need::Required },
            success,
            retry,
            within: line.within.as_ref().map(|within| within.value.micros()),
            age: line.age.as_ref().map(|age| age.value),
            body,
            origin: entry.at(line.step.span),
        }));
        if line.optional { Term::Optional(Box::new(term)) } else { term }
    }

    fn choice(&mut self, entry: Entry<'a>, branches: &'a [Line<Branch>], variant: Option<&str>) -> Term {
        let named = branches.iter().filter_map(|branch| match &branch.value.label {
            BranchLabel::Variant(name) => Some((name, branch)),
            BranchLabel::Option(_) => None,
        });
        let named: Vec<_> = named.collect();
        if let Some((_, branch)) = named.iter().find(|(name, _)| Some(name.value.as_str()) == variant) {
            return self.body(entry, &branch.value.body, variant);
        }
        let options: Vec<_> =
            branches.iter().filter(|branch| matches!(branch.value.label, BranchLabel::Option(_))).collect();
        if let (Some((first, _)), true, Some(variant)) = (named.first(), options.is_empty(), variant) {
            let message = format!("variant `{variant}` is missing here");
            let problem = Problem::error(message, entry.at(first.span), "this choice has other variants only");
            let problem = problem.and(self.flow.origin(), format!("this flow has a variant `{variant}`"));
            self.problems.push(problem.help(format!("add `variant {variant}`, or an `option` for all other variants")));
            return Term::Empty;
        }
        let mut terms: Vec<Term> =
            options.into_iter().map(|branch| self.body(entry, &branch.value.body, variant)).collect();
        match terms.len() {
            0 | 1 => terms.pop().unwrap_or(Term::Empty),
            _ => Term::Choice(terms),
        }
    }

    fn block(&mut self, name: &str, variant: Option<&str>) -> Term {
        let Some(block) = self.names.blocks.get(name).copied() else { return Term::Empty };
        let ItemBody::Block(lines) = &block.item.body else { return Term::Empty };
        // A circle is reported where its blocks stand.
        if self.blocks.contains(&block.name()) {
            return Term::Empty;
        }
        if self.blocks.len() >= MAX_BLOCKS {
            let message = format!("blocks use blocks more than {MAX_BLOCKS} deep");
            let path = self.blocks.join(" uses ");
            let problem = Problem::error(message, self.flow.origin(), format!("{path} uses {name}"));
            self.problems.push(problem.help("write the lines of the inner blocks out"));
            return Term::Empty;
        }
        self.blocks.push(block.name());
        let term = self.top(block, lines, variant);
        self.blocks.pop();
        term
    }

    /// Counts a statement; says no when there are too many.
    fn count(&mut self) -> bool {
        self.statements += 1;
        if self.statements == MAX_STATEMENTS + 1 {
            let message = format!("the flow has more than {MAX_STATEMENTS} statements with its blocks in place");
            let problem = Problem::error(message, self.flow.origin(), "this flow");
            self.problems.push(problem.help("use fewer blocks in blocks, or fewer variants"));
        }
        self.statements <= MAX_STATEMENTS
    }
}

impl<'a> Names<'a> {
    /// A path of `use`s from a block back to itself.
    pub(super) fn circle(&self, name: &'a str) -> Option<Vec<&'a str>> {
        let mut before: BTreeMap<&'a str, &'a str> = BTreeMap::new();
        let mut open = vec![name];
        while let Some(block) = open.pop() {
            let used = self.blocks.get(block).map(|entry| uses(&entry.item.body)).unwrap_or_default();
            for used in used {
                if used == name {
                    let mut path = vec![name, block];
                    while let Some(earlier) = path.last().and_then(|last| before.get(last)) {
                        path.push(earlier);
                    }
                    if path.last() != Some(&name) || path.len() == 1 {
                        path.push(name);
                    }
                    path.reverse();
                    return Some(path);
                }
                if self.blocks.contains_key(used) && !before.contains_key(used) {
                    before.insert(used, block);
                    open.push(used);
                }
            }
        }
        None
    }

    /// Gathers the names of variants under a statement; each block is looked into once.
    fn variants(&self, statement: &'a Statement, seen: &mut BTreeSet<&'a str>, found: &mut Vec<String>) {
        let mut open = vec![statement];
        while let Some(statement) = open.pop() {
            if let Statement::Choice(branches) = statement {
                for branch in branches {
                    if let BranchLabel::Variant(name) = &branch.value.label
                        && !found.contains(&name.value)
                    {
                        found.push(name.value.clone());
                    }
                }
            }
            let mut inner: Vec<&'a Statement> = children(statement);
            if let Statement::Use(name) = statement
                && let Some(block) = self.blocks.get(name.value.as_str())
                && seen.insert(block.name())
                && let ItemBody::Block(lines) = &block.item.body
            {
                inner.extend(sequence(lines));
            }
            open.extend(inner.into_iter().rev());
        }
    }
}

/// The terms one after another, without sequences in sequences.
fn joined(terms: Vec<Term>) -> Term {
    let mut flat = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Term::Empty => {}
            Term::Sequence(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 | 1 => flat.pop().unwrap_or(Term::Empty),
        _ => Term::Sequence(flat),
    }
}
