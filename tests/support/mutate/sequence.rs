//! Steps left out, doubled, or at another place.

use flowcheck::spec::grammar::{PathSegment, StepKind};

use super::super::path::{Act, Turn, uses};
use super::{Address, Expected, Kind, Mutant, Mutator, at, list, names, remove};

impl Mutator<'_> {
    pub(super) fn dropped(&self, address: &Address, all: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let inside = names(act);
        let mut acts = self.path.acts.clone();
        remove(&mut acts, address);
        if acts.is_empty() {
            return None;
        }
        let expected = if self.path.direct && self.name(act) == "cinder.attachment.update" && !self.path.connector {
            // The attachment then is completed without a connection.
            Expected::Violated
        } else if act.optional {
            Expected::Legal("it is optional")
        } else if self.path.direct && address == &[self.path.acts.len() - 1] {
            Expected::Legal("a user has no deadline: the chain just stops")
        } else if self.path.direct && address == &[0] {
            Expected::Legal("it may have been sent before the logs begin")
        } else {
            self.absent(address, all)
        };
        Some(self.mutant(Kind::Dropped, acts, inside, expected))
    }

    pub(super) fn doubled(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (list, index) = list(&mut acts, address);
        list.insert(index, act.clone());
        let at_rest = [
            "cinder.volume.unreserve",
            "cinder.volume.roll_detaching",
            "cinder.volume.detach",
            "cinder.volume.reset_status",
            "cinder.volume.force_detach",
        ];
        let expected = if self.path.direct && at_rest.contains(&self.name(act)) {
            Expected::Legal("cinder answers well and does nothing to a volume at rest")
        } else if self.path.direct
            && self.name(act) == "cinder.attachment.delete"
            && !uses(&self.path.acts, self.grammar, "cinder.volume.begin_detaching")
        {
            // Nothing ties it to the volume of the first one.
            Expected::Legal("a deletion stands for itself")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Doubled, acts, vec![act.step], expected))
    }

    pub(super) fn swapped(&self, address: &Address, next: &Address) -> Option<Mutant> {
        let (first, second) = (at(&self.path.acts, address), at(&self.path.acts, next));
        if !self.is_change(first) || next.starts_with(address) || first.step == second.step {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let steps = vec![first.step, second.step];
        let (first, second) = (first.clone(), second.clone());
        let (place, index) = list(&mut acts, next);
        place[index] = first;
        let (place, index) = list(&mut acts, address);
        place[index] = second;
        // A second attachment for the same server is one too many, whenever the first was made.
        let is_second =
            steps.first().is_some_and(|step| self.grammar.step_at(*step).name == "cinder.attachment.create");
        let expected = match self.path.direct && acts.len() == 2 && !(is_second && self.path.connector) {
            true => Expected::Legal("the first may end what the logs do not hold, the second begin what goes on"),
            false => Expected::Violated,
        };
        Some(self.mutant(Kind::Swapped, acts, steps, expected))
    }

    /// The request comes after all others beside it.
    pub(super) fn moved(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        let last = (index + 1..place.len()).rev().find(|last| self.is_change(&place[*last]))?;
        // Beside its neighbour it would have changed places with it.
        let between = (index + 1..last).filter(|other| self.is_change(&place[*other])).count();
        if !self.is_change(act) || between == 0 || place[last].step == act.step {
            return None;
        }
        let act = place.remove(index);
        place.insert(last, act.clone());
        // A second attachment for the same server is one too many, whenever the first was made.
        let begins = self.path.direct && address == &[0] && self.name(&act) != "cinder.attachment.create";
        let expected = match begins {
            true => Expected::Legal("it may have been sent before the logs begin"),
            false => Expected::Violated,
        };
        Some(self.mutant(Kind::Moved, acts, vec![act.step], expected))
    }

    /// Another request about the same thing stands in its place.
    pub(super) fn replaced(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let other = match self.name(act) {
            "cinder.volume.reserve" => "cinder.volume.begin_detaching",
            "cinder.volume.begin_detaching" => "cinder.volume.reserve",
            "cinder.volume.attach" => "cinder.volume.detach",
            "cinder.volume.detach" => "cinder.volume.attach",
            "cinder.volume.initialize_connection" => "cinder.volume.terminate_connection",
            "cinder.volume.terminate_connection" => "cinder.volume.initialize_connection",
            "cinder.attachment.update" => "cinder.attachment.delete",
            "cinder.attachment.complete" => "cinder.attachment.delete",
            "cinder.attachment.delete" => "cinder.attachment.complete",
            _ => return None,
        };
        let step = self.grammar.step(other).expect("the step");
        let status = self.grammar.step_at(step).success.first().copied().expect("a request");
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place[index] = Act { step, status, acts: Vec::new(), ..act.clone() };
        let given_up = address == &[0] && other == "cinder.volume.reserve" && acts.len() > 2
            || address == &[acts.len() - 1] && other == "cinder.attachment.delete";
        let is_way_back =
            self.path.variant.as_deref() == Some("shelved-offloaded") && other == "cinder.attachment.delete";
        let expected = if is_way_back && !self.path.direct && self.name(act) == "cinder.attachment.complete" {
            Expected::Legal("it reads as the way back of an attach on a host")
        } else if self.path.direct && acts.len() == 1 {
            Expected::Legal("the logs may begin before it")
        } else if self.path.direct && given_up {
            Expected::Legal("it reads as an attach that was given up")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Replaced, acts, vec![act.step, step], expected))
    }

    /// The request is about something else.
    pub(super) fn redirected(&self, address: &Address, all: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        // Cinder's own work may need other volumes.
        let is_nova = self.path.asks(self.grammar, "nova-api")
            && !self.grammar.step_at(self.path.acts[0].step).name.starts_with("cinder.");
        if self.path.direct || !self.is_change(act) || !is_nova {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place[index].turn = Turn::Elsewhere;
        let names_attachment = |act: &Act| match &self.grammar.step_at(act.step).kind {
            StepKind::Http { path, .. } => path.contains(&PathSegment::Placeholder("attachment".to_owned())),
            _ => false,
        };
        let others =
            all.iter().filter(|other| *other != address && names_attachment(at(&self.path.acts, other))).count();
        let has_several = uses(&self.path.acts, self.grammar, "nova.swap.request");
        let mut rest = all.iter().filter(|other| *other != address).map(|other| at(&self.path.acts, other));
        let is_alone = !rest.any(|other| self.is_change(other));
        let expected = if names_attachment(act) && (others == 0 || has_several) {
            Expected::Legal("nothing tells whose attachment it is")
        } else if self.is_about_a_server() && is_alone {
            Expected::Legal("the server may have the other volume too")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Redirected, acts, vec![act.step], expected))
    }
}
