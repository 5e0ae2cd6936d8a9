//! What the parser needs to know of the specification: services, messages, locks. Filled from `grammars/` by `spec`.

use crate::model::event::Level;

/// The number of a service in [`Vocabulary::services`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(pub u16);

/// The number of a message in [`Vocabulary::messages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u32);

/// The number of a layer in [`Vocabulary::layers`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u16);

/// Services, messages and locks to look for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// The layers that work is done in: those of the specification, then one for each service that is in none of them.
    pub layers: Vec<LayerRule>,
    /// The services, in the order of the specification.
    pub services: Vec<ServiceRule>,
    /// The messages.
    pub messages: Vec<MessageRule>,
    /// Functions (last dotted component of their name) whose locks matter, sorted.
    pub lock_functions: Vec<String>,
}

/// A layer of the cloud: who is to be asked when something breaks there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerRule {
    /// `backend-driver`.
    pub name: String,
    /// The same for readers.
    pub title: String,
    /// Dotted Python modules of its code, by which a traceback shows that an exception is its own.
    pub modules: Vec<String>,
    /// Whether it carries the messages between services.
    pub carries_messages: bool,
}

/// How to recognise a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceRule {
    /// `nova-api`.
    pub name: String,
    /// Logger prefixes (whole dotted components) that only this service writes.
    pub loggers: Vec<String>,
    /// Program names in syslog and journald headers and in file names, `nova-api` itself included.
    pub programs: Vec<String>,
    /// The first component of RPC topics that this service listens to.
    pub topics: Vec<String>,
    /// First path segments (after version and project) of requests that this service serves, such as `servers`.
    pub routes: Vec<String>,
    /// The layer that it is.
    pub layer: LayerId,
}

/// A plain log message: a literal text with placeholders.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRule {
    /// The literal parts, one more than there are placeholders. The message begins with the first; after the last part
    /// anything may follow (a function suffix, an error summary).
    pub literals: Vec<String>,
    /// The placeholders between the literals.
    pub placeholders: Vec<Placeholder>,
    /// The logger, or a prefix of it ending before a dot; empty for any.
    pub logger: String,
    /// The most detailed level that has to be logged for this message to show.
    pub level: Level,
}

/// A placeholder in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// Its name: `volume`, `server`, `attachment`, `device`, `status`, ...
    pub name: String,
    /// What may stand there. Names `volume`, `server` and `attachment` take ids, `status` a word, all others text.
    pub kind: PlaceholderKind,
}

/// What may stand at a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderKind {
    /// A UUID.
    Id,
    /// Letters, digits, `-` and `_`.
    Word,
    /// Anything up to the next literal (or to the end of the line when the next literal is empty).
    Text,
}

impl Vocabulary {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<ServiceId> {
        let index = self.services.iter().position(|service| service.name == name)?;
        u16::try_from(index).ok().map(ServiceId)
    }

    /// The layer that a service is in.
    pub fn layer_of(&self, service: ServiceId) -> Option<LayerId> {
        self.services.get(usize::from(service.0)).map(|rule| rule.layer)
    }

    /// The layer of that name.
    pub fn layer(&self, name: &str) -> Option<LayerId> {
        let index = self.layers.iter().position(|layer| layer.name == name)?;
        u16::try_from(index).ok().map(LayerId)
    }

    /// A layer.
    pub fn layer_at(&self, layer: LayerId) -> &LayerRule {
        &self.layers[usize::from(layer.0)]
    }

    /// The layer that carries messages.
    pub fn carrier(&self) -> Option<LayerId> {
        let index = self.layers.iter().position(|layer| layer.carries_messages)?;
        u16::try_from(index).ok().map(LayerId)
    }

    /// The name of a service.
    pub fn service_name(&self, service: ServiceId) -> &str {
        self.services.get(usize::from(service.0)).map_or("", |rule| rule.name.as_str())
    }
}
