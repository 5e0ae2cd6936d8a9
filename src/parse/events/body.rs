//! The facts in the body of a request or an answer. Bodies are JSON (keystoneauth), python's `b'{...}'` or a dict's repr
//! (`{u'os-reserve': None}`), and may be cut: what is no JSON is searched for keys. Only the facts named here are kept;
//! connection data with its secrets never is.

use memchr::memmem;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::base::text::leading_uuid;
use crate::model::event::{Body, VolumeSeen};
use crate::parse::scan::{lossy, until};
use crate::parse::secrets::redact;

/// The facts in a request's body; `is_action` when it is one of `.../action`, of which the only key is the action.
pub(crate) fn request(text: &[u8], is_action: bool) -> Body {
    let text = unwrapped(text);
    match json(text) {
        Some(object) => {
            let mut body = Body::default();
            let action = object.keys().find(|key| key.starts_with("os-"));
            let only = object.keys().next().filter(|_| is_action && object.len() == 1);
            body.action = action.or(only).cloned();
            collect(&object, &mut body);
            for inner in object.values().filter_map(Value::as_object) {
                collect(inner, &mut body);
                body.options.extend(inner.iter().filter_map(option));
            }
            if body.action.as_deref() == Some("os-reset_status") {
                let inner = object.get("os-reset_status").and_then(Value::as_object);
                body.status = inner.and_then(|inner| text_of(inner, &["status"]));
            }
            body
        }
        None => scanned(text, is_action),
    }
}

/// The facts in an answer's body.
pub(crate) fn answer(text: &[u8]) -> Body {
    let text = unwrapped(text);
    if text.starts_with(b"{\"token\"") || !may_matter(text) {
        return Body::default();
    }
    let Some(object) = json(text) else { return scanned(text, false) };
    let mut body = Body::default();
    for (key, value) in &object {
        match (key.as_str(), value) {
            ("volume", Value::Object(volume)) => body.volumes.extend(volume_seen(volume)),
            ("volumes", Value::Array(list)) => {
                body.volumes.extend(list.iter().filter_map(Value::as_object).filter_map(volume_seen));
            }
            ("server", Value::Object(server)) => body.servers.extend(server_seen(server)),
            ("servers", Value::Array(list)) => {
                body.servers.extend(list.iter().filter_map(Value::as_object).filter_map(server_seen));
            }
            ("attachments", Value::Array(list)) => body.remaining = Some(list.len()),
            ("attachment", Value::Object(attachment)) => {
                collect(attachment, &mut body);
                body.attachment = id_of(attachment, &["id"]);
            }
            ("volumeAttachment", Value::Object(attachment)) => collect(attachment, &mut body),
            (_, Value::Object(other)) if other.contains_key("message") && other.contains_key("code") => {
                body.error = text_of(other, &["message"]);
            }
            _ => {}
        }
    }
    body
}

/// Whether a body can hold a fact at all: most answers are other services'.
fn may_matter(text: &[u8]) -> bool {
    [&b"olume"[..], b"erver", b"ttachment", b"\"message\"", b"'message'"]
        .iter()
        .any(|word| memmem::find(text, word).is_some())
}

/// Without python's `b'...'` around it.
fn unwrapped(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    match text {
        [b'b', b'\'' | b'"', rest @ ..] => rest,
        _ => text,
    }
}

/// The JSON object at the beginning, whatever follows it.
fn json(text: &[u8]) -> Option<Map<String, Value>> {
    if text.first() != Some(&b'{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Map<String, Value>>();
    values.next()?.ok()
}

fn id_of(object: &Map<String, Value>, keys: &[&str]) -> Option<Uuid> {
    keys.iter().find_map(|key| object.get(*key)?.as_str().and_then(|text| Uuid::parse_str(text).ok()))
}

fn text_of(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| object.get(*key)?.as_str()).map(|text| redact(text).into_owned())
}

/// Takes the facts that stand directly in an object; what is known already stays.
fn collect(object: &Map<String, Value>, body: &mut Body) {
    body.volume = body.volume.or_else(|| id_of(object, &["volumeId", "volume_uuid", "volume_id"]));
    body.target = body.target.or_else(|| id_of(object, &["new_volume"]));
    body.server = body.server.or_else(|| id_of(object, &["instance_uuid", "serverId", "instance", "server_id"]));
    body.attachment = body.attachment.or_else(|| id_of(object, &["attachment_id"]));
    body.device = body.device.take().or_else(|| text_of(object, &["device", "mountpoint"]));
    let flag = object.get("delete_on_termination").and_then(Value::as_bool);
    body.delete_on_termination = body.delete_on_termination.or(flag);
    if let Some(Value::Object(connector)) = object.get("connector") {
        body.connector = true;
        body.host = body.host.take().or_else(|| text_of(connector, &["host"]));
        body.device = body.device.take().or_else(|| text_of(connector, &["mountpoint"]));
    }
}

/// A key that is true, or one of a status.
fn option((key, value): (&String, &Value)) -> Option<(String, String)> {
    match value {
        Value::Bool(true) => Some((key.clone(), "true".to_owned())),
        Value::String(text) if key == "status" || key.ends_with("_status") => {
            Some((key.clone(), redact(text).into_owned()))
        }
        _ => None,
    }
}

fn server_seen(server: &Map<String, Value>) -> Option<(Uuid, Option<String>)> {
    Some((id_of(server, &["id"])?, text_of(server, &["name"])))
}

fn volume_seen(volume: &Map<String, Value>) -> Option<VolumeSeen> {
    let attachments = volume.get("attachments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let attachment = |entry: &Map<String, Value>| (id_of(entry, &["attachment_id"]), id_of(entry, &["server_id"]));
    Some(VolumeSeen {
        id: id_of(volume, &["id"])?,
        name: text_of(volume, &["name", "display_name"]),
        status: text_of(volume, &["status"]),
        multiattach: volume.get("multiattach").and_then(Value::as_bool),
        attachments: attachments.iter().filter_map(Value::as_object).map(attachment).collect(),
    })
}

/// The facts of a text that is no JSON: keys are searched for, whatever their quotes.
fn scanned(text: &[u8], is_action: bool) -> Body {
    let id = |keys: &[&str]| keys.iter().find_map(|key| leading_uuid(value(text, key)?));
    let word = |keys: &[&str]| keys.iter().find_map(|key| value(text, key)).filter(|word| !word.is_empty());
    let owned = |word: &[u8]| redact(&lossy(word)).into_owned();
    let first_key = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start).and_then(quoted);
    let action = first_key.filter(|key| is_action || key.starts_with(b"os-"));
    let connector = after_key(text, "connector").filter(|rest| rest.starts_with(b"{"));
    let flag = after_key(text, "delete_on_termination").map(|rest| rest.to_ascii_lowercase().starts_with(b"true"));
    let is_reset = action == Some(b"os-reset_status");
    Body {
        action: action.map(owned),
        volume: id(&["volumeId", "volume_uuid", "volume_id"]),
        target: id(&["new_volume"]),
        server: id(&["instance_uuid", "serverId", "server_id"]),
        attachment: id(&["attachment_id"]),
        device: word(&["device", "mountpoint"]).map(owned),
        connector: connector.is_some(),
        host: connector.and_then(|connector| value(connector, "host")).map(owned),
        status: word(&["status"]).filter(|_| is_reset).map(owned),
        delete_on_termination: flag,
        ..Body::default()
    }
}

/// What follows `"key": `.
fn after_key<'t>(text: &'t [u8], key: &str) -> Option<&'t [u8]> {
    memmem::find_iter(text, key.as_bytes()).find_map(|start| {
        let quote = *text.get(start.checked_sub(1)?)?;
        let rest = text[start + key.len()..].strip_prefix(&[quote])?.strip_prefix(b":")?;
        matches!(quote, b'"' | b'\'').then(|| rest.trim_ascii_start())
    })
}

/// The text value of a key.
fn value<'t>(text: &'t [u8], key: &str) -> Option<&'t [u8]> {
    quoted(after_key(text, key)?)
}

/// The inside of `'x'`, `"x"` or `u'x'` at the beginning.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"u").unwrap_or(text);
    let quote = *text.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    Some(until(&text[1..], &[quote]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUME: &str = "c6e212b4-13cb-4727-bb3a-772a4c2bf842";
    const SERVER: &str = "d073926b-de15-4a30-9942-e20186d6d3d9";

    fn id(text: &str) -> Option<Uuid> {
        Uuid::parse_str(text).ok()
    }

    #[test]
    fn requests_in_json_python_and_cut() {
        let attach = format!(
            "{{\"os-attach\": {{\"mountpoint\": \"/dev/vdb\", \"mode\": \"rw\", \"instance_uuid\": \"{SERVER}\"}}}} get_method /x.py:9"
        );
        let cut = &attach[..attach.len() - 20];
        let repr =
            format!("{{u'os-attach': {{u'instance_uuid': u'{SERVER}', u'mountpoint': u'/dev/vdb', u'mode': u'rw'}}}}");
        for text in [attach.clone(), format!("b'{attach}'"), cut.to_owned(), repr] {
            let body = request(text.as_bytes(), true);
            assert_eq!(body.action.as_deref(), Some("os-attach"), "{text}");
            assert_eq!((body.server, body.device.as_deref()), (id(SERVER), Some("/dev/vdb")), "{text}");
        }
        let create = format!(
            "{{\"attachment\": {{\"volume_uuid\": \"{VOLUME}\", \"connector\": null, \"instance_uuid\": \"{SERVER}\"}}}}"
        );
        let body = request(create.as_bytes(), false);
        assert_eq!((body.action, body.volume, body.server, body.connector), (None, id(VOLUME), id(SERVER), false));
        let update =
            br#"{"attachment": {"connector": {"ip": "127.0.0.1", "host": "compute1", "mountpoint": "/dev/sdb"}}}"#;
        let body = request(update, false);
        assert_eq!(
            (body.connector, body.host.as_deref(), body.device.as_deref()),
            (true, Some("compute1"), Some("/dev/sdb"))
        );
        let body = request(br#"{"os-detach": {"attachment_id": null}}"#, true);
        assert_eq!((body.action.as_deref(), body.attachment), (Some("os-detach"), None));
        let body = request(br#"{"os-reset_status": {"status": "available", "attach_status": "detached"}}"#, true);
        assert_eq!(body.status.as_deref(), Some("available"));
        let options = [("attach_status", "detached"), ("status", "available")];
        assert_eq!(body.options, options.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let ended = format!(
            "{{\"os-migrate_volume_completion\": {{\"new_volume\": \"{VOLUME}\", \"error\": true, \"force\": false}}}}"
        );
        let body = request(ended.as_bytes(), true);
        assert_eq!((body.target, body.options), (id(VOLUME), vec![("error".to_owned(), "true".to_owned())]));
        assert_eq!(request(br#"{"reboot": {"type": "HARD"}}"#, true).action.as_deref(), Some("reboot"));
        let volume = format!(
            "{{\"volumeAttachment\": {{\"volumeId\": \"{VOLUME}\", \"device\": null, \"delete_on_termination\": true}}}}"
        );
        let body = request(volume.as_bytes(), false);
        assert_eq!((body.volume, body.device, body.delete_on_termination), (id(VOLUME), None, Some(true)));
    }

    #[test]
    fn answers() {
        let volume = format!(
            r#"{{"volume": {{"id": "{VOLUME}", "status": "in-use", "name": "data", "multiattach": false, "attachments": [{{"server_id": "{SERVER}", "attachment_id": "{VOLUME}", "id": "{VOLUME}"}}]}}}}"#
        );
        let seen = &answer(volume.as_bytes()).volumes[0];
        assert_eq!((seen.status.as_deref(), seen.multiattach), (Some("in-use"), Some(false)));
        assert_eq!(seen.attachments, [(id(VOLUME), id(SERVER))]);
        let attachment = format!(
            r#"{{"attachment": {{"id": "{VOLUME}", "instance": "{SERVER}", "volume_id": "{VOLUME}", "connection_info": {{"auth_password": "labsecret"}}}}}}"#
        );
        let body = answer(attachment.as_bytes());
        assert_eq!((body.attachment, body.server, body.volume), (id(VOLUME), id(SERVER), id(VOLUME)));
        assert!(!format!("{body:?}").contains("labsecret"));
        assert_eq!(answer(br#"{"attachments": []}"#).remaining, Some(0));
        let error = answer(br#"{"itemNotFound": {"code": 404, "message": "Volume x could not be found."}}"#);
        assert_eq!(error.error.as_deref(), Some("Volume x could not be found."));
        let servers = format!(r#"{{"servers": [{{"id": "{SERVER}", "name": "web"}}]}}"#);
        assert_eq!(
            answer(servers.as_bytes()).servers,
            [(Uuid::parse_str(SERVER).expect("an id"), Some("web".to_owned()))]
        );
        assert_eq!(answer(br#"{"ports": []}"#), Body::default());
    }
}
