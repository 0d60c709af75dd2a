//! What a chat makes of a picture, and whether the original tells more than what is shown there.
//!
//! Telegram takes a photo of at most 10 MB, whose sides add up to 10,000 px and whose ratio is at most 20 (its documentation).
//! It makes every photo a JPEG of its own and takes the metadata out; one within 1280 × 1280 px keeps its size everywhere,
//! and whether a larger one does (up to 2560 px in newer programs) is decided there (its developers, in tdlib's issues).

use super::media::{DOCUMENT_BYTES, Format, Media};

/// A photo is taken up to this size, in bytes.
const PHOTO_BYTES: u64 = 10_000_000;
/// Width and height add up to at most this, in pixels.
const PHOTO_SUM_PX: u32 = 10_000;
/// It is at most so many times as long as wide.
const PHOTO_RATIO: u32 = 20;
/// What is shown of a picture is as wide as a story at most, in pixels.
const SHOWN_WIDTH_PX: u32 = 1080;
/// The longest side that stays as it is everywhere, in pixels.
const KEPT_SIDE_PX: u32 = 1280;

/// Whether a picture is too much for a chat's photos, so that less is shown of it.
#[must_use]
pub fn is_too_much(media: &Media) -> bool {
    let (longer, shorter) = (
        media.width_px.max(media.height_px),
        media.width_px.min(media.height_px),
    );
    media.size_bytes > PHOTO_BYTES
        || longer.saturating_add(shorter) > PHOTO_SUM_PX
        || longer > shorter.saturating_mul(PHOTO_RATIO)
}

/// Whether the original tells more than what a chat shows of it, and can be sent. A clip is shown as it is, or is too large
/// to be sent at all; of the pictures only a JPEG of a size that everybody keeps is no more than what is shown.
#[must_use]
pub fn original_gains(media: &Media) -> bool {
    if media.clip.is_some() {
        return false;
    }
    let is_shown_whole = media.format == Format::Jpeg
        && media.width_px <= SHOWN_WIDTH_PX
        && media.height_px <= KEPT_SIDE_PX
        && !is_too_much(media);
    !is_shown_whole && media.size_bytes <= DOCUMENT_BYTES
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::category::Category;
    use crate::domain::edit::Edits;
    use crate::domain::ids::MediaId;
    use crate::domain::media::{Fingerprint, Metadata};

    fn media(format: Format, width_px: u32, height_px: u32, size_bytes: u64) -> Media {
        Media {
            id: MediaId::from_bytes([1; 16]),
            fingerprint: Fingerprint::from_bytes([1; 32]),
            format,
            size_bytes,
            width_px,
            height_px,
            clip: None,
            category: Category::new("memes"),
            path: "memes/cat".to_owned(),
            metadata: Metadata::default(),
            edits: Edits::default(),
            errors: Vec::new(),
            warnings: Vec::new(),
            indexed_at: Timestamp::UNIX_EPOCH,
            examined_at: None,
            missing_since: None,
            posted_count: 0,
            last_posted_at: None,
            lookalike: None,
        }
    }

    #[test]
    fn an_original_gains_where_less_of_it_is_shown_and_it_can_be_sent() {
        use Format::{Gif, Heic, Jpeg, Png, Webp};
        for (format, width_px, height_px, size_bytes, gains) in [
            (Jpeg, 1080, 1280, 900_000, false),
            (Jpeg, 640, 480, 10_000_000, false),
            (Jpeg, 640, 480, 10_000_001, true),
            (Jpeg, 1080, 1281, 900_000, true),
            (Jpeg, 1081, 1080, 900_000, true),
            (Jpeg, 1000, 40, 9_000, true),
            (Png, 640, 480, 900_000, true),
            (Webp, 640, 480, 900_000, true),
            (Gif, 640, 480, 900_000, true),
            (Heic, 640, 480, 900_000, true),
            (Jpeg, 9_000, 9_000, DOCUMENT_BYTES + 1, false),
        ] {
            let media = media(format, width_px, height_px, size_bytes);
            assert_eq!(original_gains(&media), gains, "{media:?}");
        }
        let clip = Media {
            clip: Some(crate::domain::clip::Clip::default()),
            ..media(Format::Mp4, 1080, 1920, 9_000_000)
        };
        assert!(!original_gains(&clip));
    }
}
