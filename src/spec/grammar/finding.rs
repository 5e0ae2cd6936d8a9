//! Findings: what can be wrong, and what is said of it.

use super::{Origin, StepId};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Legal, but costs somebody something.
    Warning,
    /// The protocol is broken.
    Error,
}

/// A finding of the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRule {
    /// `FC0201`.
    pub code: String,
    /// `attach-never-executed`.
    pub name: String,
    /// One line for readers; may hold `{step}`, `{volume}`, `{server}`, `{status}`, `{from}`, `{to}`, `{host}`, `{delay}`.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is raised for, the most special first.
    pub when: Vec<Trigger>,
    /// What the logs show.
    pub symptom: Vec<String>,
    /// The lines of the logs that show it, in their order.
    pub sequence: Vec<String>,
    /// Why it happens.
    pub cause: Vec<String>,
    /// What an operator does now.
    pub remedy: Vec<String>,
    /// What an operator should not do.
    pub avoid: Vec<String>,
    /// Upstream bugs.
    pub bugs: Vec<Bug>,
    /// Upstream sources.
    pub sources: Vec<String>,
    /// Where it is written.
    pub origin: Origin,
}

/// An upstream bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// `LP 1960401`, its number on Launchpad.
    pub number: String,
    /// The first releases of the main line that have the remedy: `nova 25.0.0`; none when there is none.
    pub fixed: Vec<String>,
}

/// What raises a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What is wrong.
    pub wrong: Wrong,
    /// For what is logged: the sign that the message has.
    pub sign: Option<String>,
    /// Only for these steps; empty for any.
    pub steps: Vec<StepId>,
    /// Only in these flows; empty for any.
    pub flows: Vec<String>,
    /// Only when the subject is left in one of these states; empty for any.
    pub states: Vec<String>,
    /// Only when a message with this sign was logged in the flow.
    pub with: Option<String>,
    /// Only when no message with this sign was.
    pub without: Option<String>,
}

impl Trigger {
    /// In how many ways it is narrowed.
    pub fn narrowed(&self) -> usize {
        let lists = [!self.steps.is_empty(), !self.flows.is_empty(), !self.states.is_empty()];
        let ways = lists.into_iter().chain([self.with.is_some(), self.without.is_some()]);
        ways.filter(|narrowed| *narrowed).count()
    }
}

/// What can be wrong with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// A step had to be seen and was not, and later ones were.
    Missing,
    /// The flow stopped before a step, and its deadline has passed.
    Stuck,
    /// A step was seen that is not allowed there.
    Unexpected,
    /// A step was seen, but not at its place.
    OutOfOrder,
    /// A step was seen, and its request is about another volume or attachment.
    AboutAnother,
    /// A step took a status to where it may not go from where it was.
    IllegalTransition,
    /// The flow has ended, and a status is left in a state of transit.
    LeftBehind,
    /// What was done was not undone when the flow failed.
    NotRolledBack,
    /// A cast was consumed after its deadline.
    Late,
    /// A call was never answered.
    TimedOut,
    /// A step was accepted and changed nothing.
    NoEffect,
    /// A status that was seen is not the one that follows from the steps.
    StatusContradiction,
    /// A step failed.
    Failed,
    /// A message was logged that is a sign of something.
    Logged,
    /// A call was done although its sender had given up.
    DoneLate,
    /// Two flows, or two pieces of work that should wait for one another, were at work at one time.
    Overlapping,
}
