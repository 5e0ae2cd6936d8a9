//! How the terminal report looks: width, colour, wrapping and clipping.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use miette::{GraphicalReportHandler, GraphicalTheme};
use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};
use uuid::Uuid;

use crate::base::secret::redact;
use crate::base::text::escape;
use crate::base::time::SECOND;

/// How the report looks; the caller decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The width of a line, in terminal cells.
    pub width: usize,
    /// Whether to write colours.
    pub colour: bool,
    /// Whether to draw with characters beyond ASCII.
    pub unicode: bool,
}

/// What a coloured text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Well.
    Good,
    /// Wrong.
    Bad,
    /// Not decided, or a warning.
    Doubt,
    /// Of less weight.
    Faint,
    /// Of more weight.
    Strong,
    /// A key word in front of a text.
    Key,
}

impl Look {
    /// The look of a pipe or a file: plain text.
    pub fn plain(width: usize) -> Self {
        Self { width, colour: false, unicode: false }
    }

    /// The text in its tone, when colour is on.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Doubt => AnsiColor::Yellow.on_default(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Key => AnsiColor::Cyan.on_default(),
        };
        format!("{style}{text}{style:#}")
    }

    /// The drawer of diagnostics in this look.
    pub fn handler(&self) -> GraphicalReportHandler {
        let theme = match (self.unicode, self.colour) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        GraphicalReportHandler::new_themed(theme)
            .with_width(self.width)
            .with_context_lines(0)
            .with_links(false)
            .with_word_separator(WordSeparator::AsciiSpace)
            .with_word_splitter(WordSplitter::NoHyphenation)
            .without_syntax_highlighting()
    }

    /// Writes `key text`, the text wrapped and hanging behind the key, which takes `indent` cells.
    pub fn hanging(&self, out: &mut String, key: &str, indent: usize, text: &str) {
        let hang = " ".repeat(indent);
        let room = self.width.saturating_sub(indent).max(20);
        let options = whole_words(room);
        for (number, line) in text.lines().flat_map(|line| textwrap::wrap(line, &options)).enumerate() {
            if number == 0 {
                let blanks = indent.saturating_sub(display_width(key));
                let _ = write!(out, "{}{}", self.paint(Tone::Key, key), " ".repeat(blanks));
            } else {
                out.push_str(&hang);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Wrapping only at blanks: ids, paths and options of commands stay whole, so that they can be copied.
pub fn whole_words(room: usize) -> Options<'static> {
    let options = Options::new(room).word_separator(WordSeparator::AsciiSpace);
    options.word_splitter(WordSplitter::NoHyphenation).break_words(false)
}

/// Log text as it may go out: secrets masked, control characters shown as escapes.
pub fn clean(text: &str) -> String {
    escape(&redact(text)).into_owned()
}

/// The text, cut to `cells` cells, with `...` at its end when something was cut.
pub fn clip(text: &str, cells: usize) -> String {
    if display_width(text) <= cells {
        return text.to_owned();
    }
    let mut clipped = prefix(text, cells.saturating_sub(3)).to_owned();
    clipped.push_str(&"..."[..cells.min(3)]);
    clipped
}

/// The longest beginning of the text that takes at most `cells` cells.
pub fn prefix(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (index, character) in text.char_indices() {
        used += display_width(character.encode_utf8(&mut [0; 4]));
        if used > cells {
            return &text[..index];
        }
    }
    text
}

/// The text, filled up with blanks to `cells` cells.
pub fn pad(text: &str, cells: usize) -> String {
    let mut padded = text.to_owned();
    padded.push_str(&" ".repeat(cells.saturating_sub(display_width(text))));
    padded
}

/// A name, or the first eight digits of the id; `?` when neither is known.
pub fn short(name: Option<&str>, id: Option<Uuid>) -> String {
    match (name.filter(|name| !name.is_empty()), id) {
        (Some(name), _) => clip(&clean(name), 28),
        (None, Some(id)) => id.to_string()[..8].to_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// A span of time for readers: `420 ms`, `4.6 s`, `3 min 12 s`, `2 h 05 min`.
pub fn duration(micros: i64) -> String {
    let millis = micros / 1_000;
    let seconds = micros / SECOND;
    match seconds {
        ..0 => format!("-{}", duration(micros.saturating_neg())),
        0 => format!("{millis} ms"),
        1..60 => format!("{}.{} s", seconds, millis % 1_000 / 100),
        60..3_600 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// A number with commas: `1,204`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!(thousands(1_204_000), "1,204,000");
        assert_eq!(count(1, "file"), "1 file");
        let spans =
            [(420_000, "420 ms"), (4_648_000, "4.6 s"), (192 * SECOND, "3 min 12 s"), (7_500 * SECOND, "2 h 05 min")];
        for (micros, text) in spans {
            assert_eq!(duration(micros), text);
        }
        assert_eq!(duration(-420_000), "-420 ms");
    }

    #[test]
    fn clipping_counts_cells() {
        assert_eq!(clip("\u{4e2d}\u{6587}\u{4e2d}\u{6587}", 6), "\u{4e2d}...");
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(pad("\u{4e2d}", 4), "\u{4e2d}  ");
    }
}
