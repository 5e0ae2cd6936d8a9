//! The terminal report: header, one line a flow, the findings with their log lines, what would decide the open flows,
//! remarks on the inputs, and the summary.

mod blame;
mod findings;
mod flows;
pub mod look;
mod notes;
mod times;

use crate::check::verdict::Checked;
use crate::model::source::Place;
use crate::report::excerpt::LineText;
use crate::report::subject::Subject;
use crate::report::text::look::Look;

/// How much the report tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Findings, what would decide, and the summary.
    Quiet,
    /// Also the flows.
    #[default]
    Normal,
    /// Also every step, every volume and every input.
    Verbose,
}

/// The whole report. `errors` are the inputs that could not be read, in words.
pub fn render(subject: &Subject<'_>, lines: &dyn LineText, errors: &[String], look: &Look, detail: Detail) -> String {
    let mut out = String::new();
    notes::header(&mut out, subject, look);
    if detail > Detail::Quiet {
        flows::flows(&mut out, subject, look, detail);
    }
    findings::findings(&mut out, subject, lines, look, detail);
    notes::open_flows(&mut out, subject, look);
    notes::volumes(&mut out, subject, look, detail);
    notes::clocks(&mut out, subject, look);
    notes::inputs(&mut out, subject, errors, look, detail);
    notes::summary(&mut out, subject, look);
    out
}

/// The lines that [`render`] draws: what has to be read again for it.
pub fn drawn_places(checked: &Checked) -> Vec<Place> {
    let findings = checked.flows.iter().flat_map(|flow| &flow.findings);
    let mut places: Vec<Place> =
        findings.flat_map(|finding| &finding.evidence).map(|evidence| evidence.place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// A place, ready to be written: `logs/nova-api.log:12`.
fn place_words(subject: &Subject<'_>, place: Place) -> String {
    let (path, line) = subject.located(place);
    look::clean(&format!("{path}:{line}"))
}
