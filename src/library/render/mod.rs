//! From an original to what is shown of it: a story for Instagram, a preview for Telegram, a thumbnail. There is one way, and
//! every step after the first works on few pixels:
//!
//! decode, [`scale`] to the size that [`frame`] says, bring its [`colour`]s to sRGB, lay it on a ground where it is
//! transparent, turn it upright, put it before its [`blur`]red self if it leaves some of the frame empty, [`encode`].
//!
//! What comes out has the picture's looks and nothing else of the original: no EXIF (and so no place), no profile.

mod blur;
mod colour;
mod encode;
pub(super) mod frame;
pub(super) mod scale;

use image::{DynamicImage, RgbImage};

use self::frame::{Size, centred, filling, fitted, shrunk};
use self::scale::{Quality, scale};
use super::bitmap::Bitmap;
use super::decode::{Decoded, decode};
use super::original::Original;
use crate::domain::framing::{Color, Fit, Framing};

/// A story's frame, in pixels; a preview fits in.
const FRAME: Size = Size::new(1080, 1920);
/// A thumbnail fits in a square of this size, in pixels, as Telegram wants of thumbnails.
const THUMBNAIL: Size = Size::new(320, 320);
/// Telegram refuses photos that are more than twenty times as long as wide.
const MOST_RATIO: u32 = 20;
/// Instagram takes pictures up to this size, in bytes; it is far from reached.
const MOST_BYTES: usize = 8_000_000;

/// What a picture is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Instagram: exactly 1080 × 1920, the frame filled as the team decided.
    Story(Framing),
    /// The team's chat: the picture itself, fitted into a story's frame and never enlarged.
    Preview,
    /// A list: the picture itself, small.
    Thumbnail,
}

/// A picture made to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The JPEG's bytes: sRGB, upright, without metadata.
    pub jpeg: Vec<u8>,
    /// Its width, in pixels.
    pub width_px: u32,
    /// Its height, in pixels.
    pub height_px: u32,
    /// What was odd about the original's colours, in plain words.
    pub warning: Option<String>,
}

/// Makes a picture out of an original.
///
/// # Errors
///
/// Why it cannot be decoded, in plain words.
pub fn render(original: &Original, form: Form) -> Result<Rendered, String> {
    decode(original.bytes(), |decoded| {
        let (image, warning) = draw(decoded, form)?;
        encoded(&image, warning)
    })
}

/// The JPEG of a drawn picture.
pub(super) fn encoded(image: &RgbImage, warning: Option<String>) -> Result<Rendered, String> {
    Ok(Rendered {
        jpeg: encode::jpeg(image, MOST_BYTES)?,
        width_px: image.width(),
        height_px: image.height(),
        warning,
    })
}

/// A thumbnail of a picture that is upright and in sRGB already, as a JPEG.
pub(super) fn thumbnail(image: &RgbImage) -> Result<Vec<u8>, String> {
    let size = Size::new(image.width(), image.height());
    let bitmap = Bitmap::widened(size.width_px, size.height_px, image.to_vec(), 3);
    let small = scale(bitmap, None, shrunk(size, THUMBNAIL), Quality::Quick)?;
    Ok(encoded(&small.into_rgb(), None)?.jpeg)
}

/// Draws a decoded picture, upright and in sRGB; and says what was odd about its colours.
pub(super) fn draw(decoded: Decoded, form: Form) -> Result<(RgbImage, Option<String>), String> {
    let is_turned = decoded.is_turned();
    let Decoded {
        bitmap,
        orientation,
        colour_profile,
    } = decoded;
    // The picture is turned last, when it is small; until then, its frame is turned instead.
    let as_stored = |frame: Size| if is_turned { frame.turned() } else { frame };
    let size = Size::new(bitmap.width_px, bitmap.height_px);
    let (to, crop, quality, ground) = match form {
        Form::Story(Framing { fit, color }) => {
            let frame = as_stored(FRAME);
            let ground = match fit {
                Fit::Color => color,
                Fit::Blur | Fit::Crop => Color::WHITE,
            };
            match fit {
                Fit::Crop => (frame, Some(filling(size, frame)), Quality::Best, ground),
                Fit::Blur | Fit::Color => (fitted(size, frame), None, Quality::Best, ground),
            }
        }
        Form::Preview => {
            let to = shrunk(size, as_stored(FRAME));
            (to, None, Quality::Best, Color::WHITE)
        }
        Form::Thumbnail => (shrunk(size, THUMBNAIL), None, Quality::Quick, Color::WHITE),
    };
    let (image, warning) = colour::to_srgb(
        scale(bitmap, crop, to, quality)?,
        colour_profile.as_deref(),
        ground,
    );
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    let image = match form {
        Form::Story(framing) => framed(image, framing)?,
        Form::Preview => padded(image),
        Form::Thumbnail => image,
    };
    Ok((image, warning))
}

/// The picture in the middle of a story's frame, and what it leaves empty filled.
fn framed(image: RgbImage, framing: Framing) -> Result<RgbImage, String> {
    if image.dimensions() == (FRAME.width_px, FRAME.height_px) {
        return Ok(image);
    }
    let ground = match framing.fit {
        Fit::Blur | Fit::Crop => blur::extension(&image, FRAME)?,
        Fit::Color => plain(FRAME, framing.color),
    };
    Ok(on(ground, &image))
}

/// The picture between white bars, if it is longer than Telegram takes.
fn padded(image: RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let full = Size::new(
        width.max(height.div_ceil(MOST_RATIO)),
        height.max(width.div_ceil(MOST_RATIO)),
    );
    if full == Size::new(width, height) {
        return image;
    }
    on(plain(full, Color::WHITE), &image)
}

fn plain(size: Size, Color(color): Color) -> RgbImage {
    let pixels = size.width_px as usize * size.height_px as usize;
    RgbImage::from_raw(size.width_px, size.height_px, color.repeat(pixels))
        .expect("so many pixels make this size")
}

/// One picture in the middle of another.
fn on(mut ground: RgbImage, image: &RgbImage) -> RgbImage {
    let size = |image: &RgbImage| Size::new(image.width(), image.height());
    let (left, top) = centred(size(image), size(&ground));
    let bytes = |pixels: u32| pixels as usize * 3;
    let stride = bytes(ground.width());
    let rows = ground.chunks_exact_mut(stride).skip(top as usize);
    for (below, above) in rows.zip(image.chunks_exact(bytes(image.width()))) {
        below[bytes(left)..][..above.len()].copy_from_slice(above);
    }
    ground
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
