//! `machine`: legal status transitions.

use super::{Parser, unknown_statement};
use crate::spec::grammar::Subject;
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::{GuardWords, MachineStatement, TransitionLine};
use crate::spec::words::Words;

/// The statements of a machine, for suggestions.
const KNOWN: [&str; 11] =
    ["of", "state", "rest", "initial", "final", "listed", "illegal", "any", "unchanged", "source", "about"];

/// The first words of guards.
const GUARDS: [&str; 10] =
    ["multiattach", "others", "some", "no", "same", "connector", "direct", "migration", "target", "asked"];

/// The words of a subject.
pub(crate) fn subject_words(subject: Subject) -> &'static str {
    match subject {
        Subject::VolumeStatus => "volume status",
        Subject::VolumeAttachStatus => "volume attach_status",
        Subject::VolumeMigration => "volume migration_status",
        Subject::Attachment => "attachment status",
    }
}

impl Parser<'_> {
    /// A line of a machine.
    pub(super) fn machine_statement(&mut self, node: &Node, words: &mut Words) -> Result<MachineStatement, Problem> {
        if matches!(words.peek(), Some("source" | "about")) {
            return self.quote(node, words, &[]).map(MachineStatement::Quote);
        }
        self.leaf(node);
        if words.contains("->") {
            return transition(words).map(MachineStatement::Transition);
        }
        match words.peek() {
            Some("of") => {
                words.expect("of")?;
                subject(words).map(MachineStatement::Of)
            }
            Some("state") => {
                words.expect("state")?;
                let state = words.name("the name of a state")?;
                Ok(MachineStatement::State(state, words.optional_text()))
            }
            Some("rest") => {
                words.expect("rest")?;
                words.names("a state").map(MachineStatement::Rest)
            }
            Some("initial") => {
                words.expect("initial")?;
                words.name("a state").map(MachineStatement::Initial)
            }
            Some("final") => {
                words.expect("final")?;
                words.names("a state").map(MachineStatement::Final)
            }
            Some("listed") => {
                words.expect("listed")?;
                words.name("a state").map(MachineStatement::Listed)
            }
            Some("unchanged") => {
                words.expect("unchanged")?;
                words.expect("by")?;
                words.names("a step").map(MachineStatement::Unchanged)
            }
            Some("illegal" | "any") => Err(Problem::error("a transition without `->`", words.statement(), "this")
                .help("write `FROM -> TO by STEP`")),
            _ => Err(unknown_statement(words, &KNOWN)),
        }
    }
}

/// `volume status`, `volume attach_status`, `volume migration_status`, `attachment status`.
fn subject(words: &mut Words) -> Result<Subject, Problem> {
    if words.one_of("`volume` or `attachment`", &["volume", "attachment"])?.value == "attachment" {
        words.expect("status")?;
        return Ok(Subject::Attachment);
    }
    let columns = ["status", "attach_status", "migration_status"];
    match words.one_of("`status`, `attach_status` or `migration_status`", &columns)?.value {
        "status" => Ok(Subject::VolumeStatus),
        "migration_status" => Ok(Subject::VolumeMigration),
        _ => Ok(Subject::VolumeAttachStatus),
    }
}

/// `[illegal] FROM, FROM -> TO by STEP, STEP [failing] [if GUARD and GUARD]`.
fn transition(words: &mut Words) -> Result<TransitionLine, Problem> {
    let illegal = words.take("illegal");
    let from = words.names("a state")?;
    words.expect("->")?;
    let to = words.name("a state, `previous` or `given`")?;
    words.expect("by")?;
    let by = words.names("a step")?;
    let failing = words.take("failing");
    let mut guards = Vec::new();
    if words.take("if") {
        guards.push(guard(words)?);
        while words.take("and") {
            guards.push(guard(words)?);
        }
    }
    if !words.is_empty() {
        let expected =
            if guards.is_empty() { "`failing`, `if` or the end of the line" } else { "`and` or the end of the line" };
        return Err(words.expected(expected));
    }
    Ok(TransitionLine { illegal, from, to, by, failing, guards })
}

/// A condition.
fn guard(words: &mut Words) -> Result<GuardWords, Problem> {
    match words.one_of("a guard", &GUARDS)?.value {
        "multiattach" => Ok(GuardWords::Multiattach),
        "others" => words.name("a state").map(GuardWords::Others),
        "some" => words.name("a state").map(GuardWords::Some),
        "no" => words.expect("others").map(|()| GuardWords::NoOthers),
        "same" => words.expect("server").map(|()| GuardWords::SameServer),
        "connector" => Ok(GuardWords::Connector),
        "migration" => words.name("a state").map(GuardWords::Migration),
        "target" => Ok(GuardWords::Target),
        "asked" => {
            let key = words.name("a key of the request's body")?;
            let ends = matches!(words.peek(), None | Some("and"));
            let value = if ends { None } else { Some(words.name("the key's value")?) };
            Ok(GuardWords::Asked(key, value))
        }
        _ => Ok(GuardWords::Direct),
    }
}
