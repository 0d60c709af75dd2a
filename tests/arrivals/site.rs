//! A folder that the real program watches, and what it has come to know of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use storyline::domain::category::Category;
use storyline::library::names;
use tempfile::TempDir;

use crate::pictures::Picture;
use crate::records::{File, Media, Records};
use crate::rooms::Room;
use crate::tools::{self, Kept};

/// How long a fact may take to come true, on a machine with much else to do; the hourly scan is far away.
const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    folder: TempDir,
    room: Room,
    daemon: RefCell<Option<Kept>>,
    pub(crate) records: Records,
    /// The contents that were whole at some time.
    brought: RefCell<BTreeSet<String>>,
    /// Those that were so for a moment, and may have been seen.
    passing: RefCell<BTreeSet<String>>,
    /// Paths that are no pictures, or not yet.
    in_view: RefCell<BTreeSet<String>>,
    scans: Cell<i64>,
    /// What is not as it should be at the end.
    amiss: RefCell<String>,
}

impl Site {
    /// The program watches an empty library, but for one picture.
    pub(crate) fn open() -> Self {
        Self::open_in(Room::Open)
    }

    /// The same in a room of its own.
    pub(crate) fn open_in(room: Room) -> Self {
        let site = Self::furnish(room);
        site.start();
        site
    }

    /// All is in place, and nothing runs yet.
    pub(crate) fn furnish(room: Room) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self {
            room,
            daemon: RefCell::default(),
            records: Records::at(&folder.path().join("records.db")),
            brought: RefCell::default(),
            passing: RefCell::default(),
            amiss: RefCell::default(),
            in_view: RefCell::default(),
            scans: Cell::new(0),
            folder,
        };
        fs::create_dir_all(site.path("first")).unwrap();
        fs::create_dir(site.outside("")).unwrap();
        let at = site.folder.path().display();
        let settings = format!(
            "[library]\npath = \"{at}/library\"\ncache = \"{at}/cache\"\n[database]\nurl = \"sqlite:{at}/records.db\"\n[log]\nlevel = \"debug\"\n"
        );
        fs::write(site.settings(), settings).unwrap();
        let first = Picture::jpeg();
        fs::write(site.path("first/first.jpg"), &first.bytes).unwrap();
        site.brought.borrow_mut().insert(first.hash());
        site
    }

    /// Starts the program, and waits until all is watched: the watches stand before the first scan, and that is on record.
    pub(crate) fn start(&self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = self
            .room
            .command(&self.root())
            .arg(env!("CARGO_BIN_EXE_storyline"))
            .arg("--config")
            .arg(self.settings())
            .arg("serve")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.daemon.borrow_mut() = Some(Kept(child));
        let before = self.scans.get();
        self.until("the first scan is on record", || {
            self.records.count_scans() > before
        });
        self.scans.set(before + 1);
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("storyline.toml")
    }

    /// A path in the library.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        match self.daemon.borrow().as_ref() {
            Some(daemon) if self.room.has_own_disks() => {
                let root = PathBuf::from(format!("/proc/{}/root", daemon.0.id()));
                root.join(path.strip_prefix("/").unwrap())
            }
            _ => path,
        }
    }

    /// The library, as the program names it.
    fn root(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    /// Runs a line where the program runs, with its disks; `$root` is the library.
    #[track_caller]
    pub(crate) fn run_inside(&self, line: &str) {
        let root = self.root();
        if self.room.has_own_disks() {
            let pid = self.pid();
            let line = format!("nsenter -t {pid} -U -m --preserve-credentials bash -euc '{line}'");
            tools::run(&line, &[("root", &root)]);
        } else {
            tools::run(line, &[("root", &root)]);
        }
    }

    /// A path beside it, on the same file system.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.folder.path().join("outside").join(path)
    }

    /// A folder in the library, made if need be, and watched.
    pub(crate) fn folder(&self, path: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.daemon.borrow().as_ref().unwrap().0.id()
    }

    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        tools::run(&format!("kill -{name} {pid}"), &[]);
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What the command line says, on both streams.
    pub(crate) fn says(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_storyline"))
            .arg("--config")
            .arg(self.settings())
            .args(words)
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// Waits until it is so.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut() -> bool) {
        self.until_within(SOON, what, is_so);
    }

    #[track_caller]
    fn until_within(&self, patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + patience;
        while !is_so() {
            if Instant::now() > deadline {
                let what = format!("{what} {}", self.amiss.borrow());
                let mut files = self.files();
                files.retain(|path, _| files_of_interest(path, &what));
                let log = self.log();
                let tail = log.lines().rev().take(40).collect::<Vec<_>>();
                panic!(
                    "waited in vain until {what}\n{files:#?}\n{}",
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes a picture there by plain writes, and waits until it is known.
    #[track_caller]
    pub(crate) fn drop(&self, path: &str, picture: &Picture) {
        self.folder(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        fs::write(self.path(path), &picture.bytes).unwrap();
        self.arrives(path, picture);
    }

    /// Waits until this picture is on record at this path, in the category of its folder, and untouched on the disk.
    #[track_caller]
    pub(crate) fn arrives(&self, path: &str, picture: &Picture) {
        self.brought.borrow_mut().insert(picture.hash());
        self.in_view.borrow_mut().remove(path);
        self.until(&format!("{path} is on record as what it is"), || {
            let known = self.file(path).and_then(|file| file.content);
            known.is_some_and(|(hash, _)| hash == picture.hash())
        });
        let on_disk = fs::read(self.path(path)).unwrap();
        assert!(on_disk == picture.bytes, "{path} was touched");
    }

    /// The same where nobody tells of it, and the box has to look.
    #[track_caller]
    pub(crate) fn arrives_at_last(&self, path: &str, picture: &Picture) {
        let wanted = picture.hash();
        self.until_within(SOON * 3, &format!("{path} is looked at"), || {
            let known = self.file(path).and_then(|file| file.content);
            known.is_some_and(|(hash, _)| hash == wanted)
        });
        self.arrives(path, picture);
    }

    /// These bytes are a picture that will arrive.
    pub(crate) fn is_brought(&self, bytes: &[u8]) {
        let hash = blake3::hash(bytes).to_hex().to_string();
        self.brought.borrow_mut().insert(hash);
    }

    /// This picture was whole for a moment, and may have been seen or not.
    pub(crate) fn was_whole(&self, picture: &Picture) {
        self.passing.borrow_mut().insert(picture.hash());
    }

    /// Waits until the path is in view, not whole yet.
    #[track_caller]
    pub(crate) fn waits(&self, path: &str) -> String {
        self.in_view.borrow_mut().insert(path.to_owned());
        self.until(&format!("{path} waits in view"), || {
            self.file(path).is_some_and(|file| file.is_waiting)
        });
        self.file(path).map(|file| file.reason).unwrap_or_default()
    }

    /// The path need not be a picture at the end; whatever lies there must not have become one.
    pub(crate) fn is_no_picture(&self, path: &str) {
        self.in_view.borrow_mut().insert(path.to_owned());
    }

    /// Waits until the picture is known to lie nowhere.
    #[track_caller]
    pub(crate) fn leaves(&self, picture: &Picture) {
        self.until("a picture is missing", || self.media(picture).is_missing);
    }

    /// A scan may happen from now on, and is no failure of the watcher.
    pub(crate) fn may_scan(&self) {
        self.scans.set(i64::MAX);
    }

    /// What is on record of this path.
    pub(crate) fn file(&self, path: &str) -> Option<File> {
        self.records.file(path)
    }

    /// Everything on record, by path.
    pub(crate) fn files(&self) -> BTreeMap<String, File> {
        self.records.files()
    }

    /// Every content that was ever seen, by its hash.
    pub(crate) fn all_media(&self) -> BTreeMap<String, Media> {
        self.records.media()
    }

    /// What is on record of this picture.
    #[track_caller]
    pub(crate) fn media(&self, picture: &Picture) -> Media {
        self.all_media()
            .remove(&picture.hash())
            .expect("this picture was never seen")
    }

    /// The files in the library that are looked at, as they are now.
    fn on_disk(&self) -> BTreeMap<String, (String, (i64, i64))> {
        let root = self.path("");
        let mut found = BTreeMap::new();
        let mut entries = walkdir::WalkDir::new(&root).min_depth(1).into_iter();
        while let Some(entry) = entries.next() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy();
            if entry.file_type().is_dir() {
                if names::is_folder_passed_over(&name) {
                    entries.skip_current_dir();
                }
            } else if entry.file_type().is_file()
                && !names::is_passed_over(&name)
                && !names::is_metadata(&name)
                && let Some(path) = entry.path().strip_prefix(&root).unwrap().to_str()
            {
                let metadata = entry.metadata().unwrap();
                let ns = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
                let times = (
                    ns(metadata.mtime(), metadata.mtime_nsec()),
                    ns(metadata.ctime(), metadata.ctime_nsec()),
                );
                let hash = blake3::hash(&fs::read(entry.path()).unwrap());
                found.insert(path.to_owned(), (hash.to_hex().to_string(), times));
            }
        }
        found
    }

    /// Whether the records say what lies on the disk, to the last stat; if not, what is amiss.
    fn difference(&self, on_disk: &BTreeMap<String, (String, (i64, i64))>) -> Option<String> {
        let in_view = self.in_view.borrow();
        let files = self.files();
        for (path, (hash, times)) in on_disk {
            let Some(file) = files.get(path) else {
                return Some(format!("{path} is not on record"));
            };
            let is_right = match &file.content {
                Some((known, _)) => known == hash,
                None => in_view.contains(path),
            };
            // A link that goes changes the inode's time too, and nobody is told.
            if !is_right || file.times.0 != times.0 {
                return Some(format!(
                    "{path} is on record as {file:?}, and is {hash} {times:?}"
                ));
            }
        }
        let mut ghosts = files.iter().filter(|(path, file)| {
            !on_disk.contains_key(*path) && (file.content.is_some() || !in_view.contains(*path))
        });
        let ghost = ghosts.next().map(|(path, _)| path);
        if let Some(path) = ghost {
            return Some(format!("{path} is on record and not there"));
        }
        // A media is where one of its files is, and that folder is its category; or it is missing.
        let mut wrong = self.all_media().into_iter().filter(|(hash, media)| {
            let mut places = on_disk.iter().filter(|(_, (here, _))| here == hash);
            let is_there = places.clone().next().is_some();
            media.is_missing == is_there
                || is_there && !places.any(|(path, _)| *path == media.path)
                || media.category != Category::of_path(&media.path).as_str()
        });
        let wrong = wrong.next();
        wrong.map(|(hash, media)| format!("{hash} is on record as {media:?}"))
    }

    /// The end of a day: what is on record is what lies on the disk; whatever was ever taken for a picture was whole; and
    /// all of it was found without a scan, unless one had to be.
    #[track_caller]
    pub(crate) fn close(self) {
        let on_disk = self.on_disk();
        self.until("the records say what lies on the disk", || {
            let difference = self.difference(&on_disk);
            let is_none = difference.is_none();
            *self.amiss.borrow_mut() = difference.unwrap_or_default();
            is_none
        });
        let (brought, passing) = (self.brought.borrow(), self.passing.borrow());
        let seen = self.all_media();
        for (hash, media) in &seen {
            assert!(
                brought.contains(hash) || passing.contains(hash),
                "half a file was taken in: {media:?}"
            );
        }
        let never: Vec<_> = brought
            .iter()
            .filter(|hash| !seen.contains_key(*hash))
            .collect();
        assert!(never.is_empty(), "never on record: {never:?}");
        let scans = self.records.count_scans();
        let log = self.log();
        assert!(scans <= self.scans.get(), "{scans} scans\n{log}");
        assert!(!log.contains("panicked"), "{log}");
        // Its disks go with it.
        assert_eq!(on_disk, self.on_disk(), "an original was touched");
        if let Some(mut daemon) = self.daemon.borrow_mut().take() {
            let pid = daemon.0.id();
            tools::run(&format!("kill -TERM {pid}"), &[]);
            assert_eq!(daemon.0.wait().unwrap().code(), Some(0), "{log}");
        }
    }
}

/// Of many files on record, those in the folder that the sentence is about.
fn files_of_interest(path: &str, what: &str) -> bool {
    let folder = path.split('/').next().unwrap_or_default();
    what.contains(folder)
}

/// Waits until there are so many bytes in a file.
#[track_caller]
pub(crate) fn until_bytes(file: impl Fn() -> Option<PathBuf>, bytes: u64) {
    let deadline = Instant::now() + SOON;
    loop {
        let size = file().and_then(|file| fs::metadata(file).ok());
        if size.is_some_and(|metadata| metadata.len() >= bytes) {
            return;
        }
        assert!(Instant::now() < deadline, "{:?} does not grow", file());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The first file in a folder whose name contains this.
pub(crate) fn named_like(folder: &Path, part: &str) -> Option<PathBuf> {
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains(part))
        })
}
