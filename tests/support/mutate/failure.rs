//! Failures that are not followed up, and work that is lost.

use flowcheck::spec::grammar::StepKind;

use super::super::path::{Act, Turn, uses};
use super::{Address, Expected, Kind, Mutant, Mutator, Style, UNSEEN, UNTIED, at, collect, fail, list, names, remove};

impl Mutator<'_> {
    pub(super) fn flipped(&self, address: &Address, before: &[Address], kind: Kind) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let status = if kind == Kind::Refused { 400 } else { 500 };
        fail(&mut acts, address, self.grammar, status);
        let expected = self.unfollowed(address, before);
        Some(self.mutant(kind, acts, vec![act.step], expected))
    }

    /// What has to come of a request that fails, with nothing behind it.
    fn unfollowed(&self, address: &[usize], before: &[Address]) -> Expected {
        let act = at(&self.path.acts, address);
        let changed = |before: &Address| !address.starts_with(before) && self.is_change(at(&self.path.acts, before));
        if self.path.direct {
            Expected::Legal("a user has no deadline: the chain just stops")
        } else if act.optional && !act.tolerated {
            Expected::Legal("what is left is at rest")
        } else if self.is_about_a_server() && !act.guarded {
            Expected::Legal("nova takes nothing back there")
        } else if !before.iter().any(changed) {
            Expected::Legal("nothing was done before it")
        } else {
            Expected::Violated
        }
    }

    pub(super) fn not_rolled_back(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let parent_is_owed = address.len() > 1 && at(&self.path.acts, &address[..address.len() - 1]).owed;
        if !act.owed || parent_is_owed {
            return None;
        }
        let mut acts = self.path.acts.clone();
        remove(&mut acts, address);
        let mut others = Vec::new();
        collect(&acts, &mut Vec::new(), &mut others);
        let stands_in = |other: &Address| {
            let other = at(&acts, other);
            other.owed && other.step == act.step && other.status == act.status.min(200)
        };
        let again = others.iter().any(|other| at(&acts, other).spare && at(&acts, other).step == act.step);
        let expected = if act.optional && !self.holds_target(act) {
            Expected::Legal("it is optional")
        } else if act.spare && !others.iter().any(|other| at(&acts, other).spare) && act.status != 200
            || again && others.iter().any(stands_in)
        {
            Expected::Legal("the attempt that owes it may not have begun")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::NotRolledBack, acts, names(act), expected))
    }

    pub(super) fn failed_rollback(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !act.owed || !act.well || act.status == 404 || !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        fail(&mut acts, address, self.grammar, 500);
        let owed = |acts: &[Act]| count(acts, &|act| act.owed && !act.optional && self.releases(act));
        let is_cut_short = owed(&acts) < owed(&self.path.acts);
        let others = count(&acts, &|other| other.owed && other.well && other.step != act.step && self.releases(other));
        let expected = if is_cut_short || self.holds_target(act) {
            Expected::Violated
        } else if act.optional {
            Expected::Legal("it is optional")
        } else if others > 0 {
            Expected::Legal("the volume is at rest by then")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::FailedRollback, acts, vec![act.step], expected))
    }

    /// Whether an act lets go of the volume.
    fn releases(&self, act: &Act) -> bool {
        let names = [
            "cinder.volume.terminate_connection",
            "cinder.volume.detach",
            "cinder.volume.unreserve",
            "cinder.volume.roll_detaching",
            "cinder.attachment.delete",
        ];
        names.contains(&self.name(act))
    }

    /// Whether an act of a rollback lets go of the new volume of a swap.
    fn holds_target(&self, act: &Act) -> bool {
        let names = ["cinder.attachment.delete", "cinder.volume.unreserve"];
        let held = |other: &Act| {
            other.well && ["cinder.attachment.create", "cinder.volume.reserve"].contains(&self.name(other))
        };
        let is_swap = uses(&self.path.acts, self.grammar, "nova.swap.request");
        is_swap && names.contains(&self.name(act)) && count(&self.path.acts, &held) > 0
    }

    pub(super) fn lost_rollback(&self, addresses: &[Address]) -> Option<Mutant> {
        let acts = without_owed(&self.path.acts);
        let owed: Vec<_> =
            addresses.iter().map(|address| at(&self.path.acts, address)).filter(|act| act.owed).collect();
        if owed.is_empty() {
            return None;
        }
        let steps = owed.iter().map(|act| act.step).collect();
        let expected = match owed.iter().all(|act| act.optional || !self.is_change(act)) {
            true => Expected::Legal("it is optional"),
            false => Expected::Violated,
        };
        Some(self.mutant(Kind::LostRollback, acts, steps, expected))
    }

    /// Tried once more than the specification lets it.
    pub(super) fn retried_too_often(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let status = *act.retry.first()?;
        let mutant = self.retried(Kind::RetriedTooOften, address, status, 5);
        let stands_alone = self.path.direct && address == &[0];
        let expected = if stands_alone {
            Expected::Legal("what is turned down at rest stands for itself")
        } else {
            Expected::Violated
        };
        Some(Mutant { expected, ..mutant })
    }

    pub(super) fn retried_after_refusal(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let fits = self.is_change(act) && !self.path.direct && !act.retry.contains(&400);
        fits.then(|| self.retried(Kind::RetriedAfterRefusal, address, 400, 1))
    }

    fn retried(&self, kind: Kind, address: &Address, status: u16, times: usize) -> Mutant {
        let act = at(&self.path.acts, address);
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        let failed = Act { well: false, status, acts: Vec::new(), ..act.clone() };
        place.splice(index..index, std::iter::repeat_n(failed, times));
        self.mutant(kind, acts, vec![act.step], Expected::Violated)
    }

    pub(super) fn lost_cast(&self, address: &Address, all: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !matches!(self.grammar.step_at(act.step).kind, StepKind::Cast { .. }) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place[index].turn = Turn::Lost;
        let expected = match act.optional {
            true => Expected::Legal("it is optional"),
            false => self.absent(address, all),
        };
        // The topic that it was sent to names the host, and other messages the host's log. A scheduler's names none, and
        // without its second part a backup reads as one that was made in one go.
        let no_host = ["cinder-scheduler.", "nova-conductor.", "cinder-volume.get_backup_device.cast"];
        let names_host = !no_host.iter().any(|other| self.name(act).starts_with(other));
        let is_tied = self.style == Style::Rpc && expected == Expected::Legal(UNTIED) && names_host;
        let is_hidden = !names_host && self.unseen(address, all) == Some(UNTIED) && self.is_first_change(address);
        let expected = match expected {
            _ if is_tied => Expected::Violated,
            Expected::Violated if is_hidden => Expected::Legal(UNTIED),
            expected => expected,
        };
        Some(self.mutant(Kind::LostCast, acts, names(act), expected))
    }

    /// The caller, and all that waits for it, fails.
    pub(super) fn lost_reply(&self, address: &Address, before: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let (_, outer) = address.split_last()?;
        if outer.is_empty() || !matches!(self.grammar.step_at(act.step).kind, StepKind::Call { .. }) || self.path.direct
        {
            return None;
        }
        let mut acts = self.path.acts.clone();
        fail(&mut acts, outer, self.grammar, 500);
        let (place, _) = list(&mut acts, outer);
        let caller = place.last_mut().expect("the caller");
        caller.acts = at(&self.path.acts, outer).acts[..=address[outer.len()]].to_vec();
        caller.acts.last_mut().expect("the call").turn = Turn::Unanswered;
        let mut steps = vec![act.step];
        steps.push(at(&self.path.acts, outer).step);
        let before: Vec<Address> = before.iter().filter(|other| !other.starts_with(outer)).cloned().collect();
        Some(self.mutant(Kind::LostReply, acts, steps, self.unfollowed(outer, &before)))
    }

    /// The process that works on a cast is gone before this step.
    pub(super) fn killed(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let is_cast = |length: &usize| {
            let step = at(&self.path.acts, &address[..*length]).step;
            matches!(self.grammar.step_at(step).kind, StepKind::Cast { .. })
        };
        let cast = (1..address.len()).rev().find(is_cast)?;
        if cast + 1 != address.len() || !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place.truncate(index);
        let (place, index) = list(&mut acts, &address[..cast]);
        place[index].turn = Turn::Killed;
        let steps = vec![act.step, at(&self.path.acts, &address[..cast]).step];
        let is_unseen = self.is_unseen(at(&self.path.acts, &address[..cast]));
        let expected = match act.optional {
            true => Expected::Legal("it is optional"),
            false if is_unseen && self.is_first_change(address) => Expected::Legal(UNSEEN),
            false => Expected::Violated,
        };
        Some(self.mutant(Kind::Killed, acts, steps, expected))
    }

    /// What has just reached the goal is taken back.
    pub(super) fn undone(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let undoing = match self.name(act) {
            "cinder.attachment.complete" => "cinder.attachment.delete",
            "cinder.volume.attach" => "cinder.volume.detach",
            _ => return None,
        };
        let step = self.grammar.step(undoing).expect("the step");
        let status = self.grammar.step_at(step).success.first().copied().expect("a request");
        if self.path.direct {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (place, index) = list(&mut acts, address);
        place.insert(index + 1, Act { step, status, acts: Vec::new(), ..act.clone() });
        Some(self.mutant(Kind::Undone, acts, vec![step], Expected::Violated))
    }
}

/// How many acts fit, those inside others included.
fn count(acts: &[Act], fits: &impl Fn(&Act) -> bool) -> usize {
    acts.iter().map(|act| usize::from(fits(act)) + count(&act.acts, fits)).sum()
}

/// The acts without those of a rollback.
fn without_owed(acts: &[Act]) -> Vec<Act> {
    let kept = acts.iter().filter(|act| !act.owed);
    kept.map(|act| Act { acts: without_owed(&act.acts), ..act.clone() }).collect()
}
