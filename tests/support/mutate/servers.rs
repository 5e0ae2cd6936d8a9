//! What is different where the flow is one of a server: much is left to its deletion, and it may have other volumes.

use super::super::path::{Act, uses};
use super::super::writer::Style;
use super::{Expected, Kind, Mutant, Mutator, UNTIED, any};

/// What has to come of a mutant, and the step that is owed behind it, where that is another one.
type Judged = (Expected, Option<&'static str>);

const KEPT: &str = "a server in ERROR keeps its volume until it is deleted";
const BREAKS_OFF: &str = "nothing shows which part of the build it broke off in";
const NO_HOST: &str = "perhaps no host was found, which no line has to show";
const OTHER_VOLUME: &str = "the server may have the other volume too, and nothing tells whose attachment it is";
const RESERVED: &str = "the volume is still reserved for its server";

impl Mutator<'_> {
    /// A mutant of a server's flow, with what has to come of it.
    pub(super) fn of_a_server(&self, mutant: Mutant) -> Mutant {
        if !self.is_about_a_server() || mutant.expected == Expected::Legal(super::NO_VOLUME) {
            return mutant;
        }
        let expected = match self.path.flow.as_str() {
            "boot-attach" => self.of_a_boot(&mutant),
            "unshelve" => self.of_an_unshelve(&mutant),
            "shelve-offload" | "migrate" | "evacuate" | "rebuild" => self.of_a_move(&mutant),
            _ => None,
        };
        let is_new_style = self.path.variant.as_deref() == Some("new-style");
        let names_volume = || self.is_first(&mutant, &["cinder.volume.delete"]);
        let expected = match mutant.kind {
            Kind::Redirected if is_new_style && !names_volume() => Some((Expected::Legal(OTHER_VOLUME), None)),
            _ => expected,
        };
        let Some((expected, owed)) = expected else { return mutant };
        // What is owed behind it, and missing, names it as well.
        let owed = owed.and_then(|name| self.grammar.step(name));
        let steps = mutant.steps.iter().copied().chain(owed).collect();
        Mutant { expected, steps, ..mutant }
    }

    fn of_a_boot(&self, mutant: &Mutant) -> Option<Judged> {
        let is_old = self.path.variant.as_deref() == Some("old-style");
        let acts = &mutant.path.acts;
        let gone = |act: &Act| act.owed && act.status == 404;
        let has_begun = acts.iter().any(|act| any(act, &|act| act.name_is(self.grammar, "cinder.attachment.update")));
        let is_recorded = uses(acts, self.grammar, "cinder.volume.attach");
        let releases = ["cinder.attachment.delete", "cinder.volume.terminate_connection"];
        let messages = ["nova-conductor.schedule_and_build_instances", "nova-compute.build_and_run_instance"];
        let reason = match mutant.kind {
            Kind::FailedRollback if self.is_first(mutant, &releases) => KEPT,
            // The second host does not take back what it began.
            Kind::FailedRollback
                if self.is_first(mutant, &["cinder.attachment.update", "cinder.attachment.complete"]) =>
            {
                return Some((Expected::Violated, Some("cinder.attachment.delete")));
            }
            Kind::NotRolledBack | Kind::LostRollback if !is_old && !has_begun => "the host may not have begun",
            Kind::NotRolledBack if acts.iter().any(|act| any(act, &gone)) => "what is not there is gone",
            Kind::NotRolledBack | Kind::LostRollback if is_old && !is_recorded && self.style == Style::Default => {
                BREAKS_OFF
            }
            Kind::Dropped if self.is_first(mutant, &["cinder.volume.create"]) => "it reads as a volume that was there",
            Kind::Redirected if self.is_first(mutant, &["cinder.volume.create"]) => {
                "only the answer names a new volume"
            }
            Kind::Dropped if self.is_first(mutant, &["cinder.volume.attach"]) => BREAKS_OFF,
            Kind::Flipped | Kind::Refused | Kind::LostReply if is_old && !is_recorded => BREAKS_OFF,
            Kind::Dropped if self.style == Style::Default && self.is_first(mutant, &messages) => NO_HOST,
            Kind::LostCast if self.style == Style::Default || self.is_first(mutant, &messages[..1]) => NO_HOST,
            Kind::Undone if !is_old => "it reads as a build that failed",
            Kind::Replaced if self.is_first(mutant, &["cinder.attachment.complete"]) => {
                "it reads as a build that failed"
            }
            _ => return None,
        };
        Some((Expected::Legal(reason), None))
    }

    fn of_an_unshelve(&self, mutant: &Mutant) -> Option<Judged> {
        let connects = |act: &Act| act.well && act.name_is(self.grammar, "cinder.attachment.update");
        let is_connected = mutant.path.acts.iter().any(|act| any(act, &connects));
        match mutant.kind {
            // Whatever fails, the host gives the volume back.
            Kind::Flipped | Kind::Refused | Kind::LostReply
                if self.is_first(mutant, &["cinder.attachment.update", "cinder-volume.attachment_update"]) =>
            {
                Some((Expected::Violated, None))
            }
            Kind::FailedRollback if !is_connected => Some((Expected::Legal(RESERVED), None)),
            _ => None,
        }
    }

    fn of_a_move(&self, mutant: &Mutant) -> Option<Judged> {
        let is_live = uses(&mutant.path.acts, self.grammar, "nova.server.live-migrate");
        let is_old = self.path.variant.as_deref() == Some("old-style");
        let makes = |act: &Act| act.well && act.name_is(self.grammar, "cinder.attachment.create");
        let ends = |act: &Act| act.well && act.name_is(self.grammar, "cinder.attachment.complete");
        let has = |fits: &dyn Fn(&Act) -> bool| mutant.path.acts.iter().any(|act| any(act, &fits));
        let is_half_made = has(&makes) && !has(&ends);
        let is_host_shown =
            self.style == Style::Rpc || !matches!(self.path.flow.as_str(), "migrate" | "shelve-offload");
        let completes = self.is_first(mutant, &["cinder.attachment.complete"]);
        // Another host takes the server on, and no line that is always written tells which.
        let on_other_host = self.path.flow == "migrate" && !is_live && !is_host_shown;
        let takes_on = ["nova-compute.finish_resize", "nova-compute.finish_revert_resize", "cinder.attachment.update"];
        let reason = match mutant.kind {
            Kind::Dropped | Kind::LostCast if on_other_host && self.is_first(mutant, &takes_on[..2]) => UNTIED,
            Kind::Killed if on_other_host && self.is_first(mutant, &takes_on[2..]) => UNTIED,
            // What the new host of a live migration made cannot stay.
            Kind::FailedRollback | Kind::NotRolledBack | Kind::LostRollback
                if is_live && is_half_made && is_host_shown =>
            {
                return Some((Expected::Violated, None));
            }
            // The volume stays attaching.
            Kind::Flipped | Kind::Refused if completes && is_host_shown => return Some((Expected::Violated, None)),
            Kind::LostReply if is_live && is_half_made => return Some((Expected::Violated, None)),
            Kind::LostReply if is_live && has(&ends) && !is_host_shown => {
                return Some((Expected::Violated, Some("cinder.attachment.delete")));
            }
            Kind::Flipped | Kind::Refused if completes => UNTIED,
            // What follows it is owed.
            Kind::Killed if self.is_first(mutant, &["cinder.volume.reimage"]) => {
                return Some((Expected::Violated, Some("cinder.attachment.update")));
            }
            Kind::Dropped if is_live && completes && !is_host_shown => "nothing tells which attachment goes",
            Kind::TakenAway if self.path.flow == "shelve-offload" && !is_host_shown => {
                "nothing tells which attachment goes"
            }
            Kind::Redirected if is_old && is_live && !is_host_shown => UNTIED,
            Kind::Dropped if !is_live && self.is_first(mutant, &["cinder.volume.terminate_connection"]) => return None,
            Kind::Dropped | Kind::Killed | Kind::LostCast if is_old && !is_host_shown => UNTIED,
            _ => return None,
        };
        Some((Expected::Legal(reason), None))
    }

    fn is_first(&self, mutant: &Mutant, names: &[&str]) -> bool {
        mutant.steps.first().is_some_and(|step| names.contains(&self.grammar.step_at(*step).name.as_str()))
    }
}
