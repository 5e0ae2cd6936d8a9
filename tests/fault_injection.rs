//! Rounds of a real cloud with known faults (OpenStack Pike, old style, no global ids in cinder), read where they lie beside the
//! project, when they do. The labels tell what is right; the program sees the logs only.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::path::{Path, PathBuf};

use flowcheck::check::check;
use flowcheck::check::verdict::{Checked, FlowVerdict, Verdict};
use flowcheck::parse::{Options, read};
use flowcheck::spec::grammar::Grammar;
use flowcheck::trace::graph::CallGraph;
use serde_json::Value;
use support::recordings::{folders, logs_in};
use support::zipkin;

/// The flows that a label speaks of.
const JUDGED: [&str; 2] = ["attach", "delete-detach"];

/// The rounds, sorted by name.
fn rounds() -> Vec<PathBuf> {
    let mut rounds = folders("../shared/fault-injection");
    if rounds.is_empty() {
        println!("no fault-injection rounds beside the project: nothing is checked");
    }
    rounds.retain(|round| round.join("label.json").is_file());
    rounds
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn examine(grammar: &Grammar, round: &Path) -> (CallGraph, Checked) {
    let reading = read(&logs_in(round), &mut std::io::empty(), &grammar.vocabulary, &Options::default());
    assert!(reading.errors.is_empty(), "{}: {:?}", name(round), reading.errors);
    let graph = CallGraph::build(grammar, &reading.events);
    let checked = check(grammar, &graph, &reading.sources).expect("a specification of an ordinary size");
    (graph, checked)
}

fn label(round: &Path) -> Value {
    let text = std::fs::read_to_string(round.join("label.json")).expect("a label");
    serde_json::from_str(&text).expect("the label is JSON")
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Whether a word is among the right ones; any is, where nothing is judged.
fn is_among(right: &Value, word: &str) -> bool {
    right.as_array().is_none_or(|right| right.iter().any(|right| right == word))
}

fn said(flow: &FlowVerdict) -> String {
    let findings: Vec<String> = flow
        .findings
        .iter()
        .map(|finding| format!(" {} {}", finding.code, finding.step.as_deref().unwrap_or("-")))
        .collect();
    format!("{}/{}{}", word(flow.outcome), word(flow.verdict), findings.concat())
}

/// What is wrong with the answers about a round.
fn wrong(grammar: &Grammar, round: &Path, label: &Value, checked: &Checked) -> Vec<String> {
    let mut wrong = Vec::new();
    for kind in JUDGED.into_iter().filter(|kind| grammar.flow(kind).is_some()) {
        let expected = &label["expected"][kind];
        if expected.is_null() {
            continue;
        }
        let flows: Vec<&FlowVerdict> = checked.flows.iter().filter(|flow| flow.flow == kind).collect();
        if flows.len() != 1 {
            wrong.push(format!("{}: {} flows {kind}, where one was made", name(round), flows.len()));
        }
        for flow in flows {
            let right = is_among(&expected["outcome"], &word(flow.outcome))
                && is_among(&expected["verdict"], &word(flow.verdict));
            if !right {
                wrong.push(format!("{}: {}", name(round), support::brief(grammar, flow)));
            }
        }
    }
    if label["faulty_round"] == false {
        let violated = checked.flows.iter().filter(|flow| flow.verdict == Verdict::Violated);
        wrong.extend(violated.map(|flow| format!("{}: no fault, but {}", name(round), support::brief(grammar, flow))));
    }
    wrong
}

#[test]
fn every_round_has_its_outcome_and_verdict() {
    let grammar = support::grammar();
    let mut all_wrong = Vec::new();
    for round in rounds() {
        let label = label(&round);
        let (_, checked) = examine(&grammar, &round);
        let truth = label["truth_class"].as_str().unwrap_or_default();
        let said: Vec<String> = checked.flows.iter().map(|flow| format!("{} {}", flow.id, said(flow))).collect();
        println!("{:24} {truth:13} {}", name(&round), said.join("; "));
        all_wrong.extend(wrong(&grammar, &round, &label, &checked));
    }
    assert!(all_wrong.is_empty(), "{} wrong\n{}", all_wrong.len(), all_wrong.join("\n"));
}

/// The layers that may run the code that a label names.
fn layers_of(component: &str) -> &'static [&'static str] {
    let places: [(&str, &[&str]); 6] = [
        ("/nova/virt/", &["nova-compute"]),
        ("/nova/compute/api.py", &["nova-api"]),
        ("/cinder/api/", &["cinder-api"]),
        ("/cinder/volume/drivers/", &["backend-driver"]),
        ("/cinder/volume/manager.py", &["cinder-volume"]),
        // Both services read and write the database.
        ("/cinder/db/", &["cinder-api", "cinder-volume"]),
    ];
    places.into_iter().find(|(place, _)| component.starts_with(place)).map_or(&[], |(_, layers)| layers)
}

#[test]
fn the_blame_is_on_the_layer_with_the_fault() {
    let grammar = support::grammar();
    let mut wrong = Vec::new();
    let (mut told, mut agreeing) = (0, 0);
    for round in rounds() {
        let label = label(&round);
        let layers = layers_of(label["fault"]["component"].as_str().unwrap_or_default());
        let (_, checked) = examine(&grammar, &round);
        for flow in checked.flows.iter().filter(|_| !layers.is_empty()) {
            let Some(blame) = &flow.blame else { continue };
            told += 1;
            let found: Vec<&str> =
                blame.layers.iter().map(|layer| grammar.vocabulary.layer_at(*layer).name.as_str()).collect();
            if matches!(found.as_slice(), [layer] if layers.contains(layer)) && blame.cause.is_some() {
                agreeing += 1;
            } else {
                wrong.push(format!("{} {}: {found:?}, the fault is in {layers:?}", name(&round), flow.id));
            }
        }
    }
    println!("{agreeing} of {told} flows blame the layer with the fault");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_graph_agrees_with_the_traces() {
    let grammar = support::grammar();
    let (mut expected, mut found) = (0, 0);
    let mut contradictions = Vec::new();
    for round in rounds().into_iter().filter(|round| round.join("trace.json.xz").is_file()) {
        let (graph, _) = examine(&grammar, &round);
        let spans = zipkin::spans(&round.join("trace.json.xz"));
        let compared = zipkin::compare(&grammar, &graph, &spans);
        println!("{:24} {} of {} messages and requests", name(&round), compared.found, compared.expected);
        compared.missing.iter().for_each(|missing| println!("    not in the graph: {missing}"));
        assert!(compared.expected > 0, "{}: the trace has no message of a volume flow", name(&round));
        expected += compared.expected;
        found += compared.found;
        contradictions.extend(compared.contradictions.into_iter().map(|text| format!("{}: {text}", name(&round))));
    }
    println!("recall {found} of {expected}");
    assert!(contradictions.is_empty(), "{}", contradictions.join("\n"));
    assert_eq!(found, expected, "all of the traces' messages are in the graph");
}
