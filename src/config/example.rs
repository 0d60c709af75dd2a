//! The example of the configuration file, with every setting explained: it is shipped as the configuration itself, in
//! which everything is commented out and so has its default.

use std::fmt::Write;

use super::keys::{KEYS, Key, Kind, SECTIONS};

/// The widest line of an explanation, in characters.
const WIDTH: usize = 100;

const INTRODUCTION: &str = "The settings of Storyline. A setting that is commented out has its default. \
    After a change, `storyline check` says what is wrong, and `systemctl restart storyline` makes it true. \
    Each setting may also be given as an environment variable, which wins over this file.";

/// The documented example.
#[must_use]
pub fn example() -> String {
    let mut text = String::new();
    comment(&mut text, INTRODUCTION);
    for section in SECTIONS {
        text.push('\n');
        comment(&mut text, section.doc);
        text.push_str(&format!("[{}]\n", section.name));
        for key in KEYS.iter().filter(|key| key.section == section.name) {
            text.push('\n');
            comment(&mut text, key.doc);
            comment(&mut text, &facts(key));
            text.push_str(&commented(&key.line(key.shown())));
        }
    }
    text
}

/// A setting as it is written, without effect. Its lines stay as they are, however wide.
pub(super) fn commented(lines: &str) -> String {
    lines
        .lines()
        .map(|line| format!("# {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// Its bounds, whether it is set, and its variable.
fn facts(key: &Key) -> String {
    let mut facts = String::new();
    match key.kind {
        Kind::Id => facts.push_str("A whole number. "),
        Kind::Whole((least, most, unit)) => {
            // Writing to a String cannot fail.
            let _ = write!(facts, "{least} to {most} {unit}. ");
        }
        Kind::Truth => facts.push_str("`true` or `false`. "),
        Kind::Text => {}
    }
    let unset = if key.default.is_empty() && !key.sample.is_empty() {
        " Not set by default; for example:"
    } else {
        ""
    };
    let _ = write!(facts, "(${}){unset}", key.environment_name());
    facts
}

fn comment(text: &mut String, paragraph: &str) {
    let mut length = usize::MAX;
    for word in paragraph.split(' ') {
        let wide = word.chars().count();
        if length.saturating_add(1 + wide) > WIDTH {
            if length != usize::MAX {
                text.push('\n');
            }
            text.push('#');
            length = 1;
        }
        text.push(' ');
        text.push_str(word);
        length += 1 + wide;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment, Loaded};

    fn load(text: &str) -> Loaded {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("storyline.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), &Environment::default()).unwrap()
    }

    #[test]
    fn the_shipped_configuration_is_the_example() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/storyline.toml");
        if std::env::var_os("STORYLINE_WRITE_EXAMPLE").is_some() {
            std::fs::write(path, example()).unwrap();
        }
        let shipped = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            shipped,
            example(),
            "write it anew with STORYLINE_WRITE_EXAMPLE=1 cargo test --lib config::example"
        );
    }

    #[test]
    fn the_example_holds_the_defaults_with_and_without_its_comment_signs() {
        let set = |loaded: &Loaded| {
            let mut config = loaded.config.clone();
            // Which file it was is no setting.
            config.backup.settings = None;
            format!("{config:?}")
        };
        let defaults = set(&load(""));
        assert_eq!(set(&load(&example())), defaults);

        let mut uncommented = example();
        for key in KEYS.iter().filter(|key| key.sample.is_empty()) {
            let line = key.line(key.default);
            let commented = format!("\n{}", commented(&line));
            assert_eq!(uncommented.matches(&commented).count(), 1, "{line}");
            uncommented = uncommented.replace(&commented, &format!("\n{line}\n"));
        }
        let loaded = load(&uncommented);
        assert_eq!(set(&loaded), defaults);
        assert_eq!(loaded.warnings, []);
    }

    #[test]
    fn the_samples_in_the_example_are_valid() {
        let text: String = KEYS
            .iter()
            .filter(|key| !key.sample.is_empty() && !["token_file", "ca_file"].contains(&key.name))
            .map(|key| format!("{}.{}\n", key.section, key.line(key.sample)))
            .chain(
                ["telegram.webhook_secret", "backup.s3_secret_key"]
                    .map(|key| format!("{key} = \"shown-nowhere\"\n")),
            )
            // It has no sample: whoever took one as it is would encrypt for somebody else.
            .chain([format!("backup.encrypt_for = \"age1{}\"\n", "q".repeat(58))])
            .collect();
        assert_eq!(load(&text).config.team.chat, Some(-1_001_234_567_890));
    }

    #[test]
    fn no_line_of_the_example_is_too_wide() {
        for line in example().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }
}
