//! Changes the file of settings as its owner would by hand: a setting is written where it stands, or where its example does,
//! and every other word of the file stays.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::example::commented;
use super::file::{self, Raw};
use super::keys::{self, Key};
use super::load::{Loaded, MOST_BYTES, load_text};
use super::problem::Problems;
use super::{Environment, example};
use crate::domain::written::Complaint;
use crate::system::named::text_of;
use crate::system::replace::rewrite;

/// Nobody but the owner and the service reads what may hold a secret.
const RIGHTS: u32 = 0o640;

/// A file of settings that is being changed; nothing is written until it is kept.
#[derive(Clone, Debug)]
pub struct Draft {
    path: PathBuf,
    text: String,
    /// What is in the file, if there is one.
    before: Option<String>,
}

impl Draft {
    /// Begins with the file as it is; with the documented example if there is none.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let before = match text_of(path, MOST_BYTES) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // Where it is a link, what it leads to is written.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let text = before.clone().unwrap_or_else(example);
        Ok(Self { path, text, before })
    }

    /// Whether there is no such file yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// The settings as they would be.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn load(&self, environment: &Environment) -> Result<Loaded, Problems> {
        load_text(&self.path, &self.text, environment)
    }

    /// Writes a setting, by its section and name; an empty value takes it out. What would be wrong is refused, and nothing is
    /// changed.
    ///
    /// # Errors
    /// The first of what would be wrong with the file then.
    pub fn put(&mut self, path: &str, value: &str) -> Result<(), Complaint> {
        let key = keys::find(path).ok_or_else(|| {
            let remedy = "`storyline config show` has all settings";
            Complaint::new(format!("there is no setting `{path}`"), remedy)
        })?;
        let value = Some(value.trim()).filter(|value| !value.is_empty());
        // Looked at by itself first, as if it were a variable: a slip is then told as what it is, and not as one of syntax.
        let alone = value.map(|value| (key.environment_name(), value));
        if let Err(problems) = self.load(&alone.into_iter().collect()) {
            return Err(complaint(path, problems));
        }
        let text = written(&self.text, key, value);
        let is_so = load_text(&self.path, &text, &Environment::default()).is_ok()
            && file::read(&text, &self.path)
                .0
                .get(path)
                .map(|written| raw(&written.raw))
                == value.map(str::to_owned);
        if !is_so {
            let section = key.section;
            let remedy = format!("write it into `{}` by hand", self.path.display());
            let reason = format!("it cannot be written below `[{section}]` as that stands");
            return Err(Complaint::new(reason, remedy));
        }
        self.text = text;
        Ok(())
    }

    /// Puts it in place of the file, whose owner and rights stay; whether it is another text.
    ///
    /// # Errors
    /// If it cannot be written; then the file is as it was.
    pub fn keep(&self) -> io::Result<bool> {
        let is_other = self.before.as_ref() != Some(&self.text);
        if is_other {
            rewrite(&self.path, self.text.as_bytes(), RIGHTS)?;
        }
        Ok(is_other)
    }
}

/// What is wrong with this setting; or with another one, because of it.
fn complaint(path: &str, mut problems: Problems) -> Complaint {
    let of_this = problems.0.iter().position(|problem| problem.key == path);
    let problem = problems.0.swap_remove(of_this.unwrap_or(0));
    let of_what = match of_this {
        Some(_) => String::new(),
        None => format!("`{}`: ", problem.key),
    };
    Complaint::new(of_what + &problem.reason, problem.remedy)
}

fn raw(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) | Raw::Loose(text) => text.clone(),
        Raw::Whole(number) => number.to_string(),
        Raw::Truth(truth) => truth.to_string(),
        Raw::Other(name) => (*name).to_owned(),
    }
}

/// The text with another value for this key, or without one.
fn written(text: &str, key: &Key, value: Option<&str>) -> String {
    let (table, _) = DeTable::parse_recoverable(text);
    let table = table.get_ref();
    let section = table.iter().find(|(name, _)| name.get_ref() == key.section);
    let setting = section.and_then(|(_, section)| {
        let mut keys = section.get_ref().as_table()?.iter();
        keys.find(|(name, _)| name.get_ref() == key.name)
    });
    let line = value.map(|value| key.line(value));
    match (setting, line) {
        (Some((_, old)), Some(line)) => {
            let value = line.split_once("= ").map_or("", |(_, value)| value);
            replaced(text, old.span(), value)
        }
        (Some((name, old)), None) => {
            let lines = lines_around(text, name.span().start..old.span().end);
            replaced(text, lines, &commented(&key.line(key.shown())))
        }
        (None, Some(line)) => match section {
            Some((name, _)) if is_header(text, name.span().start) => {
                let lines = section_from(text, table, name.span().start);
                let example = example_of(text, key, lines.clone());
                let place = example.unwrap_or(lines.start..lines.start);
                let is_apart = text[..place.start].ends_with('\n');
                let gap = if is_apart { "" } else { "\n" };
                replaced(text, place, &format!("{gap}{line}\n"))
            }
            // Its settings are written with the section's name before each, and so is this one.
            Some(_) => format!("{}.{line}\n{text}", key.section),
            None => {
                let gap = if text.is_empty() || text.ends_with('\n') {
                    ""
                } else {
                    "\n"
                };
                format!("{text}{gap}\n[{}]\n{line}\n", key.section)
            }
        },
        (None, None) => text.to_owned(),
    }
}

fn replaced(text: &str, place: Range<usize>, with: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(place, with);
    text
}

/// Whether the name at this place stands in brackets, as that of a section does.
fn is_header(text: &str, at: usize) -> bool {
    text[..at].trim_end_matches([' ', '\t']).ends_with('[')
}

/// The whole lines that these bytes are in, with their ends.
fn lines_around(text: &str, bytes: Range<usize>) -> Range<usize> {
    let start = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[bytes.end..].find('\n');
    start..end.map_or(text.len(), |at| bytes.end + at + 1)
}

/// The lines of the section whose header is at this place, without the header's own.
fn section_from(text: &str, table: &DeTable<'_>, at: usize) -> Range<usize> {
    let headers = table.keys().map(|name| name.span().start);
    let next = headers
        .filter(|other| *other > at && is_header(text, *other))
        .min();
    let end = next.map_or(text.len(), |next| lines_around(text, next..next).start);
    lines_around(text, at..at).end.min(end)..end
}

/// The line in which the documented example shows this key, in these bytes.
fn example_of(text: &str, key: &Key, within: Range<usize>) -> Option<Range<usize>> {
    let mut at = within.start;
    for line in text[within].split_inclusive('\n') {
        let name = line.strip_prefix('#').map(str::trim_start);
        let rest = name.and_then(|line| line.strip_prefix(key.name));
        if rest.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return Some(at..at + line.len());
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
