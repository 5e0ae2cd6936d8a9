//! The grammar files that come with the program: sound, tidy, and in their canonical form.

use flowcheck::spec::automaton::Automaton;
use flowcheck::spec::{ProblemLevel, diagram, format, lint, show, specification};

#[test]
fn the_built_in_files_are_canonical() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    for file in &specification.grammar.files {
        let printed = format::format(&file.name, &file.text).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(printed == file.text, "{} is not in its canonical form", file.name);
    }
}

#[test]
fn the_built_in_files_say_nothing_in_vain() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let warnings: Vec<String> = lint::lint(&specification)
        .iter()
        .filter(|problem| problem.level != ProblemLevel::Note)
        .map(|problem| problem.line(&specification.grammar.files))
        .collect();
    assert_eq!(warnings, [""; 0], "{}", warnings.join("\n"));
}

#[test]
fn every_class_of_incident_is_explained() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let findings = specification.grammar.findings.iter().filter(|finding| finding.code.starts_with("FC02"));
    let mut silent = Vec::new();
    for finding in findings {
        let texts = [
            ("symptom", &finding.symptom),
            ("sequence", &finding.sequence),
            ("cause", &finding.cause),
            ("remedy", &finding.remedy),
            ("source", &finding.sources),
        ];
        let missing = texts.iter().filter(|(_, texts)| texts.is_empty());
        silent.extend(missing.map(|(name, _)| format!("{} has no {name}", finding.code)));
    }
    assert_eq!(silent, [""; 0]);
}

#[test]
fn every_grammar_file_is_built_in() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let mut known: Vec<String> = specification.grammar.files.iter().map(|file| file.name.clone()).collect();
    known.sort();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars");
    let entries = std::fs::read_dir(folder).expect("the folder of grammars");
    let mut files: Vec<String> = entries
        .map(|entry| format!("grammars/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".flow"))
        .collect();
    files.sort();
    assert_eq!(known, files);
}

#[test]
fn every_flow_stays_small() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let grammar = &specification.grammar;
    for flow in &grammar.flows {
        for variant in &flow.variants {
            let automaton = Automaton::compile(grammar, &flow.name, variant).unwrap_or_else(|error| panic!("{error}"));
            let name = variant.name.as_deref().unwrap_or("-");
            assert!(automaton.len() < 50_000, "{} {name} has {} states", flow.name, automaton.len());
        }
    }
}

#[test]
fn everything_can_be_drawn_and_shown() {
    let specification = specification(&[]).unwrap_or_else(|errors| panic!("{errors}"));
    let grammar = &specification.grammar;
    for language in [diagram::DiagramLanguage::Mermaid, diagram::DiagramLanguage::Dot] {
        for machine in &grammar.machines {
            assert!(diagram::machine(grammar, machine, language).lines().count() > machine.transitions.len());
        }
        for flow in &grammar.flows {
            for variant in &flow.variants {
                assert!(diagram::flow(grammar, flow, variant, language).lines().count() > 5);
            }
        }
    }
    let list = show::list(&specification);
    for step in &grammar.steps {
        assert!(list.contains(&step.name));
        assert!(show::show(&specification, &step.name).is_ok_and(|text| text.contains(&step.title)));
    }
}
