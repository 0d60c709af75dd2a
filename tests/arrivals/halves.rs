//! Half files: uploads that are killed and resumed, writers that take their time, writers that share a file. What is not
//! whole waits in view, and what waits is indexed when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::pictures::{KINDS, Kind, LARGE, Picture, SMALL};
use crate::site::{Site, named_like, until_bytes};
use crate::tools::{self, Kept, Ssh, need, shell};

/// How long a writer is silent in between.
const PAUSE: Duration = Duration::from_millis(1200);

/// An upload of `$new` to `$to` that is killed half-way, and how it is taken up again.
type Broken = (&'static str, &'static str, &'static str);

const BROKEN: &[Broken] = &[
    (
        "sftp",
        r#"exec sftp -q -l 8000 -F "$ssh" -b - box <<< "put \"$new\" \"$to\"""#,
        r#"echo "reput \"$new\" \"$to\"" | sftp -q -F "$ssh" -b - box"#,
    ),
    (
        "scp",
        r#"exec scp -q -l 8000 -F "$ssh" "$new" "box:$to""#,
        r#"scp -q -F "$ssh" "$new" "box:$to""#,
    ),
    (
        "rsync-partial",
        r#"exec rsync --partial --bwlimit=1000 "$new" "$to""#,
        r#"rsync --partial "$new" "$to""#,
    ),
    (
        "rsync-append",
        r#"exec rsync --inplace --bwlimit=1000 "$new" "$to""#,
        r#"rsync --append-verify "$new" "$to""#,
    ),
    (
        "curl",
        r#"exec curl -sS --limit-rate 1M -o "$to" "$web/${new##*/}""#,
        r#"curl -sS -C - -o "$to" "$web/${new##*/}""#,
    ),
    (
        "pipe",
        r#"while :; do head -c 100000; sleep 0.1; done < "$new" > "$to""#,
        r#"cp "$new" "$to""#,
    ),
];

#[test]
fn an_upload_that_was_killed_waits_in_view_and_is_a_picture_when_it_is_resumed() {
    need(&["rsync", "curl"]);
    let site = Site::open();
    let ssh = Ssh::start();
    let client = ssh.client();
    let home = site.outside("");
    let web = PathBuf::from(tools::serve_slowly(&home));
    let mut underway = Vec::new();
    for (number, broken) in BROKEN.iter().enumerate() {
        let picture = Picture::new(KINDS[number % KINDS.len()], 4 * LARGE);
        let path = format!("{}/upload.{}", broken.0, picture.ending);
        site.folder(broken.0);
        let new = site.outside(&path.replace('/', "-"));
        fs::write(&new, &picture.bytes).unwrap();
        underway.push((broken, picture, path, new));
    }
    let started: Vec<Kept> = underway
        .iter()
        .map(|((_, begin, _), _, path, new)| {
            let to = site.path(path);
            let words = [
                ("new", new.as_path()),
                ("to", &to),
                ("ssh", &client),
                ("HOME", &home),
                ("web", &web),
            ];
            Kept(shell(begin, &words).spawn().unwrap())
        })
        .collect();
    for ((_, _, path, _), begun) in underway.iter().zip(started) {
        let folder = site.path(path).parent().unwrap().to_owned();
        until_bytes(|| named_like(&folder, "upload"), 300_000);
        tools::run(&format!("kill -TERM {}", begun.0.id()), &[]);
        let mut begun = begun;
        begun.0.wait().unwrap();
    }
    for (_, _, path, _) in &underway {
        site.waits(path);
    }
    for ((_, _, resume), picture, path, new) in &underway {
        let to = site.path(path);
        let words = [
            ("new", new.as_path()),
            ("to", &to),
            ("ssh", &client),
            ("HOME", &home),
            ("web", &web),
        ];
        tools::run(resume, &words);
        site.arrives(path, picture);
    }
    site.close();
}

#[test]
fn an_upload_that_was_killed_and_never_resumed_is_never_a_picture() {
    let site = Site::open();
    for kind in KINDS {
        let picture = Picture::new(kind, SMALL);
        let length = picture.bytes.len();
        for kept in [1, 3, 11, 64, length / 2, length - 100, length - 1] {
            let path = format!("cut/{kept}.{}", picture.ending);
            site.folder("cut");
            fs::write(site.path(&path), &picture.bytes[..kept]).unwrap();
            site.waits(&path);
        }
    }
    let view = site.says(&["check"]);
    assert!(view.contains("cut/"), "{view}");
    site.close();
}

/// A way to write a file at this path slowly, so that it holds the picture in the end.
type Slow = (&'static str, fn(&Path, &Picture));

const SLOW: &[Slow] = &[
    ("held open", |path, picture| {
        let mut file = File::create(path).unwrap();
        for piece in pieces(picture) {
            file.write_all(piece).unwrap();
            sleep(PAUSE);
        }
    }),
    ("opened for each piece", |path, picture| {
        File::create(path).unwrap();
        for piece in pieces(picture) {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(piece).unwrap();
            drop(file);
            sleep(PAUSE);
        }
    }),
    ("room made first", |path, picture| {
        let file = File::create(path).unwrap();
        file.set_len(picture.bytes.len() as u64).unwrap();
        let mut at = 0;
        for piece in pieces(picture) {
            file.write_all_at(piece, at).unwrap();
            at += piece.len() as u64;
            sleep(PAUSE);
        }
    }),
    ("room made first, opened for each piece", |path, picture| {
        File::create(path)
            .unwrap()
            .set_len(picture.bytes.len() as u64)
            .unwrap();
        let mut at = 0;
        for piece in pieces(picture) {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.write_all_at(piece, at).unwrap();
            at += piece.len() as u64;
            sleep(PAUSE);
        }
    }),
    ("the first piece last", |path, picture| {
        let half = picture.bytes.len() / 2;
        let file = File::create(path).unwrap();
        file.write_all_at(&picture.bytes[half..], half as u64)
            .unwrap();
        drop(file);
        sleep(PAUSE);
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(&picture.bytes[..half]).unwrap();
    }),
    ("emptied and written anew", |path, picture| {
        fs::write(path, &picture.bytes[..5000]).unwrap();
        sleep(PAUSE);
        let mut file = File::create(path).unwrap();
        sleep(PAUSE);
        file.write_all(&picture.bytes).unwrap();
    }),
    ("another closes it first", |path, picture| {
        let mut file = File::create(path).unwrap();
        for piece in pieces(picture) {
            file.write_all(piece).unwrap();
            // Closing says that a writer closed, and not that the last one did.
            drop(OpenOptions::new().append(true).open(path).unwrap());
            sleep(PAUSE);
        }
    }),
    ("renamed while it is written", |path, picture| {
        let early = beside(path, "early");
        let mut file = File::create(&early).unwrap();
        for (number, piece) in pieces(picture).enumerate() {
            file.write_all(piece).unwrap();
            if number == 1 {
                fs::rename(&early, path).unwrap();
            }
            sleep(PAUSE);
        }
    }),
    ("brought by a rename, half", |path, picture| {
        let half = beside(path, "part");
        fs::write(&half, &picture.bytes[..picture.bytes.len() / 2]).unwrap();
        fs::rename(&half, path).unwrap();
        sleep(PAUSE);
        fs::write(&half, &picture.bytes).unwrap();
        fs::rename(&half, path).unwrap();
    }),
];

fn beside(path: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}.{ending}", path.display()))
}

fn pieces(picture: &Picture) -> impl Iterator<Item = &[u8]> {
    picture.bytes.chunks(picture.bytes.len().div_ceil(3))
}

#[test]
fn a_slow_writer_is_waited_for_and_its_picture_is_found_when_it_is_whole() {
    let site = Site::open();
    // New, and then over another.
    for _ in 0..2 {
        let mut slow = Vec::new();
        for (name, write) in SLOW {
            for kind in KINDS {
                let picture = Picture::new(kind, SMALL);
                let path = format!("slow/{name}.{}", picture.ending);
                slow.push((path, picture, write));
            }
        }
        site.folder("slow");
        std::thread::scope(|scope| {
            for (path, picture, write) in &slow {
                let path = site.path(path);
                scope.spawn(move || write(&path, picture));
            }
        });
        for (path, picture, _) in &slow {
            site.arrives(path, picture);
        }
    }
    site.close();
}

#[test]
fn a_scan_while_a_picture_is_overwritten_in_place_takes_no_mixture() {
    let site = Site::open();
    let old = Picture::new(Kind::Jpeg, SMALL);
    let new = Picture::new(Kind::Jpeg, SMALL);
    assert_eq!(old.bytes.len(), new.bytes.len());
    site.drop("memes/cat.jpg", &old);
    site.may_scan();
    let mut file = OpenOptions::new()
        .write(true)
        .open(site.path("memes/cat.jpg"))
        .unwrap();
    for (number, piece) in pieces(&new).enumerate() {
        file.write_all(piece).unwrap();
        // What is said of a folder has the whole library walked; beginning and end of the picture are in place all the time.
        let said = format!("{{\"default_tags\": [\"{number}\"]}}");
        fs::write(site.path("memes/metadata.json"), said).unwrap();
        sleep(PAUSE * 2);
    }
    file.seek(SeekFrom::Start(0)).unwrap();
    drop(file);
    site.arrives("memes/cat.jpg", &new);
    site.leaves(&old);
    site.close();
}

#[test]
fn what_no_event_tells_of_is_found_by_a_scan() {
    let site = Site::open();
    let (old, new) = (Picture::jpeg(), Picture::jpeg());
    // The other name of a hard link lies outside: the system tells of writes by the name they were made through.
    fs::write(site.outside("cat.jpg"), &old.bytes).unwrap();
    site.folder("memes");
    fs::hard_link(site.outside("cat.jpg"), site.path("memes/cat.jpg")).unwrap();
    site.arrives("memes/cat.jpg", &old);
    fs::write(site.outside("cat.jpg"), &new.bytes).unwrap();
    site.may_scan();
    site.says(&["media", "index"]);
    site.arrives("memes/cat.jpg", &new);
    site.leaves(&old);
    site.close();
}
