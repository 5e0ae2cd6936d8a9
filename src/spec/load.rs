//! Reads grammar files, all of them at once, and reports all mistakes at once.

use crate::spec::built_in::FILES;
use crate::spec::grammar::{FileId, Grammar, GrammarFile};
use crate::spec::parser::parse;
use crate::spec::problem::SpecErrors;
use crate::spec::resolve::{Source, resolve};

/// The specification together with the syntax trees it came from, for lints and for showing its text.
#[derive(Debug)]
pub struct Specification {
    /// What it says.
    pub grammar: Grammar,
    /// How it is written.
    pub(crate) sources: Vec<Source>,
}

/// The built-in specification.
pub fn built_in() -> Result<Grammar, SpecErrors> {
    load(&[])
}

/// The built-in specification with more files, given as name and text. An item of theirs replaces the built-in item of the
/// same kind and name.
pub fn load(extra: &[(String, String)]) -> Result<Grammar, SpecErrors> {
    specification(extra).map(|specification| specification.grammar)
}

/// Like [`load`], with the syntax trees.
pub fn specification(extra: &[(String, String)]) -> Result<Specification, SpecErrors> {
    let built_in = FILES.iter().map(|(name, text)| (*name, *text));
    from_files(built_in, extra)
}

/// Reads these files only, without the built-in ones.
pub fn alone(files: &[(String, String)]) -> Result<Specification, SpecErrors> {
    from_files(std::iter::empty(), files)
}

fn from_files<'a>(
    built_in: impl Iterator<Item = (&'a str, &'a str)>,
    extra: &'a [(String, String)],
) -> Result<Specification, SpecErrors> {
    let built_in = built_in.map(|(name, text)| (name, text, false));
    let extra = extra.iter().map(|(name, text)| (name.as_str(), text.as_str(), true));
    let (mut files, mut sources, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (name, text, is_extra)) in built_in.chain(extra).enumerate() {
        let file = FileId(u32::try_from(index).unwrap_or(u32::MAX));
        sources.push(Source { file, is_extra, tree: parse(file, text, &mut problems) });
        files.push(GrammarFile { name: name.to_owned(), text: text.to_owned() });
    }
    let grammar = resolve(files, &sources, &mut problems);
    if problems.is_empty() {
        Ok(Specification { grammar, sources })
    } else {
        Err(SpecErrors::new(problems, grammar.files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::grammar::{Need, StepKind, Term};

    const STEPS: &str = "format 1\nservice api \"s\"\nstep a.one \"t\"\n  api answers GET /a/{volume} with 200\n\
        step a.two \"t\"\n  api receives cast two\nstep a.three \"t\"\n  api runs three\n";

    fn files(text: &str) -> Vec<(String, String)> {
        vec![("a.flow".to_owned(), STEPS.to_owned()), ("b.flow".to_owned(), format!("format 1\n{text}"))]
    }

    fn read(text: &str) -> Grammar {
        alone(&files(text)).unwrap_or_else(|errors| panic!("{errors}")).grammar
    }

    fn step(term: &Term) -> &crate::spec::grammar::StepUse {
        match term {
            Term::Step(step) => step,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_built_in_files_are_sound() {
        if let Err(errors) = built_in() {
            panic!("{errors}");
        }
    }

    #[test]
    fn variants_are_taken_together_and_blocks_are_in_place() {
        let grammar = read(
            "flow f \"t\"\n  starts a.one\n  use inner\n  choice\n    variant new\n      a.three\n    option\n      a.one\n    option\n      a.two\n\
             block inner\n  choice\n    variant old\n      a.two within 5s\n    variant new\n      implied a.one with 404 retry up to 3 on 500\n",
        );
        let flow = grammar.flow("f").expect("a flow");
        let names: Vec<_> = flow.variants.iter().map(|variant| variant.name.as_deref()).collect();
        assert_eq!(names, [Some("old"), Some("new")]);
        let Term::Sequence(old) = &flow.variants[0].term else { panic!("{flow:?}") };
        assert_eq!(step(&old[0]).within, Some(5_000_000));
        assert!(matches!(&old[1], Term::Choice(options) if options.len() == 2));
        let Term::Sequence(new) = &flow.variants[1].term else { panic!("{flow:?}") };
        assert_eq!((step(&new[0]).need, step(&new[0]).success.as_slice()), (Need::Implied, &[404][..]));
        assert_eq!(step(&new[0]).retry.as_ref().map(|retry| retry.most), Some(3));
        assert_eq!(step(&new[1]).step, grammar.step("a.three").expect("a step"));
    }

    #[test]
    fn attempt_and_its_handler_are_one() {
        let grammar =
            read("flow f \"t\"\n  starts a.one\n  attempt\n    a.one\n  on failure\n    a.three\n  optional a.two\n");
        let Term::Sequence(terms) = &grammar.flows[0].variants[0].term else { panic!() };
        assert!(matches!(&terms[0], Term::Attempt { handler, .. } if matches!(**handler, Term::Step(_))));
        assert!(matches!(&terms[1], Term::Optional(_)));
        assert_eq!(
            step(match &terms[0] {
                Term::Attempt { body, .. } => body,
                _ => panic!(),
            })
            .success,
            [200]
        );
    }

    #[test]
    fn an_extra_item_replaces_a_built_in_one_at_its_place() {
        let extra = "format 1\nstep a.one \"new\"\n  api runs other\nstep a.four \"t\"\n  api runs four\n";
        let extra = [("x.flow".to_owned(), extra.to_owned())];
        let grammar =
            from_files(std::iter::once(("a.flow", STEPS)), &extra).unwrap_or_else(|errors| panic!("{errors}")).grammar;
        let names: Vec<_> = grammar.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["a.one", "a.two", "a.three", "a.four"]);
        assert_eq!(grammar.steps[0].kind, StepKind::Operation { function: "other".to_owned() });
        assert_eq!(grammar.files[grammar.steps[0].origin.file.0 as usize].name, "x.flow");
    }

    #[test]
    fn hostile_files_end_in_errors() {
        let mut blocks = String::from("flow f \"t\"\n  starts a.one\n  use b0\n");
        for level in 0..7 {
            blocks.push_str(&format!("block b{level}\n{}", format!("  use b{}\n", level + 1).repeat(20)));
        }
        blocks.push_str("block b7\n  a.one\n");
        let errors = alone(&files(&blocks)).expect_err("too large").to_string();
        assert!(errors.contains("more than 50000 statements"), "{errors}");
        let circle = "block b1\n  use b2\nblock b2\n  use b3\nblock b3\n  repeat\n    use b1\nblock b4\n  use b4\n";
        let errors = alone(&files(circle)).expect_err("a circle");
        let labels: Vec<_> = errors.problems.iter().map(|problem| problem.labels[0].text.as_str()).collect();
        assert_eq!(
            labels,
            ["b1 uses b2 uses b3 uses b1", "b2 uses b3 uses b1 uses b2", "b3 uses b1 uses b2 uses b3", "b4 uses b4"]
        );
        let nested = |level: usize, inner: &str| {
            let lines: String = (1..32).map(|depth| format!("{}optional\n", "  ".repeat(depth))).collect();
            format!("block b{level}\n{lines}{}{inner}\n", "  ".repeat(32))
        };
        let mut deep: String = (0..7).map(|level| nested(level, &format!("use b{}", level + 1))).collect();
        deep.push_str(&nested(7, "a.one"));
        let deep = alone(&files(&format!("flow f \"t\"\n  starts a.one\n  use b0\n{deep}")));
        let deep = deep.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(crate::spec::walk::steps_of(&deep.grammar.flows[0].variants[0].term).len(), 1);
        let garbage: String = (0..3000).map(|n| format!("{}\"x {n} -> {{ ,,\n", " ".repeat(n % 90))).collect();
        assert!(alone(&files(&garbage)).is_err());
    }
}
