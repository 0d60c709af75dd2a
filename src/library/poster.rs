//! One picture for a clip. `ffmpeg` takes it from the clip if it is installed; else, or if that fails, it is drawn: a dark
//! frame of the clip's shape with a triangle, so that people see that there is something to play.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Cursor;
use std::process::Command;
use std::time::Duration;

use image::{ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::domain::clip::{Clip, MOST_FRAME_PIXELS};
use crate::system::program::{Leash, output_of_input};

/// A story's frame, in pixels; a poster fits in.
const FRAME_PX: (u32, u32) = (1080, 1920);
/// The longest that `ffmpeg` may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that is taken from it, in bytes: a frame of noise, as PNG.
const MOST_POSTER_BYTES: u64 = 8_000_000;
/// The most memory that it may ask for at once, in bytes.
const MOST_MEMORY_BYTES: &str = "268435456";

const DARK: Rgb<u8> = Rgb([24, 24, 28]);
const LIGHT: Rgb<u8> = Rgb([220, 220, 224]);

/// A picture of the clip in this file, which is seen with this width and height; upright, fitted into 1080 × 1920, never
/// enlarged. The path is told, and not opened again.
#[must_use]
pub fn poster(file: File, path: &str, seen_px: (u32, u32), clip: &Clip) -> RgbImage {
    frame(OsStr::new("ffmpeg"), PATIENCE, file, clip).unwrap_or_else(|reason| {
        tracing::debug!("{path}: a poster is drawn: {reason}");
        drawn(seen_px)
    })
}

/// A frame of the clip, by a program that understands what `ffmpeg` does.
fn frame(program: &OsStr, patience: Duration, file: File, clip: &Clip) -> Result<RgbImage, String> {
    let leash = Leash {
        patience,
        most_output_bytes: MOST_POSTER_BYTES,
        is_strange: true,
    };
    let mut command = Command::new(program);
    let output = output_of_input(command.args(arguments(clip)), file.into(), &leash);
    read(output.map_err(|ended| ended.to_string())?)
}

/// What is asked for: one frame, turned upright and made to fit. The input is the very file that was examined, which the
/// program is given open, and may go forth and back in; read as what it is, so that no content makes it a playlist.
fn arguments(clip: &Clip) -> Vec<OsString> {
    let at_ms = (clip.duration_ms / 2).min(1_000);
    let most_pixels = MOST_FRAME_PIXELS.to_string();
    let at = format!("{}.{:03}", at_ms / 1000, at_ms % 1000);
    let (width_px, height_px) = FRAME_PX;
    // Pixels that are not square are made so first.
    let fit = format!(
        "scale=iw*sar:ih,setsar=1,scale='min({width_px},iw)':'min({height_px},ih)':force_original_aspect_ratio=decrease"
    );
    let mut arguments: Vec<OsString> = [
        "-nostdin",
        "-v",
        "quiet",
        "-max_alloc",
        MOST_MEMORY_BYTES,
        "-threads",
        "1",
        "-max_pixels",
        &most_pixels,
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        "mov",
        "-ss",
        &at,
        "-i",
        "file:/proc/self/fd/0",
    ]
    .map(OsString::from)
    .into();
    arguments.extend(
        [
            "-map",
            "0:v:0",
            "-frames:v",
            "1",
            "-vf",
            &fit,
            "-pix_fmt",
            "rgb24",
            "-c:v",
            "png",
            "-f",
            "image2pipe",
            "pipe:1",
        ]
        .map(OsString::from),
    );
    arguments
}

fn read(png: Vec<u8>) -> Result<RgbImage, String> {
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = Some(FRAME_PX.0);
    limits.max_image_height = Some(FRAME_PX.1);
    reader.limits(limits);
    let decoded = reader
        .decode()
        .map_err(|cause| format!("no frame: {cause}"))?;
    Ok(decoded.into_rgb8())
}

/// A dark frame of the clip's shape with a light triangle in its middle, pointing to the right.
fn drawn((width_px, height_px): (u32, u32)) -> RgbImage {
    let (width_px, height_px) = (f64::from(width_px.max(1)), f64::from(height_px.max(1)));
    let scale = (f64::from(FRAME_PX.0) / width_px)
        .min(f64::from(FRAME_PX.1) / height_px)
        .min(1.0);
    let scaled = |side_px: f64| ((side_px * scale).round() as u32).max(1);
    let (width, height) = (scaled(width_px), scaled(height_px));
    let (middle_x, middle_y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let reach = middle_x.min(middle_y) / 3.0;
    RgbImage::from_fn(width, height, |x, y| {
        // From -1, the upright side, to 1, the point.
        let along = (f64::from(x) + 0.5 - middle_x) / reach;
        let aside = ((f64::from(y) + 0.5 - middle_y) / reach).abs();
        let is_inside = along >= -1.0 && aside * 2.0 <= 1.0 - along;
        if is_inside { LIGHT } else { DARK }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::program::tests::program;

    fn frame_by(script: &str, patience: Duration) -> Result<RgbImage, String> {
        let folder = tempfile::tempdir().unwrap();
        let made = RgbImage::from_pixel(9, 16, Rgb([1, 2, 3]));
        made.save_with_format(folder.path().join("made.png"), ImageFormat::Png)
            .unwrap();
        let script = format!("cd '{}'; {script}", folder.path().display());
        let program = program(&folder, &script);
        let file = File::open(folder.path().join("made.png")).unwrap();
        frame(program.as_os_str(), patience, file, &Clip::default())
    }

    #[test]
    fn a_frame_is_what_the_program_puts_out() {
        let frame = frame_by("cat made.png", PATIENCE).unwrap();
        assert_eq!(
            (frame.dimensions(), frame.get_pixel(4, 4)),
            ((9, 16), &Rgb([1, 2, 3]))
        );
    }

    #[test]
    fn a_program_that_never_stops_talking_is_cut_short() {
        frame_by("exec cat /dev/zero", PATIENCE).unwrap_err();
    }

    #[test]
    fn no_frame_is_a_reason() {
        frame_by("exit 1", PATIENCE).unwrap_err();
        frame_by("echo no picture", PATIENCE).unwrap_err();
    }

    #[test]
    fn the_program_sees_the_file_that_was_opened_whatever_took_its_name() {
        let swap = "mv made.png seen.png; ln -s /etc/hostname made.png";
        let frame = frame_by(&format!("{swap}; cat /proc/self/fd/0"), PATIENCE).unwrap();
        assert_eq!(frame.get_pixel(4, 4), &Rgb([1, 2, 3]));
        let clip = Clip {
            duration_ms: 15_000,
            ..Clip::default()
        };
        let given = arguments(&clip);
        let input = given.iter().position(|argument| argument == "-i").unwrap();
        assert_eq!(given[input + 1], "file:/proc/self/fd/0");
        assert_eq!(given[input - 1], "1.000");
    }

    #[test]
    fn without_a_frame_a_triangle_in_the_clips_shape_is_drawn() {
        for (seen_px, drawn_px) in [
            ((1080, 1920), (1080, 1920)),
            ((3840, 2160), (1080, 608)),
            ((360, 640), (360, 640)),
            ((1, 1), (1, 1)),
        ] {
            assert_eq!(drawn(seen_px).dimensions(), drawn_px);
        }
        let drawn = drawn((360, 640));
        assert_eq!(drawn.get_pixel(180, 320), &LIGHT);
        assert_eq!(drawn.get_pixel(180, 320 - 55), &DARK);
        assert_eq!(drawn.get_pixel(5, 5), &DARK);
        let light = drawn.pixels().filter(|pixel| **pixel == LIGHT).count();
        assert!((6_000..9_000).contains(&light), "{light}");
    }
}
