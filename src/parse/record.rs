//! A record: one entry of a log, whatever its dialect.

use crate::base::time::Timestamp;
use crate::model::event::{Context, Level};

/// What the first line of a record says before its message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head<'a> {
    pub(crate) time: Option<Timestamp>,
    /// Whether the line tells the zone of its time, which then is in UTC.
    pub(crate) is_zoned: bool,
    /// 0 when the line does not tell.
    pub(crate) process: u32,
    pub(crate) level: Level,
    /// Empty when the line does not tell.
    pub(crate) logger: &'a [u8],
    pub(crate) context: Context,
    /// The host in a journal line.
    pub(crate) host: &'a [u8],
    /// The program in a journal line.
    pub(crate) program: &'a [u8],
    /// Where the message begins in the line.
    pub(crate) message: usize,
    /// Whether the line may belong to the record before it, as each line of a traceback does: it has the level of an
    /// error and no context (oslo.log `logging_exception_prefix`).
    pub(crate) may_continue: bool,
    /// Whether lines without a head that follow belong to this record.
    pub(crate) multi_line: bool,
}

impl Head<'_> {
    /// Whether `next` is a further line of the record that begins with this head.
    pub(crate) fn goes_on_with(&self, next: &Head<'_>) -> bool {
        const JOURNAL_SLACK: i64 = 1_000_000;
        if !next.may_continue || self.process != next.process || self.logger != next.logger {
            return false;
        }
        match (self.time, next.time) {
            (Some(first), Some(second)) if !self.program.is_empty() => {
                (0..=JOURNAL_SLACK).contains(&second.since(first))
            }
            (first, second) => first == second,
        }
    }
}

/// One entry of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) head: Head<'a>,
    /// The number of its first line.
    pub(crate) line: u64,
    /// Which of the records that the line holds.
    pub(crate) nth: u32,
    /// The message, with all further lines of the record as they stand in the log.
    pub(crate) message: &'a [u8],
}

impl<'a> Record<'a> {
    /// The first line of the message.
    pub(crate) fn first_line(&self) -> &'a [u8] {
        let end = memchr::memchr(b'\n', self.message).unwrap_or(self.message.len());
        let line = &self.message[..end];
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The first line of the message without the place in the code that DEBUG lines end with (oslo.log
    /// `logging_debug_format_suffix`, devstack's `{{(pid=N) function path:line}}`, Essex's `from (pid=N) function path:line`).
    pub(crate) fn text(&self) -> &'a [u8] {
        let line = self.first_line();
        if self.head.level == Level::Debug { without_code_place(line) } else { line }
    }
}

fn without_code_place(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    if line.ends_with(b"}}")
        && let Some(start) = memchr::memmem::rfind(line, b"{{(pid=").or_else(|| memchr::memmem::rfind(line, b" {{"))
    {
        return line[..start].trim_ascii_end();
    }
    let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before_digits = &line[..line.len() - digits];
    let Some(path) = before_digits.strip_suffix(b":").filter(|_| digits > 0) else { return line };
    let Some(path_start) = memchr::memrchr(b' ', path).filter(|start| path[start + 1..].ends_with(b".py")) else {
        return line;
    };
    let Some(function_start) = memchr::memrchr(b' ', &path[..path_start]) else { return line };
    let rest = &line[..function_start];
    match memchr::memmem::rfind(rest, b" from (pid=").filter(|_| rest.ends_with(b")")) {
        Some(start) => &rest[..start],
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_the_code_is_cut_off() {
        let cases: [(&[u8], &[u8]); 5] = [
            (b"Running cmd _x /usr/lib/python3/dist-packages/a/b.py:12", b"Running cmd"),
            (b"Lock \"a\" {{(pid=8873) inner /usr/lib/x.py:313}}", b"Lock \"a\""),
            (b"Doing it from (pid=7) attach /opt/nova/manager.py:9", b"Doing it"),
            (b"Attaching volume 7 to /dev/vdc", b"Attaching volume 7 to /dev/vdc"),
            (b"listening on 10.0.0.1:80", b"listening on 10.0.0.1:80"),
        ];
        for (line, expected) in cases {
            assert_eq!(without_code_place(line), expected);
        }
    }
}
