//! What the real journal tells: events by their ids, what they mean, and the life of a story beside what is on record.

use anyhow::{Result, ensure};
use storyline::system::events;

use super::shell::{done, sh, until};

fn look(options: &str) -> String {
    let id = events::STORY_SENT.id;
    format!("journalctl -q -u storyline MESSAGE_ID={id} STORY=1 {options}")
}

/// The control: nothing was sent yet, and no story has a life.
pub(crate) fn tells_nothing() -> Result<()> {
    ensure!(
        sh(&look(""))?.is_empty(),
        "the journal knows what was not sent"
    );
    let life = sh("storyline log 4711");
    ensure!(life.is_err_and(|error| error.to_string().contains("exit status: 3")));
    Ok(())
}

/// The first story was sent, and posted by Ann.
pub(crate) fn tells_a_life() -> Result<()> {
    until("the journal tells what was sent, by its id", || {
        sh(&look("-o cat")).is_ok_and(|told| told == "#1 is before the team")
    })?;
    let explained = sh(&look("-x"))?;
    ensure!(
        explained.contains("Subject: Story 1 is before the team"),
        "the catalog is not in use: {explained}"
    );
    let life = sh("storyline log '#1'")?;
    let is_told = |by: &str, what: &str| {
        let mut lines = life.lines();
        lines.any(|line| line.contains(by) && line.contains(what))
    };
    ensure!(
        is_told("records", "posted: ") && is_told("journal", "#1 posted by Ann"),
        "{life}"
    );
    done(
        "the journal tells events by their ids and what they mean, and `storyline log` a story's life",
    );
    Ok(())
}
