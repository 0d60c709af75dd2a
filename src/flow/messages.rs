//! What a message shows is a projection of the records. Whoever changes a record only says so; this verb has the chat
//! follow, again and again, until it shows the truth or the message is gone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::clock::trusted;
use super::outlet::{
    Awaiting, Card, CardStatus, Detail, Facts, NoPicture, Outlet, Picture, Studio, Trouble,
};
use super::undo::lapse;
use super::{Flow, Result};
use crate::domain::entry::{Entry, Snapshot};
use crate::domain::ids::StoryId;
use crate::domain::media::Media;
use crate::domain::photo::original_gains;
use crate::domain::story::{MessageRef, Story};
use crate::domain::team::TeamSettings;
use crate::domain::verbosity::Verbosity;
use crate::store::messages::{Behind, Kind};
use crate::store::{Tx, history, media, messages, settings, stories, undos};

/// How many messages are taken up in one step; each may take minutes, and the step is a sign of life.
const BATCH: u32 = 1;

/// The longest that putting another picture into a message may take.
const LONGEST_UPLOAD: Duration = Duration::from_secs(240);
/// The longest pause between two tries to change a message.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);

impl Flow {
    /// Has a few messages that are behind follow. Returns when to call again, if one is left.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn follow(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let (team, time) = (self.team, self.time.clone());
        let (behind, lapses_at) = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                // A clock that is not believed ends nobody's minute.
                let lapses_at = match trusted(tx, &time, now)? {
                    true => lapse(tx, team, &time, now)?,
                    false => None,
                };
                let behind = messages::behind(tx, team, now, BATCH)?;
                let behind = behind
                    .into_iter()
                    .map(|behind| Ok((projection(tx, &settings, &behind, now)?, behind)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((behind, lapses_at))
            })
            .await?;
        if behind.is_empty() {
            let next = self
                .store
                .read(move |tx| messages::next_try(tx, team))
                .await?;
            return Ok(next.into_iter().chain(lapses_at).min());
        }
        for (projection, behind) in behind {
            let shown = show(outlet, studio, &behind, &projection).await;
            let swaps = projection.swaps().unwrap_or(behind.swaps);
            self.store
                .write(move |tx| note(tx, &behind, swaps, &shown, now))
                .await?;
        }
        Ok(Some(now)) // there may be more
    }

    /// What a story's message shows now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn card(&self, story: StoryId, now: Timestamp) -> Result<Option<Card>> {
        let team = self.team;
        self.store
            .read(move |tx| {
                let settings = settings::of(tx, team)?;
                card(tx, &settings, story, now)
            })
            .await
    }
}

/// What a message should be.
enum Projection {
    /// It shows this card; and this media, if it showed another.
    Card(Box<Card>, Option<Box<Media>>),
    /// As it is: a reminder of a story that still waits, or the announcement of one whose picture is on its way.
    AsItIs,
    /// Not there.
    Nothing,
}

impl Projection {
    /// After how many swaps the media is that it shows, where that changes.
    fn swaps(&self) -> Option<u32> {
        match self {
            Self::Card(card, Some(_)) => Some(card.swaps),
            _ => None,
        }
    }
}

fn projection(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    behind: &Behind,
    now: Timestamp,
) -> Result<Projection> {
    let open = stories::get(tx, behind.story)?;
    if behind.kind == Kind::Reminder {
        // A story that was put off, or whose outcome was taken back, is reminded of anew when its time comes.
        let is_due = open.is_some_and(|story| story.reminded_at.is_some());
        return Ok(if is_due {
            Projection::AsItIs
        } else {
            Projection::Nothing
        });
    }
    if behind.kind == Kind::Announcement && open.is_some() {
        return Ok(Projection::AsItIs);
    }
    let Some(card) = card(tx, settings, behind.story, now)? else {
        return Ok(Projection::Nothing);
    };
    let other = match open.filter(|story| story.swaps != behind.swaps) {
        Some(story) => Some(Box::new(media::get(tx, story.media)?)),
        None => None,
    };
    Ok(Projection::Card(Box::new(card), other))
}

async fn show(
    outlet: &dyn Outlet,
    studio: &Studio,
    behind: &Behind,
    projection: &Projection,
) -> std::result::Result<(), Trouble> {
    let message = behind.message;
    match projection {
        Projection::AsItIs => Ok(()),
        Projection::Nothing if behind.kind == Kind::Reminder => {
            outlet.remove(message).await.and(Err(Trouble::Gone))
        }
        Projection::Nothing => Err(Trouble::Gone),
        Projection::Card(card, _) if behind.kind == Kind::Announcement => {
            outlet.reword(message, card).await
        }
        Projection::Card(card, None) => outlet.show(message, card, None).await,
        Projection::Card(card, Some(media)) => match studio(Media::clone(media)).await {
            Ok(picture) => replace(outlet, message, card, &picture).await,
            // Its disk may come back. Until then the old picture stands there, and its buttons mean nothing any more.
            Err(NoPicture::Away(reason)) => Err(Trouble::Unreachable(reason)),
            // Without its picture, so that at least another one can be asked for.
            Err(reason) => {
                tracing::warn!(
                    story = card.number,
                    "{} cannot be shown: {reason:?}",
                    media.path
                );
                outlet.show(message, card, None).await
            }
        },
    }
}

/// Puts another picture into a message, for so long at most that the step is a sign of life. It may be repeated.
async fn replace(
    outlet: &dyn Outlet,
    message: MessageRef,
    card: &Card,
    picture: &Picture,
) -> std::result::Result<(), Trouble> {
    tokio::time::timeout(LONGEST_UPLOAD, outlet.show(message, card, Some(picture)))
        .await
        .unwrap_or_else(|_| Err(Trouble::Unsure("no answer in time".to_owned())))
}

fn note(
    tx: &mut dyn Tx,
    behind: &Behind,
    swaps: u32,
    shown: &std::result::Result<(), Trouble>,
    now: Timestamp,
) -> Result<()> {
    let message = behind.message;
    let pause = match shown {
        Ok(()) => return messages::follow(tx, message, behind.wanted, swaps),
        // Nothing to mend: it is gone, or Telegram will never take it.
        Err(Trouble::Gone | Trouble::Moved(_)) => return messages::remove(tx, message),
        Err(Trouble::Never(reason)) => {
            tracing::warn!("message {} cannot be changed: {reason}", message.message);
            return messages::follow(tx, message, behind.wanted, behind.swaps);
        }
        // Never at once, or this would be asked for ever.
        Err(Trouble::Later(after)) => SignedDuration::try_from(*after)
            .unwrap_or(SignedDuration::from_secs(60))
            .max(SignedDuration::from_secs(1)),
        Err(_) => {
            (SignedDuration::from_secs(5) * (1 << behind.failures.min(10))).min(LONGEST_PAUSE)
        }
    };
    let retry_at = now.checked_add(pause).unwrap_or(now);
    messages::fail(tx, message, behind.failures + 1, retry_at)
}

/// A story as its message should show it: from the queue, or from the history.
pub(super) fn card(
    tx: &mut dyn Tx,
    settings: &TeamSettings,
    id: StoryId,
    now: Timestamp,
) -> Result<Option<Card>> {
    if let Some(story) = stories::get(tx, id)? {
        let shown = media::get(tx, story.media)?;
        return Ok(Some(open_card(&story, &shown, settings, now)));
    }
    let Some(entry) = history::of_story(tx, id)? else {
        return Ok(None);
    };
    let may_undo = undos::get(tx, id)?.is_some();
    let shown = entry.media.map(|id| media::get(tx, id)).transpose()?;
    Ok(Some(ended_card(entry, shown.as_ref(), may_undo, settings)))
}

/// A story that is open, with the media that it shows.
pub(super) fn open_card(
    story: &Story,
    shown: &Media,
    settings: &TeamSettings,
    now: Timestamp,
) -> Card {
    Card {
        story: story.id,
        number: story.number,
        due_at: story.due_at,
        place: settings.place_of(&Snapshot::of(shown)),
        media: Snapshot::of(shown),
        sent_again: story.delivery.messages > 1,
        swaps: story.swaps,
        zone: settings.timezone.clone(),
        detail: detail(settings, Some(shown)),
        status: if story.reject_asked_at.is_some() {
            CardStatus::AskingReject
        } else {
            CardStatus::Awaiting(Awaiting {
                offered_again_at: story.offered_again_at,
                claim: story.claimed_by(now).cloned(),
                later: story.later.clone().filter(|later| later.at > now),
                undone_by: story.undone_by.clone(),
                since: story.delivery.sent_at,
                may_put_off: story.put_off_until(settings, now).is_some(),
                shows_all: !original_gains(shown),
            })
        },
    }
}

/// How much the team wants to know of a media.
fn detail(settings: &TeamSettings, shown: Option<&Media>) -> Detail {
    match (settings.verbosity, shown) {
        (Verbosity::Brief, _) => Detail::Brief,
        (Verbosity::Full, Some(media)) => Detail::Full(Facts {
            width_px: media.width_px,
            height_px: media.height_px,
            posted_count: media.posted_count,
            last_posted_at: media.last_posted_at,
        }),
        _ => Detail::Normal,
    }
}

fn ended_card(
    entry: Entry,
    shown: Option<&Media>,
    may_undo: bool,
    settings: &TeamSettings,
) -> Card {
    Card {
        story: entry.story,
        number: entry.number.unwrap_or_default(),
        due_at: entry.due_at,
        place: settings.place_of(&entry.snapshot),
        media: entry.snapshot,
        sent_again: false,
        swaps: 0,
        zone: settings.timezone.clone(),
        detail: detail(settings, shown),
        status: CardStatus::Ended {
            outcome: entry.outcome,
            by: entry.person_name,
            at: entry.ended_at,
            took: entry
                .sent_at
                .map(|sent| entry.ended_at.duration_since(sent)),
            reason: entry.reason,
            may_undo,
        },
    }
}
