//! Edits: what people say of a media by hand, in the chat, at the terminal or on the page. An edit wins over what the files
//! say, whatever becomes of them, until it is taken back. It may also say that there is none: no title, no link.

mod text;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::category::Category;
use super::link;
use super::media::Metadata;
pub use text::{LONGEST_CAPTION, LONGEST_TITLE, NotAnEdit};
use text::{
    LONGEST_CATEGORY, LONGEST_LINK, all_tags, line, not_too_many, shown, without_repetitions,
};
pub(super) use text::{LONGEST_TAG, MOST_TAGS, holds};

/// What is said by hand of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Said<T> {
    /// There is none, whatever the files say.
    Nothing,
    /// This.
    This(T),
    /// It is as the files say.
    #[default]
    #[serde(skip)]
    Unsaid,
}

impl<T: Clone> Said<T> {
    fn over(&self, files_say: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => None,
            Self::This(said) => Some(said.clone()),
            Self::Unsaid => files_say,
        }
    }

    fn is_unsaid(&self) -> bool {
        matches!(self, Self::Unsaid)
    }

    fn done(&self) -> &'static str {
        match self {
            Self::Nothing => "cleared",
            Self::This(_) => "set",
            Self::Unsaid => "reset",
        }
    }
}

/// All that is said by hand of one media.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edits {
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    title: Said<String>,
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    link_url: Said<String>,
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    caption: Said<String>,
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    tags: Said<Vec<String>>,
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    requires_interaction: Said<bool>,
    #[serde(skip_serializing_if = "Said::is_unsaid")]
    category: Said<String>,
}

impl Edits {
    /// What counts: the edits, and where they leave something unsaid, the files.
    #[must_use]
    pub fn over(&self, files_say: Metadata) -> Metadata {
        Metadata {
            title: self.title.over(files_say.title),
            link_url: self.link_url.over(files_say.link_url),
            caption: self.caption.over(files_say.caption),
            tags: self.tags.over(Some(files_say.tags)).unwrap_or_default(),
            requires_interaction: self
                .requires_interaction
                .over(files_say.requires_interaction),
            custom_metadata: files_say.custom_metadata,
        }
    }

    /// The category that counts of a media that lies there.
    #[must_use]
    pub fn category_at(&self, path: &str) -> Category {
        match &self.category {
            Said::This(name) => Category::new(name),
            Said::Nothing | Said::Unsaid => Category::of_path(path),
        }
    }

    /// Whether nothing is said by hand.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The fields of which something is said by hand.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        [
            (Field::Title, self.title.is_unsaid()),
            (Field::Caption, self.caption.is_unsaid()),
            (Field::Link, self.link_url.is_unsaid()),
            (Field::Tags, self.tags.is_unsaid()),
            (Field::Interaction, self.requires_interaction.is_unsaid()),
            (Field::Category, self.category.is_unsaid()),
        ]
        .into_iter()
        .filter_map(|(field, is_unsaid)| (!is_unsaid).then_some(field))
        .collect()
    }

    /// These and one more. `tags` are those that count now, for an edit that adds to them or takes from them.
    ///
    /// # Errors
    /// If the tags became too many.
    pub fn with(mut self, edit: &Edit, tags: &[String]) -> Result<Self, NotAnEdit> {
        match &edit.0 {
            What::Title(said) => self.title = said.clone(),
            What::Caption(said) => self.caption = said.clone(),
            What::Link(said) => self.link_url = said.clone(),
            What::Interaction(said) => self.requires_interaction = said.clone(),
            What::Category(said) => self.category = said.clone(),
            What::Tags(said) => self.tags = said.clone(),
            What::TagsBut { more, fewer } => {
                let kept = tags.iter().filter(|tag| !holds(fewer, tag));
                let tags = without_repetitions(kept.chain(more));
                self.tags = Said::This(not_too_many(tags)?);
            }
        }
        Ok(self)
    }
}

/// What may be said of a media by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// What it is called.
    Title,
    /// The text to go with the story.
    Caption,
    /// Where a link sticker should lead.
    Link,
    /// Words to tell it from others.
    Tags,
    /// Whether a person must add something by hand.
    Interaction,
    /// The category it counts for; its file stays where it is.
    Category,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Title => "title",
            Self::Caption => "caption",
            Self::Link => "link",
            Self::Tags => "tags",
            Self::Interaction => "interaction",
            Self::Category => "category",
        })
    }
}

impl Field {
    /// What counts for this field.
    #[must_use]
    pub fn value(self, metadata: &Metadata, category: &Category) -> Value {
        match self {
            Self::Title => json!(metadata.title),
            Self::Caption => json!(metadata.caption),
            Self::Link => json!(metadata.link_url),
            Self::Tags => json!(metadata.tags),
            Self::Interaction => json!(metadata.requires_interaction),
            Self::Category => json!(category.as_str()),
        }
    }
}

/// One edit. Only the functions below make one, so none is ever too long, or holds what cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit(What);

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Title(Said<String>),
    Caption(Said<String>),
    Link(Said<String>),
    Tags(Said<Vec<String>>),
    TagsBut {
        more: Vec<String>,
        fewer: Vec<String>,
    },
    Interaction(Said<bool>),
    Category(Said<String>),
}

impl Edit {
    /// It is called so.
    ///
    /// # Errors
    /// If that is no title.
    pub fn title(text: &str) -> Result<Self, NotAnEdit> {
        let title = line("the title", text, LONGEST_TITLE)?;
        Ok(Self(What::Title(Said::This(title))))
    }

    /// This text goes with the story; it may have several lines.
    ///
    /// # Errors
    /// If that is no caption.
    pub fn caption(text: &str) -> Result<Self, NotAnEdit> {
        let caption = shown(
            "the caption",
            &text.replace("\r\n", "\n"),
            LONGEST_CAPTION,
            "\n",
        )?;
        Ok(Self(What::Caption(Said::This(caption))))
    }

    /// A link sticker should lead there.
    ///
    /// # Errors
    /// If that is no link to a web page.
    pub fn link(url: &str) -> Result<Self, NotAnEdit> {
        let url = line("the link", url, LONGEST_LINK)?;
        link::check(&url).map_err(NotAnEdit::new)?;
        Ok(Self(What::Link(Said::This(url))))
    }

    /// It has these tags, and no others.
    ///
    /// # Errors
    /// If one of them is no tag, or they are too many.
    pub fn tags(tags: &[String]) -> Result<Self, NotAnEdit> {
        let tags = not_too_many(all_tags(tags)?)?;
        Ok(Self(What::Tags(Said::This(tags))))
    }

    /// It has these tags too, and not those.
    ///
    /// # Errors
    /// If one of them is no tag.
    pub fn more_tags(more: &[String], fewer: &[String]) -> Result<Self, NotAnEdit> {
        let (more, fewer) = (all_tags(more)?, all_tags(fewer)?);
        Ok(Self(What::TagsBut { more, fewer }))
    }

    /// Whether a person must add something by hand.
    #[must_use]
    pub fn interaction(required: bool) -> Self {
        Self(What::Interaction(Said::This(required)))
    }

    /// It counts for this category, wherever it lies.
    ///
    /// # Errors
    /// If that cannot be the name of one.
    pub fn category(name: &str) -> Result<Self, NotAnEdit> {
        let name = line("the category", name, LONGEST_CATEGORY)?;
        if name.contains('/') {
            return Err(NotAnEdit::new(format!(
                "`{name}` has a `/` in it; a category is the name of one folder"
            )));
        }
        Ok(Self(What::Category(Said::This(name))))
    }

    /// There is none, whatever the files say. Of interaction: nobody said anything, so a link or a poll question decides.
    #[must_use]
    pub fn clear(field: Field) -> Self {
        Self::unmade(field, Said::Nothing, Said::Nothing, Said::Nothing)
    }

    /// It is as the files say again.
    #[must_use]
    pub fn reset(field: Field) -> Self {
        Self::unmade(field, Said::Unsaid, Said::Unsaid, Said::Unsaid)
    }

    fn unmade(
        field: Field,
        text: Said<String>,
        tags: Said<Vec<String>>,
        interaction: Said<bool>,
    ) -> Self {
        Self(match field {
            Field::Title => What::Title(text),
            Field::Caption => What::Caption(text),
            Field::Link => What::Link(text),
            Field::Tags => What::Tags(tags),
            Field::Interaction => What::Interaction(interaction),
            // Every media has one: without an edit it is its folder's.
            Field::Category => What::Category(Said::Unsaid),
        })
    }

    /// Of what it says something.
    #[must_use]
    pub fn field(&self) -> Field {
        match self.0 {
            What::Title(_) => Field::Title,
            What::Caption(_) => Field::Caption,
            What::Link(_) => Field::Link,
            What::Tags(_) | What::TagsBut { .. } => Field::Tags,
            What::Interaction(_) => Field::Interaction,
            What::Category(_) => Field::Category,
        }
    }

    /// What it does, for the audit log: `title set`, `tags cleared`, `link reset`.
    #[must_use]
    pub fn action(&self) -> String {
        let done = match &self.0 {
            What::Title(said) | What::Caption(said) | What::Link(said) | What::Category(said) => {
                said.done()
            }
            What::Tags(said) => said.done(),
            What::TagsBut { .. } => "set",
            What::Interaction(said) => said.done(),
        };
        format!("{} {done}", self.field())
    }
}

#[cfg(test)]
mod tests;
