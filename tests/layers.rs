//! Holds every path into the crate against the table of layers: the way of the data has one direction.

use std::path::{Path, PathBuf};

/// Each layer, and the layers that it may know.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &["base"]),
    ("input", &["base", "model"]),
    ("spec", &["base", "model"]),
    ("parse", &["base", "model", "input"]),
    ("trace", &["base", "model", "spec"]),
    ("check", &["base", "model", "spec", "trace"]),
    ("report", &["base", "model", "spec", "trace", "check"]),
    ("replay", &["base", "model", "spec", "trace"]),
    ("cli", &["base", "model", "input", "spec", "parse", "trace", "check", "report", "replay"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The text without comments and literals, so that only code is left.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if first == '"' {
            closing(rest).unwrap_or(rest.len())
        } else if rest.starts_with("'\"'") || rest.starts_with("b'\"'") {
            rest.find("\"'").map_or(1, |end| end + 2)
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    code
}

/// The end of the string literal at the beginning.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// The first segments of all paths that begin with `crate::`, those in braces included.
fn modules(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        if code[..start].ends_with('$') {
            continue;
        }
        let rest = &code[start + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => modules.extend(items(list)),
            None => modules.push(word(rest)),
        }
    }
    modules
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|next| next.is_alphanumeric() || *next == '_').collect()
}

/// The first word of each item of a list, up to the brace that ends it.
fn items(list: &str) -> Vec<String> {
    let mut items = vec![word(list)];
    let mut depth = 0;
    for (index, next) in list.char_indices() {
        match next {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(word(&list[index + 1..])),
            _ => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

#[test]
fn no_layer_knows_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in files {
        let inside = file.strip_prefix(&root).expect("inside");
        let Some(layer) = inside.components().next().filter(|_| inside.components().count() > 1) else { continue };
        let layer = layer.as_os_str().to_string_lossy().into_owned();
        let Some((_, known)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            wrong.push(format!("{} is of no layer: add it to the table", inside.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).expect("a source");
        for module in modules(&code(&text)) {
            seen += 1;
            if module != layer && !known.contains(&module.as_str()) {
                wrong.push(format!("{}: {layer} must not know {module}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 300, "only {seen} paths were found: the test reads too little");
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let text = r##"
        // use crate::comment::Thing;
        use crate::base::time::{Timestamp, SECOND};
        use crate::{check, report::{data, text}};
        fn f(x: &crate::model::Event) { let s = "crate::string::x"; let c = '"'; crate::spec::g(r#"crate::raw"#) }
    "##;
    assert_eq!(modules(&code(text)), ["base", "check", "report", "model", "spec"]);
}
