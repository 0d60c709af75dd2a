//! The original of a story, one tap away: its file as it lies in the library, under the story's message.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::messages::open_card;
use super::outlet::{Archive, Card, Contents, Document, Form, NoPicture, Outlet, Trouble};
use super::{Flow, Result};
use crate::domain::ids::StoryId;
use crate::domain::media::Media;
use crate::domain::story::MessageRef;
use crate::store::stories::Wanted;
use crate::store::{Tx, media, messages, settings, stories, uploads};

/// The longest that one may take; the step is a sign of life.
const LONGEST: Duration = Duration::from_secs(280);
/// When an original that did not leave the box is tried again.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// An original that is to be sent; the wish is off the records, so that it is sent once.
struct Wish {
    story: StoryId,
    message: MessageRef,
    card: Card,
    media: Media,
    /// Its id, if this bot has uploaded it before.
    known: Option<String>,
}

impl Flow {
    /// Sends an original that people asked for, one at a time. Returns when to call again, if there may be more.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn bring_originals(
        &self,
        outlet: &dyn Outlet,
        archive: &Archive,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        if let Some(until) = self.waits_for_server(outlet, false, now).await? {
            return Ok(Some(until));
        }
        let (team, bot) = (self.team, outlet.bot().to_owned());
        let wishes = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                let mut wishes = Vec::new();
                for story in stories::that_want_originals(tx, team)? {
                    stories::want_original(tx, story.id, Wanted::Sending)?;
                    let Some(message) = messages::latest_of(tx, story.id)? else {
                        continue;
                    };
                    let shown = media::get(tx, story.media)?;
                    let fingerprint = shown.fingerprint.to_string();
                    wishes.push(Wish {
                        story: story.id,
                        message,
                        card: open_card(&story, &shown, &settings, now),
                        known: uploads::get(tx, &bot, &fingerprint, Form::Document.as_str())?,
                        media: shown,
                    });
                }
                Ok(wishes)
            })
            .await?;
        let mut next = None;
        for wish in wishes {
            // One that may have arrived is not repeated.
            let sent = tokio::time::timeout(LONGEST, send(outlet, archive, &wish))
                .await
                .unwrap_or(Err(Unsent::Never));
            next = match sent {
                Err(Unsent::Later) => now.checked_add(AGAIN).ok(),
                _ => Some(now), // there may be more
            };
            let bot = outlet.bot().to_owned();
            self.store
                .write(move |tx| note(tx, &bot, &wish, &sent, now))
                .await?;
        }
        Ok(next)
    }
}

/// Why an original was not sent.
enum Unsent {
    /// It did not leave the box: it is sent a little later.
    Later,
    /// It cannot be sent, or may have been.
    Never,
}

/// Sends it, and tells its id if that is news.
async fn send(
    outlet: &dyn Outlet,
    archive: &Archive,
    wish: &Wish,
) -> std::result::Result<Option<String>, Unsent> {
    // By its id first; Telegram may have forgotten it.
    if let Some(id) = &wish.known {
        let document = Document {
            name: String::new(),
            contents: Contents::Known(id.clone()),
        };
        match outlet.original(wish.message, &wish.card, &document).await {
            Ok(_) => return Ok(None),
            Err(Trouble::Never(_)) => {}
            Err(trouble) => return Err(unsent(&wish.card, &trouble)),
        }
    }
    let document = match archive(wish.media.clone()).await {
        Ok(document) => document,
        Err(NoPicture::Away(_)) => return Err(Unsent::Later),
        Err(reason) => {
            tracing::warn!(
                story = wish.card.number,
                "its original cannot be sent: {reason:?}"
            );
            return Err(Unsent::Never);
        }
    };
    let sent = outlet.original(wish.message, &wish.card, &document).await;
    sent.map_err(|trouble| unsent(&wish.card, &trouble))
}

fn unsent(card: &Card, trouble: &Trouble) -> Unsent {
    if trouble.is_to_be_repeated() {
        return Unsent::Later;
    }
    // The story itself is there, and a second document would be worse than none.
    let reason = trouble.reason();
    tracing::warn!(story = card.number, "its original was not sent: {reason}");
    Unsent::Never
}

fn note(
    tx: &mut dyn Tx,
    bot: &str,
    wish: &Wish,
    sent: &std::result::Result<Option<String>, Unsent>,
    now: Timestamp,
) -> Result<()> {
    let (fingerprint, form) = (wish.media.fingerprint.to_string(), Form::Document.as_str());
    match sent {
        Ok(None) => stories::want_original(tx, wish.story, Wanted::No),
        Ok(Some(id)) => {
            stories::want_original(tx, wish.story, Wanted::No)?;
            uploads::put(tx, bot, &fingerprint, form, id, now)
        }
        Err(Unsent::Later) => stories::want_original(tx, wish.story, Wanted::Yes),
        // Whoever wants it may ask again.
        Err(Unsent::Never) => {
            stories::want_original(tx, wish.story, Wanted::No)?;
            stories::note_original(tx, wish.story, None)
        }
    }
}
