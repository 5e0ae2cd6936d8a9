//! What API services write about the requests they serve: nova `api/openstack/wsgi.py` and `requestlog.py`, cinder
//! `api/openstack/wsgi.py` and `api/middleware/fault.py`, eventlet `wsgi.py`. Words that oslo.i18n translates are not
//! looked at, only methods, URLs, JSON and numbers.

use crate::model::event::{EventKind, Level};
use crate::parse::record::Record;
use crate::parse::scan::{after, last_component, lossy, micros, number, until};

use super::body;
use super::http::masked_url;

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    let text = record.message;
    let is_debug = record.head.level == Level::Debug;
    let action = || is_debug.then(|| action(text, record.text())).flatten();
    if let Some(event) = access(text).or_else(|| begun(text)).or_else(|| ended(text)).or_else(action) {
        emit(event);
    }
}

/// `127.0.0.1 "POST /v2.1/servers HTTP/1.1" status: 202 len: 440 time: 2.01` and eventlet's default
/// `10.0.0.1 - - [date] "GET / HTTP/1.1" 200 123 0.012`.
fn access(text: &[u8]) -> Option<EventKind> {
    if !text.first()?.is_ascii_hexdigit() && !matches!(text[0], b'-' | b'<' | b':' | b'(' | b'u') {
        return None;
    }
    let (_, request) = split_at_quote(text)?;
    let (request, rest) = split_at_quote(request)?;
    let request = request.strip_suffix(b" HTTP/1.1").or_else(|| request.strip_suffix(b" HTTP/1.0")).unwrap_or(request);
    let blank = memchr::memchr(b' ', request)?;
    let (method, url) = (&request[..blank], &request[blank + 1..]);
    if method.is_empty() || !method.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (status, duration) = match rest.strip_prefix(b"status: ") {
        Some(rest) => (number(rest)?, after(rest, b"time:").and_then(|time| micros(time.trim_ascii_start()))),
        None => {
            let mut words = rest.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            (number(words.next()?)?, words.nth(1).and_then(micros))
        }
    };
    let status = u16::try_from(status).ok()?;
    Some(EventKind::RequestEnded { method: Some(lossy(method)), url: masked_url(url), status, duration })
}

fn split_at_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr::memchr(b'"', text).map(|at| (&text[..at], &text[at + 1..]))
}

/// `POST http://10.0.0.1:8776/v3/...`.
fn begun(text: &[u8]) -> Option<EventKind> {
    let blank = memchr::memchr(b' ', &text[..text.len().min(10)])?;
    let (method, url) = (&text[..blank], &text[blank + 1..]);
    let is_request = blank > 2 && method.iter().all(u8::is_ascii_uppercase) && is_url(url);
    is_request.then(|| EventKind::RequestBegan { method: lossy(method), url: masked_url(until(url, b" \r\n")) })
}

fn is_url(text: &[u8]) -> bool {
    text.starts_with(b"http://") || text.starts_with(b"https://")
}

/// `http://10.0.0.1:8776/v3/... returned with HTTP 202`, and `... returned a fault: ...` with a status in its text.
fn ended(text: &[u8]) -> Option<EventKind> {
    if !is_url(text) {
        return None;
    }
    let url = until(text, b" \r\n");
    let rest = &text[url.len()..];
    let status = number(after(rest, b"HTTP ")?)?;
    let status = u16::try_from(status).ok().filter(|status| (100..600).contains(status))?;
    Some(EventKind::RequestEnded { method: None, url: masked_url(url), status, duration: None })
}

/// `Action: 'create', calling method: <bound method X.create of <...>>, body: {...}`, `Calling method 'show'`,
/// `Action body: {...}` and the same in other languages.
fn action(text: &[u8], first_line: &[u8]) -> Option<EventKind> {
    if let Some(body) = text.strip_prefix(b"Action body: ") {
        return Some(EventKind::RequestAction { controller: String::new(), body: body::request(body, true) });
    }
    // 'word' or 'word', some text: method, some text: body
    let quoted = memchr::memchr(b'\'', &text[..text.len().min(200)]).map(|quote| &text[quote + 1..]);
    let bound = [&b"<bound method "[..], b"<unbound method ", b"<function "].iter().find_map(|open| after(text, open));
    let (name, rest) = match bound {
        Some(method) => {
            let name = until(method, b" >,");
            (name, &method[name.len()..])
        }
        None => {
            let quoted = quoted?;
            let word = until(quoted, b"'");
            let rest = quoted.get(word.len() + 1..)?;
            match rest.strip_prefix(b", ") {
                // Action: 'action', calling method: _reserve, body: {...}
                Some(rest) => {
                    let method = after(rest, b": ")?;
                    let name = until(method, b", ");
                    (name, &method[name.len()..])
                }
                // Calling method 'show'
                None if first_line.ends_with(b"'") => (word, &b""[..]),
                None => return None,
            }
        }
    };
    let name = last_component(name);
    let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !is_name {
        return None;
    }
    let is_action = quoted.is_some_and(|quoted| quoted.starts_with(b"action'"));
    let body =
        memchr::memchr2(b'{', b'[', rest).map(|start| body::request(&rest[start..], is_action)).unwrap_or_default();
    Some(EventKind::RequestAction { controller: lossy(name), body })
}
