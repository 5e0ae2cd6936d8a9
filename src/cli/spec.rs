//! `flowcheck spec`: lists, shows, lints, formats and draws the specification.

use std::path::{Path, PathBuf};

use crate::base::text::did_you_mean;
use crate::cli::args::{DiagramFormat, OutputArgs, SpecCommand};
use crate::cli::command::{Failure, draw, grammar_files, mistakes, write};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::run::load;
use crate::cli::settings::Surroundings;
use crate::report::text::look::Look;
use crate::spec::diagram::{self, DiagramLanguage};
use crate::spec::format::format;
use crate::spec::lint::lint;
use crate::spec::size::sizes;
use crate::spec::{Specification, show, specification};

/// `flowcheck spec`.
pub(super) fn run(command: &SpecCommand, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let whole = |folders: &[PathBuf]| -> Result<Specification, Failure> {
        specification(&grammar_files(folders)?).map_err(|errors| mistakes(&errors))
    };
    match command {
        SpecCommand::List { spec, output } => {
            finish(&show::list(&whole(&spec.folders)?), output, &surroundings.look(output))
        }
        SpecCommand::Show { name, spec, output } => {
            let specification = whole(&spec.folders)?;
            let text = show::show(&specification, name).map_err(|meant| no_item(name, meant))?;
            finish(&text, output, &surroundings.look(output))
        }
        SpecCommand::Check { spec, output } => {
            let specification = whole(&spec.folders)?;
            sizes(&specification.grammar).map_err(|errors| mistakes(&errors))?;
            let look = surroundings.look(output);
            let problems = lint(&specification);
            let reports = problems.iter().map(|problem| problem.report(&specification.grammar.files));
            let text: String = reports.map(|report| draw(&report, &look)).collect();
            let summary = format!("{} files, {} remarks\n", specification.grammar.files.len(), problems.len());
            finish(&(text + &summary), output, &look)
        }
        SpecCommand::Diagram { name, format, spec, output } => {
            let grammar = load(&spec.folders)?;
            let language = match format {
                DiagramFormat::Mermaid => DiagramLanguage::Mermaid,
                DiagramFormat::Dot => DiagramLanguage::Dot,
            };
            let mut drawings = Vec::new();
            if let Some(flow) = grammar.flow(name) {
                drawings.extend(flow.variants.iter().map(|variant| diagram::flow(&grammar, flow, variant, language)));
            }
            let machines = grammar.machines.iter().filter(|machine| machine.name == *name);
            drawings.extend(machines.map(|machine| diagram::machine(&grammar, machine, language)));
            if drawings.is_empty() {
                let flows = grammar.flows.iter().map(|flow| flow.name.as_str());
                let names = flows.chain(grammar.machines.iter().map(|machine| machine.name.as_str()));
                return Err(no_item(name, did_you_mean(name, names)));
            }
            finish(&drawings.join("\n"), output, &surroundings.look(output))
        }
        SpecCommand::Fmt { files, check, output } => fmt(files, *check, output, &surroundings.look(output)),
    }
}

/// Prints one file in the canonical form, or tells which files are not in it.
fn fmt(paths: &[PathBuf], check: bool, output: &OutputArgs, look: &Look) -> Result<Exit, Failure> {
    let (folders, files): (Vec<&Path>, Vec<&Path>) = paths.iter().map(PathBuf::as_path).partition(|path| path.is_dir());
    let folders: Vec<PathBuf> = folders.into_iter().map(Path::to_path_buf).collect();
    let mut sources = grammar_files(&folders)?;
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        sources.push((path.to_string_lossy().into_owned(), text));
    }
    let mut printed = String::new();
    let mut other = false;
    for (name, text) in &sources {
        let canonical = format(name, text).map_err(|errors| mistakes(&errors))?;
        if check && canonical != *text {
            other = true;
            output::note(&format!("{name} is not in the canonical form"));
        }
        printed.push_str(&canonical);
    }
    if !check {
        write(&printed, output, look)?;
    }
    Ok(if other { Exit::Findings } else { Exit::Clean })
}

fn finish(text: &str, output: &OutputArgs, look: &Look) -> Result<Exit, Failure> {
    write(text, output, look)?;
    Ok(Exit::Clean)
}

fn no_item(name: &str, meant: Option<&str>) -> Failure {
    let hint = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Failure::Said(format!("the specification has no `{name}`{hint}"))
}
