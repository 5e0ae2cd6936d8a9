//! `finding`: what can be wrong.

use super::Parser;
use crate::spec::grammar::{Severity, Wrong};
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::{FindingStatement, WhenLine};
use crate::spec::words::{Words, is_name};

/// The statements of a finding.
const KNOWN: [&str; 8] = ["severity", "when", "symptom", "sequence", "cause", "remedy", "avoid", "bug"];

/// What narrows a `when`, in its order.
const NARROWING: [&str; 5] = ["at", "in", "state", "with", "without"];

/// What can be wrong, in words.
pub(crate) const WRONGS: [(&str, Wrong); 16] = [
    ("missing", Wrong::Missing),
    ("stuck", Wrong::Stuck),
    ("unexpected", Wrong::Unexpected),
    ("out of order", Wrong::OutOfOrder),
    ("about another", Wrong::AboutAnother),
    ("illegal transition", Wrong::IllegalTransition),
    ("left behind", Wrong::LeftBehind),
    ("not rolled back", Wrong::NotRolledBack),
    ("late", Wrong::Late),
    ("timed out", Wrong::TimedOut),
    ("no effect", Wrong::NoEffect),
    ("status contradiction", Wrong::StatusContradiction),
    ("failed", Wrong::Failed),
    ("logged", Wrong::Logged),
    ("done late", Wrong::DoneLate),
    ("overlapping", Wrong::Overlapping),
];

/// The words of a severity.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The words for what is wrong.
pub(crate) fn wrong_words(wrong: Wrong) -> &'static str {
    WRONGS.iter().find(|(_, known)| *known == wrong).map_or("missing", |(words, _)| words)
}

impl Parser<'_> {
    /// A line of a finding.
    pub(super) fn finding_statement(&mut self, node: &Node, words: &mut Words) -> Result<FindingStatement, Problem> {
        let first = words.peek().unwrap_or_default();
        if !KNOWN.contains(&first) {
            return self.quote(node, words, &KNOWN).map(FindingStatement::Quote);
        }
        self.leaf(node);
        words.expect(first)?;
        match first {
            "severity" => match words.one_of("a severity", &["error", "warning", "note"])?.value {
                "error" => Ok(FindingStatement::Severity(Severity::Error)),
                "warning" => Ok(FindingStatement::Severity(Severity::Warning)),
                _ => Ok(FindingStatement::Severity(Severity::Note)),
            },
            "when" => when(words).map(FindingStatement::When),
            "symptom" => words.text("a sentence").map(FindingStatement::Symptom),
            "sequence" => words.text("a line of the logs").map(FindingStatement::Sequence),
            "cause" => words.text("a sentence").map(FindingStatement::Cause),
            "remedy" => words.text("a sentence").map(FindingStatement::Remedy),
            "avoid" => words.text("a sentence").map(FindingStatement::Avoid),
            _ => bug(words),
        }
    }
}

/// `"LP NNN" [fixed "PROJECT RELEASE", "PROJECT RELEASE"]`.
fn bug(words: &mut Words) -> Result<FindingStatement, Problem> {
    let number = words.text("the number of a bug")?;
    if number.value.strip_prefix("LP ").is_none_or(|digits| !is_number(digits)) {
        let problem = Problem::error(format!("`{}` is no bug", number.value), words.at(number.span), "this");
        return Err(problem.help("a bug is `LP` and its number on Launchpad, as in `\"LP 1960401\"`"));
    }
    let fixed = if words.take("fixed") { words.texts("a release")? } else { Vec::new() };
    for release in &fixed {
        let is_release = release.value.split_once(' ').is_some_and(|(project, version)| {
            is_name(project) && version.split('.').count() == 3 && version.split('.').all(is_number)
        });
        if !is_release {
            let problem = Problem::error(format!("`{}` is no release", release.value), words.at(release.span), "this");
            return Err(problem.help("a release is a project and three numbers, as in `\"nova 25.0.0\"`"));
        }
    }
    Ok(FindingStatement::Bug(number, fixed))
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `when WRONG [SIGN] [at STEPS] [in FLOWS] [state STATES] [with SIGN] [without SIGN]`.
fn when(words: &mut Words) -> Result<WhenLine, Problem> {
    let wrong = wrong(words)?;
    let sign = if wrong == Wrong::Logged { Some(words.name("the sign of a message")?) } else { None };
    let (steps, flows, states) = (Vec::new(), Vec::new(), Vec::new());
    let mut line = WhenLine { wrong, sign, steps, flows, states, with: None, without: None };
    if words.take("at") {
        line.steps = words.names("a step")?;
    }
    if words.take("in") {
        line.flows = words.names("a flow")?;
    }
    if words.take("state") {
        line.states = words.names("a state")?;
    }
    if words.take("with") {
        line.with = Some(words.name("the sign of a message")?);
    }
    if words.take("without") {
        line.without = Some(words.name("the sign of a message")?);
    }
    if !words.is_empty() {
        let problem =
            words.expected(&format!("{} or the end of the line", NARROWING.map(|word| format!("`{word}`")).join(", ")));
        let order = "they stand in this order: `at STEP, STEP in FLOW, FLOW state STATE, STATE with SIGN without SIGN`";
        return Err(problem.help(order));
    }
    Ok(line)
}

/// The words that say what is wrong: one to three of them.
fn wrong(words: &mut Words) -> Result<Wrong, Problem> {
    let mut origin = words.here();
    let mut said = String::new();
    while let Some(word) = words.peek() {
        if NARROWING.contains(&word) {
            break;
        }
        origin.span.end = words.here().span.end;
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(word);
        words.word("what is wrong")?;
        if let Some((_, wrong)) = WRONGS.iter().find(|(known, _)| *known == said) {
            return Ok(*wrong);
        }
    }
    if said.is_empty() {
        return Err(words.expected("what is wrong"));
    }
    let all = WRONGS.map(|(known, _)| known);
    let help = format!("it is one of: {}", all.join(", "));
    Err(Problem::error(format!("nothing is wrong in the way `{said}`"), origin, "not known").suggest(&said, all, help))
}
