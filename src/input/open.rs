//! Opens an input and decompresses it; what it is, is told by its first bytes and not by its name.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::{InputError, Origin, Source};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// About how many bytes are handed on at a time.
    pub chunk_bytes: usize,
    /// The longest line, and the longest record.
    pub line_bytes: usize,
    /// The most that one compressed input may give.
    pub decompressed_bytes: u64,
    /// The most bytes that one compressed byte may give, once `ratio_from` bytes have come out.
    pub ratio: u64,
    /// See `ratio`.
    pub ratio_from: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_bytes: 4 << 20,
            line_bytes: 64 << 20,
            decompressed_bytes: 64 << 30,
            ratio: 500,
            ratio_from: 64 << 20,
        }
    }
}

/// The most memory that the dictionary of an xz file may take, in KiB: what `xz -9` needs, four times.
const XZ_MEMORY: u32 = 260 << 10;

/// An input that can be read.
pub struct Opened<'a> {
    reader: Box<dyn Read + Send + 'a>,
    /// Bytes taken from a compressed file so far; `None` when it is not compressed.
    compressed: Option<Arc<AtomicU64>>,
    produced: u64,
}

/// Counts what goes through.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// A cap that was hit while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// See [`Limits::decompressed_bytes`].
    Size,
    /// See [`Limits::ratio`].
    Ratio,
}

/// Opens a source. Standard input is taken from `stdin`, which is gone after the first call that needs it.
///
/// # Errors
///
/// When the file cannot be opened or its first bytes cannot be read.
pub fn open_source<'a>(
    source: &Source,
    stdin: &mut Option<&'a mut (dyn Read + Send)>,
) -> Result<Opened<'a>, InputError> {
    let failed = |reason| InputError::Open { path: source.path.clone(), reason };
    let raw: Box<dyn Read + Send + 'a> = match &source.origin {
        Origin::File(path) | Origin::Stream(path) => Box::new(File::open(path).map_err(failed)?),
        Origin::StandardInput => Box::new(stdin.take().ok_or(InputError::StandardInputTwice)?),
        Origin::Skipped => Box::new(io::empty()),
    };
    Opened::new(raw).map_err(failed)
}

impl<'a> Opened<'a> {
    /// Wraps a reader, with a decompressor when its first bytes ask for one (RFC 1952, 2.3.1; The .xz File Format, 2.1.1.1).
    ///
    /// # Errors
    ///
    /// When the first bytes cannot be read.
    pub fn new(mut raw: Box<dyn Read + Send + 'a>) -> io::Result<Self> {
        let mut head = Vec::with_capacity(6);
        raw.by_ref().take(6).read_to_end(&mut head)?;
        let is_gzip = head.starts_with(&[0x1f, 0x8b]);
        let is_xz = head == [0xfd, b'7', b'z', b'X', b'Z', 0];
        let whole = Cursor::new(head).chain(raw);
        if !is_gzip && !is_xz {
            return Ok(Self { reader: Box::new(whole), compressed: None, produced: 0 });
        }
        let count = Arc::new(AtomicU64::new(0));
        let counted = BufReader::with_capacity(256 << 10, Counted { inner: whole, count: Arc::clone(&count) });
        let reader: Box<dyn Read + Send + 'a> = match is_xz {
            true => Box::new(XzReader::new_mem_limit(counted, true, XZ_MEMORY)),
            false => Box::new(MultiGzDecoder::new(counted)),
        };
        Ok(Self { reader, compressed: Some(count), produced: 0 })
    }

    /// Appends up to `wanted` bytes to `buffer`; fewer mean that the input has ended.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
        // `read_to_end` on a limited reader neither zeroes nor reads past the limit.
        let length = self.reader.by_ref().take(wanted as u64).read_to_end(buffer)?;
        self.produced += length as u64;
        Ok(length)
    }

    /// Why reading failed, in words that say what is wrong with the file.
    pub(super) fn reason(&self, error: io::Error) -> io::Error {
        match (error.kind(), &self.compressed) {
            (io::ErrorKind::UnexpectedEof, Some(_)) => {
                io::Error::new(error.kind(), "the compressed file ends too early; expected a whole one")
            }
            (io::ErrorKind::OutOfMemory, Some(_)) => {
                io::Error::new(error.kind(), format!("decompressing it takes more than {} MiB", XZ_MEMORY >> 10))
            }
            _ => error,
        }
    }

    /// The cap that has been hit, if one has.
    pub(super) fn cap(&self, limits: &Limits) -> Option<Cap> {
        let compressed = self.compressed.as_ref()?.load(Ordering::Relaxed);
        if self.produced > limits.decompressed_bytes {
            return Some(Cap::Size);
        }
        let is_bomb = self.produced > limits.ratio_from && self.produced / compressed.max(1) > limits.ratio;
        is_bomb.then_some(Cap::Ratio)
    }
}

/// What the first bytes of an input show it to be, when that is no text.
pub fn binary_kind(head: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &'static str); 4] = [
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed; not read, decompress it first (zstdcat FILE | flowcheck -)"),
        (b"BZh", "bzip2-compressed; not read, decompress it first (bzcat FILE | flowcheck -)"),
        (b"PK\x03\x04", "zip archive; not read, unpack it first"),
        (b"LPKSHHRH", "binary journal; not read, export it first (journalctl --file FILE -o short-precise)"),
    ];
    let found = known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    found.or_else(|| memchr::memchr(0, &head[..head.len().min(8 << 10)]).map(|_| "binary file, not read"))
}

impl Read for Opened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}
