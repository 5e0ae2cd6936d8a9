//! What somebody else did to a flow's volume while the flow was at work on it.

use crate::check::findings::Defect;
use crate::check::judge::Trial;
use crate::check::verdict::Evidence;
use crate::spec::grammar::Wrong;
use crate::trace::history::{Change, Effect};

impl Trial<'_> {
    /// Requests sent straight to the service that took the volume out of a status of transit in which this flow had put it, and
    /// behind which the flow went on.
    pub(super) fn intrusions(&self) -> Vec<Defect> {
        let track = self.case.volume.and_then(|volume| self.judge.histories.tracks.get(&volume));
        let Some((track, machine)) = track.zip(self.machine).filter(|_| !self.flow.direct) else { return Vec::new() };
        let well = |change: &&Change| matches!(change.effect, Effect::Changed | Effect::None);
        let made: Vec<&Change> = track.changes.iter().filter(well).collect();
        let is_mine = |change: &Change| self.case.nodes.contains(&change.node);
        let mut defects = Vec::new();
        for (index, change) in made.iter().enumerate() {
            let Some(before) = made[..index].iter().rfind(|other| is_mine(other)) else { continue };
            let in_transit = change.from.is_some_and(|from| before.to == Some(from) && !machine.rest.contains(&from));
            let foreign = change.effect == Effect::Changed && change.direct && change.to != change.from;
            if !in_transit || !foreign || is_mine(change) || !self.may_concern(change) || !self.precedes(before, change)
            {
                continue;
            }
            let goes_on = |other: &&&Change| is_mine(other) && self.precedes(change, other);
            let Some(after) = made[index + 1..].iter().find(goes_on) else { continue };
            let name = &self.judge.grammar.step_at(change.step).name;
            let mut defect = Defect::new(Wrong::Unexpected, vec![change.step]);
            defect.expected = format!("nobody else at work on the volume while {} is", self.flow.name);
            let place = |change: &Change| self.judge.graph.node(change.node).first_place();
            let by_flow = |change: &Change, role: &str| {
                let role = format!("{} {role}", self.judge.grammar.step_at(change.step).name);
                place(change).map(|place| Evidence { place, role })
            };
            defect.evidence.extend(by_flow(before, "of this flow"));
            defect
                .evidence
                .extend(place(change).map(|place| Evidence { place, role: format!("{name} comes from elsewhere") }));
            defect.evidence.extend(by_flow(after, "of this flow goes on"));
            defect.shape = format!("{name} from elsewhere");
            defect.state = change.to.map(|state| machine.states[state].0.clone());
            defect.values = self.values(Some(change.step));
            defects.push(defect);
        }
        defects
    }

    /// Whether a request may be about this flow's attachment: it names none, or one that the flow works on.
    fn may_concern(&self, change: &Change) -> bool {
        let own = || self.case.nodes.iter().filter_map(|id| self.judge.graph.node(*id).attachment);
        let named = self.judge.graph.node(change.node).attachment;
        named.is_none_or(|named| own().next().is_none() || own().any(|own| own == named))
    }

    /// Whether the clocks leave no doubt that one came before the other.
    fn precedes(&self, change: &Change, later: &Change) -> bool {
        let graph = self.judge.graph;
        let ends = |change: &Change| graph.node(change.node).ending_stamp();
        let apart = ends(change).zip(ends(later)).and_then(|(from, to)| graph.clocks().least_between(from, to));
        apart.is_some_and(|apart| apart >= 0)
    }
}
