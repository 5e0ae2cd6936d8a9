//! What stands around flows and findings: the header, what would decide open flows, volumes, inputs, the summary.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use crate::base::time::SECOND;
use crate::check::verdict::{MissingEvidence, Outcome, Verdict, VolumeHistory};
use crate::model::source::SourceSummary;
use crate::report::build;
use crate::report::hints::hint;
use crate::report::subject::{Subject, level_name};
use crate::report::text::Detail;
use crate::report::text::findings::tone;
use crate::report::text::look::{Look, Tone, clean, count, duration, short, thousands};
use crate::spec::grammar::Severity;
use crate::trace::clocks::Clock;

/// Writes `flowcheck 0.1.0   6 files, 2 hosts, 1,204 records, 2026-11-22 07:32:33 - 07:33:39` and the services.
pub(super) fn header(out: &mut String, subject: &Subject<'_>, look: &Look) {
    let title = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let mut parts = vec![count(subject.sources.iter().map(|source| source.parts.len().max(1)).sum(), "file")];
    let mut hosts: Vec<&str> = coverages(subject).filter_map(|coverage| coverage.host.as_deref()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if !hosts.is_empty() {
        parts.push(count(hosts.len(), "host"));
    }
    let records: u64 = subject.sources.iter().map(|source| source.records).sum();
    parts.push(format!("{} record{}", thousands(records), if records == 1 { "" } else { "s" }));
    if let Some((first, last)) = subject.span() {
        let (first, last) = (first.to_string().replace('T', " "), last.to_string().replace('T', " "));
        let last = if first[..10] == last[..10] { &last[11..19] } else { &last[..19] };
        parts.push(format!("{} - {last}", &first[..19]));
    }
    look.hanging(out, title, title.len() + 3, &parts.join(", "));
    let mut services: Vec<_> = coverages(subject).filter_map(|coverage| coverage.service).collect();
    services.sort_unstable();
    services.dedup();
    let names: Vec<&str> = services.iter().map(|service| subject.grammar.vocabulary.service_name(*service)).collect();
    if !names.is_empty() {
        look.hanging(out, "", title.len() + 3, &clean(&names.join(", ")));
    }
    out.push('\n');
}

fn coverages<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a crate::model::source::Coverage> + use<'a> {
    subject.sources.iter().flat_map(|source| &source.coverage)
}

/// Writes what would decide, the same need of several flows once.
pub(super) fn open_flows(out: &mut String, subject: &Subject<'_>, look: &Look) {
    let mut needs: Vec<(&MissingEvidence, Vec<&str>, Vec<&str>)> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for flow in &subject.checked.flows {
        for need in &flow.missing_evidence {
            let index = *known.entry((&need.service, &need.needs)).or_insert(needs.len());
            if index == needs.len() {
                needs.push((need, Vec::new(), Vec::new()));
            }
            let (_, flows, steps) = &mut needs[index];
            if !flows.contains(&flow.id.as_str()) {
                flows.push(&flow.id);
            }
            steps
                .extend(need.steps.iter().map(String::as_str).filter(|step| !steps.contains(step)).collect::<Vec<_>>());
        }
    }
    let mut undecided: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for flow in subject.checked.flows.iter().filter(|flow| flow.outcome == Outcome::Unknown) {
        if !flow.possible_variants.is_empty() {
            undecided.entry(flow.possible_variants.join(" or ")).or_default().push(&flow.id);
        }
    }
    if needs.is_empty() && undecided.is_empty() {
        return;
    }
    look.hanging(out, "", 0, "What would decide the open flows:");
    for (variants, flows) in undecided {
        let text = format!("{variants}: these logs do not tell which\nfor {}", clean(&abbreviated(&flows, 6)));
        look.hanging(out, " ??", 5, &text);
    }
    for (need, flows, steps) in needs {
        let needs = if need.needs.is_empty() { format!("the log of {}", need.service) } else { need.needs.clone() };
        let mut text = clean(&needs);
        if !steps.is_empty() {
            text.push_str(&format!(" (shows {})", clean(&abbreviated(&steps, 3))));
        }
        text.push_str(&format!("\nfor {}", clean(&abbreviated(&flows, 6))));
        look.hanging(out, " ??", 5, &text);
    }
    out.push('\n');
}

/// The first few, and how many more there are.
fn abbreviated(words: &[&str], most: usize) -> String {
    let shown = words.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    if words.len() > most { format!("{shown} and {} more", words.len() - most) } else { shown }
}

/// Writes volumes that no flow speaks of, and with `-v` all of them.
pub(super) fn volumes(out: &mut String, subject: &Subject<'_>, look: &Look, detail: Detail) {
    let told = |volume: &VolumeHistory| subject.checked.flows.iter().any(|flow| flow.volume == Some(volume.id));
    let volumes = subject.checked.volumes.iter();
    let mut any = false;
    for volume in volumes.filter(|volume| detail == Detail::Verbose || (detail == Detail::Normal && !told(volume))) {
        let track = history(volume);
        if track.is_empty() {
            continue;
        }
        any = true;
        let name = short(volume.name.as_deref(), Some(volume.id));
        look.hanging(out, "volume", 8, &format!("{name}  {track}"));
    }
    if any {
        out.push('\n');
    }
}

/// The statuses of a volume: those of its transitions, or those that were seen.
fn history(volume: &VolumeHistory) -> String {
    let mut track: Vec<String> = Vec::new();
    for transition in &volume.transitions {
        if let Some(from) = transition.from.as_deref().filter(|from| track.last().map(String::as_str) != Some(from)) {
            track.push(clean(from));
        }
        track.push(clean(&transition.to));
    }
    if track.is_empty() {
        track.extend(volume.observed.iter().map(|seen| clean(&seen.status)));
        track.dedup();
    }
    track.join(" > ")
}

/// At most so many inputs with unread lines are listed.
const MOST_UNREAD: usize = 8;

/// Writes remarks on inputs, and with `-v` what each of them shows.
pub(super) fn inputs(out: &mut String, subject: &Subject<'_>, errors: &[String], look: &Look, detail: Detail) {
    let before = out.len();
    if detail == Detail::Verbose {
        for source in subject.sources {
            let mut parts = vec![coverage(subject, source)];
            parts.extend(source.remark.as_deref().map(clean));
            parts.extend(hint(subject.grammar, source));
            parts.extend((source.unread_lines > 0).then(|| unread(source)));
            look.hanging(out, "input", 8, &format!("{}: {}", clean(&source.path), parts.join("; ")));
        }
    } else {
        remarks(out, subject.sources, look);
        if subject.checked.flows.iter().any(|flow| flow.verdict == Verdict::Inconclusive) {
            hints(out, subject, look);
        }
    }
    for error in errors {
        look.hanging(out, "error", 8, &clean(error));
    }
    if out.len() > before {
        out.push('\n');
    }
}

/// Writes each remark once with the inputs that it is about, and the inputs with the most unread lines.
fn remarks(out: &mut String, sources: &[SourceSummary], look: &Look) {
    let mut inputs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        if let Some(remark) = &source.remark {
            inputs.entry(remark).or_default().push(&source.path);
        }
    }
    for (remark, paths) in inputs {
        let paths = clean(&abbreviated(&paths, 3));
        look.hanging(out, "input", 8, &format!("{}: {paths}", clean(remark)));
    }
    let mut odd: Vec<&SourceSummary> =
        sources.iter().filter(|source| source.unread_lines > 0 && source.remark.is_none()).collect();
    // The sort is stable: inputs with the same number stay in the order of reading.
    odd.sort_by_key(|source| std::cmp::Reverse(source.unread_lines));
    for source in odd.iter().take(MOST_UNREAD) {
        look.hanging(out, "input", 8, &format!("{}: {}", clean(&source.path), unread(source)));
    }
    if odd.len() > MOST_UNREAD {
        look.hanging(out, "input", 8, &format!("{} more with unread lines (-v shows them)", odd.len() - MOST_UNREAD));
    }
}

/// Writes each hint once with the inputs that it is about: something is not decided, and they hide what may decide it.
fn hints(out: &mut String, subject: &Subject<'_>, look: &Look) {
    let mut inputs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for source in subject.sources {
        if let Some(hint) = hint(subject.grammar, source) {
            inputs.entry(hint).or_default().push(&source.path);
        }
    }
    for (hint, paths) in inputs {
        look.hanging(out, "hint", 8, &clean(&format!("{hint} ({})", abbreviated(&paths, 3))));
    }
}

/// `12 of 120 lines belong to no record (lines 3, 4, 9, ...)`.
fn unread(source: &SourceSummary) -> String {
    let sample = |line: &u64| match (source.parts.as_slice(), source.part(*line)) {
        ([_, _, ..], Some(part)) => {
            let name = part.path.rsplit('/').next().unwrap_or(&part.path);
            clean(&format!("{name}:{}", line - part.lines_before))
        }
        _ => line.to_string(),
    };
    let samples: Vec<String> = source.unread_samples.iter().take(3).map(sample).collect();
    let more = if source.unread_lines > samples.len() as u64 { ", ..." } else { "" };
    let (verb, noun) = if source.unread_lines == 1 { ("belongs", "line") } else { ("belong", "lines") };
    format!(
        "{} of {} lines {verb} to no record ({noun} {}{more})",
        thousands(source.unread_lines),
        thousands(source.lines),
        samples.join(", ")
    )
}

/// `oslo, 101 records; nova-api on node1 at DEBUG with RPC lines`.
fn coverage(subject: &Subject<'_>, source: &SourceSummary) -> String {
    let format = source.format.as_deref().unwrap_or("not recognised");
    let services = source.coverage.iter().map(|coverage| {
        let service = coverage.service.map_or("unknown service", |id| subject.grammar.vocabulary.service_name(id));
        let host =
            coverage.host.as_deref().or(source.host()).map(|host| format!(" on {}", clean(host))).unwrap_or_default();
        let rpc = if coverage.rpc_debug { " with RPC lines" } else { "" };
        format!("{service}{host} at {}{rpc}", level_name(coverage.level))
    });
    let services: Vec<String> = services.collect();
    let colon = if services.is_empty() { "" } else { "; " };
    let first = source.coverage.iter().filter_map(|coverage| coverage.first).min();
    let last = source.coverage.iter().filter_map(|coverage| coverage.last).max();
    let span = first.zip(last).map(|(first, last)| format!(", {first} - {last}")).unwrap_or_default();
    let files = match source.parts.len() {
        0 | 1 => String::new(),
        count => format!(" in {count} files"),
    };
    let records = count(source.records as usize, "record");
    clean(&format!("{format}, {records}{files}{span}{colon}{}", services.join(", ")))
}

/// How far a clock has to be off for a note, in microseconds.
const OFF: i64 = SECOND;

/// Writes which clocks are certain to be off, and which contradict themselves.
pub(super) fn clocks(out: &mut String, subject: &Subject<'_>, look: &Look) {
    let before = out.len();
    for clock in &subject.checked.clocks {
        let name = clock_name(subject, clock);
        if let Some(reference) = subject.reference(clock) {
            let far = match (clock.least, clock.most) {
                (Some(least), Some(most)) if least > OFF => {
                    Some(format!("{} to {} ahead of", duration(least), duration(most)))
                }
                (Some(least), None) if least > OFF => Some(format!("at least {} ahead of", duration(least))),
                (Some(least), Some(most)) if most < -OFF => {
                    Some(format!("{} to {} behind", duration(-most), duration(-least)))
                }
                (None, Some(most)) if most < -OFF => Some(format!("at least {} behind", duration(-most))),
                _ => None,
            };
            if let Some(far) = far {
                look.hanging(out, "clock", 8, &format!("{name} is {far} {}", clock_name(subject, reference)));
            }
        }
        if clock.contradicting * 10 > clock.causes {
            let text = format!(
                "{} that {} of {name} contradict the others: a clock was set, or ids are not what they seem",
                count(clock.contradicting, "cause"),
                if clock.contradicting == 1 { "tells" } else { "tell" }
            );
            look.hanging(out, "clock", 8, &text);
        }
    }
    if out.len() > before {
        out.push('\n');
    }
}

/// `nova-compute.log`, `nova-compute in all.log`, `the date of nova-api's answers in client.log`.
fn clock_name(subject: &Subject<'_>, clock: &Clock) -> String {
    let path = clean(subject.source(clock.owner.source));
    let service = clock.owner.service.map(|service| clean(subject.grammar.vocabulary.service_name(service)));
    let services = subject.sources.get(clock.owner.source.0 as usize).map_or(0, |source| source.coverage.len());
    match service {
        Some(service) if clock.owner.dates => format!("the date of {service}'s answers in {path}"),
        Some(service) if services > 1 => format!("{service} in {path}"),
        _ => path,
    }
}

/// Writes `2 flows: 1 completed, 1 stuck.  1 conformant, 1 violated.  1 error.`
pub(super) fn summary(out: &mut String, subject: &Subject<'_>, look: &Look) {
    let summary = build::summary(&subject.checked.flows);
    let flows = summary.flows;
    let outcomes = [
        (flows.completed, "completed", None),
        (flows.refused, "refused", None),
        (flows.failed, "failed", None),
        (flows.stuck, "stuck", None),
        (flows.unknown, "unknown", None),
    ];
    let verdicts = [
        (summary.verdicts.conformant, "conformant", Some(Tone::Good)),
        (summary.verdicts.violated, "violated", Some(Tone::Bad)),
        (summary.verdicts.inconclusive, "inconclusive", Some(Tone::Doubt)),
    ];
    let flow_count = look.paint(Tone::Strong, &count(subject.checked.flows.len(), "flow"));
    let mut sentences = if subject.checked.flows.is_empty() {
        vec![format!("{flow_count}.")]
    } else {
        vec![format!("{flow_count}: {}.", joined(&outcomes, look)), format!("{}.", joined(&verdicts, look))]
    };
    let findings = summary.findings;
    let counts = [
        (findings.error, "error", Severity::Error),
        (findings.warning, "warning", Severity::Warning),
        (findings.note, "note", Severity::Note),
    ];
    let words: Vec<String> = counts
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, noun, severity)| look.paint(tone(*severity), &count(*number, noun)))
        .collect();
    if !words.is_empty() {
        sentences.push(format!("{}.", words.join(", ")));
    }
    let line = sentences.join("  ");
    let text = if display_width(&line) <= look.width { line } else { sentences.join("\n") };
    look.hanging(out, "", 0, &text);
}

/// The counts that are not zero.
fn joined(counts: &[(usize, &str, Option<Tone>)], look: &Look) -> String {
    let words = counts.iter().filter(|(number, ..)| *number > 0).map(|(number, word, tone)| {
        let text = format!("{} {word}", thousands(*number as u64));
        tone.map_or_else(|| text.clone(), |tone| look.paint(tone, &text))
    });
    words.collect::<Vec<_>>().join(", ")
}
