//! The callers' side of HTTP: what a client, or a service acting as one, logs of the requests that it sends.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::time::Timestamp;
use crate::model::event::{Event, EventKind, RequestId};
use crate::model::source::SourceId;
use crate::trace::builder::{Builder, Index, Thread};
use crate::trace::node::{Node, NodeKind};
use crate::trace::path::without_host;

/// How many requests may wait for their last line: keystoneauth before 2.18 writes none.
const PENDING_MOST: usize = 1_000;

/// The requests under way, by the thread that sends them.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    callers: FxHashMap<Thread, Caller>,
    /// The client commands in a process.
    commands: FxHashMap<Process, Commands>,
    /// All exchanges, with the command that was under way.
    all: Vec<(Index, Option<Index>)>,
    /// Commands that overlap in one process id.
    overlapping: FxHashSet<Index>,
}

type Process = (SourceId, u32);

#[derive(Debug, Default)]
struct Commands {
    /// The one that began last, when it is under way.
    open: Option<Index>,
    /// The commands since one began before another ended: that was killed, or they overlap.
    entangled: Vec<Index>,
}

#[derive(Debug, Default)]
struct Caller {
    /// Sent, and without its last line yet.
    pending: Vec<Index>,
    /// The one of which the connection has told the status last.
    connected: Option<Index>,
    /// Answered, and without the body of the answer yet. They are several where the threads of a program share an id.
    bodiless: Vec<Index>,
    /// The URL and the place of an authentication, whose request keystoneauth does not log.
    authenticating: Option<(String, Event)>,
}

impl Exchanges {
    /// The command that is under way in a process.
    fn command(&self, process: Process) -> Option<Index> {
        self.commands.get(&process)?.open
    }

    /// Takes all exchanges, each with the command that it belongs to.
    pub(crate) fn take(&mut self) -> Vec<(Index, Option<Index>)> {
        let mut all = std::mem::take(&mut self.all);
        for (_, command) in &mut all {
            *command = command.filter(|command| !self.overlapping.contains(command));
        }
        all
    }
}

impl Builder<'_> {
    pub(crate) fn exchange(&mut self, event: &Event) {
        let thread: Thread = (event.place.source, event.process, event.context.request);
        match &event.kind {
            EventKind::CommandBegan { .. } | EventKind::CommandNamed { .. } | EventKind::CommandEnded { .. } => {
                self.command(event);
            }
            EventKind::HttpSent { method, url, header, body } => {
                let index = self.sent(event, method, url);
                let node = &mut self.nodes[index];
                node.global = *header;
                node.asked = body.clone();
                let caller = self.exchanges.callers.entry(thread).or_default();
                if caller.pending.iter().all(|pending| self.nodes[*pending].ended.is_some()) {
                    caller.bodiless.clear();
                }
                caller.pending.drain(..(caller.pending.len() + 1).saturating_sub(PENDING_MOST));
                caller.pending.push(index);
            }
            EventKind::HttpAuthenticating { url } => {
                self.exchanges.callers.entry(thread).or_default().authenticating = Some((url.clone(), event.clone()));
            }
            EventKind::HttpConnected { method, url, status } => self.connected(event, thread, method, url, *status),
            EventKind::HttpAnswered { status, header, date } => {
                self.answered(event, thread, *status, *header, *date);
            }
            EventKind::HttpBody { body } => {
                let caller = self.exchanges.callers.entry(thread).or_default();
                // Of several nobody knows whose it is.
                if let [index] = caller.bodiless[..] {
                    caller.bodiless.clear();
                    self.nodes[index].answered.merge(body);
                    self.nodes[index].evidence.push(event.place);
                }
            }
            EventKind::HttpUsed { method, url, request } => self.used(event, thread, method, url, *request),
            _ => {}
        }
    }

    /// A client command that begins, is named or ends.
    fn command(&mut self, event: &Event) {
        let process = (event.place.source, event.process);
        match &event.kind {
            EventKind::CommandBegan { line } => {
                let mut node = Node::new(NodeKind::Client);
                node.label = Some(line.clone());
                node.steps = self.catalog.command(line).into_iter().collect();
                node.start = event.time;
                node.sent = Some(event.place);
                node.begun = true;
                let index = self.add(node);
                let commands = self.exchanges.commands.entry(process).or_default();
                let interrupted = commands.open.replace(index);
                if let Some(first) = interrupted.filter(|_| commands.entangled.is_empty()) {
                    commands.entangled.push(first);
                }
                if commands.entangled.is_empty() {
                    self.exchanges.callers.remove(&(event.place.source, event.process, event.context.request));
                } else {
                    commands.entangled.push(index);
                }
            }
            EventKind::CommandNamed { name } => {
                if let Some(index) = self.exchanges.command(process) {
                    let node = &mut self.nodes[index];
                    node.evidence.push(event.place);
                    if node.steps.is_empty() {
                        node.steps = self.catalog.command(name).into_iter().collect();
                    }
                    node.label.get_or_insert_with(|| name.clone());
                }
            }
            EventKind::CommandEnded { code } => {
                let commands = self.exchanges.commands.entry(process).or_default();
                let Some(index) = commands.open.take() else {
                    // More ends than one: the commands since then overlap, and whose the requests are nobody knows.
                    for command in commands.entangled.drain(..) {
                        let node = &mut self.nodes[command];
                        node.steps.clear();
                        (node.status, node.success) = (None, None);
                        self.exchanges.overlapping.insert(command);
                    }
                    return;
                };
                let node = &mut self.nodes[index];
                node.status = u16::try_from(code.rem_euclid(256)).ok();
                node.success = Some(*code == 0);
                node.end = event.time.or(node.end);
                node.ended = Some(event.place);
            }
            _ => {}
        }
    }

    /// A command's time, from the first date that one of its answers has to the last.
    fn date_command(&mut self, process: Process, date: Option<Timestamp>) {
        if let Some(command) = self.exchanges.command(process) {
            let node = &mut self.nodes[command];
            node.start = node.start.or(date);
            node.end = date.or(node.end);
            node.dated = true;
        }
    }

    fn sent(&mut self, event: &Event, method: &str, url: &str) -> Index {
        let mut node = Node::new(NodeKind::Http);
        node.caller = event.service;
        node.method = Some(method.to_owned());
        node.path = Some(without_host(url).to_owned());
        node.sent = Some(event.place);
        node.sent_time = event.time;
        node.begun = true;
        node.server = event.context.server;
        let index = self.add(node);
        let command = self.exchanges.command((event.place.source, event.process));
        self.exchanges.all.push((index, command));
        if let Some(request) = event.context.request {
            self.exchanges_bracket.push((index, request));
        }
        index
    }

    /// The answer's line has no method and no URL.
    fn answered(
        &mut self,
        event: &Event,
        thread: Thread,
        status: u16,
        header: Option<RequestId>,
        date: Option<Timestamp>,
    ) {
        let caller = self.exchanges.callers.entry(thread).or_default();
        let nodes = &self.nodes;
        let unanswered = || caller.pending.iter().rev().filter(|index| nodes[**index].ended.is_none());
        // Where requests overlap, the connection's line has just told which one has this status.
        let is_told = |index: &Index| nodes[*index].status == Some(status);
        let connected = caller.connected.take().filter(is_told);
        let told = connected.or_else(|| unanswered().copied().find(is_told));
        let Some(index) = told.or_else(|| unanswered().next().or(caller.pending.last()).copied()) else { return };
        caller.bodiless.push(index);
        let node = &mut self.nodes[index];
        node.status = Some(status);
        node.request = node.request.or(header);
        node.ended = Some(event.place);
        // A client without time stamps still has the server's clock in its answers.
        node.answered_time = event.time.or(date);
        if event.time.is_none() {
            node.sent_time = node.sent_time.or(date);
            node.dated = true;
            self.date_command((event.place.source, event.process), date);
        }
    }

    fn connected(&mut self, event: &Event, thread: Thread, method: &str, url: &str, status: u16) {
        let path = without_host(url);
        let caller = self.exchanges.callers.entry(thread).or_default();
        let nodes = &self.nodes;
        let fits = |index: &&Index| {
            let node = &nodes[**index];
            node.status.is_none() && node.method.as_deref() == Some(method) && node.path.as_deref() == Some(path)
        };
        if let Some(index) = caller.pending.iter().rev().find(fits).copied() {
            caller.connected = Some(index);
            self.nodes[index].status = Some(status);
            self.nodes[index].evidence.push(event.place);
            return;
        }
        let (start, authentication) = match caller.authenticating.take() {
            Some((url, begun)) if without_host(&url) == path => (begun, true),
            _ => (event.clone(), false),
        };
        let index = self.sent(&start, method, url);
        let node = &mut self.nodes[index];
        node.status = Some(status);
        node.answered_time = event.time;
        node.ended = Some(event.place);
        if !authentication {
            let caller = self.exchanges.callers.entry(thread).or_default();
            caller.connected = Some(index);
            caller.pending.push(index);
        }
    }

    /// The only such request that another thread of the process has under way: the id in the brackets may have changed since.
    fn pending_elsewhere(&mut self, thread: Thread, method: &str, path: &str) -> Option<Index> {
        let nodes = &self.nodes;
        let fits = |index: &Index| {
            let node = &nodes[*index];
            let same = node.method.as_deref() == Some(method) && node.path.as_deref() == Some(path);
            same && node.status.is_none() && node.request.is_none()
        };
        let of_process = |other: &Thread| (other.0, other.1) == (thread.0, thread.1);
        let callers = self.exchanges.callers.iter().filter(|(other, _)| of_process(other));
        let mut found =
            callers.filter_map(|(other, caller)| Some((*other, caller.pending.iter().copied().find(fits)?)));
        let (other, index) = found.next().filter(|_| found.next().is_none())?;
        self.exchanges.callers.entry(other).or_default().pending.retain(|pending| *pending != index);
        Some(index)
    }

    fn used(&mut self, event: &Event, thread: Thread, method: &str, url: &str, request: RequestId) {
        let path = without_host(url);
        let caller = self.exchanges.callers.entry(thread).or_default();
        let nodes = &self.nodes;
        let fits = |index: &Index| {
            let node = &nodes[*index];
            node.method.as_deref() == Some(method) && node.path.as_deref() == Some(path)
        };
        let answered = |index: &Index| fits(index) && nodes[*index].request == Some(request);
        let position = caller.pending.iter().position(answered).or_else(|| caller.pending.iter().position(fits));
        let index = match position.map(|position| caller.pending.remove(position)) {
            Some(index) => index,
            None => self.pending_elsewhere(thread, method, path).unwrap_or_else(|| self.sent(event, method, url)),
        };
        self.return_answer(thread, index, request);
        let node = &mut self.nodes[index];
        node.request = Some(request);
        node.answered_time = node.answered_time.or(event.time);
        node.evidence.push(event.place);
        if let Some(caller) = self.exchanges.callers.get_mut(&thread) {
            let nodes = &self.nodes;
            caller.bodiless.retain(|bodiless| *bodiless != index);
            caller.connected.take_if(|connected| *connected == index);
            // What was answered without a request id gets no last line: keystone's answers.
            caller.pending.retain(|pending| nodes[*pending].ended.is_none() || nodes[*pending].request.is_some());
        }
    }

    /// Gives a request the answer that has its id, where the answers of requests that overlap were taken for each other's.
    fn return_answer(&mut self, thread: Thread, index: Index, request: RequestId) {
        if self.nodes[index].request == Some(request) {
            return;
        }
        let pending = self.exchanges.callers.get(&thread).map_or(&[][..], |caller| &caller.pending);
        let taken = pending.iter().find(|other| self.nodes[**other].request == Some(request));
        if let Some(other) = taken.copied()
            && let Ok([mine, other]) = self.nodes.get_disjoint_mut([index, other])
        {
            std::mem::swap(&mut mine.status, &mut other.status);
            std::mem::swap(&mut mine.request, &mut other.request);
            std::mem::swap(&mut mine.ended, &mut other.ended);
            std::mem::swap(&mut mine.answered_time, &mut other.answered_time);
            std::mem::swap(&mut mine.answered, &mut other.answered);
        }
    }
}
