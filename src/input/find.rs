//! From the paths on the command line to the inputs to read.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{InputError, Selection};

/// Where the bytes of an [`Input`] come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A regular file, which can be opened again.
    File(PathBuf),
    /// A pipe or a device: can be read once.
    Stream(PathBuf),
    /// Standard input: can be read once.
    StandardInput,
    /// Not to be read, and why.
    Skipped(String),
}

impl Origin {
    /// Whether it can be read again.
    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

/// One input: a log, perhaps compressed, or an archive of logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its path for people: as given, with `/` between folder and file.
    pub path: String,
    /// Where its bytes are.
    pub origin: Origin,
    /// Whether it was given by its name, and not found in a folder.
    pub is_named: bool,
}

/// All inputs, and the paths that gave none.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the paths; the entries of a folder sorted by name.
    pub inputs: Vec<Input>,
    /// One for each path that cannot be opened.
    pub errors: Vec<InputError>,
    /// Files already taken, by their canonical path.
    seen: HashMap<PathBuf, String>,
    selection: Selection,
}

/// Finds the inputs behind paths: files, folders (walked recursively), `-` for standard input. Nothing is left out in
/// silence: what is not read becomes an input with the reason, or an error.
pub fn find_inputs(paths: &[String], selection: &Selection) -> Found {
    let mut found = Found { selection: selection.clone(), ..Found::default() };
    for path in paths {
        if path != "-" {
            found.add_path(path);
        } else if found.inputs.iter().any(|input| input.origin == Origin::StandardInput) {
            found.errors.push(InputError::StandardInputTwice);
        } else {
            found.add("-".to_owned(), Origin::StandardInput, true);
        }
    }
    found
}

impl Found {
    fn add(&mut self, path: String, origin: Origin, is_named: bool) {
        self.inputs.push(Input { path, origin, is_named });
    }

    fn skip(&mut self, path: String, remark: &str) {
        self.add(path, Origin::Skipped(remark.to_owned()), false);
    }

    fn add_path(&mut self, path: &str) {
        match fs::metadata(path) {
            Err(reason) => self.errors.push(InputError::Open { path: path.to_owned(), reason }),
            Ok(kind) if kind.is_dir() => self.add_folder(path, Path::new(path), &mut HashSet::new()),
            Ok(kind) if kind.is_file() => self.add_file(path.to_owned(), PathBuf::from(path), true),
            Ok(_) => self.add(path.to_owned(), Origin::Stream(PathBuf::from(path)), true),
        }
    }

    fn add_file(&mut self, name: String, path: PathBuf, is_named: bool) {
        if let Some(remark) = self.selection.remark(&name).filter(|_| !is_named) {
            return self.skip(name, remark);
        }
        if let Ok(canonical) = fs::canonicalize(&path) {
            if let Some(earlier) = self.seen.get(&canonical) {
                let remark = format!("the same file as {earlier}, read once");
                self.skip(name, &remark);
                return;
            }
            self.seen.insert(canonical, name.clone());
        }
        self.add(name, Origin::File(path), is_named);
    }

    /// Adds what is in a folder. `open` holds the folders on the way to it, to notice a link that leads back.
    fn add_folder(&mut self, name: &str, path: &Path, open: &mut HashSet<PathBuf>) {
        let failed = |reason| InputError::Open { path: name.to_owned(), reason };
        let (canonical, entries) = match (fs::canonicalize(path), fs::read_dir(path)) {
            (Ok(canonical), Ok(entries)) => (canonical, entries),
            (Err(reason), _) | (_, Err(reason)) => return self.errors.push(failed(reason)),
        };
        if !open.insert(canonical.clone()) {
            return self.skip(name.to_owned(), "a link to a folder around it, not followed");
        }
        let mut children = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => children.push(entry.file_name()),
                Err(reason) => self.errors.push(failed(reason)),
            }
        }
        children.sort();
        if children.is_empty() {
            self.skip(name.to_owned(), "empty folder");
        }
        for child in children {
            let child_path = path.join(&child);
            let child_name = format!("{}/{}", name.trim_end_matches('/'), child.to_string_lossy());
            if child.to_string_lossy().starts_with('.') {
                self.skip(child_name, "hidden, not read; name it on the command line to read it");
                continue;
            }
            match fs::metadata(&child_path) {
                Err(reason) => self.errors.push(InputError::Open { path: child_name, reason }),
                Ok(kind) if kind.is_dir() => self.add_folder(&child_name, &child_path, open),
                Ok(kind) if kind.is_file() => self.add_file(child_name, child_path, false),
                Ok(_) => self.skip(child_name, "a pipe, socket or device, not read"),
            }
        }
        open.remove(&canonical);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A folder that is removed at the end of a test.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("flowcheck-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        pub(crate) fn file(&self, name: &str, content: &[u8]) -> String {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(&path, content).expect("a file");
            path.to_string_lossy().into_owned()
        }

        pub(crate) fn path(&self) -> String {
            self.0.to_string_lossy().into_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn folders_are_walked_in_order_and_nothing_is_left_out_in_silence() {
        let folder = Folder::new("walk");
        folder.file("b/z.log", b"");
        folder.file("b/a.log", b"");
        folder.file("a.log", b"");
        folder.file(".hidden", b"");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&folder.0, folder.0.join("b/loop")).expect("a link");
        let found = find_inputs(
            &[folder.path() + "/", folder.path() + "/a.log", "/no/such".into(), "-".into(), "-".into()],
            &Selection::default(),
        );
        let names: Vec<_> = found
            .inputs
            .iter()
            .map(|input| (input.path.replace(&folder.path(), ""), !matches!(input.origin, Origin::Skipped(_))))
            .collect();
        let expected = [
            ("/.hidden", false),
            ("/a.log", true),
            ("/b/a.log", true),
            ("/b/loop", false),
            ("/b/z.log", true),
            ("/a.log", false),
            ("-", true),
        ];
        assert_eq!(names, expected.map(|(name, read)| (name.to_owned(), read)));
        let named = found.inputs.iter().filter(|input| input.is_named).map(|input| input.path.as_str());
        assert_eq!(named.collect::<Vec<_>>(), ["-"]);
        assert_eq!(found.errors.len(), 2);
        assert!(found.errors[0].to_string().contains("/no/such"));
    }
}
