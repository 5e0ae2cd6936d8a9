//! Logs of legal paths through the whole specification.

use flowcheck::spec::grammar::Grammar;

use super::path::{Failure, Path, paths};
use super::recordings::Files;
use super::story::tell;
use super::writer::{Style, Writer};

/// Legal paths, one after another: those with all optional steps where oslo.messaging logs, those without where it does not.
pub(crate) fn generated(grammar: &Grammar, style: Style) -> Files {
    let mut writer = Writer::new(style, 7);
    for flow in &grammar.flows {
        for variant in &flow.variants {
            let good = paths(grammar, &flow.name, variant, false).into_iter();
            let failed = paths(grammar, &flow.name, variant, true).into_iter();
            let failed = failed.filter(|path| path.failure == Failure::RolledBack && !path.direct).step_by(7);
            let fits = |path: &Path| path.full == (style == Style::Rpc);
            for path in good.chain(failed).filter(fits) {
                tell(grammar, &mut writer, &path);
                writer.rest(300);
            }
        }
    }
    writer.files
}
