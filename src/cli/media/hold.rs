//! `storyline media hold` and `storyline media release`: a media that a person keeps back for now.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Serialize;

use super::find;
use crate::cli::exit::told;
use crate::cli::print::moment;
use crate::cli::when::{moment_ahead, when};
use crate::cli::{Failure, Seat};
use crate::domain::lock::LockKind;

/// A media, and how long it is held.
#[derive(Debug, Args)]
pub(in crate::cli) struct Hold {
    /// The media: its path, the end of its path, or the beginning of its fingerprint
    media: String,
    /// Until this day, or this day and time [default: until it is released]
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<DateTime>,
    /// A word to it, for whoever wonders later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Held {
    path: String,
    fingerprint: String,
    held: bool,
    until: Option<Timestamp>,
}

pub(super) async fn hold(seat: &Seat, options: Hold) -> Result<(), Failure> {
    let until = options
        .until
        .map(|until| moment_ahead(seat, "--until", until))
        .transpose()?;
    let media = find(seat, &options.media).await?;
    let held = Held {
        path: media.path.clone(),
        fingerprint: media.fingerprint.to_string(),
        held: true,
        until,
    };
    let (kind, by) = (LockKind::ManualHold, seat.by.clone());
    seat.flow
        .lock(media, kind, until, by, options.reason, seat.now())
        .await?;
    seat.knock().await?;
    let how_long = match until {
        Some(until) => format!("until {}", moment(until, seat.zone())),
        None => "until `storyline media release`".to_owned(),
    };
    let sentence = format!("`{}` is held back {how_long}.", held.path);
    seat.print.done(&held, &sentence)
}

pub(super) async fn release(seat: &Seat, typed: &str) -> Result<(), Failure> {
    let media = find(seat, typed).await?;
    let released = Held {
        path: media.path.clone(),
        fingerprint: media.fingerprint.to_string(),
        held: false,
        until: None,
    };
    let (kind, by) = (Some(LockKind::ManualHold), seat.by.clone());
    if seat.flow.unlock(media, kind, by, seat.now()).await? == 0 {
        return Err(Failure::NotFound(told(
            format!("`{}` is not held back", released.path),
            "`storyline lock list` shows what else may keep it out of the plan",
        )));
    }
    seat.knock().await?;
    let sentence = format!("`{}` is held back no more.", released.path);
    seat.print.done(&released, &sentence)
}
