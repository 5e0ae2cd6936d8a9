//! What the documents show is what the program does: `console` blocks are run in the project's folder and their output is
//! compared, `flow` blocks are read.
//!
//! `$ flowcheck ...` and `$ cargo run --release -- ...` are run, `$ echo $?` is the exit code of the command before; a block
//! with any other command is called `sh` and is not run. FLOWCHECK_BLESS=1 writes the outputs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let mut paths = vec![root().join("README.md"), root().join("samples/README.md")];
    let entries = std::fs::read_dir(root().join("docs")).expect("docs are there");
    paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths
}

/// Runs a command line; the output with what went to standard error behind it, and the exit code.
fn run(line: &str) -> (String, i32) {
    let words = line.strip_prefix("flowcheck ").or_else(|| line.strip_prefix("cargo run --release -- "));
    let words = words.unwrap_or_else(|| panic!("`{line}` cannot be run here; call the block `sh`"));
    let words: Vec<&str> = words.split(' ').map(|word| word.trim_matches('\'')).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowcheck"));
    let command = command.args(words).current_dir(root()).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("output is UTF-8");
    (text.trim_end().to_owned(), output.status.code().expect("it ends by itself"))
}

/// A document with the outputs that its commands give now.
fn rendered(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut in_console = false;
    let mut code = 0;
    for line in text.lines() {
        match (in_console, line) {
            (false, "```console") => in_console = true,
            (true, "```") => in_console = false,
            (true, "$ echo $?") => {
                lines.extend([line.to_owned(), code.to_string()]);
                continue;
            }
            (true, line) => {
                let Some(command) = line.strip_prefix("$ ") else { continue };
                let (output, exit) = run(command);
                code = exit;
                lines.push(line.to_owned());
                lines.extend(output.lines().map(str::to_owned));
                continue;
            }
            _ => {}
        }
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}

#[test]
fn commands_in_documents_give_what_is_shown() {
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document can be read");
        let now = rendered(&text);
        if std::env::var_os("FLOWCHECK_BLESS").is_some() {
            std::fs::write(&path, &now).expect("a document can be written");
        } else {
            let differing = text.lines().zip(now.lines()).find(|(shown, real)| shown != real);
            assert!(text == now, "{}: {differing:#?}; FLOWCHECK_BLESS=1 accepts what there is now", path.display());
        }
    }
}

#[test]
fn flow_blocks_in_documents_are_flow_language() {
    let mut count = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document can be read");
        for block in text.split("```flow\n").skip(1) {
            let (block, _) = block.split_once("```").expect("the block has an end");
            let block = if block.starts_with("format ") { block.to_owned() } else { format!("format 1\n\n{block}") };
            let name = path.display().to_string();
            let read = flowcheck::spec::format::format(&name, &block);
            assert!(read.is_ok(), "{name}: {:#?}\n{block}", read.err());
            count += 1;
        }
    }
    assert!(count >= 5, "the documents have examples");
}

#[test]
fn links_in_documents_lead_somewhere() {
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document can be read");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !file.contains(' ') {
                let folder = path.parent().unwrap_or(Path::new("."));
                assert!(folder.join(file).exists(), "{}: {target}", path.display());
            }
        }
    }
}
