//! `step`: one kind of work, and how logs show it.

use super::{Parser, unknown_statement};
use crate::base::text::did_you_mean;
use crate::model::event::Level;
use crate::spec::grammar::{MessageRole, Origin};
use crate::spec::lexer::TokenKind;
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::{Form, Line, MessageStatement, Name, StepStatement};
use crate::spec::words::Words;

/// The words behind the service in a step's form.
const VERBS: [&str; 3] = ["answers", "receives", "runs"];

/// The methods of HTTP requests, and `call`.
const ANSWERED: [&str; 7] = ["call", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];

/// The levels at which messages show.
const LEVELS: [(&str, Level); 4] =
    [("DEBUG", Level::Debug), ("INFO", Level::Info), ("WARNING", Level::Warning), ("ERROR", Level::Error)];

/// What a message says of its step.
pub(crate) const ROLES: [(&str, MessageRole); 6] = [
    ("begins", MessageRole::Begins),
    ("during", MessageRole::During),
    ("ends", MessageRole::Ends),
    ("fails", MessageRole::Fails),
    ("aborts", MessageRole::Aborts),
    ("refuses", MessageRole::Refuses),
];

/// The word of a level.
pub(crate) fn level_word(level: Level) -> &'static str {
    LEVELS.iter().find(|(_, known)| *known == level).map_or("ERROR", |(word, _)| word)
}

/// The word of a role.
pub(crate) fn role_word(role: MessageRole) -> &'static str {
    ROLES.iter().find(|(_, known)| *known == role).map_or("during", |(word, _)| word)
}

impl Parser<'_> {
    /// The lines of a step; the first of them that is not `source` or `about` says what it is.
    pub(super) fn step_body(&mut self, node: &Node) -> Vec<Line<StepStatement>> {
        let before = self.problems.len();
        let lines = self.lines(&node.children, Self::step_statement);
        let said = lines.iter().filter(|line| !matches!(line.value, StepStatement::Quote(_)));
        let said: Vec<&Line<StepStatement>> = said.collect();
        let has_broken_line = node.children.iter().any(|child| child.broken) || node.broken;
        if self.problems.len() == before && !has_broken_line {
            match said.first() {
                Some(Line { value: StepStatement::Form(_), .. }) => {}
                other => {
                    let span = other.map_or(node.span, |line| line.span);
                    let origin = Origin { file: self.file, span };
                    let problem = Problem::error("the step does not begin with what it is", origin, "before this");
                    self.problems.push(problem.help(
                        "write `SERVICE answers METHOD /path with STATUS`, `SERVICE answers call METHOD`, \
                         `SERVICE receives cast METHOD`, `SERVICE runs FUNCTION` or `client runs WORDS` first",
                    ));
                }
            }
        }
        let forms = said.iter().filter(|line| matches!(line.value, StepStatement::Form(_)));
        if let Some(second) = forms.clone().nth(1) {
            let origin = Origin { file: self.file, span: second.span };
            let problem = Problem::error("the step says twice what it is", origin, "the second time");
            self.problems.push(problem.help("write a step of its own for it"));
        }
        lines
    }

    fn step_statement(&mut self, node: &Node, words: &mut Words) -> Result<StepStatement, Problem> {
        if words.take("lock") {
            self.leaf(node);
            return words.names("the name of a function").map(StepStatement::Lock);
        }
        if words.take("layer") {
            self.leaf(node);
            return words.name("the name of a layer").map(StepStatement::Layer);
        }
        if words.take("names") {
            self.leaf(node);
            let named = words.one_of("`target` or `itself`", &["target", "itself"])?;
            return Ok(StepStatement::Names(named.value == "target"));
        }
        if words.take("fails") {
            self.leaf(node);
            return words.expect("silently").map(|()| StepStatement::FailsSilently);
        }
        if words.take("message") {
            let text = words.text("the text of the message")?;
            let lines = self.lines(&node.children, Self::message_statement);
            return Ok(StepStatement::Message(text, lines));
        }
        let second = match node.tokens.get(1).map(|token| &token.kind) {
            Some(TokenKind::Word(word)) => word.as_str(),
            _ => "",
        };
        if VERBS.contains(&second) {
            self.leaf(node);
            return form(words).map(StepStatement::Form);
        }
        if let Some(meant) = did_you_mean(second, VERBS).filter(|_| node.tokens.len() > 2) {
            words.word("a service")?;
            let message = format!("`{second}` is not what a service does");
            return Err(Problem::error(message, words.here(), "not known").help(format!("did you mean `{meant}`?")));
        }
        self.quote(node, words, &["layer", "lock", "names", "fails silently", "message"]).map(StepStatement::Quote)
    }

    fn message_statement(&mut self, node: &Node, words: &mut Words) -> Result<MessageStatement, Problem> {
        self.leaf(node);
        if words.take("logger") {
            let logger = words.name("the name of a logger")?;
            words.expect("at")?;
            let level = words.one_of("a level", &LEVELS.map(|(word, _)| word))?;
            let level = LEVELS.iter().find(|(word, _)| *word == level.value).map_or(Level::Error, |(_, level)| *level);
            return Ok(MessageStatement::Logger(logger, level));
        }
        if words.take("shows") {
            words.expect("volume")?;
            return words.word("a status or a placeholder").map(MessageStatement::Shows);
        }
        if words.take("sign") {
            return words.name("the name of a sign").map(MessageStatement::Sign);
        }
        for (word, role) in ROLES {
            if words.take(word) {
                return Ok(MessageStatement::Role(role));
            }
        }
        let known = ["logger", "shows", "sign", "begins", "during", "ends", "fails", "aborts", "refuses"];
        Err(unknown_statement(words, &known))
    }
}

/// What a step is.
fn form(words: &mut Words) -> Result<Form, Problem> {
    let service = words.name("a service")?;
    match words.one_of("what a service does", &VERBS)?.value {
        "answers" => answers(service, words),
        "receives" => {
            words.expect("cast")?;
            Ok(Form::Cast(service, words.name("the method")?.value))
        }
        _ if service.value == "client" => {
            let mut command = vec![words.word("the words of the command")?.value];
            while !words.is_empty() {
                command.push(words.word("a word of the command")?.value);
            }
            Ok(Form::Command(service, command))
        }
        _ => Ok(Form::Operation(service, words.name("the function")?.value)),
    }
}

/// `answers call METHOD` and `answers METHOD PATH [ACTION] with STATUSES`.
fn answers(service: Name, words: &mut Words) -> Result<Form, Problem> {
    let method = words.one_of("`call` or the method of an HTTP request", &ANSWERED)?.value;
    if method == "call" {
        return Ok(Form::Call(service, words.name("the method")?.value));
    }
    let path = words.path()?;
    let action = match words.peek() {
        None | Some("with") => None,
        Some(_) => Some(words.name("the action")?.value),
    };
    if !words.take("with") {
        return Err(words.expected("`with`").help("say which statuses mean success: `with 200, 202`"));
    }
    let success = words.statuses()?;
    Ok(Form::Http { service, method: method.to_owned(), path, action, success })
}
