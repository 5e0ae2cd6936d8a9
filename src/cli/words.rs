//! Makes `check` the default command.
//!
//! clap wants the command first. The words are therefore put in order before clap sees them: the first word that is neither
//! an option nor an option's value is the command if it names one, else it is a path and the command is `check`.

use std::ffi::OsString;

use clap::CommandFactory as _;

use crate::cli::args::CommandLine;

/// The words, beginning with the program's name, with the command right behind it.
pub(super) fn with_command(words: Vec<OsString>) -> Vec<OsString> {
    let top = CommandLine::command();
    let takes_value = options_with_value(&top);
    let mut index = 1;
    while let Some(word) = words.get(index) {
        let text = word.to_string_lossy();
        if text == "--" {
            return inserted(words);
        }
        if text == "-" || !text.starts_with('-') {
            let is_command = text == "help" || top.get_subcommands().any(|command| command.get_name() == text);
            return if is_command { moved(words, index) } else { inserted(words) };
        }
        if takes_value.contains(&option_name(&text).unwrap_or_default()) {
            index += 1;
        }
        index += 1;
    }
    let top_level = ["-h", "--help", "-V", "--version"];
    let only_top_level = words.iter().skip(1).any(|word| top_level.iter().any(|each| word == each));
    if words.len() < 2 || only_top_level { words } else { inserted(words) }
}

/// The name of an option whose value would be the next word: `format` for `--format`, `o` for `-qo`; `None` when the value
/// is in the same word.
fn option_name(word: &str) -> Option<String> {
    match word.strip_prefix("--") {
        Some(long) if long.contains('=') => None,
        Some(long) => Some(long.to_owned()),
        // `-oFILE` has its value; in `-qo` only the last letter can want one.
        None => {
            let letters = word.strip_prefix('-')?;
            let value_begins = letters.find('o').map_or(letters.len(), |at| at + 1);
            (value_begins == letters.len()).then(|| letters.chars().last().map(String::from)).flatten()
        }
    }
}

/// The names of all options that take a value.
fn options_with_value(top: &clap::Command) -> Vec<String> {
    let mut names = Vec::new();
    for argument in top.get_subcommands().flat_map(clap::Command::get_arguments) {
        if argument.get_action().takes_values() && !argument.is_positional() {
            names.extend(argument.get_long().map(str::to_owned));
            names.extend(argument.get_short().map(String::from));
        }
    }
    names
}

/// With `check` as the command.
fn inserted(mut words: Vec<OsString>) -> Vec<OsString> {
    words.insert(1.min(words.len()), OsString::from("check"));
    words
}

/// With the word at `index` as the command.
fn moved(mut words: Vec<OsString>, index: usize) -> Vec<OsString> {
    let command = words.remove(index);
    words.insert(1, command);
    words
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Command;

    fn ordered(line: &str) -> String {
        let words = std::iter::once("flowcheck").chain(line.split_whitespace()).map(OsString::from).collect();
        let ordered: Vec<_> =
            with_command(words).into_iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        ordered.join(" ")
    }

    #[test]
    fn check_is_the_default() {
        let cases = [
            ("trace.log", "check trace.log"),
            ("-", "check -"),
            ("-v trace.log", "check -v trace.log"),
            ("--format json graph.log", "check --format json graph.log"),
            ("-qo out graph", "graph -qo out"),
            ("-oout graph", "graph -oout"),
            ("--color never graph a.log", "graph --color never a.log"),
            ("--color=never graph a.log", "graph --color=never a.log"),
            ("--server graph a.log", "check --server graph a.log"),
            ("./graph", "check ./graph"),
            ("./check", "check ./check"),
            ("-- graph", "check -- graph"),
            ("check trace.log", "check trace.log"),
            ("spec list", "spec list"),
            ("help graph", "help graph"),
            ("--help", "--help"),
            ("--version", "--version"),
            ("trace.log --help", "check trace.log --help"),
            ("--strict", "check --strict"),
            ("", ""),
        ];
        for (said, meant) in cases {
            assert_eq!(ordered(said), meant, "{said}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
        let words = ["flowcheck", "--require", "attach=2", "a.log"].map(OsString::from).to_vec();
        let line = CommandLine::try_parse_from(with_command(words)).expect("a command line");
        assert!(matches!(line.command, Command::Check(args) if args.require.len() == 1));
    }
}
