//! `/metrics`: what is worth a line on a chart, in Prometheus' text format 0.0.4.

use std::fmt::Write;

use axum::extract::State as Held;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{Health, Sight};
use crate::doctor::State;
use crate::domain::outcome::Outcome;
use crate::flow::Error;
use crate::flow::teams::Teams;
use crate::system::background::blocking;
use crate::system::board::{Board, Seen};
use crate::system::lock::lock;
use crate::system::supervisor::Supervisor;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The lines so far.
struct Lines(String);

impl Lines {
    fn about(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.0,
            "# HELP storyline_{name} {help}\n# TYPE storyline_{name} {kind}"
        );
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, of)| format!("{label}=\"{}\"", escaped(of)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.0, "storyline_{name}{labels} {value}");
    }
}

/// A label's value, as the format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

pub(super) async fn metrics(Held(health): Held<Health>) -> Response {
    let mut lines = Lines(String::new());
    let answer = health.answer().await;
    lines.about("info", "gauge", "The version that runs.");
    lines.value("info", &[("version", &answer.version)], 1);
    lines.about("up_seconds", "gauge", "For how long it has run.");
    lines.value("up_seconds", &[], answer.up_seconds);
    lines.about(
        "findings",
        "gauge",
        "What a check finds, by how grave it is.",
    );
    for state in [State::Ok, State::Note, State::Warning, State::Problem] {
        let found = answer.findings.iter().filter(|one| one.state == state);
        lines.value("findings", &[("state", state.name())], found.count());
    }
    // A Raspberry Pi asks its firmware for it, which may take a while.
    if let Ok(seen) = blocking(|| Board::here().look([])).await {
        board(&mut lines, &seen);
    }
    let sight = lock(&health.sight).clone();
    if let Sight::Work(teams, supervisor) = sight {
        tasks(&mut lines, &supervisor);
        if let Err(error) = of_teams(&mut lines, &health, &teams).await {
            // What could be told is told; `findings` shows that something is wrong.
            tracing::debug!("no numbers of the teams: {error}");
        }
    }
    if let Some(made_at) = answer.backup_at {
        lines.about(
            "backup_timestamp_seconds",
            "gauge",
            "When the newest backup was made.",
        );
        lines.value("backup_timestamp_seconds", &[], made_at.as_second());
    }
    ([(header::CONTENT_TYPE, TEXT)], lines.0).into_response()
}

/// What the machine tells of itself, where it does.
fn board(lines: &mut Lines, seen: &Seen) {
    if let Some(celsius) = seen.celsius {
        lines.about("board_celsius", "gauge", "How hot the box is.");
        lines.value("board_celsius", &[], celsius);
    }
    if let Some(power) = seen.power {
        lines.about(
            "board_power_low",
            "gauge",
            "Whether the voltage is too low.",
        );
        lines.value("board_power_low", &[], u8::from(power.is_low));
        lines.about(
            "board_slowed",
            "gauge",
            "Whether the processor slows down for it, or for heat.",
        );
        lines.value("board_slowed", &[], u8::from(power.is_slowed));
    }
}

fn tasks(lines: &mut Lines, supervisor: &Supervisor) {
    lines.about(
        "task_restarts_total",
        "counter",
        "How often the tasks failed since the start.",
    );
    let mut restarts = std::collections::BTreeMap::new();
    for task in supervisor.states() {
        *restarts.entry(task.name).or_insert(0) += task.restarts;
    }
    for (name, restarts) in restarts {
        lines.value("task_restarts_total", &[("task", name)], restarts);
    }
}

async fn of_teams(lines: &mut Lines, health: &Health, teams: &Teams) -> Result<(), Error> {
    let now = health.clock.now();
    let mut all = Vec::new();
    for (flow, team) in teams.all() {
        all.push((&*team.name, flow.status(now).await?, flow.outcomes().await?));
    }
    lines.about(
        "media",
        "gauge",
        "Media on record, by how they are; `all` counts each.",
    );
    for (team, status, _) in &all {
        for (state, number) in [
            ("all", status.media),
            ("ready", status.ready),
            ("to_examine", status.to_examine),
            ("flawed", status.flawed),
            ("missing", status.missing),
        ] {
            lines.value("media", &[("team", team), ("state", state)], number);
        }
    }
    lines.about(
        "awaiting",
        "gauge",
        "Stories before the team that await a press.",
    );
    for (team, status, _) in &all {
        lines.value("awaiting", &[("team", team)], status.awaiting);
    }
    lines.about(
        "next_due_timestamp_seconds",
        "gauge",
        "When the next story is due.",
    );
    for (team, status, _) in &all {
        if let Some(next) = &status.next {
            let at = next.due_at.as_second();
            lines.value("next_due_timestamp_seconds", &[("team", team)], at);
        }
    }
    lines.about("paused", "gauge", "Whether the plan is paused.");
    for (team, status, _) in &all {
        let paused = u8::from(status.paused_since.is_some());
        lines.value("paused", &[("team", team)], paused);
    }
    lines.about("alerts", "gauge", "Alerts that stand.");
    for (team, status, _) in &all {
        lines.value("alerts", &[("team", team)], status.alerts.len());
    }
    lines.about(
        "stories",
        "gauge",
        "Stories that ended, by how; one that is taken back counts no more.",
    );
    for (team, _, outcomes) in &all {
        for outcome in Outcome::ALL.map(Outcome::as_str) {
            let number = outcomes.get(outcome).copied().unwrap_or_default();
            lines.value("stories", &[("team", team), ("outcome", outcome)], number);
        }
    }
    Ok(())
}
