//! Events to nodes: what each line adds to the unit of work that it belongs to.
//!
//! Events come in the order of their inputs. Lines of one unit of work are found again by ids (`served`, `messages`) or by
//! their order within one process (`exchanges`, `operations`), never by time, so clocks do not matter here.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::model::event::{Event, EventKind, LockState, OperationPhase, Raised, RequestId};
use crate::model::source::{Place, SourceId};
use crate::model::vocabulary::{MessageId, PlaceholderKind, ServiceId};
use crate::spec::grammar::{Grammar, MessageRole, StepId, StepKind};
use crate::trace::catalog::Catalog;
use crate::trace::errors::{Gravity, LoggedError};
use crate::trace::exchanges::Exchanges;
use crate::trace::messages::Messages;
use crate::trace::node::{MessageSeen, Node, NodeKind};
use crate::trace::path::without_host;

/// One thread of work as far as a log tells it: a process and the request that it works for.
pub(crate) type Thread = (SourceId, u32, Option<RequestId>);

/// The number of a node while the graph is being built.
pub(crate) type Index = usize;

/// The nodes of a set of logs before they are joined.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    pub(crate) grammar: &'a Grammar,
    pub(crate) catalog: &'a Catalog<'a>,
    pub(crate) nodes: Vec<Node>,
    /// Requests by the service that serves them and its own id of them.
    pub(crate) served: FxHashMap<(ServiceId, RequestId), Vec<Index>>,
    /// Work that locks and messages show, by service, request id and step.
    pub(crate) work: FxHashMap<(ServiceId, RequestId, StepId), Index>,
    /// Work of the same kind that ended before: the same request may be tried on one host after another.
    pub(crate) earlier_work: Vec<((ServiceId, RequestId, StepId), Index)>,
    /// The latest of that work by service and request id.
    pub(crate) latest_work: FxHashMap<(ServiceId, RequestId), Index>,
    pub(crate) exchanges: Exchanges,
    /// The request id in the brackets of the line with which an exchange was sent.
    pub(crate) exchanges_bracket: Vec<(Index, RequestId)>,
    pub(crate) messages: Messages,
    /// Errors of work of which no line is known yet, by service and request id.
    errors: FxHashMap<(ServiceId, RequestId), Vec<LoggedError>>,
    /// The node that the vocabulary's message in the latest record is about, and whether it says that it failed.
    last_told: Option<(Place, Index, bool)>,
    operations: FxHashMap<(Thread, String), Vec<Index>>,
    /// The operations of which a trace shows the beginning.
    traced: FxHashSet<Index>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(grammar: &'a Grammar, catalog: &'a Catalog<'a>) -> Self {
        Self {
            grammar,
            catalog,
            nodes: Vec::new(),
            served: FxHashMap::default(),
            work: FxHashMap::default(),
            earlier_work: Vec::new(),
            latest_work: FxHashMap::default(),
            exchanges: Exchanges::default(),
            exchanges_bracket: Vec::new(),
            messages: Messages::default(),
            errors: FxHashMap::default(),
            last_told: None,
            operations: FxHashMap::default(),
            traced: FxHashSet::default(),
        }
    }

    pub(crate) fn add(&mut self, node: Node) -> Index {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Takes the next event in.
    pub(crate) fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RequestBegan { .. } | EventKind::RequestAction { .. } | EventKind::RequestEnded { .. } => {
                if let (Some(service), Some(request)) = (event.service, event.context.request) {
                    self.request(event, service, request);
                }
            }
            EventKind::CommandBegan { .. }
            | EventKind::CommandNamed { .. }
            | EventKind::CommandEnded { .. }
            | EventKind::HttpSent { .. }
            | EventKind::HttpAuthenticating { .. }
            | EventKind::HttpConnected { .. }
            | EventKind::HttpAnswered { .. }
            | EventKind::HttpBody { .. }
            | EventKind::HttpUsed { .. } => self.exchange(event),
            EventKind::RpcCalling { .. }
            | EventKind::RpcSent { .. }
            | EventKind::RpcReceived { .. }
            | EventKind::RpcIncoming { .. }
            | EventKind::RpcReplied { .. }
            | EventKind::RpcAnswered { .. }
            | EventKind::RpcTimedOut { .. }
            | EventKind::RpcLate { .. } => self.rpc(event),
            EventKind::RpcFailed { class, text, raised } => {
                let error = LoggedError::new(event.place, (class, text), *raised, Gravity::Final);
                // One request may do several pieces of work: what has gone well is not what fails now.
                let unfinished = |index: &Index| self.nodes[*index].success != Some(true);
                if let Some(index) = self.latest_work_of(event).filter(unfinished) {
                    self.nodes[index].fail(error);
                    self.nodes[index].success = Some(false);
                    self.nodes[index].end = event.time;
                    self.nodes[index].ended = Some(event.place);
                } else {
                    self.keep_error(event, error);
                }
            }
            EventKind::Lock { name, function, state } => self.lock(event, name, function, *state),
            EventKind::Operation { function, phase, error } => {
                self.operation(event, function, *phase, error.as_deref());
            }
            EventKind::Message { message, captures } => self.message(event, *message, captures),
            EventKind::Error { class, text, raised } => {
                let served = event.service.zip(event.context.request).and_then(|key| self.served.get(&key));
                let index = self.latest_work_of(event).or_else(|| served.and_then(|indices| indices.last().copied()));
                let logged = if raised.severe { Gravity::Error } else { Gravity::Warning };
                let error = LoggedError::new(event.place, (class, text), *raised, logged);
                // What the vocabulary knows of the record tells best whose error it is.
                if let Some((_, told, fails)) = self.last_told.filter(|(place, ..)| *place == event.place) {
                    let gravity = if fails { Gravity::Final } else { logged };
                    self.nodes[told].fail(LoggedError { gravity, ..error.clone() });
                }
                match index {
                    Some(index) => self.nodes[index].fail(error),
                    None => self.keep_error(event, error),
                }
            }
        }
    }

    /// Keeps an error of work that only its last line will tell.
    fn keep_error(&mut self, event: &Event, error: LoggedError) {
        if let Some(key) = event.service.zip(event.context.request) {
            self.errors.entry(key).or_default().push(error);
        }
    }

    /// Gives the errors that were kept to the work that has ended.
    pub(crate) fn take_errors(&mut self, event: &Event, index: Index) {
        let key = event.service.zip(event.context.request);
        for error in key.and_then(|key| self.errors.remove(&key)).into_iter().flatten() {
            self.nodes[index].fail(error);
        }
    }

    fn latest_work_of(&self, event: &Event) -> Option<Index> {
        self.latest_work.get(&(event.service?, event.context.request?)).copied()
    }

    /// A request of which this is the first line.
    fn new_request(&mut self, event: &Event, service: ServiceId, request: RequestId) -> Index {
        let mut node = Node::new(NodeKind::Http);
        node.service = Some(service);
        node.request = Some(request);
        node.global = event.context.global;
        node.tells_global = event.context.has_global;
        node.received = Some(event.place);
        node.process = Some(event.process);
        node.start = event.time;
        let index = self.add(node);
        self.served.entry((service, request)).or_default().push(index);
        index
    }

    fn request(&mut self, event: &Event, service: ServiceId, request: RequestId) {
        let last = self.served.get(&(service, request)).and_then(|indices| indices.last().copied());
        let open = last.filter(|index| self.nodes[*index].ended.is_none());
        match &event.kind {
            EventKind::RequestBegan { method, url } => {
                let index = self.new_request(event, service, request);
                self.nodes[index].begun = true;
                self.nodes[index].method = Some(method.clone());
                self.nodes[index].path = Some(without_host(url).to_owned());
            }
            EventKind::RequestAction { body, .. } => {
                // nova has no line of its own for the beginning: this is its first.
                let index = open.unwrap_or_else(|| self.new_request(event, service, request));
                let node = &mut self.nodes[index];
                node.begun = true;
                node.evidence.push(event.place);
                node.asked.merge(body);
                node.server = node.server.or(event.context.server);
            }
            EventKind::RequestEnded { method, url, status, duration } => {
                let path = without_host(url);
                let same = |index: &Index| {
                    let node = &self.nodes[*index];
                    node.path.as_deref().is_none_or(|known| known == path)
                        && node.status.is_none_or(|known| known == *status)
                };
                let index = match open.or(last).filter(same) {
                    Some(index) => index,
                    None => self.new_request(event, service, request),
                };
                let node = &mut self.nodes[index];
                node.global = node.global.or(event.context.global);
                node.method = node.method.take().or_else(|| method.clone());
                node.path.get_or_insert_with(|| path.to_owned());
                if node.ended.is_none() {
                    node.status = Some(*status);
                    node.end = event.time;
                    node.ended = Some(event.place);
                    if let (Some(received), Some(duration), Some(end)) = (node.received, duration, event.time)
                        && received == event.place
                    {
                        node.start = Some(end.plus(-duration));
                        node.begun = true;
                    }
                } else {
                    node.evidence.push(event.place);
                }
            }
            _ => {}
        }
    }

    fn lock(&mut self, event: &Event, name: &str, function: &str, state: LockState) {
        let (Some(service), Some(request)) = (event.service, event.context.request) else { return };
        let Some(step) = self.catalog.lock(service, function) else { return };
        if matches!(self.grammar.step_at(step).kind, StepKind::Http { .. }) {
            return;
        }
        let key = (service, request, step);
        let is_over = |index: &Index| state != LockState::Released && self.nodes[*index].ended.is_some();
        if let Some(over) = self.work.get(&key).copied().filter(is_over) {
            self.work.remove(&key);
            self.earlier_work.push((key, over));
        }
        let index = self.work_node(event, service, request, step);
        let node = &mut self.nodes[index];
        node.begun |= state != LockState::Released;
        if state == LockState::Acquired {
            node.locked = node.locked.or(Uuid::try_parse(name).ok().map(|name| (name, event.place)));
        }
        if state == LockState::Released {
            node.end = event.time;
            node.ended = Some(event.place);
        } else {
            node.evidence.push(event.place);
        }
    }

    /// The node of the work that a line of a service shows.
    fn work_node(&mut self, event: &Event, service: ServiceId, request: RequestId, step: StepId) -> Index {
        let index = match self.work.get(&(service, request, step)) {
            Some(index) => *index,
            None => {
                let kind = &self.grammar.step_at(step).kind;
                let mut node = Node::new(match kind {
                    StepKind::Cast { .. } => NodeKind::Cast,
                    StepKind::Operation { .. } => NodeKind::Operation,
                    StepKind::Command { .. } => NodeKind::Client,
                    StepKind::Call { .. } | StepKind::Http { .. } => NodeKind::Call,
                });
                match kind {
                    StepKind::Call { method } | StepKind::Cast { method } => node.rpc = Some(method.clone()),
                    StepKind::Operation { function } => node.label = Some(function.clone()),
                    _ => {}
                }
                node.service = Some(service);
                node.request = Some(request);
                node.global = event.context.global;
                node.steps = vec![step];
                node.received = Some(event.place);
                node.process = Some(event.process);
                node.start = event.time;
                let index = self.add(node);
                self.work.insert((service, request, step), index);
                index
            }
        };
        if matches!(self.nodes[index].kind, NodeKind::Call | NodeKind::Cast) {
            self.latest_work.insert((service, request), index);
        }
        let node = &mut self.nodes[index];
        node.server = node.server.or(event.context.server);
        index
    }

    fn message(&mut self, event: &Event, message: MessageId, captures: &[String]) {
        let (Some(service), Some(request)) = (event.service, event.context.request) else { return };
        let meaning = self.grammar.meaning(message);
        let step = self.grammar.step_at(meaning.step);
        if step.service != service {
            return;
        }
        let is_request = matches!(step.kind, StepKind::Http { .. });
        let index = if is_request {
            match self.served.get(&(service, request)).and_then(|indices| indices.last().copied()) {
                Some(index) => index,
                // The log begins in the middle of it.
                None => self.new_request(event, service, request),
            }
        } else {
            self.work_node(event, service, request, meaning.step)
        };
        let fails = matches!(meaning.role, MessageRole::Fails | MessageRole::Refuses);
        self.last_told = Some((event.place, index, fails));
        let node = &mut self.nodes[index];
        node.evidence.push(event.place);
        let rule = &self.grammar.vocabulary.messages[message.0 as usize];
        for (placeholder, text) in rule.placeholders.iter().zip(captures) {
            let id = if placeholder.kind == PlaceholderKind::Id { Uuid::try_parse(text).ok() } else { None };
            match placeholder.name.as_str() {
                "volume" => node.volume = node.volume.or(id),
                "target" => node.target = node.target.or(id),
                "server" => node.server = node.server.or(id),
                "attachment" => node.attachment = node.attachment.or(id),
                "device" if node.asked.device.is_none() => node.asked.device = Some(text.clone()),
                "host" if node.host.is_none() && !is_request => node.host = Some(text.clone()),
                _ => {}
            }
        }
        match meaning.role {
            MessageRole::Begins => node.begun = true,
            MessageRole::Fails | MessageRole::Refuses if !is_request => {
                node.success = Some(false);
                // What a caller logs of a function that failed, it logs when the function has ended.
                if node.kind == NodeKind::Operation {
                    node.end = node.end.or(event.time);
                    node.ended = node.ended.or(Some(event.place));
                }
            }
            MessageRole::Aborts if !is_request => {
                (node.success, node.end, node.ended) = (Some(false), event.time, Some(event.place));
            }
            MessageRole::Ends if !is_request => {
                node.end = node.end.or(event.time);
                node.ended = node.ended.or(Some(event.place));
                node.success = node.success.or(Some(true));
            }
            _ => {}
        }
        node.messages.push(MessageSeen { place: event.place, time: event.time, message, captures: captures.to_vec() });
    }

    fn operation(&mut self, event: &Event, function: &str, phase: OperationPhase, error: Option<&str>) {
        let thread = (event.place.source, event.process, event.context.request);
        let key = (thread, function.to_owned());
        let under_way = self.operations.entry(key.clone()).or_default();
        if phase == OperationPhase::Began {
            // A wrapper that traces under the same name is the same work.
            if let Some(outer) = under_way.last().copied() {
                under_way.push(outer);
                return;
            }
            let step = event.service.and_then(|service| self.catalog.operation(service, function));
            let told = event.service.zip(event.context.request).zip(step);
            // A message may have announced it.
            if let Some(((service, request), step)) = told
                && let Some(index) = self.work.get(&(service, request, step)).copied()
                && self.nodes[index].ended.is_none()
                && !self.traced.contains(&index)
            {
                self.nodes[index].evidence.push(event.place);
                self.traced.insert(index);
                self.operations.entry(key).or_default().push(index);
                return;
            }
            let mut node = Node::new(NodeKind::Operation);
            node.service = event.service;
            node.request = event.context.request;
            node.global = event.context.global;
            node.label = Some(function.to_owned());
            node.steps = step.into_iter().collect();
            node.received = Some(event.place);
            node.process = Some(event.process);
            node.start = event.time;
            node.begun = true;
            let index = self.add(node);
            self.traced.insert(index);
            self.operations.entry(key).or_default().push(index);
            if let Some(((service, request), step)) = told {
                self.work.insert((service, request, step), index);
            }
        } else if let Some(index) = under_way.pop()
            && under_way.is_empty()
        {
            let node = &mut self.nodes[index];
            node.end = event.time;
            node.ended = Some(event.place);
            node.success = Some(phase == OperationPhase::Returned);
            if let Some(error) = error {
                node.fail(LoggedError::new(event.place, ("", error), Raised::default(), Gravity::Warning));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use crate::model::event::Context;
    use crate::trace::graph::CallGraph;

    const SPEC: &str = "format 1\nservice agent \"a\"\n  loggers agent\nstep work.outer \"o\"\n  agent answers call outer\n  lock \
        do_outer\nstep work.connect \"c\"\n  agent runs connect\n  message \"Calling the driver\"\n    logger agent at DEBUG\n    \
        begins\n";

    /// Builds the graph of events of one request in one log, a second apart.
    fn graph(kinds: Vec<EventKind>) -> (Grammar, CallGraph) {
        let files = [("a.flow".to_owned(), SPEC.to_owned())];
        let grammar = crate::spec::load::alone(&files).unwrap_or_else(|errors| panic!("{errors}")).grammar;
        let request = Some(RequestId(Uuid::from_u128(1)));
        let event = |(line, kind): (u64, EventKind)| Event {
            place: Place::new(SourceId(0), line),
            time: Some(Timestamp(line as i64 * 1_000_000)),
            process: 1,
            service: Some(ServiceId(0)),
            context: Context { request, ..Context::default() },
            kind,
        };
        let events: Vec<Event> = (1..).zip(kinds).map(event).collect();
        let graph = CallGraph::build(&grammar, &events);
        (grammar, graph)
    }

    fn traced(phase: OperationPhase) -> EventKind {
        EventKind::Operation { function: "connect".to_owned(), phase, error: None }
    }

    #[test]
    fn a_message_and_the_trace_behind_it_are_one_operation() {
        let announced = EventKind::Message { message: MessageId(0), captures: Vec::new() };
        let (began, returned) = (traced(OperationPhase::Began), traced(OperationPhase::Returned));
        let (_, one) = graph(vec![announced.clone(), began.clone(), returned.clone()]);
        assert_eq!(one.len(), 1);
        let (_, two) = graph(vec![announced, began.clone(), returned.clone(), began, returned]);
        assert_eq!(two.len(), 2, "a second trace is a second operation");
    }

    #[test]
    fn work_that_begins_later_in_the_log_is_no_cause() {
        let held = |state| EventKind::Lock { name: "n".to_owned(), function: "do_outer".to_owned(), state };
        let (began, returned) = (traced(OperationPhase::Began), traced(OperationPhase::Returned));
        let (grammar, graph) = graph(vec![began, returned, held(LockState::Acquired), held(LockState::Released)]);
        let connect = grammar.step("work.connect");
        let (id, _) = graph.nodes().find(|(_, node)| node.step() == connect).expect("the operation");
        assert!(graph.parent(id).is_none());
    }
}
