//! Less of the same logs: what is left when files, levels, beginnings or ends are missing.

use std::collections::BTreeSet;

use flowcheck::check::verdict::{Checked, FlowVerdict, Verdict};
use flowcheck::spec::grammar::Grammar;

use super::change::{keep, records, stamp};
use super::recordings::Files;

/// A way to have less log. The numbers pick a file and a place, whatever there is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// A file is not given.
    File(usize),
    /// A service logs at INFO.
    Debug(usize),
    /// All services log at INFO.
    DebugOfAll,
    /// Nobody logs what oslo.messaging and the callers of REST requests send.
    MessagesOfAll,
    /// A file ends early.
    End(usize, usize),
    /// A file begins late.
    Start(usize, usize),
    /// All files end at one moment.
    EndOfAll(usize),
    /// All files begin at one moment.
    StartOfAll(usize),
}

impl Loss {
    /// The logs without what is lost.
    pub(crate) fn apply(self, files: &Files) -> Files {
        let name = |pick: usize| files.keys().nth(pick % files.len()).expect("a file").clone();
        let place = |name: &str, pick: usize| pick % records(&files[name]).len().max(1);
        // A moment that some record has.
        let moment = |pick: usize| {
            let stamps: BTreeSet<&str> = files.values().flat_map(|text| text.lines().filter_map(stamp)).collect();
            stamps.iter().nth(pick % stamps.len().max(1)).map_or(String::new(), |stamp| (*stamp).to_owned())
        };
        match self {
            Self::File(pick) => {
                let gone = name(pick);
                files
                    .iter()
                    .filter(|(name, _)| **name != gone)
                    .map(|(name, text)| (name.clone(), text.clone()))
                    .collect()
            }
            Self::Debug(pick) => {
                let quiet = name(pick);
                keep(files, |name, _, record| name != quiet || !is_debug(record, ""))
            }
            Self::DebugOfAll => keep(files, |_, _, record| !is_debug(record, "")),
            Self::MessagesOfAll => keep(files, |_, _, record| {
                let loggers = ["oslo_messaging", "oslo.messaging", "keystoneauth", "cinderclient", "novaclient"];
                !loggers.iter().any(|logger| is_debug(record, logger))
            }),
            Self::End(pick, end) => {
                let cut = name(pick);
                let end = place(&cut, end);
                keep(files, |name, index, _| name != cut || index < end)
            }
            Self::Start(pick, start) => {
                let cut = name(pick);
                let start = place(&cut, start);
                keep(files, |name, index, _| name != cut || index >= start)
            }
            Self::EndOfAll(pick) => {
                let end = moment(pick);
                keep(files, |_, _, record| stamp(record).is_none_or(|stamp| stamp < end.as_str()))
            }
            Self::StartOfAll(pick) => {
                let start = moment(pick);
                keep(files, |_, _, record| stamp(record).is_none_or(|stamp| stamp >= start.as_str()))
            }
        }
    }
}

/// Whether a record of a service is at DEBUG, and of a logger that begins so.
fn is_debug(record: &str, logger: &str) -> bool {
    let head = record.get(..60).unwrap_or(record);
    stamp(record).is_some() && head.split_once(" DEBUG ").is_some_and(|(_, rest)| rest.starts_with(logger))
}

/// What some losses of a log turn into violations.
pub(crate) fn turned_by(
    grammar: &Grammar,
    name: &str,
    files: &Files,
    losses: impl IntoIterator<Item = Loss>,
) -> Vec<String> {
    let folder = format!("less-{name}");
    let examine = |files: &Files| super::examine(grammar, &super::save(&folder, files), Some(1));
    let whole = examine(files);
    let mut wrong = Vec::new();
    for loss in losses {
        let turned = turned(grammar, &whole, &examine(&loss.apply(files)));
        if !turned.is_empty() {
            wrong.push(format!("{name} {loss:?}\n{}", turned.join("\n")));
        }
    }
    wrong
}

/// The flows that have become violations: no part of them was one.
pub(crate) fn turned(grammar: &Grammar, whole: &Checked, less: &Checked) -> Vec<String> {
    let shares =
        |one: &FlowVerdict, other: &FlowVerdict| one.request_ids.iter().any(|id| other.request_ids.contains(id));
    let is_violated = |flow: &FlowVerdict| flow.verdict == Verdict::Violated;
    let is_new = |flow: &&FlowVerdict| {
        is_violated(flow) && !whole.flows.iter().any(|known| is_violated(known) && shares(known, flow))
    };
    less.flows.iter().filter(is_new).map(|flow| super::brief(grammar, flow)).collect()
}
