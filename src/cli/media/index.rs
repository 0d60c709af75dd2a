//! `storyline media index`: the records brought up to what lies in the library.

use std::collections::HashSet;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::appliance::open_cache;
use crate::cli::print::count;
use crate::cli::{Failure, Seat, Told};
use crate::library::{Library, Scanned, examiner};

/// How many media are fetched to be examined at once.
const BATCH: u32 = 16;

#[derive(Debug, Args)]
pub(in crate::cli) struct Index {
    /// Believe that files are gone, however many: they were removed on purpose, and no disk is away
    #[arg(long)]
    accept_missing: bool,
    /// Examine now what waits for it; otherwise the service does, as soon as it runs
    #[arg(long)]
    examine: bool,
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

pub(super) async fn run(seat: &Seat, options: &Index) -> Result<(), Failure> {
    let library = Library::new(
        seat.flow.clone(),
        &seat.config.team.library,
        open_cache(&seat.config, &seat.clock),
        seat.clock.clone(),
    );
    let bar = progress("Looking at files");
    let accepted_by = options.accept_missing.then(|| seat.by.clone());
    let scanned = library
        .scan(accepted_by, |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })
        .await;
    bar.finish_and_clear();
    let scanned = scanned?;
    // The daemon hears of an alert that was raised, too.
    seat.knock().await?;
    if let Some(reason) = scanned.away {
        return Err(Failure::Unavailable(Told {
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
    let to_examine = seat.flow.count_to_examine().await?;
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
    if indexed.overlooked > 0 {
        let only = format!(" {} of them are only counted.", indexed.overlooked);
        sentence.push_str(&only);
    }
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
    bar.set_length(seat.flow.count_to_examine().await?);
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
