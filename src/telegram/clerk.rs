//! The clerk of one team's desk: knows the team's people and chats, and does what its people press, write and command.

use std::sync::Mutex;

use jiff::Timestamp;
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, User};
use tracing::Span;

use super::album;
use super::client::SMALL_CALL;
use super::commands::{Obeyed, answer, obey};
use super::heard::{Heard, said_at};
use super::members::{Members, NotNow, Places, person_id};
use super::message::plain;
use super::panel::{Wish, mark};
use super::steward::Steward;
use super::voice::{Spot, Voice};
use crate::domain::audit::By;
use crate::domain::person::{Deed, Person, Role};
use crate::domain::story::MessageRef;
use crate::domain::team::TeamSettings;
use crate::flow::act::{Press, Pressed, Saw, Verb};
use crate::flow::outlet::Trouble;
use crate::flow::teams::Team;
use crate::flow::{Error, Flow};
use crate::system::lock::lock;
use crate::system::logging::span_of;

/// Minds one team's desk.
pub struct Clerk {
    voice: Voice,
    flow: Flow,
    /// What its work bears in the log.
    span: Span,
    admin_chat: Option<i64>,
    members: Members,
    steward: Steward,
    /// The team's chat for which it was asked which group is linked to it, and that group.
    linked: Mutex<Option<(i64, Option<i64>)>>,
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
    pub async fn linked_group(&self) -> Result<Option<i64>, Error> {
        let Some(team_chat) = self.settings().await?.chat else {
            return Ok(None);
        };
        let known = *lock(&self.linked);
        if let Some((_, linked)) = known.filter(|(chat, _)| *chat == team_chat) {
            return Ok(linked);
        }
        let asked = self.voice.client.bot.get_chat(ChatId(team_chat));
        let Ok(chat) = self.voice.client.call(SMALL_CALL, asked).await else {
            return Ok(None);
        };
        let linked = chat.linked_chat_id();
        *lock(&self.linked) = Some((team_chat, linked));
        Ok(linked)
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
        let mut pressed = self.flow.press(press, now).await?;
        if pressed == Pressed::Stranger {
            pressed = match self.admit(user, now).await {
                Ok(true) => self.flow.press(press, now).await?,
                Ok(false) => Pressed::Stranger,
                Err(NotNow::Store(error)) => return Err(error),
                Err(NotNow::Telegram(trouble)) => {
                    tell_unasked(&trouble);
                    self.flow.take_update(press.update, now).await?;
                    Pressed::Unasked
                }
            };
        }
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
        match self.asker(user, now).await? {
            Some(person) if Flow::may(&person, Deed::Settings) => {
                self.steward
                    .press(update, wish, &person, message, spot, now)
                    .await
            }
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

    /// The person on record who wrote, if they belong; who is not on record is looked up.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn asker(&self, user: &User, now: Timestamp) -> Result<Option<Person>, Error> {
        if let Some(person) = self.known(user, now).await? {
            return Ok(Some(person));
        }
        self.admitted(user, now).await
    }

    /// Somebody who is not on record, if Telegram says that they belong.
    async fn admitted(&self, user: &User, now: Timestamp) -> Result<Option<Person>, Error> {
        match self.admit(user, now).await {
            Ok(true) => self.flow.person(person_id(user)).await,
            Ok(false) => Ok(None),
            Err(NotNow::Store(error)) => Err(error),
            Err(NotNow::Telegram(trouble)) => {
                tell_unasked(&trouble);
                Ok(None)
            }
        }
    }

    /// The person on record; the owner is one in every team.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn known(&self, user: &User, now: Timestamp) -> Result<Option<Person>, Error> {
        let id = person_id(user);
        let is_owner = self.admin_chat == Some(id.0);
        let Some(mut person) = self.flow.person(id).await? else {
            // Whose box it is belongs everywhere, and nobody needs to be asked.
            return match is_owner {
                true => self.admitted(user, now).await,
                false => Ok(None),
            };
        };
        let (name, username) = (user.full_name(), user.username.clone());
        if (&person.name, &person.username) != (&name, &username) {
            // People call themselves otherwise at times; the role stays.
            self.flow
                .meet(id, name.clone(), username.clone(), person.role, now)
                .await?;
            (person.name, person.username) = (name, username);
        }
        if is_owner && person.role != Role::Owner {
            // Met before the file said whose box it is.
            let by = By::terminal("the file of settings");
            self.flow.set_role(id, Role::Owner, by, now).await?;
            person.role = Role::Owner;
        }
        Ok(Some(person))
    }

    async fn admit(&self, user: &User, now: Timestamp) -> Result<bool, NotNow> {
        let settings = self.settings().await.map_err(NotNow::Store)?;
        let places = Places {
            team_chats: settings.chats(),
            admin_chat: self.admin_chat,
        };
        self.members
            .admit(&self.voice.client, &self.flow, places, user, now)
            .await
    }
}

/// One stranger must not hold up everybody: whoever cannot be looked up is told to press again.
fn tell_unasked(trouble: &Trouble) {
    let reason = trouble.reason();
    tracing::warn!("whether somebody belongs could not be asked: {reason}");
}
