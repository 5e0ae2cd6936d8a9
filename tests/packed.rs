//! Compressed logs, and archives of logs, give the answers that the logs give.

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};

use flowcheck::check::verdict::Checked;
use flowcheck::spec::grammar::Grammar;
use support::pack::{PACKINGS, Packing, tar};
use support::recordings::{Files, recordings, samples};

/// A folder for one test, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("packed").join(name);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn write(folder: &std::path::Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a file");
    path.to_string_lossy().into_owned()
}

/// The answers, in an order that does not depend on that of the inputs.
fn answers(grammar: &Grammar, checked: &Checked) -> Vec<String> {
    let mut answers: Vec<String> = checked.flows.iter().map(|flow| support::brief(grammar, flow)).collect();
    answers.sort();
    answers
}

/// One archive, the files in it as they are, or compressed.
fn archive(files: &Files, inner: Option<Packing>) -> Vec<u8> {
    let pack = |(name, text): (&String, &String)| match inner {
        Some(packing) => (format!("var/log/{name}.{}", packing.suffix()), packing.compress(text.as_bytes())),
        None => (format!("var/log/{name}"), text.clone().into_bytes()),
    };
    let packed: Vec<(String, Vec<u8>)> = files.iter().map(pack).collect();
    tar(packed.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// The paths of the logs in a packed form, by the form's number.
fn packed(folder: &std::path::Path, files: &Files, form: usize) -> Vec<String> {
    let packing = PACKINGS[form % 4];
    match form {
        0..4 => {
            let pack = |(name, text): (&String, &String)| {
                write(folder, &format!("{name}.{}", packing.suffix()), &packing.compress(text.as_bytes()))
            };
            files.iter().map(pack).collect()
        }
        4..8 => vec![write(folder, "logs", &packing.compress(&archive(files, None)))],
        8..12 => vec![write(folder, "logs.tar", &archive(files, Some(packing)))],
        _ => {
            let inner = packing.compress(&archive(files, Some(packing)));
            let outer = tar([("sos/inner.tar", inner.as_slice()), ("sos/version.txt", b"4.5.6\n")]);
            vec![write(folder, "outer", &packing.compress(&outer))]
        }
    }
}

#[test]
fn packed_logs_give_the_same_answers() {
    let grammar = support::grammar();
    let all = recordings();
    let all = if all.is_empty() { samples() } else { all };
    for (number, (name, files)) in all.iter().enumerate() {
        let place = folder(&format!("same-{name}"));
        let plain =
            answers(&grammar, &support::examine(&grammar, &support::save(&format!("packed-{name}"), files), None));
        assert!(!plain.is_empty(), "{name}");
        // Every form for two of them, and one form for each of the others.
        let forms = if number < 2 { 0..16 } else { number % 16..number % 16 + 1 };
        for form in forms {
            let paths = packed(&place, files, form);
            assert_eq!(answers(&grammar, &support::examine(&grammar, &paths, None)), plain, "{name}, form {form}");
        }
    }
}

/// The files of a log that was rotated at these bytes, the oldest first: `x.log.2.gz`, `x.log.1`, `x.log`.
fn rotated(folder: &std::path::Path, name: &str, text: &str, cuts: &[usize]) -> Vec<String> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    let last = cuts.len() - 2;
    let part = |(number, ends): (usize, &[usize])| {
        let bytes = &text.as_bytes()[ends[0]..ends[1]];
        match last - number {
            0 => write(folder, name, bytes),
            1 => write(folder, &format!("{name}.1"), bytes),
            turns => write(folder, &format!("{name}.{turns}.gz"), &Packing::Gzip.compress(bytes)),
        }
    };
    cuts.windows(2).enumerate().map(part).collect()
}

#[test]
fn a_rotated_log_is_one_log_wherever_it_was_cut() {
    let grammar = support::grammar();
    let all = recordings();
    let all = if all.is_empty() { samples() } else { all };
    for (number, (name, files)) in all.iter().enumerate() {
        let plain =
            answers(&grammar, &support::examine(&grammar, &support::save(&format!("rotated-{name}"), files), None));
        for round in 0..3_usize {
            let place = folder(&format!("rotated-{name}-{round}"));
            // Cuts that differ from log to log, among them those close to the ends.
            let cut = |seed: usize| (number * 31 + round * 17 + seed).wrapping_mul(2_654_435_761) >> 7;
            let cuts = |log: usize, text: &str| match (round + log) % 3 {
                0 => vec![cut(log), cut(log + 100)],
                1 => vec![cut(log), text.len().saturating_sub(1 + cut(log) % 60)],
                _ => vec![1 + cut(log) % 40, cut(log + 200), cut(log + 300)],
            };
            let rotate =
                |(log, (name, text)): (usize, (&String, &String))| rotated(&place, name, text, &cuts(log, text));
            let mut paths: Vec<String> = files.iter().enumerate().flat_map(rotate).collect();
            // In any order of the arguments.
            paths.rotate_left(round);
            assert_eq!(answers(&grammar, &support::examine(&grammar, &paths, None)), plain, "{name}, round {round}");
        }
    }
}

#[test]
fn evidence_in_a_rotated_log_names_file_and_line() {
    let place = folder("rotated-evidence");
    let mut files = stuck();
    let log = files.remove("nova-api.log").expect("a log");
    for (name, text) in &files {
        write(&place, name, text.as_bytes());
    }
    let line = log.lines().position(|line| line.contains("CAST unique_id: 340ae8ed")).expect("the line");
    // In the middle of the evidence, and of the line before it.
    let start = log.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    for (cut, expected) in [(start, "nova-api.log:1"), (start - 30, "nova-api.log:2"), (start + 40, "nova-api.log.1:")]
    {
        let paths = rotated(&place, "nova-api.log", &log, &[cut]);
        assert_eq!(paths.len(), 2);
        let output = flowcheck(&[&place.to_string_lossy()]);
        let text = String::from_utf8_lossy(&output.stdout);
        let expected = match cut {
            cut if cut > start => format!("{expected}{}:", line + 1),
            _ => format!("{expected}:"),
        };
        assert!(text.contains(&expected), "{expected} not in {text}");
        assert!(text.contains("7 files"), "{text}");
        let json = flowcheck(&["--format", "json", &place.to_string_lossy()]);
        let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
        let inputs = report["inputs"].as_array().expect("inputs");
        let api = inputs.iter().find(|input| input["service"] == "nova-api").expect("nova-api's log");
        assert_eq!(api["parts"].as_array().map(Vec::len), Some(2), "{api}");
        assert_eq!(api["bytes"], log.len());
    }
}

fn flowcheck(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowcheck")).args(words).output().expect("the program runs")
}

/// The files of a sample that has a finding.
fn stuck() -> Files {
    let all: BTreeMap<String, Files> = samples().into_iter().collect();
    all["attach-stuck"].clone()
}

#[test]
fn evidence_in_an_archive_is_shown() {
    let place = folder("evidence");
    let inner = Packing::Xz.compress(&archive(&stuck(), Some(Packing::Gzip)));
    let path = write(&place, "sos.tar.zst", &Packing::Zstandard.compress(&tar([("a/b.tar.xz", inner.as_slice())])));
    let output = flowcheck(&[&path]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("sos.tar.zst/a/b.tar.xz/var/log/nova-api.log.gz:"), "{text}");
    assert!(text.contains("CAST unique_id: 340ae8ed"), "the line is read again: {text}");
    // From standard input too, where nothing can be read again.
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowcheck"));
    let child = child.arg("-").stdin(std::fs::File::open(&path).expect("the archive")).output().expect("it runs");
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        text.contains("-/a/b.tar.xz/var/log/nova-api.log.gz:") && text.contains("CAST unique_id: 340ae8ed"),
        "{text}"
    );
}

/// Runs with one bad input beside a good one: exit code 2, a message, and the good one is checked.
fn bad(name: &str, bytes: &[u8], options: &[&str], expected: &[&str]) {
    let place = folder(&format!("bad-{name}"));
    let good = write(&place, "good.tar", &archive(&stuck(), None));
    let bad = write(&place, name, bytes);
    let output = flowcheck(&[options, &[&bad, &good]].concat());
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{name}: {text}{errors}");
    assert!(text.contains("FC0201") || text.contains("stuck"), "{name}: the rest is checked: {text}");
    // A report holds its lines to a width.
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in expected {
        assert!(told.contains(expected), "{name}: {expected} not in {told}");
    }
}

#[test]
fn what_is_wrong_with_an_input_is_told_and_the_rest_is_checked() {
    let zeros = vec![b'\n'; 80 << 20];
    for packing in PACKINGS {
        let name = format!("bomb.log.{}", packing.suffix());
        let compressed = packing.compress(&zeros);
        if compressed.len() * 500 < zeros.len() {
            bad(&name, &compressed, &[], &["bomb.log", "one compressed byte gives more than 500 bytes"]);
        }
        bad(&name, &compressed, &["--max-decompressed", "1M"], &["decompressed to more than 1048576 bytes"]);
        let logs = packing.compress(&archive(&stuck(), None));
        bad("cut.tar", &logs[..logs.len() / 2], &[], &["cut.tar"]);
        bad(
            "cut.log",
            &packing.compress(b"2026-11-22 08:04:19.756 4498 INFO nova.compute.manager [-] x\n")[..20],
            &[],
            &["cut.log beyond line", "too early"],
        );
    }
    let logs = archive(&stuck(), None);
    bad("half.tar", &logs[..700], &[], &["half.tar"]);
    let twice = (0..4).fold(logs.clone(), |inner, _| tar([("inner.tar", inner.as_slice())]));
    bad("deep.tar", &twice, &["--max-nesting", "3"], &["stand more than 3 deep inside each other"]);
    let many: Vec<String> = (0..50).map(|number| format!("{number}.log")).collect();
    let many = tar(many.iter().map(|name| (name.as_str(), &b"x\n"[..])));
    bad("many.tar", &many, &["--max-members", "40"], &["more than 40 entries"]);
    bad(
        "binary.log",
        &[0x7f, b'E', b'L', b'F', 0, 0, 1],
        &[],
        &["binary.log: binary file, not read; expected a text log"],
    );
    bad(
        "long.log",
        &vec![b'x'; 2 << 20],
        &["--max-line", "1M"],
        &["long.log:1: this line is longer than 1048576 bytes"],
    );
    let random: Vec<u8> = (0..100_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    bad("random.log", &random, &[], &["random.log: binary file, not read"]);
}

/// A bomb in an archive ends that entry, and what stands behind it is read.
#[test]
fn entries_behind_a_bomb_are_read() {
    let place = folder("behind");
    let bomb = Packing::Gzip.compress(&vec![b'\n'; 80 << 20]);
    let mut files: Vec<(String, Vec<u8>)> = vec![("a-bomb.gz".to_owned(), bomb)];
    files.extend(stuck().into_iter().map(|(name, text)| (name, text.into_bytes())));
    let path = write(&place, "logs.tar", &tar(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))));
    let output = flowcheck(&[&path]);
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{text}{errors}");
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("a-bomb.gz: one compressed byte gives more than 500 bytes"), "{told}");
    assert!(text.contains("stuck"), "{text}");
}

#[test]
fn what_is_left_out_is_counted() {
    let place = folder("selected");
    let path = write(&place, "logs.tar", &archive(&stuck(), None));
    let output = flowcheck(&["--exclude", "client.log", "--include", "*/log/nova-*", &path]);
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("input left out by --exclude:") && told.contains("logs.tar/var/log/client.log"), "{text}");
    assert!(
        told.contains("input left out by --include:") && told.contains("logs.tar/var/log/cinder-api.log"),
        "{text}"
    );
    assert!(!told.contains("cinder-api, client"), "{text}");
    // What is named is read.
    let text = String::from_utf8_lossy(&flowcheck(&["--exclude", "*", &path]).stdout).into_owned();
    assert!(text.contains("left out by --exclude") && text.contains("No attach or detach"), "{text}");
}
