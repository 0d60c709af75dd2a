//! A box in an office: a folder, a database, a chat with Ann, Ben and Cleo in it, and a clock that can be set.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use storyline::appliance::health::Health;
use storyline::appliance::{Appliance, Trouble, open_teams};
use storyline::config::{Config, Environment};
use storyline::domain::entry::Entry;
use storyline::flow::Flow;
use storyline::flow::survey::Queued;
use storyline::flow::teams::Teams;
use storyline::system::clock::Clock;
use storyline::system::shutdown::Shutdown;
use storyline::system::systemd::Systemd;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::address::free_address;
use crate::pretend::telegram::{PretendTelegram, Status};

pub(crate) const TEAM: i64 = -1_001_000_000_001;
pub(crate) const ANN: i64 = 11;
pub(crate) const BEN: i64 = 12;
pub(crate) const CLEO: i64 = 13;
pub(crate) const ZED: i64 = 99;

pub(crate) const WEBHOOK_PATH: &str = "/telegram/calls";
pub(crate) const WEBHOOK_SECRET: &str = "canary-of-the-webhook_0123456789";

/// The longest that anything may take here.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Office {
    pub telegram: PretendTelegram,
    pub clock: Clock,
    pub config: Config,
    /// Where the config was read from.
    pub file: PathBuf,
    folder: TempDir,
    running: Option<Running>,
}

struct Running {
    shutdown: Shutdown,
    teams: Teams,
    task: JoinHandle<()>,
}

/// How the office is furnished.
pub(crate) struct Plan {
    pub chat: Chat,
    pub posts_per_day: u32,
    pub repost_ttl_days: u32,
    pub dry_run: bool,
    /// Stories are announced, which else are sent in one call.
    pub announce: bool,
    /// Telegram calls the box, which else asks Telegram.
    pub webhook: bool,
}

pub(crate) enum Chat {
    Supergroup,
    Forum(i32),
    Channel,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            chat: Chat::Supergroup,
            posts_per_day: 3,
            repost_ttl_days: 30,
            dry_run: false,
            announce: true,
            webhook: false,
        }
    }
}

impl Office {
    /// Opens in the morning, at eight, with an empty library; stories go out at nine, one and five.
    pub(crate) async fn open() -> Self {
        Self::open_with(Plan::default()).await
    }

    pub(crate) async fn open_with(plan: Plan) -> Self {
        let mut office = Self::furnish(plan).await;
        office.start().await;
        office
    }

    /// All is in place, and the box is not switched on yet.
    pub(crate) async fn furnish(plan: Plan) -> Self {
        let telegram = PretendTelegram::start().await;
        for (id, name) in [(ANN, "Ann"), (BEN, "Ben"), (CLEO, "Cleo"), (ZED, "Zed")] {
            telegram.person(id, name);
            telegram.private_chat(id);
        }
        let mut thread = String::new();
        match plan.chat {
            Chat::Supergroup => telegram.supergroup(TEAM, "Team stories"),
            Chat::Forum(topic) => {
                telegram.forum(TEAM, "Team", &[(i64::from(topic), "Stories")]);
                thread = format!("thread = {topic}");
            }
            Chat::Channel => telegram.channel(TEAM, "Team channel"),
        }
        for person in [ANN, BEN, CLEO] {
            telegram.member(TEAM, person, Status::Member);
        }
        let webhook = if plan.webhook {
            let address = free_address();
            format!(
                "webhook_url = \"http://{address}{WEBHOOK_PATH}\"\nwebhook_listen = \"{address}\"\nwebhook_secret = \"{WEBHOOK_SECRET}\""
            )
        } else {
            String::new()
        };
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::create_dir(folder.path().join("library")).unwrap();
        let text = format!(
            "[library]\npath = \"{root}/library\"\ncache = \"{root}/cache\"\n[database]\nurl = \"sqlite:{root}/storyline.db\"\n\
             [telegram]\ntoken = \"{token}\"\napi_url = \"{url}\"\nchat = {TEAM}\nadmin_chat = {ANN}\nannounce = {announce}\n{thread}\n{webhook}\n\
             [team]\nname = \"Team\"\njitter_minutes = 0\nposts_per_day = {posts}\nrepost_ttl_days = {ttl}\ndry_run = {dry}\n",
            root = folder.path().display(),
            token = telegram.token(),
            url = telegram.url(),
            posts = plan.posts_per_day,
            ttl = plan.repost_ttl_days,
            announce = plan.announce,
            dry = plan.dry_run,
        );
        let file = folder.path().join("storyline.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), &Environment::default())
            .unwrap()
            .config;
        Self {
            telegram,
            file,
            clock: Clock::steerable("2027-01-04T08:00:00Z".parse().unwrap()),
            config,
            folder,
            running: None,
        }
    }

    /// Switches the box on.
    pub(crate) async fn start(&mut self) {
        // A box that was switched off a moment ago lets go of the database with its last thread.
        let deadline = tokio::time::Instant::now() + SOON;
        let appliance = loop {
            match Appliance::build(&self.config, self.clock.clone()).await {
                Ok(appliance) => break appliance,
                Err(Trouble::AlreadyRunning(_)) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(trouble) => panic!("{trouble}"),
            }
        };
        let shutdown = Shutdown::new();
        let teams = appliance.teams().clone();
        let health = Health::new(&self.config, self.clock.clone());
        let task = tokio::spawn({
            let shutdown = shutdown.clone();
            async move {
                appliance
                    .run_until_stopped(shutdown, Systemd::new(), &health)
                    .await
                    .unwrap()
            }
        });
        self.running = Some(Running {
            shutdown,
            teams,
            task,
        });
    }

    /// Switches it off in good order.
    pub(crate) async fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.shutdown.signal();
        running.task.await.unwrap();
    }

    pub(crate) fn library(&self) -> std::path::PathBuf {
        self.folder.path().join("library")
    }

    /// Somebody drops a picture of their own into the folder.
    pub(crate) fn drop_picture(&self, path: &str) {
        drop_picture(&self.library(), path);
    }

    /// Waits until so many media may be planned.
    pub(crate) async fn wait_until_ready(&self, media: u64) {
        self.wait_until("media are ready", || async {
            self.flow().status(self.now()).await.unwrap().ready >= media
        })
        .await;
    }

    /// How the delivery of a story stands; empty if it has ended.
    pub(crate) async fn state_of(&self, number: u64) -> String {
        let queue = self.flow().queue().await.unwrap();
        let story = queue.iter().find(|story| story.number == number);
        story
            .map(|story| story.state.to_string())
            .unwrap_or_default()
    }

    /// Waits until it stands so.
    pub(crate) async fn wait_for_state(&self, number: u64, state: &str) {
        self.wait_until(&format!("#{number} is {state}"), || async {
            self.state_of(number).await == state
        })
        .await;
    }

    /// Waits until the queue holds so many planned stories.
    pub(crate) async fn wait_until_planned(&self, stories: usize) -> Vec<Queued> {
        self.wait_until("stories are planned", || async {
            self.flow().queue().await.unwrap().len() >= stories
        })
        .await;
        self.flow().queue().await.unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// It is this time of the first day now, or of a later one (`"+1 09:00"`). Whoever waits for a time hears of it.
    pub(crate) fn it_is(&self, time: &str) {
        let (days, time) = time.split_once(' ').unwrap_or(("+0", time));
        let days: i64 = days.parse().unwrap();
        let at: Timestamp = format!("2027-01-04T{time}:00Z").parse().unwrap();
        let at = at + SignedDuration::from_hours(24 * days);
        let passed = at.duration_since(self.now());
        self.telegram
            .advance(Duration::try_from(passed).unwrap_or_default());
        self.clock.set(at);
        self.nudge();
    }

    pub(crate) fn nudge(&self) {
        if let Some(running) = &self.running {
            let all = running.teams.all().iter();
            all.for_each(|(flow, _)| flow.nudges.everybody());
        }
    }

    pub(crate) fn flow(&self) -> &Flow {
        self.teams().own()
    }

    /// The teams for which the box was switched on.
    pub(crate) fn teams(&self) -> &Teams {
        &self.running.as_ref().expect("the box is on").teams
    }

    /// A second process beside the daemon, as the command line is.
    pub(crate) async fn beside(&self) -> Flow {
        self.teams_beside().await.own().clone()
    }

    pub(crate) async fn teams_beside(&self) -> Teams {
        open_teams(&self.config, self.now()).await.unwrap()
    }

    /// A folder beside the library.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(crate) async fn history(&self) -> Vec<Entry> {
        self.flow().history(1000).await.unwrap()
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("storyline.db")
    }

    /// Waits for a fact of the records.
    pub(crate) async fn wait_until<F: Future<Output = bool>>(
        &self,
        what: &str,
        fact: impl Fn() -> F,
    ) {
        // By a clock that no test turns.
        let deadline = std::time::Instant::now() + SOON;
        while !fact().await {
            assert!(
                std::time::Instant::now() < deadline,
                "waited in vain until {what}\n{}",
                self.telegram.dump()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Time passes for whatever rests, in no time, until this is so; the time of day stands. A call that is under way is
    /// waited for, or it would be given up.
    pub(crate) async fn pass_until(&self, what: &str, fact: impl Fn() -> bool) {
        const STEP: Duration = Duration::from_secs(3);
        self.wait_until(what, async || {
            let calls = self.telegram.calls();
            if calls.iter().all(|call| call.outcome != "…") {
                tokio::time::pause();
                tokio::time::advance(STEP).await;
                tokio::time::resume();
            }
            fact()
        })
        .await;
    }

    /// Waits until the history has so many entries.
    pub(crate) async fn wait_for_history(&self, entries: usize) -> Vec<Entry> {
        self.wait_until("the history is long enough", || async {
            self.history().await.len() >= entries
        })
        .await;
        self.history().await
    }

    /// Closes the office: the box ends well, and Telegram had nothing to complain of.
    pub(crate) async fn close(mut self) {
        self.stop().await;
        self.telegram.assert_no_unexpected_calls();
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.task.abort();
        }
    }
}

/// A picture that is like no other, at this path.
pub(crate) fn drop_picture(library: &Path, path: &str) {
    let seed = blake3::hash(path.as_bytes());
    let [red, green, blue] = [seed.as_bytes()[0], seed.as_bytes()[1], seed.as_bytes()[2]];
    let picture = image::RgbImage::from_fn(1080, 1920, |x, y| {
        image::Rgb([red ^ (x / 90) as u8, green ^ (y / 160) as u8, blue])
    });
    let target = library.join(path);
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    let format = image::ImageFormat::from_path(&target).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    std::fs::write(&target, bytes.into_inner()).unwrap();
}

impl Office {
    /// Closes the office, after so many messages of stories in the chat and no more.
    pub(crate) async fn close_with_messages(self, messages: usize) {
        assert_eq!(
            self.telegram.messages(TEAM).len(),
            messages,
            "{}",
            self.telegram.dump()
        );
        self.close().await;
    }

    /// Closes the office without a look at Telegram.
    pub(crate) async fn stop_only(mut self) {
        self.stop().await;
    }
}
