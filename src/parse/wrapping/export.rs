//! `journalctl -o export` (systemd "Journal Export Formats"): a block of `FIELD=value` lines for each entry, a blank line behind
//! it. A value that is more than one line of text stands behind the field's name and its length in eight bytes.

use super::Wrapping;
use super::lines::{Lines, Names, Origin};
use crate::base::time::Timestamp;
use crate::parse::scan;

/// Blocks of fields.
pub(super) struct Export;

const CURSOR: &[u8] = b"__CURSOR=";
const TIME: &[u8] = b"__REALTIME_TIMESTAMP=";

/// Recognises a text that has entries.
pub(super) fn recognise(sample: &Lines) -> Option<Export> {
    let has = |field: &[u8]| sample.iter().any(|(_, line)| line.starts_with(field));
    (has(CURSOR) && has(TIME)).then_some(Export)
}

/// A value of which the bytes still come.
struct Binary {
    is_message: bool,
    /// Nothing before the first line of it.
    bytes: Option<Vec<u8>>,
}

impl Binary {
    fn extend(&mut self, line: &[u8]) {
        match &mut self.bytes {
            Some(bytes) => {
                bytes.push(b'\n');
                bytes.extend_from_slice(line);
            }
            None => self.bytes = Some(line.to_vec()),
        }
    }

    /// The value, when all of its bytes are there.
    fn value(&self) -> Option<&[u8]> {
        let (length, rest) = self.bytes.as_ref()?.split_at_checked(8)?;
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).unwrap_or(usize::MAX);
        rest.get(..length)
    }
}

impl Wrapping for Export {
    fn name(&self) -> &'static str {
        "journal-export"
    }

    fn begins(&self, line: &[u8]) -> Option<bool> {
        Some(line.starts_with(CURSOR))
    }

    fn unwrap(&self, wrapped: &Lines, names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        let mut entry = Origin::default();
        let mut message: Option<(u64, Vec<u8>)> = None;
        let mut binary: Option<Binary> = None;
        let finish = |lines: &mut Lines, entry: &mut Origin, message: &mut Option<(u64, Vec<u8>)>| {
            let whole = std::mem::take(entry);
            if let Some((number, text)) = message.take() {
                lines.push(Origin { number, is_zoned: true, ..whole }, &text);
            }
        };
        for (origin, line) in wrapped.iter() {
            if let Some(mut open) = binary.take() {
                open.extend(line);
                match open.value() {
                    Some(value) if open.is_message => message = Some((origin.number, value.to_vec())),
                    Some(_) => {}
                    None => binary = Some(open),
                }
                continue;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(CURSOR) {
                finish(&mut lines, &mut entry, &mut message);
                continue;
            }
            let length = line.iter().take_while(|byte| is_field_byte(**byte)).count();
            let (field, rest) = line.split_at(length);
            let value = match rest.strip_prefix(b"=") {
                Some(value) if length > 0 => value,
                None if rest.is_empty() => {
                    binary = Some(Binary { is_message: field == b"MESSAGE", bytes: None });
                    continue;
                }
                _ => {
                    lines.push(origin, line);
                    continue;
                }
            };
            match field {
                b"MESSAGE" => message = Some((origin.number, value.to_vec())),
                b"__REALTIME_TIMESTAMP" if entry.time.is_none() => entry.time = microseconds(value),
                b"_SOURCE_REALTIME_TIMESTAMP" => entry.time = microseconds(value).or(entry.time),
                b"_HOSTNAME" => entry.host = names.of(value),
                b"_PID" => entry.process = scan::number(value).and_then(|id| u32::try_from(id).ok()).unwrap_or(0),
                b"SYSLOG_IDENTIFIER" => entry.program = names.of(value),
                _ => {}
            }
        }
        finish(&mut lines, &mut entry, &mut message);
        lines
    }
}

/// Whether a field's name may have this byte.
fn is_field_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'
}

fn microseconds(value: &[u8]) -> Option<Timestamp> {
    scan::number(value).and_then(|micros| i64::try_from(micros).ok()).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes() {
        let mut text =
            b"__CURSOR=a\n__REALTIME_TIMESTAMP=1795334659281456\n_PID=7\n_HOSTNAME=vm\nMESSAGE=one=1\n\n".to_vec();
        text.extend_from_slice(
            b"__CURSOR=b\n__REALTIME_TIMESTAMP=1795334659281457\nOTHER\n\x0a\0\0\0\0\0\0\0ten bytes.\nMESSAGE\n",
        );
        text.extend_from_slice(b"\x0b\0\0\0\0\0\0\0two\nlines =\n_PID=8\n\n-- no field --\n");
        let sample = Lines::of_text(&text, 1);
        assert!(recognise(&sample).is_some());
        let mut names = Names::default();
        let lines = Export.unwrap(&sample, &mut names);
        let found: Vec<_> = lines.iter().map(|(origin, line)| (origin.process, line.to_vec())).collect();
        let expected = [(7, &b"one=1"[..]), (8, b"two"), (8, b"lines ="), (0, b"-- no field --")];
        assert_eq!(found, expected.map(|(process, line)| (process, line.to_vec())));
        let (first, _) = lines.iter().next().expect("a line");
        assert_eq!(
            (first.number, first.time, names.text(first.host)),
            (5, Some(Timestamp(1_795_334_659_281_456)), &b"vm"[..])
        );
    }
}
