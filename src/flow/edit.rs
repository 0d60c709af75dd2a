//! What people say of a media by hand. Whatever surface they say it on, it is this one verb: it keeps the edit apart from
//! what the files say, notes who made it, and has the chat show it.

use jiff::Timestamp;
use serde_json::Value;

use super::{Flow, Result};
use crate::domain::audit::{By, Change};
use crate::domain::edit::{Edit, NotAnEdit};
use crate::domain::entry::Snapshot;
use crate::domain::ids::TeamId;
use crate::domain::media::Media;
use crate::store::{Tx, audit, edits, media, messages, stories};

/// What became of an edit.
#[derive(Clone, Debug)]
pub enum Edited {
    /// It is on record.
    Done {
        /// What counted before.
        before: Value,
        /// What counts now; the same if the files say so too.
        after: Value,
    },
    /// It was on record already.
    AlreadySo,
    /// It cannot be made of what is there.
    Refused(NotAnEdit),
}

impl Flow {
    /// Says something of a media by hand, or takes it back.
    ///
    /// # Errors
    /// If the store cannot be read or written; then nothing was said.
    pub async fn edit(&self, of: Media, edit: Edit, by: By, now: Timestamp) -> Result<Edited> {
        let team = self.team;
        let edited = self
            .store
            .write_durably(move |tx| {
                let before = media::get(tx, of.id)?;
                let edits = match before.edits.clone().with(&edit, &before.metadata.tags) {
                    Ok(edits) if edits == before.edits => return Ok(Edited::AlreadySo),
                    Ok(edits) => edits,
                    Err(refused) => return Ok(Edited::Refused(refused)),
                };
                let files_say = edits::files_say(tx, &before)?;
                edits::write(tx, before.id, &before.path, &files_say, &edits)?;
                let after = media::get(tx, before.id)?;
                let value = |media: &Media| edit.field().value(&media.metadata, &media.category);
                let change = Change::of_media(&before, &edit.action())
                    .between(value(&before), value(&after));
                audit::add(tx, team, &by, &change, now)?;
                have_message_follow(tx, team, &before)?;
                tracing::info!(
                    media = %before.fingerprint,
                    person = by.name,
                    "{}: {} by {}", before.path, change.action, by.name
                );
                Ok(Edited::Done {
                    before: change.before,
                    after: change.after,
                })
            })
            .await?;
        self.nudges.plan.notify();
        self.nudges.messages.notify();
        Ok(edited)
    }
}

/// Has the message that shows a media follow, if what it should show is not what it was `before`.
pub(super) fn have_message_follow(tx: &mut dyn Tx, team: TeamId, before: &Media) -> Result<()> {
    if Snapshot::of(&media::get(tx, before.id)?) == Snapshot::of(before) {
        return Ok(());
    }
    match stories::of_media(tx, team, before.id)? {
        Some(story) => messages::want(tx, story.id),
        None => Ok(()),
    }
}
