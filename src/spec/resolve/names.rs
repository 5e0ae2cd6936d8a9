//! The names of all items, so that they can be used before they are read.

use std::collections::BTreeMap;

use super::{Entry, Resolver};
use crate::spec::grammar::{StepId, Subject};
use crate::spec::problem::Problem;
use crate::spec::tree::{Form, ItemBody, MachineStatement, Name, StepStatement};

/// What a step can have where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An HTTP request.
    Http,
    /// A cast.
    Cast,
    /// Anything else.
    Other,
    /// The step has no form that could be read.
    Unknown,
}

/// The names of all items.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) steps: BTreeMap<&'a str, (StepId, Kind)>,
    /// The statuses of success of HTTP requests.
    success: BTreeMap<&'a str, &'a [u16]>,
    pub(super) blocks: BTreeMap<&'a str, Entry<'a>>,
    pub(super) flows: Vec<&'a str>,
    /// The states of all machines, with whose states they are.
    pub(super) states: Vec<(Subject, &'a str)>,
}

impl<'a> Names<'a> {
    /// Gathers the names.
    pub(super) fn new(entries: &[Entry<'a>]) -> Self {
        let mut names = Self::default();
        for entry in entries {
            match &entry.item.body {
                ItemBody::Step(lines) => {
                    let id = StepId(u32::try_from(names.steps.len()).unwrap_or(u32::MAX));
                    let form = lines.iter().find_map(|line| match &line.value {
                        StepStatement::Form(form) => Some(form),
                        _ => None,
                    });
                    if let Some(Form::Http { success, .. }) = form {
                        names.success.insert(entry.name(), success);
                    }
                    let kind = match form {
                        Some(Form::Http { .. }) => Kind::Http,
                        Some(Form::Cast(..)) => Kind::Cast,
                        Some(_) => Kind::Other,
                        None => Kind::Unknown,
                    };
                    names.steps.insert(entry.name(), (id, kind));
                }
                ItemBody::Block(_) => {
                    names.blocks.insert(entry.name(), *entry);
                }
                ItemBody::Flow(_) => names.flows.push(entry.name()),
                ItemBody::Machine(lines) => {
                    let subject = lines.iter().find_map(|line| match &line.value {
                        MachineStatement::Of(subject) => Some(*subject),
                        _ => None,
                    });
                    names.states.extend(lines.iter().filter_map(|line| match &line.value {
                        MachineStatement::State(state, _) => Some((subject?, state.value.as_str())),
                        _ => None,
                    }));
                }
                ItemBody::Layer(_) | ItemBody::Service(_) | ItemBody::Finding(..) => {}
            }
        }
        names
    }

    /// The statuses of success of a step, as the step itself has them.
    pub(super) fn success(&self, step: &str) -> Vec<u16> {
        self.success.get(step).copied().map(<[u16]>::to_vec).unwrap_or_default()
    }

    /// The states of one subject, or of all.
    pub(super) fn states_of(&self, subject: Option<Subject>) -> Vec<&'a str> {
        let wanted = self.states.iter().filter(|(of, _)| subject.is_none_or(|subject| subject == *of));
        wanted.map(|(_, state)| *state).collect()
    }
}

impl Resolver<'_, '_> {
    /// The step of that name and what it is; an unknown one is reported.
    pub(super) fn step(&mut self, entry: &Entry, name: &Name) -> Option<(StepId, Kind)> {
        let found = self.names.steps.get(name.value.as_str()).copied();
        if found.is_none() {
            let problem = Problem::error(format!("unknown step `{}`", name.value), entry.at(name.span), "not known");
            let help = "every step needs an item: `step NAME \"title\"`; `flowcheck spec list` shows those there are";
            self.problems.push(problem.suggest(&name.value, self.names.steps.keys().copied(), help));
        }
        found
    }

    /// The steps of a list; unknown and repeated ones are reported.
    pub(super) fn step_list(&mut self, entry: &Entry, names: &[Name]) -> Vec<StepId> {
        self.twice(entry, names);
        names.iter().filter_map(|name| self.step(entry, name)).map(|(step, _)| step).collect()
    }

    /// Reports a state that no machine of the subject has. Without such a machine every state is taken.
    pub(super) fn check_state(&mut self, entry: &Entry, name: &Name, subject: Option<Subject>) {
        let states = self.names.states_of(subject);
        if states.is_empty() || states.contains(&name.value.as_str()) {
            return;
        }
        let problem = Problem::error(format!("unknown state `{}`", name.value), entry.at(name.span), "not known");
        let mut all = states.clone();
        all.sort_unstable();
        all.dedup();
        let help = format!("the states are: {}", all.join(", "));
        self.problems.push(problem.suggest(&name.value, states, help));
    }
}
