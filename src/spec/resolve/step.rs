//! Steps and their messages.

use super::{Entry, Resolver, take_quote};
use crate::model::vocabulary::{LayerId, MessageRule, Placeholder, PlaceholderKind, ServiceId};
use crate::spec::grammar::{MessageMeaning, MessageRole, StatusShown, Step, StepId, StepKind, Subject};
use crate::spec::parser::{PatternPart, pattern_parts};
use crate::spec::problem::Problem;
use crate::spec::tree::{Form, ItemBody, Line, MessageStatement, Name, StepStatement, Text};

impl Resolver<'_, '_> {
    pub(super) fn steps(&mut self, entries: &[Entry]) {
        for entry in entries {
            let ItemBody::Step(lines) = &entry.item.body else { continue };
            let id = StepId(u32::try_from(self.grammar.steps.len()).unwrap_or(u32::MAX));
            let mut step = Step {
                name: entry.name().to_owned(),
                title: entry.title(),
                about: Vec::new(),
                sources: Vec::new(),
                service: ServiceId(0),
                layer: LayerId(0),
                kind: StepKind::Operation { function: String::new() },
                success: Vec::new(),
                locks: Vec::new(),
                names_target: None,
                fails_silently: false,
                origin: entry.origin(),
            };
            let mut own_layer = None;
            for line in lines {
                match &line.value {
                    StepStatement::Layer(name) => {
                        if own_layer.replace(self.layer(entry, name)).is_some() {
                            let problem =
                                Problem::error("the step is in two layers", entry.at(line.span), "the second");
                            self.problems.push(problem.help("remove one of them"));
                        }
                    }
                    StepStatement::Quote(quote) => take_quote(quote, &mut step.sources, &mut step.about),
                    StepStatement::Form(form) => self.form(entry, form, &mut step),
                    StepStatement::Lock(names) => {
                        self.twice(entry, names);
                        for name in names {
                            self.lock(entry, name);
                            step.locks.push(name.value.clone());
                        }
                    }
                    StepStatement::FailsSilently => step.fails_silently = true,
                    StepStatement::Names(target) => step.names_target = Some(*target),
                    StepStatement::Message(text, lines) => self.message(entry, id, text, lines),
                }
            }
            let of_service = || self.grammar.vocabulary.layer_of(step.service);
            step.layer = own_layer.or_else(of_service).unwrap_or_default();
            self.grammar.vocabulary.lock_functions.extend(step.locks.iter().cloned());
            self.grammar.steps.push(step);
        }
        self.grammar.vocabulary.lock_functions.sort_unstable();
        self.grammar.vocabulary.lock_functions.dedup();
    }

    fn form(&mut self, entry: &Entry, form: &Form, step: &mut Step) {
        let (service, kind) = match form {
            Form::Http { service, method, path, action, success } => {
                step.success.clone_from(success);
                (service, StepKind::Http { method: method.clone(), path: path.clone(), action: action.clone() })
            }
            Form::Call(service, method) => (service, StepKind::Call { method: method.clone() }),
            Form::Cast(service, method) => (service, StepKind::Cast { method: method.clone() }),
            Form::Operation(service, function) => (service, StepKind::Operation { function: function.clone() }),
            Form::Command(service, words) => (service, StepKind::Command { words: words.join(" ") }),
        };
        step.service = self.service(entry, service);
        step.kind = kind;
    }

    fn lock(&mut self, entry: &Entry, name: &Name) {
        if name.value.contains('.') {
            let last = name.value.rsplit('.').next().unwrap_or_default();
            let problem =
                Problem::error(format!("the lock `{}` has a dot", name.value), entry.at(name.span), "this name");
            self.problems.push(problem.help(format!("write the last component of the function only: `{last}`")));
        }
    }

    fn message(&mut self, entry: &Entry, step: StepId, text: &Text, lines: &[Line<MessageStatement>]) {
        let (literals, placeholders) = self.pattern(entry, text);
        let (mut logger, mut role, mut shows, mut sign) = (None, None, None, None);
        for line in lines {
            let is_second = match &line.value {
                MessageStatement::Logger(name, level) => logger.replace((name, *level)).is_some(),
                MessageStatement::Role(said) => role.replace(*said).is_some(),
                MessageStatement::Sign(name) => sign.replace(name.value.clone()).is_some(),
                MessageStatement::Shows(status) => {
                    shows.replace(self.status(entry, text, status, &placeholders)).is_some()
                }
            };
            if is_second {
                let problem = Problem::error("the message says this twice", entry.at(line.span), "the second time");
                self.problems.push(problem.help("write a message of its own for it"));
            }
        }
        let Some((logger, level)) = logger else {
            if self.is_whole(entry) {
                let problem = Problem::error("the message has no logger", entry.at(text.span), "of this message");
                self.problems.push(problem.help("nest `logger NAME at LEVEL` under it"));
            }
            return;
        };
        let rule = MessageRule { literals, placeholders, logger: logger.value.clone(), level };
        let is_known = |known: &MessageRule| known.literals == rule.literals && known.logger == rule.logger;
        if let Some(first) = self.grammar.vocabulary.messages.iter().position(is_known) {
            let first = self.grammar.messages[first].origin;
            let problem = Problem::error(
                "the same message of the same logger stands here twice",
                entry.at(text.span),
                "the second time",
            );
            self.problems.push(problem.and(first, "the first time").help("a message belongs to one step only"));
        }
        let role = role.unwrap_or(MessageRole::During);
        self.grammar.vocabulary.messages.push(rule);
        let shows = shows.flatten();
        self.grammar.messages.push(MessageMeaning { step, role, shows, sign, origin: entry.at(text.span) });
    }

    /// The literals and placeholders of a message.
    fn pattern(&mut self, entry: &Entry, text: &Text) -> (Vec<String>, Vec<Placeholder>) {
        let mut literals = vec![String::new()];
        let mut placeholders: Vec<Placeholder> = Vec::new();
        let mut is_behind_placeholder = false;
        for part in pattern_parts(&text.value) {
            match part {
                PatternPart::Literal(literal) => {
                    if let Some(last) = literals.last_mut() {
                        last.push_str(literal);
                    }
                    is_behind_placeholder = false;
                }
                PatternPart::Placeholder(name) => {
                    if is_behind_placeholder {
                        let message = format!("nothing stands between `{{{name}}}` and the placeholder before it");
                        let problem = Problem::error(message, entry.at(text.span), "in this message");
                        self.problems.push(problem.help("leave one of them out"));
                    }
                    if placeholders.iter().any(|known| known.name == name) {
                        let message = format!("the placeholder `{{{name}}}` stands here twice");
                        let problem = Problem::error(message, entry.at(text.span), "in this message");
                        self.problems.push(problem.help("give one of them another name"));
                    }
                    let kind = match name {
                        "volume" | "server" | "attachment" | "target" => PlaceholderKind::Id,
                        "status" => PlaceholderKind::Word,
                        _ => PlaceholderKind::Text,
                    };
                    placeholders.push(Placeholder { name: name.to_owned(), kind });
                    literals.push(String::new());
                    is_behind_placeholder = true;
                }
            }
        }
        if literals.iter().all(|literal| literal.trim().is_empty()) {
            let problem =
                Problem::error("the message has no text of its own", entry.at(text.span), "fits every message");
            self.problems.push(problem.help("write what the log says besides the placeholders"));
        }
        (literals, placeholders)
    }

    /// The status that a message shows.
    fn status(&mut self, entry: &Entry, text: &Text, status: &Name, known: &[Placeholder]) -> Option<StatusShown> {
        let inner = status.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let Some(inner) = inner else {
            self.check_state(entry, status, Some(Subject::VolumeStatus));
            return Some(StatusShown::Fixed(status.value.clone()));
        };
        let index = known.iter().position(|placeholder| placeholder.name == inner);
        if index.is_none() {
            let message = format!("the message has no placeholder `{{{inner}}}`");
            let problem = Problem::error(message, entry.at(status.span), "not in the message")
                .and(entry.at(text.span), "this message");
            let names = known.iter().map(|placeholder| placeholder.name.as_str());
            self.problems.push(problem.suggest(inner, names, "write it into the message's text"));
        }
        index.map(StatusShown::Placeholder)
    }
}
