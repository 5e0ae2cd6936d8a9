//! The same logs in other families of formats, and broken as copies are.

use std::fmt::Write as _;

use flowcheck::base::time::{SECOND, Timestamp};
use serde_json::{Value, json};

use super::change::{is_timed, records, stamp, time};
use super::recordings::Files;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The line of a log and what stands around it there.
pub(crate) struct Line<'a> {
    /// The file's name without its end: the program.
    program: &'a str,
    text: &'a str,
    /// Its time stamp, or that of the last line that has one.
    time: Timestamp,
}

impl Line<'_> {
    fn is_record(&self) -> bool {
        stamp(self.text).is_some()
    }

    /// The process in the head.
    fn process(&self) -> &str {
        self.text.get(24..).and_then(|rest| rest.split(' ').next()).filter(|_| self.is_record()).unwrap_or("0")
    }

    /// From the level on, for a record; the whole line else.
    fn untimed(&self) -> &str {
        if self.is_record() { &self.text[24 + self.process().len() + 1..] } else { self.text }
    }

    fn iso(&self) -> String {
        format!("{:.23}", self.time.to_string())
    }

    /// Microseconds since 1970.
    fn micros(&self) -> String {
        self.time.0.to_string()
    }

    /// `Nov 22 08:13:34.377`.
    fn dated(&self) -> String {
        let text = self.time.to_string();
        let month: usize = text[5..7].parse().expect("a month");
        format!("{} {} {}", MONTHS[month - 1], &text[8..10], &text[11..23])
    }
}

/// Writes lines in a family's form.
pub(crate) type Form = fn(&Line<'_>) -> String;

/// The families that write a line each for each line of a service's log.
pub(crate) const OF_SERVICES: &[(&str, Form)] = &[
    ("docker-json", docker),
    ("cri", |line| format!("{}Z stderr F {}", line.iso(), line.text)),
    ("syslog", |line| format!("<134>{} vm {}[{}]: {}", &line.dated()[..15], line.program, line.process(), line.text)),
    ("syslog-iso", |line| format!("{}+00:00 vm {}: {}", line.iso(), line.program, line.text)),
    ("syslog-5424", |line| format!("<134>1 {}Z vm {} {} - - {}", line.iso(), line.program, line.process(), line.text)),
    ("syslog-body", |line| {
        json!({"severity": "7", "body": format!("{} - - - {}", line.program, line.text)}).to_string()
    }),
    ("journal", |line| format!("{} vm {}[{}]: {}", line.dated(), line.program, line.process(), line.untimed())),
    ("journal-iso", |line| format!("{}+0000 vm {}[{}]: {}", line.iso(), line.program, line.process(), line.untimed())),
    ("journal-json", journal_json),
    ("journal-export", journal_export),
    ("logstash", |line| {
        json!({"@timestamp": format!("{}Z", line.iso()), "host": "vm", "message": line.text, "tags": ["nova"]})
            .to_string()
    }),
    ("fluentd", |line| {
        let record = json!({"Payload": line.text, "Hostname": "vm", "programname": line.program});
        format!("{}+00:00\topenstack.nova\t{record}", line.iso())
    }),
    ("comma", |line| if line.is_record() { line.text.replacen('.', ",", 1) } else { line.text.to_owned() }),
    ("grep", |line| format!("/var/log/nova/{}.log:{}", line.program, line.text)),
    ("colours", |line| line.text.replacen(" INFO ", " \u{1b}[00;36mINFO ", 1) + "\u{1b}[00m"),
    ("caret-colours", |line| line.text.replacen(" INFO ", " ^[[00;36mINFO ", 1) + "^[[00m"),
    ("carriage-returns", |line| format!("{}\r", line.text)),
    ("quoted", |line| format!("> {}", line.text)),
    ("comment", |line| format!("// \t{}", line.text)),
];

/// The families that give no times, or only coarse ones.
pub(crate) const COARSE: &[(&str, Form)] = &[
    ("untimed", |line| line.untimed().to_owned()),
    ("seconds", |line| {
        if line.is_record() { format!("{}{}", &line.text[..19], &line.text[23..]) } else { line.text.to_owned() }
    }),
    ("journal-seconds", |line| {
        format!("{} vm {}[{}]: {}", &line.dated()[..15], line.program, line.process(), line.untimed())
    }),
];

fn docker(line: &Line<'_>) -> String {
    // Docker cuts at 16 KiB; here much sooner.
    let mut parts: Vec<String> = Vec::new();
    let mut rest = line.text;
    while rest.len() > 1_000 {
        let cut = (0..=1_000).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        parts.push(rest[..cut].to_owned());
        rest = &rest[cut..];
    }
    parts.push(format!("{rest}\n"));
    let time = format!("{}Z", line.iso());
    let entry = |text: &String| json!({"log": text, "stream": "stderr", "time": time}).to_string();
    parts.iter().map(entry).collect::<Vec<_>>().join("\n")
}

fn journal_json(line: &Line<'_>) -> String {
    let text = format!("\u{1b}[00;32m{}\u{1b}[00m", line.untimed());
    json!({
        "__CURSOR": "s=1;i=1", "__REALTIME_TIMESTAMP": line.micros(), "_HOSTNAME": "vm", "_PID": line.process(),
        "SYSLOG_IDENTIFIER": line.program, "PRIORITY": "6", "MESSAGE": text,
    })
    .to_string()
}

fn journal_export(line: &Line<'_>) -> String {
    let mut entry = format!("__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP={}\n_HOSTNAME=vm\n", line.micros());
    write!(entry, "_PID={}\nSYSLOG_IDENTIFIER={}\n", line.process(), line.program).expect("written");
    // Every other text in the form for bytes.
    if line.text.len().is_multiple_of(2) {
        writeln!(entry, "MESSAGE={}", line.untimed()).expect("written");
    } else {
        let text = line.untimed();
        let length = String::from_utf8((text.len() as u64).to_le_bytes().to_vec());
        match length {
            Ok(length) => writeln!(entry, "MESSAGE\n{length}{text}").expect("written"),
            Err(_) => writeln!(entry, "MESSAGE={text}").expect("written"),
        }
    }
    entry
}

/// The services' logs in a family; a client's stays as it is.
pub(crate) fn in_family(files: &Files, form: Form) -> Files {
    let rewrite = |(name, text): (&String, &String)| {
        let is_service = is_timed(text) && !name.starts_with("client");
        (name.clone(), if is_service { rewritten(name, text, form) } else { text.clone() })
    };
    files.iter().map(rewrite).collect()
}

fn rewritten(name: &str, text: &str, form: Form) -> String {
    let mut last = Timestamp(0);
    let mut rewritten = String::new();
    for line in text.lines() {
        last = stamp(line).and_then(time).unwrap_or(last);
        let line = Line { program: name.trim_end_matches(".log"), text: line, time: last };
        rewritten.push_str(&form(&line));
        rewritten.push('\n');
    }
    rewritten
}

/// The services' logs as oslo.log's JSONFormatter writes their records.
pub(crate) fn as_oslo_json(files: &Files) -> Files {
    let rewrite = |(name, text): (&String, &String)| {
        let is_service = is_timed(text);
        let json = || records(text).into_iter().map(oslo_json).collect();
        (name.clone(), if is_service { json() } else { text.clone() })
    };
    merged_tracebacks(files).iter().map(rewrite).collect()
}

/// The logs with the head that each line of a traceback has taken off, so that it is one record.
fn merged_tracebacks(files: &Files) -> Files {
    let merge = |(name, text): (&String, &String)| {
        let mut merged = String::new();
        let mut last: Option<String> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(6, ' ').collect();
            let repeats = stamp(line).is_some() && words.get(3) == Some(&"ERROR") && {
                let rest = words.get(5).copied().unwrap_or_default();
                !rest.starts_with("[-]") && !rest.starts_with("[req-") && !rest.starts_with("[None")
            };
            let head = words[..words.len().min(5)].join(" ");
            if repeats && last.as_deref() == Some(head.as_str()) {
                merged.push_str(&format!("\u{1}{}\n", words.get(5).copied().unwrap_or_default()));
                continue;
            }
            last = (stamp(line).is_some()).then_some(head);
            merged.push_str(line);
            merged.push('\n');
        }
        (name.clone(), merged)
    };
    files.iter().map(merge).collect()
}

fn oslo_json(record: &str) -> String {
    let (body, traceback): (Vec<&str>, Vec<&str>) = record.lines().partition(|line| !line.starts_with('\u{1}'));
    let body = body.join("\n");
    let moment = time(stamp(&body).expect("a stamp")).expect("a time");
    let mut words = body[24..].splitn(4, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (process, level, logger, rest) = (next(), next(), next(), next());
    let (ids, rest) = match rest.strip_prefix('[').filter(|rest| !rest.starts_with("instance:")) {
        Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
        None => ("", rest),
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let (instance, message) = match rest.strip_prefix("[instance: ").and_then(|inner| inner.split_once("] ")) {
        Some((server, message)) => (format!("[instance: {server}] "), message),
        None => (String::new(), rest),
    };
    let ids: Vec<&str> = ids.split(' ').collect();
    let mut context = serde_json::Map::new();
    match ids.as_slice() {
        [global, request, ..] if request.starts_with("req-") => {
            let global = if *global == "None" { Value::Null } else { json!(global) };
            context.insert("global_request_id".into(), global);
            context.insert("request_id".into(), json!(request));
        }
        [request, ..] if request.starts_with("req-") => {
            context.insert("request_id".into(), json!(request));
        }
        _ => {}
    }
    let lines: Vec<String> = traceback.iter().map(|line| format!("{}\n", &line[1..])).collect();
    let whole = moment.0.div_euclid(SECOND);
    let object = json!({
        "message": message, "asctime": body[..19], "msecs": (moment.0 - whole * SECOND) as f64 / 1_000.0,
        "created": moment.0 as f64 / 1e6, "relative_created": 1.5, "levelname": level, "name": logger,
        "process": process.parse::<u32>().unwrap_or(0), "hostname": "vm", "context": context,
        "extra": {"instance": instance}, "error_summary": "", "process_name": "MainProcess", "module": "x",
        "traceback": if lines.is_empty() { Value::Null } else { json!(lines) },
    });
    format!("{object}\n")
}

/// Writes a line of a client at a moment.
pub(crate) type ClientForm = fn(&str, Timestamp) -> String;

/// A client's log in forms that have a line for each of its lines.
pub(crate) const OF_CLIENTS: &[(&str, ClientForm)] = &[
    ("basic-config", |line, _| {
        prefixed(line, if is_shell(line) { "DEBUG:osc_lib.shell:" } else { "DEBUG:keystoneauth.session:" })
    }),
    ("session-place", |line, _| prefixed(line, "DEBUG (session:195) ")),
    ("asctime", |line, time| prefixed(line, &format!("{} DEBUG ", comma_stamp(time)))),
    ("split-loggers", split_loggers),
    ("logger-only", |line, _| {
        prefixed(line, if is_shell(line) { "osc_lib.shell  " } else { "keystoneauth.session  " })
    }),
    ("url-in-quotes", |line, time| match line.split_once(" http") {
        Some((before, rest)) if line.starts_with("REQ: ") => {
            let (url, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            format!("{} DEBUG {before} \"http{url}\" {rest}", comma_stamp(time))
        }
        _ => prefixed(line, &format!("{} DEBUG ", comma_stamp(time))),
    }),
    ("cli-of-2013", |line, _| cli_of_2013(line)),
    ("docker-json", |line, time| {
        json!({"log": format!("{line}\n"), "stream": "stderr", "time": format!("{time}Z")}).to_string()
    }),
    ("quoted", |line, _| format!("> {line}")),
    ("numbered", |line, _| format!("     7\t{line}")),
    ("quoted-printable", |line, _| quoted_printable(line)),
];

/// `2026-11-22 08:04:11,123`, as Python's logging has it.
fn comma_stamp(time: Timestamp) -> String {
    time.to_string().replace('T', " ").replace('.', ",")
}

/// A logger for each part of a call, which then has no word of its own (keystoneauth `session.py`, `split_loggers`).
fn split_loggers(line: &str, time: Timestamp) -> String {
    let parts = [("REQ: ", "request"), ("RESP: ", "response"), ("RESP BODY: ", "body")];
    let named = parts.iter().find_map(|(word, logger)| Some((line.strip_prefix(word)?, *logger)));
    let other = match line {
        _ if line.contains(" used request id ") => "keystoneauth.session.request-id",
        _ if is_shell(line) => "osc_lib.shell",
        _ if line.starts_with("http") => "urllib3.connectionpool",
        _ => "openstack.config.loader",
    };
    let (text, logger) =
        named.map_or((line, other.to_owned()), |(text, part)| (text, format!("keystoneauth.session.{part}")));
    prefixed(text, &format!("{} {logger} ", comma_stamp(time)))
}

/// The URL before the method, and the answer's headers as a dict of Python (novaclient 2.13 `client.py` http_log_req).
fn cli_of_2013(line: &str) -> String {
    if let Some((method, rest)) = line.strip_prefix("REQ: curl -g -i -X ").and_then(|rest| rest.split_once(' ')) {
        let (url, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        return format!("REQ: curl -i {url} -X {method} {rest}");
    }
    let Some((status, headers)) = line.strip_prefix("RESP: [").and_then(|rest| rest.split_once("] ")) else {
        return line.to_owned();
    };
    let mut named: Vec<(String, Vec<&str>)> = Vec::new();
    for word in headers.split(' ') {
        match (word.strip_suffix(':'), named.last_mut()) {
            (Some(name), _) => named.push((name.to_lowercase(), Vec::new())),
            (None, Some((_, words))) => words.push(word),
            (None, None) => {}
        }
    }
    let fields: Vec<String> = named.iter().map(|(name, words)| format!("'{name}': '{}'", words.join(" "))).collect();
    format!("RESP: [{status}] {{{}}}", fields.join(", "))
}

/// Every third line has lost its first character, as copies have that were made with a mouse.
pub(crate) fn clipped(files: &Files) -> Files {
    let clip = |(index, line): (usize, &str)| match line.strip_prefix('2').filter(|_| index % 3 == 0) {
        Some(clipped) => format!("{clipped}\n"),
        None => format!("{line}\n"),
    };
    files.iter().map(|(name, text)| (name.clone(), text.lines().enumerate().map(clip).collect())).collect()
}

/// Whether the client's shell says this, and none of its libraries.
fn is_shell(line: &str) -> bool {
    ["START ", "command: ", "END "].iter().any(|head| line.starts_with(head))
}

fn prefixed(line: &str, prefix: &str) -> String {
    // Tables are printed, not logged.
    if line.starts_with(['+', '|']) { line.to_owned() } else { format!("{prefix}{line}") }
}

/// Lines of at most 76 characters, as RFC 2045 (6.7) has it.
pub(crate) fn quoted_printable(line: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for byte in line.bytes() {
        let word = match byte {
            b'=' => "=3D".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            byte => format!("={byte:02X}"),
        };
        if length + word.len() > 75 {
            out.push_str("=\n");
            length = 0;
        }
        length += word.len();
        out.push_str(&word);
    }
    out
}

/// The client's logs with each line rewritten; services' stay as they are.
pub(crate) fn client_in_family(files: &Files, form: ClientForm) -> Files {
    let rewrite = |(name, text): (&String, &String)| {
        let is_service = is_timed(text);
        // The moment of a line is that of the answer before it.
        let first = text.lines().find_map(date).unwrap_or(Timestamp(0));
        let other = || {
            let mut last = first;
            let mut write = |line| {
                last = date(line).unwrap_or(last);
                form(line, last) + "\n"
            };
            text.lines().map(&mut write).collect()
        };
        (name.clone(), if is_service { text.clone() } else { other() })
    };
    files.iter().map(rewrite).collect()
}

/// The moment in an answer's `Date: Sun, 22 Nov 2026 08:04:11 GMT`.
fn date(line: &str) -> Option<Timestamp> {
    let (_, text) = line.split_once("Date: ")?;
    let words: Vec<&str> = text.splitn(6, ' ').collect();
    let month = 1 + MONTHS.iter().position(|month| words.get(2) == Some(month))?;
    time(&format!("{}-{month:02}-{} {}.000", words.get(3)?, words.get(1)?, words.get(4)?))
}

/// Every log cut at a width, as a terminal's copy is.
pub(crate) fn hard_wrapped(files: &Files, width: usize) -> Files {
    let wrap = |(name, text): (&String, &String)| {
        let mut wrapped = String::new();
        for line in text.lines() {
            let characters: Vec<char> = line.chars().collect();
            if characters.is_empty() {
                wrapped.push('\n');
            }
            for part in characters.chunks(width) {
                wrapped.extend(part);
                wrapped.push('\n');
            }
        }
        (name.clone(), wrapped)
    };
    files.iter().map(wrap).collect()
}

/// Every line twice.
pub(crate) fn doubled(files: &Files) -> Files {
    let double = |(name, text): (&String, &String)| {
        (name.clone(), text.lines().map(|line| format!("{line}\n{line}\n")).collect())
    };
    files.iter().map(double).collect()
}

/// Every log two times in its file, one behind the other.
pub(crate) fn repeated(files: &Files) -> Files {
    files.iter().map(|(name, text)| (name.clone(), format!("{text}{text}"))).collect()
}

/// All services' logs in one file, the client's in another.
pub(crate) fn concatenated(files: &Files) -> Files {
    let mut all = Files::new();
    for (name, text) in files {
        let is_service = is_timed(text);
        let name = if is_service || name.starts_with("client") { "all.log" } else { name };
        all.entry(name.to_owned()).or_default().push_str(text);
    }
    all
}

/// The client's session on one line.
pub(crate) fn on_one_line(files: &Files) -> Files {
    let join = |(name, text): (&String, &String)| {
        let is_service = is_timed(text);
        (name.clone(), if is_service { text.clone() } else { text.lines().collect::<Vec<_>>().join(" ") })
    };
    files.iter().map(join).collect()
}

/// Every log as a reply in a forum has it: prose and prompts around, a fence or colour codes.
pub(crate) fn posted(files: &Files, before: &str, after: &str) -> Files {
    files
        .iter()
        .map(|(name, text)| (name.clone(), format!("Hello, this is my log:\n\n{before}{text}{after}\nThanks!\n")))
        .collect()
}
