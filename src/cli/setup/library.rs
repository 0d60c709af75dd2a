//! The folder that people put pictures into.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::exit::told;
use super::{Desk, Whose, complain, refused, unit};
use crate::domain::setting::Setting;
use crate::domain::written::{Complaint, absolute};
use crate::system::storage::why;

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

    fn look_at(&self, answer: &str) -> Result<Folder, Complaint> {
        let path = absolute(answer.trim().trim_end_matches('/'))?;
        // The service is told of it without links.
        let path = path.canonicalize().unwrap_or(path);
        if self.whose == Whose::Service
            && let Some(complaint) = unit::unfit(&path)
        {
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
            (State::Missing, Whose::Service) => {
                make_way(&self.path)?;
                share(&self.path, LIBRARY)
            }
            (State::Another, _) => share(&self.path, fs::metadata(&self.path)?.mode() | SHARED),
            (State::Ready, _) => Ok(()),
        }
    }
}

/// Makes the folders on the way to one, and it, open to be gone through, whatever the rights of what root makes are else.
fn make_way(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent().filter(|above| !above.exists()) {
        make_way(above)?;
    }
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(WAY))
}

fn share(path: &Path, rights: u32) -> io::Result<()> {
    chown(path, None, Some(number_of_the_group()?))?;
    // After the change of its group, which takes a right away.
    fs::set_permissions(path, Permissions::from_mode(rights & 0o7777))
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
