//! Settings that are wrong, and what people are told of them.

use super::*;
use crate::config::file;
use crate::domain::framing::Color;
use crate::domain::messages::Text;
use crate::domain::template::tests::captions;
use jiff::civil::Time;
use proptest::prelude::*;
use std::path::Path;

fn checked(text: &str) -> (Config, Vec<Problem>, Vec<Problem>) {
    let (values, problems) = file::read(text, Path::new("/s.toml"));
    assert_eq!(problems, []);
    check(&values)
}

/// The one problem of `team.x = …` and the like.
fn problem(line: &str) -> String {
    let (_, problems, _) = checked(line);
    assert_eq!(problems.len(), 1, "{line}: {problems:?}");
    problems[0].to_string()
}

#[test]
fn nothing_set_is_the_product() {
    let (config, problems, warnings) = checked("");
    assert_eq!((problems.len(), warnings.len()), (0, 0));
    assert_eq!(config.team, TeamSettings::default());
    assert_eq!(config.library.path, Path::new("/srv/storyline/library"));
    assert_eq!(
        config.database.url.to_string(),
        "sqlite:/var/lib/storyline/storyline.db"
    );
    assert_eq!(
        config.telegram.api_url.as_str(),
        "https://api.telegram.org/"
    );
    assert!(config.telegram.token.is_none());
    assert_eq!(config.log.level.to_string(), "info");
}

#[test]
fn every_problem_is_told_at_once_and_with_its_remedy() {
    let (_, problems, _) = checked(
        "[team]\nposts_per_day = 99\ntimezone = \"Europe/Berln\"\nwindow_end = \"9pm\"\n[telegram]\nchat = \"@ourteam\"\n",
    );
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "telegram.chat = \"@ourteam\" (/s.toml:6): a chat is known by its number, not by its name\n  hint: open the chat in the web version of Telegram: its number is at the end of the address (that of a channel or group looks like -1001234567890)",
            "team.timezone = \"Europe/Berln\" (/s.toml:3): there is no such time zone\n  hint: did you mean `Europe/Berlin`?",
            "team.posts_per_day = 99 (/s.toml:2): it must be 1 to 50\n  hint: write a whole number of stories a day, 1 to 50",
            "team.window_end = \"9pm\" (/s.toml:4): it is no time of day\n  hint: write hour and minute, such as `\"09:30\"`",
        ]
    );
}

#[test]
fn numbers_keep_their_bounds() {
    for (key, least, most) in [
        ("posts_per_day", 1, 50),
        ("jitter_minutes", 0, 720),
        ("horizon_days", 1, 60),
        ("late_minutes", 1, 1440),
        ("repost_ttl_days", 0, 3650),
        ("skip_ttl_days", 0, 3650),
    ] {
        for number in [least, most] {
            assert_eq!(
                checked(&format!("team.{key} = {number}")).1,
                [],
                "{key} {number}"
            );
        }
        for number in [least - 1, most + 1, i64::MAX] {
            let told = problem(&format!("team.{key} = {number}"));
            assert!(
                told.contains(&format!("it must be {least} to {most}")),
                "{told}"
            );
        }
    }
    assert!(problem("telegram.thread = 0").contains("by its number"));
    assert!(problem("telegram.thread = 3000000000").contains("by its number"));
    assert!(problem("telegram.chat = 0").contains("by its number"));
    assert_eq!(checked("telegram.chat = -100").0.team.chat, Some(-100));
    assert_eq!(checked("telegram.thread = 0x0c").0.team.thread, Some(12));
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_in_the_file() {
    for (line, reason, remedy) in [
        (
            "team.posts_per_day = \"3\"",
            "it is text and must be a whole number",
            "`posts_per_day = 3`",
        ),
        (
            "team.posts_per_day = 3.5",
            "it is a number with a fraction",
            "`posts_per_day = 3`",
        ),
        (
            "team.posts_per_day = 99999999999999999999",
            "a number that is too large",
            "3",
        ),
        (
            "team.dry_run = \"yes\"",
            "must be true or false without quotes",
            "`dry_run = false`",
        ),
        (
            "team.name = 3",
            "it is a number and must be a text",
            "`name = \"Storyline\"`",
        ),
        (
            "team.window_start = 09:00:00",
            "a date or time without quotes",
            "`window_start = \"09:00\"`",
        ),
        (
            "telegram.chat = \"-100\"",
            "it is text and must be a whole number",
            "`chat = -1001234567890`",
        ),
        (
            "library.path = [\"/a\"]",
            "it is a list",
            "`path = \"/srv/storyline/library\"`",
        ),
    ] {
        let told = problem(line);
        assert!(told.contains(reason) && told.contains(remedy), "{told}");
    }
}

#[test]
fn times_of_day_are_hours_and_minutes() {
    for (text, hour, minute) in [
        ("09:30", 9, 30),
        ("9:05", 9, 5),
        ("00:00", 0, 0),
        ("24:00", 0, 0),
        ("23:59", 23, 59),
    ] {
        let (config, problems, _) = checked(&format!("team.window_start = {text:?}"));
        assert_eq!(problems, []);
        assert_eq!(
            config.team.window.start,
            Time::constant(hour, minute, 0, 0),
            "{text}"
        );
    }
    for text in [
        "", "9", "24:01", "25:00", "12:60", "1:2", "+9:00", "-1:00", "12:30:00", "009:00", "９:00",
    ] {
        assert!(problem(&format!("team.window_start = {text:?}")).contains("no time of day"));
    }
}

#[test]
fn zones_are_known_by_name_and_near_names_are_suggested() {
    let (config, ..) = checked("team.timezone = \"Europe/Berlin\"");
    assert_eq!(config.team.timezone.iana_name(), Some("Europe/Berlin"));
    for (text, hint) in [
        ("Europe/Berln", "did you mean `Europe/Berlin`?"),
        ("Berlin", "did you mean `Europe/Berlin`?"),
        ("new york", "did you mean `America/New_York`?"),
        ("Atlantis", "write the name of a place"),
    ] {
        let told = problem(&format!("team.timezone = {text:?}"));
        assert!(told.contains(hint), "{told}");
    }
}

#[test]
fn texts_keep_their_rules() {
    for (line, reason) in [
        ("team.name = \" \"".to_owned(), "needs a name"),
        (
            format!("team.name = \"{}\"", "ä".repeat(101)),
            "101 characters",
        ),
        ("library.path = \"pictures\"".to_owned(), "must be absolute"),
        (
            "telegram.api_url = \"api.telegram.org\"".to_owned(),
            "no valid URL",
        ),
        (
            "telegram.api_url = \"ftp://api\"".to_owned(),
            "must begin with `https://`",
        ),
        (
            "telegram.api_url = \"http://h/bot1:x/\"".to_owned(),
            "and nothing else",
        ),
        (
            "database.url = \"/var/x.db\"".to_owned(),
            "names no database",
        ),
        ("database.url = \"\"".to_owned(), "names no database"),
        ("log.level = \"inof\"".to_owned(), "`inof` is no level"),
        ("log.format = \"xml\"".to_owned(), "`xml` is no format"),
    ] {
        let told = problem(&line);
        assert!(told.contains(reason), "{told}");
    }
    assert_eq!(
        checked(&format!("team.name = \"{}\"", "ä".repeat(100))).1,
        []
    );
    assert_eq!(
        checked("telegram.api_url = \"http://127.0.0.1:8081\"").1,
        []
    );
}

#[test]
fn the_cache_lies_outside_of_the_library() {
    for text in [
        "[library]\npath = \"/srv/pictures\"\ncache = \"/srv/pictures/cache\"",
        "[library]\npath = \"/var/cache\"",
        "[library]\ncache = \"/srv/storyline/library/cache\"",
    ] {
        let told = problem(text);
        assert!(told.contains("where rendered pictures are kept"), "{told}");
    }
    let beside = "[library]\npath = \"/srv/pictures\"\ncache = \"/srv/pictures-cache\"";
    assert_eq!(checked(beside).1, []);
}

#[test]
fn what_is_the_services_own_is_no_folder_for_anything_else() {
    for (text, told) in [
        (
            "[library]\npath = \"/var/lib/storyline/pictures\"",
            "library.path (/s.toml:2): the library /var/lib/storyline/pictures lies in /var/lib/storyline, where the service keeps its records, which nobody else may reach\n  hint: name a folder of its own",
        ),
        (
            "[database]\nurl = \"sqlite:/srv/storyline/library/s.db\"",
            "database.url (/s.toml:2): the library /srv/storyline/library holds /srv/storyline/library/s.db, the records,",
        ),
        (
            "[backup]\nfolder = \"/srv/storyline/library/backups\"",
            "backup.folder (/s.toml:2): the library /srv/storyline/library holds /srv/storyline/library/backups,",
        ),
        (
            "[backup]\nfolder = \"/var/cache/storyline/backups\"",
            "backup.folder (/s.toml:2): the backups' folder /var/cache/storyline/backups lies in",
        ),
    ] {
        let problems = checked(text).1;
        assert!(
            matches!(&*problems, [one] if one.to_string().starts_with(told)),
            "{problems:?}"
        );
    }
}

#[test]
fn a_frame_is_filled_in_one_of_three_ways() {
    let framing = |text: &str| checked(text).0.team.framing;
    let white = framing("[team]\nfit = \"color\"\nfit_color = \"#FFFFFF\"");
    assert_eq!((white.fit.as_str(), white.color), ("color", Color::WHITE));
    for (line, remedy) in [
        ("[team]\nfit = \"stretch\"", "write `blur`"),
        ("[team]\nfit_color = \"white\"", "#1a2b3c"),
    ] {
        let told = problem(line);
        assert!(told.contains(remedy), "{told}");
    }
}

#[test]
fn an_odd_token_is_only_a_warning() {
    for (token, odd) in [
        ("123456:AAF_x-9", false),
        ("", false),
        ("123456", true),
        ("canary:x", true),
        ("1:canary x", true),
    ] {
        let (_, problems, warnings) = checked(&format!("telegram.token = {token:?}"));
        assert_eq!(problems, []);
        assert_eq!(warnings.len(), usize::from(odd), "{token}");
        assert!(!format!("{warnings:?}").contains("canary"));
    }
}

#[test]
fn no_problem_tells_a_secret() {
    let token = format!("987654321:canary{}", "x".repeat(30));
    for line in [
        "telegram.token = 987654321".to_owned(),
        format!("telegram.chat = \"{token}\""),
        format!("team.timezone = \"{token}\""),
        format!("log.level = \"{token}\""),
        format!("log.format = \"{token}\""),
        format!("telegram.api_url = \"https://api.telegram.org/bot{token}/\""),
        "telegram.api_url = \"https://me:canary@proxy/\"".to_owned(),
        "telegram.api_url = \"ftp://canary@proxy/\"".to_owned(),
        "database.url = \"postgress://team:canary@db/stories\"".to_owned(),
        "database.url = \"postgres:team:canary@db/stories\"".to_owned(),
    ] {
        let told = problem(&line);
        assert!(
            !told.contains("canary") && !told.contains("987654321"),
            "{told}"
        );
    }
}

/// The problems of a text of the messages.
fn problems_of(text: Text, source: &str) -> Vec<Problem> {
    // Quoted as in JSON, which is TOML too.
    let source = serde_json::to_string(source).unwrap();
    checked(&format!("messages.{} = {source}", text.name())).1
}

#[test]
fn a_message_that_could_not_be_sent_is_refused_by_its_key() {
    for text in Text::ALL {
        let long = "x".repeat(5000);
        for wrong in ["{nobody}", "{", "}", "[", "]", "[x]", &long] {
            let problems = problems_of(text, wrong);
            assert_eq!(problems.len(), 1, "{text:?} {wrong}");
            assert_eq!(problems[0].key, format!("messages.{}", text.name()));
            assert!(!problems[0].remedy.is_empty());
        }
    }
    assert_eq!(
        problem("messages.caption = '''\n<b>{status}</b>\n#{number} <i>{due}'''"),
        "messages.caption = \"<b>{status}</b>\\n#{number} <i>{due}\" (/s.toml:1): line 2: `<i>` is not closed\n  \
         hint: write `</i>` on the same line"
    );
    assert_eq!(
        problem("messages.button_swap = \" \""),
        "messages.button_swap = \" \" (/s.toml:1): a button needs a label\n  hint: write what it does; a sign alone will do"
    );
}

proptest! {
    #[test]
    fn a_flaw_is_found_wherever_it_stands(
        good in captions(), at in any::<prop::sample::Index>(),
        wrong in prop::sample::select(vec![
            "{title", "{x}", "}", "[{title}", "]", "[x]", "<b>", "</b>", "<h1>x</h1>", "<", "&",
        ]),
    ) {
        let mut lines: Vec<&str> = good.lines().collect();
        lines.insert(at.index(lines.len()), wrong);
        let problems = problems_of(Text::Caption, &lines.join("\n"));
        prop_assert_eq!(problems.len(), 1);
        prop_assert_eq!(&problems[0].key, "messages.caption");
    }
}

#[test]
fn texts_of_messages_are_the_owners() {
    let (config, problems, _) = checked(
        "[messages]\ncaption = '''\n{status}\n\n<b>#{number}</b>\n'''\nneeds = \"\"\nbutton_skip = \"Heute nicht\"\n",
    );
    assert_eq!(problems, []);
    let source = |text| config.messages.get(text).source();
    assert_eq!(source(Text::Caption), "{status}\n\n<b>#{number}</b>");
    assert_eq!(source(Text::Needs), "");
    assert_eq!(source(Text::ButtonSkip), "Heute nicht");
    assert_eq!(source(Text::ButtonSwap), "🔄 Swap");
}

#[test]
fn telegram_calls_only_a_safe_address_and_only_with_a_secret() {
    let with =
        |url: &str| format!("[telegram]\nwebhook_url = {url:?}\nwebhook_secret = \"s_-9\"\n");
    for good in [
        "https://stories.example.com/telegram",
        "https://stories.example.com",
        "http://127.0.0.1:80/x",
        "http://[::1]:80/x",
        "http://localhost/x",
    ] {
        let (config, problems, _) = checked(&with(good));
        assert_eq!(problems, [], "{good}");
        assert!(config.telegram.webhook().is_some(), "{good}");
    }
    for (bad, reason) in [
        (
            "http://stories.example.com/x",
            "it must begin with `https://`",
        ),
        (
            "http://127.0.0.1.example.com/x",
            "it must begin with `https://`",
        ),
        ("ftp://127.0.0.1/x", "it must begin with `https://`"),
        ("stories.example.com", "no valid URL"),
        ("https://ann:pw@example.com/", "a user or a password"),
        (
            "https://example.com/?secret=s",
            "an address and nothing else",
        ),
    ] {
        let told = problem(&with(bad));
        assert!(told.contains(reason), "{told}");
    }
    assert!(checked("").0.telegram.webhook().is_none());

    let told = problem("telegram.webhook_url = \"https://example.com/x\"");
    assert!(
        told.starts_with("telegram.webhook_secret (/s.toml:1): it is missing"),
        "{told}"
    );
    for secret in ["canary!", "canary canary", &"canary".repeat(50)] {
        let text =
            format!("[telegram]\nwebhook_url = \"https://e.org\"\nwebhook_secret = {secret:?}");
        let told = problem(&text);
        assert!(
            told.contains("1 to 256 letters") && !told.contains("canary"),
            "{told}"
        );
    }
    let told = problem("telegram.webhook_listen = \"8443\"");
    assert!(told.contains("no address with a port"), "{told}");
}

#[test]
fn a_proxy_and_a_file_of_authorities_are_checked_when_they_are_read() {
    for wrong in [
        "ftp://canary:canary@proxy:21",
        "http://canary:canary@proxy/path",
        "http://",
    ] {
        let problem = &checked(&format!("[network]\nproxy = \"{wrong}\"")).1[0];
        assert_eq!(problem.key, "network.proxy");
        assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
    }
    for wrong in ["ca.pem", "/nowhere/ca.pem", "/dev/null"] {
        let problem = &checked(&format!("[network]\nca_file = \"{wrong}\"")).1[0];
        assert_eq!(problem.key, "network.ca_file");
    }
}
