//! What is listed and shown.

use insta::assert_snapshot;

use crate::bench::Bench;

#[tokio::test]
async fn an_index_says_what_it_did_and_what_waits() {
    let bench = Bench::new();
    bench.picture("memes/cat.png", 1080, 1920, 1);
    bench.flow().await;
    assert_snapshot!(bench.type_in("media index").all(), @"! 1 file, 1 new. 1 media waits to be examined; the service does it when it runs, or `storyline media index --examine` now.");
    assert_snapshot!(bench.type_in("media index --examine").all(), @"! 1 file, nothing changed. 1 media was examined.");
    assert_snapshot!(bench.type_in("media index").all(), @"! 1 file, nothing changed.");
    bench.picture("memes/dog.png", 1080, 1920, 2);
    let done = bench.type_in("media index --json").json();
    assert_eq!(done["files"], 2);
    assert_eq!(done["indexed"]["new"], 1);
    assert_eq!(done["to_examine"], 1);
}

#[tokio::test]
async fn an_empty_library_is_a_disk_that_is_away_until_the_owner_says_otherwise() {
    let bench = Bench::new();
    bench.picture("memes/cat.png", 1080, 1920, 1);
    bench.flow().await;
    bench.type_in("media index");
    std::fs::remove_file(bench.library().join("memes/cat.png")).unwrap();
    assert_snapshot!(bench.type_in("media index").all(), @r#"
    ! error: The library [box]/library is empty, and 1 files were in it. Nothing was changed. Is its disk connected and mounted? If the files were removed on purpose, say so with `storyline media index --accept-missing`.
    exit 69
    "#);
    assert_snapshot!(bench.type_in("media index --accept-missing").all(), @"! 0 files, 1 gone.");
    assert_snapshot!(bench.type_in("media list").all(), @r#"
    Media          State    Pixels       Posted  Last posted (Europe/Berlin)
    memes/cat.png  missing  1080 × 1920       0  –
    "#);
    std::fs::remove_dir_all(bench.library()).unwrap();
    assert_snapshot!(bench.type_in("media index").all(), @r#"
    ! error: the library `[box]/library` is not there; is its disk connected and mounted?
    exit 69
    "#);
}

#[tokio::test]
async fn media_are_listed_by_path_and_can_be_narrowed() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("media list").all(), @r#"
    Media            State   Pixels       Posted  Last posted (Europe/Berlin)
    memes/cat.png    ready   1080 × 1920       0  –
    memes/dog.png    ready   1080 × 1920       0  –
    merch/shirt.png  ready   1080 × 1920       0  –
    merch/tiny.png   flawed  10 × 10           0  –
    "#);
    assert_snapshot!(bench.type_in("media list --category merch --flawed").all(), @r#"
    Media           State   Pixels   Posted  Last posted (Europe/Berlin)
    merch/tiny.png  flawed  10 × 10       0  –
    "#);
    assert_snapshot!(bench.type_in("media list --missing").all(), @"! No media is missing.");
    assert_snapshot!(bench.type_in("media list --category mems").all(), @r#"
    ! error: there are no media in a category `mems`
    ! hint: did you mean `memes`?
    exit 3
    "#);
    let flawed = bench.type_in("media list --flawed --json").json();
    assert_eq!(flawed[0]["path"], "merch/tiny.png");
    assert_eq!(flawed[0]["state"], "flawed");
    assert_eq!(bench.type_in("media list --waiting --json").stdout, "[]\n");
    let two = bench.type_in("media list --ready --flawed");
    assert_eq!(two.code, 2, "{two:?}");
}

#[tokio::test]
async fn one_media_is_shown_with_all_that_is_known() {
    let bench = Bench::with_media().await;
    bench.type_in("lock add shirt.png --kind seasonal --until 2099-12-01");
    let seen = bench.type_in("media show shirt.png");
    let (facts, fingerprint) = seen.stdout.split_once("Fingerprint  ").unwrap();
    assert_snapshot!(facts, @r#"
    Media        merch/shirt.png
    State        ready
    Lock         seasonal, until Day 0000-00-00 00:00, by ann
    Category     merch
    By hand      no
    Picture      png, 1080 × 1920 pixels, 36 kB
    Indexed      Day 0000-00-00 00:00
    Examined     Day 0000-00-00 00:00
    Posted       0 times
    "#);
    let typed = &fingerprint[..9];
    let known = bench.run(&["media", "show", typed, "--json"]).json();
    assert_eq!(known["path"], "merch/shirt.png");
    assert_eq!(known["locks"][0]["kind"], "seasonal");
    assert_eq!(known["locks"][0]["until"], "2099-11-30T23:00:00Z");
    assert_eq!(known["files"][0], "merch/shirt.png");
    assert_eq!(known["history"], serde_json::json!([]));
    let absolute = bench.library().join("merch/shirt.png");
    let seen = bench.run(&["media", "show", absolute.to_str().unwrap()]);
    assert_eq!(seen.code, 0, "{seen:?}");
}

#[tokio::test]
async fn a_wrong_name_is_answered_with_what_was_probably_meant() {
    let bench = Bench::with_media().await;
    bench.picture("merch/cat.png", 1080, 1920, 9);
    bench.type_in("media index --examine");
    assert_snapshot!(bench.type_in("media show shrit.png").all(), @r#"
    ! error: no media is called `shrit.png`
    ! hint: did you mean `merch/shirt.png`?
    exit 3
    "#);
    assert_snapshot!(bench.type_in("media show zebra").all(), @r#"
    ! error: no media is called `zebra`
    ! hint: `storyline media list` shows all media; one that was just added may have to be indexed first
    exit 3
    "#);
    let several = bench.type_in("media show cat.png");
    assert_eq!(several.code, 3);
    assert!(several.stderr.contains("`memes/cat.png` ("), "{several:?}");
    assert!(
        several.stderr.contains("hint: give the whole path"),
        "{several:?}"
    );
}

#[tokio::test]
async fn a_picture_is_written_as_a_story_shows_it() {
    let bench = Bench::with_media().await;
    bench.picture("memes/wide.png", 1200, 600, 7);
    bench.type_in("media index --examine");
    let output = bench.root().join("story.jpg");
    let output = output.to_str().unwrap();
    let render = |more: &[&str]| {
        bench.run(&[&["media", "render", "wide.png", "--output", output], more].concat())
    };
    assert_snapshot!(render(&[]).all(), @"! `[box]/story.jpg` is written.");
    let story = image::open(output).unwrap();
    assert_eq!((story.width(), story.height()), (1080, 1920));
    assert_snapshot!(render(&[]).all(), @r"
    ! error: `[box]/story.jpg` cannot be written: File exists (os error 17)
    ! hint: remove it first, or give another name
    exit 1
    ");
    std::fs::remove_file(output).unwrap();
    assert_eq!(render(&["--as", "preview"]).code, 0);
    let preview = image::open(output).unwrap();
    assert_eq!((preview.width(), preview.height()), (1080, 540));
}

/// A HEIC as an iPhone makes it, by libheif's own encoder: 320 × 480 pixels, red above and blue below.
fn heic(folder: &std::path::Path) -> Vec<u8> {
    let (png, heic) = (folder.join("photo.png"), folder.join("photo.heic"));
    let colour = |y| {
        if y < 240 {
            [200, 20, 20]
        } else {
            [20, 20, 200]
        }
    };
    let photo = image::RgbImage::from_fn(320, 480, |_, y| image::Rgb(colour(y)));
    photo.save(&png).unwrap();
    let encoder = std::process::Command::new("heif-enc")
        .arg("-o")
        .args([&heic, &png])
        .output()
        .expect("heif-enc, of the package libheif-examples");
    assert!(encoder.status.success(), "{encoder:?}");
    std::fs::read(heic).unwrap()
}

#[tokio::test]
async fn a_heic_is_kept_out_with_a_tip_until_a_converter_is_there() {
    let bench = Bench::new();
    bench.flow().await;
    std::fs::create_dir(bench.library().join("memes")).unwrap();
    let heic = heic(bench.root());
    // Phones call them so when they share.
    std::fs::write(bench.library().join("memes/photo.jpg"), &heic).unwrap();
    std::fs::write(
        bench.library().join("memes/half.heic"),
        &heic[..heic.len() / 2],
    )
    .unwrap();
    assert_snapshot!(bench.type_in("media index --examine").all(), @"! 2 files, 1 unfinished, 1 of no use. `storyline check` says what is wrong with files.");
    let check = bench.type_in("check").stdout;
    assert!(
        check.contains("memes/photo.jpg: HEIC needs a converter: install"),
        "{check}"
    );
    assert_eq!(bench.type_in("media list --json").stdout, "[]\n");
    let path = std::env::var("PATH").unwrap();
    assert_snapshot!(bench.with_path("media index --examine", &path).all(), @"! 2 files, 1 new. 1 media was examined.");
    let listed = bench.type_in("media list").stdout;
    assert!(
        listed.contains("memes/photo.jpg  ready  320 × 480"),
        "{listed}"
    );
    let story = bench.root().join("story.jpg");
    let render = format!("media render photo.jpg --output {}", story.display());
    let without = bench.type_in(&render);
    assert!(
        without.stderr.contains("HEIC needs a converter"),
        "{without:?}"
    );
    assert_eq!(bench.with_path(&render, &path).code, 0);
    let story = image::open(story).unwrap().into_rgb8();
    let [red, _, blue] = story.get_pixel(540, 500).0;
    assert!(red > 180 && blue < 50, "{red} {blue}");
}

#[tokio::test]
async fn what_is_new_on_a_stick_is_copied_and_the_stick_stays_as_it_is() {
    let bench = Bench::with_media().await;
    let stick = bench.root().join("stick");
    let lies = |path: &str| stick.join(path);
    std::fs::create_dir_all(lies("memes/new")).unwrap();
    std::fs::copy(
        bench.library().join("memes/cat.png"),
        lies("memes/known.png"),
    )
    .unwrap();
    for (path, shade) in [("memes/cat.png", 21), ("memes/new/mug.png", 22)] {
        image::RgbImage::from_pixel(540, 960, image::Rgb([shade, 1, 1]))
            .save(lies(path))
            .unwrap();
    }
    std::fs::copy(lies("memes/new/mug.png"), lies("memes/twin.png")).unwrap();
    std::fs::write(lies("memes/cat.json"), r#"{"title": "Another cat"}"#).unwrap();
    std::fs::write(lies("memes/notes.txt"), "milk").unwrap();
    // In the library it would speak of the cat that is there already.
    let items =
        r#"{"default_tags": ["stick"], "items": [{"file_name": "cat.png", "caption": "Meow"}]}"#;
    std::fs::write(lies("memes/metadata.json"), items).unwrap();
    let mut half = std::fs::read(lies("memes/cat.png")).unwrap();
    half.truncate(half.len() / 2);
    std::fs::write(lies("memes/half.png"), half).unwrap();
    let on_the_stick = || {
        let mut all = Vec::new();
        for folder in ["memes", "memes/new"] {
            for entry in std::fs::read_dir(lies(folder)).unwrap() {
                let (path, about) = entry.map(|it| (it.path(), it.metadata().unwrap())).unwrap();
                all.push((path, about.len(), about.modified().unwrap()));
            }
        }
        all.sort();
        all
    };
    let before = on_the_stick();
    assert_snapshot!(bench.type_in("media import stick").all(), @r"
    ! 2 new files copied, 2 known already, 2 left out.
    ! memes/half.png: its last chunk, IEND, is not there yet
    ! memes/notes.txt: a text, not a picture; pictures (JPEG, PNG, GIF, WebP) and clips (MP4, MOV) can become stories
    ");
    assert_eq!(on_the_stick(), before);
    bench.type_in("media index --examine");
    let other = bench.type_in("media list --json").json();
    let cat = other
        .as_array()
        .unwrap()
        .iter()
        .find(|media| media["path"] == "memes/cat (2).png");
    assert_eq!(cat.unwrap()["title"], "Another cat");
    assert_eq!(cat.unwrap()["caption"], "Meow");
    assert_eq!(cat.unwrap()["tags"][0], "stick");
    let old = other
        .as_array()
        .unwrap()
        .iter()
        .find(|media| media["path"] == "memes/cat.png");
    assert_eq!(old.unwrap()["caption"], serde_json::Value::Null);
    let left = |name: &str| bench.library().join(name).exists();
    assert!(!left(".import") && !left("memes/metadata.json"));
    assert_snapshot!(bench.type_in("media import stick").all(), @r"
    ! nothing new, 4 known already, 2 left out.
    ! memes/half.png: its last chunk, IEND, is not there yet
    ! memes/notes.txt: a text, not a picture; pictures (JPEG, PNG, GIF, WebP) and clips (MP4, MOV) can become stories
    ");
    assert_snapshot!(bench.type_in("media import nowhere").all(), @r"
    ! error: there is no folder `nowhere`
    ! hint: give the folder in which the folders of pictures are
    exit 3
    ");
    let runs = bench.type_in("run list --json").json();
    assert_eq!(
        runs.as_array()
            .unwrap()
            .iter()
            .filter(|run| run["job"] == "import")
            .count(),
        2
    );
}

#[tokio::test]
async fn nothing_is_copied_into_a_library_whose_disk_is_away() {
    let bench = Bench::with_media().await;
    bench.picture("../stick/memes/mug.png", 540, 960, 9);
    std::fs::remove_dir_all(bench.library()).unwrap();
    std::fs::create_dir(bench.library()).unwrap();
    assert_snapshot!(bench.type_in("media import stick").all(), @r"
    ! nothing new.
    ! Broken off: the library [box]/library is empty or not there; is its disk connected and mounted?
    ! error: `stick`: the library [box]/library is empty or not there; is its disk connected and mounted?
    ! hint: what was copied by then is whole; do it again for the rest
    exit 69
    ");
    assert!(std::fs::read_dir(bench.library()).unwrap().next().is_none());
}

#[tokio::test]
async fn pictures_that_look_alike_are_listed_together() {
    let bench = Bench::new();
    bench.flow().await;
    let seen = bench.type_in("media duplicates");
    assert_snapshot!(seen.all(), @"! No two pictures look alike.");
    let ripples = |width: u32, height: u32, wave: f32| {
        image::RgbImage::from_fn(width, height, |x, y| {
            let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
            let light = ((x * wave).sin() + (y * x * wave * 2.0).cos() + 2.0) * 60.0;
            image::Rgb([light as u8, (light * y) as u8, 90])
        })
    };
    std::fs::create_dir(bench.library().join("merch")).unwrap();
    for (name, picture) in [
        ("shirt.png", ripples(540, 960, 9.0)),
        ("shirt-small.jpg", ripples(270, 480, 9.0)),
        ("cup.png", ripples(540, 960, 31.0)),
    ] {
        picture
            .save(bench.library().join("merch").join(name))
            .unwrap();
    }
    bench.type_in("media index --examine");
    let listed = bench.type_in("media duplicates");
    let rows: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(rows.len(), 3, "{listed:?}");
    assert!(
        rows[1].starts_with("    1  merch/shirt-small.jpg  270 × 480"),
        "{listed:?}"
    );
    assert!(
        rows[2].starts_with("    1  merch/shirt.png        540 × 960"),
        "{listed:?}"
    );
    let groups = bench.type_in("media duplicates --json").json();
    assert_eq!(groups[0]["media"][1]["path"], "merch/shirt.png");
}

#[tokio::test]
async fn the_preview_is_what_the_plan_then_is() {
    let bench = Bench::with_media().await;
    let foreseen = bench.type_in("schedule preview --days 3 --json").json();
    assert_snapshot!(bench.type_in("schedule replan").all(), @"! The plan is drawn anew: 3 stories planned, 0 taken out before. For 18 slots nothing fits; `storyline check` says why.");
    let planned = bench.type_in("queue list --json").json();
    let paths = |list: &serde_json::Value| -> Vec<(String, String)> {
        let list = list.as_array().unwrap();
        let named = list.iter().filter(|line| line["path"].is_string());
        let at = |line: &serde_json::Value| {
            let at = line.get("at").or(line.get("due_at")).unwrap();
            at.as_str().unwrap().to_owned()
        };
        named
            .map(|line| (at(line), line["path"].as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(paths(&foreseen), paths(&planned));
    assert_eq!(paths(&planned).len(), 3);
    let preview = bench.type_in("schedule preview --days 1");
    assert!(
        preview
            .stdout
            .starts_with("Due (Europe/Berlin)   Story  Category"),
        "{preview:?}"
    );
    assert!(preview.stdout.contains("#1"), "{preview:?}");
    bench.type_in("pause");
    let paused = bench.type_in("schedule preview");
    assert!(
        paused.stderr.starts_with("The plan is paused"),
        "{paused:?}"
    );
}

#[tokio::test]
async fn what_there_is_none_of_is_said_on_stderr_and_is_an_empty_list_for_scripts() {
    let bench = Bench::new();
    bench.flow().await;
    let mut talk = String::new();
    for line in [
        "media list",
        "media missing",
        "media dead",
        "audit list",
        "queue list",
        "history list",
        "lock list",
        "mix show",
        "mix history",
        "person list",
        "person stats",
        "run list",
    ] {
        let seen = bench.type_in(line);
        assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{line}");
        talk.push_str(&seen.stderr);
        let seen = bench.type_in(&format!("{line} --json"));
        assert_eq!((seen.code, seen.stdout.as_str()), (0, "[]\n"), "{line}");
        assert_eq!(seen.stderr, "", "{line}");
    }
    assert_snapshot!(talk, @r#"
    No media is on record; put pictures into the library's folders.
    No media is missing.
    No media has been there for more than 90 days without being posted.
    Nobody has changed anything that fits.
    The queue is empty; `storyline check` says why, if it should not be.
    No story has ended so far.
    No media is locked.
    No category has any media, and no mix is set.
    No mix was ever set.
    Nobody is on record yet: people are met when they first press a button or write to the bot.
    Nobody is on record yet: people are met when they first press a button or write to the bot.
    No job has done anything yet.
    "#);
}
