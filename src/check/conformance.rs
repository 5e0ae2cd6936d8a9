//! Which flow and variant a case is, and how it deviates from it.

use std::sync::Mutex;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::alignment::{Alignment, DEVIATION, GaveUp, Move, Observation, Phase, Walk, align};
use crate::check::observability::{Observability, Sought, Touched};
use crate::check::observations::{ages, alphabet, observe};
use crate::check::observed::Observed;
use crate::check::sight::Sights;
use crate::spec::automaton::{Automaton, TooLarge, UseId};
use crate::spec::grammar::{Flow, Grammar, StepId, Subject};
use crate::trace::cases::Case;
use crate::trace::clocks::Stamp;
use crate::trace::graph::CallGraph;
use crate::trace::node::Node;

/// The most that an alignment may cost; a case that is further from every flow is none of them.
const MOST_COST: u32 = 20 * DEVIATION;

/// The most that an alignment may cost in the first search.
const NEAR_COST: u32 = 4 * DEVIATION;

/// The compiled flows of a grammar.
#[derive(Debug)]
pub(crate) struct Automata {
    /// By flow and variant; of a flow that no case can be, none.
    pub(crate) variants: Vec<Vec<Automaton>>,
    /// The steps of each flow, sorted.
    alphabets: Vec<Vec<StepId>>,
    /// Walks by shape: most cases of a log have the same.
    known: Mutex<FxHashMap<Shape, Result<Option<Walk>, GaveUp>>>,
}

/// All that a walk depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    flow: usize,
    variant: usize,
    observations: Vec<Observation>,
    sights: Sights,
    limit: u32,
}

/// How a case fits a flow.
#[derive(Debug)]
pub(crate) struct Fit {
    /// The flow's number in the grammar.
    pub(crate) flow: usize,
    /// The variant's number in the flow.
    pub(crate) variant: usize,
    /// Other variants that fit as well, with their alignments.
    pub(crate) ties: Vec<(usize, Alignment)>,
    /// Whether the search was given up for a variant that might fit better.
    pub(crate) gave_up: bool,
    /// Other alignments that fit as well, with their variants, where the log does not tell of some request what it was.
    pub(crate) readings: Vec<(usize, Alignment)>,
    pub(crate) observed: Observed,
    pub(crate) alignment: Alignment,
}

impl Fit {
    /// The variants that fit best, with their alignments.
    pub(crate) fn variants(&self) -> impl Iterator<Item = (usize, &Alignment)> {
        let ties = self.ties.iter().map(|(variant, alignment)| (*variant, alignment));
        std::iter::once((self.variant, &self.alignment)).chain(ties)
    }
}

impl Automata {
    /// Compiles the flows of a grammar that some case can be.
    pub(crate) fn compile(grammar: &Grammar, cases: &[Case]) -> Result<Self, TooLarge> {
        let needed: FxHashSet<usize> = cases.iter().flat_map(|case| case.flows.iter().copied()).collect();
        let compile = |(index, flow): (usize, &Flow)| {
            let variants = flow.variants.iter().filter(|_| needed.contains(&index));
            variants.map(|variant| Automaton::compile(grammar, &flow.name, variant)).collect()
        };
        let variants = grammar.flows.iter().enumerate().map(compile).collect::<Result<_, _>>()?;
        let alphabets = (0..grammar.flows.len()).map(|flow| alphabet(grammar, flow)).collect();
        Ok(Self { variants, alphabets, known: Mutex::default() })
    }

    fn align(&self, shape: Shape) -> Result<Option<Walk>, GaveUp> {
        if let Ok(known) = self.known.lock()
            && let Some(walk) = known.get(&shape)
        {
            return walk.clone();
        }
        let automaton = &self.variants[shape.flow][shape.variant];
        let walk = align(automaton, &shape.observations, &shape.sights, shape.limit);
        if let Ok(mut known) = self.known.lock() {
            known.insert(shape, walk.clone());
        }
        walk
    }

    /// The flow and variant that a case fits best. `None` when it has nothing to fit, or the search was given up.
    pub(crate) fn fit(
        &self,
        grammar: &Grammar,
        graph: &CallGraph,
        observability: &Observability<'_>,
        case: &Case,
        touched: &Touched,
    ) -> Option<Fit> {
        // Most cases are near to some variant, and a search that may not go far is short for all the others.
        let near = self.fit_within(grammar, graph, observability, case, touched, NEAR_COST);
        let mut fit = match near {
            Some(fit) if !fit.gave_up => fit,
            _ => self.fit_within(grammar, graph, observability, case, touched, MOST_COST)?,
        };
        fit.readings = self.other_readings(grammar, observability, touched, &fit);
        Some(fit)
    }

    /// How the case can be read when a request that may have been one of several steps was another than it was taken for: the
    /// variants, and how it fits them then.
    fn other_readings(
        &self,
        grammar: &Grammar,
        observability: &Observability<'_>,
        touched: &Touched,
        fit: &Fit,
    ) -> Vec<(usize, Alignment)> {
        let rule = &grammar.flows[fit.flow];
        let limit = (fit.alignment.deviations() + 1) * DEVIATION - 1;
        let alphabet = &self.alphabets[fit.flow];
        let mut readings = Vec::new();
        for (variant, alignment) in fit.variants() {
            let automaton = &self.variants[fit.flow][variant];
            for step in &alignment.moves {
                let Move::Both(step, seen) = step else { continue };
                let observation = &fit.observed.observations[*seen];
                let taken = automaton.uses[*step as usize].step;
                if observation.phase == Phase::End {
                    continue;
                }
                // A step of another flow costs a deviation where the observation counts, and nothing where it does not.
                let fits = |other: &StepId| !observation.strict || alphabet.binary_search(other).is_ok();
                for other in observation.steps.iter().filter(|other| **other != taken && fits(other)) {
                    let mut observed = fit.observed.clone();
                    for seen in observed.observations.iter_mut().filter(|seen| seen.node == observation.node) {
                        seen.steps = vec![*other];
                    }
                    let found = self.align_to((fit.flow, variant), rule, &observed, observability, touched, limit);
                    readings.extend(found.ok().flatten().map(|reading| (variant, reading)));
                }
            }
        }
        readings
    }

    /// Whether a case fits a variant as well, seen in the order of an alignment, when a step had gone well some time after an
    /// observation, and no line shows it.
    pub(crate) fn fits_with(
        &self,
        grammar: &Grammar,
        observability: &Observability<'_>,
        (touched, fit): (&Touched, &Fit),
        (variant, alignment): (usize, &Alignment),
        step: StepId,
        after: usize,
    ) -> bool {
        let seen = |step: &Move| match step {
            Move::Both(_, seen) | Move::Log(seen) => Some(*seen),
            _ => None,
        };
        let order: Vec<usize> = alignment.moves.iter().filter_map(seen).collect();
        let Some(after) = order.iter().position(|seen| *seen == after) else { return false };
        let mut observed = fit.observed.in_order(&order);
        observed.assume(step, after);
        let limit = (fit.alignment.deviations() + 1) * DEVIATION - 1;
        let rule = &grammar.flows[fit.flow];
        let found = self.align_to((fit.flow, variant), rule, &observed, observability, touched, limit);
        // A search that was given up rules nothing out.
        !matches!(found, Ok(None))
    }

    fn fit_within(
        &self,
        grammar: &Grammar,
        graph: &CallGraph,
        observability: &Observability<'_>,
        case: &Case,
        touched: &Touched,
        most: u32,
    ) -> Option<Fit> {
        let machine = grammar.machine(Subject::VolumeStatus);
        let matters = |step: StepId| machine.is_some_and(|machine| machine.concerns(step));
        let goes_on = |node: &Node| {
            let is_silent = node.step().is_some_and(|step| grammar.step_at(step).fails_silently);
            let end = node.ending_stamp().filter(|_| node.end.is_some() && !is_silent);
            end.is_some_and(|end| observability.goes_on(node, end))
        };
        let ages = ages(grammar, graph, case);
        let mut best: Option<Fit> = None;
        let mut gave_up = false;
        for flow in &case.flows {
            let rule = &grammar.flows[*flow];
            for variant in 0..rule.variants.len() {
                // What no log shows tells no variant from another: only deviations do.
                let limit = best.as_ref().map_or(most, |known| (known.alignment.deviations() + 1) * DEVIATION - 1);
                let observed = observe(graph, case, &self.alphabets[*flow], rule, matters, goes_on, &ages);
                let alignment = match self.align_to((*flow, variant), rule, &observed, observability, touched, limit) {
                    Ok(Some(alignment)) => alignment,
                    Ok(None) => continue,
                    Err(GaveUp) => {
                        gave_up = true;
                        continue;
                    }
                };
                match &mut best {
                    Some(known) if alignment.deviations() == known.alignment.deviations() => {
                        if known.flow == *flow {
                            known.ties.push((variant, alignment));
                        }
                    }
                    _ => {
                        best = Some(Fit {
                            flow: *flow,
                            variant,
                            ties: Vec::new(),
                            gave_up: false,
                            readings: Vec::new(),
                            observed,
                            alignment,
                        })
                    }
                }
            }
        }
        // A deviation counts only when no variant can explain the case better.
        if let Some(fit) = &mut best {
            fit.gave_up = gave_up;
        }
        best
    }

    /// Aligns with one variant.
    fn align_to(
        &self,
        (flow, variant): (usize, usize),
        rule: &Flow,
        observed: &Observed,
        observability: &Observability<'_>,
        touched: &Touched,
        limit: u32,
    ) -> Result<Option<Alignment>, GaveUp> {
        let automaton = &self.variants[flow][variant];
        let sought = || (0..automaton.uses.len() as UseId).map(|step| sought(automaton, step));
        let align = |sights: Sights| {
            self.align(Shape { flow, variant, observations: observed.observations.clone(), sights, limit })
        };
        // Logs that begin in the middle of a case cover no beginning of it.
        let begins = |(observation, time): (&Observation, &Option<Stamp>)| {
            observation.phase == Phase::Begin
                && observation.steps.iter().any(|step| rule.starts.contains(step))
                && time.is_some()
        };
        let begun = observed.observations.iter().zip(&observed.times).any(begins);
        let first = observed.times.iter().flatten().copied().min().filter(|_| begun);
        let sights = |first| Sights::new(sought(), observability, touched, observed, first);
        let mut best = align(sights(first))?;
        if rule.direct && best.as_ref().is_some_and(|walk| begins_in_the_middle(walk, observed)) {
            // What a user sends may go on with something from before the logs begin.
            best = align(sights(None))?;
        }
        let could_show = |step| observability.could_show(step, touched);
        let visible = || sought().map(could_show).collect::<Vec<bool>>();
        Ok(best.map(|walk| walk.look_ahead(automaton, &visible())))
    }
}

/// Whether a step is missing before the first thing seen, or that has no place in the flow.
fn begins_in_the_middle(walk: &Walk, observed: &Observed) -> bool {
    for step in &walk.moves {
        match step {
            Move::Both(..) => return false,
            Move::Log(seen) => return observed.observations[*seen].strict,
            Move::Model(_, Phase::Begin, true) => return true,
            Move::Model(..) | Move::Break => {}
        }
    }
    false
}

/// The first moment of each clock.
pub(crate) fn nearest(moments: impl Iterator<Item = Stamp>) -> Vec<Stamp> {
    let mut nearest: Vec<Stamp> = Vec::new();
    for moment in moments {
        if nearest.iter().all(|other| other.clock != moment.clock) {
            nearest.push(moment);
        }
    }
    nearest
}

/// A step use as something to look for.
pub(crate) fn sought(automaton: &Automaton, step: UseId) -> Sought {
    Sought { step: automaton.uses[step as usize].step, caller: automaton.callers[step as usize] }
}
