//! `storyline check`: looks at everything, and says what is wrong and what to do. It changes nothing.

use std::path::Path;

use clap::Args;
use jiff::Timestamp;

use super::finding::Findings;
use super::print::{Print, count, moment};
use super::{Failure, Told, missing_database, telegram};
use crate::appliance::open_teams;
use crate::config::{self, Config, DatabaseUrl, Environment, Problem};
use crate::domain::team::TeamSettings;
use crate::flow::survey::Status;
use crate::flow::teams::Teams;
use crate::flow::{Error, Flow};
use crate::library::root_identity;
use crate::system::clock::{self, Clock};

/// How many files in view are named.
const MOST_FILES: usize = 10;
/// How many failed runs are told.
const MOST_RUNS: usize = 3;
/// Among how many of the latest runs they are looked for.
const RUNS: u32 = 100;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Ask Telegram too, as `storyline telegram test` does
    #[arg(long)]
    online: bool,
}

pub(super) async fn run(
    print: Print,
    options: Check,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut findings = Findings::default();
    match Config::load(path, environment) {
        Err(problems) => {
            for problem in &problems.0 {
                let (what, remedy) = setting(problem);
                findings.problem("settings", what, Some(remedy));
            }
        }
        Ok(loaded) => {
            let from = loaded.path.as_ref().map_or_else(
                || "there is no file; the defaults hold".to_owned(),
                |path| path.display().to_string(),
            );
            findings.ok("settings", from);
            for warning in &loaded.warnings {
                let (what, remedy) = setting(warning);
                findings.note("settings", what, Some(remedy));
            }
            let config = &loaded.config;
            let teams = look_around(&mut findings, config).await;
            telegram(&mut findings, &config.telegram, &teams, options.online).await;
        }
    }
    findings.tell(print)
}

fn setting(problem: &Problem) -> (String, &str) {
    let what = format!("{}: {}", super::config::place(problem), problem.reason);
    (what, &problem.remedy)
}

/// Looks at all but Telegram; returns what the teams decided, or the file's first values if there are no records.
async fn look_around(findings: &mut Findings, config: &Config) -> Vec<TeamSettings> {
    let now = Clock::system().now();
    let opened = match missing_database(config) {
        Some(missing) => Err(missing),
        None => open_teams(config, now).await.map_err(broken),
    };
    let looked = match opened {
        Ok(teams) => ask(findings, config, &teams, now).await.map_err(broken),
        Err(missing) => {
            library(findings, &config.team.library);
            judge_clock(findings, now, None);
            Err(missing)
        }
    };
    looked.unwrap_or_else(|told| {
        findings.of_team(None);
        findings.problem("database", told.error, told.hint.as_deref());
        vec![config.team.clone()]
    })
}

fn broken(error: Error) -> Told {
    let hint = None;
    Told {
        error: error.to_string(),
        hint,
    }
}

fn library(findings: &mut Findings, root: &Path) {
    let away = "connect or mount its disk, or set `[library] path`";
    if let Err(problem) = root_identity(root) {
        findings.problem("library", problem.to_string(), Some(away));
    } else if let Err(error) = std::fs::read_dir(root) {
        findings.problem(
            "library",
            format!("`{}` cannot be read: {error}", root.display()),
            Some("give the user that runs storyline the right to read and enter it"),
        );
    } else {
        findings.ok("library", root.display().to_string());
    }
}

/// What the records tell.
async fn ask(
    findings: &mut Findings,
    config: &Config,
    teams: &Teams,
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
    if flow.is_served().await? {
        findings.ok("service", "it runs");
    } else {
        findings.problem(
            "service",
            "it does not run: nothing is indexed and nothing is sent",
            Some("start it with `systemctl start storyline`; `journalctl -u storyline` tells why it stopped"),
        );
    }
    judge_clock(findings, now, flow.latest_time().await?);
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
    let all = telegram::settings_of_all(teams, &config.team).await?;
    for ((flow, _), settings) in teams.all().iter().zip(&all) {
        findings.of_team(telegram::named(settings, &all));
        team(findings, flow, settings, now).await?;
    }
    findings.of_team(None);
    Ok(all)
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

fn judge_clock(findings: &mut Findings, now: Timestamp, latest: Option<Timestamp>) {
    let shows = now.strftime("%Y-%m-%d %H:%M UTC");
    if clock::synchronised() {
        findings.ok("clock", format!("{shows}, synchronised"));
    } else if clock::trusted(now, latest) {
        findings.ok(
            "clock",
            format!("{shows}, later than all that is on record"),
        );
    } else {
        findings.problem(
            "clock",
            format!("{shows} cannot be right: nothing is sent until the clock is set"),
            Some("connect the box to the network, or set it with `timedatectl set-time`; if it is right, `storyline clock trust` says so"),
        );
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
        count(status.media, "media", "media"),
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
    if in_view.len() > MOST_FILES {
        let more = in_view.len() - MOST_FILES;
        findings.note("file", format!("and {more} more like these"), None);
    }
    Ok(())
}

async fn telegram(
    findings: &mut Findings,
    settings: &config::Telegram,
    teams: &[TeamSettings],
    online: bool,
) {
    if online {
        telegram::ask(findings, settings, teams, false).await;
        return;
    }
    telegram::judge_settings(findings, settings, teams);
    for team in teams {
        findings.of_team(telegram::named(team, teams));
        if let (true, Some(chat)) = (settings.token.is_some(), team.chat) {
            findings.ok(
                "telegram",
                format!("a token and the chat {chat} are set (`--online` asks Telegram)"),
            );
        }
    }
}
