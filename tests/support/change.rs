//! The same logs in another form: other clocks, other ids, other files.

use flowcheck::base::time::{SECOND, Timestamp};
use uuid::Uuid;

use super::recordings::Files;

/// The time stamp of a line that begins a record.
pub(crate) fn stamp(line: &str) -> Option<&str> {
    let stamp = line.get(..23)?;
    (stamp.starts_with("20") && stamp.as_bytes()[10] == b' ').then_some(stamp)
}

/// Whether the records of a text have time stamps that can be changed.
pub(crate) fn is_timed(text: &str) -> bool {
    text.lines().next().is_some_and(|line| stamp(line).is_some())
}

/// The records of a text: their first line and those that go on with it.
pub(crate) fn records(text: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    let is_timed = is_timed(text);
    for line in text.split_inclusive('\n') {
        if !is_timed || stamp(line).is_some() {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

/// The records that fit, by file, number and text.
pub(crate) fn keep(files: &Files, fits: impl Fn(&str, usize, &str) -> bool) -> Files {
    let lessen = |(name, text): (&String, &String)| {
        let kept = records(text).into_iter().enumerate().filter(|(index, record)| fits(name, *index, record));
        (name.clone(), kept.map(|(_, record)| record).collect())
    };
    files.iter().map(lessen).collect()
}

/// The logs with one file's clock set forward.
pub(crate) fn shifted(files: &Files, name: &str, seconds: i64) -> Files {
    let mut files = files.clone();
    if let Some(text) = files.get_mut(name) {
        let shift = |line: &str| match stamp(line).and_then(time) {
            Some(time) => {
                let time = time.plus(seconds * SECOND).to_string().replace('T', " ");
                format!("{time}{}", &line[23..])
            }
            None => line.to_owned(),
        };
        *text = text.split_inclusive('\n').map(shift).collect();
    }
    files
}

/// The moment of a time stamp.
pub(crate) fn time(stamp: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| stamp.get(range)?.parse::<u32>().ok();
    let micros = number(20..23)? * 1_000;
    let date = (i64::from(number(0..4)?), number(5..7)?, number(8..10)?);
    Timestamp::from_parts(date.0, date.1, date.2, number(11..13)?, number(14..16)?, number(17..19)?, micros)
}

/// What is done to every id: doing it again gives the old one back.
const OTHER: u128 = 0x5a3c_9617_0f2d_0b48_0e71_83c5_2d96_b41f;

/// Another id for an id.
pub(crate) fn other(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ OTHER)
}

/// A text with other ids.
pub(crate) fn renamed(text: &str) -> String {
    let bytes = text.as_bytes();
    let is_id = |at: usize| {
        let id = bytes.get(at..at + 36)?;
        let fits = id.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        });
        let alone = at == 0 || !bytes[at - 1].is_ascii_hexdigit();
        (fits && alone).then(|| Uuid::try_parse(&text[at..at + 36]).ok()).flatten()
    };
    let mut new = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        match is_id(at) {
            Some(id) => {
                new.push_str(&text[copied..at]);
                new.push_str(&other(id).to_string());
                at += 36;
                copied = at;
            }
            None => at += 1,
        }
    }
    new.push_str(&text[copied..]);
    new
}

/// Two sets of logs in the same files, the second behind the first.
pub(crate) fn appended(files: &Files, others: &Files) -> Files {
    let mut both = files.clone();
    for (name, text) in others {
        let whole = both.entry(name.clone()).or_default();
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole.push_str(text);
    }
    both
}

/// All services' files with time stamps as one: one behind the other, or record by record in the order of time.
pub(crate) fn as_one(files: &Files, by_time: bool) -> Files {
    let (timed, rest): (Vec<_>, Vec<_>) =
        files.iter().partition(|(name, text)| is_timed(text) && !name.starts_with("client"));
    let ended: Vec<String> = timed
        .iter()
        .map(|(_, text)| if text.ends_with('\n') { (*text).clone() } else { format!("{text}\n") })
        .collect();
    let mut all: Vec<&str> = ended.iter().flat_map(|text| records(text)).collect();
    if by_time {
        all.sort_by_key(|record| stamp(record));
    }
    let mut one: Files = rest.into_iter().map(|(name, text)| (name.clone(), text.clone())).collect();
    one.insert("all.log".to_owned(), all.concat());
    one
}
