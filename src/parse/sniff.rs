//! Tells how a log is written from its first lines.

use super::colours::strip_colours;
use super::dialect::{DIALECTS, Dialect, is_client_logger};
use super::layout::Layout;
use super::oslo::ClientFile;
use super::wrapping::{CarriedNames, Lines, recognised};
use crate::input::chunk::lines;

/// How many lines decide.
const LINES: usize = 2_000;

/// How many wrappings a log may be in.
const DEEPEST: usize = 3;

/// The layout of a log with this beginning; `None` when no line of it is the head of a record in any.
pub(crate) fn sniff(start: &[u8]) -> Option<Layout> {
    let end = lines(start).nth(LINES).map_or(start.len(), |(end, _)| end);
    found(&Lines::of_text(&start[..end], 1), DEEPEST).map(|(layout, _)| layout)
}

/// The layout, and how many heads of records the lines have in it.
fn found(sample: &Lines, deepest: usize) -> Option<(Layout, usize)> {
    let text = sample.text();
    let plain = strip_colours(text);
    let bare = dialect(plain.as_deref().unwrap_or(text));
    let heads = bare.map_or(0, |(_, heads)| heads);
    if deepest > 0 {
        for (wrapping, certainty) in recognised(sample) {
            let inner = wrapping.unwrap(sample, &mut CarriedNames::default());
            if let Some((mut layout, inner_heads)) = found(&inner, deepest - 1)
                && certainty.outweighs(inner_heads, heads)
            {
                layout.wrappings.insert(0, wrapping);
                return Some((layout, inner_heads));
            }
        }
    }
    bare.map(|(dialect, heads)| (Layout { wrappings: Vec::new(), dialect }, heads))
}

/// The dialect that most lines are in, and how many.
fn dialect(text: &[u8]) -> Option<(&'static dyn Dialect, usize)> {
    let mut counts = [0_usize; DIALECTS.len()];
    let mut client_loggers = 0;
    for (_, line) in lines(text) {
        for (count, dialect) in counts.iter_mut().zip(DIALECTS) {
            if let Some(head) = dialect.head(line) {
                *count += 1;
                client_loggers += usize::from(head.time.is_some() && is_client_logger(head.logger));
            }
        }
    }
    let (best, count) = counts.iter().copied().enumerate().rev().max_by_key(|(_, count)| *count)?;
    let is_client_file = best == 0 && client_loggers > 0;
    (count > 0).then_some((if is_client_file { &ClientFile } else { DIALECTS[best] }, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        sniff(text.as_bytes()).map(|layout| layout.to_string())
    }

    #[test]
    fn dialects() {
        let is = |text: &str, expected: &str| assert_eq!(name(text).as_deref(), Some(expected), "{text}");
        is("x\n2026-11-22 08:04:19.756 4498 INFO nova.compute.manager [-] y\n", "oslo");
        is("2026-11-22 08:17:24.063 13346 INFO osc_lib.shell [ demo None] START with options: a", "client-logfile");
        is("prose\nREQ: curl -g\nprose", "client");
        is("DEBUG (session:580) REQ: curl -g", "client");
        is("Nov 22 08:13:34.377824 vm nova-compute[8873]: INFO nova.compute.manager [-] x", "journal");
        is("\u{1b}[00;36mINFO nova.compute.manager [\u{1b}[01;36m-\u{1b}[00m] x", "oslo-untimed");
        assert_eq!(name("{\"a\": 1}\n"), None);
        assert_eq!(name(""), None);
    }

    /// A log in each format and each wrapping, all that the documentation names.
    #[test]
    fn every_documented_format() {
        let oslo = "2026-11-22 08:04:19.756 7 INFO nova.compute.manager [-] x";
        let client = "REQ: curl -g -i -X GET http://a RESP: [200] Date: b RESP BODY: {} REQ: curl -g c";
        let json = |text: &str| format!("{{{text}, \"message\": \"{oslo}\"}}");
        let cut: String = (0..20).map(|number| format!("{oslo} {number:02} {}=\n=3Db\n", "y".repeat(10))).collect();
        let wrapped = format!("{}\n{}\n", &oslo[..45], &oslo[45..]).repeat(8);
        let samples = [
            ("oslo", oslo.to_owned()),
            ("oslo-untimed", "INFO nova.compute.manager [-] x".to_owned()),
            ("journal", "<134>1 2026-11-22T08:04:19Z vm nova-compute 7 - - INFO nova.compute.manager [-] x".to_owned()),
            ("client", "DEBUG (session:195) REQ: curl -g".to_owned()),
            (
                "client-logfile",
                "2026-11-22 08:17:24.063 7 INFO osc_lib.shell [ demo None] START with options: a".to_owned(),
            ),
            ("docker-json", format!("{{\"log\": \"{oslo}\\n\", \"stream\": \"stdout\"}}")),
            ("cri", format!("2026-11-22T08:04:19.75Z stderr F {oslo}")),
            ("journal-json", format!("{{\"__REALTIME_TIMESTAMP\": \"1795334659281456\", \"MESSAGE\": \"{oslo}\"}}")),
            ("journal-export", format!("__CURSOR=a\n__REALTIME_TIMESTAMP=1795334659281456\nMESSAGE={oslo}\n\n")),
            ("oslo-json", json("\"levelname\": \"INFO\", \"relative_created\": 1")),
            ("fluent-json", json("\"process_name\": \"a\", \"cmdline\": \"b\"")),
            ("logstash-json", json("\"@timestamp\": \"2026-11-22T08:04:19Z\"")),
            ("json", json("\"a\": 1")),
            ("grep", format!("nova/nova-compute.log:{oslo}")),
            ("line-numbers", "     7\tREQ: curl -g".to_owned()),
            ("quote", format!("> {oslo}")),
            ("comment", format!("// \t{oslo}")),
            ("indentation", format!("    {oslo}")),
            ("forum-tags", format!("[CODE]{oslo}[/CODE]")),
            ("quoted-printable", cut),
            ("wrapped-lines", wrapped),
            ("one-line", client.to_owned()),
        ];
        let is_documented = |line: &&str| line.starts_with("| `");
        let cells = include_str!("../../docs/inputs.md").split("## Formats").nth(1).unwrap_or_default();
        let cells = cells.split("\n## ").next().unwrap_or_default().lines().filter(is_documented);
        let mut documented: Vec<&str> = cells
            .filter_map(|line| line.split('|').nth(1))
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect();
        documented.sort_unstable();
        let mut known: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(documented, known);
        for (expected, text) in samples {
            let found = name(&text).unwrap_or_default();
            assert!(found == expected || found.ends_with(&format!(" in {expected}")), "{expected}: {found}");
        }
    }
}
