//! The report as data: what `--format json` writes, and the ground of other machine formats. Key order is field order.

use serde::Serialize;
use uuid::Uuid;

use crate::base::time::Timestamp;
use crate::check::verdict::{Broke, Outcome, StepState, Verdict};
use crate::model::event::RequestId;
use crate::spec::grammar::Severity;

/// The name and version of the report's form.
pub const SCHEMA: &str = "flowcheck.report/1";

/// The whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Who wrote it.
    pub tool: Tool,
    /// The worst verdict of all flows; `inconclusive` when there is no flow at all.
    pub verdict: Verdict,
    /// The inputs, in the order of reading.
    pub inputs: Vec<Input>,
    /// The clocks of the inputs, as far as causes tell of them.
    pub clocks: Vec<ClockReport>,
    /// The flows, in the order of their beginnings.
    pub flows: Vec<FlowReport>,
    /// The volumes, in the order of their first mention.
    pub volumes: Vec<VolumeReport>,
    /// The findings of all flows.
    pub findings: Vec<FindingReport>,
    /// Counts.
    pub summary: Summary,
}

/// The program that wrote the report.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// `flowcheck`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// One input.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// The path as given on the command line; of a rotated log that of its newest file.
    pub path: String,
    /// The files of a rotated log, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// The log dialect.
    pub format: Option<String>,
    /// The service with the most records in it.
    pub service: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// Bytes, after decompression.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Records.
    pub records: u64,
    /// The earliest time stamp.
    pub first: Option<Timestamp>,
    /// The latest time stamp.
    pub last: Option<Timestamp>,
    /// The most detailed level seen.
    pub level: Option<&'static str>,
    /// Whether oslo.messaging wrote its DEBUG lines.
    pub rpc_debug: bool,
    /// Lines that belong to no record.
    pub unread_lines: u64,
    /// A remark, such as "empty file".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What the log would tell at a lower level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How far a log's clock is ahead of another's. Times in the report are as the logs have them: nothing is added to them.
#[derive(Clone, Debug, Serialize)]
pub struct ClockReport {
    /// The input.
    pub path: String,
    /// The service whose clock it is; `None` for a client.
    pub service: Option<String>,
    /// Whether it is the one that dates the service's answers in a client's log.
    pub dates: bool,
    /// The clock that it is compared with; `None` when it is compared with none.
    pub reference: Option<ClockName>,
    /// How far it is ahead at least, in milliseconds; `None` when nothing tells.
    pub least_ms: Option<i64>,
    /// How far at most.
    pub most_ms: Option<i64>,
    /// How far it is taken to be ahead where order is told by time.
    pub taken_ms: i64,
    /// How many causes tell of it.
    pub causes: usize,
    /// How many of them contradict the others.
    pub contradicting: usize,
}

/// A clock by name.
#[derive(Clone, Debug, Serialize)]
pub struct ClockName {
    /// The input.
    pub path: String,
    /// The service.
    pub service: Option<String>,
}

/// One flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowReport {
    /// `attach-1`.
    pub id: String,
    /// `attach`.
    pub flow: String,
    /// `new-style`.
    pub variant: Option<String>,
    /// The variants that fit equally well, when the logs do not tell which it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub possible_variants: Vec<String>,
    /// The server.
    pub server: Option<Uuid>,
    /// The server's name.
    pub server_name: Option<String>,
    /// The volume.
    pub volume: Option<Uuid>,
    /// The volume's name.
    pub volume_name: Option<String>,
    /// The attachment record.
    pub attachment: Option<Uuid>,
    /// The device.
    pub device: Option<String>,
    /// The request ids.
    pub request_ids: Vec<RequestId>,
    /// The client's command.
    pub client_command: Option<String>,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When its last step was seen.
    pub end: Option<Timestamp>,
    /// What happened to the wish.
    pub outcome: Outcome,
    /// Whether it was legal.
    pub verdict: Verdict,
    /// Whether it is likely, and no id or action shows it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub likely: bool,
    /// The volume's statuses on the way.
    pub statuses: Vec<String>,
    /// The steps.
    pub steps: Vec<StepReport>,
    /// What would decide.
    pub missing_evidence: Vec<NeedReport>,
    /// What is wrong.
    pub findings: Vec<FindingReport>,
    /// Where it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blame: Option<BlameReport>,
    /// How its time was shared between the layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeReport>,
}

/// How a flow's time was shared between the layers.
#[derive(Clone, Debug, Serialize)]
pub struct TimeReport {
    /// All of it, in milliseconds: the sum of the parts.
    pub total_ms: i64,
    /// The parts, the longest first; what no log shows is the last.
    pub layers: Vec<LayerTimeReport>,
}

/// A layer's part of a flow's time.
#[derive(Clone, Debug, Serialize)]
pub struct LayerTimeReport {
    /// The layer; `None` for what no log shows.
    pub layer: Option<String>,
    /// Its part, in milliseconds.
    pub ms: i64,
    /// The layers whose time may be in it, since no line tells of their work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_include: Vec<String>,
}

/// Where a flow that failed or is stuck broke.
#[derive(Clone, Debug, Serialize)]
pub struct BlameReport {
    /// The layer; `None` when several fit.
    pub layer: Option<String>,
    /// The layers that fit, the nearest to the failure first, when several do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// The step that it broke at.
    pub step: Option<String>,
    /// What became of that step.
    pub how: Broke,
    /// The first cause among the flow's errors.
    pub cause: Option<CauseReport>,
    /// What would tell which layer it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would_decide: Vec<String>,
}

/// An error.
#[derive(Clone, Debug, Serialize)]
pub struct CauseReport {
    /// `class: text`.
    pub message: String,
    /// The line that shows it.
    pub evidence: LineReport,
}

/// One step of a flow.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// `cinder.attachment.create`.
    pub step: String,
    /// The service that does it.
    pub service: Option<String>,
    /// How it stands.
    pub state: StepState,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// The HTTP status of its answer.
    pub status: Option<u16>,
    /// Whether it failed.
    pub failed: bool,
    /// The request id of the service that did it.
    pub request_id: Option<RequestId>,
    /// How many further times it was repeated right after.
    pub repeats: usize,
    /// The lines that show it.
    pub evidence: Vec<LineReport>,
}

/// A log line.
#[derive(Clone, Debug, Serialize)]
pub struct LineReport {
    /// The input's path.
    pub path: String,
    /// The line's number, from 1.
    pub line: u64,
    /// Its part in a finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// A log, a level or a setting that would decide.
#[derive(Clone, Debug, Serialize)]
pub struct NeedReport {
    /// The service whose log it is.
    pub service: String,
    /// What is needed, in words.
    pub needs: String,
    /// The steps that it would show.
    pub steps: Vec<String>,
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct FindingReport {
    /// `FC0201`.
    pub code: String,
    /// `attach-never-executed`.
    pub name: String,
    /// How bad it is.
    #[serde(serialize_with = "severity_word")]
    pub severity: Severity,
    /// The id of the flow that it belongs to.
    pub flow: String,
    /// The step that it is about.
    pub step: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What the specification expects.
    pub expected: String,
    /// What to do now, one sentence a line.
    pub help: String,
    /// What not to do.
    pub avoid: Vec<String>,
    /// The same for the same defect in any log.
    pub fingerprint: String,
    /// The broken rule: grammar file and line.
    pub rule: Option<LineReport>,
    /// The lines that show it.
    pub evidence: Vec<LineReport>,
}

/// One volume.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeReport {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// Its transitions.
    pub transitions: Vec<TransitionReport>,
    /// Statuses that a log shows directly.
    pub observed: Vec<StatusReport>,
    /// The last status, as far as it follows.
    pub final_status: Option<String>,
}

/// A transition of a volume's status.
#[derive(Clone, Debug, Serialize)]
pub struct TransitionReport {
    /// The status before.
    pub from: Option<String>,
    /// The status after.
    pub to: String,
    /// The step that made it.
    pub by: String,
    /// When.
    pub time: Option<Timestamp>,
    /// Whether the step was seen.
    pub observed: bool,
    /// The flow it belongs to.
    pub flow: Option<String>,
    /// The lines that show it.
    pub evidence: Vec<LineReport>,
}

/// A status that a log shows directly.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// The status.
    pub status: String,
    /// When.
    pub time: Option<Timestamp>,
    /// The line.
    pub evidence: LineReport,
}

/// Counts over all flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// By outcome.
    pub flows: OutcomeCounts,
    /// By verdict.
    pub verdicts: VerdictCounts,
    /// By severity.
    pub findings: SeverityCounts,
}

/// Flows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the outcomes")]
pub struct OutcomeCounts {
    pub completed: usize,
    pub refused: usize,
    pub failed: usize,
    pub stuck: usize,
    pub unknown: usize,
}

/// Flows by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the verdicts")]
pub struct VerdictCounts {
    pub conformant: usize,
    pub violated: usize,
    pub inconclusive: usize,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are those of the severities")]
pub struct SeverityCounts {
    pub error: usize,
    pub warning: usize,
    pub note: usize,
}

/// The word of a severity in reports and on the command line.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn severity_word<S: serde::Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(severity_name(*severity))
}

/// The word of an outcome in reports.
pub fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Stuck => "stuck",
        Outcome::Unknown => "unknown",
    }
}
