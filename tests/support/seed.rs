//! Ids and times from a seed: the same in every run.

use flowcheck::base::time::Timestamp;
use uuid::Uuid;

/// A stream of numbers (SplitMix64, S. Vigna 2015).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(((u128::from(self.next()) << 64) | u128::from(self.next())).to_be_bytes())
            .into_uuid()
    }
}

/// A clock that goes on by itself.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// Milliseconds since the beginning.
    millis: i64,
    numbers: Numbers,
}

impl Clock {
    pub(crate) fn new(seed: u64) -> Self {
        Self { millis: 0, numbers: Numbers(seed) }
    }

    /// The stamp of the next line.
    pub(crate) fn tick(&mut self) -> String {
        self.millis += 1 + i64::try_from(self.numbers.below(40)).expect("small");
        self.stamp()
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.millis += seconds * 1_000;
    }

    pub(crate) fn stamp(&self) -> String {
        let start = Timestamp::from_parts(2026, 11, 22, 7, 0, 0, 0).expect("a time");
        let full = start.plus(self.millis * 1_000).to_string();
        full.replace('T', " ")
    }
}
