//! The category mix: the shares in force, and those that were.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::category::{Category, Share};
use crate::domain::ids::TeamId;

/// The mix in force and when it was set; nothing if none was ever set, or the last was taken back.
pub(crate) fn in_force(
    tx: &mut dyn Tx,
    team: TeamId,
) -> Result<Option<(Timestamp, BTreeMap<Category, u32>)>> {
    let rows = tx.query(
        "SELECT set_at, category, share_ppm FROM category_mix
         WHERE team_id = ?1 AND replaced_at IS NULL ORDER BY category",
        values![team],
    )?;
    let mut mix: Option<(Timestamp, BTreeMap<Category, u32>)> = None;
    for row in rows {
        let mut cells = row.cells();
        let set_at = cells.time()?;
        let (_, shares) = mix.get_or_insert_with(|| (set_at, BTreeMap::new()));
        shares.insert(Category::new(&cells.text()?), cells.number()?);
    }
    Ok(mix)
}

/// Puts a mix in force; an empty one means that any category will do. The one before is kept as history.
pub(crate) fn set(
    tx: &mut dyn Tx,
    team: TeamId,
    shares_ppm: &BTreeMap<Category, u32>,
    by: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE category_mix SET replaced_at = ?2 WHERE team_id = ?1 AND replaced_at IS NULL",
        values![team, now],
    )?;
    for (category, share_ppm) in shares_ppm {
        tx.execute(
            "INSERT INTO category_mix (team_id, category, share_ppm, set_at, set_by) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (team_id, set_at, category) DO UPDATE SET
                 share_ppm = excluded.share_ppm, set_by = excluded.set_by, replaced_at = NULL",
            values![team, category, *share_ppm, now, by],
        )?;
    }
    Ok(())
}

/// Every share there ever was, the newest mix first.
pub(crate) fn history(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Share>> {
    let rows = tx.query(
        "SELECT category, share_ppm, set_at, set_by, replaced_at FROM category_mix
         WHERE team_id = ?1 ORDER BY set_at DESC, category",
        values![team],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Share {
                category: Category::new(&cells.text()?),
                share_ppm: cells.number()?,
                set_at: cells.time()?,
                set_by: cells.maybe_text()?,
                replaced_at: cells.maybe_time()?,
            })
        })
        .collect()
}
