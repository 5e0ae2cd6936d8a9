//! From syntax trees to the specification: names are looked up, items of the same name replace each other.

mod expand;
mod finding;
mod flow;
mod layer;
mod machine;
mod names;
mod step;

use crate::base::span::Span;
use crate::model::vocabulary::{ServiceId, ServiceRule};
use crate::spec::grammar::{FileId, Grammar, GrammarFile, Origin};
use crate::spec::problem::Problem;
use crate::spec::tree::{File, Item, ItemBody, Line, Name, Notes, Quote, ServiceStatement};
use names::Names;

/// A file's tree and where it came from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) file: FileId,
    /// Whether it was given beside the built-in files, whose items it may replace.
    pub(crate) is_extra: bool,
    /// Its tree.
    pub(crate) tree: File,
}

/// An item that is in force, and its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// The file.
    pub(crate) file: FileId,
    /// The item.
    pub(crate) item: &'a Item,
    /// Where its first line stands.
    pub(crate) span: Span,
    /// Its comments.
    pub(crate) notes: &'a Notes,
    is_extra: bool,
}

impl<'a> Entry<'a> {
    /// The item's first line.
    pub(crate) fn origin(&self) -> Origin {
        self.at(self.span)
    }

    /// A place in the item's file.
    pub(crate) fn at(&self, span: Span) -> Origin {
        Origin { file: self.file, span }
    }

    /// The item's title.
    pub(crate) fn title(&self) -> String {
        self.item.title.as_ref().map(|title| title.value.clone()).unwrap_or_default()
    }

    /// The item's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.item.name.value
    }
}

/// The items in force: of each kind and name one. An extra item takes the place of a built-in one.
pub(crate) fn entries<'a>(sources: &'a [Source], problems: &mut Vec<Problem>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut known = std::collections::BTreeMap::new();
    for source in sources {
        for Line { value: item, span, notes } in &source.tree.items {
            let entry = Entry { file: source.file, item, span: *span, notes, is_extra: source.is_extra };
            let key = (item.body.kind(), item.name.value.as_str());
            match known.get(&key).copied() {
                None => {
                    known.insert(key, entries.len());
                    entries.push(entry);
                }
                Some(index) => {
                    let first: Entry<'a> = entries[index];
                    if first.is_extra == entry.is_extra {
                        let message = format!("{} `{}` stands here twice", key.0, key.1);
                        let problem = Problem::error(message, entry.at(item.name.span), "the second time");
                        let problem = problem.and(first.at(first.item.name.span), "the first time");
                        problems.push(problem.help("rename or remove one of them"));
                    } else {
                        entries[index] = entry;
                    }
                }
            }
        }
    }
    entries
}

/// Looks up every name. The grammar is of use only when no problem was noted.
pub(crate) fn resolve(files: Vec<GrammarFile>, sources: &[Source], problems: &mut Vec<Problem>) -> Grammar {
    let parsed = problems.len();
    let entries = entries(sources, problems);
    let mut grammar = Grammar { files, ..Grammar::default() };
    let mut resolver = Resolver { names: Names::new(&entries), problems, parsed, grammar: &mut grammar };
    resolver.layers(&entries);
    resolver.services(&entries);
    resolver.steps(&entries);
    resolver.machines(&entries);
    resolver.flows(&entries);
    resolver.findings(&entries);
    grammar
}

/// What resolving carries along.
struct Resolver<'a, 'p> {
    names: Names<'a>,
    problems: &'p mut Vec<Problem>,
    /// How many of the problems the parser found.
    parsed: usize,
    grammar: &'p mut Grammar,
}

impl Resolver<'_, '_> {
    fn services(&mut self, entries: &[Entry]) {
        let mut claims = std::collections::BTreeMap::new();
        for entry in entries {
            let ItemBody::Service(lines) = &entry.item.body else { continue };
            let mut rule = ServiceRule { name: entry.name().to_owned(), ..ServiceRule::default() };
            for line in lines {
                let (list, names, what) = match &line.value {
                    ServiceStatement::Quote(_) | ServiceStatement::Layer(_) => continue,
                    ServiceStatement::Loggers(names) => (&mut rule.loggers, names, "logger"),
                    ServiceStatement::Programs(names) => (&mut rule.programs, names, "program"),
                    ServiceStatement::Topics(names) => (&mut rule.topics, names, "topic"),
                    ServiceStatement::Routes(names) => (&mut rule.routes, names, "route"),
                };
                list.extend(names.iter().map(|name| name.value.clone()));
                // Requests of the same path may go to several services; the other three tell services apart.
                for name in names.iter().filter(|_| what != "route") {
                    let place = entry.at(name.span);
                    if let Some(first) = claims.insert((what, name.value.clone()), place) {
                        let message = format!("{what} `{}` stands here twice", name.value);
                        let problem = Problem::error(message, place, "the second time").and(first, "the first time");
                        self.problems.push(problem.help(format!("a {what} belongs to one service only")));
                    }
                }
            }
            if !rule.programs.contains(&rule.name) {
                rule.programs.push(rule.name.clone());
            }
            rule.layer = self.layer_of_service(entry, lines);
            self.grammar.vocabulary.services.push(rule);
        }
        // The client has no log of its own: a service item for it is optional.
        if self.grammar.vocabulary.service("client").is_none() {
            let layer = self.layer_like("client");
            let rule = ServiceRule { name: "client".to_owned(), layer, ..ServiceRule::default() };
            self.grammar.vocabulary.services.push(rule);
        }
    }

    /// Whether the parser took every line of an item: only then can something be said to be missing.
    fn is_whole(&self, entry: &Entry) -> bool {
        !self.problems[..self.parsed]
            .iter()
            .flat_map(|problem| &problem.labels)
            .any(|label| label.file == entry.file && (entry.span.start..=entry.item.end.0).contains(&label.span.start))
    }

    /// The service of that name; an unknown one is reported.
    fn service(&mut self, entry: &Entry, name: &Name) -> ServiceId {
        match self.grammar.vocabulary.service(&name.value) {
            Some(service) => service,
            None => {
                let services = self.grammar.vocabulary.services.iter().map(|service| service.name.as_str());
                let problem =
                    Problem::error(format!("unknown service `{}`", name.value), entry.at(name.span), "not known");
                let help = "every service needs an item: `service NAME \"title\"`";
                self.problems.push(problem.suggest(&name.value, services, help));
                ServiceId(0)
            }
        }
    }

    /// Reports a name that stands twice in a list.
    fn twice(&mut self, entry: &Entry, names: &[Name]) {
        for (index, name) in names.iter().enumerate() {
            if let Some(first) = names[..index].iter().find(|earlier| earlier.value == name.value) {
                let message = format!("`{}` stands here twice", name.value);
                let problem = Problem::error(message, entry.at(name.span), "the second time");
                self.problems.push(problem.and(entry.at(first.span), "the first time").help("remove one of them"));
            }
        }
    }
}

/// Sorts `source` and `about` into their lists.
fn take_quote(quote: &Quote, sources: &mut Vec<String>, about: &mut Vec<String>) {
    match quote {
        Quote::Source(text) => sources.push(text.value.clone()),
        Quote::About(text) => about.push(text.value.clone()),
    }
}
