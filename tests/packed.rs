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
