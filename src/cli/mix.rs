//! `storyline mix`: the shares of the categories in the plan.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde::Serialize;

use super::exit::told;
use super::print::{FULL, NUMBER, TEXT, Table, count, heading, moment, or_dash, say};
use super::{Failure, Seat};
use crate::domain::category::{Category, Share, in_ppm, share};
use crate::domain::runway::FARTHEST_DAYS;
use crate::flow::settings::Changed;
use crate::flow::survey::ShareInForce;

#[derive(Debug, Subcommand)]
pub(super) enum Mix {
    /// Show the shares in force, and what each category has had since they were set
    Show,
    /// Set the shares, which must add up to 100 %
    ///
    /// A category that is not named gets none. For example: `storyline mix set memes=70 merch=30`; fractions will do as well:
    /// `memes=0.7 merch=0.3`. `storyline mix set --none` takes the mix back: then any category will do.
    Set {
        /// A category and its share
        #[arg(value_name = "CATEGORY=PERCENT", value_parser = share, required_unless_present = "none")]
        shares: Vec<(String, f64)>,
        /// Any category will do
        #[arg(long, conflicts_with = "shares")]
        none: bool,
    },
    /// List all shares there ever were, the newest first
    History,
}

pub(super) async fn run(seat: &Seat, command: Mix) -> Result<(), Failure> {
    match command {
        Mix::Show => show(seat).await,
        Mix::Set { shares, .. } => set(seat, shares).await,
        Mix::History => history(seat).await,
    }
}

async fn show(seat: &Seat) -> Result<(), Failure> {
    let shares = seat.flow.mix(seat.now()).await?;
    let is_set = shares.iter().any(|share| share.share_ppm.is_some());
    if !is_set && !shares.is_empty() && !seat.print.is_json() {
        say("No mix is set: any category will do.");
    }
    seat.print.list(
        &shares,
        "No category has any media, and no mix is set.",
        table,
    )
}

fn table(shares: &[ShareInForce]) -> Table {
    let all: u64 = shares.iter().map(|share| share.stories).sum();
    let mut table = Table::new([
        ("Category", FULL),
        ("Wanted", NUMBER),
        ("So far", NUMBER),
        ("Stories", NUMBER),
        ("Media", NUMBER),
        ("Lasts", NUMBER),
    ]);
    for share in shares {
        // An exact rounding of small counts; nobody counts beyond 2^53 stories.
        let so_far =
            (all > 0).then(|| format!("{:.0} %", 100.0 * share.stories as f64 / all as f64));
        table.row([
            share.category.to_string(),
            or_dash(share.share_ppm.map(percent).as_deref()),
            or_dash(so_far.as_deref()),
            share.stories.to_string(),
            share.media.to_string(),
            lasts(share),
        ]);
    }
    table
}

/// `5 days`.
fn lasts(share: &ShareInForce) -> String {
    match (share.lasts_days, share.share_ppm) {
        (Some(days), _) => count(days.into(), "day", "days"),
        (None, Some(1..)) => format!("> {FARTHEST_DAYS} days"),
        (None, _) => or_dash(None),
    }
}

/// `70 %`, `33.3333 %`.
fn percent(share_ppm: u32) -> String {
    format!("{} %", f64::from(share_ppm) / 10_000.0)
}

#[derive(Serialize)]
struct Set {
    #[serde(serialize_with = "crate::domain::media::as_text")]
    category: Category,
    share_ppm: u32,
}

async fn set(seat: &Seat, shares: Vec<(String, f64)>) -> Result<(), Failure> {
    let shares = checked(shares)?;
    let (by, now) = (seat.by.clone(), seat.now());
    if let Changed::Refused(unknown) = seat.flow.set_mix(shares.clone(), by, now).await? {
        return Err(Failure::NotFound(told(unknown.reason, unknown.remedy)));
    }
    seat.knock().await?;
    let set: Vec<Set> = shares
        .into_iter()
        .map(|(category, share_ppm)| Set {
            category,
            share_ppm,
        })
        .collect();
    let words: Vec<String> = set
        .iter()
        .map(|share| format!("{} {}", share.category, percent(share.share_ppm)))
        .collect();
    let sentence = if words.is_empty() {
        "No mix is set any more: any category will do.".to_owned()
    } else {
        format!("The mix is {}. The plan follows.", words.join(", "))
    };
    seat.print.done(&set, &sentence)
}

/// The shares as they were typed, or what is wrong with them.
fn checked(shares: Vec<(String, f64)>) -> Result<BTreeMap<Category, u32>, Failure> {
    in_ppm(shares).map_err(|error| {
        Failure::Usage(told(
            error.to_string(),
            "give each category once, like `storyline mix set memes=70 merch=30`",
        ))
    })
}

async fn history(seat: &Seat) -> Result<(), Failure> {
    let shares = seat.flow.mix_history().await?;
    seat.print
        .list(&shares, "No mix was ever set.", |shares| past(seat, shares))
}

fn past(seat: &Seat, shares: &[Share]) -> Table {
    let set = heading("Set", seat.zone());
    let mut table = Table::new([
        (&set, FULL),
        ("Category", FULL),
        ("Share", NUMBER),
        ("By", TEXT),
        ("Until", FULL),
    ]);
    for share in shares {
        let until = share.replaced_at.map(|until| moment(until, seat.zone()));
        table.row([
            moment(share.set_at, seat.zone()),
            share.category.to_string(),
            percent(share.share_ppm),
            or_dash(share.set_by.as_deref()),
            until.unwrap_or_else(|| "in force".to_owned()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ppm(typed: &[&str]) -> Result<Vec<u32>, String> {
        let shares: Result<Vec<_>, _> = typed.iter().map(|typed| share(typed)).collect();
        in_ppm(shares?)
            .map(|shares| shares.into_values().collect())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn shares_are_percent_or_fractions() {
        assert_eq!(ppm(&["a=70", "b=30"]), Ok(vec![700_000, 300_000]));
        assert_eq!(ppm(&["a=0.7", "b=0.3"]), Ok(vec![700_000, 300_000]));
        assert_eq!(ppm(&["a=99%", "b=1 %"]), Ok(vec![990_000, 10_000]));
        assert_eq!(ppm(&["a=1"]), Ok(vec![1_000_000]));
        assert_eq!(ppm(&["a=100"]), Ok(vec![1_000_000]));
        assert!(ppm(&["a=70", "b=20"]).is_err());
        assert!(ppm(&["a=50", "a=50"]).is_err());
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for typed in [
            "memes",
            "memes=",
            "=5",
            "memes=many",
            "memes=-1",
            "memes=NaN",
            "memes=101",
        ] {
            assert!(share(typed).is_err(), "{typed}");
        }
    }
}
