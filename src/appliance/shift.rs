//! One stretch of work: every team with its library, its desk and its loops, and what they share. It ends when the box is told
//! to stop, or when the teams are other ones than it was made for.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::Trouble;
use super::copies::Copies;
use super::health::Health;
use super::heartbeat::Heartbeat;
use super::illness::{Illness, passes};
use super::keeper::Keeper;
use super::loops::Worker;
use super::nightly::Nightly;
use super::sentinel::Sentinel;
use super::ways::Ways;
use crate::config::{Config, DatabaseUrl, Places};
use crate::domain::alert::topic;
use crate::domain::ids::TeamId;
use crate::domain::written::Complaint;
use crate::flow::Flow;
use crate::flow::outlet::Outlet;
use crate::flow::teams::{Team, Teams};
use crate::library::{Cache, Library, archive, examiner, indexer, intake, studio};
use crate::system::background::{background, blocking};
use crate::system::board::Board;
use crate::system::clock::{Clock, synchronised};
use crate::system::events;
use crate::system::http_client::HttpError;
use crate::system::logging::span_of;
use crate::system::nudge::{Heart, TICK, Tick};
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::{BoxError, Pulse, Supervisor};
use crate::system::systemd::Systemd;
use crate::telegram::client::Client;
use crate::telegram::courier::Porter;
use crate::telegram::desk::Desk;
use crate::telegram::receive::Receiver;
use crate::telegram::voice::Voice;

/// How long a loop that only waits for rows may be quiet.
const QUIET: Duration = Duration::from_secs(90);
/// How long a loop that uses the network may be quiet; each of its calls has a shorter limit of its own.
const NETWORK_QUIET: Duration = Duration::from_secs(420);

/// How long it may take to look for the backup from before an upgrade.
const COPY: Duration = Duration::from_secs(3);
/// How long a backup may take, on a slow card.
const BACKUP_QUIET: Duration = Duration::from_secs(1800);

/// What is missing where there is no token.
const NO_TOKEN: &str = "No bot token is set: pictures are indexed and nothing is sent. `storyline setup` \
                        asks for it.";

/// Why a shift ended.
pub(super) enum Ended {
    /// The box was told to stop.
    Stopped,
    /// Teams have come or gone, or one has another library.
    TeamsChanged,
}

/// Everything that works together, and the word that this stretch is over.
pub(super) struct Shift<'a> {
    config: &'a Config,
    teams: &'a Teams,
    client: Option<&'a Client>,
    clock: &'a Clock,
    health: &'a Health,
    cache: Cache,
    heart: Heart,
    over: Shutdown,
    supervisor: Supervisor,
    illness: Illness,
}

impl<'a> Shift<'a> {
    /// Nothing of it runs yet.
    pub(super) fn new(
        config: &'a Config,
        teams: &'a Teams,
        client: Option<&'a Client>,
        clock: &'a Clock,
        health: &'a Health,
    ) -> Self {
        let over = Shutdown::new();
        Self {
            config,
            teams,
            client,
            clock,
            health,
            cache: super::open_cache(config, clock),
            heart: Heart::new(clock.clone()),
            supervisor: Supervisor::patient(over.clone(), passes),
            over,
            illness: Illness::none(teams.own().nudges.upkeep.clone()),
        }
    }

    /// Who keeps its tasks.
    pub(super) fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Works until the box is told to stop, or until the teams are other ones.
    pub(super) async fn work(
        self,
        shutdown: &Shutdown,
        systemd: &Systemd,
    ) -> Result<Ended, Trouble> {
        let config = self.config.clone();
        let looked = background(move || super::copy_of_before(&config));
        // The disk of the backups may hang, which is no reason not to begin.
        let copy = timeout(COPY, looked).await.ok().and_then(Result::ok);
        let was_away = self.teams.wake_up(copy.flatten(), self.clock.now()).await;
        // What cannot be written now is told by the loops, and a doubt is no reason not to work.
        let was_away = was_away.unwrap_or(true);
        let misplaced = self.misplaced().await;
        for (flow, team) in self.teams.all() {
            if !misplaced.contains(&team.id) {
                self.index(team, &self.library(flow, team));
            }
        }
        let voice = self.client.cloned().map(Voice::new);
        let mut owner = None;
        if let Some(voice) = &voice {
            for (flow, team) in self.teams.all() {
                let worker = self.worker(voice, flow, team, was_away);
                self.deliver(team, &worker);
                if !misplaced.contains(&team.id) {
                    self.step(team, &worker, "uploads", NETWORK_QUIET, Worker::take_in);
                }
                owner.get_or_insert(worker.outlet);
            }
            for (flow, team) in self.teams.leaving() {
                let worker = self.worker(voice, flow, team, was_away);
                self.step(team, &worker, "messages", NETWORK_QUIET, Worker::follow);
            }
        } else {
            tracing::warn!("{NO_TOKEN}");
        }
        let receiver = voice.as_ref().map(|voice| self.receive(voice));
        self.keep(systemd, owner);
        self.look_after_the_machine();
        self.tell_others()?;
        self.back_up();
        self.carry_off(voice.as_ref());
        self.watch(systemd);

        systemd.ready();
        tracing::info!(
            message_id = events::SERVICE_READY.id,
            "storyline {} is at work",
            env!("CARGO_PKG_VERSION")
        );
        let told_to_stop = async {
            tokio::select! {
                () = shutdown.wait() => systemd.stopping(),
                () = self.over.wait() => {}
            }
            self.over.signal();
        };
        let (ended, ()) = tokio::join!(self.supervisor.run(), told_to_stop);
        let now = self.clock.now();
        let heard_at = receiver.map(|receiver| receiver.heard_at(now));
        self.teams.fall_asleep(heard_at, ended.is_ok(), now).await?;
        ended?;
        Ok(if shutdown.is_signalled() {
            Ended::Stopped
        } else {
            Ended::TeamsChanged
        })
    }
}

/// What is started, and kept by the supervisor.
impl Shift<'_> {
    /// The teams whose libraries lie where they must not, by what is on record: nothing there is indexed and nothing is put
    /// there, until another folder is named. The log, `check` and an alert say so. Of two that are in each other's way, the one
    /// that was there first goes on.
    async fn misplaced(&self) -> Vec<TeamId> {
        let (config, now) = (self.config.clone(), self.clock.now());
        let all: Vec<Team> = self
            .teams
            .all()
            .iter()
            .map(|(_, team)| team.clone())
            .collect();
        let judged = blocking(move || {
            let places = Places::of(&config);
            let before = |at: usize| all[..at].iter().map(|it| (&*it.name, &*it.library));
            let judge =
                |(at, team): (usize, &Team)| places.refuse_library(&team.library, before(at));
            all.iter().enumerate().map(judge).collect::<Vec<_>>()
        });
        // A thread that is not to be had is told by what comes next.
        let judged = judged.await.unwrap_or_default();
        let mut misplaced = Vec::new();
        for ((flow, team), complaint) in self.teams.all().iter().zip(judged) {
            let told = complaint.map(|complaint| {
                let Complaint { reason, remedy } = complaint;
                format!("Nothing is indexed: {reason}. To mend it, {remedy} (`storyline team set library=…`).")
            });
            if let Some(told) = &told {
                tracing::error!(task = "index", "{}: {told}", team.name);
                misplaced.push(team.id);
            }
            if let Err(error) = flow.condition(topic::PLACE, told, now).await {
                tracing::warn!(task = "index", "the alert is not on record: {error}");
            }
        }
        misplaced
    }

    fn library(&self, flow: &Flow, team: &Team) -> Library {
        let (cache, clock) = (self.cache.clone(), self.clock.clone());
        Library::new(flow.clone(), &team.library, cache, clock)
    }

    fn index(&self, team: &Team, library: &Library) {
        let library = library.clone();
        let (one, tick) = (library.clone(), self.heart.subscribe());
        self.start(Some(team), "index", QUIET, move |pulse| {
            indexer::run(one.clone(), tick.clone(), pulse)
        });
        let tick = self.heart.subscribe();
        self.start(Some(team), "examine", QUIET, move |pulse| {
            examiner::run(library.clone(), tick.clone(), pulse)
        });
    }

    fn worker(&self, voice: &Voice, flow: &Flow, team: &Team, was_away: bool) -> Worker {
        let desk = Desk::new(
            voice.clone(),
            self.config.messages.clone(),
            self.config.telegram.announce,
            self.config.telegram.admin_chat,
            team.home,
        );
        Worker {
            flow: flow.clone(),
            clock: self.clock.clone(),
            outlet: Arc::new(desk),
            studio: studio(team.library.clone(), self.cache.clone()),
            archive: archive(team.library.clone()),
            courier: Arc::new(Porter::new(voice.clone())),
            intake: intake(self.library(flow, team)),
            was_away,
            is_awake: Arc::default(),
        }
    }

    /// The loops that need a team's desk.
    fn deliver(&self, team: &Team, worker: &Worker) {
        self.step(team, worker, "plan", QUIET, Worker::plan);
        self.step(team, worker, "dispatch", NETWORK_QUIET, Worker::dispatch);
        self.step(team, worker, "messages", NETWORK_QUIET, Worker::follow);
        self.step(team, worker, "extras", NETWORK_QUIET, Worker::accompany);
        self.step(team, worker, "alerts", NETWORK_QUIET, Worker::tell);
    }

    /// One loop of a worker's.
    fn step<F>(
        &self,
        team: &Team,
        worker: &Worker,
        name: &'static str,
        longest_quiet: Duration,
        run: fn(Worker, Tick, Pulse) -> F,
    ) where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let (worker, tick) = (worker.clone(), self.heart.subscribe());
        self.start(Some(team), name, longest_quiet, move |pulse| {
            run(worker.clone(), tick.clone(), pulse)
        });
    }

    /// What people do, for all teams.
    fn receive(&self, voice: &Voice) -> Arc<Receiver> {
        let receiver = Arc::new(Receiver::new(
            voice.clone(),
            self.teams,
            &self.config.telegram,
            self.clock.clone(),
        ));
        let kept = Arc::clone(&receiver);
        self.start(None, receiver.task(), NETWORK_QUIET, move |pulse| {
            let receiver = Arc::clone(&kept);
            async move { receiver.run(&pulse).await }
        });
        receiver
    }

    /// What is put right, for all teams.
    fn keep(&self, systemd: &Systemd, owner: Option<Arc<dyn Outlet>>) {
        let keeper = Keeper {
            teams: self.teams.clone(),
            clock: self.clock.clone(),
            illness: self.illness.clone(),
            missing: owner.is_none().then_some(NO_TOKEN),
            in_memory: super::in_memory(self.config),
            owner,
            systemd: systemd.clone(),
            over: self.over.clone(),
        };
        let tick = self.heart.subscribe();
        self.start(None, "upkeep", NETWORK_QUIET, move |pulse| {
            keeper.clone().run(tick.clone(), pulse)
        });
    }

    /// The machine is one for all teams, and the box's own hears of it.
    fn look_after_the_machine(&self) {
        let all = self.teams.all().iter();
        let mut folders: Vec<PathBuf> = all.map(|(_, team)| team.library.clone()).collect();
        if let DatabaseUrl::Sqlite(database) = &self.config.database.url {
            folders.extend(database.parent().map(Path::to_owned));
        }
        let sentinel = Sentinel {
            board: Board::here(),
            folders,
            flow: self.teams.own().clone(),
            clock: self.clock.clone(),
        };
        let tick = self.heart.subscribe();
        self.start(None, "machine", QUIET, move |pulse| {
            sentinel.clone().run(tick.clone(), pulse)
        });
    }

    /// The second ways for alerts, and the heartbeat, if there are any.
    fn tell_others(&self) -> Result<(), Trouble> {
        let unset = |error: HttpError| Trouble::Network(error.to_string());
        if let Some(ways) = Ways::new(self.config).map_err(unset)? {
            let (teams, illness) = (self.teams.clone(), self.illness.clone());
            let (clock, tick) = (self.clock.clone(), self.heart.subscribe());
            self.start(None, "ways", NETWORK_QUIET, move |pulse| {
                let (teams, illness) = (teams.clone(), illness.clone());
                ways.clone()
                    .run(teams, illness, clock.clone(), tick.clone(), pulse)
            });
        }
        let (flow, clock) = (self.teams.own(), self.clock);
        let heartbeat = Heartbeat::new(self.config, self.health, flow, clock);
        if let Some(heartbeat) = heartbeat.map_err(unset)? {
            let tick = self.heart.subscribe();
            self.start(None, "heartbeat", NETWORK_QUIET, move |pulse| {
                heartbeat.clone().run(tick.clone(), pulse)
            });
        }
        Ok(())
    }

    /// The records are one for all teams; the box's own team says when its night is.
    fn back_up(&self) {
        let Some(backups) = super::backups(self.config) else {
            return;
        };
        let nightly = Nightly {
            backups,
            flow: self.teams.own().clone(),
            clock: self.clock.clone(),
        };
        let tick = self.heart.subscribe();
        self.start(None, "backup", BACKUP_QUIET, move |pulse| {
            nightly.clone().run(tick.clone(), pulse)
        });
    }

    /// What was backed up leaves the box, apart from what makes it: a stick that hangs delays no backup.
    fn carry_off(&self, voice: Option<&Voice>) {
        let flow = self.teams.own().clone();
        let Some(copies) = Copies::new(self.config, flow, voice.cloned()) else {
            return;
        };
        let (clock, tick) = (self.clock.clone(), self.heart.subscribe());
        self.start(None, "copies", BACKUP_QUIET, move |pulse| {
            copies.clone().run(clock.clone(), tick.clone(), pulse)
        });
    }

    fn watch(&self, systemd: &Systemd) {
        let (beating, flow) = (self.heart.clone(), self.teams.own().clone());
        // What another process wrote is seen here, and by nobody else.
        let edition = move || {
            let flow = flow.clone();
            async move { Some((flow.edition().await.ok()?, synchronised())) }
        };
        self.start(None, "heart", TICK * 3, move |pulse| {
            beating.clone().run(edition.clone(), pulse)
        });
        let (watched, tick) = (self.supervisor.clone(), self.heart.subscribe());
        let fed = systemd.clone();
        self.start(None, "watchdog", TICK * 3, move |pulse| {
            fed.clone()
                .feed_while_all_move(watched.clone(), tick.clone(), pulse)
        });
    }

    /// A task, of a team or of the whole box, kept by the supervisor and asked whether the store failed it.
    fn start<M, F>(&self, team: Option<&Team>, name: &'static str, longest_quiet: Duration, make: M)
    where
        M: Fn(Pulse) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let illness = self.illness.clone();
        let span = team.map_or_else(Span::none, |team| span_of(&team.name));
        self.supervisor.spawn(name, longest_quiet, move |pulse| {
            illness.clone().watch(make(pulse)).instrument(span.clone())
        });
    }
}
