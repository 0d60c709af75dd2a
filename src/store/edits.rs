//! What counts of a media, of what its files say and what people say by hand. The two are kept apart, and here, and only
//! here, become the columns that everybody reads.

use super::engine::Tx;
use super::error::Result;
use super::value::{json, values};
use crate::domain::edit::Edits;
use crate::domain::ids::MediaId;
use crate::domain::media::{Media, Metadata};

/// Writes where a media lies and what is said of it there. What the files say is kept beside the edits as long as there
/// are any; without them the columns hold it.
pub(crate) fn write(
    tx: &mut dyn Tx,
    id: MediaId,
    path: &str,
    files_say: &Metadata,
    edits: &Edits,
) -> Result<()> {
    let counts = edits.over(files_say.clone());
    let edited = (!edits.is_empty()).then_some((edits, files_say));
    tx.execute(
        "UPDATE media SET last_path = ?2, category = ?3, title = ?4, link_url = ?5, caption = ?6, tags = ?7,
             requires_interaction = ?8, custom_metadata = ?9, edits = ?10, unedited = ?11
         WHERE id = ?1",
        values![
            id,
            path,
            &edits.category_at(path),
            counts.title,
            counts.link_url,
            counts.caption,
            json(&counts.tags)?,
            counts.requires_interaction,
            json(&counts.custom_metadata)?,
            edited.map(|(edits, _)| json(edits)).transpose()?,
            edited.map(|(_, files_say)| json(files_say)).transpose()?
        ],
    )?;
    Ok(())
}

/// What the files say of a media, edits aside.
pub(crate) fn files_say(tx: &mut dyn Tx, of: &Media) -> Result<Metadata> {
    let unedited = match tx.first("SELECT unedited FROM media WHERE id = ?1", values![of.id])? {
        Some(row) => row.cells().maybe_json()?,
        None => None,
    };
    Ok(unedited.unwrap_or_else(|| of.metadata.clone()))
}
