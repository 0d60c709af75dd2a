//! The examination decodes a media to its last pixel, which tells what no header does: a hole in the middle, a decoder that
//! chokes. While all its pixels are there, its thumbnail is made, and its look is taken. It takes its time and its memory,
//! both bounded, and belongs on a thread of low priority. A clip is not decoded: its structure is walked again, and what its
//! index names must be there.

use std::io::{self, BufReader, Read, Seek};

use super::clip;
use super::decode::decode;
use super::lookalike::lookalike;
use super::original::Original;
use super::render::{Form, Rendered, draw, encoded};
use crate::domain::media::Examination;

/// Decodes a picture in full; if it is sound, its thumbnail comes with it. The size told is as a person sees it.
#[must_use]
pub fn examine(original: &Original) -> (Examination, Option<Rendered>) {
    let examined = decode(original.bytes(), |decoded| {
        let (width_px, height_px) = decoded.size_as_seen();
        let (thumbnail, warning) = draw(decoded, Form::Thumbnail)?;
        let sound = Examination::Sound {
            width_px,
            height_px,
            lookalike: lookalike(&thumbnail)?,
        };
        Ok((sound, encoded(&thumbnail, warning)?))
    });
    match examined {
        Ok((sound, thumbnail)) => (sound, Some(thumbnail)),
        Err(reason) => (Examination::Flawed { reason }, None),
    }
}

/// Walks a clip from its first box to its last. The size told is as a person sees it.
///
/// # Errors
/// If it cannot be read.
pub fn examine_clip(clip: impl Read + Seek) -> io::Result<Examination> {
    Ok(match clip::read(&mut BufReader::new(clip))? {
        Ok(told) => Examination::Sound {
            width_px: told.width_px,
            height_px: told.height_px,
            lookalike: None,
        },
        Err(reason) => Examination::Flawed { reason },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    use image::{ImageEncoder, ImageFormat, RgbImage};

    fn noise(width_px: u32, height_px: u32) -> RgbImage {
        RgbImage::from_fn(width_px, height_px, |x, y| {
            image::Rgb([
                (x * 7 + y * y) as u8,
                (y * 5 + x * x) as u8,
                (x * y * 3) as u8,
            ])
        })
    }

    fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn examined(bytes: &[u8]) -> Examination {
        let (examination, thumbnail) = examine(&Original::from(bytes.to_vec()));
        let is_sound = matches!(examination, Examination::Sound { .. });
        assert_eq!(thumbnail.is_some(), is_sound);
        examination
    }

    fn size(examination: &Examination) -> (u32, u32) {
        match examination {
            Examination::Sound {
                width_px,
                height_px,
                ..
            } => (*width_px, *height_px),
            flawed => panic!("{flawed:?}"),
        }
    }

    fn reason(examination: Examination) -> String {
        match examination {
            Examination::Flawed { reason } => reason,
            sound => panic!("{sound:?}"),
        }
    }

    #[test]
    fn every_format_is_sound() {
        for format in [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let examined = examined(&encoded(&noise(60, 40), format));
            assert_eq!(size(&examined), (60, 40), "{format:?}");
        }
    }

    #[test]
    fn a_turned_picture_is_told_as_it_is_seen() {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
        // A TIFF header and one tag: orientation 6, to be turned by a quarter.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        encoder.set_exif_metadata(exif).unwrap();
        encoder.encode_image(&noise(60, 40)).unwrap();
        assert_eq!(size(&examined(&bytes)), (40, 60));
    }

    #[test]
    fn what_is_cut_off_is_flawed() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let bytes = encoded(&noise(300, 300), format);
            let half = examined(&bytes[..bytes.len() / 2]);
            assert!(reason(half).contains("cut off"));
        }
    }

    #[test]
    fn what_has_an_end_but_is_damaged_before_it_is_flawed() {
        let mut png = encoded(&noise(300, 300), ImageFormat::Png);
        let middle = png.len() / 2;
        png[middle..middle + 2000].fill(0);
        assert!(reason(examined(&png)).contains("damaged"));
        // Of a JPEG, decoders conceal what is damaged among its pixels; in its tables they cannot.
        let mut jpeg = encoded(&noise(300, 300), ImageFormat::Jpeg);
        let table = jpeg
            .windows(2)
            .position(|mark| mark == [0xff, 0xc4])
            .unwrap();
        jpeg[table + 5..table + 21].fill(0xee);
        assert!(reason(examined(&jpeg)).contains("damaged"));
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut png = encoded(&noise(10, 10), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let crc = crc32(&png[12..29]).to_be_bytes();
        png[29..33].copy_from_slice(&crc);
        assert!(reason(examined(&png)).contains("more pixels"));
    }

    #[test]
    fn a_progressive_jpeg_is_refused_sooner_since_it_takes_more_memory() {
        let mut jpeg = encoded(&noise(10, 10), ImageFormat::Jpeg);
        let frame = jpeg
            .windows(2)
            .position(|mark| mark == [0xff, 0xc0])
            .unwrap();
        jpeg[frame + 1] = 0xc2;
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0x1f, 0x40, 0x1f, 0x40]);
        assert!(reason(examined(&jpeg)).contains("stored like this"));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
            })
        })
    }

    #[test]
    fn a_clip_is_sound_as_it_is_seen_and_flawed_when_it_is_cut_off() {
        let bytes = clip::writer::phone_clip();
        let examined = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            examine_clip(file).unwrap()
        };
        assert_eq!(size(&examined(&bytes)), (1080, 1920));
        let cut = examined(&bytes[..bytes.len() - 1]);
        assert!(reason(cut).contains("cut off"));
    }
}
