//! `storyline media`: the pictures of the library.

mod duplicates;
mod edit;
mod hold;
mod import;
mod index;
mod overlooked;
mod render;
mod show;
mod validate;

use std::collections::HashSet;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::told;
use super::near::{hint, near};
use super::print::{FULL, NUMBER, TEXT, Table, heading, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::category::Category;
use crate::domain::media::Media as Content;

#[derive(Debug, Subcommand)]
pub(super) enum Media {
    /// Bring the records up to what lies in the library now
    ///
    /// The service does this by itself, at once and every hour; this is for when you cannot wait, or have removed many files.
    Index(index::Index),
    /// List the media
    List(List),
    /// Copy what is new in a folder, such as on a stick, into the library
    ///
    /// Nothing is moved or changed there. Each copy is checked by its hash, and what the library has already is left out.
    Import(import::Import),
    /// List pictures that look alike: saved anew, resized or lightly edited
    ///
    /// The plan keeps them seven days apart. The same bytes at two places are one media with two files, and not listed here.
    Duplicates,
    /// Write a picture as people will see it: upright, in the frame, in plain colours
    ///
    /// For example: `storyline media render memes/cat.jpg --output cat-as-story.jpg`
    Render(render::Render),
    /// Show all that is known of one media
    ///
    /// For example: `storyline media show merch/shirt.jpg`, or just `shirt.jpg`
    Show {
        /// The media: its path, the end of its path, or the beginning of its fingerprint
        media: String,
    },
    /// Say what a media is called, whatever its files say
    ///
    /// At most 100 characters. For example: `storyline media title merch/tee.jpg "Summer tee"`
    Title(edit::NewText),
    /// Say what text goes with a media, whatever its files say
    ///
    /// At most 600 characters, on several lines if you like; the chat cuts it where a long link and many tags leave less room.
    Caption(edit::NewText),
    /// Say where a media's link sticker should lead, whatever its files say
    ///
    /// At most 256 characters, which is what the chat's button copies. For example:
    /// `storyline media link tee.jpg https://shop.example.com/tee`, or `--clear` for no link
    Link(edit::NewText),
    /// Add tags to a media, or take some away, whatever its files say
    ///
    /// At most 15 of 40 characters each; the files' later tags do not count any more, until `--reset`. For example:
    /// `storyline media tag tee.jpg --add summer,sale --remove winter`
    Tag(edit::NewTags),
    /// Say whether a person must add something to a media by hand, whatever its files say
    Interaction(edit::NewInteraction),
    /// Say for which category a media counts, wherever its file lies; the file is not moved
    Category(edit::NewCategory),
    /// Keep a media out of the plan until it is released, or for a while
    ///
    /// For example: `storyline media hold merch/tee.jpg --until 2026-12-01 --reason "sold out"`
    Hold(hold::Hold),
    /// Let a media that is held back be chosen again
    Release {
        /// The media: its path, the end of its path, or the beginning of its fingerprint
        media: String,
    },
    /// Say what the rules for stories find wrong with the media, or with one of them
    Validate {
        /// The media: its path, the end of its path, or the beginning of its fingerprint [default: all]
        media: Option<String>,
    },
    /// List the media whose file is gone, and since when
    Missing,
    /// List the media that were there for long and never posted
    Dead(overlooked::Dead),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this category
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,
    #[command(flatten)]
    only: Only,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Only {
    /// Only those that may become stories, locks aside
    #[arg(long)]
    ready: bool,
    /// Only those that cannot, with errors
    #[arg(long)]
    flawed: bool,
    /// Only those whose file is gone
    #[arg(long)]
    missing: bool,
    /// Only those that wait to be examined
    #[arg(long)]
    waiting: bool,
}

impl Only {
    fn condition(&self) -> Option<Condition> {
        [
            (self.ready, Condition::Ready),
            (self.flawed, Condition::Flawed),
            (self.missing, Condition::Missing),
            (self.waiting, Condition::Waiting),
        ]
        .into_iter()
        .find_map(|(asked, condition)| asked.then_some(condition))
    }
}

/// Whether a media may become a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Condition {
    Ready,
    Waiting,
    Flawed,
    Missing,
}

impl Condition {
    fn of(media: &Content) -> Self {
        if media.missing_since.is_some() {
            Self::Missing
        } else if !media.errors.is_empty() {
            Self::Flawed
        } else if media.examined_at.is_none() {
            Self::Waiting
        } else {
            Self::Ready
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Flawed => "flawed",
            Self::Missing => "missing",
        }
    }
}

/// A media, as scripts see it.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    media: Content,
    state: Condition,
    locked: bool,
}

impl Listed {
    /// `ready`, `flawed, locked`.
    fn state_word(&self) -> String {
        let lock = if self.locked { ", locked" } else { "" };
        format!("{}{lock}", self.state.word())
    }
}

pub(super) async fn run(seat: &Seat, command: Media) -> Result<(), Failure> {
    match command {
        Media::Index(options) => index::run(seat, &options).await,
        Media::List(options) => list(seat, options).await,
        Media::Import(options) => import::run(seat, options).await,
        Media::Duplicates => duplicates::run(seat).await,
        Media::Render(options) => render::run(seat, options).await,
        Media::Show { media } => show::run(seat, &media).await,
        Media::Title(new) => edit::title(seat, new).await,
        Media::Caption(new) => edit::caption(seat, new).await,
        Media::Link(new) => edit::link(seat, new).await,
        Media::Tag(new) => edit::tag(seat, new).await,
        Media::Interaction(new) => edit::interaction(seat, new).await,
        Media::Category(new) => edit::category(seat, new).await,
        Media::Hold(options) => hold::hold(seat, options).await,
        Media::Release { media } => hold::release(seat, &media).await,
        Media::Validate { media } => validate::run(seat, media.as_deref()).await,
        Media::Missing => overlooked::missing(seat).await,
        Media::Dead(options) => overlooked::dead(seat, &options).await,
    }
}

async fn list(seat: &Seat, options: List) -> Result<(), Failure> {
    let only = options.only.condition();
    let locked: HashSet<_> = seat
        .flow
        .locks(seat.now())
        .await?
        .into_iter()
        .map(|lock| lock.fingerprint)
        .collect();
    let all = seat.flow.media(options.category.clone()).await?;
    if let (Some(category), true) = (&options.category, all.is_empty()) {
        return unknown_category(seat, category).await;
    }
    let listed: Vec<Listed> = all
        .into_iter()
        .map(|media| Listed {
            state: Condition::of(&media),
            locked: locked.contains(&media.fingerprint),
            media,
        })
        .filter(|listed| only.is_none_or(|only| listed.state == only))
        .collect();
    let empty = match only {
        Some(only) => format!("No media is {}.", only.word()),
        None => "No media is on record; put pictures into the library's folders.".to_owned(),
    };
    seat.print
        .list(&listed, &empty, |listed| table(seat, listed))
}

async fn unknown_category(seat: &Seat, category: &str) -> Result<(), Failure> {
    let known = seat.flow.categories().await?;
    Err(Failure::NotFound(told(
        format!("there are no media in a category `{category}`"),
        hint(
            &near(category, known.iter().map(Category::as_str)),
            "`storyline mix show` has all categories",
        ),
    )))
}

fn table(seat: &Seat, listed: &[Listed]) -> Table {
    let last = heading("Last posted", seat.zone());
    let mut table = Table::new([
        ("Media", TEXT),
        ("State", FULL),
        ("Pixels", FULL),
        ("Posted", NUMBER),
        (&last, FULL),
    ]);
    for one in listed {
        let media = &one.media;
        let posted = media.last_posted_at.map(|at| moment(at, seat.zone()));
        table.row([
            media.path.clone(),
            one.state_word(),
            format!("{} × {}", media.width_px, media.height_px),
            media.posted_count.to_string(),
            or_dash(posted.as_deref()),
        ]);
    }
    table
}

/// The media that a person means.
pub(super) async fn find(seat: &Seat, typed: &str) -> Result<Content, Failure> {
    // As the shell completes it.
    let root = format!("{}/", seat.config.team.library.display());
    let typed = typed.strip_prefix(&root).unwrap_or(typed);
    let typed = typed.trim_start_matches("./");
    let mut found = if typed.is_empty() {
        Vec::new()
    } else {
        seat.flow.media_like(typed.to_owned()).await?
    };
    if found.is_empty() {
        let all = seat.flow.media(None).await?;
        let paths = all.iter().map(|media| media.path.as_str());
        return Err(Failure::NotFound(told(
            format!("no media is called `{typed}`"),
            hint(
                &near(typed, paths),
                "`storyline media list` shows all media; one that was just added may have to be indexed first",
            ),
        )));
    }
    // A path names what lies there now, whatever lay there before or lies deeper under the same name.
    let exact = found
        .iter()
        .position(|media| media.path == typed && media.missing_since.is_none());
    match (found.len(), exact) {
        (1, _) => Ok(found.remove(0)),
        (_, Some(exact)) => Ok(found.remove(exact)),
        _ => Err(Failure::NotFound(told(
            format!("several media are called `{typed}`: {}", candidates(&found)),
            "give the whole path, or the beginning of the fingerprint",
        ))),
    }
}

fn candidates(found: &[Content]) -> String {
    let mut words: Vec<String> = found
        .iter()
        .take(5)
        .map(|media| {
            let missing = if media.missing_since.is_some() {
                ", missing"
            } else {
                ""
            };
            let fingerprint = media.fingerprint.to_string();
            format!("`{}` ({}{missing})", media.path, &fingerprint[..8])
        })
        .collect();
    if found.len() > 5 {
        words.push("and more".to_owned());
    }
    words.join(", ")
}
