//! One look at one file: is it a whole picture or clip, which bytes are in it, how large is it, what is said of it. The file is read
//! once, into one buffer that serves all looks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::ImageReader;
use imagesize::{Compression, ImageType};

use super::decode::image_format;
use super::metadata::MetadataReader;
use super::original::fingerprint_of;
use super::root::Root;
use super::walk::{A_LINK, NO_FILE, file_stat, root_identity};
use super::whole::{Wholeness, wholeness_of};
use super::{clip, heic};
use crate::domain::clip::Clip;
use crate::domain::media::{Content, FileStat, Finding, Fingerprint, Format, MOST_BYTES, Sighting};
use crate::system::beneath::{Folder, Kind, Stat, is_link, split};

/// Files up to this size are read into memory in one go; larger ones piece by piece.
const READ_AT_ONCE_BYTES: u64 = 16_000_000;
/// The buffer that is kept between looks; a larger one is given back after use.
const KEPT_BUFFER_BYTES: usize = 4_000_000;
/// The piece in which larger files are read.
const PIECE_BYTES: usize = 256 * 1024;
/// Why a file waits that changes while it is looked at, or whose writer has not closed it.
pub(super) const BEING_WRITTEN: &str = "it is being written";
/// How often a file is read anew when its rights, name or times change in between but not its content.
const MOST_READS: u32 = 3;

/// Looks at files of one library.
#[derive(Debug)]
pub struct Inspector {
    root: Root,
    buffer: Vec<u8>,
    metadata: MetadataReader,
}

/// Why a look saw nothing.
#[derive(Debug, thiserror::Error)]
pub enum NotSeen {
    /// There is no such file, or it lies behind a link, or a folder is in its place.
    #[error("there is no such file")]
    Vanished,
    /// The disk failed, or the library's root is away; nothing may be concluded about the file. Look again later.
    #[error("cannot be read now: {0}")]
    Later(#[source] io::Error),
}

/// What reading a file's content led to.
enum Reading {
    Told(Finding),
    Whole(Fingerprint, Format, Shape),
}

/// What the header of a whole media tells.
struct Shape {
    width_px: u32,
    height_px: u32,
    clip: Option<Clip>,
}

impl Inspector {
    /// An inspector of the library at this root.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self::of(Root::of_library(root))
    }

    /// An inspector of the files beneath this root.
    #[must_use]
    pub fn of(root: Root) -> Self {
        Self {
            metadata: MetadataReader::of(root.clone()),
            root,
            buffer: Vec::new(),
        }
    }

    /// Looks at the file at this path in the library. Nothing is written, no link is followed, and nothing is waited for.
    ///
    /// # Errors
    ///
    /// When there is no such file, or it cannot be told.
    pub fn inspect(&mut self, path: &str) -> Result<Sighting, NotSeen> {
        let root = self.root.open().map_err(NotSeen::Later)?;
        let (folder_path, name) = split(path);
        let sighting = |stat, metadata_stamp, finding| Sighting {
            path: path.to_owned(),
            stat,
            metadata_stamp,
            finding,
        };
        let no_permission = || {
            Finding::Unusable {
            reason: "it may not be read; give the user that runs storyline the right to read it (`chmod a+r`) and to enter its folder (`chmod a+rx`)".to_owned(),
        }
        };
        let looked = root
            .folder(folder_path)
            .and_then(|folder| folder.stat(name).map(|stat| (folder, stat)));
        let (folder, seen) = match looked {
            Ok(looked) => looked,
            Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
                return Ok(sighting(
                    FileStat::default(),
                    String::new(),
                    no_permission(),
                ));
            }
            Err(cause) => return Err(not_seen(cause)),
        };
        let stat = file_stat(&seen);
        let first = at_first_sight(&seen)?;
        let gathered = self.metadata.gather(&folder, path);
        if let Some(finding) = first {
            return Ok(sighting(stat, gathered.stamp, finding));
        }
        let read = self.read(&folder, name);
        if self.buffer.len() > KEPT_BUFFER_BYTES {
            self.buffer = Vec::new();
        }
        let (stat, reading) = match read {
            Ok(read) => read,
            Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
                (stat, Reading::Told(no_permission()))
            }
            Err(cause) => return Err(not_seen(cause)),
        };
        let finding = match reading {
            Reading::Told(finding) => finding,
            Reading::Whole(fingerprint, format, shape) => Finding::Whole(Box::new(Content {
                fingerprint,
                format,
                width_px: shape.width_px,
                height_px: shape.height_px,
                clip: shape.clip,
                metadata: gathered.metadata,
                metadata_problems: gathered.problems,
            })),
        };
        Ok(sighting(stat, gathered.stamp, finding))
    }

    /// Reads the file, and again if only its rights, name or times changed in between (many copiers set them at the end).
    fn read(&mut self, folder: &Folder, name: &str) -> io::Result<(FileStat, Reading)> {
        for _ in 0..MOST_READS {
            let mut file = folder.open(name)?;
            let stat = Stat::of(&file)?;
            let before = file_stat(&stat);
            if stat.kind != Kind::File {
                return Err(ErrorKind::NotFound.into());
            }
            let reading = match self.read_content(&mut file, before.size_bytes) {
                Ok(reading) => reading,
                Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => being_written(),
                Err(cause) => return Err(cause),
            };
            let after = file_stat(&Stat::of(&file)?);
            if after == before {
                return Ok((before, reading));
            }
            let same_content =
                (after.size_bytes, after.modified_ns) == (before.size_bytes, before.modified_ns);
            if !same_content {
                return Ok((before, being_written()));
            }
        }
        let stat = file_stat(&folder.stat(name)?);
        Ok((stat, being_written()))
    }

    fn read_content(&mut self, file: &mut File, size_bytes: u64) -> io::Result<Reading> {
        if size_bytes > READ_AT_ONCE_BYTES {
            return self.read_in_pieces(file);
        }
        let size_bytes = usize::try_from(size_bytes).map_err(io::Error::other)?;
        if self.buffer.len() < size_bytes {
            // Anew and not grown: fresh zeros cost nothing, and nothing old is copied.
            self.buffer = Vec::new();
            self.buffer = vec![0; size_bytes.next_multiple_of(PIECE_BYTES)];
        }
        let bytes = &mut self.buffer[..size_bytes];
        file.read_exact(bytes)?;
        let bytes = &self.buffer[..size_bytes];
        let mut reader = Cursor::new(bytes);
        Ok(match whole(&mut reader)? {
            Ok((format, shape)) => {
                let fingerprint = Fingerprint::from_bytes(blake3::hash(bytes).into());
                Reading::Whole(fingerprint, format, shape)
            }
            Err(finding) => Reading::Told(finding),
        })
    }

    fn read_in_pieces(&mut self, file: &mut File) -> io::Result<Reading> {
        let mut reader = BufReader::with_capacity(PIECE_BYTES, &mut *file);
        let (format, shape) = match whole(&mut reader)? {
            Ok(whole) => whole,
            Err(finding) => return Ok(Reading::Told(finding)),
        };
        reader.seek(SeekFrom::Start(0))?;
        Ok(Reading::Whole(fingerprint_of(reader)?, format, shape))
    }
}

/// What can be told without opening the file.
fn at_first_sight(stat: &Stat) -> Result<Option<Finding>, NotSeen> {
    let unusable = |reason: String| Ok(Some(Finding::Unusable { reason }));
    match stat.kind {
        Kind::File => {}
        Kind::Folder => return Err(NotSeen::Vanished),
        Kind::Link => return unusable(A_LINK.to_owned()),
        Kind::Other => return unusable(NO_FILE.to_owned()),
    }
    if stat.size_bytes == 0 {
        return Ok(Some(Finding::Waiting {
            reason: "it is empty".to_owned(),
        }));
    }
    if stat.size_bytes > MOST_BYTES {
        return unusable(format!(
            "{} MB are too many; at most {} MB",
            stat.size_bytes / 1_000_000,
            MOST_BYTES / 1_000_000
        ));
    }
    Ok(None)
}

/// The format and shape of a whole picture or clip, or what else was found.
fn whole<R: BufRead + Seek>(reader: &mut R) -> io::Result<Result<(Format, Shape), Finding>> {
    let format = match wholeness_of(reader)? {
        Wholeness::Whole(format) => format,
        Wholeness::Unfinished { missing, .. } => {
            return Ok(Err(Finding::Waiting { reason: missing }));
        }
        Wholeness::Foreign { reason } => return Ok(Err(Finding::Unusable { reason })),
    };
    if format == Format::Heic && heic::converter().is_none() {
        let reason = heic::NO_CONVERTER.to_owned();
        return Ok(Err(Finding::Unusable { reason }));
    }
    let shape = if format.is_clip() {
        clip::read(reader)?.map(|told| Shape {
            width_px: told.width_px,
            height_px: told.height_px,
            clip: Some(told.clip),
        })
    } else {
        dimensions(reader, format).map(|(width_px, height_px)| Shape {
            width_px,
            height_px,
            clip: None,
        })
    };
    Ok(shape
        .map(|shape| (format, shape))
        .map_err(|reason| Finding::Unusable { reason }))
}

/// Width and height as the header tells them.
fn dimensions<R: BufRead + Seek>(reader: &mut R, format: Format) -> Result<(u32, u32), String> {
    let told = catch_unwind(AssertUnwindSafe(|| {
        quick_dimensions(reader, format).or_else(|| thorough_dimensions(reader, format))
    }));
    told.ok()
        .flatten()
        .filter(|&(width_px, height_px)| width_px > 0 && height_px > 0)
        .ok_or_else(|| {
            "damaged: its header tells no size; copy it again from its source".to_owned()
        })
}

fn quick_dimensions<R: BufRead + Seek>(reader: &mut R, format: Format) -> Option<(u32, u32)> {
    let kind = match format {
        Format::Jpeg => ImageType::Jpeg,
        Format::Png => ImageType::Png,
        Format::Gif => ImageType::Gif,
        Format::Webp => ImageType::Webp,
        Format::Heic => ImageType::Heif(Compression::Hevc),
        Format::Mp4 | Format::Mov => return None,
    };
    reader.seek(SeekFrom::Start(0)).ok()?;
    let size = kind.reader_size(reader).ok()?;
    Some((size.width.try_into().ok()?, size.height.try_into().ok()?))
}

/// As the decoder reads the header, which knows some that the quick way does not (very small WebP).
fn thorough_dimensions<R: BufRead + Seek>(reader: &mut R, format: Format) -> Option<(u32, u32)> {
    reader.seek(SeekFrom::Start(0)).ok()?;
    let reader = ImageReader::with_format(reader, image_format(format)?);
    reader.into_dimensions().ok()
}

fn being_written() -> Reading {
    Reading::Told(Finding::Waiting {
        reason: BEING_WRITTEN.to_owned(),
    })
}

fn not_seen(cause: io::Error) -> NotSeen {
    if is_absence(&cause) {
        NotSeen::Vanished
    } else {
        NotSeen::Later(cause)
    }
}

fn is_absence(cause: &io::Error) -> bool {
    // What lies behind a link is not there, since none is followed.
    is_link(cause) || matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Of these files, those that are not there while the library is. Whoever saw one missing may have looked while the disk was
/// away; so the library must be the same before and after this second look, and have anything in it.
pub(super) fn really_gone(root: &Path, mut paths: Vec<String>) -> Vec<String> {
    let Ok(before) = root_identity(root) else {
        return Vec::new();
    };
    paths.retain(|path| {
        let looked = Folder::root(root).and_then(|root| root.stat(path));
        match looked {
            Ok(stat) => stat.kind == Kind::Folder,
            Err(cause) => is_absence(&cause),
        }
    });
    let has_anything = Folder::root(root).and_then(|root| root.is_empty());
    let is_there = has_anything.is_ok_and(|is_empty| !is_empty)
        && root_identity(root).is_ok_and(|after| after == before);
    if is_there { paths } else { Vec::new() }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
mod tests;
