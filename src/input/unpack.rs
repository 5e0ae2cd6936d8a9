//! Looks into compressed files and archives, whatever stands inside what, and hands on the texts in them as streams. Nothing is
//! written to disk.

use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use tar::{Archive, EntryType};

use super::decode::Compression;
use super::limits::{Budget, Limits};
use super::{InputError, Selection};

/// The length of a tar header.
const BLOCK: usize = 512;

/// What was found in an input that is neither compressed nor an archive.
pub(crate) struct Leaf<'a> {
    /// Its path for people: that of the input, and behind it, with `/` between, those of the archives' entries.
    pub(crate) path: String,
    /// Its place: the number of the entry in the outermost archive, in the archive in that entry, and so on. Empty when the
    /// input is no archive.
    pub(crate) members: Vec<u32>,
    /// Why it is not read, when it is not.
    pub(crate) remark: Option<&'static str>,
    pub(crate) reader: Box<dyn Read + 'a>,
    pub(super) budget: Rc<Budget>,
}

/// Whether to look further.
pub(crate) type Next = ControlFlow<()>;

/// Finds the leaves of one input.
pub(crate) struct Unpacker<'v> {
    budget: Rc<Budget>,
    selection: &'v Selection,
    visit: &'v mut dyn FnMut(Leaf<'_>) -> Next,
    errors: Vec<InputError>,
}

/// Hands on everything selected in an input that is neither compressed nor an archive, in its order, until `visit` says to stop. What
/// is wrong with the archives comes back; an archive that is damaged, or beyond a limit, is not read further.
pub(crate) fn unpack(
    path: &str,
    stream: Box<dyn Read + '_>,
    limits: Limits,
    selection: &Selection,
    visit: &mut dyn FnMut(Leaf<'_>) -> Next,
) -> Vec<InputError> {
    let budget = Rc::new(Budget::new(limits));
    let mut unpacker = Unpacker { budget, selection, visit, errors: Vec::new() };
    let _ = unpacker.look(path, &[], stream, 0);
    unpacker.errors
}

impl Unpacker<'_> {
    fn look(&mut self, path: &str, members: &[u32], mut stream: Box<dyn Read + '_>, depth: usize) -> Next {
        let mut head = Vec::with_capacity(BLOCK);
        if let Err(reason) = stream.by_ref().take(BLOCK as u64).read_to_end(&mut head) {
            // What came before counts; whoever reads on is told.
            stream = Box::new(Failing(Some(reason)));
        }
        let compression = Compression::of(&head);
        let is_archive = compression.is_none() && is_tar(&head);
        let whole = Box::new(Cursor::new(head).chain(stream));
        if compression.is_none() && !is_archive {
            let budget = Rc::clone(&self.budget);
            let (path, members) = (path.to_owned(), members.to_vec());
            return (self.visit)(Leaf { path, members, remark: None, reader: whole, budget });
        }
        let limit = self.budget.limits.nesting;
        if depth == limit {
            self.errors.push(InputError::NestedTooDeep { path: path.to_owned(), limit });
            return Next::Continue(());
        }
        match compression {
            Some(compression) => {
                let decoded = compression.decode(whole, Rc::clone(&self.budget));
                self.look(path, members, decoded, depth + 1)
            }
            None => self.look_into(path, members, whole, depth + 1),
        }
    }

    fn look_into(&mut self, path: &str, members: &[u32], stream: Box<dyn Read + '_>, depth: usize) -> Next {
        let mut archive = Archive::new(stream);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(reason) => return self.damaged(path, reason),
        };
        for (number, entry) in (0_u32..).zip(entries) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(reason) => return self.damaged(path, reason),
            };
            if !self.budget.count_member() {
                let limit = self.budget.limits.members;
                self.errors.push(InputError::TooManyMembers { path: path.to_owned(), limit });
                return Next::Continue(());
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let name = name.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
            let is_hidden = name.split('/').any(|part| part.starts_with('.') && part != "." && part != "..");
            let remark = match entry.header().entry_type() {
                EntryType::Directory => continue,
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if is_hidden => {
                    Some("hidden, not read; unpack the archive and name it to read it")
                }
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => self.selection.remark(name),
                EntryType::Link | EntryType::Symlink => Some("a link in an archive, not followed"),
                _ => Some("a pipe or device in an archive, not read"),
            };
            let path = format!("{path}/{name}");
            let members: Vec<u32> = members.iter().copied().chain([number]).collect();
            let next = match remark {
                None => self.look(&path, &members, Box::new(entry), depth),
                Some(_) => {
                    let budget = Rc::clone(&self.budget);
                    (self.visit)(Leaf { path, members, remark, reader: Box::new(io::empty()), budget })
                }
            };
            next?;
            if self.budget.is_spent() {
                break;
            }
        }
        Next::Continue(())
    }

    fn damaged(&mut self, path: &str, reason: io::Error) -> Next {
        // A limit that was hit in an entry has been told with it.
        let is_told = self.budget.is_spent() && !self.errors.is_empty();
        let error = InputError::of_archive(path.to_owned(), reason, &self.budget);
        self.errors.extend((!is_told).then_some(error));
        Next::Continue(())
    }
}

/// Fails with this, and is at its end then.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Whether this is the header of a tar archive's first entry (POSIX ustar and GNU by their magic, the older form by its
/// checksum).
fn is_tar(head: &[u8]) -> bool {
    if head.len() < BLOCK || head[0] == 0 {
        return false;
    }
    let stored = head[148..156].iter().skip_while(|byte| **byte == b' ');
    let digits: Vec<u8> = stored.copied().take_while(u8::is_ascii_digit).collect();
    let octal = std::str::from_utf8(&digits).ok().and_then(|digits| u32::from_str_radix(digits, 8).ok());
    let sum: u32 =
        head.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    octal == Some(sum)
}
