//! Where a log line came from, and what a log could have shown.

use std::collections::BTreeSet;

use crate::base::time::{SECOND, Timestamp};
use crate::model::event::Level;
use crate::model::vocabulary::ServiceId;

/// The number of an input, in the order of reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A record's place in an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The input.
    pub source: SourceId,
    /// The line's number, from 1.
    pub line: u64,
    /// Which of the records that the line holds, from 0: what carries a log may put several into one line.
    pub nth: u32,
}

impl Place {
    /// The first record of a line.
    pub fn new(source: SourceId, line: u64) -> Self {
        Self { source, line, nth: 0 }
    }
}

/// A file of a log: the log itself, or one of those that rotation made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its path, as that of a [`SourceSummary`].
    pub path: String,
    /// Its number among all files that were read.
    pub file: u32,
    /// How many lines the files before it have.
    pub lines_before: u64,
}

/// What was read from one input: the ground of everything that is said about missing evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceSummary {
    /// The path as given on the command line (`-` for standard input), with `/` between folder and file. Of a rotated log that
    /// of its newest file.
    pub path: String,
    /// Its files, the oldest first; a log that was not rotated has one.
    pub parts: Vec<Part>,
    /// The name of the log dialect, such as `oslo`; `None` when nothing could be recognised.
    pub format: Option<String>,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Records read.
    pub records: u64,
    /// Lines that belong to no record.
    pub unread_lines: u64,
    /// The numbers of the first few unread lines.
    pub unread_samples: Vec<u64>,
    /// What each service that wrote into this input shows in it, most records first.
    pub coverage: Vec<Coverage>,
    /// A remark for the reader, such as "empty file" or "binary file".
    pub remark: Option<String>,
}

impl SourceSummary {
    /// The file that a line is in.
    pub fn part(&self, line: u64) -> Option<&Part> {
        self.parts.iter().rev().find(|part| part.lines_before < line).or(self.parts.first())
    }

    /// The host of what wrote most of it: as its lines have it, else as the collection is called that it lies in. The latter is
    /// for the reader alone, as nothing says that it is the name that nova and cinder have for the host.
    pub fn host(&self) -> Option<&str> {
        let told = self.coverage.first().and_then(|coverage| coverage.host.as_deref());
        told.or_else(|| self.path.split('/').find_map(collected_from))
    }
}

/// The host in the name of a sosreport: `sosreport-HOST-2024-01-15-abcdefg` (sos since 3.6, maybe with a label or a case before
/// the date), `sosreport-HOST-20180115103000` (before), packed or not.
fn collected_from(folder: &str) -> Option<&str> {
    let named = folder.strip_prefix("sosreport-")?;
    let is_date = |rest: &str| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 8 || digits == 4 && rest.as_bytes().get(4) == Some(&b'-')
    };
    let end = named.match_indices('-').find(|(at, _)| is_date(&named[at + 1..]))?.0;
    Some(&named[..end]).filter(|host| !host.is_empty())
}

/// What one service shows in one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// The service; `None` for records that no service could be told for.
    pub service: Option<ServiceId>,
    /// Its host, when a line of its own tells it.
    pub host: Option<String>,
    /// Its records in this input.
    pub records: u64,
    /// The earliest time stamp.
    pub first: Option<Timestamp>,
    /// The latest time stamp.
    pub last: Option<Timestamp>,
    /// The most detailed level seen.
    pub level: Level,
    /// Whether oslo.messaging wrote its DEBUG lines.
    pub rpc_debug: bool,
    /// The processes of which DEBUG lines were seen, sorted: a level is a process's own.
    pub debug_processes: Vec<u32>,
    /// The processes of which oslo.messaging's DEBUG lines were seen, sorted.
    pub rpc_processes: Vec<u32>,
    /// Whether keystoneauth or cinderclient wrote its REQ and RESP lines.
    pub http_debug: bool,
    /// When it wrote.
    pub activity: Activity,
}

/// When something was written, in slots of [`Activity::SLOT`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    slots: BTreeSet<i64>,
    latest: Option<i64>,
    /// Whether there was too much, or the times are not known.
    unknown: bool,
}

impl Activity {
    /// The length of a slot, in microseconds.
    pub const SLOT: i64 = 10 * SECOND;

    /// How many slots are kept; a log that was written all the time has as many in twelve days.
    const MOST: usize = 100_000;

    /// Notes that something was written.
    pub fn note(&mut self, time: Timestamp) {
        let slot = time.0.div_euclid(Self::SLOT);
        if self.latest != Some(slot) && !self.unknown {
            self.latest = Some(slot);
            self.slots.insert(slot);
            if self.slots.len() > Self::MOST {
                self.forget();
            }
        }
    }

    /// Adds what another one shows.
    pub fn merge(&mut self, other: Self) {
        self.slots.extend(other.slots);
        if other.unknown || self.slots.len() > Self::MOST {
            self.forget();
        }
    }

    /// The same with its moments moved.
    pub fn moved(self, to: impl Fn(Timestamp) -> Timestamp) -> Self {
        let slot = |slot: i64| to(Timestamp(slot.saturating_mul(Self::SLOT))).0.div_euclid(Self::SLOT);
        Self { slots: self.slots.into_iter().map(slot).collect(), latest: None, unknown: self.unknown }
    }

    /// Says no more when something was written.
    pub fn forget(&mut self) {
        *self = Self { unknown: true, ..Self::default() };
    }

    /// The beginnings of the slots that something was written in, from that of one moment to that of another.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
        let (from, to) = (from.0.div_euclid(Self::SLOT), to.0.div_euclid(Self::SLOT));
        let slots = (from <= to).then(|| self.slots.range(from..=to));
        slots.into_iter().flatten().map(|slot| Timestamp(slot.saturating_mul(Self::SLOT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_collections() {
        let host = |path: &str| {
            let summary = SourceSummary { path: path.to_owned(), ..SourceSummary::default() };
            summary.host().map(str::to_owned)
        };
        for (path, expected) in [
            ("a/sosreport-compute-01-2024-01-15-abcdefg/var/log/nova/nova-compute.log", Some("compute-01")),
            ("sosreport-node-3.cloud.org-20180115103000.tar.xz/x/var/log/cinder/volume.log", Some("node-3.cloud.org")),
            ("sosreport-ctl1-03456789-2024-01-15-abcdefg/nova-api.log", Some("ctl1")),
            ("sosreport-ctl1/nova-api.log", None),
            ("sosreport--2024-01-15-abcdefg/nova-api.log", None),
            ("/var/log/nova/nova-compute.log", None),
        ] {
            assert_eq!(host(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn slots_in_which_something_was_written() {
        let at = |second: i64| Timestamp(second * SECOND);
        let mut activity = Activity::default();
        [1, 2, 31].into_iter().for_each(|second| activity.note(at(second)));
        let mut other = Activity::default();
        other.note(at(55));
        activity.merge(other.clone());
        assert_eq!(activity.between(at(5), at(40)).collect::<Vec<_>>(), [at(0), at(30)]);
        assert_eq!(activity.between(at(11), at(29)).count(), 0);
        assert_eq!(activity.between(at(60), at(0)).count(), 0);
        other.forget();
        activity.merge(other);
        activity.note(at(70));
        assert_eq!(activity.between(at(0), at(100)).count(), 0);
    }
}
