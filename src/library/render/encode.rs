//! Encodes a picture as a plain JPEG: baseline, colours at half the resolution (as every phone and Instagram itself keep
//! them), no metadata. Of at most so many bytes: where one quality is too large, the next lower is tried.

use image::RgbImage;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

/// The qualities that are tried in turn, of 100.
const QUALITIES: [u8; 4] = [90, 80, 65, 40];

/// The JPEG of the best quality that is small enough.
pub(super) fn jpeg(image: &RgbImage, most_bytes: usize) -> Result<Vec<u8>, String> {
    let failed = |cause: &dyn std::fmt::Display| format!("no JPEG could be made: {cause}");
    let width = u16::try_from(image.width()).map_err(|cause| failed(&cause))?;
    let height = u16::try_from(image.height()).map_err(|cause| failed(&cause))?;
    for quality in QUALITIES {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
        encoder
            .encode(image, width, height, ColorType::Rgb)
            .map_err(|cause| failed(&cause))?;
        if bytes.len() <= most_bytes {
            return Ok(bytes);
        }
    }
    Err(failed(&format!("it is never less than {most_bytes} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_quality_that_is_small_enough_is_taken() {
        let mut state = 1_u32;
        let noise = RgbImage::from_fn(200, 200, |_, _| {
            image::Rgb([0; 3].map(|_: u8| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            }))
        });
        let best = jpeg(&noise, usize::MAX).unwrap().len();
        assert!(jpeg(&noise, best).unwrap().len() == best);
        let next = jpeg(&noise, best - 1).unwrap().len();
        assert!(next < best, "{next} {best}");
        assert!(jpeg(&noise, 100).unwrap_err().contains("100 bytes"));
    }
}
