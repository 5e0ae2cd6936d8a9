//! Every sample, and every small case of `tests/cases`: logs in, the whole report out, compared with what is expected.
//!
//! FLOWCHECK_BLESS=1 writes the expectations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Findings of the registry that no attach, detach or direct chain can raise today, and why.
const WITHOUT_CASE: &[(&str, &str)] = &[
    ("FC0104", "every transition that the machine marks illegal has a code of its own"),
    ("FC0107", "only the casts to nova-compute have a time limit, and FC0232 is theirs"),
    ("FC0111", "no log shows the waiting of a step that has no code of its own"),
    ("FC0223", "calls of drivers are never owed: a host that cannot let go is reported by what it leaves, as FC0222"),
    ("FC0228", "the host's disconnect is optional: what comes too late is reported as FC0102"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The standard output of the program, run in the project's folder.
fn flowcheck(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowcheck"));
    let command = command.args(words).current_dir(root()).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a report is UTF-8")
}

fn expect(path: &Path, actual: &str, differing: &mut Vec<String>) {
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        std::fs::write(path, actual).expect("the expectation can be written");
    }
    if std::fs::read_to_string(path).unwrap_or_default() != actual {
        differing.push(format!("{} differs from:\n{actual}", path.display()));
    }
}

/// The names of the folders in a folder, sorted.
fn folders(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(path)).expect("the folder is there");
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is a schema")
}

/// Runs the logs with one thread and with two, and compares both reports.
fn hold(logs: &str, expected: impl Fn(&str) -> PathBuf, differing: &mut Vec<String>) {
    let report = |threads: &str, format: &str| flowcheck(&["--threads", threads, "--format", format, logs]);
    let (json, text) = (report("1", "json"), report("1", "text"));
    assert_eq!(json, report("2", "json"), "{logs}: the number of threads changes the report");
    assert_eq!(text, report("2", "text"), "{logs}: the number of threads changes the report");
    let value: Value = serde_json::from_str(&json).expect("a report is JSON");
    let errors: Vec<String> =
        schema().iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{logs}: {errors:#?}");
    expect(&expected("json"), &json, differing);
    expect(&expected("txt"), &text, differing);
}

#[test]
fn samples_give_their_reports() {
    let mut differing = Vec::new();
    for name in folders("samples") {
        let expected = |form: &str| root().join(format!("tests/cases/samples-{name}.{form}"));
        hold(&format!("samples/{name}"), expected, &mut differing);
    }
    assert!(differing.is_empty(), "FLOWCHECK_BLESS=1 accepts what there is now\n{}", differing.join("\n"));
}

#[test]
fn cases_give_their_reports() {
    let mut differing = Vec::new();
    for name in folders("tests/cases") {
        let expected = |form: &str| root().join(format!("tests/cases/{name}/expected.{form}"));
        hold(&format!("tests/cases/{name}/logs"), expected, &mut differing);
    }
    assert!(differing.is_empty(), "FLOWCHECK_BLESS=1 accepts what there is now\n{}", differing.join("\n"));
}

/// A case's expected report.
fn expected(case: &str) -> Value {
    let path = root().join("tests/cases").join(case).join("expected.json");
    let text = std::fs::read_to_string(path).expect("a case has an expectation");
    serde_json::from_str(&text).expect("a report is JSON")
}

/// The verdict of a case's expected report.
fn verdict(case: &str) -> String {
    expected(case)["verdict"].as_str().unwrap_or_default().to_owned()
}

/// The codes of the findings in a case's expected report.
fn codes(case: &str) -> BTreeSet<String> {
    let report = expected(case);
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    findings.iter().filter_map(|finding| finding["code"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_finding_has_a_case_that_raises_it_and_a_near_miss() {
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        return; // expectations are on their way
    }
    let grammar = flowcheck::spec::built_in().expect("the built-in specification is sound");
    let cases = folders("tests/cases");
    let mut wrong = Vec::new();
    for finding in &grammar.findings {
        let (code, name) = (finding.code.as_str(), &finding.name);
        let raising = format!("{}-{name}", code.to_lowercase());
        let near = format!("{}-near-miss", code.to_lowercase());
        let has_cases = cases.contains(&raising) || cases.contains(&near);
        if WITHOUT_CASE.iter().any(|(listed, _)| *listed == code) {
            if has_cases {
                wrong.push(format!("{code} has a case and is listed as having none"));
            }
        } else if !cases.contains(&raising) || !cases.contains(&near) {
            wrong.push(format!("{code} wants the cases {raising} and {near}"));
        } else if !codes(&raising).contains(code) {
            wrong.push(format!("{raising} does not raise {code}"));
        } else if codes(&near).contains(code) {
            wrong.push(format!("{near} raises {code}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each class of docs/incident-classes.md: every code is raised by one of its cases, and what is legal raises none.
#[test]
fn every_class_of_incident_has_its_findings_and_cases() {
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        return; // expectations are on their way
    }
    let known = folders("tests/cases");
    let mut classes = BTreeSet::new();
    for line in include_str!("../docs/incident-classes.md").lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(named) = cells.last().filter(|names| names.starts_with('`')) else { continue };
        let cases: Vec<&str> = named.split(", ").map(|name| name.trim_matches('`')).collect();
        for case in &cases {
            assert!(known.iter().any(|name| name == case), "{line}: there is no case {case}");
            let is_left = matches!(cells.as_slice(), [_, left, _] if !left.starts_with("nothing"));
            let odd = cells.len() == 2 && !codes(case).is_empty();
            assert!(!odd && (cells.len() == 4 || (verdict(case) == "violated") == is_left), "{line}: {case}");
        }
        let Ok(class) = cells[0].parse::<u32>() else { continue };
        classes.insert(class);
        let raised: Vec<BTreeSet<String>> = cases.iter().map(|case| codes(case)).collect();
        if cells[2] == "legal" {
            assert!(raised.iter().all(BTreeSet::is_empty), "class {class} is legal: {raised:?}");
            assert!(cases.iter().all(|case| verdict(case) == "conformant"), "class {class} is legal");
            continue;
        }
        let codes: BTreeSet<String> = cells[2].split(", ").map(str::to_owned).collect();
        assert!(
            codes.iter().all(|code| raised.iter().any(|of_case| of_case.contains(code))),
            "class {class}: {raised:?}"
        );
        assert!(raised.iter().all(|of_case| !of_case.is_disjoint(&codes)), "class {class}: {raised:?}");
    }
    assert_eq!(classes, (1..=22).collect(), "all classes have a line");
}

#[test]
fn samples_and_cases_tell_nothing_of_the_machine_they_come_from() {
    let mut pending = vec![root().join("samples"), root().join("tests/cases")];
    let home = ["/ho", "me/"].concat();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending
                .extend(std::fs::read_dir(&path).expect("readable").filter_map(Result::ok).map(|entry| entry.path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("samples and expectations are UTF-8");
        let own = root().to_string_lossy().into_owned();
        assert!(!text.contains(&own) && !text.contains(&home), "{}", path.display());
    }
}
