//! Secrets in log text: one function that masks them, applied wherever log text leaves the program.
//!
//! A secret is the value of a key that names one (`adminPass`, `auth_password`, `X-Auth-Token`, ...), in any of the forms
//! that OpenStack logs have: JSON, JSON inside a string, python reprs and tuples, headers of a curl line, query strings,
//! command line options, XML, `iscsiadm -n node.session.auth.password -v VALUE`, and the password in a URL. Where it is not
//! clear how far a value goes, more is masked rather than less.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Words that make a key secret, in lower case and with `_` for `-`.
const SECRET_WORDS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "adminpass",
    "admin_pass",
    "secret",
    "access_key",
    "accesskey",
    "private_key",
    "api_key",
    "apikey",
    "auth_token",
    "subject_token",
    "service_token",
    "storage_token",
    "authorization",
];

/// Endings of keys that name a secret without holding it, such as `secret_uuid`.
const HARMLESS_ENDINGS: [&str; 5] = ["_uuid", "_id", "_ref", "_type", "_method"];

/// The text with `***` in place of every secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some((key, url_password)) = next_candidate(text, at) {
        let value = if url_password { Some(key.clone()) } else { secret_value(text, &key) };
        at = key.end;
        if let Some(value) = value {
            safe.push_str(&text[copied..value.start]);
            safe.push_str(MASK);
            copied = value.end;
            at = value.end.max(key.end);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// The next key that names a secret, or (with `true`) the next password in a URL.
fn next_candidate(text: &str, from: usize) -> Option<(Range<usize>, bool)> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        if is_word(bytes[at]) {
            let end = at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
            if is_secret_key(&text[at..end]) {
                return Some((at..end, false));
            }
            at = end;
        } else if bytes[at..].starts_with(b"://") {
            if let Some(password) = url_password(text, at + 3) {
                return Some((password, true));
            }
            at += 3;
        } else {
            at += 1;
        }
    }
    None
}

/// The password of `user:password@` behind `://`.
fn url_password(text: &str, start: usize) -> Option<Range<usize>> {
    let authority = text[start..].split(['/', ' ', '"', '\'', '?', '#']).next()?;
    let (user_info, _) = authority.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':')?;
    let from = start + user.len() + 1;
    (!password.is_empty() && password != MASK).then(|| from..from + password.len())
}

/// Whether a key of that name holds a secret.
fn is_secret_key(word: &str) -> bool {
    let key: String = word.chars().map(|each| if each == '-' { '_' } else { each.to_ascii_lowercase() }).collect();
    let key = key.trim_matches('_');
    key == "token"
        || (SECRET_WORDS.iter().any(|secret| key.contains(secret))
            && !HARMLESS_ENDINGS.iter().any(|ending| key.ends_with(ending)))
}

/// The bytes of the value that belongs to a secret key; `None` when the key has no value there.
fn secret_value(text: &str, key: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = key.start.checked_sub(1).map(|index| bytes[index]);
    let option = text[..key.start].ends_with("--") || text[key.clone()].starts_with("--");
    let mut at = skip_quotes(bytes, key.end);
    let quoted_key = at > key.end;
    let blanks = skip_blanks(bytes, at);
    if let Some(value) = after_value_option(text, blanks) {
        return unless_harmless(text, value_range(text, value, None, false));
    }
    // `token` alone is also a plain word: `keystone.token: Ask for a token`.
    let plain_word = !quoted_key && text[key.clone()].eq_ignore_ascii_case("token");
    match bytes.get(blanks) {
        Some(b':') if plain_word && !long_value(&bytes[skip_blanks(bytes, blanks + 1)..]) => return None,
        Some(b':' | b'=') => at = skip_blanks(bytes, blanks + 1),
        Some(b',') if quoted_key => {
            at = skip_blanks(bytes, blanks + 1);
            if !starts_quoted(&bytes[at..]) {
                return None;
            }
        }
        Some(b'>') if before != Some(b'/') => {
            let end = text[blanks + 1..].find('<').map_or(text.len(), |length| blanks + 1 + length);
            return unless_harmless(text, blanks + 1..end);
        }
        Some(_) if option && blanks > at => at = blanks,
        _ => return None,
    }
    // `-H "X-Auth-Token: value"`: the quote before the key ends the value.
    let fence = before.filter(|byte| matches!(byte, b'"' | b'\'') && !quoted_key);
    let to_end = text[key.clone()].to_ascii_lowercase().contains("authorization");
    unless_harmless(text, value_range(text, at, fence, to_end))
}

/// The place behind `', '-v', '` or ` -v `, where `iscsiadm` has the value.
fn after_value_option(text: &str, from: usize) -> Option<usize> {
    let rest = text[from..].trim_start_matches([' ', ',', '\'', '"', '\\']);
    let rest = rest.strip_prefix("--value").or_else(|| rest.strip_prefix("-v"))?;
    let value = rest.trim_start_matches([' ', ',', '\'', '"', '\\', '=']);
    (value.len() < rest.len()).then(|| text.len() - value.len())
}

/// How far the value that begins at `at` goes.
fn value_range(text: &str, at: usize, fence: Option<u8>, to_end: bool) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut start = at;
    if bytes.get(start).is_some_and(|byte| matches!(byte, b'u' | b'b')) && starts_quoted(&bytes[start + 1..]) {
        start += 1;
    }
    let slashes = bytes[start.min(bytes.len())..].iter().take_while(|byte| **byte == b'\\').count();
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(start + slashes) {
        let inside = start + slashes + 1;
        return inside..closing_quote(bytes, inside, *quote, slashes);
    }
    if let Some(open @ (b'{' | b'[')) = bytes.get(start)
        && !text[start..].starts_with("{SHA")
    {
        return start..closing_bracket(bytes, start, *open);
    }
    let end = match fence {
        Some(fence) => bytes[start..].iter().position(|byte| *byte == fence),
        None if to_end => None,
        None => bare_end(&bytes[start.min(bytes.len())..]),
    };
    start..end.map_or(bytes.len(), |length| start + length)
}

/// Whether an unquoted value is as long as a token, or could be a body with one in it.
fn long_value(value: &[u8]) -> bool {
    value.first().is_some_and(|byte| b"{['\"".contains(byte)) || bare_end(value).unwrap_or(value.len()) >= 20
}

/// Where an unquoted value ends. The braces of `{SHA256}` at its beginning belong to it.
fn bare_end(value: &[u8]) -> Option<usize> {
    let hash =
        if value.starts_with(b"{SHA") { value.iter().position(|byte| *byte == b'}').unwrap_or(0) + 1 } else { 0 };
    value[hash..].iter().position(|byte| b" \t\r\n,\"'}])&;<".contains(byte)).map(|length| hash + length)
}

/// The place of the quote that ends a text which began behind `slashes` backslashes and a quote.
fn closing_quote(bytes: &[u8], from: usize, quote: u8, slashes: usize) -> usize {
    let mut seen = 0;
    for (index, byte) in bytes.iter().enumerate().skip(from) {
        if *byte == b'\\' {
            seen += 1;
        } else {
            if *byte == quote && seen <= slashes {
                return index - seen;
            }
            seen = 0;
        }
    }
    bytes.len()
}

/// The place behind the bracket that closes the one at `start`.
fn closing_bracket(bytes: &[u8], start: usize, open: u8) -> usize {
    let close = if open == b'{' { b'}' } else { b']' };
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate().skip(start) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return index + 1;
            }
        }
    }
    bytes.len()
}

/// The range, unless what is there is nothing, `null`, or masked already.
fn unless_harmless(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let value = &text[range.clone()];
    (!matches!(value, "" | "null" | "None" | "True" | "False" | "true" | "false" | MASK)).then_some(range)
}

/// Whether quotes (after backslashes or a `u`) begin here.
fn starts_quoted(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"u").unwrap_or(bytes);
    rest.iter().find(|byte| **byte != b'\\').is_some_and(|byte| matches!(byte, b'"' | b'\''))
}

fn skip_quotes(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count()
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_forms_are_masked() {
        let cases = [
            (r#"-H "X-Auth-Token: {SHA256}ab12" -d '{}'"#, r#"-H "X-Auth-Token: ***" -d '{}'"#),
            ("RESP: [200] X-Subject-Token: gAAAA Date: Mon", "RESP: [200] X-Subject-Token: *** Date: Mon"),
            (r#"{"adminPass": "abc", "id": 1}"#, r#"{"adminPass": "***", "id": 1}"#),
            (r#"{\"adminPass\": \"a'b\", \"id\": 1}"#, r#"{\"adminPass\": \"***\", \"id\": 1}"#),
            ("{u'auth_password': u'x\"y', u'target_lun': 1}", "{u'auth_password': u'***', u'target_lun': 1}"),
            ("('auth_password', 'abc')", "('auth_password', '***')"),
            ("-n node.session.auth.password -v abc done", "-n node.session.auth.password -v *** done"),
            ("'node.session.auth.password', '-v', 'abc')", "'node.session.auth.password', '-v', '***')"),
            ("--os-password abc volume list", "--os-password *** volume list"),
            ("rabbit://guest:abc@10.0.0.1:5672/", "rabbit://guest:***@10.0.0.1:5672/"),
            ("<adminPass>abc</adminPass> tail", "<adminPass>***</adminPass> tail"),
            ("secret_key=abc&x=1", "secret_key=***&x=1"),
            ("got token: gAAAAABdeadbeefdeadbeef at once", "got token: *** at once"),
            (r#"{"token": {"id": "abc", "x": {}}} tail"#, r#"{"token": ***} tail"#),
        ];
        for (text, masked) in cases {
            assert_eq!(redact(text), masked);
            assert_eq!(redact(masked), masked, "masking twice changes nothing");
        }
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "password authentication failed",
            "{'secret_uuid': 'abc', 'auth_method': 'CHAP', 'auth_password': None}",
            "GET http://10.0.0.1:8776/v3/volumes",
            "keystone.token: Ask keystone for a token",
            "openstack server add volume web data",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_secret_gets_out(secret in "[A-Za-z0-9+/=_.!-]{6,24}", form in 0..12_usize, before in "[ -~]{0,20}") {
            prop_assume!(!before.contains(&secret));
            let secret = format!("Zq7{secret}");
            let text = match form {
                0 => format!("{before} -H \"X-Auth-Token: {secret}\""),
                1 => format!("{before} {{\"password\": \"{secret}\"}}"),
                2 => format!("{before} {{u'auth_password': u'{secret}'}}"),
                3 => format!("{before} Authorization: Bearer {secret}"),
                4 => format!("{before} --os-password {secret} x"),
                5 => format!("{before} \\\"adminPass\\\": \\\"{secret}\\\" x"),
                6 => format!("{before} ('san_password', '{secret}') x"),
                7 => format!("{before} <password>{secret}</password>"),
                8 => format!("{before} -n node.session.auth.password -v {secret} x"),
                9 => format!("{before} X-Service-Token: {secret} x"),
                10 => format!("{before} \"token\": {{\"id\": \"{secret}\"}} x"),
                _ => format!("{before} secret={secret} x"),
            };
            prop_assert!(!redact(&text).contains(&secret), "{}", redact(&text));
        }

        #[test]
        fn any_text_can_be_masked(text in "\\PC*") {
            let once = redact(&text).into_owned();
            prop_assert!(redact(&once).len() <= once.len() + MASK.len());
        }
    }
}
