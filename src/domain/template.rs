//! A text that the owner may change: words, and placeholders in braces for what differs from story to story. It is checked
//! when it is read, so that nothing can go wrong when it is filled in: whatever the values are, the result is well-formed
//! and short enough for Telegram.
//!
//! * `{title}` is a placeholder. What is put in its place is escaped.
//! * A line whose placeholders are all empty vanishes, and the empty lines before it.
//! * What stands in `[brackets]` vanishes likewise.
//! * A brace or bracket that is to be seen is written twice.
//!
//! The crates for such templates know nothing of lines, markup or lengths, which is all that is difficult here.

use std::collections::BTreeMap;

use super::written::Complaint;

mod parse;

/// What differs from story to story. The order is that in which they are given room: what comes first is cut last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placeholder {
    /// The story's number.
    Number,
    /// Its category.
    Category,
    /// When it is due.
    Due,
    /// Where it is: a line of its own texts.
    Status,
    /// What the media is called.
    Title,
    /// How a story ended.
    Outcome,
    /// Who did it.
    Name,
    /// When it happened, with the word before it.
    When,
    /// When it happened, without a word.
    Time,
    /// How long it took.
    Took,
    /// That a message may be there twice.
    Again,
    /// What a person has to add.
    Needs,
    /// The link.
    Link,
    /// The tags.
    Tags,
    /// Where its file is, how large, and how often it was posted.
    Details,
    /// Why.
    Reason,
    /// What the media says.
    Caption,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Number,
        Self::Category,
        Self::Due,
        Self::Status,
        Self::Title,
        Self::Outcome,
        Self::Name,
        Self::When,
        Self::Time,
        Self::Took,
        Self::Again,
        Self::Needs,
        Self::Link,
        Self::Tags,
        Self::Details,
        Self::Reason,
        Self::Caption,
    ];

    /// How it is written between the braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().0
    }

    /// The most that is put in its place, in UTF-16 units.
    #[must_use]
    pub fn most(self) -> usize {
        self.facts().1
    }

    /// Whether there is always room for it, because a template that leaves none is refused. The others share what is left.
    fn is_sure_of_room(self) -> bool {
        self <= Self::Took
    }

    fn facts(self) -> (&'static str, usize) {
        match self {
            Self::Number => ("number", 20),
            Self::Category => ("category", 90),
            Self::Due => ("due", 25),
            Self::Status => ("status", 300),
            Self::Title => ("title", 150),
            Self::Outcome => ("outcome", 40),
            Self::Name => ("name", 100),
            Self::When => ("when", 30),
            Self::Time => ("time", 25),
            Self::Took => ("took", 25),
            Self::Again => ("again", 200),
            Self::Needs => ("needs", 120),
            Self::Link => ("link", 330),
            Self::Tags => ("tags", 120),
            Self::Details => ("details", 300),
            Self::Reason => ("reason", 300),
            Self::Caption => ("caption", usize::MAX),
        }
    }
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With Telegram's tags, on as many lines as wanted.
    Html,
    /// Without tags: it is put into another text, and escaped there.
    Plain,
    /// The label of a button: without tags, one line, and something to be seen on it.
    Label,
}

/// What a text may be like.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How it is written.
    pub form: Form,
    /// The placeholders that it may hold.
    pub placeholders: &'static [Placeholder],
    /// Those of them that it must hold, because a message without them would be of no use.
    pub required: &'static [Placeholder],
    /// How long it may become, in UTF-16 units of what is seen.
    pub most: usize,
}

/// A text that was read and found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    form: Form,
    most: usize,
    lines: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Words and tags, ready to be sent, and how long they are when seen.
    Words { text: String, units: usize },
    /// A placeholder that is seen.
    Seen(Placeholder),
    /// A placeholder in the address of a link. It counts for nothing, and is whole or not there.
    Address(Placeholder),
    /// What stands in brackets.
    Optional(Vec<Piece>),
}

/// What is put in the place of each placeholder: cut to its room, and whole.
struct Values {
    cut: BTreeMap<Placeholder, String>,
    whole: BTreeMap<Placeholder, String>,
}

impl Values {
    fn of(&self, piece: &Piece) -> &str {
        let value = match piece {
            Piece::Seen(placeholder) => self.cut.get(placeholder),
            Piece::Address(placeholder) => self
                .whole
                .get(placeholder)
                .filter(|address| units(address) <= placeholder.most()),
            Piece::Words { .. } | Piece::Optional(_) => None,
        };
        value.map_or("", String::as_str)
    }
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn parse(source: &str, rules: &Rules) -> Result<Self, Complaint> {
        let source = source.trim();
        let template = Self {
            source: source.to_owned(),
            form: rules.form,
            most: rules.most,
            lines: parse::lines(source, rules)?,
        };
        parse::check(&template, rules)?;
        Ok(template)
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text with these values in the place of the placeholders, cut where they are too long: no longer than its rules
    /// allow. Values are plain text, and escaped where the template is [`Form::Html`].
    #[must_use]
    pub fn filled(&self, value: impl Fn(Placeholder) -> String) -> String {
        let mut times: BTreeMap<Placeholder, usize> = BTreeMap::new();
        for piece in self.lines.iter().flat_map(|line| leaves(line)) {
            match piece {
                Piece::Seen(placeholder) => *times.entry(*placeholder).or_default() += 1,
                Piece::Address(placeholder) => *times.entry(*placeholder).or_default() += 0, // It takes no room.
                Piece::Words { .. } | Piece::Optional(_) => {}
            }
        }
        let whole: BTreeMap<_, _> = times
            .keys()
            .map(|placeholder| (*placeholder, value(*placeholder).trim().to_owned()))
            .collect();
        let mut values = Values {
            cut: whole.clone(),
            whole,
        };

        let fixed: usize = self
            .shown(&values)
            .map(|(breaks, line)| breaks + units_of(line, &values))
            .sum();
        let mut left = self.most.saturating_sub(fixed);
        for (placeholder, times) in times {
            if let Some(text) = values.cut.get_mut(&placeholder) {
                *text = shortened(text, placeholder.most().min(left / times.max(1)));
                left -= units(text) * times;
            }
        }

        let mut text = String::new();
        for (breaks, line) in self.shown(&values) {
            text.extend(std::iter::repeat_n('\n', breaks));
            self.write(&mut text, line, &values);
        }
        text
    }

    /// The text where there is nothing to fill in.
    #[must_use]
    pub fn plain(&self) -> String {
        self.filled(|_| String::new())
    }

    /// The lines that have not vanished, each with the number of line breaks before it.
    fn shown<'a>(&'a self, values: &'a Values) -> impl Iterator<Item = (usize, &'a [Piece])> {
        let mut breaks = 0;
        let mut is_first = true;
        self.lines.iter().filter_map(move |line| {
            if line.is_empty() {
                breaks += 1;
                return None;
            }
            let before = std::mem::take(&mut breaks);
            if vanishes(line, values) {
                return None;
            }
            let before = if is_first { 0 } else { before + 1 };
            is_first = false;
            Some((before, line.as_slice()))
        })
    }

    fn write(&self, text: &mut String, pieces: &[Piece], values: &Values) {
        for piece in pieces {
            match piece {
                Piece::Words { text: words, .. } => text.push_str(words),
                Piece::Optional(pieces) if vanishes(pieces, values) => {}
                Piece::Optional(pieces) => self.write(text, pieces, values),
                Piece::Seen(_) | Piece::Address(_) if self.form == Form::Html => {
                    text.push_str(&escape(values.of(piece)));
                }
                Piece::Seen(_) | Piece::Address(_) => text.push_str(values.of(piece)),
            }
        }
    }
}

/// The pieces, and those within brackets.
fn leaves(pieces: &[Piece]) -> Vec<&Piece> {
    let mut found = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Optional(inner) => found.extend(leaves(inner)),
            piece => found.push(piece),
        }
    }
    found
}

/// Whether there are placeholders in it, and all are empty.
fn vanishes(pieces: &[Piece], values: &Values) -> bool {
    let mut placeholders = leaves(pieces)
        .into_iter()
        .filter(|piece| !matches!(piece, Piece::Words { .. }))
        .peekable();
    placeholders.peek().is_some() && placeholders.all(|piece| values.of(piece).is_empty())
}

/// How long the words are that are seen.
fn units_of(pieces: &[Piece], values: &Values) -> usize {
    let seen = |piece: &Piece| match piece {
        Piece::Words { units, .. } => *units,
        Piece::Optional(pieces) if !vanishes(pieces, values) => units_of(pieces, values),
        Piece::Optional(_) | Piece::Seen(_) | Piece::Address(_) => 0,
    };
    pieces.iter().map(seen).sum()
}

/// The text as Telegram's HTML shows it unchanged, in a text and in an attribute alike.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The length of a text as Telegram counts it, in UTF-16 units.
#[must_use]
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text, or as much of it as fits into so many UTF-16 units, ending in `…`.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut cut: String = text
        .chars()
        .take_while(|character| {
            let fits = character.len_utf16() <= left;
            left = left.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    if most > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
pub(crate) mod tests;
