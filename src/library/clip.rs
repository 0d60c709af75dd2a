//! What a clip's container tells, without decoding a frame: MP4 and QuickTime are boxes in boxes, all the same way.
//!
//! [`layout`] walks the outer boxes in the file, where it goes over the frames without reading them, and loads the one box
//! that matters, `moov`, the index; [`boxes`] takes it apart; [`movie`] tells the facts from it, [`samples`] where the last
//! frame ends, and [`fragments`] what streams keep elsewhere.
//!
//! The reading is our own. Crates of this kind build a table of every sample before they tell anything (9 MB for four
//! seconds of plain sound), read boxes of whatever length they declare, and leave out what is asked here: the place where it
//! was recorded, sound that is not AAC, codecs that are to be refused by name. Here a file of any content takes bounded
//! memory and time: `moov` up to [`MOST_INDEX_BYTES`], no recursion, no table but the file's own bytes.

use std::io::{self, BufRead, Seek};

use crate::domain::clip::Clip;
use crate::domain::media::Format;

pub(super) mod boxes;
mod fragments;
mod layout;
mod movie;
mod samples;
#[cfg(test)]
pub(in crate::library) mod writer;

pub(super) use layout::{Ending, layout};

/// The largest index that is read, in bytes; that of a minute's clip has some hundred thousand.
const MOST_INDEX_BYTES: u64 = 16_000_000;

/// A clip, as its container tells it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// Width as seen, in pixels.
    pub(super) width_px: u32,
    /// Height as seen, in pixels.
    pub(super) height_px: u32,
    pub(super) clip: Clip,
}

/// The format of a file of boxes that begins so, if it is none that [`super::foreign`] knows.
pub(super) fn format(head: &[u8]) -> Option<Format> {
    match head.get(4..8)? {
        b"ftyp" => match head.get(8..12)? {
            b"qt  " => Some(Format::Mov),
            _ => Some(Format::Mp4),
        },
        b"moov" | b"mdat" | b"wide" | b"free" | b"skip" => Some(Format::Mov),
        _ => None,
    }
}

/// Whether so few bytes may be the beginning of a file of boxes.
pub(super) fn may_become(head: &[u8]) -> bool {
    let kind = head.get(4..).unwrap_or_default();
    let begins_a_box = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"]
        .iter()
        .any(|known| known.starts_with(kind));
    let cut_brand = head.len() < 12 && kind.starts_with(b"ftyp");
    head[0] == 0 && (begins_a_box || cut_brand)
}

/// What a whole clip tells; or why it cannot be a story, in plain words.
///
/// # Errors
///
/// When it cannot be read.
pub(super) fn read<R: BufRead + Seek>(reader: &mut R) -> io::Result<Result<Told, String>> {
    let layout = match layout(reader)? {
        Ok(layout) => layout,
        Err(_) => return Ok(Err("it is cut off or damaged; copy it again".to_owned())),
    };
    let mut told = match movie::tell(&layout.index) {
        Ok(told) => told,
        Err(reason) => return Ok(Err(reason)),
    };
    told.clip.moov_first = layout.moov_first;
    if layout.is_fragmented() {
        told.clip.fragmented = true;
        fragments::add(reader, &layout, &mut told.clip)?;
    }
    Ok(Ok(told))
}

#[cfg(test)]
#[path = "clip/tests.rs"]
mod tests;
