//! A picture that moves, as a chat can play it: a GIF. One that is a GIF already goes as it is, without what it tells beside; a WebP, which chats take for a
//! still, is drawn anew, smaller and with few colours, since it is to be judged and not to be published.

use std::io::Cursor;
use std::time::{Duration, Instant};

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frame, ImageDecoder, RgbaImage};

use super::bitmap::{Bitmap, Layout};
use super::clean::clean;
use super::decode::guarded;
use super::original::Original;
use super::render::frame::{Size, shrunk};
use super::render::scale::{Quality, scale};
use crate::domain::media::Format;
use crate::flow::outlet::Animation;

/// What a WebP is drawn into, in pixels.
const FRAME: Size = Size::new(360, 640);
/// The longest that is drawn, in frames: ten seconds at thirty a second.
const MOST_FRAMES: usize = 300;
/// The most pixels that are decoded for it, over all frames: a minute's work for a small board.
const MOST_PIXELS: u64 = 600_000_000;
/// The longest that may be drawn at it; then what is drawn so far must do.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most pixels of a GIF whose frames are looked at: several canvases of it are held at once.
const MOST_CANVAS_PIXELS: u64 = 25_000_000;
/// How little care the choice of colours takes, 1 to 30.
const SPEED: i32 = 20;

/// The original as something that moves, called by this name; none if it stands still, or cannot be made to move.
pub(super) fn animation(original: &Original, format: Format, name: &str) -> Option<Animation> {
    let bytes = match format {
        Format::Gif => guarded(|| has_two_frames(original))
            .unwrap_or(false)
            .then(|| clean(format, original.bytes().to_vec()))?
            .ok()?,
        Format::Webp => guarded(|| webp_as_gif(original)).ok().flatten()?,
        Format::Jpeg | Format::Png | Format::Heic | Format::Mp4 | Format::Mov => return None,
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    Some(Animation {
        name: format!("{stem}.gif"),
        media_type: "image/gif",
        bytes,
    })
}

fn has_two_frames(original: &Original) -> Result<bool, String> {
    let decoder = GifDecoder::new(Cursor::new(original.bytes())).map_err(plain)?;
    let (width_px, height_px) = decoder.dimensions();
    if u64::from(width_px) * u64::from(height_px) > MOST_CANVAS_PIXELS {
        return Ok(false);
    }
    let frames = decoder.into_frames().take(2);
    Ok(frames.filter(Result::is_ok).count() == 2)
}

fn webp_as_gif(original: &Original) -> Result<Option<Vec<u8>>, String> {
    let decoder = WebPDecoder::new(Cursor::new(original.bytes())).map_err(plain)?;
    if !decoder.has_animation() {
        return Ok(None);
    }
    let (width_px, height_px) = decoder.dimensions();
    let pixels = u64::from(width_px) * u64::from(height_px);
    let frames = usize::try_from(MOST_PIXELS / pixels.max(1)).unwrap_or(MOST_FRAMES);
    let to = shrunk(Size::new(width_px, height_px), FRAME);
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut gif, SPEED);
    encoder.set_repeat(Repeat::Infinite).map_err(plain)?;
    let began = Instant::now();
    for frame in decoder.into_frames().take(frames.min(MOST_FRAMES)) {
        if began.elapsed() > PATIENCE {
            break; // a story waits for it
        }
        // What was drawn until a damaged frame is more than nothing.
        let Ok(frame) = frame else { break };
        encoder.encode_frame(smaller(frame, to)?).map_err(plain)?;
    }
    drop(encoder);
    Ok(Some(gif))
}

fn smaller(frame: Frame, to: Size) -> Result<Frame, String> {
    let delay = frame.delay();
    let image = frame.into_buffer();
    let bitmap = Bitmap {
        layout: Layout::Rgba,
        width_px: image.width(),
        height_px: image.height(),
        samples: image.into_raw(),
    };
    let samples = scale(bitmap, None, to, Quality::Quick)?.samples;
    let image = RgbaImage::from_raw(to.width_px, to.height_px, samples)
        .expect("a bitmap has as many samples as its size tells");
    Ok(Frame::from_parts(image, 0, 0, delay))
}

fn plain(cause: image::ImageError) -> String {
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    use image::{Delay, Rgba};

    fn gif(frames: u32) -> Original {
        let mut bytes = Vec::new();
        let frames = (0..frames).map(|index| {
            let colour = Rgba([250 * (index % 2) as u8, 0, 250, 255]);
            Frame::new(RgbaImage::from_pixel(40, 40, colour))
        });
        GifEncoder::new(&mut bytes).encode_frames(frames).unwrap();
        Original::from(bytes)
    }

    /// A WebP of two frames, put together by hand from still ones: nothing here writes animated WebP.
    fn webp() -> Original {
        let chunk = |name: &[u8; 4], body: &[u8]| {
            let length = (body.len() as u32).to_le_bytes();
            let padding = &[0][..body.len() % 2];
            [&name[..], &length, body, padding].concat()
        };
        let frame = |colour: [u8; 4]| {
            let mut still = Vec::new();
            let image = RgbaImage::from_pixel(40, 20, Rgba(colour));
            let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut still);
            image.write_with_encoder(encoder).unwrap();
            // Where it lies, its size less one, how long it is shown (70 ms), and how it is blended.
            let place = [0, 0, 0, 0, 0, 0, 39, 0, 0, 19, 0, 0, 70, 0, 0, 0];
            chunk(b"ANMF", &[&place[..], &still[12..]].concat())
        };
        let canvas = chunk(b"VP8X", &[0b10, 0, 0, 0, 39, 0, 0, 19, 0, 0]);
        let endlessly = chunk(b"ANIM", &[0; 6]);
        let frames = [frame([250, 0, 0, 255]), frame([0, 0, 250, 255])].concat();
        let body = [&b"WEBP"[..], &canvas, &endlessly, &frames].concat();
        Original::from(chunk(b"RIFF", &body))
    }

    #[test]
    fn a_gif_that_moves_goes_as_it_is() {
        let moving = animation(&gif(3), Format::Gif, "cat.GIF").unwrap();
        assert_eq!((&*moving.name, moving.media_type), ("cat.gif", "image/gif"));
        assert_eq!(moving.bytes, gif(3).bytes());
        assert_eq!(animation(&gif(1), Format::Gif, "cat.gif"), None);
        let half = Original::from(gif(1).bytes()[..20].to_vec());
        assert_eq!(animation(&half, Format::Gif, "cat.gif"), None);
    }

    #[test]
    fn a_webp_that_moves_becomes_a_gif() {
        let moving = animation(&webp(), Format::Webp, "cat.webp").unwrap();
        assert_eq!(moving.name, "cat.gif");
        let decoder = GifDecoder::new(Cursor::new(&moving.bytes)).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        let seen: Vec<[u8; 4]> = frames
            .iter()
            .map(|frame| frame.buffer().get_pixel(20, 10).0)
            .collect();
        assert_eq!(seen.len(), 2);
        assert!(seen[0][0] > 240 && seen[1][2] > 240, "{seen:?}");
        assert_eq!(frames[0].delay(), Delay::from_numer_denom_ms(70, 1));
    }

    #[test]
    fn a_still_has_no_animation() {
        let mut still = Vec::new();
        let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut still);
        RgbaImage::new(20, 20).write_with_encoder(encoder).unwrap();
        assert_eq!(
            animation(&Original::from(still), Format::Webp, "cat.webp"),
            None
        );
    }
}
