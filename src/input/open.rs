//! Opens an input, and tells what is no text.

use std::fs::File;
use std::io::{self, Read};

use super::{Input, InputError, Origin};

/// Opens an input. Standard input is taken from `stdin`, which is gone after the first call that needs it.
///
/// # Errors
///
/// When the file cannot be opened.
pub(crate) fn open<'a>(
    input: &Input,
    stdin: &mut Option<&'a mut (dyn Read + Send)>,
) -> Result<Box<dyn Read + 'a>, InputError> {
    match &input.origin {
        Origin::File(path) | Origin::Stream(path) => match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(reason) => Err(InputError::Open { path: input.path.clone(), reason }),
        },
        Origin::StandardInput => Ok(Box::new(stdin.take().ok_or(InputError::StandardInputTwice)?)),
        Origin::Skipped(_) => Ok(Box::new(io::empty())),
    }
}

/// What the first bytes of an input show it to be, when that is no text.
pub(crate) fn binary_kind(head: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &'static str); 4] = [
        (b"PK\x03\x04", "zip archive; not read, unpack it first"),
        (b"LPKSHHRH", "binary journal; not read, export it first (journalctl --file FILE -o short-precise)"),
        (b"\xff\xfe", "UTF-16 text; not read, convert it first (iconv -f UTF-16 -t UTF-8 FILE | flowcheck -)"),
        (b"\xfe\xff", "UTF-16 text; not read, convert it first (iconv -f UTF-16 -t UTF-8 FILE | flowcheck -)"),
    ];
    let found = known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    found.or_else(|| memchr::memchr(0, &head[..head.len().min(8 << 10)]).map(|_| "binary file, not read"))
}
