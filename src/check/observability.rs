//! What the logs could have shown.
//!
//! A step that no log could show costs nothing and proves nothing. Whether one could follows from the services, the levels and
//! the span of time of the inputs. That a log is of the right host is never assumed: a service that may run on many hosts
//! counts only where its log has a line of this very case.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::time::Timestamp;
use crate::model::event::Level;
use crate::model::source::{Coverage, SourceId, SourceSummary};
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Grammar, MessageRole, Step, StepId, StepKind};
use crate::trace::graph::CallGraph;
use crate::trace::nearby::logs_with_global_ids;
use crate::trace::node::NodeKind;

/// What a set of logs could have shown.
#[derive(Debug)]
pub struct Observability<'a> {
    grammar: &'a Grammar,
    sources: &'a [SourceSummary],
    /// Services of which a caller's log names a request that is in none of their own logs.
    incomplete: FxHashSet<ServiceId>,
    /// The logs whose requests can be joined to their callers: they tell the id that was passed along, or the callers tell
    /// theirs.
    joinable: FxHashSet<(SourceId, ServiceId)>,
    /// The first steps of flows that a service carries out.
    starts: FxHashSet<StepId>,
}

/// What is known of a case before its steps are looked for.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// The logs that have lines of it, by input and service, and the processes that wrote them.
    pub logs: FxHashMap<(SourceId, ServiceId), FxHashSet<u32>>,
    /// Whether its requests have no cause that they had to be joined to.
    pub direct: bool,
}

impl<'a> Observability<'a> {
    /// Looks for gaps in the logs.
    pub fn new(grammar: &'a Grammar, sources: &'a [SourceSummary], graph: &CallGraph) -> Self {
        let joinable = logs_with_global_ids(graph);
        let flows = grammar.flows.iter().filter(|flow| !flow.direct);
        let starts = flows.flat_map(|flow| flow.starts.iter().copied()).collect();
        let mut observability = Self { grammar, sources, incomplete: FxHashSet::default(), joinable, starts };
        for (_, node) in graph.nodes() {
            // A service that was called by another, whose log names the request.
            if let (Some(service), Some(received), Some(caller)) = (node.service, node.received, node.caller)
                && node.sent.is_some()
                && Some(caller) != grammar.vocabulary.service("client")
            {
                observability.joinable.insert((received.source, service));
            }
            if let (NodeKind::Http, Some(service), Some(time), None, Some(_)) =
                (node.kind, node.service, node.sent_time, node.received, node.request)
                && node.status.is_some_and(|status| status < 500)
                && observability.of_service(service).any(|(_, coverage)| covers(coverage, Some(time), Some(time)))
            {
                observability.incomplete.insert(service);
            }
        }
        observability
    }

    fn of_service(&self, service: ServiceId) -> impl Iterator<Item = (SourceId, &Coverage)> {
        self.sources.iter().enumerate().flat_map(move |(index, source)| {
            let of_it = source.coverage.iter().filter(move |coverage| coverage.service == Some(service));
            of_it.map(move |coverage| (SourceId(index as u32), coverage))
        })
    }

    /// The logs that could show a step of a case, at any time.
    fn showing(&self, step: StepId, touched: &Touched) -> Vec<&Coverage> {
        let rule = self.grammar.step_at(step);
        if self.incomplete.contains(&rule.service) {
            return Vec::new();
        }
        let one_of_many = !matches!(rule.kind, StepKind::Http { .. });
        let shows = |source: SourceId, coverage: &Coverage| match touched.logs.get(&(source, rule.service)) {
            Some(processes) => self.level_shows(step, rule, coverage, processes),
            None => !one_of_many && self.level_shows(step, rule, coverage, &FxHashSet::default()),
        };
        // The first request of a flow needs no cause to be joined to.
        let can_join = |source: SourceId| {
            one_of_many
                || touched.direct
                || self.starts.contains(&step)
                || self.joinable.contains(&(source, rule.service))
        };
        let all =
            self.of_service(rule.service).filter(|(source, coverage)| can_join(*source) && shows(*source, coverage));
        all.map(|(_, coverage)| coverage).collect()
    }

    fn level_shows(&self, step: StepId, rule: &Step, coverage: &Coverage, processes: &FxHashSet<u32>) -> bool {
        let any = |known: &[u32]| known.iter().any(|process| processes.contains(process));
        match &rule.kind {
            StepKind::Http { .. } => coverage.level <= Level::Info,
            StepKind::Call { .. } | StepKind::Cast { .. } => {
                any(&coverage.rpc_processes)
                    || !rule.locks.is_empty() && any(&coverage.debug_processes)
                    || match self.message_level(step) {
                        Some(Level::Debug) => any(&coverage.debug_processes),
                        Some(level) => coverage.level <= level,
                        None => false,
                    }
            }
            // Whether a driver traces its calls is its own affair.
            StepKind::Operation { .. } | StepKind::Command { .. } => false,
        }
    }

    /// The least detailed level at which a message shows the step, whether it goes well or not.
    fn message_level(&self, step: StepId) -> Option<Level> {
        let rules = self.grammar.messages.iter().zip(&self.grammar.vocabulary.messages);
        // What is logged at the end, or on the way, is not logged when the work fails before.
        let shown = rules.filter(|(meaning, rule)| {
            meaning.step == step && meaning.role == MessageRole::Begins && rule.level <= Level::Info
        });
        shown.map(|(_, rule)| rule.level).max()
    }

    /// Whether some log could show a step of a case.
    pub fn could_show(&self, step: StepId, touched: &Touched) -> bool {
        !self.showing(step, touched).is_empty()
    }

    /// Whether some log could show a step of a case in all of a span of time.
    pub fn covers(&self, step: StepId, touched: &Touched, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        self.showing(step, touched).into_iter().any(|coverage| covers(coverage, from, to))
    }

    /// The last moment at which a log could have shown a step of a case.
    pub fn shown_until(&self, step: StepId, touched: &Touched) -> Option<Timestamp> {
        self.showing(step, touched).into_iter().filter_map(|coverage| coverage.last).max()
    }

    /// What is missing to see a step: the log, the right host's log, a level, or a span of time.
    pub fn needs(&self, step: StepId, touched: &Touched, until: Option<Timestamp>) -> String {
        let rule = self.grammar.step_at(step);
        let service = self.grammar.vocabulary.service_name(rule.service);
        let level = match &rule.kind {
            StepKind::Call { .. } | StepKind::Cast { .. } => match (self.message_level(step), rule.locks.is_empty()) {
                (Some(level), _) if level >= Level::Info => "INFO",
                (_, false) | (Some(_), _) => "DEBUG",
                (None, true) => "DEBUG with oslo_messaging=DEBUG in default_log_levels",
            },
            StepKind::Http { .. } => "INFO",
            StepKind::Operation { .. } | StepKind::Command { .. } => "DEBUG",
        };
        let given: Vec<(SourceId, &Coverage)> = self.of_service(rule.service).collect();
        if given.is_empty() {
            return format!("the log of {service} at {level}");
        }
        if !given.iter().any(|(source, _)| self.joinable.contains(&(*source, rule.service))) && !touched.direct {
            return format!(
                "the log of {service} with %(global_request_id)s in its format, or of its callers with keystoneauth=DEBUG"
            );
        }
        if self.incomplete.contains(&rule.service) {
            return format!(
                "the logs of all hosts that run {service}: some of its requests are in none of those given"
            );
        }
        let of_case: Vec<&Coverage> = given
            .iter()
            .filter(|(source, _)| touched.logs.contains_key(&(*source, rule.service)))
            .map(|(_, coverage)| *coverage)
            .collect();
        if of_case.is_empty() && !matches!(rule.kind, StepKind::Http { .. }) {
            return format!("the log of {service} on the host of this flow at {level}: those given have no line of it");
        }
        if self.showing(step, touched).is_empty() {
            return format!("the log of {service} at {level}");
        }
        match until {
            Some(until) => format!("the log of {service} until {}", until.clock()),
            None => format!("more of the log of {service}"),
        }
    }
}

/// Whether a log's lines reach over a span of time.
fn covers(coverage: &Coverage, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    match (coverage.first, coverage.last) {
        (Some(first), Some(last)) => from.is_some_and(|from| first <= from) && to.is_some_and(|to| to <= last),
        _ => false,
    }
}
