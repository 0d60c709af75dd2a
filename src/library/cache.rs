//! What was rendered, kept so that it need not be rendered again. A rendering is found by what it was made from (the
//! original's fingerprint) and what it was made for; neither changes, so an entry is never stale. All of it may be deleted at
//! any time, and whatever is missing or damaged is made anew. Beyond its limit, what was used longest ago goes.
//!
//! An entry is a JPEG with its own hash behind its end: any viewer shows it, and a power cut in the middle of writing it is
//! noticed. That is cheaper for an SD card than flushing each one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::render::Form;
use crate::domain::framing::{Fit, Framing};
use crate::domain::media::Fingerprint;
use crate::system::clock::Clock;
use crate::system::lock::lock;
use crate::system::storage;

/// To be counted up when renderings come out otherwise than before, so that none of the old ones is used.
const VERSION: u32 = 1;
/// The length of the hash behind an entry, in bytes.
const HASH_BYTES: usize = 32;
/// How often a use is noted: an entry that is shown often must not wear out the card.
const NOTE_USE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How much is left when the limit was passed, in percent, so that it is not passed again at once.
const LEFT_PERCENT: u64 = 90;

/// The cache. Clones share it.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    most_bytes: u64,
    clock: Clock,
    /// What it holds, in bytes, once that was counted.
    held_bytes: Mutex<Option<u64>>,
    /// Whether it was told that it cannot be written.
    has_complained: AtomicBool,
}

impl Cache {
    /// The cache in this folder, which is made when it is needed.
    #[must_use]
    pub fn new(folder: &Path, most_bytes: u64, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            folder: folder.to_owned(),
            most_bytes,
            clock,
            held_bytes: Mutex::new(None),
            has_complained: AtomicBool::new(false),
        }))
    }

    /// The JPEG that was made of this media for this, if it is there and whole.
    #[must_use]
    pub fn get(&self, media: &Fingerprint, form: Form) -> Option<Vec<u8>> {
        let path = self.path(media, form);
        let mut file = File::open(&path).ok()?;
        let mut entry = Vec::new();
        file.read_to_end(&mut entry).ok()?;
        let length = entry.len().saturating_sub(HASH_BYTES);
        if entry[length..] != blake3::hash(&entry[..length]).as_bytes()[..] {
            tracing::debug!("{} was damaged and is made anew", path.display());
            return None;
        }
        self.note_use(&file);
        entry.truncate(length);
        Some(entry)
    }

    /// Keeps a JPEG that was made of this media for this. A cache that cannot be written costs time and nothing else.
    pub fn put(&self, media: &Fingerprint, form: Form, jpeg: &[u8]) {
        let kept = self.write(&self.path(media, form), jpeg);
        match kept {
            Ok(()) => self.0.has_complained.store(false, Ordering::Relaxed),
            Err(error) if !self.0.has_complained.swap(true, Ordering::Relaxed) => {
                tracing::warn!(
                    "The cache {} cannot be written, so pictures are rendered each time: {}",
                    self.0.folder.display(),
                    storage::why(&self.0.folder, &error)
                );
            }
            Err(_) => {}
        }
    }

    fn write(&self, path: &Path, jpeg: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.0.folder);
        fs::create_dir_all(folder)?;
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = (|| {
            let mut file = File::create(&temporary)?;
            file.write_all(jpeg)?;
            file.write_all(blake3::hash(jpeg).as_bytes())?;
            file.set_modified(self.now())?;
            fs::rename(&temporary, path)
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary); // the first trouble is the one to tell
        }
        written?;
        self.keep_within_limit((jpeg.len() + HASH_BYTES) as u64);
        Ok(())
    }

    /// Counts what was added, and makes room if it is too much.
    fn keep_within_limit(&self, added_bytes: u64) {
        let mut held = lock(&self.0.held_bytes);
        let held_bytes = match *held {
            Some(held_bytes) => held_bytes + added_bytes,
            None => entries(&self.0.folder)
                .iter()
                .map(|entry| entry.bytes)
                .sum(),
        };
        if held_bytes <= self.0.most_bytes {
            *held = Some(held_bytes);
            return;
        }
        let mut entries = entries(&self.0.folder);
        entries.sort_by_key(|entry| entry.used_at);
        let mut held_bytes = entries.iter().map(|entry| entry.bytes).sum::<u64>();
        for entry in entries {
            if held_bytes <= self.0.most_bytes / 100 * LEFT_PERCENT {
                break;
            }
            if fs::remove_file(&entry.path).is_ok() {
                held_bytes -= entry.bytes;
            }
        }
        *held = Some(held_bytes);
    }

    /// Notes on an entry that it was used, unless that was noted a short while ago.
    fn note_use(&self, file: &File) {
        let now = self.now();
        let noted = file.metadata().and_then(|metadata| metadata.modified());
        let is_recent = noted.is_ok_and(|noted| {
            let apart = now.duration_since(noted);
            apart.unwrap_or_else(|earlier| earlier.duration()) < NOTE_USE_EVERY
        });
        if !is_recent {
            let _ = file.set_modified(now); // somebody else's file stays as it is
        }
    }

    fn now(&self) -> SystemTime {
        self.0.clock.now().into()
    }

    fn path(&self, media: &Fingerprint, form: Form) -> PathBuf {
        let form = match form {
            Form::Story(Framing { fit, color }) => match fit {
                Fit::Blur | Fit::Crop => format!("story-{}", fit.as_str()),
                Fit::Color => format!("story-{}", color.to_string().trim_start_matches('#')),
            },
            Form::Preview => "preview".to_owned(),
            Form::Thumbnail => "thumbnail".to_owned(),
        };
        let media = media.to_string();
        let name = format!("{media}.{form}-{VERSION}.jpg");
        self.0.folder.join(&media[..2]).join(name)
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    used_at: SystemTime,
}

/// The entries in the folder, and the remains of such as were never finished. What else somebody keeps there is left alone.
fn entries(folder: &Path) -> Vec<Entry> {
    let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let is_ours = |name: &str| {
        let fingerprint = name.split('.').next().unwrap_or_default();
        fingerprint.parse::<Fingerprint>().is_ok()
    };
    within(folder)
        .filter(|part| part.file_name().len() == 2)
        .flat_map(|part| within(&part.path()))
        .filter(|entry| entry.file_name().to_str().is_some_and(is_ours))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some(Entry {
                path: entry.path(),
                bytes: metadata.len(),
                used_at: metadata.modified().ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use jiff::{SignedDuration, Timestamp};

    const PREVIEW: Form = Form::Preview;

    struct Bench {
        folder: tempfile::TempDir,
        clock: Clock,
        cache: Cache,
    }

    fn bench(most_bytes: u64) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let clock = Clock::steerable(start);
        let cache = Cache::new(folder.path(), most_bytes, clock.clone());
        Bench {
            folder,
            clock,
            cache,
        }
    }

    fn media(number: u8) -> Fingerprint {
        Fingerprint::from_bytes([number; 32])
    }

    #[test]
    fn what_is_kept_is_found_again_by_media_and_form() {
        let bench = bench(1_000_000);
        let framing = |text: &str| Framing {
            fit: Fit::Color,
            color: text.parse().unwrap(),
        };
        let forms = [
            Form::Preview,
            Form::Thumbnail,
            Form::Story(Framing::default()),
            Form::Story(framing("#000000")),
            Form::Story(framing("#ffffff")),
        ];
        for (index, form) in forms.into_iter().enumerate() {
            assert_eq!(bench.cache.get(&media(1), form), None);
            bench.cache.put(&media(1), form, &[index as u8; 9]);
        }
        for (index, form) in forms.into_iter().enumerate() {
            let kept = bench.cache.get(&media(1), form);
            assert_eq!(kept, Some(vec![index as u8; 9]));
            assert_eq!(bench.cache.get(&media(2), form), None);
        }
        fs::remove_dir_all(bench.folder.path()).unwrap();
        assert_eq!(bench.cache.get(&media(1), PREVIEW), None);
        bench.cache.put(&media(1), PREVIEW, b"anew");
        assert!(bench.cache.get(&media(1), PREVIEW).is_some());
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_none() {
        let bench = bench(1_000_000);
        let path = bench.cache.path(&media(1), PREVIEW);
        let damages: [fn(&mut Vec<u8>); 4] = [
            |entry| entry.clear(),
            |entry| entry.truncate(20),
            |entry| entry.truncate(entry.len() - 1),
            |entry| entry[5] ^= 1,
        ];
        for damage in damages {
            bench.cache.put(&media(1), PREVIEW, &[7; 100]);
            let mut entry = fs::read(&path).unwrap();
            damage(&mut entry);
            fs::write(&path, entry).unwrap();
            assert_eq!(bench.cache.get(&media(1), PREVIEW), None);
        }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room_and_what_is_not_ours_stays() {
        let bench = bench(1000);
        let foreign = bench.folder.path().join("01");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("diary.txt"), [0; 5000]).unwrap();
        for number in 1..=4 {
            bench.cache.put(&media(number), PREVIEW, &[number; 200]);
            bench.clock.advance(SignedDuration::from_hours(48));
        }
        assert!(bench.cache.get(&media(1), PREVIEW).is_some());
        bench.cache.put(&media(5), PREVIEW, &[5; 200]);
        let kept: Vec<u8> = (1..=5)
            .filter(|number| bench.cache.get(&media(*number), PREVIEW).is_some())
            .collect();
        assert_eq!(kept, [1, 4, 5]);
        assert!(foreign.join("diary.txt").exists());
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let bench = bench(1000);
        bench.cache.put(&media(1), PREVIEW, b"jpeg");
        let path = bench.cache.path(&media(1), PREVIEW);
        let used_at = || fs::metadata(&path).unwrap().modified().unwrap();
        let use_it = |hours: i64| {
            bench.clock.advance(SignedDuration::from_hours(hours));
            assert!(bench.cache.get(&media(1), PREVIEW).is_some());
            used_at()
        };
        let first = used_at();
        assert_eq!(use_it(23), first);
        let second = use_it(2);
        assert_eq!(second, SystemTime::from(bench.clock.now()));
        assert_eq!(use_it(-2), second);
    }

    #[test]
    fn a_cache_that_cannot_be_written_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"no folder").unwrap();
        let cache = Cache::new(&file, 1000, Clock::system());
        cache.put(&media(1), PREVIEW, b"jpeg");
        assert_eq!(cache.get(&media(1), PREVIEW), None);
    }
}
