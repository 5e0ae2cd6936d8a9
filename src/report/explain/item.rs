//! The pages of findings, steps, machines and statuses.

use crate::report::data::severity_name;
use crate::report::explain::{Page, step_names};
use crate::report::subject::level_name;
use crate::spec::grammar::{
    Bug, FindingRule, Grammar, Machine, MessageMeaning, MessageRole, PathSegment, StepId, StepKind, Target, Term,
    Transition, Trigger, Wrong,
};

/// The page of a finding.
pub(super) fn finding(grammar: &Grammar, finding: &FindingRule) -> Page {
    let mut page = Page {
        heading: format!("{} {} ({})", finding.code, finding.name, severity_name(finding.severity)),
        title: finding.title.clone(),
        ..Page::default()
    };
    page.entry("when", finding.when.iter().map(|trigger| trigger_text(grammar, trigger)).collect());
    page.entry("symptom", finding.symptom.clone());
    page.entry("logs show", finding.sequence.clone());
    page.entry("cause", finding.cause.clone());
    page.entry("do", finding.remedy.clone());
    page.entry("do not", finding.avoid.clone());
    page.entry("bug", finding.bugs.iter().map(bug_text).collect());
    page.entry("source", finding.sources.clone());
    page
}

/// `LP 1960401, fixed in nova 25.0.0: https://bugs.launchpad.net/bugs/1960401`.
fn bug_text(bug: &Bug) -> String {
    let link = bug.number.replace("LP ", "https://bugs.launchpad.net/bugs/");
    let fixed = if bug.fixed.is_empty() { String::new() } else { format!(", fixed in {}", bug.fixed.join(", ")) };
    format!("{}{fixed}: {link}", bug.number)
}

fn trigger_text(grammar: &Grammar, trigger: &Trigger) -> String {
    let mut text = match trigger.wrong {
        Wrong::Missing => "a step is missing that had to be seen, and later ones are there",
        Wrong::Stuck => "the flow stopped before a step, and its deadline has passed",
        Wrong::Unexpected => "a step is not allowed there",
        Wrong::OutOfOrder => "a step is not at its place",
        Wrong::AboutAnother => "a step is about another volume or attachment",
        Wrong::IllegalTransition => "a status went where it may not go",
        Wrong::LeftBehind => "the flow has ended and left a status of transit behind",
        Wrong::NotRolledBack => "the flow failed, and what was done was not undone",
        Wrong::Late => "a cast was consumed after its deadline",
        Wrong::TimedOut => "a call was never answered",
        Wrong::NoEffect => "a step was accepted and changed nothing",
        Wrong::StatusContradiction => "a status that was seen does not follow from the steps",
        Wrong::Failed => "a step failed",
        Wrong::Logged => "a message says so",
        Wrong::Overlapping => "two flows of one volume and server, or two pieces of work on one server, overlap",
        Wrong::DoneLate => "a call was done although its sender had given up",
    }
    .to_owned();
    if let Some(sign) = &trigger.sign {
        text.push_str(&format!(": {}", sign_text(grammar, sign)));
    }
    if !trigger.steps.is_empty() {
        text.push_str(&format!("; at {}", step_names(grammar, &trigger.steps)));
    }
    if !trigger.flows.is_empty() {
        text.push_str(&format!("; in {}", trigger.flows.join(", ")));
    }
    if !trigger.states.is_empty() {
        text.push_str(&format!("; state {}", trigger.states.join(", ")));
    }
    for (word, sign) in [("with", &trigger.with), ("without", &trigger.without)] {
        text.extend(sign.iter().map(|sign| format!("; {word} {}", sign_text(grammar, sign))));
    }
    text
}

/// The messages that have a sign.
fn sign_text(grammar: &Grammar, sign: &str) -> String {
    let of_sign = |(_, meaning): &(usize, &MessageMeaning)| meaning.sign.as_deref() == Some(sign);
    let messages = grammar.messages.iter().enumerate().filter(of_sign);
    messages.filter_map(|(index, _)| pattern_text(grammar, index)).collect::<Vec<_>>().join(" or ")
}

/// The page of a step.
pub(super) fn step(grammar: &Grammar, id: StepId) -> Page {
    let step = grammar.step_at(id);
    let mut page = Page { heading: format!("step {}", step.name), title: step.title.clone(), ..Page::default() };
    page.entry("about", step.about.clone());
    let service = grammar.vocabulary.service_name(step.service);
    page.entry("is", vec![kind_text(service, &step.kind, &step.success)]);
    page.entry("lock", step.locks.clone());
    let messages = grammar.messages.iter().enumerate().filter(|(_, meaning)| meaning.step == id);
    page.entry("message", messages.filter_map(|(index, meaning)| message_text(grammar, index, meaning.role)).collect());
    let changes = grammar.machines.iter().flat_map(|machine| {
        let made = machine.transitions.iter().filter(|transition| transition.by.contains(&id));
        made.map(|transition| format!("{}: {}", machine.name, transition_text(grammar, machine, transition, None)))
    });
    page.entry("changes", changes.collect());
    let users = grammar.flows.iter().filter(|flow| {
        flow.starts.contains(&id) || flow.anytime.contains(&id) || flow.variants.iter().any(|each| uses(&each.term, id))
    });
    page.entry("in flows", users.map(|flow| format!("{}: {}", flow.name, flow.title)).collect());
    let findings = grammar.findings.iter().filter(|each| each.when.iter().any(|trigger| trigger.steps.contains(&id)));
    page.entry("findings", findings.map(|finding| format!("{} {}", finding.code, finding.name)).collect());
    page.entry("source", step.sources.clone());
    page
}

fn kind_text(service: &str, kind: &StepKind, success: &[u16]) -> String {
    match kind {
        StepKind::Http { method, path, action } => {
            let path: String = path
                .iter()
                .map(|segment| match segment {
                    PathSegment::Word(word) => format!("/{word}"),
                    PathSegment::Placeholder(name) => format!("/{{{name}}}"),
                })
                .collect();
            let action = action.as_deref().map(|action| format!(" {action}")).unwrap_or_default();
            let success: Vec<String> = success.iter().map(u16::to_string).collect();
            format!("{service} answers {method} {path}{action} with {}", success.join(", "))
        }
        StepKind::Call { method } => format!("{service} answers call {method}"),
        StepKind::Cast { method } => format!("{service} receives cast {method}"),
        StepKind::Operation { function } => format!("{service} runs {function}"),
        StepKind::Command { words } => format!("client runs {words}"),
    }
}

/// `"Attaching volume {volume}" begins it (nova.compute.manager at INFO)`.
fn message_text(grammar: &Grammar, index: usize, role: MessageRole) -> Option<String> {
    let rule = grammar.vocabulary.messages.get(index)?;
    let text = pattern_text(grammar, index)?;
    let role = match role {
        MessageRole::Begins => "begins",
        MessageRole::During => "belongs to",
        MessageRole::Ends => "ends",
        MessageRole::Fails => "fails",
        MessageRole::Aborts => "aborts",
        MessageRole::Refuses => "refuses",
    };
    let logger = if rule.logger.is_empty() { "any logger" } else { &rule.logger };
    Some(format!("{text} {role} it ({logger} at {})", level_name(rule.level)))
}

/// `"Attaching volume {volume}"`.
fn pattern_text(grammar: &Grammar, index: usize) -> Option<String> {
    let rule = grammar.vocabulary.messages.get(index)?;
    let mut text = String::new();
    for (number, literal) in rule.literals.iter().enumerate() {
        text.push_str(literal);
        if let Some(placeholder) = rule.placeholders.get(number) {
            text.push_str(&format!("{{{}}}", placeholder.name));
        }
    }
    Some(format!("\"{text}\""))
}

/// Whether a sequence has the step.
fn uses(term: &Term, id: StepId) -> bool {
    match term {
        Term::Empty => false,
        Term::Step(step) => step.step == id || uses(&step.body, id),
        Term::Sequence(terms) | Term::Choice(terms) | Term::AnyOrder(terms) => terms.iter().any(|each| uses(each, id)),
        Term::Optional(body) | Term::Tolerate(body) | Term::Repeat { body, .. } => uses(body, id),
        Term::Attempt { body, handler } => uses(body, id) || uses(handler, id),
    }
}

/// The page of a machine.
pub(super) fn machine(grammar: &Grammar, machine: &Machine) -> Page {
    let mut page =
        Page { heading: format!("machine {}", machine.name), title: machine.title.clone(), ..Page::default() };
    page.entry("source", machine.sources.clone());
    let states = machine.states.iter().enumerate().map(|(index, (name, text))| {
        let rest = if machine.rest.contains(&index) { " (at rest)" } else { "" };
        format!("{name}{rest}{}{text}", if text.is_empty() { "" } else { ": " })
    });
    page.block("states", states.collect());
    let transitions = machine.transitions.iter();
    page.block("transitions", transitions.map(|each| transition_text(grammar, machine, each, None)).collect());
    if !machine.unchanged.is_empty() {
        page.block("unchanged, when none fits, by", vec![step_names(grammar, &machine.unchanged)]);
    }
    page
}

/// The page of a status in one machine: the ways in and out.
pub(super) fn status(grammar: &Grammar, machine: &Machine, state: usize) -> Page {
    let (name, text) = machine.states.get(state).cloned().unwrap_or_default();
    let mut page = Page { heading: format!("status {name} ({})", machine.name), title: text, ..Page::default() };
    if page.title.is_empty() {
        page.title.clone_from(&machine.title);
    }
    let rest = if machine.rest.contains(&state) {
        "nothing is under way; a flow may end here"
    } else {
        "something is under way; a flow that has ended must not leave it behind"
    };
    page.entry("at rest", vec![rest.to_owned()]);
    page.entry("source", machine.sources.clone());
    let arrives = |transition: &&Transition| transition.to == Target::State(state);
    let leaves = |transition: &&Transition| {
        (transition.from.contains(&state) || transition.from.is_empty()) && transition.to != Target::State(state)
    };
    let open =
        |transition: &&Transition| matches!(transition.to, Target::Previous | Target::Given) && !leaves(transition);
    let lines = |keep: &dyn Fn(&&Transition) -> bool, from: Option<usize>| {
        let kept = machine.transitions.iter().filter(keep);
        kept.map(|transition| transition_text(grammar, machine, transition, from)).collect::<Vec<_>>()
    };
    page.block("comes from", lines(&arrives, None));
    page.block("can also come from", lines(&open, None));
    page.block("goes to", lines(&leaves, Some(state)));
    page
}

/// `available, downloading -> reserved by cinder.attachment.create if multiattach`; with `from` only that beginning.
fn transition_text(grammar: &Grammar, machine: &Machine, transition: &Transition, from: Option<usize>) -> String {
    let state = |index: usize| machine.states.get(index).map_or("?", |(name, _)| name.as_str());
    let origins = match from {
        Some(from) => state(from).to_owned(),
        None if transition.from.is_empty() => "any".to_owned(),
        None => transition.from.iter().map(|index| state(*index)).collect::<Vec<_>>().join(", "),
    };
    let to = match transition.to {
        Target::State(index) => state(index),
        Target::Previous => "previous",
        Target::Given => "given",
    };
    let illegal = if transition.legal { "" } else { "illegal " };
    let failing = if transition.failing { " failing" } else { "" };
    let guards: Vec<String> = transition.guards.iter().map(ToString::to_string).collect();
    let guards = if guards.is_empty() { String::new() } else { format!(" if {}", guards.join(" and ")) };
    format!("{illegal}{origins} -> {to} by {}{failing}{guards}", step_names(grammar, &transition.by))
}
