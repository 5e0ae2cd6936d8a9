//! Gives back the text of lines that were read before, for reports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use memchr::memchr_iter;

use super::open::open_source;
use super::{InputError, Origin, Source};
use crate::model::source::{Place, SourceId};

/// The longest text given back of one line, in bytes.
const LONGEST: usize = 64 << 10;

/// A copy of what came from an input that cannot be opened again, up to a cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptInput {
    bytes: Vec<u8>,
    cut: bool,
}

impl KeptInput {
    /// How much is kept of one such input.
    pub const CAP: usize = 64 << 20;

    /// Keeps more of it.
    pub fn extend(&mut self, bytes: &[u8]) {
        let room = Self::CAP.saturating_sub(self.bytes.len());
        self.cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Finds lines again. Files are opened again and read up to the last line wanted.
#[derive(Debug, Default)]
pub struct Excerpts {
    sources: Vec<Source>,
    kept: BTreeMap<SourceId, KeptInput>,
}

impl Excerpts {
    /// For these inputs, in the order of their numbers.
    pub fn new(sources: Vec<Source>, kept: BTreeMap<SourceId, KeptInput>) -> Self {
        Self { sources, kept }
    }

    /// The text of each of these lines, without its line end; bytes that are no UTF-8 are replaced. A line of which the
    /// text cannot be had is missing in the answer, and an error says why.
    pub fn lines(&self, places: &[Place]) -> (BTreeMap<Place, String>, Vec<InputError>) {
        let mut wanted: BTreeMap<SourceId, BTreeSet<u64>> = BTreeMap::new();
        for place in places {
            wanted.entry(place.source).or_default().insert(place.line);
        }
        let (mut texts, mut errors) = (BTreeMap::new(), Vec::new());
        for (id, lines) in wanted {
            let Some(source) = self.sources.get(id.0 as usize) else { continue };
            if let Err(error) = self.lines_of(source, &lines, &mut texts) {
                errors.push(error);
            }
        }
        (texts, errors)
    }

    fn lines_of(
        &self,
        source: &Source,
        lines: &BTreeSet<u64>,
        texts: &mut BTreeMap<Place, String>,
    ) -> Result<(), InputError> {
        let gone =
            |line: u64, reason: &str| InputError::Gone { path: source.path.clone(), line, reason: reason.into() };
        let first = lines.first().copied().unwrap_or(1);
        let (mut reader, missing): (Box<dyn BufRead + '_>, &str) = match self.kept.get(&source.id) {
            Some(kept) if kept.cut => (Box::new(kept.bytes.as_slice()), "only the first 64 MiB of a pipe are kept"),
            Some(kept) => (Box::new(kept.bytes.as_slice()), "there is no such line"),
            None => {
                if !matches!(source.origin, Origin::File(_)) {
                    return Err(gone(first, "nothing is kept of this input"));
                }
                let opened = open_source(source, &mut None)?;
                (Box::new(BufReader::with_capacity(256 << 10, opened)), "the file has become shorter")
            }
        };
        let mut number = 1;
        for &line in lines {
            let failed = |reason: std::io::Error| gone(line, &reason.to_string());
            while number < line {
                if !skip_line(&mut reader, line - number, &mut number).map_err(failed)? {
                    return Err(gone(line, missing));
                }
            }
            let mut text = Vec::new();
            let length = reader.by_ref().take(LONGEST as u64).read_until(b'\n', &mut text).map_err(failed)?;
            if length == 0 {
                return Err(gone(line, missing));
            }
            if text.last() == Some(&b'\n') {
                number += 1;
            } else {
                skip_line(&mut reader, 1, &mut number).map_err(failed)?;
            }
            let text = String::from_utf8_lossy(&text);
            texts.insert(Place { source: source.id, line }, text.trim_end_matches(['\n', '\r']).to_owned());
        }
        Ok(())
    }
}

/// Goes forward by up to `count` lines within what is buffered; `false` at the end of the input.
fn skip_line(reader: &mut dyn BufRead, count: u64, number: &mut u64) -> std::io::Result<bool> {
    let buffered = reader.fill_buf()?;
    if buffered.is_empty() {
        return Ok(false);
    }
    let nth = usize::try_from(count - 1).unwrap_or(usize::MAX);
    let used = match memchr_iter(b'\n', buffered).nth(nth) {
        Some(end) => {
            *number += count;
            end + 1
        }
        None => {
            *number += memchr_iter(b'\n', buffered).count() as u64;
            buffered.len()
        }
    };
    reader.consume(used);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::find::tests::Folder;
    use crate::input::find_sources;

    fn texts(excerpts: &Excerpts, lines: &[u64]) -> (Vec<String>, usize) {
        let places: Vec<_> = lines.iter().map(|&line| Place { source: SourceId(0), line }).collect();
        let (texts, errors) = excerpts.lines(&places);
        (texts.into_values().collect(), errors.len())
    }

    #[test]
    fn lines_of_files_and_pipes() {
        let folder = Folder::new("excerpt");
        let long = "x".repeat(LONGEST + 10);
        let content = format!("one\r\ntwo\n{long}\nfour\nfive");
        let path = folder.file("a.log", content.as_bytes());
        let file = Excerpts::new(find_sources(&[path]).sources, BTreeMap::new());
        let mut kept = KeptInput::default();
        kept.extend(content.as_bytes());
        let pipe = Excerpts::new(find_sources(&["-".into()]).sources, BTreeMap::from([(SourceId(0), kept)]));
        for excerpts in [file, pipe] {
            assert_eq!(texts(&excerpts, &[5, 1, 2]), (vec!["one".into(), "two".into(), "five".into()], 0));
            let (found, errors) = texts(&excerpts, &[3, 4, 9]);
            assert_eq!((found[0].len(), found[1].as_str(), found.len(), errors), (LONGEST, "four", 2, 1));
        }
    }
}
