//! Where in a case the logs could show a step.

use rustc_hash::FxHashMap;

use crate::check::observability::{Observability, Sought, Touched};
use crate::check::observations::Observed;
use crate::spec::automaton::UseId;
use crate::trace::clocks::Stamp;

/// A log that could show a step, and how far it reaches in a case: for each chain of observations, how many of them have to lie
/// behind so that one is known to come after the log begins, and how many may, at most, so that one that is still to come is
/// known to come before it ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reach {
    from: Vec<u16>,
    until: Vec<u16>,
}

/// The logs that could show a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Sight(Vec<Reach>);

impl Sight {
    fn covers(&self, seen: &[u16]) -> bool {
        let any = |bounds: &[u16], fits: fn(u16, u16) -> bool| {
            seen.iter().zip(bounds).any(|(seen, bound)| fits(*seen, *bound))
        };
        self.0
            .iter()
            .any(|reach| any(&reach.from, |seen, bound| seen >= bound) && any(&reach.until, |seen, bound| seen < bound))
    }
}

/// Where in a case the logs could show each step of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sights {
    /// By step use, an index into `kinds`.
    of_use: Vec<u16>,
    kinds: Vec<Sight>,
}

impl Sights {
    /// What the logs of a case could show, of each of the steps. `begins` is the first moment of a case whose beginning was seen: a
    /// log from before that shows what would come first.
    pub(crate) fn new(
        uses: impl Iterator<Item = Sought>,
        observability: &Observability<'_>,
        touched: &Touched,
        observed: &Observed,
        begins: Option<Stamp>,
    ) -> Self {
        let chains = observed.chains();
        let mut kinds: Vec<Sight> = Vec::new();
        let mut known: FxHashMap<Sought, u16> = FxHashMap::default();
        let mut number = |sought: Sought| {
            *known.entry(sought).or_insert_with(|| {
                let logs = observability.showing(sought, touched).into_iter().map(|log| {
                    let starts =
                        |seen: &usize| observed.earliest[*seen].is_some_and(|at| observability.begins_before(log, at));
                    let goes_on =
                        |seen: &usize| observed.latest[*seen].is_some_and(|at| observability.ends_after(log, at));
                    let count = |place: usize| u16::try_from(place + 1).unwrap_or(u16::MAX);
                    let covers_all = begins.is_some_and(|at| observability.begins_before(log, at));
                    let from = |chain: &Vec<usize>| match covers_all {
                        true => 0,
                        false => chain.iter().position(starts).map_or(u16::MAX, count),
                    };
                    let until = |chain: &Vec<usize>| chain.iter().rposition(&goes_on).map_or(0, count);
                    Reach { from: chains.iter().map(from).collect(), until: chains.iter().map(until).collect() }
                });
                let sight = Sight(logs.collect());
                let place = kinds.iter().position(|kind| *kind == sight).unwrap_or_else(|| {
                    kinds.push(sight);
                    kinds.len() - 1
                });
                u16::try_from(place).unwrap_or(u16::MAX)
            })
        };
        let of_use = uses.map(&mut number).collect();
        Self { of_use, kinds }
    }

    fn sight(&self, step: UseId) -> Option<&Sight> {
        self.kinds.get(usize::from(self.of_use[step as usize]))
    }

    /// Whether the logs could show a step where so many of the observations of each chain lie behind and the others are still to
    /// come.
    pub(super) fn covers(&self, step: UseId, seen: &[u16]) -> bool {
        self.sight(step).is_some_and(|sight| sight.covers(seen))
    }

    /// Whether the logs could show a step in some part of the case.
    pub(super) fn covers_some(&self, step: UseId) -> bool {
        let is_somewhere = |reach: &Reach| {
            reach.from.iter().any(|from| *from < u16::MAX) && reach.until.iter().any(|until| *until > 0)
        };
        self.sight(step).is_some_and(|sight| sight.0.iter().any(is_somewhere))
    }

    /// The same, but that the logs show nothing of some steps.
    pub(super) fn without(mut self, is_hidden: impl Fn(UseId) -> bool) -> Self {
        let nothing = u16::try_from(self.kinds.len()).unwrap_or(u16::MAX);
        self.kinds.push(Sight::default());
        for (step, kind) in self.of_use.iter_mut().enumerate() {
            if is_hidden(step as UseId) {
                *kind = nothing;
            }
        }
        self
    }
}
