//! Log files in the making: lines in the shape of oslo.log's text format, one file for each service.

use std::collections::BTreeMap;

use flowcheck::model::event::Level;
use uuid::Uuid;

use super::seed::{Clock, Numbers};

/// How much the services log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `debug = True` alone: lock lines and messages show the work of RPCs.
    Default,
    /// The messages' lines of oslo.messaging too.
    Rpc,
}

/// The request ids of a line: the one passed along and the service's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) global: Option<Uuid>,
    pub(crate) own: Uuid,
}

/// The services that write, with the numbers of their processes.
pub(crate) const SERVICES: [(&str, u32); 7] = [
    ("nova-api", 4529),
    ("nova-conductor", 4490),
    ("nova-compute", 4498),
    ("cinder-api", 4526),
    ("cinder-volume", 4521),
    ("cinder-scheduler", 4517),
    ("cinder-backup", 4515),
];

pub(crate) const USER: &str = "f4f1afe4e7d54ea78ab72d05eec66fcc";
pub(crate) const PROJECT: &str = "f1b39f5ce7284f55ad11a1e1528cd47a";

/// The files.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) style: Style,
    pub(crate) clock: Clock,
    pub(crate) numbers: Numbers,
    /// By name.
    pub(crate) files: BTreeMap<String, String>,
}

impl Writer {
    pub(crate) fn new(style: Style, seed: u64) -> Self {
        let mut writer =
            Self { style, clock: Clock::new(seed), numbers: Numbers(seed ^ 0x5eed), files: BTreeMap::new() };
        writer.rest(60);
        writer
    }

    /// A line of a service.
    pub(crate) fn line(&mut self, service: &str, level: Level, logger: &str, ids: Option<Ids>, message: &str) {
        let bracket = match ids {
            None => "-".to_owned(),
            Some(Ids { global, own }) => {
                let global = global.map_or("None".to_owned(), |id| format!("req-{id}"));
                let domains =
                    if service.starts_with("cinder-") && service != "cinder-api" { "- -" } else { "default default" };
                format!("{global} req-{own} {USER} {PROJECT} - - {domains}")
            }
        };
        let level = match level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error | Level::Critical => "ERROR",
        };
        let process = SERVICES.iter().find(|(name, _)| *name == service).map_or(1, |(_, process)| *process);
        let stamp = self.clock.tick();
        let text = format!("{stamp} {process} {level} {logger} [{bracket}] {message}\n");
        self.files.entry(format!("{service}.log")).or_default().push_str(&text);
    }

    /// A line of a client, which has no header.
    pub(crate) fn client(&mut self, text: &str) {
        let file = self.files.entry("client.log".to_owned()).or_default();
        file.push_str(text);
        file.push('\n');
    }

    /// Time in which nothing happens but what always does.
    pub(crate) fn rest(&mut self, seconds: i64) {
        for _ in 0..2 {
            for (service, process) in SERVICES {
                let own = self.numbers.id();
                let periodic = Some(Ids { global: None, own });
                match service {
                    "nova-compute" => {
                        let task = "Running periodic task ComputeManager._poll_rebooting_instances run_periodic_tasks /usr/lib/python3/dist-packages/oslo_service/periodic_task.py:210";
                        self.line(service, Level::Debug, "oslo_service.periodic_task", periodic, task);
                    }
                    "cinder-volume" => {
                        let task = "Notifying Schedulers of capabilities ... _publish_service_capabilities /usr/lib/python3/dist-packages/cinder/manager.py:201";
                        self.line(service, Level::Debug, "cinder.manager", periodic, task);
                    }
                    "cinder-scheduler" | "cinder-backup" => {
                        let task = "Running periodic task run_periodic_tasks /usr/lib/python3/dist-packages/oslo_service/periodic_task.py:210";
                        self.line(service, Level::Debug, "oslo_service.periodic_task", periodic, task);
                    }
                    "nova-conductor" => {
                        let found =
                            "Reloading cells cache refresh /usr/lib/python3/dist-packages/nova/conductor/manager.py:1";
                        self.line(service, Level::Debug, "nova.conductor.manager", periodic, found);
                    }
                    _ => {
                        let accepted = format!(
                            "({process}) accepted ('127.0.0.1', 43522) server /usr/lib/python3/dist-packages/eventlet/wsgi.py:1067"
                        );
                        let logger = if service == "nova-api" {
                            "nova.osapi_compute.wsgi.server"
                        } else {
                            "eventlet.wsgi.server"
                        };
                        self.line(service, Level::Debug, logger, None, &accepted);
                    }
                }
                if self.style == Style::Rpc {
                    let idle = "Listener is running poll /usr/lib/python3/dist-packages/oslo_messaging/_drivers/amqpdriver.py:420";
                    self.line(service, Level::Debug, "oslo_messaging._drivers.amqpdriver", None, idle);
                }
            }
            self.clock.pass(seconds);
        }
    }
}
