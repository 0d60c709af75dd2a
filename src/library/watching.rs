//! The watcher's thread: the folders that it watches, and what it makes of what it hears.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;

use super::names;
use super::walk::{relative, root_identity};
use super::watch::{Change, Heard, Inbox, WatchProblem, deaf, listener};
use super::writers::Writers;
use crate::system::beneath::{Folder, Kind, Stat, split};
use crate::system::lock::lock;

/// The watcher's thread.
pub(super) struct Watch {
    root: PathBuf,
    /// The root that is watched; none while it is away.
    identity: Option<(u64, u64)>,
    system: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    outbox: Outbox,
    writers: Writers,
    blind: Arc<Mutex<Option<String>>>,
    stop: Arc<AtomicBool>,
    inbox: Inbox,
}

/// The most changes that wait for whoever looks after them, and the most of one waking; more are told as one.
const MOST_CHANGES: usize = 20_000;
/// What is said then.
const TOO_MUCH: &str = "more changes than can be looked at one by one";

/// Where changes are told. What waits there is bounded.
pub(super) struct Outbox {
    changes: UnboundedSender<Change>,
    backlog: Arc<AtomicUsize>,
    /// Whether something is still to be told of as one.
    holds_back: bool,
}

impl Outbox {
    pub(super) fn new(changes: UnboundedSender<Change>, backlog: Arc<AtomicUsize>) -> Self {
        Self {
            changes,
            backlog,
            holds_back: false,
        }
    }

    /// False if nobody listens.
    fn send(&mut self, changes: Vec<Change>) -> bool {
        for change in changes {
            if self.backlog.load(Ordering::Relaxed) >= MOST_CHANGES {
                self.holds_back = true;
            } else if !self.tell(change) {
                return false;
            }
        }
        let has_room = self.backlog.load(Ordering::Relaxed) < MOST_CHANGES / 2;
        if has_room && std::mem::take(&mut self.holds_back) {
            return self.tell(Change::Rescan(TOO_MUCH.to_owned()));
        }
        true
    }

    fn tell(&self, change: Change) -> bool {
        self.backlog.fetch_add(1, Ordering::Relaxed);
        self.changes.send(change).is_ok()
    }
}

/// Changes of one waking, each told once.
#[derive(Default)]
struct Told {
    changes: Vec<Change>,
    known: HashSet<Change>,
    is_too_much: bool,
}

impl Told {
    fn tell(&mut self, change: Change) {
        if self.is_too_much {
            return;
        }
        if self.changes.len() >= MOST_CHANGES {
            *self = Self {
                changes: vec![Change::Rescan(TOO_MUCH.to_owned())],
                known: HashSet::new(),
                is_too_much: true,
            };
            return;
        }
        if matches!(change, Change::Gone(_)) {
            // What comes back after it went is news again.
            self.known.clear();
            if self.changes.last() == Some(&change) {
                return;
            }
        } else if !self.known.insert(change.clone()) {
            return;
        }
        self.changes.push(change);
    }
}

impl Watch {
    /// Watches the library as it is now.
    pub(super) fn begin(
        root: PathBuf,
        outbox: Outbox,
        writers: Writers,
        blind: Arc<Mutex<Option<String>>>,
        stop: Arc<AtomicBool>,
        inbox: Inbox,
    ) -> Result<Self, WatchProblem> {
        let mut watch = Self {
            identity: Some(root_identity(&root)?),
            system: listener(&inbox, &writers)?,
            root,
            watched: BTreeSet::new(),
            outbox,
            writers,
            blind,
            stop,
            inbox,
        };
        watch.arm();
        Ok(watch)
    }

    /// Tells of changes until it is told to stop, or nobody listens.
    pub(super) fn run(mut self, heard: &Receiver<Heard>) {
        while !self.stop.load(Ordering::Acquire) {
            let mut told = Told::default();
            let Ok(first) = heard.recv() else {
                return;
            };
            // All that is there already, so that one change is told once.
            for heard in [first].into_iter().chain(heard.try_iter().take(1000)) {
                match heard {
                    Heard::Event(event) => {
                        self.inbox.took();
                        self.take(event, &mut told);
                    }
                    Heard::CheckRoot => {} // as after every change, below
                    Heard::Stop => return,
                }
            }
            if self.inbox.has_missed() {
                self.restart(&mut told, TOO_MUCH);
            }
            self.check_root(&mut told);
            if !self.outbox.send(told.changes) {
                return;
            }
        }
    }

    fn take(&mut self, event: notify::Result<Event>, told: &mut Told) {
        let event = match event {
            Ok(event) => event,
            Err(problem) => {
                if matches!(problem.kind, ErrorKind::MaxFilesWatch) {
                    self.out_of_watches(Some(told));
                } else {
                    told.tell(Change::Rescan(format!("the watcher failed: {problem}")));
                }
                return;
            }
        };
        if event.need_rescan() {
            // Renames of folders may be among what was lost, and with them which watch is where: all anew.
            self.restart(told, "more changed at once than the system remembers");
            return;
        }
        let Some(path) = event.paths.first() else {
            return;
        };
        if *path == self.root {
            let is_away = EventKind::Modify(ModifyKind::Name(RenameMode::From));
            if event.kind.is_remove() || event.kind == is_away {
                // Whatever is there now is not what was watched, even if its inode has the same number.
                self.restart(told, "the library was removed or renamed");
            }
            return;
        }
        match event.kind {
            EventKind::Create(CreateKind::Folder) => self.enter(path, Some(told)),
            EventKind::Create(_) => self.created(path, told),
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => self.look(path, told),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => self.appeared(path, told),
            // Of a folder that is watched, only times and rights changed.
            EventKind::Modify(ModifyKind::Metadata(_)) if !self.watched.contains(path) => {
                self.appeared(path, told);
            }
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => {
                self.gone(path, told);
            }
            _ => {}
        }
    }

    /// A file was created. Created empty or written to since, a writer is at work, whose closing is told. A hard link is
    /// whole at once and never closed.
    fn created(&self, path: &Path, told: &mut Told) {
        if relative(&self.root, path).is_some_and(|path| self.writers.are_at_work_on(path)) {
            return;
        }
        let is_empty_file = |stat: Stat| stat.kind == Kind::File && stat.size_bytes == 0;
        if self.stat(path).is_ok_and(|stat| !is_empty_file(stat)) {
            self.look(path, told);
        }
    }

    /// There is something at the path that was not there before, or not so. If it went again, that is told too.
    fn appeared(&mut self, path: &Path, told: &mut Told) {
        match self.stat(path) {
            Ok(stat) if stat.kind == Kind::Folder => self.enter(path, Some(told)),
            Ok(_) => self.look(path, told),
            Err(_) => {}
        }
    }

    /// What is known of what is at this path, beneath the root.
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Folder::root(&self.root)?.stat(self.beneath(path)?)
    }

    /// The folder at this path, if no link is on the way to it.
    fn folder(&self, path: &Path) -> io::Result<Folder> {
        Folder::root(&self.root)?.folder(self.beneath(path)?)
    }

    fn beneath<'a>(&self, path: &'a Path) -> io::Result<&'a Path> {
        path.strip_prefix(&self.root).map_err(io::Error::other)
    }

    fn look(&self, path: &Path, told: &mut Told) {
        // A name that is no text cannot be told; the walk reports it.
        let (Some(path), Some(name)) = (relative(&self.root, path), file_name(path)) else {
            return;
        };
        if names::is_passed_over(name) {
            return;
        }
        told.tell(if names::is_metadata(name) {
            Change::Metadata(folder_of(path))
        } else {
            Change::Look(path.to_owned())
        });
    }

    fn gone(&mut self, path: &Path, told: &mut Told) {
        // Notify forgets the watches beneath of its own accord.
        let beneath: Vec<PathBuf> = self
            .watched
            .range(path.to_owned()..)
            .take_while(|folder| folder.starts_with(path))
            .cloned()
            .collect();
        for folder in &beneath {
            self.watched.remove(folder);
        }
        let was_folder = !beneath.is_empty();
        if let (Some(text), Some(name)) = (relative(&self.root, path), file_name(path)) {
            if !was_folder && names::is_passed_over(name) {
                return;
            }
            told.tell(if !was_folder && names::is_metadata(name) {
                Change::Metadata(folder_of(text))
            } else {
                Change::Gone(text.to_owned())
            });
        }
        // Another may have taken its place since.
        self.appeared(path, told);
    }

    /// Watches a folder and all beneath, and then tells of all that lies there, if it is to be told.
    fn enter(&mut self, folder: &Path, mut told: Option<&mut Told>) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let is_root = folder == self.root;
            if !is_root && file_name(&folder).is_none_or(names::is_folder_passed_over) {
                continue;
            }
            // It went again, or a link took its place: it is neither watched nor listed.
            let Ok(held) = self.folder(&folder) else {
                continue;
            };
            // Not watched, it is listed all the same.
            match self.watch(&folder) {
                Err(problem) if matches!(problem.kind, ErrorKind::MaxFilesWatch) => {
                    self.out_of_watches(told.as_deref_mut());
                }
                Err(problem) if is_root => {
                    *lock(&self.blind) = Some(format!("the library cannot be watched: {problem}"));
                }
                // It went again, or may not be read, which the walk reports.
                Err(_) | Ok(()) => {}
            }
            let listed = held.each(|name, kind| {
                let path = folder.join(name);
                match (kind, told.as_deref_mut()) {
                    (Kind::Folder, _) => folders.push(path),
                    (_, Some(told)) => self.look(&path, told),
                    _ => {}
                }
                ControlFlow::Continue(())
            });
            if let Err(problem) = listed {
                // The walk tells why.
                tracing::debug!("{} cannot be listed: {problem}", folder.display());
            }
        }
    }

    /// Watches the root and all beneath, as it is now.
    fn arm(&mut self) {
        *lock(&self.blind) = deaf(&self.root);
        self.watched.clear();
        self.identity = root_identity(&self.root).ok();
        if self.identity.is_some() {
            let root = self.root.clone();
            self.enter(&root, None);
        }
    }

    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        self.system.watch(folder, RecursiveMode::NonRecursive)?;
        self.watched.insert(folder.to_owned());
        Ok(())
    }

    /// Whether the root is still the one that is watched; if not, all begins anew.
    fn check_root(&mut self, told: &mut Told) {
        if root_identity(&self.root).ok() != self.identity {
            self.restart(told, "the library is another folder or disk than before");
        }
    }

    /// Begins anew with nothing watched, as at the start.
    fn restart(&mut self, told: &mut Told, reason: &str) {
        let began = listener(&self.inbox, &self.writers).map(|system| self.system = system);
        self.arm();
        if let Err(problem) = began {
            *lock(&self.blind) = Some(format!("changes cannot be watched for: {problem}"));
        }
        told.tell(Change::Rescan(match self.identity {
            Some(_) => reason.to_owned(),
            None => "the library is not there".to_owned(),
        }));
    }

    /// Keeps what is watched, and says that the rest must be polled.
    fn out_of_watches(&self, told: Option<&mut Told>) {
        let mut blind = lock(&self.blind);
        if blind.is_some() {
            return;
        }
        *blind = Some(format!(
            "the system lets only {} of the library's folders be watched; raise the limit with `sysctl fs.inotify.max_user_watches=524288`",
            self.watched.len()
        ));
        if let Some(told) = told {
            told.tell(Change::Rescan("out of watches".to_owned()));
        }
    }
}

fn folder_of(path: &str) -> String {
    split(path).0.to_owned()
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}
