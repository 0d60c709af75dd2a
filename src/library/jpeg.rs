//! Decodes a JPEG with its inks as they are, and tells beforehand what memory that takes: a picture whose colours or
//! refinements come one after the other is held as coefficients until the last has come.

use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::bitmap::{Bitmap, Layout, SAMPLES};
use super::decode::{Decoded, damaged, fits, unsupported};

/// Decodes a JPEG. A progressive one ends after a hundred scans, which is zune-jpeg's own limit against endless work.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    // Told from the start: how colours are converted is settled when the headers are read.
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGBA)
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX)) // what is too large is said below, in plain words
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|cause| explain(&cause))?;
    let (Some((width, height)), Some(stored)) = (decoder.dimensions(), decoder.input_colorspace())
    else {
        return Err(damaged("it has no frame"));
    };
    let (layout, as_stored) = match stored {
        ColorSpace::Luma => (Layout::Grey, None),
        ColorSpace::CMYK => (Layout::Cmyk, Some(ColorSpace::CMYK)),
        ColorSpace::YCCK => (Layout::Ycck, Some(ColorSpace::YCCK)),
        _ => (Layout::Rgb, None),
    };
    if let Some(inks) = as_stored {
        decoder.set_options(decoder.options().jpeg_set_out_colorspace(inks));
    }
    let (width_px, height_px) = (width as u32, height as u32);
    let coefficients = Frame::of(bytes).map_or(0, |frame| frame.coefficient_bytes());
    fits(width_px, height_px, SAMPLES as u64, coefficients)?;
    let samples = decoder.decode().map_err(|cause| explain(&cause))?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(Decoded {
        bitmap: Bitmap {
            layout,
            width_px,
            height_px,
            samples,
        },
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        colour_profile: decoder.icc_profile(),
    })
}

fn explain(cause: &DecodeErrors) -> String {
    match cause {
        DecodeErrors::Unsupported(what) => unsupported(&format!("{what:?}")),
        cause => damaged(&cause.to_string()),
    }
}

/// What the header of a frame and of its first scan tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Frame {
    width_px: u64,
    height_px: u64,
    /// The sampling of each component, across and down.
    sampling: Vec<(u64, u64)>,
    /// Whether its first scan has not all that is to be known of its pixels.
    is_in_parts: bool,
}

impl Frame {
    /// The frame of a JPEG; none where its headers are broken, which the decoder then says better.
    fn of(bytes: &[u8]) -> Option<Self> {
        let mut frame = Self::default();
        let mut rest = bytes.get(2..)?;
        loop {
            while let [0xff, 0xff, ..] = rest {
                rest = &rest[1..];
            }
            let [0xff, mark, high, low, ..] = *rest else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = rest.get(4..length + 2)?;
            match mark {
                0xc4 | 0xc8 | 0xcc => {}
                0xc0..=0xcf => frame.read(mark, segment)?,
                0xda => {
                    frame.is_in_parts |= usize::from(*segment.first()?) < frame.sampling.len();
                    return Some(frame);
                }
                _ => {}
            }
            rest = rest.get(length + 2..)?;
        }
    }

    fn read(&mut self, mark: u8, segment: &[u8]) -> Option<()> {
        let [_, h1, h0, w1, w0, _, components @ ..] = segment else {
            return None;
        };
        self.height_px = u64::from(u16::from_be_bytes([*h1, *h0]));
        self.width_px = u64::from(u16::from_be_bytes([*w1, *w0]));
        let sampling = |component: &[u8]| {
            let factors = component[1];
            (u64::from(factors >> 4), u64::from(factors & 15))
        };
        self.sampling = components.chunks_exact(3).map(sampling).collect();
        self.is_in_parts = matches!(mark, 0xc2 | 0xc6 | 0xca | 0xce);
        Some(())
    }

    /// The memory that its coefficients take besides the pixels, in bytes: two for each sample, if they must be held.
    fn coefficient_bytes(&self) -> u64 {
        if !self.is_in_parts {
            return 0;
        }
        let across = self.sampling.iter().map(|one| one.0).max().unwrap_or(1);
        let down = self.sampling.iter().map(|one| one.1).max().unwrap_or(1);
        let samples: u64 = self.sampling.iter().map(|one| one.0 * one.1).sum();
        self.width_px * self.height_px * samples * 2 / (across * down).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    fn jpeg(progressive: bool, sampling: SamplingFactor) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 90);
        encoder.set_progressive(progressive);
        encoder.set_sampling_factor(sampling);
        let pixels = vec![120; 40 * 20 * 3];
        encoder.encode(&pixels, 40, 20, ColorType::Rgb).unwrap();
        bytes
    }

    #[test]
    fn the_memory_of_coefficients_is_known_from_the_headers() {
        use SamplingFactor::{F_1_1, F_2_2};
        for (progressive, sampling, bytes) in [
            (false, F_2_2, 0),
            (false, F_1_1, 0),
            (true, F_2_2, 40 * 20 * 3),
            (true, F_1_1, 40 * 20 * 6),
        ] {
            let frame = Frame::of(&jpeg(progressive, sampling)).unwrap();
            assert_eq!((frame.width_px, frame.height_px), (40, 20));
            assert_eq!(
                frame.coefficient_bytes(),
                bytes,
                "{progressive} {sampling:?}"
            );
        }
        assert_eq!(Frame::of(b"\xff\xd8\xff"), None);
    }
}
