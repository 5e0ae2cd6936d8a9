//! Messages that the vocabulary knows.

use memchr::memmem;

use crate::base::text::leading_uuid;
use crate::model::event::EventKind;
use crate::model::vocabulary::{MessageId, MessageRule, PlaceholderKind, Vocabulary};
use crate::parse::record::Record;
use crate::parse::scan::{is_component_prefix, lossy};
use crate::parse::secrets::redact;

/// The rules for one logger, those of one first byte together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// By the first byte of the message; sorted.
    by_first: Vec<(u8, u32)>,
    /// Rules that begin with a placeholder.
    any_first: Vec<u32>,
}

/// All message rules.
pub(crate) struct Messages<'v> {
    rules: &'v [MessageRule],
}

impl<'v> Messages<'v> {
    pub(crate) fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { rules: &vocabulary.messages }
    }

    /// The rules that a logger's messages can fit.
    pub(crate) fn rules(&self, logger: &[u8]) -> Rules {
        let mut rules = Rules::default();
        for (index, rule) in (0_u32..).zip(self.rules) {
            if !is_component_prefix(rule.logger.as_bytes(), logger) {
                continue;
            }
            match rule.literals.first().and_then(|literal| literal.bytes().next()) {
                Some(first) => rules.by_first.push((first, index)),
                None => rules.any_first.push(index),
            }
        }
        rules.by_first.sort_unstable();
        rules
    }

    /// Emits an event for every rule that fits.
    pub(super) fn extract(&self, rules: &Rules, record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
        let Some(&first) = record.message.first() else { return };
        let from = rules.by_first.partition_point(|(byte, _)| *byte < first);
        let same = rules.by_first[from..].iter().take_while(|(byte, _)| *byte == first).map(|(_, index)| *index);
        for index in same.chain(rules.any_first.iter().copied()) {
            let Some(rule) = self.rules.get(index as usize) else { continue };
            if !rule.literals.first().is_some_and(|literal| record.message.starts_with(literal.as_bytes())) {
                continue;
            }
            let mut captures = Vec::with_capacity(rule.placeholders.len());
            if fits(rule, record.text(), &mut captures) {
                let captures = captures.into_iter().map(|capture| redact(&lossy(capture)).into_owned()).collect();
                emit(EventKind::Message { message: MessageId(index), captures });
            }
        }
    }
}

/// Whether a text fits a rule; `captures` then holds what stands at the placeholders.
fn fits<'t>(rule: &MessageRule, text: &'t [u8], captures: &mut Vec<&'t [u8]>) -> bool {
    let Some((first, literals)) = rule.literals.split_first() else { return false };
    let kinds: Vec<_> = rule.placeholders.iter().map(|placeholder| placeholder.kind).collect();
    match text.strip_prefix(first.as_bytes()) {
        Some(rest) => fits_rest(literals, &kinds, rest, captures),
        None => false,
    }
}

fn fits_rest<'t>(literals: &[String], kinds: &[PlaceholderKind], text: &'t [u8], captures: &mut Vec<&'t [u8]>) -> bool {
    let (Some((literal, literals)), Some((kind, kinds))) = (literals.split_first(), kinds.split_first()) else {
        return true;
    };
    let literal = literal.as_bytes();
    let mut fits_with = |length: usize| {
        let Some(rest) = text[length..].strip_prefix(literal) else { return false };
        captures.push(&text[..length]);
        fits_rest(literals, kinds, rest, captures) || {
            captures.pop();
            false
        }
    };
    match kind {
        PlaceholderKind::Id => leading_uuid(text).is_some() && fits_with(36),
        PlaceholderKind::Word => {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            let length = text.iter().take_while(|byte| is_word(byte)).count();
            length > 0 && fits_with(length)
        }
        PlaceholderKind::Text if literal.is_empty() => fits_with(text.len()),
        PlaceholderKind::Text => memmem::find_iter(text, literal).any(&mut fits_with),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Level;
    use crate::model::vocabulary::Placeholder;

    fn rule(pattern: &str) -> MessageRule {
        let mut rule = MessageRule {
            literals: vec![String::new()],
            placeholders: vec![],
            logger: String::new(),
            level: Level::Info,
        };
        for part in pattern.split_inclusive(['{', '}']) {
            if let Some(name) = part.strip_suffix('}') {
                let kind = match name {
                    "id" => PlaceholderKind::Id,
                    "word" => PlaceholderKind::Word,
                    _ => PlaceholderKind::Text,
                };
                rule.placeholders.push(Placeholder { name: name.to_owned(), kind });
                rule.literals.push(String::new());
            } else if let Some(last) = rule.literals.last_mut() {
                last.push_str(part.trim_end_matches('{'));
            }
        }
        rule
    }

    #[test]
    fn placeholders() {
        const ID: &str = "a35460fb-68b5-431e-9de2-ce2f8fe773d6";
        let cases = [
            (
                "Attaching volume {id} to {text}",
                format!("Attaching volume {ID} to /dev/sdb"),
                Some(vec![ID, "/dev/sdb"]),
            ),
            ("Detach completed", "Detach completed successfully.".to_owned(), Some(vec![])),
            ("Status is {word}.", "Status is in-use.".to_owned(), Some(vec!["in-use"])),
            ("a {text} b {text} c", "a x b y b z c".to_owned(), Some(vec!["x", "y b z"])),
            ("{id} gone", format!("{ID} gone"), Some(vec![ID])),
            ("{id} gone", format!("{ID}auto gone"), None),
            ("Attaching volume {id} to", "Attaching volume 7 to".to_owned(), None),
        ];
        for (pattern, text, expected) in &cases {
            let mut captures = Vec::new();
            let found = fits(&rule(pattern), text.as_bytes(), &mut captures).then_some(captures);
            let expected = expected.as_ref().map(|parts| parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
