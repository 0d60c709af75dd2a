//! `storyline setup` with a file of settings of one's own, against the pretend Telegram: by options, and at a terminal.

mod site;
mod terminal;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::pretend::telegram::{Fault, Status};
use site::{ANN, BEN, Site, TEAM};

fn rights(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn options_say_all_and_the_chat_is_found_when_the_bot_is_added() {
    let site = Site::new().await;
    let options = "--yes --token-file token --chat find --posts-per-day 4 --window 10:00-20:00";
    let child = site.setup(options).spawn().unwrap();
    site.is_asked().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    assert_snapshot!(site.end(child).await, @r"
    ! It is done. @storyline_pretend_bot brings 4 a day, 10:00-20:00, Europe/Berlin
    ! to “Team stories”, a supergroup, and said hello there.
    ! Next: start it:
    !   storyline --config [box]/s.toml serve
    ! Then put pictures into folders of [box]/library.
    ");
    assert_snapshot!(site.settings().replace(&site.folder.path().display().to_string(), "[box]").replace(site.telegram.url(), "[telegram]"), @r#"
    # ours
    [library]
    path = "[box]/library"
    cache = "[box]/cache"
    [database]
    url = "sqlite:[box]/s.db"
    [telegram] # who
    token_file = "[box]/telegram.token"
    admin_chat = 11
    chat = -1001000000001
    api_url = "[telegram]"

    [team]
    window_end = "20:00"
    window_start = "10:00"
    posts_per_day = 4
    timezone = "Europe/Berlin"
    "#);
    assert_eq!(rights(&site.path("telegram.token")), 0o400);
    assert!(site.path("library").is_dir());
    assert_snapshot!(site.telegram.messages(TEAM)[0].text, @r"
    👋 Hello! I am Storyline, and bring your stories here: 4 a day, 10:00-20:00, Europe/Berlin. The first comes as soon as there are pictures in the library.
    Post it to Instagram, and press the button below it that says so; the others are for when you would rather not. /help tells what else I can do.
    ");
    assert_eq!(site.telegram.messages(ANN).len(), 1);
    // What people did is still there for the service.
    assert_eq!(site.telegram.updates_waiting(), 1);

    // Said again, nothing changes, and nobody is greeted twice.
    let before = site.settings();
    let again = site.run("--yes --json").await;
    assert!(again.contains("\"posts_per_day\": 4"), "{again}");
    assert_eq!(site.settings(), before);
    assert_eq!(site.telegram.messages(TEAM).len(), 1);
    assert_eq!(site.telegram.messages(ANN).len(), 1);
    site.telegram.assert_no_unexpected_calls();
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_and_nothing_is_changed() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    fs::write(site.path("wrong"), "123456:AAwrong").unwrap();
    fs::write(site.path("empty"), "\n").unwrap();
    fs::write(site.path("odd"), "hello").unwrap();
    let before = site.settings();
    let mut told = String::new();
    for options in [
        "",
        "--yes --chat find",
        "--token 123456:AAcanary",
        "--token-file none --chat -1",
        "--token-file empty --chat -1",
        "--token-file odd --chat -1",
        "--token-file wrong --chat -1",
        "--token-file token --chat team",
        "--token-file token --chat -1",
        "--token-file token --chat -1001000000001 --timezone Europe/Berln",
        "--token-file token --chat -1001000000001 --posts-per-day many",
        "--token-file token --chat -1001000000001 --window 9",
        "--library pictures --token-file token --chat -1001000000001",
        "--library s.toml --token-file token --chat -1001000000001",
    ] {
        let options = options.replace("s.toml", &site.path("s.toml").display().to_string());
        let heard = site.run(&options).await;
        told.push_str(&format!("$ {options}\n{heard}"));
    }
    let told = told.replace(&site.folder.path().display().to_string(), "[box]");
    assert_snapshot!(told, @r#"
    $ 
    ! error: something is missing, and nobody can be asked for it: there is no terminal, or there is `--yes`
    ! hint: add `--token-file FILE` and `--chat ID` (or `--chat find`)
    exit 2
    $ --yes --chat find
    ! error: something is missing, and nobody can be asked for it: there is no terminal, or there is `--yes`
    ! hint: add `--token-file FILE`
    exit 2
    $ --token 123456:AAcanary
    ! error: a token on the command line can be read by everybody on this machine
    ! hint: use `--token-file FILE`, or `--token-file -` for stdin; have @BotFather revoke the one that stood there
    exit 2
    $ --token-file none --chat -1
    ! error: the token in `none`: No such file or directory (os error 2)
    ! hint: the file holds the token that @BotFather gave, and nothing else
    exit 2
    $ --token-file empty --chat -1
    ! error: the token in `empty`: there is none
    ! hint: the file holds the token that @BotFather gave, and nothing else
    exit 2
    $ --token-file odd --chat -1
    ! error: the token does not look like a bot's: digits, a colon, and letters
    ! hint: in Telegram, write /mybots to @BotFather, choose the bot, then “API Token”, and copy all of it
    exit 1
    $ --token-file wrong --chat -1
    ! error: Telegram refuses the bot's token
    ! hint: in Telegram, write /mybots to @BotFather, choose the bot, then “API Token”, and copy all of it
    exit 1
    $ --token-file token --chat team
    ! error: `team`: a chat is known by its number, not by its name
    ! hint: open the chat in the web version of Telegram: its number is at the end of the address (that of a channel or group looks like -1001234567890)
    exit 2
    $ --token-file token --chat -1
    ! error: Telegram knows no chat -1 that @storyline_pretend_bot is in
    ! hint: add the bot to it, in a channel as an administrator who may post messages; or let it be found: `--chat find`
    exit 3
    $ --token-file token --chat -1001000000001 --timezone Europe/Berln
    ! error: `Europe/Berln`: there is no such time zone
    ! hint: did you mean `Europe/Berlin`?
    exit 2
    $ --token-file token --chat -1001000000001 --posts-per-day many
    ! error: `many`: it must be 1 to 50
    ! hint: write a whole number of stories a day, 1 to 50
    exit 2
    $ --token-file token --chat -1001000000001 --window 9
    ! error: `9`: it is not from one time of day to another
    ! hint: write both, such as `09:00-21:00`
    exit 2
    $ --library pictures --token-file token --chat -1001000000001
    ! error: `pictures`: the path must be absolute
    ! hint: write the whole path, from `/` on
    exit 2
    $ --library [box]/s.toml --token-file token --chat -1001000000001
    ! error: `[box]/s.toml`: it is a file
    ! hint: name a folder
    exit 2
    "#);
    assert_eq!(site.settings(), before);
    assert!(!site.path("telegram.token").exists() && !site.path("library").exists());
    assert_eq!(site.telegram.messages(TEAM).len(), 0);
}

#[tokio::test]
async fn a_token_comes_by_stdin_too_and_never_makes_way_for_an_empty_one() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    let mut child = site
        .setup(&format!("--token-file - --chat {TEAM} --admin {BEN}"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(site.telegram.token().as_bytes()).unwrap();
    drop(stdin);
    let heard = site.end(child).await;
    assert!(heard.contains("It is done."), "{heard}");
    assert!(site.settings().contains(&format!("admin_chat = {BEN}")));

    fs::write(site.path("empty"), " \n").unwrap();
    let heard = site.run("--token-file empty").await;
    assert!(heard.contains("exit 2"), "{heard}");
    let kept = fs::read_to_string(site.path("telegram.token")).unwrap();
    assert_eq!(kept.trim(), site.telegram.token());
}

#[tokio::test]
async fn another_program_that_hears_in_its_place_is_told_of() {
    let site = Site::new().await;
    site.telegram
        .inject(Fault::Conflict.on("getUpdates").times(3));
    let heard = site.run("--token-file token --chat find").await;
    assert_snapshot!(heard, @r"
    ! error: another program asks Telegram with this bot's token, and hears everything in our place
    ! hint: stop it, be it a `storyline serve` on another box; or have @BotFather make another bot
    exit 69
    ");
}

#[tokio::test]
async fn what_the_team_decided_later_is_proposed_and_what_is_answered_now_counts() {
    let site = Site::new().await;
    site.telegram.change_bot(TEAM, ANN, Status::Member);
    let heard = site
        .run(&format!(
            "--token-file token --chat {TEAM} --posts-per-day 4"
        ))
        .await;
    assert!(heard.contains("brings 4 a day"), "{heard}");
    let settings = storyline::config::Config::load(
        Some(&site.path("s.toml")),
        &storyline::config::Environment::default(),
    );
    let config = settings.unwrap().config;
    let teams = storyline::appliance::open_teams(&config, jiff::Timestamp::now())
        .await
        .unwrap();
    let flow = teams.own();
    let by = storyline::domain::audit::By::terminal("Ann");
    let posts = storyline::domain::setting::Setting::PostsPerDay;
    flow.set(posts, "6".to_owned(), by, jiff::Timestamp::now())
        .await
        .unwrap();

    let heard = site.run("--yes").await;
    assert!(heard.contains("brings 6 a day"), "{heard}");
    assert!(site.settings().contains("posts_per_day = 4"));
    // The file says four already, and the service has read that: it is decided anew.
    let heard = site.run("--yes --posts-per-day 4").await;
    assert!(heard.contains("brings 4 a day"), "{heard}");
    assert_eq!(flow.settings().await.unwrap().posts_per_day, 4);
}

#[tokio::test]
async fn a_chat_is_of_use_only_where_the_bot_may_write() {
    let site = Site::new().await;
    let desk = -1_001_000_000_008;
    site.telegram.channel(desk, "Desk");
    site.telegram.bot_stands(desk, Status::Member);
    let heard = site.run(&format!("--token-file token --chat {desk}")).await;
    assert_snapshot!(heard, @r"
    ! error: “Desk”, a channel: the bot may not post in the channel
    ! hint: make it an administrator of the channel with the right to post messages
    exit 1
    ");
}
