//! What must be used and never shown: kept encrypted, and bound to the team and the name it was set for.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{Error, Flow};
use crate::domain::audit::{By, Change};
use crate::domain::ids::TeamId;
pub use crate::store::secrets::Secret;
use crate::store::{audit, secrets};
use crate::system::vault::{Keys, Sealed, VaultError};

/// Why a secret could not be kept or used.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// The key, or what it was used on.
    #[error("the secret `{name}` cannot be used: {why}")]
    Vault {
        /// Which.
        name: String,
        /// Why not.
        why: VaultError,
    },
    /// Nothing is put in the place of a secret.
    #[error("it is empty")]
    Empty,
}

/// Where a secret is kept, as it is bound to it.
fn place(team: TeamId, name: &str) -> String {
    format!("{team}/{name}")
}

impl Flow {
    /// Every secret of the team, without what is secret about it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn secrets(&self) -> Result<Vec<Secret>, Error> {
        let mut all = self.store.read(secrets::all).await?;
        all.retain(|secret| secret.team == self.team);
        Ok(all)
    }

    /// Keeps a secret, in the place of what it was before.
    ///
    /// # Errors
    /// If it is empty, or the store cannot be written.
    pub async fn keep_secret(
        &self,
        keys: &Keys,
        name: &str,
        secret: &SecretString,
        by: By,
        now: Timestamp,
    ) -> Result<(), Unkept> {
        if secret.expose_secret().trim().is_empty() {
            return Err(Unkept::Empty);
        }
        let team = self.team;
        let sealed = keys.seal(&place(team, name), secret);
        let sealed = sealed.map_err(|why| vault(name, why))?;
        let kept = Secret {
            team,
            name: name.to_owned(),
            key: sealed.key,
            sealed: sealed.text,
            set_at: now,
        };
        self.store
            .write_durably(move |tx| {
                secrets::put(tx, &kept)?;
                audit::add(
                    tx,
                    team,
                    &by,
                    &Change::of_secret(team, &kept.name, "set"),
                    now,
                )
            })
            .await?;
        Ok(())
    }

    /// A secret of the team, to be used; `None` if it was never set.
    ///
    /// # Errors
    /// If the store cannot be read, or the secret was encrypted with another key.
    pub async fn secret(&self, keys: &Keys, name: &str) -> Result<Option<SecretString>, Unkept> {
        let all = self.secrets().await?;
        let kept = all.into_iter().find(|secret| secret.name == name);
        kept.map(|kept| open(keys, &kept)).transpose()
    }

    /// Forgets a secret. False if there was none.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn forget_secret(&self, name: &str, by: By, now: Timestamp) -> Result<bool, Error> {
        let (team, name) = (self.team, name.to_owned());
        self.store
            .write_durably(move |tx| {
                let removed = secrets::remove(tx, team, &name)?;
                if removed {
                    let change = Change::of_secret(team, &name, "removed");
                    audit::add(tx, team, &by, &change, now)?;
                }
                Ok(removed)
            })
            .await
    }

    /// Encrypts every team's secrets anew, with the first of the keys; tells how many there are. All of them, or none.
    ///
    /// # Errors
    /// If one cannot be decrypted, or the store cannot be written.
    pub async fn seal_anew(&self, keys: &Keys) -> Result<usize, Unkept> {
        let keys = keys.clone();
        // In one transaction: what is set meanwhile must not be overwritten by what was there before.
        let sealed = self.store.write_durably(move |tx| {
            let mut all = secrets::all(tx)?;
            if let Err(unkept) = all.iter_mut().try_for_each(|kept| reseal(&keys, kept)) {
                return Ok(Err(unkept));
            }
            all.iter().try_for_each(|kept| secrets::put(tx, kept))?;
            Ok(Ok(all.len()))
        });
        sealed.await?
    }
}

fn reseal(keys: &Keys, kept: &mut Secret) -> Result<(), Unkept> {
    let secret = open(keys, kept)?;
    let sealed = keys.seal(&place(kept.team, &kept.name), &secret);
    let Sealed { key, text } = sealed.map_err(|why| vault(&kept.name, why))?;
    (kept.key, kept.sealed) = (key, text);
    Ok(())
}

fn open(keys: &Keys, kept: &Secret) -> Result<SecretString, Unkept> {
    let sealed = Sealed {
        key: kept.key.clone(),
        text: kept.sealed.clone(),
    };
    keys.open(&place(kept.team, &kept.name), &sealed)
        .map_err(|why| vault(&kept.name, why))
}

fn vault(name: &str, why: VaultError) -> Unkept {
    let name = name.to_owned();
    Unkept::Vault { name, why }
}
