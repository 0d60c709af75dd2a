use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn library(files: &[&str]) -> tempfile::TempDir {
    let library = tempfile::tempdir().unwrap();
    for file in files {
        let path = library.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"x").unwrap();
    }
    library
}

fn paths(walk: &Walk) -> Vec<&str> {
    let mut paths: Vec<&str> = walk.files.iter().map(|file| file.path.as_str()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn everything_is_found_but_what_is_passed_over() {
    let library = library(&[
        "cat.jpg",
        "memes/2025/dog.png",
        "memes/.hidden.jpg",
        "memes/@eaDir/thumb.jpg",
        "memes/x.jpg.part",
        "memes/notes.txt",
    ]);
    let walk = walk(library.path()).unwrap();
    assert_eq!(
        paths(&walk),
        ["cat.jpg", "memes/2025/dog.png", "memes/notes.txt"]
    );
    assert!(walk.problems.is_empty());
    assert_eq!(walk.files[0].stat.size_bytes, 1);
}

#[test]
fn metadata_files_stamp_the_files_they_speak_of() {
    let library = library(&["a/cat.jpg", "a/dog.jpg", "b/cat.jpg", "b/cow.jpg"]);
    fs::write(library.path().join("a/metadata.json"), b"{}").unwrap();
    fs::write(library.path().join("b/cow.jpg.json"), b"{}").unwrap();
    let stamps = |walk: &Walk| {
        let stamps = walk
            .files
            .iter()
            .map(|file| (file.path.clone(), file.metadata_stamp.clone()));
        stamps.collect::<HashMap<_, _>>()
    };
    let before = stamps(&walk(library.path()).unwrap());
    assert!(!before["a/cat.jpg"].is_empty() && !before["b/cow.jpg"].is_empty());
    assert_eq!(before["a/cat.jpg"], before["a/dog.jpg"]);
    assert!(before["b/cat.jpg"].is_empty());
    fs::write(library.path().join("a/cat.json"), b"{}").unwrap();
    let after = stamps(&walk(library.path()).unwrap());
    assert_ne!(before["a/cat.jpg"], after["a/cat.jpg"]);
    assert_eq!(before["a/dog.jpg"], after["a/dog.jpg"]);
}

#[test]
fn a_name_that_is_no_text_stops_no_other() {
    let library = library(&["cat.jpg"]);
    let bad = library.path().join(OsStr::from_bytes(b"caf\xe9.jpg"));
    fs::write(bad, b"x").unwrap();
    let folder = library.path().join(OsStr::from_bytes(b"\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("dog.jpg"), b"x").unwrap();
    let mut walk = walk(library.path()).unwrap();
    walk.problems.sort();
    assert_eq!(paths(&walk), ["cat.jpg"]);
    assert_eq!(walk.problems[0].0, "\\xff");
    assert_eq!(walk.problems[1].0, "caf\\xe9.jpg");
    assert!(walk.problems[1].1.contains("rename"));
}

#[test]
fn links_are_told_and_not_followed() {
    let outside = library(&["secret.jpg"]);
    let library = library(&["cat.jpg"]);
    symlink(outside.path(), library.path().join("out")).unwrap();
    symlink(library.path(), library.path().join("loop")).unwrap();
    symlink("cat.jpg", library.path().join("dog.jpg")).unwrap();
    let walk = walk(library.path()).unwrap();
    assert_eq!(paths(&walk), ["cat.jpg"]);
    assert_eq!(walk.problems.len(), 3);
    assert!(walk.problems[0].1.contains("links are not followed"));
}

#[test]
fn a_folder_that_may_not_be_read_hides_its_files_and_no_others() {
    let library = library(&["closed/cat.jpg", "open/dog.jpg"]);
    let closed = library.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let seen = walk(library.path()).unwrap();
    let all_may = fs::read_dir(&closed).is_ok();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if all_may {
        return; // root reads everything
    }
    assert_eq!(paths(&seen), ["open/dog.jpg"]);
    assert!(seen.may_hide("closed/cat.jpg") && !seen.may_hide("closed2/cat.jpg"));
    assert!(!seen.may_hide("open/cow.jpg"));
}

#[test]
fn a_missing_root_is_no_empty_library() {
    let library = library(&["cat.jpg"]);
    let gone = library.path().join("gone");
    assert!(matches!(walk(&gone), Err(RootProblem::Missing(_))));
    let file = library.path().join("cat.jpg");
    assert!(matches!(walk(&file), Err(RootProblem::NotAFolder(_))));
}

#[test]
fn a_root_that_was_replaced_has_another_identity() {
    let above = tempfile::tempdir().unwrap();
    let root = above.path().join("library");
    fs::create_dir(&root).unwrap();
    let before = root_identity(&root).unwrap();
    fs::rename(&root, above.path().join("old")).unwrap();
    fs::create_dir(&root).unwrap();
    assert_ne!(before, root_identity(&root).unwrap());
}
