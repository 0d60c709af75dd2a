//! `storyline media`: the pictures of the library.

use std::collections::HashSet;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::exit::told;
use super::history::Ended;
use super::lock::until_word;
use super::near::{hint, near};
use super::print::{FULL, NUMBER, TEXT, Table, count, heading, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::lock::Lock;
use crate::domain::media::Media as Content;
use crate::flow::survey::Queued;
use crate::library::{Library, Scanned, examiner};

/// How many media are fetched to be examined at once.
const BATCH: u32 = 16;
/// How many ends of its stories `show` tells.
const MOST_ENDS: u32 = 5;

#[derive(Debug, Subcommand)]
pub(super) enum Media {
    /// Bring the records up to what lies in the library now
    ///
    /// The service does this by itself, at once and every hour; this is for when you cannot wait, or have removed many files.
    Index(Index),
    /// List the media
    List(List),
    /// Show all that is known of one media
    ///
    /// For example: `storyline media show merch/shirt.jpg`, or just `shirt.jpg`
    Show {
        /// The media: its path, the end of its path, or the beginning of its fingerprint
        media: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Index {
    /// Believe that files are gone, however many: they were removed on purpose, and no disk is away
    #[arg(long)]
    accept_missing: bool,
    /// Examine now what waits for it; otherwise the service does, as soon as it runs
    #[arg(long)]
    examine: bool,
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

pub(super) async fn run(seat: &Seat, command: Media) -> Result<(), Failure> {
    match command {
        Media::Index(options) => index(seat, &options).await,
        Media::List(options) => list(seat, options).await,
        Media::Show { media } => show(seat, &media).await,
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
    let mix = seat.flow.mix().await?;
    let known: Vec<&str> = mix.iter().map(|share| share.category.as_str()).collect();
    Err(Failure::NotFound(told(
        format!("there are no media in a category `{category}`"),
        hint(
            &near(category, known),
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
    for Listed {
        media,
        state,
        locked,
    } in listed
    {
        let lock = if *locked { ", locked" } else { "" };
        let posted = media.last_posted_at.map(|at| moment(at, seat.zone()));
        table.row([
            media.path.clone(),
            format!("{}{lock}", state.word()),
            format!("{} × {}", media.width_px, media.height_px),
            media.posted_count.to_string(),
            or_dash(posted.as_deref()),
        ]);
    }
    table
}

/// All that is known of one media, as scripts see it.
#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    listed: Listed,
    files: Vec<String>,
    locks: Vec<Lock>,
    story: Option<Queued>,
    history: Vec<Ended>,
}

async fn show(seat: &Seat, typed: &str) -> Result<(), Failure> {
    let media = find(seat, typed).await?;
    let mut locks = seat.flow.locks(seat.now()).await?;
    locks.retain(|lock| lock.fingerprint == media.fingerprint);
    let queue = seat.flow.queue().await?;
    let history = seat.flow.history_of(&media, MOST_ENDS).await?;
    let known = Known {
        files: seat.flow.places(media.clone()).await?,
        story: queue
            .into_iter()
            .find(|story| story.fingerprint == media.fingerprint),
        history: history.into_iter().map(Ended::from).collect(),
        listed: Listed {
            state: Condition::of(&media),
            locked: !locks.is_empty(),
            media,
        },
        locks,
    };
    seat.print.thing(&known, |known| facts(seat, known))
}

fn facts(seat: &Seat, known: &Known) -> Table {
    let media = &known.listed.media;
    let metadata = &media.metadata;
    let zone = seat.zone();
    let mut table = Table::facts();
    table.fact("Media", media.path.clone());
    for copy in known.files.iter().filter(|path| **path != media.path) {
        table.fact("Also at", copy.clone());
    }
    table.fact("State", known.listed.state.word().to_owned());
    for error in &media.errors {
        table.fact("Error", error.clone());
    }
    for warning in &media.warnings {
        table.fact("Warning", warning.clone());
    }
    if let Some(since) = media.missing_since {
        table.fact("Missing since", moment(since, zone));
    }
    for lock in &known.locks {
        let by = lock.by.as_ref().map(|by| format!(", by {by}"));
        let reason = lock.reason.as_ref().map(|reason| format!(": {reason}"));
        table.fact(
            "Lock",
            format!(
                "{}, until {}{}{}",
                lock.kind,
                until_word(seat, lock.until),
                by.unwrap_or_default(),
                reason.unwrap_or_default()
            )
            .replace("until for ever", "for ever"),
        );
    }
    if let Some(story) = &known.story {
        let due = moment(story.due_at, zone);
        table.fact(
            "Story",
            format!("#{}, {}, due {due}", story.number, story.state),
        );
    }
    table.fact("Category", media.category.to_string());
    table.fact("Title", metadata.title.clone());
    table.fact("Caption", metadata.caption.clone());
    table.fact("Link", metadata.link_url.clone());
    table.fact(
        "Tags",
        (!metadata.tags.is_empty()).then(|| metadata.tags.join(", ")),
    );
    let by_hand = metadata.needs_a_person();
    table.fact("By hand", if by_hand { "yes" } else { "no" }.to_owned());
    table.fact(
        "Picture",
        format!(
            "{}, {} × {} pixels, {} kB",
            media.format.as_str(),
            media.width_px,
            media.height_px,
            media.size_bytes.div_ceil(1000)
        ),
    );
    table.fact("Indexed", moment(media.indexed_at, zone));
    table.fact("Examined", media.examined_at.map(|at| moment(at, zone)));
    table.fact("Posted", count(media.posted_count.into(), "time", "times"));
    for end in &known.history {
        let number = end
            .number
            .map_or_else(String::new, |number| format!("#{number} "));
        let by = end.by.as_ref().map(|by| format!(" by {by}"));
        table.fact(
            "Ended",
            format!(
                "{number}{} on {}{}",
                end.outcome,
                moment(end.ended_at, zone),
                by.unwrap_or_default()
            ),
        );
    }
    table.fact("Fingerprint", media.fingerprint.to_string());
    table
}

/// The media that a person means.
pub(super) async fn find(seat: &Seat, typed: &str) -> Result<Content, Failure> {
    // As the shell completes it.
    let root = format!("{}/", seat.config.library.path.display());
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

/// What an indexing did, as scripts see it.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    scanned: Scanned,
    examined: u64,
    /// Media that wait to be examined.
    to_examine: u64,
}

async fn index(seat: &Seat, options: &Index) -> Result<(), Failure> {
    let library = Library::new(
        seat.flow.clone(),
        &seat.config.library.path,
        seat.clock.clone(),
    );
    let bar = progress("Looking at files");
    let scanned = library
        .scan(options.accept_missing, |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })
        .await;
    bar.finish_and_clear();
    let scanned = scanned?;
    // The daemon hears of an alert that was raised, too.
    seat.knock().await?;
    if let Some(reason) = scanned.away {
        return Err(Failure::Unavailable(super::Told {
            error: reason,
            hint: None,
        }));
    }
    let is_served = seat.flow.is_served().await?;
    let examined = if options.examine && !is_served {
        examine(seat, &library).await?
    } else {
        0
    };
    let to_examine = seat.flow.status(seat.now()).await?.to_examine;
    let sentence = summary(&scanned, examined, to_examine, is_served);
    let done = Done {
        scanned,
        examined,
        to_examine,
    };
    seat.print.done(&done, &sentence)
}

fn summary(scanned: &Scanned, examined: u64, to_examine: u64, is_served: bool) -> String {
    let indexed = &scanned.indexed;
    let mut words = vec![count(scanned.files as u64, "file", "files")];
    for (number, what) in [
        (indexed.new, "new"),
        (indexed.known, "known again"),
        (indexed.waiting, "unfinished"),
        (indexed.unusable, "of no use"),
        (indexed.gone, "gone"),
    ] {
        if number > 0 {
            words.push(format!("{number} {what}"));
        }
    }
    if indexed.is_nothing() {
        words.push("nothing changed".to_owned());
    }
    let mut sentence = format!("{}.", words.join(", "));
    if indexed.waiting + indexed.unusable > 0 {
        sentence.push_str(" `storyline check` says what is wrong with files.");
    }
    if examined > 0 {
        sentence.push_str(&format!(
            " {} examined.",
            count(examined, "media was", "media were")
        ));
    }
    if to_examine > 0 {
        let who = if is_served {
            "the service does it in the background"
        } else {
            "the service does it when it runs, or `storyline media index --examine` now"
        };
        let waiting = count(to_examine, "media waits", "media wait");
        sentence.push_str(&format!(" {waiting} to be examined; {who}."));
    }
    sentence
}

/// Examines all that waits for it. Nobody else does: no daemon runs.
async fn examine(seat: &Seat, library: &Library) -> Result<u64, Failure> {
    let bar = progress("Examining media");
    bar.set_length(seat.flow.status(seat.now()).await?.to_examine);
    let mut examined = HashSet::new();
    loop {
        let mut waiting = seat.flow.to_examine(BATCH).await?;
        // Each once, even if the records could not be mended by it.
        waiting.retain(|media| examined.insert(media.fingerprint));
        if waiting.is_empty() {
            break;
        }
        for media in waiting {
            examiner::examine_one(library, media).await?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    seat.knock().await?;
    Ok(examined.len() as u64)
}

/// A bar on stderr, if that is a terminal; else nothing.
fn progress(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::index::Indexed;

    #[test]
    fn the_summary_tells_only_what_there_is_to_tell() {
        let mut scanned = Scanned {
            files: 1,
            indexed: Indexed::default(),
            away: None,
        };
        assert_eq!(summary(&scanned, 0, 0, true), "1 file, nothing changed.");
        scanned.files = 3;
        scanned.indexed.new = 2;
        scanned.indexed.waiting = 1;
        assert_eq!(
            summary(&scanned, 0, 2, false),
            "3 files, 2 new, 1 unfinished. `storyline check` says what is wrong with files. 2 media wait to be examined; \
             the service does it when it runs, or `storyline media index --examine` now."
        );
    }
}
