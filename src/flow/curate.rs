//! What people decide about the library by hand: which media are held back, and which category gets how much.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::settings::Changed;
use super::{Flow, Result};
use crate::domain::audit::{Asked, Audited, By, Change, lock_value};
use crate::domain::category::Category;
use crate::domain::ids::{MediaId, TeamId};
use crate::domain::lock::LockKind;
use crate::domain::media::Media;
use crate::domain::nearest::nearest;
use crate::domain::written::Complaint;
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

    /// Puts a mix in force; an empty one means that any category will do. A category that nobody knows is most likely a slip
    /// of the finger, and its share would go to the others unnoticed.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn set_mix(
        &self,
        shares_ppm: BTreeMap<Category, u32>,
        by: By,
        now: Timestamp,
    ) -> Result<Changed> {
        let team = self.team;
        let changed = self
            .store
            .write(move |tx| {
                let known = categories(tx, team)?;
                if let Some(unknown) = shares_ppm.keys().find(|it| !known.contains(it)) {
                    return Ok(Changed::Refused(is_unknown(unknown, &known)));
                }
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
                audit::add(tx, team, &by, &change, now)?;
                Ok(Changed::Done)
            })
            .await?;
        self.nudges.plan.notify();
        Ok(changed)
    }

    /// The categories that there are: those of media, and those of the mix in force.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn categories(&self) -> Result<BTreeSet<Category>> {
        let team = self.team;
        self.store.read(move |tx| categories(tx, team)).await
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

pub(super) fn categories(tx: &mut dyn Tx, team: TeamId) -> Result<BTreeSet<Category>> {
    let mut all = BTreeSet::from_iter(media::categories(tx, team)?);
    let in_force = mix::in_force(tx, team)?;
    all.extend(
        in_force
            .into_iter()
            .flat_map(|(_, shares)| shares.into_keys()),
    );
    Ok(all)
}

fn is_unknown(category: &Category, known: &BTreeSet<Category>) -> Complaint {
    let near = nearest(category.as_str(), known.iter().map(Category::as_str));
    Complaint::new(
        format!("there are no media in a category `{category}`"),
        near.map_or_else(
            || "a category is a folder of the library; put a picture into it first".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ),
    )
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
