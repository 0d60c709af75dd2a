//! A decoded picture: its samples as they were stored, eight bits each, before anything is done to its size or its colours.

/// What the samples of a pixel mean, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Grey.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and alpha, which is not multiplied into the others.
    Rgba,
    /// Cyan, magenta, yellow and black as Adobe stores them: 255 is no ink.
    Cmyk,
    /// The same with the three inks as luma and chroma.
    Ycck,
}

impl Layout {
    /// How many samples, and so bytes, a pixel has.
    pub(super) const fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk | Self::Ycck => 4,
        }
    }
}

/// A decoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bitmap {
    pub(super) layout: Layout,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    /// Row by row from the top, without gaps.
    pub(super) samples: Vec<u8>,
}
