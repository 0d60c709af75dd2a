//! Sticks of strangers: only what lies on one comes from it, whatever is put there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use insta::assert_snapshot;

use crate::bench::Bench;

/// A box with a private folder, and a stick with a folder of pictures.
async fn bench() -> Bench {
    let bench = Bench::with_media().await;
    bench.picture("../private/memes/secret.png", 540, 960, 31);
    bench.picture("../stick/pictures/memes/mug.png", 540, 960, 32);
    bench
}

/// What lies in a folder and beneath, without what lies behind links.
fn all_in(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
    {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(folder).unwrap();
        all.push(path.display().to_string());
    }
    all
}

/// F14: a stick whose folder `storyline` is a link had the box import a picture of another team's.
#[tokio::test]
async fn a_stick_whose_folder_leads_elsewhere_brings_nothing() {
    let bench = bench().await;
    let before = all_in(&bench.library());
    symlink("../private", bench.root().join("stick/storyline")).unwrap();
    symlink(bench.root(), bench.root().join("stick/box")).unwrap();
    assert_snapshot!(bench.type_in("media import stick/storyline").all(), @r"
    ! error: `stick/storyline` is a link, or lies behind one: it may lead anywhere
    ! hint: look where it leads; if those pictures are meant, give that folder itself
    exit 2
    ");
    for behind in [
        "stick/box/private",
        "stick/storyline/memes",
        "stick/storyline/../private",
    ] {
        let refused = bench.type_in(&format!("media import {behind}"));
        assert_eq!(refused.code, 2, "{refused:?}");
    }
    assert_eq!(all_in(&bench.library()), before);
    let given = bench.type_in("media import stick/../private");
    assert_eq!(given.code, 0, "a person's own dots are no link: {given:?}");
}

#[tokio::test]
async fn of_a_hostile_stick_only_its_own_files_are_taken() {
    let bench = bench().await;
    let memes = bench.root().join("stick/pictures/memes");
    let private = bench.root().join("private/memes");
    symlink(private.join("secret.png"), memes.join("link.png")).unwrap();
    symlink(&private, memes.parent().unwrap().join("linked")).unwrap();
    symlink("loop", memes.join("loop")).unwrap();
    symlink(private.join("secret.png"), memes.join("mug.json")).unwrap();
    for pipe in ["pipe.png", "metadata.json"] {
        let made = std::process::Command::new("mkfifo")
            .arg(memes.join(pipe))
            .status();
        assert!(made.unwrap().success());
    }
    fs::set_permissions(memes.join("mug.png"), fs::Permissions::from_mode(0o6755)).unwrap();
    fs::hard_link(memes.join("mug.png"), memes.join("twin.png")).unwrap();
    let before = all_in(&bench.root().join("stick"));
    assert_snapshot!(bench.type_in("media import stick/pictures").all(), @r"
    ! 1 new file copied, 1 known already, 6 left out.
    ! linked: a link; links are not followed
    ! memes/link.png: a link; links are not followed
    ! memes/loop: a link; links are not followed
    ! memes/metadata.json: a pipe, socket or device, not a file
    ! memes/mug.json: a link; links are not followed
    ! …
    ");
    assert_eq!(all_in(&bench.root().join("stick")), before);
    let landed = bench.library().join("memes/mug.png");
    let rights = fs::metadata(landed).unwrap().permissions().mode();
    assert_eq!(rights & 0o7111, 0, "{rights:o}");
    let listed = bench.type_in("media list --json").stdout;
    assert!(!listed.contains("secret"), "{listed}");
}

/// F1: an import emptied the folder that a link in place of the drafts' folder led to.
#[tokio::test]
async fn an_import_empties_no_folder_behind_a_link() {
    let bench = bench().await;
    let outside = bench.root().join("state");
    fs::create_dir(&outside).unwrap();
    for name in ["storyline.db", "secret.key", "1.part"] {
        fs::write(outside.join(name), name).unwrap();
    }
    let before = all_in(&outside);
    symlink(&outside, bench.library().join(".import")).unwrap();
    assert_snapshot!(bench.type_in("media import stick/pictures").all(), @r"
    ! nothing new.
    ! Broken off: `.import` in the library is a link or a file, not a folder, and links are not followed; whoever looks after the library must remove it
    ! error: `stick/pictures`: `.import` in the library is a link or a file, not a folder, and links are not followed; whoever looks after the library must remove it
    ! hint: what was copied by then is whole; do it again for the rest
    exit 69
    ");
    assert_eq!(all_in(&outside), before);
    assert!(!bench.library().join("memes/mug.png").exists());
    fs::remove_file(bench.library().join(".import")).unwrap();
    assert_eq!(bench.type_in("media import stick/pictures").code, 0);
    assert!(bench.library().join("memes/mug.png").exists());
    assert!(!bench.library().join(".import").exists());
}
