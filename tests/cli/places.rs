//! Folders that must lie apart: what people put somewhere, and what the service keeps for itself.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bench::Bench;

#[tokio::test]
async fn what_the_service_keeps_is_no_library_and_no_import_however_it_is_called() {
    let bench = Bench::with_media().await;
    let root = bench.root().to_owned();
    fs::create_dir_all(root.join("club/deep")).unwrap();
    symlink(root.join("cache"), root.join("link")).unwrap();
    symlink("/var/lib/storyline/pictures", root.join("dangling")).unwrap();
    symlink(root.join("library"), root.join("again")).unwrap();
    symlink(root.join("club/deep"), root.join("club-again")).unwrap();
    let added = bench.type_in(&format!("team add Club --library {}/club", root.display()));
    assert_eq!(added.code, 0, "{added:?}");
    let root = root.display();
    for (wish, why) in [
        (
            "team set --team Storyline library=/var/lib/storyline/pictures",
            "lies in /var/lib/storyline, where the service keeps its records",
        ),
        ("team set --team Storyline library=/", "holds "),
        (
            "team set --team Storyline library=ROOT",
            "holds ROOT/cache, where rendered pictures are kept",
        ),
        (
            "team set --team Storyline library=ROOT/link/x",
            "(really ROOT/cache/x) lies in ROOT/cache",
        ),
        (
            "team set --team Storyline library=ROOT/dangling",
            "(really /var/lib/storyline/pictures) lies in",
        ),
        (
            "team set --team Storyline library=ROOT/backups",
            "ROOT/backups, where the backups are kept",
        ),
        (
            "team set --team Storyline library=ROOT/club-again",
            "the library of Club is ROOT/club",
        ),
        (
            "team set --team Club library=ROOT/again",
            "the library of Storyline is ROOT/library",
        ),
        (
            "team add Other --library ROOT/none/../again",
            "the library of Storyline is ROOT/library",
        ),
        (
            "team add Other --library ROOT/link",
            "the library ROOT/cache is ROOT/cache",
        ),
        (
            "team add Other --library /etc/storyline/x",
            "where the settings and secrets are",
        ),
        (
            "media import --team Club ROOT/link",
            "is a link, or lies behind one",
        ),
        (
            "media import --team Club ROOT/cache",
            "ROOT/cache, where rendered pictures are kept",
        ),
        ("media import --team Club /", "holds "),
    ] {
        let wish = wish.replace("ROOT", &root.to_string());
        let seen = bench.type_in(&wish);
        assert_eq!(seen.code, 2, "{wish}: {seen:?}");
        let why = why.replace("ROOT", "[box]");
        let said = seen.all();
        assert!(
            said.contains(&why) && said.contains("hint: "),
            "{wish}: {said}"
        );
    }
    for fine in ["team set --team Club library=ROOT/cache2", "team add Other"] {
        let seen = bench.type_in(&fine.replace("ROOT", &root.to_string()));
        assert_eq!(seen.code, 0, "{seen:?}");
    }
    bench.settings("[backup]\ncopy_to = \"/var/lib/storyline/copies\"\n");
    let seen = bench.type_in("config check");
    assert_eq!(seen.code, 78, "{seen:?}");
    assert!(seen.all().contains("backup.copy_to"), "{seen:?}");
    assert_eq!(bench.type_in("serve").code, 78);
}

/// What was a folder when it was named may be a link later.
#[tokio::test]
async fn a_library_that_comes_to_lie_among_the_services_own_is_not_indexed_and_all_else_goes_on() {
    let bench = Bench::with_media().await;
    let (club, cache) = (bench.root().join("club"), bench.root().join("cache/aa"));
    fs::create_dir(&club).unwrap();
    let added = bench.type_in(&format!("team add Club --library {}", club.display()));
    assert_eq!(added.code, 0, "{added:?}");
    fs::create_dir_all(&cache).unwrap();
    fs::remove_dir(&club).unwrap();
    symlink(&cache, &club).unwrap();
    bench.picture("../cache/aa/memes/secret.png", 1080, 1920, 7);

    let serving = bench.serve();
    bench.picture("memes/new.png", 1080, 1920, 8);
    bench.wait_for("the other team's picture is indexed", || {
        let list = bench.type_in("media list --team Storyline");
        list.stdout.contains("memes/new.png")
    });
    let told = bench.type_in("check").stdout;
    assert!(
        told.contains("Club: library") && told.contains("it is not indexed"),
        "{told}"
    );
    assert!(told.contains("Nothing is indexed: the library "), "{told}");
    let list = bench.type_in("media list --team Club --json");
    assert_eq!(list.json().as_array().unwrap().len(), 0, "{list:?}");

    // The remedy is what it says.
    drop(serving);
    fs::remove_file(&club).unwrap();
    let other = bench.root().join("other");
    fs::create_dir_all(other.join("memes")).unwrap();
    bench.picture("../other/memes/fine.png", 1080, 1920, 9);
    let moved = bench.type_in(&format!("team set --team Club library={}", other.display()));
    assert_eq!(moved.code, 0, "{moved:?}");
    let _serving = bench.serve();
    bench.wait_for("it is indexed where it is now", || {
        let list = bench.type_in("media list --team Club");
        list.stdout.contains("memes/fine.png")
    });
    let told = bench.type_in("check").stdout;
    assert!(
        !told.contains("not indexed") && !told.contains("Nothing is indexed"),
        "{told}"
    );
}
