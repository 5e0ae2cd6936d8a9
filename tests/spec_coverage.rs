//! How much of the specification the recordings, the fault-injection rounds, the samples and the cases exercise together.
//!
//! What counts is the text of the specification. A block is one text, whichever flows use it: its steps are exercised when one
//! flow exercises them, and count once, by their places. So does a line that stands in several variants.
//!
//! Each step in its place is two goals: `taken`, it was seen there; and `left out`, what is around it was seen in a flow that is
//! over, and it was not. There is no second goal where the automata of all flows have no such way. Each transition of each machine
//! is one goal, illegal ones too, unless no flow has a step that makes it.
//!
//! What nothing exercises is listed in `expected/spec-coverage.txt`, under its reason in `expected/spec-coverage-reasons.txt`.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use flowcheck::check::check;
use flowcheck::check::verdict::{FlowVerdict, Outcome, StepState};
use flowcheck::parse::{Options, read};
use flowcheck::spec::automaton::{Automaton, Finish, Label, UseId};
use flowcheck::spec::grammar::{Grammar, Machine, Origin, StepId, Term, Transition, Variant};
use flowcheck::trace::graph::CallGraph;
use flowcheck::trace::history::Histories;
use flowcheck::trace::resources::Resources;
use support::recordings::{folders, logs_in, place};

/// Goals, as lines of the list.
type Goals = BTreeSet<String>;

/// How the places of steps are named: `attach-request: nova.attach.request`, with a number where a block has a step twice.
struct Places<'a> {
    grammar: &'a Grammar,
    names: BTreeMap<(u32, usize), String>,
}

impl<'a> Places<'a> {
    fn new(grammar: &'a Grammar) -> Self {
        let mut steps: BTreeMap<(u32, usize), StepId> = BTreeMap::new();
        for variant in grammar.flows.iter().flat_map(|flow| &flow.variants) {
            variant.term.each_use(&mut |step_use| {
                steps.insert((step_use.origin.file.0, step_use.origin.span.start), step_use.step);
            });
        }
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let named = steps.into_iter().map(|(place, step)| {
            let before = &grammar.files[place.0 as usize].text[..place.1];
            let mut lines = before.lines().rev();
            let head = lines.find(|line| line.starts_with("block ") || line.starts_with("flow ")).expect("a head");
            let item = head.split_whitespace().nth(1).expect("a name");
            let name = format!("{item}: {}", grammar.step_at(step).name);
            let number = numbers.entry(name.clone()).or_default();
            *number += 1;
            (place, if *number == 1 { name } else { format!("{name} ({number})") })
        });
        Self { grammar, names: named.collect() }
    }

    fn name(&self, origin: Origin) -> &str {
        &self.names[&(origin.file.0, origin.span.start)]
    }

    fn taken(&self, origin: Origin) -> String {
        format!("{} taken", self.name(origin))
    }

    fn left_out(&self, origin: Origin) -> String {
        format!("{} left out", self.name(origin))
    }

    /// A transition, as it is written.
    fn made(&self, machine: &Machine, transition: &Transition) -> String {
        let text = &self.grammar.files[transition.origin.file.0 as usize].text;
        let at = transition.origin.span.start;
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default().trim();
        format!("{}: {line}", machine.name)
    }
}

/// Calls `visit` with every step in its place, and where what is around it is written.
fn each_place(term: &Term, around: Option<Origin>, visit: &mut impl FnMut(Origin, Option<Origin>)) {
    term.each_outermost(&mut |step_use| {
        visit(step_use.origin, around);
        each_place(&step_use.body, Some(step_use.origin), visit);
    });
}

/// Whether a run of the automaton is over in which what is around a place has begun, and nothing written there.
fn may_be_left_out(automaton: &Automaton, origin: Origin, around: Option<Origin>) -> bool {
    let written = |step: UseId| automaton.uses[step as usize].origin;
    let mut seen = vec![[false; 2]; automaton.len()];
    let mut open = vec![(0, around.is_none())];
    while let Some((state, begun)) = open.pop() {
        if std::mem::replace(&mut seen[state as usize][usize::from(begun)], true) {
            continue;
        }
        if begun && automaton.finish(state) != Finish::Open {
            return true;
        }
        for edge in automaton.edges(state) {
            match edge.label {
                Label::Begin(step) | Label::Send(step) if written(step) == origin => {}
                Label::Begin(step) => open.push((edge.to, begun || Some(written(step)) == around)),
                _ => open.push((edge.to, begun)),
            }
        }
    }
    false
}

/// All that can be exercised.
fn goals(places: &Places<'_>) -> Goals {
    let grammar = places.grammar;
    let mut goals = Goals::new();
    let mut used: BTreeSet<StepId> = BTreeSet::new();
    for flow in &grammar.flows {
        used.extend(flow.steps().iter().chain(&flow.anytime));
        for variant in &flow.variants {
            let automaton = Automaton::compile(grammar, &flow.name, variant).expect("an automaton of an ordinary size");
            each_place(&variant.term, None, &mut |origin, around| {
                goals.insert(places.taken(origin));
                let goal = places.left_out(origin);
                if !goals.contains(&goal) && may_be_left_out(&automaton, origin, around) {
                    goals.insert(goal);
                }
            });
        }
    }
    for machine in &grammar.machines {
        let is_possible = |transition: &&Transition| transition.by.iter().any(|step| used.contains(step));
        let possible = machine.transitions.iter().filter(is_possible);
        goals.extend(possible.map(|transition| places.made(machine, transition)));
    }
    goals
}

/// What a flow exercises.
fn exercised(places: &Places<'_>, flow: &FlowVerdict, seen: &mut Goals) {
    let rule = places.grammar.flow(&flow.flow).expect("the flow");
    let observed = flow.steps.iter().filter(|step| step.state == StepState::Observed);
    let observed: Vec<Origin> = observed.filter_map(|step| step.rule).collect();
    // What is missing, or could not be seen, was not left out.
    let known: Vec<Origin> = flow.steps.iter().filter_map(|step| step.rule).collect();
    let is_over = matches!(flow.outcome, Outcome::Completed | Outcome::Failed | Outcome::Refused);
    let fits = |variant: &&Variant| flow.variant.is_none() || variant.name == flow.variant;
    for variant in rule.variants.iter().filter(fits) {
        each_place(&variant.term, None, &mut |origin, around| {
            if observed.contains(&origin) {
                seen.insert(places.taken(origin));
            } else if is_over && !known.contains(&origin) && around.is_none_or(|around| observed.contains(&around)) {
                seen.insert(places.left_out(origin));
            }
        });
    }
}

/// What the logs of a folder exercise.
fn exercised_in(places: &Places<'_>, folder: &Path, seen: &mut Goals) {
    let grammar = places.grammar;
    let reading = read(&logs_in(folder), &mut std::io::empty(), &grammar.vocabulary, &Options::default());
    let graph = CallGraph::build(grammar, &reading.events);
    let checked = check(grammar, &graph, &reading.sources).expect("a specification of an ordinary size");
    checked.flows.iter().for_each(|flow| exercised(places, flow, seen));
    let histories = Histories::new(grammar, &graph, &Resources::new(&graph));
    for origin in histories.tracks.values().flat_map(|track| &track.made) {
        for machine in &grammar.machines {
            let written_there = machine.transitions.iter().filter(|transition| transition.origin == *origin);
            seen.extend(written_there.map(|transition| places.made(machine, transition)));
        }
    }
}

/// Why goals are open: a sentence each, and the goals it is about, where `*` stands for anything.
fn reasons(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(pattern) => reasons.last_mut().expect("a reason before its goals").1.push(pattern),
            None => reasons.push((line, Vec::new())),
        }
    }
    reasons
}

fn fits(pattern: &str, goal: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == goal };
    goal.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
}

#[test]
fn what_no_log_exercises_is_listed_under_its_reason() {
    let grammar = support::grammar();
    let sets = ["../shared/recordings", "../shared/fault-injection", "samples", "tests/cases"];
    if sets.iter().any(|set| folders(set).is_empty()) {
        println!("without the recordings beside the project nothing is held");
        return;
    }
    let places = Places::new(&grammar);
    let all: Vec<PathBuf> = sets.iter().flat_map(|set| folders(set)).collect();
    let (one, two) = all.split_at(all.len() / 2);
    let of = |folders: &[PathBuf]| {
        let mut seen = Goals::new();
        folders.iter().for_each(|folder| exercised_in(&places, folder, &mut seen));
        seen
    };
    let seen: Goals = std::thread::scope(|scope| {
        let other = scope.spawn(|| of(two));
        of(one).into_iter().chain(other.join().expect("no panic")).collect()
    });
    let goals = goals(&places);
    let beyond: Vec<&String> = seen.difference(&goals).collect();
    assert!(beyond.is_empty(), "exercised, though it cannot be: {beyond:#?}");

    let mut open: BTreeSet<&str> = goals.difference(&seen).map(String::as_str).collect();
    let mut text = format!(
        "# {} of {} goals are exercised by recordings, fault-injection rounds, samples or cases. The others:\n",
        goals.len() - open.len(),
        goals.len()
    );
    let mut unused = Vec::new();
    for (reason, patterns) in reasons(include_str!("expected/spec-coverage-reasons.txt")) {
        text.push_str(&format!("\n{reason}\n"));
        for pattern in patterns {
            let explained: Vec<&str> = open.iter().copied().filter(|goal| fits(pattern, goal)).collect();
            if explained.is_empty() {
                unused.push(pattern);
            }
            for goal in explained {
                open.remove(goal);
                text.push_str(&format!("  {goal}\n"));
            }
        }
    }
    let path = place("tests/expected/spec-coverage.txt");
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        std::fs::write(&path, &text).expect("the list can be written");
    }
    assert!(open.is_empty(), "without a reason in spec-coverage-reasons.txt: {open:#?}");
    assert!(unused.is_empty(), "reasons for what is exercised, or no goal: {unused:#?}");
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(known == text, "the list has changed:\n{text}");
}
