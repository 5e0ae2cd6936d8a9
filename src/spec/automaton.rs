//! A flow variant compiled into a finite automaton.
//!
//! The states are what is left of the process tree (its residuals), the edges are what may happen next. A step has two
//! edges, its beginning and its end, so that what happens inside it lies between them. Residuals are interned, so equal
//! rests of a flow are one state, and walking a case is a walk through a table.

use rustc_hash::FxHashMap;

use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Grammar, Need, StepId, StepUse, Variant};
use crate::spec::residual::{Compiler, MOST_DEPTH, State};

/// The number of a state in an [`Automaton`].
pub type StateId = u32;

/// The number of a step use in [`Automaton::uses`].
pub type UseId = u32;

/// How many states a flow may have.
const MOST_STATES: usize = 100_000;

/// A flow that is too large to be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flow {flow}: {limit}")]
pub struct TooLarge {
    /// The flow's name.
    pub flow: String,
    /// Which limit was exceeded.
    pub limit: String,
}

/// What may happen in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// A step begins.
    Begin(UseId),
    /// A step ends.
    End(UseId, Ending),
    /// A cast is sent.
    Send(UseId),
    /// An attempt breaks off for a reason that no step shows.
    Break,
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Well.
    Success,
    /// It fails, and what encloses it has to deal with that.
    Failure,
    /// As [`Ending::Failure`], because something inside it has failed.
    FailureWithin,
    /// As [`Ending::Failure`], after everything in it that would have been taken back had gone well.
    FailureAfterAll,
    /// It fails, and what was owed then is not done: the number of the list in [`Automaton::abandoned`].
    Abandoned(u32),
    /// It fails, and is sent again.
    FailureAndRetry,
}

/// An edge of the automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What happens.
    pub label: Label,
    /// The state after it.
    pub to: StateId,
}

impl Edge {
    /// The list of what is owed and not done, where work is abandoned.
    pub fn abandoned(&self) -> Option<u32> {
        match self.label {
            Label::End(_, Ending::Abandoned(list)) => Some(list),
            _ => None,
        }
    }
}

/// How a flow may be over in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is not over.
    Open,
    /// It has reached its end.
    Completed,
    /// It has failed.
    Failed,
}

/// A compiled flow variant. State 0 is the beginning.
#[derive(Clone, Debug)]
pub struct Automaton {
    /// The steps in their places.
    pub uses: Vec<StepUse>,
    /// Whether a step use stands alone under `optional`: it may be left out, with what is inside it, and nothing else changes.
    pub skippable: Vec<bool>,
    /// Whether a step use belongs to a handler: it is owed after a failure.
    pub owed: Vec<bool>,
    /// Whether a failure of a step use changes nothing for what follows.
    pub tolerated: Vec<bool>,
    /// The HTTP statuses with which the step of each use succeeds where nothing else is said.
    pub answers: Vec<Vec<u16>>,
    /// The service that asks for each step use: that of the nearest step around it that another service carries out.
    pub callers: Vec<Option<ServiceId>>,
    /// The step uses inside each step use.
    pub inside: Vec<std::ops::Range<UseId>>,
    /// The steps that are owed where work is abandoned.
    pub abandoned: Vec<Vec<UseId>>,
    edges: Vec<Vec<Edge>>,
    finishes: Vec<Finish>,
    /// The steps of the flow, sorted.
    alphabet: Vec<StepId>,
    /// By state, which steps of the alphabet may still begin: an index into `still`.
    reach: Vec<u32>,
    /// Sets of steps of the alphabet, as bits.
    still: Vec<Box<[u64]>>,
}

impl Automaton {
    /// Compiles a variant of the flow of that name.
    pub fn compile(grammar: &Grammar, flow: &str, variant: &Variant) -> Result<Self, TooLarge> {
        let mut compiler = Compiler::new(grammar);
        let too_large = |limit: String| TooLarge { flow: flow.to_owned(), limit };
        let main = compiler
            .lower(&variant.term, 0)
            .ok_or_else(|| too_large(format!("nested deeper than {MOST_DEPTH} levels")))?;
        let start = State::beginning(main);
        let mut states = vec![start.clone()];
        let mut numbers = FxHashMap::from_iter([(start, 0)]);
        let mut edges: Vec<Vec<Edge>> = Vec::new();
        let mut finishes = Vec::new();
        while edges.len() < states.len() {
            let state = states[edges.len()].clone();
            finishes.push(compiler.finish(&state));
            let mut outgoing = Vec::new();
            for (label, next) in compiler.successors(&state) {
                let known = states.len();
                let to = *numbers.entry(next.clone()).or_insert(known as StateId);
                if to as usize == known {
                    if known == MOST_STATES {
                        return Err(too_large(format!("more than {MOST_STATES} states")));
                    }
                    states.push(next);
                }
                let edge = Edge { label, to };
                if !outgoing.contains(&edge) {
                    outgoing.push(edge);
                }
            }
            edges.push(outgoing);
        }
        let mut alphabet: Vec<StepId> = compiler.uses.iter().map(|step| step.step).collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let (reach, still) = reachable(&edges, &compiler.uses, &alphabet);
        Ok(Self {
            alphabet,
            reach,
            still,
            callers: compiler.callers(),
            answers: compiler.answers(),
            uses: compiler.uses,
            skippable: compiler.skippable,
            owed: compiler.owed,
            tolerated: compiler.tolerated,
            inside: compiler.inside,
            abandoned: compiler.abandoned,
            edges,
            finishes,
        })
    }

    /// What may happen in a state.
    pub fn edges(&self, state: StateId) -> &[Edge] {
        &self.edges[state as usize]
    }

    /// Whether the flow is not whole without a step, and no other step speaks for it.
    pub fn is_required(&self, step: UseId) -> bool {
        self.uses[step as usize].need == Need::Required && !self.skippable[step as usize]
    }

    /// Whether the flow may be over in a state.
    pub fn finish(&self, state: StateId) -> Finish {
        self.finishes[state as usize]
    }

    /// Whether a step may still begin in a state, or in one that follows from it.
    pub fn may_begin(&self, state: StateId, step: StepId) -> bool {
        let still = &self.still[self.reach[state as usize] as usize];
        self.alphabet.binary_search(&step).is_ok_and(|bit| still[bit / 64] & (1 << (bit % 64)) != 0)
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether there is no state; never true.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
}

/// For each state the steps that may begin from there on, as a number of a set, and the sets.
fn reachable(edges: &[Vec<Edge>], uses: &[StepUse], alphabet: &[StepId]) -> (Vec<u32>, Vec<Box<[u64]>>) {
    let words = alphabet.len().div_ceil(64).max(1);
    let mut sets = vec![vec![0_u64; words].into_boxed_slice(); edges.len()];
    let mut before: Vec<Vec<StateId>> = vec![Vec::new(); edges.len()];
    for (state, outgoing) in edges.iter().enumerate() {
        for edge in outgoing {
            before[edge.to as usize].push(state as StateId);
            if let Label::Begin(step) = edge.label
                && let Ok(bit) = alphabet.binary_search(&uses[step as usize].step)
            {
                sets[state][bit / 64] |= 1 << (bit % 64);
            }
        }
    }
    // States are numbered in the order in which they were found: what follows is known from the back.
    let mut changed: Vec<StateId> = (0..edges.len() as StateId).collect();
    while let Some(state) = changed.pop() {
        for &earlier in &before[state as usize] {
            let own = sets[state as usize].clone();
            let known = &mut sets[earlier as usize];
            if known.iter().zip(&own).any(|(known, own)| own & !known != 0) {
                known.iter_mut().zip(&own).for_each(|(known, own)| *known |= own);
                changed.push(earlier);
            }
        }
    }
    let mut numbers: FxHashMap<Box<[u64]>, u32> = FxHashMap::default();
    let mut still = Vec::new();
    let reach = sets.into_iter().map(|set| {
        *numbers.entry(set).or_insert_with_key(|set| {
            still.push(set.clone());
            still.len() as u32 - 1
        })
    });
    (reach.collect(), still)
}
