//! Terminal colours in logs: devstack's formats have them (oslo.log `ColorHandler`, devstack `lib/nova`).

/// The text without colour codes, or `None` when it has none. Lines stay lines. A code is `ESC [ ... m`, also with the escape
/// character as pagers and editors show it: `^[[00;36m`.
pub(crate) fn strip_colours(bytes: &[u8]) -> Option<Vec<u8>> {
    const ESCAPE: u8 = 0x1b;
    let mut at = memchr::memchr2(ESCAPE, b'^', bytes)?;
    let mut plain = Vec::new();
    let mut taken = 0;
    loop {
        let introducer = if bytes[at] == ESCAPE { &b"\x1b["[..] } else { b"^[[" };
        let code = bytes[at..].strip_prefix(introducer);
        let length = code.map(|code| code.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count());
        if let Some(length) = length.filter(|length| code.and_then(|code| code.get(*length)) == Some(&b'm')) {
            plain.reserve(bytes.len() - taken);
            plain.extend_from_slice(&bytes[taken..at]);
            taken = at + introducer.len() + length + 1;
        }
        match memchr::memchr2(ESCAPE, b'^', &bytes[at + 1..]) {
            Some(next) => at += 1 + next,
            None => break,
        }
    }
    if taken == 0 {
        return None;
    }
    plain.extend_from_slice(&bytes[taken..]);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go() {
        assert_eq!(strip_colours(b"plain ^ text"), None);
        assert_eq!(strip_colours(b"a\x1b[01;36mb\x1b[00m\x1b[2Kc\x1b").as_deref(), Some(&b"ab\x1b[2Kc\x1b"[..]));
        assert_eq!(strip_colours(b"a^[[01;36mb^[[mc^").as_deref(), Some(&b"abc^"[..]));
    }
}
