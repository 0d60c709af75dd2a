//! Root that works in a folder of the service's works there as the service: what it makes belongs to whoever uses it, and a link
//! or a second name that was put in its way leads nowhere that the service may not go by itself. (To look first would not do:
//! whoever may write there may change it between the look and the deed.)

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The group of whoever has none, on Debian: root's own would let more be read.
const NO_GROUP: u32 = 65_534;
/// Others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// As whom root works on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// As it is: it is not root, or nobody else has a say there.
    Oneself,
    /// As another user.
    Another(Uid, Gid),
}

impl Owner {
    /// As whom to work on the file at this path, which need not be there: whoever its folder belongs to; where that is root's
    /// and others may write in it, whoever the file does.
    ///
    /// # Errors
    /// If the folder cannot be looked at.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Oneself);
        }
        let Some(folder) = folder_of(path) else {
            return Ok(Self::Oneself);
        };
        let folder = match std::fs::metadata(folder) {
            Ok(folder) => folder,
            // Whatever comes next tells so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Oneself),
            Err(error) => return Err(error),
        };
        let is_shared = folder.mode() & OTHERS_WRITE != 0;
        let owner = match folder.uid() {
            0 if is_shared => std::fs::symlink_metadata(path).map_or(0, |file| file.uid()),
            owner => owner,
        };
        Ok(match (owner, folder.gid()) {
            (0, _) => Self::Oneself,
            (owner, 0) => Self::Another(Uid::from_raw(owner), Gid::from_raw(NO_GROUP)),
            (owner, group) => Self::Another(Uid::from_raw(owner), Gid::from_raw(group)),
        })
    }

    /// Does the work as that user.
    ///
    /// # Errors
    /// If root may not become it, or there is no thread for it.
    pub(crate) fn work<T: Send>(self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        if self == Self::Oneself {
            return Ok(work());
        }
        // A thread of its own, which ends with the work: nobody comes back to being root in the middle of something.
        let worked = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("owner".to_owned());
            let thread = thread.spawn_scoped(scope, move || {
                self.assume()?;
                Ok(work())
            })?;
            Ok::<_, io::Error>(thread.join())
        })?;
        worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Has this thread be that user from here to its end; no other thread.
    ///
    /// # Errors
    /// If root may not become it.
    pub(crate) fn assume(self) -> io::Result<()> {
        let Self::Another(user, group) = self else {
            return Ok(());
        };
        // Only what is asked of files changes: that user may send this process no signal.
        set_thread_groups(&[])?;
        set_thread_res_gid(None, group, None)?;
        set_thread_res_uid(None, user, None)?;
        Ok(())
    }
}

/// Whether another than root could have put a link at this path, for root to follow.
pub(crate) fn may_be_anothers(path: &Path) -> bool {
    geteuid().is_root()
        && folder_of(path)
            .and_then(|folder| std::fs::metadata(folder).ok())
            .is_some_and(|folder| folder.uid() != 0 || folder.mode() & OTHERS_WRITE != 0)
}

fn folder_of(path: &Path) -> Option<&Path> {
    let folder = path.parent()?;
    Some(match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    #[test]
    fn root_works_in_anothers_folder_as_that_user() {
        if !geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "not root");
            assert_eq!(Owner::of(Path::new("/x")).unwrap(), Owner::Oneself);
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "root's").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let file = state.join("file");
        assert_eq!(Owner::of(&file).unwrap(), Owner::Oneself);
        assert!(!may_be_anothers(&file));

        chown(&state, Some(4242), Some(4343)).unwrap();
        assert!(may_be_anothers(&file));
        let owner = Owner::of(&file).unwrap();
        let (made, read) = owner
            .work(|| (fs::write(&file, "made"), fs::read(&secret)))
            .unwrap();
        made.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let made = fs::metadata(&file).unwrap();
        assert_eq!((made.uid(), made.gid()), (4242, 4343));
        assert!(geteuid().is_root() && fs::read(&secret).is_ok());

        // Root's own folder, in which others may write: whoever the file belongs to.
        chown(&state, Some(0), Some(4343)).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(Owner::of(&file).unwrap(), owner);
        assert_eq!(Owner::of(&state.join("none")).unwrap(), Owner::Oneself);
    }
}
