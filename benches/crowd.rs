//! A hundred people press at once while a library is taken in: from each press to its commit, and to the message that tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::pictures::draw_library;
use super::pretend::telegram::{Action, Message, State, Status};
use super::{Site, TEAM, tell};

const PEOPLE: i64 = 100;
/// As many stories as a group hears of in a minute.
const STORIES: usize = 6;
const BUTTON: &str = "on it";

/// Rounds of a hundred presses, for as long as so many pictures that came all at once are indexed.
pub(crate) async fn presses_in_a_scan(binary: &Path, pictures: usize) {
    let site = Site::new(binary).await;
    for number in 0..PEOPLE {
        site.telegram.person(1000 + number, &format!("P{number}"));
        site.telegram.member(TEAM, 1000 + number, Status::Member);
    }
    let first = 5 * STORIES;
    draw_library(&site.library(), first);
    let aside = site.folder.path().join("aside");
    draw_library(&aside, pictures);
    let config = site.telegram_config(3, ("00:00".into(), "00:00".into()));
    let mut daemon = site.serve(config.clone());
    site.wait_for_database();
    let database = site.database();
    let ready = "SELECT COUNT(*) FROM media WHERE examined_at IS NOT NULL";
    while count(&database, ready) < first as i64 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stories = open_stories(&site, &config).await;

    // Whoever is new is looked up once, and the group may be told anew after a minute.
    let taken = Taken::watch(site.database());
    let mut strangers = round(&site, &stories, &taken).await;
    tell(
        "100 presses of people who are new, handed out to commit",
        &mut strangers,
    );
    tokio::time::sleep(Duration::from_secs(62)).await;

    fs::rename(&aside, site.library().join("more")).expect("one file system");
    let whole = || {
        count(
            &database,
            "SELECT COUNT(*) FROM files WHERE state = 'whole'",
        )
    };
    while whole() < first as i64 + 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (first, before) = (stories[0].id, text_of(&site, stories[0].id));
    let pressed = Instant::now();
    let told = site.telegram.wait_for(
        |state| {
            let message = state.message(TEAM, first)?;
            (message.text != before).then(|| pressed.elapsed())
        },
        Duration::from_secs(10),
    );
    let (mut rounds, mut times) = (0, Vec::new());
    let scan = async {
        while whole() < pictures as i64 || rounds < 3 {
            times.extend(round(&site, &stories, &taken).await);
            rounds += 1;
        }
    };
    let (told, ()) = tokio::join!(told, scan);
    println!("100 presses at once while {pictures} pictures are indexed, {rounds} times:");
    tell("  press handed out to commit", &mut times);
    println!(
        "  press to the changed message: {:.0} ms",
        told.as_secs_f64() * 1e3
    );
    site.stop(&mut daemon);
}

/// Has stories sent until there are enough of them in the chat.
async fn open_stories(site: &Site, config: &Path) -> Vec<Message> {
    for story in 1..=STORIES {
        let next = Command::new(&site.binary)
            .arg("--config")
            .arg(config)
            .args(["queue", "next"])
            .output();
        let next = next.expect("the binary runs");
        assert!(next.status.success(), "{next:?}");
        let is_open = |message: &&&Message| message.button(BUTTON).is_some();
        let arrived = |messages: &[&Message]| messages.iter().filter(is_open).count() >= story;
        let limit = Duration::from_secs(120);
        site.telegram
            .wait_for(|state| arrived(&state.messages(TEAM)).then_some(()), limit)
            .await;
    }
    let mut messages = site.telegram.messages(TEAM);
    messages.retain(|message| message.button(BUTTON).is_some());
    messages
}

/// Everybody presses at once; returns how long each press took to be on record since Telegram handed it out, in seconds.
async fn round(site: &Site, stories: &[Message], taken: &Taken) -> Vec<f64> {
    let first = taken.latest() + 1;
    let answered = site.telegram.answers().len();
    let pressed = Instant::now();
    for (number, story) in (0..PEOPLE).zip(stories.iter().cycle()) {
        site.telegram
            .press_raw(1000 + number, TEAM, story.id, data(story));
    }
    while taken.latest() < first + PEOPLE - 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(
            pressed.elapsed() < Duration::from_secs(60),
            "presses were not taken"
        );
    }
    // So that there are never more than these in flight.
    let answered =
        |state: &State| (state.answers.len() >= answered + PEOPLE as usize).then_some(());
    site.telegram
        .wait_for(answered, Duration::from_secs(60))
        .await;
    let times = taken.0.lock().expect("times");
    let handed_out = site.telegram.handed_out();
    (first..first + PEOPLE)
        .map(|update| (times[&update] - handed_out[&update]).as_secs_f64())
        .collect()
}

fn text_of(site: &Site, message: i64) -> String {
    let message = site.telegram.message(TEAM, message);
    message.expect("a message").text
}

/// What the button of a message carries.
fn data(story: &Message) -> &str {
    match &story.button(BUTTON).expect("a button").action {
        Action::Callback(data) => data,
        other => panic!("{other:?}"),
    }
}

fn count(database: &Connection, sql: &str) -> i64 {
    let mut statement = database.prepare_cached(sql).expect("a query");
    let count = statement.query_row([], |row| row.get(0));
    count.expect("an answer")
}

/// When each update was seen to be on record, by its number.
struct Taken(Arc<Mutex<BTreeMap<i64, Instant>>>);

impl Taken {
    /// Looks all the time; begins with the updates that come from now on.
    fn watch(database: Connection) -> Self {
        let times: Arc<Mutex<BTreeMap<i64, Instant>>> = Arc::default();
        let latest = "SELECT COALESCE(MAX(update_id), 700000000) FROM telegram_updates";
        let mut seen = count(&database, latest);
        times.lock().expect("times").insert(seen, Instant::now());
        let told = Arc::downgrade(&times);
        std::thread::spawn(move || {
            while let Some(times) = told.upgrade() {
                let latest = count(&database, latest);
                let now = Instant::now();
                let new = (seen + 1..=latest).map(|update| (update, now));
                times.lock().expect("times").extend(new);
                seen = latest;
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        Self(times)
    }

    fn latest(&self) -> i64 {
        let times = self.0.lock().expect("times");
        times.last_key_value().map_or(0, |(update, _)| *update)
    }
}
