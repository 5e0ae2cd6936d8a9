//! The clocks of the logs. How far each is ahead of the others follows from causes alone: nothing arrives before it was sent,
//! nobody has an answer before it was given. Stamps of different logs are never compared for it.
//!
//! Inside the call graph all times are on one clock, as far as that is known; [`Clocks::logged`] gives back what a log says.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::base::time::{SECOND, Timestamp};
use crate::model::source::SourceId;
use crate::model::vocabulary::ServiceId;
use crate::spec::grammar::Grammar;
use crate::trace::causes::{Pairs, Told, pairs};
use crate::trace::node::{Node, NodeKind};
use crate::trace::offsets::{Bounds, agree, settle};

/// The number of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClockId(pub u32);

/// A moment on the common clock, and the clock that told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The moment.
    pub time: Timestamp,
    /// The clock that told it; how well that is known decides what may follow from the moment.
    pub clock: Option<ClockId>,
}

impl Stamp {
    /// The moment `micros` microseconds later.
    pub fn plus(self, micros: i64) -> Self {
        Self { time: self.time.plus(micros), ..self }
    }
}

/// Whose clock it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClockOwner {
    /// The input.
    pub source: SourceId,
    /// The service whose lines have these times; `None` for a client.
    pub service: Option<ServiceId>,
    /// Whether these are the dates of the service's answers in the log of a client that has no times of its own.
    pub dates: bool,
}

/// What is known of a clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Whose it is.
    pub owner: ClockOwner,
    /// The clock that it is compared with; itself when there is none.
    pub reference: ClockId,
    /// How far it is ahead of that one at least, in microseconds.
    pub least: Option<i64>,
    /// How far at most.
    pub most: Option<i64>,
    /// How far it is taken to be ahead.
    pub offset: i64,
    /// How many times the order of a cause and its effect tells something of it.
    pub causes: usize,
    /// How many of them contradict the others: a clock was set, or ids mean something else.
    pub contradicting: usize,
}

/// The clocks of all logs.
#[derive(Clone, Debug, Default)]
pub struct Clocks {
    clocks: Vec<Clock>,
    numbers: FxHashMap<ClockOwner, ClockId>,
    bounds: Bounds,
}

/// How long something may take to arrive, in microseconds, where nothing tells how far a clock is off in one direction.
const WAIT: i64 = 120 * SECOND;

/// The most clocks that are compared.
const MOST_CLOCKS: usize = 300;

impl Clocks {
    /// Estimates the clocks from nodes of which ids have joined all parts, and puts these onto one clock.
    pub(crate) fn align(grammar: &Grammar, nodes: &mut [Node], is_alive: impl Fn(usize) -> bool) -> Self {
        let mut clocks = Self::default();
        let client = grammar.vocabulary.service("client");
        for node in nodes.iter_mut() {
            (node.clock, node.sender_clock) = clocks.of_node(node, client);
        }
        clocks.solve(pairs(grammar, nodes, &is_alive));
        for node in nodes {
            clocks.shift(node);
        }
        clocks
    }

    /// The clocks of the service that does some work and of the one that asked for it.
    fn of_node(&mut self, node: &Node, client: Option<ServiceId>) -> (Option<ClockId>, Option<ClockId>) {
        let named = |service: Option<ServiceId>| service.filter(|service| Some(*service) != client);
        let dates = node.dated;
        let sender = node.sent.map(|place| {
            let service = if dates { node.service } else { node.caller };
            ClockOwner { source: place.source, service: named(service), dates }
        });
        if node.kind == NodeKind::Client {
            return (sender.map(|owner| self.number(owner)), None);
        }
        let place = node.received.or_else(|| node.evidence.iter().min().copied()).or(node.ended);
        let is_own = node.received.is_some() || node.start.is_some() || node.end.is_some();
        let own = place.filter(|_| is_own).map(|place| ClockOwner {
            source: place.source,
            service: named(node.service),
            dates: false,
        });
        (own.map(|owner| self.number(owner)), sender.map(|owner| self.number(owner)))
    }

    fn number(&mut self, owner: ClockOwner) -> ClockId {
        if let Some(number) = self.numbers.get(&owner) {
            return *number;
        }
        let number = ClockId(self.clocks.len() as u32);
        self.numbers.insert(owner, number);
        self.clocks.push(Clock {
            owner,
            reference: number,
            least: None,
            most: None,
            offset: 0,
            causes: 0,
            contradicting: 0,
        });
        number
    }

    fn solve(&mut self, pairs: Pairs) {
        let count = self.clocks.len().min(MOST_CLOCKS);
        let mut groups: Vec<usize> = (0..self.clocks.len()).collect();
        let mut links: Vec<Link> = pairs.into_iter().map(|(ends, told)| Link::new(ends, told)).collect();
        // What most causes tell comes first.
        let owner = |clock: usize| self.clocks[clock].owner.service;
        links.sort_by_key(|link| (std::cmp::Reverse(link.agreeing), owner(link.ends.0), owner(link.ends.1), link.ends));
        // Where lines are hardly late the offset is likely; what may follow from it has to hold though they are.
        let (mut bounds, mut near) = (Bounds::new(count), Bounds::new(count));
        let mut bound = Vec::new();
        for link in links {
            let mut contradicting = link.contradicting;
            if bounds.learn(link.ends, link.least, link.most) {
                let is_near = near.learn(link.ends, link.near_least, link.near_most);
                if !is_near {
                    near.learn(link.ends, link.least, link.most);
                }
                bound.push(link.ends);
                join(&mut groups, link.ends);
            } else {
                contradicting += link.agreeing;
            }
            for clock in [link.ends.0, link.ends.1] {
                self.clocks[clock].causes += link.agreeing + link.contradicting;
                self.clocks[clock].contradicting += contradicting;
            }
        }
        for ends in self.of_one_source() {
            if bounds.learn(ends, Some(0), Some(0)) {
                near.learn(ends, Some(0), Some(0));
                join(&mut groups, ends);
            }
        }
        let told = bounds.clone();
        assume(&mut bounds, &bound);
        assume(&mut near, &bound);
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (clock, group) in groups.iter().enumerate() {
            members.entry(*group).or_default().push(clock);
        }
        for group in members.into_values() {
            self.settle(&bounds, &near, &told, group);
        }
        self.bounds = bounds;
    }

    /// The clocks of one input, which are one clock unless causes tell otherwise.
    fn of_one_source(&self) -> Vec<(usize, usize)> {
        let mut by_source: BTreeMap<(SourceId, bool), Vec<usize>> = BTreeMap::new();
        for (number, clock) in self.clocks.iter().enumerate() {
            by_source.entry((clock.owner.source, clock.owner.dates)).or_default().push(number);
        }
        let mut ties = Vec::new();
        for ((_, dates), mut clocks) in by_source {
            clocks.sort_by_key(|clock| (std::cmp::Reverse(self.clocks[*clock].causes), self.clocks[*clock].owner));
            let first = clocks[0];
            // Every service dates its answers on its own clock.
            let is_tied = |clock: &usize| !dates || self.clocks[*clock].causes == 0;
            ties.extend(clocks.into_iter().skip(1).filter(is_tied).map(|clock| (first, clock)));
        }
        ties
    }

    /// Settles the offsets of clocks that are bound to one another. The reference is the one in the middle of them.
    fn settle(&mut self, bounds: &Bounds, near: &Bounds, told: &Bounds, mut group: Vec<usize>) {
        let rank = |clock: &usize| {
            let known = &self.clocks[*clock];
            (known.owner.dates, std::cmp::Reverse(known.causes), known.owner.service, *clock)
        };
        group.sort_by_key(rank);
        let from = |reference: usize, group: &[usize]| {
            let width = |clock: &usize| match (bounds.most(reference, *clock), bounds.most(*clock, reference)) {
                (Some(forth), Some(back)) => forth.saturating_add(back),
                _ => i64::MAX,
            };
            let mut order = group.to_vec();
            order.sort_by_key(|clock| (*clock != reference, width(clock)));
            settle(bounds, near, &order)
        };
        let Some(first) = group.first() else { return };
        let mut offsets = from(*first, &group);
        // The dates of answers are too coarse to compare others with.
        offsets.retain(|(clock, _)| self.clocks[*clock].owner.dates == self.clocks[*first].owner.dates);
        offsets.sort_by_key(|(clock, offset)| (*offset, rank(clock)));
        let least_off = offsets[(offsets.len() - 1) / 2];
        // The best known of those that agree with the one in the middle.
        let same = offsets.iter().filter(|(_, offset)| *offset == least_off.1).map(|(clock, _)| *clock);
        let reference = same.min_by_key(rank).unwrap_or(*first);
        for (clock, offset) in from(reference, &group) {
            let known = &mut self.clocks[clock];
            known.reference = ClockId(reference as u32);
            known.offset = offset;
            known.least = told.most(clock, reference).map(i64::saturating_neg);
            known.most = told.most(reference, clock);
        }
    }

    /// Puts the times of a node onto the common clock.
    fn shift(&self, node: &mut Node) {
        let own = -self.offset(node.clock);
        let senders = -self.offset(node.sender_clock);
        for (time, shift) in [
            (&mut node.start, own),
            (&mut node.end, own),
            (&mut node.sent_time, senders),
            (&mut node.answered_time, senders),
        ] {
            *time = time.map(|time| time.plus(shift));
        }
        for message in &mut node.messages {
            message.time = message.time.map(|time| time.plus(own));
        }
    }

    /// Learns of two clocks that nothing else binds how far the second can be ahead of the first on the common clock, from what
    /// had to be joined by time: that it could be joined speaks for clocks that agree.
    pub(crate) fn bind(&mut self, first: ClockId, second: ClockId, least: i64, most: i64) {
        let taken = self.offset(Some(second)) - self.offset(Some(first));
        let ends = (first.0 as usize, second.0 as usize);
        self.bounds.learn(ends, Some(least.saturating_add(taken)), Some(most.saturating_add(taken)));
    }

    /// Whether something tells how far two clocks are apart.
    pub(crate) fn are_bound(&self, first: ClockId, second: ClockId) -> bool {
        let most = |from: ClockId, to: ClockId| self.bounds.most(from.0 as usize, to.0 as usize);
        most(first, second).is_some() || most(second, first).is_some()
    }

    fn offset(&self, clock: Option<ClockId>) -> i64 {
        clock.and_then(|clock| self.clocks.get(clock.0 as usize)).map_or(0, |clock| clock.offset)
    }

    /// All clocks.
    pub fn all(&self) -> &[Clock] {
        &self.clocks
    }

    /// A clock.
    pub fn clock(&self, clock: ClockId) -> Option<&Clock> {
        self.clocks.get(clock.0 as usize)
    }

    /// The clock of a service's lines in an input.
    pub fn of_log(&self, source: SourceId, service: Option<ServiceId>) -> Option<ClockId> {
        let own = self.numbers.get(&ClockOwner { source, service, dates: false }).copied();
        // A service of which nothing was followed has the clock of its input.
        let of_input = || self.clocks.iter().position(|clock| clock.owner.source == source && !clock.owner.dates);
        own.or_else(|| of_input().map(|clock| ClockId(clock as u32)))
    }

    /// A time of a log, on the common clock.
    pub fn common(&self, time: Timestamp, clock: Option<ClockId>) -> Stamp {
        Stamp { time: time.plus(-self.offset(clock)), clock }
    }

    /// A moment as its log has it.
    pub fn logged(&self, stamp: Stamp) -> Timestamp {
        stamp.time.plus(self.offset(stamp.clock))
    }

    /// How long it is from one moment to another at least, in microseconds; `None` where their clocks are not bound to each
    /// other.
    pub fn least_between(&self, from: Stamp, to: Stamp) -> Option<i64> {
        let apart = to.time.since(from.time);
        if from.clock == to.clock {
            return Some(apart);
        }
        let (first, second) = (from.clock?, to.clock?);
        let most = self.bounds.most(first.0 as usize, second.0 as usize)?;
        let taken = self.offset(Some(second)) - self.offset(Some(first));
        Some(apart.saturating_sub(most.saturating_sub(taken)))
    }
}

/// Where causes go in one direction only, takes it that nothing waits for long. That no clock is off stays possible.
fn assume(bounds: &mut Bounds, bound: &[(usize, usize)]) {
    for (first, second) in bound.iter().copied() {
        match (bounds.most(first, second), bounds.most(second, first)) {
            (Some(most), None) => bounds.learn((first, second), Some(most.saturating_sub(WAIT).min(0)), None),
            (None, Some(most)) => bounds.learn((second, first), Some(most.saturating_sub(WAIT).min(0)), None),
            _ => true,
        };
    }
}

/// What causes tell of two clocks.
struct Link {
    ends: (usize, usize),
    agreeing: usize,
    contradicting: usize,
    least: Option<i64>,
    most: Option<i64>,
    near_least: Option<i64>,
    near_most: Option<i64>,
}

impl Link {
    fn new((first, second): (ClockId, ClockId), told: Told) -> Self {
        let causes = told.least.len() + told.most.len();
        let (least, most, contradicting) = agree(told.least, told.most);
        let (near_least, near_most, _) = agree(told.near_least, told.near_most);
        let ends = (first.0 as usize, second.0 as usize);
        Self { ends, agreeing: causes - contradicting, contradicting, least, most, near_least, near_most }
    }
}

/// Puts two clocks into one group.
fn join(groups: &mut [usize], (first, second): (usize, usize)) {
    let (kept, gone) = (groups[first].min(groups[second]), groups[first].max(groups[second]));
    groups.iter_mut().filter(|group| **group == gone).for_each(|group| *group = kept);
}
