//! The preview is what people see of a media in Telegram: a JPEG that fits a story's frame, upright, with nothing of the
//! original's EXIF (and so without its place).

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GenericImageView, ImageEncoder, Rgb, RgbImage};

use super::decode::{Decoded, decode, is_turned};

/// A story's frame, in pixels; a preview fits in.
const FRAME_PX: (u32, u32) = (1080, 1920);
/// Telegram refuses photos that are more than twenty times as long as wide.
const MOST_RATIO: u32 = 20;
/// The quality of the JPEG, of 100.
const QUALITY: u8 = 90;

/// A picture made to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The JPEG's bytes.
    pub jpeg: Vec<u8>,
    /// Its width, in pixels.
    pub width_px: u32,
    /// Its height, in pixels.
    pub height_px: u32,
}

/// Makes a preview of the picture at this path: fitted into 1080 × 1920, never enlarged, never stretched.
///
/// # Errors
///
/// Why the picture cannot be decoded, in plain words.
pub fn preview(path: &Path) -> Result<Preview, String> {
    decode(path, |decoded| {
        let Decoded {
            image,
            orientation,
            colour_profile,
        } = decoded;
        let frame = if is_turned(orientation) {
            (FRAME_PX.1, FRAME_PX.0)
        } else {
            FRAME_PX
        };
        // Made small first and turned then: it saves a copy of all the pixels.
        let mut image = DynamicImage::ImageRgb8(on_white(fitted(image, frame)));
        image.apply_orientation(orientation);
        let image = padded(image.into_rgb8());
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
        if let Some(profile) = colour_profile.filter(|profile| is_of_rgb(profile)) {
            // A profile too large for a JPEG is left out; the picture is shown all the same.
            let _ = encoder.set_icc_profile(profile);
        }
        encoder
            .encode_image(&image)
            .map_err(|cause| format!("no preview could be made: {cause}"))?;
        Ok(Preview {
            jpeg,
            width_px: image.width(),
            height_px: image.height(),
        })
    })
}

/// The picture made small enough for the frame.
fn fitted(image: DynamicImage, frame: (u32, u32)) -> DynamicImage {
    let (width_px, height_px) = image.dimensions();
    let (width_px, height_px) = (u64::from(width_px), u64::from(height_px));
    let (frame_width, frame_height) = (u64::from(frame.0), u64::from(frame.1));
    if width_px <= frame_width && height_px <= frame_height {
        return image;
    }
    let (width, height) = if width_px * frame_height > height_px * frame_width {
        (frame_width, rounded(height_px * frame_width, width_px))
    } else {
        (rounded(width_px * frame_height, height_px), frame_height)
    };
    let (width, height) = (width.max(1) as u32, height.max(1) as u32);
    // Averaging whole blocks first is quick and keeps the exact filter's memory small.
    let image = if width_px > u64::from(width) * 3 && height_px > u64::from(height) * 3 {
        image.thumbnail_exact(width * 2, height * 2)
    } else {
        image
    };
    image.resize_exact(width, height, FilterType::CatmullRom)
}

fn rounded(dividend: u64, divisor: u64) -> u64 {
    (dividend + divisor / 2) / divisor
}

/// The picture on white, where it is transparent.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u32::from);
        let over = |colour: u32| ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([over(red), over(green), over(blue)])
    })
}

/// The picture between white bars, if it is longer than Telegram takes.
fn padded(image: RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let full_width = width.max(height.div_ceil(MOST_RATIO));
    let full_height = height.max(width.div_ceil(MOST_RATIO));
    if (full_width, full_height) == (width, height) {
        return image;
    }
    let mut full = RgbImage::from_pixel(full_width, full_height, Rgb([255; 3]));
    let left = i64::from((full_width - width) / 2);
    let top = i64::from((full_height - height) / 2);
    imageops::replace(&mut full, &image, left, top);
    full
}

/// Whether a colour profile speaks of RGB, as the preview's pixels do.
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.get(16..20) == Some(b"RGB ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Cursor;

    use image::{ImageDecoder, ImageFormat, Rgba, RgbaImage};

    fn previewed(bytes: &[u8]) -> Preview {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cat");
        fs::write(&path, bytes).unwrap();
        let preview = preview(&path).unwrap();
        let shown = shown(&preview);
        assert_eq!(
            shown.dimensions(),
            (preview.width_px, preview.height_px),
            "the JPEG is as large as told"
        );
        preview
    }

    fn shown(preview: &Preview) -> RgbImage {
        image::load_from_memory_with_format(&preview.jpeg, ImageFormat::Jpeg)
            .unwrap()
            .into_rgb8()
    }

    fn png(width_px: u32, height_px: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::from_pixel(width_px, height_px, Rgb([200, 30, 30]))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_fitted_and_never_enlarged_or_stretched() {
        for (from, to) in [
            ((1200, 900), (1080, 810)),
            ((300, 6000), (96, 1920)),
            ((270, 2160), (240, 1920)),
            ((500, 300), (500, 300)),
            ((1080, 1920), (1080, 1920)),
            ((1081, 1), (1080, 54)),
            ((4000, 20), (1080, 54)),
            ((2, 5000), (96, 1920)),
            ((1, 1), (1, 1)),
        ] {
            let preview = previewed(&png(from.0, from.1));
            assert_eq!((preview.width_px, preview.height_px), to, "{from:?}");
        }
    }

    #[test]
    fn what_is_transparent_is_white() {
        let mut bytes = Cursor::new(Vec::new());
        RgbaImage::from_pixel(30, 30, Rgba([0, 0, 0, 0]))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        let preview = previewed(&bytes.into_inner());
        assert!(shown(&preview).pixels().all(|pixel| pixel.0 == [255; 3]));
    }

    #[test]
    fn a_turned_picture_is_upright_keeps_its_colours_and_loses_its_exif() {
        let mut profile = vec![0; 132];
        profile[16..20].copy_from_slice(b"RGB ");
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        // Red on the left; turned by a quarter, red is on top.
        let image = RgbImage::from_fn(2400, 200, |x, _| {
            Rgb(if x < 1200 { [250, 0, 0] } else { [0, 0, 250] })
        });
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.set_icc_profile(profile.clone()).unwrap();
        encoder.encode_image(&image).unwrap();
        let preview = previewed(&bytes);
        assert_eq!((preview.width_px, preview.height_px), (160, 1920));
        let shown = shown(&preview);
        assert!(shown.get_pixel(80, 100).0[0] > 200 && shown.get_pixel(80, 1800).0[2] > 200);
        let mut decoder =
            image::codecs::jpeg::JpegDecoder::new(Cursor::new(&preview.jpeg)).unwrap();
        assert_eq!(decoder.icc_profile().unwrap(), Some(profile));
        assert_eq!(decoder.exif_metadata().unwrap(), None);
    }

    #[test]
    fn an_animation_shows_its_first_frame() {
        let mut bytes = Vec::new();
        let frames = [[250, 0, 0, 255], [0, 0, 250, 255]]
            .map(|colour| image::Frame::new(RgbaImage::from_pixel(40, 40, Rgba(colour))));
        image::codecs::gif::GifEncoder::new(&mut bytes)
            .encode_frames(frames)
            .unwrap();
        let pixel = *shown(&previewed(&bytes)).get_pixel(20, 20);
        assert!(pixel.0[0] > 200 && pixel.0[2] < 60, "{pixel:?}");
    }

    #[test]
    fn what_is_no_picture_has_no_preview() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cat.jpg");
        fs::write(&path, b"Dear diary").unwrap();
        assert!(preview(&path).unwrap_err().contains("a text"));
    }
}
