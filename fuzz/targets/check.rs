#![no_main]
//! The whole job: reading, the call graph, checking, and the report, in which nothing of a log reaches a terminal as it is.

use flowcheck::check::check;
use flowcheck::report::subject::Subject;
use flowcheck::report::text::look::Look;
use flowcheck::report::text::{Detail, render};
use flowcheck::report::{build, json};
use flowcheck::trace::graph::CallGraph;
use flowcheck_fuzz::{GRAMMAR, read_in_pieces};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let reading = read_in_pieces(data, 4 << 20);
    let graph = CallGraph::build(&GRAMMAR, &reading.events);
    let checked = check(&GRAMMAR, &graph, &reading.sources).expect("no flow is too large");
    let subject = Subject { checked: &checked, sources: &reading.sources, grammar: &GRAMMAR };
    let lines = |_| Some(String::from_utf8_lossy(data).into_owned());
    let errors: Vec<String> = reading.errors.iter().map(ToString::to_string).collect();
    let text = render(&subject, &lines, &errors, &Look::plain(120), Detail::Verbose);
    let stray = text.chars().find(|character| character.is_control() && *character != '\n');
    assert_eq!(stray, None, "a control character in the report");
    json::to_text(&build::report(&subject)).expect("a report is JSON");
});
