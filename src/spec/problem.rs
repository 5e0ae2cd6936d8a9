//! Mistakes in grammar files: what is wrong, where, and what to do, collected over all files and drawn by miette.

use std::fmt;

use miette::{LabeledSpan, NamedSource, Report, Severity};

use crate::base::span::Span;
use crate::base::text::did_you_mean;
use crate::spec::grammar::{FileId, GrammarFile, Origin};

/// Whether a problem keeps the specification from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemLevel {
    /// The specification cannot be used.
    Error,
    /// It can be used, but something in it is of no use.
    Warning,
    /// It is worth knowing, and may well be meant so.
    Note,
}

/// One place that a problem points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemLabel {
    /// The file.
    pub file: FileId,
    /// The bytes in it.
    pub span: Span,
    /// What is to be said of that place.
    pub text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub level: ProblemLevel,
    /// What is wrong, in one line.
    pub message: String,
    /// Where it is; the first place is the main one.
    pub labels: Vec<ProblemLabel>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// An error at one place.
    pub(crate) fn error(message: impl Into<String>, origin: Origin, label: impl Into<String>) -> Self {
        let problem = Self { level: ProblemLevel::Error, message: message.into(), labels: Vec::new(), help: None };
        problem.and(origin, label)
    }

    /// A warning at one place.
    pub(crate) fn warning(message: impl Into<String>, origin: Origin, label: impl Into<String>) -> Self {
        Self { level: ProblemLevel::Warning, ..Self::error(message, origin, label) }
    }

    /// A note on one place.
    pub(crate) fn note(message: impl Into<String>, origin: Origin, label: impl Into<String>) -> Self {
        Self { level: ProblemLevel::Note, ..Self::error(message, origin, label) }
    }

    /// Adds a place.
    pub(crate) fn and(mut self, origin: Origin, text: impl Into<String>) -> Self {
        self.labels.push(ProblemLabel { file: origin.file, span: origin.span, text: text.into() });
        self
    }

    /// Adds advice.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the word of the list that was probably meant, or else `otherwise`.
    pub(crate) fn suggest<'a>(
        self,
        word: &str,
        list: impl IntoIterator<Item = &'a str>,
        otherwise: impl Into<String>,
    ) -> Self {
        // Nobody misspells a word this long, and comparing it would take long.
        let meant = if word.len() > 80 { None } else { did_you_mean(word, list) };
        match meant {
            Some(meant) => self.help(format!("did you mean `{meant}`?")),
            None => self.help(otherwise),
        }
    }

    /// `FILE:LINE:COLUMN: MESSAGE (HELP)`, on one line.
    pub fn line(&self, files: &[GrammarFile]) -> String {
        let mut line = String::new();
        if let Some((label, file)) =
            self.labels.first().and_then(|label| Some((label, files.get(label.file.0 as usize)?)))
        {
            let before = file.text.get(..label.span.start).unwrap_or_default();
            let row = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            line = format!("{}:{row}:{column}: ", file.name);
        }
        line.push_str(&self.message);
        if let Some(help) = &self.help {
            line.push_str(&format!(" ({help})"));
        }
        line
    }

    /// The problem as miette draws it, with the file's text. Places in other files follow as related problems.
    pub fn report(&self, files: &[GrammarFile]) -> Report {
        Report::new(Drawing::of(self, files))
    }
}

/// All mistakes of one run over the grammar files.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecErrors {
    /// The mistakes, in the order of files and lines.
    pub problems: Vec<Problem>,
    /// The files they are in.
    pub files: Vec<GrammarFile>,
}

impl SpecErrors {
    /// Sorts the problems by place and drops those that were found twice.
    pub(crate) fn new(mut problems: Vec<Problem>, files: Vec<GrammarFile>) -> Self {
        in_order(&mut problems);
        Self { problems, files }
    }

    /// Every problem, ready to be drawn.
    pub fn reports(&self) -> Vec<Report> {
        self.problems.iter().map(|problem| problem.report(&self.files)).collect()
    }
}

/// Sorts problems by place and drops those that were found twice.
pub(crate) fn in_order(problems: &mut Vec<Problem>) {
    let place = |problem: &Problem| problem.labels.first().map(|label| (label.file, label.span));
    problems.sort_by(|left, right| place(left).cmp(&place(right)).then_with(|| left.message.cmp(&right.message)));
    problems.dedup();
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let line = problem.line(&self.files);
            if index > 0 {
                formatter.write_str("\n")?;
            }
            formatter.write_str(&crate::base::text::escape(&line))?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}

/// A problem together with the text it points at.
#[derive(Debug)]
struct Drawing {
    message: String,
    level: ProblemLevel,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    related: Vec<Drawing>,
}

impl Drawing {
    /// Gathers what is in the first label's file; each other file becomes a drawing of its own.
    fn of(problem: &Problem, files: &[GrammarFile]) -> Self {
        let mut parts: Vec<(FileId, Self)> = Vec::new();
        for label in &problem.labels {
            let index = parts.iter().position(|(file, _)| *file == label.file).unwrap_or_else(|| {
                let source = files.get(label.file.0 as usize);
                parts.push((label.file, Self::empty(problem.level, source)));
                parts.len() - 1
            });
            let length = label.span.end.saturating_sub(label.span.start);
            let text = Some(label.text.clone()).filter(|text| !text.is_empty());
            parts[index].1.labels.push(LabeledSpan::new(text, label.span.start, length));
        }
        let mut parts = parts.into_iter().map(|(_, part)| part);
        let mut main = parts.next().unwrap_or_else(|| Self::empty(problem.level, None));
        main.message = crate::base::text::escape(&problem.message).into_owned();
        main.help = problem.help.as_deref().map(|help| crate::base::text::escape(help).into_owned());
        main.related = parts.collect();
        main
    }

    fn empty(level: ProblemLevel, file: Option<&GrammarFile>) -> Self {
        let source = file.map(|file| NamedSource::new(&file.name, harmless(&file.text)));
        let message = "see also".to_owned();
        Self { message, level, help: None, source, labels: Vec::new(), related: Vec::new() }
    }
}

/// The text with as many bytes, but without characters that could change what a terminal shows of the text around them.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let is_plain = character == '\n' || character == '\t';
        if is_plain
            || matches!(crate::base::text::escape(character.encode_utf8(&mut [0; 4])), std::borrow::Cow::Borrowed(_))
        {
            shown.push(character);
        } else {
            shown.extend(std::iter::repeat_n('?', character.len_utf8()));
        }
    }
    shown
}

impl fmt::Display for Drawing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl miette::Diagnostic for Drawing {
    fn severity(&self) -> Option<Severity> {
        Some(match self.level {
            ProblemLevel::Error => Severity::Error,
            ProblemLevel::Warning => Severity::Warning,
            ProblemLevel::Note => Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|part| part as &dyn miette::Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_in_two_files_shows_both() {
        let files =
            ["a.flow", "b.flow"].map(|name| GrammarFile { name: name.to_owned(), text: "one\ntwo\n".to_owned() });
        let first = Origin { file: FileId(0), span: Span::new(4, 7) };
        let second = Origin { file: FileId(1), span: Span::new(0, 3) };
        let problem = Problem::error("`two` stands twice", first, "here").and(second, "and here").help("drop one");
        assert_eq!(problem.line(&files), "a.flow:2:1: `two` stands twice (drop one)");
        let mut drawn = String::new();
        let handler = miette::NarratableReportHandler::new();
        handler.render_report(&mut drawn, problem.report(&files).as_ref()).expect("a text");
        assert!(drawn.contains("a.flow") && drawn.contains("b.flow") && drawn.contains("drop one"), "{drawn}");
    }

    #[test]
    fn escape_sequences_in_a_file_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[31m\tb\n"), "a?[31m\tb\n");
    }
}
