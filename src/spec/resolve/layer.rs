//! Layers, and what is in them.

use super::{Entry, Resolver};
use crate::model::vocabulary::{LayerId, LayerRule};
use crate::spec::problem::Problem;
use crate::spec::tree::{ItemBody, LayerStatement, Line, Name, ServiceStatement};

impl Resolver<'_, '_> {
    pub(super) fn layers(&mut self, entries: &[Entry]) {
        let mut modules = std::collections::BTreeMap::new();
        let mut carrier = None;
        for entry in entries {
            let ItemBody::Layer(lines) = &entry.item.body else { continue };
            let mut rule = LayerRule { name: entry.name().to_owned(), title: entry.title(), ..LayerRule::default() };
            for line in lines {
                match &line.value {
                    LayerStatement::Quote(_) => {}
                    LayerStatement::Modules(names) => {
                        for name in names {
                            let place = entry.at(name.span);
                            if let Some(first) = modules.insert(name.value.clone(), place) {
                                let message = format!("module `{}` stands here twice", name.value);
                                let problem = Problem::error(message, place, "the second time");
                                let problem = problem.and(first, "the first time");
                                self.problems.push(problem.help("a module belongs to one layer only"));
                            }
                            rule.modules.push(name.value.clone());
                        }
                    }
                    LayerStatement::CarriesMessages => {
                        rule.carries_messages = true;
                        let place = entry.at(line.span);
                        if let Some(first) = carrier.replace(place) {
                            let problem = Problem::error("two layers carry messages", place, "the second");
                            self.problems
                                .push(problem.and(first, "the first").help("one layer is between all services"));
                        }
                    }
                }
            }
            self.grammar.vocabulary.layers.push(rule);
        }
        // What is in no layer of its own is one by itself; all are known before a name is looked up.
        for entry in entries {
            if let ItemBody::Service(lines) = &entry.item.body
                && said(lines).next().is_none()
            {
                self.layer_like(entry.name());
            }
        }
    }

    /// The layer that has the name of a service.
    pub(super) fn layer_like(&mut self, service: &str) -> LayerId {
        if let Some(layer) = self.grammar.vocabulary.layer(service) {
            return layer;
        }
        let layers = &mut self.grammar.vocabulary.layers;
        layers.push(LayerRule { name: service.to_owned(), title: service.to_owned(), ..LayerRule::default() });
        u16::try_from(layers.len() - 1).map(LayerId).unwrap_or_default()
    }

    /// The layer that a service is in.
    pub(super) fn layer_of_service(&mut self, entry: &Entry, lines: &[Line<ServiceStatement>]) -> LayerId {
        let names: Vec<&Name> = said(lines).collect();
        if let [first, second, ..] = names.as_slice() {
            let problem = Problem::error("the service is in two layers", entry.at(second.span), "the second");
            self.problems.push(problem.and(entry.at(first.span), "the first").help("remove one of them"));
        }
        match names.first() {
            Some(name) => self.layer(entry, name),
            None => self.layer_like(entry.name()),
        }
    }

    /// The layer of that name; an unknown one is reported.
    pub(super) fn layer(&mut self, entry: &Entry, name: &Name) -> LayerId {
        if let Some(layer) = self.grammar.vocabulary.layer(&name.value) {
            return layer;
        }
        let layers = self.grammar.vocabulary.layers.iter().map(|layer| layer.name.as_str());
        let problem = Problem::error(format!("unknown layer `{}`", name.value), entry.at(name.span), "not known");
        let help = "a layer needs an item: `layer NAME \"title\"`; every service in no layer is one by itself";
        let problem = problem.suggest(&name.value, layers, help);
        self.problems.push(problem);
        LayerId(0)
    }
}

/// The layers that a service says it is in.
fn said(lines: &[Line<ServiceStatement>]) -> impl Iterator<Item = &Name> {
    lines.iter().filter_map(|line| match &line.value {
        ServiceStatement::Layer(name) => Some(name),
        _ => None,
    })
}
