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
