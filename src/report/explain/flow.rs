//! The page of a flow: what begins it, and its sequences in the words of the flow language.

use crate::report::explain::{Page, step_names};
use crate::report::text::look::duration;
use crate::spec::grammar::{Flow, Grammar, Need, StepUse, Subject, Term};

/// The page of a flow.
pub(super) fn flow(grammar: &Grammar, flow: &Flow) -> Page {
    let mut page = Page { heading: format!("flow {}", flow.name), title: flow.title.clone(), ..Page::default() };
    page.entry("about", flow.about.clone());
    page.entry("starts with", named(grammar, &flow.starts));
    page.entry("goal", named(grammar, &flow.goals));
    let deadline = flow.deadline.map_or_else(
        || "none: without an end it stays open".to_owned(),
        |micros| format!("stuck after {} without progress", duration(micros)),
    );
    page.entry("deadline", vec![deadline]);
    page.entry("any time", named(grammar, &flow.anytime));
    if flow.direct {
        page.entry("asked by", vec!["a request sent straight to cinder, which no nova request caused".to_owned()]);
    }
    if flow.per_volume {
        page.entry("about", vec!["a request about a server: each of its volumes is a flow of its own".to_owned()]);
    }
    page.entry("begins with", statuses(grammar, flow.begins.as_slice()));
    page.entry("may leave", statuses(grammar, &flow.leaves));
    page.entry("findings", findings_of(grammar, &flow.name));
    page.entry("source", flow.sources.clone());
    for variant in &flow.variants {
        let heading = match &variant.name {
            Some(name) => format!("{} {name}", flow.name),
            None => flow.name.clone(),
        };
        let mut lines = Vec::new();
        term(grammar, &variant.term, 0, &mut lines);
        page.block(&heading, lines);
    }
    page
}

/// The names of statuses.
fn statuses(grammar: &Grammar, states: &[usize]) -> Vec<String> {
    let machine = grammar.machine(Subject::VolumeStatus);
    let name = |state: &usize| machine.map(|machine| machine.states[*state].0.clone());
    states.iter().filter_map(name).collect()
}

/// Steps with their titles, one a line.
fn named(grammar: &Grammar, steps: &[crate::spec::grammar::StepId]) -> Vec<String> {
    let known = steps.iter().filter_map(|step| grammar.steps.get(step.0 as usize));
    known.map(|step| format!("{}: {}", step.name, step.title)).collect()
}

/// The findings that are raised only in this flow.
fn findings_of(grammar: &Grammar, flow: &str) -> Vec<String> {
    let of_flow = |trigger: &crate::spec::grammar::Trigger| trigger.flows.iter().any(|name| name == flow);
    let findings = grammar.findings.iter().filter(|finding| finding.when.iter().any(of_flow));
    findings.map(|finding| format!("{} {}", finding.code, finding.name)).collect()
}

/// The lines of a term, indented by two blanks a level.
fn term(grammar: &Grammar, of: &Term, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let headed = |word: &str, body: &Term, lines: &mut Vec<String>| {
        lines.push(format!("{indent}{word}"));
        term(grammar, body, depth + 1, lines);
    };
    match of {
        Term::Empty => {}
        Term::Step(step) => step_use(grammar, step, "", depth, lines),
        Term::Sequence(terms) => terms.iter().for_each(|each| term(grammar, each, depth, lines)),
        Term::Choice(options) => {
            lines.push(format!("{indent}choice"));
            for option in options {
                lines.push(format!("{indent}  option{}", if *option == Term::Empty { " (nothing)" } else { "" }));
                term(grammar, option, depth + 2, lines);
            }
        }
        Term::Optional(body) => match &**body {
            Term::Step(step) => step_use(grammar, step, "optional ", depth, lines),
            body => headed("optional", body, lines),
        },
        Term::AnyOrder(terms) => {
            lines.push(format!("{indent}any order"));
            terms.iter().for_each(|each| term(grammar, each, depth + 1, lines));
        }
        Term::Repeat { body, most } => {
            headed(&most.map_or("repeat".to_owned(), |most| format!("repeat up to {most}")), body, lines);
        }
        Term::Attempt { body, handler } => {
            headed("attempt", body, lines);
            headed("on failure", handler, lines);
        }
        Term::Tolerate(body) => headed("tolerate", body, lines),
    }
}

fn step_use(grammar: &Grammar, step: &StepUse, word: &str, depth: usize, lines: &mut Vec<String>) {
    let need = if step.need == Need::Implied { "implied " } else { "" };
    let mut line = format!("{}{word}{need}{}", "  ".repeat(depth), step_names(grammar, &[step.step]));
    if let Some(known) = grammar.steps.get(step.step.0 as usize)
        && known.success != step.success
    {
        line.push_str(&format!(" with {}", numbers(&step.success)));
    }
    if let Some(retry) = &step.retry {
        line.push_str(&format!(" retry up to {} on {}", retry.most, numbers(&retry.statuses)));
    }
    if let Some(within) = step.within {
        line.push_str(&format!(" within {}", duration(within)));
    }
    if let Some(age) = step.age {
        line.push_str(&format!(" on {}", age.word()));
    }
    lines.push(line);
    term(grammar, &step.body, depth + 1, lines);
}

fn numbers(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}
