//! The commands: from words to an exit code. What they need of the other layers they get from [`super::run`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser as _};

use crate::base::text::did_you_mean;
use crate::cli::args::{
    CheckArgs, Command, CommandLine, ExplainArgs, GraphArgs, GraphFormat, OutputArgs, ReportFormat,
};
use crate::cli::exit::{Exit, Gate};
use crate::cli::output;
use crate::cli::run::{self, Examined};
use crate::cli::settings::{InputSettings, Surroundings, detail};
use crate::cli::spec;
use crate::cli::words::with_command;
use crate::report::graph::{dot, json as graph_json, mermaid, tree};
use crate::report::subject::Subject;
use crate::report::text::Detail;
use crate::report::text::look::Look;
use crate::report::{build, explain, json, text};
use crate::spec::SpecErrors;
use crate::spec::grammar::Grammar;

/// Why the work could not be done.
#[derive(Debug)]
pub enum Failure {
    /// One line for standard error.
    Said(String),
    /// Mistakes to be drawn, such as those in a specification.
    Mistakes(Vec<miette::Report>),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Said(text)
    }
}

/// Runs the program with the words of its command line, the first of which is its name.
pub fn run(words: Vec<OsString>) -> Exit {
    let line = match CommandLine::try_parse_from(with_command(words)) {
        Ok(line) => line,
        Err(error) => return usage(&error),
    };
    let surroundings = Surroundings::read();
    let done = match &line.command {
        Command::Check(args) => check(args, &surroundings),
        Command::Graph(args) => graph(args, &surroundings),
        Command::Explain(args) => explain(args, &surroundings),
        Command::Spec(command) => spec::run(command, &surroundings),
        Command::Completions { shell } => completions(*shell),
    };
    done.unwrap_or_else(|failure| {
        match failure {
            Failure::Said(text) => output::error(&text),
            Failure::Mistakes(reports) => {
                let look = surroundings.error_look();
                reports.iter().for_each(|report| output::drawn(&draw(report, &look)));
            }
        }
        Exit::Failed
    })
}

/// Help and version are answers, all else is a mistake on the command line.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        output::drawn(&text);
        return Exit::Failed;
    }
    match output::help(&text) {
        Ok(()) => Exit::Clean,
        Err(text) => {
            output::error(&text);
            Exit::Failed
        }
    }
}

/// `flowcheck check`.
fn check(args: &CheckArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let settings = InputSettings::new(&args.input)?;
    let gate = Gate { fail_on: args.fail_on, require: args.require.clone(), strict: args.strict };
    let grammar = run::load(&settings.spec_folders)?;
    known_flows(&gate, &grammar)?;
    let mut examined = run::examine(&settings, grammar)?;
    settings.narrow.apply(&mut examined.checked);
    let look = surroundings.look(&args.output);
    let report = match args.format {
        ReportFormat::Text => examined.text(&look, detail(&args.output)),
        ReportFormat::Json => json::to_text(&build::report(&examined.subject())).map_err(|error| error.to_string())?,
    };
    write(&report, &args.output, &look)?;
    if args.format != ReportFormat::Text || args.output.output.is_some() {
        examined.errors.iter().for_each(|error| output::error(error));
    }
    let (exit, reasons) = gate.decide(&examined.checked);
    reasons.iter().for_each(|reason| output::note(reason));
    Ok(if examined.errors.is_empty() { exit } else { Exit::Failed })
}

impl Examined {
    /// What reports are about.
    pub fn subject(&self) -> Subject<'_> {
        Subject { checked: &self.checked, sources: &self.sources, grammar: &self.grammar }
    }

    /// The terminal report.
    fn text(&self, look: &Look, detail: Detail) -> String {
        let texts = self.lines(&text::drawn_places(&self.checked));
        let lines = |place| texts.get(&place).cloned();
        text::render(&self.subject(), &lines, &self.errors, look, detail)
    }
}

/// A requirement for a flow that no specification knows could never be met.
fn known_flows(gate: &Gate, grammar: &Grammar) -> Result<(), Failure> {
    for requirement in &gate.require {
        if grammar.flow(&requirement.flow).is_none() {
            let meant = did_you_mean(&requirement.flow, grammar.flows.iter().map(|flow| flow.name.as_str()));
            let hint = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            return Err(Failure::Said(format!("--require: there is no flow `{}`{hint}", requirement.flow)));
        }
    }
    Ok(())
}

/// `flowcheck graph`.
fn graph(args: &GraphArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let settings = InputSettings::new(&args.input)?;
    let look = surroundings.look(&args.output);
    let examined = run::examine(&settings, run::load(&settings.spec_folders)?)?;
    let drawn = examined.with_graph(&settings.narrow, |view| match args.format {
        GraphFormat::Tree => Ok(tree::write(&view, &look, args.output.verbose)),
        GraphFormat::Dot => Ok(dot::write(&view)),
        GraphFormat::Mermaid => Ok(mermaid::write(&view)),
        GraphFormat::Json => graph_json::write(&view),
    });
    write(&drawn.map_err(|error| error.to_string())?, &args.output, &look)?;
    examined.errors.iter().for_each(|error| output::error(error));
    Ok(if examined.errors.is_empty() { Exit::Clean } else { Exit::Failed })
}

/// `flowcheck explain`.
fn explain(args: &ExplainArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let grammar = run::load(&args.spec.folders)?;
    let look = surroundings.look(&args.output);
    let text = match &args.name {
        Some(name) => explain::explain(&grammar, name, &look)?,
        None => explain::names(&grammar, &look),
    };
    write(&text, &args.output, &look)?;
    Ok(Exit::Clean)
}

/// `flowcheck completions`.
fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "flowcheck", &mut script);
    output::report(&String::from_utf8_lossy(&script), None, false)?;
    Ok(Exit::Clean)
}

/// Writes to where it was said.
pub(super) fn write(text: &str, to: &OutputArgs, look: &Look) -> Result<(), Failure> {
    Ok(output::report(text, to.output.as_deref(), look.colour)?)
}

/// All mistakes of a specification.
pub(super) fn mistakes(errors: &SpecErrors) -> Failure {
    Failure::Mistakes(errors.reports())
}

/// A mistake, drawn.
pub(super) fn draw(report: &miette::Report, look: &Look) -> String {
    let mut text = String::new();
    match look.handler().render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("{report}\n"),
    }
}

/// The `.flow` files of folders, in the order of their names: path as given, and text.
pub(super) fn grammar_files(folders: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut files = Vec::new();
    for folder in folders {
        let told = |error: std::io::Error| format!("--spec {}: {error}", folder.display());
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(told)? {
            let path = entry.map_err(told)?.path();
            if path.extension().is_some_and(|extension| extension == "flow") {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(Failure::Said(format!("--spec {}: there is no .flow file in this folder", folder.display())));
        }
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            files.push((path.to_string_lossy().into_owned(), text));
        }
    }
    Ok(files)
}
