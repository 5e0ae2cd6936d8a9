//! A case's nodes as observations: in order within each log of one service, and between logs as far as cause or a clear
//! distance in time tells.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::base::time::SECOND;
use crate::check::alignment::{Observation, Phase};
use crate::check::observed::{Observed, chains};
use crate::model::source::{Place, SourceId};
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Age, Flow, Grammar, StepId, Subject, Target, Transition};
use crate::trace::cases::Case;
use crate::trace::clocks::{Clocks, Stamp};
use crate::trace::graph::CallGraph;
use crate::trace::node::{EdgeKind, JoinedBy, Node, NodeId, NodeKind};

/// Between logs, a moment is taken to be before another only from this distance on, whatever their clocks may differ.
const CLEARLY_APART: i64 = 5 * SECOND;

/// A log of one service; a moment of which only the latest time is known has a chain of its own.
type Chain = (SourceId, Option<ServiceId>, Option<usize>);

/// One end of a node, on its way to becoming an observation.
struct Moment {
    node: usize,
    phase: Phase,
    time: Option<Stamp>,
    place: Place,
    chain: Chain,
    /// How many of the case's nodes caused the node, one by another.
    depth: usize,
    /// Whether the node begins and ends at once.
    at_once: bool,
    /// Whether its log has no times of its own, so that the order of lines is all there is.
    by_line: bool,
    /// Whether its time does not tell what came before it: the beginning of what is seen only later, or work that went on
    /// after its sender had given up, which is read where the sender waited for it.
    floating: bool,
}

impl Moment {
    /// Its place, when its time is a whole second: what happened in one second is in the order of the lines.
    fn second(&self) -> Option<Place> {
        self.time.filter(|stamp| stamp.time.0 % SECOND == 0).map(|_| self.place)
    }
}

/// Turns the nodes of a case that matter to a flow into observations. `matters` tells whether a step that the flow does not
/// have counts as a deviation.
pub(crate) fn observe(
    graph: &CallGraph,
    case: &Case,
    alphabet: &[StepId],
    flow: &Flow,
    matters: impl Fn(StepId) -> bool,
    goes_on: impl Fn(&Node) -> bool,
    ages: &FxHashMap<Uuid, Age>,
) -> Observed {
    let knows = |step: &StepId| alphabet.binary_search(step).is_ok();
    let relevant = |node: &Node| node.steps.iter().any(|step| knows(step) || matters(*step));
    let may_be_anywhere =
        |node: &Node| !node.steps.is_empty() && node.steps.iter().all(|step| flow.anytime.contains(step));
    let sorted = |fits: &dyn Fn(&Node) -> bool| {
        let mut nodes: Vec<NodeId> = case.nodes.iter().copied().filter(|id| fits(graph.node(*id))).collect();
        nodes.sort_by_key(|id| (graph.node(*id).beginning(), *id));
        nodes.dedup();
        nodes
    };
    let anytime = sorted(&may_be_anywhere);
    let nodes = sorted(&|node| relevant(node) && !may_be_anywhere(node) && !is_only_sent(graph, case, flow, node));
    let numbers: FxHashMap<NodeId, usize> = nodes.iter().enumerate().map(|(number, id)| (*id, number)).collect();
    let causes: Vec<Option<Cause>> = nodes.iter().map(|id| cause(graph, &numbers, *id)).collect();
    let mut moments: Vec<Moment> = Vec::new();
    for (number, id) in nodes.iter().enumerate() {
        moments_of(graph.node(*id), number, depth(&causes, number), Floating::of(graph, *id), &mut moments);
    }
    enclose(&mut moments, &causes);
    order(&mut moments, &causes);
    let mut chains: Vec<Chain> = moments.iter().map(|moment| moment.chain).collect();
    chains.sort_unstable();
    chains.dedup();
    let mut observations: Vec<Observation> = moments
        .iter()
        .map(|moment| {
            let node = graph.node(nodes[moment.node]);
            let at_end = moment.phase == Phase::End;
            Observation {
                node: moment.node,
                phase: moment.phase,
                steps: if case.astray.binary_search(&nodes[moment.node]).is_ok() {
                    Vec::new()
                } else {
                    node.steps.clone()
                },
                status: node.status.filter(|_| at_end),
                success: node.success.or_else(|| ended_well(node, &goes_on)).filter(|_| at_end),
                age: node.attachment.and_then(|attachment| ages.get(&attachment).copied()),
                strict: node.kind != NodeKind::Operation && !is_cut_off(node),
                chain: chains.binary_search(&moment.chain).unwrap_or(0),
                after: Vec::new(),
            }
        })
        .collect();
    constrain(graph.clocks(), &moments, &causes, &mut observations);
    // The date of an answer says nothing of when it was asked for, the end of some work nothing of when it began.
    let dated = |moment: &Moment| moment.phase == Phase::Begin && (moment.by_line || moment.chain.2.is_some());
    let times = moments.iter().map(|moment| moment.time.filter(|_| !dated(moment))).collect();
    let is_known = |moment: &Moment| moment.phase == Phase::End || graph.node(nodes[moment.node]).begun;
    let earliest = moments.iter().map(|moment| moment.time.filter(|_| !dated(moment) && is_known(moment))).collect();
    let in_second = |moment: &Moment| moment.time.map(|time| if moment.by_line { time.plus(SECOND) } else { time });
    let latest = moments.iter().map(in_second).collect();
    Observed { nodes, anytime, observations, times, earliest, latest }
}

/// Which attachments a case made and which were there before, where it made any: what is only removed was there before.
pub(crate) fn ages(grammar: &Grammar, graph: &CallGraph, case: &Case) -> FxHashMap<Uuid, Age> {
    let mut ages = FxHashMap::default();
    let Some(machine) = grammar.machine(Subject::Attachment) else {
        return ages;
    };
    let (mut named, mut unnamed) = (FxHashSet::default(), 0_usize);
    for node in case.nodes.iter().map(|id| graph.node(*id)) {
        let Some(step) = node.step() else { continue };
        let makes = machine.makes(step);
        let Some(attachment) = node.attachment else {
            unnamed += usize::from(makes);
            continue;
        };
        if makes {
            named.insert(attachment);
        }
        let stays = |made: &Transition| matches!(made.to, Target::State(state) if !machine.is_absent(state));
        let keeps = machine.transitions_by(step).any(stays);
        match keeps {
            true => ages.insert(attachment, Age::New),
            false => Some(*ages.entry(attachment).or_insert(Age::Old)),
        };
    }
    // Of one that was made and never named, only its removal may be left.
    let found = |(attachment, age): (&Uuid, &Age)| *age == Age::New && !named.contains(attachment);
    let may_be_made = unnamed > ages.iter().filter(|(attachment, age)| found((*attachment, *age))).count();
    if named.is_empty() && unnamed == 0 || may_be_made {
        ages.retain(|_, age| *age == Age::New && !(named.is_empty() && unnamed == 0));
    }
    ages
}

/// Whether a message was sent, and nothing shows that anybody took it: no line of the receiver, no request after it.
fn is_only_sent(graph: &CallGraph, case: &Case, flow: &Flow, node: &Node) -> bool {
    let is_silent =
        node.kind == NodeKind::Cast && node.received.is_none() && node.ended.is_none() && node.evidence.is_empty();
    let follows = |other: &Node| {
        let is_work = other.kind == NodeKind::Http && other.steps.iter().any(|step| !flow.anytime.contains(step));
        let since = || graph.clocks().least_between(node.sent_stamp()?, other.beginning_stamp()?);
        is_work && since().is_some_and(|since| since > 0)
    };
    is_silent && !case.nodes.iter().any(|id| follows(graph.node(*id)))
}

/// Whether only the sending of a request is known: its other side may stand in another log as a request of its own. Or only its
/// answer, and not what it was.
fn is_cut_off(node: &Node) -> bool {
    let is_unknown = node.method.is_none() && node.step().is_none();
    node.kind == NodeKind::Http && (is_unknown || node.received.is_none() && node.ended.is_none())
}

/// What a cast's work came to when only the release of its lock shows its end: an exception is logged right behind it, at every
/// level (oslo.messaging `rpc/server.py`), so work went well whose log goes on without one.
fn ended_well(node: &Node, goes_on: impl Fn(&Node) -> bool) -> Option<bool> {
    (node.kind == NodeKind::Cast && node.ended.is_some() && node.received.is_some() && goes_on(node)).then_some(true)
}

/// The nearest cause of a node within the case.
#[derive(Clone, Copy, Debug)]
struct Cause {
    node: usize,
    /// Whether it waits for what it caused.
    waits: bool,
    /// Whether it was not chosen by time.
    certain: bool,
}

fn cause(graph: &CallGraph, numbers: &FxHashMap<NodeId, usize>, id: NodeId) -> Option<Cause> {
    let mut at = id;
    let (mut waits, mut certain) = (true, true);
    for _ in 0..64 {
        let (parent, edge) = graph.parent(at)?;
        waits &= edge.kind != EdgeKind::Cast;
        certain &= edge.certain;
        if let Some(number) = numbers.get(&parent) {
            return Some(Cause { node: *number, waits, certain });
        }
        at = parent;
    }
    None
}

fn depth(causes: &[Option<Cause>], mut number: usize) -> usize {
    let mut depth = 0;
    while let Some(cause) = causes[number]
        && depth < 64
    {
        number = cause.node;
        depth += 1;
    }
    depth
}

/// Whether the work of a call ended after its sender had given up: the request that waited for it had failed before.
pub(crate) fn outlives(graph: &CallGraph, id: NodeId) -> bool {
    let node = graph.node(id);
    let apart = || {
        let (parent, edge) = graph.parent(id).filter(|_| node.kind == NodeKind::Call)?;
        let asked = graph.node(parent);
        let failed = asked.kind == NodeKind::Http && asked.status.is_some_and(|status| status >= 500);
        let by_id = edge.joined_by != JoinedBy::Resource;
        let (gave_up, done) = asked.ending_stamp().zip(node.ending_stamp()).filter(|_| failed && by_id)?;
        graph.clocks().least_between(gave_up, done)
    };
    apart().is_some_and(|apart| apart > 0)
}

/// Which ends of a node's work are not bound to what else was seen by then.
#[derive(Clone, Copy, Debug)]
struct Floating {
    begin: bool,
    end: bool,
}

impl Floating {
    fn of(graph: &CallGraph, id: NodeId) -> Self {
        let node = graph.node(id);
        let outlives = outlives(graph, id);
        // Where no log shows the end of the request that waits for a call, its sender may have given up as well.
        let waited = || graph.parent(id).is_some_and(|(parent, _)| graph.node(parent).ending().is_some());
        Self { begin: outlives || !node.begun, end: outlives || node.kind == NodeKind::Call && !waited() }
    }
}

fn moments_of(node: &Node, number: usize, depth: usize, floating: Floating, moments: &mut Vec<Moment>) {
    let first = node.received.or(node.sent).or_else(|| node.evidence.iter().min().copied()).or(node.ended);
    let Some(first) = first else { return };
    let service = if node.received.is_some() { node.service } else { node.caller };
    let begin = node.beginning_stamp();
    let end = node.ending_stamp().max(begin);
    let at_once = begin == end;
    // A client without time stamps: its lines have the dates of answers.
    let by_line = |place: Place| node.dated && node.received.is_none_or(|received| received.source != place.source);
    moments.push(Moment {
        node: number,
        phase: Phase::Begin,
        time: begin,
        place: first,
        chain: (first.source, service, floating.begin.then_some(number)),
        depth,
        at_once,
        by_line: by_line(first),
        floating: floating.begin,
    });
    if let Some(last) = node.ended {
        let own = last.source == first.source || node.received.is_none();
        let chain = (last.source, if own { service } else { node.service }, floating.end.then_some(number));
        moments.push(Moment {
            node: number,
            phase: Phase::End,
            time: end,
            place: last,
            chain,
            depth,
            at_once,
            by_line: by_line(last),
            floating: floating.end,
        });
    }
}

/// Within one log, lets a cause begin no later than what it caused, and end no earlier than what it waited for: often the only
/// line of a unit of work is its last.
fn enclose(moments: &mut [Moment], causes: &[Option<Cause>]) {
    let mut by_depth: Vec<usize> = (0..moments.len()).collect();
    by_depth.sort_by_key(|index| std::cmp::Reverse(moments[*index].depth));
    for index in by_depth {
        let Some(Cause { node: parent, waits, .. }) = causes[moments[index].node].filter(|cause| cause.certain) else {
            continue;
        };
        let (phase, chain, time, place) =
            (moments[index].phase, moments[index].chain, moments[index].time, moments[index].place);
        let of_cause = |other: &&mut Moment| other.node == parent && other.phase == phase && other.chain == chain;
        if let Some(cause) = moments.iter_mut().find(of_cause) {
            (cause.time, cause.place) = match phase {
                Phase::Begin => (cause.time.min(time), cause.place.min(place)),
                Phase::End if waits => (cause.time.max(time), cause.place.max(place)),
                Phase::End => (cause.time, cause.place),
            };
        }
    }
    for index in 0..moments.len() {
        let twin =
            moments.iter().find(|other| other.node == moments[index].node && other.phase != moments[index].phase);
        let is_same = |twin: &Moment| twin.time == moments[index].time && twin.second() == moments[index].second();
        moments[index].at_once = twin.is_none_or(is_same);
    }
}

/// Sorts the moments of each log by time; at one time, what began earlier ends first, causes begin before and end after what
/// they caused.
fn order(moments: &mut Vec<Moment>, causes: &[Option<Cause>]) {
    moments.sort_by_key(|moment| {
        let rank = match (moment.phase, moment.at_once) {
            (Phase::End, false) => 0,
            (Phase::Begin, _) => 1,
            (Phase::End, true) => 2,
        };
        let depth = if moment.phase == Phase::Begin { moment.depth } else { 64 - moment.depth.min(64) };
        let by_line = moment.by_line.then_some(moment.place);
        (moment.chain, moment.time.filter(|_| !moment.by_line), moment.second(), by_line, rank, depth, moment.place)
    });
    // What begins and ends within one tick of the clock ends right behind the last thing that it caused.
    let is_within = |mut inner: usize, outer: usize| {
        for _ in 0..64 {
            if inner == outer {
                return true;
            }
            match causes[inner] {
                Some(cause) => inner = cause.node,
                None => return false,
            }
        }
        false
    };
    let mut index = 0;
    while index < moments.len() {
        let moment = &moments[index];
        if moment.phase == Phase::Begin && moment.at_once && !moment.by_line {
            let node = moment.node;
            let end = moments[index..]
                .iter()
                .position(|other| other.phase == Phase::End && other.node == node)
                .map(|offset| index + offset);
            if let Some(end) = end {
                let last = moments[index..end]
                    .iter()
                    .rposition(|other| is_within(other.node, node))
                    .map_or(index, |offset| index + offset);
                let moved = moments.remove(end);
                moments.insert(last + 1, moved);
            }
        }
        index += 1;
    }
}

/// Adds what is known of the order between logs: cause and time; where clocks contradict causes, only causes; and where even
/// these contradict the order within the logs, nothing.
fn constrain(clocks: &Clocks, moments: &[Moment], causes: &[Option<Cause>], observations: &mut [Observation]) {
    let causal = causal_pairs(clocks, moments, causes);
    let timed = timed_pairs(clocks, moments, observations);
    for pairs in [[&causal[..], &timed[..]].concat(), causal, Vec::new()] {
        for observation in observations.iter_mut() {
            observation.after.clear();
        }
        for (before, after) in pairs {
            if observations[before].chain != observations[after].chain {
                observations[after].after.push(before);
            }
        }
        for observation in observations.iter_mut() {
            observation.after.sort_unstable();
            observation.after.dedup();
        }
        if is_consistent(observations) {
            return;
        }
    }
}

/// A cause begins before what it caused, and ends after it when it waits for it.
fn causal_pairs(clocks: &Clocks, moments: &[Moment], causes: &[Option<Cause>]) -> Vec<(usize, usize)> {
    let mut begins: Vec<Option<usize>> = vec![None; causes.len()];
    let mut ends: Vec<Option<usize>> = vec![None; causes.len()];
    for (index, moment) in moments.iter().enumerate() {
        match moment.phase {
            Phase::Begin => begins[moment.node] = Some(index),
            Phase::End => ends[moment.node] = Some(index),
        }
    }
    let time = |index: usize| moments[index].time;
    let mut pairs = Vec::new();
    for (node, cause) in causes.iter().enumerate() {
        pairs.extend(begins[node].zip(ends[node]));
        let Some(Cause { node: parent, waits, .. }) = cause.filter(|cause| cause.certain) else { continue };
        pairs.extend(begins[parent].zip(begins[node]));
        if let (true, Some(end), Some(cause)) = (waits, ends[node], ends[parent]) {
            // A caller may give up, and the work it asked for go on.
            let gave_up = time(end).zip(time(cause)).is_some_and(|(end, cause)| is_clearly_before(clocks, cause, end));
            if !gave_up && !moments[end].floating {
                pairs.push((end, cause));
            }
        }
    }
    pairs
}

fn is_clearly_before(clocks: &Clocks, moment: Stamp, other: Stamp) -> bool {
    clocks.least_between(moment, other).is_some_and(|apart| apart >= CLEARLY_APART)
}

/// For every moment, the last moment of each other log that is clearly before it.
fn timed_pairs(clocks: &Clocks, moments: &[Moment], observations: &[Observation]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (index, moment) in moments.iter().enumerate() {
        let Some(time) = moment.time.filter(|_| !moment.floating) else { continue };
        let mut latest: FxHashMap<usize, usize> = FxHashMap::default();
        for (other, before) in moments.iter().enumerate() {
            if before.chain != moment.chain && before.time.is_some_and(|before| is_clearly_before(clocks, before, time))
            {
                latest.insert(observations[other].chain, other);
            }
        }
        let mut latest: Vec<usize> = latest.into_values().collect();
        latest.sort_unstable();
        pairs.extend(latest.into_iter().map(|other| (other, index)));
    }
    pairs
}

/// Whether all observations can be consumed in some order.
fn is_consistent(observations: &[Observation]) -> bool {
    let chains = chains(observations);
    let mut seen = vec![0; chains.len()];
    let mut consumed = vec![false; observations.len()];
    loop {
        let mut moved = false;
        for chain in 0..chains.len() {
            while let Some(next) = chains[chain].get(seen[chain])
                && observations[*next].after.iter().all(|before| consumed[*before])
            {
                consumed[*next] = true;
                seen[chain] += 1;
                moved = true;
            }
        }
        if !moved {
            return consumed.into_iter().all(|consumed| consumed);
        }
    }
}

/// The steps of a grammar that a flow's automaton knows, sorted.
pub(crate) fn alphabet(grammar: &Grammar, flow: usize) -> Vec<StepId> {
    grammar.flows[flow].steps()
}
