//! `storyline lock`: what keeps a media out of the plan.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::exit::told;
use super::media::find;
use super::print::{FULL, TEXT, Table, count, heading, moment, or_dash};
use super::{Failure, Seat};
use crate::domain::lock::{Lock as Held, LockKind};

/// The kinds that a person may put on; the other one comes with a post.
const BY_HAND: [LockKind; 4] = [
    LockKind::ManualHold,
    LockKind::Seasonal,
    LockKind::Skip,
    LockKind::Rejected,
];

#[derive(Debug, Subcommand)]
pub(super) enum Lock {
    /// List the locks that hold now, the shortest first
    List,
    /// Keep a media out of the plan, for a while or for ever
    ///
    /// For example: `storyline lock add merch/santa.jpg --kind seasonal --until 2026-12-01`
    Add(Add),
    /// Let a media be chosen again
    Remove {
        /// The media: its path, the end of its path, or the beginning of its fingerprint
        media: String,
        /// Only locks of this kind [default: every kind]
        #[arg(long, value_parser = kind(LockKind::ALL))]
        kind: Option<LockKind>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    /// Why it is locked
    #[arg(long, default_value = "manual_hold", value_parser = kind(BY_HAND))]
    kind: LockKind,
    /// The day on which it is free again, as YYYY-MM-DD [default: never]
    #[arg(long, value_name = "DATE", conflicts_with = "days")]
    until: Option<Date>,
    /// For so many days from now
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// A word to it, for whoever wonders later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

fn kind(kinds: impl IntoIterator<Item = LockKind>) -> impl TypedValueParser<Value = LockKind> {
    PossibleValuesParser::new(kinds.into_iter().map(LockKind::as_str))
        .try_map(|word| word.parse::<LockKind>())
}

pub(super) async fn run(seat: &Seat, command: Lock) -> Result<(), Failure> {
    match command {
        Lock::List => {
            let locks = seat.flow.locks(seat.now()).await?;
            seat.print
                .list(&locks, "No media is locked.", |locks| table(seat, locks))
        }
        Lock::Add(options) => add(seat, options).await,
        Lock::Remove { media, kind } => remove(seat, &media, kind).await,
    }
}

fn table(seat: &Seat, locks: &[Held]) -> Table {
    let until = heading("Until", seat.zone());
    let mut table = Table::new([
        ("Media", TEXT),
        ("Kind", FULL),
        (&until, FULL),
        ("By", TEXT),
        ("Reason", TEXT),
    ]);
    for lock in locks {
        table.row([
            lock.path.clone(),
            lock.kind.to_string(),
            until_word(seat, lock.until),
            or_dash(lock.by.as_deref()),
            lock.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// `Sat 2026-11-21 13:05`, or `for ever`.
pub(super) fn until_word(seat: &Seat, until: Option<Timestamp>) -> String {
    until.map_or_else(|| "for ever".to_owned(), |until| moment(until, seat.zone()))
}

#[derive(Serialize)]
struct Added {
    path: String,
    fingerprint: String,
    kind: LockKind,
    until: Option<Timestamp>,
}

async fn add(seat: &Seat, options: Add) -> Result<(), Failure> {
    let now = seat.now();
    let until = end(seat, &options, now)?;
    let media = find(seat, &options.media).await?;
    let added = Added {
        path: media.path.clone(),
        fingerprint: media.fingerprint.to_string(),
        kind: options.kind,
        until,
    };
    seat.flow
        .lock(
            media,
            options.kind,
            until,
            seat.by.clone(),
            options.reason,
            now,
        )
        .await?;
    seat.knock().await?;
    let how_long = match until {
        Some(until) => format!("until {}", moment(until, seat.zone())),
        None => "for ever".to_owned(),
    };
    let sentence = format!("`{}` is locked {how_long}.", added.path);
    seat.print.done(&added, &sentence)
}

fn end(seat: &Seat, options: &Add, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let too_far = || Failure::Usage(told("the end of the lock is too far away", "leave it out"));
    if let Some(days) = options.days {
        let long = SignedDuration::from_hours(24 * i64::from(days));
        return now.checked_add(long).map(Some).map_err(|_| too_far());
    }
    let Some(date) = options.until else {
        return Ok(None);
    };
    let until = date
        .to_zoned(seat.zone().clone())
        .map_err(|_| too_far())?
        .timestamp();
    if until <= now {
        return Err(Failure::Usage(told(
            format!("`--until {date}` is not in the future"),
            "give the day on which the media is free again, or `--days`",
        )));
    }
    Ok(Some(until))
}

#[derive(Serialize)]
struct Removed {
    path: String,
    fingerprint: String,
    removed: u64,
}

async fn remove(seat: &Seat, typed: &str, kind: Option<LockKind>) -> Result<(), Failure> {
    let media = find(seat, typed).await?;
    let mut done = Removed {
        path: media.path.clone(),
        fingerprint: media.fingerprint.to_string(),
        removed: 0,
    };
    done.removed = seat
        .flow
        .unlock(media, kind, seat.by.clone(), seat.now())
        .await?;
    if done.removed == 0 {
        let of_kind = kind.map_or_else(String::new, |kind| format!(" of the kind `{kind}`"));
        return Err(Failure::NotFound(told(
            format!("`{}` has no lock{of_kind}", done.path),
            "`storyline lock list` shows all locks",
        )));
    }
    seat.knock().await?;
    let sentence = format!(
        "{} taken off `{}`.",
        count(done.removed, "lock is", "locks are"),
        done.path
    );
    seat.print.done(&done, &sentence)
}
