//! Rotated logs: `x.log`, `x.log.1`, `x.log.2.gz` (logrotate), `x.log-20180710.gz` and `x-20180710.log` (logrotate `dateext`,
//! with and without `extension`), `x.log.2018-07-10_02` (oslo.log `log_rotation_type`, Python's TimedRotatingFileHandler). They
//! are one log, the oldest file first; rotation may cut between any two bytes.

/// The place of a file among those of its log: greater is newer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// How often it was rotated.
    Turns(std::cmp::Reverse<u64>),
    /// When it was rotated, as its name tells.
    Date(String),
    /// It is written to.
    Newest,
}

/// The log that a file belongs to by its path, and its place in it; `None` when its name is not that of a log.
pub(super) fn of_path(path: &str) -> Option<(String, Age)> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let plain = [".gz", ".xz", ".zst", ".bz2"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    let (base, age) = split(plain)?;
    Some((format!("{folder}/{base}"), age))
}

fn split(name: &str) -> Option<(String, Age)> {
    if let Some(stem) = name.strip_suffix(".log") {
        let dated = stem.rsplit_once('-').filter(|(stem, date)| !stem.is_empty() && is_day(date));
        return Some(match dated {
            Some((stem, date)) => (format!("{stem}.log"), Age::Date(date.to_owned())),
            None => (name.to_owned(), Age::Newest),
        });
    }
    let end = name.rfind(".log")? + ".log".len();
    let (base, rest) = name.split_at(end);
    let word = rest.get(1..)?;
    let is_number = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let age = match rest.as_bytes()[0] {
        b'.' if is_number => Age::Turns(std::cmp::Reverse(word.parse().ok()?)),
        b'.' | b'-' if is_date(word) => Age::Date(word.to_owned()),
        _ => return None,
    };
    Some((base.to_owned(), age))
}

/// `20180710`.
fn is_day(word: &str) -> bool {
    word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()) && word.starts_with(['1', '2'])
}

/// `20180710`, `20180710-1531180800`, `2018-07-10`, `2018-07-10_02`, `2018-07-10_02-07-43`.
fn is_date(word: &str) -> bool {
    let mut parts = word.split(['-', '_']);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    (is_day(first) || first.len() == 4 && word.len() >= 10) && is_digits(first) && parts.all(is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        let turns = |count| Age::Turns(std::cmp::Reverse(count));
        let date = |text: &str| Age::Date(text.to_owned());
        let cases = [
            ("a/nova-api.log", Some(("a/nova-api.log", Age::Newest))),
            ("a/nova-api.log.1", Some(("a/nova-api.log", turns(1)))),
            ("nova-api.log.12.gz", Some(("/nova-api.log", turns(12)))),
            ("api.log-20180710.xz", Some(("/api.log", date("20180710")))),
            ("api.log-20180710-1531180800", Some(("/api.log", date("20180710-1531180800")))),
            ("api.log.2018-07-10_02-07", Some(("/api.log", date("2018-07-10_02-07")))),
            ("n-cpu.log.2018-07-10", Some(("/n-cpu.log", date("2018-07-10")))),
            ("api-20180710.log", Some(("/api.log", date("20180710")))),
            ("nova-compute-1.log", Some(("/nova-compute-1.log", Age::Newest))),
            ("nova-api.log.old", None),
            ("messages.1", None),
            ("trace.txt", None),
        ];
        for (path, expected) in cases {
            assert_eq!(of_path(path), expected.map(|(log, age)| (log.to_owned(), age)), "{path}");
        }
    }

    #[test]
    fn the_oldest_first() {
        let mut ages =
            ["x.log", "x.log.2.gz", "x.log.10.gz", "x.log.1"].map(|path| (of_path(path).expect("a log").1, path));
        ages.sort();
        assert_eq!(ages.map(|(_, path)| path), ["x.log.10.gz", "x.log.2.gz", "x.log.1", "x.log"]);
        assert!(of_path("x.log-20180711") > of_path("x.log-20180710"));
    }
}
