use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::backup::copies::age::make_pair;
use crate::backup::{Backups, Reason};
use crate::config::{Config, Environment};
use crate::domain::team::TeamSettings;
use crate::flow::{Flow, Store};
use crate::system::nudge::Heart;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::Supervisor;

/// A box whose backups go to a stick, from noon on.
struct Bed {
    folder: tempfile::TempDir,
    clock: Clock,
    heart: Heart,
    flow: Flow,
    config: Config,
    backups: Backups,
}

impl Bed {
    async fn at_noon(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display();
        let settings = folder.path().join("storyline.toml");
        let public = make_pair().await.unwrap().public;
        let text = format!(
            "database.url = \"sqlite:{root}/storyline.db\"\nbackup.encrypt_for = \"{public}\"\n\
             backup.copy_to = \"{root}/stick\"\n{more}"
        );
        fs::write(&settings, text).unwrap();
        let loaded = Config::load(Some(&settings), &Environment::default()).unwrap();
        let clock = Clock::steerable("2026-11-21T12:00:00Z".parse().unwrap());
        let store = Store::open_sqlite(&folder.path().join("storyline.db")).unwrap();
        let flow = Flow::open(store, TeamSettings::default(), clock.now())
            .await
            .unwrap();
        fs::create_dir(folder.path().join("stick")).unwrap();
        Self {
            heart: Heart::new(clock.clone()),
            backups: crate::appliance::backups(&loaded.config).unwrap(),
            config: loaded.config,
            folder,
            clock,
            flow,
        }
    }

    fn work(&self) -> Supervisor {
        self.work_until(Shutdown::new())
    }

    fn work_until(&self, shutdown: Shutdown) -> Supervisor {
        let supervisor = Supervisor::new(shutdown);
        let copies = Copies::new(&self.config, self.flow.clone(), None).unwrap();
        let (clock, tick) = (self.clock.clone(), self.heart.subscribe());
        supervisor.spawn("copies", Duration::from_secs(60), move |pulse| {
            copies.clone().run(clock.clone(), tick.clone(), pulse)
        });
        supervisor
    }

    /// A backup is made so late, and the loop has a moment to look.
    async fn backed_up(&self, at: &str) {
        let at = at.parse().unwrap();
        self.backups.create(Reason::Nightly, at).unwrap();
        self.come(&at.to_string()).await;
    }

    async fn come(&self, at: &str) {
        self.clock.set(at.parse().unwrap());
        self.heart.beat();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn stick(&self) -> PathBuf {
        self.folder.path().join("stick")
    }

    fn on_the_stick(&self) -> usize {
        let is_whole = |name: &str| !name.starts_with(".storyline");
        let names = fs::read_dir(self.stick()).into_iter().flatten();
        names
            .filter(|entry| is_whole(&entry.as_ref().unwrap().file_name().to_string_lossy()))
            .count()
    }

    async fn runs(&self) -> Vec<Run> {
        let mut runs = self.flow.runs(50).await.unwrap();
        runs.retain(|run| run.job == "copy");
        runs
    }

    async fn alert(&self) -> Option<String> {
        let alerts = self.flow.alerts().await.unwrap();
        let mut alerts = alerts.into_iter();
        let found = alerts.find(|alert| alert.topic == topic::BACKUP_COPY);
        found.map(|alert| alert.text)
    }
}

#[tokio::test]
async fn a_stick_that_comes_back_is_caught_up_and_one_that_stays_away_is_told_of() {
    let bed = Bed::at_noon("").await;
    let working = bed.work();
    tokio::task::yield_now().await;
    bed.backed_up("2026-11-21T12:04:00Z").await;
    bed.until("the first copy", async || bed.on_the_stick() == 1)
        .await;
    bed.until("a run", async || bed.runs().await.len() == 1)
        .await;
    bed.come("2026-11-21T12:05:00Z").await;
    assert_eq!(bed.runs().await.len(), 1, "it is there already");

    let drawer = bed.folder.path().join("drawer");
    fs::rename(bed.stick(), &drawer).unwrap();
    bed.backed_up("2026-11-22T03:00:00Z").await;
    bed.until("it is missed", async || bed.runs().await.len() == 2)
        .await;
    for at in ["2026-11-22T03:00:30Z", "2026-11-22T05:00:00Z"] {
        bed.come(at).await;
    }
    let runs = bed.runs().await;
    assert_eq!(runs.len(), 2, "it is told once: {runs:?}");
    assert!(!bed.stick().exists());
    assert_eq!(bed.alert().await, None);
    bed.come("2026-11-24T14:03:00Z").await;
    assert_eq!(bed.alert().await, None, "not yet three nights");
    bed.come("2026-11-24T14:05:00Z").await;
    bed.until("an alert", async || bed.alert().await.is_some())
        .await;
    let told = bed.alert().await.unwrap();
    assert!(told.contains("for 3 nights: there is no folder"), "{told}");

    // Another start knows what is there.
    drop(working);
    let _working = bed.work();
    tokio::task::yield_now().await;
    bed.come("2026-11-24T14:10:00Z").await;
    fs::rename(&drawer, bed.stick()).unwrap();
    bed.come("2026-11-24T14:10:30Z").await;
    bed.until("it is caught up", async || bed.on_the_stick() == 2)
        .await;
    bed.until("it is over", async || bed.alert().await.is_none())
        .await;
}

/// The bucket's server is away, and the copy to it is tried by the hour; that is nothing to the stick.
#[tokio::test]
async fn each_place_fails_on_its_own_and_is_tried_by_the_hour() {
    let address = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let bed = Bed::at_noon(&format!(
        "backup.s3_url = \"http://{address}/bucket\"\nbackup.s3_access_key = \"key\"\nbackup.s3_secret_key = \"canary\"\n"
    ))
    .await;
    let _working = bed.work();
    tokio::task::yield_now().await;
    bed.backed_up("2026-11-21T12:04:00Z").await;
    bed.until("a run", async || bed.runs().await.len() == 1)
        .await;
    assert_eq!(bed.on_the_stick(), 1);
    let run = bed.runs().await.remove(0);
    assert_eq!(
        run.detail,
        "2026-11-21T120400Z_nightly: to the folder, not to the bucket"
    );
    let error = run.error.unwrap();
    assert!(
        error.contains("the bucket: the server cannot be reached"),
        "{error}"
    );
    assert!(
        !error.contains("canary") && !error.contains("X-Amz"),
        "{error}"
    );

    bed.come("2026-11-21T12:30:00Z").await;
    assert_eq!(bed.runs().await.len(), 1, "not before the hour");
    bed.come("2026-11-21T13:05:00Z").await;
    bed.until("again", async || bed.runs().await.len() == 2)
        .await;
    let runs = bed.runs().await;
    let again = runs.iter().max_by_key(|run| run.started_at).unwrap();
    assert_eq!(
        again.detail,
        "2026-11-21T120400Z_nightly: not to the bucket"
    );
}

/// The server takes the connection and never answers.
#[tokio::test]
async fn an_upload_does_not_keep_the_service_from_stopping() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let bed = Bed::at_noon(&format!(
        "backup.s3_url = \"http://{address}/bucket\"\nbackup.s3_access_key = \"key\"\nbackup.s3_secret_key = \"canary\"\n"
    ))
    .await;
    let shutdown = Shutdown::new();
    let working = bed.work_until(shutdown.clone());
    tokio::task::yield_now().await;
    bed.backed_up("2026-11-21T12:04:00Z").await;
    let _upload = server.accept().await.unwrap();
    let began = Instant::now();
    shutdown.signal();
    working.run().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    let name = format!("http://{address}/bucket");
    let copied = bed.flow.copied(Destination::Bucket, &name).await.unwrap();
    assert_eq!(copied.unwrap().backup, None);
}
