//! Reads inputs to events: one thread reads the next pieces while all parse the last ones; the results are joined in the
//! order of the input, so the outcome is the same for any number of threads.

use std::io::Read;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::base::time::Timestamp;
use crate::input::{Excerpts, InputError, Limits, Source, find_inputs};
use crate::model::event::Event;
use crate::model::source::{SourceId, SourceSummary};
use crate::model::vocabulary::Vocabulary;

use super::assemble::{Parsed, SAMPLES, Writer, WriterKey, parse_chunk};
use super::events::Extractor;
use super::feed::{Fed, Feeder, Note, Piece};
use super::service::{Assigned, ServiceNames, coverage};
use super::sniff::Dialect;
use super::years;

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

fn read_all(paths: &[String], stdin: &mut (dyn Read + Send), vocabulary: &Vocabulary, options: &Options) -> Reading {
    let found = find_inputs(paths);
    let extractor = Extractor::new(vocabulary);
    let names = ServiceNames::new(vocabulary);
    let threads = rayon::current_num_threads();
    let mut merger = Merger::default();
    let mut parse = |batch: &[Piece]| {
        let one = |piece: &Piece| (piece.chunk.source, parse_chunk(&piece.chunk, piece.dialect, &extractor, &names));
        let parsed: Vec<(SourceId, Parsed)> = batch.par_iter().map(one).collect();
        parsed.into_iter().for_each(|(source, parsed)| merger.add(source, parsed));
    };
    let fed = std::thread::scope(|scope| {
        // No more is read ahead than there are threads to parse it.
        let (sender, receiver) = sync_channel(threads);
        let inputs = &found.inputs;
        let feeding = scope.spawn(move || Feeder::new(inputs, options.limits, sender).feed(stdin));
        while let Ok(first) = receiver.recv() {
            let mut batch = vec![first];
            batch.extend(receiver.try_iter().take(threads - 1));
            parse(&batch);
        }
        feeding.join()
    });
    let mut errors = found.errors;
    let Fed { sources, notes, kept, errors: later } = fed.unwrap_or_else(|_| {
        let reason = "reading was broken off".to_owned();
        Fed { errors: vec![InputError::Threads { threads, reason }], ..Fed::default() }
    });
    errors.extend(later);
    let (events, summaries) = merger.finish(&sources, &notes, &names);
    Reading { events, sources: summaries, errors, excerpts: Excerpts::new(found.inputs, sources, kept, options.limits) }
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
#[derive(Default)]
struct Merger {
    inputs: Vec<Progress>,
    events: Vec<Event>,
}

impl Merger {
    fn add(&mut self, source: SourceId, mut parsed: Parsed) {
        let number = source.0 as usize;
        if self.inputs.len() <= number {
            self.inputs.resize_with(number + 1, Progress::default);
        }
        let input = &mut self.inputs[number];
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

    fn finish(mut self, sources: &[Source], notes: &[Note], names: &ServiceNames) -> (Vec<Event>, Vec<SourceSummary>) {
        self.inputs.resize_with(sources.len(), Progress::default);
        let has_year = |note: &Note| note.dialect.is_none_or(Dialect::has_year);
        let mut events = self.events;
        let dated = self.inputs.iter().zip(notes).filter(|(_, note)| has_year(note));
        let evidence = years::evidence(dated.flat_map(|(input, _)| {
            let dates = events[input.events.clone()].iter().filter_map(years::date_of);
            input.writers.values().filter_map(|writer| writer.first).chain(dates)
        }));
        let mut summaries = Vec::new();
        for ((input, note), source) in self.inputs.into_iter().zip(notes).zip(sources) {
            let own_events = &mut events[input.events];
            let assigned = Assigned::new(&source.path, &input.writers, names);
            for event in own_events.iter_mut() {
                event.service = assigned.of((event.process, event.service));
            }
            let mut coverage = coverage(input.writers, &assigned);
            if !has_year(note) {
                years::set(evidence, input.times, own_events, &mut coverage);
            }
            summaries.push(SourceSummary {
                path: source.path.clone(),
                format: note.dialect.map(|dialect| dialect.name().to_owned()),
                remark: note.remark.clone(),
                coverage,
                ..input.summary
            });
        }
        (events, summaries)
    }
}
