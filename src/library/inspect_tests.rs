use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use image::{ImageFormat, RgbImage};

use super::*;

fn jpeg(width_px: u32, height_px: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(width_px, height_px)
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

fn library() -> (tempfile::TempDir, Inspector) {
    let library = tempfile::tempdir().unwrap();
    let inspector = Inspector::new(library.path());
    (library, inspector)
}

fn whole(sighting: &Sighting) -> &Content {
    match &sighting.finding {
        Finding::Whole(content) => content,
        other => panic!("{other:?}"),
    }
}

fn unusable(sighting: &Sighting) -> &str {
    match &sighting.finding {
        Finding::Unusable { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn is_waiting(sighting: &Sighting) -> bool {
    matches!(sighting.finding, Finding::Waiting { .. })
}

#[test]
fn a_whole_picture_is_told_with_its_hash_and_size_whatever_it_is_called() {
    let (library, mut inspector) = library();
    let bytes = jpeg(30, 20);
    fs::create_dir(library.path().join("memes")).unwrap();
    fs::write(library.path().join("memes/cat.png"), &bytes).unwrap();
    fs::write(library.path().join("memes/cat.json"), r#"{"title": "Cat"}"#).unwrap();
    let sighting = inspector.inspect("memes/cat.png").unwrap();
    let content = whole(&sighting);
    assert_eq!(
        content.fingerprint.as_bytes(),
        blake3::hash(&bytes).as_bytes()
    );
    assert_eq!(content.format, Format::Jpeg);
    assert_eq!((content.width_px, content.height_px), (30, 20));
    assert_eq!(content.metadata.title.as_deref(), Some("Cat"));
    let walk = crate::library::walk(library.path()).unwrap();
    assert_eq!(walk.files[0].stat, sighting.stat);
    assert_eq!(walk.files[0].metadata_stamp, sighting.metadata_stamp);
}

#[test]
fn half_a_picture_waits_until_its_end_is_there() {
    let (library, mut inspector) = library();
    let bytes = jpeg(300, 200);
    let path = library.path().join("cat.jpg");
    for end in [0, 1, 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..end]).unwrap();
        assert!(is_waiting(&inspector.inspect("cat.jpg").unwrap()));
    }
    fs::write(&path, &bytes).unwrap();
    whole(&inspector.inspect("cat.jpg").unwrap());
}

#[test]
fn a_large_file_is_told_as_a_small_one_is() {
    let (library, mut inspector) = library();
    let mut bytes = jpeg(300, 200);
    bytes.resize(READ_AT_ONCE_BYTES as usize + 5, 7);
    fs::write(library.path().join("cat.jpg"), &bytes).unwrap();
    let sighting = inspector.inspect("cat.jpg").unwrap();
    let content = whole(&sighting);
    assert_eq!(
        content.fingerprint.as_bytes(),
        blake3::hash(&bytes).as_bytes()
    );
    assert!(inspector.buffer.len() <= KEPT_BUFFER_BYTES);
}

#[test]
fn a_file_past_the_limit_is_not_even_opened() {
    let (library, mut inspector) = library();
    let file = File::create(library.path().join("cat.jpg")).unwrap();
    file.set_len(MOST_BYTES + 1).unwrap();
    assert!(unusable(&inspector.inspect("cat.jpg").unwrap()).contains("100 MB"));
}

#[test]
fn links_pipes_and_folders_are_no_pictures_and_never_block() {
    let (library, mut inspector) = library();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("cat.jpg"), jpeg(3, 3)).unwrap();
    symlink(outside.path(), library.path().join("out")).unwrap();
    symlink(
        outside.path().join("cat.jpg"),
        library.path().join("cat.jpg"),
    )
    .unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(library.path().join("pipe.jpg"))
        .status();
    assert!(pipe.unwrap().success());
    fs::create_dir(library.path().join("folder.jpg")).unwrap();
    assert!(unusable(&inspector.inspect("cat.jpg").unwrap()).contains("not followed"));
    assert!(unusable(&inspector.inspect("pipe.jpg").unwrap()).contains("pipe"));
    for path in ["out/cat.jpg", "folder.jpg", "gone.jpg", "gone/cat.jpg", ""] {
        let seen = inspector.inspect(path);
        assert!(matches!(seen, Err(NotSeen::Vanished)), "{path}: {seen:?}");
    }
}

#[test]
fn a_missing_root_tells_nothing_of_its_files() {
    let (library, mut inspector) = library();
    library.close().unwrap();
    let seen = inspector.inspect("cat.jpg");
    assert!(matches!(seen, Err(NotSeen::Later(_))), "{seen:?}");
}

#[test]
fn a_file_that_may_not_be_read_tells_the_remedy() {
    let (library, mut inspector) = library();
    let path = library.path().join("cat.jpg");
    fs::write(&path, jpeg(30, 20)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&path).is_ok() {
        return; // root reads everything
    }
    assert!(unusable(&inspector.inspect("cat.jpg").unwrap()).contains("chmod"));
}

#[test]
fn what_is_no_picture_is_told_in_plain_words() {
    let (library, mut inspector) = library();
    for (bytes, says) in [
        (&b"PK\x03\x04............"[..], "ZIP"),
        (b"Dear diary, today", "a text"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "AVIF"),
    ] {
        fs::write(library.path().join("cat.jpg"), bytes).unwrap();
        let sighting = inspector.inspect("cat.jpg").unwrap();
        assert!(unusable(&sighting).contains(says), "{sighting:?}");
    }
}

#[test]
fn a_file_that_grows_during_the_look_is_never_told_whole_with_a_wrong_hash() {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    let (library, mut inspector) = library();
    let path = library.path().join("cat.jpg");
    let picture = jpeg(200, 200);
    fs::write(&path, &picture).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            for _ in 0..2000 {
                file.write_all(b"a trailer that grows").unwrap();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let sighting = inspector.inspect("cat.jpg").unwrap();
            if let Finding::Whole(content) = &sighting.finding {
                let bytes = fs::read(&path).unwrap();
                let size_bytes = sighting.stat.size_bytes as usize;
                let hash = blake3::hash(&bytes[..size_bytes]);
                assert_eq!(content.fingerprint.as_bytes(), hash.as_bytes());
            }
        }
    });
}

#[test]
fn the_smallest_pictures_are_whole_too() {
    let (library, mut inspector) = library();
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(1, 1).write_to(&mut bytes, format).unwrap();
        fs::write(library.path().join("cat"), bytes.into_inner()).unwrap();
        let sighting = inspector.inspect("cat").unwrap();
        let content = whole(&sighting);
        assert_eq!((content.width_px, content.height_px), (1, 1));
    }
}

#[test]
fn a_clip_is_told_with_what_its_container_tells_however_large_it_is() {
    let (library, mut inspector) = library();
    let small = clip::writer::phone_clip();
    // Other bytes behind its end, as some cameras leave them.
    let mut large = small.clone();
    large.extend(u32::try_from(READ_AT_ONCE_BYTES).unwrap().to_be_bytes());
    large.extend(b"free");
    large.resize(small.len() + READ_AT_ONCE_BYTES as usize, 7);
    for bytes in [small, large] {
        fs::write(library.path().join("dance.jpg"), &bytes).unwrap();
        let sighting = inspector.inspect("dance.jpg").unwrap();
        let content = whole(&sighting);
        let hash = blake3::hash(&bytes);
        assert_eq!(content.fingerprint.as_bytes(), hash.as_bytes());
        assert_eq!(content.format, Format::Mov);
        assert_eq!((content.width_px, content.height_px), (1080, 1920));
        assert_eq!(content.clip.as_ref().unwrap().duration_ms, 5_000);
        assert!(inspector.buffer.len() <= KEPT_BUFFER_BYTES);
    }
}

#[test]
fn what_a_disk_that_is_away_does_not_show_is_not_gone() {
    let (library, _) = library();
    let root = library.path().join("root");
    fs::create_dir_all(root.join("memes/folder.jpg")).unwrap();
    fs::write(root.join("memes/cat.jpg"), b"x").unwrap();
    symlink("/etc", root.join("linked")).unwrap();
    let paths = [
        "memes/cat.jpg",
        "memes/dog.jpg",
        "gone/dog.jpg",
        "memes/folder.jpg",
        "linked/hostname",
        "memes/cat.jpg/dog.jpg",
    ];
    let gone = || really_gone(&root, paths.map(str::to_owned).to_vec());
    let expected: Vec<&str> = paths.into_iter().skip(1).collect();
    assert_eq!(gone(), expected);
    fs::rename(&root, library.path().join("away")).unwrap();
    assert_eq!(gone(), [""; 0]);
    fs::create_dir(&root).unwrap();
    assert_eq!(gone(), [""; 0], "an empty folder where a disk was mounted");
}
