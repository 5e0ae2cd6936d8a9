//! RPCs that no line shows, and that what they did speaks for: a request was served by one service, its work was done by
//! another, and the specification has just one RPC that stands between them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::spec::grammar::{Grammar, StepId, StepKind, StepUse};
use crate::trace::builder::{Builder, Index};
use crate::trace::node::{Edge, EdgeKind, JoinedBy, Node, NodeKind};

/// The RPCs that stand between a request and the work of another service, by the steps of both.
type Between = FxHashMap<(StepId, StepId), FxHashSet<StepId>>;

/// Puts such RPCs between a request and the work, in the causes found so far.
pub(crate) fn add_implied(builder: &mut Builder<'_>, links: &mut Vec<(Index, Index, Edge)>) -> Vec<Index> {
    let between = between(builder.grammar);
    // Of some calls only the end is known, in a log that begins in their middle.
    let known = links.iter().filter_map(|(cause, work, _)| Some(((*cause, builder.nodes[*work].step()?), *work)));
    let mut known: FxHashMap<(Index, StepId), Index> = known.collect();
    let mut new = Vec::new();
    for (cause, work, edge) in links.iter_mut() {
        let (asked, done) = (&builder.nodes[*cause], &builder.nodes[*work]);
        if asked.kind != NodeKind::Http || done.kind != NodeKind::Operation || asked.service == done.service {
            continue;
        }
        let Some(calls) = asked.step().zip(done.step()).and_then(|steps| between.get(&steps)) else { continue };
        let mut calls = calls.iter();
        let (Some(call), None) = (calls.next(), calls.next()) else { continue };
        let (StepKind::Call { method } | StepKind::Cast { method }) = &builder.grammar.step_at(*call).kind else {
            continue;
        };
        let index = match known.get(&(*cause, *call)) {
            Some(index) => *index,
            None => {
                let mut node = Node::new(NodeKind::Call);
                node.service = done.service;
                node.rpc = Some(method.clone());
                node.steps = vec![*call];
                node.request = done.request;
                node.global = done.global;
                node.volume = asked.volume;
                node.server = asked.server;
                node.attachment = asked.attachment;
                node.received = done.received;
                node.process = done.process;
                node.start = done.start;
                node.clock = done.clock;
                let index = builder.add(node);
                known.insert((*cause, *call), index);
                let edge = Edge { kind: EdgeKind::Call, joined_by: JoinedBy::BracketId, certain: edge.certain };
                new.push((*cause, index, edge));
                index
            }
        };
        *cause = index;
    }
    let indices = new.iter().map(|(_, index, _)| *index).collect();
    links.extend(new);
    indices
}

fn between(grammar: &Grammar) -> Between {
    let mut between = Between::default();
    let is_call = |step: &StepUse| matches!(grammar.step_at(step.step).kind, StepKind::Call { .. });
    for variant in grammar.flows.iter().flat_map(|flow| &flow.variants) {
        variant.term.each_use(&mut |asked| {
            if !matches!(grammar.step_at(asked.step).kind, StepKind::Http { .. }) {
                return;
            }
            asked.body.each_use(&mut |call| {
                if is_call(call) {
                    call.body.each_use(&mut |done| {
                        let (own, service) = (grammar.step_at(done.step).service, grammar.step_at(call.step).service);
                        if own == service {
                            between.entry((asked.step, done.step)).or_default().insert(call.step);
                        }
                    });
                }
            });
        });
    }
    between
}

#[cfg(test)]
mod tests {
    use crate::base::time::Timestamp;
    use crate::model::event::{Context, Event, EventKind, OperationPhase, RequestId};
    use crate::model::source::{Place, SourceId};
    use crate::model::vocabulary::ServiceId;
    use crate::trace::graph::CallGraph;
    use uuid::Uuid;

    const SPEC: &str = "format 1\nservice front \"f\"\n  loggers front\n  routes things\nservice back \"b\"\n  loggers back\n\
        step front.remove \"r\"\n  front answers DELETE /things/{volume} with 200\n\
        step back.remove \"r\"\n  back answers call remove_thing\n\
        step driver.disconnect \"d\"\n  back runs disconnect\n\
        flow remove \"r\"\n  starts front.remove\n  front.remove\n    back.remove\n      optional driver.disconnect\n";

    #[test]
    fn work_of_another_service_speaks_for_the_rpc_that_no_line_shows() {
        let files = [("a.flow".to_owned(), SPEC.to_owned())];
        let grammar = crate::spec::load::alone(&files).unwrap_or_else(|errors| panic!("{errors}")).grammar;
        let request = Some(RequestId(Uuid::from_u128(1)));
        let event = |source: u32, line: i64, service: u16, kind: EventKind| Event {
            place: Place::new(SourceId(source), line as u64),
            time: Some(Timestamp(line * 1_000_000)),
            process: source,
            service: Some(ServiceId(service)),
            context: Context { request, ..Context::default() },
            kind,
        };
        let url = format!("/things/{}", Uuid::from_u128(7));
        let traced = |phase| EventKind::Operation { function: "disconnect".to_owned(), phase, error: None };
        let events = [
            event(0, 1, 0, EventKind::RequestBegan { method: "DELETE".to_owned(), url: url.clone() }),
            event(0, 4, 0, EventKind::RequestEnded { method: None, url, status: 200, duration: None }),
            event(1, 2, 1, traced(OperationPhase::Began)),
            event(1, 3, 1, traced(OperationPhase::Returned)),
        ];
        let graph = CallGraph::build(&grammar, &events);
        let named = |name: &str| {
            let step = grammar.step(name);
            graph.nodes().find(|(_, node)| node.step() == step).map(|(id, _)| id).unwrap_or_else(|| panic!("{name}"))
        };
        let (front, rpc, driver) = (named("front.remove"), named("back.remove"), named("driver.disconnect"));
        assert_eq!(graph.len(), 3);
        assert_eq!(graph.node(rpc).rpc.as_deref(), Some("remove_thing"));
        assert_eq!(graph.parent(driver).map(|(id, _)| id), Some(rpc));
        assert_eq!(graph.parent(rpc).map(|(id, _)| id), Some(front));
    }
}
