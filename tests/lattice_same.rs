//! The same evidence in another form gives the same answers: other clocks, ids and files, and strangers beside it.

mod support;

use flowcheck::check::verdict::{Checked, Outcome, Verdict};
use flowcheck::spec::grammar::Grammar;
use proptest::prelude::*;
use support::change::{appended, as_one, is_timed, other, renamed, shifted};
use support::generated::generated;
use support::recordings::{Files, by_two, recordings, samples};
use support::writer::Style;
use uuid::Uuid;

/// What is answered of one flow: what it is about, and what became of it.
type Answer = (Option<Uuid>, Option<Uuid>, String, Outcome, Verdict);

fn answers(checked: &Checked) -> Vec<Answer> {
    let answer = |flow: &flowcheck::check::verdict::FlowVerdict| {
        let request = flow.request_ids.first().map(|request| request.0);
        (request, flow.volume, flow.flow.clone(), flow.outcome, flow.verdict)
    };
    sorted(checked.flows.iter().map(answer).collect())
}

fn sorted(mut answers: Vec<Answer>) -> Vec<Answer> {
    answers.sort_by_key(|(request, volume, flow, ..)| (*request, *volume, flow.clone()));
    answers
}

fn ask(grammar: &Grammar, folder: &str, files: &Files) -> Vec<Answer> {
    answers(&support::examine(grammar, &support::save(folder, files), Some(1)))
}

/// The answers that two runs do not share.
fn differences(form: &str, one: &[Answer], two: &[Answer]) -> Option<String> {
    let gone = one.iter().filter(|answer| !two.contains(answer)).map(|answer| format!("- {answer:?}"));
    let new = two.iter().filter(|answer| !one.contains(answer)).map(|answer| format!("+ {answer:?}"));
    let lines: Vec<String> = gone.chain(new).collect();
    (one.len() != two.len() || !lines.is_empty()).then(|| format!("{form}\n{}", lines.join("\n")))
}

/// How far clocks are set, in seconds: less than a message takes, minutes, and zones.
const SHIFTS: [i64; 10] = [-10_800, 2, -300, 15, 3_600, -17, 90, 600, -2, 7_211];

/// The logs that tests look at: the recordings and the samples.
fn logs() -> Vec<(String, Files)> {
    recordings().into_iter().chain(samples()).collect()
}

#[test]
fn clocks_change_nothing() {
    let grammar = support::grammar();
    let wrong = by_two(&logs(), |index, name, files| {
        let folder = format!("clocks-{name}");
        let as_it_is = ask(&grammar, &folder, files);
        let timed = files.iter().filter(|(_, text)| is_timed(text)).map(|(file, _)| file);
        let shift = |(number, file): (usize, &String)| {
            let seconds = SHIFTS[(index + number) % SHIFTS.len()];
            let other = ask(&grammar, &folder, &shifted(files, file, seconds));
            differences(&format!("{name} {file} {seconds} s"), &as_it_is, &other)
        };
        timed.enumerate().filter_map(shift).collect()
    });
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn clocks_change_nothing_in_generated_logs() {
    let grammar = support::grammar();
    for style in [Style::Default, Style::Rpc] {
        let files = generated(&grammar, style);
        let folder = format!("clocks-{style:?}");
        let as_it_is = ask(&grammar, &folder, &files);
        let config = ProptestConfig {
            cases: 12,
            failure_persistence: None,
            rng_seed: prop::test_runner::RngSeed::Fixed(5),
            ..ProptestConfig::default()
        };
        proptest!(config, |(file in any::<prop::sample::Index>(), seconds in -8_000_i64..8_000)| {
            let names: Vec<&String> = files.keys().collect();
            let name = names[file.index(names.len())];
            let other = ask(&grammar, &folder, &shifted(&files, name, seconds));
            let differences = differences(&format!("{style:?} {name} {seconds} s"), &as_it_is, &other);
            prop_assert!(differences.is_none(), "{}", differences.unwrap_or_default());
        });
    }
}

#[test]
fn ids_and_files_change_nothing() {
    let grammar = support::grammar();
    let wrong = by_two(&logs(), |_, name, files| {
        let folder = format!("forms-{name}");
        let as_it_is = ask(&grammar, &folder, files);
        let mut wrong = Vec::new();
        let with_other_ids = files.iter().map(|(file, text)| (file.clone(), renamed(text))).collect();
        let back = |(request, volume, flow, outcome, verdict): Answer| {
            (request.map(other), volume.map(other), flow, outcome, verdict)
        };
        let named_back = ask(&grammar, &folder, &with_other_ids).into_iter().map(back).collect();
        wrong.extend(differences(&format!("{name} with other ids"), &as_it_is, &sorted(named_back)));
        for by_time in [false, true] {
            let one = ask(&grammar, &folder, &as_one(files, by_time));
            wrong.extend(differences(&format!("{name} as one file, by time: {by_time}"), &as_it_is, &one));
        }
        wrong
    });
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn strangers_change_nothing() {
    let grammar = support::grammar();
    let logs = recordings();
    let wrong = by_two(&logs, |index, name, files| {
        let folder = format!("strangers-{name}");
        let (stranger, others) = &logs[(index + 7) % logs.len()];
        let mut apart = ask(&grammar, &folder, files);
        apart.extend(ask(&grammar, &folder, others));
        let apart = sorted(apart);
        let renamed = others.iter().map(|(file, text)| (format!("other-{file}"), text.clone()));
        let beside = files.clone().into_iter().chain(renamed).collect();
        let mut wrong = Vec::new();
        wrong.extend(differences(&format!("{name} beside {stranger}"), &apart, &ask(&grammar, &folder, &beside)));
        // Only logs of one form can be one file.
        let same_form = |(file, text): (&String, &String)| {
            files.get(file).is_none_or(|own| own.is_empty() || text.is_empty() || is_timed(own) == is_timed(text))
        };
        if others.iter().all(same_form) {
            let one = ask(&grammar, &folder, &appended(files, others));
            wrong.extend(differences(&format!("{name} before {stranger}"), &apart, &one));
        }
        wrong
    });
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
