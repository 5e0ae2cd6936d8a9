//! What two flows do to one another: two of a kind on one volume and server, and work that ran while other work on the same
//! server held its lock.

use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::check::findings::{self, Defect};
use crate::check::judge::Judge;
use crate::check::verdict::{Evidence, FlowVerdict, Outcome, Verdict};
use crate::model::source::{Place, SourceId};
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::Wrong;
use crate::trace::cases::Case;
use crate::trace::node::Node;

/// A lock, by the log and the service that holds it, and what it is named by.
type Lock = (SourceId, Option<ServiceId>, Uuid);

/// Adds to each flow what the registry says of its overlapping with others.
pub(crate) fn add(judge: &Judge<'_>, cases: &[Case], judged: &mut [Option<FlowVerdict>]) {
    let mut found = of_one_kind(judge, cases, judged);
    found.extend(without_lock(judge, cases));
    for (index, defect) in found {
        let Some(verdict) = &mut judged[index] else { continue };
        let Some(finding) = findings::finding(judge.grammar, &verdict.flow, &[], defect) else { continue };
        if findings::is_error(&finding) {
            verdict.verdict = Verdict::Violated;
        }
        verdict.findings.push(finding);
        verdict.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }
}

/// Flows of one kind on one volume and server that both reached their goal, the later of which began before the earlier had.
fn of_one_kind(judge: &Judge<'_>, cases: &[Case], judged: &[Option<FlowVerdict>]) -> Vec<(usize, Defect)> {
    let mut groups: FxHashMap<(&str, Uuid, Uuid), Vec<usize>> = FxHashMap::default();
    for (index, (case, verdict)) in cases.iter().zip(judged).enumerate() {
        if let (Some(verdict), Some(volume), Some(server)) = (verdict, case.volume, case.server)
            && verdict.outcome == Outcome::Completed
            && case.certain
            && !verdict.likely
        {
            groups.entry((&verdict.flow, volume, server)).or_default().push(index);
        }
    }
    let mut found = Vec::new();
    for ((flow, ..), members) in groups {
        let Some(flow) = judge.grammar.flow(flow).filter(|flow| !flow.direct) else { continue };
        let reached = |index: usize| {
            let nodes = cases[index].nodes.iter().map(|id| judge.graph.node(*id));
            nodes
                .filter(|node| node.step().is_some_and(|step| flow.goals.contains(&step)))
                .max_by_key(|node| node.ending())
        };
        for (place, later) in members.iter().enumerate() {
            let Some(root) = cases[*later].root.map(|root| judge.graph.node(root)) else { continue };
            let overlaps = |earlier: &&usize| {
                let apart = || {
                    let goal = reached(**earlier)?;
                    judge.graph.clocks().least_between(root.beginning_stamp()?, goal.beginning_stamp()?)
                };
                apart().is_some_and(|apart| apart > 0)
            };
            let Some(earlier) = members[..place].iter().find(overlaps) else { continue };
            let mut defect = defect(judge, &cases[*later], root);
            defect.expected = format!("one {} of a volume to a server at a time", flow.name);
            let first = cases[*earlier].root.map(|root| judge.graph.node(root));
            let places = [
                (first, "the first begins here"),
                (Some(root), "the second begins here"),
                (reached(*earlier), "the first is done here"),
            ];
            for (node, role) in places {
                let place = node.and_then(Node::first_place);
                defect.evidence.extend(place.map(|place| Evidence { place, role: role.to_owned() }));
            }
            found.push((*later, defect));
        }
    }
    found.sort_by_key(|(index, _)| *index);
    found
}

/// Work that takes a lock on the server, of which no line shows that it did, and that logged something while other work held
/// that lock.
fn without_lock(judge: &Judge<'_>, cases: &[Case]) -> Vec<(usize, Defect)> {
    let mut holders: FxHashMap<Lock, Vec<(Place, Place)>> = FxHashMap::default();
    for id in cases.iter().flat_map(|case| &case.nodes) {
        let node = judge.graph.node(*id);
        if let (Some((name, from)), Some(to)) = (node.locked, node.ended)
            && from.source == to.source
        {
            holders.entry((from.source, node.service, name)).or_default().push((from, to));
        }
    }
    let mut found = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        for id in &case.nodes {
            let node = judge.graph.node(*id);
            let takes_lock = node.step().is_some_and(|step| !judge.grammar.step_at(step).locks.is_empty());
            let Some(server) = case.server.filter(|_| takes_lock && node.locked.is_none()) else { continue };
            let within = node.messages.iter().find_map(|message| {
                let others = holders.get(&(message.place.source, node.service, server))?;
                let holder = others.iter().find(|(from, to)| *from < message.place && message.place < *to)?;
                Some((message.place, *holder))
            });
            let Some((place, (from, to))) = within else { continue };
            let mut defect = defect(judge, case, node);
            defect.expected = "work on one server at a time".to_owned();
            let lines =
                [(from, "the lock is taken here"), (place, "at work here"), (to, "the lock is free again here")];
            defect.evidence.extend(lines.map(|(place, role)| Evidence { place, role: role.to_owned() }));
            found.push((index, defect));
        }
    }
    found
}

fn defect(judge: &Judge<'_>, case: &Case, node: &Node) -> Defect {
    let mut defect = Defect::new(Wrong::Overlapping, node.step().into_iter().collect());
    defect.values.extend(case.volume.map(|id| ("volume", id.to_string())));
    defect.values.extend(case.server.map(|id| ("server", id.to_string())));
    defect.values.extend(node.step().map(|step| ("step", judge.grammar.step_at(step).name.clone())));
    defect
}
