//! `storyline serve`: the daemon.

use std::time::Duration;

use super::Failure;
use crate::appliance::health::{Health, own_socket};
use crate::appliance::{Appliance, Trouble};
use crate::config::{Config, Environment, Loaded, Problems};
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::shutdown::Shutdown;
use crate::system::systemd::Systemd;
use crate::system::{logging, memory, signals};

/// How long whatever runs beside the loops may go on after their end.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// One thread is enough to talk: what takes a core or may block runs beside it, and a second one would be woken with it by
/// every beat and every answer, only to find that there is nothing left to do.
const THREADS: usize = 1;

pub(super) fn run(loaded: &Loaded, environment: &Environment) -> Result<(), Failure> {
    memory::keep_small(environment);
    if !loaded.withheld.is_empty() {
        return Err(Failure::Config(Problems(loaded.withheld.clone())));
    }
    let config = &loaded.config;
    // Outlives all that has something to say.
    let _log = logging::init(&config.log.level, config.log.format, environment)
        .map_err(|error| Failure::plain(error.to_string()))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::plain(format!("the runtime cannot be started: {error}")))?;
    let ended = runtime.block_on(async {
        let shutdown = Shutdown::new();
        signals::listen(shutdown.clone()).map_err(Trouble::from)?;
        let (clock, closing) = (Clock::system(), Shutdown::new());
        let health = Health::new(config, clock.clone());
        let socket = own_socket(environment);
        let (ended, ()) = tokio::join!(
            async {
                let ended = work(config, clock, shutdown, &health).await;
                closing.signal();
                ended
            },
            health.serve(socket.as_deref(), &closing)
        );
        Ok(ended?)
    });
    // A picture that is being decoded, or a disk that hangs, must not hold up the end.
    runtime.shutdown_timeout(LAST_WORDS);
    ended
}

/// Until it is told to stop.
async fn work(
    config: &Config,
    clock: Clock,
    shutdown: Shutdown,
    health: &Health,
) -> Result<(), Trouble> {
    let systemd = Systemd::new();
    let build = || Appliance::build_patiently(config, clock.clone(), &shutdown, &systemd, health);
    while let Some(appliance) = build().await? {
        let running = appliance.run_until_stopped(shutdown.clone(), systemd.clone(), health);
        match running.await {
            Err(Trouble::Store(Error::Lost(why))) if !shutdown.is_signalled() => {
                tracing::error!("the database {why}: it is opened anew, as soon as there is one");
            }
            ended => return ended,
        }
    }
    Ok(())
}
