//! The blurred extension of a picture: what fills the frame behind a picture of another shape. Nothing fine is seen in it, so
//! it is made from a small copy, of an eighth of the frame's size.

use image::RgbImage;

use super::frame::{Size, filling};
use super::scale::{Quality, scale};
use crate::library::bitmap::{Bitmap, SAMPLES};

/// How much smaller the copy is that is blurred.
const REDUCTION: u32 = 8;
/// How far the blur reaches at a time, in pixels of the small copy; three times come close to a bell of twice this width.
const RADIUS_PX: usize = 5;
/// How much light is left, in percent: the picture itself is to stand out.
const LIGHT_PERCENT: u16 = 75;

/// A frame filled with the picture, blurred and a little darker.
pub(super) fn extension(picture: &RgbImage, frame: Size) -> Result<RgbImage, String> {
    let size = Size::new(picture.width(), picture.height());
    let small = Size::new(
        frame.width_px.div_ceil(REDUCTION),
        frame.height_px.div_ceil(REDUCTION),
    );
    let bitmap = Bitmap::widened(size.width_px, size.height_px, picture.to_vec(), 3);
    let mut bitmap = scale(bitmap, Some(filling(size, frame)), small, Quality::Quick)?;
    let (width, height) = (small.width_px as usize, small.height_px as usize);
    for _ in 0..3 {
        for line in 0..height {
            smooth(&mut bitmap.samples, line * width * SAMPLES, SAMPLES, width);
        }
        for column in 0..width {
            smooth(
                &mut bitmap.samples,
                column * SAMPLES,
                width * SAMPLES,
                height,
            );
        }
    }
    for sample in &mut bitmap.samples {
        *sample = (u16::from(*sample) * LIGHT_PERCENT / 100) as u8;
    }
    Ok(scale(bitmap, None, frame, Quality::Quick)?.into_rgb())
}

/// Replaces each pixel of a line by the mean of its neighbourhood; beyond its ends, a line goes on as it ends. A line begins at
/// `start`, and its `length` pixels are `stride` samples apart.
fn smooth(samples: &mut [u8], start: usize, stride: usize, length: usize) {
    let width = 2 * RADIUS_PX + 1;
    for channel in 0..3 {
        let at = |index: usize| start + index.min(length - 1) * stride + channel;
        let line: Vec<u32> = (0..length).map(|index| samples[at(index)].into()).collect();
        let pixel = |index: isize| line[index.clamp(0, length as isize - 1) as usize];
        let radius = RADIUS_PX as isize;
        let mut sum: u32 = (-radius..=radius).map(pixel).sum();
        for index in 0..length {
            samples[at(index)] = ((sum + width as u32 / 2) / width as u32) as u8;
            let index = index as isize;
            sum = sum + pixel(index + radius + 1) - pixel(index - radius);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use image::Rgb;

    const FRAME: Size = Size::new(108, 192);

    #[test]
    fn a_plain_picture_is_extended_plainly_and_a_little_darker() {
        let plain = RgbImage::from_pixel(108, 80, Rgb([200, 100, 40]));
        let extension = extension(&plain, FRAME).unwrap();
        assert_eq!(extension.dimensions(), (108, 192));
        assert!(extension.pixels().all(|pixel| pixel.0 == [150, 75, 30]));
    }

    #[test]
    fn nothing_sharp_is_left() {
        let chequered = RgbImage::from_fn(1080, 810, |x, y| {
            Rgb([if (x / 40 + y / 40) % 2 == 0 { 255 } else { 0 }; 3])
        });
        let extension = extension(&chequered, Size::new(1080, 1920)).unwrap();
        for line in extension.rows() {
            let line: Vec<i32> = line.map(|pixel| pixel.0[0].into()).collect();
            assert!(line.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= 2));
        }
    }

    #[test]
    fn the_left_stays_left_and_the_top_stays_top() {
        let quarters = RgbImage::from_fn(1080, 1080, |x, y| {
            Rgb([
                if x < 540 { 255 } else { 0 },
                if y < 540 { 255 } else { 0 },
                0,
            ])
        });
        let extension = extension(&quarters, Size::new(1080, 1920)).unwrap();
        let is_bright = |x, y| extension.get_pixel(x, y).0.map(|colour| colour > 95);
        assert_eq!(is_bright(10, 10), [true, true, false]);
        assert_eq!(is_bright(1070, 1910), [false, false, false]);
        assert_eq!(is_bright(1070, 10), [false, true, false]);
    }
}
