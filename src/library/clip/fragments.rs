//! A clip in fragments keeps the times of its frames with each fragment (`moof`), not in its index.

use std::io::{self, BufRead, Seek, SeekFrom};

use super::MOST_INDEX_BYTES;
use super::boxes::{boxes, first, u32_at};
use super::layout::{Layout, load};
use super::movie::{VideoTrack, milliseconds, rate};
use crate::domain::clip::Clip;

/// Tells the clip's length and frame rate from its fragments, if those have frames.
pub(super) fn add<R: BufRead + Seek>(
    reader: &mut R,
    layout: &Layout,
    clip: &mut Clip,
) -> io::Result<()> {
    let index = &layout.index;
    let Some(video) = VideoTrack::of(index) else {
        return Ok(());
    };
    let usual_units = usual_units(index, video.id).unwrap_or(0);
    let mut shown = Shown {
        frames: video.frames,
        units: video.units,
    };
    for fragment in &layout.fragments {
        let bytes = (fragment.end - fragment.start).min(MOST_INDEX_BYTES);
        reader.seek(SeekFrom::Start(fragment.start))?;
        let fragment = load(reader, bytes)?;
        for (_, track) in boxes(&fragment).filter(|(kind, _)| kind == b"traf") {
            // Nothing of what is not there counts.
            let _ = shown.count(track, video.id, usual_units);
        }
    }
    // The header may tell of all fragments, or only of what the index itself names.
    let shown_ms = milliseconds(shown.units, video.timescale);
    clip.duration_ms = clip.duration_ms.max(shown_ms);
    clip.frames_per_second = rate(shown.frames, shown.units, video.timescale);
    Ok(())
}

/// How many frames there are, and how long they are shown, in the track's units of time.
struct Shown {
    frames: u64,
    units: u64,
}

impl Shown {
    /// Counts a fragment of the track with moving pictures.
    fn count(&mut self, track: &[u8], track_id: u32, usual_units: u32) -> Option<()> {
        let header = first(track, b"tfhd")?;
        if u32_at(header, 4)? != track_id {
            return None;
        }
        // Which of the optional fields are there, and how many bytes each has.
        let flags = u32_at(header, 0)?;
        let before_duration = [(0x1, 8), (0x2, 4)];
        let skipped: usize = before_duration
            .iter()
            .filter_map(|(flag, bytes)| (flags & flag != 0).then_some(bytes))
            .sum();
        let usual_units = if flags & 0x8 != 0 {
            u32_at(header, 8 + skipped)?
        } else {
            usual_units
        };
        for (_, run) in boxes(track).filter(|(kind, _)| kind == b"trun") {
            self.count_run(run, usual_units)?;
        }
        Some(())
    }

    fn count_run(&mut self, run: &[u8], usual_units: u32) -> Option<()> {
        let flags = u32_at(run, 0)?;
        let count = u64::from(u32_at(run, 4)?);
        if flags & 0x100 == 0 {
            self.frames = self.frames.saturating_add(count);
            self.units = self.units.saturating_add(count * u64::from(usual_units));
            return Some(());
        }
        let has = |flag: u32| usize::from(flags & flag != 0);
        let entry_words = has(0x100) + has(0x200) + has(0x400) + has(0x800);
        let table = run.get(8 + 4 * (has(0x1) + has(0x4))..)?;
        let (words, _) = table.as_chunks::<4>();
        for entry in words
            .chunks_exact(entry_words)
            .take(usize::try_from(count).ok()?)
        {
            self.frames += 1;
            self.units = self
                .units
                .saturating_add(u32::from_be_bytes(entry[0]).into());
        }
        Some(())
    }
}

/// How long a frame is shown where a fragment does not say, by `trex`.
fn usual_units(index: &[u8], track_id: u32) -> Option<u32> {
    boxes(first(index, b"mvex")?)
        .filter(|(kind, _)| kind == b"trex")
        .find_map(|(_, usual)| (u32_at(usual, 4)? == track_id).then(|| u32_at(usual, 12))?)
}
