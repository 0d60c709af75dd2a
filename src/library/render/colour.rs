//! Brings the colours of a picture to sRGB, in eight bits and without transparency. A phone's Display-P3 photograph keeps its
//! look only if its profile is applied before it is left out; ink (CMYK) has no look without one, so a plain guess must do.
//! A profile that is broken, or of another kind of picture, is left out with a warning: the picture is seen all the same.

use std::panic::catch_unwind;

use image::RgbImage;
use moxcms::{ColorProfile, DataColorSpace, Layout as Channels, TransformOptions};

use crate::domain::framing::Color;
use crate::library::bitmap::{Bitmap, Layout};

/// The picture in sRGB, on this ground where it is transparent; and what was odd about its profile.
pub(super) fn to_srgb(
    bitmap: Bitmap,
    profile: Option<&[u8]>,
    ground: Color,
) -> (RgbImage, Option<String>) {
    let bitmap = with_plain_inks(bitmap);
    let converted = profile.map(|profile| {
        // Profiles are small programs written by strangers; one that breaks the reader is a broken profile.
        catch_unwind(|| converted(&bitmap, profile)).unwrap_or_else(|_| Err("it is broken".into()))
    });
    let (bitmap, warning) = match converted {
        Some(Ok(bitmap)) => (bitmap, None),
        Some(Err(reason)) => (
            bitmap,
            Some(format!("its colour profile is left out: {reason}")),
        ),
        None => (bitmap, None),
    };
    (on_ground(&bitmap, ground), warning)
}

/// The picture through its profile: RGB, or with alpha if it had that.
fn converted(bitmap: &Bitmap, profile: &[u8]) -> Result<Bitmap, String> {
    let profile = ColorProfile::new_from_slice(profile).map_err(|cause| cause.to_string())?;
    let grey: Vec<u8>;
    let (samples, channels) = match (profile.color_space, bitmap.layout) {
        (DataColorSpace::Gray, Layout::Grey) => {
            grey = bitmap.pixels().map(|[grey, ..]| grey).collect();
            (&grey, Channels::Gray)
        }
        // Four channels of ink are handed over as if they were four of light.
        (DataColorSpace::Rgb, Layout::Grey | Layout::Rgb | Layout::Rgba)
        | (DataColorSpace::Cmyk, Layout::Cmyk) => (&bitmap.samples, Channels::Rgba),
        (space, _) => return Err(format!("it is of another kind of picture ({space:?})")),
    };
    let options = TransformOptions::default();
    let transform = profile
        .create_transform_8bit(channels, &ColorProfile::new_srgb(), Channels::Rgba, options)
        .map_err(|cause| cause.to_string())?;
    let mut converted = vec![0; bitmap.samples.len()];
    transform
        .transform(samples, &mut converted)
        .map_err(|cause| cause.to_string())?;
    Ok(Bitmap {
        layout: match bitmap.layout {
            Layout::Rgba => Layout::Rgba,
            _ => Layout::Rgb,
        },
        samples: converted,
        ..*bitmap
    })
}

/// The same picture with ink as it is meant: cyan, magenta, yellow and black, and 255 is full ink.
fn with_plain_inks(mut bitmap: Bitmap) -> Bitmap {
    match bitmap.layout {
        Layout::Grey | Layout::Rgb | Layout::Rgba => {}
        Layout::Cmyk => {
            for sample in &mut bitmap.samples {
                *sample = 255 - *sample;
            }
        }
        Layout::Ycck => {
            for pixel in bitmap.samples.as_chunks_mut().0 {
                let [y, cb, cr, k] = *pixel;
                let [red, green, blue] = rgb_of_ycbcr(y, cb, cr);
                *pixel = [red, green, blue, 255 - k];
            }
            bitmap.layout = Layout::Cmyk;
        }
    }
    bitmap
}

/// As JFIF has it.
fn rgb_of_ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let [y, cb, cr] = [f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0];
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|colour| colour.round() as u8) // `as` stays within 0 to 255
}

/// The picture as light without transparency.
fn on_ground(bitmap: &Bitmap, Color(ground): Color) -> RgbImage {
    let mixed = |one: u8, other: u8, share: u8| {
        let (one, other, share) = (u32::from(one), u32::from(other), u32::from(share));
        ((one * share + other * (255 - share) + 127) / 255) as u8
    };
    let [under_red, under_green, under_blue] = ground;
    let seen = |[red, green, blue, fourth]: [u8; 4]| match bitmap.layout {
        Layout::Grey | Layout::Rgb => [red, green, blue],
        Layout::Rgba => [
            mixed(red, under_red, fourth),
            mixed(green, under_green, fourth),
            mixed(blue, under_blue, fourth),
        ],
        // A plain guess: each ink takes its part of the light, and black takes of all.
        Layout::Cmyk | Layout::Ycck => {
            [red, green, blue].map(|ink| mixed(255 - ink, 0, 255 - fourth))
        }
    };
    let samples = bitmap.pixels().flat_map(seen).collect();
    RgbImage::from_raw(bitmap.width_px, bitmap.height_px, samples)
        .expect("a bitmap has as many samples as its size tells")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bitmap(layout: Layout, pixel: [u8; 4]) -> Bitmap {
        Bitmap {
            layout,
            width_px: 8,
            height_px: 8,
            samples: pixel.repeat(64),
        }
    }

    fn converted(layout: Layout, pixel: [u8; 4], profile: &ColorProfile) -> ([u8; 3], bool) {
        let profile = profile.encode().unwrap();
        let (image, warning) = to_srgb(bitmap(layout, pixel), Some(&profile), Color::WHITE);
        (image.get_pixel(3, 3).0, warning.is_none())
    }

    fn are_near(one: [u8; 3], other: [u8; 3]) -> bool {
        one.iter()
            .zip(other)
            .all(|(one, other)| one.abs_diff(other) <= 1)
    }

    /// The expected colours are those of Little CMS (Pillow's ImageCms), for the same profiles.
    #[test]
    fn a_wide_gamut_becomes_what_it_looks_like_in_srgb() {
        let p3 = ColorProfile::new_display_p3();
        for (pixel, expected) in [
            ([200, 60, 60], [217, 42, 52]),
            ([180, 90, 40], [193, 83, 19]),
            ([60, 160, 80], [0, 163, 69]),
            ([128, 128, 128], [128, 128, 128]),
            ([234, 51, 35], [255, 0, 0]),
        ] {
            let [red, green, blue] = pixel;
            let (colour, is_silent) = converted(Layout::Rgb, [red, green, blue, 255], &p3);
            assert!(
                are_near(colour, expected) && is_silent,
                "{pixel:?}: {colour:?}"
            );
            let (colour, _) = converted(Layout::Rgba, [red, green, blue, 255], &p3);
            assert!(are_near(colour, expected), "{pixel:?}: {colour:?}");
        }
        let adobe = ColorProfile::new_adobe_rgb();
        let (colour, _) = converted(Layout::Rgb, [200, 60, 60, 255], &adobe);
        assert!(are_near(colour, [231, 57, 57]), "{colour:?}");
    }

    #[test]
    fn a_grey_profile_is_applied() {
        for (gamma, grey, expected) in [(1.0, 55, 128), (1.0, 128, 188), (1.8, 55, 71)] {
            let profile = ColorProfile::new_gray_with_gamma(gamma);
            let (colour, is_silent) = converted(Layout::Grey, [grey, grey, grey, 255], &profile);
            assert!(are_near(colour, [expected; 3]) && is_silent, "{colour:?}");
        }
        let (colour, _) = converted(Layout::Grey, [77, 77, 77, 255], &ColorProfile::new_srgb());
        assert!(are_near(colour, [77; 3]), "{colour:?}");
    }

    #[test]
    fn a_broken_or_foreign_profile_is_left_out_with_a_warning() {
        let whole = ColorProfile::new_display_p3().encode().unwrap();
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let mut no_tags = whole.clone();
        no_tags[128..].fill(0xff);
        for broken in [&b""[..], b"no profile", &whole[..200], &no_tags, &grey] {
            let picture = bitmap(Layout::Rgb, [10, 20, 30, 255]);
            let (image, warning) = to_srgb(picture, Some(broken), Color::WHITE);
            assert_eq!(image.get_pixel(0, 0).0, [10, 20, 30]);
            assert!(warning.unwrap().contains("left out"));
        }
    }

    #[test]
    fn ink_without_a_profile_is_guessed() {
        // As Adobe stores it, 255 is no ink.
        for (layout, pixel, expected) in [
            (Layout::Cmyk, [255, 255, 255, 255], [255, 255, 255]),
            (Layout::Cmyk, [255, 0, 0, 255], [255, 0, 0]),
            (Layout::Cmyk, [255, 255, 255, 0], [0, 0, 0]),
            (Layout::Cmyk, [255, 0, 0, 128], [128, 0, 0]),
            // White of luma and chroma is black of ink, which is stored inverted.
            (Layout::Ycck, [0, 128, 128, 255], [255, 255, 255]),
            (Layout::Ycck, [76, 85, 255, 255], [1, 255, 255]),
        ] {
            let (image, warning) = to_srgb(bitmap(layout, pixel), None, Color::WHITE);
            let colour = image.get_pixel(0, 0).0;
            assert!(are_near(colour, expected), "{pixel:?}: {colour:?}");
            assert_eq!(warning, None);
        }
    }

    #[test]
    fn what_is_half_transparent_is_mixed_with_the_ground() {
        let picture = bitmap(Layout::Rgba, [200, 100, 0, 128]);
        let (image, _) = to_srgb(picture, None, Color([0, 100, 200]));
        assert!(are_near(image.get_pixel(0, 0).0, [100, 100, 100]));
    }
}
