//! What a team decided. One row a setting, as a person would write it.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::ids::TeamId;
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;

/// A setting as it is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) setting: Setting,
    pub(crate) value: String,
    /// What the file said when the service last read it.
    pub(crate) file_value: Option<String>,
    pub(crate) set_at: Timestamp,
    /// Nobody: the file.
    pub(crate) set_by: Option<String>,
}

/// Every setting that is on record. One that this program does not know is a newer one's, and is passed over.
pub(crate) fn rows(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Row>> {
    let rows = tx.query(
        "SELECT name, value, file_value, set_at, set_by FROM settings WHERE team_id = ?1 ORDER BY name",
        values![team],
    )?;
    let rows = rows.into_iter().map(|row| {
        let mut cells = row.cells();
        let Ok(setting) = cells.text()?.parse() else {
            return Ok(None);
        };
        Ok(Some(Row {
            setting,
            value: cells.text()?,
            file_value: cells.maybe_text()?,
            set_at: cells.time()?,
            set_by: cells.maybe_text()?,
        }))
    });
    rows.filter_map(Result::transpose).collect()
}

/// What the team decided, with the product's defaults where nothing is on record.
pub(crate) fn of(tx: &mut dyn Tx, team: TeamId) -> Result<TeamSettings> {
    let mut settings = TeamSettings::default();
    let rows = tx.query(
        "SELECT name, value FROM settings WHERE team_id = ?1",
        values![team],
    )?;
    for row in rows {
        let mut cells = row.cells();
        let Ok(setting) = cells.text()?.parse::<Setting>() else {
            continue;
        };
        let value = cells.text()?;
        // A value that cannot be read (a zone that is no more, a bound that was narrowed) must not stop everything: the
        // service tells of it at its start.
        if let Err(complaint) = setting.put(&mut settings, &value) {
            tracing::debug!("`{setting}` is `{value}`: {}", complaint.reason);
        }
    }
    Ok(settings)
}

/// Writes a setting that a person decided.
pub(crate) fn set(
    tx: &mut dyn Tx,
    team: TeamId,
    setting: Setting,
    value: &str,
    by: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (team_id, name, value, set_at, set_by) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (team_id, name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at,
             set_by = excluded.set_by",
        values![team, setting.as_str(), value, now, by],
    )?;
    if setting == Setting::Name {
        tx.execute(
            "UPDATE teams SET name = ?2 WHERE id = ?1",
            values![team, value],
        )?;
    }
    Ok(())
}

/// Notes what the file says of a setting.
pub(crate) fn note_file(
    tx: &mut dyn Tx,
    team: TeamId,
    setting: Setting,
    file_value: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE settings SET file_value = ?3 WHERE team_id = ?1 AND name = ?2",
        values![team, setting.as_str(), file_value],
    )?;
    Ok(())
}
