//! `storyline clock`: a person's word on the time of day.

use clap::Subcommand;

use super::{Failure, Seat};

#[derive(Debug, Subcommand)]
pub(super) enum Clock {
    /// Vouch for the clock: it is right, whatever is on record
    ///
    /// For a box whose clock was wrong for a while. What a clock that was ahead has called missed is taken back as far as it
    /// lies ahead, and its slots are open again; the history keeps both.
    Trust,
}

pub(super) async fn run(seat: &Seat, command: Clock) -> Result<(), Failure> {
    let Clock::Trust = command;
    let vouched = seat.flow.trust_clock(seat.by.clone(), seat.now()).await?;
    if vouched.changed() {
        seat.knock().await?;
    }
    let told = vouched.told();
    seat.print.done(&vouched, &told)
}
