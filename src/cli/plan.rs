//! `storyline pause` and `storyline resume`.

use serde::Serialize;

use super::{Failure, Seat};
use crate::flow::steer::Commanded;

#[derive(Serialize)]
struct Done {
    paused: bool,
    changed: bool,
}

pub(super) async fn pause(seat: &Seat) -> Result<(), Failure> {
    let done = seat.flow.pause(None, seat.by.clone(), seat.now()).await?;
    tell(seat, true, &done).await
}

pub(super) async fn resume(seat: &Seat) -> Result<(), Failure> {
    let done = seat.flow.resume(None, seat.by.clone(), seat.now()).await?;
    tell(seat, false, &done).await
}

async fn tell(seat: &Seat, paused: bool, done: &Commanded) -> Result<(), Failure> {
    let changed = *done == Commanded::Done;
    if changed {
        seat.knock().await?;
    }
    let sentence = match (paused, changed) {
        (true, true) => {
            "The plan is paused: nothing is sent by itself. `storyline resume` goes on with it."
        }
        (true, false) => "The plan was paused already.",
        (false, true) => "The plan goes on. What went by in the pause is not made up for.",
        (false, false) => "The plan was not paused.",
    };
    seat.print.done(&Done { paused, changed }, sentence)
}
