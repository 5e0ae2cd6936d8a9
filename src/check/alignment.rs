//! Optimal alignment of what was seen with what a flow allows.
//!
//! The cheapest way to walk through the automaton and the observations together (A. Adriansyah, "Aligning Observed and
//! Modeled Behavior", 2014): both move (the step was seen where it may stand), only the model moves (the step is missing, or
//! no log could show it), or only the log moves (the step was seen and is not allowed there). The search is Dijkstra's, and
//! bounded.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::observed::chains;
use crate::check::outlook::completion;
use crate::check::sight::Sights;
use crate::spec::automaton::{Automaton, Ending, Finish, Label, StateId, UseId};
use crate::spec::grammar::{Age, StepId};

/// The beginning or the end of a unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It begins.
    Begin,
    /// It ends.
    End,
}

/// One thing that was seen. Observations are ordered within their chain (a log of one service on one clock); between chains
/// only as far as cause or a clear distance in time tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Observation {
    /// The unit of work, as an index into the case's nodes.
    pub node: usize,
    /// Its beginning or its end.
    pub phase: Phase,
    /// The steps that it can be; none when it is about something else than the case.
    pub steps: Vec<StepId>,
    /// The HTTP status of the answer, for its end.
    pub status: Option<u16>,
    /// Whether it went well, for its end, where a log tells.
    pub success: Option<bool>,
    /// Which of a flow's attachments it is about, where the logs tell.
    pub age: Option<Age>,
    /// Whether it counts as a deviation where it is not allowed; a traced function does not, drivers call what they like.
    pub strict: bool,
    /// The chain that it belongs to.
    pub chain: usize,
    /// Observations of other chains that are known to come before it.
    pub after: Vec<usize>,
}

/// One move of an alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Seen where it may stand: the step use and the index of the observation.
    Both(UseId, usize),
    /// Not seen: the step use, its beginning or end, and whether the logs could have shown it.
    Model(UseId, Phase, bool),
    /// Seen where it may not stand, or where it does not matter: the index of the observation.
    Log(usize),
    /// An attempt broke off.
    Break,
}

/// The cheapest way through observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// What it cost: at least [`DEVIATION`] for every deviation.
    pub(super) cost: u32,
    /// The moves, in their order.
    pub(super) moves: Vec<Move>,
    /// The state of the automaton behind the last observation.
    pub(super) state: StateId,
}

impl Walk {
    /// Works out how it could go on, with the steps that later lines could show.
    pub(super) fn look_ahead(self, automaton: &Automaton, visible: &[bool]) -> Alignment {
        let Self { cost, moves, state } = self;
        let pending = completion(automaton, state, visible);
        Alignment {
            cost,
            moves,
            state,
            finish: automaton.finish(state),
            doomed: pending.is_none(),
            pending: pending.unwrap_or_default(),
        }
    }
}

/// A walk through all that was seen, and how it could go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// What it cost: at least [`DEVIATION`] for every deviation.
    pub cost: u32,
    /// The moves, in their order.
    pub moves: Vec<Move>,
    /// The state of the automaton behind the last observation.
    pub state: StateId,
    /// Whether the flow may be over there.
    pub finish: Finish,
    /// How it could go on to its good end: the steps that have not begun, and whether the logs could show them.
    pub pending: Vec<(UseId, bool)>,
    /// Whether it can come to no good end any more.
    pub doomed: bool,
}

impl Alignment {
    /// How many times something was seen that is not allowed, or not seen that had to be.
    pub fn deviations(&self) -> u32 {
        self.cost / DEVIATION
    }
}

/// The cost of a step that is missing or not allowed.
pub const DEVIATION: u32 = 1_000;
/// What an unexpected step costs more than a missing one: a variant that knows the step explains it better.
const STRANGE: u32 = 10;
/// The cost of a traced function that has no place in the flow.
const LOOSE: u32 = 40;
/// The cost of an end that contradicts how its beginning was taken.
const CONTRADICTION: u32 = 3 * DEVIATION;
/// The cost of assuming a step that no log could show.
pub(super) const UNSEEN: u32 = 2;
/// The cost of assuming that an attempt broke off for a reason that no step shows.
const BREAK: u32 = 8;
/// The cost of work that fails without doing what is owed then: a single deviation, however much that is.
const ABANDONED: u32 = DEVIATION + 5;
/// What a failure costs after everything that would have been taken back: rather, an attempt broke off before.
const LATE_FAILURE: u32 = BREAK + 15;
/// The cost of assuming a failure that no log shows.
const UNSEEN_FAILURE: u32 = 6;
/// The cost of reading an end that does not tell its success as a failure.
const DOUBTFUL_FAILURE: u32 = 5;
/// What an observation that is still to come counts in a search that only has to find an explanation.
const HASTE: u64 = 300;
/// How many steps of the search are taken at most.
const MOST_STEPS: usize = 100_000;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Position {
    state: StateId,
    /// The number of observations consumed of each chain.
    seen: Vec<u16>,
    /// Units of work whose beginning was not allowed; their ends cost nothing.
    skipped: Vec<usize>,
}

struct Visit {
    position: Position,
    came_from: Option<Step>,
    cost: u32,
    closed: bool,
}

/// A step of the search.
#[derive(Clone, Copy)]
struct Step {
    /// The number of the visit before it.
    before: u32,
    made: Option<Move>,
    /// What was owed and is not done, as a list of the automaton.
    abandoned: Option<u32>,
}

/// The search for an alignment was given up: it would take more steps than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

/// Aligns observations with an automaton. `sights` tell for each step use where the logs could have shown it: where they
/// could not, it is not missing. `None` when it would cost more than `limit`. Where the search for the cheapest is given up,
/// and it is sure that there is a deviation, a walk that is good enough to explain it.
pub(super) fn align(
    automaton: &Automaton,
    observations: &[Observation],
    sights: &Sights,
    limit: u32,
) -> Result<Option<Walk>, GaveUp> {
    let find = |limit, order| search(automaton, observations, sights, limit, order);
    match find(limit, Order::Cheapest) {
        Err(GaveUp) if limit >= DEVIATION => match find(DEVIATION - 1, Order::Cheapest)? {
            Some(walk) => Ok(Some(walk)),
            None => find(limit, Order::Furthest),
        },
        found => found,
    }
}

/// What is looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// What costs least: the first that is found is the cheapest.
    Cheapest,
    /// What has come far in the log and costs little.
    Furthest,
}

fn search(
    automaton: &Automaton,
    observations: &[Observation],
    sights: &Sights,
    limit: u32,
    order: Order,
) -> Result<Option<Walk>, GaveUp> {
    let chains = chains(observations);
    if chains.iter().any(|chain| chain.len() >= usize::from(u16::MAX)) {
        return Err(GaveUp);
    }
    let mut ranks = vec![0; observations.len()];
    for (rank, index) in chains.iter().flat_map(|chain| chain.iter().enumerate()) {
        ranks[*index] = rank as u16;
    }
    let seen: FxHashSet<StepId> =
        observations.iter().flat_map(|observation| observation.steps.iter().copied()).collect();
    // What is inside a step that is missing is missing with it: one deviation.
    let mut inside_of_missing = vec![false; automaton.uses.len()];
    for (outer, inside) in automaton.inside.iter().enumerate() {
        let is_missing = || sights.covers_some(outer as UseId) && !seen.contains(&automaton.uses[outer].step);
        if !inside_of_missing[outer] && is_missing() {
            inside.clone().for_each(|step| inside_of_missing[step as usize] = true);
        }
    }
    let sights = sights.clone().without(|step| inside_of_missing[step as usize]);
    let is_seen = |step: UseId| seen.contains(&automaton.uses[step as usize].step);
    let is_idle = |step: UseId| {
        automaton.skippable[step as usize] && !is_seen(step) && !automaton.inside[step as usize].clone().any(is_seen)
    };
    let idle = (0..automaton.uses.len() as UseId).map(is_idle).collect();
    let (visits, numbers, queue) = (Vec::new(), FxHashMap::default(), BinaryHeap::new());
    let mut search =
        Search { automaton, observations, sights, chains, ranks, idle, limit, order, visits, numbers, queue };
    search.reach(Position { state: 0, seen: vec![0; search.chains.len()], skipped: Vec::new() }, 0, None);
    for _ in 0..MOST_STEPS {
        let Some(Reverse((.., number))) = search.queue.pop() else { return Ok(None) };
        let visit = &mut search.visits[number as usize];
        let cost = visit.cost;
        if visit.closed {
            continue;
        }
        visit.closed = true;
        let position = visit.position.clone();
        if search.left(&position) == 0 {
            return Ok(Some(Walk { cost, moves: search.path(number), state: position.state }));
        }
        search.expand(&position, cost, number);
    }
    Err(GaveUp)
}

struct Search<'a> {
    automaton: &'a Automaton,
    observations: &'a [Observation],
    sights: Sights,
    /// The observations of each chain.
    chains: Vec<Vec<usize>>,
    /// The place of each observation in its chain.
    ranks: Vec<u16>,
    /// Step uses that may be left out and that nothing was seen of: assuming them never helps.
    idle: Vec<bool>,
    limit: u32,
    order: Order,
    visits: Vec<Visit>,
    numbers: FxHashMap<Position, u32>,
    /// By the cost of the whole way as far as it is known (A*) and by how much of the log is still to come.
    queue: BinaryHeap<Reverse<(u64, u64, u32)>>,
}

impl Search<'_> {
    fn reach(&mut self, position: Position, cost: u32, came_from: Option<Step>) {
        let estimate = cost.saturating_add(self.at_least(&position));
        if estimate > self.limit {
            return;
        }
        let left = self.left(&position);
        let number = match self.numbers.get(&position) {
            Some(number) => {
                let visit = &mut self.visits[*number as usize];
                if visit.closed || visit.cost <= cost {
                    return;
                }
                visit.cost = cost;
                visit.came_from = came_from;
                *number
            }
            None => {
                let number = self.visits.len() as u32;
                self.numbers.insert(position.clone(), number);
                self.visits.push(Visit { position, came_from, cost, closed: false });
                number
            }
        };
        let (estimate, left) = (u64::from(estimate), left as u64);
        let (first, second) = match self.order {
            Order::Cheapest => (estimate, left),
            Order::Furthest => (estimate + HASTE * left, left),
        };
        self.queue.push(Reverse((first, second, number)));
    }

    /// What the observations still to come will cost at least: each that the automaton has no place for any more.
    fn at_least(&self, position: &Position) -> u32 {
        let mut rest = 0_u32;
        for (chain, seen) in self.chains.iter().zip(&position.seen) {
            for index in &chain[usize::from(*seen)..] {
                let observation = &self.observations[*index];
                let fits = || observation.steps.iter().any(|step| self.automaton.may_begin(position.state, *step));
                if observation.phase == Phase::Begin && !fits() {
                    rest = rest.saturating_add(alone_price(observation));
                }
            }
        }
        rest
    }

    /// How many observations are still to come.
    fn left(&self, position: &Position) -> usize {
        self.observations.len() - position.seen.iter().map(|seen| usize::from(*seen)).sum::<usize>()
    }

    /// The observations that may come next.
    fn ready(&self, position: &Position) -> Vec<usize> {
        let next =
            self.chains.iter().zip(&position.seen).filter_map(|(chain, seen)| chain.get(usize::from(*seen)).copied());
        let seen = |index: &usize| position.seen[self.observations[*index].chain] > self.ranks[*index];
        next.filter(|index| self.observations[*index].after.iter().all(seen)).collect()
    }

    fn expand(&mut self, position: &Position, cost: u32, number: u32) {
        for index in self.ready(position) {
            self.expand_with(position, cost, number, index);
        }
        let automaton = self.automaton;
        for edge in automaton.edges(position.state) {
            let abandoned = edge.abandoned();
            if abandoned.is_some_and(|list| !self.may_be_missed(list, position)) {
                continue;
            }
            let alone = Position { state: edge.to, ..position.clone() };
            let (price, made) = match edge.label {
                Label::Send(_) => (0, None),
                Label::Break => (BREAK, Some(Move::Break)),
                Label::Begin(step) if self.idle[step as usize] => continue,
                Label::Begin(step) => {
                    let visible = self.sights.covers(step, &position.seen);
                    (if visible { DEVIATION } else { UNSEEN }, Some(Move::Model(step, Phase::Begin, visible)))
                }
                Label::End(step, ending) => {
                    let price = match ending {
                        Ending::Success | Ending::FailureWithin => 1,
                        Ending::Failure | Ending::FailureAndRetry => UNSEEN_FAILURE,
                        Ending::FailureAfterAll => UNSEEN_FAILURE + LATE_FAILURE,
                        Ending::Abandoned(_) => UNSEEN_FAILURE + ABANDONED,
                    };
                    (price, Some(Move::Model(step, Phase::End, false)))
                }
            };
            self.reach(alone, cost + price, Some(Step { before: number, made, abandoned }));
        }
    }

    /// The moves that consume an observation.
    fn expand_with(&mut self, position: &Position, cost: u32, number: u32, index: usize) {
        let observation = &self.observations[index];
        let mut after = position.clone();
        after.seen[observation.chain] += 1;
        let is_skipped = position.skipped.iter().position(|node| *node == observation.node);
        let mut after_log = after.clone();
        let log_cost = match (observation.phase, is_skipped) {
            (Phase::Begin, _) => {
                after_log.skipped.push(observation.node);
                alone_price(observation)
            }
            (Phase::End, Some(place)) => {
                after_log.skipped.remove(place);
                0
            }
            // Its beginning was taken for something that its end contradicts.
            (Phase::End, None) => CONTRADICTION,
        };
        let made = Some(Move::Log(index));
        self.reach(after_log, cost + log_cost, Some(Step { before: number, made, abandoned: None }));
        if is_skipped.is_some() {
            return;
        }
        let automaton = self.automaton;
        for edge in automaton.edges(position.state) {
            let abandoned = edge.abandoned();
            if abandoned.is_some_and(|list| !self.may_be_missed(list, position)) {
                continue;
            }
            let (step, price) = match (edge.label, observation.phase) {
                (Label::Begin(step), Phase::Begin) => (step, Some(u32::from(observation.steps.len() > 1))),
                (Label::End(step, ending), Phase::End) => (step, ending_price(automaton, step, ending, observation)),
                _ => continue,
            };
            let Some(price) = price else { continue };
            let rule = &automaton.uses[step as usize];
            let other = rule.age.zip(observation.age).is_some_and(|(own, seen)| own != seen);
            if observation.steps.contains(&rule.step) && !other {
                let together = Position { state: edge.to, ..after.clone() };
                let made = Some(Move::Both(step, index));
                self.reach(together, cost + price, Some(Step { before: number, made, abandoned }));
            }
        }
    }

    /// Whether the logs could have shown something of what was owed where work is abandoned.
    fn may_be_missed(&self, list: u32, position: &Position) -> bool {
        self.automaton.abandoned[list as usize].iter().any(|step| self.sights.covers(*step, &position.seen))
    }

    fn path(&self, mut number: u32) -> Vec<Move> {
        let mut moves = Vec::new();
        while let Some(Step { before, made, abandoned }) = self.visits[number as usize].came_from {
            moves.extend(made);
            let seen = &self.visits[before as usize].position.seen;
            let owed = abandoned.iter().flat_map(|list| self.automaton.abandoned[*list as usize].iter().rev());
            let missed = owed.filter(|step| self.sights.covers(**step, seen));
            moves.extend(missed.map(|step| Move::Model(*step, Phase::Begin, true)));
            number = before;
        }
        moves.reverse();
        moves
    }
}

/// What it costs that a beginning has no place in the flow.
fn alone_price(observation: &Observation) -> u32 {
    if observation.strict { DEVIATION + STRANGE } else { LOOSE }
}

/// What it costs to read an observed end as this ending; `None` when it cannot be read so.
fn ending_price(automaton: &Automaton, step: UseId, ending: Ending, observation: &Observation) -> Option<u32> {
    let rule = &automaton.uses[step as usize];
    let went_well = match observation.status {
        Some(status) if !rule.success.is_empty() => Some(rule.success.contains(&status)),
        _ => observation.success,
    };
    // An answer that means success everywhere else is no failure here: it should not have been given where only a refusal fits,
    // and belongs to another place of the step where another success does.
    let answers = &automaton.answers[step as usize];
    if ending != Ending::Success
        && observation.status.is_some_and(|status| answers.contains(&status))
        && went_well == Some(false)
    {
        return rule.success.iter().all(|status| !answers.contains(status)).then_some(DEVIATION);
    }
    match (ending, went_well) {
        (Ending::Success, Some(false)) => None,
        (Ending::Success, _) => Some(0),
        (_, Some(true)) => None,
        (Ending::Failure, Some(false)) | (Ending::FailureWithin, _) => Some(0),
        (Ending::Failure, None) => Some(DOUBTFUL_FAILURE),
        (Ending::Abandoned(_), Some(false)) => Some(ABANDONED),
        (Ending::Abandoned(_), None) => Some(DOUBTFUL_FAILURE + ABANDONED),
        (Ending::FailureAfterAll, Some(false)) => Some(LATE_FAILURE),
        (Ending::FailureAfterAll, None) => Some(DOUBTFUL_FAILURE + LATE_FAILURE),
        (Ending::FailureAndRetry, _) => {
            let statuses = rule.retry.as_ref().map_or(&[][..], |retry| &retry.statuses);
            match observation.status {
                Some(status) => statuses.contains(&status).then_some(0),
                None => Some(DOUBTFUL_FAILURE),
            }
        }
    }
}
