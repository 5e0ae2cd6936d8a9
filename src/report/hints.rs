//! What a log's level hides that would be of use.

use crate::model::event::Level;
use crate::model::source::SourceSummary;
use crate::model::vocabulary::ServiceId;
use crate::report::subject::level_name;
use crate::spec::grammar::{Grammar, StepKind};

/// What the log of a service would tell at a lower level; `None` where it tells all that it can.
pub fn hint(grammar: &Grammar, source: &SourceSummary) -> Option<String> {
    let hints: Vec<String> = source
        .coverage
        .iter()
        .filter_map(|coverage| {
            let service = coverage.service?;
            let hidden = hidden(grammar, service, coverage.level)?;
            let name = grammar.vocabulary.service_name(service);
            Some(format!("{name}'s log is {} only: {hidden}", level_name(coverage.level)))
        })
        .collect();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// What a service logs below a level of its steps.
fn hidden(grammar: &Grammar, service: ServiceId, level: Level) -> Option<&'static str> {
    let does =
        |fits: fn(&StepKind) -> bool| grammar.steps.iter().any(|step| step.service == service && fits(&step.kind));
    let takes_messages = || does(|kind| matches!(kind, StepKind::Call { .. } | StepKind::Cast { .. }));
    let has_actions = || does(|kind| matches!(kind, StepKind::Http { action: Some(_), .. }));
    let has_requests = || does(|kind| matches!(kind, StepKind::Http { .. }));
    if level > Level::Debug && takes_messages() {
        Some("at DEBUG its RPC and lock lines would tell when its work began and ended")
    } else if level > Level::Info && has_requests() {
        Some("at INFO it would tell the requests that it got")
    } else if level > Level::Debug && has_actions() {
        Some("at DEBUG it would tell which actions its requests were")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::hidden;
    use crate::model::event::Level;

    #[test]
    fn a_level_hides_what_its_service_does() {
        let grammar = crate::spec::built_in().expect("the grammars are right");
        let hidden = |service: &str, level: Level| {
            let service = grammar.vocabulary.service(service).expect("a service");
            hidden(&grammar, service, level).unwrap_or_default()
        };
        assert!(hidden("nova-compute", Level::Info).contains("RPC and lock lines"));
        assert!(hidden("cinder-api", Level::Info).contains("actions"));
        assert!(hidden("cinder-api", Level::Warning).contains("requests that it got"));
        assert_eq!(hidden("nova-compute", Level::Debug), "");
        assert_eq!(hidden("cinder-api", Level::Debug), "");
    }
}
