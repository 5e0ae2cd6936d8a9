//! Which flow and variant a case is, and how it deviates from it.

use std::sync::Mutex;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::alignment::{Alignment, DEVIATION, GaveUp, Move, Observation, Phase, align};
use crate::check::observability::{Observability, Sought, Touched};
use crate::check::observations::{Observed, ages, alphabet, observe};
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

/// How often an alignment is repeated because it assumed steps where a log would show them.
const MOST_REVISIONS: usize = 40;

/// The compiled flows of a grammar.
#[derive(Debug)]
pub(crate) struct Automata {
    /// By flow and variant; of a flow that no case can be, none.
    pub(crate) variants: Vec<Vec<Automaton>>,
    /// The steps of each flow, sorted.
    alphabets: Vec<Vec<StepId>>,
    /// Alignments by shape: most cases of a log have the same.
    known: Mutex<FxHashMap<Shape, Result<Option<Alignment>, GaveUp>>>,
}

/// All that an alignment depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shape {
    flow: usize,
    variant: usize,
    observations: Vec<Observation>,
    visible: Vec<bool>,
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
    /// Other alignments with the variant that fit as well, where the log does not tell of some request what it was.
    pub(crate) readings: Vec<Alignment>,
    pub(crate) observed: Observed,
    pub(crate) alignment: Alignment,
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

    fn align(&self, shape: Shape) -> Result<Option<Alignment>, GaveUp> {
        if let Ok(known) = self.known.lock()
            && let Some(alignment) = known.get(&shape)
        {
            return alignment.clone();
        }
        let automaton = &self.variants[shape.flow][shape.variant];
        let alignment = align(automaton, &shape.observations, &shape.visible, shape.limit);
        if let Ok(mut known) = self.known.lock() {
            known.insert(shape, alignment.clone());
        }
        alignment
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

    /// How the case can be read when a request that may have been one of several steps was another than it was taken for.
    fn other_readings(
        &self,
        grammar: &Grammar,
        observability: &Observability<'_>,
        touched: &Touched,
        fit: &Fit,
    ) -> Vec<Alignment> {
        let automaton = &self.variants[fit.flow][fit.variant];
        let limit = (fit.alignment.deviations() + 1) * DEVIATION - 1;
        let reading = |step: &Move| {
            let Move::Both(step, seen) = step else { return None };
            let observation = &fit.observed.observations[*seen];
            if observation.steps.len() < 2 || observation.phase == Phase::End {
                return None;
            }
            let taken = automaton.uses[*step as usize].step;
            let mut observed = fit.observed.clone();
            for other in observed.observations.iter_mut().filter(|other| other.node == observation.node) {
                other.steps.retain(|step| *step != taken);
            }
            let rule = &grammar.flows[fit.flow];
            self.align_to((fit.flow, fit.variant), rule, &observed, observability, touched, limit).ok()?
        };
        fit.alignment.moves.iter().filter_map(reading).collect()
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
            if node.step().is_some_and(|step| grammar.step_at(step).fails_silently) {
                return false;
            }
            let log = node.received.map(|place| place.source).zip(node.service);
            log.zip(node.ending_stamp().filter(|_| node.end.is_some()))
                .is_some_and(|((source, service), end)| observability.goes_on(source, service, end))
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

    /// Aligns with one variant. A step counts as missing only where a log covers the time between what was seen before and
    /// after it. Taken for visible first are the steps whose logs cover the whole case, or none; then each is looked at in the
    /// gap in which it was assumed.
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
        let covers = |step: UseId, from: &[Stamp], to: &[Stamp]| {
            observability.covers(sought(automaton, step), touched, from, to)
        };
        // Logs that begin in the middle of a case cover no beginning of it.
        let begun = |seen: &usize| {
            observed.observations[*seen].phase == Phase::Begin
                && observed.observations[*seen].steps.iter().any(|step| rule.starts.contains(step))
                && observed.times[*seen].is_some()
        };
        let begun = (0..observed.observations.len()).any(|seen| begun(&seen));
        let (first, last) = (
            observed.times.iter().flatten().copied().min().filter(|_| begun),
            observed.latest.iter().flatten().copied().max(),
        );
        let could_show = |step: UseId| observability.could_show(sought(automaton, step), touched);
        let uses = || 0..automaton.uses.len() as UseId;
        let settle = |mut visible: Vec<bool>| {
            let mut uncovered = vec![false; visible.len()];
            for _ in 0..MOST_REVISIONS {
                let observations = observed.observations.clone();
                let shape = Shape { flow, variant, observations, visible: visible.clone(), limit };
                let Some(alignment) = self.align(shape)? else { return Ok(None) };
                let mut revised = false;
                for (index, step) in alignment.moves.iter().enumerate() {
                    let Move::Model(step, Phase::Begin, _) = step else { continue };
                    let number = *step as usize;
                    let seen = |step: &Move| match step {
                        Move::Both(_, seen) | Move::Log(seen) => Some(*seen),
                        _ => None,
                    };
                    let before = alignment.moves[..index].iter().rev().filter_map(seen);
                    let before = nearest(before.filter_map(|seen| observed.earliest[seen]));
                    let after = alignment.moves[index..].iter().filter_map(seen);
                    let after = nearest(after.filter_map(|seen| observed.latest[seen]));
                    let covered = covers(*step, &before, &after) && !uncovered[number];
                    uncovered[number] |= visible[number] && !covered;
                    revised |= visible[number] != covered;
                    visible[number] = covered;
                }
                if !revised {
                    return Ok(Some(alignment));
                }
            }
            Err(GaveUp)
        };
        let mut best = settle(uses().map(|step| covers(step, first.as_slice(), last.as_slice())).collect())?;
        if rule.direct && best.as_ref().is_some_and(|known| begins_strangely(known, observed)) {
            // What a user sends may go on with something from before the logs begin.
            let other = settle(vec![false; automaton.uses.len()])?;
            let is_better = |other: &Alignment| best.as_ref().is_none_or(|known| other.cost < known.cost);
            best = other.filter(is_better).or(best);
        }
        if let Some(best) = &mut best {
            best.look_ahead(automaton, &uses().map(could_show).collect::<Vec<bool>>());
        }
        Ok(best)
    }
}

/// Whether the first thing seen has no place in the flow.
fn begins_strangely(alignment: &Alignment, observed: &Observed) -> bool {
    let first = alignment.moves.iter().find(|step| matches!(step, Move::Both(..) | Move::Log(_)));
    matches!(first, Some(Move::Log(seen)) if observed.observations[*seen].strict)
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
