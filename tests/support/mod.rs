//! Logs made from the specification itself: paths through its flows, written down as the services would.
#![allow(dead_code, reason = "not every test uses all of it")]

pub(crate) mod change;
pub(crate) mod families;
pub(crate) mod faults;
pub(crate) mod generated;
pub(crate) mod loss;
pub(crate) mod mutate;
pub(crate) mod pack;
pub(crate) mod path;
pub(crate) mod recordings;
pub(crate) mod seed;
pub(crate) mod story;
pub(crate) mod writer;
pub(crate) mod zipkin;

use std::collections::BTreeMap;
use std::path::PathBuf;

use flowcheck::check::check;
use flowcheck::check::verdict::{Checked, FlowVerdict};
use flowcheck::model::event::RequestId;
use flowcheck::parse::{Options, read};
use flowcheck::spec::grammar::{Grammar, Severity};
use flowcheck::trace::graph::CallGraph;

use story::Subject;

/// The requests that hold a volume until another lets it go or brings it to rest.
pub(crate) const HOLDING: [&str; 4] =
    ["cinder.attachment.create", "cinder.attachment.update", "cinder.volume.reserve", "cinder.volume.begin_detaching"];

/// The built-in specification.
pub(crate) fn grammar() -> Grammar {
    flowcheck::spec::built_in().unwrap_or_else(|errors| panic!("{errors}"))
}

/// Puts files into a folder of their own.
pub(crate) fn save(folder: &str, files: &BTreeMap<String, String>) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a folder");
    let save = |(name, text): (&String, &String)| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    };
    files.iter().map(save).collect()
}

/// Checks files.
pub(crate) fn examine(grammar: &Grammar, paths: &[String], threads: Option<usize>) -> Checked {
    let options = Options { threads, ..Options::default() };
    let reading = read(paths, &mut std::io::empty(), &grammar.vocabulary, &options);
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    let graph = CallGraph::build(grammar, &reading.events);
    check(grammar, &graph, &reading.sources).expect("a specification of an ordinary size")
}

/// The flows of a case.
pub(crate) fn flows_of<'a>(checked: &'a Checked, subject: &Subject) -> Vec<&'a FlowVerdict> {
    let request = RequestId(subject.request);
    let is_of = |flow: &&FlowVerdict| flow.volume == Some(subject.volume) || flow.request_ids.contains(&request);
    checked.flows.iter().filter(is_of).collect()
}

/// Whether an error names one of these steps: in its step, in what it expected, or in its evidence.
pub(crate) fn is_named(names: &[&str], flows: &[&FlowVerdict]) -> bool {
    let is_in = |text: &str| text.split([' ', ',', ':']).any(|word| names.contains(&word));
    let findings = flows.iter().flat_map(|flow| &flow.findings);
    let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
    errors.any(|finding| {
        let roles = finding.evidence.iter().map(|evidence| evidence.role.as_str());
        roles.chain(finding.step.as_deref()).chain([finding.expected.as_str()]).any(is_in)
    })
}

/// What a flow came to, in one line.
pub(crate) fn brief(grammar: &Grammar, flow: &FlowVerdict) -> String {
    let findings: Vec<String> = flow
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.code, finding.step.as_deref().unwrap_or("-")))
        .collect();
    let missing: Vec<&str> = flow.missing_evidence.iter().map(|missing| missing.needs.as_str()).collect();
    let steps: Vec<String> =
        flow.steps.iter().map(|step| format!("{}:{:?}", grammar.step_at(step.step).name, step.state)).collect();
    format!(
        "{} {:?} {:?}/{:?} findings {findings:?} missing {missing:?} statuses {:?}\n    steps {}",
        flow.flow,
        flow.variant,
        flow.outcome,
        flow.verdict,
        flow.statuses,
        steps.join(" ")
    )
}
