//! Puts together what was parsed of each file, and the files of a rotated log.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::input::Chunk;
use crate::input::chunk::lines;
use crate::model::event::Event;
use crate::model::source::{Part, SourceId, SourceSummary};

use super::assemble::{Parsed, parse_chunk};
use super::events::Extractor;
use super::feed::{Edges, Fed};
use super::layout::Layout;
use super::rotation::{self, Age};
use super::service::{Assigned, ServiceNames, coverage};
use super::{duplicates, years, zones};

/// What was parsed, by file.
#[derive(Default)]
pub(super) struct Merger {
    files: Vec<Parsed>,
}

/// What is needed to parse.
#[derive(Clone, Copy)]
pub(super) struct Tools<'a> {
    pub(super) extractor: &'a Extractor<'a>,
    pub(super) names: &'a ServiceNames,
    /// That of stamps without one.
    pub(super) zone: Option<&'a TimeZone>,
}

/// A log: the numbers of its files, the oldest first, and what is in it.
struct Log {
    parts: Vec<Part>,
    layout: Option<Arc<Layout>>,
    remark: Option<String>,
    parsed: Parsed,
}

impl Merger {
    /// Adds what a piece gave. The pieces of a file come in their order.
    pub(super) fn add(&mut self, file: SourceId, parsed: Parsed) {
        let number = file.0 as usize;
        if self.files.len() <= number {
            self.files.resize_with(number + 1, Parsed::default);
        }
        self.files[number].append(parsed);
    }

    /// The events and what each log shows, when all is read.
    pub(super) fn finish(mut self, fed: &mut Fed, tools: Tools<'_>) -> (Vec<Event>, Vec<SourceSummary>) {
        self.files.resize_with(fed.sources.len(), Parsed::default);
        let groups = self.groups(fed);
        let logs: Vec<Log> =
            (0..).zip(groups).map(|(number, files)| self.join(SourceId(number), &files, fed, tools)).collect();
        let evidence = years::evidence(logs.iter().flat_map(|log| {
            let dates = log.parsed.events.iter().filter_map(years::date_of);
            log.parsed.writers.values().filter_map(|writer| writer.first).chain(dates)
        }));
        let goes_back = logs.iter().any(|log| log.parsed.goes_back);
        let mut events = Vec::new();
        let total = logs.iter().map(|log| log.parsed.events.len()).sum::<usize>();
        let mut summaries = Vec::new();
        for mut log in logs {
            let path = log.parts.last().map(|part| part.path.clone()).unwrap_or_default();
            let mut own = std::mem::take(&mut log.parsed.events);
            let assigned = Assigned::new(&path, &log.parsed.writers, tools.names);
            for event in &mut own {
                event.service = assigned.of((event.process, event.service));
            }
            let mut coverage = coverage(log.parsed.writers, &assigned);
            years::set(evidence, log.parsed.times, &mut own, &mut coverage);
            if let Some(zone) = tools.zone.filter(|_| log.parsed.zoned < 0) {
                zones::to_utc(zone, &mut own, &mut coverage);
            }
            if own.len() == total {
                events = own;
            } else {
                // Room is taken once, and given back log by log.
                events.reserve_exact(total - events.len());
                events.append(&mut own);
            }
            let mut summary = SourceSummary {
                path,
                parts: log.parts,
                format: log.layout.map(|layout| layout.to_string()),
                bytes: log.parsed.bytes,
                lines: log.parsed.lines,
                records: log.parsed.records,
                unread_lines: log.parsed.unread_lines,
                unread_samples: log.parsed.unread_samples,
                coverage,
                remark: log.remark,
            };
            duplicates::tell_doubled(&mut summary, log.parsed.repeated_lines);
            summaries.push(summary);
        }
        duplicates::drop_repeated(&mut events, &mut summaries, goes_back);
        (events, summaries)
    }

    /// The files of each log, the oldest first. Files are of one log when their names say so, their dialect is the same and
    /// their times do not contradict it.
    fn groups(&self, fed: &Fed) -> Vec<Vec<usize>> {
        let mut rotated: BTreeMap<String, Vec<(Age, usize)>> = BTreeMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (file, (source, edges)) in fed.sources.iter().zip(&fed.edges).enumerate() {
            match rotation::of_path(&source.path).filter(|_| edges.head.is_some() || edges.tail.is_some()) {
                Some((log, age)) => rotated.entry(log).or_default().push((age, file)),
                None => groups.push(vec![file]),
            }
        }
        for (_, mut files) in rotated {
            files.sort();
            let files: Vec<usize> = files.into_iter().map(|(_, file)| file).collect();
            if self.is_one_log(&files, fed) {
                groups.push(files);
            } else {
                groups.extend(files.into_iter().map(|file| vec![file]));
            }
        }
        // In the order in which the first file of each was found.
        groups.sort_by_key(|files| files.iter().min().copied());
        groups
    }

    fn is_one_log(&self, files: &[usize], fed: &Fed) -> bool {
        let mut dialects =
            files.iter().filter_map(|file| fed.notes[*file].layout.as_ref().map(|layout| layout.dialect.name()));
        let first = dialects.next();
        let times = files.iter().filter_map(|file| self.files[*file].times).map(|(first, _)| first);
        first.is_some()
            && dialects.all(|other| Some(other) == first)
            && times.is_sorted_by(|before, after| before <= after)
    }

    fn join(&mut self, log: SourceId, files: &[usize], fed: &mut Fed, tools: Tools<'_>) -> Log {
        let layout = files.iter().find_map(|file| fed.notes[*file].layout.clone());
        let parse = |chunk: &Chunk| parse_chunk(chunk, layout.as_deref(), tools.extractor, tools.names);
        let (mut whole, mut parts) = (Parsed::default(), Vec::new());
        let mut lines_before = 0;
        // What may go on in the next file.
        let mut rest: Option<Chunk> = None;
        for &file in files {
            let mut own = std::mem::take(&mut self.files[file]);
            let Edges { head, tail } = std::mem::take(&mut fed.edges[file]);
            let path = fed.sources[file].path.clone();
            parts.push(Part { path, file: file as u32, lines_before });
            let is_cut_out = own.lines == 0 && tail.is_none();
            let placed = |chunk: Chunk| Chunk { source: log, first_line: chunk.first_line + lines_before, ..chunk };
            let edges = head.iter().chain(&tail).map(|chunk| lines(&chunk.bytes).count() as u64);
            let own_lines = own.lines + edges.sum::<u64>();
            if let Some(head) = head {
                match &mut rest {
                    Some(rest) => rest.bytes.extend_from_slice(&head.bytes),
                    None => rest = Some(placed(head)),
                }
            }
            if !is_cut_out {
                rest.take().iter().for_each(|rest| whole.append(parse(rest)));
                rest = tail.map(placed);
                own.place(log, lines_before);
                whole.append(own);
            }
            lines_before += own_lines;
        }
        rest.iter().for_each(|rest| whole.append(parse(rest)));
        // A line that is cut counts in both of its files.
        whole.lines = lines_before;
        let remark = files.iter().find_map(|file| fed.notes[*file].remark.clone()).filter(|_| layout.is_none());
        Log { parts, layout, remark, parsed: whole }
    }
}
