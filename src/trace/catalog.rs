//! The steps of the specification, indexed by what a log shows of them.

use rustc_hash::FxHashMap;

use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Grammar, PathSegment, StepId, StepKind};
use crate::trace::path::{self, PathIds};

/// Finds the steps that a unit of work can be.
#[derive(Debug)]
pub struct Catalog<'a> {
    grammar: &'a Grammar,
    http: FxHashMap<(&'a str, usize), Vec<StepId>>,
    rpc: FxHashMap<ServiceId, FxHashMap<&'a str, Vec<StepId>>>,
    operations: FxHashMap<(ServiceId, &'a str), StepId>,
    commands: FxHashMap<&'a str, StepId>,
    locks: FxHashMap<(ServiceId, &'a str), StepId>,
}

/// The steps that a request can be, and the ids in its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fitting {
    /// More than one where the action in the body is not known.
    pub steps: Vec<StepId>,
    /// The ids in the path.
    pub ids: PathIds,
}

impl<'a> Catalog<'a> {
    /// Indexes the steps of a grammar.
    pub fn new(grammar: &'a Grammar) -> Self {
        let mut catalog = Self {
            grammar,
            http: FxHashMap::default(),
            rpc: FxHashMap::default(),
            operations: FxHashMap::default(),
            commands: FxHashMap::default(),
            locks: FxHashMap::default(),
        };
        for (index, step) in grammar.steps.iter().enumerate() {
            let id = StepId(index as u32);
            match &step.kind {
                StepKind::Http { method, path, .. } => catalog.http.entry((method, path.len())).or_default().push(id),
                StepKind::Call { method } | StepKind::Cast { method } => {
                    catalog.rpc.entry(step.service).or_default().entry(method).or_default().push(id);
                }
                StepKind::Operation { function } => {
                    catalog.operations.entry((step.service, function)).or_insert(id);
                }
                StepKind::Command { words } => {
                    catalog.commands.entry(words).or_insert(id);
                }
            }
            for function in &step.locks {
                catalog.locks.entry((step.service, function)).or_insert(id);
            }
        }
        catalog
    }

    /// The steps that a request can be. A pattern with more fixed words wins over one with fewer. `service` is the one that
    /// served it and `method` its method, where a log tells; `action` the key in its body.
    pub fn request(
        &self,
        service: Option<ServiceId>,
        method: Option<&str>,
        url: &str,
        action: Option<&str>,
    ) -> Fitting {
        let segments = path::segments(url);
        let mut best = (0, Fitting::default());
        let methods = match method {
            Some(method) => vec![method],
            // The last line of a request may be all that is left of it.
            None => vec!["DELETE", "GET", "POST", "PUT"],
        };
        let known = methods.into_iter().filter_map(|method| self.http.get(&(method, segments.len())));
        for step in known.flatten() {
            let rule = self.grammar.step_at(*step);
            let StepKind::Http { path, action: wanted, .. } = &rule.kind else { continue };
            let other_service = service.is_some_and(|service| service != rule.service);
            let other_action = matches!((wanted, action), (Some(wanted), Some(action)) if wanted != action);
            if other_service || other_action {
                continue;
            }
            let Some(ids) = path::fit(path, &segments) else { continue };
            let named = usize::from(wanted.is_some() && wanted.as_deref() == action);
            let words = 1 + named + path.iter().map(weight).sum::<usize>();
            if words > best.0 {
                best = (words, Fitting { steps: vec![*step], ids });
            } else if words == best.0 {
                best.1.steps.push(*step);
            }
        }
        best.1
    }

    /// The service that serves requests with this path, when exactly one is known to.
    pub fn service_of_route(&self, url: &str) -> Option<ServiceId> {
        let segments = path::segments(url);
        let first = segments.first()?;
        let mut serving = self.grammar.vocabulary.services.iter().enumerate();
        let mut serving = serving.by_ref().filter(|(_, rule)| rule.routes.iter().any(|route| route == first));
        match (serving.next(), serving.next()) {
            (Some((index, _)), None) => u16::try_from(index).ok().map(ServiceId),
            _ => None,
        }
    }

    /// The service that listens to an RPC topic: `compute.compute1` is nova-compute's.
    pub fn service_of_topic(&self, topic: &str) -> Option<ServiceId> {
        let first = topic.split(['.', '_']).next().unwrap_or(topic);
        let rules = &self.grammar.vocabulary.services;
        let index = rules.iter().position(|rule| rule.topics.iter().any(|known| known == first || known == topic))?;
        u16::try_from(index).ok().map(ServiceId)
    }

    /// The steps that an RPC method of a service is: as call, as cast, or both.
    pub fn rpc(&self, service: ServiceId, method: &str) -> &[StepId] {
        self.rpc.get(&service).and_then(|methods| methods.get(method)).map_or(&[], Vec::as_slice)
    }

    /// The step that a traced function of a service is.
    pub fn operation(&self, service: ServiceId, function: &str) -> Option<StepId> {
        self.operations.get(&(service, function)).copied()
    }

    /// The step that a client command is.
    pub fn command(&self, words: &str) -> Option<StepId> {
        let mut name = words;
        loop {
            if let Some(step) = self.commands.get(name) {
                return Some(*step);
            }
            name = name.rsplit_once(' ')?.0;
        }
    }

    /// The step during which a service holds the lock of this function.
    pub fn lock(&self, service: ServiceId, function: &str) -> Option<StepId> {
        self.locks.get(&(service, function)).copied()
    }
}

/// How much a segment of a pattern tells: a word most, then an id, then anything.
fn weight(segment: &PathSegment) -> usize {
    match segment {
        PathSegment::Word(_) => 6,
        PathSegment::Placeholder(name) if matches!(name.as_str(), "volume" | "server" | "attachment") => 4,
        PathSegment::Placeholder(_) => 2,
    }
}
