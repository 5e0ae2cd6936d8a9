//! Gives back the text of lines that were read before, for reports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};

use memchr::memchr_iter;

use super::open::open;
use super::unpack::{Next, unpack};
use super::{Input, InputError, Limits, Selection};
use crate::model::source::{Place, SourceId};

/// The longest text given back of one line, in bytes.
const LONGEST: usize = 64 << 10;

/// A text that was read: an input, or an entry of one that is an archive.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path for people.
    pub path: String,
    /// The number of the input that it is in.
    pub input: usize,
    /// Its place in archives: the number of the entry in the outermost one, in the archive in that entry, and so on.
    pub members: Vec<u32>,
}

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
    inputs: Vec<Input>,
    /// In the order of their numbers.
    sources: Vec<Source>,
    kept: BTreeMap<SourceId, KeptInput>,
    limits: Limits,
}

/// The texts of lines, by place, and why some are not there.
type Found = (BTreeMap<Place, String>, Vec<InputError>);

impl Excerpts {
    /// For these inputs and what was read of them.
    pub fn new(inputs: Vec<Input>, sources: Vec<Source>, kept: BTreeMap<SourceId, KeptInput>, limits: Limits) -> Self {
        Self { inputs, sources, kept, limits }
    }

    /// The text of each of these lines, without its line end; bytes that are no UTF-8 are replaced. A line of which the
    /// text cannot be had is missing in the answer, and an error says why.
    pub fn lines(&self, places: &[Place]) -> Found {
        let mut wanted: BTreeMap<usize, BTreeMap<SourceId, BTreeSet<u64>>> = BTreeMap::new();
        for place in places {
            let Some(source) = self.sources.get(place.source.0 as usize) else { continue };
            wanted.entry(source.input).or_default().entry(place.source).or_default().insert(place.line);
        }
        let mut found = Found::default();
        for (input, mut wanted) in wanted {
            wanted.retain(|id, lines| match self.kept.get(id) {
                Some(kept) => {
                    let missing =
                        if kept.cut { "only the first 64 MiB of a pipe are kept" } else { "there is no such line" };
                    self.read(*id, lines, &mut kept.bytes.as_slice(), missing, &mut found);
                    false
                }
                None => true,
            });
            if let Some(input) = self.inputs.get(input).filter(|_| !wanted.is_empty()) {
                self.read_again(input, wanted, &mut found);
            }
        }
        found
    }

    /// Reads an input again, up to the last text of which lines are wanted.
    fn read_again(&self, input: &Input, mut wanted: BTreeMap<SourceId, BTreeSet<u64>>, found: &mut Found) {
        if !input.origin.is_file() {
            let missing = "nothing is kept of this input";
            wanted.iter().for_each(|(id, lines)| found.1.extend(self.gone(*id, lines, missing)));
            return;
        }
        let stream = match open(input, &mut None) {
            Ok(stream) => stream,
            Err(error) => return found.1.push(error),
        };
        let errors = unpack(&input.path, stream, self.limits, &Selection::default(), &mut |leaf| {
            let is_it = |id: &SourceId| self.sources.get(id.0 as usize).is_some_and(|own| own.members == leaf.members);
            let Some(id) = wanted.keys().copied().find(is_it) else { return Next::Continue(()) };
            let lines = wanted.remove(&id).unwrap_or_default();
            let mut reader = BufReader::with_capacity(256 << 10, leaf.reader);
            self.read(id, &lines, &mut reader, "the file has become shorter", found);
            if wanted.is_empty() { Next::Break(()) } else { Next::Continue(()) }
        });
        for (id, lines) in &wanted {
            found.1.extend(self.gone(*id, lines, "the file has changed"));
        }
        // What was wrong with the archive was told when it was read first.
        drop(errors);
    }

    fn gone(&self, id: SourceId, lines: &BTreeSet<u64>, reason: &str) -> Option<InputError> {
        let (source, line) = (self.sources.get(id.0 as usize)?, *lines.first()?);
        Some(InputError::Gone { path: source.path.clone(), line, reason: reason.into() })
    }

    fn read(
        &self,
        id: SourceId,
        lines: &BTreeSet<u64>,
        reader: &mut dyn BufRead,
        missing: &str,
        (texts, errors): &mut Found,
    ) {
        if let Err((line, reason)) = read_lines(id, lines, reader, missing, texts) {
            errors.extend(self.gone(id, &BTreeSet::from([line]), &reason));
        }
    }
}

/// Reads these lines of a text; the first that cannot be had, and why, ends it.
fn read_lines(
    source: SourceId,
    lines: &BTreeSet<u64>,
    mut reader: &mut dyn BufRead,
    missing: &str,
    texts: &mut BTreeMap<Place, String>,
) -> Result<(), (u64, String)> {
    let mut number = 1;
    for &line in lines {
        let failed = |reason: std::io::Error| (line, reason.to_string());
        let gone = || (line, missing.to_owned());
        while number < line {
            if !skip_line(&mut reader, line - number, &mut number).map_err(failed)? {
                return Err(gone());
            }
        }
        let mut text = Vec::new();
        let length = (&mut reader).take(LONGEST as u64).read_until(b'\n', &mut text).map_err(failed)?;
        if length == 0 {
            return Err(gone());
        }
        if text.last() == Some(&b'\n') {
            number += 1;
        } else {
            skip_line(&mut reader, 1, &mut number).map_err(failed)?;
        }
        let text = String::from_utf8_lossy(&text);
        texts.insert(Place::new(source, line), text.trim_end_matches(['\n', '\r']).to_owned());
    }
    Ok(())
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
    use crate::input::find_inputs;

    fn texts(excerpts: &Excerpts, lines: &[u64]) -> (Vec<String>, usize) {
        let places: Vec<_> = lines.iter().map(|&line| Place::new(SourceId(0), line)).collect();
        let (texts, errors) = excerpts.lines(&places);
        (texts.into_values().collect(), errors.len())
    }

    #[test]
    fn lines_of_files_and_pipes() {
        let folder = Folder::new("excerpt");
        let long = "x".repeat(LONGEST + 10);
        let content = format!("one\r\ntwo\n{long}\nfour\nfive");
        let path = folder.file("a.log", content.as_bytes());
        let of = |path: String, kept: BTreeMap<SourceId, KeptInput>| {
            let source = Source { path: path.clone(), input: 0, members: Vec::new() };
            Excerpts::new(find_inputs(&[path], &Selection::default()).inputs, vec![source], kept, Limits::default())
        };
        let file = of(path, BTreeMap::new());
        let mut kept = KeptInput::default();
        kept.extend(content.as_bytes());
        let pipe = of("-".into(), BTreeMap::from([(SourceId(0), kept)]));
        for excerpts in [file, pipe] {
            assert_eq!(texts(&excerpts, &[5, 1, 2]), (vec!["one".into(), "two".into(), "five".into()], 0));
            let (found, errors) = texts(&excerpts, &[3, 4, 9]);
            assert_eq!((found[0].len(), found[1].as_str(), found.len(), errors), (LONGEST, "four", 2, 1));
        }
    }
}
