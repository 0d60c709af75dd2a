//! The clerk of one team's desk: knows the team's people and chats, and does what its people press, write and command.

use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, User};
use tokio::time::Instant;
use tracing::Span;

use super::album;
use super::commands::{Obeyed, answer, obey};
use super::heard::{Heard, said_at};
use super::members::{Members, person_id};
use super::message::plain;
use super::panel::{Wish, mark};
use super::steward::Steward;
use super::voice::{Spot, Voice};
use crate::domain::person::{Deed, Person};
use crate::domain::story::MessageRef;
use crate::domain::team::TeamSettings;
use crate::flow::act::{Press, Pressed, Saw, Verb};
use crate::flow::teams::Team;
use crate::flow::{Error, Flow};
use crate::system::lock::lock;
use crate::system::logging::span_of;

/// How long Telegram may take to say which group is linked to a chat, and when it is asked again if it did not.
const LINK: Duration = Duration::from_secs(5);
const LINK_AGAIN: Duration = Duration::from_secs(60);

/// Who wants something.
pub enum Asker {
    /// A person of the team.
    Of(Person),
    /// Somebody who is in no chat of the team's.
    Stranger,
    /// Telegram does not say just now.
    Unsure,
}

/// A chat, the group that is linked to it, and when that was asked for; nothing if Telegram did not say.
type Link = (i64, Option<Option<i64>>, Instant);

/// Minds one team's desk.
pub struct Clerk {
    pub(super) voice: Voice,
    pub(super) flow: Flow,
    /// What its work bears in the log.
    span: Span,
    pub(super) admin_chat: Option<i64>,
    pub(super) members: Members,
    steward: Steward,
    /// Which group is linked to the team's chat.
    linked: Mutex<Option<Link>>,
    /// Whether the owner was told that Telegram does not tell who is in the chat; nothing before it was asked.
    pub(super) is_hidden: Mutex<Option<bool>>,
}

impl Clerk {
    /// The clerk of a team; whose private chat is `admin_chat` owns the box.
    #[must_use]
    pub fn new(voice: Voice, flow: Flow, team: &Team, admin_chat: Option<i64>) -> Self {
        Self {
            span: span_of(&team.name),
            steward: Steward::new(voice.clone(), flow.clone()),
            voice,
            flow,
            admin_chat,
            members: Members::default(),
            linked: Mutex::default(),
            is_hidden: Mutex::default(),
        }
    }

    /// The team's verbs.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What its work bears in the log.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The team's mark in a button.
    #[must_use]
    pub fn mark(&self) -> String {
        mark(self.flow.team())
    }

    /// What the team decided.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn settings(&self) -> Result<TeamSettings, Error> {
        self.flow.settings().await
    }

    /// The group that is linked to the team's chat: commands are taken from there too. Asked for once, and again when the
    /// team has another chat.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn linked_group(&self) -> Result<Option<i64>, Error> {
        let Some(team_chat) = self.settings().await?.chat else {
            return Ok(None);
        };
        let known = *lock(&self.linked);
        if let Some((_, group, at)) = known.filter(|(chat, ..)| *chat == team_chat)
            && (group.is_some() || at.elapsed() < LINK_AGAIN)
        {
            return Ok(group.flatten());
        }
        let asked = self.voice.client.bot.get_chat(ChatId(team_chat));
        let chat = self.voice.client.call(LINK, asked).await;
        let group = chat.ok().map(|chat| chat.linked_chat_id());
        *lock(&self.linked) = Some((team_chat, group, Instant::now()));
        Ok(group.flatten())
    }

    /// The same, as far as it is known without asking.
    #[must_use]
    pub fn known_linked_group(&self) -> Option<i64> {
        lock(&self.linked).and_then(|(_, group, _)| group.flatten())
    }

    /// Whether somebody is awaited to write this.
    #[must_use]
    pub fn awaits(&self, heard: &Heard<'_>) -> bool {
        let (chat, person) = (heard.spot.chat, person_id(heard.user));
        let is_talk = heard.command.is_none();
        is_talk
            && self
                .steward
                .awaits(chat, person, heard.reply_to(), heard.is_private)
    }

    /// What a person writes in this chat is no answer to a question any more.
    pub fn await_nothing_of(&self, chat: i64, user: &User) {
        self.steward.forget(chat, person_id(user));
    }

    /// Takes a press on a button of a story; a person who is not on record is looked up first. Returns the answer, as the
    /// phone shows it for a moment, and whether it must be confirmed.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn press(
        &self,
        press: Press,
        user: &User,
        now: Timestamp,
    ) -> Result<(String, bool), Error> {
        let is_known = self.is_fresh(person_id(user), Deed::Decide);
        // Whoever was there a moment ago is not looked up: presses are committed in the order in which they came.
        let pressed = match is_known {
            true => self.flow.press(press, now).await?,
            false => Pressed::Stranger,
        };
        let pressed = match pressed {
            Pressed::Stranger => match self.asker(user, Deed::Decide, now).await? {
                Asker::Of(_) => self.flow.press(press, now).await?,
                Asker::Stranger => Pressed::Stranger,
                Asker::Unsure => {
                    self.flow.take_update(press.update, now).await?;
                    Pressed::Unasked
                }
            },
            pressed => pressed,
        };
        Ok(answer(&pressed, &self.settings().await?.timezone))
    }

    /// Does what a button of a panel asks for; returns the answer.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn wish(
        &self,
        update: u32,
        wish: Wish,
        user: &User,
        message: MessageRef,
        spot: Spot,
        now: Timestamp,
    ) -> Result<String, Error> {
        match self.asker(user, Deed::Settings, now).await? {
            Asker::Of(person) if Flow::may(&person, Deed::Settings) => {
                self.steward
                    .press(update, wish, &person, message, spot, now)
                    .await
            }
            Asker::Unsure => Ok(UNSURE.to_owned()),
            _ => Ok("Only admins may do that.".to_owned()),
        }
    }

    /// Takes what somebody of the team wrote; nobody is an anonymous administrator.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn take(
        &self,
        heard: &Heard<'_>,
        asker: Option<&Person>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(person) = asker
            && self.awaits(heard)
            && Flow::may(person, Deed::Settings)
        {
            return self
                .steward
                .written(heard.text, person, heard.spot, now)
                .await;
        }
        if let (Some((message, verb)), Some(person)) = (heard.reply, asker) {
            return self.replied(heard, message, verb, person, now).await;
        }
        let Some(command) = heard.command else {
            return Ok(());
        };
        // What only looks may be answered twice; what changes something takes the update with its effect.
        let obeyed = obey(&self.flow, command, asker, heard.update, now).await?;
        if command.deed() == Deed::Look && !self.flow.take_update(heard.update, now).await? {
            return Ok(());
        }
        match obeyed {
            Obeyed::Told(text) => {
                let buttons = album::offer(&self.flow, command, asker).await?;
                self.voice.show(heard.spot, plain(&text), buttons);
            }
            Obeyed::ShowSettings => {
                if self.flow.take_update(heard.update, now).await? {
                    self.steward.open(heard.spot).await?;
                }
            }
        }
        Ok(())
    }

    /// Somebody wrote "posted", "skip" or "reject" under a story: it works as the button, and Telegram keeps it for a day.
    async fn replied(
        &self,
        heard: &Heard<'_>,
        message: MessageRef,
        verb: Verb,
        person: &Person,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(story) = self.flow.story_of(message).await? else {
            return Ok(());
        };
        let press = Press {
            update: heard.update,
            story,
            verb,
            person: person.id,
            message,
            saw: Saw::At(said_at(heard.message)),
        };
        let (text, _) = self.press(press, heard.user, now).await?;
        if !text.is_empty() {
            self.voice.say(heard.spot, &text);
        }
        Ok(())
    }
}

/// The answer to somebody of whom nobody can tell just now whether they belong.
pub(super) const UNSURE: &str =
    "Telegram does not tell me who you are just now. Please try again in a minute.";
