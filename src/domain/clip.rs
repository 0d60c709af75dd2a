//! What a clip's container tells, and the rules that decide whether it may become a story.
//!
//! Today people post every story by hand, on a phone, from what Telegram shows them. So what neither a phone nor Instagram
//! takes, or what would not be *one* story, is an error; what Instagram's app converts by itself is a warning.

use serde::{Deserialize, Serialize};

use super::media::{MOST_BYTES, Verdict, check_shape};

/// What a clip's container tells, besides its size as seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Clip {
    /// How long it plays, in milliseconds.
    pub duration_ms: u64,
    /// Width of the coded frames, before any rotation, in pixels.
    pub coded_width_px: u32,
    /// Height of the coded frames, before any rotation, in pixels.
    pub coded_height_px: u32,
    /// How far a player turns it clockwise: 0, 90, 180 or 270 degrees.
    pub rotation_degrees: u32,
    /// Frames a second, on average.
    pub frames_per_second: f64,
    /// `h264`, `hevc`, or the container's four letters for another codec.
    pub video_codec: String,
    /// Its sound, if it has one.
    pub audio: Option<Audio>,
    /// Whether the index (`moov`) comes before the frames, so that it plays while it loads.
    pub moov_first: bool,
    /// Whether an edit list changes when or what of it is played.
    pub edit_list: bool,
    /// Whether it is in fragments, as streams are.
    pub fragmented: bool,
    /// Whether it tells where it was recorded.
    pub has_place: bool,
}

/// The sound of a clip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audio {
    /// `aac`, `mp3`, or the container's four letters for another codec.
    pub codec: String,
    /// Samples a second.
    pub sample_rate_hz: u32,
    /// How many channels.
    pub channels: u32,
}

/// The shortest story that Instagram takes, in milliseconds.
const SHORTEST_MS: u64 = 3_000;
/// The longest clip that is one story, in milliseconds.
const LONGEST_MS: u64 = 60_000;
/// How much over the limit is rounding: a clip of 60 seconds ends with its last frame, in milliseconds.
const TOLERANCE_MS: u64 = 100;
/// The most columns that Instagram's interface takes, as coded, in pixels.
const MOST_COLUMNS_PX: u32 = 1920;
/// The most pixels of a frame that are taken: 8K, in pixels.
pub const MOST_FRAME_PIXELS: u64 = 36_000_000;
/// Instagram takes clips from 1 : 10 to 10 : 1.
const MOST_RATIO: u32 = 10;
/// The frame rates that Instagram takes, in frames a second; the lower one leaves room for 23.976.
const FRAME_RATES: std::ops::RangeInclusive<f64> = 22.9..=60.1;
/// The most that Instagram takes of a sound, in samples a second.
const MOST_SAMPLE_RATE_HZ: u32 = 48_000;
/// Telegram takes clips from a bot up to this size, in bytes.
pub const TELEGRAM_CLIP_BYTES: u64 = 50_000_000;

/// Checks a clip, with its size as seen, against what Instagram takes as a story and what Telegram takes from a bot.
#[must_use]
pub fn check_clip(width_px: u32, height_px: u32, size_bytes: u64, clip: &Clip) -> Verdict {
    let mut verdict = check_shape(width_px, height_px);
    verdict
        .errors
        .extend(errors(width_px, height_px, size_bytes, clip));
    if !verdict.errors.is_empty() {
        verdict.warnings.clear();
        return verdict;
    }
    verdict.warnings.extend(warnings(size_bytes, clip));
    verdict
}

fn errors(width_px: u32, height_px: u32, size_bytes: u64, clip: &Clip) -> Vec<String> {
    let mut errors = Vec::new();
    // Instagram's own limits. The app would cut a longer clip into several stories; a slot is one.
    if clip.duration_ms < SHORTEST_MS {
        errors.push(format!(
            "{} long; a story takes 3 seconds or more",
            seconds(clip.duration_ms)
        ));
    }
    if clip.duration_ms > LONGEST_MS + TOLERANCE_MS {
        errors.push(format!(
            "{} long; a story takes 60 seconds at most: cut it",
            seconds(clip.duration_ms)
        ));
    }
    if size_bytes > MOST_BYTES {
        errors.push(format!(
            "{} MB are too many; at most {} MB: save it with a lower bit rate",
            size_bytes / 1_000_000,
            MOST_BYTES / 1_000_000
        ));
    }
    // Others play on some phones and not on others, and a person finds out at posting time.
    if !matches!(clip.video_codec.as_str(), "h264" | "hevc") {
        errors.push(format!(
            "its pictures are coded as {}; phones and Instagram take H.264 or HEVC: save it so",
            clip.video_codec
        ));
    }
    let (longer, shorter) = (width_px.max(height_px), width_px.min(height_px));
    if longer > shorter.saturating_mul(MOST_RATIO) {
        errors.push(format!(
            "{width_px} × {height_px} pixels are more than {MOST_RATIO} times as long as wide; crop it"
        ));
    }
    if u64::from(clip.coded_width_px) * u64::from(clip.coded_height_px) > MOST_FRAME_PIXELS {
        errors.push(format!(
            "{} × {} pixels are more than 8K; save it with 1080 × 1920",
            clip.coded_width_px, clip.coded_height_px
        ));
    }
    errors
}

fn warnings(size_bytes: u64, clip: &Clip) -> Vec<String> {
    let mut warnings = Vec::new();
    if size_bytes > TELEGRAM_CLIP_BYTES {
        warnings.push(format!(
            "{} MB: Telegram takes clips up to {} MB from a bot, so the team sees a picture of it only",
            size_bytes / 1_000_000,
            TELEGRAM_CLIP_BYTES / 1_000_000
        ));
    }
    if clip.coded_width_px > MOST_COLUMNS_PX {
        warnings.push(format!(
            "coded {} pixels wide; Instagram scales it down to {MOST_COLUMNS_PX} or less",
            clip.coded_width_px
        ));
    }
    if !FRAME_RATES.contains(&clip.frames_per_second) {
        warnings.push(format!(
            "{} frames a second; Instagram wants 23 to 60 and will change it",
            tenths(clip.frames_per_second)
        ));
    }
    if let Some(audio) = &clip.audio {
        if audio.codec != "aac" {
            warnings.push(format!(
                "its sound is coded as {}, not AAC; the story may be silent",
                audio.codec
            ));
        } else if audio.sample_rate_hz > MOST_SAMPLE_RATE_HZ || audio.channels > 2 {
            warnings.push(format!(
                "its sound has {} channels and {} Hz; Instagram makes it stereo with {MOST_SAMPLE_RATE_HZ} Hz",
                audio.channels, audio.sample_rate_hz
            ));
        }
    }
    // Only Instagram's interface for programs minds; a person posting by hand does not notice.
    let unusual: Vec<&str> = [
        (clip.fragmented, "is in fragments"),
        (!clip.moov_first, "has its index at the end"),
        (clip.edit_list, "has an edit list"),
    ]
    .into_iter()
    .filter_map(|(is_so, what)| is_so.then_some(what))
    .collect();
    if !unusual.is_empty() {
        warnings.push(format!(
            "it {}: good for posting by hand, not for publishing directly; `ffmpeg -i in.mp4 -c copy -movflags +faststart -use_editlist 0 out.mp4` saves it anew",
            unusual.join(" and ")
        ));
    }
    if clip.has_place {
        warnings.push(
            "it tells where it was recorded, and who gets the file can read it; save it without its location if that must not be known"
                .to_owned(),
        );
    }
    warnings
}

/// A duration for people: `12.4 s`.
#[must_use]
pub fn seconds(duration_ms: u64) -> String {
    format!("{} s", tenths(duration_ms as f64 / 1000.0))
}

/// A number for people, with a tenth only where there is one.
fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> Clip {
        Clip {
            duration_ms: 15_000,
            coded_width_px: 1920,
            coded_height_px: 1080,
            rotation_degrees: 90,
            frames_per_second: 30.0,
            video_codec: "h264".to_owned(),
            audio: Some(Audio {
                codec: "aac".to_owned(),
                sample_rate_hz: 48_000,
                channels: 2,
            }),
            moov_first: true,
            ..Clip::default()
        }
    }

    fn checked(size_bytes: u64, change: impl FnOnce(&mut Clip)) -> Verdict {
        let mut clip = clip();
        change(&mut clip);
        check_clip(1080, 1920, size_bytes, &clip)
    }

    fn only(texts: &[String]) -> &str {
        assert_eq!(texts.len(), 1, "{texts:?}");
        &texts[0]
    }

    #[test]
    fn a_clip_from_a_phone_is_good() {
        assert_eq!(checked(20_000_000, |_| {}), Verdict::default());
        assert_eq!(
            checked(20_000_000, |clip| clip.audio = None),
            Verdict::default()
        );
        assert_eq!(
            checked(1, |clip| clip.duration_ms = 60_033),
            Verdict::default()
        );
        assert_eq!(
            checked(1, |clip| clip.frames_per_second = 23.976),
            Verdict::default()
        );
    }

    #[test]
    fn what_cannot_be_one_story_is_an_error_with_a_remedy() {
        let error = |verdict: Verdict| only(&verdict.errors).to_owned();
        let says = [
            (
                error(checked(1, |clip| clip.duration_ms = 2_960)),
                "3 s long",
            ),
            (
                error(checked(1, |clip| clip.duration_ms = 61_250)),
                "61.3 s long; a story takes 60",
            ),
            (error(checked(100_000_001, |_| {})), "at most 100 MB"),
            (
                error(checked(1, |clip| clip.video_codec = "vp09".to_owned())),
                "coded as vp09",
            ),
            (
                error(checked(1, |clip| clip.coded_width_px = 60_000)),
                "more than 8K",
            ),
            (error(check_clip(1920, 190, 1, &clip())), "crop it"),
            (error(check_clip(90, 160, 1, &clip())), "too few"),
        ];
        for (reason, says) in says {
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn what_the_app_converts_is_a_warning() {
        let warning = |verdict: Verdict| {
            assert_eq!(verdict.errors, Vec::<String>::new());
            only(&verdict.warnings).to_owned()
        };
        let sound = |change: fn(&mut Audio)| {
            warning(checked(1, |clip| clip.audio.iter_mut().for_each(change)))
        };
        let says = [
            (warning(checked(50_000_001, |_| {})), "a picture of it only"),
            (
                warning(checked(1, |clip| clip.coded_width_px = 3840)),
                "3840 pixels wide",
            ),
            (
                warning(checked(1, |clip| clip.frames_per_second = 120.0)),
                "120 frames",
            ),
            (
                sound(|audio| audio.codec = "sowt".to_owned()),
                "sowt, not AAC",
            ),
            (sound(|audio| audio.channels = 6), "6 channels"),
            (
                warning(checked(1, |clip| clip.moov_first = false)),
                "index at the end",
            ),
            (
                warning(checked(1, |clip| clip.edit_list = true)),
                "an edit list",
            ),
            (
                warning(checked(1, |clip| clip.fragmented = true)),
                "in fragments",
            ),
            (
                warning(checked(1, |clip| clip.has_place = true)),
                "where it was recorded",
            ),
            (
                warning(check_clip(1920, 1080, 1, &clip())),
                "wider than tall",
            ),
        ];
        for (text, says) in says {
            assert!(text.contains(says), "{text}");
        }
    }
}
