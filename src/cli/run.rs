//! Joins the layers: load the specification, read the inputs, build the call graph, check, report.
//!
//! Each stage is one function here, so that the way of the data is read from top to bottom.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser as _};

use crate::check::verdict::Checked;
use crate::cli::args::{CheckArgs, Command, CommandLine, ReportFormat};
use crate::cli::exit::{Exit, Gate};
use crate::cli::output;
use crate::cli::settings::{InputSettings, Surroundings, detail};
use crate::cli::words::with_command;
use crate::input::Excerpts;
use crate::model::event::Event;
use crate::model::source::{Place, SourceSummary};
use crate::parse::{Options, Reading, read};
use crate::report::excerpt::LineText;
use crate::report::subject::Subject;
use crate::report::{build, json, text};
use crate::spec;
use crate::spec::grammar::Grammar;
use crate::trace::graph::CallGraph;

/// Why the work could not be done.
#[derive(Debug)]
pub enum Failure {
    /// One line for standard error.
    Said(String),
    /// A text that is drawn already, such as the mistakes in a specification.
    Drawn(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Said(text)
    }
}

/// All that a report needs.
pub struct Examined {
    /// The specification.
    pub grammar: Grammar,
    /// What was read.
    pub sources: Vec<SourceSummary>,
    /// Inputs that could not be read, in words.
    pub errors: Vec<String>,
    /// The answers.
    pub checked: Checked,
    /// Gives the text of log lines.
    pub lines: Box<dyn LineText>,
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
        Command::Completions { shell } => completions(*shell),
        _ => Err(Failure::Said("not joined yet".to_owned())),
    };
    done.unwrap_or_else(|failure| {
        match failure {
            Failure::Said(text) => output::error(&text),
            Failure::Drawn(text) => output::drawn(&text),
        }
        Exit::Failed
    })
}

/// Help and version are answers, all else is a mistake on the command line.
fn usage(error: &clap::Error) -> Exit {
    let text = error.render();
    if error.use_stderr() {
        output::drawn(&text.ansi().to_string());
        return Exit::Failed;
    }
    match output::help(&text.ansi().to_string()) {
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
    let mut examined = examine(&settings, &gate)?;
    settings.narrow.apply(&mut examined.checked);
    let look = surroundings.look(&args.output);
    let subject = Subject { checked: &examined.checked, sources: &examined.sources, grammar: &examined.grammar };
    let report = match args.format {
        ReportFormat::Text => text::render(&subject, &*examined.lines, &examined.errors, &look, detail(&args.output)),
        ReportFormat::Json => json::to_text(&build::report(&subject)).map_err(|error| error.to_string())?,
    };
    output::report(&report, args.output.output.as_deref(), look.colour)?;
    if args.format == ReportFormat::Json || args.output.output.is_some() {
        examined.errors.iter().for_each(|error| output::error(error));
    }
    let (exit, reasons) = gate.decide(&examined.checked);
    reasons.iter().for_each(|reason| output::note(reason));
    Ok(if examined.errors.is_empty() { exit } else { Exit::Failed })
}

/// From paths to answers.
fn examine(settings: &InputSettings, gate: &Gate) -> Result<Examined, Failure> {
    let grammar = load(&settings.spec_folders)?;
    known_flows(gate, &grammar)?;
    let (reading, graph) = rebuild(settings, &grammar);
    let checked = crate::check::check(&grammar, &graph, &reading.sources).map_err(|error| error.to_string())?;
    let errors = reading.errors.iter().map(ToString::to_string).collect();
    Ok(Examined { grammar, sources: reading.sources, errors, checked, lines: Box::new(Lines(reading.excerpts)) })
}

/// From paths to the call graph.
fn rebuild(settings: &InputSettings, grammar: &Grammar) -> (Reading, CallGraph) {
    let options = Options { threads: settings.threads, ..Options::default() };
    let paths: Vec<String> = settings.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let mut reading = read(&paths, &mut std::io::stdin(), &grammar.vocabulary, &options);
    let within = |event: &Event| match event.time {
        Some(time) => settings.since.is_none_or(|since| since <= time) && settings.until.is_none_or(|until| time <= until),
        None => true,
    };
    reading.events.retain(within);
    let graph = CallGraph::build(grammar, &reading.events);
    reading.events = Vec::new();
    (reading, graph)
}

/// Log lines, read again when a report shows them.
struct Lines(Excerpts);

impl LineText for Lines {
    fn line(&self, place: Place) -> Option<String> {
        self.0.lines(&[place]).0.remove(&place)
    }
}

/// Loads the built-in specification and that of the folders.
fn load(folders: &[PathBuf]) -> Result<Grammar, Failure> {
    spec::load(&grammar_files(folders)?).map_err(|errors| Failure::Drawn(drawn(&errors)))
}

/// All mistakes in a specification, drawn.
fn drawn(errors: &spec::SpecErrors) -> String {
    errors.reports().iter().map(|report| format!("{report:?}\n")).collect()
}

/// The `.flow` files of the folders, by name: (path as given, text).
fn grammar_files(folders: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
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
            files.push((path.to_string_lossy().replace('\\', "/"), text));
        }
    }
    Ok(files)
}

/// A requirement for a flow that no specification knows could never be met.
fn known_flows(gate: &Gate, grammar: &Grammar) -> Result<(), Failure> {
    for requirement in &gate.require {
        if grammar.flow(&requirement.flow).is_none() {
            let names = grammar.flows.iter().map(|flow| flow.name.as_str());
            let meant = crate::base::text::did_you_mean(&requirement.flow, names);
            let hint = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            return Err(Failure::Said(format!("--require: there is no flow `{}`{hint}", requirement.flow)));
        }
    }
    Ok(())
}

/// `flowcheck completions`.
fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "flowcheck", &mut script);
    output::report(&String::from_utf8_lossy(&script), None, false)?;
    Ok(Exit::Clean)
}
