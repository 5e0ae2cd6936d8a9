//! One line a flow:
//!
//! ```text
//!  ok  attach-1  new-style  web-073224 <- data-073224  completed  4.6 s  9 steps  available > reserved > attaching > in-use
//!  !!  attach-2  new-style  web-073301 <- data-073301  stuck              4 steps  available > reserved
//!      FC0201 attach-never-executed
//! ```
//!
//! Columns are as wide as their widest entry. Where a line gets too long, its tail goes on the next line.

use textwrap::core::display_width;

use crate::check::verdict::{FlowVerdict, Outcome, StepState, Verdict};
use crate::report::data::outcome_name;
use crate::report::subject::Subject;
use crate::report::text::blame::blame;
use crate::report::text::look::{Look, Tone, clean, clip, count, duration, pad, short};
use crate::report::text::times::times;
use crate::report::text::{Detail, place_words};

/// More conformant flows than this are only counted, unless asked for.
const MANY: usize = 40;

/// The indentation of what belongs to a flow.
const INDENT: usize = 5;

/// Writes the flows.
pub(super) fn flows(out: &mut String, subject: &Subject<'_>, look: &Look, detail: Detail) {
    let flows = &subject.checked.flows;
    if flows.is_empty() {
        look.hanging(out, "", 0, "No attach or detach of a volume was found in these logs.");
        out.push('\n');
        return;
    }
    let fine = flows.iter().filter(|flow| flow.verdict == Verdict::Conformant).count();
    let hide = fine > MANY && detail < Detail::Verbose;
    let rows: Vec<Row<'_>> =
        flows.iter().filter(|flow| !hide || flow.verdict != Verdict::Conformant).map(Row::new).collect();
    let columns = Columns::new(&rows);
    for row in &rows {
        row.write(out, &columns, look);
        blame(out, subject, row.flow, INDENT, look);
        if detail == Detail::Verbose || row.flow.blame.is_some() {
            times(out, subject, row.flow, INDENT, look);
        }
        if detail == Detail::Verbose {
            steps(out, subject, row.flow, look);
        }
    }
    if hide {
        look.hanging(out, " ok", INDENT, &format!("{} not shown (-v shows them)", count(fine, "conformant flow")));
    }
    out.push('\n');
}

/// The texts of one flow's line.
struct Row<'a> {
    flow: &'a FlowVerdict,
    mark: &'static str,
    tone: Tone,
    cells: [String; 6],
    track: String,
    codes: String,
}

impl<'a> Row<'a> {
    fn new(flow: &'a FlowVerdict) -> Self {
        let (mark, tone) = match flow.verdict {
            Verdict::Conformant => ("ok", Tone::Good),
            Verdict::Violated => ("!!", Tone::Bad),
            Verdict::Inconclusive => ("??", Tone::Doubt),
        };
        let took = flow.start.zip(flow.end).map(|(start, end)| duration(end.since(start)));
        let mut codes: Vec<String> =
            flow.findings.iter().map(|finding| clean(&format!("{} {}", finding.code, finding.name))).collect();
        codes.dedup();
        let cells = [
            clean(&flow.id),
            clean(flow.variant.as_deref().unwrap_or("")),
            parties(flow),
            format!("{}{}", outcome_name(flow.outcome), if flow.likely { ", likely" } else { "" }),
            took.unwrap_or_default(),
            step_count(flow),
        ];
        Self { flow, mark, tone, cells, track: track(flow), codes: codes.join(", ") }
    }

    fn write(&self, out: &mut String, columns: &Columns, look: &Look) {
        let cells = |range: std::ops::Range<usize>| {
            let padded = range.filter(|index| columns.widths[*index] > 0);
            padded.map(|index| pad(&self.cells[index], columns.widths[index])).collect::<Vec<_>>().join("  ")
        };
        let mark = format!(" {}  ", look.paint(self.tone, self.mark));
        let whole = cells(0..6);
        let room = look.width.saturating_sub(INDENT);
        let with_track = format!("{whole}  {}", self.track);
        let with_codes = format!("{with_track}  {}", self.codes);
        let fits = |text: &str| display_width(text.trim_end()) <= room;
        let none = String::new;
        let (first, rest) = if fits(&with_codes) {
            (with_codes, [none(), none()])
        } else if fits(&with_track) {
            (with_track, [none(), self.codes.clone()])
        } else if fits(&whole) {
            (whole, [self.track.clone(), self.codes.clone()])
        } else {
            (cells(0..3), [format!("{}  {}", cells(3..6), self.track), self.codes.clone()])
        };
        out.push_str(&mark);
        out.push_str(clip(first.trim_end(), room).as_str());
        out.push('\n');
        for line in rest.iter().filter(|line| !line.trim().is_empty()) {
            look.hanging(out, "", INDENT, line.trim());
        }
    }
}

/// The widths of the columns.
struct Columns {
    widths: [usize; 6],
}

impl Columns {
    fn new(rows: &[Row<'_>]) -> Self {
        let mut widths = [0; 6];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(display_width(cell));
            }
        }
        Self { widths }
    }
}

/// `web-1 <- data-1`: which volume goes to (or comes from) which server.
pub(super) fn parties(flow: &FlowVerdict) -> String {
    let volume = short(flow.volume_name.as_deref(), flow.volume);
    if flow.server.is_none() && flow.server_name.is_none() {
        return volume;
    }
    let server = short(flow.server_name.as_deref(), flow.server);
    let leaves = matches!(flow.flow.as_str(), "detach" | "delete-detach" | "shelve-offload");
    let arrow = if leaves { "->" } else { "<-" };
    format!("{server} {arrow} {volume}")
}

/// `9 steps`, or `7/9 steps` when some that had to be seen were not.
fn step_count(flow: &FlowVerdict) -> String {
    let of = |state| flow.steps.iter().filter(|step| step.state == state).count();
    let (seen, missing) = (of(StepState::Observed) + of(StepState::Unexpected), of(StepState::Missing));
    if missing == 0 { count(seen, "step") } else { format!("{seen}/{} steps", seen + missing) }
}

/// The statuses on the way; where there are none, the device.
fn track(flow: &FlowVerdict) -> String {
    if flow.statuses.is_empty() {
        return flow.device.as_deref().map(|device| format!("at {}", clean(device))).unwrap_or_default();
    }
    flow.statuses.iter().map(|status| clean(status)).collect::<Vec<_>>().join(" > ")
}

/// The steps of a flow, one a line.
fn steps(out: &mut String, subject: &Subject<'_>, flow: &FlowVerdict, look: &Look) {
    for step in &flow.steps {
        let clock = step.start.or(step.end).map_or_else(|| " ".repeat(12), |time| time.clock());
        let mut line = format!("{}{}", "  ".repeat(step.depth.min(12)), clean(subject.step_name(step.step)));
        if let Some(status) = step.status {
            line.push_str(&format!("  {status}"));
        }
        if step.repeats > 0 {
            line.push_str(&format!("  x{}", step.repeats + 1));
        }
        if step.failed {
            line.push_str("  failed");
        }
        let state = match step.state {
            StepState::Observed => None,
            StepState::Missing => Some(("missing", Tone::Bad)),
            StepState::Unexpected => Some(("unexpected", Tone::Bad)),
            StepState::Unobservable => Some(("not observable", Tone::Faint)),
        };
        out.push_str(&" ".repeat(INDENT));
        out.push_str(&look.paint(Tone::Faint, &clock));
        out.push_str("  ");
        out.push_str(&clip(&line, look.width.saturating_sub(INDENT + 14 + 16).max(24)));
        if let Some((word, tone)) = state {
            out.push_str("  ");
            out.push_str(&look.paint(tone, word));
        }
        if let Some(place) = step.evidence.first() {
            let room = look.width.saturating_sub(INDENT + 16 + display_width(&line));
            let place = place_words(subject, *place);
            if state.is_none() && display_width(&place) <= room {
                out.push_str("  ");
                out.push_str(&look.paint(Tone::Faint, &place));
            }
        }
        out.push('\n');
    }
    if flow.outcome == Outcome::Stuck
        && let Some(deadline) = flow.deadline
    {
        look.hanging(out, "", INDENT, &format!("no end within {} without progress", duration(deadline)));
    }
}
