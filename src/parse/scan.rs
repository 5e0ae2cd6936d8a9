//! Small tools to take facts out of message bytes.

use memchr::{memchr2_iter, memmem};
use uuid::Uuid;

use crate::base::text::leading_uuid;
use crate::model::event::RequestId;

/// What follows the first `needle`.
pub(crate) fn after<'a>(text: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    memmem::find(text, needle).map(|start| &text[start + needle.len()..])
}

/// What stands before the first byte that is one of `stops`, or all of it.
pub(crate) fn until<'a>(text: &'a [u8], stops: &[u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| stops.contains(byte)).unwrap_or(text.len());
    &text[..end]
}

/// What stands between the first `open` and the next `close`.
pub(crate) fn between<'a>(text: &'a [u8], open: &[u8], close: u8) -> Option<&'a [u8]> {
    let rest = after(text, open)?;
    memchr::memchr(close, rest).map(|end| &rest[..end])
}

/// Text of log bytes; what is no UTF-8 is replaced.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The position of an ASCII text in whatever case; `needle` is in lower case.
pub(crate) fn find_ignoring_case(text: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    memchr2_iter(first, first.to_ascii_uppercase(), text)
        .find(|&start| text[start..].get(..needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle)))
}

/// `req-` and an id at the beginning.
pub(crate) fn request_id(text: &[u8]) -> Option<RequestId> {
    leading_uuid(text.strip_prefix(b"req-")?).map(RequestId)
}

/// An id with dashes or 32 hexadecimal digits at the beginning, as oslo.messaging has them.
pub(crate) fn message_id(text: &[u8]) -> Option<Uuid> {
    let length = text.iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'-').count();
    let id = &text[..length];
    Uuid::try_parse_ascii(id).ok().filter(|_| matches!(length, 32 | 36))
}

/// The decimal number at the beginning.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

/// Seconds with a fraction at the beginning, in microseconds.
pub(crate) fn micros(text: &[u8]) -> Option<i64> {
    let whole = number(text)?;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut total = i64::try_from(whole).ok()?.checked_mul(1_000_000)?;
    if let Some(fraction) = text[digits..].strip_prefix(b".") {
        let mut weight = 100_000;
        for digit in fraction.iter().take_while(|byte| byte.is_ascii_digit()) {
            total = total.checked_add(i64::from(digit - b'0') * weight)?;
            weight /= 10;
        }
    }
    Some(total)
}

/// Whether `prefix` is `name` or its first whole dotted components.
pub(crate) fn is_component_prefix(prefix: &[u8], name: &[u8]) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest[0] == b'.')
}

/// The last dotted component.
pub(crate) fn last_component(name: &[u8]) -> &[u8] {
    memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ids() {
        assert_eq!(micros(b"2.0133702 x"), Some(2_013_370));
        assert_eq!(micros(b"0.08"), Some(80_000));
        assert_eq!(micros(b"x"), None);
        assert!(message_id(b"70dd8ac779b6469fa39ad1a987e8d257 exchange").is_some());
        assert!(message_id(b"None reply to None").is_none());
        assert!(request_id(b"req-79f05250-8680-41f2-8ef9-53bb9bf9f60e f4").is_some());
        assert_eq!(find_ignoring_case(b"abX-Open", b"x-open"), Some(2));
        assert!(is_component_prefix(b"nova.api", b"nova.api.openstack"));
        assert!(!is_component_prefix(b"nova.api", b"nova.apis"));
    }
}
