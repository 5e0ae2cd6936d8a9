//! Mutants of a path: one thing wrong in each, and what has to come of it.

use flowcheck::spec::grammar::{Grammar, MessageRole, StepId, StepKind};

use super::path::{Act, Path};
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
    /// A request fails, and nothing follows.
    Flipped,
    /// A step of a rollback is left out.
    NotRolledBack,
}

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
            continue;
        }
        mutants.extend(mutator.dropped(address, &addresses));
        mutants.extend(mutator.doubled(address));
        mutants.extend(mutator.flipped(address, &addresses[..index]));
        let next = addresses[index + 1..].iter().find(|next| mutator.is_change(at(&path.acts, next)));
        mutants.extend(next.and_then(|next| mutator.swapped(address, next)));
    }
    mutants
}

struct Mutator<'a> {
    grammar: &'a Grammar,
    style: Style,
    path: &'a Path,
}

impl Mutator<'_> {
    fn mutant(&self, kind: Kind, acts: Vec<Act>, steps: Vec<StepId>, expected: Expected) -> Mutant {
        Mutant { kind, steps, path: Path { acts, ..self.path.clone() }, expected }
    }

    fn name(&self, act: &Act) -> &str {
        &self.grammar.step_at(act.step).name
    }

    fn dropped(&self, address: &Address, all: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let inside = names(act);
        let mut acts = self.path.acts.clone();
        remove(&mut acts, address);
        if acts.is_empty() {
            return None;
        }
        let rule = self.grammar.step_at(act.step);
        let is_request =
            |act: &Act| !act.optional && matches!(self.grammar.step_at(act.step).kind, StepKind::Http { .. });
        let outside = |other: &&Address| !other.starts_with(address);
        let same_service = |other: &Address| {
            let step = at(&self.path.acts, other).step;
            self.grammar.step_at(step).service == rule.service && self.writes(step)
        };
        let expected = if self.path.direct && self.name(act) == "cinder.attachment.update" && !self.path.connector {
            // The attachment then is completed without a connection.
            Expected::Violated
        } else if act.optional {
            Expected::Legal("it is optional")
        } else if self.path.direct && address == &[self.path.acts.len() - 1] {
            Expected::Legal("a user has no deadline: the chain just stops")
        } else if self.path.direct && address == &[0] {
            Expected::Legal("it may have been sent before the logs begin")
        } else if any(act, &is_request) {
            Expected::Violated
        } else if !self.is_shown(act.step) {
            Expected::Legal("no line that is always written shows it")
        } else if !all.iter().filter(outside).any(same_service) {
            Expected::Legal("nothing ties the case to a log of that service")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Dropped, acts, inside, expected))
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

    fn is_change(&self, act: &Act) -> bool {
        let rule = self.grammar.step_at(act.step);
        let concerned = self.grammar.machines.iter().any(|machine| machine.concerns(act.step));
        matches!(&rule.kind, StepKind::Http { method, .. } if method != "GET") && concerned
    }

    fn doubled(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let (list, index) = list(&mut acts, address);
        list.insert(index, act.clone());
        let at_rest = [
            "cinder.volume.unreserve",
            "cinder.volume.roll_detaching",
            "cinder.volume.detach",
            "cinder.volume.reset_status",
            "cinder.volume.force_detach",
        ];
        let expected = if self.path.direct && at_rest.contains(&self.name(act)) {
            Expected::Legal("cinder answers well and does nothing to a volume at rest")
        } else if self.path.direct && self.name(act) == "cinder.attachment.delete" {
            Expected::Legal("a deletion stands for itself")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Doubled, acts, vec![act.step], expected))
    }

    fn swapped(&self, address: &Address, next: &Address) -> Option<Mutant> {
        let (first, second) = (at(&self.path.acts, address), at(&self.path.acts, next));
        if !self.is_change(first) || next.starts_with(address) || first.step == second.step {
            return None;
        }
        let mut acts = self.path.acts.clone();
        let steps = vec![first.step, second.step];
        let (first, second) = (first.clone(), second.clone());
        let (place, index) = list(&mut acts, next);
        place[index] = first;
        let (place, index) = list(&mut acts, address);
        place[index] = second;
        let expected = match self.path.direct && acts.len() == 2 {
            true => Expected::Legal("the first may end what the logs do not hold, the second begin what goes on"),
            false => Expected::Violated,
        };
        Some(self.mutant(Kind::Swapped, acts, steps, expected))
    }

    fn flipped(&self, address: &Address, before: &[Address]) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        if !self.is_change(act) {
            return None;
        }
        let mut acts = self.path.acts.clone();
        fail(&mut acts, address, self.grammar);
        let changed = |before: &Address| !address.starts_with(before) && self.is_change(at(&self.path.acts, before));
        let expected = if self.path.direct {
            Expected::Legal("a user has no deadline: the chain just stops")
        } else if act.optional && !act.tolerated {
            Expected::Legal("what is left is at rest")
        } else if !before.iter().any(changed) {
            Expected::Legal("nothing was done before it")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::Flipped, acts, vec![act.step], expected))
    }

    fn not_rolled_back(&self, address: &Address) -> Option<Mutant> {
        let act = at(&self.path.acts, address);
        let parent_is_owed = address.len() > 1 && at(&self.path.acts, &address[..address.len() - 1]).owed;
        if !act.owed || parent_is_owed {
            return None;
        }
        let mut acts = self.path.acts.clone();
        remove(&mut acts, address);
        let mut others = Vec::new();
        collect(&acts, &mut Vec::new(), &mut others);
        let stands_in = |other: &Address| {
            let other = at(&acts, other);
            other.owed && other.step == act.step && other.status == act.status.min(200)
        };
        let again = others.iter().any(|other| at(&acts, other).spare && at(&acts, other).step == act.step);
        let expected = if act.optional {
            Expected::Legal("it is optional")
        } else if act.spare && !others.iter().any(|other| at(&acts, other).spare) && act.status != 200
            || again && others.iter().any(stands_in)
        {
            Expected::Legal("the attempt that owes it may not have begun")
        } else {
            Expected::Violated
        };
        Some(self.mutant(Kind::NotRolledBack, acts, names(act), expected))
    }
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
fn fail(acts: &mut Vec<Act>, address: &[usize], grammar: &Grammar) -> bool {
    acts.truncate(address[0] + 1);
    let act = &mut acts[address[0]];
    let failed = if address.len() == 1 {
        act.acts.clear();
        true
    } else {
        fail(&mut act.acts, &address[1..], grammar)
    };
    if failed {
        act.well = false;
        act.status = if act.status == 0 { 0 } else { 500 };
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
