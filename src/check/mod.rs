//! Layer 4: conformance, status machines, obligations, findings. Knows nothing of how anything is printed.

pub mod alignment;
mod blame;
pub(crate) mod conformance;
mod deviations;
pub mod findings;
mod intrusions;
pub(crate) mod judge;
mod obligations;
pub mod observability;
pub(crate) mod observations;
pub(crate) mod observed;
mod outcome;
mod outlook;
mod overlaps;
mod shares;
mod sight;
mod signs;
mod silence;
mod steps;
mod suspects;
mod times;
mod unseen;
pub mod verdict;

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::check::conformance::Automata;
use crate::check::judge::Judge;
use crate::check::observability::Observability;
use crate::check::verdict::{Checked, FlowVerdict, StatusSeen, TransitionSeen, VolumeHistory};
use crate::model::source::SourceSummary;
use crate::spec::automaton::TooLarge;
use crate::spec::grammar::{Grammar, Subject};
use crate::trace::cases;
use crate::trace::clocks::Stamp;
use crate::trace::graph::CallGraph;
use crate::trace::history::{Effect, Histories};
use crate::trace::node::NodeId;
use crate::trace::resources::Resources;

/// Checks all flows of a call graph against the specification.
pub fn check(grammar: &Grammar, graph: &CallGraph, sources: &[SourceSummary]) -> Result<Checked, TooLarge> {
    let resources = Resources::new(graph);
    let histories = Histories::new(grammar, graph, &resources);
    let cases = cases::cases(grammar, graph, &resources, &histories);
    let automata = Automata::compile(grammar, &cases)?;
    let observability = Observability::new(grammar, sources, graph, &resources);
    let judge = Judge { grammar, graph, histories: &histories, observability: &observability, automata: &automata };
    let mut judged: Vec<Option<FlowVerdict>> = cases.par_iter().map(|case| judge.judge(case)).collect();
    overlaps::add(&judge, &cases, &mut judged);
    let mut flows = Vec::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut of_node: FxHashMap<NodeId, String> = FxHashMap::default();
    for (case, verdict) in cases.iter().zip(judged) {
        let Some(mut verdict) = verdict else { continue };
        let number = numbers.entry(verdict.flow.clone()).or_default();
        *number += 1;
        verdict.id = format!("{}-{number}", verdict.flow);
        of_node.extend(case.nodes.iter().map(|id| (*id, verdict.id.clone())));
        flows.push(verdict);
    }
    let volumes = volumes(grammar, graph, &histories, &of_node);
    Ok(Checked { flows, volumes, clocks: graph.clocks().all().to_vec() })
}

/// The volumes' histories for the report: of those that something was done to, or that a flow is about.
fn volumes(
    grammar: &Grammar,
    graph: &CallGraph,
    histories: &Histories,
    of_node: &FxHashMap<NodeId, String>,
) -> Vec<VolumeHistory> {
    let Some(machine) = grammar.machine(Subject::VolumeStatus) else {
        return Vec::new();
    };
    let name = |state: usize| machine.states[state].0.clone();
    let mut volumes = Vec::new();
    for (id, track) in &histories.tracks {
        let mut transitions = Vec::new();
        for change in &track.changes {
            let (Effect::Changed, Some(to)) = (change.effect, change.to) else { continue };
            if change.from == Some(to) {
                continue;
            }
            let node = graph.node(change.node);
            transitions.push(TransitionSeen {
                from: change.from.map(name),
                to: name(to),
                by: grammar.step_at(change.step).name.clone(),
                time: node.ending_stamp().or(node.beginning_stamp()).map(|stamp| graph.clocks().logged(stamp)),
                observed: true,
                flow: of_node.get(&change.node).cloned(),
                evidence: node.places(),
            });
        }
        let seen = track.seen.iter();
        volumes.push(VolumeHistory {
            id: *id,
            name: track.name.clone(),
            transitions,
            observed: seen
                .map(|seen| {
                    let stamp = seen.to.or(seen.from).map(|time| Stamp { time, clock: seen.clock });
                    let time = stamp.map(|stamp| graph.clocks().logged(stamp));
                    StatusSeen { status: seen.status.clone(), time, place: seen.place }
                })
                .collect(),
            final_status: track.last.map(name),
        });
    }
    volumes
}
