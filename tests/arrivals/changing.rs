//! What lies in the library changes: it is edited, renamed, moved, copied, deleted, and comes back. The same bytes are the
//! same media wherever they lie, with all that is remembered of it; other bytes are another.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::pictures::{KINDS, Kind, Picture, SMALL};
use crate::site::Site;
use crate::tools::{self, need};

/// A way to change the text `before` within the JPEG `$file` to `after!`, as many editors do it.
const EDITING: &[(&str, &str)] = &[
    ("sed-i", r#"sed -i "s/$before/$after/" "$file""#),
    (
        "sed",
        r#"sed "s/$before/$after/" "$file" > "$copy"; mv "$copy" "$file""#,
    ),
    (
        "sed-to-cat",
        r#"sed "s/$before/$after/" "$file" > "$copy"; cat "$copy" > "$file""#,
    ),
    ("exiftool", r#"exiftool -q -Artist="$after" "$file""#),
    (
        "exiftool-o",
        r#"exiftool -q -overwrite_original -Artist="$after" "$file""#,
    ),
    (
        "exiftool-i",
        r#"exiftool -q -overwrite_original_in_place -Artist="$after" "$file""#,
    ),
    (
        "truncate",
        r#"sed "s/$before/$after/" "$file" > "$copy"; truncate -s 0 "$file"; cat "$copy" >> "$file""#,
    ),
    (
        "backup",
        r#"cp "$file" "$file~"; sed "s/$before/$after/" "$file~" > "$file""#,
    ),
    ("perl-i", r#"perl -pi.tmp -e "s/$before/$after/" "$file""#),
];

#[test]
fn an_edited_picture_is_another_and_the_earlier_one_has_left() {
    need(&["exiftool"]);
    let site = Site::open();
    for (name, line) in EDITING {
        let path = format!("edited/{name}.jpg");
        let mut before = Picture::jpeg();
        // A comment to be edited, behind the start mark.
        let comment = format!("\u{0}\u{12}text of {name:>8.8}");
        before
            .bytes
            .splice(2..2, [b"\xff\xfe", comment.as_bytes()].concat());
        site.drop(&path, &before);
        let words = [
            ("file", site.path(&path)),
            ("copy", site.outside(name)),
            ("before", "text of".into()),
            ("after", "word of".into()),
        ];
        let words: Vec<(&str, &Path)> = words.iter().map(|(k, v)| (*k, v.as_path())).collect();
        tools::run(line, &words);
        let after = Picture {
            bytes: fs::read(site.path(&path)).unwrap(),
            ..before.clone()
        };
        assert_ne!(before.hash(), after.hash(), "{name} changed nothing");
        site.arrives(&path, &after);
        site.leaves(&before);
    }
    site.close();
}

#[test]
fn a_touch_and_new_rights_change_nothing() {
    let site = Site::open();
    let picture = Picture::jpeg();
    site.drop("memes/cat.jpg", &picture);
    let id = site.media(&picture).id;
    let file = site.path("memes/cat.jpg");
    for line in [
        r#"touch "$file""#,
        r#"touch -d 2001-01-01 "$file""#,
        r#"chmod 600 "$file""#,
        r#": >> "$file""#,
        r#"cp "$file" "$file.tmp"; mv "$file.tmp" "$file""#,
        r#"dd if="$file" of="$file" conv=notrunc status=none"#,
    ] {
        tools::run(line, &[("file", &file)]);
    }
    site.arrives("memes/cat.jpg", &picture);
    assert_eq!(site.media(&picture).id, id);
    site.close();
}

/// A way to move what lies at `$a/1.jpg` and `$a/deep/2.jpg`, and where the two are expected then.
type Moving = (&'static str, &'static str, &'static str, &'static str);

const MOVING: &[Moving] = &[
    (
        "rename",
        r#"mv "$a/1.jpg" "$a/one.jpg""#,
        "a/one.jpg",
        "a/deep/2.jpg",
    ),
    (
        "into another folder",
        r#"mkdir "$b"; mv "$a/1.jpg" "$b""#,
        "b/1.jpg",
        "a/deep/2.jpg",
    ),
    (
        "into the root",
        r#"mv "$a/1.jpg" "$a/..""#,
        "1.jpg",
        "a/deep/2.jpg",
    ),
    (
        "a folder is renamed",
        r#"mv "$a" "$b""#,
        "b/1.jpg",
        "b/deep/2.jpg",
    ),
    (
        "a folder goes into another",
        r#"mkdir "$b"; mv "$a" "$b""#,
        "b/a/1.jpg",
        "b/a/deep/2.jpg",
    ),
    (
        "a folder within is moved",
        r#"mkdir "$b"; mv "$a/deep" "$b""#,
        "a/1.jpg",
        "b/deep/2.jpg",
    ),
    (
        "renamed twice",
        r#"mv "$a" "$b"; mv "$b" "$a.c"; mv "$a.c" "$b""#,
        "b/1.jpg",
        "b/deep/2.jpg",
    ),
    (
        "two folders are exchanged",
        r#"mkdir "$b"; mv "$a" "$a.x"; mv "$b" "$a"; mv "$a.x" "$b""#,
        "b/1.jpg",
        "b/deep/2.jpg",
    ),
    (
        "by copy and deletion",
        r#"cp -r "$a" "$b"; rm -r "$a""#,
        "b/1.jpg",
        "b/deep/2.jpg",
    ),
    (
        "out of the library and back",
        r#"mv "$a" "$outside"; mv "$outside" "$b""#,
        "b/1.jpg",
        "b/deep/2.jpg",
    ),
];

#[test]
fn a_moved_picture_keeps_all_that_is_remembered_and_its_category_follows_the_folder() {
    std::thread::scope(|scope| {
        for moving in MOVING {
            scope.spawn(move || moves(moving));
        }
    });
}

fn moves((what, line, first, second): &Moving) {
    let site = Site::open();
    let pictures = [Picture::jpeg(), Picture::jpeg()];
    site.drop("a/1.jpg", &pictures[0]);
    site.drop("a/deep/2.jpg", &pictures[1]);
    let ids = pictures.each_ref().map(|picture| site.media(picture).id);
    site.says(&["lock", "add", &pictures[0].hash()[..12]]);
    let words = [
        ("a", site.path("a")),
        ("b", site.path("b")),
        ("outside", site.outside("moved")),
    ];
    let words: Vec<(&str, &Path)> = words.iter().map(|(k, v)| (*k, v.as_path())).collect();
    tools::run(line, &words);
    site.arrives(first, &pictures[0]);
    site.arrives(second, &pictures[1]);
    for (picture, path) in pictures.iter().zip([first, second]) {
        site.until(&format!("{what}: the media is at its new place"), || {
            site.media(picture).path == *path
        });
    }
    // What is dropped into a folder afterwards is heard of at its new place.
    let later = Picture::jpeg();
    let beside = format!("{}/later.jpg", second.rsplit_once('/').unwrap().0);
    fs::write(site.path(&beside), &later.bytes).unwrap();
    site.arrives(&beside, &later);
    assert_eq!(
        ids,
        pictures.each_ref().map(|picture| site.media(picture).id),
        "{what}"
    );
    site.close();
}

#[test]
fn a_deleted_picture_is_missing_and_comes_back_as_itself() {
    let site = Site::open();
    let (cat, dog) = (Picture::jpeg(), Picture::jpeg());
    site.drop("memes/cat.jpg", &cat);
    site.drop("memes/old/dog.jpg", &dog);
    let ids = (site.media(&cat).id, site.media(&dog).id);
    for line in [
        r#"rm "$root/memes/cat.jpg"; rm -r "$root/memes/old""#,
        r#"mv "$root/memes" "$outside/memes""#,
        r#"mkdir "$root/.trash"; mv "$root/memes" "$root/.trash""#,
        r#"find "$root/memes" -delete"#,
    ] {
        tools::run(
            line,
            &[("root", &site.path("")), ("outside", &site.outside(""))],
        );
        site.leaves(&cat);
        site.leaves(&dog);
        assert_eq!(site.file("memes/cat.jpg"), None);
        let _ = fs::remove_dir_all(site.outside("memes"));
        site.drop("memes/cat.jpg", &cat);
        site.drop("memes/old/dog.jpg", &dog);
        assert_eq!(ids, (site.media(&cat).id, site.media(&dog).id), "{line}");
        assert!(!site.media(&cat).is_missing && !site.media(&dog).is_missing);
    }
    site.close();
}

#[test]
fn a_copy_is_no_new_picture_and_stands_in_when_the_first_goes() {
    let site = Site::open();
    let picture = Picture::jpeg();
    site.drop("memes/cat.jpg", &picture);
    let id = site.media(&picture).id;
    site.drop("merch/copy.jpg", &picture);
    tools::run(
        r#"cp "$root/memes/cat.jpg" "$root/memes/again.jpg"; ln "$root/memes/cat.jpg" "$root/merch/link.jpg""#,
        &[("root", &site.path(""))],
    );
    site.until("all four places are on record", || {
        let files = site.files();
        let here = files.values().filter(|file| {
            file.content
                .as_ref()
                .is_some_and(|(hash, _)| *hash == picture.hash())
        });
        here.count() == 4
    });
    let media = site.media(&picture);
    assert_eq!(
        (media.id.as_str(), media.category.as_str()),
        (id.as_str(), "memes")
    );
    fs::remove_file(site.path("memes/cat.jpg")).unwrap();
    fs::remove_file(site.path("memes/again.jpg")).unwrap();
    site.until("it lies in merch", || {
        site.media(&picture).category == "merch"
    });
    assert_eq!(site.media(&picture).id, id);
    site.close();
}

#[test]
fn a_picture_without_a_name_is_found_when_it_gets_one() {
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
    use std::os::fd::AsRawFd as _;

    let site = Site::open();
    site.folder("memes");
    for kind in KINDS {
        let picture = Picture::new(kind, SMALL);
        let path = format!("memes/nameless.{}", picture.ending);
        let flags = OFlags::TMPFILE | OFlags::WRONLY;
        let mode = Mode::from_raw_mode(0o644);
        let file: File = openat(CWD, site.path("memes"), flags, mode).unwrap().into();
        file.write_all_at(&picture.bytes, 0).unwrap();
        let open = format!("/proc/self/fd/{}", file.as_raw_fd());
        linkat(CWD, open, CWD, site.path(&path), AtFlags::SYMLINK_FOLLOW).unwrap();
        site.arrives(&path, &picture);
    }
    site.close();
}

#[test]
fn an_overwrite_that_empties_the_file_first_never_mixes_two_pictures() {
    let site = Site::open();
    let mut last = Picture::new(Kind::Png, SMALL);
    site.drop("memes/busy.png", &last);
    for _ in 0..50 {
        let next = Picture::new(Kind::Png, SMALL);
        let file = File::create(site.path("memes/busy.png")).unwrap();
        for (index, piece) in next.bytes.chunks(10_000).enumerate() {
            file.write_all_at(piece, index as u64 * 10_000).unwrap();
        }
        drop(file);
        // Those in between may be seen or not; none of them half.
        site.was_whole(&next);
        last = next;
    }
    site.arrives("memes/busy.png", &last);
    site.close();
}
