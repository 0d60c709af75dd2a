//! Reads the text of the configuration file into values with their lines, and refuses what is not in the table of keys.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::keys::{self, KEYS, SECTIONS};
use super::problem::{Origin, Problem};
use crate::domain::nearest::nearest;
use crate::system::secret::redact;

/// A value as it was written. It may be a secret, so it does not print.
pub(super) enum Raw {
    /// A text of the file.
    Text(String),
    /// A whole number of the file.
    Whole(i64),
    /// `true` or `false` of the file.
    Truth(bool),
    /// Something of the file that no setting is, by its name.
    Other(&'static str),
    /// A variable's text, which may stand for a number too.
    Loose(String),
}

/// A value and where it was written.
pub(super) struct Written {
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// What was written, by the key's path.
pub(super) type Values = BTreeMap<String, Written>;

/// Reads a file's text. The problems are of its syntax and of what is not known; the values are not checked.
pub(super) fn read(text: &str, path: &Path) -> (Values, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problems = errors.iter().map(|error| syntax(error, text, path));
        return (Values::new(), problems.collect());
    }
    let mut values = Values::new();
    let mut problems = Vec::new();
    for (name, value) in table.get_ref() {
        let section = name.get_ref().as_ref();
        let origin = line(text, name.span(), path);
        if !SECTIONS.iter().any(|known| known.name == section) {
            problems.push(unknown_section(section).at(&origin));
            continue;
        }
        let Some(keys) = value.get_ref().as_table() else {
            let remedy =
                format!("write `[{section}]` on a line of its own and the settings below it");
            problems
                .push(Problem::new(section, "it is a section, not a setting", remedy).at(&origin));
            continue;
        };
        for (name, value) in keys {
            let path_of_key = format!("{section}.{}", name.get_ref());
            let origin = line(text, name.span(), path);
            if keys::find(&path_of_key).is_some() {
                let raw = raw(value.get_ref());
                values.insert(path_of_key, Written { raw, origin });
            } else {
                problems.push(unknown_key(section, name.get_ref()).at(&origin));
            }
        }
    }
    (values, problems)
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number that is too large"), Raw::Whole),
        DeValue::Boolean(truth) => Raw::Truth(*truth),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date or time without quotes"),
        DeValue::Array(_) => Raw::Other("a list"),
        DeValue::Table(_) => Raw::Other("a section"),
    }
}

/// What was written is not quoted here: it could be half of a secret.
fn syntax(error: &toml::de::Error, text: &str, path: &Path) -> Problem {
    let before = &text[..floor(text, error.span().map_or(text.len(), |span| span.start))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Problem::new(
        format!("{}:{line}:{column}", path.display()),
        format!("this is not TOML: {}", redact(error.message(), &[])),
        format!(
            "correct line {line} at column {column}; a text stands in quotes, `name = \"text\"`"
        ),
    )
}

fn line(text: &str, span: Range<usize>, path: &Path) -> Origin {
    Origin::Line {
        path: path.to_owned(),
        line: text[..floor(text, span.start)].matches('\n').count() + 1,
    }
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn unknown_section(name: &str) -> Problem {
    let names = SECTIONS.iter().map(|section| section.name);
    let remedy = if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        format!("did you mean `{name}` below `[{}]`?", key.section)
    } else if let Some(near) = nearest(name, names.clone()) {
        format!("did you mean `[{near}]`?")
    } else {
        let names: Vec<_> = names.map(|name| format!("`[{name}]`")).collect();
        format!("remove it; the sections are {}", names.join(", "))
    };
    Problem::new(shorten(name), "there is no such section", remedy)
}

fn unknown_key(section: &str, name: &str) -> Problem {
    let here = || KEYS.iter().filter(|key| key.section == section);
    let elsewhere = KEYS.iter().find(|key| key.name == name);
    let remedy = if let Some(near) = nearest(name, here().map(|key| key.name)) {
        format!("did you mean `{near}`?")
    } else if let Some(key) = elsewhere {
        format!("did you mean `{name}` below `[{}]`?", key.section)
    } else {
        let names: Vec<_> = here().map(|key| format!("`{}`", key.name)).collect();
        format!("remove it; `[{section}]` has {}", names.join(", "))
    };
    Problem::new(
        shorten(&format!("{section}.{name}")),
        "there is no such setting",
        remedy,
    )
}

/// A name that somebody wrote, fit to be shown.
fn shorten(name: &str) -> String {
    redact(name, &[]).chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (_, mut problems) = read(text, Path::new("/s.toml"));
        problems.sort_by(|one, other| one.origin.cmp(&other.origin));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_was_probably_meant() {
        let text = "posts_per_day = 3\n[teem]\n[telegram]\ntokne = \"canary\"\ntimezone = \"UTC\"\n[zoo]\n[log]\nx = 1\n";
        assert_eq!(
            problems(text),
            [
                "posts_per_day (/s.toml:1): there is no such section\n  hint: did you mean `posts_per_day` below `[team]`?",
                "teem (/s.toml:2): there is no such section\n  hint: did you mean `[team]`?",
                "telegram.tokne (/s.toml:4): there is no such setting\n  hint: did you mean `token`?",
                "telegram.timezone (/s.toml:5): there is no such setting\n  hint: did you mean `timezone` below `[team]`?",
                "zoo (/s.toml:6): there is no such section\n  hint: remove it; the sections are `[library]`, `[database]`, `[secrets]`, `[backup]`, `[health]`, `[alerts]`, `[network]`, `[telegram]`, `[team]`, `[routes]`, `[log]`, `[messages]`",
                "log.x (/s.toml:8): there is no such setting\n  hint: remove it; `[log]` has `level`, `format`",
            ]
        );
        assert_eq!(
            problems("team = 3"),
            [
                "team (/s.toml:1): it is a section, not a setting\n  hint: write `[team]` on a line of its own and the settings below it"
            ]
        );
    }

    #[test]
    fn a_slip_of_syntax_is_told_with_line_and_column() {
        let told = problems("[team]\nname = Störy\n");
        assert!(
            told[0].starts_with("/s.toml:2:8: this is not TOML: "),
            "{told:?}"
        );
        let told = problems("[telegram]\ntoken = \"canary\n");
        assert!(told[0].starts_with("/s.toml:2:"), "{told:?}");
        assert!(!told.concat().contains("canary"), "{told:?}");
        assert!(problems("[team]\nname = \"a\"\nname = \"b\"\n")[0].starts_with("/s.toml:3:1"));
    }
}
