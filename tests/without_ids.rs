//! Logs of releases before oslo.log 4.8.0, in which cinder does not tell nova's request id, and flows that interleave.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::BTreeMap;

use flowcheck::check::verdict::{Checked, FlowVerdict, Outcome, Verdict};
use flowcheck::spec::grammar::Grammar;
use support::path::paths;
use support::recordings::{Files, recordings};
use support::story::{Subject, tell_about};
use support::writer::{Style, Writer};

/// A line as it was before global ids: `[req-GLOBAL req-OWN user ...]` becomes `[req-OWN user ...]`.
fn without_global_id(line: &str) -> String {
    let starts = line.match_indices('[').map(|(at, _)| at + 1);
    for start in starts {
        let (global, rest) = line[start..].split_once(' ').unwrap_or_default();
        let is_id = |word: &str| word.len() == 40 && word.starts_with("req-");
        if (global == "None" || is_id(global)) && rest.get(..40).is_some_and(is_id) {
            return format!("{}{rest}", &line[..start]);
        }
    }
    line.to_owned()
}

fn rewritten(files: &Files) -> Files {
    let rewrite = |(name, text): (&String, &String)| {
        let lines = text
            .split_inclusive('\n')
            .map(|line| if name.starts_with("client") { line.to_owned() } else { without_global_id(line) });
        (name.clone(), lines.collect())
    };
    files.iter().map(rewrite).collect()
}

/// What is wrong with the answers about logs without global ids, held against those about the same logs with them.
fn differing(grammar: &Grammar, with: &Checked, without: &Checked) -> Vec<String> {
    let mut wrong = Vec::new();
    let first = |flow: &FlowVerdict| flow.request_ids.first().copied();
    for flow in &with.flows {
        let same = |other: &&FlowVerdict| {
            other.flow == flow.flow && other.volume == flow.volume && first(other) == first(flow)
        };
        let Some(other) = without.flows.iter().find(same) else {
            wrong.push(format!("not found: {}", support::brief(grammar, flow)));
            continue;
        };
        let named = other.verdict == Verdict::Inconclusive && !other.missing_evidence.is_empty();
        if other.outcome != flow.outcome || other.verdict != flow.verdict && !named {
            let (flow, other) = (support::brief(grammar, flow), support::brief(grammar, other));
            wrong.push(format!("with ids:    {flow}\nwithout ids: {other}"));
        }
    }
    if without.flows.len() > with.flows.len() {
        wrong.push(format!("{} flows become {}", with.flows.len(), without.flows.len()));
    }
    wrong
}

#[test]
fn old_headers_give_the_same_answers() {
    let grammar = support::grammar();
    let mut wrong = Vec::new();
    let mut flows = 0;
    for (name, files) in recordings() {
        let old = rewritten(&files);
        let with = support::examine(&grammar, &support::save(&format!("with-{name}"), &files), None);
        let without = support::examine(&grammar, &support::save(&format!("without-{name}"), &old), None);
        flows += with.flows.len();
        let differing = differing(&grammar, &with, &without);
        if !differing.is_empty() {
            wrong.push(format!("{name}\n{}", differing.join("\n")));
        }
    }
    println!("{flows} flows with and without global ids");
    assert!(wrong.is_empty(), "{} recordings differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Fifty flows: ten volumes on three servers, each attached and detached in turn while the others are, in one set of logs.
fn interleaved(grammar: &Grammar, style: Style, variant: &str) -> (Files, Vec<Subject>) {
    let one = |flow: &str| {
        let rule = grammar.flow(flow).expect("the flow");
        let rule = rule.variants.iter().find(|rule| rule.name.as_deref() == Some(variant)).expect("the variant");
        let all = paths(grammar, flow, rule, false);
        let is_from_a_command = |step| grammar.step_at(step).name.starts_with("openstack.");
        let fits =
            |path: &support::path::Path| path.full && path.acts.first().is_some_and(|act| !is_from_a_command(act.step));
        all.into_iter().find(fits).expect("a path")
    };
    let (attach, detach) = (one("attach"), one("detach"));
    let mut numbers = support::seed::Numbers(50);
    let servers = [numbers.id(), numbers.id(), numbers.id()];
    let mut subjects = Vec::new();
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for lane in 0..10_u64 {
        let mut writer = Writer::new(style, 1_000 + lane);
        // One lane tells of the quiet times, so that the logs have them once.
        if lane > 0 {
            writer.files.clear();
        }
        writer.clock.pass(i64::try_from(lane % 3).expect("small"));
        let (server, volume) = (servers[usize::try_from(lane % 3).expect("small")], numbers.id());
        let mut attachment = numbers.id();
        for turn in 0..5 {
            if turn % 2 == 0 {
                attachment = numbers.id();
            }
            let subject =
                Subject { server, volume, attachment, request: numbers.id(), target: (numbers.id(), numbers.id()) };
            tell_about(grammar, &mut writer, if turn % 2 == 0 { &attach } else { &detach }, subject);
            subjects.push(subject);
            writer.clock.pass(2);
        }
        if lane == 0 {
            writer.rest(1_200);
        }
        for (name, text) in writer.files {
            lines.entry(name).or_default().extend(text.lines().map(str::to_owned));
        }
    }
    let sorted = lines.into_iter().map(|(name, mut lines)| {
        lines.sort_by_key(|line| line.get(..23).unwrap_or_default().to_owned());
        (name, lines.join("\n") + "\n")
    });
    (sorted.collect(), subjects)
}

#[test]
fn flows_that_interleave_stay_apart() {
    let grammar = support::grammar();
    for style in [Style::Default, Style::Rpc] {
        for variant in ["new-style", "old-style"] {
            let (files, subjects) = interleaved(&grammar, style, variant);
            let folder = format!("interleaved-{style:?}-{variant}");
            let with = support::examine(&grammar, &support::save(&folder, &files), None);
            let without =
                support::examine(&grammar, &support::save(&format!("{folder}-old"), &rewritten(&files)), None);
            for subject in &subjects {
                let of_request = |checked: &Checked| {
                    let ids = |flow: &&FlowVerdict| flow.request_ids.first().is_some_and(|id| id.0 == subject.request);
                    let flow = checked.flows.iter().find(ids).unwrap_or_else(|| panic!("{folder}: {subject:?}"));
                    (flow.outcome, flow.verdict, support::brief(&grammar, flow))
                };
                let (outcome, verdict, brief) = of_request(&with);
                assert_eq!((outcome, verdict), (Outcome::Completed, Verdict::Conformant), "{folder}: {brief}");
                let (outcome, verdict, brief) = of_request(&without);
                assert_ne!(verdict, Verdict::Violated, "{folder}: {brief}");
                let named = matches!(outcome, Outcome::Completed | Outcome::Unknown) && !brief.contains("missing []");
                let right = (outcome, verdict) == (Outcome::Completed, Verdict::Conformant);
                assert!(right || verdict == Verdict::Inconclusive && named, "{folder}: {brief}");
                // The path of every request names the volume.
                assert!(right || variant == "new-style", "{folder}: {brief}");
            }
            let known = without.flows.iter().filter(|flow| flow.outcome == Outcome::Completed).count();
            println!("{folder}: {} flows, without ids {} of them completed", subjects.len(), known);
            assert_eq!(with.flows.len(), subjects.len(), "{folder}: nothing else is a flow");
            let violated = without.flows.iter().find(|flow| flow.verdict == Verdict::Violated);
            assert!(violated.is_none(), "{folder}: {}", support::brief(&grammar, violated.expect("there is one")));
        }
    }
}
