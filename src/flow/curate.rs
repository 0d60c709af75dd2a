//! What people decide about the library by hand: which media are held back, and which category gets how much.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Flow, Result};
use crate::domain::audit::{Asked, Audited, By, Change, lock_value};
use crate::domain::category::Category;
use crate::domain::ids::MediaId;
use crate::domain::lock::LockKind;
use crate::domain::media::Media;
use crate::store::{Tx, audit, locks, media, mix};

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

    /// Locks a media until a time, or for ever. A hold takes the place of one before, so that one release lets it go.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn lock(
        &self,
        locked: Media,
        kind: LockKind,
        until: Option<Timestamp>,
        by: By,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let before = match kind {
                    LockKind::ManualHold => take_off(tx, locked.id, Some(kind), now)?.holding,
                    _ => Value::Null,
                };
                let reason = reason.as_deref();
                let who = Some(by.name.as_str());
                locks::add(tx, team, locked.id, kind, until, who, reason, now)?;
                let after = lock_value(kind, until, reason);
                let change = Change::of_lock(&locked, "locked").between(before, after);
                audit::add(tx, team, &by, &change, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Takes off the locks of a kind, or of every kind; returns how many there were.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn unlock(
        &self,
        locked: Media,
        kind: Option<LockKind>,
        by: By,
        now: Timestamp,
    ) -> Result<u64> {
        let team = self.team;
        let removed = self
            .store
            .write(move |tx| {
                let off = take_off(tx, locked.id, kind, now)?;
                if off.removed > 0 {
                    let change =
                        Change::of_lock(&locked, "unlocked").between(off.holding, Value::Null);
                    audit::add(tx, team, &by, &change, now)?;
                }
                Ok(off.removed)
            })
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
        by: By,
        now: Timestamp,
    ) -> Result<()> {
        let team = self.team;
        self.store
            .write(move |tx| {
                let before = mix::in_force(tx, team)?.map(|(_, shares)| shares);
                mix::set(tx, team, &shares_ppm, &by.name, now)?;
                let action = if shares_ppm.is_empty() {
                    "cleared"
                } else {
                    "set"
                };
                let change = Change::of_mix(team, action).between(
                    shares_value(&before.unwrap_or_default()),
                    shares_value(&shares_ppm),
                );
                audit::add(tx, team, &by, &change, now)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(())
    }

    /// Who changed what, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn audit(&self, asked: Asked) -> Result<Vec<Audited>> {
        let team = self.team;
        self.store
            .read(move |tx| audit::list(tx, team, asked))
            .await
    }
}

/// What was taken off a media.
struct Off {
    removed: u64,
    /// The locks among it that held, for the audit log; null if none did.
    holding: Value,
}

fn take_off(
    tx: &mut dyn Tx,
    media: MediaId,
    kind: Option<LockKind>,
    now: Timestamp,
) -> Result<Off> {
    let holding: Vec<Value> = locks::of_media(tx, media, now)?
        .into_iter()
        .filter(|lock| kind.is_none_or(|kind| lock.kind == kind))
        .map(|lock| lock_value(lock.kind, lock.until, lock.reason.as_deref()))
        .collect();
    Ok(Off {
        removed: locks::remove(tx, media, kind)?,
        holding: if holding.is_empty() {
            Value::Null
        } else {
            holding.into()
        },
    })
}

/// `{"memes": "70 %"}`; null if no mix is in force.
fn shares_value(shares_ppm: &BTreeMap<Category, u32>) -> Value {
    if shares_ppm.is_empty() {
        return Value::Null;
    }
    shares_ppm
        .iter()
        .map(|(category, ppm)| {
            let percent = format!("{} %", f64::from(*ppm) / 10_000.0);
            (category.to_string(), Value::from(percent))
        })
        .collect()
}
