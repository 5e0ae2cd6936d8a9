//! Lock lines: oslo.concurrency `lockutils.py` (before 4.5.0, since, and since 5.0.0), cinder `coordination.py`.

use crate::model::event::{EventKind, LockState};
use crate::parse::record::Record;
use crate::parse::scan::{after, last_component, lossy};

pub(super) fn extract(record: &Record<'_>, functions: &[String], emit: &mut dyn FnMut(EventKind)) {
    if let Some(event) = event(record.first_line(), functions) {
        emit(event);
    }
}

/// The code that takes or holds a lock: `nova.compute.manager.ComputeManager.attach_volume.<locals>.do_attach_volume`.
pub(super) fn holder(line: &[u8]) -> Option<&[u8]> {
    let code = after(line, b"by \"")?;
    Some(&code[..memchr::memchr(b'"', code)?])
}

fn event(line: &[u8], functions: &[String]) -> Option<EventKind> {
    let (rest, acquiring) = match line.strip_prefix(b"Acquiring lock \"") {
        Some(rest) => (rest, true),
        None => (line.strip_prefix(b"Lock \"")?, false),
    };
    let name_end = memchr::memchr(b'"', rest)?;
    let (name, rest) = (&rest[..name_end], rest[name_end + 1..].strip_prefix(b" ")?);
    let by = memchr::memmem::find(rest, b"by \"")?;
    let verb = rest[..by].trim_ascii();
    let verb = verb.strip_prefix(b"\"").and_then(|verb| verb.strip_suffix(b"\"")).unwrap_or(verb);
    let state = match verb {
        b"" if acquiring => LockState::Acquiring,
        b"acquired" => LockState::Acquired,
        b"released" | b"unacquired" => LockState::Released,
        _ => return None,
    };
    let function = last_component(holder(rest)?);
    functions.binary_search_by(|known| known.as_bytes().cmp(function)).ok()?;
    Some(EventKind::Lock { name: lossy(name), function: lossy(function), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release() {
        let functions = ["attachment_update".to_owned(), "do_attach_volume".to_owned()];
        let long = "nova.compute.manager.ComputeManager.attach_volume.<locals>.do_attach_volume";
        let cases = [
            (format!("Acquiring lock \"a\" by \"{long}\" inner /x.py:1"), Some(LockState::Acquiring)),
            (format!("Lock \"a\" acquired by \"{long}\" :: waited 0.000s"), Some(LockState::Acquired)),
            (format!("Lock \"a\" released by \"{long}\" :: held N/A"), Some(LockState::Released)),
            (format!("Lock \"a\" \"released\" by \"{long}\" :: held 2.744s"), Some(LockState::Released)),
            (
                "Lock \"a\" \"unacquired\" by \"nova.compute.manager.do_attach_volume\" :: held 1s".to_owned(),
                Some(LockState::Released),
            ),
            ("Lock \"a\" acquired by \"nova.context.get_or_set\" :: waited 0.000s".to_owned(), None),
            ("Acquired semaphore \"a\"".to_owned(), None),
            ("Acquiring lock \"a\" lock /x.py:1".to_owned(), None),
        ];
        for (line, expected) in cases {
            let state = match event(line.as_bytes(), &functions) {
                Some(EventKind::Lock { name, function, state }) => {
                    assert_eq!((name.as_str(), function.as_str()), ("a", "do_attach_volume"));
                    Some(state)
                }
                _ => None,
            };
            assert_eq!(state, expected, "{line}");
        }
        let path =
            b"Lock \"/var/lib/cinder/cinder-attachment_update-v-h\" acquired by \"attachment_update\" :: waited 0s";
        assert!(event(path, &functions).is_some());
    }
}
