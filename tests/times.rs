//! How flows' times are shared: the parts are the whole, and neither clocks nor the order of files change them.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::BTreeMap;

use flowcheck::check::verdict::{Checked, FlowVerdict};
use flowcheck::spec::grammar::Grammar;
use support::change::{is_timed, shifted};
use support::generated::generated;
use support::recordings::{Files, by_two, recordings, samples};
use support::writer::Style;

/// How much a shift of a clock may change a time, in milliseconds: what is not known of the clock.
const TOLERANCE: i64 = 1_500;

/// What is wrong with the times of flows.
fn wrong(grammar: &Grammar, name: &str, checked: &Checked) -> Vec<String> {
    let mut wrong = Vec::new();
    for flow in &checked.flows {
        let Some(times) = &flow.times else { continue };
        let sum: i64 = times.layers.iter().map(|part| part.millis).sum();
        let negative = times.layers.iter().any(|part| part.millis < 0);
        let mut layers: Vec<_> = times.layers.iter().map(|part| part.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        if sum != times.millis || negative || layers.len() != times.layers.len() {
            wrong.push(format!("{name} {}: {times:?}\n    {}", flow.id, support::brief(grammar, flow)));
        }
    }
    wrong
}

/// The whole times of the flows, and where they broke, by what they are about.
fn told(grammar: &Grammar, checked: &Checked) -> BTreeMap<String, (i64, Vec<String>)> {
    let key = |flow: &FlowVerdict| format!("{} {:?} {:?}", flow.flow, flow.volume, flow.request_ids.first());
    let layers = |flow: &FlowVerdict| {
        let blame = flow.blame.iter().flat_map(|blame| &blame.layers);
        blame.map(|layer| grammar.vocabulary.layer_at(*layer).name.clone()).collect()
    };
    let flows = checked.flows.iter();
    flows.map(|flow| (key(flow), (flow.times.as_ref().map_or(-1, |times| times.millis), layers(flow)))).collect()
}

fn logs() -> Vec<(String, Files)> {
    recordings().into_iter().chain(samples()).collect()
}

#[test]
fn the_parts_are_the_whole_whatever_the_clocks() {
    let grammar = support::grammar();
    let shifts = [-10_800, 2, -300, 15, 90];
    let all = by_two(&logs(), |index, name, files| {
        let folder = format!("times-{name}");
        let examine = |files: &Files| support::examine(&grammar, &support::save(&folder, files), Some(1));
        let as_it_is = examine(files);
        let mut all = wrong(&grammar, name, &as_it_is);
        let as_it_is = told(&grammar, &as_it_is);
        let timed = files.iter().filter(|(_, text)| is_timed(text)).map(|(file, _)| file);
        for (number, file) in timed.enumerate() {
            let seconds = shifts[(index + number) % shifts.len()];
            let checked = examine(&shifted(files, file, seconds));
            all.extend(wrong(&grammar, &format!("{name} {file} {seconds} s"), &checked));
            for (flow, (millis, layers)) in told(&grammar, &checked) {
                let Some((known, blamed)) = as_it_is.get(&flow) else { continue };
                if (known - millis).abs() > TOLERANCE || *blamed != layers {
                    all.push(format!(
                        "{name} {file} {seconds} s {flow}: {millis} ms {layers:?}, not {known} ms {blamed:?}"
                    ));
                }
            }
        }
        all
    });
    assert!(all.is_empty(), "{} wrong\n{}", all.len(), all.join("\n"));
}

#[test]
fn the_parts_are_the_whole_in_generated_logs() {
    let grammar = support::grammar();
    let mut flows = 0;
    for style in [Style::Default, Style::Rpc] {
        let files = generated(&grammar, style);
        let checked = support::examine(&grammar, &support::save(&format!("times-{style:?}"), &files), None);
        let wrong = wrong(&grammar, &format!("{style:?}"), &checked);
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
        flows += checked.flows.iter().filter(|flow| flow.times.is_some()).count();
    }
    println!("{flows} flows have times");
    assert!(flows > 100, "only {flows} flows have times");
}
