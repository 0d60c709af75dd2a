//! `storyline clock`: a person's word on the time of day.

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, Seat};

#[derive(Debug, Subcommand)]
pub(super) enum Clock {
    /// Vouch for the clock: it is right, though the records hold a later time
    ///
    /// For a box whose clock was far ahead for a while and that has no systemd-timesyncd to say that it is right again.
    Trust,
}

#[derive(Serialize)]
struct Trusted {
    changed: bool,
}

pub(super) async fn run(seat: &Seat, command: Clock) -> Result<(), Failure> {
    let Clock::Trust = command;
    let changed = seat.flow.trust_clock(seat.by.clone(), seat.now()).await?;
    let sentence = if changed {
        seat.knock().await?;
        "The clock is trusted again, and the plan goes on."
    } else {
        "The clock is not in doubt."
    };
    seat.print.done(&Trusted { changed }, sentence)
}
