//! What real services wrote, with one thing wrong in it, is found.
#![expect(clippy::print_stdout, reason = "a test tells how much it looked at")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;

use flowcheck::check::verdict::{FlowVerdict, Verdict};
use flowcheck::model::event::RequestId;
use support::faults::{Fault, gone_on, seeded};
use support::recordings::{by_two, recordings};

/// Faults of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    killed: usize,
    named: usize,
    legal: usize,
}

#[test]
fn faults_in_recordings_are_found() {
    let grammar = support::grammar();
    let counts: Mutex<BTreeMap<Fault, Count>> = Mutex::default();
    let wrong = by_two(&recordings(), |_, name, files| {
        let folder = format!("seeded-{name}");
        let files = &gone_on(files);
        let whole = support::examine(&grammar, &support::save(&folder, files), Some(1));
        let mut wrong = Vec::new();
        for fault in seeded(&grammar, files, &whole) {
            let checked = support::examine(&grammar, &support::save(&folder, &fault.files), Some(1));
            let root = RequestId(fault.root);
            let is_of = |flow: &&FlowVerdict| flow.request_ids.contains(&root) || flow.volume == fault.volume;
            let flows: Vec<&FlowVerdict> = checked.flows.iter().filter(is_of).collect();
            let violated = flows.iter().any(|flow| flow.verdict == Verdict::Violated);
            let names: Vec<&str> = fault.steps.iter().map(String::as_str).collect();
            let named = violated && support::is_named(&names, &flows);
            let mut counts = counts.lock().expect("no panic");
            let count = counts.entry(fault.fault).or_default();
            match fault.legal {
                Some(_) => count.legal += 1,
                None => {
                    count.all += 1;
                    count.killed += usize::from(violated);
                    count.named += usize::from(named);
                }
            }
            let text = || {
                let flows: Vec<String> = flows.iter().map(|flow| support::brief(&grammar, flow)).collect();
                format!("{:?} {name} {:?} {:?}\n  {}", fault.fault, fault.steps, fault.legal, flows.join("\n  "))
            };
            if violated && fault.legal.is_none() && !named {
                println!("unnamed {}", text());
            }
            if violated != fault.legal.is_none() {
                wrong.push(text());
            }
        }
        wrong
    });
    let counts = counts.into_inner().expect("no panic");
    let sum = |part: fn(&Count) -> usize| counts.values().map(part).sum::<usize>();
    let (all, killed, named) = (sum(|count| count.all), sum(|count| count.killed), sum(|count| count.named));
    println!("found {killed} of {all} faults, {named} by the name of the step\n{counts:#?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    let legal = sum(|count| count.legal);
    if all > 0 {
        assert_eq!((all, legal), (448, 13), "the number of faults, and of legal ones, has changed");
        assert!(named >= 436, "fewer faults are named: {named} of {all}");
    }
}
