//! oslo.messaging's lines: `_drivers/amqpdriver.py` and `rpc/server.py`, releases 2.6.0 to 2025.1.

use memchr::memmem;

use super::error::{self, Exception, Modules};
use crate::model::event::{EventKind, Level, RpcKind};
use crate::parse::record::Record;
use crate::parse::scan::{after, between, lossy, message_id, until};

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    if let Some(event) = event(record.first_line()) {
        emit(event);
    }
}

/// The end of a method that raised: `oslo_messaging/rpc/server.py` (`rpc/dispatcher.py` up to Mitaka) says `Exception during
/// message handling` at ERROR, translated or not, and `Expected exception during message handling` at DEBUG.
pub(super) fn extract_failure(record: &Record<'_>, modules: &Modules, emit: &mut dyn FnMut(EventKind)) {
    let expected = record.first_line().starts_with(b"Expected exception during message handling");
    if expected || record.head.level == Level::Error {
        let Exception { class, text, raised } = error::exception(record, modules).unwrap_or_default();
        emit(EventKind::RpcFailed { class, text, raised });
    }
}

fn event(line: &[u8]) -> Option<EventKind> {
    // Idle services write little else than "AMQPListener ..." and "Listener is running".
    match line.first()? {
        b'C' => sent(line),
        b'r' => received(line),
        b'R' => {
            if let Some(rest) = line.strip_prefix(b"Receive incoming message with id ") {
                return Some(EventKind::RpcIncoming { id: message_id(rest)?, method: method(rest)? });
            }
            let success = line.starts_with(b"Replied success ");
            if !success && !line.starts_with(b"Replied failure ") {
                return None;
            }
            let rest = after(line, b"with id ")?;
            Some(EventKind::RpcReplied { id: message_id(rest)?, method: method(rest), success: Some(success) })
        }
        b's' => {
            let id = message_id(line.strip_prefix(b"sending reply msg_id: ")?)?;
            Some(EventKind::RpcReplied { id, method: None, success: None })
        }
        b'N' => Some(EventKind::RpcLate {
            id: message_id(line.strip_prefix(b"No calling threads waiting for msg_id : ")?)?,
        }),
        _ => None,
    }
}

fn sent(line: &[u8]) -> Option<EventKind> {
    if let Some(rest) = line.strip_prefix(b"Calling RPC method ") {
        let method = until(rest, b" ");
        let target = until(after(rest, b" on target ")?, b" \r\n");
        return Some(EventKind::RpcCalling { method: lossy(method), target: lossy(target) });
    }
    let (kind, rest) = match line.strip_prefix(b"CALL msg_id: ") {
        Some(rest) => (RpcKind::Call, rest),
        None => (RpcKind::Cast, line.strip_prefix(b"CAST unique_id: ")?),
    };
    let topic = between(rest, b"topic '", b'\'')?;
    // A notification is no call of anything.
    let is_notification = memmem::find(rest, b" NOTIFY ").is_some();
    let id = message_id(rest)?;
    (!is_notification).then(|| EventKind::RpcSent { kind, id, topic: lossy(topic) })
}

fn received(line: &[u8]) -> Option<EventKind> {
    let id = |prefix: &[u8]| line.strip_prefix(prefix).and_then(message_id);
    if let Some(id) = id(b"received reply msg_id: ") {
        Some(EventKind::RpcAnswered { id })
    } else if let Some(id) = id(b"received message with unique_id: ") {
        Some(EventKind::RpcReceived { kind: RpcKind::Cast, id })
    } else {
        id(b"received message msg_id: ").map(|id| EventKind::RpcReceived { kind: RpcKind::Call, id })
    }
}

/// `... and method: attach_volume. Time elapsed: 3.1`.
fn method(text: &[u8]) -> Option<String> {
    let method = until(after(text, b" and method: ")?, b". \r\n");
    (!method.is_empty()).then(|| lossy(method))
}

/// `Timed out waiting for a reply to message ID <id>`, `Timed out waiting for a reply <queue> to message ID <id>.` and the
/// latter as an unformatted tuple, anywhere in a record.
pub(super) fn extract_timeout(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    let Some(rest) = after(record.message, b"Timed out waiting for a reply") else { return };
    let id = after(&rest[..rest.len().min(200)], b"to message ID ").and_then(message_id);
    let tuple = || after(&rest[..rest.len().min(400)], b"'msg_id': ").map(|id| id.strip_prefix(b"u").unwrap_or(id));
    if let Some(id) = id.or_else(|| tuple().and_then(|id| message_id(id.strip_prefix(b"'")?))) {
        emit(EventKind::RpcTimedOut { id });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "70dd8ac779b6469fa39ad1a987e8d257";
    const DASHED: &str = "70dd8ac7-79b6-469f-a39a-d1a987e8d257";

    #[test]
    fn every_form() {
        let id = uuid::Uuid::parse_str(HEX).expect("an id");
        let method = || "attach_volume".to_owned();
        let cases = [
            (
                "Calling RPC method attach_volume on target compute _send /usr/x.py:741".to_owned(),
                Some(EventKind::RpcCalling { method: method(), target: "compute".into() }),
            ),
            (
                format!("CALL msg_id: {HEX} exchange 'nova' topic 'compute.compute1' _send"),
                Some(EventKind::RpcSent { kind: RpcKind::Call, id, topic: "compute.compute1".into() }),
            ),
            (
                format!("CAST unique_id: {HEX} FANOUT topic 'scheduler' _send"),
                Some(EventKind::RpcSent { kind: RpcKind::Cast, id, topic: "scheduler".into() }),
            ),
            (format!("CAST unique_id: {HEX} NOTIFY exchange 'nova' topic 'notifications.info'"), None),
            (
                format!("received message msg_id: {HEX} reply to reply_aa"),
                Some(EventKind::RpcReceived { kind: RpcKind::Call, id }),
            ),
            ("received message msg_id: None reply to None".to_owned(), None),
            (
                format!("received message with unique_id: {HEX}"),
                Some(EventKind::RpcReceived { kind: RpcKind::Cast, id }),
            ),
            (
                format!("Receive incoming message with id {DASHED} and method: attach_volume. _process"),
                Some(EventKind::RpcIncoming { id, method: method() }),
            ),
            (
                format!("Replied success message with id {DASHED} and method: attach_volume. Time elapsed: 3.1 _p"),
                Some(EventKind::RpcReplied { id, method: Some(method()), success: Some(true) }),
            ),
            (
                format!(
                    "Replied failure for incoming message with id {HEX} and method: attach_volume. Time elapsed: 3.1"
                ),
                Some(EventKind::RpcReplied { id, method: Some(method()), success: Some(false) }),
            ),
            (
                format!("sending reply msg_id: {HEX} reply queue: reply_aa time elapsed: 0.1s"),
                Some(EventKind::RpcReplied { id, method: None, success: None }),
            ),
            (format!("received reply msg_id: {HEX}"), Some(EventKind::RpcAnswered { id })),
            (format!("No calling threads waiting for msg_id : {HEX}"), Some(EventKind::RpcLate { id })),
            ("AMQPListener connection consume".to_owned(), None),
        ];
        for (line, expected) in cases {
            assert_eq!(event(line.as_bytes()), expected, "{line}");
        }
    }
}
