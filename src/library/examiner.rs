//! The loop that decodes every new media to the last pixel, in the background and one at a time, before it may be planned.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Seek};
use std::path::Path;
use std::time::Duration;

use super::cache::Cache;
use super::examine::{examine, examine_clip};
use super::heic;
use super::original::{self, Original, fingerprint_of};
use super::reconcile::Library;
use super::render::Form;
use super::studio::is_empty;
use crate::domain::ids::MediaId;
use crate::domain::media::{Examination, Fingerprint, Format, Media};
use crate::flow::Error;
use crate::flow::attempts::LEFT_OUT;
use crate::system::background::background;
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// So many pixels a phone's picture has, and whatever has no more is decoded without a note of it.
const MOST_EASY_PIXELS: u64 = 25_000_000;
/// How many media are fetched from the records at once.
const BATCH: u32 = 16;

/// Runs until it is time to stop.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn run(library: Library, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
    let flow = library.flow();
    // Those whose files could not be read; at the next tick they are tried again, behind all others.
    let mut failed: HashSet<MediaId> = HashSet::new();
    loop {
        pulse.expecting(Duration::from_secs(120));
        let most = BATCH.saturating_add(u32::try_from(failed.len()).unwrap_or(u32::MAX));
        let mut waiting = flow.to_examine(most).await?;
        let is_complete = waiting.is_empty();
        waiting.retain(|media| !failed.contains(&media.id));
        if !waiting.is_empty() && is_away(&library).await? {
            waiting.clear(); // nothing can be said of files on a disk that is away
        }
        if waiting.is_empty() {
            loop {
                pulse.expecting(Duration::from_secs(120));
                let beat = tokio::select! {
                    () = pulse.stopping() => return Ok(()),
                    () = flow.nudges.examine.wait() => break,
                    beat = tick.wait() => beat,
                };
                if beat.is_news || !is_complete {
                    failed.clear();
                    break;
                }
            }
            continue;
        }
        for media in waiting {
            if pulse.is_stopping() {
                return Ok(());
            }
            pulse.expecting(Duration::from_secs(120));
            let id = media.id;
            if !examine_one(&library, media).await? {
                failed.insert(id);
            }
        }
    }
}

/// Whether the disk of a library seems to be away.
async fn is_away(library: &Library) -> Result<bool, Error> {
    let root = library.root().to_owned();
    Ok(background(move || is_empty(&root)).await?)
}

/// The versions of all that looks at a media.
pub(super) fn programs() -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), heic::converter_mark())
}

/// Whether looking at it may take more memory than there is, in a program beside the service or in the service itself.
fn is_risky(media: &Media) -> bool {
    let pixels = u64::from(media.width_px) * u64::from(media.height_px);
    media.format == Format::Heic || pixels > MOST_EASY_PIXELS
}

/// Decodes one media and remembers what was found. False if its file could not be read just now, which says nothing about the
/// picture. What may take all down over it begins on record.
///
/// # Errors
/// If the store cannot be written.
pub async fn examine_one(library: &Library, media: Media) -> Result<bool, Error> {
    let flow = library.flow();
    if !is_risky(&media) {
        return Ok(look_at(library, media).await? != Ended::Unread);
    }
    if !flow.begin_look(&media, &programs()).await? {
        let reason = LEFT_OUT.to_owned();
        let left_out = Examination::Flawed { reason };
        flow.examined(media, left_out, library.clock().now())
            .await?;
        return Ok(true);
    }
    let ended = look_at(library, media.clone()).await?;
    flow.end_look(&media, ended == Ended::CutOff).await?;
    Ok(ended != Ended::Unread)
}

/// How a look at a media ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// What was found is on record.
    Known,
    /// The same, but something was cut off over it.
    CutOff,
    /// Its file could not be read just now.
    Unread,
}

async fn look_at(library: &Library, media: Media) -> Result<Ended, Error> {
    let flow = library.flow();
    let (root, path) = (library.root().to_owned(), media.path.clone());
    let (cache, fingerprint) = (library.cache().clone(), media.fingerprint);
    let is_clip = media.format.is_clip();
    let looked = background(move || {
        if is_clip {
            return look_at_clip(&root, &path, fingerprint);
        }
        Original::read(&root, &path).map(|original| look(&original, fingerprint, &cache))
    });
    let (found, warning) = match looked.await? {
        Ok(Some(looked)) => looked,
        // It was written over, and is indexed as what it is now.
        Ok(None) => return Ok(Ended::Unread),
        // Whether somebody deleted it or a disk went away, a scan can tell, which sees more than one file.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ended::Unread),
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
            return Ok(Ended::Unread);
        }
    };
    if let Some(warning) = warning {
        tracing::warn!(media = %fingerprint, "{}: {warning}", media.path);
    }
    let ended = match &found {
        Examination::Flawed { reason } if reason == heic::CUT_OFF => Ended::CutOff,
        _ => Ended::Known,
    };
    flow.examined(media, found, library.clock().now()).await?;
    Ok(ended)
}

/// What was found in a media, and what was odd.
type Look = (Examination, Option<String>);

/// Examines an original, and keeps its thumbnail. Nothing if it is another media by now.
fn look(original: &Original, fingerprint: Fingerprint, cache: &Cache) -> Option<Look> {
    if original.fingerprint() != fingerprint {
        return None;
    }
    let (found, thumbnail) = examine(original);
    let warning = thumbnail.and_then(|thumbnail| {
        cache.put(&fingerprint, Form::Thumbnail, &thumbnail.jpeg);
        thumbnail.warning
    });
    Some((found, warning))
}

/// The same of a clip, which has no thumbnail.
fn look_at_clip(root: &Path, path: &str, fingerprint: Fingerprint) -> io::Result<Option<Look>> {
    let (mut clip, _) = original::open(root, path)?;
    if fingerprint_of(&clip)? != fingerprint {
        return Ok(None);
    }
    clip.rewind()?;
    let found = examine_clip(clip)?;
    Ok(Some((found, None)))
}
