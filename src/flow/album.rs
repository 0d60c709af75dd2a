//! The pictures of what comes, as an album in a chat. It is talk, best effort: who asked is on no record, and a restart forgets
//! it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::outlet::{Contents, Form, Outlet, Studio, Trouble};
use super::{Flow, Result};
use crate::domain::entry::Snapshot;
use crate::domain::media::Media;
use crate::domain::story::{State, Story};
use crate::domain::team::Place;
use crate::store::{Tx, media, settings, stories, uploads};
use crate::system::lock::lock;

/// The most pictures that Telegram takes in an album.
pub const MOST_PICTURES: usize = 10;
/// The longest that making and sending one may take; the step is a sign of life.
const LONGEST: Duration = Duration::from_secs(280);
/// An album that was sent to a place so lately still stands there.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Pictures to be shown together.
#[derive(Clone, Debug, PartialEq)]
pub struct Album {
    /// Where.
    pub place: Place,
    /// The zone in which their times are told.
    pub zone: TimeZone,
    /// The pictures, one at least.
    pub exhibits: Vec<Exhibit>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhibit {
    /// How people call its story.
    pub number: u64,
    /// When that is due.
    pub due_at: Timestamp,
    /// What is shown.
    pub media: Snapshot,
    /// A JPEG, or the id under which it was uploaded before.
    pub contents: Contents,
}

/// What became of the wish for an album.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlbumAsked {
    /// It is on its way.
    Coming,
    /// It was asked for a moment ago.
    StandsAbove,
    /// There is nothing to show.
    NothingPlanned,
    /// This very wish was heard before.
    Repeated,
}

/// A planned story, its media, and the id of its picture if this bot has uploaded it.
struct Piece {
    story: Story,
    media: Media,
    known: Option<String>,
}

/// Where albums were asked for lately.
#[derive(Clone, Default)]
pub(super) struct Wishes(Arc<Mutex<Vec<Wish>>>);

struct Wish {
    place: Place,
    at: Timestamp,
    is_open: bool,
}

impl Wishes {
    /// False if one was asked for there a moment ago.
    fn add(&self, place: Place, now: Timestamp) -> bool {
        let mut wishes = lock(&self.0);
        wishes.retain(|wish| wish.is_open || now.duration_since(wish.at).abs() < AGAIN);
        let is_new = wishes.iter().all(|wish| wish.place != place);
        if is_new {
            wishes.push(Wish {
                place,
                at: now,
                is_open: true,
            });
        }
        is_new
    }

    fn take(&self) -> Option<Place> {
        let mut wishes = lock(&self.0);
        let wish = wishes.iter_mut().find(|wish| wish.is_open)?;
        wish.is_open = false;
        Some(wish.place)
    }

    fn forget(&self, place: Place) {
        lock(&self.0).retain(|wish| wish.place != place);
    }
}

impl Flow {
    /// Whether there is something that an album could show.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn has_plan(&self) -> Result<bool> {
        let team = self.team;
        let is_planned = |story: &Story| story.state == State::Planned;
        self.store
            .read(move |tx| Ok(stories::queue(tx, team)?.iter().any(is_planned)))
            .await
    }

    /// Has the pictures of the next stories shown there. `update` is Telegram's number for the wish.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn ask_for_album(
        &self,
        update: u32,
        place: Place,
        now: Timestamp,
    ) -> Result<AlbumAsked> {
        if !self.take_update(update, now).await? {
            return Ok(AlbumAsked::Repeated);
        }
        if !self.has_plan().await? {
            return Ok(AlbumAsked::NothingPlanned);
        }
        if !self.albums.add(place, now) {
            return Ok(AlbumAsked::StandsAbove);
        }
        self.nudges.extras.notify();
        Ok(AlbumAsked::Coming)
    }

    /// Sends an album that people asked for, one at a time. Returns when to call again, if there may be more.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn bring_albums(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let Some(place) = self.albums.take() else {
            return Ok(None);
        };
        let team = self.team;
        let (planned, zone) = self
            .store
            .read(move |tx| {
                let mut planned = stories::queue(tx, team)?;
                planned.retain(|story| story.state == State::Planned);
                Ok((planned, settings::of(tx, team)?.timezone))
            })
            .await?;
        let shown = self
            .show_album(outlet, studio, (place, zone), planned, now)
            .await?;
        if let Err(trouble) = shown {
            tracing::warn!("an album was not sent: {}", trouble.reason());
            // Whoever wants it may ask again.
            self.albums.forget(place);
        }
        Ok(Some(now))
    }

    /// Shows the pictures of these stories, as many as an album holds.
    pub(super) async fn show_album(
        &self,
        outlet: &dyn Outlet,
        studio: &Studio,
        at: (Place, TimeZone),
        planned: Vec<Story>,
        now: Timestamp,
    ) -> Result<std::result::Result<(), Trouble>> {
        let bot = outlet.bot().to_owned();
        let pieces = self
            .store
            .read(move |tx| pieces(tx, &bot, &planned))
            .await?;
        let shown = tokio::time::timeout(LONGEST, show(outlet, studio, at, &pieces))
            .await
            .unwrap_or_else(|_| Err(Trouble::Unsure("no answer in time".to_owned())));
        let uploaded = match shown {
            Ok(uploaded) => uploaded,
            Err(trouble) => return Ok(Err(trouble)),
        };
        if !uploaded.is_empty() {
            let bot = outlet.bot().to_owned();
            self.store
                .write(move |tx| {
                    uploaded.iter().try_for_each(|(fingerprint, id)| {
                        uploads::put(tx, &bot, fingerprint, Form::Photo.as_str(), id, now)
                    })
                })
                .await?;
        }
        Ok(Ok(()))
    }
}

fn pieces(tx: &mut dyn Tx, bot: &str, planned: &[Story]) -> Result<Vec<Piece>> {
    let planned = planned.iter().take(MOST_PICTURES);
    planned
        .map(|story| {
            let media = media::get(tx, story.media)?;
            let fingerprint = media.fingerprint.to_string();
            Ok(Piece {
                story: story.clone(),
                known: uploads::get(tx, bot, &fingerprint, Form::Photo.as_str())?,
                media,
            })
        })
        .collect()
}

/// Sends them; tells the fingerprints and ids of what was uploaded.
async fn show(
    outlet: &dyn Outlet,
    studio: &Studio,
    at: (Place, TimeZone),
    pieces: &[Piece],
) -> std::result::Result<Vec<(String, String)>, Trouble> {
    let mut album = hang(studio, at.clone(), pieces, true).await?;
    let mut sent = outlet.album(&album).await;
    let is_by_id = pieces.iter().any(|piece| piece.known.is_some());
    if is_by_id && matches!(sent, Err(Trouble::Never(_))) {
        // Telegram may have forgotten one.
        album = hang(studio, at, pieces, false).await?;
        sent = outlet.album(&album).await;
    }
    let shown = album.exhibits.into_iter().zip(sent?);
    let uploaded = shown.filter_map(|(exhibit, id)| {
        let is_new = matches!(exhibit.contents, Contents::Bytes(_));
        id.filter(|_| is_new)
            .map(|id| (exhibit.media.fingerprint, id))
    });
    Ok(uploaded.collect())
}

/// Brings the pictures together: by their ids where they have one, if `by_id`. One that cannot be made is left out.
async fn hang(
    studio: &Studio,
    (place, zone): (Place, TimeZone),
    pieces: &[Piece],
    by_id: bool,
) -> std::result::Result<Album, Trouble> {
    let mut exhibits = Vec::new();
    for piece in pieces {
        let contents = match piece.known.clone().filter(|_| by_id) {
            Some(id) => Contents::Known(id),
            None => match studio(piece.media.clone()).await {
                Ok(picture) => Contents::Bytes(picture.jpeg),
                Err(reason) => {
                    let number = piece.story.number;
                    tracing::debug!(story = number, "it cannot be shown in an album: {reason:?}");
                    continue;
                }
            },
        };
        exhibits.push(Exhibit {
            number: piece.story.number,
            due_at: piece.story.due_at,
            media: Snapshot::of(&piece.media),
            contents,
        });
    }
    if exhibits.is_empty() {
        return Err(Trouble::Never(
            "none of its pictures can be made".to_owned(),
        ));
    }
    Ok(Album {
        place,
        zone,
        exhibits,
    })
}
