//! Whether who wants something belongs to a team: what the records say, what Telegram says when it is asked, and what it says
//! unasked of who comes and goes.

use jiff::Timestamp;
use teloxide::types::User;

use super::clerk::{Asker, Clerk};
use super::members::{Known, Word, person_id};
use crate::domain::alert::topic;
use crate::domain::audit::By;
use crate::domain::person::{Deed, PersonId, Role};
use crate::flow::Error;
use crate::system::lock::lock;

impl Clerk {
    /// Who wants to do this, if they belong: who is not on record is looked up, and who is on record every few minutes, since
    /// they may have left.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn asker(&self, user: &User, deed: Deed, now: Timestamp) -> Result<Asker, Error> {
        match self.known(user, deed, now).await? {
            Asker::Stranger => self.admitted(user, now).await,
            known => Ok(known),
        }
    }

    /// Whether somebody was in the chat so lately that nobody needs to be asked before they do this. The owner of the box
    /// belongs everywhere.
    #[must_use]
    pub fn is_fresh(&self, id: PersonId, deed: Deed) -> bool {
        self.admin_chat == Some(id.0) || self.members.known(id, deed) == Known::Fresh
    }

    /// Asks ahead about somebody who wants to do this, so that what comes next need not wait for it.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn ask_ahead(&self, user: &User, deed: Deed, now: Timestamp) -> Result<(), Error> {
        if let Asker::Stranger = self.known(user, deed, now).await?
            && let Asker::Unsure = self.admitted(user, now).await?
        {
            self.members.doubt(person_id(user));
        }
        Ok(())
    }

    /// Somebody who is not on record as being there, if Telegram says that they are.
    async fn admitted(&self, user: &User, now: Timestamp) -> Result<Asker, Error> {
        let id = person_id(user);
        let is_owner = self.admin_chat == Some(id.0);
        if !is_owner {
            if self.members.is_stranger(id) {
                return Ok(Asker::Stranger);
            }
            if self.members.was_doubted(id) {
                return Ok(Asker::Unsure);
            }
            match self.look_up(user, now).await? {
                Word::In => {}
                Word::Out => return Ok(Asker::Stranger),
                Word::Hidden(_) | Word::Untold(_) => return Ok(Asker::Unsure),
            }
        }
        let role = if is_owner { Role::Owner } else { Role::Member };
        let name = user.full_name();
        let is_new = self.flow.person(id).await?.is_none();
        self.flow
            .meet(id, name.clone(), user.username.clone(), role, now)
            .await?;
        if is_new {
            tracing::info!(person = name, "{name} is of the team now, as {role}");
        }
        let person = self.flow.person(id).await?;
        Ok(person.map_or(Asker::Stranger, Asker::Of))
    }

    /// Asks Telegram whether somebody is in one of the team's chats, and notes what it says.
    async fn look_up(&self, user: &User, now: Timestamp) -> Result<Word, Error> {
        let chats = self.settings().await?.chats();
        let word = self.members.ask(&self.voice.client, &chats, user.id).await;
        match &word {
            Word::In | Word::Out => {
                self.members.note(person_id(user), &word);
                self.tell_hidden(None, now).await?;
            }
            Word::Hidden(reason) => self.tell_hidden(Some(reason), now).await?,
            Word::Untold(reason) => {
                tracing::warn!("whether somebody belongs could not be asked: {reason}");
            }
        }
        Ok(word)
    }

    /// Tells the owner that Telegram does not tell who is in the chat, or that it does; once.
    async fn tell_hidden(&self, reason: Option<&str>, now: Timestamp) -> Result<(), Error> {
        let is_hidden = Some(reason.is_some());
        if std::mem::replace(&mut *lock(&self.is_hidden), is_hidden) == is_hidden {
            return Ok(());
        }
        let text = reason.map(|reason| {
            format!(
                "Telegram does not tell the bot who is in the team's chat ({reason}): nobody new is let in, and who leaves keeps \
                 what they may. To mend it, make the bot an administrator of the chat."
            )
        });
        self.flow.condition(topic::MEMBERS, text, now).await
    }

    /// Telegram says that somebody came into one of the team's chats, or is gone from it. `by` is who removed them, if they
    /// did not leave. True if they stand otherwise now.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn changed(
        &self,
        user: &User,
        is_there: bool,
        by: Option<By>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let id = person_id(user);
        self.members.forget(id);
        let is_owner = self.admin_chat == Some(id.0);
        let Some(person) = self.flow.person(id).await?.filter(|_| !is_owner) else {
            return Ok(false); // who joins is met when they first do something
        };
        if is_there {
            let has_come_back = person.left_at.is_some();
            if has_come_back {
                let (name, username) = (user.full_name(), user.username.clone());
                self.flow.meet(id, name, username, person.role, now).await?;
            }
            self.members.note(id, &Word::In);
            return Ok(has_come_back);
        }
        // Of several chats another may have them still: then they are asked about when they next do something.
        let is_only_chat = self.settings().await?.chats().len() == 1;
        Ok(is_only_chat && self.flow.leave(id, by, now).await?)
    }

    /// The person on record, if they are in the chat still; the owner is one in every team. Nobody else is looked up.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn known(&self, user: &User, deed: Deed, now: Timestamp) -> Result<Asker, Error> {
        let id = person_id(user);
        let is_owner = self.admin_chat == Some(id.0);
        let person = self.flow.person(id).await?;
        let Some(mut person) = person.filter(|person| person.left_at.is_none()) else {
            // Whose box it is belongs everywhere, and nobody needs to be asked.
            return match is_owner {
                true => self.admitted(user, now).await,
                false => Ok(Asker::Stranger),
            };
        };
        if !is_owner {
            match self.is_there_still(user, deed, now).await? {
                Some(true) => {}
                Some(false) => return Ok(Asker::Stranger),
                None => return Ok(Asker::Unsure),
            }
        }
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
        Ok(Asker::Of(person))
    }

    /// Whether somebody on record is in the chat still, or may be taken to be for this; nothing if nobody can tell. Who is not
    /// there has left.
    async fn is_there_still(
        &self,
        user: &User,
        deed: Deed,
        now: Timestamp,
    ) -> Result<Option<bool>, Error> {
        let id = person_id(user);
        if self.members.known(id, deed) == Known::Ask {
            match self.look_up(user, now).await? {
                Word::In => return Ok(Some(true)),
                Word::Out => {
                    self.flow.leave(id, None, now).await?;
                    return Ok(Some(false));
                }
                untold => self.members.note(id, &untold),
            }
        }
        let may_be = matches!(self.members.known(id, deed), Known::Fresh | Known::Kept);
        Ok(may_be.then_some(true))
    }
}
