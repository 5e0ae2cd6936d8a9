//! How a flow's time was shared between the layers.
//!
//! ```text
//!      time 4.6 s: nova-compute 2.1 s (45%), cinder-volume with backend driver 1.6 s (34%), in no log 900 ms (19%)
//! ```

use crate::check::verdict::{FlowVerdict, LayerTime};
use crate::model::vocabulary::LayerId;
use crate::report::subject::Subject;
use crate::report::text::look::{Look, clean, duration};

/// Writes the shares of a flow's time behind `indent` blanks.
pub(super) fn times(out: &mut String, subject: &Subject<'_>, flow: &FlowVerdict, indent: usize, look: &Look) {
    let Some(times) = flow.times.as_ref().filter(|times| times.millis > 0) else { return };
    let shown = times.layers.iter().filter(|part| part.millis > 0);
    let parts: Vec<String> = shown.map(|part| share(subject, part, times.millis)).collect();
    let text = format!("time {}: {}", length(times.millis), parts.join(", "));
    look.hanging(out, &" ".repeat(indent), indent + 2, &clean(&text));
}

fn share(subject: &Subject<'_>, part: &LayerTime, whole: i64) -> String {
    let title = |layer: &LayerId| subject.grammar.vocabulary.layer_at(*layer).title.as_str();
    let mut name = part.layer.as_ref().map_or("in no log", title).to_owned();
    for (number, hidden) in part.may_include.iter().enumerate() {
        name.push_str(if number == 0 { " with " } else { " and " });
        name.push_str(title(hidden));
    }
    let percent = match part.millis.saturating_mul(100) / whole {
        0 => "<1%".to_owned(),
        percent => format!("{percent}%"),
    };
    format!("{name} {} ({percent})", length(part.millis))
}

fn length(millis: i64) -> String {
    duration(millis.saturating_mul(1_000))
}
