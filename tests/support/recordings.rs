//! The recordings that lie beside the project, when they do.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The logs of a recording, by name.
pub(crate) type Files = BTreeMap<String, String>;

/// The recordings, sorted by name.
#[expect(clippy::print_stdout, reason = "a test tells how much it looked at")]
pub(crate) fn recordings() -> Vec<(String, Files)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("no recordings beside the project: only generated logs are checked");
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    let read = |folder: &PathBuf| {
        let mut files = Files::new();
        for entry in std::fs::read_dir(folder).expect("a recording") {
            let path = entry.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.ends_with(".log")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                files.insert(name, text);
            }
        }
        (folder.file_name().expect("a name").to_string_lossy().into_owned(), files)
    };
    folders.iter().map(read).filter(|(_, files)| !files.is_empty()).collect()
}
