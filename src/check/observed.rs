//! What was seen of a case.

use crate::check::alignment::{Observation, Phase};
use crate::spec::grammar::StepId;
use crate::trace::clocks::Stamp;
use crate::trace::node::NodeId;

/// The observations of a case, and the node of each.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) nodes: Vec<NodeId>,
    /// Nodes that may occur anywhere in the flow and take no part in the alignment, in order of time.
    pub(crate) anytime: Vec<NodeId>,
    pub(crate) observations: Vec<Observation>,
    /// The time of each observation, as it was logged.
    pub(crate) times: Vec<Option<Stamp>>,
    /// The earliest time that each observation can have; `None` where its line is only the first that is left of it.
    pub(crate) earliest: Vec<Option<Stamp>>,
    /// The latest time that each observation can have: whole seconds leave room.
    pub(crate) latest: Vec<Option<Stamp>>,
}

impl Observed {
    /// The observations of each chain, in their order.
    pub(crate) fn chains(&self) -> Vec<Vec<usize>> {
        chains(&self.observations)
    }

    /// The same observations in this order and no other.
    pub(crate) fn in_order(&self, order: &[usize]) -> Self {
        let picked = |times: &[Option<Stamp>]| order.iter().map(|seen| times[*seen]).collect();
        let one_chain = |seen: &usize| Observation { chain: 0, after: Vec::new(), ..self.observations[*seen].clone() };
        Self {
            nodes: self.nodes.clone(),
            anytime: self.anytime.clone(),
            observations: order.iter().map(one_chain).collect(),
            times: picked(&self.times),
            earliest: picked(&self.earliest),
            latest: picked(&self.latest),
        }
    }

    /// Adds a step that went well some time after an observation, and that no line shows.
    pub(crate) fn assume(&mut self, step: StepId, after: usize) {
        let chain = self.observations.iter().map(|seen| seen.chain + 1).max().unwrap_or(0);
        let node = self.nodes.len();
        for (phase, success) in [(Phase::Begin, None), (Phase::End, Some(true))] {
            let (steps, after) = (vec![step], vec![after]);
            let assumed =
                Observation { node, phase, steps, status: None, success, age: None, strict: true, chain, after };
            self.observations.push(assumed);
            for times in [&mut self.times, &mut self.earliest, &mut self.latest] {
                times.push(None);
            }
        }
    }
}

/// The observations of each chain, in their order.
pub(super) fn chains(observations: &[Observation]) -> Vec<Vec<usize>> {
    let count = observations.iter().map(|observation| observation.chain + 1).max().unwrap_or(0);
    let mut chains: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, observation) in observations.iter().enumerate() {
        chains[observation.chain].push(index);
    }
    chains
}
