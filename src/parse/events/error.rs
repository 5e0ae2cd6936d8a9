//! Exceptions: from the traceback (oslo.log `logging_exception_prefix`), or from the summary at the end of the message
//! (oslo.log `formatters.py`, `_json_dumps_with_filter` and `error_summary`).

use crate::input::chunk::lines;
use crate::model::event::{EventKind, Level, Raised};
use crate::model::vocabulary::{LayerId, Vocabulary};
use crate::parse::dialect::Dialect;
use crate::parse::journal::Journal;
use crate::parse::oslo::{Oslo, Untimed};
use crate::parse::record::Record;
use crate::parse::scan::{after, between, last_component, lossy, until};
use crate::parse::secrets::redact;

/// The longest text kept of an exception.
const LONGEST: usize = 2_000;

const TRACEBACK: &[u8] = b"Traceback (most recent call last)";

/// The modules of the layers, as parts of the paths of their files.
#[derive(Clone, Debug)]
pub(crate) struct Modules(Vec<(String, LayerId)>);

impl Modules {
    pub(crate) fn new(vocabulary: &Vocabulary) -> Self {
        let ids = (0..).map(LayerId).zip(&vocabulary.layers);
        let paths = ids.flat_map(|(id, layer)| layer.modules.iter().map(move |module| (module.replace('.', "/"), id)));
        let mut modules: Vec<(String, LayerId)> = paths.collect();
        // The longest fits best.
        modules.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(modules)
    }

    /// The layer of a file: `/usr/lib/python3/dist-packages/os_brick/utils.py`.
    fn of_file(&self, path: &[u8]) -> Option<LayerId> {
        let is_in = |module: &str| {
            let ends = memchr::memmem::find_iter(path, module.as_bytes()).map(|start| (start, start + module.len()));
            let mut whole = ends.filter(|(start, _)| *start == 0 || path[start - 1] == b'/');
            whole.any(|(_, end)| matches!(path.get(end), None | Some(b'/' | b'.')))
        };
        self.0.iter().find(|(module, _)| is_in(module)).map(|(_, layer)| *layer)
    }

    /// The layer of an exception's class: `os_brick.exception.VolumeDeviceNotFound`.
    fn of_class(&self, class: &str) -> Option<LayerId> {
        let path = class.replace('.', "/");
        let is_in = |module: &str| path.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'));
        self.0.iter().find(|(module, _)| is_in(module)).map(|(_, layer)| *layer)
    }
}

/// An exception that a record shows.
#[derive(Debug, Default)]
pub(super) struct Exception {
    pub(super) class: String,
    pub(super) text: String,
    pub(super) raised: Raised,
}

pub(super) fn extract(record: &Record<'_>, modules: &Modules, emit: &mut dyn FnMut(EventKind)) {
    if let Some(Exception { class, text, raised }) = exception(record, modules) {
        emit(EventKind::Error { class, text, raised });
    }
}

/// The exception that a record shows.
pub(super) fn exception(record: &Record<'_>, modules: &Modules) -> Option<Exception> {
    let first = record.first_line();
    let (class, text, mut raised) = from_traceback(record.message, modules).or_else(|| {
        let (class, text) = summary(first).or_else(|| caught(first))?;
        Some((class, text, Raised::default()))
    })?;
    let class = lossy(class);
    let text = lossy(&text[..text.len().min(LONGEST)]);
    raised.layer = raised.layer.or_else(|| modules.of_class(&class));
    // oslo.messaging `_drivers/common.py` deserialize_remote_exception; `rpc/client.py` RemoteError.
    raised.severe = record.head.level >= Level::Error;
    raised.remote |= class.ends_with("_Remote") || class.ends_with("RemoteError");
    Some(Exception { class, text: redact(&text).into_owned(), raised })
}

/// The first exception of a chain of tracebacks, the root cause, and the deepest layer in its traceback. What came back as the
/// answer to a message has the traceback of the other side in its text, with blank lines in it: the root cause is there.
fn from_traceback<'m>(message: &'m [u8], modules: &Modules) -> Option<(&'m [u8], &'m [u8], Raised)> {
    memchr::memmem::find(message, TRACEBACK)?;
    let mut inside = false;
    let mut raised = Raised { traced: true, ..Raised::default() };
    let mut outer = None;
    let mut lines = lines(message).map(|(_, line)| without_head(line)).peekable();
    while let Some(text) = lines.next() {
        if text.starts_with(TRACEBACK) {
            inside = true;
            raised.remote |= lines.peek().is_some_and(|next| next.trim_ascii().is_empty());
        } else if inside && let Some(file) = between(text, b"  File \"", b'"') {
            raised.layer = modules.of_file(file).or(raised.layer);
        } else if inside && text.first().is_some_and(|first| !first.is_ascii_whitespace()) {
            let class = until(text, b": (");
            if is_class(class) {
                let rest = &text[class.len()..];
                let said = rest.strip_prefix(b": ").unwrap_or(rest.strip_prefix(b":").unwrap_or(rest));
                if outer.is_some() || !lines.peek().is_some_and(|next| next.starts_with(TRACEBACK)) {
                    return Some((class, said, raised));
                }
                raised.remote = true;
                outer = Some((class, said, raised));
                raised.layer = None;
            }
        }
    }
    outer
}

/// A line of a traceback without the head that is repeated on each.
fn without_head(line: &[u8]) -> &[u8] {
    let dialects: [&dyn Dialect; 3] = [&Oslo, &Journal, &Untimed];
    let head = dialects.iter().find_map(|dialect| dialect.head(line));
    head.map_or(line, |head| &line[head.message..])
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
    use crate::model::vocabulary::LayerRule;

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
        let found = from_traceback(message.as_bytes(), &modules()).map(|(class, text, _)| (class, text));
        assert_eq!(found, Some((&b"a.b.First"[..], &b"one"[..])));
    }

    fn modules() -> Modules {
        let layer = |module: &str| LayerRule { modules: vec![module.to_owned()], ..LayerRule::default() };
        let layers = vec![layer("outer.client"), layer("a.drivers")];
        Modules::new(&Vocabulary { layers, ..Vocabulary::default() })
    }

    #[test]
    fn the_deepest_layer_of_a_traceback() {
        let frames = |files: &[&str], end: &str| {
            let frames: Vec<String> =
                files.iter().map(|file| format!("  File \"/usr/lib/{file}\", line 1, in f")).collect();
            format!("Failed\nTraceback (most recent call last):\n{}\n{end}", frames.join("\n"))
        };
        let raised = |text: String| from_traceback(text.as_bytes(), &modules()).map(|(_, _, raised)| raised);
        let layer = |files: &[&str]| raised(frames(files, "KeyError: 1\n")).and_then(|raised| raised.layer);
        assert_eq!(layer(&["a/manager.py", "outer/client/x.py", "a/drivers/lvm.py", "lib/y.py"]), Some(LayerId(1)));
        assert_eq!(layer(&["a/drivers.py", "outer/client.py"]), Some(LayerId(0)));
        assert_eq!(layer(&["a/manager.py", "a/drivers2/x.py", "router/client.py"]), None);
        assert_eq!(modules().of_class("outer.client.Gone"), Some(LayerId(0)));
        assert_eq!(modules().of_class("outer.clients.Gone"), None);
    }

    #[test]
    fn what_the_other_side_of_a_message_raised() {
        let found = |text: &str| {
            let (class, _, raised) = from_traceback(text.as_bytes(), &modules()).unwrap_or_default();
            (lossy(class), raised.remote, raised.layer)
        };
        let far =
            "Traceback (most recent call last):\n\n  File \"/a/drivers/x.py\", line 1, in f\n    f()\n\nb.Root: 1\n\n";
        let own = "Traceback (most recent call last):\n  File \"/outer/client/x.py\", line 1, in f\n    f()\n";
        let root = || ("b.Root".to_owned(), true, Some(LayerId(1)));
        assert_eq!(found(&format!("Failed\n{own}c.Top_Remote: 2\n{far}")), root());
        assert_eq!(found(&format!("Failed: 2\n{far}c.Top: 2\n{own}c.Top_Remote: 2\n{far}")), root());
        let handled = format!("Failed\n{own}KeyError: 1\n\nDuring handling of it\n\n{own}c.Other: 1\n");
        assert_eq!(found(&handled), ("KeyError".to_owned(), false, Some(LayerId(0))));
        assert_eq!(
            found(&format!("Failed\n{own}c.Top: 2\nTraceback (most recent call last):\n")),
            ("c.Top".to_owned(), true, Some(LayerId(0)))
        );
    }
}
