//! The program as users run it: exit codes, streams, closed pipes.

use std::process::{Command, Output, Stdio};

fn flowcheck(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowcheck"));
    command.args(words).stdin(Stdio::null()).env_remove("COLUMNS");
    command
}

fn run(words: &[&str]) -> Output {
    flowcheck(words).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

#[test]
fn help_and_version_are_answers() {
    for words in [&["--help"][..], &["check", "--help"], &["graph", "-h"], &["--version"], &["help", "explain"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{words:?}");
        assert!(!output.stdout.contains(&0x1b), "no escape codes in a pipe: {words:?}");
    }
}

#[test]
fn mistakes_on_the_command_line_are_2_and_go_to_standard_error() {
    for words in [
        &[][..],
        &["--strict"],
        &["check"],
        &["--no-such-option", "a.log"],
        &["--format", "pdf", "a.log"],
        &["--require", "attach=0", "a.log"],
        &["--since", "yesterday", "a.log"],
        &["--since", "2026-11-23", "--until", "2026-11-22", "a.log"],
        &["--tz", "Mars/Olympus", "a.log"],
        &["--request-id", "req-1", "a.log"],
        &["--threads", "0", "a.log"],
        &["-q", "-v", "a.log"],
        &["spec"],
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty(), "{words:?}");
        let said = text(&output.stderr);
        assert!(!said.is_empty() && !said.contains("panicked"), "{words:?}: {said}");
    }
}

#[test]
fn formats_of_later_versions_are_not_accepted() {
    for format in ["sarif", "junit", "github", "markdown", "html"] {
        assert_eq!(run(&["--format", format, "a.log"]).status.code(), Some(2), "{format}");
    }
}

#[test]
fn a_closed_pipe_is_success() {
    for words in [&["completions", "zsh"][..], &["--help"], &["--version"]] {
        let mut child = flowcheck(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(text(&output.stderr), "", "{words:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for word in ["explain", "graph", "require"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

/// A folder of its own for a test, away from the project.
fn scratch(name: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder can be made");
    path
}

fn sample(path: &str) -> String {
    format!("{}/samples/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The sample's client log in an encoding of its own.
fn rewritten(folder: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = std::fs::read(sample("seed-client/client.log")).expect("the sample is there");
    let path = scratch(folder).join("client.log");
    std::fs::write(&path, change(&text)).expect("a file can be written");
    path.to_string_lossy().into_owned()
}

fn with_input(words: &[&str], input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = flowcheck(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads its input");
    child.wait_with_output().expect("it ends")
}

fn json(words: &[&str]) -> serde_json::Value {
    let output = run(&[&["--format", "json"], words].concat());
    serde_json::from_slice(&output.stdout).expect("a report is JSON")
}

fn flows(report: &serde_json::Value) -> usize {
    report["flows"].as_array().map_or(0, Vec::len)
}

#[test]
fn check_is_the_default_and_takes_folders_files_and_standard_input() {
    let folder = sample("attach-detach");
    assert_eq!(run(&["check", &folder]).stdout, run(&[&folder]).stdout);
    assert_eq!(flows(&json(&[&folder])), 2);
    let files = ["nova-api.log", "cinder-api.log", "nova-compute.log"].map(|name| format!("{folder}/{name}"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(flows(&json(&files)), 2);
    let log = std::fs::read(sample("seed-client/client.log")).expect("the sample is there");
    let output = with_input(&["-"], &log);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("vm-ml-1 <- liangr"));
}

#[test]
fn compressed_logs_are_read_whatever_their_name() {
    use std::io::Write as _;
    let path = rewritten("compressed", |log| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(log).expect("it can be compressed");
        encoder.finish().expect("it can be compressed")
    });
    assert_eq!(flows(&json(&[&path])), 1);
}

#[test]
fn line_ends_and_broken_characters_do_not_matter() {
    let crlf = rewritten("crlf", |log| String::from_utf8_lossy(log).replace('\n', "\r\n").into_bytes());
    let broken = rewritten("broken", |log| [&b"\xff\xfe broken \xc3\x28\n"[..], log].concat());
    for path in [crlf, broken] {
        let report = json(&[&path]);
        assert_eq!(report["flows"][0]["volume"], "7dce5d8b-7974-432a-93e5-315532d1dad4", "{path}");
        assert_eq!(report["flows"][0]["request_ids"][0], "req-31c17aa4-13bb-46ba-b8da-73a075a4ef38", "{path}");
    }
}

#[test]
fn what_cannot_be_read_is_2_and_the_rest_is_reported() {
    let log = sample("seed-client/client.log");
    let output = run(&["no/such/file.log", &log]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stdout);
    assert!(said.contains("vm-ml-1 <- liangr"), "what was readable is reported");
    assert!(said.contains("cannot open no/such/file.log"), "{said}");
    assert_eq!(flows(&json(&["no/such/file.log", &log])), 1);
    let said = text(&run(&["--format", "json", "no/such/file.log", &log]).stderr);
    assert!(said.contains("cannot open no/such/file.log"), "{said}");
}

#[test]
fn empty_and_binary_files_hold_no_flows() {
    let folder = scratch("odd");
    std::fs::write(folder.join("empty.log"), b"").expect("a file can be written");
    std::fs::write(folder.join("core"), b"\x7fELF\0\0\0\x01\xfe\xff\0\0".repeat(500)).expect("a file can be written");
    let output = run(&[&folder.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("empty.log") && said.contains("core"), "{said}");
    assert_eq!(run(&["--strict", &folder.to_string_lossy()]).status.code(), Some(1), "nothing was seen");
}

#[test]
fn gates_decide_the_exit_code() {
    let (good, bad, open) = (sample("attach-detach"), sample("attach-stuck"), sample("seed-client"));
    let warned = format!("{}/tests/cases/fc0232-compute-late/logs", env!("CARGO_MANIFEST_DIR"));
    for (words, code) in [
        (&[good.as_str()][..], 0),
        (&["--strict", &good], 0),
        (&["--require", "attach", "--require", "detach=1", &good], 0),
        (&["--require", "attach=2", &good], 1),
        (&["--require", "cinder-direct", &good], 1),
        (&[&bad], 1),
        (&["--fail-on", "never", &bad], 0),
        (&["--fail-on", "never", "--require", "attach", &bad], 1),
        (&[&open], 0),
        (&["--strict", &open], 1),
        (&[&warned], 0),
        (&["--fail-on", "warning", &warned], 1),
    ] {
        assert_eq!(run(words).status.code(), Some(code), "{words:?}");
    }
    let said = text(&run(&["--require", "attach=2", &good]).stderr);
    assert!(said.contains("--require attach=2 is not met: 1 completed conformantly"), "{said}");
}

#[test]
fn an_unknown_flow_is_2_with_a_suggestion() {
    let output = run(&["--require", "atach", &sample("attach-detach")]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("atach") && said.contains("attach"), "{said}");
}

#[test]
fn a_report_is_narrowed_to_one_case() {
    let folder = sample("multiattach");
    let whole = json(&[&folder]);
    assert_eq!(flows(&whole), 4);
    let server = whole["flows"][0]["server"].as_str().expect("a server").to_owned();
    let request = whole["flows"][1]["request_ids"][0].as_str().expect("a request").to_owned();
    assert_eq!(flows(&json(&["--server", "web-073224", &folder])), 2);
    assert_eq!(flows(&json(&["--server", &server[..8], &folder])), 2);
    assert_eq!(flows(&json(&["--volume", "shared-073224", &folder])), 4);
    assert_eq!(flows(&json(&["--volume", "nobody", &folder])), 0);
    assert_eq!(flows(&json(&["--request-id", &request[..12], &folder])), 1);
}

#[test]
fn a_report_goes_to_a_file_and_is_plain_there() {
    let path = scratch("output").join("report.json");
    let output = run(&["--format", "json", "-o", &path.to_string_lossy(), &sample("attach-stuck")]);
    assert_eq!(output.status.code(), Some(1), "the answer stays the answer");
    assert!(output.stdout.is_empty());
    let report = std::fs::read(&path).expect("the file is there");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("it is JSON");
    assert_eq!(report["schema"], "flowcheck.report/1");
    let nowhere = run(&["-o", "no/such/folder/report.txt", &sample("attach-stuck")]);
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let folder = sample("attach-stuck");
    let escapes = |command: &mut Command| command.output().expect("the program runs").stdout.contains(&0x1b);
    assert!(!escapes(&mut flowcheck(&[&folder])));
    assert!(escapes(&mut flowcheck(&["--color", "always", &folder])));
    assert!(!escapes(flowcheck(&[&folder]).env("NO_COLOR", "1")));
    assert!(!escapes(flowcheck(&["--color", "never", &folder]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    for words in [&["-v"][..], &["--format", "json"]] {
        let folder = sample("multiattach");
        let words = [words, &[&folder]].concat();
        let mut child = flowcheck(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(text(&output.stderr), "", "{words:?}");
    }
}

#[test]
fn the_specification_can_be_asked() {
    for (words, holds) in [
        (&["spec", "list"][..], "cinder.attachment.create"),
        (&["spec", "show", "detach"], "os-brick.disconnect_volume"),
        (&["spec", "show", "volume-status"], "in-use -> detaching"),
        (&["spec", "diagram", "attach"], "flowchart"),
        (&["spec", "diagram", "--format", "dot", "volume-status"], "digraph"),
        (&["explain"], "FC0201"),
        (&["explain", "detaching"], "detaching"),
        (&["explain", "attach-never-executed"], "FC0201"),
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains(holds), "{words:?}");
    }
    let grammars = format!("{}/grammars", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(run(&["spec", "check"]).status.code(), Some(0));
    assert_eq!(run(&["spec", "fmt", "--check", &grammars]).status.code(), Some(0));
    for words in [&["explain", "FC0291"][..], &["explain", "atach"], &["spec", "show", "atach"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(text(&output.stderr).contains("did you mean"), "{words:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_broken_specification_is_2_with_its_line() {
    let folder = scratch("broken-spec");
    std::fs::write(folder.join("my.flow"), "format 1\n\nflow mine \"Mine\"\n  starts nova.attach.reqest\n")
        .expect("written");
    let output = run(&["--spec", &folder.to_string_lossy(), &sample("attach-detach")]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("nova.attach.reqest") && said.contains("nova.attach.request"), "{said}");
}

#[test]
fn a_specification_too_large_to_check_logs_against_is_2() {
    let folder = scratch("large-spec");
    let steps = [
        "cinder.volume.reserve",
        "cinder.volume.unreserve",
        "cinder.volume.attach",
        "cinder.volume.detach",
        "cinder.volume.begin_detaching",
        "cinder.volume.roll_detaching",
        "cinder.volume.initialize_connection",
        "cinder.volume.terminate_connection",
        "cinder.attachment.create",
        "cinder.attachment.update",
        "cinder.attachment.complete",
        "cinder.attachment.delete",
        "cinder.volume.extend",
        "cinder.volume.retype",
        "cinder.volume.reset_status",
    ];
    let lines: String = steps.iter().map(|step| format!("      {step}\n")).collect();
    let flow = format!(
        "format 1\n\nflow mine \"Mine\"\n  starts nova.server.list\n  nova.server.list\n    any order\n{lines}"
    );
    std::fs::write(folder.join("my.flow"), flow).expect("written");
    let output = run(&["spec", "check", "--spec", &folder.to_string_lossy()]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("flow mine: more than 100000 states") && said.contains("my.flow:3"), "{said}");
}
