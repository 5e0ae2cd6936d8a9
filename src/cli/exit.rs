//! The exit codes, and the decision between them.

use std::process::ExitCode;

use crate::check::verdict::{Checked, Outcome, Verdict};
use crate::spec::grammar::Severity;

/// All that flowcheck ever returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// No finding at or above `--fail-on`, and every `--require` is met. Also help, version, and a closed pipe.
    Clean = 0,
    /// A finding at or above `--fail-on`, a `--require` not met, or with `--strict` anything inconclusive.
    Findings = 1,
    /// The work could not be done: bad arguments, unreadable input, broken specification, a limit exceeded.
    Failed = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Only errors: flows that are violated.
    #[default]
    Error,
    /// Warnings too.
    Warning,
    /// No finding fails the run.
    Never,
}

/// `--require FLOW[=N]`: so many flows of that kind have to have completed conformantly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The flow's name.
    pub flow: String,
    /// At least so many.
    pub least: usize,
}

impl std::str::FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (flow, number) = text.split_once('=').unwrap_or((text, "1"));
        if flow.is_empty() {
            return Err("the name of a flow is missing, as in attach=2".to_owned());
        }
        match number.parse() {
            Ok(least) if least > 0 => Ok(Self { flow: flow.to_owned(), least }),
            _ => Err(format!("`{number}` is no number of flows; write {flow}=2, or {flow} for at least one")),
        }
    }
}

/// What makes a run fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Which findings.
    pub fail_on: FailOn,
    /// Which flows have to be there.
    pub require: Vec<Requirement>,
    /// Whether anything inconclusive fails too.
    pub strict: bool,
}

impl Gate {
    /// Decides on what was checked. The texts say why a run fails although no finding says so.
    pub fn decide(&self, checked: &Checked) -> (Exit, Vec<String>) {
        let mut reasons = Vec::new();
        let least = match self.fail_on {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Never => None,
        };
        let findings = checked.flows.iter().flat_map(|flow| &flow.findings);
        let failing = least.is_some_and(|least| findings.map(|finding| finding.severity).any(|each| each >= least));
        for requirement in &self.require {
            let good = checked.flows.iter().filter(|flow| {
                flow.flow == requirement.flow
                    && flow.outcome == Outcome::Completed
                    && flow.verdict == Verdict::Conformant
            });
            let number = good.count();
            if number < requirement.least {
                reasons.push(format!(
                    "--require {}={} is not met: {number} completed conformantly",
                    requirement.flow, requirement.least
                ));
            }
        }
        if self.strict {
            let open = checked.flows.iter().filter(|flow| flow.verdict == Verdict::Inconclusive).count();
            if checked.flows.is_empty() {
                reasons.push("--strict: these logs show no flow, so nothing was decided".to_owned());
            } else if open > 0 {
                reasons.push(format!("--strict: {open} of {} flows inconclusive", checked.flows.len()));
            }
        }
        (if failing || !reasons.is_empty() { Exit::Findings } else { Exit::Clean }, reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::verdict::{Finding, FlowVerdict};

    fn flow(name: &str, outcome: Outcome, verdict: Verdict, severity: Option<Severity>) -> FlowVerdict {
        let finding = |severity| Finding {
            code: "FC0201".to_owned(),
            name: "attach-never-executed".to_owned(),
            severity,
            message: String::new(),
            expected: String::new(),
            help: Vec::new(),
            avoid: Vec::new(),
            step: None,
            fingerprint: String::new(),
            evidence: Vec::new(),
            rule: None,
        };
        FlowVerdict {
            id: format!("{name}-1"),
            flow: name.to_owned(),
            variant: None,
            possible_variants: Vec::new(),
            server: None,
            server_name: None,
            volume: None,
            volume_name: None,
            attachment: None,
            device: None,
            request_ids: Vec::new(),
            client_command: None,
            start: None,
            end: None,
            outcome,
            verdict,
            likely: false,
            statuses: Vec::new(),
            steps: Vec::new(),
            missing_evidence: Vec::new(),
            findings: severity.map(finding).into_iter().collect(),
            blame: None,
            times: None,
            deadline: None,
        }
    }

    fn decide(flows: Vec<FlowVerdict>, gate: Gate) -> Exit {
        gate.decide(&Checked { flows, volumes: Vec::new(), clocks: Vec::new() }).0
    }

    fn warned() -> FlowVerdict {
        flow("attach", Outcome::Completed, Verdict::Conformant, Some(Severity::Warning))
    }

    fn violated() -> FlowVerdict {
        flow("attach", Outcome::Stuck, Verdict::Violated, Some(Severity::Error))
    }

    fn open() -> FlowVerdict {
        flow("detach", Outcome::Unknown, Verdict::Inconclusive, None)
    }

    fn fail_on(fail_on: FailOn) -> Gate {
        Gate { fail_on, ..Gate::default() }
    }

    #[test]
    fn findings_fail_from_the_given_severity_on() {
        assert_eq!(decide(vec![violated()], fail_on(FailOn::Error)), Exit::Findings);
        assert_eq!(decide(vec![violated()], fail_on(FailOn::Never)), Exit::Clean);
        assert_eq!(decide(vec![warned()], fail_on(FailOn::Error)), Exit::Clean);
        assert_eq!(decide(vec![warned()], fail_on(FailOn::Warning)), Exit::Findings);
        let note = flow("attach", Outcome::Completed, Verdict::Conformant, Some(Severity::Note));
        assert_eq!(decide(vec![note], fail_on(FailOn::Warning)), Exit::Clean);
        assert_eq!(decide(vec![open()], fail_on(FailOn::Warning)), Exit::Clean);
    }

    #[test]
    fn a_gate_does_not_pass_on_an_empty_log() {
        let require = |text: &str| Gate { require: vec![text.parse().expect("a requirement")], ..Gate::default() };
        assert_eq!(decide(vec![], require("attach")), Exit::Findings);
        assert_eq!(decide(vec![warned()], require("attach")), Exit::Clean);
        assert_eq!(decide(vec![warned()], require("attach=2")), Exit::Findings);
        assert_eq!(decide(vec![warned()], require("detach")), Exit::Findings);
        let refused = flow("attach", Outcome::Refused, Verdict::Conformant, None);
        assert_eq!(decide(vec![refused], require("attach")), Exit::Findings, "a refused attach did not complete");
        let open = flow("attach", Outcome::Completed, Verdict::Inconclusive, None);
        assert_eq!(decide(vec![open], require("attach")), Exit::Findings);
    }

    #[test]
    fn strict_wants_everything_decided() {
        let strict = || Gate { strict: true, ..Gate::default() };
        assert_eq!(decide(vec![warned()], strict()), Exit::Clean);
        assert_eq!(decide(vec![warned(), open()], strict()), Exit::Findings);
        assert_eq!(decide(vec![], strict()), Exit::Findings);
    }

    #[test]
    fn requirements_are_read() {
        assert_eq!("attach".parse(), Ok(Requirement { flow: "attach".to_owned(), least: 1 }));
        assert_eq!("detach=3".parse(), Ok(Requirement { flow: "detach".to_owned(), least: 3 }));
        for wrong in ["", "=2", "attach=", "attach=0", "attach=-1", "attach=x"] {
            assert!(wrong.parse::<Requirement>().is_err(), "{wrong}");
        }
    }
}
