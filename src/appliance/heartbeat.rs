//! A heartbeat outwards: an address that is called while all is well. A box that is dead or ill calls nobody, and whoever expects
//! the call tells its owner.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;

use super::health::Health;
use crate::config::Config;
use crate::doctor::State;
use crate::domain::way::Way;
use crate::flow::Flow;
use crate::system::clock::Clock;
use crate::system::http_client::{Body, HttpClient, HttpError, Limits};
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// What a call may cost.
const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    time: Duration::from_secs(20),
};
/// The tick comes a little late, and a beat is not to be a whole tick later for it.
const HALF_A_TICK: SignedDuration = SignedDuration::from_secs(15);

/// What calls has at hand.
#[derive(Clone)]
pub(super) struct Heartbeat {
    http: HttpClient,
    url: Url,
    /// What is called in an illness, if anything is.
    fail: Option<Url>,
    to: String,
    every: SignedDuration,
    health: Health,
    flow: Flow,
    clock: Clock,
}

impl Heartbeat {
    /// One, if it is wanted.
    ///
    /// # Errors
    /// If the network library cannot be set up.
    pub(super) fn new(
        config: &Config,
        health: &Health,
        flow: &Flow,
        clock: &Clock,
    ) -> Result<Option<Self>, HttpError> {
        let alerts = &config.alerts;
        let Some(address) = &alerts.heartbeat else {
            return Ok(None);
        };
        let mut fail = address.url().clone();
        if let Ok(mut parts) = fail.path_segments_mut() {
            parts.pop_if_empty().push("fail");
        }
        Ok(Some(Self {
            http: HttpClient::new(&config.network)?,
            url: address.url().clone(),
            fail: alerts.heartbeat_fail.then_some(fail),
            to: address.host().to_owned(),
            every: SignedDuration::from_mins(alerts.heartbeat_minutes.into()),
            health: health.clone(),
            flow: flow.clone(),
            clock: clock.clone(),
        }))
    }

    /// Calls until it is time to stop; a task of the supervisor.
    ///
    /// # Errors
    /// None; the type is the supervisor's.
    pub(super) async fn run(self, mut tick: Tick, pulse: Pulse) -> Result<(), BoxError> {
        let (mut called_at, mut known): (Option<Timestamp>, _) = (None, None);
        loop {
            pulse.beat();
            tokio::select! {
                () = pulse.stopping() => return Ok(()),
                _ = tick.wait() => {}
            }
            let now = self.clock.now();
            // In either direction: a clock that was set back must not put it off.
            let since = called_at.map(|at| now.duration_since(at).abs() + HALF_A_TICK);
            if since.is_some_and(|since| since < self.every) {
                continue;
            }
            called_at = Some(now);
            let is_well = self.health.answer().await.state != State::Problem;
            let url = match (is_well, &self.fail) {
                (true, _) => self.url.clone(),
                (false, Some(fail)) => fail.clone(),
                (false, None) => continue,
            };
            pulse.beat();
            let answer = self.http.call(url, Body::Nothing, LIMITS).await;
            let failed = match answer {
                Ok(answer) if answer.is_success() => None,
                Ok(answer) => Some(format!("the server answered {}", answer.status)),
                Err(error) => Some(error.to_string()),
            };
            // On record only where it changes: an idle box writes nothing.
            if known.replace(failed.is_none()) != Some(failed.is_none()) {
                self.note(failed, now).await;
            }
        }
    }

    async fn note(&self, failed: Option<String>, now: Timestamp) {
        let noted = async {
            let mut record = self.flow.way(Way::Heartbeat, &self.to).await?;
            match failed {
                None => {
                    record.worked_at = Some(now);
                    record.failed = None;
                }
                Some(why) => {
                    tracing::warn!("the heartbeat does not get out to {}: {why}", self.to);
                    record.note_failed(why, now);
                }
            }
            self.flow.note_way(Way::Heartbeat, &record).await
        };
        if let Err(error) = noted.await {
            tracing::debug!("how the heartbeat went is not recorded: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use axum::Router;
    use axum::extract::State as Held;
    use axum::http::Uri;
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Environment;
    use crate::domain::team::TeamSettings;
    use crate::flow::Store;
    use crate::system::lock::lock;
    use crate::system::nudge::Heart;
    use crate::system::shutdown::Shutdown;
    use crate::system::supervisor::Supervisor;

    type Calls = Arc<Mutex<Vec<String>>>;

    async fn called(Held(calls): Held<Calls>, uri: Uri) {
        lock(&calls).push(uri.to_string());
    }

    async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_so().await {
            assert!(Instant::now() < deadline, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn it_is_heard_while_all_is_well_and_no_more_when_it_is_not() {
        let calls = Calls::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(called).with_state(calls.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let database = folder.path().join("s.db");
        std::fs::write(&path, "").unwrap();
        let loaded = Config::load(
            Some(&path),
            &Environment::from_iter([
                (
                    "STORYLINE_ALERTS_HEARTBEAT_URL",
                    format!("http://{address}/ping/?key=1"),
                ),
                (
                    "STORYLINE_DATABASE_URL",
                    format!("sqlite:{}", database.display()),
                ),
            ]),
        );
        let mut config = loaded.unwrap().config;
        let now: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
        let clock = Clock::steerable(now);
        let store = Store::open_sqlite(&database).unwrap();
        let flow = Flow::open(store, TeamSettings::default(), now)
            .await
            .unwrap();
        for tells in [false, true] {
            config.alerts.heartbeat_fail = tells;
            let health = Health::new(&config, clock.clone());
            let heart = Heart::new(clock.clone());
            let shutdown = Shutdown::new();
            let supervisor = Supervisor::new(shutdown.clone());
            let beating = Heartbeat::new(&config, &health, &flow, &clock);
            let beating = beating.unwrap().unwrap();
            let tick = heart.subscribe();
            supervisor.spawn("heartbeat", Duration::from_secs(60), move |pulse| {
                beating.clone().run(tick.clone(), pulse)
            });
            let heard = || std::mem::take(&mut *lock(&calls));
            let look = async || {
                // It may not wait for the tick yet, and hears the next one then.
                heart.beat();
                !lock(&calls).is_empty()
            };
            until("the first", look).await;
            assert_eq!(heard(), ["/ping/?key=1"]);
            for _ in 0..9 {
                heart.beat();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(heard().is_empty(), "its time has not come");

            health.ill("the disk is full");
            clock.advance(SignedDuration::from_mins(5));
            if tells {
                until("the failure", look).await;
                assert_eq!(heard(), ["/ping/fail?key=1"]);
            } else {
                for _ in 0..20 {
                    heart.beat();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                assert!(heard().is_empty(), "an ill box says nothing");
            }
            shutdown.signal();
            supervisor.run().await.unwrap();
            clock.advance(SignedDuration::from_mins(5));
        }
        let record = flow.way(Way::Heartbeat, "127.0.0.1").await.unwrap();
        assert!(record.worked_at.is_some() && record.failed.is_none());
    }
}
