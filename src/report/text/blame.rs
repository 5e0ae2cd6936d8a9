//! Where a flow broke, in the words that belong into a review.
//!
//! ```text
//!      broke in backend driver: driver.initialize_connection failed
//!      first cause: cinder.exception.VolumeBackendAPIException: no such pool  (cinder-volume.log:57)
//! ```

use crate::check::verdict::{Blame, Broke, FlowVerdict};
use crate::report::build::brief;
use crate::report::subject::Subject;
use crate::report::text::look::{Look, clean};
use crate::report::text::place_words;

/// Writes where a flow broke, when it did, behind `indent` blanks.
pub(super) fn blame(out: &mut String, subject: &Subject<'_>, flow: &FlowVerdict, indent: usize, look: &Look) {
    let Some(blame) = &flow.blame else { return };
    let mut line = |text: &str| {
        let blanks = " ".repeat(indent);
        look.hanging(out, &blanks, indent + 2, text);
    };
    line(&broken(subject, blame));
    if let Some(cause) = &blame.cause {
        let place = place_words(subject, cause.place);
        line(&format!("first cause: {}  ({place})", clean(&brief(&cause.message))));
    }
    if !blame.needs.is_empty() {
        line(&format!("would decide: {}", clean(&blame.needs.join("; "))));
    }
}

/// `broke in backend driver: driver.initialize_connection failed`.
fn broken(subject: &Subject<'_>, blame: &Blame) -> String {
    let layers: Vec<&str> =
        blame.layers.iter().map(|layer| subject.grammar.vocabulary.layer_at(*layer).title.as_str()).collect();
    let layers = match layers.as_slice() {
        [] => "an unknown layer".to_owned(),
        [layer] => (*layer).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    let step = blame.step.map_or("it", |step| subject.step_name(step));
    let how = match blame.how {
        Broke::Failed => format!("{step} failed"),
        Broke::TimedOut => format!("{step} was not answered in time"),
        Broke::NeverBegan => format!("{step} never began"),
        Broke::NeverEnded => format!("{step} never ended"),
        Broke::GivenUp => {
            let by = if blame.layers.is_empty() { "whoever sent it" } else { &layers };
            return clean(&format!("given up by {by}: {step} was the last request, and nothing failed"));
        }
    };
    clean(&format!("broke in {layers}: {how}"))
}
