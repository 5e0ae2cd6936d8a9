//! `service`: who writes logs.

use super::Parser;
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::ServiceStatement;
use crate::spec::words::Words;

impl Parser<'_> {
    /// A line of a service.
    pub(super) fn service_statement(&mut self, node: &Node, words: &mut Words) -> Result<ServiceStatement, Problem> {
        if words.take("layer") {
            self.leaf(node);
            return words.name("the name of a layer").map(ServiceStatement::Layer);
        }
        let make = match words.peek() {
            Some("loggers") => ServiceStatement::Loggers,
            Some("programs") => ServiceStatement::Programs,
            Some("topics") => ServiceStatement::Topics,
            Some("routes") => ServiceStatement::Routes,
            _ => {
                let known = ["loggers", "programs", "topics", "routes", "layer"];
                return self.quote(node, words, &known).map(ServiceStatement::Quote);
            }
        };
        self.leaf(node);
        words.word("a statement")?;
        words.names("a name").map(make)
    }
}
