//! A media is one piece of content, known by the hash of its bytes; a file is a place where it lies. This module has the
//! words for what is seen in the library and the rules that decide what may become a story.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::category::Category;
use super::clip::Clip;
use super::edit::Edits;
pub use super::fingerprint::Fingerprint;
use super::ids::MediaId;
use super::lookalike::Lookalike;

/// The format of a media, decided by its content and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF, still or animated.
    Gif,
    /// WebP, still or animated.
    Webp,
    /// HEIC, as iPhones keep photographs; it takes a converter to be seen.
    Heic,
    /// A clip in an MP4 container.
    Mp4,
    /// A clip in a QuickTime container.
    Mov,
}

impl Format {
    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
            Self::Heic => "heic",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
        }
    }

    /// Whether it is a clip, and not a picture.
    #[must_use]
    pub fn is_clip(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use Format::{Gif, Heic, Jpeg, Mov, Mp4, Png, Webp};
        [Jpeg, Png, Gif, Webp, Heic, Mp4, Mov]
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no format of a media"))
    }
}

/// What people say of a media, merged from all the places where they may say it; later places win.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// What it is called.
    pub title: Option<String>,
    /// Where a link sticker should lead.
    pub link_url: Option<String>,
    /// The text to go with the story.
    pub caption: Option<String>,
    /// Words to tell it from others; the plan avoids the previous pick's.
    pub tags: Vec<String>,
    /// Whether a person must add something by hand; unset, a link or a poll question decides.
    pub requires_interaction: Option<bool>,
    /// Whatever else the team keeps with it.
    pub custom_metadata: serde_json::Map<String, serde_json::Value>,
}

impl Metadata {
    /// What `later` says is laid over this; what it leaves unsaid stays.
    #[must_use]
    pub fn overlaid_with(self, later: Self) -> Self {
        let mut custom_metadata = self.custom_metadata;
        custom_metadata.extend(later.custom_metadata);
        Self {
            title: later.title.or(self.title),
            link_url: later.link_url.or(self.link_url),
            caption: later.caption.or(self.caption),
            tags: if later.tags.is_empty() {
                self.tags
            } else {
                later.tags
            },
            requires_interaction: later.requires_interaction.or(self.requires_interaction),
            custom_metadata,
        }
    }

    /// Whether a person must add a sticker: as told, or because there is a link or a poll question, which no API can add.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        self.requires_interaction.unwrap_or_else(|| {
            self.link_url.is_some() || self.custom_metadata.contains_key("poll_question")
        })
    }
}

/// What the file system tells of a file without reading it. Equal stats mean that the content need not be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileStat {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// Last change of content, name or rights, in nanoseconds since 1970; nobody can set it, so it tells a replaced file
    /// whose times were copied.
    pub changed_ns: i64,
    /// The inode, which tells a replaced file from a rewritten one.
    pub inode: u64,
}

/// A media as the team's records have it.
#[derive(Clone, Debug, Serialize)]
pub struct Media {
    /// Its row.
    #[serde(skip)]
    pub id: MediaId,
    /// The hash of its bytes.
    #[serde(serialize_with = "as_text")]
    pub fingerprint: Fingerprint,
    /// Its format, by content.
    pub format: Format,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Width, in pixels; as a person sees it once it was examined.
    pub width_px: u32,
    /// Height, in pixels; as a person sees it once it was examined.
    pub height_px: u32,
    /// What its container tells, if it is a clip.
    pub clip: Option<Clip>,
    /// The category its place gives it, or people did.
    #[serde(serialize_with = "as_text")]
    pub category: Category,
    /// Where it lies, or lay last, from the library's root.
    pub path: String,
    /// What people say of it.
    #[serde(flatten)]
    pub metadata: Metadata,
    /// What of that they said by hand.
    pub edits: Edits,
    /// Why it cannot be a story; empty if it can.
    pub errors: Vec<String>,
    /// What a person may want to know.
    pub warnings: Vec<String>,
    /// When it was first seen.
    pub indexed_at: Timestamp,
    /// When it was decoded in full.
    pub examined_at: Option<Timestamp>,
    /// Since when it has no file.
    pub missing_since: Option<Timestamp>,
    /// How often it was posted.
    pub posted_count: u32,
    /// When it was last posted.
    pub last_posted_at: Option<Timestamp>,
    /// What it looks like, if it was examined and has features to tell it by.
    #[serde(skip)]
    pub lookalike: Option<Lookalike>,
}

impl Media {
    /// What people call it: its title, or the name of its file.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let file_name = self.path.rsplit('/').next().unwrap_or(&self.path);
        self.metadata.title.as_deref().unwrap_or(file_name)
    }
}

pub(crate) fn as_text<S: serde::Serializer>(
    value: &impl fmt::Display,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

/// What the records have of a file, to tell whether it must be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The media that lies there, if one does.
    pub media: Option<MediaId>,
    /// The stat at the last look.
    pub stat: FileStat,
    /// The stamp of the metadata files at the last look.
    pub metadata_stamp: String,
    /// Whether it was not whole at the last look.
    pub waiting: bool,
}

/// A file that is not a media: unfinished, or of no use.
#[derive(Clone, Debug, Serialize)]
pub struct InView {
    /// Where it lies.
    pub path: String,
    /// Whether it may become whole; else it is of no use as it is.
    pub waiting: bool,
    /// Why, in plain words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// The stat at the last look.
    #[serde(skip)]
    pub stat: FileStat,
}

/// One look at one file of the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Where it lies, from the library's root, with `/` between the parts.
    pub path: String,
    /// What the file system told when it was looked at.
    pub stat: FileStat,
    /// A stamp of the metadata files that speak of it; a different stamp means that they are to be read again.
    pub metadata_stamp: String,
    /// What was found in it.
    pub finding: Finding,
}

/// What a look at a file found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A whole media.
    Whole(Box<Content>),
    /// A media whose end is not there yet: its writer is at work, or gave up.
    Waiting {
        /// What is missing, in plain words.
        reason: String,
    },
    /// Something that cannot become a story, whatever is waited for.
    Unusable {
        /// Why, and what to do, in plain words.
        reason: String,
    },
}

/// A whole media, as its header tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The hash of all its bytes.
    pub fingerprint: Fingerprint,
    /// Its format, by content.
    pub format: Format,
    /// Width, in pixels: of a picture as stored, before any orientation is applied; of a clip as seen.
    pub width_px: u32,
    /// Height, in pixels, likewise.
    pub height_px: u32,
    /// What its container tells, if it is a clip.
    pub clip: Option<Clip>,
    /// What the metadata files and the file's name say of it.
    pub metadata: Metadata,
    /// What was wrong with the metadata (a broken JSON, a key that is not known), in plain words.
    pub metadata_problems: Vec<String>,
}

impl Sighting {
    /// The category its place gives it.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::of_path(&self.path)
    }
}

/// A full look inside a media: it was decoded to the last pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examination {
    /// It decodes. The size is as a person sees it, orientation applied.
    Sound {
        /// Width as seen, in pixels.
        width_px: u32,
        /// Height as seen, in pixels.
        height_px: u32,
        /// What it looks like; none if it has no features to tell it by, such as a plain colour.
        lookalike: Option<Lookalike>,
    },
    /// It does not decode, or is more than the box can take.
    Flawed {
        /// Why, in plain words.
        reason: String,
    },
}

/// The narrowest side that is worth showing, in pixels.
const SMALLEST_SIDE_PX: u32 = 100;
/// Instagram scales a story to this width; less looks soft, in pixels.
const SHARP_WIDTH_PX: u32 = 720;
/// The most pixels that are decoded: 100 megapixels.
pub const MOST_PIXELS: u64 = 100_000_000;
/// The longest side that is decoded, in pixels.
pub const LONGEST_SIDE_PX: u32 = 20_000;
/// The largest original that is taken, in bytes.
pub const MOST_BYTES: u64 = 100_000_000;
/// Telegram takes documents up to this size, in bytes.
pub const DOCUMENT_BYTES: u64 = 50_000_000;

/// What the rules say of a media: an error keeps it out of the plan, a warning is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Reasons why it cannot be a story.
    pub errors: Vec<String>,
    /// What a person may want to know.
    pub warnings: Vec<String>,
}

/// Checks a picture against what Instagram shows as a story and what the box can decode.
#[must_use]
pub fn check_picture(width_px: u32, height_px: u32, size_bytes: u64) -> Verdict {
    let mut verdict = check_shape(width_px, height_px);
    let longer = width_px.max(height_px);
    if longer > LONGEST_SIDE_PX || u64::from(width_px) * u64::from(height_px) > MOST_PIXELS {
        verdict.errors.push(format!(
            "{width_px} × {height_px} pixels are more than can be decoded safely; at most {} megapixels and {LONGEST_SIDE_PX} a side",
            MOST_PIXELS / 1_000_000
        ));
    }
    if size_bytes > MOST_BYTES {
        verdict.errors.push(format!(
            "{} MB are too many; at most {} MB",
            size_bytes / 1_000_000,
            MOST_BYTES / 1_000_000
        ));
    }
    if !verdict.errors.is_empty() {
        verdict.warnings.clear();
    }
    verdict
}

/// Checks what holds for pictures and clips alike: how a story's frame shows them.
pub(super) fn check_shape(width_px: u32, height_px: u32) -> Verdict {
    let mut verdict = Verdict::default();
    let shorter = width_px.min(height_px);
    if shorter < SMALLEST_SIDE_PX {
        verdict.errors.push(format!(
            "{width_px} × {height_px} pixels are too few for a story; the shorter side needs {SMALLEST_SIDE_PX}"
        ));
        return verdict;
    }
    if width_px > height_px {
        verdict.warnings.push(
            "wider than tall: a story will show it small, on a blurred extension of itself"
                .to_owned(),
        );
    }
    if shorter < SHARP_WIDTH_PX {
        verdict.warnings.push(format!(
            "{width_px} × {height_px} pixels will look soft; 1080 × 1920 is best"
        ));
    }
    verdict
}

/// How many files may vanish at once before it may look like a missing disk and not like a person.
pub const MOST_GONE_AT_ONCE: usize = 10;

/// Whether so many files gone at one look is a disk that went away: all of them, or more than a fifth and more than ten.
#[must_use]
pub fn looks_like_a_missing_disk(known_files: usize, gone_files: usize) -> bool {
    gone_files > MOST_GONE_AT_ONCE && gone_files * 5 > known_files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_place_wins_and_silence_keeps_the_earlier() {
        let folder = Metadata {
            title: Some("Folder".into()),
            tags: vec!["simple".into()],
            ..Metadata::default()
        };
        let sidecar = Metadata {
            title: Some("Sidecar".into()),
            ..Metadata::default()
        };
        let merged = folder.overlaid_with(sidecar);
        assert_eq!(merged.title.as_deref(), Some("Sidecar"));
        assert_eq!(merged.tags, ["simple"]);
    }

    #[test]
    fn a_link_or_a_poll_needs_a_person_unless_told_otherwise() {
        let mut media = Metadata::default();
        assert!(!media.needs_a_person());
        media.link_url = Some("https://shop.example.com".into());
        assert!(media.needs_a_person());
        media.requires_interaction = Some(false);
        assert!(!media.needs_a_person());
    }

    #[test]
    fn a_few_deletions_are_a_person_and_a_fifth_is_a_disk() {
        assert!(!looks_like_a_missing_disk(12, 10));
        assert!(looks_like_a_missing_disk(50, 11));
        assert!(!looks_like_a_missing_disk(3000, 600));
        assert!(looks_like_a_missing_disk(3000, 601));
    }

    #[test]
    fn a_bomb_is_an_error_and_a_landscape_a_warning() {
        assert_eq!(check_picture(30_000, 30_000, 9_000).errors.len(), 1);
        assert_eq!(check_picture(1080, 1920, 600_000), Verdict::default());
        assert_eq!(check_picture(1920, 1080, 600_000).warnings.len(), 1);
        assert_eq!(check_picture(10, 10, 600).errors.len(), 1);
    }
}
