//! One JSON object a line: docker's `json-file`, `journalctl -o json`, oslo.log's JSONFormatter and FluentFormatter, and the
//! events of collectors (fluentd, logstash, rsyslog, Graylog), which name the same things in different ways.

use serde_json::{Map, Value};

use super::lines::{Lines, Names, Origin};
use super::{Wrapping, most};
use crate::base::time::{SECOND, Timestamp};
use crate::parse::header;

type Object = Map<String, Value>;

/// Lines of JSON.
pub(super) struct Json {
    name: &'static str,
    /// Whether docker's texts end with a newline: it cuts a long line, and gives its parts without one. Collectors take the
    /// newlines off.
    has_ends: bool,
}

/// The names of kinds, each with fields that only it has.
const KINDS: &[(&str, &[&str])] = &[
    ("journal-json", &["__REALTIME_TIMESTAMP", "MESSAGE"]),
    ("docker-json", &["log", "stream"]),
    ("oslo-json", &["levelname", "relative_created"]),
    ("fluent-json", &["process_name", "cmdline"]),
    ("logstash-json", &["@timestamp"]),
];

/// Fields of the text, the most telling first.
const MESSAGE: &[&str] = &["MESSAGE", "message", "log", "Payload", "full_message", "body", "msg", "short_message"];
/// Fields of the moment, those on the clock of the program first.
const TIME: &[&str] = &[
    "asctime",
    "created",
    "_SOURCE_REALTIME_TIMESTAMP",
    "__REALTIME_TIMESTAMP",
    "Timestamp",
    "timestamp",
    "time",
    "isotime",
    "@timestamp",
];
const LEVEL: &[&str] = &["levelname", "log_level", "loglevel", "level", "severity_label", "severity", "LOGGER_LEVEL"];
const LOGGER: &[&str] = &["python_module", "logger_name", "logger", "LOGGER_NAME", "name", "module"];
const HOST: &[&str] = &["_HOSTNAME", "hostname", "Hostname", "logsource", "syslog_hostname", "host", "source_host"];
const PROGRAM: &[&str] = &[
    "SYSLOG_IDENTIFIER",
    "_SYSTEMD_UNIT",
    "programname",
    "program",
    "syslog_program",
    "app_name",
    "appname",
    "APP-NAME",
    "container_name",
];
const PROCESS: &[&str] = &["_PID", "process", "Pid", "pid", "procid", "syslog_pid"];
const INSTANCE: &[&str] = &["instance", "instance_uuid", "INSTANCE_UUID"];

/// Recognises lines that mostly are JSON objects with a text.
pub(super) fn recognise(sample: &Lines) -> Option<Json> {
    let is_record = |line: &[u8]| object(line).is_some_and(|object| message(&object).is_some());
    let first = sample.iter().filter_map(|(_, line)| object(line)).find(|object| message(object).is_some())?;
    let has = |fields: &[&str]| fields.iter().all(|field| first.contains_key(*field));
    let name = KINDS.iter().find(|(_, fields)| has(fields)).map_or("json", |(name, _)| *name);
    let has_ends = sample.iter().any(|(_, line)| object(line).and_then(|object| is_whole(&object)) == Some(true));
    most(sample, is_record).then_some(Json { name, has_ends })
}

impl Wrapping for Json {
    fn name(&self) -> &'static str {
        self.name
    }

    fn unwrap(&self, wrapped: &Lines, names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        let mut is_open = false;
        for (origin, line) in wrapped.iter() {
            let object = object(line);
            let Some((object, text)) = object.and_then(|object| message(&object).map(|text| (object, text))) else {
                lines.push(origin, line);
                continue;
            };
            let is_cut = self.has_ends && is_whole(&object) == Some(false);
            let continues = std::mem::replace(&mut is_open, is_cut);
            let text = text.strip_suffix(b"\n").unwrap_or(&text);
            let (program, text) = without_program(text);
            if continues {
                lines.extend_last(text);
                continue;
            }
            let word = |fields: &[&str]| fields.iter().find_map(|field| plain(object.get(*field)?));
            let (time, is_zoned) =
                moment(&object).map_or((origin.time, origin.is_zoned), |(time, zoned)| (Some(time), zoned));
            let origin = Origin {
                time,
                is_zoned,
                process: word(PROCESS).and_then(|word| word.parse().ok()).unwrap_or(origin.process),
                host: word(HOST).map_or(origin.host, |host| names.of(host.as_bytes())),
                program: match word(PROGRAM) {
                    Some(program) => names.of(program.as_bytes()),
                    None if !program.is_empty() => names.of(program),
                    None => origin.program,
                },
                ..origin
            };
            match structured(&object, text) {
                Some(record) => lines.push(origin, &record),
                None => lines.push(origin, text),
            }
        }
        lines
    }
}

fn object(line: &[u8]) -> Option<Object> {
    let line = line.trim_ascii();
    // `tag<TAB>time<TAB>{...}`, as fluentd's out_file writes them, begin with the time and the tag.
    let start = if line.first() == Some(&b'{') { 0 } else { memchr::memmem::find(line, b"\t{")? + 1 };
    serde_json::from_slice(&line[start..]).ok()
}

/// The text of a record; journald gives bytes that are no UTF-8 as a list of numbers.
fn message(object: &Object) -> Option<Vec<u8>> {
    MESSAGE.iter().find_map(|field| match object.get(*field)? {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        _ => None,
    })
}

/// The program and the text behind it in `nova-api - - - text`: a message of RFC 5424 without its first fields.
fn without_program(text: &[u8]) -> (&[u8], &[u8]) {
    const NONE: &[u8] = b" - - - ";
    let program = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    match text[program..].strip_prefix(NONE) {
        Some(rest) if program > 0 => (&text[..program], rest),
        _ => (b"", text),
    }
}

/// Whether docker's text ends with a newline.
fn is_whole(object: &Object) -> Option<bool> {
    object.get("log")?.as_str().map(|text| text.ends_with('\n'))
}

/// A number or a word.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(inner) => inner.get("name").or_else(|| inner.get("hostname")).and_then(plain),
        _ => None,
    }
}

/// When it was written, and whether that is in UTC.
fn moment(object: &Object) -> Option<(Timestamp, bool)> {
    let (time, is_zoned) = TIME.iter().find_map(|field| match object.get(*field)? {
        Value::String(text) => {
            header::moment(text.as_bytes()).or_else(|| Some((since_epoch(text.parse().ok()?)?, true)))
        }
        Value::Number(number) => Some((since_epoch(number.as_f64()?)?, true)),
        _ => None,
    })?;
    // oslo.log's `asctime` has no fraction where the format gives it apart.
    let millis = object.get("msecs").and_then(Value::as_f64).filter(|_| time.0 % SECOND == 0);
    Some((millis.map_or(time, |millis| time.plus((millis * 1_000.0) as i64)), is_zoned))
}

/// Seconds, milliseconds or microseconds since 1970: their size tells.
fn since_epoch(number: f64) -> Option<Timestamp> {
    let seconds = [1.0, 1e3, 1e6, 1e9].into_iter().map(|unit| number / unit).find(|seconds| *seconds < 1e11)?;
    (seconds > 1e8).then_some(Timestamp((seconds * 1e6) as i64))
}

/// `LEVEL logger [ids] [instance: ...] text`, as oslo.log's text format has it, and its traceback: for a record of which the
/// parts stand in fields of their own.
fn structured(object: &Object, text: &[u8]) -> Option<Vec<u8>> {
    let word = |fields: &[&str]| fields.iter().find_map(|field| object.get(*field)?.as_str());
    let level = word(LEVEL).map(str::to_ascii_uppercase);
    let (level, logger) = (level.filter(|level| header::is_level(level.as_bytes()))?, word(LOGGER)?);
    let has_head = header::tail(text, false).is_ok() || header::stamp(text).is_ok();
    if has_head {
        return None;
    }
    let context = object.get("context").and_then(Value::as_object).unwrap_or(object);
    let id = |field: &str| {
        let found = [context, object].into_iter().find_map(|place| place.get(field)?.as_str());
        found.filter(|id| id.starts_with("req-"))
    };
    let global = id("global_request_id").or_else(|| context.contains_key("global_request_id").then_some("None"));
    let ids = match (global, id("request_id").or_else(|| id("REQUEST_ID"))) {
        (Some(global), Some(request)) => format!("{global} {request}"),
        (None, Some(request)) => request.to_owned(),
        _ => "-".to_owned(),
    };
    let extra = object.get("extra").and_then(Value::as_object);
    let of_server = |place: &Object| INSTANCE.iter().find_map(|field| plain(place.get(*field)?));
    let server = extra.and_then(of_server).or_else(|| of_server(object)).or_else(|| of_server(context));
    let server = server.map_or_else(String::new, |server| {
        let id = server.trim_start_matches("[instance: ").trim_end_matches([']', ' ']);
        format!("[instance: {id}] ")
    });
    let mut record = format!("{level} {logger} [{ids}] {server}").into_bytes();
    record.extend_from_slice(text);
    if let Some(summary) = word(&["error_summary"]).filter(|summary| !summary.is_empty() && *summary != "-") {
        record.extend_from_slice(format!(": {summary}").as_bytes());
    }
    let mut add = |line: &str| record.extend_from_slice(format!("\nERROR {logger} {line}").as_bytes());
    match object.get("traceback").or_else(|| object.get("Traceback")).or_else(|| object.get("EXCEPTION_TEXT")) {
        Some(Value::Array(lines)) => {
            lines.iter().filter_map(Value::as_str).flat_map(str::lines).for_each(&mut add);
        }
        Some(Value::String(text)) => text.lines().for_each(&mut add),
        _ => {}
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::scan::lossy;

    /// The name of the wrapping; the number, the clock and the text of each line.
    type Unwrapped = (Option<&'static str>, Vec<(u64, Option<String>, String)>);

    fn unwrapped(text: &str) -> Unwrapped {
        let (sample, mut names) = (Lines::of_text(text.as_bytes(), 1), Names::default());
        let found = recognise(&sample);
        let name = found.as_ref().map(|wrapping| wrapping.name());
        let lines = found.map_or(Lines::default(), |wrapping| wrapping.unwrap(&sample, &mut names));
        let tell = |(origin, line): (Origin, &[u8])| {
            let clock = origin.time.map(|time| time.clock());
            (origin.number, clock, lossy(line))
        };
        (name, lines.iter().map(tell).collect())
    }

    #[test]
    fn a_container_s_lines() {
        let (name, lines) = unwrapped(concat!(
            r#"{"log":"2026-11-22 08:04:19.756 7 INFO a.b [-] x\n","stream":"stdout","time":"2026-11-22T08:04:19.75612Z"}"#,
            "\n",
            r#"{"log":"cut ","stream":"stdout","time":"2026-11-22T08:04:20Z"}"#,
            "\n",
            r#"{"log":"line\n","stream":"stdout","time":"2026-11-22T08:04:20Z"}"#,
            "\nno JSON\n",
        ));
        assert_eq!(name, Some("docker-json"));
        assert_eq!(
            lines,
            [
                (1, Some("08:04:19.756".into()), "2026-11-22 08:04:19.756 7 INFO a.b [-] x".into()),
                (2, Some("08:04:20.000".into()), "cut line".into()),
                (4, None, "no JSON".into()),
            ]
        );
    }

    #[test]
    fn texts_without_ends_are_whole_lines() {
        let (_, lines) =
            unwrapped("{\"log\":\"one\",\"stream\":\"a\"}\n{\"no\":\"text\"}\n{\"log\":\"two\",\"stream\":\"a\"}\n");
        let found: Vec<_> = lines.iter().map(|(number, _, line)| (*number, line.as_str())).collect();
        assert_eq!(found, [(1, "one"), (2, "{\"no\":\"text\"}"), (3, "two")]);
    }

    #[test]
    fn records_in_fields() {
        let (name, lines) = unwrapped(concat!(
            r#"{"message": "Failed\ntwice", "asctime": "2026-11-22 08:04:19", "msecs": 281.5, "levelname": "ERROR", "#,
            r#""name": "nova.compute.manager", "process": 7, "relative_created": 1, "traceback": ["Traceback:\n  File"], "#,
            r#""context": {"request_id": "req-1", "global_request_id": null}, "extra": {"instance": "[instance: s] "}}"#,
        ));
        assert_eq!(name, Some("oslo-json"));
        let expected = [
            "ERROR nova.compute.manager [None req-1] [instance: s] Failed",
            "twice",
            "ERROR nova.compute.manager Traceback:",
            "ERROR nova.compute.manager   File",
        ];
        assert_eq!(lines.iter().map(|(_, _, line)| line.as_str()).collect::<Vec<_>>(), expected);
        assert!(lines.iter().all(|(number, clock, _)| *number == 1 && clock.as_deref() == Some("08:04:19.281")));
    }

    #[test]
    fn a_collector_s_events() {
        let (name, lines) = unwrapped(concat!(
            r#"{"@timestamp":"2026-11-22T10:04:19.5+02:00","host":{"name":"h"},"message":"[-] no head","severity":"6"}"#,
            "\n",
            r#"{"Payload":"Attaching","log_level":"INFO","python_module":"nova.a","request_id":"req-1","Pid":"7"}"#,
        ));
        assert_eq!(name, Some("logstash-json"));
        assert_eq!(lines[0], (1, Some("08:04:19.500".into()), "[-] no head".into()));
        assert_eq!(lines[1], (2, None, "INFO nova.a [req-1] Attaching".into()));
        assert_eq!(unwrapped("{\"token\": {}}\n{\"a\": 1}").0, None);
        assert_eq!(since_epoch(1_795_334_659_281_456.0), Some(Timestamp(1_795_334_659_281_456)));
        assert_eq!(since_epoch(7.0), None);
    }
}
