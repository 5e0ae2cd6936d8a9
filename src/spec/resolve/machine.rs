//! Status machines.

use super::{Entry, Resolver, take_quote};
use crate::spec::grammar::{Guard, Machine, Subject, Target, Transition};
use crate::spec::problem::Problem;
use crate::spec::tree::{GuardWords, ItemBody, Line, MachineStatement, Name, TransitionLine};

/// Words that mean something else where a state is expected.
const RESERVED: [&str; 3] = ["any", "previous", "given"];

impl Resolver<'_, '_> {
    pub(super) fn machines(&mut self, entries: &[Entry]) {
        for entry in entries {
            let ItemBody::Machine(lines) = &entry.item.body else { continue };
            let mut machine = Machine {
                name: entry.name().to_owned(),
                title: entry.title(),
                sources: Vec::new(),
                subject: Subject::VolumeStatus,
                states: Vec::new(),
                rest: Vec::new(),
                initial: None,
                finals: Vec::new(),
                listed: None,
                transitions: Vec::new(),
                unchanged: Vec::new(),
                origin: entry.origin(),
            };
            self.states(entry, lines, &mut machine);
            for line in lines {
                match &line.value {
                    MachineStatement::Quote(quote) => take_quote(quote, &mut machine.sources, &mut Vec::new()),
                    MachineStatement::Of(_) | MachineStatement::State(..) => {}
                    MachineStatement::Rest(names) => {
                        let rest = self.machine_states(entry, &machine, names);
                        machine.rest.extend(rest);
                    }
                    MachineStatement::Initial(name) => {
                        let told = ("initial", "a machine begins in one state");
                        machine.initial = self.only_state(entry, &machine, name, machine.initial, told);
                    }
                    MachineStatement::Listed(name) => {
                        let told = ("listed", "a list shows what is in one state");
                        machine.listed = self.only_state(entry, &machine, name, machine.listed, told);
                    }
                    MachineStatement::Final(names) => {
                        let finals = self.machine_states(entry, &machine, names);
                        machine.finals.extend(finals);
                    }
                    MachineStatement::Transition(transition) => {
                        let transition = self.transition(entry, line, transition, &machine);
                        machine.transitions.extend(transition);
                    }
                    MachineStatement::Unchanged(names) => machine.unchanged.extend(self.step_list(entry, names)),
                }
            }
            self.grammar.machines.push(machine);
        }
    }

    fn states(&mut self, entry: &Entry, lines: &[Line<MachineStatement>], machine: &mut Machine) {
        let mut subject: Option<Subject> = None;
        for line in lines {
            match &line.value {
                MachineStatement::Of(found) => {
                    let is_second = subject.replace(*found).is_some();
                    if is_second {
                        let problem = Problem::error("`of` stands here twice", entry.at(line.span), "the second time");
                        self.problems.push(problem.help("a machine tells of one status"));
                    }
                }
                MachineStatement::State(name, text) => {
                    if RESERVED.contains(&name.value.as_str()) {
                        let message = format!("`{}` is not a name for a state", name.value);
                        let problem =
                            Problem::error(message, entry.at(name.span), "this word has a meaning of its own");
                        self.problems.push(problem.help("`any`, `previous` and `given` are for transitions"));
                    }
                    if machine.states.iter().any(|(known, _)| *known == name.value) {
                        let message = format!("state `{}` stands here twice", name.value);
                        let problem = Problem::error(message, entry.at(name.span), "the second time");
                        self.problems.push(problem.help("remove one of them"));
                    }
                    let text = text.as_ref().map(|text| text.value.clone()).unwrap_or_default();
                    machine.states.push((name.value.clone(), text));
                }
                _ => {}
            }
        }
        match subject {
            Some(subject) => self.subject(entry, machine, subject),
            None if self.is_whole(entry) => {
                let problem =
                    Problem::error("the machine does not say whose status it tells", entry.origin(), "of what?");
                let help = "nest `of volume status`, `of volume attach_status`, `of volume migration_status` or `of attachment status` under it";
                self.problems.push(problem.help(help));
            }
            None => {}
        }
    }

    /// Every status has one machine at most.
    fn subject(&mut self, entry: &Entry, machine: &mut Machine, subject: Subject) {
        machine.subject = subject;
        if let Some(first) = self.grammar.machine(subject) {
            let message = format!("a second machine of the same status as `{}`", first.name);
            let problem = Problem::error(message, entry.origin(), "the second").and(first.origin, "the first");
            self.problems.push(problem.help("put their states and transitions into one machine"));
        }
    }

    /// The index of a state of this machine that may be named once; the words are its kind and what is said of a second one.
    fn only_state(
        &mut self,
        entry: &Entry,
        machine: &Machine,
        name: &Name,
        known: Option<usize>,
        (kind, help): (&str, &str),
    ) -> Option<usize> {
        if known.is_some() {
            let problem = Problem::error(format!("a second {kind} state"), entry.at(name.span), "the second");
            self.problems.push(problem.help(help));
        }
        self.machine_state(entry, machine, name)
    }

    /// The index of a state of this machine.
    fn machine_state(&mut self, entry: &Entry, machine: &Machine, name: &Name) -> Option<usize> {
        let index = machine.states.iter().position(|(state, _)| *state == name.value);
        if index.is_none() {
            let message = format!("unknown state `{}`", name.value);
            let problem = Problem::error(message, entry.at(name.span), "not a state of this machine");
            let states = machine.states.iter().map(|(state, _)| state.as_str());
            let help = format!("every state needs a line: `state {}`", name.value);
            self.problems.push(problem.suggest(&name.value, states, help));
        }
        index
    }

    /// The indices of states of this machine, each of which may be named once.
    fn machine_states(&mut self, entry: &Entry, machine: &Machine, names: &[Name]) -> Vec<usize> {
        self.twice(entry, names);
        names.iter().filter_map(|name| self.machine_state(entry, machine, name)).collect()
    }

    fn transition(
        &mut self,
        entry: &Entry,
        line: &Line<MachineStatement>,
        written: &TransitionLine,
        machine: &Machine,
    ) -> Option<Transition> {
        self.twice(entry, &written.from);
        let mut from = Vec::new();
        for name in &written.from {
            if name.value != "any" {
                from.push(self.machine_state(entry, machine, name));
            } else if written.from.len() > 1 {
                let problem = Problem::error("`any` beside other states", entry.at(name.span), "this takes them all");
                self.problems.push(problem.help("write `any` alone, or the states"));
            }
        }
        let to = match written.to.value.as_str() {
            "previous" => Some(Target::Previous),
            "given" => Some(Target::Given),
            _ => self.machine_state(entry, machine, &written.to).map(Target::State),
        };
        let by = self.step_list(entry, &written.by);
        let guards = written.guards.iter().map(|guard| self.guard(entry, guard)).collect();
        let from: Option<Vec<usize>> = from.into_iter().collect();
        let origin = entry.at(line.span);
        Some(Transition { from: from?, to: to?, by, failing: written.failing, legal: !written.illegal, guards, origin })
    }

    fn guard(&mut self, entry: &Entry, guard: &GuardWords) -> Guard {
        match guard {
            GuardWords::Multiattach => Guard::Multiattach,
            GuardWords::Others(state) => {
                self.check_state(entry, state, Some(Subject::Attachment));
                Guard::Others(state.value.clone())
            }
            GuardWords::Some(state) => {
                self.check_state(entry, state, Some(Subject::Attachment));
                Guard::Some(state.value.clone())
            }
            GuardWords::NoOthers => Guard::NoOthers,
            GuardWords::SameServer => Guard::SameServer,
            GuardWords::Connector => Guard::Connector,
            GuardWords::Direct => Guard::Direct,
            GuardWords::Migration(state) => {
                self.check_state(entry, state, Some(Subject::VolumeMigration));
                Guard::Migration(state.value.clone())
            }
            GuardWords::Target => Guard::Target,
            GuardWords::Asked(key, value) => {
                Guard::Asked(key.value.clone(), value.as_ref().map(|value| value.value.clone()))
            }
        }
    }
}
