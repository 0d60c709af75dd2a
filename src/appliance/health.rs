//! How the service is, for whoever asks by HTTP: on a socket beside it, and on a port if the owner wants that.
//! `/health` answers 200 with all that a check finds, or 503 if a problem is among it; `/metrics` is Prometheus' text.

mod metrics;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State as Held;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::config::{Config, Environment};
use crate::doctor::{self, Finding, Findings, Service, State};
use crate::flow::teams::Teams;
use crate::system::background::background;
use crate::system::clock::Clock;
use crate::system::http;
use crate::system::lock::lock;
use crate::system::nudge::TICK;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::Supervisor;

/// Where systemd has a place for it.
const RUNTIME: &str = "RUNTIME_DIRECTORY";
/// The same, for whoever is not the service.
const USUAL: &str = "/run/storyline";
/// How long a look may take: `storyline check` waits a little longer.
const PATIENCE: Duration = Duration::from_secs(4);
/// What the subject of a task's finding is.
pub const TASK: &str = "task";

/// Where the service answers, if it was given a place; `None` if it was not.
#[must_use]
pub fn own_socket(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.get(RUNTIME)?.split(':').next()?;
    Some(Path::new(folder).join("health.sock"))
}

/// Where a service is to be asked.
#[must_use]
pub fn socket(environment: &Environment) -> PathBuf {
    own_socket(environment).unwrap_or_else(|| Path::new(USUAL).join("health.sock"))
}

/// What `/health` answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// How the worst of it is.
    pub state: State,
    /// The version that runs.
    pub version: String,
    /// The database it works with, without a password.
    pub database: String,
    /// For how long it has run, in seconds.
    pub up_seconds: u64,
    /// When the newest backup was made, if there is one.
    pub backup_at: Option<Timestamp>,
    /// All of it.
    pub findings: Vec<Finding>,
}

/// What can be asked at the time. Clones share it.
#[derive(Clone)]
pub struct Health {
    config: Arc<Config>,
    clock: Clock,
    began: Instant,
    sight: Arc<Mutex<Sight>>,
    looks: Arc<Semaphore>,
}

/// What is in sight.
#[derive(Clone, Default)]
enum Sight {
    /// Nothing has begun.
    #[default]
    Nothing,
    /// The records cannot be worked with, for this reason.
    Ill(String),
    /// Everything.
    Work(Teams, Supervisor),
}

impl Health {
    /// Nothing has begun yet.
    #[must_use]
    pub fn new(config: &Config, clock: Clock) -> Self {
        Self {
            config: Arc::new(config.clone()),
            clock,
            began: Instant::now(),
            sight: Arc::default(),
            looks: Arc::new(Semaphore::new(1)),
        }
    }

    pub(super) fn ill(&self, reason: &str) {
        *lock(&self.sight) = Sight::Ill(reason.to_owned());
    }

    pub(super) fn works(&self, teams: &Teams, supervisor: &Supervisor) {
        *lock(&self.sight) = Sight::Work(teams.clone(), supervisor.clone());
    }

    /// Answers whoever asks, until `closing` is signalled. That nobody can ask is told in the log, and stops nothing.
    pub async fn serve(&self, socket: Option<&Path>, closing: &Shutdown) {
        let at_port = async {
            if let Some(address) = self.config.health.listen {
                // The network, and the address with it, may come later.
                let mut told = false;
                loop {
                    match TcpListener::bind(address).await {
                        Ok(listener) => return http::serve(listener, self.router(), closing).await,
                        Err(_) if told => {}
                        Err(error) => tracing::error!("nobody can ask at {address}: {error}"),
                    }
                    told = true;
                    tokio::select! {
                        () = closing.wait() => return,
                        () = tokio::time::sleep(TICK) => {}
                    }
                }
            }
        };
        let at_socket = async {
            if let Some(path) = socket {
                match bind(path) {
                    Ok(listener) => http::serve(listener, self.router(), closing).await,
                    Err(error) => tracing::error!("nobody can ask at {}: {error}", path.display()),
                }
            }
        };
        tokio::join!(at_port, at_socket);
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/health", get(health))
            .route("/metrics", get(metrics::metrics))
            .with_state(self.clone())
    }

    /// One look at a time, on a thread of its own: a disk may hang, and holds up nobody but whoever asks.
    pub(super) async fn answer(&self) -> Answer {
        let hangs = |why: &str| {
            let mut findings = Findings::default();
            let look = "look at the disks and shares that the library and the backups lie on";
            findings.problem("disk", why, Some(look));
            self.tell(&findings)
        };
        let Ok(permit) = timeout(PATIENCE, Arc::clone(&self.looks).acquire_owned()).await else {
            return hangs("an earlier look has not come back: a disk may hang");
        };
        let health = self.clone();
        let runtime = Handle::current();
        let look = background(move || {
            let answer = runtime.block_on(health.look_around());
            drop(permit);
            answer
        });
        match timeout(PATIENCE, look).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(cut_off)) => hangs(&cut_off.to_string()),
            Err(_) => hangs("a look has not come back: a disk may hang"),
        }
    }

    async fn look_around(&self) -> Answer {
        let mut findings = Findings::default();
        let sight = lock(&self.sight).clone();
        match sight {
            Sight::Nothing => findings.warning("service", "it is starting", "wait a moment"),
            Sight::Ill(reason) => findings.problem("database", reason, None),
            Sight::Work(teams, supervisor) => {
                self.look(&mut findings, &teams).await;
                tasks(&mut findings, &supervisor);
            }
        }
        let now = self.clock.now();
        let backup_at = super::backups(&self.config)
            .and_then(|backups| doctor::backups(&mut findings, &backups, now));
        Answer {
            backup_at,
            ..self.tell(&findings)
        }
    }

    fn tell(&self, findings: &Findings) -> Answer {
        Answer {
            backup_at: None,
            state: findings.worst(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database: self.config.database.url.to_string(),
            up_seconds: self.began.elapsed().as_secs(),
            findings: findings.all().to_vec(),
        }
    }

    async fn look(&self, findings: &mut Findings, teams: &Teams) {
        let now = self.clock.now();
        match doctor::look(findings, &self.config, teams, Service::Itself, now).await {
            Ok(all) => doctor::desk(findings, &self.config.telegram, &all),
            Err(error) => findings.problem("database", error.to_string(), None),
        }
    }
}

async fn health(Held(health): Held<Health>) -> Response {
    let answer = health.answer().await;
    let code = match answer.state {
        State::Problem => StatusCode::SERVICE_UNAVAILABLE,
        State::Ok | State::Note | State::Warning => StatusCode::OK,
    };
    match serde_json::to_string_pretty(&answer) {
        Ok(text) => (code, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The tasks that have failed since the start, or do not move.
fn tasks(findings: &mut Findings, supervisor: &Supervisor) {
    let stuck = supervisor.stuck(Instant::now());
    for one in &stuck {
        let told = format!("`{}` has not moved for {} s", one.name, one.quiet.as_secs());
        findings.problem(TASK, told, Some("the watchdog starts the service anew"));
    }
    for task in supervisor.states().iter().filter(|task| task.restarts > 0) {
        let told = format!(
            "`{}` failed {} times since the start, at last: {}",
            task.name,
            task.restarts,
            task.last_error.as_deref().unwrap_or("for no known reason")
        );
        let more = format!("`journalctl -u storyline TASK={}` tells more", task.name);
        findings.note(TASK, told, Some(&more));
    }
}

/// For the service's user, its group and root.
fn bind(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o660))?;
    Ok(listener)
}
