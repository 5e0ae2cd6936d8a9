//! How the lines of a log stand in its file: what is around them, and their dialect.

use std::borrow::Cow;
use std::fmt;

use super::colours::strip_colours;
use super::dialect::Dialect;
use super::wrapping::{CarriedNames, Lines, Origin, Wrapping};
use crate::input::Chunk;

/// The wrappings of a log, the outermost first, and the dialect of the lines in them.
pub(crate) struct Layout {
    pub(crate) wrappings: Vec<Box<dyn Wrapping>>,
    pub(crate) dialect: &'static dyn Dialect,
}

/// The lines of a piece as the program wrote them, without colours.
pub(crate) struct Plain<'c> {
    pub(crate) text: Cow<'c, [u8]>,
    /// One for each line; `None` when the lines are those of the piece.
    pub(crate) origins: Option<Vec<Origin>>,
    pub(crate) names: CarriedNames,
}

impl fmt::Display for Layout {
    /// `oslo in docker-json`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.dialect.name())?;
        self.wrappings.iter().rev().try_for_each(|wrapping| write!(formatter, " in {}", wrapping.name()))
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl Layout {
    /// Whether a record begins with this line of the file, whatever stands before it.
    pub(crate) fn begins(&self, line: &[u8]) -> bool {
        let mut lines: Option<Lines> = None;
        for wrapping in &self.wrappings {
            let outer = lines.unwrap_or_else(|| Lines::of_text(line, 1));
            if let Some(begins) = outer.first().and_then(|line| wrapping.begins(line)) {
                return begins;
            }
            lines = Some(wrapping.unwrap(&outer, &mut CarriedNames::default()));
        }
        let line = lines.as_ref().map_or(Some(line), Lines::first).unwrap_or_default();
        let plain = strip_colours(line);
        let line = plain.as_deref().unwrap_or(line);
        self.dialect.begins(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The lines of a piece.
    pub(crate) fn plain<'c>(&self, chunk: &'c Chunk) -> Plain<'c> {
        let mut names = CarriedNames::default();
        let mut lines: Option<Lines> = None;
        for wrapping in &self.wrappings {
            let outer = lines.unwrap_or_else(|| Lines::of_text(&chunk.bytes, chunk.first_line));
            lines = Some(wrapping.unwrap(&outer, &mut names));
        }
        let (text, origins) = match lines.map(Lines::into_parts) {
            Some((text, origins)) => (Cow::Owned(text), Some(origins)),
            None => (Cow::Borrowed(chunk.bytes.as_slice()), None),
        };
        let text = strip_colours(&text).map_or(text, Cow::Owned);
        Plain { text, origins, names }
    }
}
