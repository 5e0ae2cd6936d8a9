//! Requests of which the log tells the answer only, as it hides the action: the work that was done for them tells which they were.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::spec::grammar::{Grammar, StepId, StepKind};
use crate::trace::builder::{Builder, Index};
use crate::trace::link::Link;
use crate::trace::node::{JoinedBy, NodeKind};

/// Leaves a request only the steps in which the specification has the work that it caused, where there are any.
pub(crate) fn narrow(builder: &mut Builder<'_>, links: &[Link]) {
    let mut works: FxHashMap<Index, Vec<StepId>> = FxHashMap::default();
    for (cause, work, edge) in links {
        let (asked, done) = (&builder.nodes[*cause], &builder.nodes[*work]);
        let is_message = matches!(done.kind, NodeKind::Call | NodeKind::Cast) && asked.service != done.service;
        let by_id = edge.joined_by != JoinedBy::Resource;
        if by_id && is_message && asked.kind == NodeKind::Http && asked.steps.len() > 1 {
            works.entry(*cause).or_default().extend(done.step());
        }
    }
    if works.is_empty() {
        return;
    }
    let messages = messages(builder.grammar);
    for (request, works) in works {
        let does_all = |step: &StepId| works.iter().all(|work| messages.contains(&(*step, *work)));
        let steps = &mut builder.nodes[request].steps;
        if steps.iter().any(does_all) {
            steps.retain(does_all);
        }
    }
}

/// The messages that are sent within each request, by the steps of both.
fn messages(grammar: &Grammar) -> FxHashSet<(StepId, StepId)> {
    let is = |step: StepId, fits: fn(&StepKind) -> bool| fits(&grammar.step_at(step).kind);
    let mut messages = FxHashSet::default();
    for variant in grammar.flows.iter().flat_map(|flow| &flow.variants) {
        variant.term.each_use(&mut |asked| {
            if is(asked.step, |kind| matches!(kind, StepKind::Http { .. })) {
                asked.body.each_use(&mut |sent| {
                    if is(sent.step, |kind| matches!(kind, StepKind::Call { .. } | StepKind::Cast { .. })) {
                        messages.insert((asked.step, sent.step));
                    }
                });
            }
        });
    }
    messages
}
