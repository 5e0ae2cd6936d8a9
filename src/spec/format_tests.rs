use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::base::span::{Span, Spanned};
use crate::model::event::Level;
use crate::spec::grammar::{Age, Severity, Subject, Wrong};
use crate::spec::parser::{ROLES, WRONGS};
use crate::spec::tree::{Branch, Ending, TIME_UNITS};

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

fn name() -> impl Strategy<Value = Name> {
    "n[a-z0-9_-]{1,6}".prop_map(spanned)
}

fn step_name() -> impl Strategy<Value = Name> {
    "[a-z-]{1,5}\\.[a-z_]{1,5}".prop_map(spanned)
}

fn list<S: Strategy<Value = Name>>(one: S) -> impl Strategy<Value = Vec<Name>> {
    vec(one, 1..4)
}

fn text() -> impl Strategy<Value = Name> {
    "[ -~äß€]{0,12}".prop_map(spanned)
}

fn codes() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::btree_set(100_u16..600, 1..3).prop_map(|set| set.into_iter().collect())
}

fn duration_of_any_unit() -> impl Strategy<Value = Duration> {
    (1_u32..5_000, proptest::sample::select(TIME_UNITS.to_vec())).prop_map(|(amount, unit)| Duration { amount, unit })
}

fn comment() -> impl Strategy<Value = String> {
    "# [ -~]{0,8}x"
}

/// Comments, with a blank line before some of them.
fn trivia() -> impl Strategy<Value = Vec<Trivia>> {
    (any::<bool>(), vec((comment(), any::<bool>()), 0..2)).prop_map(|(blank, comments)| {
        let mut trivia = Vec::new();
        if blank {
            trivia.push(Trivia::Blank);
        }
        for (comment, blank) in comments {
            trivia.push(Trivia::Comment(comment));
            if blank {
                trivia.push(Trivia::Blank);
            }
        }
        trivia
    })
}

fn line<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Line<T>> {
    (trivia(), of(comment()), value).prop_map(|(before, behind, value)| Line {
        notes: Notes { before, behind },
        value,
        span: Span::default(),
    })
}

fn quotes() -> impl Strategy<Value = Quote> {
    prop_oneof![text().prop_map(Quote::Source), text().prop_map(Quote::About)]
}

fn step_use(body: impl Strategy<Value = Vec<Line<Statement>>>) -> impl Strategy<Value = Statement> {
    let retry = of((2_u32..9, codes()).prop_map(spanned));
    let age = of(prop_oneof![Just(Age::Old), Just(Age::New)].prop_map(spanned));
    let options = (of(codes().prop_map(spanned)), retry, of(duration_of_any_unit().prop_map(spanned)), age);
    (any::<bool>(), any::<bool>(), step_name(), options, body).prop_map(
        |(optional, implied, step, (success, retry, within, age), body)| {
            Statement::Step(StepLine { optional, implied, step, success, retry, within, age, body })
        },
    )
}

/// Lines of a sequence; `attempt` and `on failure` come in pairs.
fn sequence(depth: u32) -> BoxedStrategy<Vec<Line<Statement>>> {
    let leaf = prop_oneof![step_use(Just(Vec::new())), name().prop_map(Statement::Use)];
    if depth == 0 {
        return vec(line(leaf), 1..3).boxed();
    }
    let inner = || sequence(depth - 1);
    let label = prop_oneof![of(text()).prop_map(BranchLabel::Option), name().prop_map(BranchLabel::Variant)];
    let branch = line((label, inner()).prop_map(|(label, body)| Branch { label, body }));
    let single = prop_oneof![
        leaf,
        step_use(inner()),
        inner().prop_map(Statement::Optional),
        inner().prop_map(Statement::AnyOrder),
        (of(1_u32..9), inner()).prop_map(|(most, body)| Statement::Repeat(most, body)),
        inner().prop_map(Statement::Tolerate),
        vec(branch, 1..3).prop_map(Statement::Choice),
    ];
    let pair = (line(inner().prop_map(Statement::Attempt)), line(inner().prop_map(Statement::OnFailure)))
        .prop_map(|(attempt, failure)| vec![attempt, failure]);
    let group = prop_oneof![4 => line(single).prop_map(|line| vec![line]), 1 => pair];
    vec(group, 1..3).prop_map(|groups| groups.into_iter().flatten().collect()).boxed()
}

fn segments() -> impl Strategy<Value = Vec<PathSegment>> {
    let word = "[a-z0-9.-]{1,5}".prop_map(PathSegment::Word);
    let placeholder = "[a-z_]{1,5}".prop_map(PathSegment::Placeholder);
    vec(prop_oneof![word, placeholder], 0..4)
}

fn any_form() -> impl Strategy<Value = Form> {
    let method = prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), Just("DELETE".to_owned())];
    let action = of("o[a-z-]{1,5}");
    prop_oneof![
        (name(), method, segments(), action, codes()).prop_map(|(service, method, path, action, success)| Form::Http {
            service,
            method,
            path,
            action,
            success
        }),
        (name(), "[a-z_]{1,5}").prop_map(|(service, method)| Form::Call(service, method)),
        (name(), "[a-z_]{1,5}").prop_map(|(service, method)| Form::Cast(service, method)),
        (name(), "[a-z_.]{1,5}").prop_map(|(service, function)| Form::Operation(service, function)),
        vec("[a-z-]{1,5}", 1..4).prop_map(|words| Form::Command(spanned("client".to_owned()), words)),
    ]
}

fn step_body() -> impl Strategy<Value = Vec<Line<StepStatement>>> {
    let level = prop_oneof![Just(Level::Debug), Just(Level::Info), Just(Level::Warning), Just(Level::Error)];
    let told = prop_oneof![
        (name(), level).prop_map(|(logger, level)| MessageStatement::Logger(logger, level)),
        proptest::sample::select(ROLES.map(|(_, role)| role).to_vec()).prop_map(MessageStatement::Role),
        name().prop_map(MessageStatement::Shows),
        name().prop_map(MessageStatement::Sign),
    ];
    let other = prop_oneof![
        quotes().prop_map(StepStatement::Quote),
        list(name()).prop_map(StepStatement::Lock),
        Just(StepStatement::FailsSilently),
        name().prop_map(StepStatement::Layer),
        (text(), vec(line(told), 0..3)).prop_map(|(text, lines)| StepStatement::Message(text, lines)),
    ];
    (line(any_form().prop_map(StepStatement::Form)), vec(line(other), 0..4)).prop_map(|(first, rest)| {
        let mut lines = vec![first];
        lines.extend(rest);
        lines
    })
}

fn machine_body() -> impl Strategy<Value = Vec<Line<MachineStatement>>> {
    let guard = prop_oneof![
        Just(GuardWords::Multiattach),
        name().prop_map(GuardWords::Others),
        Just(GuardWords::NoOthers),
        name().prop_map(GuardWords::Some),
        Just(GuardWords::SameServer),
        Just(GuardWords::Connector),
        Just(GuardWords::Direct),
        name().prop_map(GuardWords::Migration),
        Just(GuardWords::Target),
        (name(), of(name())).prop_map(|(key, value)| GuardWords::Asked(key, value)),
    ];
    let transition = (any::<bool>(), list(name()), name(), list(step_name()), any::<bool>(), vec(guard, 0..3))
        .prop_map(|(illegal, from, to, by, failing, guards)| {
            MachineStatement::Transition(TransitionLine { illegal, from, to, by, failing, guards })
        });
    let subject = prop_oneof![
        Just(Subject::VolumeStatus),
        Just(Subject::VolumeAttachStatus),
        Just(Subject::VolumeMigration),
        Just(Subject::Attachment)
    ];
    vec(
        line(prop_oneof![
            quotes().prop_map(MachineStatement::Quote),
            subject.prop_map(MachineStatement::Of),
            (name(), of(text())).prop_map(|(state, text)| MachineStatement::State(state, text)),
            list(name()).prop_map(MachineStatement::Rest),
            name().prop_map(MachineStatement::Initial),
            name().prop_map(MachineStatement::Listed),
            list(name()).prop_map(MachineStatement::Final),
            transition,
            list(step_name()).prop_map(MachineStatement::Unchanged),
        ]),
        0..5,
    )
}

fn finding_body() -> impl Strategy<Value = ItemBody> {
    let narrowing = (vec(step_name(), 0..2), vec(name(), 0..2), vec(name(), 0..2));
    let signs = (name(), of(name()), of(name()));
    let when = (proptest::sample::select(WRONGS.map(|(_, wrong)| wrong).to_vec()), signs, narrowing).prop_map(
        |(wrong, (sign, with, without), (steps, flows, states))| {
            let sign = Some(sign).filter(|_| wrong == Wrong::Logged);
            FindingStatement::When(WhenLine { wrong, sign, steps, flows, states, with, without })
        },
    );
    let severity = prop_oneof![Just(Severity::Note), Just(Severity::Warning), Just(Severity::Error)];
    let release = "[a-z]{1,5} [0-9]{1,2}\\.[0-9]\\.[0-9]".prop_map(spanned);
    let bug = ("LP [0-9]{1,7}".prop_map(spanned), vec(release, 0..3))
        .prop_map(|(number, fixed)| FindingStatement::Bug(number, fixed));
    let lines = vec(
        line(prop_oneof![
            quotes().prop_map(FindingStatement::Quote),
            severity.prop_map(FindingStatement::Severity),
            when,
            text().prop_map(FindingStatement::Symptom),
            text().prop_map(FindingStatement::Sequence),
            text().prop_map(FindingStatement::Cause),
            text().prop_map(FindingStatement::Remedy),
            text().prop_map(FindingStatement::Avoid),
            bug,
        ]),
        0..5,
    );
    (name(), lines).prop_map(|(code, lines)| ItemBody::Finding(code, lines))
}

fn flow_body(depth: u32) -> impl Strategy<Value = Vec<Line<FlowStatement>>> {
    let head = prop_oneof![
        quotes().prop_map(FlowStatement::Quote),
        list(step_name()).prop_map(FlowStatement::Starts),
        list(step_name()).prop_map(FlowStatement::Goal),
        list(step_name()).prop_map(FlowStatement::Anytime),
        duration_of_any_unit().prop_map(FlowStatement::Deadline),
        name().prop_map(FlowStatement::Begins),
        list(name()).prop_map(FlowStatement::Leaves),
        Just(FlowStatement::Direct),
        Just(FlowStatement::PerVolume),
    ];
    (vec(line(head), 0..3), sequence(depth)).prop_map(|(mut lines, sequence)| {
        lines.extend(sequence.into_iter().map(|line| Line {
            notes: line.notes,
            value: FlowStatement::Sequence(line.value),
            span: line.span,
        }));
        lines
    })
}

fn block_body() -> impl Strategy<Value = Vec<Line<FlowStatement>>> {
    sequence(1).prop_map(|lines| {
        let statement = |line: Line<Statement>| Line {
            notes: line.notes,
            value: FlowStatement::Sequence(line.value),
            span: line.span,
        };
        lines.into_iter().map(statement).collect()
    })
}

fn item() -> impl Strategy<Value = Line<Item>> {
    let service = prop_oneof![
        quotes().prop_map(ServiceStatement::Quote),
        list(name()).prop_map(ServiceStatement::Loggers),
        list(name()).prop_map(ServiceStatement::Programs),
        list(name()).prop_map(ServiceStatement::Topics),
        list(name()).prop_map(ServiceStatement::Routes),
        name().prop_map(ServiceStatement::Layer),
    ];
    let layer = prop_oneof![
        quotes().prop_map(LayerStatement::Quote),
        list(name()).prop_map(LayerStatement::Modules),
        Just(LayerStatement::CarriesMessages),
    ];
    let body = prop_oneof![
        vec(line(layer), 0..4).prop_map(ItemBody::Layer),
        vec(line(service), 0..4).prop_map(ItemBody::Service),
        step_body().prop_map(ItemBody::Step),
        machine_body().prop_map(ItemBody::Machine),
        block_body().prop_map(ItemBody::Block),
        flow_body(2).prop_map(ItemBody::Flow),
        finding_body(),
    ];
    line((step_name(), text(), body)).prop_map(|Line { notes, value: (name, title, body), span }| {
        let mut notes = notes;
        if !matches!(notes.before.first(), Some(Trivia::Blank)) {
            notes.before.insert(0, Trivia::Blank);
        }
        Line { notes, value: Item { name, title: Some(title), end: Ending::default(), body }, span }
    })
}

fn file() -> impl Strategy<Value = File> {
    (of(comment()), vec(item(), 0..3), vec(comment(), 0..2)).prop_map(|(behind, items, tail)| File {
        notes: Notes { before: Vec::new(), behind },
        items,
        tail: tail.into_iter().map(Trivia::Comment).collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_printed_is_read_again(tree in file()) {
        let printed = print(&tree);
        let mut problems = Vec::new();
        let read = parse(FileId(0), &printed, &mut problems);
        prop_assert!(problems.is_empty(), "{:?}\n{}", problems, printed);
        prop_assert_eq!(&read, &tree, "{}", printed);
        prop_assert_eq!(print(&read), printed);
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "(format 1\n)?([ \t]{0,9}(flow|step|use|optional|choice|a\\.b|\"|->|,|#|\\PC){0,5}\n){0,12}") {
        let mut problems = Vec::new();
        let tree = parse(FileId(0), &text, &mut problems);
        if problems.is_empty() {
            let printed = print(&tree);
            prop_assert_eq!(format("again", &printed).ok(), Some(printed));
        }
    }
}

#[test]
fn a_file_gets_its_canonical_form() {
    let text = "# top\nformat   1\nservice  a   \"x\"   # who\n  routes a ,b\n\n\n  # why\n  topics c\nflow f \"\\\\ \\\"\"\n  \
                a.b within 120s  retry up to 3 on 500 with 200 ,404\n# end\n";
    let wanted = "# top\nformat 1\n\nservice a \"x\"  # who\n  routes a, b\n\n  # why\n  topics c\n\nflow f \"\\\\ \\\"\"\n  \
                  a.b with 200, 404 retry up to 3 on 500 within 120s\n# end\n";
    assert_eq!(format("a.flow", text).ok().as_deref(), Some(wanted));
}
