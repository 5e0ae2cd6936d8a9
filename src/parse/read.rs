//! Reads inputs to events: one thread reads the next pieces while all parse the last ones; the results are joined in the
//! order of the input, so the outcome is the same for any number of threads.

use std::io::Read;
use std::sync::mpsc::sync_channel;

use jiff::tz::TimeZone;
use rayon::prelude::*;

use crate::input::{Excerpts, InputError, Limits, Selection, find_inputs};
use crate::model::event::Event;
use crate::model::source::{SourceId, SourceSummary};
use crate::model::vocabulary::Vocabulary;

use super::assemble::{Parsed, parse_chunk};
use super::events::Extractor;
use super::feed::{Fed, Feeder, Piece};
use super::logs::{Merger, Tools};
use super::service::ServiceNames;

/// How to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Worker threads; all processors' when not given.
    pub threads: Option<usize>,
    /// How much is read.
    pub limits: Limits,
    /// Which of the files in folders and archives.
    pub selection: Selection,
    /// The zone of time stamps that do not tell theirs; given one, all times are in UTC.
    pub zone: Option<TimeZone>,
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
    let found = find_inputs(paths, &options.selection);
    let extractor = Extractor::new(vocabulary);
    let names = ServiceNames::new(vocabulary);
    let threads = rayon::current_num_threads();
    let mut merger = Merger::default();
    let mut parse = |batch: &[Piece]| {
        let one = |piece: &Piece| {
            (piece.chunk.source, parse_chunk(&piece.chunk, piece.layout.as_deref(), &extractor, &names))
        };
        let parsed: Vec<(SourceId, Parsed)> = batch.par_iter().map(one).collect();
        parsed.into_iter().for_each(|(source, parsed)| merger.add(source, parsed));
    };
    let fed = std::thread::scope(|scope| {
        // No more is read ahead than there are threads to parse it.
        let (sender, receiver) = sync_channel(threads);
        let inputs = &found.inputs;
        let feeding = scope.spawn(move || Feeder::new(inputs, options, sender).feed(stdin));
        while let Ok(first) = receiver.recv() {
            let mut batch = vec![first];
            batch.extend(receiver.try_iter().take(threads - 1));
            parse(&batch);
        }
        feeding.join()
    });
    let mut errors = found.errors;
    let mut fed = fed.unwrap_or_else(|_| {
        let reason = "reading was broken off".to_owned();
        Fed { errors: vec![InputError::Threads { threads, reason }], ..Fed::default() }
    });
    errors.append(&mut fed.errors);
    let (events, sources) =
        merger.finish(&mut fed, Tools { extractor: &extractor, names: &names, zone: options.zone.as_ref() });
    Reading { events, sources, errors, excerpts: Excerpts::new(found.inputs, fed.sources, fed.kept, options.limits) }
}
