//! Warnings for what a specification says in vain: names nothing uses, findings nothing can raise, messages never read.

use std::collections::BTreeSet;

use crate::model::vocabulary::MessageRule;
use crate::spec::grammar::{FindingRule, Flow, Grammar, Machine, Need, Origin, StepId, StepUse, Target, Term, Wrong};
use crate::spec::load::Specification;
use crate::spec::problem::{Problem, in_order};
use crate::spec::resolve::{Entry, entries};
use crate::spec::tree::{Branch, BranchLabel, FlowStatement, ItemBody, Line, ServiceStatement, Statement};
use crate::spec::walk::{children, sequence, steps_of, uses};

/// Everything in the specification that is of no use.
pub fn lint(specification: &Specification) -> Vec<Problem> {
    let grammar = &specification.grammar;
    let entries = entries(&specification.sources, &mut Vec::new());
    let mut problems = Vec::new();
    let in_flows = steps_of_flows(grammar);
    unused_steps(grammar, &in_flows, &mut problems);
    unused_services(grammar, &entries, &mut problems);
    unused_layers(grammar, &entries, &mut problems);
    unused_blocks(&entries, &mut problems);
    for entry in &entries {
        if let ItemBody::Block(lines) | ItemBody::Flow(lines) = &entry.item.body {
            empty_item(entry, lines, &mut problems);
            for statement in sequence(lines) {
                choices(entry, statement, &mut problems);
            }
        }
    }
    for machine in &grammar.machines {
        states(machine, &mut problems);
        idle_transitions(grammar, machine, &in_flows, &mut problems);
    }
    for flow in &grammar.flows {
        heads(grammar, flow, &mut problems);
    }
    idle_signs(grammar, &mut problems);
    for finding in &grammar.findings {
        silent_triggers(grammar, finding, &mut problems);
    }
    hidden_messages(grammar, &mut problems);
    in_order(&mut problems);
    problems
}

/// The steps that flows name, in their sequences or as steps that may come at any time.
fn steps_of_flows(grammar: &Grammar) -> BTreeSet<StepId> {
    grammar.flows.iter().flat_map(steps_of_flow).collect()
}

fn steps_of_flow(flow: &Flow) -> BTreeSet<StepId> {
    let sequences = flow.variants.iter().flat_map(|variant| steps_of(&variant.term));
    sequences.map(|used| used.step).chain(flow.anytime.iter().copied()).collect()
}

fn unused_steps(grammar: &Grammar, in_flows: &BTreeSet<StepId>, problems: &mut Vec<Problem>) {
    let mut used = in_flows.clone();
    for machine in &grammar.machines {
        used.extend(machine.transitions.iter().flat_map(|transition| transition.by.iter().copied()));
        used.extend(machine.unchanged.iter().copied());
    }
    for (index, step) in grammar.steps.iter().enumerate() {
        if !used.iter().any(|id| id.0 as usize == index) {
            let message = format!("step `{}` is used nowhere", step.name);
            let problem = Problem::warning(message, step.origin, "no flow and no machine names it");
            problems.push(problem.help("use it in a flow or a machine, or remove it"));
        }
    }
}

fn unused_services(grammar: &Grammar, entries: &[Entry], problems: &mut Vec<Problem>) {
    for entry in entries {
        // A service without steps may still tell whose process writes a log.
        let ItemBody::Service(lines) = &entry.item.body else { continue };
        let is_recognised = lines.iter().any(|line| !matches!(line.value, ServiceStatement::Quote(_)));
        let is_used = |id| grammar.steps.iter().any(|step| step.service == id);
        if !is_recognised && !grammar.vocabulary.service(entry.name()).is_some_and(is_used) {
            let message = format!("service `{}` does no step", entry.name());
            let problem = Problem::warning(message, entry.origin(), "no step names it");
            problems.push(problem.help("write its steps, or remove it"));
        }
    }
}

/// Layers that nothing is in, and that no exception and no message can lead to.
fn unused_layers(grammar: &Grammar, entries: &[Entry], problems: &mut Vec<Problem>) {
    for entry in entries.iter().filter(|entry| matches!(entry.item.body, ItemBody::Layer(_))) {
        let Some(layer) = grammar.vocabulary.layer(entry.name()) else { continue };
        let rule = grammar.vocabulary.layer_at(layer);
        let is_used = rule.carries_messages
            || grammar.vocabulary.services.iter().any(|service| service.layer == layer)
            || grammar.steps.iter().any(|step| step.layer == layer);
        if !is_used {
            let message = format!("nothing is in layer `{}`", entry.name());
            let problem = Problem::warning(message, entry.origin(), "no service and no step names it");
            problems.push(problem.help(format!("write `layer {}` in a service or a step, or remove it", entry.name())));
        }
    }
}

fn unused_blocks(entries: &[Entry], problems: &mut Vec<Problem>) {
    let used: BTreeSet<&str> = entries.iter().flat_map(|entry| uses(&entry.item.body)).collect();
    for entry in entries.iter().filter(|entry| matches!(entry.item.body, ItemBody::Block(_))) {
        if !used.contains(entry.name()) {
            let message = format!("block `{}` is used nowhere", entry.name());
            let problem = Problem::warning(message, entry.origin(), "no flow and no block uses it");
            problems.push(problem.help(format!("write `use {}` where it belongs, or remove it", entry.name())));
        }
    }
}

/// A flow or a block without a sequence.
fn empty_item(entry: &Entry, lines: &[Line<FlowStatement>], problems: &mut Vec<Problem>) {
    if sequence(lines).next().is_none() {
        let message = format!("{} `{}` has no steps", entry.item.body.kind(), entry.name());
        let problem = Problem::warning(message, entry.origin(), "nothing happens in it");
        problems.push(problem.help("nest its steps under it"));
    }
}

/// Choices with a branch that can never be taken because an earlier one is the same, and choices of one.
fn choices(entry: &Entry, statement: &Statement, problems: &mut Vec<Problem>) {
    if let Statement::Choice(branches) = statement {
        let options: Vec<&Line<Branch>> =
            branches.iter().filter(|branch| matches!(branch.value.label, BranchLabel::Option(_))).collect();
        for (index, branch) in options.iter().enumerate() {
            let same = |earlier: &&&Line<Branch>| same_lines(&earlier.value.body, &branch.value.body);
            if let Some(first) = options[..index].iter().find(same) {
                let problem =
                    Problem::warning("two options of a choice are the same", entry.at(branch.span), "never taken");
                problems.push(problem.and(entry.at(first.span), "the first of them").help("remove one of them"));
            }
        }
        if branches.len() == 1 && options.len() == 1 {
            let problem = Problem::warning("a choice of one", entry.at(options[0].span), "there is no other");
            problems.push(problem.help("write its lines without `choice`, or use `optional`"));
        }
    }
    for child in children(statement) {
        choices(entry, child, problems);
    }
}

/// Whether two bodies are the same, comments aside.
fn same_lines(left: &[Line<Statement>], right: &[Line<Statement>]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.value == right.value)
}

/// States that nothing leads to or from. A transition to `given` may lead to all of them.
fn states(machine: &Machine, problems: &mut Vec<Problem>) {
    if machine.transitions.iter().any(|transition| matches!(transition.to, Target::Given)) {
        return;
    }
    for (index, (state, _)) in machine.states.iter().enumerate() {
        let leaves = machine.transitions.iter().any(|transition| transition.from.contains(&index));
        let enters = machine.transitions.iter().any(|transition| transition.to == Target::State(index));
        if !leaves && !enters {
            let message = format!("state `{state}` of machine `{}` has no transition", machine.name);
            let problem = Problem::warning(message, machine.origin, "nothing leads to it or from it");
            problems.push(problem.help(format!("write a transition that names `{state}`, or remove the state")));
        }
    }
}

/// Transitions by steps that are in no flow, and transitions that an earlier line always forestalls.
fn idle_transitions(grammar: &Grammar, machine: &Machine, in_flows: &BTreeSet<StepId>, problems: &mut Vec<Problem>) {
    for (index, transition) in machine.transitions.iter().enumerate() {
        for step in transition.by.iter().filter(|step| !in_flows.contains(step)) {
            let message = format!("no flow makes this transition: `{}` is in none", grammar.step_at(*step).name);
            let problem = Problem::note(message, transition.origin, "never made in a flow");
            problems.push(problem.help("use the step in a flow, or name it under `anytime`"));
        }
        let forestalls = |earlier: &&crate::spec::grammar::Transition| {
            let takes_all = earlier.from.is_empty()
                || !transition.from.is_empty() && transition.from.iter().all(|state| earlier.from.contains(state));
            takes_all
                && earlier.failing == transition.failing
                && transition.by.iter().all(|step| earlier.by.contains(step))
                && earlier.guards.iter().all(|guard| transition.guards.contains(guard))
        };
        if let Some(earlier) = machine.transitions[..index].iter().find(forestalls) {
            let problem = Problem::warning("a transition that is never taken", transition.origin, "never reached");
            let problem = problem.and(earlier.origin, "this line is taken first");
            problems.push(problem.help("put the narrower line first"));
        }
    }
}

/// Goals that the flow cannot reach and starts that cannot be first.
fn heads(grammar: &Grammar, flow: &Flow, problems: &mut Vec<Problem>) {
    let steps: BTreeSet<StepId> =
        flow.variants.iter().flat_map(|variant| steps_of(&variant.term)).map(|used| used.step).collect();
    let mut firsts = BTreeSet::new();
    for variant in &flow.variants {
        first_steps(&variant.term, &mut firsts);
    }
    for goal in flow.goals.iter().filter(|goal| !steps.contains(goal)) {
        let message = format!("the goal `{}` is not in flow `{}`", grammar.step_at(*goal).name, flow.name);
        let problem = Problem::warning(message, flow.origin, "can never be reached");
        problems.push(problem.help("write the step into the flow, or name another goal"));
    }
    // A flow of direct requests takes what users do out of order, too: there any of its steps may come first.
    let can_start = if flow.direct { &steps } else { &firsts };
    for start in flow.starts.iter().filter(|start| !can_start.contains(start)) {
        let message = format!("`{}` cannot be the first step of flow `{}`", grammar.step_at(*start).name, flow.name);
        let problem = Problem::warning(message, flow.origin, "`starts` names it");
        problems.push(problem.help("begin the flow with it, or take it out of `starts`"));
    }
    for step in flow.anytime.iter().filter(|step| steps.contains(step)) {
        let message = format!(
            "`{}` may come at any time and is in the sequence of flow `{}`",
            grammar.step_at(*step).name,
            flow.name
        );
        let problem = Problem::warning(message, flow.origin, "its place in the sequence says nothing");
        problems.push(problem.help("take it out of `anytime` or out of the sequence"));
    }
}

/// Gathers the steps that can be the first of a term; says whether the term can pass without any.
fn first_steps(term: &Term, found: &mut BTreeSet<StepId>) -> bool {
    match term {
        Term::Empty => true,
        Term::Step(used) => {
            found.insert(used.step);
            if used.need == Need::Required {
                return false;
            }
            // The log of an implied step may be missing; then the first step inside it or after it is seen first.
            first_steps(&used.body, found)
        }
        Term::Sequence(terms) => terms.iter().all(|term| first_steps(term, found)),
        Term::Choice(terms) => {
            let passing: Vec<bool> = terms.iter().map(|term| first_steps(term, found)).collect();
            passing.contains(&true)
        }
        Term::AnyOrder(terms) => {
            let passing: Vec<bool> = terms.iter().map(|term| first_steps(term, found)).collect();
            !passing.contains(&false)
        }
        Term::Optional(body) | Term::Repeat { body, .. } | Term::Tolerate(body) => {
            first_steps(body, found);
            true
        }
        Term::Attempt { body, .. } => first_steps(body, found),
    }
}

/// Triggers narrowed to steps that the flows do not have.
fn silent_triggers(grammar: &Grammar, finding: &FindingRule, problems: &mut Vec<Problem>) {
    for trigger in &finding.when {
        let flows: Vec<&Flow> = grammar
            .flows
            .iter()
            .filter(|flow| trigger.flows.is_empty() || trigger.flows.contains(&flow.name))
            .collect();
        for step in &trigger.steps {
            let uses = || flows.iter().flat_map(|flow| &flow.variants).flat_map(|variant| steps_of(&variant.term));
            // What is unexpected or changes a status by itself need not be in a flow's sequence.
            let anywhere = matches!(
                trigger.wrong,
                Wrong::Unexpected
                    | Wrong::IllegalTransition
                    | Wrong::NoEffect
                    | Wrong::StatusContradiction
                    | Wrong::Failed
                    | Wrong::Logged
                    | Wrong::DoneLate
                    | Wrong::Overlapping
            );
            let name = &grammar.step_at(*step).name;
            let mut warn = |message: String, help: &str| {
                let problem = Problem::warning(message, finding.origin, "a `when` of this finding can never fire");
                problems.push(problem.help(help));
            };
            if !anywhere && !uses().any(|used| used.step == *step) {
                warn(format!("`{name}` is in no flow that {} looks at", finding.code), "name a step of the flows");
            } else if trigger.wrong == Wrong::Late
                && !uses().any(|used: &StepUse| used.step == *step && used.within.is_some())
            {
                warn(
                    format!("`{name}` can never be late for {}", finding.code),
                    "say `within DURATION` behind the step in a flow",
                );
            }
        }
    }
}

/// Signs that no finding looks for.
fn idle_signs(grammar: &Grammar, problems: &mut Vec<Problem>) {
    let sought = || {
        grammar
            .findings
            .iter()
            .flat_map(|finding| &finding.when)
            .flat_map(|trigger| [&trigger.sign, &trigger.with, &trigger.without])
            .flatten()
    };
    for message in &grammar.messages {
        if let Some(sign) = message.sign.as_ref().filter(|sign| !sought().any(|sought| sought == *sign)) {
            let problem = Problem::warning(
                format!("no finding looks for the sign `{sign}`"),
                message.origin,
                "the sign of this message",
            );
            problems.push(problem.help(format!("say `when logged {sign}` in a finding, or remove the sign")));
        }
    }
}

/// Messages that begin with a shorter pattern of the same logger, which is found first and always fits.
fn hidden_messages(grammar: &Grammar, problems: &mut Vec<Problem>) {
    let rules = &grammar.vocabulary.messages;
    for (index, rule) in rules.iter().enumerate() {
        let hides = |other: &usize| *other != index && hides(&rules[*other], rule);
        let Some(other) = (0..rules.len()).find(hides) else { continue };
        let (place, first): (Origin, Origin) = match (grammar.messages.get(index), grammar.messages.get(other)) {
            (Some(meaning), Some(first)) => (meaning.origin, first.origin),
            _ => continue,
        };
        let problem = Problem::warning("a message that a shorter one hides", place, "begins with the shorter one");
        problems
            .push(problem.and(first, "fits all that the longer one fits").help("write more of the shorter message"));
    }
}

/// Whether `short` fits every message that `long` fits, because `long` only goes on where `short` ends.
fn hides(short: &MessageRule, long: &MessageRule) -> bool {
    let same_logger = short.logger == long.logger;
    let kinds = |rule: &MessageRule| rule.placeholders.iter().map(|placeholder| placeholder.kind).collect::<Vec<_>>();
    let (short_kinds, long_kinds) = (kinds(short), kinds(long));
    let Some((last, before)) = short.literals.split_last() else { return false };
    same_logger
        && long_kinds.starts_with(&short_kinds)
        && long.literals.starts_with(before)
        && long.literals.get(before.len()).is_some_and(|literal| literal.starts_with(last.as_str()))
        && (short.literals != long.literals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load::alone;

    const BASE: &str = "format 1\nservice api \"s\"\nstep a.one \"t\"\n  api answers GET /a with 200\n\
        step a.two \"t\"\n  api receives cast two\n";

    fn warnings(text: &str) -> Vec<String> {
        let files = [("a.flow".to_owned(), BASE.to_owned()), ("b.flow".to_owned(), format!("format 1\n{text}"))];
        let specification = alone(&files).unwrap_or_else(|errors| panic!("{errors}"));
        lint(&specification).into_iter().map(|problem| problem.message).collect()
    }

    const FLOW: &str = "flow f \"t\"\n  starts a.one\n  goal a.two\n  a.one\n  a.two\n";

    #[test]
    fn a_tidy_specification_has_no_warnings() {
        assert_eq!(warnings(FLOW), [""; 0]);
    }

    #[test]
    fn what_nothing_uses_is_reported() {
        assert_eq!(warnings("flow f \"t\"\n  starts a.one\n  a.one\n"), ["step `a.two` is used nowhere"]);
        assert_eq!(warnings(&format!("{FLOW}block b\n  a.one\n")), ["block `b` is used nowhere"]);
        assert_eq!(warnings(&format!("{FLOW}service seen \"s\"\n  topics seen\n")), [""; 0]);
        assert_eq!(warnings(&format!("{FLOW}service idle \"s\"\n")), ["service `idle` does no step"]);
        assert_eq!(warnings(&format!("{FLOW}  use b\nblock b\n")), ["block `b` has no steps"]);
    }

    #[test]
    fn heads_have_to_fit_the_sequence() {
        let text = "flow f \"t\"\n  starts a.two\n  goal a.two\n  anytime a.one\n  optional a.one\n  a.one\n  a.two\n";
        let expected = [
            "`a.one` may come at any time and is in the sequence of flow `f`",
            "`a.two` cannot be the first step of flow `f`",
        ];
        assert_eq!(warnings(text), expected);
        assert_eq!(warnings("flow f \"t\"\n  starts a.one, a.two\n  goal a.two\n  implied a.one\n  a.two\n"), [""; 0]);
        let text = "flow f \"t\"\n  starts a.one\n  goal a.two\n  anytime a.two\n  a.one\n";
        assert_eq!(warnings(text), ["the goal `a.two` is not in flow `f`"]);
    }

    #[test]
    fn choices_that_are_none_are_reported() {
        let text = format!("{FLOW}  choice\n    option\n      a.one\n    option \"same\"\n      a.one # why\n");
        assert_eq!(warnings(&text), ["two options of a choice are the same"]);
        assert_eq!(warnings(&format!("{FLOW}  choice\n    option\n      a.one\n")), ["a choice of one"]);
    }

    #[test]
    fn machines_have_no_idle_lines() {
        let machine = "machine m \"t\"\n  of volume status\n  state x\n  state y\n  state z\n  any -> x by a.one\n  x -> y by a.one if connector\n  x -> y by a.one failing\n";
        let expected = ["state `z` of machine `m` has no transition", "a transition that is never taken"];
        assert_eq!(warnings(&format!("{FLOW}{machine}")), expected);
        let flow = "flow f \"t\"\n  starts a.one\n  a.one\nmachine m \"t\"\n  of volume status\n  state x\n  any -> x by a.two\n";
        assert_eq!(warnings(flow), ["no flow makes this transition: `a.two` is in none"]);
    }

    #[test]
    fn findings_can_be_raised() {
        let finding = "finding FC0001 n \"t\"\n  severity note\n  when late at a.two\n  when stuck at a.two\n";
        assert_eq!(warnings(&format!("{FLOW}{finding}")), ["`a.two` can never be late for FC0001"]);
        let flow = "flow f \"t\"\n  starts a.one\n  anytime a.two\n  a.one\n";
        let finding = "finding FC0001 n \"t\"\n  severity note\n  when stuck at a.two\n";
        assert_eq!(warnings(&format!("{flow}{finding}")), ["`a.two` is in no flow that FC0001 looks at"]);
    }

    #[test]
    fn signs_are_for_findings() {
        let step = "step a.three \"t\"\n  api runs three\n  message \"Odd\"\n    logger l at INFO\n    sign odd\n";
        let specification = format!("{FLOW}  a.three\n{step}");
        assert_eq!(warnings(&specification), ["no finding looks for the sign `odd`"]);
        let finding = "finding FC0001 n \"t\"\n  severity note\n  when logged odd\n";
        assert_eq!(warnings(&format!("{specification}{finding}")), [""; 0]);
    }

    #[test]
    fn a_shorter_message_hides_a_longer_one() {
        let step = |text: &str| format!("  message \"{text}\"\n    logger l at INFO\n");
        let steps = |one: &str, two: &str| {
            format!("{FLOW}  a.three\nstep a.three \"t\"\n  api runs three\n{}{}", step(one), step(two))
        };
        assert_eq!(warnings(&steps("Going {volume} now", "Going {volume} n")), ["a message that a shorter one hides"]);
        assert_eq!(warnings(&steps("Going {volume} now", "Going {volume} x")), [""; 0]);
        assert_eq!(warnings(&steps("Going {volume} now", "Going {device} n")), [""; 0]);
    }
}
