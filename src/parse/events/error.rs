//! Exceptions: from the traceback (oslo.log `logging_exception_prefix`), or from the summary at the end of the message
//! (oslo.log `formatters.py`, `_json_dumps_with_filter` and `error_summary`).

use crate::input::chunk::lines;
use crate::model::event::EventKind;
use crate::parse::journal;
use crate::parse::oslo::Oslo;
use crate::parse::record::Record;
use crate::parse::scan::{after, between, last_component, lossy, until};
use crate::parse::secrets::redact;
use crate::parse::sniff::Dialect;

/// The longest text kept of an exception.
const LONGEST: usize = 2_000;

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    if let Some((class, text)) = exception(record) {
        emit(EventKind::Error { class, text });
    }
}

/// The class and the text of the exception that a record shows.
pub(super) fn exception(record: &Record<'_>) -> Option<(String, String)> {
    let found =
        from_traceback(record.message).or_else(|| summary(record.first_line())).or_else(|| caught(record.first_line()));
    found.map(|(class, text)| {
        let text = lossy(&text[..text.len().min(LONGEST)]);
        (lossy(class), redact(&text).into_owned())
    })
}

/// The first exception of a chain of tracebacks: the root cause.
fn from_traceback(message: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr::memmem::find(message, b"Traceback (most recent call last)")?;
    let mut inside = false;
    for (_, line) in lines(message) {
        let text = without_head(line);
        if text.starts_with(b"Traceback (most recent call last)") {
            inside = true;
        } else if inside && text.first().is_some_and(|first| !first.is_ascii_whitespace()) {
            let class = until(text, b": (");
            if is_class(class) {
                let rest = &text[class.len()..];
                return Some((class, rest.strip_prefix(b": ").unwrap_or(rest.strip_prefix(b":").unwrap_or(rest))));
            }
        }
    }
    None
}

/// A line of a traceback without the head that is repeated on each.
fn without_head(line: &[u8]) -> &[u8] {
    if let Some(head) = Oslo.head(line) {
        return &line[head.message..];
    }
    match journal::Journal.head(line) {
        Some(head) => &line[head.message..],
        None => line,
    }
}

/// `some message: nova.exception.VolumeNotFound: text of it`.
fn summary(line: &[u8]) -> Option<(&[u8], &[u8])> {
    for start in memchr::memmem::find_iter(line, b": ") {
        let rest = &line[start + 2..];
        let class = until(rest, b": ");
        if !is_class(class) || !looks_raised(class) {
            continue;
        }
        match rest.get(class.len()) {
            None => return Some((class, b"")),
            Some(b':') => return Some((class, rest[class.len() + 1..].trim_ascii_start())),
            Some(_) => {}
        }
    }
    None
}

/// cinder's `Caught error: <class 'cinder.exception.VolumeNotFound'> text`.
fn caught(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let class = between(line, b"<class '", b'\'').or_else(|| between(line, b"<type '", b'\''))?;
    let text = after(line, b"'> ").unwrap_or(b"");
    is_class(class).then_some((class, text))
}

fn is_class(name: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let last = last_component(name);
    !name.is_empty()
        && name.iter().all(is_word)
        && last.first().is_some_and(|first| first.is_ascii_uppercase() || *first == b'_')
}

/// Whether a word in a message is an exception's class: with its module, or named like one.
fn looks_raised(class: &[u8]) -> bool {
    const ENDS: [&[u8]; 5] = [b"Error", b"Exception", b"Timeout", b"Exit", b"Interrupt"];
    let is_dotted = memchr::memchr(b'.', class).is_some_and(|dot| class[0].is_ascii_lowercase() && dot > 1);
    is_dotted || ENDS.iter().any(|end| class.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        let found = |line: &'static str| {
            summary(line.as_bytes())
                .or_else(|| caught(line.as_bytes()))
                .map(|(class, text)| (lossy(class), lossy(text)))
        };
        let pair = |class: &str, text: &str| Some((class.to_owned(), text.to_owned()));
        assert_eq!(
            found(
                "Driver initialize connection failed (error: injected fault).: labfake.hooks.LabInjectedFault: injected fault"
            ),
            pair("labfake.hooks.LabInjectedFault", "injected fault")
        );
        assert_eq!(found("It failed: TypeError: 'x' is 1"), pair("TypeError", "'x' is 1"));
        assert_eq!(found("It failed: nova.exception.Oops"), pair("nova.exception.Oops", ""));
        assert_eq!(
            found("Caught error: <class 'cinder.exception.VolumeNotFound'> Volume x could not be found."),
            pair("cinder.exception.VolumeNotFound", "Volume x could not be found.")
        );
        assert_eq!(found("Volume status must be available: Now: error"), None);
    }

    #[test]
    fn the_root_cause_of_a_chain() {
        let prefix = "2026-11-22 08:18:33.684 11134 ERROR cinder.volume.manager ";
        let message = [
            "Failed",
            "Traceback (most recent call last):",
            "  File \"x\", line 1, in f",
            "    f()",
            "    ^^^",
            "a.b.First: one",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            "Traceback (most recent call last):",
            "  File \"y\"",
            "a.b.Second: two",
            "",
        ]
        .join(&format!("\n{prefix}"));
        assert_eq!(from_traceback(message.as_bytes()), Some((&b"a.b.First"[..], &b"one"[..])));
    }
}
