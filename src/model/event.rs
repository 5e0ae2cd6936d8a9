//! What log records say, in terms of requests, RPC messages, locks, operations and messages.

use serde::Serialize;
use uuid::Uuid;

use crate::base::time::Timestamp;
use crate::model::source::Place;
use crate::model::vocabulary::{LayerId, MessageId, ServiceId};

/// A request id without its `req-` prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub Uuid);

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "req-{}", self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The level of a record, the most detailed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    Debug,
    /// Normal work (old releases also have AUDIT, which counts as this).
    Info,
    /// Something odd that did not stop the work.
    Warning,
    /// A failure (old releases also have TRACE for tracebacks, which counts as this).
    Error,
    /// A failure that ends the service.
    #[default]
    Critical,
}

/// The ids in a record's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The id that the caller passed along.
    pub global: Option<RequestId>,
    /// The service's own id of the request. It is sometimes that of an earlier request of the same thread.
    pub request: Option<RequestId>,
    /// Whether the header has a place for the global id, filled or not: then none means that the caller passed none.
    pub has_global: bool,
    /// The server in the `[instance: ...]` prefix.
    pub server: Option<Uuid>,
}

/// What one record says.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The first line of the record.
    pub place: Place,
    /// The record's time; for a record without one, that of the record before it in the same input.
    pub time: Option<Timestamp>,
    /// The writing process; 0 when the record does not tell.
    pub process: u32,
    /// The writing service; `None` for a client and where it cannot be told.
    pub service: Option<ServiceId>,
    /// The ids in the header.
    pub context: Context,
    /// What it says.
    pub kind: EventKind,
}

/// Whether an RPC waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RpcKind {
    /// The sender waits.
    Call,
    /// The sender goes on at once.
    Cast,
}

/// What a lock line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockState {
    /// Somebody begins to wait for it.
    Acquiring,
    /// It is held.
    Acquired,
    /// It is free again.
    Released,
}

/// The moment of a traced function call that a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationPhase {
    /// `==> name: call ...`.
    Began,
    /// `<== name: return ...`.
    Returned,
    /// `<== name: exception ...`.
    Raised,
}

/// Where an exception comes from, as far as its record tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raised {
    /// The layer whose code is the deepest in the traceback, or that the exception's class belongs to.
    pub layer: Option<LayerId>,
    /// Whether it was logged as an error, and not only as a warning.
    pub severe: bool,
    /// Whether there is a traceback.
    pub traced: bool,
    /// Whether it was raised by the receiver of a message, and came back as the answer.
    pub remote: bool,
}

/// The kinds of event. Texts are as the log has them, unescaped; no secret is ever kept in one.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// A client command begins; the words after the program's name, as far as the log has them.
    CommandBegan {
        /// `server add volume web data`.
        line: String,
    },
    /// A client command tells its class: `server add volume`.
    CommandNamed {
        /// The words of the command without its arguments.
        name: String,
    },
    /// A client command ends.
    CommandEnded {
        /// The exit code.
        code: i32,
    },
    /// A service begins to serve a request.
    RequestBegan {
        /// GET, POST, ...
        method: String,
        /// The path and query, or the whole URL.
        url: String,
    },
    /// A service names the method that serves a request, and the request's body.
    RequestAction {
        /// The last word of the method's name, such as `create` or `_begin_detaching`.
        controller: String,
        /// The facts in the body.
        body: Body,
    },
    /// A service has answered a request.
    RequestEnded {
        /// GET, POST, ...; cinder's `returned with HTTP` line has none.
        method: Option<String>,
        /// The path and query, or the whole URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// How long it took, in microseconds.
        duration: Option<i64>,
    },
    /// A client, or a service acting as one, sends a request.
    HttpSent {
        /// GET, POST, ...
        method: String,
        /// The whole URL.
        url: String,
        /// The `X-OpenStack-Request-ID` header.
        header: Option<RequestId>,
        /// The facts in the body.
        body: Body,
    },
    /// keystoneauth authenticates; the request itself is not logged.
    HttpAuthenticating {
        /// The URL.
        url: String,
    },
    /// urllib3's line of a request that was answered.
    HttpConnected {
        /// GET, POST, ...
        method: String,
        /// The path and query.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer's status line and headers.
    HttpAnswered {
        /// The HTTP status.
        status: u16,
        /// The `x-openstack-request-id` header.
        header: Option<RequestId>,
        /// The `Date` header (UTC, whole seconds).
        date: Option<Timestamp>,
    },
    /// The answer's body.
    HttpBody {
        /// The facts in it.
        body: Body,
    },
    /// `... used request id ...`: the last line of an exchange.
    HttpUsed {
        /// GET, POST, ...
        method: String,
        /// The whole URL.
        url: String,
        /// The answering service's request id.
        request: RequestId,
    },
    /// The sender names the RPC method that it is about to send.
    RpcCalling {
        /// The method.
        method: String,
        /// The target, such as `compute` or `cinder-volume.host@backend`.
        target: String,
    },
    /// An RPC message is sent.
    RpcSent {
        /// Call or cast.
        kind: RpcKind,
        /// The msg_id of a call, the unique_id of a cast.
        id: Uuid,
        /// The topic, such as `compute.compute1`.
        topic: String,
    },
    /// An RPC message has arrived.
    RpcReceived {
        /// Call or cast.
        kind: RpcKind,
        /// The msg_id of a call, the unique_id of a cast.
        id: Uuid,
    },
    /// The receiver names the method of the message that it got. For a call `id` is the msg_id; for a cast it is a new id.
    RpcIncoming {
        /// See above.
        id: Uuid,
        /// The method.
        method: String,
    },
    /// The receiver has done the work of a message.
    RpcReplied {
        /// As in [`EventKind::RpcIncoming`].
        id: Uuid,
        /// The method, where the line names it.
        method: Option<String>,
        /// Whether it went well, where the line tells.
        success: Option<bool>,
    },
    /// The work of a message ended with an exception; `oslo_messaging.rpc.server` logs it at ERROR at every level.
    RpcFailed {
        /// The exception's class; empty when the line has none.
        class: String,
        /// The first line of its text.
        text: String,
        /// Where it comes from.
        raised: Raised,
    },
    /// The sender of a call has the answer.
    RpcAnswered {
        /// The msg_id.
        id: Uuid,
    },
    /// The sender of a call has given up.
    RpcTimedOut {
        /// The msg_id.
        id: Uuid,
    },
    /// An answer came after the sender had given up.
    RpcLate {
        /// The msg_id.
        id: Uuid,
    },
    /// A lock of a function that the vocabulary names.
    Lock {
        /// The lock's name.
        name: String,
        /// The last component of the function's name.
        function: String,
        /// What happened to it.
        state: LockState,
    },
    /// A traced driver or os-brick call.
    Operation {
        /// The function's name.
        function: String,
        /// Its beginning or its end.
        phase: OperationPhase,
        /// What it raised, when it did.
        error: Option<String>,
    },
    /// A message that the vocabulary knows.
    Message {
        /// Which one.
        message: MessageId,
        /// What stands at its placeholders, in their order in the pattern.
        captures: Vec<String>,
    },
    /// An exception that a service logs, from the message or its traceback.
    Error {
        /// The class, such as `nova.exception.VolumeNotFound`; empty when the line has none.
        class: String,
        /// The first line of its text.
        text: String,
        /// Where it comes from.
        raised: Raised,
    },
}

/// The facts that a request's or an answer's body holds and that flowcheck uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The key of a volume or attachment action, such as `os-reserve`.
    pub action: Option<String>,
    /// `volumeId` or `volume_uuid`, or `volume_id`.
    pub volume: Option<Uuid>,
    /// `new_volume`: the volume that takes the place of the request's own, and whose attachments that one then has.
    pub target: Option<Uuid>,
    /// Keys of a request that are true, and those of statuses with their values.
    pub options: Vec<(String, String)>,
    /// `instance_uuid` or `serverId`.
    pub server: Option<Uuid>,
    /// The id of an attachment: `attachment.id`, `attachment_id`.
    pub attachment: Option<Uuid>,
    /// `device` or `mountpoint`.
    pub device: Option<String>,
    /// Whether there is a connector that is not null.
    pub connector: bool,
    /// The connector's `host`.
    pub host: Option<String>,
    /// `status` of an `os-reset_status` request.
    pub status: Option<String>,
    /// Whether the attach is asked to delete the volume with the server.
    pub delete_on_termination: Option<bool>,
    /// Volumes in an answer.
    pub volumes: Vec<VolumeSeen>,
    /// How many attachments an answer to an attachment delete says are left.
    pub remaining: Option<usize>,
    /// The message of an error answer.
    pub error: Option<String>,
    /// Ids and names of servers in an answer.
    pub servers: Vec<(Uuid, Option<String>)>,
}

impl Body {
    /// Takes over what `other` tells and this one does not.
    pub fn merge(&mut self, other: &Body) {
        fn fill<T: Clone>(mine: &mut Option<T>, other: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(other);
            }
        }
        fill(&mut self.action, &other.action);
        fill(&mut self.volume, &other.volume);
        fill(&mut self.target, &other.target);
        fill(&mut self.server, &other.server);
        fill(&mut self.attachment, &other.attachment);
        fill(&mut self.device, &other.device);
        fill(&mut self.host, &other.host);
        fill(&mut self.status, &other.status);
        fill(&mut self.delete_on_termination, &other.delete_on_termination);
        fill(&mut self.remaining, &other.remaining);
        fill(&mut self.error, &other.error);
        self.connector |= other.connector;
        if self.options.is_empty() {
            self.options.clone_from(&other.options);
        }
        if self.volumes.is_empty() {
            self.volumes.clone_from(&other.volumes);
        }
        if self.servers.is_empty() {
            self.servers.clone_from(&other.servers);
        }
    }
}

/// A volume in an answer's body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VolumeSeen {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `multiattach`.
    pub multiattach: Option<bool>,
    /// The attachments listed: attachment id and server.
    pub attachments: Vec<(Option<Uuid>, Option<Uuid>)>,
}
