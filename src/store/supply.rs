//! What there is to show, counted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::values;
use crate::domain::category::Category;
use crate::domain::ids::TeamId;
use crate::domain::runway::Stock;

/// The stock of each category: media that may become stories, or are planned to, by when their last lock ends. What is locked
/// for ever is no stock.
pub(crate) fn stock(
    tx: &mut dyn Tx,
    team: TeamId,
    now: Timestamp,
) -> Result<BTreeMap<Category, Stock>> {
    let rows = tx.query(
        "SELECT category, days, COUNT(*) FROM (
             SELECT m.category AS category,
                 COALESCE((SELECT CASE WHEN MAX(l.locked_until) <= ?2 THEN 0
                         ELSE (MAX(l.locked_until) - ?2 + 86399999) / 86400000 END
                     FROM locks l WHERE l.media_id = m.id), 0) AS days
             FROM media m
             WHERE m.team_id = ?1 AND m.missing_since IS NULL AND m.examined_at IS NOT NULL AND m.errors = '[]'
                 AND NOT EXISTS (SELECT 1 FROM locks l WHERE l.media_id = m.id AND l.locked_until IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM stories s WHERE s.media_id = m.id AND s.state <> 'planned')
         ) AS stock GROUP BY category, days ORDER BY category, days",
        values![team, now],
    )?;
    let mut stock: BTreeMap<Category, Stock> = BTreeMap::new();
    for row in rows {
        let mut cells = row.cells();
        let category = Category::new(&cells.text()?);
        let (days, count) = (cells.number()?, cells.number()?);
        let of_category = stock.entry(category).or_default();
        match days {
            0 => of_category.ready = count,
            days => drop(of_category.returning.insert(days, count)),
        }
    }
    Ok(stock)
}
