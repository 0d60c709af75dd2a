//! What may stand in an edit: texts that can be shown as they are, and are not longer than the chat shows.

/// The longest title, in UTF-16 units; the chat shows all of it.
pub const LONGEST_TITLE: usize = 100;
/// The longest caption, in UTF-16 units. A message holds 1024 of everything together, and the caption is what gives way.
pub const LONGEST_CAPTION: usize = 600;
/// The longest link, in UTF-16 units: what the chat's button copies.
pub(super) const LONGEST_LINK: usize = 256;
/// The longest tag, in UTF-16 units.
pub(in crate::domain) const LONGEST_TAG: usize = 40;
/// The most tags of a media.
pub(in crate::domain) const MOST_TAGS: usize = 15;
/// The longest name of a category, in UTF-16 units.
pub(super) const LONGEST_CATEGORY: usize = 60;

/// Why something cannot be said of a media, in plain words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnEdit(String);

impl NotAnEdit {
    pub(super) fn new(reason: String) -> Self {
        Self(reason)
    }
}

pub(in crate::domain) fn holds(tags: &[String], tag: &str) -> bool {
    let tag = tag.to_lowercase();
    tags.iter().any(|other| other.to_lowercase() == tag)
}

pub(super) fn without_repetitions<'a>(tags: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for tag in tags {
        if !holds(&once, tag) {
            once.push(tag.clone());
        }
    }
    once
}

pub(super) fn not_too_many(tags: Vec<String>) -> Result<Vec<String>, NotAnEdit> {
    if tags.len() > MOST_TAGS {
        return Err(NotAnEdit(format!(
            "{} tags are too many; a media may have {MOST_TAGS}",
            tags.len()
        )));
    }
    Ok(tags)
}

pub(super) fn all_tags(tags: &[String]) -> Result<Vec<String>, NotAnEdit> {
    let tags: Result<Vec<String>, NotAnEdit> = tags.iter().map(|tag| a_tag(tag)).collect();
    Ok(without_repetitions(tags?.iter()))
}

fn a_tag(typed: &str) -> Result<String, NotAnEdit> {
    let tag = line("a tag", typed.trim().trim_start_matches('#'), LONGEST_TAG)?;
    if tag.contains(',') {
        return Err(NotAnEdit(format!("the tag `{tag}` has a comma in it")));
    }
    Ok(tag)
}

/// A text of one line, without blanks around it.
pub(super) fn line(what: &str, text: &str, longest: usize) -> Result<String, NotAnEdit> {
    shown(what, text, longest, "")
}

/// A text that can be shown as it is, without blanks around it.
pub(super) fn shown(
    what: &str,
    text: &str,
    longest: usize,
    may_hold: &str,
) -> Result<String, NotAnEdit> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NotAnEdit(format!("{what} is empty")));
    }
    let hidden = |letter: &char| letter.is_control() && !may_hold.contains(*letter);
    match text.chars().find(hidden) {
        Some('\n' | '\r') => {
            return Err(NotAnEdit(format!("{what} has more than one line")));
        }
        Some(letter) => {
            return Err(NotAnEdit(format!(
                "{what} holds a control character, which nobody can see (U+{:04X})",
                u32::from(letter)
            )));
        }
        None => {}
    }
    let units = text.encode_utf16().count();
    if units > longest {
        return Err(NotAnEdit(format!(
            "{what} has {units} characters; at most {longest} fit"
        )));
    }
    Ok(text.to_owned())
}
