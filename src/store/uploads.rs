//! What a bot has uploaded once: Telegram sends it again by its id, without another upload.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;

/// The id of a content in a form, if this bot has uploaded it.
pub(crate) fn get(
    tx: &mut dyn Tx,
    bot: &str,
    fingerprint: &str,
    form: &str,
) -> Result<Option<String>> {
    let row = tx.first(
        "SELECT file_id FROM uploads WHERE bot = ?1 AND fingerprint = ?2 AND form = ?3",
        values![bot, fingerprint, form],
    )?;
    row.map(|row| row.cells().text()).transpose()
}

/// Notes an upload.
pub(crate) fn put(
    tx: &mut dyn Tx,
    bot: &str,
    fingerprint: &str,
    form: &str,
    file_id: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO uploads (bot, fingerprint, form, file_id, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (bot, fingerprint, form) DO UPDATE SET file_id = excluded.file_id, noted_at = excluded.noted_at",
        values![bot, fingerprint, form, file_id, now],
    )?;
    Ok(())
}

/// Forgets uploads from before `before`.
pub(crate) fn forget_old(tx: &mut dyn Tx, before: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM uploads WHERE noted_at < ?1", values![before])
}
