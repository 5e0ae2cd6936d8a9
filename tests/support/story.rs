//! A path told by the logs of all services.

use std::collections::VecDeque;

use flowcheck::model::event::Level;
use flowcheck::spec::grammar::{Grammar, MessageRole, PathSegment, Step, StepId, StepKind};
use uuid::Uuid;

use super::path::{self, Act, Path, Turn};
use super::writer::{Ids, PROJECT, Style, Writer};

/// What a case is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) server: Uuid,
    pub(crate) volume: Uuid,
    pub(crate) attachment: Uuid,
    /// The id of its first request.
    pub(crate) request: Uuid,
    /// The volume that takes the place of the first, and its attachment.
    pub(crate) target: (Uuid, Uuid),
}

/// The work of a cast that has been sent.
struct Sent {
    act: Act,
    ids: Ids,
    /// The unique_id.
    message: Uuid,
}

/// Writes one case into the logs.
pub(crate) struct Teller<'a> {
    grammar: &'a Grammar,
    writer: &'a mut Writer,
    subject: Subject,
    path: &'a Path,
    casts: VecDeque<Sent>,
    requests: usize,
    /// The attachment that comes and the one that goes, where the path moves a volume from one to the other.
    moved: Option<(Uuid, Uuid)>,
    /// The volume and the attachment that the current step is about.
    about: (Uuid, Uuid),
    /// A volume and an attachment that the path has nothing to do with.
    elsewhere: (Uuid, Uuid),
}

/// The steps of a swap that are about the new volume, and those that are when they undo something.
const OF_TARGET: [&str; 7] = [
    "cinder.attachment.create",
    "cinder.attachment.update",
    "cinder.attachment.complete",
    "cinder.volume.reserve",
    "cinder.volume.unreserve",
    "cinder.volume.initialize_connection",
    "cinder-volume.create_volume",
];
const UNDOING_TARGET: [&str; 2] = ["cinder.attachment.delete", "cinder.volume.terminate_connection"];

/// Writes what a path does. Nothing else happens in the meantime.
pub(crate) fn tell(grammar: &Grammar, writer: &mut Writer, path: &Path) -> Subject {
    let mut id = || writer.numbers.id();
    let (server, volume, attachment, request) = (id(), id(), id(), id());
    let subject = Subject { server, volume, attachment, request, target: (id(), id()) };
    tell_about(grammar, writer, path, subject);
    subject
}

/// As [`tell`], about things that other paths are about too.
pub(crate) fn tell_about(grammar: &Grammar, writer: &mut Writer, path: &Path, subject: Subject) {
    let is_swap = path::uses(&path.acts, grammar, "nova.swap.request");
    let moved = (!is_swap && path.moves(grammar)).then(|| (subject.attachment, writer.numbers.id()));
    let about = (subject.volume, subject.attachment);
    let elsewhere = (Uuid::from_u128(!subject.volume.as_u128()), Uuid::from_u128(!subject.attachment.as_u128()));
    let casts = VecDeque::new();
    let mut teller = Teller { grammar, writer, subject, path, casts, requests: 0, moved, about, elsewhere };
    for act in &path.acts {
        teller.act(act, None);
    }
    while let Some(Sent { act, ids, message }) = teller.casts.pop_front() {
        teller.work(&act, ids, message);
    }
}

impl Teller<'_> {
    fn rule(&self, step: StepId) -> &Step {
        self.grammar.step_at(step)
    }

    fn service(&self, step: StepId) -> String {
        self.grammar.vocabulary.service_name(self.rule(step).service).to_owned()
    }

    /// `sender` is the service and the ids of what does it.
    fn act(&mut self, act: &Act, sender: Option<(&str, Ids)>) {
        let own = self.writer.numbers.id();
        let name = self.rule(act.step).name.as_str();
        if path::uses(&self.path.acts, self.grammar, "nova.swap.request")
            && matches!(self.rule(act.step).kind, StepKind::Http { .. })
        {
            let of_target = OF_TARGET.contains(&name) || act.owed && UNDOING_TARGET.contains(&name);
            let own = (self.subject.volume, self.subject.attachment);
            self.about = if of_target { self.subject.target } else { own };
        }
        let usual = self.about;
        if act.turn == Turn::Elsewhere {
            self.about = self.elsewhere;
        }
        match self.rule(act.step).kind.clone() {
            StepKind::Command { words } => self.command(act, &words),
            StepKind::Http { .. } => {
                self.requests += 1;
                let first = self.requests == 1;
                let ids = match sender {
                    _ if act.turn == Turn::Foreign => Ids { global: None, own },
                    Some((_, ids)) => Ids { global: Some(ids.own), own },
                    None if first => Ids { global: None, own: self.subject.request },
                    None => Ids { global: Some(self.subject.request), own },
                };
                self.request(act, ids);
            }
            StepKind::Call { method } => {
                let Some((service, ids)) = sender else { return };
                self.send(service, act.step, &method, ids, own, "CALL msg_id");
                if act.turn != Turn::Lost {
                    self.work(act, ids, own);
                }
                if self.writer.style == Style::Rpc && !matches!(act.turn, Turn::Lost | Turn::Unanswered) {
                    let text = format!(
                        "received reply msg_id: {} __call__ /usr/lib/python3/dist-packages/oslo_messaging/_drivers/amqpdriver.py:600",
                        own.simple()
                    );
                    self.writer.line(service, Level::Debug, "oslo_messaging._drivers.amqpdriver", None, &text);
                }
            }
            StepKind::Cast { method } => {
                let Some((service, ids)) = sender else { return };
                self.send(service, act.step, &method, ids, own, "CAST unique_id");
                if act.turn != Turn::Lost {
                    self.casts.push_back(Sent { act: act.clone(), ids, message: own });
                }
            }
            StepKind::Operation { function } => {
                let Some((_, ids)) = sender else { return };
                self.operation(act, &function, ids);
            }
        }
        if act.turn != Turn::Usual {
            self.about = usual;
        }
    }

    fn inside(&mut self, act: &Act, service: &str, ids: Ids) {
        for inner in &act.acts {
            self.act(inner, Some((service, ids)));
        }
    }

    fn send(&mut self, service: &str, step: StepId, method: &str, ids: Ids, id: Uuid, kind: &str) {
        if self.writer.style == Style::Default {
            return;
        }
        let (target, topic, exchange) = match self.service(step).as_str() {
            "nova-compute" => ("compute", "compute.compute1", "nova"),
            "nova-conductor" => ("conductor", "conductor", "nova"),
            "cinder-scheduler" => ("cinder-scheduler", "cinder-scheduler", "openstack"),
            "cinder-backup" => ("cinder-backup", "cinder-backup.compute1", "openstack"),
            _ => ("cinder-volume.compute1@lvm", "cinder-volume.compute1@lvm.compute1", "openstack"),
        };
        let logger = "oslo_messaging._drivers.amqpdriver";
        let place = "_send /usr/lib/python3/dist-packages/oslo_messaging/_drivers/amqpdriver.py";
        self.writer.line(
            service,
            Level::Debug,
            logger,
            Some(ids),
            &format!("Calling RPC method {method} on target {target} {place}:741"),
        );
        let text = format!("{kind}: {} exchange '{exchange}' topic '{topic}' {place}:787", id.simple());
        self.writer.line(service, Level::Debug, logger, Some(ids), &text);
    }

    /// The receiver's side of an RPC.
    fn work(&mut self, act: &Act, ids: Ids, message: Uuid) {
        let service = self.service(act.step);
        let rule = self.rule(act.step).clone();
        let (StepKind::Call { method } | StepKind::Cast { method }) = &rule.kind else { return };
        let is_cast = matches!(rule.kind, StepKind::Cast { .. });
        if is_cast {
            self.about = (self.subject.volume, self.subject.attachment);
        }
        if act.turn == Turn::Late {
            self.writer.rest(120);
        }
        let shows_rpc = self.writer.style == Style::Rpc;
        // The incoming line of a cast has an id of its own.
        let incoming = if is_cast { self.writer.numbers.id().to_string() } else { message.simple().to_string() };
        if shows_rpc {
            let place = "__call__ /usr/lib/python3/dist-packages/oslo_messaging/_drivers/amqpdriver.py:397";
            let text = match is_cast {
                true => format!("received message with unique_id: {} {place}", message.simple()),
                false => format!(
                    "received message msg_id: {} reply to reply_cb49cfa213744486a7a5f7552116559a {place}",
                    message.simple()
                ),
            };
            self.writer.line(&service, Level::Debug, "oslo_messaging._drivers.amqpdriver", None, &text);
            let text = format!(
                "Receive incoming message with id {incoming} and method: {method}. _process_incoming /usr/lib/python3/dist-packages/oslo_messaging/rpc/server.py:159"
            );
            self.writer.line(&service, Level::Debug, "oslo_messaging.rpc.server", None, &text);
        }
        self.locks(&rule, &service, ids, false);
        self.messages(act.step, &service, ids, |role| matches!(role, MessageRole::Begins | MessageRole::During));
        if service == "nova-compute" && is_cast {
            self.look_up(ids);
        }
        self.inside(act, &service, ids);
        if act.turn == Turn::Killed {
            return;
        }
        let wanted = if act.well { MessageRole::Ends } else { MessageRole::Fails };
        self.messages(act.step, &service, ids, |role| role == wanted);
        self.locks(&rule, &service, ids, true);
        if !act.well {
            let text = format!("Exception during message handling: {}", self.reason(act));
            self.writer.line(&service, Level::Error, "oslo_messaging.rpc.server", Some(ids), &text);
        }
        if shows_rpc {
            let replied = if act.well { "Replied success message" } else { "Replied failure for incoming message" };
            let text = format!(
                "{replied} with id {incoming} and method: {method}. Time elapsed: 0.1 _process_incoming /usr/lib/python3/dist-packages/oslo_messaging/rpc/server.py:174"
            );
            self.writer.line(&service, Level::Debug, "oslo_messaging.rpc.server", Some(ids), &text);
        }
    }

    /// What is raised where work fails: its own exception, or that of what it asked for.
    fn reason(&self, act: &Act) -> String {
        let asked = act.acts.iter().rev().find(|inner| !inner.well && !inner.owed);
        match asked.map(|asked| (&self.rule(asked.step).kind, asked.status)) {
            Some((StepKind::Http { .. }, status)) => {
                format!("cinderclient.exceptions.ClientException: it does not work (HTTP {status})")
            }
            Some((StepKind::Call { .. }, _)) => {
                "oslo_messaging.rpc.client.RemoteError: Remote error: CinderException it does not work".to_owned()
            }
            _ if self.service(act.step).starts_with("cinder") => {
                "cinder.exception.CinderException: it does not work".to_owned()
            }
            _ => "nova.exception.InternalError: it does not work".to_owned(),
        }
    }

    fn locks(&mut self, rule: &Step, service: &str, ids: Ids, released: bool) {
        for function in &rule.locks {
            let is_cinder = service.starts_with("cinder");
            let method =
                if let StepKind::Call { method } | StepKind::Cast { method } = &rule.kind { method } else { "" };
            let (logger, name, by) = match is_cinder {
                true => (
                    "cinder.coordination",
                    format!("/var/lib/cinder/cinder-{}-{function}", self.about.0),
                    function.clone(),
                ),
                false => (
                    "oslo_concurrency.lockutils",
                    self.subject.server.to_string(),
                    format!("nova.compute.manager.ComputeManager.{method}.<locals>.{function}"),
                ),
            };
            let text = match (released, is_cinder) {
                (false, _) => format!("Lock \"{name}\" acquired by \"{by}\" :: waited 0.001s"),
                (true, true) => format!("Lock \"{name}\" released by \"{by}\" :: held 0.1s"),
                (true, false) => format!("Lock \"{name}\" \"released\" by \"{by}\" :: held 0.1s"),
            };
            self.writer.line(service, Level::Debug, logger, Some(ids), &text);
        }
    }

    /// The messages of a step. Those of an odd turn of events are left out.
    fn messages(&mut self, step: StepId, service: &str, ids: Ids, wanted: impl Fn(MessageRole) -> bool) {
        let pairs = self.grammar.messages.iter().zip(&self.grammar.vocabulary.messages);
        let odd = ["No connector", "Volume detach called", "Detaching volume from unknown", "Extend volume failed, "];
        let mut found: Vec<_> = pairs
            .filter(|(meaning, rule)| {
                meaning.step == step && wanted(meaning.role) && !odd.iter().any(|odd| rule.literals[0].starts_with(odd))
            })
            .filter(|(meaning, rule)| meaning.role != MessageRole::During || rule.level <= Level::Info)
            .map(|(meaning, rule)| (meaning.role, rule.clone()))
            .collect();
        // Of several failures the last is the one that ends the work.
        if found.iter().any(|(role, _)| *role == MessageRole::Fails) {
            found = found.split_off(found.len() - 1);
        }
        for (_, rule) in found {
            let mut text =
                if service == "nova-compute" { format!("[instance: {}] ", self.subject.server) } else { String::new() };
            for (index, literal) in rule.literals.iter().enumerate() {
                text.push_str(literal);
                let Some(placeholder) = rule.placeholders.get(index) else { continue };
                match placeholder.name.as_str() {
                    "volume" => text.push_str(&self.about.0.to_string()),
                    "target" => text.push_str(&self.subject.target.0.to_string()),
                    "server" => text.push_str(&self.subject.server.to_string()),
                    "attachment" => text.push_str(&self.about.1.to_string()),
                    "device" => text.push_str("/dev/vdb"),
                    _ => text.push_str("none"),
                }
            }
            self.writer.line(service, rule.level, &rule.logger, Some(ids), &text);
        }
    }

    fn operation(&mut self, act: &Act, function: &str, ids: Ids) {
        let service = self.service(act.step);
        let logger =
            if service == "nova-compute" { "os_brick.initiator.connectors.iscsi" } else { "cinder.volume.drivers.lvm" };
        self.messages(act.step, &service, ids, |role| matches!(role, MessageRole::Begins | MessageRole::During));
        let call = format!("==> {function}: call \"{{'self': <object>, 'volume': '{}'}}\"", self.about.0);
        self.writer.line(&service, Level::Debug, logger, Some(ids), &call);
        self.inside(act, &service, ids);
        let end = if act.well { "return (12ms) None" } else { "exception (12ms) VolumeBackendAPIException('no')" };
        self.writer.line(&service, Level::Debug, logger, Some(ids), &format!("<== {function}: {end}"));
        let wanted = if act.well { MessageRole::Ends } else { MessageRole::Fails };
        self.messages(act.step, &service, ids, |role| role == wanted);
    }

    fn segments(&self, path: &[PathSegment]) -> String {
        let segment = |segment: &PathSegment| match segment {
            PathSegment::Word(word) => format!("/{word}"),
            PathSegment::Placeholder(name) => match name.as_str() {
                "volume" => format!("/{}", self.about.0),
                "server" => format!("/{}", self.subject.server),
                "attachment" => format!("/{}", self.about.1),
                other => format!("/{other}"),
            },
        };
        path.iter().map(segment).collect()
    }

    fn body(&self, act: &Act, method: &str, path: &str, action: Option<&str>) -> Option<String> {
        let Subject { server, target: (target, _), .. } = self.subject;
        let (volume, _) = self.about;
        let connector = r#"{"ip": "127.0.0.1", "initiator": "iqn.2004-10.org.lab:compute1", "host": "compute1", "mountpoint": "/dev/vdb"}"#;
        Some(match (method, action) {
            (_, Some("os-attach")) => {
                format!(r#"{{"os-attach": {{"instance_uuid": "{server}", "mountpoint": "/dev/vdb", "mode": "rw"}}}}"#)
            }
            (_, Some(action @ ("os-initialize_connection" | "os-terminate_connection"))) => {
                format!(r#"{{"{action}": {{"connector": {connector}}}}}"#)
            }
            (_, Some(action @ ("os-detach" | "os-force_detach"))) => {
                format!(r#"{{"{action}": {{"attachment_id": null}}}}"#)
            }
            (_, Some("os-reset_status")) => r#"{"os-reset_status": {"status": "available"}}"#.to_owned(),
            (_, Some("os-migrate_volume_completion")) => {
                format!(r#"{{"os-migrate_volume_completion": {{"new_volume": "{target}", "error": {}}}}}"#, act.owed)
            }
            (_, Some("os-extend")) => r#"{"os-extend": {"new_size": 2}}"#.to_owned(),
            (_, Some(action)) => format!(r#"{{"{action}": null}}"#),
            ("PUT", None) if path.contains("os-volume_attachments") => {
                let named = if self.rule(act.step).names_target == Some(true) { target } else { volume };
                format!(r#"{{"volumeAttachment": {{"volumeId": "{named}"}}}}"#)
            }
            ("POST", None) if !path.starts_with("/attachments") && !path.ends_with("os-volume_attachments") => {
                format!(r#"{{"work": {{"volume_id": "{volume}"}}}}"#)
            }
            ("POST", None) if path.ends_with("os-volume_attachments") => {
                format!(r#"{{"volumeAttachment": {{"volumeId": "{volume}"}}}}"#)
            }
            ("POST", None) => {
                // The new host of a live migration brings its connector with it.
                let is_live = path::uses(&self.path.acts, self.grammar, "nova.server.live-migrate");
                let connector = if self.path.connector || is_live { connector } else { "null" };
                format!(
                    r#"{{"attachment": {{"volume_uuid": "{volume}", "connector": {connector}, "instance_uuid": "{server}"}}}}"#
                )
            }
            ("PUT", None) => format!(r#"{{"attachment": {{"connector": {connector}}}}}"#),
            _ => return None,
        })
    }

    fn request(&mut self, act: &Act, ids: Ids) {
        let rule = self.rule(act.step).clone();
        let StepKind::Http { method, path, action } = &rule.kind else { return };
        let service = self.service(act.step);
        let whole = self.about;
        if let Some((_, old)) = self.moved.filter(|_| method == "DELETE" && !act.owed && act.turn == Turn::Usual) {
            self.about.1 = old;
        }
        let path = self.segments(path);
        self.about = whole;
        let body = self.body(act, method, &path, action.as_deref());
        if service == "nova-api" {
            self.nova_request(act, ids, method, &path, body.as_deref());
            return;
        }
        let url = format!("http://127.0.0.1:8776/v3/{PROJECT}{path}");
        let wsgi = "cinder.api.openstack.wsgi";
        self.writer.line(&service, Level::Info, wsgi, Some(ids), &format!("{method} {url}"));
        match (&body, action) {
            (None, _) => {
                self.writer.line(&service, Level::Debug, wsgi, Some(ids), "Empty body provided in request get_body /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:715");
                let text = format!(
                    "Calling method '{}' _process_stack /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:868",
                    if method == "GET" { "show" } else { "delete" }
                );
                self.writer.line(&service, Level::Debug, wsgi, Some(ids), &text);
            }
            (Some(body), Some(_)) => {
                self.writer.line(&service, Level::Debug, wsgi, Some(ids), &format!("Action body: b'{body}' get_method /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:983"));
                self.writer.line(&service, Level::Debug, wsgi, Some(ids), &format!("Action: 'action', calling method: version_select, body: {body} _process_stack /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:866"));
            }
            (Some(body), None) => {
                let name = if method == "PUT" { "update" } else { "create" };
                self.writer.line(&service, Level::Debug, wsgi, Some(ids), &format!("Action: '{name}', calling method: version_select, body: {body} _process_stack /usr/lib/python3/dist-packages/cinder/api/openstack/wsgi.py:866"));
            }
        }
        self.locks(&rule, &service, ids, false);
        self.inside(act, &service, ids);
        let wanted = if act.well { MessageRole::Ends } else { MessageRole::Fails };
        self.messages(act.step, &service, ids, |role| role == wanted);
        self.locks(&rule, &service, ids, true);
        self.writer.line(&service, Level::Info, wsgi, Some(ids), &format!("{url} returned with HTTP {}", act.status));
        let access = format!(
            "127.0.0.1 \"{method} /v3/{PROJECT}{path} HTTP/1.1\" status: {}  len: 601 time: 0.0555093",
            act.status
        );
        self.writer.line(&service, Level::Info, "eventlet.wsgi.server", Some(ids), &access);
    }

    fn nova_request(&mut self, act: &Act, ids: Ids, method: &str, path: &str, body: Option<&str>) {
        let place = "_process_stack /usr/lib/python3/dist-packages/nova/api/openstack/wsgi.py:556";
        let controller = "nova.api.openstack.compute.volumes.VolumeAttachmentController object at 0x7f0b788b5e50";
        let action = if path.ends_with("/action") { "action" } else { "create" };
        let text = match body {
            Some(body) => format!(
                "Action: '{action}', calling method: <bound method VolumeAttachmentController.create of <{controller}>>, body: {body} {place}"
            ),
            None => {
                format!("Calling method '<bound method VolumeAttachmentController.delete of <{controller}>>' {place}")
            }
        };
        self.writer.line("nova-api", Level::Debug, "nova.api.openstack.wsgi", Some(ids), &text);
        self.look_up(ids);
        self.inside(act, "nova-api", ids);
        let access = format!("127.0.0.1 \"{method} /v2.1{path} HTTP/1.1\" status: {} len: 640 time: 0.9", act.status);
        self.writer.line("nova-api", Level::Info, "nova.osapi_compute.wsgi.server", Some(ids), &access);
    }

    /// Nova reads the volume, as it does at any time.
    fn look_up(&mut self, ids: Ids) {
        let step = self.grammar.step("cinder.volume.show").expect("the step");
        let own = self.writer.numbers.id();
        let act = Act {
            step,
            status: 200,
            well: true,
            owed: false,
            spare: false,
            optional: true,
            tolerated: false,
            guarded: false,
            retry: Vec::new(),
            turn: Turn::Usual,
            acts: Vec::new(),
        };
        self.request(&act, Ids { global: Some(ids.own), own });
    }

    /// A command of the client, and the request in it.
    fn command(&mut self, act: &Act, words: &str) {
        let Subject { server, volume, request, .. } = self.subject;
        self.writer.client(&format!("START with options: --debug {words} {server} {volume}"));
        self.writer
            .client(&format!("command: {words} -> openstackclient.compute.v2.server:AddServerVolume (auth=True)"));
        for inner in &act.acts {
            let StepKind::Http { method, path, action } = self.rule(inner.step).kind.clone() else { continue };
            let path = self.segments(&path);
            let url = format!("http://127.0.0.1:8774/v2.1{path}");
            let body = self
                .body(inner, &method, &path, action.as_deref())
                .map_or(String::new(), |body| format!(" -d '{body}'"));
            self.writer
                .client(&format!("REQ: curl -g -i -X {method} {url} -H \"OpenStack-API-Version: compute 2.89\"{body}"));
            self.act(inner, None);
            self.writer
                .client(&format!("http://127.0.0.1:8774 \"{method} /v2.1{path} HTTP/1.1\" {} 239", inner.status));
            let clock = self.writer.clock.stamp();
            self.writer.client(&format!(
                "RESP: [{}] Date: Sun, 22 Nov 2026 {} GMT X-Openstack-Request-Id: req-{request}",
                inner.status,
                &clock[11..19]
            ));
            self.writer.client(&format!("{method} call to compute for {url} used request id req-{request}"));
        }
        self.writer.client(&format!("END return value: {}", u8::from(act.acts.iter().any(|inner| !inner.well))));
    }
}
