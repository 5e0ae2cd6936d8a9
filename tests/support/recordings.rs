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
    folders.iter().map(read).filter(|(_, files)| !files.is_empty()).collect()
}

/// The project's samples, sorted by name.
pub(crate) fn samples() -> Vec<(String, Files)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    let entries = std::fs::read_dir(folder).expect("the samples");
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a sample").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().map(read).collect()
}

/// The name of a folder and the logs in it.
fn read(folder: &PathBuf) -> (String, Files) {
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
