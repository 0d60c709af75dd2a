//! What is said of a media by hand, what is held back, what the rules say, and who changed what.

use insta::assert_snapshot;

use crate::bench::Bench;

/// A bench on which a sidecar speaks of the cat.
async fn with_a_sidecar() -> Bench {
    let bench = Bench::with_media().await;
    bench.sidecar("memes/cat.json", "Felix");
    bench
}

#[tokio::test]
async fn a_title_is_said_cleared_and_taken_back() {
    let bench = with_a_sidecar().await;
    assert_snapshot!(bench.run(&["media", "title", "cat.png", "Tom the cat"]).all(), @"! The title of `memes/cat.png` is `Tom the cat` now.");
    assert_snapshot!(bench.run(&["media", "title", "cat.png", "Tom the cat"]).all(), @"! Nothing changes: the title of `memes/cat.png` was so already.");
    bench.sidecar("memes/cat.json", "Garfield");
    assert_eq!(
        bench.type_in("media show cat.png --json").json()["title"],
        "Tom the cat"
    );
    assert_snapshot!(bench.type_in("media title cat.png --clear").all(), @"! `memes/cat.png` has no title now.");
    assert_snapshot!(bench.type_in("media title cat.png --reset").all(), @"! The title of `memes/cat.png` is `Garfield` now.");
    assert_snapshot!(bench.type_in("media title cat.png --reset").all(), @"! Nothing changes: the title of `memes/cat.png` was so already.");
}

#[tokio::test]
async fn caption_link_tags_and_interaction_are_said_in_the_same_way() {
    let bench = with_a_sidecar().await;
    assert_snapshot!(bench.run(&["media", "caption", "cat.png", "Two\nlines"]).all(), @"! The caption of `memes/cat.png` is `Two ⏎ lines` now.");
    assert_snapshot!(bench.type_in("media link cat.png https://shop.example.com/cat").all(), @"! The link of `memes/cat.png` is `https://shop.example.com/cat` now.");
    assert_snapshot!(bench.type_in("media tag cat.png --add #cute,lazy --add orange").all(), @"! `memes/cat.png` has the tags cute, lazy, orange now.");
    assert_snapshot!(bench.type_in("media tag cat.png --remove Lazy").all(), @"! `memes/cat.png` has the tags cute, orange now.");
    assert_snapshot!(bench.type_in("media tag cat.png --set one,two").all(), @"! `memes/cat.png` has the tags one, two now.");
    assert_snapshot!(bench.type_in("media tag cat.png --clear").all(), @"! `memes/cat.png` has no tags now.");
    assert_snapshot!(bench.type_in("media interaction cat.png yes").all(), @"! `memes/cat.png` needs a person to add something by hand.");
    assert_snapshot!(bench.type_in("media interaction cat.png no").all(), @"! `memes/cat.png` needs nobody to add anything by hand.");
    assert_snapshot!(bench.type_in("media interaction cat.png auto").all(), @"! `memes/cat.png` needs a person only if it has a link or a poll question.");
    let said = bench.type_in("media tag cat.png --reset --json").json();
    assert_eq!(
        (&said["field"], &said["changed"]),
        (&"tags".into(), &true.into())
    );
    assert_eq!(said["after"], serde_json::json!([]));
    let shown = bench.type_in("media show cat.png");
    assert!(
        shown
            .stdout
            .contains("Edited       caption, link, interaction\n"),
        "{shown:?}"
    );
    let edits = bench.type_in("media show cat.png --json").json()["edits"].clone();
    assert_eq!(edits["link_url"], "https://shop.example.com/cat");
    assert_eq!(edits["requires_interaction"], serde_json::Value::Null);
    assert_eq!(edits.get("title"), None);
}

#[tokio::test]
async fn a_category_is_said_and_the_file_stays() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("media category cat.png merhc").all(), @r#"
    ! error: there are no media in a category `merhc`
    ! hint: did you mean `merch`? (`--new` if it is to be a new one)
    exit 3
    "#);
    assert_snapshot!(bench.type_in("media category cat.png merch").all(), @"! `memes/cat.png` counts for `merch` now; its file stays where it is.");
    assert_snapshot!(bench.type_in("media category cat.png pets --new").all(), @"! `memes/cat.png` counts for `pets` now; its file stays where it is.");
    assert!(bench.library().join("memes/cat.png").exists());
    assert_snapshot!(bench.type_in("media list --category pets").all(), @r#"
    Media          State  Pixels       Posted  Last posted (Europe/Berlin)
    memes/cat.png  ready  1080 × 1920       0  –
    "#);
    bench.type_in("media index");
    assert_snapshot!(bench.type_in("media category cat.png --reset").all(), @"! `memes/cat.png` counts for `memes` now; its file stays where it is.");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_in_plain_words() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("media link cat.png shop.example.com").all(), @r#"
    ! error: `shop.example.com` is no link that starts with `https://` or `http://`
    ! hint: a link is like `https://shop.example.com/tee`; `--clear` says that there is none
    exit 2
    "#);
    assert_snapshot!(bench.run(&["media", "title", "cat.png", "ding\u{7}"]).all(), @r#"
    ! error: the title holds a control character, which nobody can see (U+0007)
    ! hint: a title may have 100 characters, a caption 600; `--clear` says that there is none
    exit 2
    "#);
    assert_snapshot!(bench.run(&["media", "title", "cat.png", &"x".repeat(101)]).all(), @r#"
    ! error: the title has 101 characters; at most 100 fit
    ! hint: a title may have 100 characters, a caption 600; `--clear` says that there is none
    exit 2
    "#);
    assert_snapshot!(bench.run(&["media", "caption", "cat.png", ""]).all(), @r#"
    ! error: the caption is empty
    ! hint: a title may have 100 characters, a caption 600; `--clear` says that there is none
    exit 2
    "#);
    assert_snapshot!(bench.type_in("media tag cat.png --add ,").all(), @r#"
    ! error: a tag is empty
    ! hint: a tag is a word or a few; commas go between several
    exit 2
    "#);
    assert_snapshot!(bench.type_in("media title zebra x").all(), @r#"
    ! error: no media is called `zebra`
    ! hint: `storyline media list` shows all media; one that was just added may have to be indexed first
    exit 3
    "#);
    let many: Vec<String> = (0..16).map(|tag| format!("t{tag}")).collect();
    assert_snapshot!(bench.type_in(&format!("media tag cat.png --add {}", many.join(","))).all(), @r#"
    ! error: 16 tags are too many; a media may have 15
    ! hint: a tag is a word or a few; commas go between several
    exit 2
    "#);
    assert_eq!(bench.type_in("audit list --json").stdout, "[]\n");
}

#[tokio::test]
async fn a_media_is_held_back_and_released() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.run(&["media", "hold", "cat.png", "--until", "2099-06-01 18:00", "--reason", "in June"]).all(), @"! `memes/cat.png` is held back until Day 0000-00-00 00:00.");
    assert_snapshot!(bench.type_in("media hold cat.png").all(), @"! `memes/cat.png` is held back until `storyline media release`.");
    assert_snapshot!(bench.type_in("lock list").all(), @r#"
    Media          Kind         Until (Europe/Berlin)  By   Reason
    memes/cat.png  manual_hold  for ever               ann
    "#);
    assert_snapshot!(bench.type_in("media release cat.png").all(), @"! `memes/cat.png` is held back no more.");
    assert_snapshot!(bench.type_in("media release cat.png").all(), @r#"
    ! error: `memes/cat.png` is not held back
    ! hint: `storyline lock list` shows what else may keep it out of the plan
    exit 3
    "#);
    assert_snapshot!(bench.type_in("media hold cat.png --until 2020-01-01").all(), @r#"
    ! error: `--until`: Day 0000-00-00 00:00 is not in the future
    ! hint: write a day like `2026-12-01`, or a day and a time like `2026-12-01T18:00`
    exit 2
    "#);
    assert_eq!(
        bench.type_in("media hold dog.png --json").json()["held"],
        true
    );
}

#[tokio::test]
async fn the_rules_are_told_of_one_media_or_of_all() {
    let bench = Bench::with_media().await;
    bench.picture("memes/wide.png", 1920, 1080, 9);
    bench.type_in("media index --examine");
    assert_snapshot!(bench.type_in("media validate").all(), @r#"
    note     memes/wide.png  wider than tall: a story will show it small, on a blurred extension of itself
    problem  merch/tiny.png  10 × 10 pixels are too few for a story; the shorter side needs 100
    ok       media           3 media are as they should be
    ! 1 problem
    exit 2
    "#);
    assert_snapshot!(bench.type_in("media validate cat.png").all(), @"ok       memes/cat.png  it may be a story");
    assert_snapshot!(bench.type_in("media validate wide.png").all(), @"note     memes/wide.png  wider than tall: a story will show it small, on a blurred extension of itself");
    let tiny = bench.type_in("media validate tiny.png --json");
    assert_eq!(
        (tiny.code, &tiny.json()[0]["state"]),
        (2, &"problem".into())
    );
    std::fs::remove_file(bench.library().join("memes/cat.png")).unwrap();
    bench.type_in("media index");
    assert_snapshot!(bench.type_in("media validate cat.png").all(), @"note     memes/cat.png  its file is gone; it was checked while it was there");
}

#[tokio::test]
async fn what_is_gone_and_what_was_never_shown_is_listed() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("media missing").all(), @"! No media is missing.");
    assert_snapshot!(bench.type_in("media dead").all(), @"! No media has been there for more than 90 days without being posted.");
    std::fs::remove_file(bench.library().join("memes/cat.png")).unwrap();
    bench.type_in("media index");
    bench.type_in("media hold dog.png");
    assert_snapshot!(bench.type_in("media missing").all(), @r#"
    Media          Missing since (Europe/Berlin)  Posted  Last posted
    memes/cat.png  Day 0000-00-00 00:00                0  –
    "#);
    assert_snapshot!(bench.type_in("media dead --days 0").all(), @r#"
    Media            Category  Known since (Europe/Berlin)  State
    memes/dog.png    memes     Day 0000-00-00 00:00         ready, locked
    merch/shirt.png  merch     Day 0000-00-00 00:00         ready
    merch/tiny.png   merch     Day 0000-00-00 00:00         flawed
    "#);
    let missing = bench.type_in("media missing --json").json();
    assert!(missing[0]["missing_since"].is_string(), "{missing}");
    assert_eq!(
        bench.type_in("media dead --days 0 --json").json()[0]["posted_count"],
        0
    );
}

#[tokio::test]
async fn who_changed_what_is_listed_with_before_and_after() {
    let bench = Bench::with_media().await;
    bench.run(&["media", "title", "cat.png", "Tom"]);
    bench.type_in("media tag cat.png --add a,b");
    bench.type_in("media interaction dog.png yes");
    bench.run(&[
        "media",
        "hold",
        "cat.png",
        "--until",
        "2099-06-01",
        "--reason",
        "later",
    ]);
    bench.type_in("media release cat.png");
    bench.type_in("mix set memes=70 merch=30");
    bench.type_in("pause");
    bench.type_in("resume");
    bench.type_in("schedule replan");
    bench.type_in("queue cancel 1");
    assert_snapshot!(bench.type_in("audit list --limit 5").all(), @r#"
    When (Europe/Berlin)  By   What      Change     Before                                                       After
    Day 0000-00-00 00:00  ann  #1        cancelled  due Day 0000-00-00 00:00, path memes/dog.png, state planned  cancelled
    Day 0000-00-00 00:00  ann  the plan  replanned  –                                                            –
    Day 0000-00-00 00:00  ann  the plan  resumed    by ann, paused since Day 0000-00-00 00:00                    running
    Day 0000-00-00 00:00  ann  the plan  paused     running                                                      paused
    Day 0000-00-00 00:00  ann  the mix   set        –                                                            memes 70 %, merch 30 %
    "#);
    assert_snapshot!(bench.type_in("audit list --media cat.png").all(), @r#"
    When (Europe/Berlin)  By   What           Change     Before                                                      After
    Day 0000-00-00 00:00  ann  memes/cat.png  unlocked   kind manual_hold, reason later, until Day 0000-00-00 00:00  –
    Day 0000-00-00 00:00  ann  memes/cat.png  locked     –                                                           kind manual_hold, reason later, until Day 0000-00-00 00:00
    Day 0000-00-00 00:00  ann  memes/cat.png  tags set   –                                                           a, b
    Day 0000-00-00 00:00  ann  memes/cat.png  title set  –                                                           Tom
    "#);
    assert_snapshot!(bench.type_in("audit list --since 2099-01-01").all(), @"! Nobody has changed anything that fits.");
    let lines = bench.type_in("audit list --json").json();
    assert_eq!(lines.as_array().unwrap().len(), 10);
    assert_eq!(lines[4]["subject"], "mix");
    assert_eq!(
        (&lines[4]["by"], &lines[4]["person"]),
        (&"ann".into(), &serde_json::Value::Null)
    );
    assert_eq!(
        lines[4]["after"],
        serde_json::json!({ "memes": "70 %", "merch": "30 %" })
    );
    assert!(lines[4]["at"].is_string());
}
