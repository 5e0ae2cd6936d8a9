//! What a report is about, and the way from numbers (places, services, steps) to words.

use crate::base::time::Timestamp;
use crate::check::verdict::Checked;
use crate::model::event::Level;
use crate::model::source::{Place, SourceId, SourceSummary};
use crate::spec::grammar::{Grammar, Origin, StepId};
use crate::trace::clocks::Clock;

/// All that reports are made from.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The answers.
    pub checked: &'a Checked,
    /// What was read; the index is the number of the source.
    pub sources: &'a [SourceSummary],
    /// The specification.
    pub grammar: &'a Grammar,
}

impl<'a> Subject<'a> {
    /// The file of a place and the line in it.
    pub fn located(&self, place: Place) -> (&'a str, u64) {
        located(self.sources, place)
    }

    /// The path of an input.
    pub fn source(&self, source: SourceId) -> &'a str {
        self.sources.get(source.0 as usize).map_or("?", |source| source.path.as_str())
    }

    /// The clock that one is compared with.
    pub fn reference(&self, clock: &Clock) -> Option<&'a Clock> {
        self.checked.clocks.get(clock.reference.0 as usize).filter(|reference| reference.owner != clock.owner)
    }

    /// The name of a step; empty when there is no such step.
    pub fn step_name(&self, step: StepId) -> &'a str {
        self.grammar.steps.get(step.0 as usize).map_or("", |step| step.name.as_str())
    }

    /// The service that does a step.
    pub fn step_service(&self, step: StepId) -> Option<&'a str> {
        let step = self.grammar.steps.get(step.0 as usize)?;
        Some(self.grammar.vocabulary.service_name(step.service)).filter(|name| !name.is_empty())
    }

    /// The first and the last moment of all inputs.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let coverages = || self.sources.iter().flat_map(|source| &source.coverage);
        let first = coverages().filter_map(|coverage| coverage.first).min()?;
        let last = coverages().filter_map(|coverage| coverage.last).max()?;
        Some((first, last))
    }
}

/// The file of a place and the line in it: a log may have been rotated.
pub fn located(sources: &[SourceSummary], place: Place) -> (&str, u64) {
    let Some(source) = sources.get(place.source.0 as usize) else { return ("?", place.line) };
    match source.part(place.line) {
        Some(part) => (&part.path, place.line.saturating_sub(part.lines_before)),
        None => (&source.path, place.line),
    }
}

/// The file and line of a rule.
pub fn rule_line(grammar: &Grammar, origin: Origin) -> Option<(&str, u64)> {
    let file = grammar.files.get(origin.file.0 as usize)?;
    let before = file.text.as_bytes().get(..origin.span.start)?;
    let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    Some((file.name.as_str(), line))
}

/// The text of the line of a rule, without its indentation.
pub fn rule_text(grammar: &Grammar, origin: Origin) -> Option<&str> {
    let file = grammar.files.get(origin.file.0 as usize)?;
    file.text.get(origin.span.start..)?.lines().next().map(str::trim)
}

/// The word of a level.
pub fn level_name(level: Level) -> &'static str {
    match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    }
}
