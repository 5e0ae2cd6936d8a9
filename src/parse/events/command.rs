//! What `openstack --debug` says of its command: osc-lib `shell.py`.

use crate::model::event::EventKind;
use crate::parse::record::Record;
use crate::parse::scan::lossy;
use crate::parse::secrets::{MASK, names_secret};

/// Options before the command that have no value of their own (cliff `app.py`, osc-lib `shell.py`).
const FLAGS: &[&str] =
    &["--debug", "--timing", "--insecure", "--verify", "--quiet", "--verbose", "--os-beta-command", "--help"];

pub(super) fn extract(record: &Record<'_>, emit: &mut dyn FnMut(EventKind)) {
    let line = record.first_line();
    if let Some(options) = line.strip_prefix(b"START with options: ") {
        emit(EventKind::CommandBegan { line: command_line(&lossy(options)) });
    } else if let Some(command) = line.strip_prefix(b"command: ") {
        if let Some(end) = memchr::memmem::find(command, b" -> ") {
            emit(EventKind::CommandNamed { name: lossy(&command[..end]) });
        }
    } else if let Some(code) = line.strip_prefix(b"END return value: ")
        && let Some(code) = std::str::from_utf8(code).ok().and_then(|code| code.trim().parse().ok())
    {
        emit(EventKind::CommandEnded { code });
    }
}

/// The words of a command without the options in front of it, secrets masked.
fn command_line(options: &str) -> String {
    let words = words(options);
    let mut rest = words.iter().map(String::as_str).peekable();
    while let Some(option) = rest.next_if(|word| word.starts_with('-')) {
        let is_flag = FLAGS.contains(&option) || !option.starts_with("--") || option.contains('=');
        if !is_flag {
            rest.next();
        }
    }
    let mut kept: Vec<String> = Vec::new();
    let mut mask_next = false;
    for word in rest {
        if std::mem::take(&mut mask_next) {
            kept.push(MASK.to_owned());
        } else if word.starts_with('-') && names_secret(word) {
            let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            mask_next = value.is_none();
            kept.push(if mask_next { option.to_owned() } else { format!("{option}={MASK}") });
        } else if word != "--debug" {
            kept.push(word.to_owned());
        }
    }
    kept.join(" ")
}

/// The words of `[u'--debug', u'server', "it's"]` or `--debug server`.
fn words(options: &str) -> Vec<String> {
    let Some(mut list) = options.trim().strip_prefix('[') else {
        return options.split_whitespace().map(str::to_owned).collect();
    };
    let mut words = Vec::new();
    while let Some(open) = list.find(['\'', '"']) {
        let quote = list.as_bytes()[open] as char;
        let mut word = String::new();
        let mut characters = list[open + 1..].char_indices();
        let mut end = list.len();
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                word.extend(characters.next().map(|(_, escaped)| escaped));
            } else if character == quote {
                end = open + 1 + at + 1;
                break;
            } else {
                word.push(character);
            }
        }
        words.push(word);
        list = &list[end..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_without_its_options_and_secrets() {
        let cases = [
            ("[u'--debug', u'server', u'add', u'volume', u'vm-ml-1', u'liangr']", "server add volume vm-ml-1 liangr"),
            ("--debug server add volume web data", "server add volume web data"),
            (
                "--debug --log-file /tmp/x.log --timing server add volume web data --device /dev/vdb",
                "server add volume web data --device /dev/vdb",
            ),
            ("--os-password hunter2 --os-token=abc user set --password hunter3 bob", "user set --password *** bob"),
            ("user set --password=hunter3 bob", "user set --password=*** bob"),
            ("['server', \"it's\"]", "server it's"),
            ("", ""),
        ];
        for (options, expected) in cases {
            assert_eq!(command_line(options), expected);
        }
    }
}
