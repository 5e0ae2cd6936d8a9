//! What somebody else did to a flow's volume while the flow was at work on it.

use uuid::Uuid;

use crate::check::findings::Defect;
use crate::check::judge::Trial;
use crate::check::verdict::Evidence;
use crate::spec::grammar::{Subject, Wrong};
use crate::trace::history::{Change, Effect};

impl Trial<'_> {
    /// Requests sent straight to the service that took the volume out of the status in which this flow had put it, or took the
    /// attachment that it works on, and behind which the flow went on.
    pub(super) fn intrusions(&self) -> Vec<Defect> {
        let track = self.case.volume.and_then(|volume| self.judge.histories.tracks.get(&volume));
        let Some((track, machine)) = track.zip(self.machine).filter(|_| !self.flow.direct) else { return Vec::new() };
        let made: Vec<&Change> = track.changes.iter().filter(|change| change.effect != Effect::Failed).collect();
        let is_mine = |change: &Change| self.case.nodes.contains(&change.node);
        let is_told = |change: &Change| change.effect != Effect::Open;
        let mut defects = Vec::new();
        for (index, change) in made.iter().enumerate() {
            let Some(before) = made[..index].iter().rfind(|other| is_mine(other) && is_told(other)) else { continue };
            let at_rest = |state: Option<usize>| state.is_some_and(|state| machine.rest.contains(&state));
            // Work of its own on a volume at rest, such as a snapshot, goes through a status of transit.
            let moves = change.from.is_some() && before.to == change.from && change.to != change.from;
            let jumps = moves && (!at_rest(change.from) || at_rest(change.to));
            let changes = change.effect == Effect::Changed && jumps && self.may_concern(change);
            if !changes && !self.takes_attachment(change)
                || !is_told(change)
                || !change.direct
                || is_mine(change)
                || !self.precedes(before, change)
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
        let named = self.judge.graph.node(change.node).attachment;
        named.is_none_or(|named| self.attachments().next().is_none() || self.attachments().any(|own| own == named))
    }

    /// Whether a request removes the attachment that the flow works on.
    fn takes_attachment(&self, change: &Change) -> bool {
        let named = self.judge.graph.node(change.node).attachment;
        let removes =
            self.judge.grammar.machine(Subject::Attachment).is_some_and(|machine| machine.removes(change.step));
        removes && named.is_some_and(|named| self.attachments().any(|own| own == named))
    }

    /// The attachments that the flow works on.
    fn attachments(&self) -> impl Iterator<Item = Uuid> {
        self.case.nodes.iter().filter_map(|id| self.judge.graph.node(*id).attachment)
    }

    /// Whether the clocks leave no doubt that one came before the other.
    fn precedes(&self, change: &Change, later: &Change) -> bool {
        let graph = self.judge.graph;
        let ends = |change: &Change| graph.node(change.node).ending_stamp();
        let apart = ends(change).zip(ends(later)).and_then(|(from, to)| graph.clocks().least_between(from, to));
        apart.is_some_and(|apart| apart >= 0)
    }
}
