//! Media: one row for each content of a team, for ever; a content that comes back finds its history.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::{Error, Result};
use super::value::{Cells, json, values};
use crate::domain::category::Category;
use crate::domain::ids::{MediaId, TeamId};
use crate::domain::lookalike::Lookalike;
use crate::domain::media::{Content, Media, Metadata, Verdict};
use crate::domain::outcome::Outcome;
use crate::domain::plan::Candidate;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, fingerprint, format, size_bytes, width_px, height_px, category, last_path, title, link_url, ",
            "caption, tags, requires_interaction, custom_metadata, errors, warnings, indexed_at, examined_at, ",
            "missing_since, posted_count, last_posted_at, clip, lookalike, edits FROM media ",
            $rest
        )
    };
}

fn read(mut cells: Cells) -> Result<Media> {
    Ok(Media {
        id: cells.parsed()?,
        fingerprint: cells.parsed()?,
        format: cells.parsed()?,
        size_bytes: cells.number()?,
        width_px: cells.number()?,
        height_px: cells.number()?,
        category: Category::new(&cells.text()?),
        path: cells.text()?,
        metadata: Metadata {
            title: cells.maybe_text()?,
            link_url: cells.maybe_text()?,
            caption: cells.maybe_text()?,
            tags: cells.json()?,
            requires_interaction: cells.maybe_integer()?.map(|flag| flag != 0),
            custom_metadata: cells.json()?,
        },
        errors: cells.json()?,
        warnings: cells.json()?,
        indexed_at: cells.time()?,
        examined_at: cells.maybe_time()?,
        missing_since: cells.maybe_time()?,
        posted_count: cells.number()?,
        last_posted_at: cells.maybe_time()?,
        clip: cells.maybe_json()?,
        lookalike: lookalike(&mut cells)?,
        edits: cells.maybe_json()?.unwrap_or_default(),
    })
}

fn lookalike(cells: &mut Cells) -> Result<Option<Lookalike>> {
    let bits = cells.maybe_integer()?;
    Ok(bits.map(|bits| Lookalike::from_bits(bits.cast_unsigned())))
}

/// Adds a content that was never seen. Nothing if the team knows it already.
pub(crate) fn add(
    tx: &mut dyn Tx,
    team: TeamId,
    path: &str,
    size_bytes: u64,
    content: &Content,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<Option<MediaId>> {
    let id: MediaId = super::fresh(now);
    let metadata = &content.metadata;
    let added = tx.execute(
        "INSERT INTO media (id, team_id, fingerprint, format, size_bytes, width_px, height_px, category, last_path,
             title, link_url, caption, tags, requires_interaction, custom_metadata, errors, warnings, indexed_at,
             clip, posted_count, skipped_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, 0, 0)
         ON CONFLICT (team_id, fingerprint) DO NOTHING",
        values![
            id,
            team,
            content.fingerprint,
            content.format.as_str(),
            size_bytes,
            content.width_px,
            content.height_px,
            &Category::of_path(path),
            path,
            metadata.title.as_ref(),
            metadata.link_url.as_ref(),
            metadata.caption.as_ref(),
            json(&metadata.tags)?,
            metadata.requires_interaction,
            json(&metadata.custom_metadata)?,
            json(&verdict.errors)?,
            json(&verdict.warnings)?,
            now,
            content.clip.as_ref().map(json).transpose()?
        ],
    )?;
    Ok((added == 1).then_some(id))
}

pub(crate) fn by_fingerprint(
    tx: &mut dyn Tx,
    team: TeamId,
    fingerprint: crate::domain::media::Fingerprint,
) -> Result<Option<Media>> {
    tx.first(
        select!("WHERE team_id = ?1 AND fingerprint = ?2"),
        values![team, fingerprint],
    )?
    .map(|row| read(row.cells()))
    .transpose()
}

pub(crate) fn get(tx: &mut dyn Tx, id: MediaId) -> Result<Media> {
    tx.first(select!("WHERE id = ?1"), values![id])?
        .ok_or_else(|| Error::unexpected(format!("no media {id}")))
        .and_then(|row| read(row.cells()))
}

/// Every media of a team, by path. `category` narrows it.
pub(crate) fn list(tx: &mut dyn Tx, team: TeamId, category: Option<&str>) -> Result<Vec<Media>> {
    let rows = match category {
        None => tx.query(
            select!("WHERE team_id = ?1 ORDER BY last_path, id"),
            values![team],
        )?,
        Some(category) => tx.query(
            select!("WHERE team_id = ?1 AND category = ?2 ORDER BY last_path, id"),
            values![team, category],
        )?,
    };
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Media whose id, fingerprint or path begins or ends as somebody typed it; at most `limit`.
pub(crate) fn list_like(
    tx: &mut dyn Tx,
    team: TeamId,
    typed: &str,
    limit: u32,
) -> Result<Vec<Media>> {
    let rows = tx.query(
        select!(
            "WHERE team_id = ?1 AND (last_path = ?2 OR id = ?2 OR substr(fingerprint, 1, length(?2)) = ?2
                 OR substr(last_path, length(last_path) - length(?2), length(?2) + 1) = '/' || ?2)
             ORDER BY last_path, id LIMIT ?3"
        ),
        values![team, typed, limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// Writes what the files now say of a media: where it lies, and its metadata. What people said by hand stays, and wins.
pub(crate) fn describe(
    tx: &mut dyn Tx,
    id: MediaId,
    path: &str,
    metadata: &Metadata,
    warnings: &[String],
) -> Result<()> {
    let edits = get(tx, id)?.edits;
    super::edits::write(tx, id, path, metadata, &edits)?;
    tx.execute(
        "UPDATE media SET warnings = ?2, missing_since = NULL WHERE id = ?1",
        values![id, json(&warnings)?],
    )?;
    Ok(())
}

/// Writes that a media lies at another of its places; the category follows the folder, unless it was given by hand.
pub(crate) fn settle_at(tx: &mut dyn Tx, id: MediaId, path: &str) -> Result<()> {
    let category = get(tx, id)?.edits.category_at(path);
    tx.execute(
        "UPDATE media SET last_path = ?2, category = ?3, missing_since = NULL WHERE id = ?1",
        values![id, path, &category],
    )?;
    Ok(())
}

/// Writes that a media has no file any more. Its history and locks stay.
pub(crate) fn miss(tx: &mut dyn Tx, id: MediaId, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE media SET missing_since = ?2 WHERE id = ?1 AND missing_since IS NULL",
        values![id, now],
    )?;
    Ok(())
}

/// Media that were never decoded in full, the oldest first.
pub(crate) fn to_examine(tx: &mut dyn Tx, team: TeamId, limit: u32) -> Result<Vec<Media>> {
    let rows = tx.query(
        select!(
            "WHERE team_id = ?1 AND looked_at IS NULL AND missing_since IS NULL
             ORDER BY examined_at NULLS FIRST, indexed_at, id LIMIT ?2"
        ),
        values![team, limit],
    )?;
    rows.into_iter().map(|row| read(row.cells())).collect()
}

/// How many media may not be planned before they are examined.
pub(crate) fn count_to_examine(tx: &mut dyn Tx, team: TeamId) -> Result<u64> {
    tx.count(
        "SELECT COUNT(*) FROM media
         WHERE team_id = ?1 AND looked_at IS NULL AND missing_since IS NULL AND examined_at IS NULL",
        values![team],
    )
}

/// Whether something that came since then is not examined yet.
pub(crate) fn awaits_examination(tx: &mut dyn Tx, team: TeamId, since: Timestamp) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM media
         WHERE team_id = ?1 AND looked_at IS NULL AND missing_since IS NULL AND examined_at IS NULL AND indexed_at >= ?2",
        values![team, since],
    )? > 0)
}

/// Has every media that is flawed for one of these reasons examined again.
pub(crate) fn doubt_flawed(tx: &mut dyn Tx, team: TeamId, reasons: [&str; 3]) -> Result<u64> {
    let [one, two, three] = reasons;
    tx.execute(
        "UPDATE media SET examined_at = NULL, looked_at = NULL, errors = '[]'
         WHERE team_id = ?1 AND errors <> '[]' AND errors IN (?2, ?3, ?4)",
        values![team, json(&[one])?, json(&[two])?, json(&[three])?],
    )
}

/// Writes what a full look found. `size_px` is the size as a person sees it, if it decodes.
pub(crate) fn examined(
    tx: &mut dyn Tx,
    id: MediaId,
    size_px: Option<(u32, u32)>,
    lookalike: Option<Lookalike>,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE media SET examined_at = ?2, looked_at = ?2, width_px = COALESCE(?3, width_px),
             height_px = COALESCE(?4, height_px), errors = ?5, warnings = ?6, lookalike = ?7
         WHERE id = ?1",
        values![
            id,
            now,
            size_px.map(|(width, _)| width),
            size_px.map(|(_, height)| height),
            json(&verdict.errors)?,
            json(&verdict.warnings)?,
            lookalike.map(|lookalike| lookalike.bits().cast_signed())
        ],
    )?;
    Ok(())
}

/// The categories in which something lies.
pub(crate) fn categories(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<Category>> {
    let rows = tx.query(
        "SELECT DISTINCT category FROM media WHERE team_id = ?1 AND missing_since IS NULL ORDER BY category",
        values![team],
    )?;
    rows.into_iter()
        .map(|row| Ok(Category::new(&row.cells().text()?)))
        .collect()
}

/// The first `limit` media of a category that may be chosen for a slot until `until`, in the order of choice: active,
/// valid, examined, not in flight, and no lock that lasts longer.
pub(crate) fn candidates(
    tx: &mut dyn Tx,
    team: TeamId,
    category: &Category,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Candidate>> {
    let rows = tx.query(
        "SELECT m.id, m.fingerprint, m.tags, m.last_posted_at, m.posted_count, m.lookalike,
             (SELECT MAX(l.locked_until) FROM locks l WHERE l.media_id = m.id)
         FROM media m
         WHERE m.team_id = ?1 AND m.category = ?2 AND m.missing_since IS NULL AND m.examined_at IS NOT NULL
             AND m.errors = '[]'
             AND NOT EXISTS (SELECT 1 FROM locks l WHERE l.media_id = m.id
                 AND (l.locked_until IS NULL OR l.locked_until > ?3))
             AND NOT EXISTS (SELECT 1 FROM stories s WHERE s.media_id = m.id)
         ORDER BY m.last_posted_at NULLS FIRST, m.posted_count, m.fingerprint
         LIMIT ?4",
        values![team, category, until, limit],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok(Candidate {
                media: cells.parsed()?,
                fingerprint: cells.parsed()?,
                category: category.clone(),
                tags: cells.json()?,
                last_posted_at: cells.maybe_time()?,
                posted_count: cells.number()?,
                lookalike: lookalike(&mut cells)?,
                free_from: cells.maybe_time()?,
            })
        })
        .collect()
}

/// Whether a media that is in flight may still be sent at `at`.
pub(crate) fn may_be_sent(tx: &mut dyn Tx, id: MediaId, at: Timestamp) -> Result<bool> {
    Ok(tx.count(
        "SELECT COUNT(*) FROM media m
         WHERE m.id = ?1 AND m.missing_since IS NULL AND m.examined_at IS NOT NULL AND m.errors = '[]'
             AND NOT EXISTS (SELECT 1 FROM locks l WHERE l.media_id = m.id
                 AND (l.locked_until IS NULL OR l.locked_until > ?2))",
        values![id, at],
    )? == 1)
}

/// Moves the counters when a story of this media has ended. Only the closing function calls it.
pub(crate) fn count_outcome(
    tx: &mut dyn Tx,
    id: MediaId,
    outcome: Outcome,
    now: Timestamp,
) -> Result<()> {
    match outcome {
        Outcome::Posted => tx.execute(
            "UPDATE media SET posted_count = posted_count + 1, last_posted_at = ?2 WHERE id = ?1",
            values![id, now],
        )?,
        Outcome::Skipped => tx.execute(
            "UPDATE media SET skipped_count = skipped_count + 1 WHERE id = ?1",
            values![id],
        )?,
        _ => 0,
    };
    Ok(())
}

/// Takes back what an outcome counted; `last_posted_at` is when it was posted before.
pub(crate) fn uncount_outcome(
    tx: &mut dyn Tx,
    id: MediaId,
    outcome: Outcome,
    last_posted_at: Option<Timestamp>,
) -> Result<()> {
    match outcome {
        Outcome::Posted => tx.execute(
            "UPDATE media SET posted_count = posted_count - 1, last_posted_at = ?2 WHERE id = ?1",
            values![id, last_posted_at],
        )?,
        Outcome::Skipped => tx.execute(
            "UPDATE media SET skipped_count = skipped_count - 1 WHERE id = ?1",
            values![id],
        )?,
        _ => 0,
    };
    Ok(())
}

/// How a team's library stands, in numbers.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Census {
    pub(crate) media: u64,
    pub(crate) ready: u64,
    pub(crate) to_examine: u64,
    pub(crate) flawed: u64,
    pub(crate) missing: u64,
}

/// How much has come in since then, in bytes, and in how many files.
pub(crate) fn growth_since(tx: &mut dyn Tx, team: TeamId, since: Timestamp) -> Result<(u64, u64)> {
    let row = tx.first(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT), COUNT(*) FROM media
         WHERE team_id = ?1 AND indexed_at >= ?2 AND missing_since IS NULL",
        values![team, since],
    )?;
    row.map_or(Ok((0, 0)), |row| {
        let mut cells = row.cells();
        Ok((cells.number()?, cells.number()?))
    })
}

pub(crate) fn census(tx: &mut dyn Tx, team: TeamId) -> Result<Census> {
    let Some(row) = tx.first(
        "SELECT COUNT(*),
             COUNT(CASE WHEN missing_since IS NULL AND examined_at IS NOT NULL AND errors = '[]' THEN 1 END),
             COUNT(CASE WHEN missing_since IS NULL AND examined_at IS NULL THEN 1 END),
             COUNT(CASE WHEN missing_since IS NULL AND errors <> '[]' THEN 1 END),
             COUNT(CASE WHEN missing_since IS NOT NULL THEN 1 END)
         FROM media WHERE team_id = ?1",
        values![team],
    )?
    else {
        return Ok(Census::default());
    };
    let mut cells = row.cells();
    Ok(Census {
        media: cells.number()?,
        ready: cells.number()?,
        to_examine: cells.number()?,
        flawed: cells.number()?,
        missing: cells.number()?,
    })
}
