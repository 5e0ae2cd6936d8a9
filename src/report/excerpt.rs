//! The evidence of one finding as a source for miette: only the lines that matter, each with its file and true number.
//!
//! Loading a log of gigabytes to draw three of its lines is out of the question, and miette's labels have to share one
//! source. So an [`Excerpt`] lays the lines one behind the other in an address space of its own. A span over two of them is
//! out of bounds, therefore miette draws each as a snippet of its own, in the order in which they were pushed.

use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use textwrap::core::display_width;

use crate::model::source::Place;
use crate::report::text::look::{clean, clip, prefix, whole_words};

/// Gives the text of log lines.
pub trait LineText {
    /// The text of a line, without its end; `None` when it cannot be read (again).
    fn line(&self, place: Place) -> Option<String>;
}

impl<F: Fn(Place) -> Option<String>> LineText for F {
    fn line(&self, place: Place) -> Option<String> {
        self(place)
    }
}

/// Shown for a line that cannot be read again.
const UNREADABLE: &str = "(this line could not be read again)";

/// Lines of several files as one source.
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    pieces: Vec<Piece>,
    labels: Vec<LabeledSpan>,
}

/// One line.
#[derive(Clone, Debug)]
struct Piece {
    base: usize,
    name: String,
    line: usize,
    text: String,
}

impl Excerpt {
    /// Adds a line with its label. `width` is that of the terminal.
    pub fn push(&mut self, path: &str, number: u64, text: Option<&str>, role: &str, width: usize) {
        let gutter = number.to_string().len() + 4;
        let room = width.saturating_sub(gutter + 1).max(40);
        let shown = Shown::new(text.unwrap_or(UNREADABLE), room);
        // A gap of one byte keeps the end of one piece from being the beginning of the next.
        let base = self.pieces.last().map_or(0, |piece| piece.base + piece.text.len() + 1);
        let role = shown.wrap_role(&clean(role), room);
        let span = SourceSpan::from(base + shown.label.start..base + shown.label.end);
        self.labels.push(LabeledSpan::new_with_span(Some(role).filter(|role| !role.is_empty()), span));
        let line = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.pieces.push(Piece { base, name: clean(path), line, text: shown.text });
    }

    /// The labels, in the order of the lines.
    pub fn labels(&self) -> &[LabeledSpan] {
        &self.labels
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let index = self.pieces.partition_point(|piece| piece.base <= span.offset());
        let piece = index.checked_sub(1).and_then(|index| self.pieces.get(index)).ok_or(MietteError::OutOfBounds)?;
        if span.offset() + span.len() > piece.base + piece.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let whole = SourceSpan::from(piece.base..piece.base + piece.text.len());
        let contents =
            MietteSpanContents::new_named(piece.name.clone(), piece.text.as_bytes(), whole, piece.line, 0, 1);
        Ok(Box::new(contents))
    }
}

/// A log line as it is shown: clean, clipped around its message, with the bytes to underline.
struct Shown {
    text: String,
    label: Range<usize>,
}

impl Shown {
    /// Escaping changes offsets, so everything is measured on the clean text.
    fn new(raw: &str, room: usize) -> Self {
        // What is far behind the room is never shown; megabytes of it need no cleaning.
        let line = clean(prefix(raw, room * 16 + 4_096));
        let message = message_start(&line);
        let underlined = if room < 100 { 12 } else { 28 };
        let (head, body) = line.split_at(message);
        let head = if display_width(&line) > room && display_width(head) > room / 3 {
            let stamp = prefix(&line[..stamp_end(&line)], room / 3);
            if stamp.is_empty() { "... ".to_owned() } else { format!("{stamp} ... ") }
        } else {
            head.to_owned()
        };
        let body = clip(body, room.saturating_sub(display_width(&head)));
        let end = head.len() + first_words(&body, underlined).len();
        let label = head.len()..end;
        Self { text: head + &body, label }
    }

    /// miette puts the label behind the middle of the underline; what does not fit there goes on in the next line.
    fn wrap_role(&self, role: &str, room: usize) -> String {
        let before = display_width(&self.text[..self.label.start]);
        let underline = display_width(&self.text[self.label.clone()]);
        let left = room.saturating_sub(before + underline / 2 + 4);
        textwrap::wrap(role, whole_words(left.max(16))).join("\n")
    }
}

/// The first words that take at most `cells` cells; of a longer first word, its beginning.
fn first_words(text: &str, cells: usize) -> &str {
    let cut = prefix(text, cells);
    let inside_word = !text[cut.len()..].is_empty() && !text[cut.len()..].starts_with(' ');
    let end = if inside_word { cut.rfind(' ').unwrap_or(cut.len()) } else { cut.len() };
    cut[..end].trim_end()
}

/// Where the time stamp at the beginning of a line ends; 0 when there is none.
fn stamp_end(line: &str) -> usize {
    let mut end = 0;
    for word in line.split_inclusive(' ').take(4) {
        end += word.len();
        if word.matches(':').count() >= 2 {
            return line[..end].trim_end().len();
        }
    }
    0
}

/// Where the message of a log line begins: behind time, process, level, logger, request ids and instance; 0 when the line
/// has no such beginning.
fn message_start(line: &str) -> usize {
    if line.starts_with('{') {
        return json_message(line).unwrap_or(0);
    }
    let levels = [" DEBUG ", " INFO ", " WARNING ", " ERROR ", " CRITICAL ", " AUDIT ", " TRACE "];
    let near = prefix(line, 160);
    let Some(level_end) = levels.iter().filter_map(|level| near.find(level).map(|at| at + level.len())).min() else {
        return 0;
    };
    let logger = line[level_end..].find(' ').map_or(0, |length| length + 1);
    let mut start = level_end + logger;
    for opening in ["[", "[instance: "] {
        if line[start..].starts_with(opening)
            && let Some(length) = line[start..].find("] ")
        {
            start += length + 2;
        }
    }
    start
}

/// Where the text of the `message` key begins.
fn json_message(line: &str) -> Option<usize> {
    let key = "\"message\":";
    let behind = line.find(key)? + key.len();
    let rest = line[behind..].trim_start().trim_start_matches('"');
    Some(line.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "2026-11-22 07:33:02.110 2841 DEBUG oslo_messaging._drivers.amqpdriver [req-1b2c req-9d8e u p - \
                        default default] [instance: d073] CAST unique_id: 15ab topic 'compute.node1' _send /usr/lib/x.py:6";

    #[test]
    fn a_long_line_keeps_its_time_and_its_message() {
        let shown = Shown::new(LINE, 70);
        assert_eq!(shown.text, "2026-11-22 07:33:02.110 ... CAST unique_id: 15ab topic 'compute.nod...");
        assert_eq!(&shown.text[shown.label], "CAST");
    }

    #[test]
    fn a_line_that_fits_stays_whole() {
        let shown = Shown::new(LINE, 300);
        assert_eq!(shown.text, LINE);
        assert!(shown.text[shown.label.start..].starts_with("CAST"));
    }

    #[test]
    fn messages_of_other_dialects_are_found() {
        assert_eq!(message_start("no header at all"), 0);
        let json = r#"{"asctime": "x", "message": "hello"}"#;
        assert!(json[message_start(json)..].starts_with("hello"));
    }

    proptest! {
        #[test]
        fn any_line_can_be_shown(line in ".*", role in ".*", width in 0..200_usize) {
            let mut excerpt = Excerpt::default();
            excerpt.push("a.log", 7, Some(&line), &role, width);
            excerpt.push("b.log", 8, None, &role, width);
            for label in excerpt.labels() {
                prop_assert!(excerpt.read_span(label.inner(), 0, 0).is_ok());
            }
        }
    }
}
