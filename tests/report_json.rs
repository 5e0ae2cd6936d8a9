//! The JSON report against its schema and an expectation, and what no report may show.

mod common;

use common::{World, expect, finding, flow, line, world};
use flowcheck::check::verdict::{Checked, Outcome, Verdict};
use flowcheck::report::text::{Detail, look::Look, render};
use flowcheck::report::{build, json};
use flowcheck::spec::grammar::Severity;
use proptest::prelude::*;
use serde_json::Value;

fn schema() -> jsonschema::Validator {
    let text = include_str!("../docs/report.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is a schema")
}

fn written(world: &World) -> String {
    json::to_text(&build::report(&world.subject())).expect("a report can be written")
}

fn valid(world: &World) -> Value {
    let report = serde_json::from_str(&written(world)).expect("a report is JSON");
    let errors: Vec<String> =
        schema().iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

#[test]
fn the_report_is_as_expected() {
    let world = world();
    expect("report.json", &written(&world));
    let report = valid(&world);
    assert_eq!(report["verdict"], "violated");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(4));
    assert_eq!(report["inputs"][0]["service"], "nova-api");
    assert_eq!(report["findings"][0]["rule"]["line"], 5);
}

#[test]
fn reports_of_odd_answers_are_valid() {
    let mut odd = world();
    odd.checked = Checked::default();
    assert_eq!(valid(&odd)["verdict"], "inconclusive", "where nothing was seen nothing was decided");
    let mut bare = flow(1, Outcome::Unknown, Verdict::Inconclusive);
    (bare.server, bare.volume, bare.start, bare.end) = (None, None, None, None);
    (bare.client_command, bare.variant, bare.steps[0].status) = (None, None, None);
    odd.checked.flows = vec![bare];
    odd.sources.clear();
    odd.grammar = Default::default();
    let report = valid(&odd);
    assert_eq!(report["flows"][0]["steps"][0]["step"], "", "an unknown step has no name");
}

#[test]
fn the_schema_is_closed_where_words_are_fixed() {
    let mut report: Value = serde_json::from_str(&written(&world())).expect("a report is JSON");
    report["some_later_key"] = Value::from(1);
    assert!(schema().is_valid(&report), "unknown keys may be added");
    report["flows"][0]["outcome"] = Value::from("fine");
    assert!(!schema().is_valid(&report));
}

/// A world in which every text of a log holds `text`.
fn filled(text: &str) -> World {
    let mut world = world();
    let mut flow = flow(1, Outcome::Completed, Verdict::Conformant);
    flow.server_name = Some(text.to_owned());
    flow.volume_name = Some(text.to_owned());
    flow.client_command = Some(text.to_owned());
    flow.device = Some(text.to_owned());
    flow.statuses = vec![text.to_owned()];
    let mut finding = finding(Severity::Error);
    finding.message = text.to_owned();
    finding.expected = text.to_owned();
    finding.help = vec![text.to_owned()];
    finding.evidence[0].role = text.to_owned();
    flow.findings = vec![finding.clone(), flowcheck::check::verdict::Finding { severity: Severity::Note, ..finding }];
    world.checked.flows = vec![flow];
    world.checked.volumes[1].name = Some(text.to_owned());
    world.sources[0].path = text.to_owned();
    world.sources[0].remark = Some(text.to_owned());
    world
}

fn all_forms(world: &World, text: &str) -> Vec<String> {
    let lines = |_| Some(text.to_owned());
    let errors = [text.to_owned()];
    let look = Look::plain(100);
    vec![
        render(&world.subject(), &lines, &errors, &look, Detail::Normal),
        render(&world.subject(), &lines, &errors, &Look { unicode: true, ..look }, Detail::Verbose),
        written(world),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_control_character_of_an_input_gets_out(text in any::<String>(), control in 0..0xa0_u8) {
        let text = format!("{text}{}\u{202e}\u{1b}]0;title\u{7}{text}", char::from(control));
        for form in all_forms(&filled(&text), &text) {
            let bad = form.chars().find(|each| *each != '\n' && (each.is_control() || *each == '\u{202e}'));
            prop_assert!(bad.is_none(), "{bad:?}");
        }
    }

    #[test]
    fn no_secret_of_an_input_gets_out(secret in "[A-Za-z0-9]{8,20}", form in 0..4_usize) {
        let secret = format!("Zq7{secret}");
        let text = match form {
            0 => format!("REQ: curl -g -i -X POST http://a:8776/v3 -H \"X-Auth-Token: {secret}\" -d x"),
            1 => format!("{{\"auth_password\": \"{secret}\", \"x\": 1}}"),
            2 => format!("--os-password {secret} server list"),
            _ => format!("mysql+pymysql://root:{secret}@127.0.0.1/nova"),
        };
        let mut world = filled(&text);
        // A path is given by the reader, not by a log.
        world.sources[0].path = "a.log".to_owned();
        for form in all_forms(&world, &text) {
            prop_assert!(!form.contains(&secret), "{form}");
        }
    }
}

#[test]
fn lines_that_cannot_be_read_again_are_named() {
    let world = world();
    let text = render(&world.subject(), &|_| None, &[], &Look::plain(80), Detail::Normal);
    assert!(text.contains("logs/nova-api.log:812:1"), "{text}");
    assert!(text.contains("could not be read again"), "{text}");
    assert!(line(common::place(0, 812)).is_some());
}
