//! What is left of a process tree, and what may happen to it: the states of an automaton and its edges.

use rustc_hash::FxHashMap;

use crate::model::vocabulary::ServiceId;
use crate::spec::automaton::{Ending, Finish, Label, UseId};
use crate::spec::grammar::{Grammar, Retry, StepKind, StepUse, Term};

/// How deep a process tree may be nested.
pub(super) const MOST_DEPTH: usize = 200;

/// The number of a residual.
pub(super) type TermId = u32;

/// What is left of a process tree. `Done` and `Failed` are the two ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Residual {
    Done,
    Failed,
    /// A step that has not begun, with the tries that are left.
    Step {
        step: UseId,
        tries: u32,
        body: TermId,
        cast: bool,
    },
    /// A step that has begun, with what is left inside it.
    Inside {
        step: UseId,
        tries: u32,
        whole: TermId,
        rest: TermId,
    },
    Sequence(TermId, TermId),
    Choice(Vec<TermId>),
    AnyOrder(Vec<TermId>),
    Repeat {
        body: TermId,
        left: Option<u32>,
    },
    /// With whether something in the body has happened.
    Attempt {
        body: TermId,
        handler: TermId,
        begun: bool,
    },
    Tolerate(TermId),
}

/// What is left of a flow and of the casts that it sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    main: TermId,
    /// The work of casts that are under way, sorted.
    spawned: Vec<TermId>,
    /// Whether some work of a cast has failed.
    failed: bool,
}

/// What may happen to a residual: the label, what is left, and the work of a cast that sets off.
type Move = (Label, TermId, Option<TermId>);

/// Works out residuals, each once.
pub(super) struct Compiler<'a> {
    grammar: &'a Grammar,
    terms: Vec<Residual>,
    numbers: FxHashMap<Residual, TermId>,
    pub(super) uses: Vec<StepUse>,
    pub(super) skippable: Vec<bool>,
    pub(super) owed: Vec<bool>,
    pub(super) tolerated: Vec<bool>,
    pub(super) inside: Vec<std::ops::Range<UseId>>,
    pub(super) abandoned: Vec<Vec<UseId>>,
    moves: FxHashMap<TermId, Vec<Move>>,
}

impl State {
    pub(super) fn beginning(main: TermId) -> Self {
        Self { main, spawned: Vec::new(), failed: false }
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn new(grammar: &'a Grammar) -> Self {
        Self {
            grammar,
            terms: Vec::new(),
            numbers: FxHashMap::default(),
            uses: Vec::new(),
            skippable: Vec::new(),
            owed: Vec::new(),
            tolerated: Vec::new(),
            inside: Vec::new(),
            abandoned: Vec::new(),
            moves: FxHashMap::default(),
        }
    }
}

impl Compiler<'_> {
    pub(super) fn answers(&self) -> Vec<Vec<u16>> {
        self.uses.iter().map(|step| self.grammar.step_at(step.step).success.clone()).collect()
    }

    /// The service around each step use.
    pub(super) fn callers(&self) -> Vec<Option<ServiceId>> {
        let service = |step: usize| self.grammar.step_at(self.uses[step].step).service;
        let around = |step: usize| {
            let encloses =
                |outer: &usize| self.inside[*outer].contains(&(step as UseId)) && service(*outer) != service(step);
            // Inner steps have lower numbers than what is around them.
            (step + 1..self.uses.len()).find(encloses).map(service)
        };
        (0..self.uses.len()).map(around).collect()
    }

    fn term(&mut self, residual: Residual) -> TermId {
        if let Some(known) = self.numbers.get(&residual) {
            return *known;
        }
        let number = self.terms.len() as TermId;
        self.terms.push(residual.clone());
        self.numbers.insert(residual, number);
        number
    }

    fn done(&mut self) -> TermId {
        self.term(Residual::Done)
    }

    fn failed(&mut self) -> TermId {
        self.term(Residual::Failed)
    }

    fn sequence(&mut self, first: TermId, second: TermId) -> TermId {
        match (&self.terms[first as usize], &self.terms[second as usize]) {
            (Residual::Done, _) => second,
            (Residual::Failed, _) | (_, Residual::Done) => first,
            _ => self.term(Residual::Sequence(first, second)),
        }
    }

    fn lower_all(&mut self, terms: &[Term], depth: usize) -> Option<Vec<TermId>> {
        terms.iter().map(|term| self.lower(term, depth + 1)).collect()
    }

    pub(super) fn lower(&mut self, term: &Term, depth: usize) -> Option<TermId> {
        if depth > MOST_DEPTH {
            return None;
        }
        Some(match term {
            Term::Empty => self.done(),
            Term::Step(step_use) => {
                let first = self.uses.len() as UseId;
                let body = self.lower(&step_use.body, depth + 1)?;
                let cast = matches!(self.grammar.step_at(step_use.step).kind, StepKind::Cast { .. });
                let tries = step_use.retry.as_ref().map_or(1, |Retry { most, .. }| *most);
                let step = self.uses.len() as UseId;
                self.uses.push(StepUse { body: Term::Empty, ..(**step_use).clone() });
                self.skippable.push(false);
                self.owed.push(false);
                self.tolerated.push(false);
                self.inside.push(first..step);
                self.term(Residual::Step { step, tries, body, cast })
            }
            Term::Sequence(terms) => {
                let parts = self.lower_all(terms, depth)?;
                let done = self.done();
                parts.into_iter().rev().fold(done, |rest, part| self.sequence(part, rest))
            }
            Term::Choice(terms) => {
                let parts = self.lower_all(terms, depth)?;
                self.term(Residual::Choice(parts))
            }
            Term::Optional(term) => {
                let parts = vec![self.lower(term, depth + 1)?, self.done()];
                if let Residual::Step { step, .. } = self.terms[parts[0] as usize] {
                    self.skippable[step as usize] = true;
                }
                self.term(Residual::Choice(parts))
            }
            Term::AnyOrder(terms) => {
                let parts = self.lower_all(terms, depth)?;
                self.term(Residual::AnyOrder(parts))
            }
            Term::Repeat { body, most } => {
                let body = self.lower(body, depth + 1)?;
                self.term(Residual::Repeat { body, left: *most })
            }
            Term::Attempt { body, handler } => {
                let body = self.lower(body, depth + 1)?;
                let first = self.owed.len();
                let handler = self.lower(handler, depth + 1)?;
                self.owed[first..].fill(true);
                self.term(Residual::Attempt { body, handler, begun: false })
            }
            Term::Tolerate(body) => {
                let first = self.tolerated.len();
                let body = self.lower(body, depth + 1)?;
                self.tolerated[first..].fill(true);
                self.term(Residual::Tolerate(body))
            }
        })
    }

    /// Whether the residual may be over without anything more.
    fn may_be_done(&self, term: TermId) -> bool {
        match &self.terms[term as usize] {
            Residual::Done | Residual::Repeat { .. } => true,
            Residual::Failed | Residual::Step { .. } | Residual::Inside { .. } => false,
            Residual::Sequence(first, second) => self.may_be_done(*first) && self.may_be_done(*second),
            Residual::Choice(parts) => parts.iter().any(|part| self.may_be_done(*part)),
            Residual::AnyOrder(parts) => parts.iter().all(|part| self.may_be_done(*part)),
            Residual::Attempt { body, .. } => self.may_be_done(*body),
            Residual::Tolerate(body) => self.may_be_done(*body) || self.may_be_failed(*body),
        }
    }

    /// Whether the residual may have failed without anything more.
    fn may_be_failed(&self, term: TermId) -> bool {
        match &self.terms[term as usize] {
            Residual::Failed => true,
            Residual::Sequence(first, second) => {
                self.may_be_failed(*first) || self.may_be_done(*first) && self.may_be_failed(*second)
            }
            Residual::Attempt { body, handler, .. } => self.may_be_failed(*body) && self.may_be_done(*handler),
            _ => false,
        }
    }

    /// Whether a handler has to run before what encloses the residual can fail: an attempt in it has begun, or has failed
    /// and its handler is not over.
    fn owes_a_handler(&self, term: TermId) -> bool {
        match &self.terms[term as usize] {
            Residual::Attempt { begun, body, .. } => *begun || self.owes_a_handler(*body),
            Residual::Sequence(first, second) => {
                let failing = matches!(self.terms[*second as usize], Residual::Failed) && !self.may_be_done(*first);
                failing || self.owes_a_handler(*first) || self.may_be_done(*first) && self.owes_a_handler(*second)
            }
            Residual::Inside { rest, .. } => self.owes_a_handler(*rest),
            _ => false,
        }
    }

    /// The steps that have to come before what encloses the residual can fail.
    fn owed_steps(&self, term: TermId, owed: &mut Vec<UseId>) {
        match &self.terms[term as usize] {
            Residual::Attempt { begun, body, handler } => {
                self.owed_steps(*body, owed);
                if *begun {
                    self.required_steps(*handler, owed);
                }
            }
            Residual::Sequence(first, second) => match self.terms[*second as usize] {
                Residual::Failed => self.required_steps(*first, owed),
                _ => {
                    self.owed_steps(*first, owed);
                    if self.may_be_done(*first) {
                        self.owed_steps(*second, owed);
                    }
                }
            },
            Residual::Inside { rest, .. } => self.owed_steps(*rest, owed),
            _ => {}
        }
    }

    /// The steps that the residual cannot be done without; those that stand inside others are left out.
    fn required_steps(&self, term: TermId, required: &mut Vec<UseId>) {
        match &self.terms[term as usize] {
            Residual::Step { step, .. } => required.push(*step),
            Residual::Sequence(first, second) => {
                self.required_steps(*first, required);
                self.required_steps(*second, required);
            }
            Residual::AnyOrder(parts) => parts.iter().for_each(|part| self.required_steps(*part, required)),
            Residual::Attempt { body, .. } | Residual::Tolerate(body) => self.required_steps(*body, required),
            Residual::Choice(_) | Residual::Repeat { .. } => {}
            Residual::Done | Residual::Failed | Residual::Inside { .. } => {}
        }
    }

    /// Whether something in the residual is taken back when it fails.
    fn has_attempt(&self, term: TermId) -> bool {
        match &self.terms[term as usize] {
            Residual::Attempt { .. } => true,
            Residual::Sequence(first, second) => self.has_attempt(*first) || self.has_attempt(*second),
            Residual::Choice(parts) | Residual::AnyOrder(parts) => parts.iter().any(|part| self.has_attempt(*part)),
            Residual::Repeat { body, .. } | Residual::Tolerate(body) => self.has_attempt(*body),
            Residual::Done | Residual::Failed | Residual::Step { .. } | Residual::Inside { .. } => false,
        }
    }

    /// Whether a step of the residual is under way.
    fn is_inside(&self, term: TermId) -> bool {
        match &self.terms[term as usize] {
            Residual::Inside { .. } => true,
            Residual::Sequence(first, _) => self.is_inside(*first),
            Residual::Attempt { body, .. } | Residual::Tolerate(body) => self.is_inside(*body),
            _ => false,
        }
    }

    /// What may happen to a residual. Each is worked out once.
    fn moves(&mut self, term: TermId) -> Vec<Move> {
        if let Some(known) = self.moves.get(&term) {
            return known.clone();
        }
        let moves = match self.terms[term as usize].clone() {
            Residual::Done | Residual::Failed => Vec::new(),
            Residual::Step { step, tries, body, cast: true } => {
                let work = self.term(Residual::Step { step, tries, body, cast: false });
                vec![(Label::Send(step), self.done(), Some(work))]
            }
            Residual::Step { step, tries, body, cast: false } => {
                let inside = self.term(Residual::Inside { step, tries, whole: body, rest: body });
                vec![(Label::Begin(step), inside, None)]
            }
            Residual::Inside { step, tries, whole, rest } => self.moves_inside(step, tries, whole, rest),
            Residual::Sequence(first, second) => {
                let mut moves: Vec<Move> = self.moves(first);
                for (_, next, _) in &mut moves {
                    *next = self.sequence(*next, second);
                }
                if self.may_be_done(first) {
                    moves.extend(self.moves(second));
                }
                moves
            }
            Residual::Choice(parts) => parts.iter().flat_map(|part| self.moves(*part)).collect(),
            Residual::AnyOrder(parts) => self.moves_in_any_order(&parts),
            Residual::Repeat { left: Some(0), .. } => Vec::new(),
            Residual::Repeat { body, left } => {
                let again = self.term(Residual::Repeat { body, left: left.map(|left| left - 1) });
                let mut moves = self.moves(body);
                for (_, next, _) in &mut moves {
                    *next = self.sequence(*next, again);
                }
                moves
            }
            Residual::Attempt { body, handler, .. } => {
                let failed = self.failed();
                let handling = self.sequence(handler, failed);
                let mut moves = self.moves(body);
                for (_, next, _) in &mut moves {
                    *next = match self.terms[*next as usize] {
                        Residual::Failed => handling,
                        Residual::Done => *next,
                        _ => self.term(Residual::Attempt { body: *next, handler, begun: true }),
                    };
                }
                if !self.owes_a_handler(body) && !self.is_inside(body) {
                    moves.push((Label::Break, handling, None));
                }
                moves
            }
            Residual::Tolerate(body) => {
                let mut moves = self.moves(body);
                for (_, next, _) in &mut moves {
                    *next = match self.terms[*next as usize] {
                        Residual::Failed => self.done(),
                        Residual::Done => *next,
                        _ => self.term(Residual::Tolerate(*next)),
                    };
                }
                moves
            }
        };
        self.moves.insert(term, moves.clone());
        moves
    }

    fn moves_inside(&mut self, step: UseId, tries: u32, whole: TermId, rest: TermId) -> Vec<Move> {
        let mut moves = self.moves(rest);
        for (_, next, _) in &mut moves {
            *next = self.term(Residual::Inside { step, tries, whole, rest: *next });
        }
        let (done, failed) = (self.done(), self.failed());
        if self.may_be_done(rest) {
            moves.push((Label::End(step, Ending::Success), done, None));
        }
        if self.owes_a_handler(rest) {
            let mut owed = Vec::new();
            self.owed_steps(rest, &mut owed);
            let number = self.abandoned.len() as u32;
            self.abandoned.push(owed);
            moves.push((Label::End(step, Ending::Abandoned(number)), failed, None));
            return moves;
        }
        let ending = match self.may_be_failed(rest) {
            true => Ending::FailureWithin,
            false if self.may_be_done(rest) && self.has_attempt(whole) => Ending::FailureAfterAll,
            false => Ending::Failure,
        };
        moves.push((Label::End(step, ending), failed, None));
        if tries > 1 {
            let again = self.term(Residual::Step { step, tries: tries - 1, body: whole, cast: false });
            moves.push((Label::End(step, Ending::FailureAndRetry), again, None));
        }
        moves
    }

    fn moves_in_any_order(&mut self, parts: &[TermId]) -> Vec<Move> {
        let mut all = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut others = parts.to_vec();
            others.remove(index);
            let others = if others.is_empty() { self.done() } else { self.term(Residual::AnyOrder(others)) };
            for (label, next, spawned) in self.moves(*part) {
                all.push((label, self.sequence(next, others), spawned));
            }
        }
        all
    }

    pub(super) fn successors(&mut self, state: &State) -> Vec<(Label, State)> {
        let mut successors = Vec::new();
        for (label, next, spawned) in self.moves(state.main) {
            successors.push((label, self.state(next, state.spawned.clone(), spawned, state.failed)));
        }
        for (index, part) in state.spawned.iter().enumerate() {
            for (label, next, spawned) in self.moves(*part) {
                let mut others = state.spawned.clone();
                others.remove(index);
                others.push(next);
                successors.push((label, self.state(state.main, others, spawned, state.failed)));
            }
        }
        successors
    }

    fn state(&self, main: TermId, spawned: Vec<TermId>, new: Option<TermId>, failed: bool) -> State {
        let mut state = State { main, spawned: Vec::new(), failed };
        for part in spawned.into_iter().chain(new) {
            match self.terms[part as usize] {
                Residual::Done => {}
                Residual::Failed => state.failed = true,
                _ => state.spawned.push(part),
            }
        }
        state.spawned.sort_unstable();
        state
    }

    pub(super) fn finish(&self, state: &State) -> Finish {
        let over = |part: TermId| self.may_be_done(part) || self.may_be_failed(part);
        if !over(state.main) || !state.spawned.iter().all(|part| over(*part)) {
            return Finish::Open;
        }
        let failed = |part: &TermId| !self.may_be_done(*part);
        match state.failed || failed(&state.main) || state.spawned.iter().any(failed) {
            true => Finish::Failed,
            false => Finish::Completed,
        }
    }
}
