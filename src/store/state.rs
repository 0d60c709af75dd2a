//! A few marks of the whole box that belong to no team.

use jiff::{SignedDuration, Timestamp};

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::TeamId;

/// The latest time the box ever recorded: a clock before it is not to be trusted.
const LATEST_TIME: &str = "latest_time";
/// A time so far after the latest on record is noted only by who has judged the clock.
const LEAP: SignedDuration = SignedDuration::from_hours(24);
/// When a daemon that ended in good order had last heard what people do.
const HEARD_AT: &str = "heard_at";
/// When a daemon ended in good order; nothing while one runs, and after a crash.
const STOPPED_AT: &str = "stopped_at";
/// On which boot of the machine that was, and how long it had been up.
const STOPPED_ON: &str = "stopped_on";
/// When the daemon was started since it last ended in good order; the last few.
const STARTS: &str = "starts";
/// Which version ran last.
const VERSION: &str = "version";
/// Which version ran before, until this one has run steadily.
const UPGRADED_FROM: &str = "upgraded_from";
/// Deliveries of a team that failed, one after the other; its id follows.
const FAILURES: &str = "failures:";
/// What is on record of the copies of backups that leave the box; the destination's name follows.
const COPIES: &str = "copies:";
/// How many files of no use a team's library has that are on no other record; its id follows.
const OVERLOOKED: &str = "overlooked:";
/// What is on record of the second ways for alerts; the way's name follows.
const WAYS: &str = "ways:";
/// When a newer version was told of.
const NEWER: &str = "newer_told_at";
/// When a process beside the daemon last changed something.
const KNOCKED_AT: &str = "knocked_at";

/// The team that the file of settings speaks of.
const OWN_TEAM: &str = "own_team";

fn get(tx: &mut dyn Tx, name: &str) -> Result<Option<String>> {
    tx.first("SELECT value FROM state WHERE name = ?1", values![name])?
        .map(|row| row.cells().text())
        .transpose()
}

fn set(tx: &mut dyn Tx, name: &str, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO state (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        values![name, value],
    )?;
    Ok(())
}

fn time(tx: &mut dyn Tx, name: &str) -> Result<Option<Timestamp>> {
    Ok(get(tx, name)?.and_then(|text| text.parse().ok()))
}

/// The number of the newest migration that was applied.
pub(crate) fn schema_version(tx: &mut dyn Tx) -> Result<u64> {
    tx.count(
        "SELECT CAST(MAX(version) AS BIGINT) FROM refinery_schema_history",
        &[],
    )
}

pub(crate) fn latest_time(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    time(tx, LATEST_TIME)
}

/// Notes that it was `now`; the mark never goes back. It never leaps either: a press while the clock is in doubt must not have
/// it believed.
pub(crate) fn note_time(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    let is_next = |latest: Timestamp| latest < now && now.duration_since(latest) <= LEAP;
    if latest_time(tx)?.is_none_or(is_next) {
        set(tx, LATEST_TIME, &now.to_string())?;
    }
    Ok(())
}

/// Takes `now` for the latest time, even if a later one is on record: the clock was wrong then, and is right now.
pub(crate) fn trust_time(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    set(tx, LATEST_TIME, &now.to_string())
}

/// The box's own team, which is never removed. Not the oldest one by its row: a clock may have been wrong when others came.
pub(crate) fn own_team(tx: &mut dyn Tx) -> Result<Option<TeamId>> {
    Ok(get(tx, OWN_TEAM)?.and_then(|text| text.parse().ok()))
}

pub(crate) fn note_own_team(tx: &mut dyn Tx, team: TeamId) -> Result<()> {
    set(tx, OWN_TEAM, &team.to_string())
}

pub(crate) fn heard_at(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    time(tx, HEARD_AT)
}

/// Notes until when the daemon heard what people do; `None` when it runs again, so that a crash leaves no such mark.
pub(crate) fn note_heard(tx: &mut dyn Tx, heard_at: Option<Timestamp>) -> Result<()> {
    set(tx, HEARD_AT, &maybe(heard_at))
}

pub(crate) fn stopped_at(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    time(tx, STOPPED_AT)
}

/// Notes an end in good order; `None` when the daemon runs again, so that a crash leaves no such mark.
pub(crate) fn note_stop(tx: &mut dyn Tx, stopped_at: Option<Timestamp>) -> Result<()> {
    set(tx, STOPPED_AT, &maybe(stopped_at))
}

/// On which boot of the machine the last daemon ended in good order, and how many milliseconds that had been up then.
pub(crate) fn stopped_on(tx: &mut dyn Tx) -> Result<Option<(String, i64)>> {
    let text = get(tx, STOPPED_ON)?.unwrap_or_default();
    let parts = text.split_once(' ');
    Ok(parts.and_then(|(boot, up_ms)| Some((boot.to_owned(), up_ms.parse().ok()?))))
}

/// Notes that; nothing where it is not known.
pub(crate) fn note_stopped_on(tx: &mut dyn Tx, on: Option<(&str, i64)>) -> Result<()> {
    let text = on.map_or_else(String::new, |(boot, up_ms)| format!("{boot} {up_ms}"));
    set(tx, STOPPED_ON, &text)
}

pub(crate) fn starts(tx: &mut dyn Tx) -> Result<Vec<Timestamp>> {
    let text = get(tx, STARTS)?.unwrap_or_default();
    Ok(text.split(' ').filter_map(|at| at.parse().ok()).collect())
}

pub(crate) fn note_starts(tx: &mut dyn Tx, starts: &[Timestamp]) -> Result<()> {
    let starts: Vec<String> = starts.iter().map(ToString::to_string).collect();
    set(tx, STARTS, &starts.join(" "))
}

/// Notes which version runs, and tells which ran before, if it was another one.
pub(crate) fn note_version(tx: &mut dyn Tx, version: &str) -> Result<Option<String>> {
    let before = get(tx, VERSION)?;
    if before.as_deref() == Some(version) {
        return Ok(None);
    }
    set(tx, VERSION, version)?;
    Ok(before)
}

/// From which version it was upgraded, until the new one has run steadily.
pub(crate) fn upgraded_from(tx: &mut dyn Tx) -> Result<Option<String>> {
    Ok(get(tx, UPGRADED_FROM)?.filter(|version| !version.is_empty()))
}

/// Notes an upgrade; `None` when there is no need to go back any more.
pub(crate) fn note_upgrade(tx: &mut dyn Tx, from: Option<&str>) -> Result<()> {
    set(tx, UPGRADED_FROM, from.unwrap_or_default())
}

/// What is on record of a team's deliveries that failed, one after the other.
pub(crate) fn failures(tx: &mut dyn Tx, team: TeamId) -> Result<Option<String>> {
    get(tx, &format!("{FAILURES}{team}"))
}

/// Notes what there is to tell of a team's deliveries that failed; it is for the caller to read.
pub(crate) fn note_failures(tx: &mut dyn Tx, team: TeamId, failures: &str) -> Result<()> {
    set(tx, &format!("{FAILURES}{team}"), failures)
}

/// How many files of no use lie in a team's library that are not on record.
pub(crate) fn overlooked(tx: &mut dyn Tx, team: TeamId) -> Result<u64> {
    let count = get(tx, &format!("{OVERLOOKED}{team}"))?;
    Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
}

pub(crate) fn note_overlooked(tx: &mut dyn Tx, team: TeamId, count: u64) -> Result<()> {
    set(tx, &format!("{OVERLOOKED}{team}"), &count.to_string())
}

/// What is on record of the copies that go to a destination.
pub(crate) fn copies(tx: &mut dyn Tx, destination: &str) -> Result<Option<String>> {
    get(tx, &format!("{COPIES}{destination}"))
}

/// Notes what there is to tell of the copies that go to a destination; it is for the caller to read.
pub(crate) fn note_copies(tx: &mut dyn Tx, destination: &str, copied: &str) -> Result<()> {
    set(tx, &format!("{COPIES}{destination}"), copied)
}

/// What is on record of a second way for alerts.
pub(crate) fn way(tx: &mut dyn Tx, way: &str) -> Result<Option<String>> {
    get(tx, &format!("{WAYS}{way}"))
}

/// Notes what there is to tell of a second way for alerts; it is for the caller to read.
pub(crate) fn note_way(tx: &mut dyn Tx, way: &str, record: &str) -> Result<()> {
    set(tx, &format!("{WAYS}{way}"), record)
}

pub(crate) fn newer(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    time(tx, NEWER)
}

/// Notes that a newer version is told of now.
pub(crate) fn note_newer(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    set(tx, NEWER, &now.to_string())
}

fn maybe(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

pub(crate) fn note_knock(tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    set(tx, KNOCKED_AT, &now.to_string())
}

pub(crate) fn last_knock(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    time(tx, KNOCKED_AT)
}
