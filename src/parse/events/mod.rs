//! What records say: one file per family of messages. Records that say nothing here are left without an allocation: the
//! logger decides once which families its records can belong to.

mod body;
mod command;
mod error;
mod http;
mod lock;
mod message;
mod operation;
mod rpc;
mod server;

use crate::model::event::{Event, EventKind, Level};
use crate::model::source::{Place, SourceId};
use crate::model::vocabulary::{ServiceId, Vocabulary};

use super::record::Record;
use super::scan::is_component_prefix;

pub(crate) use message::Messages;
pub(crate) use operation::own_host;

/// What the records of a logger can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Access lines of a WSGI server, and the API's own request lines.
    Server,
    /// keystoneauth, urllib3 and the clients' libraries.
    Http,
    /// The client's shell.
    Command,
    /// oslo.messaging.
    Rpc,
    /// oslo.concurrency and what does its work elsewhere.
    Lock,
    /// The terminal of a client, where the logger is not told.
    Terminal,
    /// Nothing of the above.
    Other,
}

/// What is known of a logger before its records are read.
#[derive(Clone, Debug)]
pub(crate) struct Logger {
    family: Family,
    /// The service that alone writes it.
    pub(crate) service: Option<ServiceId>,
    /// Whether it is one of oslo.messaging's.
    pub(crate) is_rpc: bool,
    /// Whether it is the one that runs RPC methods.
    runs_methods: bool,
    rules: message::Rules,
    tells_errors: bool,
}

/// Takes events out of records.
pub(crate) struct Extractor<'v> {
    vocabulary: &'v Vocabulary,
    messages: Messages<'v>,
    modules: error::Modules,
}

impl<'v> Extractor<'v> {
    pub(crate) fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { vocabulary, messages: Messages::new(vocabulary), modules: error::Modules::new(vocabulary) }
    }

    /// What is known of a logger; `is_client` when a client writes the log.
    pub(crate) fn logger(&self, name: &[u8], is_client: bool) -> Logger {
        let family = family(name, is_client);
        Logger {
            family,
            service: if is_client { None } else { self.service(name) },
            is_rpc: matches!(family, Family::Rpc),
            runs_methods: name.ends_with(b"rpc.server")
                || name.ends_with(b"rpc.dispatcher")
                || name.ends_with(b"rpc.amqp"),
            rules: self.messages.rules(name),
            tells_errors: !is_client && name != b"py.warnings",
        }
    }

    /// The service that a record of a logger tells: by the logger, or else by the code that takes a lock.
    pub(crate) fn writer(&self, logger: &Logger, record: &Record<'_>) -> Option<ServiceId> {
        let code = || (logger.family == Family::Lock).then(|| lock::holder(record.first_line())).flatten();
        logger.service.or_else(|| self.service(code()?))
    }

    /// The service with the longest logger prefix.
    fn service(&self, logger: &[u8]) -> Option<ServiceId> {
        let mut best: Option<(usize, usize)> = None;
        for (index, service) in self.vocabulary.services.iter().enumerate() {
            for prefix in &service.loggers {
                let is_longer = best.is_none_or(|(length, _)| prefix.len() > length);
                if is_longer && !prefix.is_empty() && is_component_prefix(prefix.as_bytes(), logger) {
                    best = Some((prefix.len(), index));
                }
            }
        }
        best.and_then(|(_, index)| u16::try_from(index).ok()).map(ServiceId)
    }

    /// Appends what a record says.
    pub(crate) fn extract(&self, source: SourceId, logger: &Logger, record: &Record<'_>, events: &mut Vec<Event>) {
        let head = &record.head;
        let mut emit = |kind: EventKind| {
            events.push(Event {
                place: Place { source, line: record.line, nth: record.nth },
                time: head.time,
                process: head.process,
                service: None,
                context: head.context,
                kind,
            });
        };
        match logger.family {
            Family::Server => server::extract(record, &mut emit),
            Family::Http => http::extract(record, &mut emit),
            Family::Command => command::extract(record, &mut emit),
            Family::Rpc => rpc::extract(record, &mut emit),
            Family::Lock => lock::extract(record, &self.vocabulary.lock_functions, &mut emit),
            Family::Terminal => {
                http::extract(record, &mut emit);
                command::extract(record, &mut emit);
            }
            Family::Other => {}
        }
        operation::extract(record, &mut emit);
        self.messages.extract(&logger.rules, record, &mut emit);
        if logger.runs_methods {
            rpc::extract_failure(record, &self.modules, &mut emit);
        }
        if head.level >= Level::Warning && logger.tells_errors {
            rpc::extract_timeout(record, &mut emit);
            error::extract(record, &self.modules, &mut emit);
        }
    }
}

/// The family of a logger. Names by release: `oslo.messaging` and `oslo_messaging`, `nova.openstack.common.lockutils`, ...
fn family(name: &[u8], is_client: bool) -> Family {
    let begins = |prefixes: &[&[u8]]| prefixes.iter().any(|prefix| is_component_prefix(prefix, name));
    if name.is_empty() {
        return if is_client { Family::Terminal } else { Family::Http };
    }
    if begins(&[b"oslo_messaging", b"oslo.messaging"]) {
        Family::Rpc
    } else if begins(&[b"nova.api.openstack", b"cinder.api.openstack", b"cinder.api.middleware"])
        || name.ends_with(b"wsgi.server")
        || name.ends_with(b"requestlog")
    {
        Family::Server
    } else if begins(&[b"keystoneauth", b"keystoneclient", b"cinderclient", b"novaclient", b"urllib3"])
        || name.starts_with(b"requests.packages.urllib3")
        || name.starts_with(b"keystoneauth1")
        || name.starts_with(b"cinder.compute.nova")
    {
        Family::Http
    } else if begins(&[b"osc_lib", b"openstackclient", b"cliff"]) {
        Family::Command
    } else if name.ends_with(b"lockutils")
        || begins(&[b"cinder.coordination", b"os_brick.initiator.connectors.base", b"nova.utils", b"cinder.utils"])
    {
        Family::Lock
    } else {
        Family::Other
    }
}
