//! Links at every position, pipes, dots, and names that are taken.

use super::*;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::FileType;

use super::descent::step_down;

/// A folder that others may write, and beside it what they must not reach.
struct Bench {
    all: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        for folder in ["outside/deep", "here/memes/2025"] {
            fs::create_dir_all(all.path().join(folder)).unwrap();
        }
        fs::write(all.path().join("outside/secret"), b"secret").unwrap();
        fs::write(all.path().join("outside/deep/secret"), b"secret").unwrap();
        fs::write(all.path().join("here/memes/2025/cat.jpg"), b"a cat").unwrap();
        Self { all }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.all.path().join(path)
    }

    fn here(&self) -> Folder {
        Folder::root(&self.path("here")).unwrap()
    }

    fn link(&self, to: &str, at: &str) {
        symlink(self.path(to), self.path("here").join(at)).unwrap();
    }

    fn pipe(&self, at: &str) {
        let mode = Mode::from_raw_mode(0o600);
        let path = self.path("here").join(at);
        rustix::fs::mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    }

    /// All that lies outside, with what is in it.
    fn outside(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("outside")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                found.push((path.clone(), fs::read(&path).ok()));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_lies_beneath_is_reached_and_held() {
    let bench = Bench::new();
    let here = bench.here();
    assert_eq!(text(here.open("memes/2025/cat.jpg").unwrap()), "a cat");
    assert_eq!(
        text(here.open_file("memes//2025/cat.jpg").unwrap()),
        "a cat"
    );
    let stat = here.stat("memes/2025/cat.jpg").unwrap();
    assert_eq!((stat.kind, stat.size_bytes, stat.names), (Kind::File, 5, 1));
    let year = here.folder("memes").unwrap().folder("2025").unwrap();
    // Renamed, it is the same folder; and what takes its place is not.
    fs::rename(bench.path("here/memes"), bench.path("here/old")).unwrap();
    bench.link("outside", "memes");
    assert_eq!(text(year.open_file("cat.jpg").unwrap()), "a cat");
    assert!(is_link(&here.open_file("memes/secret").unwrap_err()));
    let missing = here.stat("nowhere/cat.jpg").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let itself = here.stat_itself().unwrap();
    assert!(itself.is_same_file(&here.folder("").unwrap().stat_itself().unwrap()));
}

#[test]
fn no_link_is_followed_wherever_it_lies() {
    let bench = Bench::new();
    bench.link("outside", "out");
    bench.link("outside/secret", "secret.jpg");
    bench.link("here/memes", "inside");
    bench.link("outside", "memes/2025/far");
    bench.link("nowhere", "dead");
    let before = bench.outside();
    let here = &bench.here();
    for folder in [
        "out",
        "out/deep",
        "inside",
        "inside/2025",
        "memes/2025/far",
        "dead",
    ] {
        assert!(is_link(&here.folder(folder).unwrap_err()), "{folder}");
        let made = here.create_folder(format!("{folder}/new"), 0o777);
        assert!(is_link(&made.unwrap_err()), "{folder}");
        assert!(is_link(&here.create_folder(folder, 0o777).unwrap_err()));
        let file = format!("{folder}/secret");
        for problem in [
            here.open(&file).map(drop).unwrap_err(),
            here.open_file(&file).map(drop).unwrap_err(),
            here.stat(&file).map(drop).unwrap_err(),
            here.create(&file, 0o600).map(drop).unwrap_err(),
            here.remove_file(&file).unwrap_err(),
            here.remove_folder(&file).unwrap_err(),
            here.rename_new(&file, here, "taken").unwrap_err(),
            here.rename_over("memes/2025/cat.jpg", here, &file)
                .unwrap_err(),
            here.rename_new("memes/2025/cat.jpg", here, &file)
                .unwrap_err(),
        ] {
            assert!(is_link(&problem), "{file}: {problem}");
        }
    }
    for name in ["secret.jpg", "out", "dead"] {
        assert!(is_link(&here.open(name).unwrap_err()), "{name}");
        assert!(is_link(&here.open_file(name).unwrap_err()), "{name}");
        assert_eq!(here.stat(name).unwrap().kind, Kind::Link);
        let taken = here.create(name, 0o600).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists, "{name}");
        here.remove_folder(name).unwrap_err();
        let taken = here.rename_new("memes/2025/cat.jpg", here, name);
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    // Of a link, the link goes, and the link is what is replaced.
    here.remove_file("out").unwrap();
    here.rename_over("memes/2025/cat.jpg", here, "secret.jpg")
        .unwrap();
    assert_eq!(text(here.open_file("secret.jpg").unwrap()), "a cat");
    assert_eq!(bench.outside(), before);
}

#[test]
fn part_by_part_it_is_the_same_as_at_once() {
    let bench = Bench::new();
    bench.link("outside", "out");
    bench.link("outside", "memes/far");
    let here = bench.here();
    let both = |path: &str| {
        let stepped = step_down(here.0.as_fd(), OsStr::new(path)).map(Folder);
        (here.folder(path), stepped)
    };
    let (at_once, stepped) = both("memes/2025");
    let (at_once, stepped) = (at_once.unwrap(), stepped.unwrap());
    let same = at_once.stat_itself().unwrap();
    assert!(same.is_same_file(&stepped.stat_itself().unwrap()));
    for path in ["out", "out/deep", "memes/far", "memes/far/deep"] {
        let (at_once, stepped) = both(path);
        let problems = (at_once.unwrap_err(), stepped.unwrap_err());
        assert!(is_link(&problems.0) && is_link(&problems.1), "{problems:?}");
    }
    for path in ["nowhere", "memes/2025/cat.jpg", "memes/2025/cat.jpg/x"] {
        let (at_once, stepped) = both(path);
        assert_eq!(at_once.unwrap_err().kind(), stepped.unwrap_err().kind());
    }
}

#[test]
fn no_dots_and_no_slash_lead_out() {
    let bench = Bench::new();
    let here = &bench.here();
    let secret = bench.path("outside/secret");
    let absolute = secret.to_str().unwrap();
    for path in [
        "..",
        "../outside/secret",
        "memes/../../outside/secret",
        ".",
        absolute,
        "/",
        "",
    ] {
        let refused = [
            here.open(path).map(drop),
            here.open_file(path).map(drop),
            here.stat(path).map(drop),
            here.create(path, 0o600).map(drop),
            here.remove_file(path),
            here.remove_folder(path),
            here.rename_new("memes", here, path),
            here.rename_over(path, here, "x"),
        ];
        for refused in refused {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound, "{path}");
        }
        if !path.is_empty() {
            here.folder(path).unwrap_err();
            here.create_folder(path, 0o700).unwrap_err();
        }
    }
    assert_eq!(fs::read(secret).unwrap(), b"secret");
}

#[test]
fn the_root_of_a_stranger_lies_behind_no_link() {
    let bench = Bench::new();
    bench.link("outside", "out");
    let path = |path: &str| bench.path("here").canonicalize().unwrap().join(path);
    for (wanted, is) in [("memes", true), ("memes/../memes", true), ("", true)] {
        assert_eq!(Folder::root_without_links(&path(wanted)).is_ok(), is);
    }
    for wanted in ["out", "out/deep", "out/../memes"] {
        let refused = Folder::root_without_links(&path(wanted));
        assert!(is_link(&refused.unwrap_err()), "{wanted}");
        Folder::root(&path("out")).unwrap();
    }
    Folder::root_without_links(Path::new("/")).unwrap();
    Folder::root_without_links(Path::new("src/library")).unwrap();
    let missing = Folder::root_without_links(&path("nowhere")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn a_pipe_holds_nobody_up() {
    let bench = Bench::new();
    bench.pipe("pipe.jpg");
    let here = bench.here();
    here.open("pipe.jpg").unwrap();
    let refused = here.open_file("pipe.jpg").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(!is_link(&refused));
    assert_eq!(here.stat("pipe.jpg").unwrap().kind, Kind::Other);
    here.open_file("memes").unwrap_err();
    here.folder("pipe.jpg").unwrap_err();
}

#[test]
fn a_scratch_file_has_a_name_of_its_own_and_goes_unless_it_is_placed() {
    let bench = Bench::new();
    let (here, memes) = (bench.here(), bench.here().folder("memes").unwrap());
    let write = |bytes: &[u8]| {
        let scratch = memes.scratch("draft-", ".part", 0o600).unwrap();
        scratch.file().write_all(bytes).unwrap();
        scratch
    };
    let (first, mut second) = (write(b"one"), write(b"two"));
    assert_ne!(first.name(), second.name());
    assert_eq!(first.name().len(), "draft-.part".len() + 32);
    let stat = memes.stat(first.name()).unwrap();
    assert_eq!((stat.kind, stat.rights), (Kind::File, 0o600));
    drop(first);
    assert_eq!(memes.names(9).unwrap().len(), 2);

    let taken = second.place_new(&here, "memes/2025/cat.jpg").unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    second.place_new(&here, "two").unwrap();
    drop(second);
    write(b"three")
        .place_over(&here, "memes/2025/cat.jpg")
        .unwrap();
    assert_eq!(text(here.open_file("two").unwrap()), "two");
    assert_eq!(text(here.open_file("memes/2025/cat.jpg").unwrap()), "three");
    assert_eq!(memes.names(9).unwrap(), ["2025"]);
}

#[test]
fn what_was_put_in_a_scratch_files_place_is_neither_placed_nor_removed() {
    let bench = Bench::new();
    let here = bench.here();
    let mut scratch = here.scratch("", ".part", 0o600).unwrap();
    let name = scratch.name().to_owned();
    here.remove_file(&name).unwrap();
    fs::hard_link(bench.path("outside/secret"), bench.path("here").join(&name)).unwrap();
    scratch.place_new(&here, "picture.jpg").unwrap_err();
    scratch.place_over(&here, "picture.jpg").unwrap_err();
    drop(scratch);
    assert_eq!(here.stat(&name).unwrap().names, 2);
    here.stat("picture.jpg").unwrap_err();
}

#[test]
fn folders_are_made_listed_and_removed() {
    let bench = Bench::new();
    bench.link("outside", "out");
    bench.pipe("pipe");
    let here = bench.here();
    let made = here.create_folder("merch/cups/red", 0o750).unwrap();
    made.create("cup.jpg", 0o640).unwrap();
    assert_eq!(here.stat("merch/cups").unwrap().rights & !0o750, 0);
    here.create_folder("merch/cups", 0o700).unwrap();
    let file = here.create_folder("merch/cups/red/cup.jpg", 0o700);
    assert_eq!(file.unwrap_err().kind(), ErrorKind::NotADirectory);

    let mut found = Vec::new();
    here.each(|name, kind| {
        found.push((name.to_str().unwrap().to_owned(), kind));
        ControlFlow::Continue(())
    })
    .unwrap();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("memes", Kind::Folder),
        ("merch", Kind::Folder),
        ("out", Kind::Link),
        ("pipe", Kind::Other),
    ];
    assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(here.names(2).unwrap().len(), 2);

    here.sync().unwrap();
    here.remove_folder("merch/cups").unwrap_err();
    here.remove_file("merch/cups/red/cup.jpg").unwrap();
    assert!(here.folder("merch/cups/red").unwrap().is_empty().unwrap());
    here.remove_folder("merch/cups/red").unwrap();
    assert!(here.folder("merch/cups").unwrap().is_empty().unwrap());
}

#[test]
fn however_many_there_are_each_is_told_once() {
    let all = tempfile::tempdir().unwrap();
    for number in 0..3000 {
        fs::write(
            all.path().join(format!("a quite long name {number:05}")),
            b"",
        )
        .unwrap();
    }
    let mut names = Folder::root(all.path()).unwrap().names(usize::MAX).unwrap();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3000);
}

/// While somebody swaps a file for a link to a secret and back, whoever opens it has the file or a refusal.
#[test]
fn a_file_that_is_swapped_for_a_link_all_the_time_never_leads_out() {
    let bench = Bench::new();
    let here = &bench.here();
    let file = bench.path("here/memes/2025/cat.jpg");
    let spare = bench.path("here/spare");
    let year = bench.path("here/memes/2025");
    let folder_spare = bench.path("here/folder spare");
    fs::set_permissions(
        bench.path("outside/secret"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    symlink(bench.path("outside/secret"), &spare).unwrap();
    symlink(bench.path("outside/deep"), &folder_spare).unwrap();
    let is_over = AtomicBool::new(false);
    let swap = |one: &Path, other: &Path| {
        let _ = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                swap(&file, &spare);
                swap(&file, &spare);
                swap(&year, &folder_spare);
                swap(&year, &folder_spare);
            }
        });
        for _ in 0..3000 {
            let opened = [
                here.open("memes/2025/cat.jpg"),
                here.open_file("memes/2025/cat.jpg"),
                here.open_file("memes/2025/secret"),
            ];
            for file in opened.into_iter().flatten() {
                assert_eq!(text(file), "a cat");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
