//! Brings a decoded picture to another size, in its own colours: that is the only step that touches all its pixels.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, MulDiv, ResizeAlg, ResizeOptions, Resizer};

use super::frame::{Area, Size};
use crate::library::bitmap::{Bitmap, Layout, SAMPLES};

/// How much care is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::library) enum Quality {
    /// As sharp as may be.
    Best,
    /// Every pixel counts, the edges are softer.
    Quick,
}

impl Quality {
    fn filter(self) -> FilterType {
        match self {
            Self::Best => FilterType::Lanczos3,
            Self::Quick => FilterType::Bilinear,
        }
    }
}

/// The picture, or a part of it, in another size. The original goes, and its memory with it.
pub(in crate::library) fn scale(
    bitmap: Bitmap,
    crop: Option<Area>,
    to: Size,
    quality: Quality,
) -> Result<Bitmap, String> {
    let is_all = crop.is_none();
    if is_all && (bitmap.width_px, bitmap.height_px) == (to.width_px, to.height_px) {
        return Ok(bitmap);
    }
    let algorithm = ResizeAlg::Convolution(quality.filter());
    let mut options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false);
    if let Some(area) = crop {
        options = options.crop(area.left_px, area.top_px, area.width_px, area.height_px);
    }
    if bitmap.layout != Layout::Rgba {
        return resized(&bitmap, to, &options);
    }
    // In place: the library's own handling of alpha takes a second copy of all the pixels.
    let mut bitmap = bitmap;
    in_place(&mut bitmap, |alpha, image| {
        alpha.multiply_alpha_inplace_typed(image)
    })?;
    let mut bitmap = resized(&bitmap, to, &options)?;
    in_place(&mut bitmap, |alpha, image| {
        alpha.divide_alpha_inplace_typed(image)
    })?;
    Ok(bitmap)
}

fn resized(bitmap: &Bitmap, to: Size, options: &ResizeOptions) -> Result<Bitmap, String> {
    let from =
        TypedImageRef::<U8x4>::from_buffer(bitmap.width_px, bitmap.height_px, &bitmap.samples)
            .map_err(|cause| failed(&cause))?;
    let mut samples = vec![0; to.width_px as usize * to.height_px as usize * SAMPLES];
    let mut image = TypedImage::<U8x4>::from_buffer(to.width_px, to.height_px, &mut samples)
        .map_err(|cause| failed(&cause))?;
    Resizer::new()
        .resize_typed(&from, &mut image, options)
        .map_err(|cause| failed(&cause))?;
    Ok(Bitmap {
        layout: bitmap.layout,
        width_px: to.width_px,
        height_px: to.height_px,
        samples,
    })
}

fn in_place<E: std::fmt::Display>(
    bitmap: &mut Bitmap,
    change: impl FnOnce(&MulDiv, &mut TypedImage<'_, U8x4>) -> Result<(), E>,
) -> Result<(), String> {
    let Bitmap {
        width_px,
        height_px,
        samples,
        ..
    } = bitmap;
    let mut image =
        TypedImage::from_buffer(*width_px, *height_px, samples).map_err(|cause| failed(&cause))?;
    change(&MulDiv::new(), &mut image).map_err(|cause| failed(&cause))
}

fn failed(cause: &dyn std::fmt::Display) -> String {
    format!("it cannot be brought to another size: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitmap(layout: Layout, width_px: u32, height_px: u32, pixel: [u8; 4]) -> Bitmap {
        let samples = pixel.repeat((width_px * height_px) as usize);
        Bitmap {
            layout,
            width_px,
            height_px,
            samples,
        }
    }

    #[test]
    fn a_plain_picture_stays_plain_in_every_layout_and_size() {
        for (layout, pixel) in [
            (Layout::Grey, [77, 77, 77, 255]),
            (Layout::Rgb, [10, 120, 240, 255]),
            (Layout::Rgba, [200, 100, 0, 255]),
            (Layout::Cmyk, [1, 2, 3, 4]),
            (Layout::Ycck, [90, 128, 128, 30]),
        ] {
            for to in [Size::new(3, 5), Size::new(40, 31), Size::new(16, 16)] {
                for quality in [Quality::Best, Quality::Quick] {
                    let small = scale(bitmap(layout, 16, 16, pixel), None, to, quality).unwrap();
                    let expected = bitmap(layout, to.width_px, to.height_px, pixel);
                    assert_eq!(small, expected);
                }
            }
        }
    }

    #[test]
    fn what_is_transparent_lends_no_colour_to_its_neighbours() {
        let mut picture = bitmap(Layout::Rgba, 16, 16, [0, 255, 0, 0]);
        for row in picture.samples.chunks_exact_mut(16 * 4) {
            row[..8 * 4].copy_from_slice(&[250, 0, 0, 255].repeat(8));
        }
        let small = scale(picture, None, Size::new(5, 5), Quality::Quick).unwrap();
        for pixel in small.samples.chunks_exact(4).filter(|pixel| pixel[3] > 8) {
            assert!(pixel[0] > 240 && pixel[1] == 0, "{pixel:?}");
        }
    }

    #[test]
    fn a_part_is_cut_out() {
        let mut picture = bitmap(Layout::Rgb, 30, 10, [0, 0, 250, 255]);
        for row in picture.samples.chunks_exact_mut(30 * 4) {
            row[10 * 4..20 * 4].copy_from_slice(&[250, 0, 0, 255].repeat(10));
        }
        let middle = Area {
            left_px: 10.0,
            top_px: 0.0,
            width_px: 10.0,
            height_px: 10.0,
        };
        let cut = scale(picture, Some(middle), Size::new(4, 4), Quality::Best).unwrap();
        // At the cut, the filter takes a little of what lies beyond.
        let inner = &cut.samples[(4 + 1) * 4..(4 + 2) * 4];
        assert!(inner[0] > 245 && inner[2] < 5, "{inner:?}");
        let edge = &cut.samples[..3];
        assert!(edge[0] > 230 && edge[2] < 20, "{edge:?}");
    }
}
