//! How the service is, for whoever asks by HTTP: on a socket beside it, and on a port if the owner wants that.
//! `/health` answers 200 with all that a check finds, or 503 if a problem is among it; `/metrics` is Prometheus' text.

mod metrics;

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State as Held;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener};
use tokio::time::Instant;

use crate::config::{Config, Environment};
use crate::doctor::{self, Finding, Findings, Service, State};
use crate::flow::teams::Teams;
use crate::system::clock::Clock;
use crate::system::http;
use crate::system::lock::lock;
use crate::system::shutdown::Shutdown;
use crate::system::supervisor::Supervisor;

/// Where systemd has a place for it.
const RUNTIME: &str = "RUNTIME_DIRECTORY";
/// The same, for whoever is not the service.
const USUAL: &str = "/run/storyline";
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
                match listen(address).await {
                    Ok(listener) => http::serve(listener, self.router(), closing).await,
                    Err(error) => tracing::error!("nobody can ask at {address}: {error}"),
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

    async fn answer(&self) -> Answer {
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
        Answer {
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
        if let Some(backups) = super::backups(&self.config) {
            doctor::backups(findings, &backups, now);
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

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
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
