//! RPC messages: their senders' and their receivers' lines, joined by msg_id and unique_id.
//!
//! The lines are those of `oslo_messaging/_drivers/amqpdriver.py` and `oslo_messaging/rpc/server.py` (2.6.0 to 18.1.0). For a
//! cast the receiver's `Receive incoming message with id` has an id of its own; it is the first cast of that method that the
//! same process received and has not begun.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::model::event::{Event, EventKind, RpcKind};
use crate::model::source::SourceId;
use crate::trace::builder::{Builder, Index, Thread};
use crate::trace::node::{Node, NodeKind};

/// The messages by their ids.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    by_id: FxHashMap<Uuid, Index>,
    /// The method that a thread is about to send.
    calling: FxHashMap<Thread, String>,
    /// The casts that a process has received and not begun to work on, in their order.
    received: FxHashMap<(SourceId, u32), VecDeque<Index>>,
    /// Messages of which no line tells the id that their sender gave them: the log of their receiver begins behind it.
    nameless: Vec<Index>,
    /// All messages.
    pub(crate) all: Vec<Index>,
}

impl Builder<'_> {
    /// The casts that were sent, each with the message without its id that was taken for the same, where there is one of each.
    pub(crate) fn nameless_casts(&self) -> Vec<(Index, Index)> {
        let key = |index: &Index| {
            let node = &self.nodes[*index];
            Some((node.service?, node.request?, node.rpc.as_deref()?))
        };
        let is_untaken = |index: &&Index| {
            let node = &self.nodes[**index];
            node.kind == NodeKind::Cast && node.sent.is_some() && node.received.is_none()
        };
        // By service, request and method: those that were sent, and those that were taken.
        let mut groups: FxHashMap<_, (Vec<Index>, Vec<Index>)> = FxHashMap::default();
        for taken in &self.messages.nameless {
            if let Some(key) = key(taken) {
                groups.entry(key).or_default().1.push(*taken);
            }
        }
        for sent in self.messages.all.iter().filter(is_untaken).filter(|_| !self.messages.nameless.is_empty()) {
            if let Some((of_key, _)) = key(sent).and_then(|key| groups.get_mut(&key)) {
                of_key.push(*sent);
            }
        }
        let pairs = groups.into_values().filter_map(|(sent, taken)| match (sent.as_slice(), taken.as_slice()) {
            ([sent], [taken]) => Some((*sent, *taken)),
            _ => None,
        });
        pairs.collect()
    }

    fn rpc_node(&mut self, id: Uuid, kind: Option<RpcKind>) -> Index {
        if let Some(index) = self.messages.by_id.get(&id) {
            return *index;
        }
        let index = self.add(Node::new(if kind == Some(RpcKind::Cast) { NodeKind::Cast } else { NodeKind::Call }));
        self.messages.by_id.insert(id, index);
        self.messages.all.push(index);
        index
    }

    /// The cast that a process begins to work on: the first that it received and that is known to be of this method, else
    /// the first of which the sender's lines are not given.
    fn begun_cast(&mut self, process: (SourceId, u32), method: &str) -> Option<Index> {
        let waiting = self.messages.received.get_mut(&process)?;
        let nodes = &self.nodes;
        let named = waiting.iter().position(|index| nodes[*index].rpc.as_deref() == Some(method));
        let place = named.or_else(|| waiting.iter().position(|index| nodes[*index].rpc.is_none()))?;
        waiting.remove(place)
    }

    pub(crate) fn rpc(&mut self, event: &Event) {
        let process = (event.place.source, event.process);
        let thread: Thread = (event.place.source, event.process, event.context.request);
        match &event.kind {
            EventKind::RpcCalling { method, .. } => {
                self.messages.calling.insert(thread, method.clone());
            }
            EventKind::RpcSent { kind, id, topic } => {
                let method = self.messages.calling.remove(&thread);
                let index = self.rpc_node(*id, Some(*kind));
                let service = self.catalog.service_of_topic(topic);
                let node = &mut self.nodes[index];
                node.caller = event.service;
                node.service = node.service.or(service);
                node.rpc = node.rpc.take().or(method);
                node.label = Some(topic.clone());
                node.request = event.context.request.or(node.request);
                node.global = event.context.global.or(node.global);
                node.sent = Some(event.place);
                node.sent_time = event.time;
                node.begun = true;
            }
            EventKind::RpcReceived { kind, id } => {
                let index = self.rpc_node(*id, Some(*kind));
                let node = &mut self.nodes[index];
                node.service = event.service.or(node.service);
                node.received = Some(event.place);
                node.process = Some(event.process);
                node.start = event.time;
                node.begun = true;
                if *kind == RpcKind::Cast {
                    self.messages.received.entry(process).or_default().push_back(index);
                }
            }
            EventKind::RpcIncoming { id, method } => {
                let index = match self.messages.by_id.get(id) {
                    Some(index) => *index,
                    None => match self.begun_cast(process, method) {
                        Some(index) => index,
                        None => {
                            let index = self.rpc_node(*id, None);
                            self.messages.nameless.push(index);
                            index
                        }
                    },
                };
                self.messages.by_id.insert(*id, index);
                let node = &mut self.nodes[index];
                node.service = event.service.or(node.service);
                node.rpc = Some(method.clone());
                node.evidence.push(event.place);
                node.begun = true;
                if node.received.is_none() {
                    node.received = Some(event.place);
                    node.process = Some(event.process);
                    node.start = event.time;
                }
            }
            EventKind::RpcReplied { id, method, success } => {
                let index = self.rpc_node(*id, None);
                let node = &mut self.nodes[index];
                node.service = event.service.or(node.service);
                node.rpc = node.rpc.take().or_else(|| method.clone());
                node.request = node.request.or(event.context.request);
                node.global = node.global.or(event.context.global);
                let work = node.service.zip(node.rpc.as_deref());
                let steps = work.map_or(&[][..], |(service, method)| self.catalog.rpc(service, method));
                // Such work is begun in a thread of its own: the answer is not its end.
                let is_begun_only = steps.iter().any(|step| self.grammar.step_at(*step).fails_silently);
                if is_begun_only && *success == Some(true) {
                    node.evidence.push(event.place);
                } else {
                    node.end = event.time;
                    node.ended = Some(event.place);
                    node.success = success.or(node.success);
                }
                self.take_errors(event, index);
            }
            EventKind::RpcAnswered { id } => {
                let index = self.rpc_node(*id, Some(RpcKind::Call));
                let node = &mut self.nodes[index];
                node.answered_time = node.answered_time.or(event.time);
                node.evidence.push(event.place);
            }
            EventKind::RpcTimedOut { id } => {
                let index = self.rpc_node(*id, Some(RpcKind::Call));
                self.nodes[index].timed_out = true;
                self.nodes[index].evidence.push(event.place);
            }
            EventKind::RpcLate { id } => {
                let index = self.rpc_node(*id, Some(RpcKind::Call));
                self.nodes[index].timed_out = true;
                self.nodes[index].evidence.push(event.place);
            }
            _ => {}
        }
    }
}
