//! Paths through a flow variant: what is done, in its order, with at most one failure.

use flowcheck::spec::grammar::{Grammar, StepId, StepKind, StepUse, Term, Variant};

/// One step as it happens, with what happens inside it.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) step: StepId,
    /// The HTTP status of its answer; 0 for what is no request.
    pub(crate) status: u16,
    /// Whether it goes well.
    pub(crate) well: bool,
    /// Whether it undoes what was done before a failure.
    pub(crate) owed: bool,
    /// Whether it is owed only if the attempt that it belongs to had begun, which nothing shows.
    pub(crate) spare: bool,
    /// Whether the specification lets it be left out.
    pub(crate) optional: bool,
    /// Whether its failure changes nothing for what follows.
    pub(crate) tolerated: bool,
    /// Whether something is owed when it fails.
    pub(crate) guarded: bool,
    /// The statuses after which it may be sent again.
    pub(crate) retry: Vec<u16>,
    /// What the logs tell of it that is out of the ordinary.
    pub(crate) turn: Turn,
    /// What happens inside it.
    pub(crate) acts: Vec<Act>,
}

impl Act {
    /// Whether it is a step of this name.
    pub(crate) fn name_is(&self, grammar: &Grammar, name: &str) -> bool {
        grammar.step_at(self.step).name == name
    }
}

/// A turn of events that no specification provides for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// None.
    Usual,
    /// The message is sent, and nobody takes it.
    Lost,
    /// The work is done, and its sender gets no reply.
    Unanswered,
    /// The process that does it is gone before it ends.
    Killed,
    /// The message waits for minutes before it is taken.
    Late,
    /// It is about another volume and another attachment.
    Elsewhere,
    /// Somebody else does it, with a request of their own.
    Foreign,
}

/// How a path fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It does not.
    None,
    /// A request is answered with a status after which it is sent again, and then goes well.
    Retried,
    /// Something inside an attempt fails, so that a rollback follows.
    RolledBack,
    /// Something inside a `tolerate` fails, and the flow goes on.
    Tolerated,
    /// Something fails for which the specification has no way back.
    Bare,
}

/// One way through a flow variant.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) flow: String,
    pub(crate) variant: Option<String>,
    pub(crate) direct: bool,
    pub(crate) failure: Failure,
    pub(crate) acts: Vec<Act>,
    /// Whether optional steps are taken.
    pub(crate) full: bool,
    /// Whether the request that makes the attachment brings the connector.
    pub(crate) connector: bool,
}

impl Path {
    /// Whether a request to a service is in it.
    pub(crate) fn asks(&self, grammar: &Grammar, service: &str) -> bool {
        any(&self.acts, &|act| {
            let rule = grammar.step_at(act.step);
            matches!(rule.kind, StepKind::Http { .. }) && grammar.vocabulary.service_name(rule.service) == service
        })
    }

    /// Whether what follows a failure reaches the goal after all.
    pub(crate) fn is_rescued(&self, grammar: &Grammar) -> bool {
        let goals = &grammar.flow(&self.flow).expect("the flow").goals;
        !self.direct && any(&self.acts, &|act| act.owed && act.well && goals.contains(&act.step))
    }

    /// Whether a volume goes from one attachment to another.
    pub(crate) fn moves(&self, grammar: &Grammar) -> bool {
        let plain = |name| {
            any(&self.acts, &|act| !act.owed && act.turn == Turn::Usual && grammar.step_at(act.step).name == name)
        };
        !self.direct && plain("cinder.attachment.create") && plain("cinder.attachment.delete")
    }
}

fn any(acts: &[Act], fits: &impl Fn(&Act) -> bool) -> bool {
    acts.iter().any(|act| fits(act) || any(&act.acts, fits))
}

/// All paths through a variant without a failure, or with exactly one; with all optional steps or with none.
pub(crate) fn paths(grammar: &Grammar, flow: &str, variant: &Variant, faulty: bool) -> Vec<Path> {
    let mut paths = Vec::new();
    for full in [false, true] {
        let mut script: Vec<usize> = Vec::new();
        loop {
            let mut walker = Walker {
                grammar,
                full,
                script: std::mem::take(&mut script),
                taken: Vec::new(),
                may_fail: faulty,
                failure: Failure::None,
                handling: 0,
                attempts: 0,
                tolerated: 0,
                optional: false,
                spare: false,
                deleted: Vec::new(),
                length: 0,
            };
            let mut acts = Vec::new();
            walker.walk(&variant.term, &mut acts);
            if (walker.failure != Failure::None) == faulty {
                let rule = grammar.flow(flow).expect("the flow");
                let connector = rule.direct && !uses(&acts, grammar, "cinder.attachment.update");
                paths.push(Path {
                    flow: flow.to_owned(),
                    variant: variant.name.clone(),
                    direct: rule.direct,
                    failure: walker.failure,
                    acts,
                    full,
                    connector,
                });
            }
            // The next script: the last decision that has another answer takes it.
            let mut taken = walker.taken;
            while taken.last().is_some_and(|(pick, of)| pick + 1 == *of) {
                taken.pop();
            }
            let Some((pick, _)) = taken.last_mut() else { break };
            *pick += 1;
            script = taken.into_iter().map(|(pick, _)| pick).collect();
        }
    }
    paths
}

/// Whether a step is among the acts.
pub(crate) fn uses(acts: &[Act], grammar: &Grammar, name: &str) -> bool {
    any(acts, &|act| grammar.step_at(act.step).name == name)
}

struct Walker<'a> {
    grammar: &'a Grammar,
    full: bool,
    /// The answers to the first decisions; all later ones are 0.
    script: Vec<usize>,
    taken: Vec<(usize, usize)>,
    may_fail: bool,
    failure: Failure,
    handling: usize,
    attempts: usize,
    tolerated: usize,
    optional: bool,
    spare: bool,
    /// The steps that have gone well.
    deleted: Vec<StepId>,
    length: usize,
}

impl Walker<'_> {
    fn decide(&mut self, of: usize) -> usize {
        let pick = self.script.get(self.taken.len()).copied().unwrap_or(0);
        self.taken.push((pick, of));
        pick
    }

    /// Whether something fails here: once in a path, and never while a failure is dealt with.
    fn fails_here(&mut self) -> bool {
        if !self.may_fail || self.failure != Failure::None || self.handling > 0 || self.decide(2) == 0 {
            return false;
        }
        self.failure = match (self.attempts, self.tolerated) {
            (0, 0) => Failure::Bare,
            (0, _) => Failure::Tolerated,
            _ => Failure::RolledBack,
        };
        true
    }

    /// Appends what a term does. `false` when it fails.
    fn walk(&mut self, term: &Term, acts: &mut Vec<Act>) -> bool {
        match term {
            Term::Empty => true,
            Term::Step(step_use) => self.step(step_use, acts),
            Term::Sequence(terms) | Term::AnyOrder(terms) => terms.iter().all(|term| self.walk(term, acts)),
            Term::Choice(terms) => {
                let is_command = |term: &Term| matches!(term, Term::Step(step) if matches!(self.grammar.step_at(step.step).kind, StepKind::Command { .. }));
                // Which client it is makes no difference to what fails.
                let pick = match terms.iter().position(|term| !is_command(term)) {
                    Some(other) if self.may_fail && terms.iter().any(is_command) => other,
                    _ => self.decide(terms.len()),
                };
                self.walk(&terms[pick], acts)
            }
            Term::Optional(body) if self.full => {
                // A part of a block that has others cannot be left out by itself.
                let required = |part: &&Term| !matches!(part, Term::Optional(_));
                self.optional = match body.as_ref() {
                    Term::Sequence(parts) => parts.iter().filter(required).count() <= 1,
                    _ => true,
                };
                let well = self.walk(body, acts);
                self.optional = false;
                well
            }
            // Once where it is all that there is, else not at all.
            Term::Repeat { body, .. } if self.length == 0 => self.walk(body, acts),
            Term::Optional(_) | Term::Repeat { .. } => true,
            Term::Attempt { body, handler } => self.attempt(body, handler, acts),
            Term::Tolerate(body) => {
                self.tolerated += 1;
                self.walk(body, acts);
                self.tolerated -= 1;
                true
            }
        }
    }

    fn attempt(&mut self, body: &Term, handler: &Term, acts: &mut Vec<Act>) -> bool {
        self.attempts += 1;
        let parts = if let Term::Sequence(parts) = body { parts.as_slice() } else { std::slice::from_ref(body) };
        // It may break off before any of its parts that is no attempt itself.
        let length = self.length;
        let well = parts.iter().all(|part| {
            let breaks = !matches!(part, Term::Attempt { .. }) && self.fails_here();
            !breaks && self.walk(part, acts)
        });
        self.attempts -= 1;
        if !well {
            self.handling += 1;
            self.spare = self.length == length && self.attempts > 0;
            self.walk(handler, acts);
            self.spare = false;
            self.handling -= 1;
        }
        well
    }

    fn step(&mut self, step_use: &StepUse, acts: &mut Vec<Act>) -> bool {
        // Who sent a cast takes nothing back when its work fails.
        let is_cast = matches!(self.grammar.step_at(step_use.step).kind, StepKind::Cast { .. });
        let attempts = if is_cast { std::mem::take(&mut self.attempts) } else { self.attempts };
        let well = self.one_step(step_use, acts);
        self.attempts = attempts;
        well
    }

    fn one_step(&mut self, step_use: &StepUse, acts: &mut Vec<Act>) -> bool {
        let rule = self.grammar.step_at(step_use.step);
        // A driver's calls tell nothing.
        self.length += usize::from(!matches!(rule.kind, StepKind::Operation { .. }));
        let is_cast = matches!(rule.kind, StepKind::Cast { .. });
        let retry = step_use.retry.as_ref().map(|retry| retry.statuses.clone()).unwrap_or_default();
        let act = Act {
            step: step_use.step,
            status: step_use.success.first().copied().unwrap_or(0),
            well: true,
            owed: self.handling > 0,
            spare: self.spare,
            optional: std::mem::take(&mut self.optional),
            tolerated: self.tolerated > 0,
            guarded: self.attempts > 0,
            retry,
            turn: Turn::Usual,
            acts: Vec::new(),
        };
        let bad = |act: Act, status: u16| Act { well: false, status: if act.status == 0 { 0 } else { status }, ..act };
        if self.fails_here() {
            acts.push(bad(act, 500));
            return is_cast;
        }
        if let (Some(status), true, Failure::None, 0) =
            (act.retry.first().copied(), self.may_fail, self.failure, self.handling)
            && self.decide(2) == 1
        {
            self.failure = Failure::Retried;
            acts.push(bad(act.clone(), status));
        }
        let mut act = act;
        // What is gone cannot be removed again.
        let is_gone = step_use.success.contains(&404) && self.deleted.contains(&step_use.step);
        if is_gone {
            act.status = 404;
        }
        let well = is_gone || self.walk(&step_use.body, &mut act.acts);
        if well {
            self.deleted.push(step_use.step);
            acts.push(act);
        } else {
            let inner = std::mem::take(&mut act.acts);
            acts.push(Act { acts: inner, ..bad(act, 500) });
        }
        well || is_cast
    }
}
