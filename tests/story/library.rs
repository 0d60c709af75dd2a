//! The folder, with every flaw a folder can have. One bad file never stops another, and originals are sacred.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use storyline::domain::media::{
    Content, FileStat, Finding, Fingerprint, Format, Metadata, Sighting,
};

use crate::harness::{ANN, Office, Plan, drop_picture};

/// What is kept in view, as `path: reason`.
async fn in_view(office: &Office) -> Vec<String> {
    let files = office.flow().files_in_view().await.unwrap();
    files
        .into_iter()
        .map(|file| format!("{}: {}", file.path, file.reason))
        .collect()
}

/// The hash of every file below a folder.
fn contents(folder: &Path) -> Vec<(String, blake3::Hash)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            found.push((entry.path().display().to_string(), blake3::hash(&bytes)));
        }
    }
    found
}

/// A JPEG that says it has 30,000 × 30,000 pixels, and is whole in all other respects.
fn bomb() -> Vec<u8> {
    let mut small = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8)
        .write_to(&mut small, image::ImageFormat::Jpeg)
        .unwrap();
    let mut bytes = small.into_inner();
    let frame = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&30_000_u16.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&30_000_u16.to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_never_stops_another() {
    let office = Office::furnish(Plan::default()).await;
    let library = office.library();
    let memes = library.join("memes");
    drop_picture(&library, "memes/good.jpg");
    let whole = fs::read(memes.join("good.jpg")).unwrap();
    let mut other = whole.clone();
    other.splice(2..2, *b"\xff\xfe\x00\x06once"); // the same picture, as another content
    fs::write(memes.join("truncated.jpg"), &other[..other.len() / 2]).unwrap();
    fs::write(memes.join("empty.jpg"), b"").unwrap();
    fs::write(
        memes.join("archive.jpg"),
        b"PK\x03\x04 not a picture at all",
    )
    .unwrap();
    fs::write(memes.join("bomb.jpg"), bomb()).unwrap();
    fs::write(memes.join("picture.txt"), &other).unwrap();
    fs::write(memes.join("upload.jpg.part"), &whole).unwrap();
    fs::write(memes.join("metadata.json"), b"{ \"items\": [ oops").unwrap();
    fs::write(
        memes.join(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg")),
        &whole,
    )
    .unwrap();
    std::os::unix::fs::symlink("/etc/hostname", memes.join("link.jpg")).unwrap();
    let before = contents(&library);

    let mut office = office;
    office.start().await;
    // `picture.txt` is a picture whatever its name says, and good.jpg has nothing to do with its neighbours.
    office.wait_until_ready(2).await;
    office.wait_until_planned(2).await;
    let view = in_view(&office).await.join("\n");
    for (path, reason) in [
        ("memes/truncated.jpg", "end"),
        ("memes/empty.jpg", "empty"),
        ("memes/archive.jpg", "ZIP"),
        ("memes/link.jpg", "link"),
        ("caf", "UTF-8"),
    ] {
        let line = view.lines().find(|line| line.contains(path));
        assert!(
            line.is_some_and(|line| line.contains(reason)),
            "{path} ({reason}) in:\n{view}"
        );
    }
    assert!(!view.contains(".part"), "{view}");
    let media = office.flow().media(None).await.unwrap();
    let bomb = media
        .iter()
        .find(|media| media.path == "memes/bomb.jpg")
        .unwrap();
    assert!(
        bomb.errors[0].contains("can be decoded safely"),
        "{:?}",
        bomb.errors
    );
    let good = media
        .iter()
        .find(|media| media.path == "memes/good.jpg")
        .unwrap();
    assert!(
        good.warnings
            .iter()
            .any(|warning| warning.contains("metadata.json")),
        "{:?}",
        good.warnings
    );
    assert_eq!(before, contents(&library), "originals are untouched");

    // The upload is finished after all.
    fs::write(memes.join("truncated.jpg"), {
        let mut third = whole.clone();
        third.splice(2..2, *b"\xff\xfe\x00\x06late");
        third
    })
    .unwrap();
    office.wait_until_ready(3).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_ten_thousand_files_that_comes_at_once_is_found_whole() {
    let office = Office::open().await;
    let outside = tempfile::tempdir_in(office.library().parent().unwrap()).unwrap();
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(200, 200)
        .write_to(&mut picture, image::ImageFormat::Png)
        .unwrap();
    let picture = picture.into_inner();
    for folder in 0..100 {
        let folder = outside.path().join(format!("tree/{folder}/deep"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..100 {
            // What follows a PNG's end is no part of the picture, and makes each a content of its own.
            let unlike = [
                picture.as_slice(),
                folder.to_str().unwrap().as_bytes(),
                &[file],
            ]
            .concat();
            fs::write(folder.join(format!("{file}.png")), unlike).unwrap();
        }
    }
    fs::rename(outside.path().join("tree"), office.library().join("tree")).unwrap();
    office
        .wait_until("all ten thousand are on record", || async {
            office.flow().count_files().await.unwrap() == 10_000
        })
        .await;
    // And nobody has to wait meanwhile.
    office.telegram.say(ANN, ANN, "/status");
    office.see_said(ANN, "Library: 10000 media").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_goes_away_changes_nothing_and_alarms() {
    let office = Office::open().await;
    for name in ["a", "b", "c"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
    }
    office.wait_until_planned(3).await;
    let away = office.library().with_file_name("elsewhere");
    fs::rename(office.library(), &away).unwrap();
    let alarm = office.see_said(ANN, "is not there").await;
    assert!(
        alarm.text.contains("is its disk connected"),
        "{}",
        alarm.text
    );
    // Another disk in its place, with nothing on it, changes nothing either.
    fs::create_dir(office.library()).unwrap();
    let media = office.flow().media(None).await.unwrap();
    assert!(media.iter().all(|media| media.missing_since.is_none()));
    assert_eq!(office.flow().queue().await.unwrap().len(), 3);
    // A slot comes due meanwhile: its story waits for the disk, and no picture is given up.
    office.it_is("09:00");
    office.it_is("09:01");
    let media = office.flow().media(None).await.unwrap();
    assert!(media.iter().all(|media| media.missing_since.is_none()));
    fs::remove_dir(office.library()).unwrap();
    fs::rename(&away, office.library()).unwrap();
    office.it_is("09:02");
    office.story(1).await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_keep_no_other_from_being_examined() {
    let office = Office::open().await;
    // More than are fetched at once, before all others in the queue, and nowhere on the disk.
    let unreadable = (0..40_u8).map(|number| Sighting {
        path: format!("memes/unreadable-{number}.jpg"),
        stat: FileStat::default(),
        metadata_stamp: String::new(),
        finding: Finding::Whole(Box::new(Content {
            fingerprint: Fingerprint::from_bytes([number; 32]),
            format: Format::Jpeg,
            width_px: 1080,
            height_px: 1920,
            clip: None,
            metadata: Metadata::default(),
            metadata_problems: Vec::new(),
        })),
    });
    let before = office.now() - jiff::SignedDuration::from_mins(1);
    let flow = office.flow();
    flow.index(unreadable.collect(), before).await.unwrap();
    office.drop_picture("memes/a.jpg");
    let queue = office.wait_until_planned(1).await;
    assert_eq!(queue[0].path, "memes/a.jpg");
    assert_eq!(flow.to_examine(100).await.unwrap().len(), 40);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_picture_keeps_its_story_and_a_deleted_one_leaves_the_plan() {
    let office = Office::open().await;
    for name in ["a", "b"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
    }
    office.wait_until_planned(2).await;
    fs::create_dir(office.library().join("merch")).unwrap();
    fs::rename(
        office.library().join("memes/a.jpg"),
        office.library().join("merch/a.jpg"),
    )
    .unwrap();
    office
        .wait_until("the category follows the folder", || async {
            let media = office.flow().media(Some("merch".to_owned())).await.unwrap();
            media.len() == 1 && media[0].missing_since.is_none()
        })
        .await;
    assert_eq!(office.flow().media(None).await.unwrap().len(), 2);
    fs::remove_file(office.library().join("memes/b.jpg")).unwrap();
    office
        .wait_until("the deleted one is missing and not planned", || async {
            let queue = office.flow().queue().await.unwrap();
            queue.len() == 1 && queue[0].path == "merch/a.jpg"
        })
        .await;
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    assert_eq!(
        office.flow().media(None).await.unwrap().len(),
        2,
        "it came back as itself"
    );
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_and_any_words_can_be_shown() {
    let office = Office::open().await;
    let name = "memes/<b>&_*[x](y)`~ “quotes” 😀.jpg";
    office.drop_picture(name);
    let note =
        r#"{"caption": "<script>&amp; _under_ *star* [a](b) 😀😀", "tags": ["a b", "<i>", "ÄÖ"]}"#;
    fs::write(office.library().join(name.replace(".jpg", ".json")), note).unwrap();
    office
        .wait_until("the caption is known", || async {
            let media = office.flow().media(None).await.unwrap();
            media
                .first()
                .is_some_and(|media| media.metadata.caption.is_some())
        })
        .await;
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    assert!(
        story.text.starts_with("<b>&_*[x](y)`~ “quotes” 😀.jpg\n"),
        "{}",
        story.text
    );
    assert!(
        story
            .text
            .contains("<script>&amp; _under_ *star* [a](b) 😀😀"),
        "{}",
        story.text
    );
    office.close().await;
}
