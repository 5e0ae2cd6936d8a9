//! Decompression; what a stream is, is told by its first bytes and not by its name.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::limits::Budget;

/// The most memory that the dictionary of an xz file may take, in KiB: what `xz -9` needs, four times.
const XZ_MEMORY: u32 = 260 << 10;

/// The greatest window of a Zstandard frame, in bytes: what `zstd --long=27` asks for.
const ZSTANDARD_WINDOW: u64 = 128 << 20;

/// How much is read of a compressed stream at a time.
const BUFFER: usize = 256 << 10;

/// A way to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952, 2.3.1.
    Gzip,
    /// The .xz File Format, 2.1.1.1.
    Xz,
    /// RFC 8878, 3.1.
    Zstandard,
    /// bzip2.
    Bzip2,
}

impl Compression {
    /// What the first bytes of a stream show.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let is_bzip2 = head.starts_with(b"BZh")
            && head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
            && matches!(head.get(4..10), Some(b"1AY&SY" | b"\x17\x72\x45\x38\x50\x90"));
        // A skippable frame may stand before the first one that holds something.
        let is_skippable = head.len() > 4 && (0x50..=0x5f).contains(&head[0]) && head[1..4] == [0x2a, 0x4d, 0x18];
        if head.starts_with(&[0x1f, 0x8b]) {
            Some(Self::Gzip)
        } else if head.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
            Some(Self::Xz)
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable {
            Some(Self::Zstandard)
        } else {
            is_bzip2.then_some(Self::Bzip2)
        }
    }

    /// A reader of what was compressed, members one behind the other.
    pub(super) fn decode<'a>(self, stream: Box<dyn Read + 'a>, budget: Rc<Budget>) -> Box<dyn Read + 'a> {
        let taken = Rc::new(Cell::new(0));
        let counted = BufReader::with_capacity(BUFFER, Counted { inner: stream, count: Rc::clone(&taken) });
        let inner: Box<dyn Read + 'a> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(counted)),
            Self::Xz => Box::new(XzReader::new_mem_limit(counted, true, XZ_MEMORY)),
            Self::Zstandard => Box::new(Frames::new(counted)),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(counted)),
        };
        Box::new(Decoded { inner, taken, given: 0, budget })
    }
}

/// Counts what goes through.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.set(self.count.get() + length as u64);
        Ok(length)
    }
}

/// What a decompressor gives, within the limits.
struct Decoded<'a> {
    inner: Box<dyn Read + 'a>,
    taken: Rc<Cell<u64>>,
    given: u64,
    budget: Rc<Budget>,
}

impl Read for Decoded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.budget.count(0, self.given, self.taken.get())?;
        let length = self.inner.read(buffer).map_err(reason)? as u64;
        self.given += length;
        // Said with the next read: what came so far is handed on.
        let _ = self.budget.count(length, 0, 1);
        Ok(length as usize)
    }
}

/// Why decompression failed, in words that say what is wrong with the file.
fn reason(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the compressed data ends too early; expected a whole file")
        }
        ErrorKind::OutOfMemory => {
            io::Error::new(error.kind(), format!("decompressing it takes more than {} MiB", XZ_MEMORY >> 10))
        }
        _ => error,
    }
}

/// Zstandard frames, one behind the other; skippable ones are skipped.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl<R: BufRead> Frames<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTANDARD_WINDOW);
        Self { source, decoder, is_inside: false }
    }

    /// Begins the next frame; `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// What an error of the decoder means: all of them are told in one kind, the end of the data among them.
    fn failed(&mut self, error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
        match self.source.fill_buf() {
            Ok([]) => ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::new(ErrorKind::InvalidData, error),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside && !self.next_frame()? {
                return Ok(0);
            }
            self.is_inside = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                if let Err(error) = decoded {
                    return Err(self.failed(error));
                }
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            let sums = self.decoder.get_checksum_from_data().zip(self.decoder.get_calculated_checksum());
            if sums.is_some_and(|(written, own)| written != own) {
                return Err(io::Error::new(ErrorKind::InvalidData, "the checksum of the compressed data is wrong"));
            }
            self.is_inside = false;
        }
    }
}
