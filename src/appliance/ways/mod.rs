//! The second ways for alerts at work: each is tried apart from the others, one that fails is left alone for a while, and none
//! keeps anybody waiting. Where none is set, nothing of it runs.

mod send;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::illness::{self, Illness};
use super::{connect, desk};
use crate::config::{Address, Config};
use crate::domain::alert::{Alert, Severity};
use crate::domain::team::Place;
use crate::domain::way::{News, Record, Stage, Way};
use crate::flow::Flow;
use crate::flow::outlet::Outlet;
use crate::flow::teams::Teams;
use crate::system::clock::Clock;
use crate::system::http_client::{HttpClient, HttpError};
use crate::system::nudge::Tick;
use crate::system::supervisor::{BoxError, Pulse};

/// How long one that failed is left alone at first; after each further failure twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(300);
/// The longest that one is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Where the box's name stands.
const NAME: &str = "/etc/hostname";

/// Where a way leads.
#[derive(Clone, Debug)]
enum Target {
    Webhook(Address),
    Ntfy(Address),
    Mail(String),
}

/// The second ways that are set.
#[derive(Clone)]
pub(super) struct Ways {
    http: HttpClient,
    /// What the box is called, for somebody who has several.
    name: String,
    lanes: Vec<Lane>,
}

/// One way, and what is known of it.
#[derive(Clone)]
struct Lane {
    way: Way,
    to: String,
    target: Target,
    /// What is on record of it; nothing until that was read.
    record: Option<Record>,
    /// When it may be tried again.
    again_at: Option<Instant>,
    pause: Duration,
}

impl Ways {
    /// Those that are set; `None` if none is.
    ///
    /// # Errors
    /// If the network library cannot be set up.
    pub(super) fn new(config: &Config) -> Result<Option<Self>, HttpError> {
        let alerts = &config.alerts;
        let lanes: Vec<Lane> = alerts
            .ways()
            .into_iter()
            .filter_map(|(way, to)| {
                let target = match way {
                    Way::Webhook => Target::Webhook(alerts.webhook.clone()?),
                    Way::Ntfy => Target::Ntfy(alerts.ntfy.clone()?),
                    Way::Mail => Target::Mail(alerts.mail.clone()?),
                    Way::Heartbeat => return None,
                };
                Some(Lane {
                    way,
                    to,
                    target,
                    record: None,
                    again_at: None,
                    pause: FIRST_PAUSE,
                })
            })
            .collect();
        if lanes.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            http: HttpClient::new(&config.network)?,
            name: name(),
            lanes,
        }))
    }

    /// Tells what is to be told, until it is time to stop; a task of the supervisor.
    ///
    /// # Errors
    /// None; the type is the supervisor's.
    pub(super) async fn run(
        mut self,
        teams: Teams,
        illness: Illness,
        clock: Clock,
        mut tick: Tick,
        pulse: Pulse,
    ) -> Result<(), BoxError> {
        loop {
            pulse.beat();
            let now = clock.now();
            let (mut standing, all) = match standing(&teams).await {
                Ok(standing) => (standing, true),
                // Nobody knows what stands, and whoever fails to read it says so.
                Err(_) => (Vec::new(), false),
            };
            let ill = illness.alert(now);
            let all = all && ill.is_none();
            standing.extend(ill);
            self.tell(Some(teams.own()), &standing, all, now, || pulse.beat())
                .await;
            loop {
                let beat = tokio::select! {
                    () = pulse.stopping() => return Ok(()),
                    beat = tick.wait() => beat,
                };
                pulse.beat();
                // What failed is tried again, and what is ill is on no record.
                let is_owed = self.lanes.iter().any(|lane| lane.again_at.is_some());
                if beat.is_news || is_owed || illness.reason().is_some() {
                    break;
                }
            }
        }
    }

    /// Tells what is to be told of the alerts that stand, by each way that may be tried now.
    pub(super) async fn tell(
        &mut self,
        flow: Option<&Flow>,
        standing: &[Alert],
        all: bool,
        now: Timestamp,
        moved: impl Fn(),
    ) {
        for lane in &mut self.lanes {
            if lane.again_at.is_some_and(|at| at > Instant::now()) {
                continue;
            }
            if lane.record.is_none()
                && let Some(flow) = flow
                && let Ok(record) = flow.way(lane.way, &lane.to).await
            {
                lane.record = Some(record);
            }
            let record = lane.record.get_or_insert_with(|| Record {
                to: lane.to.clone(),
                ..Record::default()
            });
            let news = record.news(standing, all, now);
            if news.is_empty() {
                continue;
            }
            // Before it is tried: whoever breaks it off does not have it tried again at once.
            lane.again_at = Some(Instant::now() + lane.pause);
            let mut has_failed = false;
            for one in &news {
                moved();
                match send::send(&self.http, &lane.target, one, &self.name).await {
                    Ok(()) => record.note_told(one, now),
                    Err(why) => {
                        tracing::warn!(
                            "an alert does not get out by {} {}: {why}",
                            lane.way,
                            lane.to
                        );
                        record.note_failed(why, now);
                        has_failed = true;
                        break;
                    }
                }
            }
            (lane.again_at, lane.pause) = match has_failed {
                true => (lane.again_at, (lane.pause * 2).min(LONGEST_PAUSE)),
                false => (None, FIRST_PAUSE),
            };
            if let Some(flow) = flow
                && let Err(error) = flow.note_way(lane.way, record).await
            {
                // It is remembered here, as long as this process lives.
                tracing::debug!("what {} was told is not recorded: {error}", lane.way);
            }
        }
    }
}

/// Tries each way once, for somebody who wants to see what arrives; returns how it went.
///
/// # Errors
/// If the network library cannot be set up.
pub async fn try_each(
    config: &Config,
) -> Result<Vec<(Way, String, Result<(), String>)>, HttpError> {
    let mut tried = Vec::new();
    let Some(ways) = Ways::new(config)? else {
        return Ok(tried);
    };
    let news = News {
        id: String::new(),
        stage: Stage::Test,
        severity: Severity::Notice,
        text: "This is a test, by `storyline alert test`: alerts arrive here.".to_owned(),
    };
    for lane in ways.lanes {
        let sent = send::send(&ways.http, &lane.target, &news, &ways.name).await;
        tried.push((lane.way, lane.to, sent));
    }
    Ok(tried)
}

/// Tells the owner something by the chat, as an alert is told.
///
/// # Errors
/// In plain words, if it is not taken.
pub async fn tell_owner(
    config: &Config,
    home: Option<Place>,
    text: &str,
    now: Timestamp,
) -> Result<(), String> {
    let client = connect(config).map_err(|trouble| trouble.to_string())?;
    let client = client.ok_or("no bot token is set")?;
    let alert = Alert {
        severity: Severity::Notice,
        ..illness::alert(text.to_owned(), now, None)
    };
    let desk = desk(config, client, home);
    let told = Outlet::tell(&desk, &alert, home).await;
    told.map_err(|trouble| trouble.reason())
}

/// The alerts that stand, of all teams.
async fn standing(teams: &Teams) -> Result<Vec<Alert>, crate::flow::Error> {
    let mut all = Vec::new();
    let several = teams.all().len() > 1;
    for (flow, team) in teams.all() {
        for mut alert in flow.alerts().await? {
            if several {
                alert.text = format!("{}: {}", team.name, alert.text);
            }
            all.push(alert);
        }
    }
    Ok(all)
}

fn name() -> String {
    let name = std::fs::read_to_string(NAME).unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).collect();
    if name.is_empty() {
        "the box".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests;
