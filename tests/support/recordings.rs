//! The recordings that lie beside the project, when they do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The logs of a recording, by name.
pub(crate) type Files = BTreeMap<String, String>;

/// A place in the project's folder.
pub(crate) fn place(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The folders in one of the project's folders, or in one beside it that may not be there, sorted.
pub(crate) fn folders(path: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place(path)).into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

/// The paths of the logs in a folder, or in the folder `logs` in it, sorted.
pub(crate) fn logs_in(folder: &Path) -> Vec<String> {
    let inner = folder.join("logs");
    let folder = if inner.is_dir() { &inner } else { folder };
    let files = std::fs::read_dir(folder).expect("a folder").filter_map(|entry| Some(entry.ok()?.path()));
    let mut logs: Vec<String> = files.map(|file| file.to_string_lossy().into_owned()).collect();
    logs.retain(|log| log.ends_with(".log") || log.ends_with(".log.xz"));
    logs.sort();
    logs
}

/// The recordings, sorted by name.
#[expect(clippy::print_stdout, reason = "a test tells how much it looked at")]
pub(crate) fn recordings() -> Vec<(String, Files)> {
    let folders = folders("../shared/recordings");
    if folders.is_empty() {
        println!("no recordings beside the project: only generated logs are checked");
    }
    folders.iter().map(read).filter(|(_, files)| !files.is_empty()).collect()
}

/// The project's samples, sorted by name.
pub(crate) fn samples() -> Vec<(String, Files)> {
    folders("samples").iter().map(read).collect()
}

/// The written cases, sorted by name.
pub(crate) fn cases() -> Vec<(String, Files)> {
    folders("tests/cases").iter().map(read).filter(|(_, files)| !files.is_empty()).collect()
}

/// The name of a folder and the logs in it, or in the folder `logs` in it.
fn read(folder: &PathBuf) -> (String, Files) {
    let mut files = Files::new();
    let inner = folder.join("logs");
    for entry in std::fs::read_dir(if inner.is_dir() { &inner } else { folder }).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.ends_with(".log")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            files.insert(name, text);
        }
    }
    (folder.file_name().expect("a name").to_string_lossy().into_owned(), files)
}

/// Checks logs in two threads; what is wrong with them, in their order.
pub(crate) fn by_two(
    logs: &[(String, Files)],
    check: impl Fn(usize, &str, &Files) -> Vec<String> + Sync,
) -> Vec<String> {
    let check = &check;
    let half = |odd: usize| -> Vec<String> {
        let mine = logs.iter().enumerate().skip(odd).step_by(2);
        mine.flat_map(|(index, (name, files))| check(index, name, files)).collect()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        let mut wrong = half(0);
        wrong.extend(other.join().expect("no panic"));
        wrong
    })
}
