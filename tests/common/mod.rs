//! Hand-made answers for the tests of reports, and expectations in files.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::PathBuf;

use flowcheck::base::span::Span;
use flowcheck::base::time::{SECOND, Timestamp};
use flowcheck::check::verdict::*;
use flowcheck::model::event::{Level, RequestId};
use flowcheck::model::source::{Activity, Coverage, Place, SourceId, SourceSummary};
use flowcheck::model::vocabulary::{LayerId, ServiceId, ServiceRule, Vocabulary};
use flowcheck::report::subject::Subject;
use flowcheck::spec::grammar::{Subject as Machined, *};
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) checked: Checked,
    pub(crate) sources: Vec<SourceSummary>,
    pub(crate) grammar: Grammar,
}

impl World {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject { checked: &self.checked, sources: &self.sources, grammar: &self.grammar }
    }
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_parts(2026, 11, 22, 7, 32, 33, 0).expect("a time").plus(millis * SECOND / 1_000)
}

pub(crate) fn place(source: u32, line: u64) -> Place {
    Place::new(SourceId(source), line)
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0xc6e2_12b4_13cb_4727_bb3a_772a_4c2b_0000 + (number << 96) + number)
}

pub(crate) const FLOW_TEXT: &str =
    "format 1\n\nflow attach \"Attach a volume\"\n  nova.attach.request\n    nova-compute.attach_volume within 60s\n";

fn origin(of: &str) -> Origin {
    let start = FLOW_TEXT.find(of).expect("in the text");
    Origin { file: FileId(0), span: Span::new(start, start + of.len()) }
}

pub(crate) fn step(name: &str, service: u16, kind: StepKind) -> Step {
    Step {
        name: name.to_owned(),
        title: format!("The work of {name}"),
        about: vec!["Something to know.".to_owned()],
        sources: vec!["nova 18.3.0 nova/compute/api.py attach_volume".to_owned()],
        service: ServiceId(service),
        layer: LayerId(0),
        kind,
        success: vec![200, 202],
        locks: vec![],
        names_target: None,
        fails_silently: false,
        origin: origin("nova.attach.request"),
    }
}

pub(crate) fn grammar() -> Grammar {
    let service = |name: &str| ServiceRule { name: name.to_owned(), ..ServiceRule::default() };
    let http = |method: &str, words: &[&str], action: Option<&str>| StepKind::Http {
        method: method.to_owned(),
        path: words
            .iter()
            .map(|word| match word.strip_prefix('{') {
                Some(name) => PathSegment::Placeholder(name.trim_end_matches('}').to_owned()),
                None => PathSegment::Word((*word).to_owned()),
            })
            .collect(),
        action: action.map(str::to_owned),
    };
    let used = |step: u32, body: Term| {
        Term::Step(Box::new(StepUse {
            step: StepId(step),
            need: if step == 3 { Need::Implied } else { Need::Required },
            success: vec![200, 202],
            retry: (step == 1).then(|| Retry { most: 5, statuses: vec![500, 504] }),
            within: (step == 2).then_some(60 * SECOND),
            age: None,
            body,
            origin: origin("nova-compute.attach_volume"),
        }))
    };
    Grammar {
        files: vec![GrammarFile { name: "grammars/attach.flow".to_owned(), text: FLOW_TEXT.to_owned() }],
        vocabulary: Vocabulary {
            services: ["nova-api", "nova-compute", "cinder-api"].map(service).to_vec(),
            ..Vocabulary::default()
        },
        steps: vec![
            step("nova.attach.request", 0, http("POST", &["servers", "{server}", "os-volume_attachments"], None)),
            step("cinder.attachment.create", 2, http("POST", &["attachments"], None)),
            step("nova-compute.attach_volume", 1, StepKind::Cast { method: "attach_volume".to_owned() }),
            step(
                "nova-compute.reserve_block_device_name",
                1,
                StepKind::Call { method: "reserve_block_device_name".to_owned() },
            ),
            step("cinder.volume.show", 2, http("GET", &["volumes", "{volume}"], None)),
        ],
        machines: vec![Machine {
            name: "volume-status".to_owned(),
            title: "The status of a volume".to_owned(),
            sources: vec!["cinder 13.0.9 cinder/volume/api.py".to_owned()],
            subject: Machined::VolumeStatus,
            states: ["available", "reserved", "attaching", "in-use"]
                .map(|state| (state.to_owned(), format!("the volume is {state}")))
                .to_vec(),
            rest: vec![0, 3],
            initial: None,
            finals: Vec::new(),
            listed: None,
            transitions: vec![
                Transition {
                    from: vec![0],
                    to: Target::State(1),
                    by: vec![StepId(1)],
                    failing: false,
                    legal: true,
                    guards: vec![],
                    origin: origin("nova.attach.request"),
                },
                Transition {
                    from: vec![],
                    to: Target::State(3),
                    by: vec![StepId(2)],
                    failing: false,
                    legal: true,
                    guards: vec![Guard::Multiattach],
                    origin: origin("nova.attach.request"),
                },
            ],
            unchanged: vec![],
            origin: origin("format"),
        }],
        flows: vec![Flow {
            per_volume: false,
            begins: None,
            leaves: Vec::new(),
            name: "attach".to_owned(),
            title: "Attach a volume to a server".to_owned(),
            about: vec!["The wiki has os-attach before os-reserve; the source does not.".to_owned()],
            sources: vec!["nova 18.3.0 nova/compute/api.py attach_volume".to_owned()],
            starts: vec![StepId(0)],
            goals: vec![StepId(2)],
            anytime: vec![StepId(4)],
            deadline: Some(600 * SECOND),
            direct: false,
            variants: vec![Variant {
                name: Some("new-style".to_owned()),
                term: used(
                    0,
                    Term::Sequence(vec![
                        used(3, Term::Empty),
                        Term::Attempt {
                            body: Box::new(Term::Choice(vec![used(1, Term::Empty), Term::Empty])),
                            handler: Box::new(Term::Optional(Box::new(used(4, Term::Empty)))),
                        },
                        used(2, Term::Empty),
                    ]),
                ),
            }],
            origin: origin("flow attach"),
        }],
        findings: vec![FindingRule {
            code: "FC0201".to_owned(),
            name: "attach-never-executed".to_owned(),
            title: "{host} never executed {step}".to_owned(),
            severity: Severity::Error,
            when: vec![Trigger {
                wrong: Wrong::Stuck,
                sign: None,
                steps: vec![StepId(2)],
                flows: vec!["attach".to_owned()],
                states: vec![],
                with: None,
                without: None,
            }],
            symptom: vec!["nova-api cast attach_volume; nothing of it is in nova-compute's log.".to_owned()],
            sequence: vec!["nova-api: POST /servers/{server}/os-volume_attachments 200".to_owned()],
            cause: vec!["The message was lost, or nova-compute is down.".to_owned()],
            remedy: vec!["See whether nova-compute runs on {host}.".to_owned()],
            avoid: vec!["cinder reset-state leaves the attachment record behind.".to_owned()],
            bugs: vec![
                Bug {
                    number: "LP 1960401".to_owned(),
                    fixed: vec!["nova 25.0.0".to_owned(), "cinder 20.0.0".to_owned()],
                },
                Bug { number: "LP 1762687".to_owned(), fixed: Vec::new() },
            ],
            sources: vec!["https://bugs.launchpad.net/nova/+bug/1".to_owned()],
            origin: origin("flow attach"),
        }],
        ..Grammar::default()
    }
}

pub(crate) fn sources() -> Vec<SourceSummary> {
    let coverage = |service: u16, host: &str| Coverage {
        service: Some(ServiceId(service)),
        host: Some(host.to_owned()),
        records: 101,
        first: Some(at(0)),
        last: Some(at(66_000)),
        level: Level::Debug,
        rpc_debug: true,
        debug_processes: Vec::new(),
        rpc_processes: Vec::new(),
        http_debug: true,
        activity: Activity::default(),
    };
    let summary = |path: &str, service, host| SourceSummary {
        path: path.to_owned(),
        parts: Vec::new(),
        format: Some("oslo".to_owned()),
        bytes: 33_073,
        lines: 1_200,
        records: 1_101,
        unread_lines: 0,
        unread_samples: vec![],
        coverage: vec![coverage(service, host)],
        remark: None,
    };
    let mut sources = vec![summary("logs/nova-api.log", 0, "ctl1"), summary("logs/cinder-api.log", 2, "ctl1")];
    sources[1].unread_lines = 12;
    sources[1].unread_samples = vec![3, 4, 9];
    sources.push(SourceSummary {
        path: "logs/empty.log".to_owned(),
        remark: Some("empty file".to_owned()),
        ..SourceSummary::default()
    });
    sources
}

pub(crate) fn seen(step: u32, depth: usize, millis: i64, line: u64) -> StepVerdict {
    StepVerdict {
        step: StepId(step),
        state: StepState::Observed,
        start: Some(at(millis)),
        common_start: Some(at(millis)),
        end: Some(at(millis + 200)),
        status: Some(200),
        failed: false,
        request: Some(RequestId(id(40 + u128::from(step)))),
        evidence: vec![place(0, line)],
        rule: None,
        depth,
        repeats: 0,
    }
}

pub(crate) fn flow(number: u128, outcome: Outcome, verdict: Verdict) -> FlowVerdict {
    FlowVerdict {
        id: format!("attach-{number}"),
        flow: "attach".to_owned(),
        variant: Some("new-style".to_owned()),
        possible_variants: Vec::new(),
        server: Some(id(number)),
        server_name: Some(format!("web-07322{number}")),
        volume: Some(id(10 + number)),
        volume_name: Some(format!("data-07322{number}")),
        attachment: Some(id(20 + number)),
        device: Some("/dev/vdb".to_owned()),
        request_ids: vec![RequestId(id(30 + number))],
        client_command: Some(format!("server add volume web-07322{number} data-07322{number}")),
        start: Some(at(1_318)),
        end: Some(at(5_966)),
        outcome,
        verdict,
        likely: false,
        statuses: ["available", "reserved", "attaching", "in-use"].map(str::to_owned).to_vec(),
        steps: vec![seen(0, 0, 1_318, 80), seen(3, 1, 1_400, 82), seen(1, 1, 1_900, 88), seen(2, 1, 2_500, 90)],
        missing_evidence: vec![],
        findings: vec![],
        blame: None,
        times: None,
        deadline: None,
    }
}

pub(crate) fn finding(severity: Severity) -> Finding {
    Finding {
        code: "FC0201".to_owned(),
        name: "attach-never-executed".to_owned(),
        severity,
        message: "nova-compute never executed attach_volume".to_owned(),
        expected: "nova-compute begins attach_volume within 60 s after nova-api cast it".to_owned(),
        help: vec![
            "The volume stays `reserved`. nova-compute on node1 logs nothing after 07:32:58: see whether it runs."
                .to_owned(),
            "Free the volume: openstack volume attachment delete 98897e4a-0d1c-4d1b-9d0e-3f1b6c3b8a11".to_owned(),
        ],
        avoid: vec!["cinder reset-state leaves the attachment record behind.".to_owned()],
        step: Some("nova-compute.attach_volume".to_owned()),
        fingerprint: "5f0c1a2b".to_owned(),
        evidence: vec![
            Evidence { place: place(0, 812), role: "sent here, never received on node1".to_owned() },
            Evidence { place: place(1, 42), role: "the volume is reserved here".to_owned() },
        ],
        rule: Some(origin("nova-compute.attach_volume")),
    }
}

/// A trace with one good attach, two that were never executed, one warning, one note and one that is open.
pub(crate) fn world() -> World {
    let good = flow(1, Outcome::Completed, Verdict::Conformant);
    let mut stuck = flow(2, Outcome::Stuck, Verdict::Violated);
    stuck.statuses.truncate(2);
    stuck.steps[3] = StepVerdict {
        state: StepState::Missing,
        start: None,
        common_start: None,
        end: None,
        status: None,
        evidence: vec![],
        ..seen(2, 1, 0, 1)
    };
    stuck.findings = vec![finding(Severity::Error)];
    stuck.deadline = Some(600 * SECOND);
    let mut again = stuck.clone();
    again.id = "attach-3".to_owned();
    let mut warned = flow(4, Outcome::Completed, Verdict::Conformant);
    warned.findings = vec![
        Finding {
            code: "FC0301".to_owned(),
            name: "attach-late".to_owned(),
            message: "attach_volume was consumed 95 s after it was sent".to_owned(),
            avoid: vec![],
            rule: None,
            fingerprint: "b".to_owned(),
            evidence: vec![Evidence { place: place(0, 9), role: "consumed here".to_owned() }],
            ..finding(Severity::Warning)
        },
        Finding {
            code: "FC0901".to_owned(),
            name: "no-effect".to_owned(),
            message: "os-unreserve was accepted and changed nothing".to_owned(),
            fingerprint: "c".to_owned(),
            ..finding(Severity::Note)
        },
    ];
    let mut open = flow(5, Outcome::Unknown, Verdict::Inconclusive);
    open.server_name = None;
    open.variant = None;
    open.statuses.clear();
    open.steps[3].state = StepState::Unobservable;
    open.missing_evidence = vec![MissingEvidence {
        service: "nova-compute".to_owned(),
        needs: "the log of nova-compute on node1 at INFO or more, until 07:34:26".to_owned(),
        steps: vec!["nova-compute.attach_volume".to_owned()],
    }];
    let mut open_too = open.clone();
    open_too.id = "attach-6".to_owned();
    let volumes = vec![
        VolumeHistory {
            id: id(11),
            name: Some("data-073221".to_owned()),
            transitions: vec![TransitionSeen {
                from: Some("available".to_owned()),
                to: "reserved".to_owned(),
                by: "cinder.attachment.create".to_owned(),
                time: Some(at(1_900)),
                observed: true,
                flow: Some("attach-1".to_owned()),
                evidence: vec![place(1, 42)],
            }],
            observed: vec![],
            final_status: Some("reserved".to_owned()),
        },
        VolumeHistory {
            id: id(99),
            name: None,
            transitions: vec![],
            observed: vec![StatusSeen {
                status: "error_detaching".to_owned(),
                time: Some(at(100)),
                place: place(1, 7),
            }],
            final_status: None,
        },
    ];
    World {
        checked: Checked { flows: vec![good, stuck, again, warned, open, open_too], volumes, clocks: vec![] },
        sources: sources(),
        grammar: grammar(),
    }
}

/// Log lines as nova and cinder write them.
pub(crate) fn line(place: Place) -> Option<String> {
    match (place.source.0, place.line) {
        (0, 812) => Some("2026-11-22 07:33:02.110 2841 DEBUG oslo_messaging._drivers.amqpdriver [req-79f05250-68f1-4a44-9a0e-3ed1b1b1ab01 d0f5 9c2e - default default] CAST unique_id: 15ab37f9a1c04be1a5a3f6cd1d3c8f11 exchange 'nova' topic 'compute.node1' _send /usr/lib/python2.7/site-packages/oslo_messaging/_drivers/amqpdriver.py:598".to_owned()),
        (1, 42) => Some("2026-11-22 07:33:01.874 17 INFO cinder.api.openstack.wsgi [req-5c1b] POST http://10.0.0.1:8776/v3/9c2e/attachments".to_owned()),
        (0, 9) => Some("2026-11-22 07:33:01.874 17 INFO nova.compute.manager [req-5c1b] [instance: d073926b] Attaching volume".to_owned()),
        _ => None,
    }
}

/// Compares with `tests/expected/NAME`; FLOWCHECK_BLESS=1 writes it.
pub(crate) fn expect(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    if std::env::var_os("FLOWCHECK_BLESS").is_some() {
        std::fs::write(&path, actual).expect("the expectation can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} differs; FLOWCHECK_BLESS=1 accepts what there is now:\n{actual}");
}
