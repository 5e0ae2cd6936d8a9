//! Traced calls: cinder `volume/volume_utils.py` `trace`, os-brick `utils.py` `trace`.

use crate::model::event::{EventKind, OperationPhase};
use crate::parse::record::Record;
use crate::parse::scan::{lossy, until};
use crate::parse::secrets::redact;

/// The longest text kept of an exception.
const LONGEST: usize = 500;

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    if let Some(event) = event(record.message) {
        emit(event);
    }
}

fn event(text: &[u8]) -> Option<EventKind> {
    let (rest, begins) = match text.strip_prefix(b"==> ") {
        Some(rest) => (rest, true),
        None => (text.strip_prefix(b"<== ")?, false),
    };
    let function = until(&rest[..rest.len().min(200)], b": ");
    let rest = rest[function.len()..].strip_prefix(b": ")?;
    let phase = match (begins, until(&rest[..rest.len().min(20)], b" ")) {
        (true, b"call") => OperationPhase::Began,
        (false, b"return") => OperationPhase::Returned,
        (false, b"exception") => OperationPhase::Raised,
        _ => return None,
    };
    // `exception (12ms) VolumeDeviceNotFound('...')`, with what follows on the same line.
    let raised = || rest.get(memchr::memmem::find(rest, b"ms) ")? + 4..);
    let error = raised().filter(|_| phase == OperationPhase::Raised).map(|text| {
        let text = until(text, b"\r\n");
        // Formats with function and file put them behind the exception.
        let text = memchr::memrchr(b')', text).map_or(text, |end| &text[..=end]);
        redact(&lossy(&text[..text.len().min(LONGEST)])).into_owned()
    });
    Some(EventKind::Operation { function: lossy(function), phase, error })
}

/// The host that nova-compute or cinder-volume asks os-brick's connector for: its own.
pub(crate) fn own_host(text: &[u8]) -> Option<&[u8]> {
    let call = text.strip_prefix(b"==> get_connector_properties: call ")?;
    let host = crate::parse::scan::after(call, b"'host': ")?;
    let host = host.strip_prefix(b"u").unwrap_or(host).strip_prefix(b"'")?;
    let host = until(host, b"'");
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_phases_and_the_host() {
        let phase = |text: &str| match event(text.as_bytes()) {
            Some(EventKind::Operation { function, phase, error }) => Some((function, phase, error)),
            _ => None,
        };
        assert_eq!(
            phase("==> connect_volume: call \"{'self': 1}\""),
            Some(("connect_volume".into(), OperationPhase::Began, None))
        );
        assert_eq!(
            phase("<== connect_volume: return (12ms) {}"),
            Some(("connect_volume".into(), OperationPhase::Returned, None))
        );
        assert_eq!(
            phase("<== connect_volume: exception (12ms) X()"),
            Some(("connect_volume".into(), OperationPhase::Raised, Some("X()".into())))
        );
        assert_eq!(
            phase("<== connect_volume: exception (12ms) X('no') wrapper /usr/x.py:12"),
            Some(("connect_volume".into(), OperationPhase::Raised, Some("X('no')".into())))
        );
        assert_eq!(phase("<== nothing"), None);
        let call =
            b"==> get_connector_properties: call \"{'my_ip': '127.0.0.1', 'host': 'compute1', 'execute': None}\"";
        assert_eq!(own_host(call), Some(&b"compute1"[..]));
    }
}
