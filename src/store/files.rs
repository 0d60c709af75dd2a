//! Files: where in the library something lies, and what a look at it found.

use jiff::Timestamp;

use super::engine::Tx;
use super::error::Result;
use super::value::{Cells, values};
use crate::domain::ids::{MediaId, TeamId};
use crate::domain::media::{FileStat, InView, KnownFile};

pub(crate) fn get(tx: &mut dyn Tx, team: TeamId, path: &str) -> Result<Option<KnownFile>> {
    tx.first(
        "SELECT media_id, size_bytes, modified_ns, changed_ns, inode, metadata_stamp, state
         FROM files WHERE team_id = ?1 AND path = ?2",
        values![team, path],
    )?
    .map(|row| known(row.cells()))
    .transpose()
}

fn stat(cells: &mut Cells) -> Result<FileStat> {
    Ok(FileStat {
        size_bytes: cells.number()?,
        modified_ns: cells.integer()?,
        changed_ns: cells.integer()?,
        inode: cells.integer()?.cast_unsigned(),
    })
}

fn known(mut cells: Cells) -> Result<KnownFile> {
    Ok(KnownFile {
        media: cells.maybe_parsed()?,
        stat: stat(&mut cells)?,
        metadata_stamp: cells.text()?,
        waiting: cells.text()? == "waiting",
    })
}

/// The files of a team after this one, by path, `limit` at most.
pub(crate) fn after(
    tx: &mut dyn Tx,
    team: TeamId,
    path: &str,
    limit: u32,
) -> Result<Vec<(String, KnownFile)>> {
    let rows = tx.query(
        "SELECT path, media_id, size_bytes, modified_ns, changed_ns, inode, metadata_stamp, state
         FROM files WHERE team_id = ?1 AND path > ?2 ORDER BY path LIMIT ?3",
        values![team, path, limit],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.cells();
            Ok((cells.text()?, known(cells)?))
        })
        .collect()
}

/// Paths below a folder (`memes/` and all under it), or the path itself.
pub(crate) fn below(tx: &mut dyn Tx, team: TeamId, path: &str) -> Result<Vec<String>> {
    let folder = format!("{path}/");
    // No range of paths: how text sorts differs between databases.
    let rows = tx.query(
        "SELECT path FROM files WHERE team_id = ?1 AND (path = ?2 OR substr(path, 1, length(?3)) = ?3) ORDER BY path",
        values![team, path, folder],
    )?;
    rows.into_iter().map(|row| row.cells().text()).collect()
}

/// Writes what a look at a file found. The time of a state is the time it was entered.
pub(crate) fn put(
    tx: &mut dyn Tx,
    team: TeamId,
    path: &str,
    stat: FileStat,
    metadata_stamp: &str,
    found: &Found<'_>,
    now: Timestamp,
) -> Result<()> {
    let (state, media, reason) = match found {
        Found::Whole(media) => ("whole", Some(*media), None),
        Found::Waiting(reason) => ("waiting", None, Some(*reason)),
        Found::Unusable(reason) => ("unusable", None, Some(*reason)),
    };
    tx.execute(
        "INSERT INTO files (team_id, path, media_id, size_bytes, modified_ns, changed_ns, inode, metadata_stamp, state,
             reason, state_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (team_id, path) DO UPDATE SET
             media_id = excluded.media_id, size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
             changed_ns = excluded.changed_ns, inode = excluded.inode, metadata_stamp = excluded.metadata_stamp,
             state_since = CASE WHEN files.state = excluded.state THEN files.state_since ELSE excluded.state_since END,
             state = excluded.state, reason = excluded.reason",
        values![
            team,
            path,
            media,
            stat.size_bytes,
            stat.modified_ns,
            stat.changed_ns,
            stat.inode.cast_signed(),
            metadata_stamp,
            state,
            reason,
            now
        ],
    )?;
    Ok(())
}

/// What a look at a file found.
pub(crate) enum Found<'a> {
    Whole(MediaId),
    Waiting(&'a str),
    Unusable(&'a str),
}

/// Forgets a path; returns the media that lay there.
pub(crate) fn remove(tx: &mut dyn Tx, team: TeamId, path: &str) -> Result<Option<MediaId>> {
    match tx.first(
        "DELETE FROM files WHERE team_id = ?1 AND path = ?2 RETURNING media_id",
        values![team, path],
    )? {
        Some(row) => row.cells().maybe_parsed(),
        None => Ok(None),
    }
}

/// The places of a media, the one that counts first: where it has lain longest.
pub(crate) fn places(tx: &mut dyn Tx, media: MediaId) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT path FROM files WHERE media_id = ?1 ORDER BY state_since, path",
        values![media],
    )?;
    rows.into_iter().map(|row| row.cells().text()).collect()
}

/// Has the metadata of a place read again at the next scan.
pub(crate) fn doubt_metadata(tx: &mut dyn Tx, team: TeamId, path: &str) -> Result<()> {
    tx.execute(
        "UPDATE files SET metadata_stamp = 'doubtful' WHERE team_id = ?1 AND path = ?2",
        values![team, path],
    )?;
    Ok(())
}

/// Has every file that is of no use for one of these reasons looked at again at the next scan.
pub(crate) fn doubt_unusable(tx: &mut dyn Tx, team: TeamId, reasons: [&str; 3]) -> Result<()> {
    let [one, two, three] = reasons;
    tx.execute(
        "UPDATE files SET metadata_stamp = 'doubtful' WHERE team_id = ?1
             AND state <> 'whole' AND state = 'unusable' AND reason IN (?2, ?3, ?4)",
        values![team, one, two, three],
    )?;
    Ok(())
}

/// The files that are not media: unfinished, or of no use; with the reason.
pub(crate) fn in_view(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<InView>> {
    let rows = tx.query(
        "SELECT path, state, reason, state_since, size_bytes, modified_ns, changed_ns, inode
         FROM files WHERE team_id = ?1 AND state <> 'whole' ORDER BY path",
        values![team],
    )?;
    rows.into_iter().map(|row| seen(row.cells())).collect()
}

/// The files that are unfinished.
pub(crate) fn unfinished(tx: &mut dyn Tx, team: TeamId) -> Result<Vec<InView>> {
    let rows = tx.query(
        "SELECT path, state, reason, state_since, size_bytes, modified_ns, changed_ns, inode
         FROM files WHERE team_id = ?1 AND state <> 'whole' AND state = 'waiting' ORDER BY path",
        values![team],
    )?;
    rows.into_iter().map(|row| seen(row.cells())).collect()
}

fn seen(mut cells: Cells) -> Result<InView> {
    Ok(InView {
        path: cells.text()?,
        waiting: cells.text()? == "waiting",
        reason: cells.maybe_text()?.unwrap_or_default(),
        since: cells.time()?,
        stat: stat(&mut cells)?,
    })
}

/// Whether fewer files than these are in view that are no media.
pub(crate) fn has_room_in_view(tx: &mut dyn Tx, team: TeamId, most: u32) -> Result<bool> {
    let found = tx.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM files WHERE team_id = ?1 AND state <> 'whole' LIMIT ?2) AS some",
        values![team, most],
    )?;
    Ok(found < most.into())
}

pub(crate) fn count(tx: &mut dyn Tx, team: TeamId) -> Result<u64> {
    tx.count(
        "SELECT COUNT(*) FROM files WHERE team_id = ?1",
        values![team],
    )
}
