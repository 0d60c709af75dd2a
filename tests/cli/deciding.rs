//! What is decided in the terminal: the queue, locks, the mix, a pause.

use insta::assert_snapshot;

use crate::bench::Bench;

#[tokio::test]
async fn a_story_is_taken_out_of_the_queue_and_is_history() {
    let bench = Bench::with_media().await;
    bench.type_in("schedule replan");
    assert_snapshot!(bench.type_in("queue cancel #2 1").all(), @r#"
    ! #2 is out of the queue.
    ! #1 is out of the queue.
    "#);
    assert_snapshot!(bench.type_in("queue cancel 2").all(), @r#"
    ! error: #2 has ended: cancelled on Day 0000-00-00 00:00
    ! hint: the queue has #3
    exit 3
    "#);
    assert_snapshot!(bench.type_in("queue cancel 77 78").all(), @r#"
    ! error: #77, #78 are not in the queue
    ! hint: the queue has #3
    exit 3
    "#);
    let left = bench.type_in("queue list --json").json();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["number"], 3);
    assert_eq!(left[0]["state"], "planned");
    let ended = bench
        .type_in("history list --outcome cancelled --json")
        .json();
    assert_eq!(ended.as_array().unwrap().len(), 2);
    assert_eq!(ended[0]["outcome"], "cancelled");
    assert_eq!(
        bench
            .type_in("history list --limit 1 --json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        bench.type_in("history list --outcome posted --json").stdout,
        "[]\n"
    );
    let table = bench.type_in("history list");
    assert!(
        table.stdout.contains("taken out of the queue by ann"),
        "{table:?}"
    );
}

#[tokio::test]
async fn the_next_story_is_sent_on_request() {
    let bench = Bench::with_media().await;
    bench.type_in("schedule replan");
    assert_snapshot!(bench.type_in("queue next").all(), @"! #1 is sent as soon as the service runs.");
    let queue = bench.type_in("queue list");
    assert!(queue.stdout.contains("asked for by ann"), "{queue:?}");
    let next = bench.type_in("queue next --json").json();
    assert_eq!(next["number"], 2);
    bench.type_in("queue next");
    assert_snapshot!(bench.type_in("queue next").all(), @r#"
    ! error: there is nothing to send: no media fits
    ! hint: `storyline media list --ready` shows what could be sent, `storyline lock list` what is kept back
    exit 1
    "#);
}

#[tokio::test]
async fn a_media_is_locked_and_let_go_again() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.run(&["lock", "add", "cat.png", "--until", "2099-06-01", "--reason", "not in winter"]).all(), @"! `memes/cat.png` is locked until Day 0000-00-00 00:00.");
    assert_snapshot!(bench.type_in("lock add memes/dog.png --kind rejected").all(), @"! `memes/dog.png` is locked for ever.");
    let days = bench.type_in("lock add shirt.png --days 3 --json").json();
    assert_eq!(days["path"], "merch/shirt.png");
    assert!(days["until"].is_string());
    bench.type_in("lock remove shirt.png");
    assert_snapshot!(bench.type_in("lock list").all(), @r#"
    Media          Kind         Until (Europe/Berlin)  By   Reason
    memes/cat.png  manual_hold  Day 0000-00-00 00:00   ann  not in winter
    memes/dog.png  rejected     for ever               ann
    "#);
    let locks = bench.type_in("lock list --json").json();
    assert_eq!(locks[0]["by"], "ann");
    assert_eq!(locks[0]["kind"], "manual_hold");
    assert_eq!(locks[1]["until"], serde_json::Value::Null);
    assert_snapshot!(bench.type_in("lock remove cat.png --kind skip").all(), @r#"
    ! error: `memes/cat.png` has no lock of the kind `skip`
    ! hint: `storyline lock list` shows all locks
    exit 3
    "#);
    assert_snapshot!(bench.type_in("lock remove cat.png").all(), @"! 1 lock is taken off `memes/cat.png`.");
    assert_snapshot!(bench.type_in("lock add cat.png --until 2020-01-01").all(), @r#"
    ! error: `--until 2020-01-01` is not in the future
    ! hint: give the day on which the media is free again, or `--days`
    exit 2
    "#);
}

#[tokio::test]
async fn a_mix_is_set_and_taken_back_and_remembered() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("mix show").all(), @r#"
    Category  Wanted  So far  Stories  Media  Lasts
    memes          –       –        0      2      –
    merch          –       –        0      2      –
    ! No mix is set: any category will do.
    "#);
    assert_snapshot!(bench.type_in("mix set memes=70 merch=30").all(), @"! The mix is memes 70 %, merch 30 %. The plan follows.");
    assert_snapshot!(bench.type_in("mix show").all(), @r#"
    Category  Wanted  So far  Stories  Media   Lasts
    memes       70 %       –        0      2  0 days
    merch       30 %       –        0      2   1 day
    "#);
    assert_snapshot!(bench.type_in("mix set memes=0.5 merch=0.4").all(), @r#"
    ! error: the shares add up to 90 %, and must add up to 100 %
    ! hint: give each category once, like `storyline mix set memes=70 merch=30`
    exit 2
    "#);
    assert_snapshot!(bench.type_in("mix set memes=50 merhc=50").all(), @r#"
    ! error: there are no media in a category `merhc`
    ! hint: did you mean `merch`?
    exit 3
    "#);
    let shown = bench.type_in("mix show --json").json();
    assert_eq!(shown[0]["category"], "memes");
    assert_eq!(shown[0]["share_ppm"], 700_000);
    assert_snapshot!(bench.type_in("mix set --none").all(), @"! No mix is set any more: any category will do.");
    let past = bench.type_in("mix history --json").json();
    assert_eq!(past.as_array().unwrap().len(), 2);
    assert_eq!(past[0]["set_by"], "ann");
    assert!(past[0]["replaced_at"].is_string());
    assert!(bench.type_in("mix history").stdout.contains("70 %"));
}

#[tokio::test]
async fn a_pause_is_made_and_ended() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("pause").all(), @"! The plan is paused: nothing is sent by itself. `storyline resume` goes on with it.");
    assert_snapshot!(bench.type_in("pause").all(), @"! The plan was paused already.");
    assert_eq!(bench.type_in("resume --json").json()["changed"], true);
    assert_snapshot!(bench.type_in("resume").all(), @"! The plan was not paused.");
}

#[tokio::test]
async fn the_daemon_is_told_of_every_change() {
    let bench = Bench::with_media().await;
    let flow = bench.flow().await;
    for line in [
        "media index",
        "schedule replan",
        "queue next",
        "queue cancel 2",
        "lock add cat.png",
        "lock remove cat.png",
        "media title cat.png Tom",
        "media caption cat.png Tom",
        "media link cat.png https://example.com",
        "media tag cat.png --add a",
        "media interaction cat.png no",
        "media category cat.png merch",
        "media hold cat.png",
        "media release cat.png",
        "mix set memes=50 merch=50",
        "pause",
        "resume",
    ] {
        let before = flow.last_knock().await.unwrap();
        let seen = bench.type_in(line);
        assert_eq!(seen.code, 0, "{line}: {seen:?}");
        assert_ne!(flow.last_knock().await.unwrap(), before, "{line}");
    }
}

#[tokio::test]
async fn nobody_need_vouch_for_a_clock_that_is_not_in_doubt() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("clock trust").all(), @"! The clock is not in doubt.");
    assert_eq!(bench.type_in("clock trust --json").json()["changed"], false);
}
