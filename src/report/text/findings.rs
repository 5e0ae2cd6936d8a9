//! A finding, drawn by miette with the log lines that show it, and what to do:
//!
//! ```text
//!   x FC0201 nova-compute never executed attach_volume
//!      ,-[nova-api.log:812:1]
//!  812 | 2026-11-22 07:33:02.110 ... CAST unique_id: 15ab37f9... topic 'compute.node1'
//!      :                             ^^^^^^^|^^^^^^^
//!      :                                    `-- sent here, never received on node1
//!      `----
//!   expected: nova-compute begins attach_volume within 60 s
//!   help:     see whether nova-compute runs on node1
//!   not:      cinder reset-state leaves the attachment record behind
//!   rule:     grammars/attach.flow:18  nova-compute.attach_volume within 60s
//!   flow:     attach-2  web-073301 <- data-073301
//! ```
//!
//! The same defect in several flows is drawn once.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use rustc_hash::FxHashMap;

use crate::check::verdict::{Finding, FlowVerdict};
use crate::report::excerpt::{Excerpt, LineText};
use crate::report::subject::{Subject, rule_line, rule_text};
use crate::report::text::flows::parties;
use crate::report::text::look::{Look, Tone, clean};
use crate::report::text::{Detail, place_words};
use crate::spec::grammar::Severity;

/// The room for the key words in front of texts.
const KEYS: usize = 12;

/// At most this many log lines are drawn of one finding.
const MOST_LINES: usize = 8;

/// Writes the findings, the worst first.
pub(super) fn findings(out: &mut String, subject: &Subject<'_>, lines: &dyn LineText, look: &Look, detail: Detail) {
    let mut groups = grouped(&subject.checked.flows);
    groups.sort_by_key(|group| std::cmp::Reverse(group.finding.severity));
    let mut brief = false;
    for group in &groups {
        if group.finding.severity == Severity::Note && detail < Detail::Verbose {
            if detail == Detail::Normal {
                note(out, subject, group, look);
                brief = true;
            }
        } else {
            draw(out, subject, group, lines, look);
            out.push('\n');
        }
    }
    if brief {
        out.push('\n');
    }
}

/// One defect and the flows that have it.
struct Group<'a> {
    finding: &'a Finding,
    flows: Vec<&'a FlowVerdict>,
}

/// Puts findings with the same fingerprint together, in the order of their first flows.
fn grouped(flows: &[FlowVerdict]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    for flow in flows {
        for finding in &flow.findings {
            let index = *known.entry((&finding.code, &finding.fingerprint)).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) => group.flows.push(flow),
                None => groups.push(Group { finding, flows: vec![flow] }),
            }
        }
    }
    groups
}

fn draw(out: &mut String, subject: &Subject<'_>, group: &Group<'_>, lines: &dyn LineText, look: &Look) {
    let finding = group.finding;
    let drawing = Drawing {
        message: format!("{} {}", clean(&finding.code), clean(&finding.message)),
        severity: finding.severity,
        excerpt: excerpt(subject, finding, lines, look.width),
    };
    // Writing into a string does not fail; a drawing that cannot be made still leaves the message.
    if look.handler().render_report(out, &drawing).is_err() {
        look.hanging(out, "  x", 4, &drawing.message);
    }
    if !finding.expected.is_empty() {
        look.hanging(out, "  expected:", KEYS, &clean(&finding.expected));
    }
    listed(out, look, "  help:", &finding.help);
    listed(out, look, "  not:", &finding.avoid);
    if let Some((path, line)) = finding.rule.and_then(|origin| rule_line(subject.grammar, origin)) {
        let text = finding.rule.and_then(|origin| rule_text(subject.grammar, origin)).unwrap_or("");
        look.hanging(out, "  rule:", KEYS, &format!("{}:{line}  {}", clean(path), clean(text)));
    }
    flows(out, group, look);
}

/// Texts under one key word.
fn listed(out: &mut String, look: &Look, key: &str, texts: &[String]) {
    for (index, text) in texts.iter().enumerate() {
        look.hanging(out, if index == 0 { key } else { "" }, KEYS, &clean(text));
    }
}

/// The flows that have the finding.
fn flows(out: &mut String, group: &Group<'_>, look: &Look) {
    let Some(first) = group.flows.first() else { return };
    let mut text = format!("{}  {}", clean(&first.id), parties(first));
    let others: Vec<String> = group.flows.iter().skip(1).take(8).map(|flow| clean(&flow.id)).collect();
    if !others.is_empty() {
        text.push_str(&format!("; the same in {}", others.join(", ")));
    }
    if group.flows.len() > 9 {
        text.push_str(&format!(" and {} more", group.flows.len() - 9));
    }
    look.hanging(out, "  flow:", KEYS, &text);
}

/// A note is one line.
fn note(out: &mut String, subject: &Subject<'_>, group: &Group<'_>, look: &Look) {
    let finding = group.finding;
    let mut text = format!("{} {} (", clean(&finding.code), clean(&finding.message));
    if let Some(evidence) = finding.evidence.first() {
        text.push_str(&format!("{}, ", place_words(subject, evidence.place)));
    }
    if let Some(flow) = group.flows.first() {
        text.push_str(&clean(&flow.id));
    }
    if group.flows.len() > 1 {
        text.push_str(&format!(" and {} more", group.flows.len() - 1));
    }
    text.push(')');
    look.hanging(out, "note:", 6, &text);
}

/// The log lines of a finding; several roles of one line are put together.
fn excerpt(subject: &Subject<'_>, finding: &Finding, lines: &dyn LineText, width: usize) -> Excerpt {
    let mut excerpt = Excerpt::default();
    let mut done = Vec::new();
    for evidence in &finding.evidence {
        if done.contains(&evidence.place) || done.len() == MOST_LINES {
            continue;
        }
        done.push(evidence.place);
        let mut roles: Vec<&str> = Vec::new();
        for same in finding.evidence.iter().filter(|other| other.place == evidence.place) {
            if !roles.contains(&same.role.as_str()) {
                roles.push(&same.role);
            }
        }
        let text = lines.line(evidence.place);
        let (path, line) = subject.located(evidence.place);
        excerpt.push(path, line, text.as_deref(), &roles.join("; "), width);
    }
    excerpt
}

/// What miette draws.
#[derive(Debug)]
struct Drawing {
    message: String,
    severity: Severity,
    excerpt: Excerpt,
}

impl fmt::Display for Drawing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl Diagnostic for Drawing {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.excerpt.is_empty()).then_some(&self.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels().iter().cloned()))
    }
}

/// The tone of a severity.
pub(super) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Doubt,
        Severity::Note => Tone::Faint,
    }
}
