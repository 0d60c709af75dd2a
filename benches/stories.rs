//! Stories from their slot's moment to the press: how long each step takes, and what a story writes.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension};

use super::pretend::telegram::Message;
use super::process::Cost;
use super::{ANN, Site, TEAM, examined, tell};

const BUTTON: &str = "✅ Posted";
/// From slot to slot, in seconds: a story is four messages and changes (announced, shown, posted, and a minute later the end of
/// Undo), and a group hears of eighteen a minute, and of one a second. So no slot may fall on the end of another one's Undo.
const INTERVAL: u64 = 16;
/// The shortest time that such slots fill, in minutes.
const MINUTES: u64 = 4;
/// How long a single step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has so many stories fall due, and presses on each of them.
pub(crate) async fn dues_and_presses(site: &Site, stories: usize) {
    // Some slots of the first minute are over already.
    let minutes = ((stories as u64 + 1) * INTERVAL).div_ceil(60) + 1;
    let minutes = minutes.next_multiple_of(MINUTES);
    let slots = u32::try_from(minutes * 60 / INTERVAL).expect("a few");
    let config = site.telegram_config(slots, window(minutes));
    let mut daemon = site.serve(config);
    site.wait_for_database();
    examined(&site.database());
    measure(site, &daemon, stories, Duration::from_secs(minutes * 60)).await;
    site.stop(&mut daemon);
}

async fn measure(site: &Site, daemon: &Child, stories: usize, time: Duration) {
    let database = site.database();
    let (mut heard, mut shown, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    let deadline = Instant::now() + time;
    // What catches up is late, and what comes next keeps its distance from it; what the start writes is not a story's.
    let from = milliseconds() + INTERVAL as i64 * 1000;
    let rendered = || size_of(&site.folder.path().join("cache"));
    let (mut before, mut pictures) = (Cost::of(daemon.id()), rendered());
    let mut last = site
        .telegram
        .messages(TEAM)
        .last()
        .map_or(0, |last| last.id);
    while heard.len() < stories {
        let Some(message) = next(site, last, deadline).await else {
            break;
        };
        let at = milliseconds();
        last = message.id;
        buttons(site, last).await;
        let ready = milliseconds();
        let due = due_of(&database, last).await;
        let took = press(site, &database, last).await;
        if due < from {
            (before, pictures) = (Cost::of(daemon.id()), rendered());
            continue;
        }
        heard.push((at - due) as f64 / 1e3);
        shown.push((ready - due) as f64 / 1e3);
        taken.push(took);
    }
    // The message tells what became of the last one, too.
    tokio::time::sleep(Duration::from_secs(3)).await;
    if heard.is_empty() {
        println!("no story fell due within {} s", time.as_secs());
        return;
    }
    let (cost, count) = (Cost::of(daemon.id()) - before, heard.len() as u64);
    tell("slot to chat", &mut heard);
    tell("slot to picture and buttons", &mut shown);
    tell("press to row", &mut taken);
    println!(
        "a story, from slot to press: {} bytes to the disk, {} of them rendered pictures; {:.0} ms of CPU",
        cost.to_disk / count,
        (rendered() - pictures) / count,
        cost.cpu * 1e3 / count as f64
    );
}

/// The next message of the chat.
async fn next(site: &Site, last: i64, deadline: Instant) -> Option<Message> {
    let left = deadline.saturating_duration_since(Instant::now());
    let is_next = |message: &&&Message| message.id > last && message.is_from_bot();
    let next = site.telegram.wait_for(
        |state| {
            state
                .messages(TEAM)
                .iter()
                .find(is_next)
                .map(|&message| message.clone())
        },
        left + PATIENCE,
    );
    tokio::time::timeout(left, next).await.ok()
}

/// Waits until a message has its picture and its buttons.
async fn buttons(site: &Site, message: i64) {
    let ready = site.telegram.wait_for(
        |state| state.message(TEAM, message)?.button(BUTTON).map(|_| ()),
        PATIENCE,
    );
    ready.await;
}

/// When the story of a message was due; waits until it is on record as being before the team, as people's thumbs do.
async fn due_of(database: &Connection, message: i64) -> i64 {
    let mut due = database
        .prepare(
            "SELECT due_at FROM stories JOIN messages ON story_id = id
             WHERE chat_id = ?1 AND message_id = ?2 AND state = 'awaiting'",
        )
        .expect("a query");
    let asked = Instant::now();
    loop {
        let found = due.query_row([TEAM, message], |row| row.get(0));
        if let Some(due) = found.optional().expect("an answer") {
            return due;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(asked.elapsed() < PATIENCE, "a story is not on record");
    }
}

/// Presses; returns the seconds until that is on record.
async fn press(site: &Site, database: &Connection, message: i64) -> f64 {
    let mut posted = database
        .prepare("SELECT COUNT(*) FROM history WHERE outcome = 'posted'")
        .expect("a query");
    let mut count = || {
        posted
            .query_row([], |row| row.get::<_, i64>(0))
            .expect("an answer")
    };
    let before = count();
    site.telegram.press(ANN, TEAM, message, BUTTON);
    let pressed = Instant::now();
    while count() == before {
        tokio::time::sleep(Duration::from_micros(100)).await;
        assert!(pressed.elapsed() < PATIENCE, "a press was not taken");
    }
    pressed.elapsed().as_secs_f64()
}

/// The bytes of all files in a folder.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(|entry| {
            let (path, facts) = entry
                .and_then(|entry| Ok((entry.path(), entry.metadata()?)))
                .ok()?;
            Some(if facts.is_dir() {
                size_of(&path)
            } else {
                facts.len()
            })
        })
        .sum()
}

fn milliseconds() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// From the beginning of this minute on, for so many minutes.
fn window(minutes: u64) -> (String, String) {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let minutes = i64::try_from(minutes).expect("a few");
    let end = now.saturating_add(jiff::Span::new().minutes(minutes));
    (
        now.strftime("%H:%M").to_string(),
        end.strftime("%H:%M").to_string(),
    )
}
