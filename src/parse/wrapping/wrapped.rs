//! Lines cut at a width, as copies from a terminal, mail programs and documents have them.

use super::Wrapping;
use super::lines::{Lines, Names};
use crate::parse::dialect::DIALECTS;

/// How lines were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapped {
    /// Every so many characters, wherever that is.
    Anywhere(usize),
    /// At a blank, so that no line is longer than so many characters.
    Words(usize),
    /// With a backslash at the end of what goes on.
    Backslash,
}

/// Widths that lines are cut at.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=400;

/// The fewest cut lines that show a width.
const FEWEST: usize = 5;

/// Recognises a width that many lines have and none exceeds.
pub(super) fn recognise(sample: &Lines) -> Option<Wrapped> {
    // The last line may be cut by the end of the sample.
    let count = sample.iter().count().saturating_sub(1);
    let lines = || sample.iter().take(count).map(|(_, line)| line.strip_suffix(b"\r").unwrap_or(line));
    let filled = lines().filter(|line| !line.is_empty()).count();
    let cut = lines().filter(|line| line.ends_with(b"\\")).count();
    if cut >= FEWEST && cut * 5 > filled {
        return Some(Wrapped::Backslash);
    }
    let width = lines().map(width).max().filter(|width| WIDTHS.contains(width))?;
    let is_short = |line: &[u8]| !line.is_empty() && self::width(line) < width;
    let is_cut = |(line, next): &(&[u8], &[u8])| is_full(line, next, width) && !begins(next);
    let words = lines().zip(lines().skip(1)).filter(is_cut).filter(|(line, _)| is_short(line)).count();
    if words >= FEWEST && words * 3 > filled {
        return Some(Wrapped::Words(width));
    }
    // A full line that goes on is one of a record: its first, or behind another full one. Tables have full lines too.
    let (mut full, mut cut, mut is_in_record) = (0, 0, false);
    for (line, next) in lines().zip(lines().skip(1)) {
        let is_full = self::width(line) == width;
        is_in_record |= begins(line);
        full += usize::from(is_full);
        cut += usize::from(is_full && is_in_record && !begins(next));
        is_in_record &= is_full;
    }
    // In a log of a few records most lines are full.
    let is_enough = cut >= FEWEST && full * 10 > filled * 3 || cut >= 2 && full * 2 >= filled;
    (is_enough && cut * 2 > full).then_some(Wrapped::Anywhere(width))
}

/// How many characters a line has.
fn width(line: &[u8]) -> usize {
    // Bytes that go on with a character of UTF-8 are 10xxxxxx.
    line.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

/// Whether the first word of the next line had no room in this one.
fn is_full(line: &[u8], next: &[u8], most: usize) -> bool {
    let word = next.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    !line.is_empty() && !word.is_empty() && width(line) + 1 + width(word) > most
}

/// Whether this is the head of a record, or of a line of one, in any dialect.
fn begins(line: &[u8]) -> bool {
    DIALECTS.iter().any(|dialect| dialect.head(line).is_some())
}

impl Wrapping for Wrapped {
    fn name(&self) -> &'static str {
        "wrapped-lines"
    }

    fn unwrap(&self, wrapped: &Lines, _names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        let mut before: Option<&[u8]> = None;
        for (origin, line) in wrapped.iter() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let text = match self {
                Self::Backslash => line.strip_suffix(b"\\").unwrap_or(line),
                Self::Anywhere(_) | Self::Words(_) => line,
            };
            let goes_on = before.is_some_and(|before| match self {
                Self::Anywhere(most) => width(before) == *most,
                Self::Words(most) => is_full(before, line, *most),
                Self::Backslash => before.ends_with(b"\\"),
            });
            if goes_on && !line.is_empty() && !begins(line) {
                if matches!(self, Self::Words(_)) {
                    lines.extend_last(b" ");
                }
                lines.extend_last(text);
            } else {
                lines.push(origin, text);
            }
            before = Some(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::scan::lossy;

    fn unwrapped(text: &str) -> (Option<Wrapped>, Vec<String>) {
        let sample = Lines::of_text(text.as_bytes(), 1);
        let kind = recognise(&sample);
        let lines = kind.map(|kind| kind.unwrap(&sample, &mut Names::default()));
        (kind, lines.iter().flat_map(Lines::iter).map(|(_, line)| lossy(line)).collect())
    }

    #[test]
    fn lines_are_joined_again() {
        let line = |number: u32| {
            format!(
                "2026-11-22 08:04:1{number}.756 4498 INFO nova.compute.manager [-] é {}",
                "word ".repeat(40) + "end"
            )
        };
        let all: Vec<String> = (0..9).map(line).collect();
        let anywhere: Vec<String> = all
            .iter()
            .flat_map(|line| line.chars().collect::<Vec<_>>().chunks(50).map(String::from_iter).collect::<Vec<_>>())
            .collect();
        assert_eq!(unwrapped(&anywhere.join("\n")), (Some(Wrapped::Anywhere(50)), all.clone()));
        let words: Vec<String> = all.iter().flat_map(|line| textwrap::wrap(line, 60)).map(String::from).collect();
        let width = words.iter().map(|line| line.chars().count()).max().expect("lines");
        assert_eq!(unwrapped(&words.join("\n")), (Some(Wrapped::Words(width)), all.clone()));
        assert_eq!(unwrapped(&all.join("\n")).0, None);
        let cut: String = all.iter().map(|line| format!("{}\\\n{}\n", &line[..70], &line[70..])).collect();
        assert_eq!(unwrapped(&cut), (Some(Wrapped::Backslash), all));
    }
}
