//! Decodes a picture within limits, so that no file, however made, takes the process or the machine down: what it would take
//! is known from its headers and refused if it is too much, one is decoded at a time, and a panic ends that picture only. The
//! work is bounded by the pixels, so it ends without being told to.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::bitmap::{Bitmap, Layout, SAMPLES};
use super::whole::{Wholeness, wholeness};
use super::{heic, jpeg, webp};
use crate::domain::media::{Format, LONGEST_SIDE_PX, MOST_PIXELS};
use crate::system::lock::lock;

/// The most memory that decoding may take, in bytes: four for each of the most pixels, and some.
const MOST_MEMORY_BYTES: u64 = MOST_PIXELS * 4 + 64 * 1024 * 1024;

/// Held while a picture is in memory with all its pixels: two at once would take twice the memory.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A decoded picture, as stored; a person sees it turned by its orientation.
pub(super) struct Decoded {
    pub(super) bitmap: Bitmap,
    pub(super) orientation: Orientation,
    pub(super) colour_profile: Option<Vec<u8>>,
}

impl Decoded {
    /// Whether a person sees it with width and height swapped.
    pub(super) fn is_turned(&self) -> bool {
        matches!(
            self.orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        )
    }

    /// Width and height as a person sees it, in pixels.
    pub(super) fn size_as_seen(&self) -> (u32, u32) {
        let (width_px, height_px) = (self.bitmap.width_px, self.bitmap.height_px);
        if self.is_turned() {
            (height_px, width_px)
        } else {
            (width_px, height_px)
        }
    }
}

/// Decodes these bytes and hands the picture to `then`. Whatever goes wrong, a panic too, is a reason in plain words.
pub(super) fn decode<T>(
    bytes: &[u8],
    then: impl FnOnce(Decoded) -> Result<T, String>,
) -> Result<T, String> {
    guarded(|| then(read(bytes)?))
}

/// Does work that holds a decoded picture: alone, and a panic is a reason like any other.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let _one = lock(&ONE_AT_A_TIME);
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the decoder broke down over it; it is damaged".to_owned()))
}

fn read(bytes: &[u8]) -> Result<Decoded, String> {
    // Decoders are lenient and paint grey what is missing; the structure tells what they do not.
    let format = match wholeness(bytes) {
        Wholeness::Whole(Format::Jpeg) => return jpeg::decode(bytes),
        Wholeness::Whole(Format::Heic) => return read_heic(bytes),
        Wholeness::Whole(format) => format,
        Wholeness::Unfinished { missing, .. } => return Err(format!("it is cut off: {missing}")),
        Wholeness::Foreign { reason } => return Err(reason),
    };
    let Some(image_format) = image_format(format) else {
        return Err("it is no picture that is decoded here".to_owned());
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image_format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|cause| explain(&cause))?;
    let (width_px, height_px) = decoder.dimensions();
    let stored_bytes = decoder.color_type().bytes_per_pixel();
    let pixel_bytes = u64::from(stored_bytes).max(SAMPLES as u64);
    // Besides: a second copy, where samples are brought to eight bits or where frames are put together.
    let copy_bytes = match (format, decoder.color_type()) {
        (Format::Png, ColorType::L8 | ColorType::Rgb8 | ColorType::Rgba8) => 0,
        _ => 4 * u64::from(width_px) * u64::from(height_px),
    };
    fits(width_px, height_px, pixel_bytes, copy_bytes)?;
    let (orientation, colour_profile) = match format {
        Format::Webp => (webp::orientation(bytes), webp::colour_profile(bytes)),
        _ => (
            decoder.orientation().ok(),
            decoder.icc_profile().unwrap_or_default(),
        ),
    };
    let image = DynamicImage::from_decoder(decoder).map_err(|cause| explain(&cause))?;
    let bitmap = match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageLuma16(_) => {
            Bitmap::widened(width_px, height_px, image.into_luma8().into_raw(), 1)
        }
        DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgb16(_) => {
            Bitmap::widened(width_px, height_px, image.into_rgb8().into_raw(), 3)
        }
        _ => Bitmap {
            layout: Layout::Rgba,
            width_px,
            height_px,
            samples: image.into_rgba8().into_raw(),
        },
    };
    Ok(Decoded {
        bitmap,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        colour_profile,
    })
}

/// The converter turns the picture as the container says. That is all there is to turn: the EXIF of a HEIC often says the same
/// once more, is handed on, and by the standard does not count.
fn read_heic(bytes: &[u8]) -> Result<Decoded, String> {
    if let Some((width_px, height_px)) = heic::size(bytes) {
        fits(width_px, height_px, SAMPLES as u64, 0)?;
    }
    let decoded = jpeg::decode(&heic::to_jpeg(bytes)?)?;
    Ok(Decoded {
        orientation: Orientation::NoTransforms,
        ..decoded
    })
}

/// Refuses what is more than the box can take: pixels of so many bytes, and so many bytes besides.
pub(super) fn fits(
    width_px: u32,
    height_px: u32,
    pixel_bytes: u64,
    besides_bytes: u64,
) -> Result<(), String> {
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels > MOST_PIXELS || width_px.max(height_px) > LONGEST_SIDE_PX {
        return Err(too_many_pixels());
    }
    let needed_bytes = pixels * pixel_bytes + besides_bytes;
    if needed_bytes > MOST_MEMORY_BYTES {
        let megapixels = pixels * MOST_MEMORY_BYTES / needed_bytes / 1_000_000;
        return Err(format!(
            "more pixels than can be decoded safely when stored like this; save it anew as a plain JPEG, or with at most \
             {megapixels} megapixels"
        ));
    }
    Ok(())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE_PX);
    limits.max_image_height = Some(LONGEST_SIDE_PX);
    limits.max_alloc = Some(MOST_MEMORY_BYTES);
    limits
}

/// What the decoder calls the format, if it is one of pictures.
pub(super) fn image_format(format: Format) -> Option<ImageFormat> {
    match format {
        Format::Png => Some(ImageFormat::Png),
        Format::Gif => Some(ImageFormat::Gif),
        Format::Webp => Some(ImageFormat::WebP),
        Format::Jpeg | Format::Heic | Format::Mp4 | Format::Mov => None,
    }
}

fn explain(cause: &ImageError) -> String {
    match cause {
        ImageError::Limits(_) => too_many_pixels(),
        ImageError::Unsupported(_) => unsupported(&cause.to_string()),
        _ => damaged(&cause.to_string()),
    }
}

pub(super) fn unsupported(cause: &str) -> String {
    format!("it is of a kind that cannot be decoded here ({cause}); save it as JPEG or PNG")
}

pub(super) fn damaged(cause: &str) -> String {
    format!("it is damaged ({cause}); copy it again from its source")
}

pub(super) fn too_many_pixels() -> String {
    format!(
        "more pixels than can be decoded safely; at most {} megapixels and {LONGEST_SIDE_PX} a side",
        MOST_PIXELS / 1_000_000
    )
}
