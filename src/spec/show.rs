//! What is in the specification, as text: a list of all items, and one item as it is written.

use crate::base::text::{did_you_mean, escape};
use crate::spec::load::Specification;
use crate::spec::parser::ITEMS;
use crate::spec::resolve::{Entry, entries};
use crate::spec::tree::{ItemBody, Trivia};
use crate::spec::walk::steps_of;

/// Every item with its title, by kind.
pub fn list(specification: &Specification) -> String {
    let entries = entries(&specification.sources, &mut Vec::new());
    let mut text = String::new();
    for kind in ITEMS {
        let of_kind: Vec<&Entry> = entries.iter().filter(|entry| entry.item.body.kind() == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{kind}s\n"));
        let names: Vec<String> = of_kind.iter().map(|entry| full_name(entry)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        for (entry, name) in of_kind.iter().zip(&names) {
            let title = entry.title();
            text.push_str(format!("  {name:width$}  {}", escape(&title)).trim_end());
            text.push('\n');
        }
    }
    text
}

/// The items of that name (for findings also the code) as they are written; for flows also the titles of their steps.
/// `Err` holds the name that was probably meant.
pub fn show<'a>(specification: &'a Specification, name: &str) -> Result<String, Option<&'a str>> {
    let entries = entries(&specification.sources, &mut Vec::new());
    let found: Vec<&Entry> = entries.iter().filter(|entry| entry.name() == name || code(entry) == Some(name)).collect();
    if found.is_empty() {
        return Err(did_you_mean(name, entries.iter().flat_map(|entry| [Some(entry.name()), code(entry)]).flatten()));
    }
    let texts: Vec<String> = found.into_iter().map(|entry| source_text(specification, entry)).collect();
    Ok(texts.join("\n"))
}

fn code<'a>(entry: &Entry<'a>) -> Option<&'a str> {
    match &entry.item.body {
        ItemBody::Finding(code, _) => Some(&code.value),
        _ => None,
    }
}

fn full_name(entry: &Entry) -> String {
    match code(entry) {
        Some(code) => format!("{code} {}", entry.name()),
        None => entry.name().to_owned(),
    }
}

/// An item's lines, headed by the name of its file.
fn source_text(specification: &Specification, entry: &Entry) -> String {
    let mut text = String::new();
    let file = specification.grammar.files.get(entry.file.0 as usize);
    if let Some(file) = file {
        text.push_str(&format!("# {}\n", escape(&file.name)));
    }
    for trivia in entry.notes.before.iter().skip_while(|trivia| matches!(trivia, Trivia::Blank)) {
        if let Trivia::Comment(comment) = trivia {
            text.push_str(&format!("{comment}\n"));
        }
    }
    let lines = file.and_then(|file| {
        let end = file.text[entry.item.end.0..].find('\n').map_or(file.text.len(), |offset| entry.item.end.0 + offset);
        file.text.get(entry.span.start..end)
    });
    for line in lines.unwrap_or_default().lines() {
        text.push_str(&escape(line));
        text.push('\n');
    }
    if let Some(flow) = specification.grammar.flow(entry.name()).filter(|_| entry.item.body.kind() == "flow") {
        let grammar = &specification.grammar;
        for variant in &flow.variants {
            let name = variant.name.as_ref().map(|name| format!(" of variant {name}")).unwrap_or_default();
            text.push_str(&format!("\nsteps{name}\n"));
            let mut shown = std::collections::BTreeSet::new();
            for step in steps_of(&variant.term).into_iter().map(|used| used.step).filter(|step| shown.insert(*step)) {
                let step = grammar.step_at(step);
                text.push_str(&format!("  {}: {}\n", step.name, escape(&step.title)));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load::alone;

    fn specification() -> Specification {
        let text = "format 1\nservice api \"the API\"\n\n# why\nstep a.one \"one\"\n  api runs one # here\n\nflow f \"t\"\n  starts a.one\n  \
                    a.one\nfinding FC0001 broken \"b\"\n  severity note\n  when stuck\n";
        alone(&[("a.flow".to_owned(), text.to_owned())]).unwrap_or_else(|errors| panic!("{errors}"))
    }

    #[test]
    fn all_items_are_listed() {
        let expected =
            "services\n  api  the API\n\nsteps\n  a.one  one\n\nflows\n  f  t\n\nfindings\n  FC0001 broken  b\n";
        assert_eq!(list(&specification()), expected);
    }

    #[test]
    fn an_item_is_shown_as_it_is_written() {
        let specification = specification();
        let step = show(&specification, "a.one");
        assert_eq!(step.as_deref(), Ok("# a.flow\n# why\nstep a.one \"one\"\n  api runs one # here\n"));
        let flow = show(&specification, "f").unwrap_or_default();
        assert!(flow.ends_with("  a.one\n\nsteps\n  a.one: one\n"), "{flow}");
        assert!(show(&specification, "FC0001").is_ok_and(|text| text.ends_with("when stuck\n")));
        assert_eq!(show(&specification, "a.oen"), Err(Some("a.one")));
    }
}
