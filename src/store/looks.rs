//! What pictures look like: which were shown lately or are about to be.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, values};
use crate::domain::ids::TeamId;
use crate::domain::lookalike::{Lookalike, Showing};

/// Every showing whose look is known: what was sent since then, and the queue.
pub(crate) fn shown(tx: &mut dyn Tx, team: TeamId, since: Timestamp) -> Result<Vec<Showing>> {
    let rows = tx.query(
        "SELECT m.id, m.lookalike, h.sent_at FROM history h JOIN media m ON m.id = h.media_id
         WHERE h.team_id = ?1 AND h.ended_at >= ?2 AND h.sent_at >= ?2 AND m.lookalike IS NOT NULL
         UNION ALL
         SELECT m.id, m.lookalike, COALESCE(s.sent_at, s.due_at) FROM stories s JOIN media m ON m.id = s.media_id
         WHERE s.team_id = ?1 AND m.lookalike IS NOT NULL",
        values![team, since],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

fn read(mut cells: Cells) -> Result<Showing> {
    Ok(Showing {
        media: cells.parsed()?,
        lookalike: Lookalike::from_bits(cells.integer()?.cast_unsigned()),
        at: cells.time()?,
    })
}
