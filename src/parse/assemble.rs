//! Joins the lines of a chunk to records, takes the events out of them and counts what was seen.

use rustc_hash::FxHashMap;

use crate::base::time::{SECOND, Timestamp};
use crate::input::Chunk;
use crate::input::chunk::lines;
use crate::model::event::{Event, EventKind, Level};
use crate::model::source::{Activity, SourceId};
use crate::model::vocabulary::ServiceId;

use super::dialect::{Dialect, opened_by};
use super::events::{Extractor, Logger, own_host};
use super::layout::{Layout, Plain};
use super::record::{Head, Record};
use super::scan::lossy;
use super::service::ServiceNames;
use super::wrapping::{CarriedNames, Origin};

/// How many unread lines are named.
pub(crate) const SAMPLES: usize = 5;

/// Who wrote a record: the process and, where the line names it, the service.
pub(crate) type WriterKey = (u32, Option<ServiceId>);

/// How far stamps of lines that were written at once may go back, in microseconds.
const SLACK: i64 = SECOND;

/// Stands for a client where a service is named: its records have a key of their own among those of a mixed log.
pub(crate) const CLIENT: ServiceId = ServiceId(u16::MAX);

/// What one process shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Writer {
    /// How many records have a logger that only this service has.
    pub(crate) votes: FxHashMap<ServiceId, u64>,
    pub(crate) records: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    pub(crate) level: Level,
    pub(crate) rpc_debug: bool,
    pub(crate) http_debug: bool,
    pub(crate) host: Option<String>,
    pub(crate) activity: Activity,
}

impl Writer {
    /// Adds what the same writer shows in a later chunk, or another writer of the same service.
    pub(crate) fn merge(&mut self, later: Self) {
        for (service, count) in later.votes {
            *self.votes.entry(service).or_default() += count;
        }
        self.records += later.records;
        self.first = self.first.into_iter().chain(later.first).min();
        self.last = self.last.max(later.last);
        self.level = self.level.min(later.level);
        self.rpc_debug |= later.rpc_debug;
        self.http_debug |= later.http_debug;
        self.activity.merge(later.activity);
        if self.host.is_none() {
            self.host = later.host;
        }
    }
}

/// What one chunk gives.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) events: Vec<Event>,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) records: u64,
    pub(crate) unread_lines: u64,
    pub(crate) unread_samples: Vec<u64>,
    last_unread: Option<u64>,
    /// Lines that were left out because the line before them is the same.
    pub(crate) repeated_lines: u64,
    /// By how many the records with a time in UTC outnumber those with a time of which the zone is not told.
    pub(crate) zoned: i64,
    /// Whether the time goes back by more than threads that write at once explain.
    pub(crate) goes_back: bool,
    pub(crate) writers: FxHashMap<WriterKey, Writer>,
    /// The time of the first record that has one, and of the last.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

/// Parses a chunk. Without a layout every line that is not blank is unread.
pub(crate) fn parse_chunk(
    chunk: &Chunk,
    layout: Option<&Layout>,
    extractor: &Extractor<'_>,
    names: &ServiceNames,
) -> Parsed {
    let line_count = lines(&chunk.bytes).count() as u64;
    let mut parsed = Parsed { bytes: chunk.bytes.len() as u64, lines: line_count, ..Parsed::default() };
    let Some(layout) = layout else {
        for (number, (_, line)) in (chunk.first_line..).zip(lines(&chunk.bytes)) {
            parsed.unread(number, line);
        }
        return parsed;
    };
    let Plain { text, origins, names: carried } = layout.plain(chunk);
    let mut assembler = Assembler {
        text: &text,
        source: chunk.source,
        dialect: layout.dialect,
        extractor,
        names,
        carried: &carried,
        loggers: FxHashMap::default(),
        programs: FxHashMap::default(),
        parsed,
        writer: ((0, None), Writer::default()),
    };
    match origins {
        Some(origins) => assembler.run(origins.into_iter()),
        None => assembler.run((chunk.first_line..).map(|number| Origin { number, ..Origin::default() })),
    }
    assembler.parsed
}

impl Parsed {
    /// Adds what comes behind it in the same log.
    pub(crate) fn append(&mut self, mut later: Self) {
        self.goes_back |= later.goes_back;
        if let (Some((_, last)), Some((first, _))) = (self.times, later.times) {
            self.goes_back |= last.since(first) > SLACK;
        }
        self.zoned += later.zoned;
        self.repeated_lines += later.repeated_lines;
        self.bytes += later.bytes;
        self.lines += later.lines;
        self.records += later.records;
        self.unread_lines += later.unread_lines;
        self.unread_samples.append(&mut later.unread_samples);
        self.unread_samples.truncate(SAMPLES);
        for (key, writer) in later.writers {
            self.writers.entry(key).or_default().merge(writer);
        }
        let carried = self.times.map(|(_, last)| last);
        for event in later.events.iter_mut().take_while(|event| event.time.is_none()) {
            event.time = carried.filter(|_| event.service != Some(CLIENT));
        }
        if self.events.is_empty() {
            self.events = later.events;
        } else {
            self.events.append(&mut later.events);
        }
        if let Some((first, last)) = later.times {
            self.times = Some((self.times.map_or(first, |(first, _)| first), last));
        }
    }

    /// Makes it part of a log: the log's number, and how many lines stand before it there.
    pub(crate) fn place(&mut self, source: SourceId, lines_before: u64) {
        for event in &mut self.events {
            event.place.source = source;
            event.place.line += lines_before;
        }
        self.unread_samples.iter_mut().for_each(|line| *line += lines_before);
    }

    fn unread(&mut self, number: u64, line: &[u8]) {
        // Several lines that one line carried are one unread line.
        if line.trim_ascii().is_empty() || self.last_unread == Some(number) {
            return;
        }
        self.last_unread = Some(number);
        self.unread_lines += 1;
        if self.unread_samples.len() < SAMPLES {
            self.unread_samples.push(number);
        }
    }
}

/// A record that may have further lines.
struct Open<'t> {
    head: Head<'t>,
    line: u64,
    nth: u32,
    start: usize,
    end: usize,
}

struct Assembler<'t, 'v> {
    text: &'t [u8],
    source: SourceId,
    /// That of the last record.
    dialect: &'static dyn Dialect,
    extractor: &'t Extractor<'v>,
    names: &'t ServiceNames,
    carried: &'t CarriedNames,
    loggers: FxHashMap<&'t [u8], Logger>,
    programs: FxHashMap<&'t [u8], Option<ServiceId>>,
    parsed: Parsed,
    /// The writer of the last record: records of one process mostly follow each other.
    writer: (WriterKey, Writer),
}

impl<'t> Assembler<'t, '_> {
    /// Reads all lines; each has an origin.
    fn run(&mut self, origins: impl Iterator<Item = Origin>) {
        let mut open: Option<Open<'t>> = None;
        let (mut line_begun, mut nth) = (0, 0);
        let mut before: (&[u8], Option<Timestamp>) = (b"", None);
        // Whether the lines of the open record stand twice in a row. Lines that go on with another one may be equal by rights.
        let mut is_doubled = false;
        for (origin, (offset, line)) in origins.zip(lines(self.text)) {
            let end = offset + line.len();
            let (dialect, head) = self.head(line);
            let head = head.map(|head| self.with_origin(head, origin));
            let this = (line, origin.time);
            let is_repeated = this == std::mem::replace(&mut before, this);
            let begins = head.is_some_and(|head| !head.may_continue);
            is_doubled = if begins { is_repeated } else { is_doubled };
            if is_repeated && is_doubled && !line.is_empty() {
                self.parsed.repeated_lines += 1;
                continue;
            }
            match (head, &mut open) {
                (Some(head), Some(record)) if record.head.goes_on_with(&head) => record.end = end,
                (Some(head), _) => {
                    if let Some(record) = open.take() {
                        self.close(&record);
                    }
                    self.switch_dialect(dialect);
                    let start = offset + head.message;
                    nth = if line_begun == origin.number { nth + 1 } else { 0 };
                    line_begun = origin.number;
                    open = Some(Open { head, line: origin.number, nth, start, end });
                }
                (None, Some(record)) if record.head.multi_line => record.end = end,
                (None, _) => self.parsed.unread(origin.number, line),
            }
        }
        if let Some(record) = open.take() {
            self.close(&record);
        }
        self.switch_writer((0, None));
    }

    /// The head of a line, and its dialect: that of the last record unless the log goes on in another one.
    fn head(&self, line: &'t [u8]) -> (&'static dyn Dialect, Option<Head<'t>>) {
        let own = self.dialect.head(line);
        let opened = if own.is_none() { opened_by(line, self.dialect) } else { None };
        let (dialect, head) = opened.map_or((self.dialect, own), |opened| (opened, opened.head(line)));
        let Some(logger) = head.map(|head| head.logger) else { return (dialect, None) };
        let is_service = || self.extractor.logger(logger, false).service.is_some();
        let other = dialect.other_by_logger(logger, &is_service);
        other.map_or((dialect, head), |other| (other, other.head(line)))
    }

    fn switch_dialect(&mut self, dialect: &'static dyn Dialect) {
        if self.dialect.is_client() != dialect.is_client() {
            // What is known of a logger depends on who writes.
            self.loggers.clear();
        }
        self.dialect = dialect;
    }

    /// A head with what its wrapping tells where the line itself does not.
    fn with_origin(&self, head: Head<'t>, origin: Origin) -> Head<'t> {
        let or = |own: &'t [u8], carried: &'t [u8]| if own.is_empty() { carried } else { own };
        Head {
            time: head.time.or(origin.time),
            is_zoned: if head.time.is_some() { head.is_zoned } else { origin.is_zoned },
            process: if head.process == 0 { origin.process } else { head.process },
            host: or(head.host, self.carried.text(origin.host)),
            program: or(head.program, self.carried.text(origin.program)),
            ..head
        }
    }

    fn close(&mut self, open: &Open<'t>) {
        let message = &self.text[open.start..open.end];
        let record = Record { head: open.head, line: open.line, nth: open.nth, message };
        let head = &record.head;
        self.parsed.records += 1;
        if let Some(time) = head.time {
            let (first, last) = self.parsed.times.unwrap_or((time, time));
            self.parsed.zoned += if head.is_zoned { 1 } else { -1 };
            self.parsed.goes_back |= last.since(time) > SLACK;
            self.parsed.times = Some((first, time));
        }
        let is_client = self.dialect.is_client();
        let service = if is_client { Some(CLIENT) } else { self.program(head.program) };
        if self.writer.0 != (head.process, service) {
            self.switch_writer((head.process, service));
        }
        let extractor = self.extractor;
        let logger = self.loggers.entry(head.logger).or_insert_with(|| extractor.logger(head.logger, is_client));

        let before = self.parsed.events.len();
        extractor.extract(self.source, logger, &record, &mut self.parsed.events);
        let mut has_requests = false;
        // A client's lines without stamps may stand behind those of a service that has nothing to do with them.
        let time = head.time.or(self.parsed.times.map(|(_, last)| last).filter(|_| !is_client));
        for event in &mut self.parsed.events[before..] {
            has_requests |= matches!(event.kind, EventKind::HttpSent { .. } | EventKind::HttpAnswered { .. });
            event.time = time;
            event.service = service;
        }

        let writer = &mut self.writer.1;
        writer.records += 1;
        writer.level = writer.level.min(head.level);
        writer.rpc_debug |= logger.is_rpc && head.level == Level::Debug;
        writer.http_debug |= has_requests;
        if head.time.is_some() {
            writer.first = writer.first.into_iter().chain(head.time).min();
            writer.last = writer.last.max(head.time);
            head.time.into_iter().for_each(|time| writer.activity.note(time));
        }
        // A logger that all services have tells something only of a process of which nothing is known yet.
        let voted = if writer.votes.is_empty() { extractor.writer(logger, &record) } else { logger.service };
        if let Some(service) = voted {
            *writer.votes.entry(service).or_default() += 1;
        }
        if writer.host.is_none() {
            let host = Some(head.host).filter(|host| !host.is_empty());
            writer.host = host.or_else(|| own_host(message)).map(lossy);
        }
    }

    fn program(&mut self, program: &'t [u8]) -> Option<ServiceId> {
        if program.is_empty() {
            return None;
        }
        let names = self.names;
        *self.programs.entry(program).or_insert_with(|| names.of_program(&lossy(program)))
    }

    fn switch_writer(&mut self, key: WriterKey) {
        let (old_key, old) = std::mem::replace(&mut self.writer, (key, Writer::default()));
        if old.records > 0 {
            self.parsed.writers.entry(old_key).or_default().merge(old);
        }
    }
}
