//! Whole inputs through [`read`]: real lines of every family.

use std::io::Cursor;

use proptest::prelude::*;

use super::{Options, Reading, read};
use crate::base::time::Timestamp;
use crate::input::Limits;
use crate::input::find::tests::Folder;
use crate::model::event::{Event, EventKind, Level, LockState, OperationPhase, Raised, RpcKind};
use crate::model::vocabulary::{MessageRule, Placeholder, PlaceholderKind, ServiceRule, Vocabulary};

const NOVA: &str = "req-79f05250-8680-41f2-8ef9-53bb9bf9f60e";
const CINDER: &str = "req-2a8dfe1a-d4ce-470b-98f3-879ab854e69c";
const VOLUME: &str = "c6e212b4-13cb-4727-bb3a-772a4c2bf842";
const SERVER: &str = "d073926b-de15-4a30-9942-e20186d6d3d9";
const USER: &str = "f4f1afe4e7d54ea78ab72d05eec66fcc f1b39f5ce7284f55ad11a1e1528cd47a - - default default";

fn vocabulary() -> Vocabulary {
    let service = |name: &str, loggers: &[&str]| ServiceRule {
        name: name.into(),
        loggers: loggers.iter().map(|logger| (*logger).to_owned()).collect(),
        ..ServiceRule::default()
    };
    let rule = |logger: &str, literals: &[&str], names: &[(&str, PlaceholderKind)]| MessageRule {
        literals: literals.iter().map(|literal| (*literal).to_owned()).collect(),
        placeholders: names.iter().map(|(name, kind)| Placeholder { name: (*name).to_owned(), kind: *kind }).collect(),
        logger: logger.into(),
        level: Level::Info,
    };
    Vocabulary {
        services: vec![
            service("nova-api", &["nova.osapi_compute", "nova.api.openstack"]),
            service("nova-compute", &["nova.compute.manager", "nova.virt", "os_brick"]),
            service("cinder-api", &["cinder.api", "cinder.volume.api"]),
            service("cinder-volume", &["cinder.volume.manager"]),
        ],
        messages: vec![
            rule(
                "nova.compute.manager",
                &["Attaching volume ", " to ", ""],
                &[("volume", PlaceholderKind::Id), ("device", PlaceholderKind::Text)],
            ),
            rule("cinder", &["Terminate volume connection completed"], &[]),
            rule("", &["Terminate volume connection completed successfully."], &[]),
            rule(
                "cinder.volume.manager",
                &["Connection info returned from driver ", ""],
                &[("info", PlaceholderKind::Text)],
            ),
        ],
        lock_functions: vec!["do_attach_volume".into()],
        layers: Vec::new(),
    }
}

fn read_text(text: &[u8], limits: Limits, threads: usize) -> Reading {
    let options = Options { threads: Some(threads), limits, ..Options::default() };
    read(&["-".to_owned()], &mut Cursor::new(text), &vocabulary(), &options)
}

fn events(text: &str) -> Vec<Event> {
    read_text(text.as_bytes(), Limits::default(), 1).events
}

fn kinds(text: &str) -> Vec<EventKind> {
    events(text).into_iter().map(|event| event.kind).collect()
}

fn one(text: &str) -> EventKind {
    let mut kinds = kinds(text);
    assert_eq!(kinds.len(), 1, "{text}: {kinds:?}");
    kinds.remove(0)
}

fn nova(level: &str, logger: &str, message: &str) -> String {
    format!("2026-11-22 07:32:34.318 16505 {level} {logger} [None {NOVA} {USER}] {message}\n")
}

fn cinder(level: &str, logger: &str, message: &str) -> String {
    format!("2026-11-22 07:32:36.226 16500 {level} {logger} [{NOVA} {CINDER} {USER}] {message}\n")
}

#[test]
fn requests_that_nova_serves() {
    let method = "<bound method VolumeAttachmentController.create of <nova.api.openstack.compute.volumes.VolumeAttachmentController object at 0x7f75f4e9b490>>";
    let body = format!("{{\"volumeAttachment\": {{\"volumeId\": \"{VOLUME}\", \"device\": null}}}}");
    for (action, calling, word) in [("Action", "calling method", "body"), ("Azione", "metodo chiamata", "corpo")] {
        let message =
            format!("{action}: 'create', {calling}: {method}, {word}: {body} _process_stack /usr/lib/wsgi.py:554");
        match one(&nova("DEBUG", "nova.api.openstack.wsgi", &message)) {
            EventKind::RequestAction { controller, body } => {
                assert_eq!(controller, "create");
                assert_eq!(body.volume.map(|id| id.to_string()).as_deref(), Some(VOLUME));
                assert_eq!(body.action, None);
            }
            other => panic!("{other:?}"),
        }
    }
    let access = [
        (
            "nova.osapi_compute.wsgi.server",
            "127.0.0.1 \"POST /v2.1/servers/S/os-volume_attachments HTTP/1.1\" status: 200 len: 640 time: 2.0133702",
            200,
            2_013_370,
        ),
        (
            "eventlet.wsgi.server",
            "127.0.0.1 \"POST /v2.1/servers/S/os-volume_attachments HTTP/1.1\" status: 202  len: 346 time: 0.5652351",
            202,
            565_235,
        ),
        (
            "nova.api.openstack.requestlog",
            "127.0.0.1 \"POST /v2.1/servers/S/os-volume_attachments\" status: 200 len: 239 microversion: 2.89 time: 1.750001",
            200,
            1_750_001,
        ),
        (
            "eventlet.wsgi.server",
            "10.0.0.9 - - [22/Nov/2013 10:00:00] \"POST /v2.1/servers/S/os-volume_attachments HTTP/1.1\" 404 123 0.25",
            404,
            250_000,
        ),
    ];
    for (logger, message, status, duration) in access {
        let url = "/v2.1/servers/S/os-volume_attachments".to_owned();
        let expected = EventKind::RequestEnded { method: Some("POST".into()), url, status, duration: Some(duration) };
        assert_eq!(one(&nova("INFO", logger, message)), expected);
    }
}

#[test]
fn requests_that_cinder_serves() {
    let url = format!("http://127.0.0.1:8776/v3/p/volumes/{VOLUME}/action");
    let logger = "cinder.api.openstack.wsgi";
    assert_eq!(
        one(&cinder("INFO", logger, &format!("POST {url}"))),
        EventKind::RequestBegan { method: "POST".into(), url: url.clone() }
    );
    for (logger, status) in [(logger, 202), ("cinder.api.middleware.fault", 500)] {
        let expected = EventKind::RequestEnded { method: None, url: url.clone(), status, duration: None };
        assert_eq!(one(&cinder("INFO", logger, &format!("{url} returned with HTTP {status}"))), expected);
    }
    for (message, name) in [
        ("Action: 'action', calling method: _reserve, body: {\"os-reserve\": null} _process_stack /x.py:1", "_reserve"),
        ("Action body: b'{\"os-reserve\": null}' get_method /x.py:983", ""),
        ("Action body: {\"os-reserve\": null}", ""),
    ] {
        match one(&cinder("DEBUG", logger, message)) {
            EventKind::RequestAction { controller, body } => {
                assert_eq!((controller.as_str(), body.action.as_deref()), (name, Some("os-reserve")));
            }
            other => panic!("{other:?}"),
        }
    }
    match one(&cinder("DEBUG", logger, "Calling method 'show' _process_stack /x.py:868")) {
        EventKind::RequestAction { controller, .. } => assert_eq!(controller, "show"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_that_services_and_clients_send() {
    let url = format!("http://127.0.0.1:8776/v3/p/volumes/{VOLUME}/action");
    let request = format!(
        "REQ: curl -g -i -X POST {url} -H \"Accept: application/json\" -H \"X-OpenStack-Request-ID: {NOVA}\" -H \"X-Auth-Token: {{SHA256}}4fac\" \
         -d '{{\"os-detach\": {{\"attachment_id\": \"{SERVER}\", \"note\": \"it's\"}}}}'"
    );
    let old = format!(
        "REQ: curl -i {url} -X POST -H \"X-Openstack-Request-Id: {NOVA}\" -d '{{\"os-detach\": {{\"attachment_id\": \"{SERVER}\"}}}}'"
    );
    let quoted = request.replace(&url, &format!("\"{url}\""));
    let lines = [
        nova("DEBUG", "keystoneauth.session", &format!("{request} _http_log_request /usr/session.py:580")),
        nova("DEBUG", "cinderclient.v2.client", &request),
        format!("{request}\n"),
        format!("{quoted}\n"),
        format!("{old}\n"),
        format!("DEBUG (session:580) {request}\r\n"),
        format!("DEBUG:keystoneauth:{request}"),
        format!("2025-12-17 13:16:52,976 DEBUG {quoted}"),
        format!("2017-09-19 22:10:09,490 keystoneauth.session.request     {}", &request["REQ: ".len()..]),
    ];
    for line in lines {
        match one(&line) {
            EventKind::HttpSent { method, url: sent, header, body } => {
                assert_eq!((method.as_str(), &sent), ("POST", &url), "{line}");
                assert_eq!(header.map(|id| id.to_string()).as_deref(), Some(NOVA), "{line}");
                assert_eq!(body.action.as_deref(), Some("os-detach"), "{line}");
                assert_eq!(body.attachment.map(|id| id.to_string()).as_deref(), Some(SERVER), "{line}");
            }
            other => panic!("{other:?}"),
        }
    }
    // A third party's curl lines are no OpenStack calls.
    assert_eq!(
        kinds("2013-05-03 15:16:33 DEBUG [hp3parclient.http]\nREQ: curl -i https://10.10.22.241:8080/api/v1/cpgs\n"),
        []
    );
}

#[test]
fn answers_with_their_ids_and_dates() {
    let date = Timestamp::from_parts(2026, 11, 22, 8, 4, 11, 0);
    let headers = format!(
        "Content-Length: 0 Date: Sun, 22 Nov 2026 08:04:11 GMT X-Compute-Request-Id: {NOVA} X-Openstack-Request-Id: {CINDER}"
    );
    let dict = format!(
        "{{'date': 'Sun, 22 Nov 2026 08:04:11 GMT', 'x-compute-request-id': '{CINDER}', 'content-length': '0'}}"
    );
    for line in [
        format!("RESP: [202] {headers}"),
        format!("RESP: [202] {dict}"),
        nova("DEBUG", "keystoneauth.session", &format!("RESP: [202] {headers} _http_log_response /usr/session.py:621")),
    ] {
        match one(&line) {
            EventKind::HttpAnswered { status, header, date: seen } => {
                assert_eq!(
                    (status, header.map(|id| id.to_string()).as_deref(), seen),
                    (202, Some(CINDER), date),
                    "{line}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    // Pike: the body is in the same record.
    let body = format!("{{\"volume\": {{\"id\": \"{VOLUME}\", \"status\": \"available\"}}}}");
    let record = nova(
        "DEBUG",
        "cinderclient.v2.client",
        &format!("RESP: [200] {headers} \nRESP BODY: {body}\n _http_log_response /usr/session.py:423"),
    );
    match kinds(&record).as_slice() {
        [EventKind::HttpAnswered { status: 200, .. }, EventKind::HttpBody { body }] => {
            assert_eq!(body.volumes[0].status.as_deref(), Some("available"));
        }
        other => panic!("{other:?}"),
    }
    let used = format!("POST call to compute for http://h/v2.1/servers used request id {NOVA}");
    assert!(
        matches!(one(&used), EventKind::HttpUsed { method, url, .. } if method == "POST" && url == "http://h/v2.1/servers")
    );
    assert!(
        matches!(one(&used.replace("compute for ", "")), EventKind::HttpUsed { url, .. } if url == "http://h/v2.1/servers")
    );
    let connected = "http://172.16.1.12:80 \"POST /compute/v2.1/servers HTTP/1.1\" 200 194";
    let expected = EventKind::HttpConnected { method: "POST".into(), url: "/compute/v2.1/servers".into(), status: 200 };
    assert_eq!(one(connected), expected);
}

#[test]
fn a_client_session_in_a_page() {
    let page = "openstack attach\n\nSample\n\nstack@rocky:~$ openstack --debug server add volume vm liangr\n\
        START with options: [u'--debug', u'server', u'add', u'volume', u'vm', u'liangr']\n\
        command: server add volume -> openstackclient.compute.v2.server.AddServerVolume (auth=True)\n\
        Making authentication request to http://172.16.1.12/identity/v3/auth/tokens\n\
        {\"token\": {\"id\": \"x\"}}\nclean_up AddServerVolume: \nEND return value: 0\n\nProse.";
    let reading = read_text(page.as_bytes(), Limits::default(), 1);
    let found: Vec<_> = reading.events.iter().map(|event| (event.place.line, &event.kind)).collect();
    assert_eq!(found.len(), 4);
    assert_eq!(found[0], (6, &EventKind::CommandBegan { line: "server add volume vm liangr".into() }));
    assert_eq!(found[1], (7, &EventKind::CommandNamed { name: "server add volume".into() }));
    assert_eq!(found[3], (11, &EventKind::CommandEnded { code: 0 }));
    let summary = &reading.sources[0];
    assert_eq!((summary.format.as_deref(), summary.lines, summary.records), (Some("client"), 13, 6));
    assert_eq!((summary.unread_lines, summary.unread_samples.as_slice()), (4, &[1, 3, 5, 13][..]));
    assert_eq!(summary.coverage[0].service, None);
}

#[test]
fn services_hosts_and_coverage() {
    let text = [
        nova("DEBUG", "os_brick.utils", "==> get_connector_properties: call \"{'my_ip': '1', 'host': 'compute1'}\" trace /x.py:1"),
        nova("DEBUG", "oslo_concurrency.lockutils", "Lock \"a\" acquired by \"x.ComputeManager.attach_volume.<locals>.do_attach_volume\" :: waited 0.000s inner /x.py:1"),
        nova("INFO", "nova.compute.manager", &format!("[instance: {SERVER}] Attaching volume {VOLUME} to /dev/sdb")),
        nova("DEBUG", "oslo_messaging._drivers.amqpdriver", "CALL msg_id: 70dd8ac779b6469fa39ad1a987e8d257 exchange 'nova' topic 'conductor' _send /x.py:1"),
        cinder("INFO", "cinder.volume.manager", "Terminate volume connection completed successfully."),
    ]
    .concat();
    let reading = read_text(text.as_bytes(), Limits::default(), 2);
    let names: Vec<_> = reading.events.iter().map(|event| event.service.map(|service| service.0)).collect();
    assert_eq!(names, [Some(1), Some(1), Some(1), Some(1), Some(3), Some(3)]);
    assert!(matches!(reading.events[0].kind, EventKind::Operation { phase: OperationPhase::Began, .. }));
    assert!(matches!(reading.events[1].kind, EventKind::Lock { state: LockState::Acquired, .. }));
    assert!(
        matches!(&reading.events[2].kind, EventKind::Message { captures, .. } if captures == &[VOLUME, "/dev/sdb"])
    );
    assert_eq!(reading.events[2].context.server.map(|id| id.to_string()).as_deref(), Some(SERVER));
    assert!(matches!(reading.events[3].kind, EventKind::RpcSent { kind: RpcKind::Call, .. }));
    let coverage = &reading.sources[0].coverage;
    assert_eq!(coverage.len(), 2);
    assert_eq!(
        (coverage[0].host.as_deref(), coverage[0].records, coverage[0].level),
        (Some("compute1"), 4, Level::Debug)
    );
    assert!(coverage[0].rpc_debug && !coverage[0].http_debug);
    assert_eq!((coverage[1].level, coverage[1].rpc_debug), (Level::Info, false));
}

#[test]
fn a_traceback_is_one_record() {
    let head = "2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager";
    let text = format!(
        "{head} [{NOVA} {CINDER} {USER}] Driver initialize connection failed (error: injected).: labfake.hooks.LabInjectedFault: injected\n\
         {head} Traceback (most recent call last):\n{head}   File \"/usr/x.py\", line 4867, in _connection_create\n\
         {head}     oops()\n{head} labfake.hooks.LabInjectedFault: injected auth_password=hunter2\n{head} \n\
         {head} [-] Timed out\n{head} Traceback (most recent call last):\n\
         {head} oslo_messaging.exceptions.MessagingTimeout: Timed out waiting for a reply to message ID 70dd8ac779b6469fa39ad1a987e8d257\n"
    );
    let reading = read_text(text.as_bytes(), Limits::default(), 1);
    assert_eq!(reading.sources[0].records, 2);
    let expected = EventKind::Error {
        class: "labfake.hooks.LabInjectedFault".into(),
        text: "injected auth_password=***".into(),
        raised: Raised { severe: true, traced: true, ..Raised::default() },
    };
    assert_eq!((reading.events[0].place.line, &reading.events[0].kind), (1, &expected));
    assert!(matches!(reading.events[1].kind, EventKind::RpcTimedOut { .. }));
    assert!(matches!(&reading.events[2].kind, EventKind::Error { class, .. } if class.ends_with("MessagingTimeout")));
    let tuple = "('Timed out waiting for a reply %(reply_q)s to message ID %(msg_id)s.', {'msg_id': '70dd8ac779b6469fa39ad1a987e8d257', 'reply_q': 'r'})";
    assert!(kinds(&nova("ERROR", "nova.x", tuple)).iter().any(|kind| matches!(kind, EventKind::RpcTimedOut { .. })));
}

#[test]
fn wrapped_bodies_line_numbers_and_odd_endings() {
    let text = [
        nova("DEBUG", "nova.virt.libvirt.guest", "attach device xml: <disk>\n  <serial>x</serial>\n\n</disk>")
            .into_bytes(),
        b"\xff\xfe no text\r\n".to_vec(),
        nova("INFO", "nova.compute.manager", &format!("Attaching volume {VOLUME} to /dev/sdb"))
            .replace('\n', "\r\n")
            .into_bytes(),
        nova("INFO", "nova.compute.manager", &format!("Attaching volume {VOLUME} to /dev/\u{e9}"))
            .trim_end()
            .as_bytes()
            .to_vec(),
    ]
    .concat();
    let reading = read_text(&text, Limits::default(), 1);
    let lines: Vec<_> = reading.events.iter().map(|event| event.place.line).collect();
    assert_eq!(lines, [6, 7]);
    assert!(matches!(&reading.events[0].kind, EventKind::Message { captures, .. } if captures[1] == "/dev/sdb"));
    assert_eq!((reading.sources[0].records, reading.sources[0].unread_lines), (3, 0));
    let (texts, errors) = reading.excerpts.lines(&[reading.events[1].place]);
    assert!(errors.is_empty());
    assert!(texts.values().next().is_some_and(|text| text.ends_with("/dev/\u{e9}")));
}

#[test]
fn secrets_do_not_get_into_captures() {
    let info = "Connection info returned from driver {'auth_username': 'lab', 'auth_password': 'labsecret'}";
    match one(&cinder("DEBUG", "cinder.volume.manager", info)) {
        EventKind::Message { captures, .. } => {
            assert_eq!(captures, ["{'auth_username': 'lab', 'auth_password': '***'}"])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_journal_takes_its_year_from_other_inputs() {
    let folder = Folder::new("journal");
    let line = |date: &str| {
        format!(
            "{date} vm nova-api[8872]: \u{1b}[00;32mDEBUG nova.api.openstack.wsgi [\u{1b}[01;36mNone {NOVA} \u{1b}[00;36mdemo demo\u{1b}[00;32m] Calling method 'show' \u{1b}[00;33m{{{{(pid=8912) f /x.py:1}}}}\u{1b}[00m\n"
        )
    };
    let journal = folder.file("journal.txt", (line("Dec 31 23:59:59.294958") + &line("Jan  1 00:00:01")).as_bytes());
    let client = folder.file("client.log", b"RESP: [200] Date: Thu, 01 Jan 2026 00:00:00 GMT\n");
    let reading = read(&[journal, client], &mut std::io::empty(), &vocabulary(), &Options::default());
    let times: Vec<_> = reading.events.iter().filter_map(|event| event.time).map(|time| time.to_string()).collect();
    assert_eq!(times, ["2025-12-31T23:59:59.294", "2026-01-01T00:00:01.000"]);
    let coverage = &reading.sources[0].coverage[0];
    assert_eq!((coverage.service.map(|service| service.0), coverage.host.as_deref()), (Some(0), Some("vm")));
    assert_eq!((coverage.first, coverage.last), (reading.events[0].time, reading.events[1].time));
    assert!(matches!(&reading.events[0].kind, EventKind::RequestAction { controller, .. } if controller == "show"));
}

#[test]
fn neighbours_that_are_no_logs() {
    let folder = Folder::new("neighbours");
    folder.file("a.json", b"{\"a\": 1}\n");
    folder.file("b.bin", b"\x7fELF\0\0");
    folder.file("c.log", b"");
    folder.file("d.zst", b"\x28\xb5\x2f\xfd");
    folder.file("e.xz", b"\xfd7zXZ\0");
    let reading = read(&[folder.path(), "/no/such".into()], &mut std::io::empty(), &vocabulary(), &Options::default());
    let remarks: Vec<_> = reading.sources.iter().map(|source| source.remark.as_deref().unwrap_or("")).collect();
    assert_eq!(remarks[..3], ["no OpenStack log records recognised", "binary file, not read", "empty file"]);
    assert_eq!(remarks[3..], ["", ""]);
    assert_eq!(reading.sources[0].unread_lines, 1);
    let errors: Vec<String> = reading.errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    for name in ["d.zst", "e.xz"] {
        let told = format!("{name} beyond line 0: the compressed data ends too early");
        assert!(errors.iter().any(|error| error.contains(&told)), "{errors:?}");
    }
    assert_eq!(read_text(b"", Limits::default(), 1).sources[0].remark.as_deref(), Some("empty file"));
}

/// A log of all families, with tracebacks and wrapped records.
fn mixed(order: &[usize]) -> String {
    let error = "2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager";
    let parts = [
        nova("DEBUG", "nova.virt.libvirt.guest", "attach device xml: <disk>\n  <serial>x</serial>\n</disk>"),
        format!(
            "{error} [{NOVA} {CINDER} {USER}] It failed\n{error} Traceback (most recent call last):\n{error}   File\n{error} a.B: c\n"
        ),
        format!("{error} a.B: alone\n"),
        nova("INFO", "nova.compute.manager", &format!("Attaching volume {VOLUME} to /dev/sdb")),
        cinder("INFO", "cinder.api.openstack.wsgi", "POST http://127.0.0.1:8776/v3/attachments"),
        nova("DEBUG", "oslo_messaging._drivers.amqpdriver", "received reply msg_id: 70dd8ac779b6469fa39ad1a987e8d257"),
        "a line of nobody\n".to_owned(),
    ];
    order.iter().map(|index| parts[index % parts.len()].as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_size_of_chunks_and_the_number_of_threads_do_not_matter(
        order in proptest::collection::vec(0_usize..7, 0..40),
        chunk_bytes in 1_usize..2000,
    ) {
        let text = mixed(&order);
        let whole = read_text(text.as_bytes(), Limits::default(), 1);
        let cut = read_text(text.as_bytes(), Limits { chunk_bytes, ..Limits::default() }, 2);
        prop_assert_eq!(&whole.events, &cut.events);
        prop_assert_eq!(&whole.sources, &cut.sources);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..3000) {
        let mut text = mixed(&[0, 1, 2, 3, 4, 5, 6]).into_bytes();
        let at = at.min(text.len());
        text.splice(at..at, bytes.iter().copied().filter(|byte| *byte != 0));
        let _ = read_text(&text, Limits::default(), 1);
        let _ = read_text(&bytes, Limits::default(), 1);
    }

    #[test]
    fn no_message_makes_it_panic(
        head in proptest::sample::select(vec![
            "REQ: ", "REQ: curl -g -i -X ", "RESP: [200] ", "RESP BODY: {", "START with options: ", "http://a:80 \"GET ",
            "Action: '", "Lock \"", "==> ", "CALL msg_id: ", "Timed out waiting for a reply ", "x: a.B", "127.0.0.1 \"GET ",
            "Attaching volume ", "Connection info returned from driver {'password': ", "GET call to ",
        ]),
        rest in "[ -~\u{e9}\n'\"{}\\\\]{0,60}",
    ) {
        let message = format!("{head}{rest}");
        for logger in ["keystoneauth.session", "nova.api.openstack.wsgi", "oslo_messaging._drivers.amqpdriver", "nova.compute.manager", "oslo_concurrency.lockutils", "cinder.volume.manager"] {
            let _ = events(&nova("ERROR", logger, &message));
        }
        let _ = events(&message);
        let _ = events(&format!("DEBUG ({message}"));
    }
}
