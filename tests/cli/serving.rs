//! Commands beside the daemon.

use crate::bench::Bench;

#[tokio::test]
async fn commands_work_while_the_service_runs() {
    let bench = Bench::with_media().await;
    let _serving = bench.serve();
    let check = bench.type_in("check");
    assert!(
        check.stdout.contains("ok       service   it runs"),
        "{check:?}"
    );
    for line in [
        "media index",
        "media list",
        "schedule replan",
        "queue list",
        "lock add cat.png",
        "mix set memes=100",
        "pause",
        "resume",
        "run list",
        "person list",
    ] {
        let seen = bench.type_in(line);
        assert_eq!(seen.code, 0, "{line}: {seen:?}");
    }
    let next = bench.type_in("queue next");
    assert!(next.stderr.contains("within half a minute"), "{next:?}");
    // The daemon examines by itself, and a command leaves that to it.
    bench.picture("memes/new.png", 1080, 1920, 77);
    let index = bench.type_in("media index --examine");
    assert!(!index.stderr.contains("examined."), "{index:?}");
    bench.wait_for("the new picture is examined", || {
        let ready = bench.type_in("media list --ready");
        ready.stdout.contains("memes/new.png")
    });
}

#[tokio::test]
async fn a_second_service_on_the_same_database_is_refused() {
    let bench = Bench::with_media().await;
    let serving = bench.serve();
    let second = bench.type_in("serve");
    assert_eq!(second.code, 1);
    assert!(
        second
            .stderr
            .contains("another storyline is running on sqlite:[box]/s.db"),
        "{second:?}"
    );
    assert!(
        second.stderr.contains("systemctl stop storyline"),
        "{second:?}"
    );
    drop(serving);
    assert!(bench.type_in("check").stdout.contains("problem  service"));
    let _third = bench.serve();
}
