//! `telegram test` and `check --online`, against the pretend Telegram.

use insta::assert_snapshot;

use crate::bench::Bench;
use crate::pretend::telegram::{PretendTelegram, Status};

const TEAM: i64 = -1_001_000_000_001;
const ANN: i64 = 11;

async fn a_bench(telegram: &PretendTelegram, chat: i64) -> Bench {
    let bench = Bench::with_media().await;
    bench.settings(&format!(
        "[telegram]\ntoken = \"{}\"\napi_url = \"{}\"\nchat = {chat}\nadmin_chat = {ANN}\n",
        telegram.token(),
        telegram.url()
    ));
    bench
}

async fn a_team() -> PretendTelegram {
    let telegram = PretendTelegram::start().await;
    telegram.person(ANN, "Ann");
    telegram.supergroup(TEAM, "Team stories");
    telegram.member(TEAM, ANN, Status::Administrator);
    telegram.private_chat(ANN);
    telegram
}

/// The binary is waited for on another thread, so that the pretend Telegram can answer it.
async fn typed(bench: Bench, line: &'static str) -> (Bench, crate::bench::Seen) {
    tokio::task::spawn_blocking(move || {
        let seen = bench.type_in(line);
        (bench, seen)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_bot_that_can_do_its_work_is_told_so() {
    let telegram = a_team().await;
    let bench = a_bench(&telegram, TEAM).await;
    let (bench, seen) = typed(bench, "telegram test").await;
    assert_snapshot!(seen.all(), @r#"
    ok       bot         it is @storyline_pretend_bot
    ok       chat        “Team stories”, a supergroup
    ok       rights      the bot may send stories there
    ok       admin chat  “Ann”, a private chat
    "#);
    assert_eq!(telegram.calls_of("sendMessage").len(), 0);
    let (_bench, seen) = typed(bench, "telegram test --send --json").await;
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(seen.json()[3]["subject"], "message");
    assert_eq!(telegram.calls_of("sendMessage").len(), 1);
}

#[tokio::test]
async fn the_admin_chat_is_told_what_came_from_a_stick() {
    let telegram = a_team().await;
    let bench = a_bench(&telegram, TEAM).await;
    let stick = bench.root().join("stick/merch");
    std::fs::create_dir_all(&stick).unwrap();
    image::RgbImage::from_pixel(540, 960, image::Rgb([9, 9, 9]))
        .save(stick.join("mug.png"))
        .unwrap();
    let (bench, seen) = typed(bench, "media import --tell stick").await;
    assert_eq!(seen.code, 0, "{seen:?}");
    let told = telegram.messages(ANN);
    assert_eq!(told[0].text, "🔌 From the stick: 1 new file copied.");
    // Nothing new is no news.
    let (_bench, seen) = typed(bench, "media import --tell stick").await;
    assert_snapshot!(seen.all(), @"! nothing new, 1 known already.");
    assert_eq!(telegram.messages(ANN).len(), 1);
}

#[tokio::test]
async fn a_wrong_chat_is_told_with_what_to_do() {
    let telegram = a_team().await;
    let bench = a_bench(&telegram, -100_777).await;
    let (_bench, seen) = typed(bench, "telegram test --send").await;
    assert_snapshot!(seen.all(), @r#"
    ok       bot         it is @storyline_pretend_bot
    problem  chat        Telegram does not know the chat; is `[telegram] chat` right, and is the bot in it?
    ok       admin chat  “Ann”, a private chat
    ! 1 problem
    exit 2
    "#);
}

#[tokio::test]
async fn how_the_calls_of_telegram_fare_is_told() {
    let telegram = a_team().await;
    let bench = Bench::with_media().await;
    let url = "http://127.0.0.1:1/telegram";
    bench.settings(&format!(
        "[telegram]\ntoken = \"{}\"\napi_url = \"{}\"\nchat = {TEAM}\nwebhook_url = \"{url}\"\nwebhook_secret = \"canary\"\n",
        telegram.token(),
        telegram.url()
    ));
    let (bench, seen) = typed(bench, "telegram test").await;
    assert!(
        seen.stdout.contains("Telegram does not call this box"),
        "{seen:?}"
    );
    assert_eq!(seen.code, 0, "{seen:?}");

    let set = format!(
        "{}/bot{}/setWebhook?url={url}",
        telegram.url(),
        telegram.token()
    );
    assert!(reqwest::get(set).await.unwrap().status().is_success());
    let (bench, seen) = typed(bench, "telegram test").await;
    assert!(
        seen.stdout
            .contains("ok       webhook  all that people did has arrived"),
        "{seen:?}"
    );

    telegram.say(ANN, ANN, "/status");
    let failed =
        |state: &crate::pretend::telegram::State| state.webhook.as_ref()?.last_error.clone();
    telegram
        .wait_for(failed, std::time::Duration::from_secs(10))
        .await;
    let (_bench, seen) = typed(bench, "telegram test").await;
    assert!(
        seen.stdout.contains("1 waiting: Connection refused"),
        "{seen:?}"
    );
    assert!(!seen.all().contains("canary"), "{seen:?}");
    assert_eq!(seen.code, 2, "{seen:?}");
}

#[tokio::test]
async fn a_bot_without_its_rights_is_told_so() {
    let telegram = a_team().await;
    telegram.channel(-1_001_000_000_009, "Desk");
    telegram.bot_stands(-1_001_000_000_009, Status::Left);
    let bench = a_bench(&telegram, -1_001_000_000_009).await;
    let (_bench, seen) = typed(bench, "telegram test").await;
    assert_eq!(seen.code, 2, "{seen:?}");
    assert!(seen.stdout.contains("as an administrator"), "{seen:?}");
}

#[tokio::test]
async fn telegram_out_of_reach_is_a_problem_and_shows_no_token() {
    let telegram = a_team().await;
    let bench = a_bench(&telegram, TEAM).await;
    telegram.go_offline().await;
    let (_bench, seen) = typed(bench, "check --online").await;
    assert_eq!(seen.code, 2);
    assert!(
        seen.stdout.contains("Telegram cannot be reached"),
        "{seen:?}"
    );
    let token = telegram.token().split_once(':').unwrap().1;
    assert!(!seen.all().contains(token), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_at_work_has_no_problems() {
    let telegram = a_team().await;
    let bench = a_bench(&telegram, TEAM).await;
    let serving = bench.serve();
    let (bench, seen) = tokio::task::spawn_blocking(move || {
        bench.wait_for("a plan", || {
            bench.type_in("queue list --json").stdout != "[]\n"
        });
        let seen = bench.type_in("check --online");
        (bench, seen)
    })
    .await
    .unwrap();
    drop(serving);
    assert!(!seen.stdout.contains("problem"), "{seen:?}");
    assert_eq!(seen.code, 0, "{seen:?}");
    drop(bench);
}

#[tokio::test]
async fn a_group_that_hides_its_members_is_told_with_its_remedy() {
    let telegram = a_team().await;
    telegram.hide_members(TEAM);
    let bench = a_bench(&telegram, TEAM).await;
    let (bench, seen) = typed(bench, "telegram test").await;
    assert!(
        seen.all().contains("the chat hides its members")
            && seen.all().contains("hint: make the bot an administrator"),
        "{seen:?}"
    );
    telegram.bot_stands(TEAM, Status::Administrator);
    let (_bench, seen) = typed(bench, "telegram test").await;
    assert!(!seen.all().contains("hides its members"), "{seen:?}");
}

#[test]
fn a_proxy_that_is_the_reason_is_named_and_its_password_is_not() {
    let bench = Bench::new();
    let telegram = "[telegram]\ntoken = \"123456789:AAF-dS_kf83hGq0aLkdfh39sKDLw02jSldk\"\napi_url = \"https://telegram.invalid\"\n";
    let proxy = "http://canary:canary@127.0.0.1:9";
    bench.settings(&format!("[network]\nproxy = \"{proxy}\"\n{telegram}"));
    let seen = bench.type_in("check --online");
    for told in [
        "Telegram is reached by the proxy http://127.0.0.1:9 (`[network] proxy`)",
        "the proxy http://127.0.0.1:9 of `[network] proxy` did not take the call: Connection refused",
    ] {
        assert!(seen.stdout.contains(told), "{seen:?}");
    }
    let shown = bench.type_in("config show");
    assert!(shown.stdout.contains("http://127.0.0.1:9"), "{shown:?}");

    bench.settings(telegram);
    let mut command = bench.command();
    command
        .args(["check", "--online"])
        .env("HTTPS_PROXY", proxy);
    let of_the_machine = bench.seen(command.output().unwrap());
    assert!(
        of_the_machine
            .stdout
            .contains("of `HTTPS_PROXY` did not take the call"),
        "{of_the_machine:?}"
    );
    for said in [seen, shown, of_the_machine] {
        assert!(
            !said.all().contains("canary") && !said.all().contains("AAF-dS"),
            "{said:?}"
        );
    }
}
