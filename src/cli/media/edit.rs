//! `storyline media title`, `caption`, `link`, `tag`, `interaction` and `category`: what is said of a media by hand.

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::find;
use crate::cli::audit::words;
use crate::cli::exit::told;
use crate::cli::near::{hint, near};
use crate::cli::{Failure, Seat};
use crate::domain::category::Category;
use crate::domain::edit::{Edit, Field, LONGEST_CAPTION, LONGEST_TITLE, NotAnEdit};
use crate::flow::edit::Edited;

/// A media, and a text to say of it.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewText {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    #[command(flatten)]
    said: Words,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Words {
    /// What to say
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// There is none, whatever the files say
    #[arg(long)]
    clear: bool,
    /// Take back what was said by hand: it is as the files say again
    #[arg(long)]
    reset: bool,
}

impl Words {
    fn edit(
        &self,
        field: Field,
        set: impl FnOnce(&str) -> Result<Edit, NotAnEdit>,
    ) -> Result<Edit, NotAnEdit> {
        match &self.text {
            Some(text) => set(text),
            None if self.clear => Ok(Edit::clear(field)),
            None => Ok(Edit::reset(field)),
        }
    }
}

/// A media, and what becomes of its tags.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewTags {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    #[command(flatten)]
    said: Tags,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Tags {
    /// Add these
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    add: Vec<String>,
    /// Take these away
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    remove: Vec<String>,
    /// These, and no others
    #[arg(long, value_name = "TAGS", value_delimiter = ',', conflicts_with_all = ["add", "remove"])]
    set: Vec<String>,
    /// There are none, whatever the files say
    #[arg(long, conflicts_with_all = ["add", "remove", "set"])]
    clear: bool,
    /// Take back what was said by hand: they are as the files say again
    #[arg(long, conflicts_with_all = ["add", "remove", "set", "clear"])]
    reset: bool,
}

impl Tags {
    fn edit(&self) -> Result<Edit, NotAnEdit> {
        if self.clear {
            Ok(Edit::clear(Field::Tags))
        } else if self.reset {
            Ok(Edit::reset(Field::Tags))
        } else if self.set.is_empty() {
            Edit::more_tags(&self.add, &self.remove)
        } else {
            Edit::tags(&self.set)
        }
    }
}

/// A media, and whether it needs a person.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewInteraction {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    #[command(flatten)]
    said: Needs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Needs {
    /// Whether a person must add something by hand
    #[arg(value_enum)]
    needs: Option<YesNoAuto>,
    /// Take back what was said by hand: it is as the files say again
    #[arg(long)]
    reset: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum YesNoAuto {
    /// A person must
    Yes,
    /// Nobody need
    No,
    /// Only for a link or a poll question, whatever the files say
    Auto,
}

/// A media, and a category for it.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewCategory {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    #[command(flatten)]
    said: Name,
    /// It is a category that has no media yet
    #[arg(long, conflicts_with = "reset")]
    new: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Name {
    /// The category
    #[arg(value_name = "CATEGORY")]
    name: Option<String>,
    /// Take back what was said by hand: it is that of the folder again
    #[arg(long)]
    reset: bool,
}

pub(super) async fn title(seat: &Seat, new: NewText) -> Result<(), Failure> {
    let edit = new.said.edit(Field::Title, Edit::title);
    say(seat, &new.media, Field::Title, edit).await
}

pub(super) async fn caption(seat: &Seat, new: NewText) -> Result<(), Failure> {
    let edit = new.said.edit(Field::Caption, Edit::caption);
    say(seat, &new.media, Field::Caption, edit).await
}

pub(super) async fn link(seat: &Seat, new: NewText) -> Result<(), Failure> {
    let edit = new.said.edit(Field::Link, Edit::link);
    say(seat, &new.media, Field::Link, edit).await
}

pub(super) async fn tag(seat: &Seat, new: NewTags) -> Result<(), Failure> {
    say(seat, &new.media, Field::Tags, new.said.edit()).await
}

pub(super) async fn interaction(seat: &Seat, new: NewInteraction) -> Result<(), Failure> {
    let edit = match new.said.needs {
        Some(YesNoAuto::Yes) => Edit::interaction(true),
        Some(YesNoAuto::No) => Edit::interaction(false),
        Some(YesNoAuto::Auto) => Edit::clear(Field::Interaction),
        None => Edit::reset(Field::Interaction),
    };
    say(seat, &new.media, Field::Interaction, Ok(edit)).await
}

pub(super) async fn category(seat: &Seat, new: NewCategory) -> Result<(), Failure> {
    let edit = match &new.said.name {
        Some(name) => Edit::category(name),
        None => Ok(Edit::reset(Field::Category)),
    };
    if let (Some(name), Ok(_), false) = (&new.said.name, &edit, new.new) {
        know(seat, name.trim()).await?;
    }
    say(seat, &new.media, Field::Category, edit).await
}

/// A category that nobody knows is most likely a slip of the finger.
async fn know(seat: &Seat, name: &str) -> Result<(), Failure> {
    let known = seat.flow.categories().await?;
    if known.iter().any(|category| category.as_str() == name) {
        return Ok(());
    }
    let meant = hint(
        &near(name, known.iter().map(Category::as_str)),
        "`storyline mix show` has all categories",
    );
    Err(Failure::NotFound(told(
        format!("there are no media in a category `{name}`"),
        format!("{meant} (`--new` if it is to be a new one)"),
    )))
}

/// What was said of a media, as scripts see it.
#[derive(Serialize)]
struct Said {
    path: String,
    fingerprint: String,
    field: Field,
    changed: bool,
    /// What counted before.
    before: Value,
    /// What counts now.
    after: Value,
    /// The story before the team whose message follows.
    story: Option<u64>,
}

async fn say(
    seat: &Seat,
    typed: &str,
    field: Field,
    edit: Result<Edit, NotAnEdit>,
) -> Result<(), Failure> {
    let edit = edit.map_err(|refused| unsaid(field, &refused))?;
    let media = find(seat, typed).await?;
    let so_far = field.value(&media.metadata, &media.category);
    let mut said = Said {
        path: media.path.clone(),
        fingerprint: media.fingerprint.to_string(),
        field,
        changed: false,
        before: so_far.clone(),
        after: so_far,
        story: None,
    };
    let fingerprint = media.fingerprint;
    match seat
        .flow
        .edit(media, edit, seat.by.clone(), seat.now())
        .await?
    {
        Edited::Refused(refused) => return Err(unsaid(field, &refused)),
        Edited::AlreadySo => {
            let sentence = format!(
                "Nothing changes: the {field} of `{}` was so already.",
                said.path
            );
            return seat.print.done(&said, &sentence);
        }
        Edited::Done { before, after } => {
            (said.changed, said.before, said.after) = (true, before, after);
        }
    }
    seat.knock().await?;
    let queue = seat.flow.queue().await?;
    said.story = queue
        .iter()
        .find(|story| story.fingerprint == fingerprint && story.state.may_be_seen())
        .map(|story| story.number);
    let mut sentence = sentence(seat, &said);
    if let Some(number) = said.story {
        sentence.push_str(&format!(" The message of #{number} follows."));
    }
    seat.print.done(&said, &sentence)
}

fn unsaid(field: Field, refused: &NotAnEdit) -> Failure {
    let fit = format!(
        "a title may have {LONGEST_TITLE} characters, a caption {LONGEST_CAPTION}; `--clear` says that there is none"
    );
    let remedy = match field {
        Field::Link => {
            "a link is like `https://shop.example.com/tee`; `--clear` says that there is none"
        }
        Field::Tags => "a tag is a word or a few; commas go between several",
        Field::Category => "a category is the name of a folder of the library, like `merch`",
        Field::Title | Field::Caption | Field::Interaction => &fit,
    };
    Failure::Usage(told(refused.to_string(), remedy))
}

fn sentence(seat: &Seat, said: &Said) -> String {
    let (path, field) = (&said.path, said.field);
    let after = words(seat, &said.after);
    match (field, &said.after) {
        (Field::Interaction, Value::Bool(true)) => {
            format!("`{path}` needs a person to add something by hand.")
        }
        (Field::Interaction, Value::Bool(false)) => {
            format!("`{path}` needs nobody to add anything by hand.")
        }
        (Field::Interaction, _) => {
            format!("`{path}` needs a person only if it has a link or a poll question.")
        }
        (Field::Category, _) => {
            format!("`{path}` counts for `{after}` now; its file stays where it is.")
        }
        (Field::Tags, Value::Array(tags)) if tags.is_empty() => {
            format!("`{path}` has no tags now.")
        }
        (Field::Tags, _) => format!("`{path}` has the tags {after} now."),
        (_, Value::Null) => format!("`{path}` has no {field} now."),
        _ => format!("The {field} of `{path}` is `{after}` now."),
    }
}
