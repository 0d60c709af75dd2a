//! What comes out, by what goes in.

use super::*;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageDecoder, ImageEncoder, ImageFormat, Rgb, Rgba, RgbaImage};

const BLUR: Form = Form::Story(Framing {
    fit: Fit::Blur,
    color: Color::BLACK,
});
const CROP: Form = Form::Story(Framing {
    fit: Fit::Crop,
    color: Color::BLACK,
});
const GREEN: Form = Form::Story(Framing {
    fit: Fit::Color,
    color: Color([0, 200, 0]),
});

fn rendered(bytes: Vec<u8>, form: Form) -> Rendered {
    let rendered = render(&Original::from(bytes), form).unwrap();
    let shown = shown(&rendered).dimensions();
    assert_eq!(shown, (rendered.width_px, rendered.height_px));
    rendered
}

fn shown(rendered: &Rendered) -> RgbImage {
    image::load_from_memory_with_format(&rendered.jpeg, ImageFormat::Jpeg)
        .unwrap()
        .into_rgb8()
}

fn is_near(pixel: Rgb<u8>, to: [u8; 3]) -> bool {
    let apart = |channel: usize| pixel.0[channel].abs_diff(to[channel]);
    (0..3).all(|channel| apart(channel) <= 8)
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn red(width_px: u32, height_px: u32) -> Vec<u8> {
    png(RgbImage::from_pixel(
        width_px,
        height_px,
        Rgb([200, 30, 30]),
    ))
}

/// A JPEG that is turned by a quarter: red on the left as stored, red on top as seen.
fn turned(width_px: u32, height_px: u32) -> Vec<u8> {
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let image = RgbImage::from_fn(width_px, height_px, |x, _| {
        Rgb(if x < width_px / 2 {
            [250, 0, 0]
        } else {
            [0, 0, 250]
        })
    });
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(&image).unwrap();
    bytes
}

#[test]
fn a_story_has_the_frames_size_whatever_the_picture() {
    for (width_px, height_px) in [(120, 90), (150, 3000), (1081, 1919)] {
        for form in [BLUR, CROP, GREEN] {
            let story = rendered(red(width_px, height_px), form);
            assert_eq!((story.width_px, story.height_px), (1080, 1920));
            let shown = shown(&story);
            assert!(is_near(*shown.get_pixel(540, 960), [200, 30, 30]));
            assert!(form != CROP || is_near(*shown.get_pixel(0, 0), [200, 30, 30]));
        }
    }
    // A line is a line, and no trouble.
    for (width_px, height_px) in [(1, 1), (4000, 1)] {
        let story = rendered(red(width_px, height_px), BLUR);
        assert_eq!((story.width_px, story.height_px), (1080, 1920));
    }
}

#[test]
fn what_a_picture_leaves_of_the_frame_is_its_blur_or_the_colour() {
    let landscape = red(1200, 600);
    let blur = shown(&rendered(landscape.clone(), BLUR));
    assert!(is_near(*blur.get_pixel(540, 100), [150, 22, 22]));
    assert!(is_near(*blur.get_pixel(540, 700), [200, 30, 30]));
    let plain = shown(&rendered(landscape, GREEN));
    assert!(is_near(*plain.get_pixel(540, 100), [0, 200, 0]));
    assert!(is_near(*plain.get_pixel(540, 1800), [0, 200, 0]));
    assert!(is_near(*plain.get_pixel(540, 700), [200, 30, 30]));
}

#[test]
fn a_turned_picture_is_upright_in_every_form() {
    for (form, size) in [
        (BLUR, (1080, 1920)),
        (CROP, (1080, 1920)),
        (GREEN, (1080, 1920)),
        (Form::Preview, (160, 1920)),
        (Form::Thumbnail, (27, 320)),
    ] {
        let upright = rendered(turned(2400, 200), form);
        assert_eq!((upright.width_px, upright.height_px), size, "{form:?}");
        let shown = shown(&upright);
        let pixel = |share: f32| {
            shown
                .get_pixel(size.0 / 2, (size.1 as f32 * share) as u32)
                .0
        };
        let ends = [pixel(0.1), pixel(0.9)];
        assert!(ends[0][0] > 200 && ends[1][2] > 200, "{form:?}: {ends:?}");
    }
}

#[test]
fn a_preview_is_fitted_and_never_enlarged_or_stretched() {
    for (from, to) in [
        ((1200, 900), (1080, 810)),
        ((300, 6000), (96, 1920)),
        ((270, 2160), (240, 1920)),
        ((500, 300), (500, 300)),
        ((1080, 1920), (1080, 1920)),
        // Telegram takes nothing longer than twenty times its width.
        ((1081, 1), (1080, 54)),
        ((4000, 20), (1080, 54)),
        ((2, 5000), (96, 1920)),
        ((1, 1), (1, 1)),
    ] {
        let preview = rendered(red(from.0, from.1), Form::Preview);
        assert_eq!((preview.width_px, preview.height_px), to, "{from:?}");
    }
}

#[test]
fn what_is_transparent_shows_the_ground() {
    let picture = png(RgbaImage::from_fn(400, 400, |x, _| {
        Rgba([250, 0, 0, if x < 200 { 255 } else { 0 }])
    }));
    for (form, ground) in [
        (BLUR, [255; 3]),
        (CROP, [255; 3]),
        (GREEN, [0, 200, 0]),
        (Form::Preview, [255; 3]),
    ] {
        let shown = shown(&rendered(picture.clone(), form));
        let row = shown.height() / 2;
        assert!(is_near(*shown.get_pixel(20, row), [250, 0, 0]), "{form:?}");
        let right = *shown.get_pixel(shown.width() - 20, row);
        assert!(is_near(right, ground), "{form:?} {right:?}");
    }
}

#[test]
fn every_kind_of_sample_is_understood() {
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, LumaA};
    let wide = 128 * 257;
    let grey16 = ImageBuffer::from_pixel(60, 60, image::Luma([wide]));
    let rgb16 = ImageBuffer::from_pixel(60, 60, Rgb([wide; 3]));
    let rgba16 = ImageBuffer::from_pixel(60, 60, Rgba([wide, wide, wide, 65_535]));
    let pictures: [DynamicImage; 6] = [
        GrayImage::from_pixel(60, 60, image::Luma([128])).into(),
        GrayAlphaImage::from_pixel(60, 60, LumaA([128, 255])).into(),
        DynamicImage::ImageLuma16(grey16),
        DynamicImage::ImageRgb16(rgb16),
        DynamicImage::ImageRgba16(rgba16),
        RgbaImage::from_pixel(60, 60, Rgba([128, 128, 128, 255])).into(),
    ];
    for picture in pictures {
        let kind = picture.color();
        let shown = shown(&rendered(png(picture), Form::Preview));
        assert!(is_near(*shown.get_pixel(30, 30), [128; 3]), "{kind:?}");
    }
}

#[test]
fn an_animation_shows_its_first_frame() {
    let mut bytes = Vec::new();
    let frames = [[250, 0, 0, 255], [0, 0, 250, 255]]
        .map(|colour| image::Frame::new(RgbaImage::from_pixel(40, 40, Rgba(colour))));
    image::codecs::gif::GifEncoder::new(&mut bytes)
        .encode_frames(frames)
        .unwrap();
    let shown = shown(&rendered(bytes, Form::Preview));
    assert!(is_near(*shown.get_pixel(20, 20), [250, 0, 0]));
}

#[test]
fn nothing_of_the_original_but_its_looks_is_left() {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new(&mut jpeg);
    let place = b"II*\0\x08\0\0\0\0\0 N 51 28 38".to_vec();
    encoder.set_exif_metadata(place).unwrap();
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    encoder.set_icc_profile(profile).unwrap();
    encoder
        .encode_image(&RgbImage::from_pixel(90, 90, Rgb([1, 2, 3])))
        .unwrap();
    for form in [BLUR, Form::Preview, Form::Thumbnail] {
        let rendered = rendered(jpeg.clone(), form);
        let mut decoder =
            image::codecs::jpeg::JpegDecoder::new(Cursor::new(&rendered.jpeg)).unwrap();
        assert_eq!(decoder.exif_metadata().unwrap(), None);
        assert_eq!(decoder.icc_profile().unwrap(), None);
        assert!(!rendered.jpeg.windows(4).any(|part| part == b"N 51"));
        assert_eq!(rendered.warning, None);
    }
}

#[test]
fn what_is_no_picture_cannot_be_rendered() {
    let text = Original::from(b"Dear diary".to_vec());
    assert!(render(&text, Form::Preview).unwrap_err().contains("a text"));
}
