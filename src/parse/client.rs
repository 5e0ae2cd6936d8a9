//! What `openstack --debug` writes to the terminal: messages without time, level or logger (osc-lib `logs.py`, keystoneauth
//! `session.py`), what `cinder --debug` and `nova --debug` write (`DEBUG (session:580) REQ: ...`, cinderclient `shell.py`),
//! and basicConfig's `DEBUG:keystoneauth:REQ: ...`. Everything around it (prompts, tables, prose) is left unread.

use super::dialect::{Dialect, is_library_logger};
use super::header;
use super::record::Head;
use crate::model::event::Level;

/// Bare client output.
pub(crate) struct Client;

/// Messages that begin a record and end on their line.
const SINGLE: &[&[u8]] = &[
    b"START with options: ",
    b"options: Namespace(",
    b"command: ",
    b"Auth plugin ",
    b"auth_config_hook(): ",
    b"defaults: {",
    b"cloud cfg: {",
    b"Using auth plugin: ",
    b"Using parameters {",
    b"Get auth_ref",
    b"Starting new HTTP",
    b"Resetting dropped connection: ",
    b"Making authentication request to ",
    b"Instantiating ",
    b"Compute client initialized ",
    b"Volume client initialized ",
    b"Request returned failure status: ",
    b"Retriable status code ",
    b"Failure: ",
    b"run(Namespace(",
    b"clean_up ",
    b"END return value: ",
    b"{\"token\": ",
    b"RESP: [",
];

/// The methods that keystoneauth's `METHOD call to ...` line and urllib3's can have.
pub(crate) const METHODS: &[&[u8]] = &[b"GET ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"HEAD ", b"OPTIONS "];

impl Dialect for Client {
    fn name(&self) -> &'static str {
        "client"
    }

    fn head<'a>(&self, line: &'a [u8]) -> Option<Head<'a>> {
        let (start, level, logger) = prefix(line);
        let message = &line[start..];
        let multi_line = kind(message).or_else(|| (start > 0).then_some(false))?;
        Some(Head {
            time: None,
            is_zoned: false,
            process: 0,
            level,
            logger,
            context: <_>::default(),
            host: b"",
            program: b"",
            message: start,
            may_continue: false,
            multi_line,
        })
    }

    fn is_client(&self) -> bool {
        true
    }

    /// Requests and answers that stand without a head may belong to the record of a service that acts as a client.
    fn opens(&self, line: &[u8]) -> bool {
        line.starts_with(b"START with options: ") || prefix(line).0 > 0
    }
}

/// Whether this is a message of the client's libraries.
pub(crate) fn is_message(message: &[u8]) -> bool {
    kind(message).is_some()
}

/// Whether a client message begins here and, if so, whether it can go on in the next line.
fn kind(message: &[u8]) -> Option<bool> {
    let ends_open = |ends: &[u8]| message.trim_ascii_end().last().is_none_or(|last| !ends.contains(last));
    match message.first()? {
        b'R' if message.starts_with(b"REQ: ") => Some(ends_open(b"'\"")),
        b'R' if message.starts_with(b"RESP BODY: ") => {
            Some(!message.starts_with(b"RESP BODY: Omitted") && ends_open(b"}]"))
        }
        b'T' if message.starts_with(b"Traceback (most recent call last):") => Some(true),
        b'h' if is_connection(message) => Some(false),
        b'"' if METHODS.iter().any(|method| message[1..].starts_with(method)) => Some(false),
        b'A'..=b'z' | b'{' => {
            let known = SINGLE.iter().any(|head| message.starts_with(head))
                || METHODS
                    .iter()
                    .any(|method| message.strip_prefix(*method).is_some_and(|rest| rest.starts_with(b"call to ")))
                || memchr::memmem::find(&message[..message.len().min(100)], b" API version ").is_some();
            known.then_some(false)
        }
        _ => None,
    }
}

/// urllib3's `http://host:80 "POST /path HTTP/1.1" 200 194`.
fn is_connection(message: &[u8]) -> bool {
    let is_url = message.starts_with(b"http://") || message.starts_with(b"https://");
    let quote = memchr::memmem::find(&message[..message.len().min(300)], b" \"");
    is_url && quote.is_some_and(|at| METHODS.iter().any(|method| message[at + 2..].starts_with(method)))
}

/// The length of `DEBUG (session:580) `, `DEBUG:keystoneauth:` or `cinderclient.v3.client  `, with the level and the logger in
/// it.
fn prefix(line: &[u8]) -> (usize, Level, &[u8]) {
    let none = (0, Level::Debug, &b""[..]);
    if line.first().is_some_and(u8::is_ascii_lowercase) {
        // As a viewer of logs exports them: without time and level. Only what a client says is told from prose.
        let logger = &line[..memchr::memchr(b' ', &line[..line.len().min(80)]).unwrap_or(0)];
        let blanks = line[logger.len()..].iter().take_while(|byte| **byte == b' ').count();
        let start = logger.len() + blanks;
        return if is_library_logger(logger) && is_message(&line[start..]) {
            (start, Level::Debug, logger)
        } else {
            none
        };
    }
    let word = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let (name, rest) = line.split_at(word);
    let level = || {
        let padded = [name, b" "].concat();
        header::level(&padded).ok().map(|(_, (level, _))| level)
    };
    if !(4..=8).contains(&word) {
        return none;
    }
    if let Some(place) = rest.strip_prefix(b" (") {
        let Some(close) = memchr::memchr(b')', &place[..place.len().min(80)]) else { return none };
        let is_place = memchr::memchr(b':', &place[..close]).is_some() && !place[..close].contains(&b' ');
        return match (level(), place.get(close + 1)) {
            (Some(level), Some(b' ')) if is_place => (word + 2 + close + 2, level, b""),
            _ => none,
        };
    }
    if let Some(named) = rest.strip_prefix(b":") {
        let Some(colon) = memchr::memchr(b':', &named[..named.len().min(80)]) else { return none };
        let logger = &named[..colon];
        let is_logger =
            colon > 0 && logger.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
        return match level() {
            Some(level) if is_logger => (word + 1 + colon + 1, level, logger),
            _ => none,
        };
    }
    none
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(line: &str) -> Option<&str> {
        Client.head(line.as_bytes()).map(|head| &line[head.message..])
    }

    #[test]
    fn heads_with_and_without_prefix() {
        assert_eq!(message("DEBUG (session:580) REQ: curl -g"), Some("REQ: curl -g"));
        assert_eq!(message("DEBUG:keystoneauth:REQ: curl -g"), Some("REQ: curl -g"));
        assert_eq!(message("DEBUG:urllib3.connectionpool:x"), Some("x"));
        assert_eq!(message("cinderclient.v3.client  REQ: curl -g"), Some("REQ: curl -g"));
        for line in [
            "REQ: curl -g -i -X GET http://172.16.1.12/identity",
            "RESP: [300] Connection: close",
            "RESP BODY: {\"versions\": {}}",
            "http://172.16.1.12:80 \"GET /identity HTTP/1.1\" 300 270",
            "GET call to compute for http://172.16.1.12/compute used request id req-1",
            "compute API version 2.1, cmd group openstack.compute.v2",
            "END return value: 0",
        ] {
            assert_eq!(message(line), Some(line));
        }
        for line in [
            "stack@rocky:~$ openstack --debug server add",
            "+-----+",
            "",
            "Attach",
            "Volume X (HTTP 400)",
            "DEBUG (x) y",
            "keystoneauth.session is the logger",
            "session  REQ: curl -g",
        ] {
            assert_eq!(message(line), None, "{line}");
        }
    }

    #[test]
    fn only_open_messages_go_on() {
        let goes_on = |line: &str| Client.head(line.as_bytes()).expect("a head").multi_line;
        assert!(goes_on("RESP BODY: {"));
        assert!(!goes_on("RESP BODY: {\"a\": 1}"));
        assert!(goes_on("REQ: curl -d '{"));
        assert!(!goes_on("REQ: curl -H \"A: b\""));
    }
}
