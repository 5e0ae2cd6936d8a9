//! What the logs could have shown.
//!
//! A step that no log could show costs nothing and proves nothing. Whether one could follows from the services, the levels and
//! the span of time of the inputs. That a log is of the right host is never assumed: a service that may run on many hosts
//! counts only where its log has a line of this very case.

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

use crate::base::time::SECOND;
use crate::model::event::Level;
use crate::model::source::{Activity, Coverage, SourceId, SourceSummary};
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::{Grammar, MessageRole, Step, StepId, StepKind};
use crate::trace::clocks::{ClockId, Clocks, Stamp};
use crate::trace::graph::CallGraph;
use crate::trace::nearby::logs_with_global_ids;
use crate::trace::node::{Node, NodeKind};
use crate::trace::resources::Resources;

/// What a set of logs could have shown.
#[derive(Debug)]
pub struct Observability<'a> {
    grammar: &'a Grammar,
    sources: &'a [SourceSummary],
    clocks: &'a Clocks,
    /// The hosts of clocks, as far as logs tell them.
    hosts: FxHashMap<ClockId, &'a str>,
    /// Services of which a caller's log names a request that is in none of their own logs.
    incomplete: FxHashSet<ServiceId>,
    /// The logs whose lines tell the id that the caller passed along.
    global: FxHashSet<(SourceId, ServiceId)>,
    /// The services whose logs name the requests that they send.
    telling: FxHashSet<ServiceId>,
    /// The volumes of requests that could not be joined to a cause, by step; `None` where not even that is known.
    loose: FxHashMap<StepId, FxHashSet<Option<Uuid>>>,
    /// The first steps of flows that a service carries out.
    starts: FxHashSet<StepId>,
    /// The logs and processes that took messages of a topic that names a host.
    takers: Takers<'a>,
}

/// The logs and processes that took messages, by topic.
type Takers<'a> = FxHashMap<&'a str, FxHashSet<((SourceId, ServiceId), u32)>>;

/// How long after the end of some work its log has to go on for an error of it to have been logged, in microseconds.
const A_WHILE: i64 = SECOND;

/// The level at which a log shows messages.
const MESSAGES: &str = "DEBUG with oslo_messaging=DEBUG in default_log_levels";

/// A step to look for in the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sought {
    /// The step.
    pub step: StepId,
    /// The service that asks for it in the flow.
    pub caller: Option<ServiceId>,
}

/// What is known of a case before its steps are looked for.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// The logs that have lines of it, by input and service, and the processes that wrote them.
    pub logs: FxHashMap<(SourceId, ServiceId), FxHashSet<u32>>,
    /// Whether its requests have no cause that they had to be joined to.
    pub direct: bool,
    /// Its volume.
    pub volume: Option<Uuid>,
}

impl<'a> Observability<'a> {
    /// Looks for gaps in the logs.
    pub fn new(
        grammar: &'a Grammar,
        sources: &'a [SourceSummary],
        graph: &'a CallGraph,
        resources: &Resources,
    ) -> Self {
        let global = logs_with_global_ids(graph);
        let coverages = sources.iter().flat_map(|source| &source.coverage);
        let telling =
            coverages.filter(|coverage| coverage.http_debug).filter_map(|coverage| coverage.service).collect();
        let mut loose: FxHashMap<StepId, FxHashSet<Option<Uuid>>> = FxHashMap::default();
        for (id, node) in graph.nodes() {
            if node.kind == NodeKind::Http && graph.parent(id).is_none() {
                for step in &node.steps {
                    loose.entry(*step).or_default().insert(resources.volume(id));
                }
            }
        }
        let flows = grammar.flows.iter().filter(|flow| !flow.direct);
        let starts = flows.flat_map(|flow| flow.starts.iter().copied()).collect();
        let clocks = graph.clocks();
        let mut hosts = FxHashMap::default();
        for (index, source) in sources.iter().enumerate() {
            for coverage in &source.coverage {
                let clock = clocks.of_log(SourceId(index as u32), coverage.service);
                hosts.extend(clock.zip(coverage.host.as_deref()));
            }
        }
        let incomplete = FxHashSet::default();
        let takers = takers(graph);
        let mut observability =
            Self { grammar, sources, clocks, hosts, incomplete, global, telling, loose, starts, takers };
        for (_, node) in graph.nodes() {
            if let (NodeKind::Http, Some(service), Some(sent), None, Some(_)) =
                (node.kind, node.service, node.sent_stamp(), node.received, node.request)
                && node.status.is_some_and(|status| status < 500)
                && observability.of_service(service).any(|log| observability.may_cover(log, sent))
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

    /// The logs of a service on a host, and the processes that wrote them.
    pub fn logs_of_host(&self, service: ServiceId, host: &str) -> Vec<((SourceId, ServiceId), Vec<u32>)> {
        let of_host = self.of_service(service).filter(|(_, coverage)| coverage.host.as_deref() == Some(host));
        of_host.map(|(source, coverage)| ((source, service), coverage.debug_processes.clone())).collect()
    }

    /// The logs, and their processes, that took messages of a topic.
    pub fn logs_of_topic(&self, topic: &str) -> impl Iterator<Item = ((SourceId, ServiceId), u32)> {
        self.takers.get(topic).into_iter().flatten().copied()
    }

    /// Whether the log of what does some work goes on for a while after a moment.
    pub fn goes_on(&self, node: &Node, since: Stamp) -> bool {
        let Some((service, place)) = node.service.zip(node.received) else { return false };
        let mut logs = self.of_service(service).filter(|(source, _)| *source == place.source);
        logs.any(|log| self.reach(log).is_some_and(|(_, last)| last.time.since(since.time) >= A_WHILE))
    }

    /// The first and the last moment of a log.
    fn reach(&self, (source, coverage): (SourceId, &Coverage)) -> Option<(Stamp, Stamp)> {
        let clock = self.clocks.of_log(source, coverage.service);
        Some((self.clocks.common(coverage.first?, clock), self.clocks.common(coverage.last?, clock)))
    }

    /// Whether a moment is within a log as far as the clocks are known.
    fn may_cover(&self, log: (SourceId, &Coverage), at: Stamp) -> bool {
        self.reach(log).is_some_and(|(first, last)| first.time <= at.time && at.time <= last.time)
    }

    /// Whether a log's lines reach over a span of time, however its clock differs.
    fn covers_span(&self, log: (SourceId, &Coverage), before: &[Stamp], after: &[Stamp]) -> bool {
        before.iter().any(|from| self.begins_before(log, *from)) && after.iter().any(|to| self.ends_after(log, *to))
    }

    /// Whether a log is known to begin before a moment.
    pub(super) fn begins_before(&self, log: (SourceId, &Coverage), at: Stamp) -> bool {
        self.reach(log).is_some_and(|(first, _)| self.is_in_order(first, at))
    }

    /// Whether a log is known to go on to a moment.
    pub(super) fn ends_after(&self, log: (SourceId, &Coverage), at: Stamp) -> bool {
        self.reach(log).is_some_and(|(_, last)| self.is_in_order(at, last))
    }

    fn is_in_order(&self, from: Stamp, to: Stamp) -> bool {
        match self.clocks.least_between(from, to) {
            Some(apart) => apart >= 0,
            // Where nothing binds two clocks, they are the same only on the same host.
            None => {
                let host = |stamp: Stamp| self.hosts.get(&stamp.clock?);
                host(from).is_some() && host(from) == host(to) && from.time <= to.time
            }
        }
    }

    /// The logs that could show a step of a case, at any time.
    pub(super) fn showing(&self, sought: Sought, touched: &Touched) -> Vec<(SourceId, &Coverage)> {
        let step = sought.step;
        let rule = self.grammar.step_at(step);
        if self.incomplete.contains(&rule.service) {
            return Vec::new();
        }
        let one_of_many = !matches!(rule.kind, StepKind::Http { .. });
        let shows = |source: SourceId, coverage: &Coverage| match touched.logs.get(&(source, rule.service)) {
            Some(processes) => self.level_shows(step, rule, coverage, processes),
            None => !one_of_many && self.level_shows(step, rule, coverage, &FxHashSet::default()),
        };
        let can_join = |source: SourceId| one_of_many || self.can_join(sought, source, touched);
        self.of_service(rule.service)
            .filter(|(source, coverage)| can_join(*source) && shows(*source, coverage))
            .collect()
    }

    /// Whether a request in a log would be known to belong to the case: it is the first of a flow, the log or the caller's
    /// tells ids, or there is none in it that could be meant.
    fn can_join(&self, sought: Sought, source: SourceId, touched: &Touched) -> bool {
        let Sought { step, caller } = sought;
        let meant = self.loose.get(&step).is_some_and(|volumes| {
            touched.volume.is_none() || volumes.contains(&None) || volumes.contains(&touched.volume)
        });
        touched.direct
            || self.starts.contains(&step)
            || self.global.contains(&(source, self.grammar.step_at(step).service))
            || caller.is_some_and(|caller| self.telling.contains(&caller))
            || !meant
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
    pub fn could_show(&self, step: Sought, touched: &Touched) -> bool {
        !self.showing(step, touched).is_empty()
    }

    /// Whether some log could show a step of a case in all of a span of time: from one of some moments that are known to come
    /// before it to one of some that come after it.
    pub fn covers(&self, step: Sought, touched: &Touched, before: &[Stamp], after: &[Stamp]) -> bool {
        self.showing(step, touched).into_iter().any(|log| self.covers_span(log, before, after))
    }

    /// As [`Self::covers`], where the log of the one who asks for a step names the requests that it sends.
    pub fn caller_covers(&self, sought: Sought, touched: &Touched, before: &[Stamp], after: &[Stamp]) -> bool {
        let is_request = matches!(self.grammar.step_at(sought.step).kind, StepKind::Http { .. });
        let Some(caller) = sought.caller.filter(|_| is_request) else { return false };
        let mut logs = self
            .of_service(caller)
            .filter(|(source, coverage)| coverage.http_debug && touched.logs.contains_key(&(*source, caller)));
        logs.any(|log| self.covers_span(log, before, after))
    }

    /// Whether a service's log of a case shows that it wrote something in a span of time, however its clock differs.
    pub fn is_writing(&self, service: ServiceId, touched: &Touched, from: Stamp, until: Stamp) -> bool {
        let of_case = self.of_service(service).filter(|(source, _)| touched.logs.contains_key(&(*source, service)));
        of_case.into_iter().any(|(source, coverage)| {
            let clock = self.clocks.of_log(source, coverage.service);
            let logged = |stamp: Stamp| self.clocks.logged(Stamp { clock, ..stamp });
            let in_order = |first, second| self.clocks.least_between(first, second).is_some_and(|apart| apart >= 0);
            coverage.activity.between(logged(from), logged(until)).any(|slot| {
                let begin = self.clocks.common(slot, clock);
                in_order(from, begin) && in_order(begin.plus(Activity::SLOT), until)
            })
        })
    }

    /// Whether the log of a service that has lines of a case shows the messages that it sends.
    pub fn shows_messages(&self, service: ServiceId, touched: &Touched) -> bool {
        self.of_service(service).any(|(source, coverage)| {
            let processes = touched.logs.get(&(source, service));
            processes.is_some_and(|processes| coverage.rpc_processes.iter().any(|known| processes.contains(known)))
        })
    }

    /// What would show the messages that a service sends.
    pub fn messages_needed(&self, service: ServiceId) -> String {
        let service = self.grammar.vocabulary.service_name(service);
        format!("the log of {service} at {MESSAGES}")
    }

    /// What would tell who sent the requests that a service got.
    pub fn ids_needed(&self, service: ServiceId, caller: Option<ServiceId>) -> String {
        let service = self.grammar.vocabulary.service_name(service);
        let caller = caller.map_or("its callers", |caller| self.grammar.vocabulary.service_name(caller));
        format!(
            "the log of {service} with %(global_request_id)s in its format, or that of {caller} with keystoneauth=DEBUG"
        )
    }

    /// What is missing to see a step: the log, the right host's log, a level, or a span of time.
    pub fn needs(&self, sought: Sought, touched: &Touched, until: Option<Stamp>) -> String {
        let Sought { step, caller } = sought;
        let rule = self.grammar.step_at(step);
        let service = self.grammar.vocabulary.service_name(rule.service);
        let level = match &rule.kind {
            StepKind::Call { .. } | StepKind::Cast { .. } => match (self.message_level(step), rule.locks.is_empty()) {
                (Some(level), _) if level >= Level::Info => "INFO",
                (_, false) | (Some(_), _) => "DEBUG",
                (None, true) => MESSAGES,
            },
            StepKind::Http { .. } => "INFO",
            StepKind::Operation { .. } | StepKind::Command { .. } => "DEBUG",
        };
        let given: Vec<(SourceId, &Coverage)> = self.of_service(rule.service).collect();
        if given.is_empty() {
            return format!("the log of {service} at {level}");
        }
        let joined = given.iter().any(|(source, _)| self.can_join(sought, *source, touched));
        if matches!(rule.kind, StepKind::Http { .. }) && !joined {
            return self.ids_needed(rule.service, caller);
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
        if self.showing(sought, touched).is_empty() {
            return format!("the log of {service} at {level}");
        }
        match until {
            // Said on the clock of the log that should go on.
            Some(until) => {
                let own = given.first().map(|(source, coverage)| self.clocks.of_log(*source, coverage.service));
                let clock = own.unwrap_or(until.clock);
                format!("the log of {service} until {}", self.clocks.logged(Stamp { clock, ..until }).clock())
            }
            None => format!("more of the log of {service}"),
        }
    }
}

/// Who took messages of topics that name a host: what was sent to one of them before, and seen to arrive, tells its log.
fn takers(graph: &CallGraph) -> Takers<'_> {
    let mut takers = Takers::default();
    for (_, node) in graph.nodes().filter(|(_, node)| matches!(node.kind, NodeKind::Call | NodeKind::Cast)) {
        let topic = node.label.as_deref().filter(|topic| node.sent.is_some() && topic.contains('.'));
        if let (Some(topic), Some(received), Some(service), Some(process)) =
            (topic, node.received, node.service, node.process)
        {
            takers.entry(topic).or_default().insert(((received.source, service), process));
        }
    }
    takers
}
