//! `storyline team`: what a team decided.

use insta::assert_snapshot;

use crate::bench::Bench;

#[tokio::test]
async fn what_a_team_decided_is_shown_and_changed() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("team set posts_per_day=5 window_start=8:30").all(), @"! It is so now: posts_per_day = 5, window_start = 08:30.");
    // The columns are as wide as the path of the library, which differs from run to run.
    let shown = bench.type_in("team show").stdout;
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 22);
    assert!(
        lines[6].starts_with(&["posts_per_day", "5", "ann,"]),
        "{shown}"
    );
    assert!(
        lines[5].ends_with(&["Europe/Berlin", "the", "file", "of", "settings"]),
        "{shown}"
    );
    assert_snapshot!(bench.type_in("audit list").all(), @r#"
    When (Europe/Berlin)  By   What           Change  Before  After
    Day 0000-00-00 00:00  ann  window_start   set     09:00   08:30
    Day 0000-00-00 00:00  ann  posts_per_day  set     3       5
    "#);
    let shown = bench.type_in("config show").stdout;
    let line = shown.lines().find(|line| line.contains("posts_per_day"));
    assert!(
        line.unwrap().ends_with("the database: decided by ann"),
        "{shown}"
    );
}

#[tokio::test]
async fn what_may_not_be_written_changes_nothing() {
    let bench = Bench::with_media().await;
    assert_snapshot!(bench.type_in("team set posts_per_day=5 timezone=Berlin").all(), @r#"
    ! error: timezone = `Berlin`: there is no such time zone
    ! hint: did you mean `Europe/Berlin`?
    exit 2
    "#);
    assert_snapshot!(bench.type_in("team set post_per_day=5").all(), @r#"
    ! error: invalid value 'post_per_day=5' for '<SETTING=VALUE>...': `post_per_day` is no setting; did you mean `posts_per_day`?
    ! 
    ! For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(bench.type_in("team set dry_run").all(), @r#"
    ! error: invalid value 'dry_run' for '<SETTING=VALUE>...': write a setting and its value, like `posts_per_day=5`
    ! 
    ! For more information, try '--help'.
    exit 2
    "#);
    assert_snapshot!(bench.type_in("audit list").all(), @"! Nobody has changed anything that fits.");
}

#[tokio::test]
async fn a_digest_is_a_time_or_off() {
    let bench = Bench::with_media().await;
    let changed = bench.type_in("team set digest=8:05 verbosity=full weekly_summary=on");
    assert_snapshot!(changed.all(), @"! It is so now: verbosity = full, digest = 08:05, weekly_summary = true.");
    assert_snapshot!(bench.type_in("team set digest=OFF").all(), @"! It is so now: digest = off.");
    assert_snapshot!(bench.type_in("team set digest=noon").all(), @r#"
    ! error: digest = `noon`: it is no time of day
    ! hint: write hour and minute, such as `"09:30"`, or `off`
    exit 2
    "#);
    assert_snapshot!(bench.type_in("team set verbosity=loud").all(), @r#"
    ! error: verbosity = `loud`: it is none of `brief`, `normal` and `full`
    ! hint: write `normal`
    exit 2
    "#);
}
