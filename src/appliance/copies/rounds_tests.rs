use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::backup::copies::age::make_pair;
use crate::backup::{Backups, Reason};
use crate::config::{Config, Environment};
use crate::domain::copy::Destination;
use crate::domain::team::TeamSettings;
use crate::flow::{Flow, Store};
use crate::system::nudge::Heart;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::Supervisor;

/// While it sends, it may be quiet for longer.
const QUIET: Duration = Duration::from_secs(60);

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

    /// The loop is there, and waits.
    async fn work(&self, shutdown: &Shutdown) -> Supervisor {
        let supervisor = Supervisor::new(shutdown.clone());
        let copies = Copies::new(&self.config, self.flow.clone(), None).unwrap();
        let (clock, tick) = (self.clock.clone(), self.heart.subscribe());
        supervisor.spawn("copies", QUIET, move |pulse| {
            copies.clone().run(clock.clone(), tick.clone(), pulse)
        });
        let beat = || supervisor.states()[0].last_beat;
        let before = beat();
        self.until("the loop begins", async || beat() > before)
            .await;
        supervisor
    }

    fn back_up(&self, at: &str) {
        let at = at.parse().unwrap();
        self.backups.create(Reason::Nightly, at).unwrap();
    }

    fn set(&self, at: &str) {
        self.clock.set(at.parse().unwrap());
        self.heart.beat();
    }

    /// It is so late now, and the loop has looked and done what was to be done.
    async fn come(&self, working: &Supervisor, at: &str) {
        let before = working.states()[0].last_beat;
        self.set(at);
        self.until("the loop waits again", async || {
            let now = &working.states()[0];
            now.last_beat > before && now.quiet_limit == QUIET
        })
        .await;
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
    let first = Shutdown::new();
    let working = bed.work(&first).await;
    bed.come(&working, "2026-11-21T12:02:00Z").await;
    assert_eq!(bed.on_the_stick(), 0, "there is no backup");
    bed.back_up("2026-11-21T12:04:00Z");
    bed.come(&working, "2026-11-21T12:04:00Z").await;
    assert_eq!((bed.on_the_stick(), bed.runs().await.len()), (1, 1));
    bed.come(&working, "2026-11-21T12:05:00Z").await;
    assert_eq!(bed.runs().await.len(), 1, "it is there already");

    let drawer = bed.folder.path().join("drawer");
    fs::rename(bed.stick(), &drawer).unwrap();
    bed.back_up("2026-11-22T03:00:00Z");
    for at in [
        "2026-11-22T03:00:00Z",
        "2026-11-22T03:00:30Z",
        "2026-11-22T05:00:00Z",
    ] {
        bed.come(&working, at).await;
        assert_eq!(bed.runs().await.len(), 2, "it is told once");
    }
    assert!(!bed.stick().exists());
    bed.come(&working, "2026-11-24T14:03:00Z").await;
    assert_eq!(bed.alert().await, None, "not yet three nights");
    bed.come(&working, "2026-11-24T14:05:00Z").await;
    let told = bed.alert().await.unwrap();
    assert!(told.contains("for 3 nights: there is no folder"), "{told}");

    // Another start knows what is there.
    first.signal();
    working.run().await.unwrap();
    let working = bed.work(&Shutdown::new()).await;
    bed.come(&working, "2026-11-24T14:10:00Z").await;
    assert!(bed.alert().await.is_some());
    fs::rename(&drawer, bed.stick()).unwrap();
    bed.come(&working, "2026-11-24T14:10:30Z").await;
    assert_eq!((bed.on_the_stick(), bed.alert().await), (2, None));

    // Another stick in its place has not got it.
    fs::rename(bed.stick(), &drawer).unwrap();
    fs::create_dir(bed.stick()).unwrap();
    bed.come(&working, "2026-11-24T14:11:00Z").await;
    assert_eq!(bed.on_the_stick(), 1);
}

/// The bucket's server is away, and the copy to it is tried by the hour; that is nothing to the stick.
#[tokio::test]
async fn each_place_fails_on_its_own_and_is_tried_by_the_hour() {
    let address = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let bed = Bed::at_noon(&bucket_at(address)).await;
    let working = bed.work(&Shutdown::new()).await;
    bed.back_up("2026-11-21T12:04:00Z");
    bed.come(&working, "2026-11-21T12:04:00Z").await;
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

    let server = std::net::TcpListener::bind(address).unwrap();
    server.set_nonblocking(true).unwrap();
    let was_asked = || server.accept().is_ok();
    bed.come(&working, "2026-11-21T12:30:00Z").await;
    assert!(!was_asked(), "not before the hour");
    drop(server);
    bed.come(&working, "2026-11-21T13:05:00Z").await;
    assert_eq!(bed.runs().await.len(), 1, "the same is told once");
    let name = format!("http://{address}/bucket");
    let copied = bed
        .flow
        .copied(Destination::Bucket, &name, bed.clock.now())
        .await;
    let failed = copied.unwrap().failed.unwrap();
    assert_eq!(failed.at.to_string(), "2026-11-21T13:05:00Z");
}

/// The disk of the records is full, or read-only: the copy would be sent again and again.
#[tokio::test]
async fn what_cannot_be_put_on_record_is_not_sent() {
    let bed = Bed::at_noon("").await;
    bed.back_up("2026-11-21T12:04:00Z");
    let copies = Copies::new(&bed.config, bed.flow.clone(), None).unwrap();
    let newest = copies.newest("2026-11-21T12:05:00Z".parse().unwrap()).await;
    let newest = newest.unwrap().unwrap();
    let records = rusqlite::Connection::open(bed.folder.path().join("storyline.db")).unwrap();
    let refuse =
        "CREATE TRIGGER full BEFORE INSERT ON state BEGIN SELECT RAISE(ABORT, 'full'); END;";
    records.execute_batch(refuse).unwrap();
    let sent = copies.send_everywhere(&newest, bed.clock.now()).await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(bed.on_the_stick(), 0);
    records.execute_batch("DROP TRIGGER full").unwrap();
    let sent = copies.send_everywhere(&newest, bed.clock.now()).await;
    assert_eq!((sent.unwrap().len(), bed.on_the_stick()), (1, 1));
}

/// The server takes the connection and never answers.
#[tokio::test]
async fn an_upload_does_not_keep_the_service_from_stopping() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let bed = Bed::at_noon(&bucket_at(address)).await;
    let shutdown = Shutdown::new();
    let working = bed.work(&shutdown).await;
    bed.back_up("2026-11-21T12:04:00Z");
    bed.set("2026-11-21T12:04:00Z");
    let upload = tokio::time::timeout(PATIENCE, server.accept()).await;
    let _upload = upload.unwrap().unwrap();
    shutdown.signal();
    let stopped = tokio::time::timeout(Duration::from_secs(20), working.run());
    stopped.await.unwrap().unwrap();
    let name = format!("http://{address}/bucket");
    let copied = bed
        .flow
        .copied(Destination::Bucket, &name, bed.clock.now())
        .await;
    let copied = copied.unwrap();
    assert_eq!(copied.backup, None);
    assert!(copied.failed.unwrap().why.contains("cut off"));
}

fn bucket_at(address: std::net::SocketAddr) -> String {
    format!(
        "backup.s3_url = \"http://{address}/bucket\"\nbackup.s3_access_key = \"key\"\nbackup.s3_secret_key = \"canary\"\n"
    )
}
