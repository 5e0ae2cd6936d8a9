//! Text helpers: escaping, suggestions, ids in text.

use std::borrow::Cow;
use std::fmt::Write as _;

use uuid::Uuid;

/// Makes log text safe for a terminal or a report: control characters (escape sequences, carriage returns, the C1 range),
/// and characters that reorder or hide text, are shown as `\u{1b}`. This is the one door through which log text goes out.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character can change what a reader sees of the text around it.
pub fn is_unsafe(character: char) -> bool {
    let bidirectional =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    character.is_control() || bidirectional || matches!(character, '\u{2028}' | '\u{2029}')
}

/// The word of the list that is most like `word`, if one is like it at all.
pub fn did_you_mean<'a>(word: &str, list: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    list.into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(word.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The id at the beginning of `text`, in the form with dashes, unless a letter, a digit or `_` follows (a user's
/// `<uuid>auto` is a name).
pub fn leading_uuid(text: &[u8]) -> Option<Uuid> {
    let id = Uuid::try_parse_ascii(text.get(..36)?).ok()?;
    match text.get(36) {
        Some(next) if next.is_ascii_alphanumeric() || *next == b'_' => None,
        _ => Some(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_get_out() {
        assert_eq!(escape("plain \u{e9}"), "plain \u{e9}");
        assert_eq!(escape("a\u{1b}[31mb\r\n\u{202e}c"), "a\\u{1b}[31mb\\u{d}\\u{a}\\u{202e}c");
    }

    #[test]
    fn near_words_are_suggested() {
        assert_eq!(did_you_mean("attch", ["detach", "attach"]), Some("attach"));
        assert_eq!(did_you_mean("zebra", ["detach", "attach"]), None);
    }

    #[test]
    fn an_id_ends_where_a_name_would_go_on() {
        assert!(leading_uuid(b"c6e212b4-13cb-4727-bb3a-772a4c2bf842/action").is_some());
        assert!(leading_uuid(b"c6e212b4-13cb-4727-bb3a-772a4c2bf842auto").is_none());
        assert!(leading_uuid(b"c6e212b4-13cb-4727").is_none());
    }
}
