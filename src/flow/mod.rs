//! The verbs. The edges (folder, Telegram, command line) call them, and they call the store; each is an ordinary function
//! that is told what time it is, so a test can live through weeks in a second.
//!
//! [`index`] files become media · [`schedule`] media become stories · [`dispatch`] stories go out, [`announce`]d first ·
//! [`act`] presses become outcomes, or are taken back, [`messages`] and what the chat shows follows · [`upkeep`] whatever was
//! left standing is put right. Beside that way: [`steer`] how the box runs · [`curate`] what people decide about the library ·
//! [`edit`] what they say of a media · [`handin`] what they send, and [`intake`] its way into the library · [`people`] who may ·
//! [`clock`] whether the time is to be believed · [`survey`], [`album`] and [`life`] what people ask to see · [`bulletin`] what
//! they are told unasked · [`teams`] who is on the box · [`copies`] which backups have left it, [`ways`] which alerts.
//! [`outlet`] is what all of it asks of the world outside.

pub mod act;
pub mod album;
mod announce;
pub mod attempts;
pub mod bulletin;
mod chooser;
pub mod clock;
mod close;
pub mod conditions;
pub mod copies;
pub mod curate;
pub mod digest;
pub mod dispatch;
mod due;
pub mod edit;
pub mod files;
pub mod handin;
pub mod held;
pub mod index;
pub mod intake;
mod keep;
pub mod life;
pub mod messages;
mod newer;
mod originals;
pub mod outlet;
mod overdue;
pub mod people;
mod presence;
mod remind;
mod runway;
pub mod schedule;
pub mod secrets;
mod server;
pub mod settings;
mod settle;
pub mod stats;
pub mod steer;
mod streak;
pub mod survey;
pub mod teams;
mod timekeeper;
mod undo;
pub mod upkeep;
mod waiting;
pub mod ways;
pub mod weekly;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::domain::ids::TeamId;
use crate::domain::run::Run;
use crate::domain::team::TeamSettings;
pub use crate::store::{Error, Result, Store};
use crate::store::{runs, state, teams as rows};
use crate::system::background::CutOff;
use crate::system::nudge::Nudge;

/// Nothing of it is on record, and it is tried again.
impl From<CutOff> for Error {
    fn from(cut_off: CutOff) -> Self {
        Self::Unavailable(format!("was not asked: {cut_off}"))
    }
}

/// The verbs of one team, over one store. Clones are the same.
#[derive(Clone)]
pub struct Flow {
    store: Store,
    team: TeamId,
    /// Whether the last upkeep found a story late.
    was_late: Arc<AtomicBool>,
    /// The start of the box, until it is known whether there is anything to tell of it.
    start: Arc<Mutex<Option<presence::Start>>>,
    /// Where albums were asked for.
    albums: album::Wishes,
    /// Whether the server outside works.
    server: server::Server,
    /// What tells the time beside the time of day.
    time: timekeeper::Timekeeper,
    /// Whom to wake when a row has changed.
    pub nudges: Nudges,
}

/// One nudge for each loop that waits for rows. They only save waiting; the slow tick makes up for every one that is lost.
#[derive(Clone, Default)]
pub struct Nudges {
    /// Media are waiting to be examined.
    pub examine: Nudge,
    /// The plan may have to be drawn again.
    pub plan: Nudge,
    /// A story may be due.
    pub dispatch: Nudge,
    /// A message may be behind.
    pub messages: Nudge,
    /// A reminder or an original may have to be sent.
    pub extras: Nudge,
    /// Something was handed in, or is to be fetched.
    pub hand_ins: Nudge,
    /// An alert may have to be told.
    pub alerts: Nudge,
    /// Something may have to be put right.
    pub upkeep: Nudge,
}

impl Nudges {
    /// Wakes everybody: another process may have changed anything.
    pub fn everybody(&self) {
        for nudge in [
            &self.examine,
            &self.plan,
            &self.dispatch,
            &self.messages,
            &self.extras,
            &self.hand_ins,
            &self.alerts,
            &self.upkeep,
        ] {
            nudge.notify();
        }
    }
}

impl Flow {
    /// The verbs of the box's own team, which is made at the first start with these settings.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn open(store: Store, first: TeamSettings, now: Timestamp) -> Result<Self> {
        let team = store
            .write(move |tx| {
                let team = rows::ensure(tx, &first.name, now)?;
                settings::seed(tx, team, &first, now)?;
                Ok(team)
            })
            .await?;
        Ok(Self::of(store, team))
    }

    /// The verbs of a team that is on record.
    fn of(store: Store, team: TeamId) -> Self {
        Self {
            store,
            team,
            was_late: Arc::default(),
            start: Arc::default(),
            albums: album::Wishes::default(),
            server: server::Server::default(),
            time: timekeeper::Timekeeper::default(),
            nudges: Nudges::default(),
        }
    }

    /// The team's id.
    #[must_use]
    pub fn team(&self) -> TeamId {
        self.team
    }

    /// Tells the daemon that another process changed something: it looks at its next tick.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn knock(&self, now: Timestamp) -> Result<()> {
        self.store.write(move |tx| state::note_knock(tx, now)).await
    }

    /// When another process last changed something.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn last_knock(&self) -> Result<Option<Timestamp>> {
        self.store.read(state::last_knock).await
    }

    /// A mark that is another one after every change of the records, whoever made it.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn edition(&self) -> Result<String> {
        self.store.edition().await
    }

    /// Whether a daemon works on this store.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn is_served(&self) -> Result<bool> {
        self.store.is_claimed().await
    }

    /// The number of the store's newest migration.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn schema_version(&self) -> Result<u64> {
        self.store.read(state::schema_version).await
    }

    /// The latest time that was ever recorded; a clock before it is wrong.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn latest_time(&self) -> Result<Option<Timestamp>> {
        self.store.read(state::latest_time).await
    }

    /// Keeps a run for diagnosis.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn note_run(&self, run: Run) -> Result<()> {
        let team = self.team;
        self.store.write(move |tx| runs::add(tx, team, &run)).await
    }
}
