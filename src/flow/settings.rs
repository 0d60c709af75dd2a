//! What a team decided, and how it is changed: in the chat, in the terminal, or in the file. The records are the one source of
//! truth; the file gives first values, and a change made there later is a decision like any other.

use jiff::Timestamp;
use serde_json::Value;

use super::{Flow, Result};
use crate::domain::alert::topic;
use crate::domain::audit::{By, Change};
use crate::domain::ids::TeamId;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::domain::written::Complaint;
use crate::store::settings::{self, Row};
use crate::store::{Tx, alerts, audit, teams};

/// Who changes a setting when the file does.
const FILE: &str = "the file of settings";
/// Who changes a chat's number when a group becomes a supergroup.
const TELEGRAM: &str = "Telegram";

/// What became of a wish to change a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is so now.
    Done,
    /// It was so already.
    AlreadySo,
    /// It is not what may be written for it.
    Refused(Complaint),
}

/// A setting, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Which.
    pub setting: Setting,
    /// What it is; empty if it is not set.
    pub value: String,
    /// Who decided it; nobody: the file.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Flow {
    /// What the team decided.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn settings(&self) -> Result<TeamSettings> {
        let team = self.team;
        self.store.read(move |tx| settings::of(tx, team)).await
    }

    /// What will count when the service has read the file: what people decided, and the file where nobody did or where it
    /// says something else since.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn settings_with(&self, file: TeamSettings) -> Result<TeamSettings> {
        let team = self.team;
        let rows = self.store.read(move |tx| settings::rows(tx, team)).await?;
        let mut all = file;
        for row in rows {
            let is_old = row
                .file_value
                .is_none_or(|before| before == row.setting.shown(&all));
            if row.set_by.is_some() && is_old {
                // What cannot be read is not so: it was looked at when it was written.
                let _ = row.setting.put(&mut all, &row.value);
            }
        }
        Ok(all)
    }

    /// Every setting, and where its value comes from.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn decided(&self) -> Result<Vec<Decided>> {
        let team = self.team;
        let rows = self.store.read(move |tx| settings::rows(tx, team)).await?;
        let decided = |row: Row| Decided {
            setting: row.setting,
            value: row.value,
            by: row.set_by,
            at: row.set_at,
        };
        Ok(rows.into_iter().map(decided).collect())
    }

    /// Changes a setting to what a person wrote.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set(
        &self,
        setting: Setting,
        written: String,
        by: By,
        now: Timestamp,
    ) -> Result<Changed> {
        let team = self.team;
        let changed = self
            .store
            .write_durably(move |tx| change(tx, team, setting, &written, &by, now))
            .await?;
        self.nudges.everybody();
        Ok(changed)
    }

    /// Has the team's chat go by another number: a group became a supergroup. Nothing if it is another chat.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn chat_moved(&self, from: i64, to: i64, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write_durably(move |tx| move_chat(tx, team, from, to, now))
            .await?;
        self.nudges.everybody();
        Ok(())
    }

    /// Takes up what the file says, where it says something else than when it was last read. Only the service does: another
    /// process may see another file, or other variables.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn adopt(&self, file: TeamSettings, now: Timestamp) -> Result<()> {
        let team = self.team;
        self.store
            .write_durably(move |tx| {
                judge_values(tx, team, now)?;
                for row in settings::rows(tx, team)? {
                    let said = row.setting.shown(&file);
                    if row.file_value.as_ref() == Some(&said) {
                        continue;
                    }
                    settings::note_file(tx, team, row.setting, &said)?;
                    // What a person decided before the file was read for the first time stands.
                    let is_news = row.file_value.is_some() || row.set_by.is_none();
                    if is_news && row.value != said {
                        settings::set(tx, team, row.setting, &said, None, now)?;
                        let by = By::terminal(FILE);
                        note(tx, team, row.setting, &row.value, &said, &by, now)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// Tells of a value that this program cannot read: then the product's default counts until it is set again.
fn judge_values(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<()> {
    let mut scratch = TeamSettings::default();
    let unreadable: Vec<String> = settings::rows(tx, team)?
        .into_iter()
        .filter(|row| row.setting.put(&mut scratch, &row.value).is_err())
        .map(|row| format!("`{} = {}`", row.setting, row.value))
        .collect();
    if unreadable.is_empty() {
        alerts::resolve(tx, team, topic::SETTINGS, now)?;
    } else {
        let text = format!(
            "The setting {} cannot be read, and the default counts instead. `storyline team set` sets it anew.",
            unreadable.join(", ")
        );
        alerts::raise(tx, team, topic::SETTINGS, &text, now)?;
    }
    Ok(())
}

/// Puts first values where nothing is on record.
pub(super) fn seed(
    tx: &mut dyn Tx,
    team: TeamId,
    first: &TeamSettings,
    now: Timestamp,
) -> Result<()> {
    let known = settings::rows(tx, team)?;
    for setting in Setting::ALL {
        if known.iter().all(|row| row.setting != setting) {
            settings::set(tx, team, setting, &setting.shown(first), None, now)?;
        }
    }
    Ok(())
}

fn change(
    tx: &mut dyn Tx,
    team: TeamId,
    setting: Setting,
    written: &str,
    by: &By,
    now: Timestamp,
) -> Result<Changed> {
    let mut all = settings::of(tx, team)?;
    let before = setting.shown(&all);
    if let Err(complaint) = setting.put(&mut all, written) {
        return Ok(Changed::Refused(complaint));
    }
    let after = setting.shown(&all);
    if after == before {
        return Ok(Changed::AlreadySo);
    }
    settings::set(tx, team, setting, &after, Some(&by.name), now)?;
    if setting == Setting::Chat {
        if before.is_empty() {
            // Until now there was nowhere to send a story, so no slot was missed.
            teams::settle_slots(tx, team, now)?;
        }
        // What was wrong in the other chat, and its topic, mean nothing here.
        alerts::resolve(tx, team, topic::CHAT_RIGHTS, now)?;
        change(tx, team, Setting::Thread, "", by, now)?;
    }
    note(tx, team, setting, &before, &after, by, now)?;
    Ok(Changed::Done)
}

/// Writes the number that the team's chat has now, if it had this one.
pub(super) fn move_chat(
    tx: &mut dyn Tx,
    team: TeamId,
    from: i64,
    to: i64,
    now: Timestamp,
) -> Result<()> {
    if settings::of(tx, team)?.chat != Some(from) {
        return Ok(());
    }
    let (before, after) = (from.to_string(), to.to_string());
    settings::set(tx, team, Setting::Chat, &after, Some(TELEGRAM), now)?;
    alerts::resolve(tx, team, topic::CHAT_RIGHTS, now)?;
    let by = By::terminal(TELEGRAM);
    note(tx, team, Setting::Chat, &before, &after, &by, now)
}

fn note(
    tx: &mut dyn Tx,
    team: TeamId,
    setting: Setting,
    before: &str,
    after: &str,
    by: &By,
    now: Timestamp,
) -> Result<()> {
    let value = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Value::from);
    let change = Change::of_setting(team, setting.as_str()).between(value(before), value(after));
    tracing::info!(
        person = by.name,
        "`{setting}` is `{after}` now (it was `{before}`): changed by {}",
        by.name
    );
    audit::add(tx, team, by, &change, now)
}
