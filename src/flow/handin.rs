//! People hand in pictures by the chat: each sending is asked into which folder it is to go, and then fetched.

use jiff::Timestamp;

use super::{Flow, Result};
use crate::domain::category::Category;
use crate::domain::handin::{Choice, FIRST_FOLDER, Fate, HandedFile, MOST_WAITING};
use crate::domain::ids::{HandInId, TeamId};
use crate::domain::person::PersonId;
use crate::domain::story::MessageRef;
use crate::store::{Tx, handins, media, people, updates};

/// A file that somebody sends.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The update that brought it.
    pub update: u32,
    /// Who sends it.
    pub person: PersonId,
    /// Where they do.
    pub chat: i64,
    /// The album that it is of.
    pub album: Option<String>,
    /// The file.
    pub file: HandedFile,
    /// The most that Telegram hands out of it, in bytes.
    pub most_bytes: u64,
}

/// What becomes of a file that somebody sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedIn {
    /// It is on record, and asked for.
    Noted,
    /// So many files of theirs wait already that it is not.
    TooMany,
    /// Its update was taken before.
    Again,
}

/// What somebody wants done with a sending.
#[derive(Clone, Debug)]
pub struct Pick {
    /// The update that brought it.
    pub update: u32,
    /// Which sending.
    pub hand_in: HandInId,
    /// Who wants it.
    pub person: PersonId,
    /// The message that was pressed.
    pub message: MessageRef,
    /// The folder; nothing cancels it.
    pub folder: Option<Category>,
}

/// What becomes of such a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// So it will be.
    Done,
    /// It was decided before, so.
    Already(Choice),
    /// It is forgotten.
    Forgotten,
    /// Somebody else sent it.
    NotTheirs,
    /// Its update was taken before.
    Again,
}

impl Flow {
    /// Notes a file that somebody sends; whether they may is known.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing was noted.
    pub async fn hand_in(&self, handed: Handed, now: Timestamp) -> Result<HandedIn> {
        let team = self.team;
        let noted = self
            .store
            .write_durably(move |tx| {
                if !updates::take(tx, handed.update, now)? {
                    return Ok(HandedIn::Again);
                }
                let Handed {
                    person, chat, file, ..
                } = &handed;
                if handins::count_waiting(tx, team, *person)? >= MOST_WAITING {
                    return Ok(HandedIn::TooMany);
                }
                let id = handins::add(tx, team, *person, *chat, handed.album.as_deref(), now)?;
                handins::add_file(tx, id, file, &at_first_sight(file, handed.most_bytes))?;
                Ok(HandedIn::Noted)
            })
            .await?;
        self.nudges.hand_ins.notify();
        Ok(noted)
    }

    /// The folders into which a person may hand something in, the one they chose last at the beginning.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn folders(&self, person: PersonId) -> Result<Vec<Category>> {
        let team = self.team;
        self.store.read(move |tx| folders(tx, team, person)).await
    }

    /// Whether this message is the one that asks about a sending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn asks(&self, id: HandInId, message: MessageRef) -> Result<bool> {
        let question = self.store.read(move |tx| handins::question(tx, id)).await?;
        Ok(question == Some(message))
    }

    /// Does with a sending what its sender wants.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing was done.
    pub async fn pick(&self, pick: Pick, now: Timestamp) -> Result<Picked> {
        let team = self.team;
        let picked = self
            .store
            .write_durably(move |tx| picked(tx, team, &pick, now))
            .await?;
        self.nudges.hand_ins.notify();
        Ok(picked)
    }
}

/// What is known of a file before it is fetched.
fn at_first_sight(file: &HandedFile, most_bytes: u64) -> Fate {
    if file.size_bytes <= most_bytes {
        return Fate::Waiting;
    }
    let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
    Fate::Unfit(format!(
        "{} MB are too many: Telegram hands files of at most {} MB to a bot. Put it into the library's folder (network share, \
         SFTP, USB stick)",
        megabytes(file.size_bytes),
        megabytes(most_bytes)
    ))
}

pub(super) fn folders(tx: &mut dyn Tx, team: TeamId, person: PersonId) -> Result<Vec<Category>> {
    let mut folders = media::categories(tx, team)?;
    if folders.is_empty() {
        folders.push(Category::new(FIRST_FOLDER));
    }
    let last = people::folder(tx, team, person)?;
    if let Some(at) = folders
        .iter()
        .position(|folder| Some(folder) == last.as_ref())
    {
        folders[..=at].rotate_right(1);
    }
    Ok(folders)
}

fn picked(tx: &mut dyn Tx, team: TeamId, pick: &Pick, now: Timestamp) -> Result<Picked> {
    if !updates::take(tx, pick.update, now)? {
        return Ok(Picked::Again);
    }
    let Some(hand_in) = handins::get(tx, team, pick.hand_in)? else {
        return Ok(Picked::Forgotten);
    };
    if (hand_in.person, hand_in.chat) != (pick.person, pick.message.chat) {
        return Ok(Picked::NotTheirs);
    }
    if hand_in.choice != Choice::Open {
        return Ok(Picked::Already(hand_in.choice));
    }
    let folder = pick.folder.as_ref();
    handins::choose(tx, hand_in.id, folder, pick.message.message, now)?;
    if let Some(folder) = folder {
        people::note_folder(tx, team, pick.person, folder)?;
    }
    Ok(Picked::Done)
}
