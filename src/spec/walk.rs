//! Ways through syntax trees and process trees.

use crate::spec::grammar::{StepUse, Term};
use crate::spec::tree::{FlowStatement, ItemBody, Line, Statement, StepLine};

/// The statements of a flow or block without its head.
pub(crate) fn sequence(lines: &[Line<FlowStatement>]) -> impl DoubleEndedIterator<Item = &Statement> {
    lines.iter().filter_map(|line| match &line.value {
        FlowStatement::Sequence(statement) => Some(statement),
        _ => None,
    })
}

/// The statements nested under a statement.
pub(crate) fn children(statement: &Statement) -> Vec<&Statement> {
    match statement {
        Statement::Step(StepLine { body, .. })
        | Statement::Optional(body)
        | Statement::AnyOrder(body)
        | Statement::Repeat(_, body)
        | Statement::Attempt(body)
        | Statement::OnFailure(body)
        | Statement::Tolerate(body) => body.iter().map(|line| &line.value).collect(),
        Statement::Choice(branches) => {
            branches.iter().flat_map(|branch| &branch.value.body).map(|line| &line.value).collect()
        }
        Statement::Use(_) => Vec::new(),
    }
}

/// The blocks that an item uses, in the order of its lines.
pub(crate) fn uses(body: &ItemBody) -> Vec<&str> {
    let (ItemBody::Block(lines) | ItemBody::Flow(lines)) = body else { return Vec::new() };
    let mut found = Vec::new();
    let mut open: Vec<&Statement> = sequence(lines).rev().collect();
    while let Some(statement) = open.pop() {
        if let Statement::Use(name) = statement {
            found.push(name.value.as_str());
        }
        open.extend(children(statement).into_iter().rev());
    }
    found
}

/// Every step of a term, in the order of the lines.
pub(crate) fn steps_of(term: &Term) -> Vec<&StepUse> {
    let mut found = Vec::new();
    term.each_use(&mut |used| found.push(used));
    found
}
