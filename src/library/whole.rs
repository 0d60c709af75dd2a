//! Whether a picture's or a clip's end is there, told from its structure. Closed is not complete: a killed upload closes its
//! file too, so only the format's own end says that nothing more will come. Nothing is decoded here.

use std::io::{self, BufRead, Cursor, ErrorKind, Seek, SeekFrom};

use super::{clip, foreign, heic};
use crate::domain::media::Format;

/// What a file's structure tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// A picture or clip up to its own end. Whatever follows (a camera's trailer, a second image) does no harm.
    Whole(Format),
    /// The beginning of a picture or clip; more may come.
    Unfinished {
        /// The format, if its beginning is there.
        format: Option<Format>,
        /// What is missing, in plain words.
        missing: String,
    },
    /// Nothing that can become a story, whatever is waited for.
    Foreign {
        /// Why, and what to do, in plain words.
        reason: String,
    },
}

/// How many bytes of a file's beginning decide what it is.
const HEAD_BYTES: usize = 64;

/// So many zeros at the end of a WebP, or of the last frame of a clip, are space that was reserved and is to be written yet.
/// Both tell their length at the beginning, so that their last bytes are the only sign. Coded pictures hold no such runs.
const HOLE_BYTES: u64 = 4096;

/// Tells whether these bytes are a whole picture or clip.
#[must_use]
pub fn wholeness(bytes: &[u8]) -> Wholeness {
    wholeness_of(&mut Cursor::new(bytes)).unwrap_or_else(|cause| Wholeness::Foreign {
        reason: format!("cannot be read: {cause}"),
    })
}

/// Tells the same of a file too large to be held in memory.
///
/// # Errors
///
/// When it cannot be read.
pub fn wholeness_of<R: BufRead + Seek>(reader: &mut R) -> io::Result<Wholeness> {
    let length = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    let mut head = [0; HEAD_BYTES];
    let head_bytes = length.min(HEAD_BYTES as u64) as usize;
    reader.read_exact(&mut head[..head_bytes])?;
    reader.seek(SeekFrom::Start(0))?;
    let head = &head[..head_bytes];
    let format = match sniff(head) {
        Ok(format) => format,
        Err(other) => return Ok(other),
    };
    let mut pieces = Pieces { reader, length };
    let (walked, name, end) = match format {
        Format::Jpeg => (jpeg(&mut pieces), "JPEG", "its end mark is not there yet"),
        Format::Png => (
            png(&mut pieces),
            "PNG",
            "its last chunk, IEND, is not there yet",
        ),
        Format::Gif => (gif(&mut pieces), "GIF", "its trailer is not there yet"),
        Format::Webp => (
            webp(&mut pieces),
            "WebP",
            "it is shorter than its header says, or ends in zeros",
        ),
        Format::Heic => (
            boxes(&mut pieces),
            "HEIC",
            "its last bytes are not there yet",
        ),
        Format::Mp4 | Format::Mov => return clip_of(format, reader),
    };
    match walked {
        Ok(Step::End) => Ok(Wholeness::Whole(format)),
        Ok(Step::Damage(what)) => Ok(Wholeness::Foreign {
            reason: format!("a damaged {name}: {what}; copy it again from its source"),
        }),
        Ok(Step::Hole) => Ok(unfinished(Some(format), end)),
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => Ok(unfinished(Some(format), end)),
        Err(cause) => Err(cause),
    }
}

/// Tells it of a clip, whose structure is walked in a room of its own.
fn clip_of<R: BufRead + Seek>(format: Format, reader: &mut R) -> io::Result<Wholeness> {
    Ok(match clip::layout(reader)? {
        Ok(layout) if has_hole_before(reader, layout.end_of_frames())? => unfinished(
            Some(format),
            "there are only zeros where its last frame is to be",
        ),
        Ok(_) => Wholeness::Whole(format),
        Err(clip::Ending::Cut(missing)) => unfinished(Some(format), missing),
        Err(clip::Ending::Damage(what)) => Wholeness::Foreign {
            reason: format!("a damaged clip: {what}; copy it again from its source"),
        },
    })
}

/// Whether there are nothing but zeros in front of this position.
fn has_hole_before<R: BufRead + Seek>(reader: &mut R, end: u64) -> io::Result<bool> {
    let Some(begin) = end.checked_sub(HOLE_BYTES) else {
        return Ok(false);
    };
    reader.seek(SeekFrom::Start(begin))?;
    let mut last = [0; HOLE_BYTES as usize];
    reader.read_exact(&mut last)?;
    Ok(last.iter().all(|&byte| byte == 0))
}

/// How the walk through a format's structure came to its end; running out of bytes is an `UnexpectedEof`.
enum Step {
    /// At the format's own end.
    End,
    /// Among zeros where structure should be: space that was reserved and is to be written yet.
    Hole,
    /// At something that no waiting mends.
    Damage(&'static str),
}

fn unfinished(format: Option<Format>, missing: &str) -> Wholeness {
    Wholeness::Unfinished {
        format,
        missing: missing.to_owned(),
    }
}

/// The format that a file beginning so has, or what else is to be said of it.
fn sniff(head: &[u8]) -> Result<Format, Wholeness> {
    const JPEG: &[u8] = b"\xff\xd8\xff";
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    if head.is_empty() {
        return Err(unfinished(None, "it is empty"));
    }
    if head.iter().all(|&byte| byte == 0) {
        return Err(unfinished(None, "it holds nothing but zeros yet"));
    }
    if head.starts_with(JPEG) {
        return Ok(Format::Jpeg);
    }
    if head.starts_with(PNG) {
        return Ok(Format::Png);
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Ok(Format::Gif);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Ok(Format::Webp);
    }
    if heic::is_heic(head) {
        return Ok(Format::Heic);
    }
    if let Some(reason) = foreign::boxes(head) {
        return Err(Wholeness::Foreign { reason });
    }
    if let Some(format) = clip::format(head) {
        return Ok(format);
    }
    let mut beginnings = [JPEG, PNG, b"GIF87a", b"GIF89a", b"RIFF"].iter();
    let is_cut_webp = head.starts_with(b"RIFF")
        && head.len() < 12
        && b"WEBP".starts_with(head.get(8..).unwrap_or_default());
    if beginnings.any(|beginning| beginning.starts_with(head))
        || is_cut_webp
        || clip::may_become(head)
    {
        return Err(unfinished(None, "only its first bytes are there yet"));
    }
    Err(Wholeness::Foreign {
        reason: foreign::reason(head),
    })
}

/// A reader that takes structure apart, and knows where its file ends.
struct Pieces<'a, R> {
    reader: &'a mut R,
    length: u64,
}

impl<R: BufRead + Seek> Pieces<'_, R> {
    fn next<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let [byte] = self.next()?;
        Ok(byte)
    }

    /// Goes over so many bytes, all of which must be there.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let at = self.reader.stream_position()?;
        if bytes > self.length.saturating_sub(at) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.reader.seek_relative(bytes.cast_signed())
    }

    /// Goes behind the next 0xFF.
    fn skip_to_marker(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let found = memchr::memchr(0xff, buffer);
            let used = found.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(used);
            if found.is_some() {
                return Ok(());
            }
        }
    }

    /// Whether the last bytes of the file are these; stays where it is.
    fn ends_with(&mut self, end: [u8; 2]) -> io::Result<bool> {
        let at = self.reader.stream_position()?;
        if self.length < at + 2 {
            return Ok(false);
        }
        self.reader.seek(SeekFrom::Start(self.length - 2))?;
        let ends = self.next()? == end;
        self.reader.seek(SeekFrom::Start(at))?;
        Ok(ends)
    }
}

const JUNK: &str = "there is garbage between its segments";

/// Segments up to the first scan; then the end mark as the file's last bytes, or wherever the scans end. A mark inside a
/// segment (a thumbnail has one) is skipped with its segment; inside a scan, stuffing keeps marks from appearing.
fn jpeg<R: BufRead + Seek>(pieces: &mut Pieces<'_, R>) -> io::Result<Step> {
    pieces.skip(2)?;
    let mut in_scan = false;
    loop {
        if in_scan {
            pieces.skip_to_marker()?;
        } else {
            match pieces.byte()? {
                0xff => {}
                0 => return Ok(Step::Hole),
                _ => return Ok(Step::Damage(JUNK)),
            }
        }
        let mut marker = 0xff;
        while marker == 0xff {
            marker = pieces.byte()?;
        }
        match marker {
            0xd9 if in_scan => return Ok(Step::End),
            0xd9 => return Ok(Step::Damage("it ends before its picture")),
            0x00 if !in_scan => {
                // More zeros are space to be written yet; anything else is no segment and becomes none.
                return Ok(match pieces.next()? {
                    [0, 0] => Step::Hole,
                    _ => Step::Damage(JUNK),
                });
            }
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            0x02..=0xbf if in_scan => continue,
            _ => {}
        }
        let length = u16::from_be_bytes(pieces.next()?);
        match length {
            0 => return Ok(Step::Hole),
            1 => return Ok(Step::Damage("a segment has an impossible length")),
            _ => pieces.skip(u64::from(length) - 2)?,
        }
        if marker == 0xda && !in_scan {
            in_scan = true;
            if pieces.ends_with([0xff, 0xd9])? {
                return Ok(Step::End);
            }
        }
    }
}

/// Chunks up to `IEND`.
fn png<R: BufRead + Seek>(pieces: &mut Pieces<'_, R>) -> io::Result<Step> {
    pieces.skip(8)?;
    loop {
        let length = u32::from_be_bytes(pieces.next()?);
        let kind: [u8; 4] = pieces.next()?;
        if kind == [0; 4] {
            return Ok(Step::Hole);
        }
        if !kind.iter().all(u8::is_ascii_alphabetic) || length > 1 << 31 {
            return Ok(Step::Damage("there is garbage between its chunks"));
        }
        pieces.skip(u64::from(length) + 4)?;
        if &kind == b"IEND" {
            return Ok(Step::End);
        }
    }
}

/// Blocks up to the trailer.
fn gif<R: BufRead + Seek>(pieces: &mut Pieces<'_, R>) -> io::Result<Step> {
    pieces.skip(10)?;
    let [flags, _, _] = pieces.next()?;
    pieces.skip(colour_table_bytes(flags))?;
    loop {
        match pieces.byte()? {
            0x3b => return Ok(Step::End),
            0x21 => pieces.skip(1)?,
            0x2c => {
                let [.., flags] = pieces.next::<9>()?;
                pieces.skip(colour_table_bytes(flags) + 1)?;
            }
            0x00 => return Ok(Step::Hole),
            _ => return Ok(Step::Damage("there is garbage between its blocks")),
        }
        loop {
            match pieces.byte()? {
                0 => break,
                length => pieces.skip(u64::from(length))?,
            }
        }
    }
}

fn colour_table_bytes(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        return 0;
    }
    3 << ((flags & 7) + 1)
}

/// The length that the header tells.
fn webp<R: BufRead + Seek>(pieces: &mut Pieces<'_, R>) -> io::Result<Step> {
    pieces.skip(4)?;
    let length = u32::from_le_bytes(pieces.next()?);
    if length < 12 {
        // Written last by whoever does not know it before.
        return Ok(Step::Hole);
    }
    pieces.skip(u64::from(length))?;
    let end = pieces.reader.stream_position()?;
    let has_hole = has_hole_before(pieces.reader, end)?;
    Ok(if has_hole { Step::Hole } else { Step::End })
}

/// Boxes that add up to the file, what describes the picture and what it consists of among them. Zeros that follow do no harm.
fn boxes<R: BufRead + Seek>(pieces: &mut Pieces<'_, R>) -> io::Result<Step> {
    let (mut is_described, mut has_content) = (false, false);
    loop {
        let at = pieces.reader.stream_position()?;
        if at == pieces.length {
            break;
        }
        let short = u32::from_be_bytes(pieces.next()?);
        let kind: [u8; 4] = pieces.next()?;
        if kind == [0; 4] {
            break;
        }
        let (header_bytes, box_bytes) = match short {
            0 => (8, pieces.length - at),
            1 => (16, u64::from_be_bytes(pieces.next()?)),
            length => (8, length.into()),
        };
        let Some(content_bytes) = box_bytes.checked_sub(header_bytes) else {
            return Ok(Step::Damage("there is garbage between its boxes"));
        };
        is_described |= &kind == b"meta";
        has_content |= &kind == b"mdat";
        pieces.skip(content_bytes)?;
    }
    Ok(if is_described && has_content {
        Step::End
    } else {
        Step::Hole
    })
}

#[cfg(test)]
#[path = "whole_tests.rs"]
mod tests;
