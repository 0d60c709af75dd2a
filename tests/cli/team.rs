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
    assert_eq!(lines.len(), 23);
    assert!(
        lines[7].starts_with(&["posts_per_day", "5", "ann,"]),
        "{shown}"
    );
    assert!(
        lines[6].ends_with(&["Europe/Berlin", "the", "file", "of", "settings"]),
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
async fn a_second_team_has_a_desk_of_its_own() {
    let bench = Bench::with_media().await;
    let club = bench.root().join("club");
    std::fs::create_dir(&club).unwrap();
    let added = bench.type_in(&format!("team add Club --library {}", club.display()));
    assert_snapshot!(added.all(), @r#"! The team Club is there. Next, add the bot to the team's chat, or say `storyline team set chat=… --team "Club"`."#);
    let names = bench.type_in("team list --json").json();
    let names: Vec<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Storyline", "Club"]);

    // Nothing is done to a team that was not named.
    assert_snapshot!(bench.type_in("pause").all(), @r#"
    ! error: the box has several teams: Storyline, Club
    ! hint: say which one with `--team NAME`
    exit 2
    "#);
    assert_snapshot!(bench.type_in("--team Clubb pause").all(), @r#"
    ! error: there is no team called `Clubb`
    ! hint: did you mean `Club`?
    exit 3
    "#);
    assert_eq!(bench.type_in("--team club pause").code, 0);
    assert_eq!(
        bench
            .type_in("--team club media list --json")
            .json()
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let checked = bench.type_in("check --json").json();
    let paused: Vec<&str> = checked
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["reason"].as_str().unwrap().starts_with("paused"))
        .map(|found| found["team"].as_str().unwrap())
        .collect();
    assert_eq!(paused, ["Club"]);

    for (wish, why) in [
        (
            format!("team add club --library {}/x", club.display()),
            "there is a team called club already",
        ),
        (
            format!("team add Other --library {}/x", club.display()),
            "the library of Club is",
        ),
        (
            format!("team add Other --library {}", bench.root().display()),
            "where rendered pictures are kept",
        ),
        (
            "team remove Nobody".to_owned(),
            "there is no team called `Nobody`",
        ),
        ("team set name=club --team Club".to_owned(), ""),
    ] {
        let seen = bench.type_in(&wish);
        assert!(seen.all().contains(why), "{wish}: {seen:?}");
        assert_eq!(seen.code == 0, why.is_empty(), "{wish}: {seen:?}");
    }
    let removed = bench.type_in("team remove club");
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(bench.type_in("pause").code, 0, "the only one again");
    let back = bench.type_in("team add club");
    assert!(back.all().contains("The team club is back."), "{back:?}");
    assert!(bench.type_in("team list").all().contains("/club"));
}

#[tokio::test]
async fn the_boxs_own_team_cannot_be_removed() {
    let bench = Bench::with_media().await;
    let seen = bench.type_in("team remove storyline");
    assert_eq!(seen.code, 2, "{seen:?}");
    assert!(seen.all().contains("it is the box's own team"), "{seen:?}");
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
