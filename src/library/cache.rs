//! What was rendered, kept so that it need not be rendered again. A rendering is found by what it was made from (the
//! original's fingerprint) and what it was made for; neither changes, so an entry is never stale. All of it may be deleted at
//! any time, and whatever is missing or damaged is made anew. Beyond its limit, what was used longest ago goes.
//!
//! An entry is a JPEG with its own hash behind its end: any viewer shows it, and a power cut in the middle of writing it is
//! noticed. That is cheaper for an SD card than flushing each one.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::render::Form;
use crate::domain::framing::{Fit, Framing};
use crate::domain::media::Fingerprint;
use crate::system::beneath::{Folder, Kind, split};
use crate::system::clock::Clock;
use crate::system::lock::lock;
use crate::system::storage;

/// To be counted up when renderings come out otherwise than before, so that none of the old ones is used.
const VERSION: u32 = 1;
/// The length of the hash behind an entry, in bytes.
const HASH_BYTES: usize = 32;
/// The largest entry, in bytes: one beyond that is none of ours.
const MOST_ENTRY_BYTES: u64 = 64_000_000;
/// What may be done with what is kept, before the process's mask.
const FOLDER_RIGHTS: u32 = 0o777;
const FILE_RIGHTS: u32 = 0o666;
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
        let path = path(media, form);
        let file = Folder::root(&self.0.folder).ok()?.open_file(&path).ok()?;
        let mut entry = Vec::new();
        let mut whole = (&file).take(MOST_ENTRY_BYTES);
        whole.read_to_end(&mut entry).ok()?;
        let length = entry.len().saturating_sub(HASH_BYTES);
        if entry[length..] != blake3::hash(&entry[..length]).as_bytes()[..] {
            tracing::debug!("{path} was damaged and is made anew");
            return None;
        }
        self.note_use(&file);
        entry.truncate(length);
        Some(entry)
    }

    /// Keeps a JPEG that was made of this media for this. A cache that cannot be written costs time and nothing else.
    pub fn put(&self, media: &Fingerprint, form: Form, jpeg: &[u8]) {
        let kept = self.write(&path(media, form), jpeg);
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

    fn write(&self, path: &str, jpeg: &[u8]) -> io::Result<()> {
        let root = match Folder::root(&self.0.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&self.0.folder)?;
                Folder::root(&self.0.folder)?
            }
            root => root?,
        };
        let (folder, name) = split(path);
        let folder = root.create_folder(folder, FOLDER_RIGHTS)?;
        let beginning = name.split_inclusive('.').next().unwrap_or(name);
        let mut draft = folder.scratch(beginning, ".tmp", FILE_RIGHTS)?;
        let mut file = draft.file();
        file.write_all(jpeg)?;
        file.write_all(blake3::hash(jpeg).as_bytes())?;
        file.set_modified(self.now())?;
        draft.place_over(&folder, name)?;
        self.keep_within_limit(&root, (jpeg.len() + HASH_BYTES) as u64);
        Ok(())
    }

    /// Counts what was added, and makes room if it is too much.
    fn keep_within_limit(&self, root: &Folder, added_bytes: u64) {
        let mut held = lock(&self.0.held_bytes);
        let held_bytes = match *held {
            Some(held_bytes) => held_bytes + added_bytes,
            None => entries(root).iter().map(|entry| entry.bytes).sum(),
        };
        if held_bytes <= self.0.most_bytes {
            *held = Some(held_bytes);
            return;
        }
        let mut entries = entries(root);
        entries.sort_by_key(|entry| entry.used_at_ns);
        let mut held_bytes = entries.iter().map(|entry| entry.bytes).sum::<u64>();
        for entry in entries {
            if held_bytes <= self.0.most_bytes / 100 * LEFT_PERCENT {
                break;
            }
            if root.remove_file(&entry.path).is_ok() {
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
}

/// Where an entry lies in the cache.
fn path(media: &Fingerprint, form: Form) -> String {
    let form = match form {
        Form::Story(Framing { fit, color }) => match fit {
            Fit::Blur | Fit::Crop => format!("story-{}", fit.as_str()),
            Fit::Color => format!("story-{}", color.to_string().trim_start_matches('#')),
        },
        Form::Preview => "preview".to_owned(),
        Form::Thumbnail => "thumbnail".to_owned(),
    };
    let media = media.to_string();
    format!("{}/{media}.{form}-{VERSION}.jpg", &media[..2])
}

struct Entry {
    path: String,
    bytes: u64,
    used_at_ns: i64,
}

/// The entries in the folder, and the remains of such as were never finished. What else somebody keeps there is left alone.
fn entries(root: &Folder) -> Vec<Entry> {
    let is_ours = |name: &str| {
        let fingerprint = name.split('.').next().unwrap_or_default();
        fingerprint.parse::<Fingerprint>().is_ok()
    };
    let mut found = Vec::new();
    for part in names(root, Kind::Folder) {
        let Some(folder) = (part.len() == 2).then(|| root.folder(&part).ok()).flatten() else {
            continue;
        };
        for name in names(&folder, Kind::File) {
            if let (true, Ok(stat)) = (is_ours(&name), folder.stat(&name)) {
                found.push(Entry {
                    path: format!("{part}/{name}"),
                    bytes: stat.size_bytes,
                    used_at_ns: stat.modified_ns,
                });
            }
        }
    }
    found
}

/// The names of what is of this kind in a folder; none if it cannot be listed.
fn names(folder: &Folder, wanted: Kind) -> Vec<String> {
    let mut names = Vec::new();
    let listed = folder.each(|name, kind| {
        names.extend(name.to_str().filter(|_| kind == wanted).map(str::to_owned));
        ControlFlow::Continue(())
    });
    if let Err(error) = listed {
        tracing::debug!("the cache cannot be listed: {error}");
    }
    names
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
        let path = bench.folder.path().join(path(&media(1), PREVIEW));
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
        let path = bench.folder.path().join(path(&media(1), PREVIEW));
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

    #[test]
    fn no_link_in_it_leads_anywhere() {
        use std::os::unix::fs::symlink;

        let bench = bench(1_000_000);
        let outside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret");
        let mut entry = b"another's".to_vec();
        entry.extend(blake3::hash(b"another's").as_bytes());
        fs::write(&secret, &entry).unwrap();
        let place = bench.folder.path().join(path(&media(1), PREVIEW));
        fs::create_dir(place.parent().unwrap()).unwrap();
        symlink(&secret, &place).unwrap();
        assert_eq!(bench.cache.get(&media(1), PREVIEW), None);
        bench.cache.put(&media(1), PREVIEW, b"jpeg");
        let kept = bench.cache.get(&media(1), PREVIEW);
        assert_eq!(kept.as_deref(), Some(&b"jpeg"[..]));

        let folder = bench.folder.path().join("02");
        symlink(outside.path(), &folder).unwrap();
        bench.cache.put(&media(2), PREVIEW, b"jpeg");
        assert_eq!(bench.cache.get(&media(2), PREVIEW), None);
        // Not even to make room.
        let name = format!("{}.preview-1.jpg", media(2));
        fs::write(outside.path().join(&name), [0; 100]).unwrap();
        let full = Cache::new(bench.folder.path(), 1, bench.clock.clone());
        full.put(&media(1), PREVIEW, b"jpeg");
        assert_eq!(fs::read(&secret).unwrap(), entry);
        assert!(outside.path().join(name).exists());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
    }
}
