//! Builds the report object from what was checked.

use crate::base::secret::redact;
use crate::base::time::SECOND;
use crate::check::verdict::{
    Blame, Evidence, Finding, FlowVerdict, MissingEvidence, Outcome, StepVerdict, Times, Verdict, VolumeHistory,
};
use crate::model::source::{Place, SourceSummary};
use crate::model::vocabulary::LayerId;
use crate::report::data::{
    BlameReport, CauseReport, ClockName, ClockReport, FindingReport, FlowReport, Input, LayerTimeReport, LineReport,
    NeedReport, Report, SCHEMA, StatusReport, StepReport, Summary, TimeReport, Tool, TransitionReport, VolumeReport,
};
use crate::report::hints::hint;
use crate::report::subject::{Subject, level_name, rule_line};
use crate::spec::grammar::Severity;
use crate::trace::clocks::Clock;

/// How many characters of an error are told.
const LONGEST_CAUSE: usize = 300;

/// Builds the report.
pub fn report(subject: &Subject<'_>) -> Report {
    let flows: Vec<FlowReport> = subject.checked.flows.iter().map(|flow| flow_report(subject, flow)).collect();
    Report {
        schema: SCHEMA,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        verdict: overall(&subject.checked.flows),
        inputs: subject.sources.iter().map(|source| input(subject, source)).collect(),
        clocks: subject.checked.clocks.iter().map(|clock| clock_report(subject, clock)).collect(),
        findings: flows.iter().flat_map(|flow| flow.findings.iter().cloned()).collect(),
        volumes: subject.checked.volumes.iter().map(|volume| volume_report(subject, volume)).collect(),
        summary: summary(&subject.checked.flows),
        flows,
    }
}

/// The worst verdict. Without any flow nothing was decided.
pub fn overall(flows: &[FlowVerdict]) -> Verdict {
    flows.iter().map(|flow| flow.verdict).max().unwrap_or(Verdict::Inconclusive)
}

/// Counts flows and findings.
pub fn summary(flows: &[FlowVerdict]) -> Summary {
    let mut summary = Summary::default();
    for flow in flows {
        *match flow.outcome {
            Outcome::Completed => &mut summary.flows.completed,
            Outcome::Refused => &mut summary.flows.refused,
            Outcome::Failed => &mut summary.flows.failed,
            Outcome::Stuck => &mut summary.flows.stuck,
            Outcome::Unknown => &mut summary.flows.unknown,
        } += 1;
        *match flow.verdict {
            Verdict::Conformant => &mut summary.verdicts.conformant,
            Verdict::Violated => &mut summary.verdicts.violated,
            Verdict::Inconclusive => &mut summary.verdicts.inconclusive,
        } += 1;
        for finding in &flow.findings {
            *match finding.severity {
                Severity::Error => &mut summary.findings.error,
                Severity::Warning => &mut summary.findings.warning,
                Severity::Note => &mut summary.findings.note,
            } += 1;
        }
    }
    summary
}

fn input(subject: &Subject<'_>, source: &SourceSummary) -> Input {
    let main = source.coverage.first();
    Input {
        path: source.path.clone(),
        parts: match source.parts.as_slice() {
            [_] => Vec::new(),
            parts => parts.iter().map(|part| part.path.clone()).collect(),
        },
        format: source.format.clone(),
        service: main
            .and_then(|coverage| coverage.service)
            .map(|service| subject.grammar.vocabulary.service_name(service).to_owned()),
        host: source.host().map(safe),
        bytes: source.bytes,
        lines: source.lines,
        records: source.records,
        first: source.coverage.iter().filter_map(|coverage| coverage.first).min(),
        last: source.coverage.iter().filter_map(|coverage| coverage.last).max(),
        level: source.coverage.iter().map(|coverage| coverage.level).min().map(level_name),
        rpc_debug: source.coverage.iter().any(|coverage| coverage.rpc_debug),
        unread_lines: source.unread_lines,
        remark: source.remark.as_deref().map(safe),
        hint: hint(subject.grammar, source),
    }
}

fn clock_report(subject: &Subject<'_>, clock: &Clock) -> ClockReport {
    let millis = |micros: i64| micros.div_euclid(SECOND / 1_000);
    let name = |clock: &Clock| ClockName {
        path: subject.source(clock.owner.source).to_owned(),
        service: clock.owner.service.map(|service| subject.grammar.vocabulary.service_name(service).to_owned()),
    };
    let ClockName { path, service } = name(clock);
    let reference = subject.reference(clock);
    ClockReport {
        path,
        service,
        dates: clock.owner.dates,
        least_ms: clock.least.filter(|_| reference.is_some()).map(millis),
        most_ms: clock.most.filter(|_| reference.is_some()).map(millis),
        taken_ms: millis(clock.offset),
        reference: reference.map(name),
        causes: clock.causes,
        contradicting: clock.contradicting,
    }
}

fn flow_report(subject: &Subject<'_>, flow: &FlowVerdict) -> FlowReport {
    FlowReport {
        id: flow.id.clone(),
        flow: flow.flow.clone(),
        variant: flow.variant.clone(),
        possible_variants: flow.possible_variants.clone(),
        server: flow.server,
        server_name: flow.server_name.as_deref().map(safe),
        volume: flow.volume,
        volume_name: flow.volume_name.as_deref().map(safe),
        attachment: flow.attachment,
        device: flow.device.as_deref().map(safe),
        request_ids: flow.request_ids.clone(),
        client_command: flow.client_command.as_deref().map(safe),
        start: flow.start,
        end: flow.end,
        outcome: flow.outcome,
        verdict: flow.verdict,
        likely: flow.likely,
        statuses: flow.statuses.iter().map(|status| safe(status)).collect(),
        steps: flow.steps.iter().map(|step| step_report(subject, step)).collect(),
        missing_evidence: flow.missing_evidence.iter().map(need_report).collect(),
        findings: flow.findings.iter().map(|finding| finding_report(subject, flow, finding)).collect(),
        blame: flow.blame.as_ref().map(|blame| blame_report(subject, blame)),
        time: flow.times.as_ref().map(|times| time_report(subject, times)),
    }
}

fn time_report(subject: &Subject<'_>, times: &Times) -> TimeReport {
    let name = |layer: &LayerId| subject.grammar.vocabulary.layer_at(*layer).name.clone();
    let layers = times.layers.iter().map(|part| LayerTimeReport {
        layer: part.layer.as_ref().map(name),
        ms: part.millis,
        may_include: part.may_include.iter().map(name).collect(),
    });
    TimeReport { total_ms: times.millis, layers: layers.collect() }
}

fn blame_report(subject: &Subject<'_>, blame: &Blame) -> BlameReport {
    let name = |layer: &LayerId| subject.grammar.vocabulary.layer_at(*layer).name.clone();
    let (layer, candidates) = match blame.layers.as_slice() {
        [layer] => (Some(name(layer)), Vec::new()),
        several => (None, several.iter().map(name).collect()),
    };
    BlameReport {
        layer,
        candidates,
        step: blame.step.map(|step| subject.step_name(step).to_owned()),
        how: blame.how,
        cause: blame
            .cause
            .as_ref()
            .map(|cause| CauseReport { message: brief(&cause.message), evidence: line(subject, cause.place) }),
        would_decide: blame.needs.clone(),
    }
}

/// An error's text without its secrets, and no longer than a reader wants it.
pub(super) fn brief(message: &str) -> String {
    let message = safe(message.lines().next().unwrap_or_default().trim());
    match message.char_indices().nth(LONGEST_CAUSE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message,
    }
}

fn step_report(subject: &Subject<'_>, step: &StepVerdict) -> StepReport {
    StepReport {
        step: subject.step_name(step.step).to_owned(),
        service: subject.step_service(step.step).map(str::to_owned),
        state: step.state,
        start: step.start,
        end: step.end,
        status: step.status,
        failed: step.failed,
        request_id: step.request,
        repeats: step.repeats,
        evidence: lines(subject, &step.evidence),
    }
}

fn need_report(need: &MissingEvidence) -> NeedReport {
    NeedReport { service: need.service.clone(), needs: need.needs.clone(), steps: need.steps.clone() }
}

fn finding_report(subject: &Subject<'_>, flow: &FlowVerdict, finding: &Finding) -> FindingReport {
    let told = |evidence: &Evidence| LineReport { role: Some(safe(&evidence.role)), ..line(subject, evidence.place) };
    let evidence = finding.evidence.iter().map(told);
    let rule = finding.rule.and_then(|origin| rule_line(subject.grammar, origin));
    FindingReport {
        code: finding.code.clone(),
        name: finding.name.clone(),
        severity: finding.severity,
        flow: flow.id.clone(),
        step: finding.step.clone(),
        message: safe(&finding.message),
        expected: safe(&finding.expected),
        help: safe(&finding.help.join("\n")),
        avoid: finding.avoid.iter().map(|text| safe(text)).collect(),
        fingerprint: finding.fingerprint.clone(),
        rule: rule.map(|(path, line)| LineReport { path: path.to_owned(), line, role: None }),
        evidence: evidence.collect(),
    }
}

fn volume_report(subject: &Subject<'_>, volume: &VolumeHistory) -> VolumeReport {
    let transitions = volume.transitions.iter().map(|transition| TransitionReport {
        from: transition.from.as_deref().map(safe),
        to: safe(&transition.to),
        by: transition.by.clone(),
        time: transition.time,
        observed: transition.observed,
        flow: transition.flow.clone(),
        evidence: lines(subject, &transition.evidence),
    });
    let observed = volume.observed.iter().map(|seen| StatusReport {
        status: safe(&seen.status),
        time: seen.time,
        evidence: line(subject, seen.place),
    });
    VolumeReport {
        id: volume.id,
        name: volume.name.as_deref().map(safe),
        transitions: transitions.collect(),
        observed: observed.collect(),
        final_status: volume.final_status.as_deref().map(safe),
    }
}

fn lines(subject: &Subject<'_>, places: &[Place]) -> Vec<LineReport> {
    places.iter().map(|place| line(subject, *place)).collect()
}

fn line(subject: &Subject<'_>, place: Place) -> LineReport {
    let (path, line) = subject.located(place);
    LineReport { path: path.to_owned(), line, role: None }
}

/// Log text without its secrets. Control characters stay: the writers of the forms escape them, each in its own way.
fn safe(text: &str) -> String {
    redact(text).into_owned()
}
