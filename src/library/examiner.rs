//! The loop that decodes every new media to the last pixel, in the background and one at a time, before it may be planned.

use std::io::ErrorKind;
use std::time::Duration;

use super::background::background;
use super::cache::Cache;
use super::examine::{examine, examine_clip};
use super::original::{self, Original};
use super::reconcile::Library;
use super::render::Form;
use super::studio::is_empty;
use crate::domain::media::{Examination, Fingerprint, Media};
use crate::flow::Error;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// How many media are fetched from the records at once.
const BATCH: u32 = 16;

/// Runs until it is time to stop.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn run(library: Library, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
    let flow = library.flow();
    let mut unreadable = false;
    loop {
        pulse.expecting(Duration::from_secs(120));
        let mut waiting = flow.to_examine(BATCH).await?;
        if unreadable || is_empty(library.root()) {
            waiting.clear(); // nothing can be said of files on a disk that is away or fails
            unreadable = false;
        }
        if waiting.is_empty() {
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                () = flow.nudges.examine.wait() => {}
                _ = tick.wait() => {}
            }
            continue;
        }
        for media in waiting {
            if pulse.is_stopping() {
                return Ok(());
            }
            pulse.expecting(Duration::from_secs(120));
            unreadable |= !examine_one(&library, media).await?;
        }
    }
}

/// Decodes one media and remembers what was found. False if its file could not be read just now, which says nothing about the
/// picture.
///
/// # Errors
/// If the store cannot be written.
pub async fn examine_one(library: &Library, media: Media) -> Result<bool, Error> {
    let flow = library.flow();
    let path = library.root().join(&media.path);
    let (cache, fingerprint) = (library.cache().clone(), media.fingerprint);
    let is_clip = media.format.is_clip();
    let looked = background(move || {
        if is_clip {
            return Ok((examine_clip(original::open(&path)?)?, None));
        }
        Original::read(&path).map(|original| look(&original, fingerprint, &cache))
    });
    let (found, warning) = match looked.await? {
        Ok(looked) => looked,
        // Whether somebody deleted it or a disk went away, a scan can tell, which sees more than one file.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let reason = error.to_string();
            (Examination::Flawed { reason }, None)
        }
        Err(error) => {
            tracing::warn!(
                task = "examine",
                "{} cannot be read now: {error}",
                media.path
            );
            return Ok(false);
        }
    };
    if let Some(warning) = warning {
        tracing::warn!(media = %fingerprint, "{}: {warning}", media.path);
    }
    flow.examined(media, found, library.clock().now()).await?;
    Ok(true)
}

/// Examines an original, and keeps its thumbnail if it still is the media that is in question. Says what was odd.
fn look(
    original: &Original,
    fingerprint: Fingerprint,
    cache: &Cache,
) -> (Examination, Option<String>) {
    let (found, thumbnail) = examine(original);
    let Some(thumbnail) = thumbnail else {
        return (found, None);
    };
    if original.fingerprint() == fingerprint {
        cache.put(&fingerprint, Form::Thumbnail, &thumbnail.jpeg);
    }
    (found, thumbnail.warning)
}
