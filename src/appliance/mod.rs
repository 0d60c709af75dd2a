//! The composition root: builds everything from the config, and runs it until told to stop. Here, and only here, the edges
//! meet: the library's studio makes the pictures that the desk shows.

mod illness;
mod loops;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use illness::{Illness, passes};
use loops::{Keeper, Worker};

use crate::config::{Config, DatabaseUrl};
use crate::flow::outlet::{Archive, Outlet, Studio};
use crate::flow::{Error, Flow, Store};
use crate::library::{Cache, Library, archive, examiner, indexer, studio};
use crate::system::clock::Clock;
use crate::system::nudge::{Heart, TICK};
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::{BoxError, GaveUp, Pulse, Supervisor};
use crate::system::systemd::Systemd;
use crate::telegram::client::Client;
use crate::telegram::desk::Desk;
use crate::telegram::pace::Pace;
use crate::telegram::receive::Receiver;

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
    archive: Archive,
    clock: Clock,
    desk: Result<(Arc<Desk>, Receiver), &'static str>,
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
        flow.adopt(config.team.clone(), clock.now()).await?;
        let settings = flow.settings().await?;
        let root = settings.library;
        let cache = open_cache(config, &clock);
        let library = Library::new(flow.clone(), &root, cache.clone(), clock.clone());
        let desk = build_desk(config, settings.chat, &flow, &clock)?;
        Ok(Self {
            flow,
            library,
            archive: archive(root.clone()),
            studio: studio(root, cache),
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
        let crew = Crew {
            supervisor: Supervisor::patient(shutdown, passes),
            illness: Illness::none(self.flow.nudges.upkeep.clone()),
        };
        let heart = Heart::new(self.clock.clone());
        let tick = || heart.subscribe();

        let (library, subscribed) = (self.library.clone(), tick());
        crew.start("index", QUIET, move |pulse| {
            indexer::run(library.clone(), subscribed.clone(), pulse)
        });
        let (library, subscribed) = (self.library.clone(), tick());
        crew.start("examine", QUIET, move |pulse| {
            examiner::run(library.clone(), subscribed.clone(), pulse)
        });
        let (outlet, receiver, missing) = match self.desk {
            Ok((desk, receiver)) => (
                Some(desk as Arc<dyn Outlet>),
                Some(Arc::new(receiver)),
                None,
            ),
            Err(missing) => (None, None, Some(missing)),
        };
        let keeper = Keeper {
            flow: self.flow.clone(),
            clock: self.clock.clone(),
            illness: crew.illness.clone(),
            outlet: outlet.clone(),
            missing,
            systemd: systemd.clone(),
        };
        let subscribed = tick();
        crew.start("upkeep", NETWORK_QUIET, move |pulse| {
            keeper.clone().run(subscribed.clone(), pulse)
        });
        if let Some(outlet) = outlet {
            let worker = Worker {
                flow: self.flow.clone(),
                clock: self.clock.clone(),
                outlet,
                studio: self.studio,
                archive: self.archive,
                is_awake: Arc::default(),
            };
            crew.start_work(&worker, &heart);
        }
        if let Some(receiver) = &receiver {
            let receiver = Arc::clone(receiver);
            crew.start(receiver.task(), NETWORK_QUIET, move |pulse| {
                let receiver = Arc::clone(&receiver);
                async move { receiver.run(&pulse).await }
            });
        }
        if let Some(missing) = missing {
            tracing::warn!("{missing}");
        }
        let beating = heart.clone();
        crew.start("heart", TICK * 3, move |pulse| beating.clone().run(pulse));
        let (watched, subscribed, fed) = (crew.supervisor.clone(), tick(), systemd.clone());
        crew.start("watchdog", TICK * 3, move |pulse| {
            fed.clone()
                .feed_while_all_move(watched.clone(), subscribed.clone(), pulse)
        });

        systemd.ready();
        tracing::info!("storyline {} is at work", env!("CARGO_PKG_VERSION"));
        let ended = crew.supervisor.run().await;
        systemd.stopping();
        let now = self.clock.now();
        let heard_at = receiver.map(|receiver| receiver.heard_at(now));
        self.flow.fall_asleep(heard_at, now).await?;
        tracing::info!("storyline has stopped");
        Ok(ended?)
    }
}

/// The tasks, each kept by the supervisor and asked whether the store failed it.
struct Crew {
    supervisor: Supervisor,
    illness: Illness,
}

impl Crew {
    fn start<M, F>(&self, name: &'static str, longest_quiet: Duration, make: M)
    where
        M: Fn(Pulse) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let illness = self.illness.clone();
        self.supervisor.spawn(name, longest_quiet, move |pulse| {
            illness.clone().watch(make(pulse))
        });
    }

    /// The loops that need the team's desk.
    fn start_work(&self, worker: &Worker, heart: &Heart) {
        let (one, tick) = (worker.clone(), heart.subscribe());
        self.start("plan", QUIET, move |pulse| {
            one.clone().plan(tick.clone(), pulse)
        });
        let (one, tick) = (worker.clone(), heart.subscribe());
        self.start("dispatch", NETWORK_QUIET, move |pulse| {
            one.clone().dispatch(tick.clone(), pulse)
        });
        let (one, tick) = (worker.clone(), heart.subscribe());
        self.start("messages", NETWORK_QUIET, move |pulse| {
            one.clone().follow(tick.clone(), pulse)
        });
        let (one, tick) = (worker.clone(), heart.subscribe());
        self.start("extras", NETWORK_QUIET, move |pulse| {
            one.clone().accompany(tick.clone(), pulse)
        });
        let (one, tick) = (worker.clone(), heart.subscribe());
        self.start("alerts", NETWORK_QUIET, move |pulse| {
            one.clone().tell(tick.clone(), pulse)
        });
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

/// The desk and its receiver; or what is missing for them, in plain words.
fn build_desk(
    config: &Config,
    team_chat: Option<i64>,
    flow: &Flow,
    clock: &Clock,
) -> Result<Result<(Arc<Desk>, Receiver), &'static str>, Trouble> {
    let telegram = &config.telegram;
    let Some(token) = &telegram.token else {
        return Ok(Err(
            "No bot token is set: pictures are indexed and nothing is sent. Get a token from @BotFather and set `[telegram] token`.",
        ));
    };
    let client = Client::new(token.clone(), telegram.api_url.clone())
        .map_err(|error| Trouble::Network(error.without_url().to_string()))?;
    let (pace, admin_chat) = (Arc::new(Pace::default()), telegram.admin_chat);
    let desk = Desk::new(
        client.clone(),
        Arc::clone(&pace),
        config.messages.clone(),
        telegram.announce,
        admin_chat,
        team_chat,
    );
    let (flow, clock) = (flow.clone(), clock.clone());
    let receiver = Receiver::new(client, flow, pace, admin_chat, clock, telegram.webhook());
    Ok(Ok((Arc::new(desk), receiver)))
}
