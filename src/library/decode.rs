//! Decodes a picture within limits, so that no file, however made, takes the process or the machine down.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use rustix::fs::OFlags;

use super::whole::{Wholeness, wholeness_of};
use crate::domain::media::{Format, LONGEST_SIDE_PX, MOST_BYTES, MOST_PIXELS};

/// The most memory that a decoder may ask for at once, in bytes: four bytes for each of the most pixels, and some.
const MOST_MEMORY_BYTES: u64 = MOST_PIXELS * 4 + 64 * 1024 * 1024;

/// A decoded picture, as stored; a person sees it turned by its orientation.
pub(super) struct Decoded {
    pub(super) image: DynamicImage,
    pub(super) orientation: Orientation,
    pub(super) colour_profile: Option<Vec<u8>>,
}

/// Decodes the picture at this path and hands it to `then`. Whatever goes wrong, a panic too, is a reason in plain words.
pub(super) fn decode<T>(
    path: &Path,
    then: impl FnOnce(Decoded) -> Result<T, String>,
) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(|| then(read(path)?)))
        .unwrap_or_else(|_| Err("the decoder broke down over it; it is damaged".to_owned()))
}

/// Opens an original: for reading, following no link and waiting for nothing.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, String> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(format!(
            "it is no file of at most {} MB",
            MOST_BYTES / 1_000_000
        ));
    }
    Ok(BufReader::with_capacity(64 * 1024, file))
}

pub(super) fn unreadable(cause: io::Error) -> String {
    format!("it cannot be read: {cause}")
}

fn read(path: &Path) -> Result<Decoded, String> {
    let mut reader = open(path)?;
    // Decoders are lenient and paint grey what is missing; the structure tells what they do not.
    let format = match wholeness_of(&mut reader).map_err(unreadable)? {
        Wholeness::Whole(format) => format,
        Wholeness::Unfinished { missing, .. } => return Err(format!("it is cut off: {missing}")),
        Wholeness::Foreign { reason } => return Err(reason),
    };
    let Some(image_format) = image_format(format) else {
        return Err("it is a clip, not a picture".to_owned());
    };
    // Of a progressive JPEG, all coefficients are held besides the pixels: two bytes for each of three colours.
    let bytes_per_pixel = if format == Format::Jpeg && is_progressive(&mut reader) {
        9
    } else {
        0
    };
    reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut reader = ImageReader::with_format(reader, image_format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|cause| explain(&cause))?;
    let (width_px, height_px) = decoder.dimensions();
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels > MOST_PIXELS {
        return Err(too_many_pixels());
    }
    if pixels * bytes_per_pixel > MOST_MEMORY_BYTES {
        return Err(format!(
            "a progressive JPEG with more pixels than can be decoded safely; save it anew as a plain JPEG, or with at most {} megapixels",
            MOST_MEMORY_BYTES / bytes_per_pixel / 1_000_000
        ));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let colour_profile = decoder.icc_profile().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(|cause| explain(&cause))?;
    Ok(Decoded {
        image,
        orientation,
        colour_profile,
    })
}

/// Whether a JPEG is progressive, by its frame's mark.
fn is_progressive<R: Read + Seek>(reader: &mut R) -> bool {
    if reader.seek(SeekFrom::Start(2)).is_err() {
        return false;
    }
    let mut mark = || -> io::Result<u8> {
        let mut head = [0; 4];
        reader.read_exact(&mut head)?;
        let length = i64::from(u16::from_be_bytes([head[2], head[3]]));
        reader.seek_relative(length - 2)?;
        Ok(head[1])
    };
    let marks = std::iter::from_fn(|| mark().ok());
    marks
        .take_while(|mark| *mark != 0xda)
        .any(|mark| matches!(mark, 0xc2 | 0xc6 | 0xca | 0xce))
}

/// Whether the orientation swaps width and height.
pub(super) fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
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
        Format::Jpeg => Some(ImageFormat::Jpeg),
        Format::Png => Some(ImageFormat::Png),
        Format::Gif => Some(ImageFormat::Gif),
        Format::Webp => Some(ImageFormat::WebP),
        Format::Mp4 | Format::Mov => None,
    }
}

fn explain(cause: &ImageError) -> String {
    match cause {
        ImageError::Limits(_) => too_many_pixels(),
        ImageError::Unsupported(_) => {
            format!("it is of a kind that cannot be decoded here ({cause}); save it as JPEG or PNG")
        }
        _ => format!("it is damaged ({cause}); copy it again from its source"),
    }
}

fn too_many_pixels() -> String {
    format!(
        "more pixels than can be decoded safely; at most {} megapixels and {LONGEST_SIDE_PX} a side",
        MOST_PIXELS / 1_000_000
    )
}
