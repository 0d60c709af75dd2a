//! `storyline media duplicates`: pictures that look alike.

use serde::Serialize;

use crate::cli::print::{FULL, NUMBER, TEXT, Table, heading, moment, or_dash};
use crate::cli::{Failure, Seat};
use crate::domain::media::Media;

/// Pictures that look alike, as scripts see them.
#[derive(Serialize)]
struct Group {
    media: Vec<Media>,
}

pub(super) async fn run(seat: &Seat) -> Result<(), Failure> {
    let alike = seat.flow.look_alikes().await?;
    let groups: Vec<Group> = alike.into_iter().map(|media| Group { media }).collect();
    let empty = "No two pictures look alike.";
    seat.print
        .list(&groups, empty, |groups| table(seat, groups))
}

fn table(seat: &Seat, groups: &[Group]) -> Table {
    let last = heading("Last posted", seat.zone());
    let mut table = Table::new([
        ("Group", NUMBER),
        ("Media", TEXT),
        ("Pixels", FULL),
        ("Bytes", NUMBER),
        ("Posted", NUMBER),
        (&last, FULL),
    ]);
    for (number, group) in (1..).zip(groups) {
        for media in &group.media {
            let posted = media.last_posted_at.map(|at| moment(at, seat.zone()));
            table.row([
                format!("{number}"),
                media.path.clone(),
                format!("{} × {}", media.width_px, media.height_px),
                media.size_bytes.to_string(),
                media.posted_count.to_string(),
                or_dash(posted.as_deref()),
            ]);
        }
    }
    table
}
