//! The contract of the store. Every engine passes the same tests, on a real file and on a real server.

mod announcements;
mod audited;
mod by_hand;
mod claims;
mod closing;
mod faults;
mod handed;
mod library;
mod migrating;
mod places;
mod queued;
mod races;
mod records;
#[cfg(feature = "postgres")]
mod server;
mod several;
mod states;
mod taken;
mod told;
mod unasked;
mod upgrading;
mod values;

#[cfg(feature = "postgres")]
#[path = "../../tests/support/postgres.rs"]
mod postgres_server;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::value::values;
use super::*;
use crate::domain::calendar::SlotId;
use crate::domain::category::Category;
use crate::domain::entry::{Entry, Snapshot};
use crate::domain::ids::{MediaId, StoryId, TeamId};
use crate::domain::lock::LockKind;
use crate::domain::media::{Content, FileStat, Fingerprint, Format, Metadata, Verdict};
use crate::domain::outcome::Outcome;
use crate::domain::person::{PersonId, Role};
use crate::domain::setting::Setting;
use crate::domain::story::{Delivery, MessageRef, State, Story};
use crate::domain::team::TeamSettings;

/// Makes a test of each sentence for each engine.
macro_rules! on_every_engine {
    ($($(#[doc = $doc:literal])* async fn $name:ident($bed:ident: Bed) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[doc = $doc])*
            async fn scenario($bed: Bed) $body

            #[tokio::test]
            async fn sqlite() {
                scenario(Bed::sqlite().await).await;
            }

            #[cfg(feature = "postgres")]
            #[tokio::test]
            async fn postgres() {
                scenario(Bed::postgres().await).await;
            }
        }
    )*};
}
use on_every_engine;

/// A database of the test's own, with a team in it.
struct Bed {
    store: Store,
    team: TeamId,
    home: Home,
}

enum Home {
    Sqlite(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(postgres_server::Database),
}

impl Bed {
    async fn sqlite() -> Self {
        Self::in_home(Home::Sqlite(tempfile::tempdir().expect("a folder"))).await
    }

    #[cfg(feature = "postgres")]
    async fn postgres() -> Self {
        let migrate = |url: &str| drop(Store::open_postgres(url).expect("a new database"));
        Self::in_home(Home::Postgres(postgres_server::Database::new(migrate))).await
    }

    async fn in_home(home: Home) -> Self {
        let store = home.open(PATIENCE).expect("a store");
        let team = store
            .write(|tx| teams::ensure(tx, "Studio", noon()))
            .await
            .expect("a team");
        Self { store, team, home }
    }

    /// Another store on the same database, as another process would have it.
    fn another(&self) -> Store {
        self.home.open(PATIENCE).expect("a second store")
    }

    /// Runs a transaction that writes and must succeed.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> T {
        self.store.write(work).await.expect("a transaction")
    }

    /// Runs a transaction that looks and must succeed.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T> + Send + 'static,
    ) -> T {
        self.store.read(work).await.expect("a transaction")
    }

    /// A media that may be chosen.
    async fn media(&self, path: &'static str, seed: u32) -> MediaId {
        let team = self.team;
        self.write(move |tx| ready_media(tx, team, path, seed))
            .await
    }

    /// A story that is planned for a slot.
    async fn planned(&self, media: MediaId, ordinal: u32) -> Story {
        let team = self.team;
        self.write(move |tx| {
            let id = stories::plan(tx, team, &for_slot(media, ordinal), None, noon())?;
            Ok(stories::get(tx, id)?.expect("the story"))
        })
        .await
    }

    /// A story that awaits a press.
    async fn awaiting(&self, media: MediaId, ordinal: u32) -> Story {
        let story = self.planned(media, ordinal).await;
        self.write(move |tx| {
            let story = advanced(tx, &story, State::Sending)?;
            advanced(tx, &story, State::Awaiting)
        })
        .await
    }
}

impl Home {
    fn open(&self, patience: Duration) -> Result<Store> {
        match self {
            Self::Sqlite(_) => {
                let path = self.path();
                Store::start(move || sqlite::Sqlite::open(&path, patience))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let url = database.url().to_owned();
                Store::start(move || postgres::Postgres::open(&url, patience))
            }
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("storyline.db"),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => panic!("a server's database has no path"),
        }
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn noon() -> Timestamp {
    at("2026-11-21T12:00:00Z")
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn fingerprint(seed: u32) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    Fingerprint::from_bytes(bytes)
}

fn content(seed: u32) -> Content {
    Content {
        fingerprint: fingerprint(seed),
        format: Format::Jpeg,
        width_px: 1080,
        height_px: 1920,
        clip: None,
        metadata: Metadata::default(),
        metadata_problems: Vec::new(),
    }
}

fn stat(seed: u32) -> FileStat {
    FileStat {
        size_bytes: 600_000,
        modified_ns: 1_763_000_000_123_456_789,
        changed_ns: 1_763_000_000_123_456_790,
        inode: u64::MAX - u64::from(seed),
    }
}

/// Writes a file with new content that was examined and found good.
fn ready_media(tx: &mut dyn Tx, team: TeamId, path: &str, seed: u32) -> Result<MediaId> {
    let sound = Verdict::default();
    let id = media::add(tx, team, path, 600_000, &content(seed), &sound, noon())?
        .expect("a new content");
    let whole = files::Found::Whole(id);
    files::put(tx, team, path, stat(seed), "", &whole, noon())?;
    media::examined(tx, id, Some((1080, 1920)), None, &sound, noon())?;
    Ok(id)
}

fn slot(ordinal: u32) -> SlotId {
    SlotId {
        date: jiff::civil::date(2026, 11, 21),
        ordinal,
    }
}

fn for_slot(media: MediaId, ordinal: u32) -> stories::NewStory {
    stories::NewStory {
        media,
        slot: Some(slot(ordinal)),
        turn: Category::new("memes"),
        due_at: noon(),
        requested_by: None,
    }
}

/// The story in its next state; the store must agree.
fn advanced(tx: &mut dyn Tx, story: &Story, to: State) -> Result<Story> {
    let delivery = Delivery {
        attempt: story.delivery.attempt + u32::from(to == State::Sending),
        messages: story.delivery.messages + u32::from(to == State::Awaiting),
        sent_at: (to == State::Awaiting).then(noon),
        ..Delivery::default()
    };
    assert!(stories::advance(tx, story, to, &delivery, noon())?);
    Ok(stories::get(tx, story.id)?.expect("the story"))
}

/// Ends a story with all that belongs to it, as the flow does. False if somebody was faster.
fn close(tx: &mut dyn Tx, story: &Story, outcome: Outcome, by: Option<PersonId>) -> Result<bool> {
    if !stories::remove(tx, story, outcome)? {
        return Ok(false);
    }
    history::add(
        tx,
        story.team,
        story.state.as_str(),
        &ended(story, outcome, by),
    )?;
    locks::add(
        tx,
        story.team,
        story.media,
        LockKind::RecentPost,
        Some(noon() + minutes(60)),
        None,
        None,
        noon(),
    )?;
    media::count_outcome(tx, story.media, outcome, noon())?;
    if let Some(person) = by {
        people::credit(tx, story.team, person, outcome, 1)?;
    }
    messages::want(tx, story.id)?;
    Ok(true)
}

fn ended(story: &Story, outcome: Outcome, by: Option<PersonId>) -> Entry {
    Entry {
        story: story.id,
        number: Some(story.number),
        media: Some(story.media),
        slot: story.slot,
        turn: Some(story.turn.clone()),
        due_at: story.due_at,
        sent_at: story.delivery.sent_at,
        ended_at: noon(),
        outcome,
        reason: None,
        person: by,
        person_name: by.map(|_| "Ada".to_owned()),
        snapshot: Snapshot::default(),
        part: 1,
        withdrawn: None,
    }
}

fn shown_in(message: MessageRef, is_behind: bool) -> messages::NewMessage {
    messages::NewMessage {
        message,
        kind: messages::Kind::Story,
        attempt: 1,
        swaps: 0,
        is_behind,
    }
}

/// A statement of this test alone.
fn sql(text: String) -> &'static str {
    text.leak()
}

fn is_refused<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Refused(_)))
}

/// Waits for a fact, which must come true soon.
async fn wait_for(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "waited for: {what}"
        );
        tokio::task::yield_now().await;
    }
}

/// Every row of every table, to tell whether anything changed.
async fn everything(store: &Store) -> Vec<(String, Vec<value::Row>)> {
    store
        .read(|tx| {
            [
                "teams",
                "media",
                "files",
                "locks",
                "stories",
                "history",
                "messages",
                "people",
                "category_mix",
                "runs",
                "alerts",
                "audit_log",
                "telegram_updates",
                "hand_ins",
                "handed_files",
                "undos",
                "settings",
                "uploads",
                "bulletins",
                "attempts",
                "secrets",
                "state",
            ]
            .into_iter()
            .map(|table| {
                let query = sql(format!("SELECT * FROM {table} ORDER BY 1, 2"));
                Ok((table.to_owned(), tx.query(query, &[])?))
            })
            .collect()
        })
        .await
        .expect("every table")
}
