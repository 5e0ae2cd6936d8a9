//! What checking answers: plain data, the ground of every report.

use serde::Serialize;
use uuid::Uuid;

use crate::base::time::Timestamp;
use crate::model::event::RequestId;
use crate::model::source::Place;
use crate::model::vocabulary::LayerId;
use crate::spec::grammar::{Origin, Severity, StepId};
use crate::trace::clocks::Clock;

/// All answers about a set of logs.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The flows, in order of their beginnings.
    pub flows: Vec<FlowVerdict>,
    /// The volumes' histories, in order of their first mention.
    pub volumes: Vec<VolumeHistory>,
    /// The clocks of the logs.
    pub clocks: Vec<Clock>,
}

/// What happened to the user's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The flow reached its goal.
    Completed,
    /// It was rejected before anything changed.
    Refused,
    /// It started, then failed.
    Failed,
    /// It started, and no end was seen although the logs go on past the deadline.
    Stuck,
    /// The logs do not show the end.
    Unknown,
}

/// Whether what happened is legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that was seen is allowed, all that is owed and could be seen was.
    Conformant,
    /// Not violated, and a log that would decide is not there.
    Inconclusive,
    /// It has a finding of severity error.
    Violated,
}

/// The answers about one flow.
#[derive(Clone, Debug)]
pub struct FlowVerdict {
    /// `attach-1`: the flow's name and its number among those of that name.
    pub id: String,
    /// `attach`.
    pub flow: String,
    /// `new-style`; `None` when the logs do not tell.
    pub variant: Option<String>,
    /// The variants that fit equally well, when the logs do not tell which it is.
    pub possible_variants: Vec<String>,
    /// The server.
    pub server: Option<Uuid>,
    /// The server's name, when a log tells it.
    pub server_name: Option<String>,
    /// The volume.
    pub volume: Option<Uuid>,
    /// The volume's name, when a log tells it.
    pub volume_name: Option<String>,
    /// The attachment record.
    pub attachment: Option<Uuid>,
    /// The device, such as `/dev/vdb`.
    pub device: Option<String>,
    /// The request ids of its requests: that of the request that started it first.
    pub request_ids: Vec<RequestId>,
    /// The client's command, without the program's name.
    pub client_command: Option<String>,
    /// When it began.
    pub start: Option<Timestamp>,
    /// When its last step was seen.
    pub end: Option<Timestamp>,
    /// What happened to the wish.
    pub outcome: Outcome,
    /// Whether it was legal.
    pub verdict: Verdict,
    /// Whether volume, time and answers make it likely, and no id or action shows it.
    pub likely: bool,
    /// The volume's statuses on the way, the one before first.
    pub statuses: Vec<String>,
    /// The steps, in their order.
    pub steps: Vec<StepVerdict>,
    /// What would decide.
    pub missing_evidence: Vec<MissingEvidence>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Where it broke, when it failed or is stuck.
    pub blame: Option<Blame>,
    /// How its time was shared between the layers, when the logs tell times.
    pub times: Option<Times>,
    /// The deadline that was used, in microseconds, when the flow has not ended.
    pub deadline: Option<i64>,
}

/// How a step stands in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// It was seen.
    Observed,
    /// It had to be seen and was not.
    Missing,
    /// The logs given could not show it.
    Unobservable,
    /// It was seen and is not allowed there.
    Unexpected,
}

/// One step of a flow.
#[derive(Clone, Debug)]
pub struct StepVerdict {
    /// The step.
    pub step: StepId,
    /// How it stands.
    pub state: StepState,
    /// When it began, as its log has it.
    pub start: Option<Timestamp>,
    /// When it began, on the common clock.
    pub common_start: Option<Timestamp>,
    /// When it ended, as its log has it.
    pub end: Option<Timestamp>,
    /// The HTTP status of its answer.
    pub status: Option<u16>,
    /// Whether it failed.
    pub failed: bool,
    /// The request id of the service that did it.
    pub request: Option<RequestId>,
    /// The lines that show it.
    pub evidence: Vec<Place>,
    /// Where the flow has it; `None` for what it has no place for, and for look-ups.
    pub rule: Option<Origin>,
    /// How deep it is nested.
    pub depth: usize,
    /// How many further times it was repeated right after (polls, look-ups).
    pub repeats: usize,
}

/// A log, a level or a setting that would decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MissingEvidence {
    /// The service whose log it is.
    pub service: String,
    /// What is needed of it, in words: "the log of nova-compute at INFO or more, until 07:34:26".
    pub needs: String,
    /// The names of the steps that it would show.
    pub steps: Vec<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `FC0201`.
    pub code: String,
    /// `attach-never-executed`.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// What the specification expects.
    pub expected: String,
    /// What to do now.
    pub help: Vec<String>,
    /// What not to do.
    pub avoid: Vec<String>,
    /// The name of the step it is about.
    pub step: Option<String>,
    /// The same for the same defect in any log.
    pub fingerprint: String,
    /// The lines that show it, in the order of time.
    pub evidence: Vec<Evidence>,
    /// The rule that was broken.
    pub rule: Option<Origin>,
}

/// Where a flow broke.
#[derive(Clone, Debug)]
pub struct Blame {
    /// The layers that fit what the logs show, the nearest to the failure first; one when the logs tell which.
    pub layers: Vec<LayerId>,
    /// The step that it broke at.
    pub step: Option<StepId>,
    /// What became of that step.
    pub how: Broke,
    /// The first cause among the flow's errors.
    pub cause: Option<Cause>,
    /// What would tell which of several layers it is.
    pub needs: Vec<String>,
}

/// What became of the step that a flow broke at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Broke {
    /// It failed.
    Failed,
    /// It was not answered in time.
    TimedOut,
    /// It never began.
    NeverBegan,
    /// It never ended.
    NeverEnded,
    /// Nothing failed: whoever sent the requests did not go on.
    GivenUp,
}

/// How a flow's time was shared between the layers. The parts are the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// All of it, in milliseconds.
    pub millis: i64,
    /// The parts, the longest first; what no log shows is the last.
    pub layers: Vec<LayerTime>,
}

/// A layer's part of a flow's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTime {
    /// The layer; `None` for what no log shows.
    pub layer: Option<LayerId>,
    /// Its part, in milliseconds.
    pub millis: i64,
    /// The layers whose time may be in it, since no line tells of their work.
    pub may_include: Vec<LayerId>,
}

/// An error as a log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `class: text`.
    pub message: String,
    /// The line.
    pub place: Place,
}

/// A line that shows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The line.
    pub place: Place,
    /// Its part in the finding: "sent here, never received".
    pub role: String,
}

/// One volume's history.
#[derive(Clone, Debug)]
pub struct VolumeHistory {
    /// The volume.
    pub id: Uuid,
    /// Its name, when a log tells it.
    pub name: Option<String>,
    /// Its transitions in their order.
    pub transitions: Vec<TransitionSeen>,
    /// Statuses that a log shows directly.
    pub observed: Vec<StatusSeen>,
    /// The last status; `None` when it does not follow.
    pub final_status: Option<String>,
}

/// A transition of a volume's status.
#[derive(Clone, Debug)]
pub struct TransitionSeen {
    /// The status before.
    pub from: Option<String>,
    /// The status after.
    pub to: String,
    /// The step that made it.
    pub by: String,
    /// When.
    pub time: Option<Timestamp>,
    /// Whether the step was seen (else it follows from others).
    pub observed: bool,
    /// The id of the flow that it belongs to.
    pub flow: Option<String>,
    /// The lines that show it.
    pub evidence: Vec<Place>,
}

/// A status that a log shows directly.
#[derive(Clone, Debug)]
pub struct StatusSeen {
    /// The status.
    pub status: String,
    /// When.
    pub time: Option<Timestamp>,
    /// The line.
    pub place: Place,
}
