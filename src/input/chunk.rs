//! Cuts an input into pieces that begin where a record begins, so that they can be parsed apart from each other.

use memchr::{memchr, memchr_iter, memrchr};

use super::open::{Cap, Limits, Opened};
use super::{InputError, Source};
use crate::model::source::SourceId;

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

/// Reads one input piece by piece; holds no more than a piece and the rest of the last read.
pub struct ChunkReader<'a> {
    opened: Opened<'a>,
    source: SourceId,
    path: String,
    limits: Limits,
    buffer: Vec<u8>,
    next_line: u64,
    ended: bool,
}

impl<'a> ChunkReader<'a> {
    /// Begins to read.
    pub fn new(source: &Source, opened: Opened<'a>, limits: Limits) -> Self {
        let path = source.path.clone();
        Self { opened, source: source.id, path, limits, buffer: Vec::new(), next_line: 1, ended: false }
    }

    /// The first bytes of the input, at least `wanted` unless it is shorter. For use before the first piece is taken.
    ///
    /// # Errors
    ///
    /// When reading fails or a cap is hit.
    pub fn peek(&mut self, wanted: usize) -> Result<&[u8], InputError> {
        if self.buffer.len() < wanted {
            self.fill(wanted - self.buffer.len())?;
        }
        Ok(&self.buffer)
    }

    /// The next piece, cut in front of a line that `begins` says a record begins with. A record longer than the line
    /// limit is cut at a line end.
    ///
    /// # Errors
    ///
    /// When reading fails, a cap is hit or a line is too long. What was read before the failing place is handed on
    /// first; after an error there is nothing more.
    pub fn next_chunk(&mut self, begins: &dyn Fn(&[u8]) -> bool) -> Option<Result<Chunk, InputError>> {
        let mut wanted = self.limits.chunk_bytes.max(1);
        loop {
            if !self.ended && self.buffer.len() < wanted {
                if let Err(error) = self.fill(wanted - self.buffer.len()) {
                    self.buffer.clear();
                    self.ended = true;
                    return Some(Err(error));
                }
            }
            if self.ended && self.buffer.len() <= wanted {
                return (!self.buffer.is_empty()).then(|| self.take(self.buffer.len()));
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
            wanted = wanted.saturating_mul(2).min(self.limits.line_bytes + 1);
        }
    }

    fn take(&mut self, length: usize) -> Result<Chunk, InputError> {
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let first_line = self.next_line;
        if let Some(before) = overlong_line(&bytes, self.limits.line_bytes) {
            return Err(self.too_long(first_line + before));
        }
        self.next_line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok(Chunk { source: self.source, first_line, bytes })
    }

    fn too_long(&mut self, line: u64) -> InputError {
        self.ended = true;
        self.buffer = Vec::new();
        InputError::LineTooLong { path: self.path.clone(), line, limit: self.limits.line_bytes }
    }

    fn fill(&mut self, wanted: usize) -> Result<(), InputError> {
        let before = self.buffer.len();
        self.buffer.reserve_exact(wanted);
        let (path, line) = (|| self.path.clone(), self.next_line.saturating_sub(1));
        let length = match self.opened.fill(&mut self.buffer, wanted) {
            Ok(length) => length,
            Err(reason) => {
                let line = line + memchr_iter(b'\n', &self.buffer[before.min(self.buffer.len())..]).count() as u64;
                return Err(InputError::Read { path: path(), line, reason });
            }
        };
        self.ended = length < wanted;
        match self.opened.cap(&self.limits) {
            None => Ok(()),
            Some(Cap::Size) => Err(InputError::TooLarge { path: path(), line, limit: self.limits.decompressed_bytes }),
            Some(Cap::Ratio) => Err(InputError::RatioTooHigh { path: path(), line, limit: self.limits.ratio }),
        }
    }
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
fn last_beginning(buffer: &[u8], begins: &dyn Fn(&[u8]) -> bool) -> Option<usize> {
    let mut end = memrchr(b'\n', buffer)?;
    loop {
        let start = memrchr(b'\n', &buffer[..end]).map(|before| before + 1)?;
        if begins(&buffer[start..end]) {
            return Some(start);
        }
        end = start - 1;
    }
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
