//! The nodes and edges of the call graph: units of work with both of their ends, and what caused what.

use serde::Serialize;
use uuid::Uuid;

use crate::base::time::Timestamp;
use crate::model::event::{Body, RequestId};
use crate::model::source::Place;
use crate::model::vocabulary::{MessageId, ServiceId};
use crate::spec::grammar::StepId;
use crate::trace::clocks::{ClockId, Stamp};
use crate::trace::errors::LoggedError;

/// The number of a node in the call graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A client command.
    Client,
    /// An HTTP exchange.
    Http,
    /// An RPC whose sender waits.
    Call,
    /// An RPC whose sender goes on.
    Cast,
    /// Work inside a process.
    Operation,
}

/// One unit of work.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The service that does the work.
    pub service: Option<ServiceId>,
    /// The service that asked for it; `None` for a client and where it is not known.
    pub caller: Option<ServiceId>,
    /// The host of the work, when a log tells it.
    pub host: Option<String>,
    /// HTTP: GET, POST, ...
    pub method: Option<String>,
    /// HTTP: path and query, without scheme and host.
    pub path: Option<String>,
    /// RPC: the method.
    pub rpc: Option<String>,
    /// RPC: the topic. Client: the words of the command. Operation: the function.
    pub label: Option<String>,
    /// The steps of the specification that it can be; more than one where the log does not tell which.
    pub steps: Vec<StepId>,
    /// HTTP: the status. Client: the exit code.
    pub status: Option<u16>,
    /// Whether it is known to have ended well or badly.
    pub success: Option<bool>,
    /// The request id of the service that does the work.
    pub request: Option<RequestId>,
    /// The id that the caller passed along.
    pub global: Option<RequestId>,
    /// Whether the service's own lines tell that id, or that there is none.
    pub tells_global: bool,
    /// The volume.
    pub volume: Option<Uuid>,
    /// The volume that takes its place.
    pub target: Option<Uuid>,
    /// Whether its body may name such a volume, and no line tells.
    pub may_exchange: bool,
    /// The server.
    pub server: Option<Uuid>,
    /// The attachment record.
    pub attachment: Option<Uuid>,
    /// When it began, as far as known. All times of a node in the call graph are on the common clock.
    pub start: Option<Timestamp>,
    /// Whether a line shows its beginning; else `start` is that of the first line seen of it.
    pub begun: bool,
    /// When it ended, as far as known.
    pub end: Option<Timestamp>,
    /// When it was sent or asked for, on the sender's clock.
    pub sent_time: Option<Timestamp>,
    /// When the sender had the answer, on the sender's clock.
    pub answered_time: Option<Timestamp>,
    /// Whether the sender's times are those of the answers' `Date` headers: whole seconds.
    pub dated: bool,
    /// The clock of the service that does the work, which told `start` and `end`.
    pub clock: Option<ClockId>,
    /// The clock of the sender, which told the other times.
    pub sender_clock: Option<ClockId>,
    /// The line with which it was sent or asked for.
    pub sent: Option<Place>,
    /// The first line of the service that does the work.
    pub received: Option<Place>,
    /// The process that does the work.
    pub process: Option<u32>,
    /// What its lock is named by, and the line with which it got it.
    pub locked: Option<(Uuid, Place)>,
    /// The line that shows its end.
    pub ended: Option<Place>,
    /// Further lines that show it, in the order of reading.
    pub evidence: Vec<Place>,
    /// The facts of the request's body.
    pub asked: Body,
    /// The facts of the answer's body.
    pub answered: Body,
    /// Messages of the vocabulary that were logged in it.
    pub messages: Vec<MessageSeen>,
    /// Of the errors that were logged in it, the first that says most of why it failed.
    pub error: Option<LoggedError>,
    /// RPC call: the sender gave up waiting.
    pub timed_out: bool,
}

impl Node {
    /// A node of which nothing but its kind is known.
    pub fn new(kind: NodeKind) -> Self {
        Self {
            kind,
            service: None,
            caller: None,
            host: None,
            method: None,
            path: None,
            rpc: None,
            label: None,
            steps: Vec::new(),
            status: None,
            success: None,
            request: None,
            global: None,
            tells_global: false,
            volume: None,
            target: None,
            may_exchange: false,
            server: None,
            attachment: None,
            start: None,
            begun: false,
            end: None,
            sent_time: None,
            answered_time: None,
            dated: false,
            clock: None,
            sender_clock: None,
            sent: None,
            received: None,
            process: None,
            locked: None,
            ended: None,
            evidence: Vec::new(),
            asked: Body::default(),
            answered: Body::default(),
            messages: Vec::new(),
            error: None,
            timed_out: false,
        }
    }

    /// When it began: on the clock of the service that did it, else on the sender's.
    pub fn beginning(&self) -> Option<Timestamp> {
        self.start.or(self.sent_time)
    }

    /// When it ended: on the clock of the service that did it, else on the sender's.
    pub fn ending(&self) -> Option<Timestamp> {
        self.end.or(self.answered_time)
    }

    /// [`Node::beginning`], with the clock that told it.
    pub fn beginning_stamp(&self) -> Option<Stamp> {
        stamp(self.start, self.clock).or_else(|| stamp(self.sent_time, self.sender_clock))
    }

    /// When it was sent, with the clock that told it.
    pub fn sent_stamp(&self) -> Option<Stamp> {
        stamp(self.sent_time, self.sender_clock)
    }

    /// [`Node::ending`], with the clock that told it.
    pub fn ending_stamp(&self) -> Option<Stamp> {
        stamp(self.end, self.clock).or_else(|| stamp(self.answered_time, self.sender_clock))
    }

    /// Takes over what `other`, a part of the same unit of work, tells and this one does not.
    pub(crate) fn absorb(&mut self, other: Node) {
        fn fill<T>(mine: &mut Option<T>, other: Option<T>) {
            if mine.is_none() {
                *mine = other;
            }
        }
        // The first line seen of the work itself may be its last, whatever the other side shows.
        self.begun |= other.begun && self.received.is_none();
        self.evidence.extend([other.received, other.ended].into_iter().flatten());
        self.evidence.extend(other.evidence);
        fill(&mut self.service, other.service);
        fill(&mut self.caller, other.caller);
        fill(&mut self.host, other.host);
        fill(&mut self.method, other.method);
        fill(&mut self.path, other.path);
        fill(&mut self.rpc, other.rpc);
        fill(&mut self.label, other.label);
        fill(&mut self.status, other.status);
        fill(&mut self.success, other.success);
        fill(&mut self.request, other.request);
        fill(&mut self.global, other.global);
        fill(&mut self.volume, other.volume);
        fill(&mut self.target, other.target);
        fill(&mut self.server, other.server);
        fill(&mut self.attachment, other.attachment);
        fill(&mut self.start, other.start);
        // A method may answer and go on in a thread of its own: the work ends with its last line.
        if self.received.zip(other.ended).is_some_and(|(own, end)| own.source == end.source) && other.end > self.end {
            self.end = other.end;
            self.evidence.extend(std::mem::replace(&mut self.ended, other.ended));
        }
        fill(&mut self.end, other.end);
        fill(&mut self.sent_time, other.sent_time);
        fill(&mut self.answered_time, other.answered_time);
        fill(&mut self.sent, other.sent);
        fill(&mut self.received, other.received);
        fill(&mut self.process, other.process);
        fill(&mut self.locked, other.locked);
        fill(&mut self.ended, other.ended);
        if let Some(error) = other.error {
            self.fail(error);
        }
        if self.steps.is_empty() {
            self.steps = other.steps;
        }
        self.asked.merge(&other.asked);
        self.answered.merge(&other.answered);
        self.messages.extend(other.messages);
        self.timed_out |= other.timed_out;
        self.tells_global |= other.tells_global;
        self.dated |= other.dated;
    }

    /// The step that it is, when the log tells just one.
    pub fn step(&self) -> Option<StepId> {
        match self.steps.as_slice() {
            [step] => Some(*step),
            _ => None,
        }
    }

    /// The line that shows its beginning, else any other.
    pub fn first_place(&self) -> Option<Place> {
        self.received.or(self.sent).or(self.ended)
    }

    /// The line that shows its end, else any other.
    pub fn last_place(&self) -> Option<Place> {
        self.ended.or(self.received).or(self.sent)
    }

    /// All lines that show it, in the order of the inputs, each once.
    pub fn places(&self) -> Vec<Place> {
        let ends = [self.sent, self.received, self.ended, self.error.as_ref().map(|error| error.place)];
        let mut places: Vec<Place> = ends.into_iter().flatten().chain(self.evidence.iter().copied()).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

fn stamp(time: Option<Timestamp>, clock: Option<ClockId>) -> Option<Stamp> {
    time.map(|time| Stamp { time, clock })
}

/// A message of the vocabulary in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSeen {
    /// The record.
    pub place: Place,
    /// Its time.
    pub time: Option<Timestamp>,
    /// Which message.
    pub message: MessageId,
    /// What stands at its placeholders.
    pub captures: Vec<String>,
}

/// What an edge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// An HTTP request.
    Request,
    /// An RPC whose sender waits.
    Call,
    /// An RPC whose sender goes on.
    Cast,
    /// Work inside the same process.
    Local,
    /// The same request, sent again.
    Retry,
}

/// What an edge was joined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinedBy {
    /// The request id header on the caller's line.
    HeaderId,
    /// The `used request id` line.
    UsedRequestId,
    /// The global request id in the callee's lines.
    GlobalId,
    /// The msg_id of a call.
    MsgId,
    /// The unique_id of a cast.
    UniqueId,
    /// The request id in the brackets.
    BracketId,
    /// The same volume, attachment or server, an action that fits, and causality.
    Resource,
}

/// An edge from the cause to what it caused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What it means.
    pub kind: EdgeKind,
    /// What joined it.
    pub joined_by: JoinedBy,
    /// Whether no other cause was possible; else it was chosen by time.
    pub certain: bool,
}
