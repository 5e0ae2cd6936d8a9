//! Keeps passwords, tokens and CHAP secrets out of events.

use std::borrow::Cow;

/// What stands in for a secret.
pub(crate) const MASK: &str = "***";

const WORDS: [&str; 4] = ["password", "secret", "token", "passwd"];

/// Whether a word names a secret, such as `--os-password` or `auth_token`.
pub(crate) fn names_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    WORDS.iter().any(|secret| word.contains(secret))
}

/// The text with the values of keys that name secrets masked: `'auth_password': u'x'`, `"secret": "x"`, `token=x`.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let mut masked = String::new();
    let mut taken = 0;
    while let Some(start) = WORDS.iter().filter_map(|word| Some(taken + lower[taken..].find(word)? + word.len())).min()
    {
        let key_end =
            start + lower[start..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let value = value_after(&text[key_end..]).map(|(from, to)| (key_end + from, key_end + to));
        let (from, to) = value.unwrap_or((key_end, key_end));
        masked.push_str(&text[taken..from]);
        if value.is_some() {
            masked.push_str(MASK);
        }
        taken = to;
    }
    if masked.is_empty() {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[taken..]);
    Cow::Owned(masked)
}

/// The range of the value in `': u'value'`, `": "value"` or `=value`.
fn value_after(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'\'' | b'"')));
    if !matches!(bytes.get(at), Some(b':' | b'=')) {
        return None;
    }
    at += 1;
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    let prefix =
        usize::from(matches!(bytes.get(at), Some(b'u' | b'b')) && matches!(bytes.get(at + 1), Some(b'\'' | b'"')));
    at += prefix;
    let length = match bytes.get(at) {
        Some(quote @ (b'\'' | b'"')) => {
            at += 1;
            let mut length = 0;
            while let Some(byte) = bytes.get(at + length) {
                match byte {
                    b'\\' => length += 2,
                    byte if byte == quote => break,
                    _ => length += 1,
                }
            }
            length.min(bytes.len() - at)
        }
        _ => bytes[at.min(bytes.len())..]
            .iter()
            .take_while(|byte| !matches!(byte, b' ' | b',' | b'}' | b')' | b'&' | b'"' | b'\''))
            .count(),
    };
    // A cut in the middle of a character cannot be: the value ends at an ASCII byte, at the end, or is widened to it.
    let mut end = at + length;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (length > 0).then_some((at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_keys_are_masked() {
        let cases = [
            ("{'auth_password': u'labsecret', 'a': 1}", "{'auth_password': u'***', 'a': 1}"),
            ("\"auth_password\": \"l\\\"ab\", \"x\"", "\"auth_password\": \"***\", \"x\""),
            ("token=abc&x=1 password=", "token=***&x=1 password="),
            ("the token has expired", "the token has expired"),
            ("password: 'é", "password: '***"),
            ("nothing", "nothing"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
        }
    }
}
