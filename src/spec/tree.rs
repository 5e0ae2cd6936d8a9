//! The syntax tree of a grammar file: what is written, in its order, with comments and places. Names are not looked up.

use crate::base::span::{Span, Spanned};
use crate::spec::grammar::{Age, MessageRole, PathSegment, Severity, Subject, Wrong};

/// A name and its place.
pub(crate) type Name = Spanned<String>;

/// A text in quotes and its place.
pub(crate) type Text = Spanned<String>;

/// What stands between statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trivia {
    /// One blank line or several.
    Blank,
    /// A comment on a line of its own, with its `#`.
    Comment(String),
}

/// The comments and blank lines of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// On the lines before it.
    pub(crate) before: Vec<Trivia>,
    /// Behind it on its line, with the `#`.
    pub(crate) behind: Option<String>,
}

/// A statement with its comments and its place (without nested lines). Two are equal wherever they stand.
#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    /// Comments and blank lines.
    pub(crate) notes: Notes,
    /// The statement.
    pub(crate) value: T,
    /// Where it stands.
    pub(crate) span: Span,
}

impl<T: PartialEq> PartialEq for Line<T> {
    fn eq(&self, other: &Self) -> bool {
        self.notes == other.notes && self.value == other.value
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    /// The comments of `format 1`.
    pub(crate) notes: Notes,
    /// The items.
    pub(crate) items: Vec<Line<Item>>,
    /// What stands behind the last statement.
    pub(crate) tail: Vec<Trivia>,
}

/// An item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    /// Its name.
    pub(crate) name: Name,
    /// Its title.
    pub(crate) title: Option<Text>,
    /// Where it ends, nested lines included.
    pub(crate) end: Ending,
    /// What it is.
    pub(crate) body: ItemBody,
}

/// The offset behind an item's last word; any two are equal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ending(pub(crate) usize);

impl PartialEq for Ending {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The kinds of items and their lines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemBody {
    /// `layer`.
    Layer(Vec<Line<LayerStatement>>),
    /// `service`.
    Service(Vec<Line<ServiceStatement>>),
    /// `step`.
    Step(Vec<Line<StepStatement>>),
    /// `machine`.
    Machine(Vec<Line<MachineStatement>>),
    /// `block`.
    Block(Vec<Line<FlowStatement>>),
    /// `flow`.
    Flow(Vec<Line<FlowStatement>>),
    /// `finding`, with its code.
    Finding(Name, Vec<Line<FindingStatement>>),
}

impl ItemBody {
    /// The word that begins the item.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Layer(_) => "layer",
            Self::Service(_) => "service",
            Self::Step(_) => "step",
            Self::Machine(_) => "machine",
            Self::Block(_) => "block",
            Self::Flow(_) => "flow",
            Self::Finding(..) => "finding",
        }
    }
}

/// Statements that may stand in every item.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Quote {
    /// `source "..."`.
    Source(Text),
    /// `about "..."`.
    About(Text),
}

/// A line of a layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LayerStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// `modules`.
    Modules(Vec<Name>),
    /// `carries messages`.
    CarriesMessages,
}

/// A line of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ServiceStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// `loggers`.
    Loggers(Vec<Name>),
    /// `programs`.
    Programs(Vec<Name>),
    /// `topics`.
    Topics(Vec<Name>),
    /// `routes`.
    Routes(Vec<Name>),
    /// `layer`.
    Layer(Name),
}

/// A line of a step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StepStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// What the step is.
    Form(Form),
    /// `layer`.
    Layer(Name),
    /// `lock`.
    Lock(Vec<Name>),
    /// `names target` or `names itself`: whether it is the first.
    Names(bool),
    /// `fails silently`.
    FailsSilently,
    /// `message`, and the lines in it.
    Message(Text, Vec<Line<MessageStatement>>),
}

/// What a step is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// `SERVICE answers METHOD PATH [ACTION] with STATUSES`.
    Http {
        /// Who answers.
        service: Name,
        /// GET, POST, ...
        method: String,
        /// The path.
        path: Vec<PathSegment>,
        /// The action.
        action: Option<String>,
        /// The statuses of success.
        success: Vec<u16>,
    },
    /// `SERVICE answers call METHOD`.
    Call(Name, String),
    /// `SERVICE receives cast METHOD`.
    Cast(Name, String),
    /// `SERVICE runs FUNCTION`.
    Operation(Name, String),
    /// `client runs WORDS`.
    Command(Name, Vec<String>),
}

/// A line of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MessageStatement {
    /// `logger NAME at LEVEL`.
    Logger(Name, crate::model::event::Level),
    /// `begins`, `during`, `ends`, `fails`, `refuses`.
    Role(MessageRole),
    /// `shows volume STATUS` or `shows volume {placeholder}`.
    Shows(Name),
    /// `sign NAME`.
    Sign(Name),
}

/// A line of a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MachineStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// `of SUBJECT`.
    Of(Subject),
    /// `state NAME ["text"]`.
    State(Name, Option<Text>),
    /// `rest STATES`.
    Rest(Vec<Name>),
    /// `initial reserved`.
    Initial(Name),
    /// `final detached, deleted`.
    Final(Vec<Name>),
    /// `listed attached`.
    Listed(Name),
    /// `FROM -> TO by STEPS`.
    Transition(TransitionLine),
    /// `unchanged by STEPS`.
    Unchanged(Vec<Name>),
}

/// `[illegal] FROM, FROM -> TO by STEP, STEP [failing] [if GUARD and GUARD]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TransitionLine {
    /// Whether the protocol forbids it.
    pub(crate) illegal: bool,
    /// The states it starts from; `any` alone for all.
    pub(crate) from: Vec<Name>,
    /// A state, `previous` or `given`.
    pub(crate) to: Name,
    /// The steps that make it.
    pub(crate) by: Vec<Name>,
    /// Whether it is made when the step fails.
    pub(crate) failing: bool,
    /// Its conditions.
    pub(crate) guards: Vec<GuardWords>,
}

/// A condition of a transition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum GuardWords {
    /// `multiattach`.
    Multiattach,
    /// `others STATE`.
    Others(Name),
    /// `no others`.
    NoOthers,
    /// `some STATE`.
    Some(Name),
    /// `same server`.
    SameServer,
    /// `connector`.
    Connector,
    /// `direct`.
    Direct,
    /// `migration STATE`.
    Migration(Name),
    /// `target`.
    Target,
    /// `asked KEY` or `asked KEY VALUE`.
    Asked(Name, Option<Name>),
}

/// A line of a flow or of a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FlowStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// `starts STEPS`.
    Starts(Vec<Name>),
    /// `goal STEPS`.
    Goal(Vec<Name>),
    /// `anytime STEPS`.
    Anytime(Vec<Name>),
    /// `deadline DURATION`.
    Deadline(Duration),
    /// `direct`.
    Direct,
    /// `per volume`.
    PerVolume,
    /// `begins STATUS`.
    Begins(Name),
    /// `leaves STATUSES`.
    Leaves(Vec<Name>),
    /// A line of the sequence.
    Sequence(Statement),
}

/// A duration as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duration {
    /// How many units.
    pub(crate) amount: u32,
    /// The unit.
    pub(crate) unit: TimeUnit,
}

impl Duration {
    /// The duration in microseconds.
    pub(crate) fn micros(self) -> i64 {
        i64::from(self.amount) * self.unit.micros
    }
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeUnit {
    /// How it is written.
    pub(crate) word: &'static str,
    /// How many microseconds it has.
    pub(crate) micros: i64,
}

/// The units of time.
pub(crate) const TIME_UNITS: [TimeUnit; 4] = [
    TimeUnit { word: "ms", micros: 1_000 },
    TimeUnit { word: "s", micros: 1_000_000 },
    TimeUnit { word: "m", micros: 60_000_000 },
    TimeUnit { word: "h", micros: 3_600_000_000 },
];

/// A line of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    /// A step.
    Step(StepLine),
    /// `optional` and a block.
    Optional(Vec<Line<Statement>>),
    /// `choice`.
    Choice(Vec<Line<Branch>>),
    /// `any order`.
    AnyOrder(Vec<Line<Statement>>),
    /// `repeat [up to N]`.
    Repeat(Option<u32>, Vec<Line<Statement>>),
    /// `attempt`; the line after it is `OnFailure`.
    Attempt(Vec<Line<Statement>>),
    /// `on failure`.
    OnFailure(Vec<Line<Statement>>),
    /// `tolerate`.
    Tolerate(Vec<Line<Statement>>),
    /// `use BLOCK`.
    Use(Name),
}

/// `[optional] [implied] STEP [with ...] [retry ...] [within ...] [on ...]` and the lines in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepLine {
    /// Whether it may be left out.
    pub(crate) optional: bool,
    /// Whether the steps after it speak for it.
    pub(crate) implied: bool,
    /// The step.
    pub(crate) step: Name,
    /// Statuses of success, other than the step's own.
    pub(crate) success: Option<Spanned<Vec<u16>>>,
    /// How often it may be sent, and after which statuses.
    pub(crate) retry: Option<Spanned<(u32, Vec<u16>)>>,
    /// How soon a cast begins.
    pub(crate) within: Option<Spanned<Duration>>,
    /// Which attachment it is about.
    pub(crate) age: Option<Spanned<Age>>,
    /// What happens in it.
    pub(crate) body: Vec<Line<Statement>>,
}

/// A line of a choice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    /// What chooses it.
    pub(crate) label: BranchLabel,
    /// What happens in it.
    pub(crate) body: Vec<Line<Statement>>,
}

/// What chooses a branch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BranchLabel {
    /// `option ["text"]`.
    Option(Option<Text>),
    /// `variant NAME`.
    Variant(Name),
}

/// A line of a finding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FindingStatement {
    /// `source`, `about`.
    Quote(Quote),
    /// `severity`.
    Severity(Severity),
    /// `when`.
    When(WhenLine),
    /// `symptom`.
    Symptom(Text),
    /// `sequence`.
    Sequence(Text),
    /// `cause`.
    Cause(Text),
    /// `remedy`.
    Remedy(Text),
    /// `avoid`.
    Avoid(Text),
    /// `bug "LP NNN" [fixed "PROJECT RELEASE", ...]`.
    Bug(Text, Vec<Text>),
}

/// `when WRONG [SIGN] [at STEPS] [in FLOWS] [state STATES] [with SIGN] [without SIGN]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WhenLine {
    /// What is wrong.
    pub(crate) wrong: Wrong,
    /// The sign, for what is logged.
    pub(crate) sign: Option<Name>,
    /// Where.
    pub(crate) steps: Vec<Name>,
    /// In which flows.
    pub(crate) flows: Vec<Name>,
    /// In which states.
    pub(crate) states: Vec<Name>,
    /// The sign that has to be there.
    pub(crate) with: Option<Name>,
    /// The sign that must not be there.
    pub(crate) without: Option<Name>,
}
