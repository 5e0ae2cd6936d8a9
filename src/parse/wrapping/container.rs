//! The log files of Kubernetes' container runtimes (CRI logging format): `TIME stdout F text`, where `P` marks a part of a line
//! that the next one goes on with.

use super::lines::{Lines, Names, Origin};
use super::{Wrapping, most};
use crate::base::time::Timestamp;
use crate::parse::header;

/// Lines of a container runtime.
pub(super) struct Container;

/// What one line carries.
struct Entry<'a> {
    time: Timestamp,
    is_part: bool,
    text: &'a [u8],
}

/// Recognises lines that mostly are a runtime's.
pub(super) fn recognise(sample: &Lines) -> Option<Container> {
    most(sample, |line| entry(line).is_some()).then_some(Container)
}

impl Wrapping for Container {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn unwrap(&self, wrapped: &Lines, _names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        let mut is_open = false;
        for (origin, line) in wrapped.iter() {
            match entry(line) {
                Some(entry) if std::mem::replace(&mut is_open, entry.is_part) => lines.extend_last(entry.text),
                Some(entry) => lines.push(Origin { time: Some(entry.time), is_zoned: true, ..origin }, entry.text),
                None => lines.push(origin, line),
            }
        }
        lines
    }
}

fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let blank = memchr::memchr(b' ', &line[..line.len().min(40)])?;
    let (time, _) = header::moment(&line[..blank]).filter(|_| line.get(10) == Some(&b'T'))?;
    let rest = line[blank + 1..].strip_prefix(b"stdout ").or_else(|| line[blank + 1..].strip_prefix(b"stderr "))?;
    let tags = rest.split(|byte| *byte == b' ').next()?;
    let is_part = tags.first() == Some(&b'P');
    let is_tag = is_part || tags.first() == Some(&b'F');
    is_tag.then(|| Entry { time, is_part, text: rest.get(tags.len() + 1..).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_and_parts() {
        let text = b"2026-11-22T10:04:19.756123456+02:00 stdout F whole\n2026-11-22T08:04:20Z stderr P one \n2026-11-22T08:04:20Z stderr F two\nelse\n";
        let sample = Lines::of_text(text, 1);
        assert!(recognise(&sample).is_some());
        let lines = Container.unwrap(&sample, &mut Names::default());
        let found: Vec<_> = lines.iter().map(|(origin, line)| (origin.number, line)).collect();
        assert_eq!(found, [(1, &b"whole"[..]), (2, b"one two"), (4, b"else")]);
        let times: Vec<_> = lines.iter().filter_map(|(origin, _)| origin.time).map(|time| time.clock()).collect();
        assert_eq!(times, ["08:04:19.756", "08:04:20.000"]);
    }
}
