//! Which of the files in folders and archives are read.

use glob::{MatchOptions, Pattern};

/// Patterns of paths. Of what is found in a folder or an archive only what one of `include` fits is read, if there is one, and
/// nothing that one of `exclude` fits. What is named itself is read whatever they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What to read.
    pub include: Vec<Pattern>,
    /// What not to read.
    pub exclude: Vec<Pattern>,
}

impl Selection {
    /// Why a file is not read, when it is not.
    pub(super) fn remark(&self, path: &str) -> Option<&'static str> {
        let fits = |patterns: &[Pattern]| patterns.iter().any(|pattern| fits(pattern, path));
        if fits(&self.exclude) {
            Some("left out by --exclude")
        } else if !self.include.is_empty() && !fits(&self.include) {
            Some("left out by --include")
        } else {
            None
        }
    }
}

/// Whether a pattern fits a path, or a path's end that begins with a name: `*.log`, `nova/*`, `logs/**/nova-*.gz`.
fn fits(pattern: &Pattern, path: &str) -> bool {
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
    let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    std::iter::once(path).chain(ends).any(|end| pattern.matches_with(end, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names_and_ends_of_paths() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text).expect("a pattern")).collect();
        let selection = Selection { include: patterns(&["*.log*", "journal/*"]), exclude: patterns(&["neutron-*"]) };
        let remark = |path: &str| selection.remark(path);
        assert_eq!(remark("sos.tar.xz/var/log/nova/nova-api.log.1.gz"), None);
        assert_eq!(remark("logs/journal/all.txt"), None);
        assert_eq!(remark("logs/journal/deep/all.txt"), Some("left out by --include"));
        assert_eq!(remark("logs/neutron-server.log"), Some("left out by --exclude"));
        assert_eq!(Selection::default().remark("anything"), None);
    }
}
