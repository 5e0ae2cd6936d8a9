//! Logs in every family of formats, and in copies broken in every known way, give the answers that they give as they were
//! written, or less of them: never a violation that the original does not have.

mod support;

use std::collections::BTreeMap;

use flowcheck::check::verdict::{Checked, FlowVerdict, Verdict};
use flowcheck::parse::{Options, read};
use flowcheck::spec::grammar::Grammar;
use support::families::{self, COARSE, OF_CLIENTS, OF_SERVICES};
use support::recordings::{Files, by_two, recordings, samples};
use uuid::Uuid;

/// What is said of each flow: its steps in no order, as that of what happened at the same time may be another; and not which
/// logs would tell more.
fn answers(grammar: &Grammar, checked: &Checked) -> Vec<String> {
    let answer = |flow: &FlowVerdict| {
        let text = support::brief(grammar, flow);
        let (head, steps) = text.split_once("\n    steps ").expect("steps");
        let (before, missing) = head.split_once(" missing ").expect("what is missing");
        let statuses = missing.split_once("] statuses").expect("statuses").1;
        let mut steps: Vec<&str> = steps.split(' ').collect();
        steps.sort_unstable();
        // One line may stand for several reads of the same.
        steps.dedup();
        format!("{before}{statuses}\n    steps {}", steps.join(" "))
    };
    let mut answers: Vec<String> = checked.flows.iter().map(answer).collect();
    answers.sort();
    answers
}

fn logs() -> Vec<(String, Files)> {
    let mut all = recordings();
    // Those that have one family for all services; journals are a family already.
    all.retain(|(name, _)| name != "format-journal");
    all.extend(samples());
    all
}

/// What is different in another form of the logs.
fn different(grammar: &Grammar, name: &str, form: &str, plain: &Checked, files: &Files) -> Option<String> {
    let other = support::examine(grammar, &support::save(&format!("families-{form}-{name}"), files), Some(1));
    let (expected, found) = (answers(grammar, plain), answers(grammar, &other));
    let missing: Vec<&String> = expected.iter().filter(|answer| !found.contains(answer)).collect();
    let surplus: Vec<&String> = found.iter().filter(|answer| !expected.contains(answer)).collect();
    let same = missing.is_empty() && surplus.is_empty() && expected.len() == found.len();
    (!same).then(|| format!("{name}, {form}:\n  expected {missing:#?}\n  found {surplus:#?}"))
}

/// Whether less may be known of the same flows, but nothing else.
fn contradicts(grammar: &Grammar, name: &str, form: &str, plain: &Checked, files: &Files) -> Option<String> {
    let other = support::examine(grammar, &support::save(&format!("families-{form}-{name}"), files), Some(1));
    // By what they are about: one must not be violated in the place of another.
    let violated = |checked: &Checked| {
        let mut counts: BTreeMap<(Option<Uuid>, Option<Uuid>), usize> = BTreeMap::new();
        for flow in checked.flows.iter().filter(|flow| flow.verdict == Verdict::Violated) {
            *counts.entry((flow.server, flow.volume)).or_default() += 1;
        }
        counts
    };
    let (before, after) = (violated(plain), violated(&other));
    let is_new = |(about, count): (&_, &usize)| before.get(about).is_none_or(|before| before < count);
    let wrong = after.iter().any(is_new) || plain.flows.len() != other.flows.len();
    wrong.then(|| format!("{name}, {form}: violated {before:?}, then {after:?}\n{:#?}", answers(grammar, &other)))
}

/// Holds one form of all logs against the logs themselves.
fn hold(test: &str, forms: &Forms<'_>, check: Check) {
    let grammar = support::grammar();
    let logs = logs();
    let wrong = by_two(&logs, |_, name, files| {
        let plain = support::examine(&grammar, &support::save(&format!("families-{test}-{name}"), files), Some(1));
        forms
            .iter()
            .filter_map(|(form, rewrite)| check(&grammar, name, &format!("{test}-{form}"), &plain, &rewrite(files)))
            .collect()
    });
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Names of forms, and what writes logs in them.
type Forms<'f> = Vec<(&'f str, Box<dyn Fn(&Files) -> Files + Sync + 'f>)>;

type Check = fn(&Grammar, &str, &str, &Checked, &Files) -> Option<String>;

/// Forms that are written line by line.
fn by_line<'f, F: Copy + Sync>(forms: &'f [(&'f str, F)], rewrite: fn(&Files, F) -> Files) -> Forms<'f> {
    let form = |(name, form): &'f (&'f str, F)| {
        let boxed: Box<dyn Fn(&Files) -> Files + Sync + 'f> = Box::new(move |files| rewrite(files, *form));
        (*name, boxed)
    };
    forms.iter().map(form).collect()
}

/// All forms of services' logs that keep exact times.
fn forms_of_services() -> Forms<'static> {
    let mut forms = by_line(OF_SERVICES, families::in_family);
    forms.push(("oslo-json", Box::new(families::as_oslo_json)));
    forms
}

/// All forms of clients' logs.
fn forms_of_clients() -> Forms<'static> {
    let mut forms = by_line(OF_CLIENTS, families::client_in_family);
    forms.push(("one-line", Box::new(families::on_one_line)));
    forms
}

/// Copies that are broken in every known way.
fn forms_of_broken_copies() -> Forms<'static> {
    vec![
        ("concatenated", Box::new(families::concatenated)),
        ("clipped", Box::new(families::clipped)),
        ("doubled", Box::new(families::doubled)),
        ("repeated", Box::new(families::repeated)),
        ("wrapped-80", Box::new(|files| families::hard_wrapped(files, 80))),
        ("wrapped-132", Box::new(|files| families::hard_wrapped(files, 132))),
        ("markdown", Box::new(|files| families::posted(files, "```\n", "```\n"))),
        ("bbcode", Box::new(|files| families::posted(files, "[CODE][COLOR=#FF0040]", "[/COLOR][/CODE]\n"))),
    ]
}

#[test]
fn services_in_every_family() {
    hold("services", &forms_of_services(), different);
}

#[test]
fn services_in_families_without_exact_times() {
    hold("coarse", &by_line(COARSE, families::in_family), contradicts);
}

#[test]
fn clients_in_every_family() {
    hold("clients", &forms_of_clients(), different);
}

#[test]
fn broken_copies() {
    hold("broken", &forms_of_broken_copies(), different);
}

/// With FLOWCHECK_FUZZ_SEEDS, writes beginnings of the samples in all forms into that folder: `fuzz/run` begins with them.
#[test]
fn the_seeds_of_the_fuzz_targets_are_logs() {
    let grammar = support::grammar();
    let folder = std::env::var_os("FLOWCHECK_FUZZ_SEEDS")
        .map_or_else(|| std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeds"), std::path::PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for the seeds");
    let mut forms: Forms<'_> = vec![("plain", Box::new(Files::clone))];
    forms.extend(forms_of_services());
    forms.extend(by_line(COARSE, families::in_family));
    forms.extend(forms_of_clients());
    forms.extend(forms_of_broken_copies());
    for (sample, files) in samples().into_iter().take(2) {
        for (form, rewrite) in &forms {
            for (name, text) in rewrite(&files) {
                let beginning: String = text.split_inclusive('\n').take(20).collect();
                let seed = folder.join(format!("{sample}-{form}-{name}"));
                std::fs::write(&seed, beginning).expect("a seed is written");
                let path = seed.to_string_lossy().into_owned();
                let reading = read(&[path], &mut std::io::empty(), &grammar.vocabulary, &Options::default());
                let recognised = reading.sources.iter().all(|source| source.format.is_some());
                assert!(recognised && reading.errors.is_empty(), "{}", seed.display());
            }
        }
    }
}

/// The flows of a report over the files of a folder.
fn flows(folder: &std::path::Path, options: &[&str]) -> serde_json::Value {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_flowcheck"));
    let output = command.current_dir(folder).args(["--format", "json"]).args(options).arg(".").output();
    let report: serde_json::Value = serde_json::from_slice(&output.expect("it runs").stdout).expect("a report");
    report["flows"].clone()
}

#[test]
fn stamps_of_a_zone_are_brought_to_utc() {
    for (name, files) in samples() {
        let save = |folder: &str, files: &Files| {
            let paths = support::save(&format!("families-zone-{folder}-{name}"), files);
            std::path::Path::new(&paths[0]).parent().expect("a folder").to_owned()
        };
        let utc = save("utc", &files);
        // The client's log has the dates of answers only, in GMT.
        let local = files.keys().fold(files.clone(), |files, log| support::change::shifted(&files, log, 8 * 3_600));
        let local = save("local", &local);
        let expected = flows(&utc, &[]);
        assert_eq!(flows(&local, &["--tz", "+08:00"]), expected, "{name}");
        assert_eq!(flows(&utc, &["--tz", "UTC"]), expected, "{name}");
        // What has its zone is left alone.
        let (_, iso) = OF_SERVICES.iter().find(|(form, _)| *form == "journal-iso").expect("the form");
        let iso = save("iso", &families::in_family(&files, *iso));
        assert_eq!(flows(&iso, &["--tz", "+08:00"]), flows(&iso, &[]), "{name}");
    }
}

#[test]
fn what_is_there_twice_is_told() {
    let (name, files) = samples().remove(0);
    for (form, twice, told) in [
        ("doubled", families::doubled(&files), "lines that stand twice in a row and were read once: "),
        ("repeated", families::repeated(&files), "events told twice and taken once: "),
    ] {
        let paths = support::save(&format!("families-twice-{form}-{name}"), &twice);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_flowcheck")).args(&paths).output();
        let text = String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(told), "{form}: {text}");
    }
}
