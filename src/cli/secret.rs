//! `storyline secret`: what must be used and never shown, kept encrypted in the database.

use std::io::{self, Read};

use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde::Serialize;

use super::exit::told;
use super::print::{FULL, Table, count, heading, moment};
use super::{Failure, Seat};
use crate::config::Secrets;
use crate::flow::secrets::{Secret as Kept, Unkept};
use crate::system::vault::{Keys, VaultError};

/// The longest that is read, in bytes.
const LONGEST_BYTES: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Secret {
    /// List them, without what is secret about them
    List,
    /// Keep one, read from stdin so that no list of processes shows it
    ///
    /// For example: `storyline secret set instagram.token < token`
    Set(Named),
    /// Forget one
    Remove(Named),
    /// Make a new key, and encrypt them all anew with it
    Rotate,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Done<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Rotated {
    secrets: usize,
}

pub(super) async fn run(seat: &Seat, command: Secret) -> Result<(), Failure> {
    match command {
        Secret::List => {
            let all = seat.flow.secrets().await?;
            let none = "There is no secret in the database.";
            seat.print.list(&all, none, |all| table(seat, all))
        }
        Secret::Set(Named { name }) => {
            let secret = given()?;
            let secrets = &seat.config.secrets;
            let _alone = match &secrets.key {
                Some(_) => None,
                None => Some(Keys::hold(&secrets.file)?),
            };
            let keys = match secrets.keys()? {
                Some(keys) => keys,
                None => own_key(secrets)?,
            };
            let by = seat.by.clone();
            seat.flow
                .keep_secret(&keys, &name, &secret, by, seat.now())
                .await?;
            seat.print.done(&Done { name: &name }, "kept, encrypted")
        }
        Secret::Remove(Named { name }) => {
            let by = seat.by.clone();
            if !seat.flow.forget_secret(&name, by, seat.now()).await? {
                return Err(Failure::NotFound(told(
                    format!("there is no secret `{name}`"),
                    "`storyline secret list` shows all there are",
                )));
            }
            seat.print.done(&Done { name: &name }, "forgotten")
        }
        Secret::Rotate => {
            let secrets = rotate(seat).await?;
            let all = count(secrets as u64, "secret is", "secrets are");
            let sentence = format!(
                "{all} encrypted with a new key; those of before stay in its file, for older backups"
            );
            seat.print.done(&Rotated { secrets }, &sentence)
        }
    }
}

/// What comes on stdin, without the end of its line.
fn given() -> Result<SecretString, Failure> {
    let unread = |why: &str| {
        Failure::Usage(told(
            format!("what came on stdin is not kept: {why}"),
            "`storyline secret set NAME < FILE` reads it from a file",
        ))
    };
    let mut text = String::new();
    let read = io::stdin()
        .take(LONGEST_BYTES + 1)
        .read_to_string(&mut text);
    match read {
        Ok(bytes) if bytes as u64 > LONGEST_BYTES => Err(unread("it is longer than 64 KiB")),
        Ok(_) => Ok(text.trim_end_matches(['\r', '\n']).into()),
        Err(error) => Err(unread(&error.to_string())),
    }
}

/// The keys beside the database; a first one is made where none is given to the service.
fn own_key(secrets: &Secrets) -> Result<Keys, Failure> {
    if secrets.is_withheld && !secrets.file.exists() {
        return Err(Failure::Other(told(
            "the service may have been given a key that is not this user's to read",
            "run the command with `sudo`",
        )));
    }
    Ok(Keys::load_or_make(&secrets.file)?)
}

/// Whenever this is cut off, the keys on the disk open every secret in the database. The keys of before stay: older backups hold
/// secrets that only they open.
async fn rotate(seat: &Seat) -> Result<usize, Failure> {
    let secrets = &seat.config.secrets;
    if let Some(given) = &secrets.key {
        let keys = Keys::parse(given)?;
        if keys.ids().count() == 1 {
            return Err(Failure::Other(told(
                "the key is given to the service, and is not the program's to change",
                "put a line with a new key (`openssl rand -hex 32`) before the old one, repeat this, and remove the old line",
            )));
        }
        return Ok(seat.flow.seal_anew(&keys).await?);
    }
    let _alone = Keys::hold(&secrets.file)?;
    let keys = own_key(secrets)?.with_a_new_one()?;
    keys.write(&secrets.file)?;
    Ok(seat.flow.seal_anew(&keys).await?)
}

fn table(seat: &Seat, all: &[Kept]) -> Table {
    let set = heading("Set", seat.zone());
    let mut table = Table::new([("Name", FULL), (&set, FULL), ("Key", FULL)]);
    for kept in all {
        let set = moment(kept.set_at, seat.zone());
        table.row([kept.name.clone(), set, kept.key.clone()]);
    }
    table
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let right = "the key belongs to the service's user: run the command with `sudo`; if it is lost, set the secrets anew";
        Self::Other(told(error.to_string(), right))
    }
}

impl From<Unkept> for Failure {
    fn from(error: Unkept) -> Self {
        match error {
            Unkept::Store(error) => Self::Store(error),
            Unkept::Empty => Self::Usage(told(
                "what came on stdin is empty, and no secret is replaced by nothing",
                "`storyline secret set NAME < FILE` reads it from a file",
            )),
            error @ Unkept::Vault { .. } => Self::Other(told(
                error.to_string(),
                "bring back the key it was encrypted with, or set the secret anew",
            )),
        }
    }
}
