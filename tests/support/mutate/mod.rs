//! Mutants of a path: one thing wrong in each, and what has to come of it.

mod failure;
mod sequence;
mod servers;
mod strangers;

use flowcheck::spec::grammar::{Grammar, MessageRole, StepId, StepKind};

use super::path::{Act, Path, Turn};
use super::writer::Style;

/// What was done to the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A step is left out, with what is inside it.
    Dropped,
    /// A request that changes something is sent twice.
    Doubled,
    /// Two requests to one service change places.
    Swapped,
    /// A request comes after all others beside it.
    Moved,
    /// Another request that changes something stands in its place.
    Replaced,
    /// A request is about another volume and another attachment.
    Redirected,
    /// A request fails on the server's side, and nothing follows.
    Flipped,
    /// A request is turned down, and nothing follows.
    Refused,
    /// A request is sent more often than it may be.
    RetriedTooOften,
    /// A request is sent again after an answer that is final.
    RetriedAfterRefusal,
    /// A cast is sent, and its work is never done.
    LostCast,
    /// The work of a call is done, and its caller fails for want of a reply.
    LostReply,
    /// A process is killed at its work.
    Killed,
    /// A step of a rollback is left out.
    NotRolledBack,
    /// A whole rollback is left out.
    LostRollback,
    /// A step of a rollback fails, and nothing follows.
    FailedRollback,
    /// What reaches the goal is undone by the same work, though nothing has failed.
    Undone,
    /// The status is set by hand in the middle.
    Reset,
    /// Somebody else takes the connection or the attachment away in the middle.
    TakenAway,
    /// Somebody else makes a second attachment for the same server in the middle.
    Twin,
}

/// Why work may go unseen though its service's log is there.
const UNSEEN: &str = "what no line shows may have failed before anything was done";
const NO_VOLUME: &str = "nothing tells that the server had a volume";
const UNTIED: &str = "nothing ties the case to a log of that service";

/// What has to come of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// An error that names one of the steps.
    Violated,
    /// It is legal, or no log could tell, for this reason.
    Legal(&'static str),
}

/// A path with one thing wrong.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) kind: Kind,
    /// The steps that it is about.
    pub(crate) steps: Vec<StepId>,
    pub(crate) path: Path,
    pub(crate) expected: Expected,
}

type Address = Vec<usize>;

/// All mutants of a path; of one that fails only those of its rollback.
pub(crate) fn mutants(grammar: &Grammar, style: Style, path: &Path, rollback: bool) -> Vec<Mutant> {
    let mutator = Mutator { grammar, style, path };
    let mut addresses = Vec::new();
    collect(&path.acts, &mut Vec::new(), &mut addresses);
    if !path.direct {
        // The request that starts the flow, and the command around it.
        addresses.retain(|address| address.len() > 1);
    }
    let mut mutants = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        if rollback {
            mutants.extend(mutator.not_rolled_back(address));
            mutants.extend(mutator.failed_rollback(address));
            continue;
        }
        mutants.extend(mutator.dropped(address, &addresses));
        mutants.extend(mutator.doubled(address));
        mutants.extend(mutator.flipped(address, &addresses[..index], Kind::Flipped));
        mutants.extend(mutator.flipped(address, &addresses[..index], Kind::Refused));
        let next = addresses[index + 1..].iter().find(|next| mutator.is_change(at(&path.acts, next)));
        mutants.extend(next.and_then(|next| mutator.swapped(address, next)));
        mutants.extend(mutator.moved(address));
        mutants.extend(mutator.replaced(address));
        mutants.extend(mutator.redirected(address, &addresses));
        mutants.extend(mutator.retried_too_often(address));
        mutants.extend(mutator.retried_after_refusal(address));
        mutants.extend(mutator.lost_cast(address, &addresses));
        mutants.extend(mutator.lost_reply(address, &addresses[..index]));
        mutants.extend(mutator.killed(address));
        mutants.extend(mutator.undone(address));
        mutants.extend(mutator.by_strangers(address));
    }
    if rollback {
        mutants.extend(mutator.lost_rollback(&addresses));
    }
    mutants.into_iter().map(|mutant| mutator.of_a_server(mutant)).collect()
}

struct Mutator<'a> {
    grammar: &'a Grammar,
    style: Style,
    path: &'a Path,
}

impl Mutator<'_> {
    fn mutant(&self, kind: Kind, acts: Vec<Act>, steps: Vec<StepId>, expected: Expected) -> Mutant {
        let path = Path { acts, ..self.path.clone() };
        let expected = if self.is_about_a_server() && !asks_cinder(self.grammar, &path.acts) {
            Expected::Legal(NO_VOLUME)
        } else {
            expected
        };
        Mutant { kind, steps, path, expected }
    }

    /// Whether the flow is one of a server, and of each of its volumes, which only requests to cinder tell.
    fn is_about_a_server(&self) -> bool {
        self.grammar.flow(&self.path.flow).is_some_and(|flow| flow.per_volume)
    }

    fn name(&self, act: &Act) -> &str {
        &self.grammar.step_at(act.step).name
    }

    /// Whether the work of an RPC shows whatever comes of it.
    fn is_shown(&self, step: StepId) -> bool {
        let rules = self.grammar.messages.iter();
        let always = |role: MessageRole| matches!(role, MessageRole::Begins | MessageRole::During);
        let told = rules.into_iter().any(|meaning| meaning.step == step && always(meaning.role));
        self.style == Style::Rpc || told || !self.grammar.step_at(step).locks.is_empty()
    }

    /// Whether a step that goes well writes any line.
    fn writes(&self, step: StepId) -> bool {
        let ends =
            self.grammar.messages.iter().any(|meaning| meaning.step == step && meaning.role == MessageRole::Ends);
        ends || self.is_shown(step) || matches!(self.grammar.step_at(step).kind, StepKind::Operation { .. })
    }

    /// What has to come of work that is not done, with all inside it.
    fn absent(&self, address: &Address, all: &[Address]) -> Expected {
        let is_request =
            |act: &Act| !act.optional && matches!(self.grammar.step_at(act.step).kind, StepKind::Http { .. });
        match any(at(&self.path.acts, address), &is_request) {
            true if self.is_unseen(at(&self.path.acts, address)) && self.is_first_change(address) => {
                Expected::Legal(UNSEEN)
            }
            true => Expected::Violated,
            false => self.unseen(address, all).map_or(Expected::Violated, Expected::Legal),
        }
    }

    /// Whether an act was sent without waiting, and no line shows it: it may have failed by rights.
    fn is_unseen(&self, act: &Act) -> bool {
        matches!(self.grammar.step_at(act.step).kind, StepKind::Cast { .. }) && !self.is_shown(act.step)
    }

    /// Whether nothing was changed before an act.
    fn is_first_change(&self, address: &[usize]) -> bool {
        let mut all = Vec::new();
        collect(&self.path.acts, &mut Vec::new(), &mut all);
        let mut before = all.iter().filter(|other| other.as_slice() < address && !address.starts_with(other));
        !before.any(|other| self.is_change(at(&self.path.acts, other)))
    }

    /// Why the logs may be silent of work though it was done.
    fn unseen(&self, address: &Address, all: &[Address]) -> Option<&'static str> {
        let step = at(&self.path.acts, address).step;
        let service = self.grammar.step_at(step).service;
        let outside = |other: &&Address| !other.starts_with(address);
        let same_service = |other: &Address| {
            let step = at(&self.path.acts, other).step;
            self.grammar.step_at(step).service == service && self.writes(step)
        };
        if !self.is_shown(step) {
            Some("no line that is always written shows it")
        } else if !all.iter().filter(outside).any(same_service) {
            Some(UNTIED)
        } else {
            None
        }
    }

    fn is_change(&self, act: &Act) -> bool {
        let rule = self.grammar.step_at(act.step);
        let concerned = self.grammar.machines.iter().any(|machine| machine.concerns(act.step));
        matches!(&rule.kind, StepKind::Http { method, .. } if method != "GET") && concerned
    }
}

/// Whether a request reaches cinder.
fn asks_cinder(grammar: &Grammar, acts: &[Act]) -> bool {
    let is_asked = |act: &Act| {
        let rule = grammar.step_at(act.step);
        matches!(rule.kind, StepKind::Http { .. }) && grammar.vocabulary.service_name(rule.service) == "cinder-api"
    };
    acts.iter().any(|act| is_asked(act) || act.turn != Turn::Lost && asks_cinder(grammar, &act.acts))
}

/// The addresses of all acts, encloser first.
fn collect(acts: &[Act], prefix: &mut Address, addresses: &mut Vec<Address>) {
    for (index, act) in acts.iter().enumerate() {
        prefix.push(index);
        addresses.push(prefix.clone());
        collect(&act.acts, prefix, addresses);
        prefix.pop();
    }
}

fn at<'a>(acts: &'a [Act], address: &[usize]) -> &'a Act {
    let act = &acts[address[0]];
    if address.len() == 1 { act } else { at(&act.acts, &address[1..]) }
}

fn list<'a>(acts: &'a mut Vec<Act>, address: &[usize]) -> (&'a mut Vec<Act>, usize) {
    if address.len() == 1 { (acts, address[0]) } else { list(&mut acts[address[0]].acts, &address[1..]) }
}

fn remove(acts: &mut Vec<Act>, address: &[usize]) {
    let (list, index) = list(acts, address);
    list.remove(index);
}

/// Lets an act fail, and with it all that waits for it; nothing follows.
fn fail(acts: &mut Vec<Act>, address: &[usize], grammar: &Grammar, status: u16) -> bool {
    acts.truncate(address[0] + 1);
    let act = &mut acts[address[0]];
    let failed = if address.len() == 1 {
        act.acts.clear();
        true
    } else {
        fail(&mut act.acts, &address[1..], grammar, status)
    };
    if failed {
        act.well = false;
        act.status = if act.status == 0 { 0 } else { status };
    }
    // The sender of a cast does not wait.
    failed && !matches!(grammar.step_at(act.step).kind, StepKind::Cast { .. })
}

fn any(act: &Act, fits: &impl Fn(&Act) -> bool) -> bool {
    fits(act) || act.acts.iter().any(|inner| any(inner, fits))
}

/// The steps of an act and of all inside it.
fn names(act: &Act) -> Vec<StepId> {
    let mut steps = vec![act.step];
    steps.extend(act.acts.iter().flat_map(names));
    steps
}
