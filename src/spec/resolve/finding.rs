//! Findings.

use super::{Entry, Resolver, take_quote};
use crate::base::span::Spanned;
use crate::spec::grammar::{Bug, FindingRule, Severity, Trigger};
use crate::spec::parser::{PatternPart, pattern_parts};
use crate::spec::problem::Problem;
use crate::spec::tree::{FindingStatement, ItemBody, Name, Text, WhenLine};

/// The placeholders of a finding's texts.
const PLACEHOLDERS: [&str; 10] =
    ["step", "volume", "server", "attachment", "status", "from", "to", "host", "delay", "flow"];

impl Resolver<'_, '_> {
    pub(super) fn findings(&mut self, entries: &[Entry]) {
        for entry in entries {
            let ItemBody::Finding(code, lines) = &entry.item.body else { continue };
            self.code(entry, code);
            let mut rule = FindingRule {
                code: code.value.clone(),
                name: entry.name().to_owned(),
                title: entry.title(),
                severity: Severity::Error,
                when: Vec::new(),
                symptom: Vec::new(),
                sequence: Vec::new(),
                cause: Vec::new(),
                remedy: Vec::new(),
                avoid: Vec::new(),
                bugs: Vec::new(),
                sources: Vec::new(),
                origin: entry.origin(),
            };
            if let Some(title) = &entry.item.title {
                self.placeholders(entry, title);
            }
            let mut severity = None;
            for line in lines {
                match &line.value {
                    FindingStatement::Quote(quote) => take_quote(quote, &mut rule.sources, &mut Vec::new()),
                    FindingStatement::Severity(found) => {
                        if severity.replace(*found).is_some() {
                            let problem =
                                Problem::error("`severity` stands here twice", entry.at(line.span), "the second time");
                            self.problems.push(problem.help("remove one of them"));
                        }
                    }
                    FindingStatement::When(when) => rule.when.push(self.trigger(entry, when)),
                    FindingStatement::Symptom(text) => rule.symptom.push(self.placeholders(entry, text)),
                    FindingStatement::Sequence(text) => rule.sequence.push(self.placeholders(entry, text)),
                    FindingStatement::Cause(text) => rule.cause.push(self.placeholders(entry, text)),
                    FindingStatement::Remedy(text) => rule.remedy.push(self.placeholders(entry, text)),
                    FindingStatement::Avoid(text) => rule.avoid.push(self.placeholders(entry, text)),
                    FindingStatement::Bug(number, fixed) => {
                        let fixed = fixed.iter().map(|release| release.value.clone()).collect();
                        rule.bugs.push(Bug { number: number.value.clone(), fixed });
                    }
                }
            }
            match severity {
                Some(severity) => rule.severity = severity,
                None if !self.is_whole(entry) => {}
                None => {
                    let problem = Problem::error("the finding has no severity", entry.origin(), "how bad is it?");
                    self.problems
                        .push(problem.help("nest `severity error`, `severity warning` or `severity note` under it"));
                }
            }
            if rule.when.is_empty() && self.is_whole(entry) {
                let problem =
                    Problem::error("the finding does not say when it is raised", entry.origin(), "raised for what?");
                self.problems.push(problem.help("nest `when WHAT` under it, as in `when stuck at STEP`"));
            }
            rule.when.sort_by_key(|trigger| std::cmp::Reverse(narrowness(trigger)));
            self.grammar.findings.push(rule);
        }
    }

    fn code(&mut self, entry: &Entry, code: &Spanned<String>) {
        let digits = code.value.strip_prefix("FC").unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let problem = Problem::error(format!("`{}` is not a code", code.value), entry.at(code.span), "this");
            self.problems.push(problem.help("a code is `FC` and four digits, as in `FC0201`"));
        }
        if let Some(first) = self.grammar.findings.iter().find(|known| known.code == code.value) {
            let message = format!("the code `{}` is taken", code.value);
            let problem = Problem::error(message, entry.at(code.span), "the second time");
            let problem = problem.and(first.origin, "the first time");
            self.problems.push(problem.help("take a number that no finding has had"));
        }
    }

    fn trigger(&mut self, entry: &Entry, when: &WhenLine) -> Trigger {
        let steps = self.step_list(entry, &when.steps);
        self.twice(entry, &when.flows);
        self.twice(entry, &when.states);
        for flow in &when.flows {
            self.check_flow(entry, flow);
        }
        for state in &when.states {
            self.check_state(entry, state, None);
        }
        let mut sign = |name: &Option<Name>| {
            let name = name.as_ref()?;
            self.check_sign(entry, name);
            Some(name.value.clone())
        };
        let (sign, with, without) = (sign(&when.sign), sign(&when.with), sign(&when.without));
        let texts = |names: &[Name]| names.iter().map(|name| name.value.clone()).collect();
        let (flows, states) = (texts(&when.flows), texts(&when.states));
        Trigger { wrong: when.wrong, sign, steps, flows, states, with, without }
    }

    fn check_flow(&mut self, entry: &Entry, name: &Name) {
        if !self.names.flows.contains(&name.value.as_str()) {
            let problem = Problem::error(format!("unknown flow `{}`", name.value), entry.at(name.span), "not known");
            let help = match self.names.flows.as_slice() {
                [] => "there is no flow yet".to_owned(),
                flows => format!("the flows are: {}", flows.join(", ")),
            };
            self.problems.push(problem.suggest(&name.value, self.names.flows.iter().copied(), help));
        }
    }

    fn check_sign(&mut self, entry: &Entry, name: &Name) {
        let signs: Vec<&str> = self.grammar.messages.iter().filter_map(|message| message.sign.as_deref()).collect();
        if !signs.contains(&name.value.as_str()) {
            let problem = Problem::error(format!("unknown sign `{}`", name.value), entry.at(name.span), "not known");
            let help = "nest `sign NAME` under a message of a step";
            self.problems.push(problem.suggest(&name.value, signs, help));
        }
    }

    /// The text; placeholders that nothing fills are reported.
    fn placeholders(&mut self, entry: &Entry, text: &Text) -> String {
        for part in pattern_parts(&text.value) {
            let PatternPart::Placeholder(name) = part else { continue };
            if !PLACEHOLDERS.contains(&name) {
                let problem =
                    Problem::error(format!("unknown placeholder `{{{name}}}`"), entry.at(text.span), "in this text");
                let help = format!("the placeholders are: {}", PLACEHOLDERS.join(", "));
                self.problems.push(problem.suggest(name, PLACEHOLDERS, help));
            }
        }
        text.value.clone()
    }
}

/// By how much a trigger is narrowed: first in how many ways, then by the better way.
fn narrowness(trigger: &Trigger) -> (usize, bool, bool) {
    (trigger.narrowed(), !trigger.steps.is_empty(), !trigger.flows.is_empty())
}
