//! Flows and blocks: their heads and the names in them.

use super::expand::Expansion;
use super::names::Kind;
use super::{Entry, Resolver, take_quote};
use crate::base::span::Spanned;
use crate::spec::grammar::{Flow, Origin, Subject, Variant};
use crate::spec::problem::Problem;
use crate::spec::tree::{BranchLabel, FlowStatement, ItemBody, Line, Name, Statement, StepLine};

impl<'a> Resolver<'a, '_> {
    pub(super) fn flows(&mut self, entries: &[Entry<'a>]) {
        for entry in entries {
            if let ItemBody::Block(lines) | ItemBody::Flow(lines) = &entry.item.body {
                for line in lines {
                    if let FlowStatement::Sequence(statement) = &line.value {
                        self.check(entry, statement);
                    }
                }
            }
        }
        self.circles(entries);
        for entry in entries {
            if let ItemBody::Flow(lines) = &entry.item.body {
                self.flow(entry, lines);
            }
        }
    }

    fn flow(&mut self, entry: &Entry<'a>, lines: &'a [Line<FlowStatement>]) {
        let mut flow = Flow {
            name: entry.name().to_owned(),
            title: entry.title(),
            about: Vec::new(),
            sources: Vec::new(),
            starts: Vec::new(),
            goals: Vec::new(),
            anytime: Vec::new(),
            deadline: None,
            direct: false,
            per_volume: false,
            begins: None,
            leaves: Vec::new(),
            variants: Vec::new(),
            origin: entry.origin(),
        };
        let mut names: [Vec<Name>; 3] = Default::default();
        for line in lines {
            match &line.value {
                FlowStatement::Quote(quote) => take_quote(quote, &mut flow.sources, &mut flow.about),
                FlowStatement::Starts(steps) => names[0].extend_from_slice(steps),
                FlowStatement::Goal(steps) => names[1].extend_from_slice(steps),
                FlowStatement::Anytime(steps) => names[2].extend_from_slice(steps),
                FlowStatement::Deadline(deadline) => {
                    if flow.deadline.replace(deadline.micros()).is_some() {
                        self.stands_twice("deadline", entry.at(line.span));
                    }
                }
                FlowStatement::Direct => flow.direct = true,
                FlowStatement::PerVolume => flow.per_volume = true,
                FlowStatement::Begins(state) => {
                    if flow.begins.is_some() {
                        self.stands_twice("begins", entry.at(line.span));
                    }
                    flow.begins = self.statuses(entry, std::slice::from_ref(state)).first().copied();
                }
                FlowStatement::Leaves(states) => flow.leaves.extend(self.statuses(entry, states)),
                FlowStatement::Sequence(_) => {}
            }
        }
        let [starts, goals, anytime] = names;
        flow.starts = self.step_list(entry, &starts);
        flow.goals = self.step_list(entry, &goals);
        flow.anytime = self.step_list(entry, &anytime);
        if starts.is_empty() && self.is_whole(entry) {
            let problem = Problem::error("the flow does not say what starts it", entry.origin(), "begun by what?");
            self.problems.push(problem.help("nest `starts STEP` under it"));
        }
        let mut expansion = Expansion::new(&self.names, *entry, lines);
        let variants = expansion.variant_names();
        if variants.is_empty() {
            flow.variants.push(Variant { name: None, term: expansion.term(None) });
        }
        for name in variants {
            let term = expansion.term(Some(&name));
            flow.variants.push(Variant { name: Some(name), term });
        }
        let found = expansion.into_problems();
        self.problems.extend(found);
        self.grammar.flows.push(flow);
    }

    /// Looks up statuses of a volume.
    fn statuses(&mut self, entry: &Entry, names: &[Name]) -> Vec<usize> {
        self.twice(entry, names);
        let machine = self.grammar.machine(Subject::VolumeStatus);
        let states: Vec<String> =
            machine.map_or_else(Vec::new, |machine| machine.states.iter().map(|(name, _)| name.clone()).collect());
        let mut found = Vec::new();
        for name in names {
            match states.iter().position(|state| *state == name.value) {
                Some(index) => found.push(index),
                None => {
                    let message = format!("unknown status `{}`", name.value);
                    let problem = Problem::error(message, entry.at(name.span), "not known");
                    let help = "it has to be a `state` of the machine `of volume status`";
                    self.problems.push(problem.suggest(&name.value, states.iter().map(String::as_str), help));
                }
            }
        }
        found
    }

    fn stands_twice(&mut self, statement: &str, origin: Origin) {
        let problem = Problem::error(format!("`{statement}` stands here twice"), origin, "the second time");
        self.problems.push(problem.help("remove one of them"));
    }

    /// Looks up the names in a statement and in the lines under it.
    fn check(&mut self, entry: &Entry, statement: &Statement) {
        match statement {
            Statement::Step(line) => {
                self.check_step(entry, line);
                self.check_all(entry, &line.body);
            }
            Statement::Optional(body)
            | Statement::AnyOrder(body)
            | Statement::Repeat(_, body)
            | Statement::Attempt(body)
            | Statement::OnFailure(body)
            | Statement::Tolerate(body) => self.check_all(entry, body),
            Statement::Choice(branches) => {
                let mut variants: Vec<Name> = Vec::new();
                for branch in branches {
                    if let BranchLabel::Variant(name) = &branch.value.label {
                        variants.push(name.clone());
                    }
                    self.check_all(entry, &branch.value.body);
                }
                self.twice(entry, &variants);
            }
            Statement::Use(name) => {
                if !self.names.blocks.contains_key(name.value.as_str()) {
                    let problem =
                        Problem::error(format!("unknown block `{}`", name.value), entry.at(name.span), "not known");
                    let help = format!("every block needs an item: `block {}`", name.value);
                    self.problems.push(problem.suggest(&name.value, self.names.blocks.keys().copied(), help));
                }
            }
        }
    }

    fn check_all(&mut self, entry: &Entry, lines: &[Line<Statement>]) {
        for line in lines {
            self.check(entry, &line.value);
        }
    }

    /// Looks up a step; what stands behind it has to fit what it is.
    fn check_step(&mut self, entry: &Entry, line: &StepLine) {
        let Some((_, kind)) = self.step(entry, &line.step) else { return };
        let http_only = [("with", line.success.as_ref().map(place)), ("retry", line.retry.as_ref().map(place))];
        for (word, span) in http_only {
            if let (Some(span), Kind::Cast | Kind::Other) = (span, kind) {
                let message = format!("`{word}` behind `{}`, which is no HTTP request", line.step.value);
                let problem = Problem::error(message, entry.at(span), "only HTTP requests have statuses");
                self.problems.push(problem.help("remove it"));
            }
        }
        if let (Some(within), Kind::Http | Kind::Other) = (&line.within, kind) {
            let message = format!("`within` behind `{}`, which is no cast", line.step.value);
            let problem = Problem::error(message, entry.at(within.span), "only casts begin some time later");
            self.problems.push(problem.help("remove it"));
        }
    }

    /// Reports blocks that use themselves.
    fn circles(&mut self, entries: &[Entry<'a>]) {
        for entry in entries.iter().filter(|entry| matches!(entry.item.body, ItemBody::Block(_))) {
            if let Some(path) = self.names.circle(entry.name()) {
                let message = format!("block `{}` uses itself", entry.name());
                let problem = Problem::error(message, entry.at(entry.item.name.span), path.join(" uses "));
                let help = "take the `use` that closes the circle out, or put what is repeated under `repeat`";
                self.problems.push(problem.help(help));
            }
        }
    }
}

fn place<T>(spanned: &Spanned<T>) -> crate::base::span::Span {
    spanned.span
}
