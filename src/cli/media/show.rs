//! `storyline media show`: all that is known of one media.

use serde::Serialize;

use super::{Condition, Listed, find};
use crate::cli::history::Ended;
use crate::cli::lock::until_word;
use crate::cli::print::{Table, count, moment};
use crate::cli::{Failure, Seat};
use crate::domain::clip::{Clip, seconds};
use crate::domain::lock::Lock;
use crate::flow::survey::Queued;

/// How many ends of its stories are told.
const MOST_ENDS: u32 = 5;

/// All that is known of one media, as scripts see it.
#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    listed: Listed,
    files: Vec<String>,
    locks: Vec<Lock>,
    story: Option<Queued>,
    history: Vec<Ended>,
}

pub(super) async fn run(seat: &Seat, typed: &str) -> Result<(), Failure> {
    let media = find(seat, typed).await?;
    let mut locks = seat.flow.locks(seat.now()).await?;
    locks.retain(|lock| lock.fingerprint == media.fingerprint);
    let queue = seat.flow.queue().await?;
    let history = seat.flow.history_of(&media, MOST_ENDS).await?;
    let known = Known {
        files: seat.flow.places(media.clone()).await?,
        story: queue
            .into_iter()
            .find(|story| story.fingerprint == media.fingerprint),
        history: history.into_iter().map(Ended::from).collect(),
        listed: Listed {
            state: Condition::of(&media),
            locked: !locks.is_empty(),
            media,
        },
        locks,
    };
    seat.print.thing(&known, |known| facts(seat, known))
}

fn facts(seat: &Seat, known: &Known) -> Table {
    let media = &known.listed.media;
    let metadata = &media.metadata;
    let zone = seat.zone();
    let mut table = Table::facts();
    table.fact("Media", media.path.clone());
    for copy in known.files.iter().filter(|path| **path != media.path) {
        table.fact("Also at", copy.clone());
    }
    table.fact("State", known.listed.state.word().to_owned());
    for error in &media.errors {
        table.fact("Error", error.clone());
    }
    for warning in &media.warnings {
        table.fact("Warning", warning.clone());
    }
    if let Some(since) = media.missing_since {
        table.fact("Missing since", moment(since, zone));
    }
    for lock in &known.locks {
        let by = lock.by.as_ref().map(|by| format!(", by {by}"));
        let reason = lock.reason.as_ref().map(|reason| format!(": {reason}"));
        table.fact(
            "Lock",
            format!(
                "{}, until {}{}{}",
                lock.kind,
                until_word(seat, lock.until),
                by.unwrap_or_default(),
                reason.unwrap_or_default()
            )
            .replace("until for ever", "for ever"),
        );
    }
    if let Some(story) = &known.story {
        let due = moment(story.due_at, zone);
        table.fact(
            "Story",
            format!("#{}, {}, due {due}", story.number, story.state),
        );
    }
    table.fact("Category", media.category.to_string());
    table.fact("Title", metadata.title.clone());
    table.fact("Caption", metadata.caption.clone());
    table.fact("Link", metadata.link_url.clone());
    table.fact(
        "Tags",
        (!metadata.tags.is_empty()).then(|| metadata.tags.join(", ")),
    );
    let edited: Vec<String> = media
        .edits
        .fields()
        .iter()
        .map(ToString::to_string)
        .collect();
    table.fact("Edited", (!edited.is_empty()).then(|| edited.join(", ")));
    let by_hand = metadata.needs_a_person();
    table.fact("By hand", if by_hand { "yes" } else { "no" }.to_owned());
    let what = if media.clip.is_some() {
        "Clip"
    } else {
        "Picture"
    };
    let lasting = media
        .clip
        .as_ref()
        .map(|clip| format!(", {}", seconds(clip.duration_ms)));
    table.fact(
        what,
        format!(
            "{}{}, {} × {} pixels, {} kB",
            media.format.as_str(),
            lasting.unwrap_or_default(),
            media.width_px,
            media.height_px,
            media.size_bytes.div_ceil(1000)
        ),
    );
    table.fact("Coded", media.clip.as_ref().map(coding));
    table.fact("Indexed", moment(media.indexed_at, zone));
    table.fact("Examined", media.examined_at.map(|at| moment(at, zone)));
    table.fact("Posted", count(media.posted_count.into(), "time", "times"));
    for end in &known.history {
        let number = end
            .number
            .map_or_else(String::new, |number| format!("#{number} "));
        let by = end.by.as_ref().map(|by| format!(" by {by}"));
        table.fact(
            "Ended",
            format!(
                "{number}{} on {}{}",
                end.outcome,
                moment(end.ended_at, zone),
                by.unwrap_or_default()
            ),
        );
    }
    table.fact("Fingerprint", media.fingerprint.to_string());
    table
}

/// How a clip is coded: `h264, 30 frames a second; aac, 48000 Hz, 2 channels`.
fn coding(clip: &Clip) -> String {
    let sound = clip.audio.as_ref().map_or_else(
        || "no sound".to_owned(),
        |audio| {
            let channels = count(audio.channels.into(), "channel", "channels");
            format!("{}, {} Hz, {channels}", audio.codec, audio.sample_rate_hz)
        },
    );
    format!(
        "{}, {} frames a second; {sound}",
        clip.video_codec, clip.frames_per_second
    )
}
