//! A client's whole session on one line, as some web pages make of it.

use super::Wrapping;
use super::lines::{Lines, Names};
use crate::parse::client;

/// Lines with many messages of a client in them.
pub(super) struct Session;

/// The fewest messages in a line.
const FEWEST: usize = 3;

/// Recognises a line with several requests or answers in it.
pub(super) fn recognise(sample: &Lines) -> Option<Session> {
    let exchanges = |line: &[u8]| {
        let count = |head: &[u8]| memchr::memmem::find_iter(line, head).count();
        count(b"REQ: curl ") + count(b"RESP: [")
    };
    let is_it = sample.iter().any(|(_, line)| exchanges(line) >= FEWEST);
    is_it.then_some(Session)
}

impl Wrapping for Session {
    fn name(&self) -> &'static str {
        "one-line"
    }

    fn unwrap(&self, wrapped: &Lines, _names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        for (origin, line) in wrapped.iter() {
            let mut start = 0;
            for blank in memchr::memchr_iter(b' ', line) {
                if client::is_message(&line[blank + 1..]) {
                    lines.push(origin, line[start..blank].trim_ascii_end());
                    start = blank + 1;
                }
            }
            lines.push(origin, &line[start..]);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_gets_a_line() {
        let text = b"x REQ: curl -g -i -X GET http://a RESP: [200] Date: b RESP BODY: {\"c\": 1} GET call to d for http://a used request id req-1 REQ: curl e";
        let sample = Lines::of_text(text, 1);
        assert!(recognise(&sample).is_some());
        let lines = Session.unwrap(&sample, &mut Names::default());
        let heads: Vec<_> = lines.iter().map(|(_, line)| line[..line.len().min(8)].to_vec()).collect();
        assert_eq!(heads, [&b"x"[..], b"REQ: cur", b"RESP: [2", b"RESP BOD", b"GET call", b"REQ: cur"]);
    }
}
