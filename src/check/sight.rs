//! Where in a case the logs could show a step.

use rustc_hash::FxHashMap;

use crate::check::observability::{Observability, Sought, Touched};
use crate::check::observed::Observed;
use crate::model::source::{Coverage, SourceId};
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

impl Reach {
    fn new(
        observability: &Observability<'_>,
        log: (SourceId, &Coverage),
        chains: &[Vec<usize>],
        observed: &Observed,
        begins: Option<Stamp>,
    ) -> Self {
        let count = |place: usize| u16::try_from(place + 1).unwrap_or(u16::MAX);
        let is_from_before = |at: &Option<Stamp>| at.is_some_and(|at| observability.begins_before(log, at));
        let goes_on_to = |at: &Option<Stamp>| at.is_some_and(|at| observability.ends_after(log, at));
        let from = |chain: &Vec<usize>| {
            if is_from_before(&begins) {
                return 0;
            }
            chain.iter().position(|seen| is_from_before(&observed.earliest[*seen])).map_or(u16::MAX, count)
        };
        let until =
            |chain: &Vec<usize>| chain.iter().rposition(|seen| goes_on_to(&observed.latest[*seen])).map_or(0, count);
        Self { from: chains.iter().map(from).collect(), until: chains.iter().map(until).collect() }
    }
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
        let mut sights = Self { of_use: Vec::new(), kinds: Vec::new() };
        let mut known: FxHashMap<Sought, u16> = FxHashMap::default();
        for sought in uses {
            let kind = *known.entry(sought).or_insert_with(|| {
                let logs = observability.showing(sought, touched).into_iter();
                sights.kind(Sight(logs.map(|log| Reach::new(observability, log, &chains, observed, begins)).collect()))
            });
            sights.of_use.push(kind);
        }
        sights
    }

    /// The number of a sight; equal ones have the same.
    fn kind(&mut self, sight: Sight) -> u16 {
        let place = self.kinds.iter().position(|kind| *kind == sight).unwrap_or_else(|| {
            self.kinds.push(sight);
            self.kinds.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
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
