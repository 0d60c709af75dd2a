//! The loop that decodes every new media to the last pixel, in the background and one at a time, before it may be planned.

use std::time::Duration;

use super::examine::examine;
use super::indexer::is_there;
use super::reconcile::{Library, blocking};
use super::walk::root_identity;
use crate::domain::media::Media;
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
    loop {
        pulse.expecting(Duration::from_secs(120));
        let mut waiting = flow.to_examine(BATCH).await?;
        if root_identity(library.root()).is_err() {
            waiting.clear(); // nothing can be said of files on a disk that is away
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
            examine_one(&library, media).await?;
        }
    }
}

/// Decodes one media and remembers what was found; if its file is gone, that.
///
/// # Errors
/// If the store cannot be written.
pub async fn examine_one(library: &Library, media: Media) -> Result<(), Error> {
    let flow = library.flow();
    if !is_there(library.root(), &media.path) {
        flow.vanished(vec![media.path], library.clock().now())
            .await?;
        return Ok(());
    }
    let path = library.root().join(&media.path);
    let found = blocking(move || examine(&path)).await?;
    flow.examined(media, found, library.clock().now()).await
}
