//! What the records tell: of the database and the clock, and of each team its library, media, plan and alerts.

use std::path::Path;

use jiff::Timestamp;

use super::{Findings, library};
use crate::config::{self, Config, DatabaseUrl, Places};
use crate::domain::alert::topic;
use crate::domain::calendar::moment;
use crate::domain::team::TeamSettings;
use crate::flow::survey::Status;
use crate::flow::teams::Teams;
use crate::flow::{Error, Flow};
use crate::system::clock as time;
use crate::system::vault::Keys;

/// How many files in view are named.
const MOST_FILES: usize = 10;
/// How many failed runs are told.
const MOST_RUNS: usize = 3;
/// Among how many of the latest runs they are looked for.
const RUNS: u32 = 100;

/// Whether the service runs, as far as the one who asks knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// It is the service that asks.
    Itself,
    /// Somebody else asks, beside it.
    Beside,
}

/// What the records tell; returns what every team decided.
///
/// # Errors
/// If they cannot be read.
pub(super) async fn records(
    findings: &mut Findings,
    config: &Config,
    teams: &Teams,
    service: Service,
    now: Timestamp,
) -> Result<Vec<TeamSettings>, Error> {
    let flow = teams.own();
    let schema = flow.schema_version().await?;
    let size = match &config.database.url {
        DatabaseUrl::Sqlite(path) => format!(", {}", megabytes(path)),
        DatabaseUrl::Postgres(_) => String::new(),
    };
    findings.ok(
        "database",
        format!("{}, schema {schema}{size}", config.database.url),
    );
    if service == Service::Itself || flow.is_served().await? {
        findings.ok("service", "it runs");
    } else {
        findings.problem(
            "service",
            "it does not run: nothing is indexed and nothing is sent",
            Some("start it with `systemctl start storyline`; `journalctl -u storyline` tells why it stopped"),
        );
    }
    clock(findings, flow, now).await?;
    for setting in flow.unread(&config.team).await? {
        let said = setting.shown(&config.team);
        findings.note(
            "settings",
            format!(
                "`{}` is `{said}` in the file, and not yet in force",
                setting.key()
            ),
            Some("`systemctl restart storyline` has the service read it"),
        );
    }
    let all = settings_of_all(teams, &config.team).await?;
    let places = Places::of(config);
    for ((flow, _), settings) in teams.all().iter().zip(&all) {
        findings.of_team(named(settings, &all));
        apart(findings, &places, settings, &all);
        team(findings, flow, settings, now).await?;
    }
    findings.of_team(None);
    secrets(findings, config, teams).await?;
    Ok(all)
}

/// Whether a team's library lies apart from all that it must; else nothing in it is indexed.
fn apart(findings: &mut Findings, places: &Places, team: &TeamSettings, all: &[TeamSettings]) {
    let others = all.iter().filter(|other| other.name != team.name);
    let others = others.map(|other| (&*other.name, &*other.library));
    if let Some(complaint) = places.refuse_library(&team.library, others) {
        let told = format!("{}: it is not indexed", complaint.reason);
        findings.problem("library", told, Some(&complaint.remedy));
    }
}

/// Whether the secrets can be decrypted, if there are any.
async fn secrets(findings: &mut Findings, config: &Config, teams: &Teams) -> Result<(), Error> {
    let mut kept = Vec::new();
    for (flow, _) in teams.all() {
        kept.extend(flow.secrets().await?);
    }
    if kept.is_empty() {
        return Ok(());
    }
    let lost =
        "bring back the key they were encrypted with, or set them anew by `storyline secret set`";
    match config.secrets.keys() {
        Err(error) => findings.problem("secrets", error.to_string(), Some(lost)),
        Ok(keys) => {
            let ids: Vec<&str> = keys.iter().flat_map(Keys::ids).collect();
            let closed = kept.iter().filter(|one| !ids.contains(&&*one.key)).count();
            match closed {
                0 => findings.ok(
                    "secrets",
                    format!("{} encrypted, and the key is there", kept.len()),
                ),
                _ => findings.problem(
                    "secrets",
                    format!("the key of {closed} of {} is not there", kept.len()),
                    Some(lost),
                ),
            }
        }
    }
    Ok(())
}

/// What the records tell of a team.
async fn team(
    findings: &mut Findings,
    flow: &Flow,
    settings: &TeamSettings,
    now: Timestamp,
) -> Result<(), Error> {
    let zone = &settings.timezone;
    library(findings, &settings.library);
    let status = flow.status(now).await?;
    media(findings, &status);
    plan(findings, settings, &status);
    for alert in &status.alerts {
        let since = moment(alert.raised_at, zone);
        let told = format!("{alert} (since {since})");
        findings.add("alert", alert.severity.into(), told, None);
    }
    files(findings, flow).await?;
    let failed = flow.runs(RUNS).await?.into_iter();
    for run in failed.filter(|run| run.error.is_some()).take(MOST_RUNS) {
        let error = run.error.unwrap_or_default();
        findings.note(
            "run",
            format!(
                "{} failed on {}: {error}",
                run.job,
                moment(run.started_at, zone)
            ),
            Some("`storyline run list` shows what came after"),
        );
    }
    Ok(())
}

fn megabytes(path: &Path) -> String {
    // What was written last lies beside it until it is taken in.
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let tenths = (length(path) + length(Path::new(&log))).div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// What is to be done about a clock.
const CLOCK_HINT: &str = "connect the box to the network, or set it with `timedatectl set-time`; if it is right, `storyline clock trust` \
                          says so";

/// Whether the clock is to be believed.
async fn clock(findings: &mut Findings, flow: &Flow, now: Timestamp) -> Result<(), Error> {
    let shows = now.strftime("%Y-%m-%d %H:%M UTC");
    let standing = flow.alerts().await?;
    let is_told = standing.iter().any(|alert| alert.topic == topic::CLOCK);
    let is_trusted = flow.trusts_clock(now).await?;
    if is_trusted && is_told {
        let told = format!("{shows}; an alert tells more");
        findings.note("clock", told, Some(CLOCK_HINT));
    } else if is_trusted || (time::synchronised() && !is_told) {
        let why = match time::synchronised() {
            true => "synchronised",
            false => "as the records have it",
        };
        findings.ok("clock", format!("{shows}, {why}"));
    } else {
        let told = format!("{shows} is in doubt: nothing is sent until the clock is right");
        findings.problem("clock", told, Some(CLOCK_HINT));
    }
    Ok(())
}

/// The same where there are no records.
pub fn clock_alone(findings: &mut Findings, now: Timestamp) {
    let shows = now.strftime("%Y-%m-%d %H:%M UTC");
    if time::synchronised() || now > time::RELEASED {
        findings.ok("clock", shows.to_string());
    } else {
        let told = format!("{shows} cannot be right: nothing is sent until the clock is set");
        findings.problem("clock", told, Some(CLOCK_HINT));
    }
}

fn media(findings: &mut Findings, status: &Status) {
    if status.media == status.missing {
        findings.problem(
            "media",
            "there are none",
            Some("put pictures into the library's folders; each folder is a category"),
        );
        return;
    }
    let mut words = vec![
        format!("{} media", status.media),
        format!("{} ready", status.ready),
    ];
    for (number, what) in [
        (status.to_examine, "waiting to be examined"),
        (status.flawed, "with errors"),
        (status.missing, "missing"),
    ] {
        if number > 0 {
            words.push(format!("{number} {what}"));
        }
    }
    let words = words.join(", ");
    if status.flawed > 0 {
        let look = "`storyline media list --flawed` shows which, `storyline media show` why";
        findings.note("media", words, Some(look));
    } else {
        findings.ok("media", words);
    }
}

fn plan(findings: &mut Findings, settings: &TeamSettings, status: &Status) {
    let zone = &settings.timezone;
    if let Some(since) = status.paused_since {
        let by = status.paused_by.as_deref().unwrap_or("somebody");
        findings.note(
            "plan",
            format!("paused by {by} since {}", moment(since, zone)),
            Some("`storyline resume` goes on with it"),
        );
    } else if let Some(next) = &status.next {
        findings.ok(
            "plan",
            format!(
                "next is #{}, {}, at {}; {} await a press",
                next.number,
                next.name,
                moment(next.due_at, zone),
                status.awaiting
            ),
        );
    } else {
        findings.note(
            "plan",
            "nothing is planned",
            Some("`storyline schedule preview` shows what would be; the service plans as soon as it can send"),
        );
    }
    if settings.dry_run {
        findings.note(
            "plan",
            "dry run: nothing is sent",
            Some("`storyline team set dry_run=false` sends again"),
        );
    }
}

/// Files that lie in the library and are not media: unfinished, or of no use.
async fn files(findings: &mut Findings, flow: &Flow) -> Result<(), Error> {
    let in_view = flow.files_in_view().await?;
    for file in in_view.iter().take(MOST_FILES) {
        findings.note("file", format!("{}: {}", file.path, file.reason), None);
    }
    let more = in_view.len().saturating_sub(MOST_FILES) as u64 + flow.overlooked().await?;
    if more > 0 {
        findings.note("file", format!("and {more} more like these"), None);
    }
    Ok(())
}

/// What every team decided; for the box's own, with what the file says that the service has not read yet: whoever changes it
/// wants to know whether that is right.
///
/// # Errors
/// If the records cannot be read.
pub async fn settings_of_all(
    teams: &Teams,
    file: &TeamSettings,
) -> Result<Vec<TeamSettings>, Error> {
    let mut all = Vec::new();
    for (flow, team) in teams.all() {
        let mut settings = flow.settings().await?;
        if team.id == teams.own().team() {
            for unread in flow.unread(file).await? {
                // The file was checked when it was read.
                let _ = unread.put(&mut settings, &unread.shown(file));
            }
        }
        all.push(settings);
    }
    Ok(all)
}

/// The name that a team's findings bear: none where there is but one.
#[must_use]
pub fn named<'a>(team: &'a TeamSettings, all: &[TeamSettings]) -> Option<&'a str> {
    (all.len() > 1).then_some(&*team.name)
}

/// What is missing in the settings.
pub fn desk(findings: &mut Findings, settings: &config::Telegram, teams: &[TeamSettings]) {
    if settings.token.is_none() {
        findings.problem(
            "telegram",
            "no bot token is set: pictures are indexed and nothing is sent",
            Some("`storyline setup` asks for it, and tells how @BotFather makes one"),
        );
    }
    for team in teams.iter().filter(|team| team.chat.is_none()) {
        findings.of_team(named(team, teams));
        findings.problem(
            "telegram",
            "no chat is set: nothing is sent",
            Some("add the bot to the team's chat, or say `storyline team set chat=…`: the number of its channel or group"),
        );
    }
    findings.of_team(None);
}
