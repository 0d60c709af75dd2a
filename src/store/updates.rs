//! Updates from Telegram whose effect is committed. The mark is written in the transaction of the effect itself.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;

/// Takes an update. False if its effect was committed before.
pub(crate) fn take(tx: &mut dyn Tx, update: u32, now: Timestamp) -> Result<bool> {
    Ok(tx.execute(
        "INSERT INTO telegram_updates (update_id, taken_at) VALUES (?1, ?2) ON CONFLICT (update_id) DO NOTHING",
        values![update, now],
    )? == 1)
}

/// Whether an update's effect was committed before.
pub(crate) fn is_taken(tx: &mut dyn Tx, update: u32) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM telegram_updates WHERE update_id = ?1",
        values![update],
    )? > 0)
}

/// Forgets updates taken before `before`: Telegram keeps none longer than a day, and begins its numbers anew.
pub(crate) fn forget_old(tx: &mut dyn Tx, before: Timestamp) -> Result<u64> {
    tx.execute(
        "DELETE FROM telegram_updates WHERE taken_at < ?1",
        values![before],
    )
}
