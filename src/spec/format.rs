//! The canonical form of a file: two blanks a level, one blank between words, one blank line between items.

use crate::spec::grammar::{FileId, GrammarFile, PathSegment};
use crate::spec::parser::{level_word, parse, role_word, severity_word, subject_words, wrong_words};
use crate::spec::problem::SpecErrors;
use crate::spec::tree::{
    BranchLabel, Duration, File, FindingStatement, FlowStatement, Form, GuardWords, Item, ItemBody, LayerStatement,
    Line, MachineStatement, MessageStatement, Name, Notes, Quote, ServiceStatement, Statement, StepLine, StepStatement,
    TransitionLine, Trivia, WhenLine,
};

/// The canonical form of a grammar file. Names are not looked up.
pub fn format(name: &str, text: &str) -> Result<String, SpecErrors> {
    let mut problems = Vec::new();
    let tree = parse(FileId(0), text, &mut problems);
    if problems.is_empty() {
        return Ok(print(&tree));
    }
    let file = GrammarFile { name: name.to_owned(), text: text.to_owned() };
    Err(SpecErrors::new(problems, vec![file]))
}

/// The text of a syntax tree.
pub(crate) fn print(file: &File) -> String {
    let mut printer = Printer { text: String::new() };
    printer.line(0, &file.notes, "format 1");
    for item in &file.items {
        // An item stands apart from what is before it, its comments included.
        if !matches!(item.notes.before.first(), Some(Trivia::Blank)) {
            printer.text.push('\n');
        }
        printer.item(item);
    }
    printer.trivia(0, &file.tail);
    printer.text
}

/// What has been printed.
struct Printer {
    text: String,
}

impl Printer {
    fn trivia(&mut self, level: usize, trivia: &[Trivia]) {
        for one in trivia {
            if let Trivia::Comment(comment) = one {
                self.text.push_str(&"  ".repeat(level));
                self.text.push_str(comment);
            }
            self.text.push('\n');
        }
    }

    fn line(&mut self, level: usize, notes: &Notes, words: &str) {
        self.trivia(level, &notes.before);
        self.text.push_str(&"  ".repeat(level));
        self.text.push_str(words);
        if let Some(comment) = &notes.behind {
            self.text.push_str("  ");
            self.text.push_str(comment);
        }
        self.text.push('\n');
    }

    fn item(&mut self, item: &Line<Item>) {
        let mut words = item.value.body.kind().to_owned();
        if let ItemBody::Finding(code, _) = &item.value.body {
            words.push(' ');
            words.push_str(&code.value);
        }
        words.push(' ');
        words.push_str(&item.value.name.value);
        if let Some(title) = &item.value.title {
            words.push(' ');
            words.push_str(&quoted(&title.value));
        }
        self.line(0, &item.notes, &words);
        match &item.value.body {
            ItemBody::Layer(lines) => self.lines(lines, layer),
            ItemBody::Service(lines) => self.lines(lines, service),
            ItemBody::Step(lines) => {
                for line in lines {
                    self.line(1, &line.notes, &step(&line.value));
                    if let StepStatement::Message(_, inner) = &line.value {
                        for line in inner {
                            self.line(2, &line.notes, &message(&line.value));
                        }
                    }
                }
            }
            ItemBody::Machine(lines) => self.lines(lines, machine),
            ItemBody::Finding(_, lines) => self.lines(lines, finding),
            ItemBody::Block(lines) | ItemBody::Flow(lines) => {
                for line in lines {
                    match head(&line.value) {
                        Ok(words) => self.line(1, &line.notes, &words),
                        Err(statement) => self.statement(1, &line.notes, statement),
                    }
                }
            }
        }
    }

    fn lines<T>(&mut self, lines: &[Line<T>], words: fn(&T) -> String) {
        for line in lines {
            self.line(1, &line.notes, &words(&line.value));
        }
    }

    fn sequence(&mut self, level: usize, lines: &[Line<Statement>]) {
        for line in lines {
            self.statement(level, &line.notes, &line.value);
        }
    }

    fn statement(&mut self, level: usize, notes: &Notes, statement: &Statement) {
        let (words, body) = match statement {
            Statement::Step(line) => (step_line(line), &line.body),
            Statement::Optional(body) => ("optional".to_owned(), body),
            Statement::AnyOrder(body) => ("any order".to_owned(), body),
            Statement::Repeat(None, body) => ("repeat".to_owned(), body),
            Statement::Repeat(Some(most), body) => (format!("repeat up to {most}"), body),
            Statement::Attempt(body) => ("attempt".to_owned(), body),
            Statement::OnFailure(body) => ("on failure".to_owned(), body),
            Statement::Tolerate(body) => ("tolerate".to_owned(), body),
            Statement::Use(name) => return self.line(level, notes, &format!("use {}", name.value)),
            Statement::Choice(branches) => {
                self.line(level, notes, "choice");
                for branch in branches {
                    let words = match &branch.value.label {
                        BranchLabel::Option(None) => "option".to_owned(),
                        BranchLabel::Option(Some(text)) => format!("option {}", quoted(&text.value)),
                        BranchLabel::Variant(name) => format!("variant {}", name.value),
                    };
                    self.line(level + 1, &branch.notes, &words);
                    self.sequence(level + 2, &branch.value.body);
                }
                return;
            }
        };
        self.line(level, notes, &words);
        self.sequence(level + 1, body);
    }
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Names with commas between them.
fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(", ")
}

fn statuses(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// A duration, in the unit in which it was written.
fn duration(duration: Duration) -> String {
    format!("{}{}", duration.amount, duration.unit.word)
}

/// A path.
pub(crate) fn path(segments: &[PathSegment]) -> String {
    if segments.is_empty() {
        return "/".to_owned();
    }
    let mut text = String::new();
    for segment in segments {
        match segment {
            PathSegment::Word(word) => text.push_str(&format!("/{word}")),
            PathSegment::Placeholder(name) => text.push_str(&format!("/{{{name}}}")),
        }
    }
    text
}

fn quote(quote: &Quote) -> String {
    match quote {
        Quote::Source(text) => format!("source {}", quoted(&text.value)),
        Quote::About(text) => format!("about {}", quoted(&text.value)),
    }
}

fn layer(statement: &LayerStatement) -> String {
    match statement {
        LayerStatement::Quote(text) => quote(text),
        LayerStatement::Modules(list) => format!("modules {}", names(list)),
        LayerStatement::CarriesMessages => "carries messages".to_owned(),
    }
}

fn service(statement: &ServiceStatement) -> String {
    match statement {
        ServiceStatement::Quote(text) => quote(text),
        ServiceStatement::Loggers(list) => format!("loggers {}", names(list)),
        ServiceStatement::Programs(list) => format!("programs {}", names(list)),
        ServiceStatement::Topics(list) => format!("topics {}", names(list)),
        ServiceStatement::Routes(list) => format!("routes {}", names(list)),
        ServiceStatement::Layer(name) => format!("layer {}", name.value),
    }
}

fn step(statement: &StepStatement) -> String {
    match statement {
        StepStatement::Quote(text) => quote(text),
        StepStatement::Form(what) => form(what),
        StepStatement::Layer(name) => format!("layer {}", name.value),
        StepStatement::Lock(list) => format!("lock {}", names(list)),
        StepStatement::FailsSilently => "fails silently".to_owned(),
        StepStatement::Names(target) => format!("names {}", if *target { "target" } else { "itself" }),
        StepStatement::Message(text, _) => format!("message {}", quoted(&text.value)),
    }
}

/// What a step is.
fn form(form: &Form) -> String {
    match form {
        Form::Http { service, method, path: segments, action, success } => {
            let action = action.as_ref().map(|action| format!(" {action}")).unwrap_or_default();
            let (path, success) = (path(segments), statuses(success));
            format!("{} answers {method} {path}{action} with {success}", service.value)
        }
        Form::Call(service, method) => format!("{} answers call {method}", service.value),
        Form::Cast(service, method) => format!("{} receives cast {method}", service.value),
        Form::Operation(service, function) => format!("{} runs {function}", service.value),
        Form::Command(service, words) => format!("{} runs {}", service.value, words.join(" ")),
    }
}

fn message(statement: &MessageStatement) -> String {
    match statement {
        MessageStatement::Logger(name, level) => format!("logger {} at {}", name.value, level_word(*level)),
        MessageStatement::Sign(name) => format!("sign {}", name.value),
        MessageStatement::Role(role) => role_word(*role).to_owned(),
        MessageStatement::Shows(status) => format!("shows volume {}", status.value),
    }
}

fn machine(statement: &MachineStatement) -> String {
    match statement {
        MachineStatement::Quote(text) => quote(text),
        MachineStatement::Of(subject) => format!("of {}", subject_words(*subject)),
        MachineStatement::State(name, None) => format!("state {}", name.value),
        MachineStatement::State(name, Some(text)) => format!("state {} {}", name.value, quoted(&text.value)),
        MachineStatement::Rest(list) => format!("rest {}", names(list)),
        MachineStatement::Initial(name) => format!("initial {}", name.value),
        MachineStatement::Final(list) => format!("final {}", names(list)),
        MachineStatement::Listed(name) => format!("listed {}", name.value),
        MachineStatement::Transition(line) => transition(line),
        MachineStatement::Unchanged(list) => format!("unchanged by {}", names(list)),
    }
}

fn transition(line: &TransitionLine) -> String {
    let illegal = if line.illegal { "illegal " } else { "" };
    let failing = if line.failing { " failing" } else { "" };
    let guards: Vec<String> = line.guards.iter().map(guard).collect();
    let condition = if guards.is_empty() { String::new() } else { format!(" if {}", guards.join(" and ")) };
    format!("{illegal}{} -> {} by {}{failing}{condition}", names(&line.from), line.to.value, names(&line.by))
}

fn guard(guard: &GuardWords) -> String {
    match guard {
        GuardWords::Multiattach => "multiattach".to_owned(),
        GuardWords::Others(state) => format!("others {}", state.value),
        GuardWords::Some(state) => format!("some {}", state.value),
        GuardWords::NoOthers => "no others".to_owned(),
        GuardWords::SameServer => "same server".to_owned(),
        GuardWords::Connector => "connector".to_owned(),
        GuardWords::Direct => "direct".to_owned(),
        GuardWords::Migration(state) => format!("migration {}", state.value),
        GuardWords::Target => "target".to_owned(),
        GuardWords::Asked(key, None) => format!("asked {}", key.value),
        GuardWords::Asked(key, Some(value)) => format!("asked {} {}", key.value, value.value),
    }
}

/// The words of a line of a flow's head, or the statement of its sequence.
fn head(statement: &FlowStatement) -> Result<String, &Statement> {
    Ok(match statement {
        FlowStatement::Quote(text) => quote(text),
        FlowStatement::Starts(list) => format!("starts {}", names(list)),
        FlowStatement::Goal(list) => format!("goal {}", names(list)),
        FlowStatement::Anytime(list) => format!("anytime {}", names(list)),
        FlowStatement::Deadline(deadline) => format!("deadline {}", duration(*deadline)),
        FlowStatement::Direct => "direct".to_owned(),
        FlowStatement::PerVolume => "per volume".to_owned(),
        FlowStatement::Begins(name) => format!("begins {}", name.value),
        FlowStatement::Leaves(list) => format!("leaves {}", names(list)),
        FlowStatement::Sequence(statement) => return Err(statement),
    })
}

fn step_line(line: &StepLine) -> String {
    let mut words = String::new();
    if line.optional {
        words.push_str("optional ");
    }
    if line.implied {
        words.push_str("implied ");
    }
    words.push_str(&line.step.value);
    if let Some(success) = &line.success {
        words.push_str(&format!(" with {}", statuses(&success.value)));
    }
    if let Some(retry) = &line.retry {
        words.push_str(&format!(" retry up to {} on {}", retry.value.0, statuses(&retry.value.1)));
    }
    if let Some(within) = &line.within {
        words.push_str(&format!(" within {}", duration(within.value)));
    }
    if let Some(age) = &line.age {
        words.push_str(&format!(" on {}", age.value.word()));
    }
    words
}

fn finding(statement: &FindingStatement) -> String {
    match statement {
        FindingStatement::Quote(text) => quote(text),
        FindingStatement::Severity(severity) => format!("severity {}", severity_word(*severity)),
        FindingStatement::When(line) => when(line),
        FindingStatement::Symptom(text) => format!("symptom {}", quoted(&text.value)),
        FindingStatement::Sequence(text) => format!("sequence {}", quoted(&text.value)),
        FindingStatement::Cause(text) => format!("cause {}", quoted(&text.value)),
        FindingStatement::Remedy(text) => format!("remedy {}", quoted(&text.value)),
        FindingStatement::Avoid(text) => format!("avoid {}", quoted(&text.value)),
        FindingStatement::Bug(number, fixed) => {
            let releases: Vec<String> = fixed.iter().map(|release| quoted(&release.value)).collect();
            let fixed = if releases.is_empty() { String::new() } else { format!(" fixed {}", releases.join(", ")) };
            format!("bug {}{fixed}", quoted(&number.value))
        }
    }
}

fn when(line: &WhenLine) -> String {
    let mut words = format!("when {}", wrong_words(line.wrong));
    words.extend(line.sign.iter().flat_map(|sign| [" ", sign.value.as_str()]));
    for (word, list) in [("at", &line.steps), ("in", &line.flows), ("state", &line.states)] {
        if !list.is_empty() {
            words.push_str(&format!(" {word} {}", names(list)));
        }
    }
    for (word, sign) in [("with", &line.with), ("without", &line.without)] {
        words.extend(sign.iter().map(|sign| format!(" {word} {}", sign.value)));
    }
    words
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
