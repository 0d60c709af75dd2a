//! How a picture is brought into a story's frame, which is tall and narrow, when its own shape is another. It is never
//! stretched.

use std::fmt;
use std::str::FromStr;

/// How the frame is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// The picture whole, on a blurred extension of itself.
    #[default]
    Blur,
    /// The picture's middle, as much of it as fills the frame.
    Crop,
    /// The picture whole, on one colour.
    Color,
}

impl Fit {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::Crop => "crop",
            Self::Color => "color",
        }
    }
}

impl FromStr for Fit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "blur" => Ok(Self::Blur),
            "crop" => Ok(Self::Crop),
            "color" => Ok(Self::Color),
            _ => Err("it is none of `blur`, `crop` and `color`".to_owned()),
        }
    }
}

/// A colour of sRGB: red, green and blue. Written as on the web: `#1a2b3c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Black, as Instagram itself fills what a picture leaves of the frame.
    pub const BLACK: Self = Self([0; 3]);
    /// White, as paper.
    pub const WHITE: Self = Self([255; 3]);
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
        bytes
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| "it is no colour".to_owned())
    }
}

/// What a team decided of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Framing {
    /// How the frame is filled.
    pub fit: Fit,
    /// The colour of [`Fit::Color`].
    pub color: Color,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            fit: Fit::default(),
            color: Color::BLACK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_written_as_on_the_web() {
        for text in ["#1a2B3c", "1a2b3c"] {
            assert_eq!(text.parse(), Ok(Color([0x1a, 0x2b, 0x3c])));
        }
        assert_eq!(Color([0x1a, 0x2b, 0x3c]).to_string(), "#1a2b3c");
        for text in ["", "#12345", "#1234567", "black", "#12345g", "##12345"] {
            assert!(text.parse::<Color>().is_err(), "{text}");
        }
    }
}
