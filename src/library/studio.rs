//! Makes the picture that a story is shown with. The file is read anew and must still have the content that was indexed:
//! some writers leave no trace, and a story must show what was chosen.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::preview::preview;
use super::reconcile::blocking;
use crate::domain::media::Media;
use crate::flow::outlet::{NoPicture, Picture, Studio};

/// Telegram takes photos up to this size, in bytes.
const PHOTO_BYTES: u64 = 10_000_000;
/// Telegram takes documents up to this size, in bytes.
const DOCUMENT_BYTES: u64 = 50_000_000;
/// Telegram takes photos whose width and height add up to at most this, in pixels.
const PHOTO_SUM_PX: u32 = 10_000;
/// Telegram takes photos at most this many times as long as wide.
const PHOTO_RATIO: u32 = 20;

/// The longest that making a picture may take; a disk that hangs must not hang the plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// The studio of the library at this root.
#[must_use]
pub fn studio(root: PathBuf) -> Studio {
    Arc::new(move |media| {
        let root = root.clone();
        Box::pin(async move {
            let making = blocking(move || picture(&root, &media));
            match tokio::time::timeout(PATIENCE, making).await {
                Ok(Ok(made)) => made,
                Ok(Err(error)) => Err(NoPicture::Flawed(error.to_string())),
                Err(_) => Err(NoPicture::Away(
                    "The library's disk does not answer.".to_owned(),
                )),
            }
        })
    })
}

fn picture(root: &Path, media: &Media) -> Result<Picture, NoPicture> {
    let path = root.join(&media.path);
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound if !is_empty(root) => NoPicture::Missing,
        ErrorKind::NotFound => NoPicture::Away(format!(
            "The library {} is empty or not there; is its disk connected and mounted?",
            root.display()
        )),
        _ => NoPicture::Away(format!("{} cannot be read: {error}.", path.display())),
    };
    let mut hasher = blake3::Hasher::new();
    let file = std::fs::File::open(&path).map_err(unreadable)?;
    hasher.update_reader(file).map_err(unreadable)?;
    if hasher.finalize().as_bytes() != media.fingerprint.as_bytes() {
        return Err(NoPicture::Changed);
    }
    let shown = preview(&path).map_err(NoPicture::Flawed)?;
    let document = if is_too_much_for_a_photo(media) && media.size_bytes <= DOCUMENT_BYTES {
        let name = media
            .path
            .rsplit('/')
            .next()
            .unwrap_or(&media.path)
            .to_owned();
        Some((name, std::fs::read(&path).map_err(unreadable)?))
    } else {
        None
    };
    Ok(Picture {
        jpeg: shown.jpeg,
        document,
    })
}

/// Whether nothing lies in the library, or it is not there: a disk that is away looks so.
pub(super) fn is_empty(root: &Path) -> bool {
    std::fs::read_dir(root).map_or(true, |mut entries| entries.next().is_none())
}

fn is_too_much_for_a_photo(media: &Media) -> bool {
    let (longer, shorter) = (
        media.width_px.max(media.height_px),
        media.width_px.min(media.height_px),
    );
    media.size_bytes > PHOTO_BYTES
        || longer + shorter > PHOTO_SUM_PX
        || longer > shorter.saturating_mul(PHOTO_RATIO)
}
