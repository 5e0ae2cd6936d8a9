//! How much of the specification the recordings, the fault-injection rounds, the samples and the cases exercise together.
//! `tests/spec_walk.rs` walks through all of it; here it is held what real logs, and logs written by hand, do not show.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use flowcheck::check::verdict::{Checked, Outcome, StepState};
use flowcheck::spec::grammar::{Grammar, Origin, Subject, Target};
use support::examine;
use support::recordings::{folders, logs_in, place};

/// `attach.flow:51`.
fn line(grammar: &Grammar, origin: Origin) -> String {
    let file = &grammar.files[origin.file.0 as usize];
    let before = &file.text.as_bytes()[..origin.span.start];
    let number = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    format!("{}:{number}", file.name.trim_start_matches("grammars/"))
}

/// What was exercised, as lines of the list.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn add(&mut self, grammar: &Grammar, checked: &Checked) {
        for flow in &checked.flows {
            let rule = grammar.flow(&flow.flow).expect("the flow");
            let observed = flow.steps.iter().filter(|step| step.state == StepState::Observed);
            let taken: Vec<Origin> = observed.filter_map(|step| step.rule).collect();
            let is_over = matches!(flow.outcome, Outcome::Completed | Outcome::Failed | Outcome::Refused);
            for variant in rule.variants.iter().filter(|variant| flow.variant.is_none() || variant.name == flow.variant)
            {
                variant.term.each_use(&mut |step_use| {
                    let is_taken = taken.contains(&step_use.origin);
                    if is_taken || is_over {
                        self.0.insert(goal(grammar, &flow.flow, step_use.step, step_use.origin, is_taken));
                    }
                });
            }
        }
        let machine = grammar.machine(Subject::VolumeStatus).expect("it");
        let name = |state: &usize| &machine.states[*state].0;
        for made in checked.volumes.iter().flat_map(|volume| &volume.transitions) {
            for transition in &machine.transitions {
                let by = transition.by.iter().find(|step| grammar.step_at(**step).name == made.by);
                let from = transition.from.is_empty()
                    || made.from.as_ref().is_some_and(|from| transition.from.iter().any(|state| name(state) == from));
                let to = match &transition.to {
                    Target::State(state) => *name(state) == made.to,
                    Target::Previous | Target::Given => true,
                };
                if let (Some(_), true, true) = (by, from, to) {
                    self.0.insert(transition_goal(grammar, transition.origin, &made.to));
                }
            }
        }
    }
}

fn goal(grammar: &Grammar, flow: &str, step: flowcheck::spec::grammar::StepId, origin: Origin, taken: bool) -> String {
    let word = if taken { "taken" } else { "not taken" };
    format!("{flow}: {} ({}) {word}", grammar.step_at(step).name, line(grammar, origin))
}

fn transition_goal(grammar: &Grammar, origin: Origin, to: &str) -> String {
    format!("volume-status: to {to} ({})", line(grammar, origin))
}

/// All that can be exercised.
fn goals(grammar: &Grammar) -> BTreeSet<String> {
    let mut goals = BTreeSet::new();
    for flow in &grammar.flows {
        for variant in &flow.variants {
            variant.term.each_use(&mut |step_use| {
                for taken in [true, false] {
                    goals.insert(goal(grammar, &flow.name, step_use.step, step_use.origin, taken));
                }
            });
        }
    }
    let machine = grammar.machine(Subject::VolumeStatus).expect("it");
    for transition in &machine.transitions {
        // What leads to the same state changes nothing that a history shows.
        if let Target::State(to) = transition.to
            && transition.from != [to]
        {
            goals.insert(transition_goal(grammar, transition.origin, &machine.states[to].0));
        }
    }
    goals
}

#[test]
fn what_no_log_exercises_is_listed() {
    let grammar = support::grammar();
    let sets = ["../shared/recordings", "../shared/fault-injection", "samples", "tests/cases"];
    if sets.iter().any(|set| folders(set).is_empty()) {
        println!("without the recordings beside the project nothing is held");
        return;
    }
    let mut seen = Seen::default();
    let all: Vec<PathBuf> = sets.iter().flat_map(|set| folders(set)).collect();
    let (one, two) = all.split_at(all.len() / 2);
    std::thread::scope(|scope| {
        let half = |half: Vec<PathBuf>| {
            let grammar = &grammar;
            move || {
                let mut seen = Seen::default();
                half.iter().for_each(|folder| seen.add(grammar, &examine(grammar, &logs_in(folder), None)));
                seen
            }
        };
        let other = scope.spawn(half(two.to_vec()));
        seen.0.extend(half(one.to_vec())().0);
        seen.0.extend(other.join().expect("no panic").0);
    });
    let goals = goals(&grammar);
    let open: Vec<&String> = goals.iter().filter(|goal| !seen.0.contains(*goal)).collect();
    println!("{} of {} goals are exercised", goals.len() - open.len(), goals.len());
    let mut by_flow: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for goal in open {
        let (flow, rest) = goal.split_once(": ").expect("a flow");
        by_flow.entry(flow).or_default().push(rest);
    }
    let mut text = String::from(
        "# What no recording, no fault-injection round, no sample and no case exercises. All of the steps but\n\
         # nova.attachment.update are in the walks of tests/spec_walk.rs, which tell every flow from the specification itself.\n\
         # \"taken\": the step was never seen there; \"not taken\": no flow that is over went without it, mostly since it cannot.\n",
    );
    for (flow, goals) in by_flow {
        text.push_str(&format!("\n{flow}\n"));
        goals.iter().for_each(|goal| text.push_str(&format!("  {goal}\n")));
    }
    let path = place("tests/expected/spec-coverage.txt");
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the list can be written");
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(known == text, "the list has changed:\n{text}");
}
