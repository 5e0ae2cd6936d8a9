//! What HTTP clients write, in a client's log and inside services: keystoneauth `session.py` (`_http_log_request`,
//! `_http_log_response`), older novaclient and cinderclient `client.py`, urllib3 `connectionpool.py`.

use memchr::memmem;

use crate::model::event::{Body, EventKind, RequestId};
use crate::parse::header::http_date;
use crate::parse::record::Record;
use crate::parse::scan::{after, find_ignoring_case, lossy, number, request_id, until};
use crate::parse::{client, secrets};

use super::body;

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    let text = record.message.trim_ascii_start();
    let logger = record.head.logger;
    if let Some(request) = text.strip_prefix(b"REQ: ").or_else(|| text.starts_with(b"curl ").then_some(text)) {
        if let Some(event) = sent(request) {
            emit(event);
        }
    } else if let Some(answer) = text.strip_prefix(b"RESP BODY: ") {
        emit_body(answer, emit);
    } else if let Some(answer) = text.strip_prefix(b"RESP: ").or_else(|| logger.ends_with(b".response").then_some(text))
    {
        let body_start = memmem::find(answer, b"RESP BODY: ");
        if let Some(event) = answered(&answer[..body_start.unwrap_or(answer.len())]) {
            emit(event);
            if let Some(start) = body_start {
                emit_body(&answer[start + b"RESP BODY: ".len()..], emit);
            }
        }
    } else if logger.ends_with(b".body") {
        emit_body(text, emit);
    } else if let Some(url) = text.strip_prefix(b"Making authentication request to ") {
        emit(EventKind::HttpAuthenticating { url: masked_url(until(url, b" \r\n")) });
    } else if let Some(event) = used(record.first_line()).or_else(|| connected(record.first_line())) {
        emit(event);
    }
}

/// Says what an answer's body holds, when it holds anything of interest.
fn emit_body(text: &[u8], emit: &mut dyn FnMut(EventKind)) {
    let body = body::answer(text);
    if body != Body::default() {
        emit(EventKind::HttpBody { body });
    }
}

/// A URL without what must not be kept: the token of keystone's old `/tokens/TOKEN`, and queries that name secrets.
pub(super) fn masked_url(url: &[u8]) -> String {
    const TOKENS: &str = "/tokens/";
    let mut url = lossy(url);
    if let Some(start) = url.find(TOKENS) {
        let start = start + TOKENS.len();
        let length = url[start..].find(['/', '?']).unwrap_or(url.len() - start);
        if length > 0 {
            url.replace_range(start..start + length, secrets::MASK);
        }
    }
    secrets::redact(&url).into_owned()
}

/// `curl -g -i -X POST http://... -H "X-OpenStack-Request-ID: req-..." -d '{...}'`. Old clients have the URL first and
/// leave out `-X GET`. The body is not escaped: it ends at the last quote of the record.
fn sent(request: &[u8]) -> Option<EventKind> {
    let request = request.strip_prefix(b"curl ")?;
    let body_start = memmem::find(request, b" -d '");
    let head = &request[..body_start.unwrap_or(request.len())];
    let options = &head[..memmem::find(head, b" -H ").unwrap_or(head.len())];
    let method = after(head, b"-X ").map_or(&b"GET"[..], |method| until(method, b" "));
    let url_start = memmem::find(options, b"http")?;
    let url = match url_start.checked_sub(1).map(|before| options[before]) {
        Some(quote @ (b'"' | b'\'')) => until(&options[url_start..], &[quote]),
        _ => until(&options[url_start..], b" \r\n"),
    };
    let body = body_start.map(|start| &request[start + b" -d '".len()..]);
    let body = body.map(|body| &body[..memchr::memrchr(b'\'', body).unwrap_or(body.len())]);
    let is_action = until(url, b"?").ends_with(b"/action");
    Some(EventKind::HttpSent {
        method: lossy(method),
        url: masked_url(url),
        header: header_id(head, b"x-openstack-request-id"),
        body: body.map_or_else(Body::default, |body| body::request(body, is_action)),
    })
}

/// The request id in a header: `Name: req-...`, `"Name: req-..."` or `'name': u'req-...'`.
fn header_id(text: &[u8], name: &[u8]) -> Option<RequestId> {
    let value = &text[find_ignoring_case(text, name)? + name.len()..];
    let start = memmem::find(&value[..value.len().min(12)], b"req-")?;
    request_id(&value[start..])
}

/// `[200] Date: ... x-openstack-request-id: req-...`, also with the headers as a python dict.
fn answered(answer: &[u8]) -> Option<EventKind> {
    let status = u16::try_from(number(answer.strip_prefix(b"[")?)?).ok()?;
    let header = header_id(answer, b"x-openstack-request-id").or_else(|| header_id(answer, b"x-compute-request-id"));
    let mut date = None;
    let mut rest = answer;
    while let (None, Some(start)) = (date, find_ignoring_case(rest, b"date")) {
        rest = &rest[start + b"date".len()..];
        let value = rest.iter().position(|byte| !matches!(byte, b'\'' | b'"' | b':' | b' ')).unwrap_or(0);
        let value = rest[value..].strip_prefix(b"u'").unwrap_or(&rest[value..]);
        date = http_date(value).ok().map(|(_, date)| date);
    }
    Some(EventKind::HttpAnswered { status, header, date })
}

/// `POST call to compute for URL used request id req-...`; without a service it is `POST call to URL used ...`.
fn used(line: &[u8]) -> Option<EventKind> {
    const USED: &[u8] = b" used request id ";
    let method = until(&line[..line.len().min(10)], b" ");
    let target = line[method.len()..].strip_prefix(b" call to ")?;
    let end = memmem::rfind(target, USED)?;
    let request = request_id(&target[end + USED.len()..])?;
    let url = after(&target[..end], b" for ").unwrap_or(&target[..end]);
    Some(EventKind::HttpUsed { method: lossy(method), url: masked_url(url), request })
}

/// `http://host:80 "POST /path HTTP/1.1" 200 194`; old releases have no host.
fn connected(line: &[u8]) -> Option<EventKind> {
    let quote = memchr::memchr(b'"', &line[..line.len().min(300)])?;
    let request = &line[quote + 1..];
    let method = client::METHODS.iter().find(|method| request.starts_with(method))?;
    let end = memmem::find(request, b" HTTP/")?;
    let url = request.get(method.len()..end)?;
    let rest = after(&request[end..], b"\" ")?;
    let status = u16::try_from(number(rest)?).ok()?;
    Some(EventKind::HttpConnected { method: lossy(method.trim_ascii_end()), url: masked_url(url), status })
}
