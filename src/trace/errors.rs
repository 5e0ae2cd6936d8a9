//! The errors that work logged, and which of them says why it failed.

use crate::model::event::Raised;
use crate::model::source::Place;
use crate::trace::node::{Node, NodeKind};

/// How much a logged error says of why the work that it was logged in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// A warning: the work went on.
    Warning,
    /// An error, which may have been dealt with.
    Error,
    /// The line says that the work failed with it.
    Final,
}

/// An error in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedError {
    /// `class: text`.
    pub message: String,
    /// The line.
    pub place: Place,
    /// Where it comes from.
    pub raised: Raised,
    /// How much it says.
    pub gravity: Gravity,
}

impl LoggedError {
    pub(crate) fn new(place: Place, (class, text): (&str, &str), raised: Raised, gravity: Gravity) -> Self {
        let message = match (class, text) {
            ("", text) => text.to_owned(),
            (class, "") => class.to_owned(),
            (class, text) => format!("{class}: {text}"),
        };
        Self { message, place, raised, gravity }
    }
}

impl Node {
    /// The line that shows its failure: that of its error, of a request that of its answer.
    pub fn failure_place(&self) -> Option<Place> {
        let logged = self.error.as_ref().map(|error| error.place);
        logged.filter(|_| self.kind != NodeKind::Http).or(self.ended)
    }

    /// Notes an error: of those that were logged in the work, the first that says most of why it failed.
    pub(crate) fn fail(&mut self, error: LoggedError) {
        match &mut self.error {
            Some(known) if known.message == error.message => {
                // The same exception again, on its way out: its traceback may stand here only.
                known.raised = if error.raised.traced && !known.raised.traced { error.raised } else { known.raised };
                known.gravity = known.gravity.max(error.gravity);
            }
            Some(known) if known.gravity >= error.gravity => {}
            _ => self.error = Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_that_says_why_work_failed() {
        let error = |line: u64, text: &str, traced: bool, gravity: Gravity| {
            let place = Place { line, ..Place::default() };
            LoggedError::new(place, ("", text), Raised { traced, ..Raised::default() }, gravity)
        };
        let mut node = Node::new(NodeKind::Cast);
        let mut told = |error: LoggedError| {
            node.fail(error);
            node.error.clone().map(|error| (error.place.line, error.raised.traced))
        };
        assert_eq!(told(error(1, "warned", true, Gravity::Warning)), Some((1, true)));
        assert_eq!(told(error(2, "repeated with success", true, Gravity::Error)), Some((2, true)));
        assert_eq!(told(error(3, "failed", false, Gravity::Final)), Some((3, false)));
        assert_eq!(told(error(4, "taking back failed", true, Gravity::Error)), Some((3, false)));
        assert_eq!(told(error(5, "failed", true, Gravity::Final)), Some((3, true)), "with its traceback");
    }
}
