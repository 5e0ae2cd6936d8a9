//! What tools, mails and documents put in front of each line: grep its file names and numbers, editors their numbers, replies
//! their `> `, documents an indentation, programs a comment sign; and the tags of forums around a line.

use super::lines::{Lines, Names};
use super::{Wrapping, most};

/// A kind of prefix.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    name: &'static str,
    /// The line without it; `None` when it does not have it.
    without: fn(&[u8]) -> Option<&[u8]>,
}

const LIKELY: &[Prefix] = &[
    Prefix { name: "line-numbers", without: number },
    Prefix { name: "quote", without: quote },
    Prefix { name: "comment", without: comment },
    Prefix { name: "indentation", without: indentation },
    Prefix { name: "forum-tags", without: tags },
];

const GREP: Prefix = Prefix { name: "grep", without: grep };

/// Recognises the file names of grep.
pub(super) fn recognise_grep(sample: &Lines) -> Option<Prefix> {
    most(sample, |line| grep(line).is_some()).then_some(GREP)
}

/// Any other prefix that a line of the sample has.
pub(super) fn possible(sample: &Lines) -> impl Iterator<Item = Prefix> {
    let has = |prefix: &Prefix| sample.iter().any(|(_, line)| (prefix.without)(line).is_some());
    LIKELY.iter().copied().filter(has)
}

impl Wrapping for Prefix {
    fn name(&self) -> &'static str {
        self.name
    }

    fn unwrap(&self, wrapped: &Lines, _names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        wrapped.iter().for_each(|(origin, line)| lines.push(origin, (self.without)(line).unwrap_or(line)));
        lines
    }
}

/// `nova/nova-compute.log:`, `nova-compute.log:123:`, and with `-` where grep shows context.
fn grep(line: &[u8]) -> Option<&[u8]> {
    let end = memchr::memmem::find(&line[..line.len().min(300)], b".log")? + b".log".len();
    if line[..end].iter().any(|byte| byte.is_ascii_whitespace() || b"\"'([{<".contains(byte)) {
        return None;
    }
    // What rotation adds to the name.
    let turns = line[end..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let rest = &line[end + turns..];
    let mark = *rest.first().filter(|mark| matches!(mark, b':' | b'-'))?;
    let rest = &rest[1..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_number = (1..=9).contains(&digits) && rest.get(digits) == Some(&mark) && !is_year(&rest[..digits]);
    Some(if is_number { &rest[digits + 1..] } else { rest })
}

/// Whether the digits before a `-` may be those of a date.
fn is_year(digits: &[u8]) -> bool {
    digits.len() == 4 && digits.starts_with(b"20")
}

/// `     7<TAB>`, `7:`, `7 `.
fn number(line: &[u8]) -> Option<&[u8]> {
    let blanks = line.iter().take_while(|byte| **byte == b' ').count();
    let rest = &line[blanks..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mark = rest.get(digits)?;
    let is_number = (1..=9).contains(&digits) && matches!(mark, b'\t' | b':' | b' ' | b'|');
    is_number.then(|| rest[digits + 1..].strip_prefix(b" ").unwrap_or(&rest[digits + 1..]))
}

/// `> `.
fn quote(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b">")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

/// `// `, `# `, `| `.
fn comment(line: &[u8]) -> Option<&[u8]> {
    let rest = [&b"//"[..], b"#", b"|"].iter().find_map(|sign| line.strip_prefix(*sign))?;
    Some(rest.trim_ascii_start())
}

/// Blanks and tabs. Lines that go on with a record lose theirs too: nothing is read from those.
fn indentation(line: &[u8]) -> Option<&[u8]> {
    let rest = line.trim_ascii_start();
    (rest.len() < line.len() && !rest.is_empty()).then_some(rest)
}

/// BBCode's `[CODE][COLOR=#FF0040]` before a line, `[/COLOR]` behind it.
fn tags(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    while let Some(length) = tag(rest) {
        rest = &rest[length..];
    }
    let mut end = rest.trim_ascii_end();
    while let Some(start) = memchr::memrchr(b'[', end).filter(|start| tag(&end[*start..]) == Some(end.len() - start)) {
        end = end[..start].trim_ascii_end();
    }
    (end.len() < line.trim_ascii_end().len()).then_some(end)
}

/// The length of a tag of a forum at the beginning.
fn tag(text: &[u8]) -> Option<usize> {
    const NAMES: [&[u8]; 10] = [b"code", b"color", b"quote", b"b", b"i", b"u", b"size", b"font", b"spoiler", b"icode"];
    let inner = text.strip_prefix(b"[")?;
    let close = memchr::memchr(b']', &inner[..inner.len().min(60)])?;
    let word = inner[..close].strip_prefix(b"/").unwrap_or(&inner[..close]);
    let name = word.split(|byte| *byte == b'=').next()?;
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)).then_some(close + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::scan::lossy;

    #[test]
    fn prefixes() {
        type Case = (fn(&[u8]) -> Option<&[u8]>, &'static str, Option<&'static str>);
        let cases: [Case; 16] = [
            (grep, "nova/nova-compute.log:2026-11-22 x", Some("2026-11-22 x")),
            (grep, "nova-compute.log.1:123:2026-11-22 x", Some("2026-11-22 x")),
            (grep, "nova-compute.log-123-2026-11-22 x", Some("2026-11-22 x")),
            (grep, "nova-compute.log-2026-11-22 x", Some("2026-11-22 x")),
            (grep, "2026-11-22 see nova.log: x", None),
            (number, "     7\tREQ: curl", Some("REQ: curl")),
            (number, "7:REQ: curl", Some("REQ: curl")),
            (number, "937477 2015-03-20 13:49", Some("2015-03-20 13:49")),
            (number, "2015-03-20", None),
            (quote, "> REQ: curl", Some("REQ: curl")),
            (comment, "// \tREQ: curl", Some("REQ: curl")),
            (indentation, "    REQ: curl", Some("REQ: curl")),
            (tags, "[CODE][COLOR=#FF0040]REQ: [x][/COLOR]", Some("REQ: [x]")),
            (tags, "REQ: curl[/color] [/CODE] ", Some("REQ: curl")),
            (tags, "[req-1] RESP: [200]", None),
            (tags, "[b", None),
        ];
        for (without, line, expected) in cases {
            assert_eq!(without(line.as_bytes()).map(lossy).as_deref(), expected, "{line}");
        }
    }
}
