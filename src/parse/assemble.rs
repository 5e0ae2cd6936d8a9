//! Joins the lines of a chunk to records, takes the events out of them and counts what was seen.

use rustc_hash::FxHashMap;

use crate::base::time::Timestamp;
use crate::input::Chunk;
use crate::input::chunk::lines;
use crate::model::event::{Event, EventKind, Level};
use crate::model::source::{Activity, SourceId};
use crate::model::vocabulary::ServiceId;

use super::events::{Extractor, Logger, own_host};
use super::record::{Head, Record};
use super::scan::lossy;
use super::service::ServiceNames;
use super::sniff::{Dialect, strip_colours};

/// How many unread lines are named.
pub(crate) const SAMPLES: usize = 5;

/// Who wrote a record: the process and, where the line names it, the service.
pub(crate) type WriterKey = (u32, Option<ServiceId>);

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
    pub(crate) writers: FxHashMap<WriterKey, Writer>,
    /// The time of the first record that has one, and of the last.
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

/// Parses a chunk. Without a dialect every line that is not blank is unread.
pub(crate) fn parse_chunk(
    chunk: &Chunk,
    dialect: Option<&'static dyn Dialect>,
    extractor: &Extractor<'_>,
    names: &ServiceNames,
) -> Parsed {
    let plain = strip_colours(&chunk.bytes);
    let text = plain.as_deref().unwrap_or(&chunk.bytes);
    let parsed = Parsed { bytes: chunk.bytes.len() as u64, ..Parsed::default() };
    let Some(dialect) = dialect else {
        let mut parsed = parsed;
        for (number, (_, line)) in (chunk.first_line..).zip(lines(text)) {
            parsed.lines += 1;
            parsed.unread(number, line);
        }
        return parsed;
    };
    let mut assembler = Assembler {
        text,
        chunk,
        dialect,
        extractor,
        names,
        loggers: FxHashMap::default(),
        programs: FxHashMap::default(),
        parsed,
        writer: ((0, None), Writer::default()),
    };
    assembler.run();
    assembler.parsed
}

impl Parsed {
    /// Adds what comes behind it in the same log.
    pub(crate) fn append(&mut self, mut later: Self) {
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
            event.time = carried;
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
        if line.trim_ascii().is_empty() {
            return;
        }
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
    start: usize,
    end: usize,
}

struct Assembler<'t, 'v> {
    text: &'t [u8],
    chunk: &'t Chunk,
    dialect: &'static dyn Dialect,
    extractor: &'t Extractor<'v>,
    names: &'t ServiceNames,
    loggers: FxHashMap<&'t [u8], Logger>,
    programs: FxHashMap<&'t [u8], Option<ServiceId>>,
    parsed: Parsed,
    /// The writer of the last record: records of one process mostly follow each other.
    writer: (WriterKey, Writer),
}

impl<'t> Assembler<'t, '_> {
    fn run(&mut self) {
        let mut open: Option<Open<'t>> = None;
        for (number, (offset, line)) in (self.chunk.first_line..).zip(lines(self.text)) {
            self.parsed.lines += 1;
            let end = offset + line.len();
            match (self.dialect.head(line), &mut open) {
                (Some(head), Some(record)) if record.head.goes_on_with(&head) => record.end = end,
                (Some(head), _) => {
                    if let Some(record) = open.take() {
                        self.close(&record);
                    }
                    let start = offset + head.message;
                    open = Some(Open { head, line: number, start, end });
                }
                (None, Some(record)) if record.head.multi_line => record.end = end,
                (None, _) => self.parsed.unread(number, line),
            }
        }
        if let Some(record) = open.take() {
            self.close(&record);
        }
        self.switch_writer((0, None));
    }

    fn close(&mut self, open: &Open<'t>) {
        let message = &self.text[open.start..open.end];
        let record = Record { head: open.head, line: open.line, message };
        let head = &record.head;
        self.parsed.records += 1;
        if let Some(time) = head.time {
            let first = self.parsed.times.map_or(time, |(first, _)| first);
            self.parsed.times = Some((first, time));
        }
        let service = self.program(head.program);
        if self.writer.0 != (head.process, service) {
            self.switch_writer((head.process, service));
        }
        let (extractor, is_client) = (self.extractor, self.dialect.is_client());
        let logger = self.loggers.entry(head.logger).or_insert_with(|| extractor.logger(head.logger, is_client));

        let before = self.parsed.events.len();
        extractor.extract(self.chunk.source, logger, &record, &mut self.parsed.events);
        let mut has_requests = false;
        let time = head.time.or(self.parsed.times.map(|(_, last)| last));
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
        if let Some(service) = logger.service {
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
