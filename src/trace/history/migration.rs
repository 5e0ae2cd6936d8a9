//! A volume's migration while its history is followed.

use super::{Walk, Work};
use crate::spec::grammar::{Guard, Target, Transition};

impl Walk<'_> {
    /// Takes the volume's migration through its machine.
    pub(super) fn follow_migration(&mut self, work: &Work<'_>) {
        let Some((machine, state)) = self.migration else { return };
        let Some(step) = work.node.step() else { return };
        let Some(success) = self.success(work.node, step) else { return };
        let fits = |transition: &&Transition| {
            transition.by.contains(&step)
                && transition.failing != success
                && (transition.from.is_empty() || state.is_none_or(|state| transition.from.contains(&state)))
                && transition.guards.contains(&Guard::Target) == work.is_target
                && transition.guards.iter().all(|guard| self.holds(guard, work, None, false))
        };
        if let Some(Transition { to: Target::State(to), origin, .. }) = machine.transitions.iter().find(fits) {
            self.made.push(*origin);
            self.migration = Some((machine, Some(*to)));
        }
    }
}
