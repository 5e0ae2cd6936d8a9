//! Reads the inputs one after the other, tells the layout of each text in them, and hands on its pieces.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::input::open::{binary_kind, open};
use crate::input::unpack::{Leaf, Next, unpack};
use crate::input::{Chunk, ChunkReader, Input, InputError, KeptInput, Origin, Source};
use crate::model::source::SourceId;

use super::layout::Layout;
use super::read::Options;
use super::rotation;
use super::sniff::sniff;

/// How much of an input is looked at to tell its layout.
const SNIFFED: usize = 64 << 10;

/// The remark about a text without log records.
const NO_RECORDS: &str = "no OpenStack log records recognised";

/// The remark about an input without a byte.
const EMPTY: &str = "empty file";

/// A piece with what is needed to parse it.
pub(super) struct Piece {
    pub(super) chunk: Chunk,
    pub(super) layout: Option<Arc<Layout>>,
}

/// What is known of a text apart from its records.
#[derive(Clone, Default)]
pub(super) struct Note {
    pub(super) layout: Option<Arc<Layout>>,
    pub(super) remark: Option<String>,
}

/// The beginning and the end of a file that may be one of a rotated log: what stands before its first record, and its last
/// record. Rotation may have cut either.
#[derive(Default)]
pub(super) struct Edges {
    pub(super) head: Option<Chunk>,
    pub(super) tail: Option<Chunk>,
}

/// What the inputs turned out to hold.
#[derive(Default)]
pub(super) struct Fed {
    /// The files, in the order of their numbers.
    pub(super) sources: Vec<Source>,
    /// One for each file.
    pub(super) notes: Vec<Note>,
    /// One for each file.
    pub(super) edges: Vec<Edges>,
    /// What cannot be read again.
    pub(super) kept: BTreeMap<SourceId, KeptInput>,
    pub(super) errors: Vec<InputError>,
}

/// Reads pieces from one input after the other.
pub(super) struct Feeder<'a> {
    inputs: &'a [Input],
    options: &'a Options,
    pieces: SyncSender<Piece>,
    fed: Fed,
}

impl<'a> Feeder<'a> {
    pub(super) fn new(inputs: &'a [Input], options: &'a Options, pieces: SyncSender<Piece>) -> Self {
        Self { inputs, options, pieces, fed: Fed::default() }
    }

    /// Reads everything.
    pub(super) fn feed(mut self, stdin: &mut (dyn Read + Send)) -> Fed {
        let mut stdin = Some(stdin);
        for (number, input) in self.inputs.iter().enumerate() {
            if let Origin::Skipped(remark) = &input.origin {
                self.add(number, input.path.clone(), Vec::new(), Note { layout: None, remark: Some(remark.clone()) });
                continue;
            }
            match open(input, &mut stdin) {
                Ok(stream) => {
                    let errors =
                        unpack(&input.path, stream, self.options.limits, &self.options.selection, &mut |leaf| {
                            self.take(number, input, leaf)
                        });
                    self.fed.errors.extend(errors);
                }
                Err(error) => self.fed.errors.push(error),
            }
        }
        self.fed
    }

    fn add(&mut self, input: usize, path: String, members: Vec<u32>, note: Note) -> SourceId {
        let id = SourceId(u32::try_from(self.fed.sources.len()).unwrap_or(u32::MAX));
        self.fed.sources.push(Source { path, input, members });
        self.fed.notes.push(note);
        self.fed.edges.push(Edges::default());
        id
    }

    /// Hands on the pieces of a text.
    fn take(&mut self, number: usize, input: &Input, leaf: Leaf<'_>) -> Next {
        let (path, members) = (leaf.path.clone(), leaf.members.clone());
        if let Some(remark) = leaf.remark {
            self.add(number, path, members, Note { layout: None, remark: Some(remark.to_owned()) });
            return Next::Continue(());
        }
        let is_named = input.is_named && members.is_empty();
        let id = self.add(number, path.clone(), members, Note::default());
        let mut reader = ChunkReader::new(id, leaf);
        let layout = match look(&mut reader, self.options.limits.chunk_bytes) {
            Ok(layout) => layout.map(Arc::new),
            Err(kind) => {
                if is_named {
                    self.fed.errors.push(InputError::Binary { path, kind });
                }
                return self.remark(id, kind);
            }
        };
        let remark = match (&layout, reader.peek(1).is_empty()) {
            (None, true) if !reader.has_failed() => Some(EMPTY),
            (None, false) => Some(NO_RECORDS),
            _ => None,
        };
        if let Some(note) = self.fed.notes.last_mut() {
            *note = Note { layout: layout.clone(), remark: remark.map(str::to_owned) };
        }
        let is_kept = !input.origin.is_file();
        if is_kept {
            self.fed.kept.insert(id, KeptInput::default());
        }
        // A line that stands twice in a row stays in one piece, where that is seen.
        let begins =
            |line: &[u8], before: &[u8]| layout.as_ref().is_none_or(|layout| line != before && layout.begins(line));
        let may_be_cut = rotation::of_path(&path).is_some();
        let begins_record = |line: &[u8], before: &[u8]| layout.is_some() && begins(line, before);
        let mut last: Option<Chunk> = None;
        while let Some(next) = reader.next_chunk(&begins) {
            let mut chunk = match next {
                Ok(chunk) => chunk,
                Err(error) => {
                    self.fed.errors.push(error);
                    continue;
                }
            };
            if is_kept {
                self.fed.kept.entry(id).or_default().extend(&chunk.bytes);
            }
            if may_be_cut && chunk.first_line == 1 {
                let (head, rest) = chunk.split_at_first(&begins_record);
                self.edges(id).head = head;
                chunk = rest;
            }
            let complete = if may_be_cut { last.replace(chunk) } else { Some(chunk) };
            if complete.is_some_and(|chunk| self.pieces.send(Piece { chunk, layout: layout.clone() }).is_err()) {
                return Next::Break(());
            }
        }
        if let Some(chunk) = last {
            let (before, tail) = chunk.split_at_last(&begins_record);
            self.edges(id).tail = tail;
            if self.pieces.send(Piece { chunk: before, layout }).is_err() {
                return Next::Break(());
            }
        }
        Next::Continue(())
    }

    fn edges(&mut self, id: SourceId) -> &mut Edges {
        &mut self.fed.edges[id.0 as usize]
    }

    fn remark(&mut self, id: SourceId, remark: &str) -> Next {
        if let Some(note) = self.fed.notes.get_mut(id.0 as usize) {
            note.remark = Some(remark.to_owned());
        }
        Next::Continue(())
    }
}

/// The layout of a text, if it is one of a log. A text may hold zero bytes, as after a machine went down.
///
/// # Errors
///
/// What it is when it is no text.
fn look(reader: &mut ChunkReader<'_>, chunk_bytes: usize) -> Result<Option<Layout>, &'static str> {
    let kind = binary_kind(reader.peek(SNIFFED));
    let layout = sniff(reader.peek(SNIFFED)).or_else(|| sniff(reader.peek(chunk_bytes)));
    match (kind, layout) {
        (Some(kind), None) => Err(kind),
        (_, layout) => Ok(layout),
    }
}
