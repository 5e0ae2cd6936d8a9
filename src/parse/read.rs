//! Reads inputs to events: one thread reads the next pieces while all parse the last ones; the results are joined in the
//! order of the input, so the outcome is the same for any number of threads.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::base::time::Timestamp;
use crate::input::{
    Chunk, ChunkReader, Excerpts, InputError, KeptInput, Limits, Origin, Source, find_sources, open, open_source,
};
use crate::model::event::Event;
use crate::model::source::{SourceId, SourceSummary};
use crate::model::vocabulary::Vocabulary;

use super::assemble::{Parsed, SAMPLES, Writer, WriterKey, parse_chunk};
use super::events::Extractor;
use super::service::{Assigned, ServiceNames, coverage};
use super::sniff::{Dialect, sniff, strip_colours};
use super::years;

/// How much of an input is looked at to tell its dialect.
const SNIFFED: usize = 64 << 10;

/// How to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Worker threads; all processors' when not given.
    pub threads: Option<usize>,
    /// How much is read.
    pub limits: Limits,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// What the records say, in the order of source and line.
    pub events: Vec<Event>,
    /// One entry for each input, in the order of [`SourceId`].
    pub sources: Vec<SourceSummary>,
    /// Inputs that could not be read, or not to their end.
    pub errors: Vec<InputError>,
    /// Gives back the text of lines.
    pub excerpts: Excerpts,
}

/// Reads files, folders and standard input (`-`). What cannot be read becomes an error beside the results.
pub fn read(paths: &[String], stdin: &mut (dyn Read + Send), vocabulary: &Vocabulary, options: &Options) -> Reading {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0));
    match builder.build() {
        Ok(pool) => pool.install(|| read_all(paths, stdin, vocabulary, options)),
        Err(reason) => {
            let mut reading = read_all(paths, stdin, vocabulary, options);
            let threads = options.threads.unwrap_or(0);
            reading.errors.push(InputError::Threads { threads, reason: reason.to_string() });
            reading
        }
    }
}

/// A piece with what is needed to parse it.
struct Piece {
    chunk: Chunk,
    dialect: Option<&'static dyn Dialect>,
}

fn read_all(paths: &[String], stdin: &mut (dyn Read + Send), vocabulary: &Vocabulary, options: &Options) -> Reading {
    let found = find_sources(paths);
    let extractor = Extractor::new(vocabulary);
    let names = ServiceNames::new(vocabulary);
    let threads = rayon::current_num_threads();
    let mut feeder = Feeder {
        sources: &found.sources,
        next: 0,
        stdin: Some(stdin),
        limits: options.limits,
        batch_bytes: options.limits.chunk_bytes.saturating_mul(threads),
        current: None,
        notes: FxHashMap::default(),
        kept: BTreeMap::new(),
        errors: found.errors,
    };
    let mut merger = Merger::new(&found.sources);
    let mut batch = feeder.batch();
    while !batch.is_empty() {
        let parse = || -> Vec<(SourceId, Parsed)> {
            let one =
                |piece: &Piece| (piece.chunk.source, parse_chunk(&piece.chunk, piece.dialect, &extractor, &names));
            batch.par_iter().map(one).collect()
        };
        let (parsed, next) = rayon::join(parse, || feeder.batch());
        for (source, parsed) in parsed {
            merger.add(source, parsed);
        }
        batch = next;
    }
    let (notes, kept, errors) = (feeder.notes, feeder.kept, feeder.errors);
    let (events, sources) = merger.finish(&notes, &names);
    Reading { events, sources, errors, excerpts: Excerpts::new(found.sources.clone(), kept) }
}

/// What is known of an input apart from its records.
#[derive(Clone, Copy, Default)]
struct Note {
    dialect: Option<&'static dyn Dialect>,
    remark: Option<&'static str>,
}

/// Reads pieces from one input after the other.
struct Feeder<'a> {
    sources: &'a [Source],
    next: usize,
    stdin: Option<&'a mut (dyn Read + Send)>,
    limits: Limits,
    batch_bytes: usize,
    current: Option<(ChunkReader<'a>, Option<&'static dyn Dialect>, bool)>,
    notes: FxHashMap<SourceId, Note>,
    kept: BTreeMap<SourceId, KeptInput>,
    errors: Vec<InputError>,
}

impl Feeder<'_> {
    /// The next pieces; none when everything is read.
    fn batch(&mut self) -> Vec<Piece> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        while bytes < self.batch_bytes {
            if self.current.is_none() && !self.open_next() {
                break;
            }
            let Some((reader, dialect, is_kept)) = &mut self.current else { continue };
            let dialect = *dialect;
            let begins = |line: &[u8]| match (dialect, strip_colours(line)) {
                (None, _) => true,
                (Some(dialect), Some(plain)) => dialect.begins(&plain),
                (Some(dialect), None) => dialect.begins(line),
            };
            match reader.next_chunk(&begins) {
                Some(Ok(chunk)) => {
                    if *is_kept {
                        self.kept.entry(chunk.source).or_default().extend(&chunk.bytes);
                    }
                    bytes += chunk.bytes.len();
                    pieces.push(Piece { chunk, dialect });
                }
                Some(Err(error)) => {
                    self.errors.push(error);
                    self.current = None;
                }
                None => self.current = None,
            }
        }
        pieces
    }

    /// Opens the next input and tells its dialect; `false` when there is none.
    fn open_next(&mut self) -> bool {
        let Some(source) = self.sources.get(self.next) else { return false };
        self.next += 1;
        if source.origin == Origin::Skipped {
            return true;
        }
        let opened = match open_source(source, &mut self.stdin) {
            Ok(opened) => opened,
            Err(error) => {
                self.errors.push(error);
                return true;
            }
        };
        let is_kept = !matches!(source.origin, Origin::File(_));
        if is_kept {
            self.kept.insert(source.id, KeptInput::default());
        }
        let mut reader = ChunkReader::new(source, opened, self.limits);
        let note = look(&mut reader, self.limits.chunk_bytes);
        self.notes.insert(source.id, note);
        let is_text = note.dialect.is_some() || matches!(note.remark, Some(NO_RECORDS | EMPTY));
        self.current = is_text.then_some((reader, note.dialect, is_kept));
        true
    }
}

/// The remark about a text without log records.
const NO_RECORDS: &str = "no OpenStack log records recognised";

/// The remark about an input without a byte.
const EMPTY: &str = "empty file";

/// Tells what an input is by its first bytes.
fn look(reader: &mut ChunkReader<'_>, chunk_bytes: usize) -> Note {
    let head = reader.peek(SNIFFED);
    let without_dialect = |remark| Note { dialect: None, remark: Some(remark) };
    if let Some(kind) = open::binary_kind(head) {
        return without_dialect(kind);
    }
    let dialect = sniff(head).or_else(|| sniff(reader.peek(chunk_bytes)));
    match dialect {
        None if reader.peek(1).is_empty() => without_dialect(EMPTY),
        None => without_dialect(NO_RECORDS),
        dialect => Note { dialect, remark: None },
    }
}

/// What was read of one input so far.
#[derive(Default)]
struct Progress {
    summary: SourceSummary,
    writers: FxHashMap<WriterKey, Writer>,
    /// Where its events are among all.
    events: Range<usize>,
    times: Option<(Timestamp, Timestamp)>,
}

/// Joins what the chunks give, which comes in the order of the inputs and their lines.
struct Merger {
    inputs: Vec<Progress>,
    events: Vec<Event>,
}

impl Merger {
    fn new(sources: &[Source]) -> Self {
        let progress = |source: &Source| Progress {
            summary: SourceSummary {
                path: source.path.clone(),
                remark: source.remark.clone(),
                ..SourceSummary::default()
            },
            ..Progress::default()
        };
        Self { inputs: sources.iter().map(progress).collect(), events: Vec::new() }
    }

    fn add(&mut self, source: SourceId, mut parsed: Parsed) {
        let Some(input) = self.inputs.get_mut(source.0 as usize) else { return };
        let summary = &mut input.summary;
        summary.bytes += parsed.bytes;
        summary.lines += parsed.lines;
        summary.records += parsed.records;
        summary.unread_lines += parsed.unread_lines;
        summary.unread_samples.extend(parsed.unread_samples);
        summary.unread_samples.truncate(SAMPLES);
        for (key, writer) in parsed.writers {
            input.writers.entry(key).or_default().merge(writer);
        }
        let carried = input.times.map(|(_, last)| last);
        for event in parsed.events.iter_mut().take_while(|event| event.time.is_none()) {
            event.time = carried;
        }
        if input.events.is_empty() {
            input.events.start = self.events.len();
        }
        self.events.append(&mut parsed.events);
        input.events.end = self.events.len();
        if let Some((first, last)) = parsed.times {
            input.times = Some((input.times.map_or(first, |(first, _)| first), last));
        }
    }

    fn finish(self, notes: &FxHashMap<SourceId, Note>, names: &ServiceNames) -> (Vec<Event>, Vec<SourceSummary>) {
        let has_year = |index: usize| {
            let note = notes.get(&SourceId(index as u32)).copied().unwrap_or_default();
            note.dialect.is_none_or(Dialect::has_year)
        };
        let mut events = self.events;
        let dated = self.inputs.iter().enumerate().filter(|(index, _)| has_year(*index));
        let evidence = years::evidence(dated.flat_map(|(_, input)| {
            let dates = events[input.events.clone()].iter().filter_map(years::date_of);
            input.writers.values().filter_map(|writer| writer.first).chain(dates)
        }));
        let mut summaries = Vec::new();
        for (index, input) in self.inputs.into_iter().enumerate() {
            let note = notes.get(&SourceId(index as u32)).copied().unwrap_or_default();
            let own_events = &mut events[input.events];
            let assigned = Assigned::new(&input.summary.path, &input.writers, names);
            for event in own_events.iter_mut() {
                event.service = assigned.of((event.process, event.service));
            }
            let mut summary = input.summary;
            summary.format = note.dialect.map(|dialect| dialect.name().to_owned());
            summary.remark = summary.remark.or(note.remark.map(str::to_owned));
            summary.coverage = coverage(input.writers, &assigned);
            if !has_year(index) {
                years::set(evidence, input.times, own_events, &mut summary.coverage);
            }
            summaries.push(summary);
        }
        (events, summaries)
    }
}
