//! Less log never turns a legal flow into a violation, and neither threads nor the order of inputs change an answer.

mod support;

use std::collections::BTreeSet;

use flowcheck::check::verdict::{Checked, FlowVerdict, Verdict};
use flowcheck::model::event::RequestId;
use flowcheck::spec::grammar::Grammar;
use proptest::prelude::*;
use support::change::{keep, records, stamp};
use support::generated::generated;
use support::recordings::{Files, by_two, recordings};
use support::seed::Numbers;
use support::writer::Style;

/// A way to have less log. The numbers pick a file and a place, whatever there is.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// A file is not given.
    File(usize),
    /// A service logs at INFO.
    Debug(usize),
    /// All services log at INFO.
    DebugOfAll,
    /// Nobody logs what oslo.messaging and the callers of REST requests send.
    MessagesOfAll,
    /// A file ends early.
    End(usize, usize),
    /// A file begins late.
    Start(usize, usize),
    /// All files end at one moment.
    EndOfAll(usize),
    /// All files begin at one moment.
    StartOfAll(usize),
}

impl Loss {
    fn apply(self, files: &Files) -> Files {
        let name = |pick: usize| files.keys().nth(pick % files.len()).expect("a file").clone();
        let place = |name: &str, pick: usize| pick % records(&files[name]).len().max(1);
        // A moment that some record has.
        let moment = |pick: usize| {
            let stamps: BTreeSet<&str> = files.values().flat_map(|text| text.lines().filter_map(stamp)).collect();
            stamps.iter().nth(pick % stamps.len().max(1)).map_or(String::new(), |stamp| (*stamp).to_owned())
        };
        match self {
            Self::File(pick) => {
                let gone = name(pick);
                files
                    .iter()
                    .filter(|(name, _)| **name != gone)
                    .map(|(name, text)| (name.clone(), text.clone()))
                    .collect()
            }
            Self::Debug(pick) => {
                let quiet = name(pick);
                keep(files, |name, _, record| name != quiet || !is_debug(record, ""))
            }
            Self::DebugOfAll => keep(files, |_, _, record| !is_debug(record, "")),
            Self::MessagesOfAll => keep(files, |_, _, record| {
                let loggers = ["oslo_messaging", "oslo.messaging", "keystoneauth", "cinderclient", "novaclient"];
                !loggers.iter().any(|logger| is_debug(record, logger))
            }),
            Self::End(pick, end) => {
                let cut = name(pick);
                let end = place(&cut, end);
                keep(files, |name, index, _| name != cut || index < end)
            }
            Self::Start(pick, start) => {
                let cut = name(pick);
                let start = place(&cut, start);
                keep(files, |name, index, _| name != cut || index >= start)
            }
            Self::EndOfAll(pick) => {
                let end = moment(pick);
                keep(files, |_, _, record| stamp(record).is_none_or(|stamp| stamp < end.as_str()))
            }
            Self::StartOfAll(pick) => {
                let start = moment(pick);
                keep(files, |_, _, record| stamp(record).is_none_or(|stamp| stamp >= start.as_str()))
            }
        }
    }
}

/// Whether a record of a service is at DEBUG, and of a logger that begins so.
fn is_debug(record: &str, logger: &str) -> bool {
    let head = record.get(..60).unwrap_or(record);
    stamp(record).is_some() && head.split_once(" DEBUG ").is_some_and(|(_, rest)| rest.starts_with(logger))
}

fn a_loss() -> impl Strategy<Value = Loss> {
    let any = || any::<usize>();
    prop_oneof![
        any().prop_map(Loss::File),
        any().prop_map(Loss::Debug),
        (any(), any()).prop_map(|(file, place)| Loss::End(file, place)),
        (any(), any()).prop_map(|(file, place)| Loss::Start(file, place)),
        any().prop_map(Loss::EndOfAll),
        any().prop_map(Loss::StartOfAll),
    ]
}

/// The legal flows that have become violations.
fn turned(grammar: &Grammar, whole: &Checked, less: &Checked) -> Vec<String> {
    let shares =
        |one: &FlowVerdict, other: &FlowVerdict| one.request_ids.iter().any(|id| other.request_ids.contains(id));
    let is_new = |flow: &&FlowVerdict| {
        let mut same = whole.flows.iter().filter(|known| shares(known, flow)).peekable();
        flow.verdict == Verdict::Violated
            && (same.peek().is_none() || same.all(|known| known.verdict == Verdict::Conformant))
    };
    less.flows.iter().filter(is_new).map(|flow| support::brief(grammar, flow)).collect()
}

/// The answers, however the inputs are numbered.
fn answers(grammar: &Grammar, checked: &Checked) -> Vec<(Vec<RequestId>, String)> {
    let mut answers: Vec<(Vec<RequestId>, String)> =
        checked.flows.iter().map(|flow| (flow.request_ids.clone(), support::brief(grammar, flow))).collect();
    answers.sort();
    answers
}

#[test]
fn less_of_a_generated_log_is_no_violation() {
    let grammar = support::grammar();
    for style in [Style::Default, Style::Rpc] {
        let files = generated(&grammar, style);
        let folder = format!("less-{style:?}");
        let whole = support::examine(&grammar, &support::save(&folder, &files), None);
        let config = ProptestConfig {
            cases: 32,
            failure_persistence: None,
            rng_seed: prop::test_runner::RngSeed::Fixed(11),
            ..ProptestConfig::default()
        };
        proptest!(config, |(loss in a_loss())| {
            let less = support::examine(&grammar, &support::save(&folder, &loss.apply(&files)), None);
            let turned = turned(&grammar, &whole, &less);
            prop_assert!(turned.is_empty(), "{style:?} {loss:?}: {} flows\n{}", turned.len(), turned[..turned.len().min(3)].join("\n"));
        });
    }
}

#[test]
fn less_of_a_recording_is_no_violation() {
    let grammar = support::grammar();
    let recordings = recordings();
    let wrong = by_two(&recordings, |index, name, files| {
        let folder = format!("recording-{name}");
        let whole = support::examine(&grammar, &support::save(&folder, files), Some(1));
        let mut numbers = Numbers(index as u64);
        let mut pick = || usize::try_from(numbers.next() >> 1).expect("fits");
        let mut losses = vec![
            Loss::Debug(pick()),
            Loss::DebugOfAll,
            Loss::MessagesOfAll,
            Loss::End(pick(), pick()),
            Loss::Start(pick(), pick()),
            Loss::EndOfAll(pick()),
            Loss::StartOfAll(pick()),
        ];
        losses.extend((0..files.len()).map(Loss::File));
        let mut wrong = Vec::new();
        for loss in losses {
            let less = support::examine(&grammar, &support::save(&folder, &loss.apply(files)), Some(1));
            let turned = turned(&grammar, &whole, &less);
            if !turned.is_empty() {
                wrong.push(format!("{name} {loss:?}\n{}", turned.join("\n")));
            }
        }
        wrong
    });
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn threads_and_the_order_of_inputs_change_nothing() {
    let grammar = support::grammar();
    let mut logs: Vec<(String, Files)> = vec![("generated".to_owned(), generated(&grammar, Style::Rpc))];
    logs.extend(recordings().into_iter().step_by(6));
    for (name, files) in logs {
        let mut paths = support::save(&format!("order-{name}"), &files);
        let one = answers(&grammar, &support::examine(&grammar, &paths, Some(1)));
        assert_eq!(one, answers(&grammar, &support::examine(&grammar, &paths, Some(2))), "{name}: two threads");
        paths.reverse();
        assert_eq!(one, answers(&grammar, &support::examine(&grammar, &paths, None)), "{name}: the other way round");
        let middle = paths.len() / 2;
        paths.rotate_left(middle);
        assert_eq!(one, answers(&grammar, &support::examine(&grammar, &paths, None)), "{name}: begun in the middle");
    }
}
