//! The composition root: builds everything from the config, and runs it until told to stop. Here, and only here, the edges
//! meet: the library's studio makes the pictures that the desk shows.

pub mod copies;
pub mod health;
mod heartbeat;
mod illness;
mod keeper;
mod loops;
mod nightly;
mod patience;
mod sentinel;
mod shift;
mod ways;

use std::time::Duration;

use jiff::Timestamp;

use health::Health;
use shift::{Ended, Shift};
pub use ways::{tell_owner, try_each};

use crate::backup::{Backups, Reason};
use crate::config::{Backup, Config, DatabaseUrl};
use crate::domain::team::Place;
use crate::flow::teams::Teams;
use crate::flow::{Error, Flow, Store};
use crate::library::Cache;
use crate::system::background::blocking;
use crate::system::clock::Clock;
use crate::system::events;
use crate::system::mounts;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::GaveUp;
use crate::system::systemd::Systemd;
use crate::telegram::client::Client;
use crate::telegram::desk::Desk;
use crate::telegram::voice::Voice;

/// How often the database is claimed before another daemon is taken for granted.
const CLAIMS: u32 = 5;
/// The pause between two claims.
const CLAIM_PAUSE: Duration = Duration::from_millis(50);

/// Why the appliance could not be built or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Another daemon works on this database.
    #[error(
        "another storyline is running on {0}; stop it first (`systemctl stop storyline`), or give this one its own database"
    )]
    AlreadyRunning(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
    /// The connection library.
    #[error("the network library cannot be set up: {0}")]
    Network(String),
    /// The signals of the process.
    #[error("signals cannot be listened to: {0}")]
    Signals(#[from] std::io::Error),
    /// A task that failed again and again.
    #[error(transparent)]
    GaveUp(#[from] GaveUp),
}

/// The backups of the database that the config names; a PostgreSQL server has its own.
#[must_use]
pub fn backups(config: &Config) -> Option<Backups> {
    let DatabaseUrl::Sqlite(database) = &config.database.url else {
        return None;
    };
    let Backup {
        folder,
        keep_days,
        settings,
        copies: _,
    } = config.backup.clone();
    let folder = folder.unwrap_or_else(|| database.with_file_name("backups"));
    let database = database.clone();
    Some(Backups::new(folder, database, settings, keep_days))
}

/// Why the records are gone with the power, and what to do, if they are.
fn in_memory(config: &Config) -> Option<String> {
    let DatabaseUrl::Sqlite(database) = &config.database.url else {
        return None;
    };
    let told = mounts::in_memory(database)?;
    Some(format!("{told}; {}.", mounts::REMEDY))
}

/// The backup from before the upgrade to this version, if its schema was changed by it.
fn copy_of_before(config: &Config) -> Option<String> {
    let all = backups(config)?.list().ok()?;
    let upgrade = all
        .into_iter()
        .find(|backup| backup.reason == Reason::Upgrade)?;
    let made_by = upgrade.manifest().ok()?.version;
    (made_by == env!("CARGO_PKG_VERSION")).then_some(upgrade.name)
}

/// Opens the store that the config names. An older one is backed up before it is brought to this version.
///
/// # Errors
/// If it cannot be opened or backed up, or was written by a newer version.
pub fn open_store(config: &Config, now: Timestamp) -> Result<Store, Error> {
    match &config.database.url {
        DatabaseUrl::Sqlite(path) => {
            let backups = backups(config);
            if let Some(backups) = &backups {
                backups.must_not_be_lost()?;
            }
            Store::open_sqlite_after(path, move |schema| {
                let Some(backups) = backups else {
                    return Ok(());
                };
                let made = backups.before_upgrade(schema, now).map_err(|error| {
                    Error::Unavailable(format!(
                        "stays as it is, of schema {schema}, because no backup could be made before the upgrade: {error}"
                    ))
                })?;
                tracing::info!(
                    task = "backup",
                    message_id = events::BACKUP_MADE.id,
                    "backup {}, before the upgrade",
                    made.name
                );
                Ok(())
            })
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => {
            Store::open_postgres(secrecy::ExposeSecret::expose_secret(url))
        }
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(Error::Unavailable(
            "is PostgreSQL, which this program was built without; use `sqlite:PATH`".to_owned(),
        )),
    }
}

/// Opens the teams of the box: for the daemon, and for a command beside it.
///
/// # Errors
/// If the store cannot be opened or written.
pub async fn open_teams(config: &Config, now: Timestamp) -> Result<Teams, Error> {
    Teams::open(open_store(config, now)?, config.team.clone(), now).await
}

/// The cache of rendered pictures that the config names: for the daemon, and for a command beside it.
#[must_use]
pub fn open_cache(config: &Config, clock: &Clock) -> Cache {
    let most_bytes = config.library.cache_mb * 1_000_000;
    Cache::new(&config.library.cache, most_bytes, clock.clone())
}

/// Everything, built and ready to run.
pub struct Appliance {
    config: Config,
    clock: Clock,
    store: Store,
    teams: Teams,
    client: Option<Client>,
}

impl Appliance {
    /// Builds it. No network is needed: what is out of reach is tried again while it runs.
    ///
    /// # Errors
    /// If the database cannot be opened, or another daemon has it.
    pub async fn build(config: &Config, clock: Clock) -> Result<Self, Trouble> {
        let now = clock.now();
        let store = look_and_open(config, now).await?;
        if !claim(&store).await? {
            return Err(Trouble::AlreadyRunning(config.database.url.to_string()));
        }
        if let Some(backups) = backups(config) {
            backups.leave_trace();
        }
        Flow::open(store.clone(), config.team.clone(), now)
            .await?
            .adopt(config.team.clone(), now)
            .await?;
        let teams = Teams::open(store.clone(), config.team.clone(), now).await?;
        let client = connect(config)?;
        let reference = client.as_ref().map(Client::reference_time);
        let reference = reference.cloned().unwrap_or_default();
        teams.own().go_by(clock.clone(), reference);
        Ok(Self {
            config: config.clone(),
            clock,
            store,
            teams,
            client,
        })
    }

    /// The teams' verbs, for whoever wants to look on or to nudge.
    #[must_use]
    pub fn teams(&self) -> &Teams {
        &self.teams
    }

    /// Runs until `shutdown` is signalled, and ends in good order.
    ///
    /// # Errors
    /// If a task failed so often that the process should be started anew; [`Error::Lost`] if the database was taken away or
    /// replaced, and is to be opened anew.
    pub async fn run_until_stopped(
        mut self,
        shutdown: Shutdown,
        systemd: Systemd,
        health: &Health,
    ) -> Result<(), Trouble> {
        loop {
            let shift = Shift::new(
                &self.config,
                &self.teams,
                self.client.as_ref(),
                &self.clock,
                health,
            );
            health.works(&self.teams, shift.supervisor());
            let ended = shift.work(&shutdown, &systemd).await;
            if let Ended::TeamsChanged = ended? {
                tracing::info!("teams have come or gone, or a library is another: all begins anew");
                let first = self.config.team.clone();
                let teams = Teams::open(self.store.clone(), first, self.clock.now()).await?;
                self.teams = teams.that_follow(&self.teams);
            } else {
                tracing::info!(
                    message_id = events::SERVICE_STOPPED.id,
                    "storyline has stopped"
                );
                return Ok(());
            }
        }
    }
}

/// Opens the store after a look at whether it is whole. An upgrade takes a while, and so does a disk that hangs: whoever asks
/// how the service is gets an answer meanwhile.
async fn look_and_open(config: &Config, now: Timestamp) -> Result<Store, Error> {
    let config = config.clone();
    let opened = blocking(move || {
        if let DatabaseUrl::Sqlite(path) = &config.database.url {
            Store::look_over(path)?;
        }
        open_store(&config, now)
    });
    opened.await?
}

/// The way to Telegram, if there is a token.
fn connect(config: &Config) -> Result<Option<Client>, Trouble> {
    let telegram = &config.telegram;
    let client = telegram
        .token
        .clone()
        .map(|token| Client::new(token, telegram.api_url.clone(), &config.network))
        .map(|client| client.map(|it| it.with_files(telegram.api_files.clone())));
    client
        .transpose()
        .map_err(|error| Trouble::Network(error.to_string()))
}

/// What tells the owner where no team's work does, before there is any or beside it.
fn desk(config: &Config, client: Client, home: Option<Place>) -> Desk {
    let telegram = &config.telegram;
    Desk::new(
        Voice::new(client),
        config.messages.clone(),
        telegram.announce,
        telegram.admin_chat,
        home,
    )
}

/// Claims the database. A command that asks whether it is claimed holds it for an instant, and is no daemon.
async fn claim(store: &Store) -> Result<bool, Error> {
    for _ in 0..CLAIMS {
        if store.claim().await? {
            return Ok(true);
        }
        tokio::time::sleep(CLAIM_PAUSE).await;
    }
    store.claim().await
}
