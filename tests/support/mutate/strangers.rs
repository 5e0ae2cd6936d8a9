//! What somebody else does to the volume in the middle of a flow.

use flowcheck::spec::grammar::StepKind;

use super::super::HOLDING;
use super::super::path::{Act, Turn, uses};
use super::{Address, Expected, Kind, Mutant, Mutator, at, collect, list};

impl Mutator<'_> {
    /// Before this request, and behind another one of the flow.
    pub(super) fn by_strangers(&self, address: &Address) -> Vec<Mutant> {
        let act = at(&self.path.acts, address);
        if self.path.direct || !self.is_change(act) {
            return Vec::new();
        }
        let Some(held) = self.held_by(address) else { return Vec::new() };
        let reset = self.by_stranger(address, Kind::Reset, "cinder.volume.reset_status");
        let others = match held {
            "cinder.attachment.create" | "cinder.attachment.update" => vec![
                self.by_stranger(address, Kind::TakenAway, "cinder.attachment.delete"),
                self.by_stranger(address, Kind::Twin, "cinder.attachment.create"),
            ],
            "cinder.volume.reserve" => {
                vec![self.by_stranger(address, Kind::TakenAway, "cinder.volume.terminate_connection")]
            }
            _ => Vec::new(),
        };
        std::iter::once(reset).chain(others).collect()
    }

    /// The request that holds the volume before this one; none where the volume is at rest, or the hold is another volume's.
    fn held_by(&self, address: &Address) -> Option<&str> {
        const SETTLING: [&str; 5] = [
            "cinder.attachment.complete",
            "cinder.attachment.delete",
            "cinder.volume.attach",
            "cinder.volume.detach",
            "cinder.volume.roll_detaching",
        ];
        let mut addresses = Vec::new();
        collect(&self.path.acts, &mut Vec::new(), &mut addresses);
        let before = addresses.iter().take_while(|other| *other != address).filter(|other| !address.starts_with(other));
        let names: Vec<&str> = before.map(|other| self.name(at(&self.path.acts, other))).collect();
        if uses(&self.path.acts, self.grammar, "nova.swap.request") {
            let settled = ["cinder.attachment.delete", "cinder.volume.migrate_completion"];
            let is_held =
                names.contains(&"cinder.volume.begin_detaching") && !names.iter().any(|name| settled.contains(name));
            return is_held.then_some("cinder.volume.begin_detaching");
        }
        let last = names.into_iter().rfind(|name| HOLDING.contains(name) || SETTLING.contains(name))?;
        HOLDING.contains(&last).then_some(last)
    }

    fn by_stranger(&self, address: &Address, kind: Kind, name: &str) -> Mutant {
        let step = self.grammar.step(name).expect("the step");
        let rule = self.grammar.step_at(step);
        let status = rule.success.first().copied().expect("a request");
        let foreign = Act {
            step,
            status,
            turn: Turn::Foreign,
            optional: false,
            acts: Vec::new(),
            ..at(&self.path.acts, address).clone()
        };
        debug_assert!(matches!(rule.kind, StepKind::Http { .. }));
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place.insert(index, foreign);
        self.mutant(kind, acts, vec![step], Expected::Violated)
    }
}
