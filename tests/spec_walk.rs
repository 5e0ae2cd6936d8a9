//! Holds the checker against the specification: whatever a flow allows is judged legal, and whatever is not allowed is found.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use flowcheck::check::verdict::{FlowVerdict, Outcome, Verdict};
use flowcheck::spec::grammar::{Grammar, StepId, StepKind};
use support::mutate::{Expected, Kind, Mutant, mutants};
use support::path::{Act, Failure, Path, paths};
use support::story::{Subject, tell};
use support::writer::{Style, Writer};

const STYLES: [Style; 2] = [Style::Default, Style::Rpc];

fn all_paths(grammar: &Grammar, faulty: bool) -> Vec<Path> {
    let variants = grammar.flows.iter().flat_map(|flow| flow.variants.iter().map(move |variant| (flow, variant)));
    let mut paths: Vec<Path> =
        variants.flat_map(|(flow, variant)| paths(grammar, &flow.name, variant, faulty)).collect();
    // A way that begins with another request is there for logs that do not tell the two apart.
    let begins = |path: &Path, acts: &[Act]| {
        let starts = &grammar.flow(&path.flow).expect("the flow").starts;
        acts.iter().chain(acts.iter().flat_map(|act| &act.acts)).any(|act| starts.contains(&act.step))
    };
    paths.retain(|path| begins(path, &path.acts));
    paths
}

/// Whether what reaches the goal of a path shows in logs of this style.
fn shows_goal(grammar: &Grammar, style: Style, path: &Path) -> bool {
    fn any(acts: &[Act], fits: &impl Fn(&Act) -> bool) -> bool {
        acts.iter().any(|act| fits(act) || any(&act.acts, fits))
    }
    let goals = &grammar.flow(&path.flow).expect("the flow").goals;
    let silent = |act: &Act| {
        let step = grammar.step_at(act.step);
        let told = grammar.messages.iter().any(|meaning| meaning.step == act.step);
        let is_rpc = matches!(step.kind, StepKind::Call { .. } | StepKind::Cast { .. });
        goals.contains(&act.step) && is_rpc && !told && step.locks.is_empty()
    };
    style == Style::Rpc || !any(&path.acts, &silent)
}

/// Tells all paths one after another, and gives what became of each.
fn judged<R>(
    grammar: &Grammar,
    name: &str,
    style: Style,
    told: &[&Path],
    mut judge: impl FnMut(usize, &[&FlowVerdict]) -> R,
) -> Vec<R> {
    let mut writer = Writer::new(style, 20_261_122);
    let tell = |path: &&Path| {
        let subject = tell(grammar, &mut writer, path);
        writer.rest(600);
        subject
    };
    let subjects: Vec<Subject> = told.iter().map(tell).collect();
    // Beyond every deadline.
    writer.rest(100_000);
    let files = support::save(&format!("{name}-{style:?}"), &writer.files);
    let checked = support::examine(grammar, &files, None);
    subjects.iter().enumerate().map(|(index, subject)| judge(index, &support::flows_of(&checked, subject))).collect()
}

/// A path in one line: `^` marks what a handler does, `!` what fails.
fn sketch(grammar: &Grammar, acts: &[Act]) -> String {
    let one = |act: &Act| {
        let name = &grammar.step_at(act.step).name;
        let mark = if act.owed { "^" } else { "" };
        let failure = if act.well { String::new() } else { format!("!{}", act.status) };
        let inner = if act.acts.is_empty() { String::new() } else { format!("({})", sketch(grammar, &act.acts)) };
        format!("{mark}{name}{failure}{inner}")
    };
    acts.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn complaint(grammar: &Grammar, style: Style, path: &Path, flows: &[&FlowVerdict]) -> String {
    let flows: Vec<String> = flows.iter().map(|flow| support::brief(grammar, flow)).collect();
    format!("{style:?} {} {:?}: {}\n  {}", path.flow, path.variant, sketch(grammar, &path.acts), flows.join("\n  "))
}

/// Tells all paths whose goal shows, in every style, and holds what has to come of each.
#[track_caller]
fn hold(grammar: &Grammar, name: &str, paths: &[Path], is_right: impl Fn(&Path, &[&FlowVerdict]) -> bool) {
    for style in STYLES {
        let told: Vec<&Path> = paths.iter().filter(|path| shows_goal(grammar, style, path)).collect();
        let complaints = judged(grammar, name, style, &told, |index, flows| {
            let path = told[index];
            (!is_right(path, flows)).then(|| complaint(grammar, style, path, flows))
        });
        let complaints: Vec<String> = complaints.into_iter().flatten().collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}

/// Whether a path is of a server and touches no volume.
fn is_no_flow(grammar: &Grammar, path: &Path) -> bool {
    grammar.flow(&path.flow).is_some_and(|flow| flow.per_volume) && !path.asks(grammar, "cinder-api")
}

#[test]
fn every_step_of_every_flow_is_in_a_walk() {
    fn steps(acts: &[Act], found: &mut BTreeSet<StepId>) {
        for act in acts {
            found.insert(act.step);
            steps(&act.acts, found);
        }
    }
    let grammar = support::grammar();
    let mut walked: BTreeMap<String, BTreeSet<StepId>> = BTreeMap::new();
    for path in all_paths(&grammar, false).into_iter().chain(all_paths(&grammar, true)) {
        steps(&path.acts, walked.entry(path.flow.clone()).or_default());
    }
    let mut left = Vec::new();
    for flow in &grammar.flows {
        let known = walked.get(&flow.name);
        let is_left = |step: &StepId| !known.is_some_and(|known| known.contains(step));
        let names = flow.steps().into_iter().filter(is_left).map(|step| grammar.step_at(step).name.as_str());
        left.extend(names.map(|name| (flow.name.as_str(), name)));
    }
    // It begins no flow, and stands in one for logs that do not tell it from a swap.
    assert_eq!(left, [("swap", "nova.attachment.update")]);
}

#[test]
fn what_a_flow_allows_is_completed_and_conformant() {
    let grammar = support::grammar();
    let paths = all_paths(&grammar, false);
    assert_eq!(paths.len(), 193, "the number of paths has changed");
    hold(&grammar, "allowed", &paths, |path, flows| {
        let is_right = |flow: &FlowVerdict| {
            let variant = flow.variant.is_none() && path.direct || flow.variant == path.variant;
            let good = (flow.outcome, flow.verdict) == (Outcome::Completed, Verdict::Conformant);
            flow.flow == path.flow && variant && good
        };
        matches!(flows, [flow] if is_right(flow))
    });
}

#[test]
fn rollbacks_are_conformant() {
    let grammar = support::grammar();
    let mut paths = all_paths(&grammar, true);
    paths.retain(|path| matches!(path.failure, Failure::RolledBack | Failure::Retried));
    // What a live migration made has to be taken back: it may be left out only where nothing was made, which no walk tells.
    let is_live = |path: &Path| support::path::uses(&path.acts, &grammar, "nova.server.live-migrate");
    // In the old style no line tells which host lets go.
    let is_old = |path: &Path| path.variant.as_deref() == Some("old-style");
    paths.retain(|path| !is_live(path) || path.full && !is_old(path));
    assert_eq!(paths.len(), 844, "the number of paths has changed");
    hold(&grammar, "rolled-back", &paths, |path, flows| {
        if is_no_flow(&grammar, path) {
            return flows.is_empty();
        }
        let good = path.failure == Failure::Retried || path.is_rescued(&grammar);
        let outcome = if good { Outcome::Completed } else { Outcome::Failed };
        let is_right = |flow: &&FlowVerdict| {
            let good = (flow.outcome, flow.verdict) == (outcome, Verdict::Conformant);
            // Refused at rest, a request sent straight to cinder is a flow of its own.
            let refused = path.direct && (flow.outcome, flow.verdict) == (Outcome::Refused, Verdict::Conformant);
            flow.flow == path.flow && (good || refused)
        };
        !flows.is_empty() && flows.iter().all(is_right)
    });
}

#[test]
fn failures_without_a_way_back_break_no_order() {
    let grammar = support::grammar();
    let mut paths = all_paths(&grammar, true);
    paths.retain(|path| matches!(path.failure, Failure::Bare | Failure::Tolerated));
    assert_eq!(paths.len(), 820, "the number of paths has changed");
    hold(&grammar, "no-way-back", &paths, |path, flows| {
        // What a failure leaves behind may be a finding; what it leaves undone is none.
        let breaks_order = |flow: &FlowVerdict| {
            let mut codes = flow.findings.iter().map(|finding| finding.code.as_str());
            flow.outcome == Outcome::Stuck || codes.any(|code| code.starts_with("FC01") && code != "FC0105")
        };
        flows.is_empty() == is_no_flow(&grammar, path) && !flows.iter().any(|flow| breaks_order(flow))
    });
}

/// Mutants that are not found: their kind, their first step, why, and how many they are.
const SURVIVORS: [(Kind, &str, &str, usize); 4] = [
    (
        Kind::Dropped,
        "nova-compute.pre_live_migration",
        "a live migration that makes nothing on the new host and lets the old host go reads as one that is taken back",
        6,
    ),
    (Kind::LostRollback, "cinder.attachment.delete", CALLED_FREELY, 2),
    (Kind::LostRollback, "cinder.volume.terminate_connection", CALLED_FREELY, 8),
    (Kind::LostRollback, "cinder.attachment.create", CALLED_FREELY, 1),
];

/// Why a failed os-brick.connect_volume that is not taken back goes unnoticed.
const CALLED_FREELY: &str =
    "a traced call that fails is not held against the flow: hosts and drivers call what they like";

/// Mutants that are found by another step than their own: their kind, their flow, why, and how many they are.
const NEIGHBOURS: [(Kind, &str, &str, usize); 16] = [
    (Kind::Dropped, "attach", ON_HOST, 4),
    (Kind::Dropped, "detach", ON_HOST, 3),
    (Kind::Dropped, "cinder-direct", "the completion is named that comes without a connection", 1),
    (Kind::LostRollback, "swap", NO_PLACE, 4),
    (Kind::NotRolledBack, "swap", NO_PLACE, 2),
    (Kind::NotRolledBack, "attach", "the release that stands alone is named", 1),
    (Kind::Redirected, "attach", OTHER_VOLUME, 2),
    (Kind::Redirected, "boot-attach", OTHER_VOLUME, 1),
    (Kind::Redirected, "delete-detach", OTHER_VOLUME, 2),
    (Kind::Redirected, "evacuate", OTHER_VOLUME, 1),
    (Kind::Redirected, "migrate", OTHER_VOLUME, 2),
    (Kind::Redirected, "rebuild", OTHER_VOLUME, 1),
    (Kind::Replaced, "attach", STRANGE_NEXT, 4),
    (Kind::Replaced, "boot-attach", STRANGE_NEXT, 2),
    (Kind::Replaced, "cinder-direct", STRANGE_NEXT, 1),
    (Kind::Swapped, "migrate", "in the other order the two are those of a live migration", 3),
];

const ON_HOST: &str = "a shelved server's step reads as one of a server on a host, where the work stopped";
const NO_PLACE: &str = "without its rollback the request that failed is what has no place";
const OTHER_VOLUME: &str =
    "to the other volume the request is nothing of the flow, and of its own the next step is missing";
const STRANGE_NEXT: &str = "what stands in its place fits, and the next request does not";

/// Mutants of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    all: usize,
    killed: usize,
    named: usize,
}

#[test]
fn mutants_are_found() {
    let grammar = support::grammar();
    // Neither the client nor a conductor that is waited for makes a difference to what can go wrong.
    let left_out = [
        "openstack.server-add-volume",
        "openstack.server-remove-volume",
        "nova-conductor.attach_volume",
        // What cinder has nova do is what a user can have it do.
        "cinder.volume.migrate",
        "cinder.volume.retype",
    ];
    let matters = |path: &Path| !left_out.iter().any(|name| support::path::uses(&path.acts, &grammar, name));
    let good: Vec<Path> = all_paths(&grammar, false).into_iter().filter(matters).collect();
    let failed = all_paths(&grammar, true).into_iter().filter(matters);
    let failed: Vec<Path> = failed.filter(|path| path.failure == Failure::RolledBack && !path.direct).collect();
    let mut counts: BTreeMap<Kind, Count> = BTreeMap::new();
    let mut legal: BTreeMap<&str, usize> = BTreeMap::new();
    let mut complaints = Vec::new();
    let mut survivors = vec![0; SURVIVORS.len()];
    let mut neighbours = vec![0; NEIGHBOURS.len()];
    for style in STYLES {
        // All that a full path does shows best with oslo.messaging's lines.
        let fits = |path: &&Path| path.full == (style == Style::Rpc);
        let of_good = good.iter().filter(fits).flat_map(|path| mutants(&grammar, style, path, false));
        let of_failed = failed.iter().filter(fits).flat_map(|path| mutants(&grammar, style, path, true));
        let all: Vec<Mutant> = of_good.chain(of_failed).collect();
        let mut kinds: BTreeMap<Kind, Vec<Mutant>> = BTreeMap::new();
        for mutant in all {
            kinds.entry(mutant.kind).or_default().push(mutant);
        }
        // Each kind has logs of its own: what is about something else leaves doubts about the rest.
        for (kind, all) in kinds {
            let told: Vec<&Path> = all.iter().map(|mutant| &mutant.path).collect();
            let results = judged(&grammar, &format!("mutants-{kind:?}"), style, &told, |index, flows| {
                let mutant = &all[index];
                let violated = flows.iter().any(|flow| flow.verdict == Verdict::Violated);
                let right = violated == (mutant.expected == Expected::Violated);
                let steps: Vec<&str> = mutant.steps.iter().map(|step| grammar.step_at(*step).name.as_str()).collect();
                let named = violated && support::is_named(&steps, flows);
                let complaint = || complaint(&grammar, style, &mutant.path, flows);
                let text = || format!("{:?} {kind:?} {steps:?} {}", mutant.expected, complaint());
                let unnamed = mutant.expected == Expected::Violated && !named;
                ((!right).then(text), named, (right && unnamed).then(text))
            });
            for (mutant, (complaint, named, unnamed)) in all.iter().zip(results) {
                match mutant.expected {
                    Expected::Legal(reason) => *legal.entry(reason).or_default() += 1,
                    Expected::Violated => {
                        let count = counts.entry(kind).or_default();
                        count.all += 1;
                        count.killed += usize::from(complaint.is_none());
                        count.named += usize::from(named);
                    }
                }
                let first = grammar.step_at(mutant.steps[0]).name.as_str();
                let is_known = |known: &(Kind, &str, &str, usize)| (known.0, known.1) == (kind, first);
                match (SURVIVORS.iter().position(is_known), mutant.expected) {
                    (Some(known), Expected::Violated) if complaint.is_some() => survivors[known] += 1,
                    _ => complaints.extend(complaint),
                }
                let is_known =
                    |known: &(Kind, &str, &str, usize)| (known.0, known.1) == (kind, mutant.path.flow.as_str());
                if let Some(unnamed) = unnamed {
                    match NEIGHBOURS.iter().position(is_known) {
                        Some(known) => neighbours[known] += 1,
                        None => complaints.push(format!("unnamed {unnamed}")),
                    }
                }
            }
        }
    }
    let sum = |part: fn(&Count) -> usize| counts.values().map(part).sum::<usize>();
    let (all, killed, named) = (sum(|count| count.all), sum(|count| count.killed), sum(|count| count.named));
    println!("killed {killed} of {all} mutants, {named} by the name of the step\n{counts:#?}\nlegal: {legal:#?}");
    assert_eq!(counts.len(), 20, "the number of kinds has changed");
    assert!(complaints.is_empty(), "{} wrong\n{}", complaints.len(), complaints.join("\n"));
    let counts_of = |known: &[(Kind, &str, &str, usize)]| known.iter().map(|(.., count)| *count).collect::<Vec<_>>();
    assert_eq!(survivors, counts_of(&SURVIVORS), "the survivors have changed: {SURVIVORS:#?}");
    assert_eq!(neighbours, counts_of(&NEIGHBOURS), "other mutants are not named: {NEIGHBOURS:#?}");
    assert!(100 * (all - killed) <= all, "fewer than 99 % are found");
    assert_eq!(
        (all, legal.values().sum::<usize>()),
        (2834, 2382),
        "the number of mutants, and of legal ones, has changed"
    );
}
