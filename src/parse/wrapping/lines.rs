//! Lines with their places in the input.

use rustc_hash::FxHashMap;

use crate::base::time::Timestamp;

/// Where a line comes from, and what its wrapping tells of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The number of the line in the input.
    pub(crate) number: u64,
    pub(crate) time: Option<Timestamp>,
    /// Whether the time is in UTC.
    pub(crate) is_zoned: bool,
    /// 0 when it is not told.
    pub(crate) process: u32,
    pub(crate) host: Name,
    pub(crate) program: Name,
}

/// A name in [`Names`]; the default is the empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name(u16);

/// The names of hosts and programs, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: Vec<Vec<u8>>,
    numbers: FxHashMap<Vec<u8>, u16>,
}

impl Names {
    /// The number of a name. There are few in one piece; what is beyond their number has none.
    pub(crate) fn of(&mut self, name: &[u8]) -> Name {
        if name.is_empty() {
            return Name::default();
        }
        if let Some(number) = self.numbers.get(name) {
            return Name(*number);
        }
        let Ok(number) = u16::try_from(self.texts.len() + 1) else { return Name::default() };
        self.texts.push(name.to_vec());
        self.numbers.insert(name.to_vec(), number);
        Name(number)
    }

    /// The name with this number.
    pub(crate) fn text(&self, name: Name) -> &[u8] {
        name.0.checked_sub(1).and_then(|index| self.texts.get(usize::from(index))).map_or(b"", Vec::as_slice)
    }
}

/// Lines, each with its origin. Every line ends with a newline.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    origins: Vec<Origin>,
}

impl Lines {
    /// The lines of a text; the first has this number.
    pub(crate) fn of_text(text: &[u8], first: u64) -> Self {
        let mut lines = Self { text: Vec::with_capacity(text.len() + 1), origins: Vec::new() };
        let whole = text.strip_suffix(b"\n").unwrap_or(text);
        if !text.is_empty() {
            for (number, line) in (first..).zip(whole.split(|byte| *byte == b'\n')) {
                lines.push(Origin { number, ..Origin::default() }, line);
            }
        }
        lines
    }

    /// Adds a text of one or more lines.
    pub(super) fn push(&mut self, origin: Origin, text: &[u8]) {
        let count = memchr::memchr_iter(b'\n', text).count() + 1;
        self.origins.resize(self.origins.len() + count, origin);
        self.text.extend_from_slice(text);
        self.text.push(b'\n');
    }

    /// Adds to the last line.
    pub(super) fn extend_last(&mut self, text: &[u8]) {
        match self.text.pop() {
            Some(_) => {
                let count = memchr::memchr_iter(b'\n', text).count();
                let origin = self.origins.last().copied().unwrap_or_default();
                self.origins.resize(self.origins.len() + count, origin);
                self.text.extend_from_slice(text);
                self.text.push(b'\n');
            }
            None => self.push(Origin::default(), text),
        }
    }

    /// The lines, with `\r` where they have it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Origin, &[u8])> {
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        self.origins.iter().copied().zip(text.split(|byte| *byte == b'\n'))
    }

    /// The text, and one origin for each line of it.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<Origin>) {
        (self.text, self.origins)
    }

    /// All lines, each with its newline.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The first line.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.iter().next().map(|(_, line)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_an_origin() {
        let mut lines = Lines::of_text(b"a\r\n\nb", 7);
        let numbered =
            |lines: &Lines| lines.iter().map(|(origin, line)| (origin.number, line.to_vec())).collect::<Vec<_>>();
        assert_eq!(numbered(&lines), [(7, b"a\r".to_vec()), (8, Vec::new()), (9, b"b".to_vec())]);
        lines.extend_last(b"c\nd");
        lines.push(Origin { number: 12, ..Origin::default() }, b"e");
        assert_eq!(numbered(&lines)[2..], [(9, b"bc".to_vec()), (9, b"d".to_vec()), (12, b"e".to_vec())]);
        assert_eq!(Lines::of_text(b"", 1).first(), None);
        let mut names = Names::default();
        let (one, two) = (names.of(b"one"), names.of(b"two"));
        assert_eq!((names.of(b"one"), names.text(two), names.text(Name::default())), (one, &b"two"[..], &b""[..]));
    }
}
