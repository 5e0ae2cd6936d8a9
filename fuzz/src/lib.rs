//! What all fuzz targets hold: nothing panics, and no line is lost, in whatever pieces it comes.

use std::io::Cursor;
use std::sync::LazyLock;

use flowcheck::input::Limits;
use flowcheck::parse::{Options, Reading, read};
use flowcheck::spec::grammar::Grammar;

/// The built-in specification.
pub static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| flowcheck::spec::built_in().expect("the grammars are right"));

/// Reads what stands on standard input, in pieces of about so many bytes.
pub fn read_in_pieces(text: &[u8], chunk_bytes: usize) -> Reading {
    let limits = Limits {
        chunk_bytes,
        line_bytes: 1 << 20,
        decompressed_bytes: 8 << 20,
        nesting: 4,
        members: 100,
        ..Limits::default()
    };
    let options = Options { threads: Some(1), limits, ..Options::default() };
    read(&["-".to_owned()], &mut Cursor::new(text), &GRAMMAR.vocabulary, &options)
}

/// Reads a log that begins with some lines of a format and goes on with anything.
pub fn read_behind(head: &[u8], rest: &[u8]) {
    let text = [head, rest].concat();
    let lines = text.split(|byte| *byte == b'\n').count() as u64 - u64::from(text.ends_with(b"\n"));
    for chunk_bytes in [4 << 20, 300] {
        let reading = read_in_pieces(&text, chunk_bytes);
        if let ([source], true) = (reading.sources.as_slice(), reading.errors.is_empty()) {
            assert_eq!(source.bytes, text.len() as u64, "a byte is not counted");
            assert_eq!(source.lines, lines, "a line is not counted");
            assert!(source.unread_lines <= source.lines, "more lines are unread than there are");
            assert!(reading.events.iter().all(|event| event.place.line <= source.lines), "an event behind the end");
        }
    }
}
