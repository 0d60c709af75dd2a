//! What the library makes of a file: the inspector's finding, the examination, and every rendering.

use std::fmt;
use std::fs::File;
use std::path::Path;

use image::{GenericImageView as _, ImageFormat, RgbImage};
use storyline::domain::framing::{Color, Fit, Framing};
use storyline::domain::media::{Content, Examination, Finding, Format};
use storyline::library::examine::{examine, examine_clip};
use storyline::library::{Form, Inspector, Original, render};

use crate::table::{Expected, Quarters};

/// How far a quarter's mean may be from what the judge saw, in each colour.
const TOLERANCE: u8 = 6;
/// A story's frame.
const FRAME: (u32, u32) = (1080, 1920);

/// What was made of a file.
pub(crate) enum Seen {
    Clip((u32, u32)),
    Picture {
        /// As the header tells; that of a HEIC tells of several pictures, and only decoding tells which is seen.
        header: Option<(u32, u32)>,
        /// As a person sees it.
        size: (u32, u32),
        warning: Option<String>,
        renderings: Vec<(Form, RgbImage)>,
    },
    Flawed(String),
    Waiting(String),
    Unusable(String),
}

impl Seen {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Clip(_) => "sound clip",
            Self::Picture { .. } => "sound picture",
            Self::Flawed(_) => "flawed",
            Self::Waiting(_) => "waiting",
            Self::Unusable(_) => "unusable",
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<13} ", self.kind())?;
        match self {
            Self::Clip((width, height)) => write!(f, "{width}x{height}"),
            Self::Picture {
                size: (width, height),
                warning,
                ..
            } => {
                let warning = warning.as_deref().unwrap_or_default();
                write!(f, "{width}x{height} {warning}")
            }
            Self::Flawed(reason) | Self::Waiting(reason) | Self::Unusable(reason) => {
                write!(f, "{reason}")
            }
        }
    }
}

/// Looks at the file of this name in the library, in every way that the library has, and draws it for these.
pub(crate) fn look(inspector: &mut Inspector, library: &Path, name: &str, forms: &[Form]) -> Seen {
    match inspector.inspect(name).unwrap().finding {
        Finding::Whole(content) if content.clip.is_some() => clip(&library.join(name), &content),
        Finding::Whole(content) => {
            picture(&Original::read(library, name).unwrap(), &content, forms)
        }
        Finding::Waiting { reason } => Seen::Waiting(still_refused(library, name, reason)),
        Finding::Unusable { reason } => Seen::Unusable(still_refused(library, name, reason)),
    }
}

/// What a file is drawn for.
pub(crate) fn forms(expected: &Expected) -> Vec<Form> {
    let story = |fit| {
        Form::Story(Framing {
            fit,
            color: Color::WHITE, // as the judge lays what is transparent on white
        })
    };
    let fits = match expected {
        Expected::Sound {
            in_every_form: true,
            ..
        } => &[Fit::Blur, Fit::Crop, Fit::Color][..],
        _ => &[],
    };
    let stories = fits.iter().map(|fit| story(*fit));
    stories.chain([Form::Preview]).collect()
}

/// The reason why a file is not indexed, once it is sure that no other look takes it for a sound one.
fn still_refused(library: &Path, name: &str, reason: String) -> String {
    let original = Original::read(library, name).unwrap();
    let (examination, thumbnail) = examine(&original);
    assert!(
        matches!(examination, Examination::Flawed { .. }),
        "{name}: {examination:?}"
    );
    assert!(thumbnail.is_none() && render(&original, Form::Preview).is_err());
    reason
}

fn clip(path: &Path, content: &Content) -> Seen {
    match examine_clip(File::open(path).unwrap()).unwrap() {
        Examination::Sound {
            width_px,
            height_px,
            ..
        } => {
            assert_eq!((width_px, height_px), (content.width_px, content.height_px));
            Seen::Clip((width_px, height_px))
        }
        Examination::Flawed { reason } => Seen::Flawed(reason),
    }
}

fn picture(original: &Original, content: &Content, forms: &[Form]) -> Seen {
    let (examination, thumbnail) = examine(original);
    let size = match examination {
        Examination::Sound {
            width_px,
            height_px,
            ..
        } => (width_px, height_px),
        Examination::Flawed { reason } => {
            assert!(render(original, Form::Preview).is_err());
            return Seen::Flawed(reason);
        }
    };
    let thumbnail = thumbnail.unwrap();
    let made = forms
        .iter()
        .map(|form| (*form, render(original, *form).unwrap()));
    let warning = thumbnail.warning.clone();
    let renderings = made
        .chain([(Form::Thumbnail, thumbnail)])
        .map(|(form, made)| {
            let image = image::load_from_memory_with_format(&made.jpeg, ImageFormat::Jpeg).unwrap();
            assert_eq!(image.dimensions(), (made.width_px, made.height_px));
            (form, image.into_rgb8())
        })
        .collect();
    Seen::Picture {
        header: (content.format != Format::Heic).then_some((content.width_px, content.height_px)),
        size,
        warning,
        renderings,
    }
}

/// Holds what was seen against what is expected: how near the colours are, or what is wrong.
pub(crate) fn compared(expected: &Expected, seen: &Seen) -> Result<String, String> {
    match (expected, seen) {
        (
            Expected::Sound {
                width_px,
                height_px,
                ..
            },
            Seen::Clip(size),
        ) => sized((*width_px, *height_px), *size).map(|()| String::new()),
        (
            Expected::Sound {
                width_px,
                height_px,
                quarters,
                ..
            },
            Seen::Picture {
                header,
                size,
                renderings,
                ..
            },
        ) => {
            sized((*width_px, *height_px), *size)?;
            if header.is_some_and(|header| header != *size && header != (size.1, size.0)) {
                return Err(format!("its header tells {header:?}"));
            }
            let Some(quarters) = quarters else {
                return Ok("  colours not compared".to_owned());
            };
            let apart = renderings
                .iter()
                .map(|(form, image)| apart(*form, image, *size, quarters))
                .collect::<Result<Vec<u8>, String>>()?;
            Ok(format!("  colours {apart:?} apart"))
        }
        (Expected::Flawed(words), Seen::Flawed(reason))
        | (Expected::Waiting(words), Seen::Waiting(reason))
        | (Expected::Unusable(words), Seen::Unusable(reason)) => {
            let is_said = reason.contains(words.as_str());
            is_said
                .then(String::new)
                .ok_or(format!("`{words}` expected, not `{reason}`"))
        }
        (expected, seen) => Err(format!("{expected:?} expected, not {seen}")),
    }
}

fn sized(expected: (u32, u32), seen: (u32, u32)) -> Result<(), String> {
    (expected == seen)
        .then_some(())
        .ok_or(format!("{expected:?} expected, not {seen:?}"))
}

/// How far the colours of a rendering are from what the judge saw, at most.
fn apart(
    form: Form,
    image: &RgbImage,
    size: (u32, u32),
    expected: &Quarters,
) -> Result<u8, String> {
    // Where the picture itself lies, in the middle of what is laid around it.
    let inner = match form {
        Form::Story(framing) => {
            sized(FRAME, image.dimensions())?;
            if framing.fit == Fit::Crop {
                return Ok(0); // some of it is not seen
            }
            within(size, FRAME)
        }
        Form::Preview if size.0 <= FRAME.0 && size.1 <= FRAME.1 => size,
        Form::Preview => within(size, FRAME),
        Form::Thumbnail if size.0.max(size.1) <= 320 => size,
        Form::Thumbnail => within(size, (320, 320)),
    };
    if matches!(form, Form::Thumbnail) {
        sized(inner, image.dimensions())?;
    }
    let (left, top) = (
        (image.width() - inner.0) / 2,
        (image.height() - inner.1) / 2,
    );
    let has_quarters = size.0 >= 8 && size.1 >= 8;
    let seen = quarters(image, (left, top), inner, has_quarters);
    let apart = seen.iter().flatten().zip(expected.iter().flatten());
    let most = apart
        .map(|(seen, expected)| seen.abs_diff(*expected))
        .max()
        .unwrap();
    if most > TOLERANCE {
        let told = |quarters: &Quarters| {
            quarters
                .map(|[red, green, blue]| format!("{red:02x}{green:02x}{blue:02x}"))
                .join(" ")
        };
        return Err(format!(
            "{form:?}: {} expected, not {}",
            told(expected),
            told(&seen)
        ));
    }
    Ok(most)
}

/// The largest size of the whole picture in the frame.
fn within(size: (u32, u32), frame: (u32, u32)) -> (u32, u32) {
    let scale = f64::min(
        f64::from(frame.0) / f64::from(size.0),
        f64::from(frame.1) / f64::from(size.1),
    );
    let scaled = |length: u32| (f64::from(length) * scale).round().max(1.0) as u32;
    (scaled(size.0), scaled(size.1))
}

/// The mean colours of the quarters of a part that begins here and is so large, or of all of it four times over.
fn quarters(image: &RgbImage, from: (u32, u32), size: (u32, u32), has_quarters: bool) -> Quarters {
    let half = match has_quarters {
        true => (size.0 / 2, size.1 / 2),
        false => size,
    };
    let rest = (size.0 - half.0, size.1 - half.1);
    let middle = (from.0 + half.0, from.1 + half.1);
    let above_left = mean(image, from, half);
    if !has_quarters {
        return [above_left; 4];
    }
    [
        above_left,
        mean(image, (middle.0, from.1), (rest.0, half.1)),
        mean(image, (from.0, middle.1), (half.0, rest.1)),
        mean(image, middle, rest),
    ]
}

fn mean(image: &RgbImage, (left, top): (u32, u32), (width, height): (u32, u32)) -> [u8; 3] {
    let bytes = |pixels: u32| pixels as usize * 3;
    let rows = image.chunks_exact(bytes(image.width()));
    let mut sums = [0_u64; 3];
    for row in rows.skip(top as usize).take(height as usize) {
        for pixel in row[bytes(left)..bytes(left + width)].as_chunks().0 {
            let [red, green, blue] = *pixel;
            sums[0] += u64::from(red);
            sums[1] += u64::from(green);
            sums[2] += u64::from(blue);
        }
    }
    let pixels = u64::from(width) * u64::from(height);
    sums.map(|sum| ((sum + pixels / 2) / pixels) as u8)
}
