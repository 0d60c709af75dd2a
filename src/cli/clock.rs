//! `storyline clock`: a person's word on the time of day.

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, Seat};
use crate::flow::clock::Vouched;

#[derive(Debug, Subcommand)]
pub(super) enum Clock {
    /// Vouch for the clock: it is right, whatever is on record
    ///
    /// For a box whose clock was wrong for a while. What a clock that was ahead has called missed is taken back as far as it
    /// lies ahead, and its slots are open again; the history keeps both.
    Trust,
}

#[derive(Serialize)]
struct Trusted {
    changed: bool,
    #[serde(flatten)]
    vouched: Vouched,
}

pub(super) async fn run(seat: &Seat, command: Clock) -> Result<(), Failure> {
    let Clock::Trust = command;
    let vouched = seat.flow.trust_clock(seat.by.clone(), seat.now()).await?;
    let changed = vouched.changed();
    if changed {
        seat.knock().await?;
    }
    let told = vouched.told();
    seat.print.done(&Trusted { changed, vouched }, &told)
}
