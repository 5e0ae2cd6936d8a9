//! From what is wrong with a case to a finding of the registry.

use crate::base::time::Timestamp;
use crate::check::verdict::{Evidence, Finding};
use crate::spec::grammar::{FindingRule, Grammar, Origin, Severity, StepId, Wrong};

/// What is wrong with a case, before it has a code.
#[derive(Clone, Debug)]
pub(crate) struct Defect {
    pub(crate) wrong: Wrong,
    /// The sign that was logged.
    pub(crate) sign: Option<String>,
    /// The steps that it is about; the first names it.
    pub(crate) steps: Vec<StepId>,
    /// The status that is left behind.
    pub(crate) state: Option<String>,
    /// Its shape beyond code, flow and step, for the fingerprint: no ids, no times.
    pub(crate) shape: String,
    /// What the specification expects.
    pub(crate) expected: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) rule: Option<Origin>,
    /// What may stand in the texts of the finding.
    pub(crate) values: Vec<(&'static str, String)>,
}

impl Defect {
    pub(crate) fn new(wrong: Wrong, steps: Vec<StepId>) -> Self {
        Self {
            wrong,
            sign: None,
            steps,
            state: None,
            shape: String::new(),
            expected: String::new(),
            evidence: Vec::new(),
            rule: None,
            values: Vec::new(),
        }
    }
}

/// The finding for a defect of a flow in which messages with these signs were logged: that of the most special trigger that
/// fits. `None` when the registry has none.
pub(crate) fn finding(grammar: &Grammar, flow: &str, signs: &[String], defect: Defect) -> Option<Finding> {
    let (rule, _) = grammar
        .findings
        .iter()
        .flat_map(|rule| rule.when.iter().map(move |trigger| (rule, trigger)))
        .filter_map(|(rule, trigger)| {
            let steps = trigger.steps.is_empty() || defect.steps.iter().any(|step| trigger.steps.contains(step));
            let flows = trigger.flows.is_empty() || trigger.flows.iter().any(|name| name == flow);
            let state = |known: &String| Some(known) == defect.state.as_ref();
            let states = trigger.states.is_empty() || trigger.states.iter().any(state);
            let with = trigger.with.as_ref().is_none_or(|sign| signs.contains(sign));
            let without = trigger.without.as_ref().is_none_or(|sign| !signs.contains(sign));
            let same = trigger.wrong == defect.wrong && trigger.sign == defect.sign;
            (same && steps && flows && states && with && without).then_some((rule, trigger.narrowed()))
        })
        // The first of the most special ones.
        .rev()
        .max_by_key(|(_, rank)| *rank)?;
    let step = defect.steps.first().map(|step| grammar.step_at(*step).name.clone());
    let fill = |text: &String| fill(text, &defect.values);
    Some(Finding {
        code: rule.code.clone(),
        name: rule.name.clone(),
        severity: rule.severity,
        message: fill(&rule.title),
        expected: defect.expected.clone(),
        help: rule.remedy.iter().map(fill).collect(),
        avoid: rule.avoid.iter().map(fill).collect(),
        fingerprint: fingerprint(rule, flow, step.as_deref(), &defect.shape),
        step,
        evidence: defect.evidence,
        rule: defect.rule,
    })
}

/// Puts values at the placeholders of a text. One that is not known is shown as the word itself, without braces.
fn fill(text: &str, values: &[(&'static str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        filled.push_str(before);
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.push_str(&name.to_uppercase()),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// 64 bits of FNV-1a over code, flow, step and shape: the same for the same defect in any log.
fn fingerprint(rule: &FindingRule, flow: &str, step: Option<&str>, shape: &str) -> String {
    let text = [rule.code.as_str(), flow, step.unwrap_or(""), shape].join("\u{1f}");
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Whether a finding breaks the protocol.
pub(crate) fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

/// A span of time for readers: `350 ms`, `4.6 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(micros: i64) -> String {
    let millis = micros / 1_000;
    match millis {
        ..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{} h {:02} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

/// A moment for readers.
pub(crate) fn clock(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "an unknown time".to_owned(), Timestamp::clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_filled() {
        let values = [("volume", "c6e2".to_owned())];
        assert_eq!(fill("delete {volume} on {host} now", &values), "delete c6e2 on HOST now");
        assert_eq!(fill("a { b", &values), "a { b");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(350_000), "350 ms");
        assert_eq!(duration(4_650_000), "4.6 s");
        assert_eq!(duration(200_000_000), "3 min 20 s");
    }
}
