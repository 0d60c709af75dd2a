//! Computes what a picture looks like: its coarse light and shade, as the signs of its lowest frequencies (a DCT, known as
//! pHash). Saving anew, resizing and light edits change fine detail, which is not looked at. Comparing neighbours instead
//! (dHash) is simpler, but takes most cards with text, and most products on white, for the same one.

use std::f32::consts::PI;

use image::RgbImage;

use super::bitmap::Bitmap;
use super::render::frame::Size;
use super::render::scale::{Quality, scale};
use crate::domain::lookalike::Lookalike;

/// The side of the square of grey that the picture is brought to, in pixels.
const SIDE_PX: usize = 32;
/// Frequencies are counted from 0, the mean, which says nothing; so many are looked at in each direction.
const FREQUENCIES: usize = 11;
const BITS: usize = 64;
/// A wave weaker than this, in levels of grey, may come from the encoding alone.
const NOISE_LEVELS: f32 = 0.25;
/// A picture with fewer waves than this has no features to tell it by: a plain colour, a gradient. The signs of what is not
/// there would be the encoder's whim, and all such pictures alike or not by chance.
const FEWEST_WAVES: usize = 12;

/// What this upright picture looks like; none if it has no features.
pub(super) fn lookalike(image: &RgbImage) -> Result<Option<Lookalike>, String> {
    let waves = waves(&grey(image)?);
    let strong = waves.iter().filter(|wave| wave.abs() >= NOISE_LEVELS);
    if strong.count() < FEWEST_WAVES {
        return Ok(None);
    }
    let bits = waves.iter().enumerate().fold(0, |bits, (index, wave)| {
        bits | (u64::from(*wave > 0.0) << index)
    });
    Ok(Some(Lookalike::from_bits(bits)))
}

/// The picture in grey, brought to a small square.
fn grey(image: &RgbImage) -> Result<Vec<f32>, String> {
    let samples = image
        .pixels()
        .map(|pixel| {
            let [red, green, blue] = pixel.0.map(u32::from);
            ((red * 299 + green * 587 + blue * 114 + 500) / 1000) as u8
        })
        .collect();
    let bitmap = Bitmap::widened(image.width(), image.height(), samples, 1);
    let square = Size::new(SIDE_PX as u32, SIDE_PX as u32);
    let square = scale(bitmap, None, square, Quality::Quick)?;
    Ok(square.pixels().map(|[grey, ..]| grey.into()).collect())
}

/// The strength of the sixty-four slowest waves in the square, the slowest first, in levels of grey.
fn waves(square: &[f32]) -> [f32; BITS] {
    let cosine = |frequency: usize, at: usize| {
        (PI * frequency as f32 * (at as f32 + 0.5) / SIDE_PX as f32).cos()
    };
    let cosines: Vec<[f32; SIDE_PX]> = (0..FREQUENCIES)
        .map(|frequency| std::array::from_fn(|at| cosine(frequency, at)))
        .collect();
    let dot = |one: &[f32], other: &[f32; SIDE_PX]| -> f32 {
        one.iter().zip(other).map(|(one, other)| one * other).sum()
    };
    // Across first, then down: for each frequency across, the rows' strengths are a column of their own.
    let mut waves = Vec::new();
    for (across, cosines_across) in cosines.iter().enumerate() {
        let mut column = [0.0; SIDE_PX];
        for (strength, row) in column.iter_mut().zip(square.chunks_exact(SIDE_PX)) {
            *strength = dot(row, cosines_across);
        }
        for (down, cosines_down) in cosines.iter().enumerate().take(FREQUENCIES - across) {
            let norm = 2.0 / (SIDE_PX * SIDE_PX) as f32;
            waves.push((across + down, across, dot(&column, cosines_down) * norm));
        }
    }
    waves.sort_by_key(|(slowness, across, _)| (*slowness, *across));
    std::array::from_fn(|index| waves[index + 1].2)
}

#[cfg(test)]
mod tests {
    use super::*;

    use image::{Rgb, imageops};

    /// A picture of soft blots, another for each seed.
    fn blots(seed: u32) -> RgbImage {
        let mut state = seed;
        let mut random = |most: f32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * most
        };
        let blots: [[f32; 4]; 40] = std::array::from_fn(|_| {
            [
                random(300.0),
                random(200.0),
                8.0 + random(40.0),
                random(255.0),
            ]
        });
        RgbImage::from_fn(300, 200, |x, y| {
            let light = blots
                .iter()
                .fold(90.0, |light: f32, [left, top, radius, bright]| {
                    let away = (x as f32 - left).hypot(y as f32 - top);
                    let share = (-(away / radius).powi(2)).exp();
                    light * (1.0 - share) + bright * share
                });
            Rgb([light as u8, (light * 0.8) as u8, 255 - light as u8])
        })
    }

    fn look(image: &RgbImage) -> Lookalike {
        lookalike(image).unwrap().expect("features")
    }

    fn saved_anew(image: &RgbImage, quality: u8) -> RgbImage {
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, quality);
        image.write_with_encoder(encoder).unwrap();
        image::load_from_memory(&jpeg).unwrap().into_rgb8()
    }

    #[test]
    fn light_edits_look_alike() {
        type Edit = fn(&RgbImage) -> RgbImage;
        let edits: [(&str, Edit); 8] = [
            ("saved anew", |image| saved_anew(image, 30)),
            ("smaller", |image| imageops::thumbnail(image, 75, 50)),
            ("larger", |image| {
                imageops::resize(image, 600, 400, imageops::FilterType::Triangle)
            }),
            ("brighter", |image| imageops::colorops::brighten(image, 15)),
            ("with more contrast", |image| {
                imageops::colorops::contrast(image, 10.0)
            }),
            ("grey", |image| {
                image::DynamicImage::from(imageops::grayscale(image)).into_rgb8()
            }),
            ("cut", |image| {
                imageops::crop_imm(image, 3, 2, 294, 196).to_image()
            }),
            ("with a small stamp", |image| {
                let mut image = image.clone();
                let stamp = RgbImage::from_pixel(20, 4, Rgb([255; 3]));
                imageops::replace(&mut image, &stamp, 12, 185);
                image
            }),
        ];
        for seed in 0..10 {
            let image = blots(seed);
            for (name, edit) in edits {
                let distance = look(&image).distance(look(&edit(&image)));
                assert!(
                    distance <= Lookalike::MOST_DISTANCE,
                    "{name}: {distance} (seed {seed})"
                );
            }
        }
    }

    #[test]
    fn different_pictures_do_not_look_alike() {
        let looks: Vec<Lookalike> = (0..30).map(|seed| look(&blots(seed))).collect();
        for (index, one) in looks.iter().enumerate() {
            assert!(looks[..index].iter().all(|other| !one.is_alike(*other)));
        }
        let image = blots(1);
        let turned = imageops::rotate180(&image);
        assert!(!look(&image).is_alike(look(&turned)));
    }

    #[test]
    fn a_picture_without_features_looks_like_none() {
        let plain = RgbImage::from_pixel(180, 320, Rgb([200, 30, 30]));
        let gradient = RgbImage::from_fn(180, 320, |_, y| Rgb([(y / 2) as u8; 3]));
        let tiny = RgbImage::from_pixel(1, 1, Rgb([9; 3]));
        for image in [plain, gradient, tiny] {
            assert_eq!(lookalike(&image).unwrap(), None);
            assert_eq!(lookalike(&saved_anew(&image, 30)).unwrap(), None);
        }
    }
}
