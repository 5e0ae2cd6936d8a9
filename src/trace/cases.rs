//! Cases: one attach of one volume to one server, one detach, one chain of requests sent straight to cinder.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::model::event::RequestId;
use crate::spec::grammar::{Flow, Grammar, StepId, StepKind, Subject};
use crate::trace::astray::astray;
use crate::trace::graph::CallGraph;
use crate::trace::history::{Effect, Histories};
use crate::trace::nearby::logs_with_global_ids;
use crate::trace::node::{Node, NodeId, NodeKind};
use crate::trace::resources::{Resources, chain};
use crate::trace::volumes::per_volume;

/// One flow instance.
#[derive(Clone, Debug)]
pub struct Case {
    /// The flows that it can be, as indices into [`Grammar::flows`].
    pub flows: Vec<usize>,
    /// Whether the logs show which flow it is: its first request, or work that only one flow has.
    pub certain: bool,
    /// The request that started it.
    pub root: Option<NodeId>,
    /// Its nodes, in no particular order.
    pub nodes: Vec<NodeId>,
    /// The client command that sent the request.
    pub command: Option<NodeId>,
    /// The volume.
    pub volume: Option<Uuid>,
    /// The server.
    pub server: Option<Uuid>,
    /// Those of its nodes that are about something else, sorted.
    pub astray: Vec<NodeId>,
}

/// Finds all cases.
pub fn cases(grammar: &Grammar, graph: &CallGraph, resources: &Resources, histories: &Histories) -> Vec<Case> {
    let mut finder = Finder {
        grammar,
        graph,
        resources,
        alphabets: grammar.flows.iter().map(Flow::steps).collect(),
        taken: FxHashSet::default(),
        chains: FxHashMap::default(),
        cases: Vec::new(),
    };
    finder.find_started();
    let orphans = finder.orphans();
    finder.find_halves(&orphans);
    finder.find_direct(&orphans, histories);
    let split = |case: Case| per_volume(grammar, graph, resources, case);
    let mut cases: Vec<Case> = finder.cases.into_iter().flat_map(split).collect();
    for case in &mut cases {
        case.astray = astray(grammar, graph, resources, case);
    }
    cases.sort_by_key(|case| {
        let beginning = case.nodes.iter().filter_map(|id| graph.node(*id).beginning()).min();
        (case.root.and_then(|root| graph.node(root).beginning()).or(beginning), case.nodes.iter().min().copied())
    });
    cases
}

struct Finder<'a> {
    grammar: &'a Grammar,
    graph: &'a CallGraph,
    resources: &'a Resources,
    /// The steps of each flow, sorted.
    alphabets: Vec<Vec<StepId>>,
    taken: FxHashSet<NodeId>,
    /// The case of each chain of requests that a nova request started; `None` for one that no flow is known for.
    chains: FxHashMap<RequestId, Option<usize>>,
    cases: Vec<Case>,
}

/// The requests and work of one chain whose first request is not in the logs.
type Orphans = Vec<(RequestId, Vec<NodeId>)>;

impl Finder<'_> {
    /// The node and everything that it caused.
    fn tree(&self, root: NodeId) -> Vec<NodeId> {
        let mut nodes = vec![root];
        let mut next = 0;
        while next < nodes.len() {
            nodes.extend(self.graph.children(nodes[next]));
            next += 1;
        }
        nodes
    }

    /// Cases whose first request was seen.
    fn find_started(&mut self) {
        for (id, node) in self.graph.nodes() {
            let flows = self.started_by(id);
            if flows.is_empty() || self.taken.contains(&id) {
                if node.kind == NodeKind::Http
                    && let (Some(request), true) = (node.request, self.serves_no_volume(id))
                {
                    self.chains.entry(request).or_insert(None);
                }
                continue;
            }
            let mut nodes = self.tree(id);
            let command = self
                .graph
                .parent(id)
                .map(|(parent, _)| parent)
                .filter(|parent| self.graph.node(*parent).kind == NodeKind::Client);
            if let Some(command) = command {
                // The look-ups of the same command belong to the flow that they serve.
                nodes.push(command);
                for sibling in self.graph.children(command) {
                    let starts_another =
                        |flow: &Flow| self.graph.node(sibling).steps.iter().any(|step| flow.starts.contains(step));
                    if sibling != id && !self.taken.contains(&sibling) && !self.grammar.flows.iter().any(starts_another)
                    {
                        nodes.extend(self.tree(sibling));
                    }
                }
            }
            self.taken.extend(nodes.iter().copied());
            let volume = node.volume.or_else(|| self.resources.volume(id));
            let server = node.server.or_else(|| self.resources.server(id));
            if let Some(request) = node.request {
                self.chains.insert(request, Some(self.cases.len()));
            }
            self.cases.push(Case {
                flows,
                certain: true,
                root: Some(id),
                nodes,
                command,
                volume,
                server,
                astray: Vec::new(),
            });
        }
    }

    /// The flows that a request begins: none where it is a step of one that a cause of it began, and none where it may be
    /// something else that is sent straight to the service.
    fn started_by(&self, id: NodeId) -> Vec<usize> {
        let node = self.graph.node(id);
        let starts =
            |node: &Node, flow: &Flow| !flow.direct && node.steps.iter().any(|step| flow.starts.contains(step));
        let flows = indices(self.grammar, |flow| starts(node, flow));
        if flows.is_empty() || !self.serves_no_volume(id) && (node.step().is_none() || self.resources.top(id) != id) {
            return Vec::new();
        }
        let began = self.graph.causes(id).any(|cause| {
            let cause = self.graph.node(cause);
            let holds =
                |flow: &Flow| node.steps.iter().any(|step| flow_has(&self.alphabets, self.grammar, flow, *step));
            self.grammar.flows.iter().any(|flow| starts(cause, flow) && holds(flow))
        });
        if began { Vec::new() } else { flows }
    }

    /// Whether a request is served by a service that has no step of a flow sent straight to cinder.
    fn serves_no_volume(&self, id: NodeId) -> bool {
        let service = self.graph.node(id).service;
        let direct = self.grammar.flows.iter().filter(|flow| flow.direct).flat_map(|flow| &flow.starts);
        !direct.map(|step| self.grammar.step_at(*step).service).any(|other| Some(other) == service)
    }

    /// The nodes without a case, by chain. Late parts of a started case are added to it.
    fn orphans(&mut self) -> Orphans {
        let mut order: Vec<RequestId> = Vec::new();
        let mut groups: FxHashMap<RequestId, Vec<NodeId>> = FxHashMap::default();
        for (id, node) in self.graph.nodes() {
            if self.taken.contains(&id) || node.kind == NodeKind::Client {
                continue;
            }
            let Some(key) = chain(self.graph, self.resources.top(id)) else { continue };
            let of_chain = self.chains.get(&key).filter(|case| case.is_none_or(|case| self.may_belong(id, case)));
            match of_chain {
                Some(Some(case)) => {
                    self.cases[*case].nodes.push(id);
                    self.taken.insert(id);
                }
                Some(None) => {}
                None => {
                    let group = groups.entry(key).or_default();
                    if group.is_empty() {
                        order.push(key);
                    }
                    group.push(id);
                }
            }
        }
        order.into_iter().map(|key| (key, groups.remove(&key).unwrap_or_default())).collect()
    }

    /// Whether a node of a case's chain may belong to the case. A client's session passes the id of its first answer on, so
    /// what it sends straight to a service after the flow's first request need not be about the flow.
    fn may_belong(&self, id: NodeId, case: usize) -> bool {
        let case = &self.cases[case];
        let Some(root) = case.root.filter(|root| !self.serves_no_volume(*root)) else { return true };
        let node = self.graph.node(self.resources.top(id));
        let is_step = |step: &StepId| {
            case.flows.iter().any(|index| {
                let flow = &self.grammar.flows[*index];
                flow.anytime.contains(step) || flow_has(&self.alphabets, self.grammar, flow, *step)
            })
        };
        // What exchanges one volume for another has steps of both.
        let exchanges = |index: &usize| {
            let mut names = self.alphabets[*index].iter().map(|step| self.grammar.step_at(*step).names_target);
            names.any(|names| names == Some(true))
        };
        let volume = self.resources.volume(id);
        let same = volume.is_none() || volume == case.volume || case.flows.iter().any(exchanges);
        node.service != self.graph.node(root).service || same && node.steps.iter().any(is_step)
    }

    /// Whether a chain was sent straight to cinder: its first request is one of cinder's own.
    fn is_direct(&self, key: RequestId, nodes: &[NodeId]) -> bool {
        let client = self.grammar.vocabulary.service("client");
        nodes.iter().any(|id| {
            let node = self.graph.node(*id);
            let from_a_client = node.caller.is_none() || node.caller == client;
            let first = node.request == Some(key) || self.chains.get(&key).is_some_and(Option::is_some);
            node.kind == NodeKind::Http && first && from_a_client && !self.serves_no_volume(*id)
        })
    }

    /// Cases whose first request is in no log given.
    fn find_halves(&mut self, orphans: &Orphans) {
        let machine = self.grammar.machine(Subject::VolumeStatus);
        for (key, nodes) in orphans {
            if self.is_direct(*key, nodes) {
                continue;
            }
            let steps: FxHashSet<StepId> =
                nodes.iter().flat_map(|id| self.graph.node(*id).steps.iter().copied()).collect();
            let with =
                |step: &StepId| indices(self.grammar, |flow| flow_has(&self.alphabets, self.grammar, flow, *step));
            let is_work = |step: &&StepId| {
                matches!(self.grammar.step_at(**step).kind, StepKind::Call { .. } | StepKind::Cast { .. })
            };
            let telling = steps
                .iter()
                .filter(is_work)
                .map(with)
                .find(|flows| flows.len() == 1 && !self.grammar.flows[flows[0]].direct);
            let changing: Vec<&StepId> =
                steps.iter().filter(|step| machine.is_some_and(|machine| machine.concerns(**step))).collect();
            let possible = |flow: &Flow| {
                !flow.direct && changing.iter().all(|step| flow_has(&self.alphabets, self.grammar, flow, **step))
            };
            let certain = telling.is_some();
            let flows = telling
                .unwrap_or_else(|| if changing.is_empty() { Vec::new() } else { indices(self.grammar, possible) });
            if flows.is_empty() {
                continue;
            }
            // The tail of work that began before the logs do may not even tell its volume: that is no flow to speak of.
            let Some(volume) = nodes.iter().find_map(|id| self.resources.volume(*id)) else { continue };
            self.taken.extend(nodes.iter().copied());
            let server = nodes.iter().find_map(|id| self.resources.server(*id));
            self.cases.push(Case {
                flows,
                certain,
                root: None,
                nodes: nodes.clone(),
                command: None,
                volume: Some(volume),
                server,
                astray: Vec::new(),
            });
        }
    }

    /// Cases of requests sent straight to cinder. One ends when its volume is at rest and the next request is of another chain.
    fn find_direct(&mut self, orphans: &Orphans, histories: &Histories) {
        let flows = indices(self.grammar, |flow| flow.direct);
        let Some(machine) = self.grammar.machine(Subject::VolumeStatus) else {
            return;
        };
        let starts: FxHashSet<StepId> =
            flows.iter().flat_map(|flow| self.grammar.flows[*flow].starts.iter().copied()).collect();
        let told = logs_with_global_ids(self.graph);
        let mut by_volume: Vec<(Option<Uuid>, RequestId, NodeId)> = Vec::new();
        for (key, nodes) in orphans.iter().filter(|(key, nodes)| self.is_direct(*key, nodes)) {
            for id in nodes {
                let node = self.graph.node(*id);
                if node.kind == NodeKind::Http && node.steps.iter().any(|step| starts.contains(step)) {
                    by_volume.push((self.resources.volume(*id), *key, *id));
                }
            }
        }
        by_volume.sort_by_key(|(volume, _, id)| (*volume, self.graph.node(*id).beginning(), *id));
        let mut open: Option<(Option<Uuid>, RequestId, bool, usize)> = None;
        for (volume, key, id) in by_volume {
            let change = histories.change(id);
            // Where the log does not tell what the last request did, nothing shows that the volume is at rest.
            let untold = open.is_some_and(|(other, _, untold, _)| other == volume && untold);
            let at_rest =
                change.is_none_or(|change| change.from.map_or(!untold, |status| machine.rest.contains(&status)));
            let untold = change.is_some_and(|change| change.effect == Effect::Open && change.to.is_none());
            let goes_on =
                open.filter(|(other, chain, ..)| *other == volume && volume.is_some() && (!at_rest || *chain == key));
            let nodes: Vec<NodeId> = self.tree(id).into_iter().filter(|node| !self.taken.contains(node)).collect();
            self.taken.extend(nodes.iter().copied());
            let server = self.resources.server(id);
            // Where the log does not tell what callers pass along, nova may have sent it.
            let node = self.graph.node(id);
            let log = node.received.map(|place| place.source).zip(node.service);
            let certain = node.sent.is_some() || log.is_some_and(|log| told.contains(&log));
            let case = match goes_on {
                Some((.., case)) => case,
                None => {
                    self.cases.push(Case {
                        flows: flows.clone(),
                        certain,
                        root: None,
                        nodes: Vec::new(),
                        command: None,
                        volume,
                        server,
                        astray: Vec::new(),
                    });
                    self.cases.len() - 1
                }
            };
            let whole = &mut self.cases[case];
            whole.nodes.extend(nodes);
            whole.root.get_or_insert(id);
            whole.server = whole.server.or(server);
            let failed_at_rest = at_rest && change.is_some_and(|change| change.effect == Effect::Failed);
            open = (!failed_at_rest || goes_on.is_some()).then_some((volume, key, untold, case));
        }
    }
}

/// The numbers of the flows that fit.
fn indices(grammar: &Grammar, fits: impl Fn(&Flow) -> bool) -> Vec<usize> {
    grammar.flows.iter().enumerate().filter(|(_, flow)| fits(flow)).map(|(index, _)| index).collect()
}

fn flow_has(alphabets: &[Vec<StepId>], grammar: &Grammar, flow: &Flow, step: StepId) -> bool {
    let index = grammar.flows.iter().position(|other| std::ptr::eq(other, flow));
    index.is_some_and(|index| alphabets[index].binary_search(&step).is_ok())
}
