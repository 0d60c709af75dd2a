//! Takes apart what metadata files say. Whatever is understood is used; the rest is told in plain words, with the key.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::link;
use crate::domain::media::Metadata;

/// What a folder's `metadata.json` says.
#[derive(Clone, Debug, Default)]
pub(super) struct FolderSpoken {
    /// What it says of every file in the folder.
    pub(super) defaults: Metadata,
    /// What it says of some of them, by name, with what was wrong.
    pub(super) items: HashMap<String, (Metadata, Vec<String>)>,
    /// What was wrong with the file itself.
    pub(super) problems: Vec<String>,
}

const FOLDER_KEYS: &str = "`default_requires_interaction`, `default_tags`, `items` and `files`";
const ITEM_KEYS: &str =
    "`requires_interaction`, `title`, `link_url`, `caption`, `tags` and `custom_metadata`";

/// Reads a folder's `metadata.json`; `file` is its path, for the problems.
pub(super) fn folder(file: &str, value: Value) -> FolderSpoken {
    let mut spoken = FolderSpoken::default();
    let Some(keys) = object(file, "", value, &mut spoken.problems) else {
        return spoken;
    };
    for (key, value) in keys {
        if value.is_null() {
            continue;
        }
        let problems = &mut spoken.problems;
        match key.as_str() {
            "default_requires_interaction" => {
                spoken.defaults.requires_interaction = truth(file, &key, &value, problems);
            }
            "default_tags" => spoken.defaults.tags = texts(file, &key, value, problems),
            "items" => match value {
                Value::Array(items) => {
                    for (at, item) in items.into_iter().enumerate() {
                        spoken.take_item(file, at + 1, item);
                    }
                }
                other => problems.push(wrong(file, &key, "a list of objects", &other)),
            },
            "files" => match value {
                Value::Object(files) => {
                    for (name, item) in files {
                        spoken.take_named(file, &name, item);
                    }
                }
                other => problems.push(wrong(file, &key, "an object of objects", &other)),
            },
            _ => problems.push(unknown(file, "", &key, FOLDER_KEYS)),
        }
    }
    spoken
}

/// Reads a sidecar, or one item of a folder's file; `place` says where in the file it is.
pub(super) fn item(file: &str, place: &str, value: Value) -> (Metadata, Vec<String>) {
    let mut metadata = Metadata::default();
    let mut problems = Vec::new();
    let Some(keys) = object(file, place, value, &mut problems) else {
        return (metadata, problems);
    };
    for (key, value) in keys {
        if value.is_null() {
            continue;
        }
        let at = format!("{place}{key}");
        match key.as_str() {
            "file_name" => {}
            "title" => metadata.title = text(file, &at, value, &mut problems),
            "caption" => metadata.caption = text(file, &at, value, &mut problems),
            "link_url" => {
                let url = text(file, &at, value, &mut problems);
                metadata.link_url = url.filter(|url| match link::check(url) {
                    Ok(()) => true,
                    Err(reason) => {
                        problems.push(format!("`{file}`: `{at}`: {reason}"));
                        false
                    }
                });
            }
            "tags" => metadata.tags = texts(file, &at, value, &mut problems),
            "requires_interaction" => {
                metadata.requires_interaction = truth(file, &at, &value, &mut problems);
            }
            "custom_metadata" => match value {
                Value::Object(custom) => metadata.custom_metadata = custom,
                other => problems.push(wrong(file, &at, "an object", &other)),
            },
            _ => problems.push(unknown(file, place, &key, ITEM_KEYS)),
        }
    }
    (metadata, problems)
}

impl FolderSpoken {
    fn take_item(&mut self, file: &str, number: usize, value: Value) {
        let name = value.get("file_name").and_then(Value::as_str);
        let Some(name) = name.map(str::to_owned) else {
            self.problems.push(format!(
                "`{file}`: item {number} of `items` has no `file_name` (a text); it is left out"
            ));
            return;
        };
        self.take_named(file, &name, value);
    }

    fn take_named(&mut self, file: &str, name: &str, value: Value) {
        if name.contains('/') {
            self.problems.push(format!(
                "`{file}`: `{name}` is a path; only names of files in the same folder are understood, it is left out"
            ));
            return;
        }
        let (metadata, problems) = item(file, &format!("{name}: "), value);
        let known = self.items.entry(name.to_owned()).or_default();
        known.0 = std::mem::take(&mut known.0).overlaid_with(metadata);
        known.1.extend(problems);
    }
}

fn object(
    file: &str,
    place: &str,
    value: Value,
    problems: &mut Vec<String>,
) -> Option<Map<String, Value>> {
    match value {
        Value::Object(keys) => Some(keys),
        other => {
            let place = place.trim_end_matches(": ");
            let place = if place.is_empty() {
                "its content"
            } else {
                place
            };
            problems.push(wrong(file, place, "an object (`{…}`)", &other));
            None
        }
    }
}

fn text(file: &str, key: &str, value: Value, problems: &mut Vec<String>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => {
            problems.push(wrong(file, key, "a text", &other));
            None
        }
    }
}

fn texts(file: &str, key: &str, value: Value, problems: &mut Vec<String>) -> Vec<String> {
    match value {
        Value::Array(values) => {
            let values = values.into_iter();
            values
                .filter_map(|value| text(file, key, value, problems))
                .collect()
        }
        other => {
            problems.push(wrong(file, key, "a list of texts", &other));
            Vec::new()
        }
    }
}

fn truth(file: &str, key: &str, value: &Value, problems: &mut Vec<String>) -> Option<bool> {
    let truth = value.as_bool();
    if truth.is_none() {
        problems.push(wrong(file, key, "`true` or `false`", value));
    }
    truth
}

fn wrong(file: &str, key: &str, wanted: &str, value: &Value) -> String {
    let is = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("`{file}`: `{key}` should be {wanted}, but is {is}; it is left out")
}

fn unknown(file: &str, place: &str, key: &str, known: &str) -> String {
    format!("`{file}`: the key `{place}{key}` is not known and left out; known are {known}")
}
