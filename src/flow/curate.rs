//! What people decide about the library by hand: which media are held back, and which category gets how much.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Flow, Result};
use crate::domain::category::Category;
use crate::domain::lock::LockKind;
use crate::domain::media::Media;
use crate::store::{locks, media, mix};

impl Flow {
    /// The media that a person means: by path, the end of a path, fingerprint (or its beginning). At most eleven.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn media_like(&self, typed: String) -> Result<Vec<Media>> {
        let team = self.team;
        self.store
            .read(move |tx| media::list_like(tx, team, &typed, 11))
            .await
    }

    /// Locks a media until a time, or for ever.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn lock(
        &self,
        locked: Media,
        kind: LockKind,
        until: Option<Timestamp>,
        by: String,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                locks::add(
                    tx,
                    team,
                    locked.id,
                    kind,
                    until,
                    Some(&by),
                    reason.as_deref(),
                    now,
                )
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Takes off the locks of a kind, or of every kind; returns how many there were.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn unlock(&self, locked: Media, kind: Option<LockKind>) -> Result<u64> {
        let removed = self
            .store
            .write(move |tx| locks::remove(tx, locked.id, kind))
            .await?;
        self.nudges.plan.notify();
        Ok(removed)
    }

    /// Puts a mix in force; an empty one means that any category will do.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_mix(
        &self,
        shares_ppm: BTreeMap<Category, u32>,
        by: String,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| mix::set(tx, team, &shares_ppm, &by, now))
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }
}
