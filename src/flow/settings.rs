//! What a team decided, and how it is changed: in the chat, in the terminal, or in the file. The records are the one source of
//! truth; the file gives first values, and a change made there later is a decision like any other.

use jiff::Timestamp;
use serde_json::Value;

use super::conditions::judge;
use super::{Flow, Result};
use crate::domain::alert::topic;
use crate::domain::audit::{By, Change};
use crate::domain::ids::TeamId;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::domain::written::Complaint;
use crate::store::settings::{self, Row};
use crate::store::{Tx, audit, teams};

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

    /// The settings of which the file says something else since the service read it: they count from its next start.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn unread(&self, file: &TeamSettings) -> Result<Vec<Setting>> {
        let team = self.team;
        let rows = self.store.read(move |tx| settings::rows(tx, team)).await?;
        let unread = |row: Row| is_news(&row, &row.setting.shown(file)).then_some(row.setting);
        Ok(rows.into_iter().filter_map(unread).collect())
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

    /// Has one of the team's chats go by another number: a group became a supergroup. Nothing if it is another chat.
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
                let mut has_other_chat = false;
                let mut refused = Vec::new();
                let mut all = settings::of(tx, team)?;
                for row in settings::rows(tx, team)? {
                    let said = row.setting.shown(&file);
                    let is_news = is_news(&row, &said)
                        // The topic that the file names with another chat is one of that chat's.
                        || (row.setting == Setting::Thread && has_other_chat);
                    let before = all.clone();
                    if is_news && row.value != said && row.setting.put(&mut all, &said).is_ok() {
                        if row.setting == Setting::Chat {
                            all.thread = None;
                        }
                        if let Some(complaint) = clash(tx, Some(team), row.setting, &all)? {
                            all = before;
                            refused
                                .push(format!("`{} = {said}`: {}", row.setting, complaint.reason));
                            continue;
                        }
                        write(tx, team, row.setting, (&row.value, &said), None, now)?;
                        has_other_chat |= row.setting == Setting::Chat;
                    }
                    if row.file_value.as_ref() != Some(&said) {
                        settings::note_file(tx, team, row.setting, &said)?;
                    }
                }
                judge_values(tx, team, &refused, now)
            })
            .await
    }
}

/// Whether the file says something else of a setting than when it was last read. What a person decided before it was read
/// for the first time stands.
fn is_news(row: &Row, said: &str) -> bool {
    match &row.file_value {
        Some(before) => before != said,
        None => row.set_by.is_none() && row.value != said,
    }
}

/// Tells of values that this program cannot read, for which the product's default counts until they are set again; and of what
/// the file says that cannot be.
fn judge_values(tx: &mut dyn Tx, team: TeamId, refused: &[String], now: Timestamp) -> Result<()> {
    let mut scratch = TeamSettings::default();
    let mut told: Vec<String> = settings::rows(tx, team)?
        .into_iter()
        .filter(|row| row.setting.put(&mut scratch, &row.value).is_err())
        .map(|row| {
            format!(
                "The setting `{} = {}` cannot be read, and the default counts instead.",
                row.setting, row.value
            )
        })
        .collect();
    told.extend(
        refused
            .iter()
            .map(|why| format!("The file of settings says {why}; so it stays as it was.")),
    );
    if told.is_empty() {
        judge(tx, team, topic::SETTINGS, None, now)?;
    } else {
        let text = format!("{} `storyline team set` sets it anew.", told.join(" "));
        judge(tx, team, topic::SETTINGS, Some(&text), now)?;
    }
    Ok(())
}

/// Why a team may not be called so, or have this library or chat: another team's is in the way.
pub(super) fn clash(
    tx: &mut dyn Tx,
    team: Option<TeamId>,
    setting: Setting,
    wanted: &TeamSettings,
) -> Result<Option<Complaint>> {
    for other in teams::present(tx)? {
        if Some(other) == team {
            continue;
        }
        let others = settings::of(tx, other)?;
        let (mine, theirs) = (&wanted.library, &others.library);
        let places = wanted.places();
        let name = &others.name;
        let complaint = match setting {
            Setting::Name if wanted.name.to_lowercase() == name.to_lowercase() => Complaint::new(
                format!("there is a team called {name} already"),
                "write another name",
            ),
            Setting::Library if mine.starts_with(theirs) || theirs.starts_with(mine) => {
                Complaint::new(
                    format!("the library of {name} is {}", theirs.display()),
                    "write a folder that is not in it, and in which it is not",
                )
            }
            Setting::Chat | Setting::Thread | Setting::Routes
                if others.places().iter().any(|place| places.contains(place)) =>
            {
                Complaint::new(
                    format!("the stories of {name} go there"),
                    "write another chat; teams share one only if each has a topic of its own",
                )
            }
            _ => continue,
        };
        return Ok(Some(complaint));
    }
    Ok(None)
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
    if setting == Setting::Chat {
        // Another chat has none of the topics of the one before.
        all.thread = None;
    }
    let after = setting.shown(&all);
    if after == before {
        return Ok(Changed::AlreadySo);
    }
    if let Some(complaint) = clash(tx, Some(team), setting, &all)? {
        return Ok(Changed::Refused(complaint));
    }
    write(tx, team, setting, (&before, &after), Some(by), now)?;
    if setting == Setting::Chat {
        change(tx, team, Setting::Thread, "", by, now)?;
    }
    Ok(Changed::Done)
}

/// Writes a setting that somebody decided, or else the file; and what follows from it.
fn write(
    tx: &mut dyn Tx,
    team: TeamId,
    setting: Setting,
    (before, after): (&str, &str),
    by: Option<&By>,
    now: Timestamp,
) -> Result<()> {
    settings::set(tx, team, setting, after, by.map(|by| &*by.name), now)?;
    if setting == Setting::Chat {
        if before.is_empty() {
            // Until now there was nowhere to send a story, so no slot was missed.
            teams::settle_slots(tx, team, now)?;
        }
        // What was wrong in the other chat means nothing here.
        judge(tx, team, topic::CHAT_RIGHTS, None, now)?;
    }
    let file = By::terminal(FILE);
    note(tx, team, setting, before, after, by.unwrap_or(&file), now)
}

/// Writes the number that one of the team's chats has now, if it had this one.
pub(super) fn move_chat(
    tx: &mut dyn Tx,
    team: TeamId,
    from: i64,
    to: i64,
    now: Timestamp,
) -> Result<()> {
    let before = settings::of(tx, team)?;
    let mut after = before.clone();
    after.chat = before.chat.map(|chat| if chat == from { to } else { chat });
    after.routes = before.routes.clone().moved(from, to);
    let by = By::terminal(TELEGRAM);
    for setting in [Setting::Chat, Setting::Routes] {
        let (before, after) = (setting.shown(&before), setting.shown(&after));
        if after != before {
            write(tx, team, setting, (&before, &after), Some(&by), now)?;
        }
    }
    Ok(())
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
