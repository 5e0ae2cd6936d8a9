//! Less of the logs of a written case never turns what is not violated into a violation, wherever they are cut.

mod support;

use support::change::records;
use support::loss::{Loss, turned_by};
use support::recordings::{by_two, cases};

/// At how many places each log of a case is cut. FLOWCHECK_ALL_CUTS=1 cuts at all of them.
const PLACES: usize = 3;

/// Places in a log of so many records, others for each case and log.
fn places(count: usize, seed: usize) -> Vec<usize> {
    if std::env::var_os("FLOWCHECK_ALL_CUTS").is_some() {
        return (1..count).collect();
    }
    let step = count.div_ceil(PLACES).max(1);
    (1 + seed % step..count).step_by(step).collect()
}

#[test]
fn less_of_a_case_is_no_violation() {
    let grammar = support::grammar();
    let wrong = by_two(&cases(), |number, name, files| {
        let mut losses = vec![Loss::DebugOfAll, Loss::MessagesOfAll];
        for (file, text) in files.values().enumerate() {
            losses.extend([Loss::File(file), Loss::Debug(file)]);
            let places = places(records(text).len(), number + file);
            losses.extend(places.into_iter().flat_map(|place| [Loss::End(file, place), Loss::Start(file, place)]));
        }
        turned_by(&grammar, &format!("case-{name}"), files, losses)
    });
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
