//! `storyline media missing` and `storyline media dead`: what went out of sight, and what was never shown.

use std::collections::HashSet;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::{Condition, Listed};
use crate::cli::print::{FULL, NUMBER, TEXT, Table, count, heading, moment, or_dash};
use crate::cli::{Failure, Seat};
use crate::domain::media::Media;

/// How long a media must have been there without being posted.
#[derive(Debug, Args)]
pub(in crate::cli) struct Dead {
    /// Only those known for more than so many days
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(..=36_500))]
    days: u32,
}

/// Every media that fits, with what scripts and people want to know of it.
async fn listed(seat: &Seat, fits: impl Fn(&Media) -> bool) -> Result<Vec<Listed>, Failure> {
    let locks = seat.flow.locks(seat.now()).await?;
    let locked: HashSet<_> = locks.into_iter().map(|lock| lock.fingerprint).collect();
    let all = seat.flow.media(None).await?;
    Ok(all
        .into_iter()
        .filter(|media| fits(media))
        .map(|media| Listed {
            state: Condition::of(&media),
            locked: locked.contains(&media.fingerprint),
            media,
        })
        .collect())
}

pub(super) async fn missing(seat: &Seat) -> Result<(), Failure> {
    let gone = listed(seat, |media| media.missing_since.is_some()).await?;
    seat.print.list(&gone, "No media is missing.", |gone| {
        let since = heading("Missing since", seat.zone());
        let mut table = Table::new([
            ("Media", TEXT),
            (&since, FULL),
            ("Posted", NUMBER),
            ("Last posted", FULL),
        ]);
        for Listed { media, .. } in gone {
            let told = |at: Option<Timestamp>| at.map(|at| moment(at, seat.zone()));
            table.row([
                media.path.clone(),
                or_dash(told(media.missing_since).as_deref()),
                media.posted_count.to_string(),
                or_dash(told(media.last_posted_at).as_deref()),
            ]);
        }
        table
    })
}

pub(super) async fn dead(seat: &Seat, options: &Dead) -> Result<(), Failure> {
    let long = SignedDuration::from_hours(24 * i64::from(options.days));
    let now = seat.now();
    let is_dead = |media: &Media| {
        media.posted_count == 0
            && media.missing_since.is_none()
            && now.duration_since(media.indexed_at) > long
    };
    let dead = listed(seat, is_dead).await?;
    let days = count(options.days.into(), "day", "days");
    let empty = format!("No media has been there for more than {days} without being posted.");
    seat.print.list(&dead, &empty, |dead| {
        let since = heading("Known since", seat.zone());
        let mut table = Table::new([
            ("Media", TEXT),
            ("Category", FULL),
            (&since, FULL),
            ("State", FULL),
        ]);
        for one in dead {
            table.row([
                one.media.path.clone(),
                one.media.category.to_string(),
                moment(one.media.indexed_at, seat.zone()),
                one.state_word(),
            ]);
        }
        table
    })
}
