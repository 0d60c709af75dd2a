//! More than the watcher can hear: bursts, ten thousand at once, a queue that runs over. And names of every kind, links
//! and pipes.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::pictures::{Kind, Picture, SMALL};
use crate::site::Site;
use crate::tools;

#[test]
fn folders_made_and_filled_in_one_burst_lose_nothing() {
    let site = Site::open();
    let pictures: Vec<Picture> = (0..200).map(|_| Picture::new(Kind::Png, 1000)).collect();
    for (number, picture) in pictures.iter().enumerate() {
        fs::write(site.outside(&format!("{number}.png")), &picture.bytes).unwrap();
    }
    tools::run(
        r#"for n in {0..199}; do mkdir -p "$root/$n/p/q"; cp "$outside/$n.png" "$root/$n/p/q/x.png"; done"#,
        &[("root", &site.path("")), ("outside", &site.outside(""))],
    );
    for (number, picture) in pictures.iter().enumerate() {
        site.arrives(&format!("{number}/p/q/x.png"), picture);
    }
    site.close();
}

#[test]
fn ten_thousand_copied_at_once_are_all_found() {
    let site = Site::open();
    let small = Picture::new(Kind::Webp, 0).bytes;
    let from = site.outside("tree");
    for folder in 0..100 {
        let folder_path = from.join(format!("{folder}/deep"));
        fs::create_dir_all(&folder_path).unwrap();
        for file in 0..100 {
            // What follows a picture's end makes each a content of its own.
            let unlike = [small.as_slice(), &[folder, file]].concat();
            fs::write(folder_path.join(format!("{file}.webp")), &unlike).unwrap();
            site.is_brought(&unlike);
        }
    }
    // So many may be more than the system remembers for us.
    site.may_scan();
    tools::run(
        r#"cp -r "$from" "$root/tree""#,
        &[("root", &site.path("")), ("from", &from)],
    );
    site.until("all ten thousand are on record", || {
        site.records.count_files() == 10_001
    });
    site.close();
}

#[test]
fn when_more_changes_at_once_than_the_system_remembers_all_is_found_at_once() {
    let site = Site::open();
    let (before, within, moved, after) = (
        Picture::jpeg(),
        Picture::jpeg(),
        Picture::jpeg(),
        Picture::jpeg(),
    );
    site.drop("memes/a.jpg", &before);
    site.drop("merch/moved.jpg", &moved);
    let remembered = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let remembered: u32 = remembered.trim().parse().unwrap();
    // The program sleeps, and the queue runs over: of what comes then nobody is told.
    site.signal("STOP");
    let state = format!("/proc/{}/stat", site.pid());
    site.until("it sleeps", || {
        fs::read_to_string(&state).is_ok_and(|state| state.contains(") T "))
    });
    for _ in 0..=remembered / 2 {
        fs::rename(site.path("memes/a.jpg"), site.path("memes/b.jpg")).unwrap();
        fs::rename(site.path("memes/b.jpg"), site.path("memes/a.jpg")).unwrap();
    }
    fs::create_dir(site.path("new")).unwrap();
    fs::write(site.path("new/within.jpg"), &within.bytes).unwrap();
    fs::rename(site.path("merch"), site.path("shop")).unwrap();
    site.may_scan();
    site.signal("CONT");
    site.arrives("new/within.jpg", &within);
    site.arrives("shop/moved.jpg", &moved);
    assert!(
        site.log()
            .contains("more changed at once than the system remembers")
    );
    // And it hears as before, of the folders that it was not told of too.
    site.drop("new/after.jpg", &after);
    site.drop("shop/after.jpg", &after);
    site.close();
}

#[test]
fn any_name_is_a_name() {
    let site = Site::open();
    let long = "l".repeat(251);
    for name in [
        "a b.jpg",
        " ",
        "new\nline.jpg",
        "🐈‍⬛ Füße.jpg",
        "-rf",
        "--",
        "'\"`$(x).jpg",
        "back\\slash.jpg",
        "*.jpg",
        "tab\t.jpg",
        "%s.jpg",
        "\u{202e}gpj.jpg",
        "e\u{301}.jpg",
        "é.jpg",
        "%2F.jpg",
        "no-ending",
        "\u{7f}\u{1b}[31m.jpg",
        "😀/😀.jpg",
        "-folder\n/-",
        &format!("{long}.jpg"),
        &format!("{long}/{long}/{long}/{long}.jpg"),
    ] {
        let path = format!("names/{name}");
        let picture = Picture::new(Kind::Jpeg, 1000);
        fs::write(site.outside("picture"), &picture.bytes).unwrap();
        site.folder(path.rsplit_once('/').unwrap().0);
        tools::run(
            r#"cp -- "$from" "$to""#,
            &[
                ("from", &site.outside("picture")),
                ("to", &site.path(&path)),
            ],
        );
        site.arrives(&path, &picture);
    }
    // A name that is no text is no name that could be told; the next scan says so.
    let other = Picture::jpeg();
    let no_text = site
        .path("names")
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg"));
    fs::write(no_text, &other.bytes).unwrap();
    site.is_no_picture("names/caf\\xe9.jpg");
    site.drop("names/after.jpg", &Picture::jpeg());
    site.may_scan();
    site.says(&["media", "index"]);
    site.until("the nameless one is in view", || {
        site.file("names/caf\\xe9.jpg")
            .is_some_and(|file| file.reason.contains("UTF-8"))
    });
    site.close();
}

#[test]
fn links_pipes_and_temporary_names_are_no_pictures_and_hold_nothing_up() {
    let site = Site::open();
    let secret = Picture::jpeg();
    fs::create_dir(site.outside("private")).unwrap();
    fs::write(site.outside("private/secret.jpg"), &secret.bytes).unwrap();
    fs::write(site.outside("picture.jpg"), Picture::jpeg().bytes).unwrap();
    tools::run(
        r#"mkdir "$root/odd"; cd "$root/odd"
           ln -s "$outside/private/secret.jpg" link.jpg; ln -s "$outside/private" folder; ln -s nowhere dangling.jpg
           ln -s ../odd round; mkfifo pipe.jpg; bash -c 'exec 3<>pipe.jpg; echo held >&3'
           for name in .hidden.jpg ._cat.jpg cat.jpg.part cat.jpg.filepart cat.jpg.partial cat.tmp cat.jpg~ cat.crdownload \
               Thumbs.db sedAb3xYz cat.jpg_exiftool_tmp; do cp "$outside/picture.jpg" "$name"; done
           mkdir @eaDir .thumbs '#recycle'; for folder in @eaDir .thumbs '#recycle'; do cp "$outside/picture.jpg" "$folder"; done"#,
        &[("root", &site.path("")), ("outside", &site.outside(""))],
    );
    for (path, reason) in [
        ("odd/link.jpg", "link"),
        ("odd/folder", "link"),
        ("odd/dangling.jpg", "link"),
        ("odd/round", "link"),
        ("odd/pipe.jpg", "pipe"),
    ] {
        site.is_no_picture(path);
        site.until(&format!("{path} is in view"), || {
            site.file(path)
                .is_some_and(|file| file.reason.contains(reason))
        });
    }
    // Into what a link leads to nobody looks, whatever comes there.
    fs::write(site.outside("private/more.jpg"), Picture::jpeg().bytes).unwrap();
    site.drop("odd/after.jpg", &Picture::new(Kind::Gif, SMALL));
    assert_eq!(site.files().len(), 7, "{:?}", site.files());
    site.close();
}
