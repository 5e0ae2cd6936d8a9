//! What single units of work tell that the order of steps does not: failures, messages that are a sign of something, and
//! calls that were done although nobody waited any more.

use crate::check::findings::Defect;
use crate::check::judge::Trial;
use crate::check::observations::outlives;
use crate::check::verdict::Evidence;
use crate::model::source::Place;
use crate::model::vocabulary::PlaceholderKind;
use crate::spec::grammar::{StepId, Wrong};
use crate::trace::node::{MessageSeen, Node, NodeId, NodeKind};

impl Trial<'_> {
    /// What the registry may have a finding for, each once, in the order of time.
    pub(super) fn signs(&self) -> Vec<Defect> {
        let graph = self.judge.graph;
        let mut ids = self.case.nodes.clone();
        ids.sort_by_key(|id| (graph.node(*id).beginning(), *id));
        let mut defects: Vec<Defect> = Vec::new();
        let mut add = |wrong: Wrong, sign: Option<&String>, step: StepId, evidence: Evidence| {
            let same =
                |known: &&mut Defect| known.wrong == wrong && known.sign.as_ref() == sign && known.steps == [step];
            match defects.iter_mut().find(same) {
                // The first and the last of many are enough.
                Some(known) => {
                    known.evidence.truncate(1);
                    known.evidence.push(evidence);
                }
                None => {
                    let mut defect = Defect::new(wrong, vec![step]);
                    defect.sign = sign.cloned();
                    defect.shape = sign.cloned().unwrap_or_default();
                    defect.evidence.push(evidence);
                    defect.values = self.values(Some(step));
                    defects.push(defect);
                }
            }
        };
        for id in ids {
            let node = graph.node(id);
            for message in node.messages.iter().filter(|message| self.is_of_volume(message)) {
                let meaning = self.judge.grammar.meaning(message.message);
                if let Some(sign) = &meaning.sign {
                    let evidence = Evidence { place: message.place, role: "says so".to_owned() };
                    add(Wrong::Logged, Some(sign), node.step().unwrap_or(meaning.step), evidence);
                }
            }
            let Some(step) = node.step() else { continue };
            if self.judge.grammar.went_well(step, node.status, node.success) == Some(false)
                && let Some(place) = node.failure_place()
            {
                add(Wrong::Failed, None, step, Evidence { place, role: "failed here".to_owned() });
            }
            if let Some(place) = self.done_late(id, node) {
                add(Wrong::DoneLate, None, step, Evidence { place, role: "done all the same".to_owned() });
            }
        }
        defects
    }

    /// Whether a message names no volume, or this one.
    fn is_of_volume(&self, message: &MessageSeen) -> bool {
        let rule = &self.judge.grammar.vocabulary.messages[message.message.0 as usize];
        let named = rule
            .placeholders
            .iter()
            .zip(&message.captures)
            .filter(|(placeholder, _)| placeholder.kind == PlaceholderKind::Id && placeholder.name == "volume");
        let own = self.case.volume.map(|volume| volume.to_string());
        named.map(|(_, text)| text).all(|text| own.as_deref().is_none_or(|own| own == text.as_str()))
    }

    /// The line that shows that a call was done although its sender had given up: an exception tells that it had, or the
    /// request that waited for it had failed before.
    fn done_late(&self, id: NodeId, node: &Node) -> Option<Place> {
        let graph = self.judge.graph;
        let done = node.kind == NodeKind::Call && node.received.is_some() && node.success != Some(false);
        let place = node.ended.filter(|_| done && node.end.is_some())?;
        (node.timed_out || outlives(graph, id)).then_some(place)
    }
}
