//! A database that cannot be worked with ends nothing: the box stays up, says so wherever somebody may look, offers the way
//! back, and begins by itself when it can. It never makes a new one in silence.

use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::health::Health;
use super::illness::Illness;
use super::ways::Ways;
use super::{Appliance, Trouble, backups, connect, desk};
use crate::config::Config;
use crate::domain::alert::Alert;
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::http_client::HttpError;
use crate::system::nudge::{Nudge, TICK};
use crate::system::shutdown::Shutdown;
use crate::system::systemd::Systemd;

/// How long an upgrade may take, as the unit has it for a start.
const BUILDING: Duration = Duration::from_secs(15 * 60);
/// How long the owner may take to be told.
const TELLING: Duration = Duration::from_secs(15);

impl Appliance {
    /// Builds it, as soon as the database allows it. Until then systemd, the log and the owner are told why not. `None` if it
    /// is told to stop before.
    ///
    /// # Errors
    /// If another daemon has the database, or the box lacks what no waiting brings.
    pub async fn build_patiently(
        config: &Config,
        clock: Clock,
        shutdown: &Shutdown,
        systemd: &Systemd,
        health: &Health,
    ) -> Result<Option<Self>, Trouble> {
        tokio::select! {
            () = shutdown.wait() => {
                systemd.stopping();
                Ok(None)
            }
            built = Self::build_at_last(config, clock, systemd, health) => built.map(Some),
        }
    }

    async fn build_at_last(
        config: &Config,
        clock: Clock,
        systemd: &Systemd,
        health: &Health,
    ) -> Result<Self, Trouble> {
        let illness = Illness::none(Nudge::new());
        let home = config.team.home();
        let desk = connect(config)?.map(|client| desk(config, client, home));
        let unset = |error: HttpError| Trouble::Network(error.to_string());
        let mut ways = Ways::new(config).map_err(unset)?;
        let outlet = desk.as_ref().map(|desk| desk as _);
        loop {
            let error = match fed(systemd, Self::build(config, clock.clone())).await {
                Err(Trouble::Store(error)) => error,
                built => {
                    if built.is_ok() && illness.reason().is_some() {
                        illness.end(outlet, clock.now()).await;
                        by_ways(ways.as_mut(), &[], true, clock.now()).await;
                    }
                    return built;
                }
            };
            let reason = with_the_way_back(config, &error);
            if illness.reason().is_none() {
                systemd.ready();
            }
            illness.note(reason.clone());
            systemd.status(&reason);
            health.ill(&reason);
            systemd.feed();
            if let Some(outlet) = outlet {
                // A slow network must not look like a dead process.
                let told = illness.tell(outlet, clock.now());
                drop(tokio::time::timeout(TELLING, told).await);
                systemd.feed();
            }
            let ill = illness.alert(clock.now());
            by_ways(ways.as_mut(), ill.as_slice(), false, clock.now()).await;
            systemd.feed();
            let rest = systemd.watchdog_interval().unwrap_or(TICK);
            sleep(rest.min(TICK)).await;
            systemd.feed();
        }
    }
}

/// Tells it the second ways, which may be slow, too.
async fn by_ways(ways: Option<&mut Ways>, standing: &[Alert], all: bool, now: Timestamp) {
    if let Some(ways) = ways {
        let told = ways.tell(None, standing, all, now, || {});
        drop(tokio::time::timeout(TELLING, told).await);
    }
}

/// Work that may take a while, as an upgrade does: for so long it is no dead process.
async fn fed<T>(systemd: &Systemd, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let rest = systemd.watchdog_interval().unwrap_or(TICK);
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = sleep(rest), if began.elapsed() < BUILDING => systemd.feed(),
        }
    }
}

/// What is wrong, and which backup would help.
fn with_the_way_back(config: &Config, error: &Error) -> String {
    let known = match error {
        Error::Newer { known, .. } => u64::try_from(*known).unwrap_or(0),
        Error::Damaged(_) | Error::Lost(_) => u64::MAX,
        _ => return error.to_string(),
    };
    let newest = backups(config).and_then(|backups| {
        let all = backups.list().ok()?;
        all.into_iter()
            .find(|backup| backup.manifest().is_ok_and(|it| it.schema <= known))
    });
    match newest {
        Some(backup) => format!(
            "{error}. The newest backup that would do is {}: `storyline backup restore {} --force`",
            backup.made_at, backup.name
        ),
        None => format!("{error}. There is no backup that would do"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_upgrade_may_take_minutes_and_not_for_ever() {
        let (meals, systemd) = Systemd::counting(Duration::from_secs(60));
        fed(&systemd, sleep(Duration::from_secs(10 * 60))).await;
        assert!((19..=20).contains(&meals()), "{}", meals());
        fed(&systemd, sleep(Duration::from_secs(60 * 60))).await;
        assert!((48..=50).contains(&meals()), "{}", meals());
    }
}
