//! The outer boxes of a clip: which there are, in which order, and whether they are all there.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use super::boxes::first;
use super::{MOST_INDEX_BYTES, samples};

/// More outer boxes than this are no clip: a minute of fragments has a few hundred.
const MOST_BOXES: u32 = 65_536;

/// A clip's outer boxes, all there.
pub(in crate::library) struct Layout {
    /// What is in `moov`.
    pub(super) index: Vec<u8>,
    /// Whether it comes before the frames.
    pub(super) moov_first: bool,
    /// Where the contents of the `moof` boxes lie: the index of each fragment.
    pub(super) fragments: Vec<Range<u64>>,
}

impl Layout {
    /// The position behind the last frame; zero if the index does not say.
    pub(in crate::library) fn end_of_frames(&self) -> u64 {
        samples::end_of_frames(&self.index)
    }

    pub(super) fn is_fragmented(&self) -> bool {
        !self.fragments.is_empty() || first(&self.index, b"mvex").is_some()
    }
}

/// Why a clip is not all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::library) enum Ending {
    /// It stops, or has zeros, where more is to come; what, in plain words.
    Cut(&'static str),
    /// There is something that no waiting mends.
    Damage(&'static str),
}

/// Walks the outer boxes. A clip is all there when its boxes add up to the file, `moov` and `mdat` are among them, no
/// frame that `moov` names lies behind the end, and `moov` itself has no hole. Zeros or garbage that follow do no harm.
///
/// # Errors
///
/// When it cannot be read.
pub(in crate::library) fn layout<R: BufRead + Seek>(
    reader: &mut R,
) -> io::Result<Result<Layout, Ending>> {
    const END: &str = "its last bytes are not there yet";
    let length = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let mut found = Found::default();
    let mut at = 0;
    for _ in 0..MOST_BOXES {
        if at == length {
            return Ok(found.judged(at, Ending::Cut(END)));
        }
        let Some(header) = header(reader, length - at)? else {
            return Ok(Err(Ending::Cut(END)));
        };
        let is_a_name = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | 0xa9);
        if header.kind.contains(&0) {
            return Ok(found.judged(at, Ending::Cut(END)));
        }
        if !header.kind.iter().all(is_a_name) || header.box_bytes < header.header_bytes {
            let garbage = Ending::Damage("there is garbage between its boxes");
            return Ok(found.judged(at, garbage));
        }
        if header.box_bytes > length - at {
            return Ok(Err(Ending::Cut(END)));
        }
        let content = at + header.header_bytes..at + header.box_bytes;
        match &header.kind {
            b"moov" if found.index.is_none() => {
                let index_bytes = content.end - content.start;
                if index_bytes > MOST_INDEX_BYTES {
                    return Ok(Err(Ending::Damage("its index is far too large for a clip")));
                }
                found.index = Some(load(reader, index_bytes)?);
                found.moov_first = !found.has_frames;
            }
            b"mdat" => found.has_frames = true,
            b"moof" => found.fragments.push(content.clone()),
            b"mfra" => found.fragments_end = true,
            _ => {}
        }
        let here = reader.stream_position()?;
        reader.seek_relative((content.end - here).cast_signed())?;
        at = content.end;
    }
    Ok(Err(Ending::Damage("it has far too many boxes for a clip")))
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    index: Option<Vec<u8>>,
    moov_first: bool,
    has_frames: bool,
    fragments: Vec<Range<u64>>,
    fragments_end: bool,
}

impl Found {
    /// The layout, if all is there that belongs to a clip whose boxes end here; else what is wrong.
    fn judged(self, end: u64, otherwise: Ending) -> Result<Layout, Ending> {
        let Some(index) = self.index else {
            return Err(match otherwise {
                Ending::Cut(_) => Ending::Cut("its index is not there yet"),
                damage => damage,
            });
        };
        let layout = Layout {
            index,
            moov_first: self.moov_first,
            fragments: self.fragments,
        };
        let is_all_there = samples::end(&layout.index) <= end && !samples::has_hole(&layout.index);
        if !self.has_frames || !is_all_there {
            return Err(otherwise);
        }
        // Each fragment ends like the last one does; only this box tells that no other will come.
        if layout.is_fragmented() && !self.fragments_end {
            return Err(Ending::Cut(
                "it is in fragments, as streams are, and the mark behind the last one is not there; if no more comes, save it anew as a plain MP4",
            ));
        }
        Ok(layout)
    }
}

/// The beginning of a box.
struct Header {
    kind: [u8; 4],
    header_bytes: u64,
    box_bytes: u64,
}

/// The next box's header, if that is there; a box without a length takes all that is left.
fn header<R: Read>(reader: &mut R, left_bytes: u64) -> io::Result<Option<Header>> {
    let Some([a, b, c, d, kind @ ..]) = next::<8, R>(reader)? else {
        return Ok(None);
    };
    let (header_bytes, box_bytes) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (8, left_bytes),
        1 => match next(reader)? {
            Some(length) => (16, u64::from_be_bytes(length)),
            None => return Ok(None),
        },
        length => (8, length.into()),
    };
    Ok(Some(Header {
        kind,
        header_bytes,
        box_bytes,
    }))
}

fn next<const N: usize, R: Read>(reader: &mut R) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// So many bytes, which were found to be there.
pub(super) fn load<R: Read>(reader: &mut R, bytes: u64) -> io::Result<Vec<u8>> {
    let mut loaded = Vec::new();
    let read_bytes = reader.take(bytes).read_to_end(&mut loaded)?;
    if (read_bytes as u64) < bytes {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(loaded)
}
