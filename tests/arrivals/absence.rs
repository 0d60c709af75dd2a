//! The library's disk goes away and comes back, its folders are more than can be watched, much goes at once: whatever nobody
//! tells of, the box sees by looking, says so, and changes nothing that it should not.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::namespaces::can_be_made;
use crate::pictures::{Kind, Picture};
use crate::rooms::Room;
use crate::site::Site;
use crate::tools;
use crate::tools::need;

/// A way for the library at `$root` to go away, and to be there again.
type Absence = (Room, &'static str, &'static str);

const ABSENCES: &[Absence] = &[
    (
        Room::Open,
        r#"mv "$root" "$root.away""#,
        r#"mv "$root.away" "$root""#,
    ),
    (
        Room::Open,
        r#"mv "$root" "$root.away"; mkdir "$root""#,
        r#"rmdir "$root"; mv "$root.away" "$root""#,
    ),
    (
        Room::Bound,
        r#"until umount "$root" 2> /dev/null; do sleep 0.02; done"#,
        r#"mount --bind "$root.kept" "$root""#,
    ),
    (
        Room::Bound,
        r#"mount -t tmpfs over "$root""#,
        r#"until umount "$root" 2> /dev/null; do sleep 0.02; done"#,
    ),
    (
        Room::OwnDisk,
        r#"cp -a "$root" "$root.copy"; until umount "$root" 2> /dev/null; do sleep 0.02; done"#,
        r#"mount -t tmpfs disk "$root"; cp -a "$root.copy/." "$root""#,
    ),
];

#[test]
fn whatever_nobody_tells_of_is_seen_by_looking_within_a_minute() {
    need(&["unshare", "nsenter"]);
    let has_rooms = can_be_made();
    // The box looks every half a minute. So all of them at once.
    std::thread::scope(|scope| {
        scope.spawn(a_writer_that_never_closes_is_not_waited_for_for_ever);
        if has_rooms {
            scope.spawn(out_of_watches_it_polls_and_says_so);
        }
        for absence in ABSENCES {
            if has_rooms || matches!(absence.0, Room::Open) {
                scope.spawn(move || goes_away_and_comes_back(absence));
            }
        }
    });
}

fn goes_away_and_comes_back((room, go, come): &Absence) {
    let site = Site::open_in(*room);
    let pictures: Vec<Picture> = (0..15).map(|_| Picture::new(Kind::Png, 1000)).collect();
    for (number, picture) in pictures.iter().enumerate() {
        site.drop(&format!("memes/{number}.png"), picture);
    }
    let (files, media) = (site.files(), site.all_media());
    site.may_scan();
    // It goes while the box is still busy with what came last.
    let last: Vec<Picture> = (0..10).map(|_| Picture::new(Kind::Jpeg, 1000)).collect();
    for (number, picture) in last.iter().enumerate() {
        fs::write(
            site.path(&format!("memes/last{number}.jpg")),
            &picture.bytes,
        )
        .unwrap();
    }
    site.run_inside(go);
    site.until(&format!("an alert after `{go}`"), || {
        let alerts = site.records.alerts().join("\n");
        alerts.contains("is not there") || alerts.contains("is empty")
    });
    let (files_now, media_now) = (site.files(), site.all_media());
    for (path, file) in &files {
        assert_eq!(files_now.get(path), Some(file), "{path} after `{go}`");
    }
    for (hash, media) in &media {
        assert_eq!(media_now.get(hash), Some(media), "after `{go}`");
    }
    assert!(
        media_now.values().all(|media| !media.is_missing),
        "after `{go}`"
    );
    let check = site.says(&["check"]);
    assert!(check.contains("library"), "{check}");
    site.run_inside(come);
    site.until(&format!("all is well again after `{come}`"), || {
        site.records
            .alerts()
            .iter()
            .all(|alert| !alert.contains("is its disk connected"))
    });
    for (number, picture) in pictures.iter().enumerate() {
        site.arrives(&format!("memes/{number}.png"), picture);
    }
    for (number, picture) in last.iter().enumerate() {
        site.arrives(&format!("memes/last{number}.jpg"), picture);
    }
    let later = Picture::jpeg();
    site.drop("memes/later.jpg", &later);
    site.drop("new/folder/later.jpg", &Picture::jpeg());
    site.close();
}

fn out_of_watches_it_polls_and_says_so() {
    let site = Site::furnish(Room::FewWatches(8));
    for folder in 0..20 {
        site.folder(&format!("{folder}"));
    }
    site.start();
    site.may_scan();
    let remedy = "fs.inotify.max_user_watches";
    site.until("an alert", || {
        site.records.alerts().join("\n").contains(remedy)
    });
    let check = site.says(&["check"]);
    assert!(check.contains(remedy), "{check}");
    let pictures: Vec<Picture> = (0..20).map(|_| Picture::jpeg()).collect();
    for (folder, picture) in pictures.iter().enumerate() {
        fs::write(site.path(&format!("{folder}/cat.jpg")), &picture.bytes).unwrap();
    }
    for (folder, picture) in pictures.iter().enumerate() {
        site.arrives_at_last(&format!("{folder}/cat.jpg"), picture);
    }
    site.close();
}

fn a_writer_that_never_closes_is_not_waited_for_for_ever() {
    let site = Site::open();
    let (old, over, new) = (Picture::jpeg(), Picture::jpeg(), Picture::jpeg());
    site.drop("memes/old.jpg", &old);
    let mut kept_open = Vec::new();
    for (path, picture) in [("memes/old.jpg", &over), ("memes/new.jpg", &new)] {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(false);
        let mut file = file.open(site.path(path)).unwrap();
        for piece in picture.bytes.chunks(1000) {
            file.write_all(piece).unwrap();
        }
        kept_open.push(file);
    }
    site.arrives_at_last("memes/old.jpg", &over);
    site.arrives_at_last("memes/new.jpg", &new);
    drop(kept_open);
    site.close();
}

#[test]
fn when_a_fifth_is_gone_at_once_nothing_is_changed_until_somebody_says_that_it_is_meant() {
    let site = Site::open();
    let pictures: Vec<Picture> = (0..40).map(|_| Picture::new(Kind::Png, 1000)).collect();
    site.folder("memes/old");
    for (number, picture) in pictures.iter().enumerate() {
        fs::write(
            site.path(&format!("memes/old/{number}.png")),
            &picture.bytes,
        )
        .unwrap();
    }
    for (number, picture) in pictures.iter().enumerate() {
        site.arrives(&format!("memes/old/{number}.png"), picture);
    }
    // What was not looked at closely yet is let go of one by one, by whoever is about to look.
    site.until("all are examined", || site.records.count_to_examine() == 0);
    // A few may go.
    fs::remove_file(site.path("memes/old/0.png")).unwrap();
    site.leaves(&pictures[0]);
    let (files, media) = (site.files(), site.all_media());
    site.may_scan();
    tools::run(
        r#"rm -r "$root/memes/old""#,
        &[("root", Path::new(&site.path("")))],
    );
    site.until("an alert", || {
        site.records
            .alerts()
            .join("\n")
            .contains("files are gone from the library")
    });
    assert_eq!((files, media), (site.files(), site.all_media()));
    assert!(site.says(&["check"]).contains("--accept-missing"));
    // What arrives meanwhile is taken in all the same.
    site.drop("memes/new.jpg", &Picture::jpeg());
    site.says(&["media", "index", "--accept-missing"]);
    for picture in &pictures {
        site.leaves(picture);
    }
    site.close();
}
