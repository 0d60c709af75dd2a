//! A decoded picture: its samples as they were stored, eight bits each, before anything is done to its size or its colours.

use image::RgbImage;

/// What the four samples of a pixel mean, in their order. There are always four: one way of scaling is then enough, and each
/// further one would make the program larger by half a megabyte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Grey, three times over, and nothing.
    Grey,
    /// Red, green, blue, and nothing.
    Rgb,
    /// Red, green, blue and alpha, which is not multiplied into the others.
    Rgba,
    /// Cyan, magenta, yellow and black as Adobe stores them: 255 is no ink.
    Cmyk,
    /// The same with the three inks as luma and chroma.
    Ycck,
}

/// The samples of a pixel, and so its bytes.
pub(super) const SAMPLES: usize = 4;

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bitmap {
    pub(super) layout: Layout,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    /// Row by row from the top, without gaps.
    pub(super) samples: Vec<u8>,
}

impl Bitmap {
    /// The bitmap of a picture with so many samples a pixel, 1 (grey) or 3 (red, green, blue). In place: a second copy of
    /// all the pixels may be more than the box has.
    pub(super) fn widened(
        width_px: u32,
        height_px: u32,
        mut samples: Vec<u8>,
        each: usize,
    ) -> Self {
        let pixels = samples.len() / each;
        samples.resize(pixels * SAMPLES, u8::MAX);
        for pixel in (0..pixels).rev() {
            let from = pixel * each;
            let [red, green, blue] = std::array::from_fn(|sample| samples[from + sample % each]);
            samples[pixel * SAMPLES..][..SAMPLES].copy_from_slice(&[red, green, blue, u8::MAX]);
        }
        Self {
            layout: if each == 1 { Layout::Grey } else { Layout::Rgb },
            width_px,
            height_px,
            samples,
        }
    }

    /// The picture without each pixel's fourth sample.
    pub(super) fn into_rgb(self) -> RgbImage {
        let colours = self
            .pixels()
            .flat_map(|[red, green, blue, _]| [red, green, blue])
            .collect();
        RgbImage::from_raw(self.width_px, self.height_px, colours)
            .expect("a bitmap has as many samples as its size tells")
    }

    /// The pixels, four samples each.
    pub(super) fn pixels(&self) -> impl Iterator<Item = [u8; SAMPLES]> {
        let pixels = self.samples.chunks_exact(SAMPLES);
        pixels.map(|pixel| [pixel[0], pixel[1], pixel[2], pixel[3]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_and_colours_are_widened_to_four_samples() {
        let grey = Bitmap::widened(3, 1, vec![1, 2, 3], 1);
        assert_eq!(grey.layout, Layout::Grey);
        let expected = [[1, 1, 1, 255], [2, 2, 2, 255], [3, 3, 3, 255]];
        assert_eq!(grey.pixels().collect::<Vec<_>>(), expected);
        let colours = Bitmap::widened(2, 1, vec![1, 2, 3, 4, 5, 6], 3);
        assert_eq!(colours.layout, Layout::Rgb);
        let expected = [[1, 2, 3, 255], [4, 5, 6, 255]];
        assert_eq!(colours.pixels().collect::<Vec<_>>(), expected);
    }
}
