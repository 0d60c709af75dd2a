//! The way of what was handed in: the question where it is to go, then, file by file, through the door of the library, and the
//! word of what became of it. The library looks at each as at any other file, before it lets it in.

use std::fs::File;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::handin::folders;
use super::outlet::{Answer, Trouble};
use super::{Error, Flow, Result};
use crate::domain::caption;
use crate::domain::category::Category;
use crate::domain::handin::{ALBUM, Choice, Fate, HandIn, HandedFile, Kind};
use crate::domain::ids::{HandInId, MediaId, TeamId};
use crate::domain::lock::LockKind;
use crate::domain::media::{Fingerprint, Media, Metadata};
use crate::store::handins::{self, Behind, Chosen};
use crate::store::{Tx, locks, media, settings};

/// After how long a file that could not be fetched is tried again, each time.
const PAUSES: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(45),
];
/// When a message that could not be shown is tried again.
const SHOW_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// The longest rest of any of them. A later time on record is of another clock.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Fetches what people send, and talks to who sent it.
pub trait Courier: Send + Sync {
    /// Fetches a file into this one.
    fn fetch(
        &self,
        file_id: String,
        into: File,
    ) -> Answer<'static, std::result::Result<(), Trouble>>;

    /// Asks what is to be done with a sending, or tells what became of it, in the message that is known or in a new one;
    /// returns which.
    fn show<'a>(&'a self, receipt: &'a Receipt) -> Answer<'a, std::result::Result<i32, Trouble>>;
}

/// Takes a file into the library: has it fetched to where nobody sees it, looks into it, and puts it in its place with what is
/// said of it.
pub type Intake = Arc<
    dyn Fn(Parcel, Fetch) -> Answer<'static, std::result::Result<Landed, NotLanded>> + Send + Sync,
>;

/// Has the file of a parcel fetched into this one.
pub type Fetch = Box<dyn FnOnce(File) -> Answer<'static, std::result::Result<(), Trouble>> + Send>;

/// A file on its way into the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// The folder that it goes to.
    pub category: Category,
    /// What its sender calls it.
    pub name: Option<String>,
    /// What it is called otherwise, without an ending.
    pub otherwise: String,
    /// What is said of it.
    pub metadata: Metadata,
}

/// How a file came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landed {
    /// It lies here.
    At(String),
    /// The team has its content already, and nothing was written.
    Known(MediaId),
}

/// Why a file did not come through.
#[derive(Debug, thiserror::Error)]
pub enum NotLanded {
    /// It could not be fetched.
    #[error("{}", .0.reason())]
    NotFetched(Trouble),
    /// The library cannot take anything just now.
    #[error("{0}")]
    Later(String),
    /// It is nothing that can become a story.
    #[error("{0}")]
    Unfit(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// All that the message of a sending tells: a projection of the records, and of nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The sending.
    pub id: HandInId,
    /// The chat that it came from.
    pub chat: i64,
    /// The message that tells, if there is one.
    pub question: Option<i32>,
    /// What its sender chose.
    pub choice: Choice,
    /// What they may choose.
    pub folders: Vec<Category>,
    /// The files, in their order.
    pub files: Vec<Told>,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

/// A file, as its sender is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The message that brought it.
    pub message: i32,
    /// What it seems to be.
    pub kind: Kind,
    /// What its sender calls it.
    pub name: Option<String>,
    /// What became of it.
    pub end: End,
}

/// What became of a file, as its sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing yet.
    Waiting,
    /// It is in the library.
    Landed,
    /// The team has it already.
    Known {
        /// Where.
        path: String,
        /// How often it was posted.
        posted_count: u32,
        /// When last.
        last_posted_at: Option<Timestamp>,
        /// When it was rejected, if it was.
        rejected_at: Option<Timestamp>,
    },
    /// It cannot be taken, for this reason.
    Unfit(String),
}

impl Flow {
    /// Asks about sendings that are new, and tells what became of others, one message at a time. Returns when to call again,
    /// if there may be more.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn answer_hand_ins(
        &self,
        courier: &dyn Courier,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let team = self.team;
        let (due, next) = self
            .store
            .read(move |tx| {
                let behind = handins::behind(tx, team)?;
                let (due, later): (Vec<_>, Vec<_>) = behind
                    .into_iter()
                    .partition(|it| may_show_at(it, now) <= now);
                let next = later.iter().map(|it| may_show_at(it, now)).min();
                let Some(first) = due.into_iter().next() else {
                    return Ok((None, next));
                };
                Ok((Some((receipt(tx, team, &first, now)?, first)), next))
            })
            .await?;
        let Some((receipt, behind)) = due else {
            return Ok(next);
        };
        let shown = courier.show(&receipt).await;
        let (id, is_new) = (behind.hand_in.id, behind.question.is_none());
        self.store
            .write(move |tx| match &shown {
                Ok(question) => handins::shown(tx, id, Some(*question), behind.wanted),
                Err(Trouble::Never(reason) | Trouble::Owner(reason)) => {
                    tracing::warn!("who handed something in was not told: {reason}");
                    handins::shown(tx, id, None, behind.wanted)
                }
                Err(Trouble::Gone) => handins::shown(tx, id, None, behind.wanted),
                // The question may be there; it is asked once more, and not a third time.
                Err(Trouble::Unsure(_)) if is_new && handins::doubts(tx, id)? > 1 => {
                    handins::shown(tx, id, None, behind.wanted)
                }
                Err(_) => handins::show_again(tx, id, later(now, SHOW_AGAIN)),
            })
            .await?;
        Ok(Some(now))
    }

    /// Fetches one file for which a folder was chosen, if there is one. Returns when to call again, if there may be more.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn take_in(
        &self,
        courier: &Arc<dyn Courier>,
        intake: &Intake,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let team = self.team;
        let next = self
            .store
            .read(move |tx| {
                let Some(chosen) = handins::next_chosen(tx, team)? else {
                    return Ok(None);
                };
                let at = rested(chosen.retry_at, now);
                let parcel = parcel(tx, team, &chosen)?.filter(|_| at <= now);
                Ok(Some((chosen, at, parcel)))
            })
            .await?;
        let Some((chosen, at, parcel)) = next else {
            return Ok(None);
        };
        let Some((file_id, parcel)) = parcel else {
            return Ok(Some(at));
        };
        let courier = Arc::clone(courier);
        let fetch: Fetch = Box::new(move |into| courier.fetch(file_id, into));
        let next = match intake(parcel, fetch).await {
            Ok(Landed::At(path)) => {
                tracing::info!("{path} was handed in by the chat");
                Next::Settled(Fate::Landed(path))
            }
            Ok(Landed::Known(media)) => Next::Settled(Fate::Known(media)),
            Err(NotLanded::Unfit(reason) | NotLanded::NotFetched(Trouble::Never(reason))) => {
                Next::Settled(Fate::Unfit(reason))
            }
            Err(NotLanded::Store(error)) => return Err(error),
            Err(NotLanded::NotFetched(Trouble::Later(wait))) => {
                let wait = SignedDuration::try_from(wait).unwrap_or(LONGEST);
                Next::Again(chosen.tries, later(now, wait.min(LONGEST)))
            }
            Err(reason) => after(chosen.tries, &reason.to_string(), now),
        };
        self.store
            .write_durably(move |tx| note(tx, &chosen, &next))
            .await?;
        Ok(Some(now))
    }

    /// The media of this content, if the team has it, or has rejected it for ever: it is not to be taken again.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn known_content(
        &self,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<MediaId>> {
        let team = self.team;
        self.store
            .read(move |tx| {
                let Some(media) = media::by_fingerprint(tx, team, fingerprint)? else {
                    return Ok(None);
                };
                let is_known =
                    media.missing_since.is_none() || rejected_at(tx, &media, now)?.is_some();
                Ok(is_known.then_some(media.id))
            })
            .await
    }
}

/// What comes after a try to fetch a file.
enum Next {
    /// Nothing more.
    Settled(Fate),
    /// Another one, after so many that failed.
    Again(u32, Timestamp),
}

/// What comes after one more try that failed.
fn after(tries: u32, reason: &str, now: Timestamp) -> Next {
    tracing::warn!("what was handed in could not be fetched: {reason}");
    match PAUSES.get(tries as usize) {
        Some(pause) => Next::Again(tries + 1, later(now, *pause)),
        None => Next::Settled(Fate::Unfit(format!("{reason}. Please send it again"))),
    }
}

fn note(tx: &mut dyn Tx, chosen: &Chosen, next: &Next) -> Result<()> {
    match next {
        Next::Settled(fate) => {
            handins::settle(tx, chosen.id, chosen.message, fate)?;
            let files = handins::files(tx, chosen.id)?;
            if files.iter().all(|(_, fate)| *fate != Fate::Waiting) {
                handins::want(tx, chosen.id)?;
            }
            Ok(())
        }
        Next::Again(tries, at) => handins::fetch_again(tx, chosen.id, chosen.message, *tries, *at),
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// When a rest is over; one that was set by another clock is.
fn rested(until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    until
        .filter(|until| until.duration_since(now) <= LONGEST)
        .unwrap_or(now)
}

/// When a message may be shown: an album is waited for, and what failed rests.
fn may_show_at(behind: &Behind, now: Timestamp) -> Timestamp {
    let HandIn {
        album, received_at, ..
    } = &behind.hand_in;
    let whole_at =
        (album.is_some() && behind.question.is_none()).then(|| later(*received_at, ALBUM));
    rested(whole_at, now).max(rested(behind.retry_at, now))
}

fn receipt(tx: &mut dyn Tx, team: TeamId, behind: &Behind, now: Timestamp) -> Result<Receipt> {
    let hand_in = &behind.hand_in;
    let mut files = Vec::new();
    for (file, fate) in handins::files(tx, hand_in.id)? {
        let end = match fate {
            Fate::Waiting => End::Waiting,
            Fate::Landed(_) => End::Landed,
            Fate::Unfit(reason) => End::Unfit(reason),
            Fate::Known(id) => {
                let known = media::get(tx, id)?;
                End::Known {
                    rejected_at: rejected_at(tx, &known, now)?,
                    path: known.path,
                    posted_count: known.posted_count,
                    last_posted_at: known.last_posted_at,
                }
            }
        };
        files.push(Told {
            message: file.message,
            kind: file.kind,
            name: file.name,
            end,
        });
    }
    Ok(Receipt {
        id: hand_in.id,
        chat: hand_in.chat,
        question: behind.question,
        choice: hand_in.choice.clone(),
        folders: folders(tx, team, hand_in.person)?,
        files,
        zone: settings::of(tx, team)?.timezone,
    })
}

/// When a media was rejected for ever, if it was.
fn rejected_at(tx: &mut dyn Tx, media: &Media, now: Timestamp) -> Result<Option<Timestamp>> {
    let locks = locks::of_media(tx, media.id, now)?;
    let rejection = locks.iter().find(|lock| lock.kind == LockKind::Rejected);
    Ok(rejection.map(|lock| lock.locked_at))
}

/// What is to be fetched, under which id.
fn parcel(tx: &mut dyn Tx, team: TeamId, chosen: &Chosen) -> Result<Option<(String, Parcel)>> {
    let Some(hand_in) = handins::get(tx, team, chosen.id)? else {
        return Ok(None);
    };
    let Choice::Folder(category) = hand_in.choice else {
        return Ok(None);
    };
    let files: Vec<HandedFile> = handins::files(tx, chosen.id)?
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    let Some(at) = files.iter().position(|file| file.message == chosen.message) else {
        return Ok(None);
    };
    let word = match files[at].kind {
        Kind::Photo | Kind::Picture => "photo",
        Kind::Clip => "clip",
        Kind::File => "file",
    };
    let received_at = hand_in
        .received_at
        .to_zoned(settings::of(tx, team)?.timezone);
    let metadata = said_of(&files, at).map(caption::metadata);
    let parcel = Parcel {
        category,
        name: files[at].name.clone(),
        otherwise: format!(
            "{word}-{}-{}",
            received_at.strftime("%Y%m%d-%H%M%S"),
            at + 1
        ),
        metadata: metadata.unwrap_or_default(),
    };
    Ok(Some((files[at].file_id.clone(), parcel)))
}

/// What is said of a file. One caption of an album is said of all of it.
fn said_of(files: &[HandedFile], at: usize) -> Option<&str> {
    let mut captions = files.iter().filter_map(|file| file.caption.as_deref());
    let of_all = captions.next().filter(|_| captions.next().is_none());
    files[at].caption.as_deref().or(of_all)
}
