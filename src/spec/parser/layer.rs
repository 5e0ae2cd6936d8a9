//! `layer`: who is to be asked when something breaks.

use super::Parser;
use crate::spec::outline::Node;
use crate::spec::problem::Problem;
use crate::spec::tree::LayerStatement;
use crate::spec::words::Words;

impl Parser<'_> {
    /// A line of a layer.
    pub(super) fn layer_statement(&mut self, node: &Node, words: &mut Words) -> Result<LayerStatement, Problem> {
        if words.take("modules") {
            self.leaf(node);
            return words.names("the name of a module").map(LayerStatement::Modules);
        }
        if words.take("carries") {
            self.leaf(node);
            return words.expect("messages").map(|_| LayerStatement::CarriesMessages);
        }
        self.quote(node, words, &["modules", "carries"]).map(LayerStatement::Quote)
    }
}
