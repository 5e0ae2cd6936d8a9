//! How much is read of an input, and who counts it.

use std::cell::Cell;
use std::io;

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// About how many bytes are handed on at a time.
    pub chunk_bytes: usize,
    /// The longest line, and the longest record.
    pub line_bytes: usize,
    /// The most bytes that the compressed parts of one input may give together.
    pub decompressed_bytes: u64,
    /// The most bytes that one compressed byte may give, once `ratio_from` bytes have come out.
    pub ratio: u64,
    /// See `ratio`.
    pub ratio_from: u64,
    /// How many archives and compressions may stand inside each other.
    pub nesting: usize,
    /// The most entries that the archives of one input may have together.
    pub members: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_bytes: 4 << 20,
            line_bytes: 64 << 20,
            decompressed_bytes: 64 << 30,
            ratio: 500,
            ratio_from: 64 << 20,
            nesting: 8,
            members: 200_000,
        }
    }
}

/// A cap that was hit while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cap {
    /// See [`Limits::decompressed_bytes`].
    Size,
    /// See [`Limits::ratio`].
    Ratio,
}

/// What has been taken of one input, whatever stands inside what in it.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) limits: Limits,
    decompressed: Cell<u64>,
    members: Cell<u64>,
    hit: Cell<Option<Cap>>,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, decompressed: Cell::new(0), members: Cell::new(0), hit: Cell::new(None) }
    }

    /// Counts what a decompressor gave, `given` bytes for `taken` in all and `new` of them just now.
    ///
    /// # Errors
    ///
    /// When a cap is exceeded, which [`Budget::take_hit`] then tells.
    pub(super) fn count(&self, new: u64, given: u64, taken: u64) -> io::Result<()> {
        self.decompressed.set(self.decompressed.get().saturating_add(new));
        let is_bomb = given > self.limits.ratio_from && given / taken.max(1) > self.limits.ratio;
        let cap = if self.is_spent() {
            Cap::Size
        } else if is_bomb {
            Cap::Ratio
        } else {
            return Ok(());
        };
        self.hit.set(Some(cap));
        Err(io::Error::other("a limit is exceeded"))
    }

    /// Whether nothing more may be decompressed.
    pub(super) fn is_spent(&self) -> bool {
        self.decompressed.get() > self.limits.decompressed_bytes
    }

    /// Counts an entry of an archive; `false` when it is one too many.
    pub(super) fn count_member(&self) -> bool {
        self.members.set(self.members.get() + 1);
        self.members.get() <= self.limits.members
    }

    /// The cap behind the last error, told once.
    pub(super) fn take_hit(&self) -> Option<Cap> {
        self.hit.take()
    }
}
