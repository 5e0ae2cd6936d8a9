//! Flows that are too large for any case to be checked against them.

use crate::spec::automaton::Automaton;
use crate::spec::grammar::{Flow, Grammar};
use crate::spec::problem::{Problem, SpecErrors};

/// Compiles every flow; those that cannot be are mistakes.
pub fn sizes(grammar: &Grammar) -> Result<(), SpecErrors> {
    let problem = |flow: &Flow| {
        let compiled = flow.variants.iter().map(|variant| Automaton::compile(grammar, &flow.name, variant));
        let error = compiled.filter_map(Result::err).next()?;
        let problem = Problem::error(error.to_string(), flow.origin, "no log can be checked against it");
        Some(problem.help("split it, or let fewer things happen in any order"))
    };
    let problems: Vec<Problem> = grammar.flows.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(SpecErrors::new(problems, grammar.files.clone())) }
}
