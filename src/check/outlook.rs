//! How a flow could go on from a state, or be over without a trace.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, VecDeque};

use rustc_hash::FxHashMap;

use crate::check::alignment::{DEVIATION, UNSEEN};
use crate::spec::automaton::{Automaton, Ending, Finish, Label, StateId, UseId};

/// The cheapest way from a state to the flow's good end: the steps that have not begun, and whether the logs could show them.
/// `None` when there is none.
pub(super) fn completion(automaton: &Automaton, state: StateId, visible: &[bool]) -> Option<Vec<(UseId, bool)>> {
    /// What a state costs to reach, and from where: the state before and the step that began.
    type Reached = (u32, Option<(StateId, Option<UseId>)>);
    let mut best: FxHashMap<StateId, Reached> = FxHashMap::default();
    let mut queue = BinaryHeap::from([Reverse((0, state))]);
    best.insert(state, (0, None));
    while let Some(Reverse((cost, state))) = queue.pop() {
        if best.get(&state).is_some_and(|(known, _)| *known < cost) {
            continue;
        }
        if automaton.finish(state) == Finish::Completed {
            let mut pending = Vec::new();
            let mut at = state;
            while let Some((_, Some((before, step)))) = best.get(&at) {
                pending.extend(step.map(|step| (step, visible[step as usize])));
                at = *before;
            }
            pending.reverse();
            return Some(pending);
        }
        for edge in automaton.edges(state) {
            let (price, step) = match edge.label {
                Label::Begin(step) => (if visible[step as usize] { DEVIATION } else { UNSEEN }, Some(step)),
                Label::End(_, Ending::Success) => (1, None),
                Label::Send(_) => (0, None),
                Label::End(..) | Label::Break => continue,
            };
            let next = cost + price;
            if best.get(&edge.to).is_none_or(|(known, _)| next < *known) {
                best.insert(edge.to, (next, Some((state, step))));
                queue.push(Reverse((next, edge.to)));
            }
        }
    }
    None
}

/// A way from a state to any end of the flow, good or bad, of which the logs could show nothing: the steps that begin or end on
/// it. `failing` tells of which steps the logs would show a failure.
pub(super) fn silent_end(
    automaton: &Automaton,
    state: StateId,
    visible: &[bool],
    failing: &[bool],
) -> Option<Vec<UseId>> {
    let mut ways: FxHashMap<StateId, Vec<UseId>> = FxHashMap::from_iter([(state, Vec::new())]);
    let mut queue = VecDeque::from([state]);
    while let Some(state) = queue.pop_front() {
        let way = ways[&state].clone();
        if automaton.finish(state) != Finish::Open {
            return Some(way);
        }
        for edge in automaton.edges(state) {
            let step = match edge.label {
                Label::End(_, Ending::Abandoned(_)) => continue,
                Label::End(step, ending) if ending != Ending::Success && failing[step as usize] => continue,
                Label::Begin(step) | Label::End(step, _) if !visible[step as usize] => Some(step),
                Label::Send(_) | Label::Break => None,
                Label::Begin(_) | Label::End(..) => continue,
            };
            if let Entry::Vacant(vacant) = ways.entry(edge.to) {
                let new = step.filter(|step| !way.contains(step));
                vacant.insert(way.iter().copied().chain(new).collect());
                queue.push_back(edge.to);
            }
        }
    }
    None
}
