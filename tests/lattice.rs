//! Less log never turns a legal flow into a violation, and neither threads nor the order of inputs change an answer.

mod support;

use flowcheck::check::verdict::Checked;
use flowcheck::model::event::RequestId;
use flowcheck::spec::grammar::Grammar;
use proptest::prelude::*;
use support::generated::generated;
use support::loss::{Loss, turned, turned_by};
use support::recordings::{Files, by_two, recordings};
use support::seed::Numbers;
use support::writer::Style;

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
        turned_by(&grammar, &format!("recording-{name}"), files, losses)
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
