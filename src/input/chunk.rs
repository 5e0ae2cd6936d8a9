//! Cuts an input into pieces that begin where a record begins, so that they can be parsed apart from each other.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

use super::unpack::Leaf;
use super::{InputError, Limits};
use crate::model::source::SourceId;

/// What some editors put in front of a text (UTF-8's form of the byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether a record begins with a line; the second is the line before it, empty where there is none.
pub type Begins<'a> = &'a dyn Fn(&[u8], &[u8]) -> bool;

/// A piece of one input: whole lines, the last one perhaps without its newline when the input ends there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The input.
    pub source: SourceId,
    /// The number of the first line, from 1.
    pub first_line: u64,
    /// The lines.
    pub bytes: Vec<u8>,
}

impl Chunk {
    /// Takes off what stands before the first line that `begins` says a record begins with, if there is something. Without
    /// such a line that is all of it.
    pub fn split_at_first(mut self, begins: Begins<'_>) -> (Option<Self>, Self) {
        let first = lines(&self.bytes).find(|(_, line)| begins(line, b"")).map_or(self.bytes.len(), |(at, _)| at);
        let rest = self.split_off(first);
        (Some(self).filter(|head| !head.bytes.is_empty()), rest)
    }

    /// Takes off the last record: all from the last line on that `begins` says a record begins with, if there is one.
    pub fn split_at_last(mut self, begins: Begins<'_>) -> (Self, Option<Self>) {
        let mut end = self.bytes.len();
        let mut start = None;
        while end > 0 && start.is_none() {
            let from = memrchr(b'\n', &self.bytes[..end - 1]).map_or(0, |before| before + 1);
            let before = last_line(self.bytes[..from].strip_suffix(b"\n").unwrap_or_default());
            let line = last_line(self.bytes[..end].strip_suffix(b"\n").unwrap_or(&self.bytes[..end]));
            start = begins(line, before).then_some(from);
            end = from;
        }
        let tail = start.map(|start| self.split_off(start));
        (self, tail)
    }

    fn split_off(&mut self, at: usize) -> Self {
        let bytes = self.bytes.split_off(at);
        Self { source: self.source, first_line: self.first_line + newlines(&self.bytes), bytes }
    }
}

/// Reads one input piece by piece; holds no more than a piece and the rest of the last read.
pub struct ChunkReader<'a> {
    leaf: Leaf<'a>,
    source: SourceId,
    limits: Limits,
    buffer: Vec<u8>,
    next_line: u64,
    /// Whether anything was read.
    begun: bool,
    ended: bool,
    /// Why the input ended before its end, until that is told.
    failure: Option<InputError>,
}

impl<'a> ChunkReader<'a> {
    /// Begins to read.
    pub(crate) fn new(source: SourceId, leaf: Leaf<'a>) -> Self {
        let limits = leaf.budget.limits;
        Self { leaf, source, limits, buffer: Vec::new(), next_line: 1, begun: false, ended: false, failure: None }
    }

    /// The first bytes of the input, at least `wanted` unless it is shorter or fails before. For use before the first
    /// piece is taken.
    pub fn peek(&mut self, wanted: usize) -> &[u8] {
        self.fill(wanted);
        &self.buffer
    }

    /// Whether reading has stopped before the end.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The next piece, cut in front of a line that `begins` says a record begins with. A record longer than the line
    /// limit is cut at a line end.
    ///
    /// # Errors
    ///
    /// When reading fails, a cap is hit or a line is too long. What was read before the failing place is handed on
    /// first; after an error there is nothing more.
    pub fn next_chunk(&mut self, begins: Begins<'_>) -> Option<Result<Chunk, InputError>> {
        let mut wanted = self.limits.chunk_bytes.max(1);
        loop {
            self.fill(wanted);
            if self.ended && self.buffer.is_empty() {
                return self.failure.take().map(Err);
            }
            if self.ended && self.buffer.len() <= wanted {
                return Some(self.take(self.buffer.len()));
            }
            let window = &self.buffer[..wanted.min(self.buffer.len())];
            if let Some(cut) = last_beginning(window, begins) {
                return Some(self.take(cut));
            }
            if window.len() > self.limits.line_bytes {
                return Some(match memrchr(b'\n', window) {
                    Some(end) => self.take(end + 1),
                    None => Err(self.too_long(self.next_line)),
                });
            }
            wanted = wanted.saturating_mul(2).min(self.limits.line_bytes.saturating_add(1));
        }
    }

    fn take(&mut self, length: usize) -> Result<Chunk, InputError> {
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let first_line = self.next_line;
        if let Some(before) = overlong_line(&bytes, self.limits.line_bytes) {
            return Err(self.too_long(first_line + before));
        }
        self.next_line += newlines(&bytes);
        Ok(Chunk { source: self.source, first_line, bytes })
    }

    fn too_long(&mut self, line: u64) -> InputError {
        self.ended = true;
        self.failure = None;
        self.buffer = Vec::new();
        InputError::LineTooLong { path: self.leaf.path.clone(), line, limit: self.limits.line_bytes }
    }

    /// Reads until there are `wanted` bytes, the input ends or fails.
    fn fill(&mut self, wanted: usize) {
        if self.ended || self.buffer.len() >= wanted {
            return;
        }
        let missing = wanted - self.buffer.len();
        self.buffer.reserve_exact(missing);
        match read_up_to(&mut self.leaf.reader, &mut self.buffer, missing) {
            Ok(length) => self.ended = length < missing,
            Err(reason) => {
                self.ended = true;
                let (path, line) = (self.leaf.path.clone(), self.next_line - 1 + newlines(&self.buffer));
                self.failure = Some(InputError::of_stream(path, line, reason, &self.leaf.budget));
            }
        }
        if !std::mem::replace(&mut self.begun, true) && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
    }
}

/// Appends up to `wanted` bytes to `buffer`; fewer mean that the input has ended.
fn read_up_to(reader: &mut dyn Read, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
    // `read_to_end` on a limited reader neither zeroes nor reads past the limit.
    reader.take(wanted as u64).read_to_end(buffer)
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// How many lines precede the first line of more than `limit` bytes.
fn overlong_line(bytes: &[u8], limit: usize) -> Option<u64> {
    if bytes.len() <= limit {
        return None;
    }
    let (mut start, mut line) = (0, 0);
    for end in memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        if end - start > limit {
            return Some(line);
        }
        (start, line) = (end + 1, line + 1);
    }
    None
}

/// Where the last whole line begins that begins a record, unless that is the very first.
fn last_beginning(buffer: &[u8], begins: Begins<'_>) -> Option<usize> {
    let mut end = memrchr(b'\n', buffer)?;
    loop {
        let start = memrchr(b'\n', &buffer[..end]).map(|before| before + 1)?;
        let before = start - 1;
        if begins(last_line(&buffer[..end]), last_line(&buffer[..before])) {
            return Some(start);
        }
        end = before;
    }
}

/// The last line of whole lines, of which the end of the last one is taken off.
fn last_line(text: &[u8]) -> &[u8] {
    let line = memrchr(b'\n', text).map_or(text, |end| &text[end + 1..]);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The lines of a text with the offset of each, without `\n` and `\r\n`.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let begin = start;
        let end = memchr(b'\n', &bytes[begin..]).map_or(bytes.len(), |length| begin + length);
        start = end + 1;
        let line = &bytes[begin..end];
        Some((begin, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;
    use crate::input::Selection;
    use crate::input::unpack::{Next, unpack};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    }

    /// `+one`, `+two` and 400 times the same line, each compressed by `xz -c`.
    const XZ_ONE: &str = concat!(
        "fd377a585a000004e6d6b4460200210116000000742fe5a30100042b6f6e650a000000006ff95e8ef6c718c100011d05b82d80af1fb6",
        "f37d010000000004595a",
    );
    const XZ_TWO: &str = concat!(
        "fd377a585a000004e6d6b4460200210116000000742fe5a30100042b74776f0a00000000ffa333272dc11c7d00011d05b82d80af1fb6",
        "f37d010000000004595a",
    );
    const XZ_MANY: &str = concat!(
        "fd377a585a000004e6d6b4460200210116000000742fe5a3e0289f00465d00158808a2fb31c37213129437e59b187c678f518f45ab72",
        "855c45f6f0b8830f998be356cf847dfe0b8a4e8f65b565652c33e6a708312c3afd90c66fea6103ab1006a0316f09f6000000b46aaeb0",
        "0873ab5b000162a051000000dd8dff85b1c467fb020000000004595a",
    );

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hexadecimal[at..at + 2], 16).expect("two digits");
        (0..hexadecimal.len()).step_by(2).map(digit).collect()
    }

    fn read(bytes: &[u8], limits: Limits) -> (Vec<Chunk>, Option<InputError>) {
        let (mut chunks, mut failure) = (Vec::new(), None);
        let errors =
            unpack("x.log", Box::new(Cursor::new(bytes.to_vec())), limits, &Selection::default(), &mut |leaf| {
                let mut reader = ChunkReader::new(SourceId(0), leaf);
                while let Some(next) = reader.next_chunk(&|line, _| line.starts_with(b"+")) {
                    match next {
                        Ok(chunk) => chunks.push(chunk),
                        Err(error) => failure = Some(error),
                    }
                }
                Next::Continue(())
            });
        (chunks, failure.or(errors.into_iter().next()))
    }

    #[test]
    fn pieces_begin_with_records() {
        let limits = Limits { chunk_bytes: 12, ..Limits::default() };
        let (chunks, error) = read(b"+one\n two\n+three\n+four\n four\n", limits);
        let texts: Vec<_> =
            chunks.iter().map(|chunk| (chunk.first_line, String::from_utf8_lossy(&chunk.bytes).into_owned())).collect();
        assert!(error.is_none());
        assert_eq!(
            texts,
            [
                (
                    1,
                    "+one
 two
+three
"
                    .into()
                ),
                (
                    4,
                    "+four
 four
"
                    .into()
                )
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        let (chunks, _) = read(b"\xef\xbb\xbf+one\n\xef\xbb\xbf+two\n", Limits { chunk_bytes: 3, ..Limits::default() });
        let joined: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
        assert_eq!(joined, b"+one\n\xef\xbb\xbf+two\n");
    }

    #[test]
    fn members_are_joined_and_a_cut_file_gives_what_it_has() {
        let mut bytes = gzip(b"+one\n");
        bytes.extend(gzip(b"+two\n"));
        let (chunks, error) = read(&bytes, Limits::default());
        assert!(error.is_none());
        assert_eq!(chunks[0].bytes, b"+one\n+two\n");
        let (chunks, error) = read(&bytes[..bytes.len() - 3], Limits::default());
        assert_eq!(chunks[0].bytes, b"+one\n+two\n");
        assert_eq!(error.map(|error| error.to_string().starts_with("cannot read x.log beyond line 2: ")), Some(true));
    }

    #[test]
    fn xz_streams_are_joined_and_a_cut_file_is_an_error() {
        let whole = [bytes(XZ_ONE), bytes(XZ_TWO)].concat();
        let (chunks, error) = read(&whole, Limits::default());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(chunks[0].bytes, b"+one\n+two\n");
        for cut in [12, 30, bytes(XZ_ONE).len() + 20, whole.len() - 3] {
            let (chunks, error) = read(&whole[..cut], Limits::default());
            let read: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
            assert!(b"+one\n+two\n".starts_with(&read));
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with("cannot read x.log beyond line "), "{cut}: {error}");
            assert!(error.contains("ends too early"), "{cut}: {error}");
        }
        let mut damaged = whole.clone();
        damaged[bytes(XZ_ONE).len() + 28] ^= 1;
        assert!(matches!(read(&damaged, Limits::default()).1, Some(InputError::Read { .. })));
    }

    #[test]
    fn caps_hold_for_xz_too() {
        let small = Limits { decompressed_bytes: 1000, chunk_bytes: 100, ..Limits::default() };
        let (chunks, error) = read(&bytes(XZ_MANY), small);
        assert!(chunks.len() > 3);
        assert!(matches!(error, Some(InputError::TooLarge { limit: 1000, .. })), "{error:?}");
        let tight = Limits { ratio: 20, ratio_from: 1000, ..Limits::default() };
        assert!(matches!(read(&bytes(XZ_MANY), tight).1, Some(InputError::RatioTooHigh { .. })));
    }

    #[test]
    fn caps_are_errors_that_say_so() {
        let long = b"+ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(50_000);
        let small = Limits { decompressed_bytes: 1000, chunk_bytes: 100, ..Limits::default() };
        let (chunks, error) = read(&gzip(&long), small);
        assert!(chunks.len() > 3);
        assert!(matches!(error, Some(InputError::TooLarge { limit: 1000, .. })), "{error:?}");
        let tight = Limits { ratio: 20, ratio_from: 1000, ..Limits::default() };
        assert!(matches!(read(&gzip(&long), tight).1, Some(InputError::RatioTooHigh { .. })));
        assert!(read(&long, tight).1.is_none());
        let short_lines = Limits { line_bytes: 20, chunk_bytes: 10, ..Limits::default() };
        let (chunks, error) = read(b"+one\n+two\n0123456789012345678901\n+three\n", short_lines);
        assert_eq!(chunks[0].bytes, b"+one\n");
        assert!(matches!(error, Some(InputError::LineTooLong { line: 3, .. })), "{error:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled(text in "[+a\n]{0,200}", chunk_bytes in 1_usize..50) {
            let (chunks, error) = read(text.as_bytes(), Limits { chunk_bytes, ..Limits::default() });
            prop_assert!(error.is_none());
            let mut joined = Vec::new();
            for chunk in &chunks {
                prop_assert_eq!(chunk.first_line, 1 + newlines(&joined));
                prop_assert!(joined.is_empty() || chunk.bytes.starts_with(b"+"));
                joined.extend_from_slice(&chunk.bytes);
            }
            prop_assert_eq!(joined, text.as_bytes());
        }
    }
}
