//! Makes the picture that a story is shown with. The file is read anew and must still have the content that was indexed:
//! some writers leave no trace, and a story must show what was chosen.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

use super::poster::poster;
use super::preview::preview;
use super::reconcile::blocking;
use crate::domain::clip::{Clip, TELEGRAM_CLIP_BYTES};
use crate::domain::media::Media;
use crate::flow::outlet::{NoPicture, Picture, Studio, Video};

/// Telegram takes photos up to this size, in bytes.
const PHOTO_BYTES: u64 = 10_000_000;
/// Telegram takes documents up to this size, in bytes.
const DOCUMENT_BYTES: u64 = 50_000_000;
/// Telegram takes thumbnails up to this width and height, in pixels.
const THUMBNAIL_PX: u32 = 320;
/// The quality of a clip's frame as JPEG, of 100.
const QUALITY: u8 = 85;
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
    match &media.clip {
        Some(clip) => clip_shown(path, media, clip),
        None => picture_shown(&path, media),
    }
}

fn picture_shown(path: &Path, media: &Media) -> Result<Picture, NoPicture> {
    let shown = preview(path).map_err(NoPicture::Flawed)?;
    let document = if is_too_much_for_a_photo(media) && media.size_bytes <= DOCUMENT_BYTES {
        Some((file_name(media).to_owned(), read(path)?))
    } else {
        None
    };
    Ok(Picture {
        jpeg: shown.jpeg,
        video: None,
        document,
    })
}

/// A clip is shown as a video, or as one of its frames if it is too large for that.
fn clip_shown(path: PathBuf, media: &Media, clip: &Clip) -> Result<Picture, NoPicture> {
    let frame = poster(&path, (media.width_px, media.height_px), clip);
    let video = (media.size_bytes <= TELEGRAM_CLIP_BYTES)
        .then(|| {
            Ok(Video {
                thumbnail: jpeg(&small(&frame))?,
                path,
                width_px: media.width_px,
                height_px: media.height_px,
                duration_s: u32::try_from(clip.duration_ms.div_ceil(1000)).unwrap_or(u32::MAX),
            })
        })
        .transpose()?;
    Ok(Picture {
        jpeg: jpeg(&frame)?,
        video,
        document: None,
    })
}

/// The picture as a thumbnail.
fn small(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let longer = width.max(height).max(THUMBNAIL_PX);
    let part = |side: u32| (side * THUMBNAIL_PX / longer).max(1);
    imageops::thumbnail(image, part(width), part(height))
}

fn jpeg(image: &RgbImage) -> Result<Vec<u8>, NoPicture> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(image)
        .map_err(|cause| NoPicture::Flawed(format!("no picture of it could be made: {cause}")))?;
    Ok(bytes)
}

fn file_name(media: &Media) -> &str {
    media.path.rsplit('/').next().unwrap_or(&media.path)
}

fn read(path: &Path) -> Result<Vec<u8>, NoPicture> {
    std::fs::read(path)
        .map_err(|error| NoPicture::Away(format!("{} cannot be read: {error}.", path.display())))
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
