//! The folder that people put pictures into.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::super::Failure;
use super::super::exit::told;
use super::super::print::say;
use super::{Desk, Whose, complain, refused, unit};
use crate::config::{Places, Wanted};
use crate::domain::setting::Setting;
use crate::domain::written::{Complaint, absolute};
use crate::system::storage::why;
use crate::system::whereabouts::Whereabouts;

/// Whose members may put pictures into the library.
const GROUP: &str = "storyline";
/// The group may write, and what is made in it is the group's.
const SHARED: u32 = 0o2070;
/// The library of a service: everybody may look, the group may write.
const LIBRARY: u32 = 0o2775;
/// A folder on the way to it.
const WAY: u32 = 0o755;

/// A library, as it is.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Missing,
    /// Some of its rights are missing that a service needs.
    Another,
    Ready,
}

impl Folder {
    pub(super) fn told(&self) -> String {
        let path = self.path.display();
        match self.state {
            State::Missing => format!("{path}, which is made"),
            State::Another => format!("{path}, which is given to the group `{GROUP}`"),
            State::Ready => path.to_string(),
        }
    }
}

impl Desk<'_> {
    pub(super) async fn ask_library(&mut self) -> Result<Folder, Failure> {
        let proposed = self.team().library.display().to_string();
        self.must_be_said(&proposed)?;
        loop {
            let answer = match &self.options.library {
                Some(said) => said.clone(),
                None => self.talk.ask("Folder of the pictures", &proposed).await?,
            };
            let complaint = match self.look_at(&answer) {
                Ok(folder) if !self.may_have(&folder).await? => continue,
                Ok(folder) => {
                    let path = folder.path.display().to_string();
                    match self.put(Setting::Library, &path) {
                        Ok(()) => return Ok(folder),
                        Err(complaint) => complaint,
                    }
                }
                Err(complaint) => complaint,
            };
            if self.options.library.is_some() || !self.talk.asks() {
                return Err(refused(&answer, &complaint));
            }
            complain(&complaint);
        }
    }

    /// The service's user may write into the records: a folder that only they name is nothing that root acts on, unless somebody
    /// here says so.
    fn must_be_said(&self, proposed: &str) -> Result<(), Failure> {
        let path = Whereabouts::of(Path::new(proposed)).real().to_owned();
        let in_the_file = Whereabouts::of(&self.config.team.library).real().to_owned();
        if self.whose == Whose::Own
            || self.options.library.is_some()
            || self.talk.asks()
            || path == in_the_file
            || unit::sees(&path)
        {
            return Ok(());
        }
        Err(Failure::Usage(told(
            format!("the library is {proposed} by the records, and nobody here has said so"),
            "name it: `--library FOLDER`",
        )))
    }

    /// The libraries of the other teams that the service shall see. The records name them; that it is meant so is said by root:
    /// here, by an option, or by an earlier answer.
    pub(super) async fn ask_others(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let mut seen = Vec::new();
        if self.whose == Whose::Own {
            return Ok(seen);
        }
        let said: Vec<PathBuf> = self
            .options
            .open
            .iter()
            .map(|path| Whereabouts::of(path).real().to_owned())
            .collect();
        let others: Vec<_> = self
            .teams
            .iter()
            .skip(1)
            .map(|team| (team.name.clone(), team.library.clone()))
            .collect();
        let places = Places::of(&self.config);
        for (name, library) in others {
            let path = Whereabouts::of(&library).real().to_owned();
            let shown = path.display();
            let complaint = unit::unfit(&path).or_else(|| places.refuse(Wanted::Library, &path));
            if let Some(complaint) = complaint {
                say(&format!(
                    "The library of {name}, {shown}, is not opened to the service: {}.",
                    complaint.reason
                ));
                continue;
            }
            let is_said = said.contains(&path) || unit::sees(&path);
            let question = format!(
                "The team {name} has its pictures in {shown}. Shall the service see that folder?"
            );
            if is_said || self.talk.asks() && self.talk.agrees(&question).await? {
                seen.push(path);
            } else if !self.talk.asks() {
                say(&format!(
                    "The library of {name}, {shown}, is not opened to the service: nobody here has said so."
                ));
                say(&format!(
                    "hint: `storyline setup --open {shown}` does, if it is meant so"
                ));
            }
        }
        Ok(seen)
    }

    fn look_at(&self, answer: &str) -> Result<Folder, Complaint> {
        let path = absolute(answer.trim().trim_end_matches('/'))?;
        // The service is told of it without links.
        let path = Whereabouts::of(&path).real().to_owned();
        if self.whose == Whose::Service
            && let Some(complaint) = unit::unfit(&path)
        {
            return Err(complaint);
        }
        let others = self.teams.iter().skip(1);
        let others = others.map(|team| (&*team.name, &*team.library));
        if let Some(complaint) = Places::of(&self.config).refuse_library(&path, others) {
            return Err(complaint);
        }
        let state = match fs::metadata(&path) {
            Ok(there) if !there.is_dir() => {
                return Err(Complaint::new("it is a file", "name a folder"));
            }
            Ok(there) if self.whose == Whose::Service => {
                let is_shared = there.mode() & SHARED == SHARED;
                if is_shared && number_of_the_group().is_ok_and(|group| group == there.gid()) {
                    State::Ready
                } else {
                    State::Another
                }
            }
            Ok(_) => State::Ready,
            Err(_) => State::Missing,
        };
        Ok(Folder { path, state })
    }

    async fn may_have(&mut self, folder: &Folder) -> Result<bool, Failure> {
        if folder.state != State::Another {
            return Ok(true);
        }
        let question = format!(
            "  {} is there already. Give it to the group\n  `{GROUP}`, so that the service and the team may write in it?",
            folder.path.display()
        );
        self.talk.agrees(&question).await
    }
}

impl Folder {
    /// Makes it, with the rights that it needs; whether anything was to be done.
    pub(super) fn make(&self, whose: Whose) -> Result<bool, Failure> {
        let path = self.path.display();
        let done = self.try_to_make(whose).map_err(|error| {
            let hint = format!(
                "make it by hand; a disk that knows no groups (FAT, exFAT, NTFS) is mounted with `gid={GROUP},umask=0002`"
            );
            Failure::Other(told(format!("`{path}` cannot be made the library: {}", why(&self.path, &error)), hint))
        });
        done.map(|()| self.state != State::Ready)
    }

    fn try_to_make(&self, whose: Whose) -> io::Result<()> {
        match (self.state, whose) {
            (State::Missing, Whose::Own) => fs::create_dir_all(&self.path),
            (State::Missing, Whose::Service) => share(&reach(&self.path)?, Some(LIBRARY)),
            (State::Another, _) => share(&reach(&self.path)?, None),
            (State::Ready, _) => Ok(()),
        }
    }
}

/// Opens a folder part by part, and makes what is missing on the way, open to be gone through, whatever the rights of what root
/// makes are else. A part that is a link by now is an error: somebody else put it there.
fn reach(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = File::open("/")?;
    for part in path.iter().skip(1) {
        let opened = openat(&folder, part, flags, Mode::empty());
        folder = match opened {
            Err(Errno::NOENT) => {
                mkdirat(&folder, part, Mode::RWXU)?;
                let made = File::from(openat(&folder, part, flags, Mode::empty())?);
                made.set_permissions(Permissions::from_mode(WAY))?;
                made
            }
            opened => opened?.into(),
        };
    }
    Ok(folder)
}

/// Gives a folder to the group; what else it allows stays as it is, unless its rights are told.
fn share(folder: &File, rights: Option<u32>) -> io::Result<()> {
    let rights = match rights {
        Some(rights) => rights,
        None => folder.metadata()?.mode() | SHARED,
    };
    fchown(folder, None, Some(number_of_the_group()?))?;
    // After the change of its group, which takes a right away.
    folder.set_permissions(Permissions::from_mode(rights & 0o7777))
}

pub(super) fn number_of_the_group() -> io::Result<u32> {
    let groups = fs::read_to_string("/etc/group")?;
    let line = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(GROUP)).then(|| parts.nth(1))?
    });
    line.and_then(|number| number.parse().ok())
        .ok_or_else(|| io::Error::other(format!("there is no group `{GROUP}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_folder_is_made_part_by_part_and_never_through_a_link() {
        let scratch = tempfile::tempdir().unwrap();
        let at = scratch.path().canonicalize().unwrap();
        let made = reach(&at.join("a/b")).unwrap();
        let mode = made.metadata().unwrap().mode() & 0o7777;
        assert!(at.join("a/b").is_dir() && mode == WAY, "{mode:o}");
        reach(&at.join("a/b")).unwrap();
        symlink(at.join("a"), at.join("link")).unwrap();
        symlink(at.join("nowhere"), at.join("dangling")).unwrap();
        fs::write(at.join("file"), "").unwrap();
        for hostile in [
            "link",
            "link/b",
            "link/new",
            "dangling",
            "dangling/x",
            "file",
        ] {
            assert!(reach(&at.join(hostile)).is_err(), "{hostile}");
        }
        assert!(!at.join("a/new").exists() && !at.join("nowhere").exists());
    }
}
