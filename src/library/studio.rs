//! Makes the picture that a story is shown with. The file is read anew and must still have the content that was indexed:
//! some writers leave no trace, and a story must show what was chosen.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::animation::animation;
use super::cache::Cache;
use super::clean::{self, clean};
use super::original::{self, Original, fingerprint_of};
use super::poster::poster;
use super::render::{self, Form, render};
use crate::domain::clip::{Clip, TELEGRAM_CLIP_BYTES};
use crate::domain::media::{DOCUMENT_BYTES, Fingerprint, Media};
use crate::domain::photo::is_too_much;
use crate::flow::held::Held;
use crate::flow::outlet::{Archive, Contents, Document, Motion, NoPicture, Picture, Studio, Video};
use crate::system::background::blocking;
use crate::system::beneath::Folder;

/// The longest that making a picture may take; a disk that hangs must not hang the plan.
const PATIENCE: Duration = Duration::from_secs(120);

/// The studio of the library at this root.
#[must_use]
pub fn studio(root: PathBuf, cache: Cache) -> Studio {
    Arc::new(move |media| {
        let (root, cache) = (root.clone(), cache.clone());
        Box::pin(patiently(move || picture(&root, &cache, &media)))
    })
}

/// The archive of the library at this root.
#[must_use]
pub fn archive(root: PathBuf) -> Archive {
    Arc::new(move |media| {
        let root = root.clone();
        Box::pin(patiently(move || document(&root, &media)))
    })
}

/// Does what reads an original, within the time that it may take.
async fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NoPicture> + Send + 'static,
) -> Result<T, NoPicture> {
    match tokio::time::timeout(PATIENCE, blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(NoPicture::Flawed(error.to_string())),
        Err(_) => Err(NoPicture::Away(
            "The library's disk does not answer.".to_owned(),
        )),
    }
}

/// An original without what tells where it was taken; a clip is read while it is sent, as it is.
fn document(root: &Path, media: &Media) -> Result<Document, NoPicture> {
    let is_clip = media.clip.is_some();
    let found = if is_clip {
        held(root, media).map(|held| held.map(|(_, held)| Ok(Contents::File(held))))
    } else {
        Original::read(root, &media.path).map(|original| {
            let is_still = original.fingerprint() == media.fingerprint;
            is_still.then(|| clean(media.format, original.into_bytes()).map(Contents::Bytes))
        })
    };
    match found {
        Ok(Some(Ok(contents))) => Ok(Document {
            name: clean::name(media.format, file_name(media)).into_owned(),
            contents,
        }),
        Ok(Some(Err(reason))) => Err(NoPicture::Flawed(reason)),
        Ok(None) => Err(NoPicture::Changed),
        Err(error) => Err(why_not(root, &media.path, &error)),
    }
}

fn picture(root: &Path, cache: &Cache, media: &Media) -> Result<Picture, NoPicture> {
    let shown = match &media.clip {
        Some(clip) => clip_shown(root, media, clip),
        None => picture_shown(root, media, cache),
    };
    shown.unwrap_or_else(|error| Err(why_not(root, &media.path, &error)))
}

/// What an error of reading an original means.
fn why_not(root: &Path, path: &str, error: &io::Error) -> NoPicture {
    match error.kind() {
        ErrorKind::NotFound if !is_empty(root) => NoPicture::Missing,
        ErrorKind::NotFound => NoPicture::Away(format!(
            "The library {} is empty or not there; is its disk connected and mounted?",
            root.display()
        )),
        ErrorKind::InvalidInput => NoPicture::Changed,
        _ => {
            let path = root.join(path);
            NoPicture::Away(format!("{} cannot be read: {error}.", path.display()))
        }
    }
}

/// A picture as a chat shows it. The outer error is one of reading.
fn picture_shown(
    root: &Path,
    media: &Media,
    cache: &Cache,
) -> io::Result<Result<Picture, NoPicture>> {
    let original = Original::read(root, &media.path)?;
    if original.fingerprint() != media.fingerprint {
        return Ok(Err(NoPicture::Changed));
    }
    let jpeg = match rendered(&original, &media.fingerprint, Form::Preview, cache) {
        Ok(jpeg) => jpeg,
        Err(reason) => return Ok(Err(NoPicture::Flawed(reason))),
    };
    let name = file_name(media);
    let animation = animation(&original, media.format, name)
        .filter(|animation| animation.bytes.len() as u64 <= DOCUMENT_BYTES);
    let is_too_much = animation.is_none() && is_too_much(media);
    Ok(Ok(Picture {
        jpeg,
        motion: animation.map(Motion::Animation),
        shows_less: is_too_much && media.size_bytes <= DOCUMENT_BYTES,
        known: None,
    }))
}

/// The JPEG of an original for this, out of the cache if it is there. The fingerprint is that of these very bytes.
///
/// # Errors
/// Why it cannot be decoded, in plain words.
pub fn rendered(
    original: &Original,
    fingerprint: &Fingerprint,
    form: Form,
    cache: &Cache,
) -> Result<Vec<u8>, String> {
    if let Some(jpeg) = cache.get(fingerprint, form) {
        return Ok(jpeg);
    }
    let rendered = render(original, form)?;
    cache.put(fingerprint, form, &rendered.jpeg);
    Ok(rendered.jpeg)
}

/// A clip is shown as a video, or as one of its frames if it is too large for that.
fn clip_shown(root: &Path, media: &Media, clip: &Clip) -> io::Result<Result<Picture, NoPicture>> {
    let Some((file, held)) = held(root, media)? else {
        return Ok(Err(NoPicture::Changed));
    };
    let frame = poster(file, &media.path, (media.width_px, media.height_px), clip);
    let shown = render::thumbnail(&frame).and_then(|thumbnail| {
        let motion = (media.size_bytes <= TELEGRAM_CLIP_BYTES).then(|| Video {
            name: file_name(media).to_owned(),
            file: held,
            width_px: media.width_px,
            height_px: media.height_px,
            duration_s: u32::try_from(clip.duration_ms.div_ceil(1000)).unwrap_or(u32::MAX),
            thumbnail,
        });
        Ok(Picture {
            jpeg: render::encoded(&frame, None)?.jpeg,
            motion: motion.map(Motion::Video),
            shows_less: false,
            known: None,
        })
    });
    Ok(shown.map_err(NoPicture::Flawed))
}

/// The file of a clip, held open until it has left, if it still has the content that was indexed; and the same for a program
/// that looks into it.
fn held(root: &Path, media: &Media) -> io::Result<Option<(File, Held)>> {
    let (file, length) = original::open(root, &media.path)?;
    if fingerprint_of(&file)? != media.fingerprint {
        return Ok(None);
    }
    let same = file.try_clone()?;
    Ok(Some((same, Held::new(file, media.fingerprint, length))))
}

fn file_name(media: &Media) -> &str {
    media.path.rsplit('/').next().unwrap_or(&media.path)
}

/// Whether nothing lies in the library, or it is not there: a disk that is away looks so.
pub(super) fn is_empty(root: &Path) -> bool {
    Folder::root(root)
        .and_then(|root| root.is_empty())
        .unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;
    use std::io::Cursor;

    use image::{Frame, ImageFormat, Rgba, RgbaImage};
    use jiff::Timestamp;

    use crate::domain::category::Category;
    use crate::domain::ids::MediaId;
    use crate::domain::media::{Format, Metadata};
    use crate::system::clock::Clock;

    struct Bench {
        folder: tempfile::TempDir,
        cache: Cache,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cache = Cache::new(&folder.path().join("cache"), 1_000_000, Clock::system());
            fs::create_dir(folder.path().join("library")).unwrap();
            Self { folder, cache }
        }

        fn root(&self) -> PathBuf {
            self.folder.path().join("library")
        }

        /// A media with these bytes, and its file.
        fn drop(&self, path: &str, format: Format, bytes: &[u8]) -> Media {
            fs::write(self.root().join(path), bytes).unwrap();
            Media {
                id: MediaId::from_bytes([1; 16]),
                fingerprint: Original::from(bytes.to_vec()).fingerprint(),
                format,
                size_bytes: bytes.len() as u64,
                width_px: 400,
                height_px: 200,
                clip: None,
                category: Category::of_path(path),
                path: path.to_owned(),
                metadata: Metadata::default(),
                edits: crate::domain::edit::Edits::default(),
                errors: Vec::new(),
                warnings: Vec::new(),
                indexed_at: Timestamp::UNIX_EPOCH,
                examined_at: None,
                missing_since: None,
                posted_count: 0,
                last_posted_at: None,
                lookalike: None,
            }
        }

        fn picture(&self, media: &Media) -> Result<Picture, NoPicture> {
            picture(&self.root(), &self.cache, media)
        }
    }

    fn png() -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbaImage::from_pixel(400, 200, Rgba([200, 30, 30, 255]))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_rendered_once_and_again_when_it_is_not_kept() {
        let bench = Bench::new();
        let media = bench.drop("cat.png", Format::Png, &png());
        let first = bench.picture(&media).unwrap();
        let kept = bench.cache.get(&media.fingerprint, Form::Preview);
        assert_eq!(kept, Some(first.jpeg.clone()));
        bench.cache.put(&media.fingerprint, Form::Preview, b"kept");
        assert_eq!(bench.picture(&media).unwrap().jpeg, b"kept");
        fs::remove_dir_all(bench.folder.path().join("cache")).unwrap();
        assert_eq!(bench.picture(&media).unwrap().jpeg, first.jpeg);
        assert!(!first.shows_less && first.motion.is_none());
    }

    #[test]
    fn a_file_that_is_another_or_gone_has_no_picture() {
        let bench = Bench::new();
        let media = bench.drop("cat.png", Format::Png, &png());
        bench.drop("cat.png", Format::Png, b"somebody wrote over it");
        assert_eq!(bench.picture(&media).unwrap_err(), NoPicture::Changed);
        bench.drop("dog.png", Format::Png, b"a dog");
        fs::remove_file(bench.root().join("cat.png")).unwrap();
        assert_eq!(bench.picture(&media).unwrap_err(), NoPicture::Missing);
        fs::remove_file(bench.root().join("dog.png")).unwrap();
        let away = bench.picture(&media).unwrap_err();
        assert!(matches!(away, NoPicture::Away(_)), "{away:?}");
        let text = bench.drop("cat.png", Format::Png, b"Dear diary");
        let flawed = bench.picture(&text).unwrap_err();
        assert!(matches!(flawed, NoPicture::Flawed(_)), "{flawed:?}");
    }

    #[test]
    fn what_moves_comes_with_its_motion() {
        let bench = Bench::new();
        let mut gif = Vec::new();
        let frames =
            [10, 200].map(|red| Frame::new(RgbaImage::from_pixel(40, 40, Rgba([red, 0, 0, 255]))));
        image::codecs::gif::GifEncoder::new(&mut gif)
            .encode_frames(frames)
            .unwrap();
        let media = bench.drop("cat.gif", Format::Gif, &gif);
        let picture = bench.picture(&media).unwrap();
        assert_eq!(&picture.jpeg[..2], b"\xff\xd8");
        let Some(Motion::Animation(animation)) = picture.motion else {
            panic!("{:?}", picture.motion);
        };
        assert_eq!(animation.bytes, gif);
    }
}
