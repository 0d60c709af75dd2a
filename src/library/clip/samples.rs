//! Where the last of the samples (frames, pieces of sound) that an index names ends in the file. It tells a clip that was
//! cut off where its boxes do not: a box without a length ends wherever the file does.

use super::boxes::{Kind, at, boxes, entries, first, u32_at};

/// Whether zeros stand where a box should be, down to the tables of each track: space that is to be written yet.
pub(super) fn has_hole(index: &[u8]) -> bool {
    const ROOMS: [&[&Kind]; 4] = [
        &[],
        &[b"mdia"],
        &[b"mdia", b"minf"],
        &[b"mdia", b"minf", b"stbl"],
    ];
    let has_zeros = |within: &[u8]| boxes(within).any(|(kind, _)| kind.contains(&0));
    let mut tracks = boxes(index).filter(|(kind, _)| kind == b"trak");
    has_zeros(index)
        || tracks.any(|(_, track)| {
            let mut rooms = ROOMS.iter().filter_map(|path| at(track, path));
            let begins_nowhere = || {
                at(track, ROOMS[3]).is_some_and(|tables| offsets(tables).any(|offset| offset == 0))
            };
            rooms.any(has_zeros) || begins_nowhere()
        })
}

/// The position behind the last sample; zero if there is none, and beyond every file if one of them lies in no chunk.
pub(super) fn end(index: &[u8]) -> u64 {
    boxes(index)
        .filter(|(kind, _)| kind == b"trak")
        .filter_map(|(_, track)| end_of_track(track))
        .max()
        .unwrap_or(0)
}

/// The position behind the last frame, sound left out (silence is zeros); zero if there is none.
pub(super) fn end_of_frames(index: &[u8]) -> u64 {
    boxes(index)
        .filter(|(kind, _)| kind == b"trak")
        .filter(|(_, track)| {
            at(track, &[b"mdia", b"hdlr"])
                .is_some_and(|handler| handler.get(8..12) == Some(b"vide"))
        })
        .filter_map(|(_, track)| end_of_track(track))
        .max()
        .unwrap_or(0)
}

fn end_of_track(track: &[u8]) -> Option<u64> {
    let tables = at(track, &[b"mdia", b"minf", b"stbl"])?;
    let runs: &[[u8; 12]] = entries(first(tables, b"stsc")?, 4);
    let sizes = first(tables, b"stsz")?;
    let same_bytes = u32_at(sizes, 4)?;
    let mut sizes_bytes = entries::<4>(sizes, 8)
        .iter()
        .map(|size| u32::from_be_bytes(*size));
    let mut left_samples = u64::from(u32_at(sizes, 8)?);
    let mut runs = runs.iter().peekable();
    let mut samples_per_chunk = 0;
    let mut end = 0;
    for (number, offset) in (1_u32..).zip(offsets(tables)) {
        if let Some(run) = runs.next_if(|run| u32_at(*run, 0).is_some_and(|from| from <= number)) {
            samples_per_chunk = u64::from(u32_at(run, 4)?);
        }
        let samples = samples_per_chunk.min(left_samples);
        left_samples -= samples;
        let chunk_bytes = match same_bytes {
            0 => {
                let samples = usize::try_from(samples).ok()?;
                sizes_bytes.by_ref().take(samples).map(u64::from).sum()
            }
            same => u64::from(same) * samples,
        };
        if chunk_bytes > 0 {
            end = end.max(offset.saturating_add(chunk_bytes));
        }
    }
    Some(if left_samples == 0 { end } else { u64::MAX })
}

/// Where the chunks of samples begin, in either width.
fn offsets(tables: &[u8]) -> impl Iterator<Item = u64> {
    let narrow: &[[u8; 4]] = first(tables, b"stco").map_or(&[], |table| entries(table, 4));
    let wide: &[[u8; 8]] = first(tables, b"co64").map_or(&[], |table| entries(table, 4));
    let narrow = narrow.iter().map(|at| u64::from(u32::from_be_bytes(*at)));
    narrow.chain(wide.iter().map(|at| u64::from_be_bytes(*at)))
}
