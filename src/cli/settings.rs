//! What the command line and the environment mean: checked, and in the types that the layers take.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::base::time::Timestamp;
use crate::base::zone::moments;
use crate::cli::args::{ColorWhen, InputArgs, LimitArgs, OutputArgs};
use crate::cli::narrow::Narrow;
use crate::input::{Limits, Selection};
use crate::report::text::Detail;
use crate::report::text::look::Look;

/// The width of a line where there is no terminal.
const PLAIN_WIDTH: usize = 120;

/// What the surroundings say. Read once, in [`Surroundings::read`]; nothing else looks at the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// NO_COLOR is set and not empty.
    pub no_color: bool,
    /// TERM is `dumb`.
    pub dumb: bool,
    /// The locale has an encoding other than UTF-8.
    pub ascii_locale: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    /// Standard error is a terminal.
    pub error_terminal: bool,
    /// The terminal's width.
    pub width: Option<usize>,
}

impl Surroundings {
    /// Reads the environment and asks the terminal.
    pub fn read() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name));
        let width = variable("COLUMNS").and_then(|value| value.to_str()?.parse().ok());
        Self {
            no_color: variable("NO_COLOR").is_some(),
            dumb: variable("TERM") == Some(OsString::from("dumb")),
            ascii_locale: locale.is_none_or(|locale| !locale.to_string_lossy().to_ascii_lowercase().contains("utf")),
            terminal: std::io::stdout().is_terminal(),
            error_terminal: std::io::stderr().is_terminal(),
            width: width.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))),
        }
    }

    /// The look of mistakes on standard error.
    pub fn error_look(&self) -> Look {
        let terminal = self.error_terminal && !self.dumb;
        let width = self.width.filter(|_| terminal).unwrap_or(PLAIN_WIDTH).clamp(60, 400);
        Look { width, colour: terminal && !self.no_color, unicode: terminal && !self.ascii_locale }
    }

    /// The look of a report.
    pub fn look(&self, output: &OutputArgs) -> Look {
        let terminal = self.terminal && output.output.is_none();
        let colour = match output.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !self.no_color && !self.dumb,
        };
        let width = if terminal { self.width.unwrap_or(PLAIN_WIDTH) } else { PLAIN_WIDTH };
        Look { width: width.clamp(60, 400), colour, unicode: (terminal || colour) && !self.ascii_locale && !self.dumb }
    }
}

/// What to read, checked.
#[derive(Clone, Debug)]
pub struct InputSettings {
    /// The paths, as given.
    pub paths: Vec<String>,
    /// Folders with further specifications.
    pub spec_folders: Vec<PathBuf>,
    /// The earliest time.
    pub since: Option<Timestamp>,
    /// The latest time.
    pub until: Option<Timestamp>,
    /// Which flows.
    pub narrow: Narrow,
    /// The zone of time stamps without one.
    pub zone: Option<TimeZone>,
    /// How many threads; `None` for one each processor.
    pub threads: Option<usize>,
    /// How much is read.
    pub limits: Limits,
    /// Which of the files in folders and archives.
    pub selection: Selection,
}

impl InputSettings {
    /// Checks what was said; the error says what is wrong with it.
    pub fn new(args: &InputArgs) -> Result<Self, String> {
        let since = args.since.as_deref().map(|text| moment("--since", text)).transpose()?;
        let until = args.until.as_deref().map(|text| moment("--until", text)).transpose()?;
        let zone = args.tz.as_deref().map(zone).transpose()?;
        // With a zone all times are in UTC, and those that are asked for are on the same clock as the stamps.
        let in_utc = |time: Timestamp| zone.as_ref().map_or(time, |zone| moments(zone, time).0);
        let (since, until) = (since.map(in_utc), until.map(in_utc));
        if since.zip(until).is_some_and(|(since, until)| since > until) {
            return Err("--since is later than --until".to_owned());
        }
        let narrow = Narrow::new(args.volume.as_deref(), args.server.as_deref(), args.request_id.as_deref())?;
        Ok(Self {
            paths: args.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            spec_folders: args.spec.folders.clone(),
            since,
            until,
            narrow,
            zone,
            threads: args.threads.map(usize::from),
            limits: limits(&args.limits),
            selection: Selection { include: args.include.clone(), exclude: args.exclude.clone() },
        })
    }
}

fn limits(args: &LimitArgs) -> Limits {
    Limits {
        decompressed_bytes: args.max_decompressed,
        ratio: args.max_ratio,
        nesting: usize::from(args.max_nesting),
        members: args.max_members,
        line_bytes: usize::try_from(args.max_line).unwrap_or(usize::MAX),
        ..Limits::default()
    }
}

/// How much to tell.
pub fn detail(output: &OutputArgs) -> Detail {
    match (output.quiet, output.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    }
}

/// A date, or a date and a time of day, on the clock of the logs.
fn moment(option: &str, text: &str) -> Result<Timestamp, String> {
    let plain = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let time = plain.parse::<DateTime>().or_else(|_| plain.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    let time = time.ok().filter(|_| !has_offset(plain)).ok_or_else(|| {
        format!("{option}: `{text}` is no time on the logs' clock; write 2026-11-22, 2026-11-22T07:30 or '2026-11-22 07:30:05.250'")
    })?;
    let part = |number: i8| u32::try_from(number).unwrap_or_default();
    let micros = u32::try_from(time.subsec_nanosecond() / 1_000).unwrap_or_default();
    Timestamp::from_parts(
        i64::from(time.year()),
        part(time.month()),
        part(time.day()),
        part(time.hour()),
        part(time.minute()),
        part(time.second()),
        micros,
    )
    .ok_or_else(|| format!("{option}: there is no such time as `{text}`"))
}

/// Whether a UTC offset or a zone stands behind the time of day; jiff would leave it out silently.
fn has_offset(text: &str) -> bool {
    text.get(10..).is_some_and(|clock| clock.contains(['+', '-', '[']))
}

/// A time zone by name or offset.
fn zone(name: &str) -> Result<TimeZone, String> {
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name)
        .ok()
        .or_else(|| fixed(name))
        .ok_or_else(|| format!("--tz: `{name}` is no time zone that is known here; write Europe/Paris, UTC or +02:00"))
}

/// A zone such as `+02:00`.
fn fixed(text: &str) -> Option<TimeZone> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "0"));
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let in_range = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let offset = jiff::tz::Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()?;
    in_range.then(|| TimeZone::fixed(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(color: ColorWhen) -> OutputArgs {
        OutputArgs { output: None, color, quiet: false, verbose: false }
    }

    #[test]
    fn times_are_read_on_the_clock_of_the_logs() {
        let read = |text: &str| moment("--since", text).map(|time| time.to_string());
        assert_eq!(read("2026-11-22").as_deref(), Ok("2026-11-22T00:00:00.000"));
        assert_eq!(read("2026-11-22T07:30").as_deref(), Ok("2026-11-22T07:30:00.000"));
        assert_eq!(read("2026-11-22 07:30:05.250").as_deref(), Ok("2026-11-22T07:30:05.250"));
        assert_eq!(read("2026-11-22T07:30Z").as_deref(), Ok("2026-11-22T07:30:00.000"));
        for wrong in ["yesterday", "2026-13-22", "07:30", "2026-11-22T07:30+02:00", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_are_names_or_offsets() {
        assert!(zone("UTC").is_ok());
        assert!(zone("+02:00").is_ok());
        for wrong in ["Mars/Olympus", "+25:00", "two"] {
            assert!(zone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pipe_is_plain_and_a_terminal_is_not() {
        let terminal = Surroundings { terminal: true, width: Some(100), ..Surroundings::default() };
        assert_eq!(terminal.look(&output(ColorWhen::Auto)), Look { width: 100, colour: true, unicode: true });
        assert_eq!(Surroundings::default().look(&output(ColorWhen::Auto)), Look::plain(PLAIN_WIDTH));
        let without = Surroundings { no_color: true, ..terminal.clone() };
        assert!(!without.look(&output(ColorWhen::Auto)).colour);
        assert!(without.look(&output(ColorWhen::Always)).colour);
        let file = OutputArgs { output: Some("report.txt".into()), ..output(ColorWhen::Auto) };
        assert_eq!(terminal.look(&file), Look::plain(PLAIN_WIDTH));
    }
}
