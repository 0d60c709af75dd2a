//! What an index (`moov`) tells of a clip. The layout of each box is that of ISO 14496-12 and of Apple's QuickTime File
//! Format; where the two differ, QuickTime's older sound entries are the difference.

use memchr::memmem;

use super::Told;
use super::boxes::{Kind, at, boxes, entries, first, u16_at, u32_at, u64_at};
use crate::domain::clip::{Audio, Clip};

/// How Apple's devices name the place of recording.
const PLACE: &[u8] = b"com.apple.quicktime.location.ISO6709";

/// The facts, all but those that lie outside the index; or why there is nothing to see, in plain words.
pub(super) fn tell(index: &[u8]) -> Result<Told, String> {
    let tracks = || boxes(index).filter(|(kind, _)| kind == b"trak");
    let of_kind = |handler: &Kind| {
        tracks()
            .map(|(_, track)| track)
            .find(|track| is_of(track, handler) && entry(track).is_some())
    };
    let Some(video) = of_kind(b"vide") else {
        return Err(
            "it has no moving picture, only sound or text; a clip can become a story".to_owned(),
        );
    };
    let seen = Seen::of(video).ok_or("damaged: its header tells no size; copy it again")?;
    let (codec, _) = entry(video).ok_or("damaged: it tells no codec; copy it again")?;
    let clip = Clip {
        duration_ms: duration_ms(index),
        coded_width_px: seen.coded_width_px,
        coded_height_px: seen.coded_height_px,
        rotation_degrees: seen.rotation_degrees,
        frames_per_second: frames_per_second(video),
        video_codec: video_codec(codec),
        audio: of_kind(b"soun").and_then(audio),
        moov_first: false,
        edit_list: tracks().any(|(_, track)| has_edits(track)),
        fragmented: false,
        has_place: has_place(index),
    };
    Ok(Told {
        width_px: seen.width_px,
        height_px: seen.height_px,
        clip,
    })
}

/// What fragments refer to: the first track with moving pictures.
pub(super) struct VideoTrack {
    /// The number by which fragments name it.
    pub(super) id: u32,
    /// Its units of time, a second.
    pub(super) timescale: u32,
    /// The frames that the index itself names.
    pub(super) frames: u64,
    /// How long those are shown, in units.
    pub(super) units: u64,
}

impl VideoTrack {
    pub(super) fn of(index: &[u8]) -> Option<Self> {
        let mut tracks = boxes(index).filter(|(kind, _)| kind == b"trak");
        let is_video = |track: &[u8]| is_of(track, b"vide") && entry(track).is_some();
        let (_, video) = tracks.find(|(_, track)| is_video(track))?;
        let header = first(video, b"tkhd")?;
        let (frames, units) = frames(video);
        Some(Self {
            id: u32_at(header, if header.first() == Some(&1) { 20 } else { 12 })?,
            timescale: length(at(video, &[b"mdia", b"mdhd"])?)?.0,
            frames,
            units,
        })
    }
}

fn is_of(track: &[u8], handler: &Kind) -> bool {
    at(track, &[b"mdia", b"hdlr"]).and_then(|told| told.get(8..12)) == Some(handler)
}

/// The first sample entry of a track: the codec's four letters, and what is said of it.
fn entry(track: &[u8]) -> Option<(Kind, &[u8])> {
    let table = at(track, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
    boxes(table.get(8..)?).next()
}

/// How large a clip is, as coded and as seen.
struct Seen {
    coded_width_px: u32,
    coded_height_px: u32,
    width_px: u32,
    height_px: u32,
    rotation_degrees: u32,
}

impl Seen {
    fn of(video: &[u8]) -> Option<Self> {
        let (_, coded) = entry(video)?;
        let (coded_width_px, coded_height_px) = (u16_at(coded, 24)?, u16_at(coded, 26)?);
        let header = first(video, b"tkhd")?;
        let matrix = if header.first() == Some(&1) { 52 } else { 40 };
        // The width and height at which it is shown, in 16.16 fixed point; they tell pixels that are not square.
        let shown = |at, otherwise| match u32_at(header, at)? >> 16 {
            0 => Some(otherwise),
            px => Some(px),
        };
        let width_px = shown(matrix + 36, coded_width_px)?;
        let height_px = shown(matrix + 40, coded_height_px)?;
        let rotation_degrees = rotation_degrees(header.get(matrix..)?)?;
        let (width_px, height_px) = match rotation_degrees {
            90 | 270 => (height_px, width_px),
            _ => (width_px, height_px),
        };
        let seen = Self {
            coded_width_px,
            coded_height_px,
            width_px,
            height_px,
            rotation_degrees,
        };
        (coded_width_px > 0 && coded_height_px > 0).then_some(seen)
    }
}

/// How far a matrix turns clockwise, to the quarter. Its first row says where the picture's right-hand side goes.
fn rotation_degrees(matrix: &[u8]) -> Option<u32> {
    let (across, down) = (
        u32_at(matrix, 0)?.cast_signed(),
        u32_at(matrix, 4)?.cast_signed(),
    );
    Some(if across.unsigned_abs() >= down.unsigned_abs() {
        if across < 0 { 180 } else { 0 }
    } else if down > 0 {
        90
    } else {
        270
    })
}

/// Units of time a second, and how many there are, of a header of the movie or of a track's media.
fn length(header: &[u8]) -> Option<(u32, u64)> {
    if header.first() == Some(&1) {
        let duration = u64_at(header, 24)?;
        Some((
            u32_at(header, 20)?,
            if duration == u64::MAX { 0 } else { duration },
        ))
    } else {
        let duration = u32_at(header, 16)?;
        Some((
            u32_at(header, 12)?,
            if duration == u32::MAX {
                0
            } else {
                duration.into()
            },
        ))
    }
}

/// How long it plays: as the movie's header says, else as long as its longest track.
fn duration_ms(index: &[u8]) -> u64 {
    let told_ms =
        |header| length(header).map_or(0, |(timescale, units)| milliseconds(units, timescale));
    match first(index, b"mvhd").map_or(0, told_ms) {
        0 => boxes(index)
            .filter(|(kind, _)| kind == b"trak")
            .filter_map(|(_, track)| at(track, &[b"mdia", b"mdhd"]))
            .map(told_ms)
            .max()
            .unwrap_or(0),
        told => told,
    }
}

/// Units of time as milliseconds.
pub(super) fn milliseconds(units: u64, timescale: u32) -> u64 {
    let milliseconds = (u128::from(units) * 1000).checked_div(timescale.into());
    // More than a column of the records holds is no duration.
    milliseconds.map_or(0, |found| found.min(1 << 62) as u64)
}

/// How many frames a track's tables name, and how long they are shown, in the track's units of time.
fn frames(video: &[u8]) -> (u64, u64) {
    let times = at(video, &[b"mdia", b"minf", b"stbl", b"stts"]).unwrap_or_default();
    entries::<8>(times, 4)
        .iter()
        .filter_map(|run| Some((u64::from(u32_at(run, 0)?), u64::from(u32_at(run, 4)?))))
        .fold((0, 0), |(frames, units), (count, each)| {
            (frames + count, units.saturating_add(count * each))
        })
}

/// Frames a second on average: how many frames there are, by how long they are shown.
fn frames_per_second(video: &[u8]) -> f64 {
    let (frames, units) = frames(video);
    let header = at(video, &[b"mdia", b"mdhd"]).and_then(length);
    header.map_or(0.0, |(timescale, _)| rate(frames, units, timescale))
}

/// So many frames in so much time, in frames a second, to the thousandth.
pub(super) fn rate(frames: u64, units: u64, timescale: u32) -> f64 {
    if units == 0 {
        return 0.0;
    }
    let rate = frames as f64 * f64::from(timescale) / units as f64;
    (rate * 1000.0).round() / 1000.0
}

fn video_codec(kind: Kind) -> String {
    match &kind {
        b"avc1" | b"avc3" => "h264".to_owned(),
        // The last two are Dolby Vision on top of HEVC.
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc".to_owned(),
        _ => letters(kind),
    }
}

/// A codec's four letters for people; whatever is no letter is left out.
fn letters(kind: Kind) -> String {
    let letters: String = kind
        .iter()
        .filter(|letter| letter.is_ascii_graphic())
        .map(|letter| char::from(*letter))
        .collect();
    if letters.is_empty() {
        "something unknown".to_owned()
    } else {
        letters
    }
}

fn audio(track: &[u8]) -> Option<Audio> {
    let (kind, told) = entry(track)?;
    let (header_bytes, channels, rate_hz) = match u16_at(told, 8)? {
        // QuickTime's second version; the first only adds four numbers.
        2 => {
            let rate_hz = f64::from_bits(u64_at(told, 32)?);
            (64, u32_at(told, 40)?, rate_hz.clamp(0.0, 1e9) as u32)
        }
        1 => (44, u16_at(told, 16)?, u16_at(told, 24)?),
        _ => (28, u16_at(told, 16)?, u16_at(told, 24)?),
    };
    // A rate that its sixteen bits cannot hold is left out; the track's own time goes by samples then.
    let sample_rate_hz = match rate_hz {
        0 => length(at(track, &[b"mdia", b"mdhd"])?)?.0,
        told => told,
    };
    let inner = told.get(header_bytes..).unwrap_or_default();
    let described = first(inner, b"esds").or_else(|| at(inner, &[b"wave", b"esds"]));
    let stream = described.and_then(stream);
    let codec = match (&kind, stream.and_then(|stream| stream.first())) {
        (b"mp4a", Some(0x40 | 0x66..=0x68) | None) => "aac".to_owned(),
        (b"mp4a", Some(0x69 | 0x6b)) | (b".mp3" | b"ms\0U", _) => "mp3".to_owned(),
        _ => letters(kind),
    };
    let own_channels = stream.filter(|_| codec == "aac").and_then(channels_of_aac);
    Some(Audio {
        codec,
        sample_rate_hz,
        channels: own_channels.unwrap_or(channels),
    })
}

/// How an `esds` box describes its stream (ISO 14496-1), from the byte that tells its type: descriptor 4 within descriptor 3.
fn stream(esds: &[u8]) -> Option<&[u8]> {
    let outer = descriptor(esds.get(4..)?, 3)?;
    let flags = *outer.get(2)?;
    // Three things may come between, each announced by a flag.
    let mut skipped = 3;
    if flags & 0x80 != 0 {
        skipped += 2;
    }
    if flags & 0x40 != 0 {
        skipped += 1 + usize::from(*outer.get(skipped)?);
    }
    if flags & 0x20 != 0 {
        skipped += 2;
    }
    descriptor(outer.get(skipped..)?, 4)
}

/// What follows the tag and the length (one to four bytes) of a descriptor.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (found, rest) = bytes.split_first()?;
    let length_bytes = 1 + rest
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0x80 != 0)
        .count();
    (*found == tag).then(|| rest.get(length_bytes..))?
}

/// The channels of an AAC stream by its own configuration (ISO 14496-3), which is right where the entry's number is not:
/// the standard has that be two, whatever there is.
fn channels_of_aac(stream: &[u8]) -> Option<u32> {
    let config = descriptor(stream.get(13..)?, 5)?;
    let [first, second] = *config.first_chunk()?;
    let has_usual_form = first >> 3 != 31 && (first & 7, second >> 7) != (7, 1);
    match second >> 3 & 15 {
        channels @ 1..=6 if has_usual_form => Some(channels.into()),
        7 if has_usual_form => Some(8),
        _ => None,
    }
}

/// Whether an edit list does more than to say that all is played, from its beginning.
fn has_edits(track: &[u8]) -> bool {
    let Some(list) = at(track, &[b"edts", b"elst"]) else {
        return false;
    };
    let (entry_bytes, from) = if list.first() == Some(&1) {
        (20, u64_at(list, 16))
    } else {
        (12, u32_at(list, 12).map(u64::from))
    };
    match u32_at(list, 4) {
        None | Some(0) => false,
        Some(1) => list.len() >= 8 + entry_bytes && from != Some(0),
        Some(_) => true,
    }
}

/// Whether it tells where it was recorded: the atoms of phones and cameras, of 3GPP, of Apple, or a track of GoPro's telemetry.
fn has_place(index: &[u8]) -> bool {
    let tells = |within: &[u8]| {
        first(within, b"udta").is_some_and(|said| {
            boxes(said).any(|(kind, _)| kind == *b"\xa9xyz" || kind == *b"loci")
        })
    };
    let tracks = || boxes(index).filter(|(kind, _)| kind == b"trak");
    tells(index)
        || tracks().any(|(_, track)| {
            tells(track) || entry(track).is_some_and(|(kind, _)| kind == *b"gpmd")
        })
        || memmem::find(index, PLACE).is_some()
}
