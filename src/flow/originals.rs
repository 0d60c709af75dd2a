//! The original of a story, one tap away: its file as it lies in the library, under the story's message.

use jiff::{SignedDuration, Timestamp};

use super::messages::open_card;
use super::outlet::{Archive, Card, Contents, Document, Form, NoPicture, Outlet, Trouble};
use super::{Flow, Result};
use crate::domain::entry::Snapshot;
use crate::domain::ids::StoryId;
use crate::domain::media::Media;
use crate::domain::story::MessageRef;
use crate::store::{Tx, media, messages, settings, stories, uploads};

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
    /// Sends the originals that people asked for. Returns when to call again, if one did not leave the box.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn bring_originals(
        &self,
        outlet: &dyn Outlet,
        archive: &Archive,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let (team, bot) = (self.team, outlet.bot().to_owned());
        let wishes = self
            .store
            .write(move |tx| {
                let settings = settings::of(tx, team)?;
                let mut wishes = Vec::new();
                for story in stories::that_want_originals(tx, team)? {
                    stories::want_original(tx, story.id, false)?;
                    let Some(message) = messages::latest_of(tx, story.id)? else {
                        continue;
                    };
                    let shown = media::get(tx, story.media)?;
                    let fingerprint = shown.fingerprint.to_string();
                    wishes.push(Wish {
                        story: story.id,
                        message,
                        card: open_card(&story, Snapshot::of(&shown), &settings, now),
                        known: uploads::get(tx, &bot, &fingerprint, Form::Document.as_str())?,
                        media: shown,
                    });
                }
                Ok(wishes)
            })
            .await?;
        let mut next = None;
        for wish in wishes {
            let sent = send(outlet, archive, &wish).await;
            if let Err(Unsent::Later) = sent {
                next = now.checked_add(AGAIN).ok();
            }
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
    match trouble {
        Trouble::Later(_) | Trouble::Unreachable(_) | Trouble::Owner(_) => Unsent::Later,
        // The story itself is there, and a second document would be worse than none.
        Trouble::Unsure(_) | Trouble::Never(_) | Trouble::Gone => {
            let reason = trouble.reason();
            tracing::warn!(story = card.number, "its original was not sent: {reason}");
            Unsent::Never
        }
    }
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
        Ok(None) => Ok(()),
        Ok(Some(id)) => uploads::put(tx, bot, &fingerprint, form, id, now),
        Err(Unsent::Later) => stories::want_original(tx, wish.story, true),
        // Whoever wants it may ask again.
        Err(Unsent::Never) => stories::note_original(tx, wish.story, None),
    }
}
