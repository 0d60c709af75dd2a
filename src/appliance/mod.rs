//! The composition root: builds everything from the config, and runs it until told to stop. Here, and only here, the edges
//! meet: the library's studio makes the pictures that the desk shows.

mod loops;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use loops::{Worker, keep_up};

use crate::config::{Config, DatabaseUrl};
use crate::flow::outlet::{Outlet, Studio};
use crate::flow::{Error, Flow, Store};
use crate::library::{Cache, Library, examiner, indexer, studio};
use crate::system::clock::Clock;
use crate::system::nudge::{Heart, TICK};
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::{GaveUp, Supervisor};
use crate::system::systemd::Systemd;
use crate::telegram::Place;
use crate::telegram::client::Client;
use crate::telegram::desk::Desk;
use crate::telegram::pace::Pace;
use crate::telegram::poll::Poller;

/// How long a loop that only waits for rows may be quiet.
const QUIET: Duration = Duration::from_secs(90);
/// How long a loop that uses the network may be quiet; each of its calls has a shorter limit of its own.
const NETWORK_QUIET: Duration = Duration::from_secs(420);

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

/// Opens the store that the config names.
///
/// # Errors
/// If it cannot be opened, or was written by a newer version.
pub fn open_store(config: &Config) -> Result<Store, Error> {
    match &config.database.url {
        DatabaseUrl::Sqlite(path) => Store::open_sqlite(path),
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

/// Opens the flow of the config's team: for the daemon, and for a command beside it.
///
/// # Errors
/// If the store cannot be opened or written.
pub async fn open_flow(config: &Config, now: Timestamp) -> Result<Flow, Error> {
    Flow::open(open_store(config)?, config.team.clone(), now).await
}

/// The cache of rendered pictures that the config names: for the daemon, and for a command beside it.
#[must_use]
pub fn open_cache(config: &Config, clock: &Clock) -> Cache {
    let most_bytes = config.library.cache_mb * 1_000_000;
    Cache::new(&config.library.cache, most_bytes, clock.clone())
}

/// Everything, built and ready to run.
pub struct Appliance {
    flow: Flow,
    library: Library,
    studio: Studio,
    clock: Clock,
    desk: Result<(Arc<Desk>, Poller), &'static str>,
}

impl Appliance {
    /// Builds it. No network is needed: what is out of reach is tried again while it runs.
    ///
    /// # Errors
    /// If the database cannot be opened, or another daemon has it.
    pub async fn build(config: &Config, clock: Clock) -> Result<Self, Trouble> {
        let store = open_store(config)?;
        if !claim(&store).await? {
            return Err(Trouble::AlreadyRunning(config.database.url.to_string()));
        }
        let flow = Flow::open(store, config.team.clone(), clock.now()).await?;
        let cache = open_cache(config, &clock);
        let library = Library::new(
            flow.clone(),
            &config.library.path,
            cache.clone(),
            clock.clone(),
        );
        let desk = build_desk(config, &flow, &clock)?;
        Ok(Self {
            flow,
            library,
            studio: studio(config.library.path.clone(), cache),
            clock,
            desk,
        })
    }

    /// The verbs, for whoever wants to look on or to nudge.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// Runs until `shutdown` is signalled, and ends in good order.
    ///
    /// # Errors
    /// If a task failed so often that the process should be started anew.
    pub async fn run_until_stopped(
        self,
        shutdown: Shutdown,
        systemd: Systemd,
    ) -> Result<(), Trouble> {
        self.flow.wake_up(self.clock.now()).await?;
        let supervisor = Supervisor::new(shutdown);
        let heart = Heart::new(self.clock.clone());
        let tick = || heart.subscribe();

        let (library, subscribed) = (self.library.clone(), tick());
        supervisor.spawn("index", QUIET, move |pulse| {
            indexer::run(library.clone(), subscribed.clone(), pulse)
        });
        let (library, subscribed) = (self.library.clone(), tick());
        supervisor.spawn("examine", QUIET, move |pulse| {
            examiner::run(library.clone(), subscribed.clone(), pulse)
        });
        let (flow, clock, subscribed, told) = (
            self.flow.clone(),
            self.clock.clone(),
            tick(),
            systemd.clone(),
        );
        let missing = self.desk.as_ref().err().copied();
        supervisor.spawn("upkeep", QUIET, move |pulse| {
            keep_up(
                flow.clone(),
                clock.clone(),
                missing,
                subscribed.clone(),
                told.clone(),
                pulse,
            )
        });
        match self.desk {
            Ok((desk, poller)) => {
                let outlet: Arc<dyn Outlet> = desk;
                spawn_desk(
                    &supervisor,
                    &self.flow,
                    &self.clock,
                    &heart,
                    outlet,
                    self.studio,
                    poller,
                );
            }
            Err(missing) => tracing::warn!("{missing}"),
        }
        let beating = heart.clone();
        supervisor.spawn("heart", TICK * 3, move |pulse| beating.clone().run(pulse));
        let (watched, subscribed, fed) = (supervisor.clone(), tick(), systemd.clone());
        supervisor.spawn("watchdog", TICK * 3, move |pulse| {
            fed.clone()
                .feed_while_all_move(watched.clone(), subscribed.clone(), pulse)
        });

        systemd.ready();
        tracing::info!("storyline {} is at work", env!("CARGO_PKG_VERSION"));
        let ended = supervisor.run().await;
        systemd.stopping();
        self.flow.fall_asleep(self.clock.now()).await?;
        tracing::info!("storyline has stopped");
        Ok(ended?)
    }
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

/// The desk and its poller; or what is missing for them, in plain words.
fn build_desk(
    config: &Config,
    flow: &Flow,
    clock: &Clock,
) -> Result<Result<(Arc<Desk>, Poller), &'static str>, Trouble> {
    let telegram = &config.telegram;
    let Some(token) = &telegram.token else {
        return Ok(Err(
            "No bot token is set: pictures are indexed and nothing is sent. Get a token from @BotFather and set `[telegram] token`.",
        ));
    };
    let Some(chat) = telegram.chat else {
        return Ok(Err(
            "No chat is set: pictures are indexed and nothing is sent. Set `[telegram] chat` to the number of the team's chat.",
        ));
    };
    let client = Client::new(token.clone(), telegram.api_url.clone())
        .map_err(|error| Trouble::Network(error.without_url().to_string()))?;
    let place = Arc::new(Place {
        chat,
        thread: telegram.thread,
        admin_chat: telegram.admin_chat,
        alert_chat: telegram.admin_chat.unwrap_or(chat),
        timezone: config.team.timezone.clone(),
    });
    let pace = Arc::new(Pace::default());
    let desk = Desk::new(client.clone(), Arc::clone(&place), Arc::clone(&pace));
    let poller = Poller::new(client, flow.clone(), place, pace, clock.clone());
    Ok(Ok((Arc::new(desk), poller)))
}

/// The loops that need the team's desk.
fn spawn_desk(
    supervisor: &Supervisor,
    flow: &Flow,
    clock: &Clock,
    heart: &Heart,
    outlet: Arc<dyn Outlet>,
    studio: Studio,
    poller: Poller,
) {
    let worker = Worker {
        flow: flow.clone(),
        clock: clock.clone(),
        outlet,
        studio,
    };
    let (one, tick) = (worker.clone(), heart.subscribe());
    supervisor.spawn("plan", QUIET, move |pulse| {
        one.clone().plan(tick.clone(), pulse)
    });
    let (one, tick) = (worker.clone(), heart.subscribe());
    supervisor.spawn("dispatch", NETWORK_QUIET, move |pulse| {
        one.clone().dispatch(tick.clone(), pulse)
    });
    let (one, tick) = (worker.clone(), heart.subscribe());
    supervisor.spawn("messages", NETWORK_QUIET, move |pulse| {
        one.clone().follow(tick.clone(), pulse)
    });
    let (one, tick) = (worker, heart.subscribe());
    supervisor.spawn("alerts", NETWORK_QUIET, move |pulse| {
        one.clone().tell(tick.clone(), pulse)
    });
    let poller = Arc::new(poller);
    supervisor.spawn("poll", NETWORK_QUIET, move |pulse| {
        let poller = Arc::clone(&poller);
        async move { poller.run(&pulse).await }
    });
}
