//! The resolved specification: names are numbers, blocks are in place, every pattern is ready to match.

mod finding;
mod machine;

pub use finding::{Bug, FindingRule, Severity, Trigger, Wrong};
pub use machine::{Guard, Machine, Subject, Target, Transition};

use crate::base::span::Span;
use crate::model::vocabulary::{LayerId, MessageId, ServiceId, Vocabulary};

/// The number of a step in [`Grammar::steps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u32);

/// The number of a file in [`Grammar::files`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A place in a grammar file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
}

/// One grammar file as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct GrammarFile {
    /// Its name for messages: `grammars/attach.flow`, or the path given with `--spec`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The whole specification.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grammar {
    /// The files it was read from.
    pub files: Vec<GrammarFile>,
    /// Services, messages and locks, for the parser.
    pub vocabulary: Vocabulary,
    /// What each message of the vocabulary tells; same index as [`Vocabulary::messages`].
    pub messages: Vec<MessageMeaning>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The status machines.
    pub machines: Vec<Machine>,
    /// The flows, in the order of the files: the first that fits a request is taken.
    pub flows: Vec<Flow>,
    /// The findings.
    pub findings: Vec<FindingRule>,
}

impl Grammar {
    /// The step of that name.
    pub fn step(&self, name: &str) -> Option<StepId> {
        let index = self.steps.iter().position(|step| step.name == name)?;
        u32::try_from(index).ok().map(StepId)
    }

    /// What a step is.
    pub fn step_at(&self, step: StepId) -> &Step {
        &self.steps[step.0 as usize]
    }

    /// Whether a step ended well: what its answer says, or else what the log told of it.
    pub fn went_well(&self, step: StepId, status: Option<u16>, told: Option<bool>) -> Option<bool> {
        let rule = self.step_at(step);
        match (&rule.kind, status) {
            (StepKind::Http { .. }, Some(status)) => Some(rule.success.contains(&status)),
            (StepKind::Http { .. }, None) => None,
            _ => told,
        }
    }

    /// The machine of a status.
    pub fn machine(&self, subject: Subject) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.subject == subject)
    }

    /// The flow of that name.
    pub fn flow(&self, name: &str) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.name == name)
    }
}

/// One kind of work of one service, and how logs show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// `cinder.attachment.create`.
    pub name: String,
    /// One line for readers.
    pub title: String,
    /// More for `explain`.
    pub about: Vec<String>,
    /// Upstream sources.
    pub sources: Vec<String>,
    /// The service that does it.
    pub service: ServiceId,
    /// The layer that it is in: its own, else that of the service.
    pub layer: LayerId,
    /// What it is in a log.
    pub kind: StepKind,
    /// HTTP statuses that mean success; empty for what is no HTTP request.
    pub success: Vec<u16>,
    /// The functions (last dotted component) that hold a lock during this work.
    pub locks: Vec<String>,
    /// Whether the body of the request names another volume than its path, where that tells two steps apart.
    pub names_target: Option<bool>,
    /// Whether no exception is logged behind it when it fails: the service catches its own.
    pub fails_silently: bool,
    /// Where it is written.
    pub origin: Origin,
}

/// What a step is in a log.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// A service answers an HTTP request.
    Http {
        /// GET, POST, ...
        method: String,
        /// The path after version and project.
        path: Vec<PathSegment>,
        /// The key of the action in the body.
        action: Option<String>,
    },
    /// A service works on an RPC call.
    Call {
        /// The RPC method.
        method: String,
    },
    /// A service works on an RPC cast.
    Cast {
        /// The RPC method.
        method: String,
    },
    /// A service runs a traced function (`==> name`).
    Operation {
        /// The function's name.
        function: String,
    },
    /// A client runs a command.
    Command {
        /// `server add volume`.
        words: String,
    },
}

/// A segment of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    /// This word.
    Word(String),
    /// A placeholder: `volume`, `server`, `attachment` take an id; any other name takes whatever stands there.
    Placeholder(String),
}

/// What a message says about its step.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageMeaning {
    /// The step.
    pub step: StepId,
    /// Its beginning, its end, ...
    pub role: MessageRole,
    /// A status of the volume that the message shows.
    pub shows: Option<StatusShown>,
    /// What it is a sign of, by which findings name it.
    pub sign: Option<String>,
    /// Where it is written.
    pub origin: Origin,
}

/// What a message says about the progress of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRole {
    /// The step has begun.
    Begins,
    /// The step is under way.
    During,
    /// The step has ended well.
    Ends,
    /// The step has failed.
    Fails,
    /// The step has failed, and is over with that.
    Aborts,
    /// The step has failed, and what failed is seen no further in the logs.
    Refuses,
}

/// A volume status in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusShown {
    /// This status.
    Fixed(String),
    /// The status at the placeholder of that number.
    Placeholder(usize),
}

/// A process that users start, and its legal sequences.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// `attach`.
    pub name: String,
    /// One line for readers.
    pub title: String,
    /// More for `explain`.
    pub about: Vec<String>,
    /// Upstream sources.
    pub sources: Vec<String>,
    /// The steps that begin it.
    pub starts: Vec<StepId>,
    /// The steps that, done well, reach its goal.
    pub goals: Vec<StepId>,
    /// The steps that may occur at any time, any number of times.
    pub anytime: Vec<StepId>,
    /// After how many microseconds without progress it is stuck; `None` when a user may take as long as they like.
    pub deadline: Option<i64>,
    /// Whether it is for requests sent straight to cinder, which no nova request caused.
    pub direct: bool,
    /// Whether its request is about a server, and each volume that is moved for it is a case of its own.
    pub per_volume: bool,
    /// The status of its volume before it, where no line tells it, as an index into the states of the volumes' machine.
    pub begins: Option<usize>,
    /// Statuses in which it may leave its volume behind when it fails, as indices into the states of the volumes' machine.
    pub leaves: Vec<usize>,
    /// Its variants; one without a name when it has none.
    pub variants: Vec<Variant>,
    /// Where it is written.
    pub origin: Origin,
}

/// One variant of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// `new-style`.
    pub name: Option<String>,
    /// Its sequences.
    pub term: Term,
}

/// A process tree. Blocks are in place; choices of a variant are resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// Nothing.
    Empty,
    /// One step and the steps inside it.
    Step(Box<StepUse>),
    /// One after another.
    Sequence(Vec<Term>),
    /// One of them.
    Choice(Vec<Term>),
    /// It or nothing.
    Optional(Box<Term>),
    /// All of them, in any order.
    AnyOrder(Vec<Term>),
    /// Any number of times, at most `most` times.
    Repeat {
        /// What is repeated.
        body: Box<Term>,
        /// The most times.
        most: Option<u32>,
    },
    /// When the body fails at any point, the handler follows, and the whole has failed.
    Attempt {
        /// What is attempted.
        body: Box<Term>,
        /// What is owed after a failure.
        handler: Box<Term>,
    },
    /// When the body fails, the flow goes on as if it had not.
    Tolerate(Box<Term>),
}

/// A step in its place in a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct StepUse {
    /// The step.
    pub step: StepId,
    /// How sure its absence tells something.
    pub need: Need,
    /// HTTP statuses that mean success here.
    pub success: Vec<u16>,
    /// How often it may be sent again, and after which statuses.
    pub retry: Option<Retry>,
    /// For a cast: how many microseconds after it was sent the work has to have begun.
    pub within: Option<i64>,
    /// Which attachment it is about, where a flow has two.
    pub age: Option<Age>,
    /// What happens inside it.
    pub body: Term,
    /// Where it is written.
    pub origin: Origin,
}

/// Whether an attachment was there before the flow, or was made by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Age {
    /// It was there before.
    Old,
    /// The flow made it.
    New,
}

impl Age {
    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// How sure the absence of a step tells something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// It has to be there; without the log that would show it the verdict stays open.
    Required,
    /// It has to be there; without the log that would show it, the steps after it speak for it.
    Implied,
}

/// A request that is sent again after some failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The most tries, the first included.
    pub most: u32,
    /// The HTTP statuses after which it is sent again.
    pub statuses: Vec<u16>,
}

impl Grammar {
    /// What a message means.
    pub fn meaning(&self, message: MessageId) -> &MessageMeaning {
        &self.messages[message.0 as usize]
    }
}

impl Term {
    /// Calls `visit` with every step use in the tree, encloser first.
    pub fn each_use<'a>(&'a self, visit: &mut impl FnMut(&'a StepUse)) {
        self.each_outermost(&mut |step_use| {
            visit(step_use);
            step_use.body.each_use(visit);
        });
    }

    /// Calls `visit` with every step use in the tree that no other one of it encloses.
    pub fn each_outermost<'a>(&'a self, visit: &mut impl FnMut(&'a StepUse)) {
        match self {
            Self::Empty => {}
            Self::Step(step_use) => visit(step_use),
            Self::Sequence(terms) | Self::Choice(terms) | Self::AnyOrder(terms) => {
                for term in terms {
                    term.each_outermost(visit);
                }
            }
            Self::Optional(body) | Self::Repeat { body, .. } | Self::Tolerate(body) => body.each_outermost(visit),
            Self::Attempt { body, handler } => {
                body.each_outermost(visit);
                handler.each_outermost(visit);
            }
        }
    }
}

impl Flow {
    /// The steps of all variants, sorted, each once.
    pub fn steps(&self) -> Vec<StepId> {
        let mut steps = Vec::new();
        for variant in &self.variants {
            variant.term.each_use(&mut |step_use| steps.push(step_use.step));
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}
