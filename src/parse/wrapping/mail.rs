//! Quoted-printable (RFC 2045, 6.7), as logs in mails are: `=3D` for `=`, and lines cut with a `=` at their end.

use super::Wrapping;
use super::lines::{Lines, Names};

/// Quoted-printable text.
pub(super) struct QuotedPrintable;

/// The longest line that there may be, and some for those who count otherwise.
const LONGEST: usize = 80;

/// Recognises text with cut lines and escapes.
pub(super) fn recognise(sample: &Lines) -> Option<QuotedPrintable> {
    let (mut all, mut cut, mut escapes) = (0_usize, 0, 0);
    for (_, line) in sample.iter() {
        let line = line.trim_ascii_end();
        if line.len() > LONGEST {
            return None;
        }
        all += usize::from(!line.is_empty());
        cut += usize::from(line.ends_with(b"="));
        escapes += memchr::memmem::find_iter(line, b"=3D").count();
    }
    let is_it = cut * 10 > all && (escapes > 0 || cut > 10);
    is_it.then_some(QuotedPrintable)
}

impl Wrapping for QuotedPrintable {
    fn name(&self) -> &'static str {
        "quoted-printable"
    }

    fn unwrap(&self, wrapped: &Lines, _names: &mut Names) -> Lines {
        let mut lines = Lines::default();
        let mut is_open = false;
        for (origin, line) in wrapped.iter() {
            let line = line.trim_ascii_end();
            let (line, is_cut) = line.strip_suffix(b"=").map_or((line, false), |line| (line, true));
            let text = decoded(line);
            if std::mem::replace(&mut is_open, is_cut) {
                lines.extend_last(&text);
            } else {
                lines.push(origin, &text);
            }
        }
        lines
    }
}

/// What is no escape stays as it is. A line stays one line.
fn decoded(line: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| byte == b'=').and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|byte| *byte != b'\n') {
            Some(byte) => {
                text.push(byte);
                rest = &after[2..];
            }
            None => {
                text.push(byte);
                rest = after;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_lines_are_joined() {
        let sample = Lines::of_text(b"REQ: curl a=3Db c=\n d=C3=A9=\n e\nnext =zz\n", 1);
        assert!(recognise(&sample).is_some());
        let lines = QuotedPrintable.unwrap(&sample, &mut Names::default());
        let found: Vec<_> = lines.iter().map(|(origin, line)| (origin.number, line.to_vec())).collect();
        assert_eq!(found, [(1, "REQ: curl a=b c d\u{e9} e".into()), (4, b"next =zz".to_vec())]);
        assert!(recognise(&Lines::of_text(b"a=b\nc==\n", 1)).is_none());
    }
}
