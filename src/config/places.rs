//! Which folders must lie apart: what people put somewhere, and what the service keeps for itself. This is the one place that
//! says so, for the file of settings, for `team` and `setup`, for an import, and for the start of the service.

use std::path::{Path, PathBuf};

use super::{Config, DatabaseUrl};
use crate::domain::written::Complaint;
use crate::system::whereabouts::{Lies, Whereabouts};

/// The service's own folders, as the package makes them.
const OWN: [(&str, Kind); 4] = [
    ("/var/lib/storyline", Kind::State),
    ("/var/cache/storyline", Kind::Cache),
    ("/etc/storyline", Kind::Settings),
    ("/run/storyline", Kind::Runtime),
];

/// What a folder is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A team's library.
    Library,
    /// The folder that an import copies from.
    Source,
    /// The backups.
    Backups,
    /// The copies of the backups that leave the box.
    Copies,
}

/// What one of the service's own folders is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    State,
    Cache,
    Settings,
    Runtime,
    Database,
    Backups,
    Copies,
}

/// What stands in the way of a folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Objection {
    /// Whose folder it is that is in the way.
    pub(super) by: Kind,
    pub(super) complaint: Complaint,
}

/// The service's own folders, and where they really are.
#[derive(Debug)]
pub struct Places(Vec<(Kind, PathBuf, Whereabouts)>);

impl Places {
    /// Those of the package, and those that the settings name.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let mut own = vec![(Kind::Cache, config.library.cache.clone())];
        if let DatabaseUrl::Sqlite(database) = &config.database.url {
            own.push((Kind::Database, database.clone()));
            let folder = config.backup.folder.clone();
            let folder = folder.unwrap_or_else(|| database.with_file_name("backups"));
            own.push((Kind::Backups, folder));
        }
        let copies = config.backup.copies.folder.clone();
        own.extend(copies.map(|folder| (Kind::Copies, folder)));
        own.extend(OWN.map(|(path, kind)| (kind, PathBuf::from(path))));
        let paths: Vec<PathBuf> = own.iter().map(|(_, path)| path.clone()).collect();
        let found = Whereabouts::of_all(&paths);
        let own = own.into_iter().zip(found);
        Self(own.map(|((kind, path), at)| (kind, path, at)).collect())
    }

    /// Why a folder may not be used for this, and what to do; `None` if it may.
    #[must_use]
    pub fn refuse(&self, wanted: Wanted, path: &Path) -> Option<Complaint> {
        self.objection(wanted, path).map(|it| it.complaint)
    }

    /// Why a folder may not be a team's library, beside those of other teams too, each with the team's name.
    #[must_use]
    pub fn refuse_library<'a>(
        &self,
        path: &Path,
        others: impl IntoIterator<Item = (&'a str, &'a Path)>,
    ) -> Option<Complaint> {
        if let Some(complaint) = self.refuse(Wanted::Library, path) {
            return Some(complaint);
        }
        let others: Vec<(&str, &Path)> = others.into_iter().collect();
        let mut paths = vec![path.to_owned()];
        paths.extend(others.iter().map(|(_, path)| (*path).to_owned()));
        let found = Whereabouts::of_all(&paths);
        let (wanted, theirs) = found.split_first()?;
        let mut theirs = others.iter().zip(theirs);
        let ((name, their), at) = theirs.find(|(_, at)| wanted.to(at).is_some())?;
        Some(Complaint::new(
            format!("the library of {name} is {}", shown(their, at)),
            "write a folder that is not in it, and in which it is not",
        ))
    }

    pub(super) fn objection(&self, wanted: Wanted, path: &Path) -> Option<Objection> {
        let [at] = <[_; 1]>::try_from(Whereabouts::of_all(&[path.to_owned()])).ok()?;
        self.0.iter().find_map(|(kind, own, own_at)| {
            let lies = at.to(own_at)?;
            must_be_apart(wanted, *kind, lies).then(|| Objection {
                by: *kind,
                complaint: complaint(wanted, &shown(path, &at), lies, *kind, &shown(own, own_at)),
            })
        })
    }
}

/// Whether a folder that is wanted for something may not lie so to one of the service's own.
fn must_be_apart(wanted: Wanted, own: Kind, lies: Lies) -> bool {
    match (wanted, own) {
        // A library on the disk that takes the copies, and an import from it, are nobody's harm.
        (Wanted::Source, Kind::Copies) => false,
        (Wanted::Library, Kind::Copies) => lies != Lies::Within,
        (Wanted::Library | Wanted::Source, _) => true,
        // Backups lie beside the records unless told otherwise.
        (Wanted::Backups, Kind::State | Kind::Database | Kind::Backups | Kind::Copies) => false,
        (Wanted::Copies, Kind::Database | Kind::Copies) => false,
        (Wanted::Backups | Wanted::Copies, _) => lies != Lies::Around,
    }
}

fn complaint(wanted: Wanted, path: &str, lies: Lies, own: Kind, place: &str) -> Complaint {
    let (what, remedy) = match wanted {
        Wanted::Library => (
            "the library",
            "name a folder of its own, such as `/srv/storyline/library`; pictures that lie there already are moved with \
             `mv`, and keep what is on record of them",
        ),
        Wanted::Source => ("the import's folder", "import from a folder of its own"),
        Wanted::Backups => (
            "the backups' folder",
            "name a folder of its own, best on another disk",
        ),
        Wanted::Copies => (
            "the copies' folder",
            "name a folder of its own, on another disk",
        ),
    };
    let why = match own {
        Kind::State => "where the service keeps its records, which nobody else may reach",
        Kind::Cache => {
            "where rendered pictures are kept, which come and go, and are no new pictures"
        }
        Kind::Settings => "where the settings and secrets are, which nobody else may reach",
        Kind::Runtime => "which is empty again after each start",
        Kind::Database => "the records, which nobody else may reach",
        Kind::Backups => "where the backups are kept, which nobody else may reach",
        Kind::Copies => "where copies of the backups go",
    };
    let how = match lies {
        Lies::Same => "is",
        Lies::Within => "lies in",
        Lies::Around => "holds",
    };
    Complaint::new(format!("{what} {path} {how} {place}, {why}"), remedy)
}

/// A path as it is written, and where it leads if that is another.
fn shown(path: &Path, at: &Whereabouts) -> String {
    let written = path.display();
    if at.real() == path {
        written.to_string()
    } else {
        format!("{written} (really {})", at.real().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn defaults() -> Places {
        Places::of(&Config::default())
    }

    fn refused(wanted: Wanted, path: &str) -> Option<String> {
        defaults()
            .refuse(wanted, Path::new(path))
            .map(|it| it.reason)
    }

    #[test]
    fn no_library_lies_in_what_is_the_services_own_or_around_it() {
        for (path, why) in [
            (
                "/var/lib/storyline/pictures",
                "lies in /var/lib/storyline, where the service keeps its records",
            ),
            (
                "/var/lib/storyline",
                "holds /var/lib/storyline/storyline.db",
            ),
            (
                "/var/lib/storyline/backups/x",
                "lies in /var/lib/storyline/backups",
            ),
            ("/var/cache/storyline/x", "lies in /var/cache/storyline"),
            ("/var/cache", "holds /var/cache/storyline"),
            ("/etc/storyline/pictures", "lies in /etc/storyline"),
            ("/run/storyline/x", "lies in /run/storyline"),
            (
                "/srv/../var/lib/storyline/x",
                "(really /var/lib/storyline/x)",
            ),
            ("/", "holds "),
        ] {
            let told = refused(Wanted::Library, path).unwrap_or_default();
            assert!(told.contains(why), "{path}: {told}");
            assert!(refused(Wanted::Source, path).is_some(), "{path}");
        }
        for path in [
            "/srv/storyline/library",
            "/run/storyline-usb/sda1/storyline",
            "/var/lib/storyline2",
        ] {
            assert_eq!(refused(Wanted::Library, path), None, "{path}");
            assert_eq!(refused(Wanted::Source, path), None, "{path}");
        }
    }

    #[test]
    fn backups_lie_beside_the_records_and_their_copies_do_not() {
        assert_eq!(refused(Wanted::Backups, "/var/lib/storyline/nightly"), None);
        assert_eq!(refused(Wanted::Copies, "/mnt/stick"), None);
        for path in [
            "/var/lib/storyline/copies",
            "/var/lib/storyline/backups",
            "/etc/storyline",
        ] {
            assert!(refused(Wanted::Copies, path).is_some(), "{path}");
        }
        for path in [
            "/var/cache/storyline/backups",
            "/run/storyline",
            "/etc/storyline/b",
        ] {
            assert!(refused(Wanted::Backups, path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_link_hides_nothing_and_a_folder_beside_the_records_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let mut config = Config::default();
        config.database.url = DatabaseUrl::Sqlite(at.join("s.db"));
        config.library.cache = at.join("cache");
        config.backup.copies.folder = Some(at.join("disk"));
        fs::create_dir_all(at.join("cache/in")).unwrap();
        symlink(at.join("cache"), at.join("link")).unwrap();
        symlink(at.join("backups/none"), at.join("dangling")).unwrap();
        let places = Places::of(&config);
        let refused = |path: &str| places.refuse(Wanted::Library, &at.join(path));
        for path in [
            "link",
            "link/in",
            "dangling",
            "x/../cache",
            "backups",
            "disk",
            "",
        ] {
            assert!(refused(path).is_some(), "{path}");
        }
        for path in ["library", "disk/stories", "cache2"] {
            assert_eq!(refused(path), None, "{path}");
        }
    }

    #[test]
    fn libraries_of_two_teams_lie_apart_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::create_dir_all(at.join("club/in")).unwrap();
        symlink(at.join("club/in"), at.join("link")).unwrap();
        let places = defaults();
        let club = at.join("club");
        let refused = |path: &str| {
            let others = [("Club", club.as_path())];
            let complaint = places.refuse_library(&at.join(path), others);
            complaint.map(|it| it.reason)
        };
        for path in ["club", "club/in/x", "link", "link/x", ""] {
            let told = refused(path).unwrap_or_default();
            assert!(
                told.starts_with("the library of Club is "),
                "{path}: {told}"
            );
        }
        assert_eq!(refused("other"), None);
    }
}
