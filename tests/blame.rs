//! Where flows broke: each layer has a case, and logs that are left out never put the blame on another layer.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use flowcheck::check::verdict::{Blame, FlowVerdict};
use flowcheck::spec::grammar::Grammar;
use serde_json::Value;
use support::examine;
use support::recordings::{folders, logs_in, place};

/// The layers that a report may name.
const LAYERS: [&str; 9] = [
    "client",
    "nova-api",
    "conductor",
    "message-bus",
    "nova-compute",
    "os-brick",
    "cinder-api",
    "cinder-volume",
    "backend-driver",
];

/// The folders whose every choice of logs is tried; of the others, each log is left out.
const THOROUGH: &str = "blame-";

fn names(grammar: &Grammar, blame: &Blame) -> Vec<String> {
    blame.layers.iter().map(|layer| grammar.vocabulary.layer_at(*layer).name.clone()).collect()
}

/// The choices of logs that leave at least one out.
fn choices(logs: &[String], thorough: bool) -> Vec<Vec<String>> {
    let count = logs.len();
    let of_bits = |bits: usize| {
        let chosen = logs.iter().enumerate().filter(|(number, _)| bits >> number & 1 == 1);
        chosen.map(|(_, log)| log.clone()).collect()
    };
    let all = (1_usize << count) - 1;
    if thorough {
        return (1..all).map(of_bits).collect();
    }
    (0..count).map(|number| all ^ (1 << number)).map(of_bits).collect()
}

#[test]
fn every_layer_has_a_case() {
    for layer in LAYERS {
        let path = place(&format!("tests/cases/blame-{layer}/expected.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let report: Value = serde_json::from_str(&text).expect("a report is JSON");
        assert_eq!(report["flows"][0]["blame"]["layer"], layer, "{}", path.display());
    }
}

#[test]
fn the_specification_names_the_layers() {
    let grammar = support::grammar();
    for layer in LAYERS {
        assert!(grammar.vocabulary.layer(layer).is_some(), "{layer}");
    }
    assert_eq!(grammar.vocabulary.carrier(), grammar.vocabulary.layer("message-bus"));
}

#[test]
fn fewer_logs_blame_no_other_layer() {
    let grammar = support::grammar();
    let same = |flow: &FlowVerdict, other: &FlowVerdict| flow.flow == other.flow && flow.volume == other.volume;
    let mut wrong = Vec::new();
    let (mut compared, mut vaguer) = (0, 0);
    let places = ["tests/cases", "samples", "../shared/recordings", "../shared/fault-injection"];
    for folder in places.into_iter().flat_map(folders) {
        let logs = logs_in(&folder);
        let whole = examine(&grammar, &logs, None);
        if whole.flows.iter().all(|flow| flow.blame.is_none()) {
            continue;
        }
        let thorough = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(THOROUGH));
        for choice in choices(&logs, thorough) {
            let part = examine(&grammar, &choice, None);
            for flow in &part.flows {
                let known = whole.flows.iter().find(|other| same(flow, other)).and_then(|other| other.blame.as_ref());
                let (Some(known), Some(blame)) = (known, &flow.blame) else { continue };
                let (known, found) = (names(&grammar, known), names(&grammar, blame));
                compared += 1;
                vaguer += usize::from(found.len() > known.len());
                // What all logs leave open, fewer cannot decide; what they decide, fewer may leave open.
                let is_consistent = if found.is_empty() {
                    true
                } else if known.len() == 1 {
                    found.contains(&known[0])
                } else {
                    found.len() != 1 || known.contains(&found[0])
                };
                if !is_consistent {
                    wrong.push(format!("{}: {found:?} of {choice:?}, {known:?} of all", folder.display()));
                }
            }
        }
    }
    println!("{compared} flows with logs left out, {vaguer} of them vaguer");
    assert!(compared > 200, "only {compared} compared");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
