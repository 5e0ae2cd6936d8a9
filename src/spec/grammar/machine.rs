//! Status machines: which status follows from which.

use super::{Origin, StepId};

/// Whose history a machine tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `volumes.status`.
    VolumeStatus,
    /// `volumes.attach_status`.
    VolumeAttachStatus,
    /// `volumes.migration_status`.
    VolumeMigration,
    /// `volume_attachment.attach_status`, one record at a time.
    Attachment,
}

/// The legal transitions of one status.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// `volume-status`.
    pub name: String,
    /// One line for readers.
    pub title: String,
    /// Upstream sources.
    pub sources: Vec<String>,
    /// Whose status it is.
    pub subject: Subject,
    /// All states, with a line of explanation each (may be empty).
    pub states: Vec<(String, String)>,
    /// Indices of the states in which nothing is under way.
    pub rest: Vec<usize>,
    /// The index of the state of what is not there yet.
    pub initial: Option<usize>,
    /// Indices of the states of what is there no more.
    pub finals: Vec<usize>,
    /// The index of the state in which the volume's own answer lists it.
    pub listed: Option<usize>,
    /// The transitions, in the order of the file: the first that fits is taken.
    pub transitions: Vec<Transition>,
    /// Steps that answer well and change nothing when no transition of theirs fits.
    pub unchanged: Vec<StepId>,
    /// Where it is written.
    pub origin: Origin,
}

impl Machine {
    /// Whether a step can make a transition of this machine, or is known to change nothing.
    pub fn concerns(&self, step: StepId) -> bool {
        self.unchanged.contains(&step) || self.transitions_by(step).next().is_some()
    }

    /// The transitions that a step can make, in their order.
    pub fn transitions_by(&self, step: StepId) -> impl Iterator<Item = &Transition> {
        self.transitions.iter().filter(move |transition| transition.by.contains(&step))
    }

    /// Whether a step can make what was not there before.
    pub fn makes(&self, step: StepId) -> bool {
        self.initial.is_some_and(|initial| self.transitions_by(step).any(|made| made.from.contains(&initial)))
    }

    /// Whether a step can only remove what was there before.
    pub fn removes(&self, step: StepId) -> bool {
        let is_final = |made: &Transition| matches!(made.to, Target::State(to) if self.finals.contains(&to));
        let mut well = self.transitions_by(step).filter(|made| !made.failing).peekable();
        well.peek().is_some() && well.all(is_final)
    }

    /// Whether a step that fits does its work in both states, or brings one to the other.
    pub fn works_between(&self, from: usize, to: usize, fits: impl Fn(StepId) -> bool) -> bool {
        self.transitions.iter().any(|made| {
            let arrives = made.from.contains(&to) || matches!(made.to, Target::State(state) if state == to);
            made.from.contains(&from) && arrives && made.by.iter().any(|step| fits(*step))
        })
    }

    /// The index of a state.
    pub fn state(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|(known, _)| known == name)
    }

    /// Whether in a state nothing is there, not yet or no more.
    pub fn is_absent(&self, state: usize) -> bool {
        self.initial == Some(state) || self.finals.contains(&state)
    }
}

/// One line of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Indices of the states it may start from; empty for any state.
    pub from: Vec<usize>,
    /// Where it leads.
    pub to: Target,
    /// The steps that make it.
    pub by: Vec<StepId>,
    /// Whether it is made when the step fails (else when it succeeds).
    pub failing: bool,
    /// Whether it is legal; cinder makes some transitions that break the protocol.
    pub legal: bool,
    /// All have to hold.
    pub guards: Vec<Guard>,
    /// Where it is written.
    pub origin: Origin,
}

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// That state.
    State(usize),
    /// The state before the last transition.
    Previous,
    /// The state that the request's body names.
    Given,
}

/// A condition of a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The volume is multiattach.
    Multiattach,
    /// Another attachment record of the volume has this state.
    Others(String),
    /// No other attachment record of the volume is left.
    NoOthers,
    /// Some attachment record of the volume is known from these logs to have this state.
    Some(String),
    /// The volume already has a record for the same server.
    SameServer,
    /// The request has a connector.
    Connector,
    /// The request was sent straight to cinder: no request to nova caused it.
    Direct,
    /// The volume's migration is in this state.
    Migration(String),
    /// The volume is the one that takes the place of the request's own.
    Target,
    /// The request's body has this key, true or with this value.
    Asked(String, Option<String>),
}

impl std::fmt::Display for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Multiattach => formatter.write_str("multiattach"),
            Self::Others(state) => write!(formatter, "others {state}"),
            Self::NoOthers => formatter.write_str("no others"),
            Self::Some(state) => write!(formatter, "some {state}"),
            Self::SameServer => formatter.write_str("same server"),
            Self::Connector => formatter.write_str("connector"),
            Self::Direct => formatter.write_str("direct"),
            Self::Migration(state) => write!(formatter, "migration {state}"),
            Self::Target => formatter.write_str("target"),
            Self::Asked(key, None) => write!(formatter, "asked {key}"),
            Self::Asked(key, Some(value)) => write!(formatter, "asked {key} {value}"),
        }
    }
}
