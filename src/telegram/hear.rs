//! What an update means: whose it is, and what they want. Its effect is decided and committed by the flow of the team whose
//! it is; the answer is talk, and is said aside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use teloxide::types::{ChatMemberUpdated, Message, Update, UpdateKind};
use teloxide::utils::command::BotCommands;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::clerk::{Asker, Clerk, UNSURE};
use super::commands::Command;
use super::heard::Heard;
use super::members::{Recently, person_id};
use super::menu;
use super::pairing::Pairing;
use super::strangers::Strangers;
use super::uploads;
use super::voice::{Spot, Voice};
use super::whose::Whose;
use crate::domain::audit::By;
use crate::domain::ids::{StoryId, TeamId};
use crate::domain::person::{Deed, PersonId};
use crate::flow::teams::{Team, Teams};
use crate::flow::{Error, Flow};
use crate::system::aside::aside;

/// How many presses are answered at a time: each takes a connection of its own, and what is decided is on record already.
const ANSWERS_AT_ONCE: usize = 8;

/// Understands updates and acts on them.
pub struct Hearing {
    pub(super) voice: Voice,
    pub(super) teams: Teams,
    /// One for each team, the box's own first; never empty.
    pub(super) clerks: Vec<Clerk>,
    pairing: Pairing,
    /// The chats that had a neutral word.
    greeted: Recently,
    /// The chats that were told just now what became of their files.
    answered: Recently,
    pub(super) answering: Arc<Semaphore>,
    /// Those whom nobody knows.
    pub(super) strangers: Strangers,
    /// Whether it was told that there are updates of a kind that is not known.
    has_told_of_unknown: AtomicBool,
}

impl Hearing {
    /// Hearing for all teams; whose private chat is `admin_chat` owns the box.
    #[must_use]
    pub fn new(voice: Voice, teams: &Teams, admin_chat: Option<i64>) -> Self {
        let clerk =
            |(flow, team): &(Flow, Team)| Clerk::new(voice.clone(), flow.clone(), team, admin_chat);
        Self {
            clerks: teams.all().iter().map(clerk).collect(),
            pairing: Pairing::new(voice.clone(), teams.clone(), admin_chat),
            teams: teams.clone(),
            voice,
            greeted: Recently::greeted(),
            answered: Recently::answered(),
            answering: Arc::new(Semaphore::new(ANSWERS_AT_ONCE)),
            strangers: Strangers::default(),
            has_told_of_unknown: AtomicBool::new(false),
        }
    }

    /// Learns which groups are linked to the teams' channels: commands are taken from there too.
    pub async fn learn_linked_groups(&self) {
        for clerk in &self.clerks {
            // Whoever writes there asks again.
            let _ = clerk.linked_group().await;
        }
    }

    /// Takes one update. `name` is the bot's own, for commands that are addressed.
    ///
    /// # Errors
    /// If its effect could not be committed; then it must come again.
    pub async fn take(&self, name: &str, update: &Update, now: Timestamp) -> Result<(), Error> {
        let id = update.id.0;
        match &update.kind {
            UpdateKind::CallbackQuery(query) => self.press(id, query, now).await,
            UpdateKind::Message(message) => self.hear_message(name, id, message, now).await,
            UpdateKind::ChannelPost(post) => self.hear_post(name, post).await,
            UpdateKind::MyChatMember(change) => self.pairing.changed(id, change, now).await,
            UpdateKind::ChatMember(change) => self.member_changed(change, now).await,
            UpdateKind::Error(_) => {
                // There may be any number of them, and one line tells all.
                if !self.has_told_of_unknown.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "update {id} is of a kind that is not known; all such are passed over"
                    );
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Telegram tells a bot that is an administrator who comes and goes.
    async fn member_changed(
        &self,
        change: &ChatMemberUpdated,
        now: Timestamp,
    ) -> Result<(), Error> {
        let user = &change.new_chat_member.user;
        if user.is_bot {
            return Ok(());
        }
        let is_there = change.new_chat_member.kind.is_present();
        for clerk in &self.clerks {
            if !clerk.settings().await?.chats().contains(&change.chat.id.0) {
                continue;
            }
            let by = (change.from.id != user.id).then(|| By {
                name: change.from.full_name(),
                person: Some(person_id(&change.from)),
            });
            let changed = clerk.changed(user, is_there, by, now);
            if changed.instrument(clerk.span()).await? {
                self.renew_menu(person_id(user));
            }
        }
        Ok(())
    }

    /// Has a person whose role may be another now see the commands that it allows.
    pub(super) fn renew_menu(&self, person: PersonId) {
        let (client, teams) = (self.voice.client.clone(), self.teams.clone());
        aside(async move {
            if let Err(error) = menu::set_for(&client, &teams, person).await {
                tracing::warn!("a menu of commands was not set: {error}");
            }
        });
    }

    async fn hear_message(
        &self,
        name: &str,
        update: u32,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(to) = message.migrate_to_chat_id() {
            return self.pairing.moved(message.chat.id.0, to.0, now).await;
        }
        if uploads::hands_in(message) {
            return self.hand_in(update, message, now).await;
        }
        match Heard::new(update, message, name) {
            Some(heard) if heard.is_private => self.hear_in_private(&heard, now).await,
            Some(heard) => self.hear_in_chat(&heard, now).await,
            None => Ok(()),
        }
    }

    /// Somebody handed in a picture, for the library of the team that they speak to.
    async fn hand_in(&self, update: u32, message: &Message, now: Timestamp) -> Result<(), Error> {
        let Some(user) = &message.from else {
            return Ok(());
        };
        let spot = Spot::of(message);
        match self.whose(user, Deed::Upload, false, now).await? {
            Whose::Nobodys => self.greet(spot),
            Whose::Unsure => self.doubt(spot, " Then send it again."),
            // Of many files at once each is an update, and one answer is enough.
            Whose::Several(clerks) if self.answered.add(spot.chat) => {
                self.ask_whose(spot, &clerks, " Then send it again.")
                    .await?;
            }
            Whose::Several(_) => {}
            Whose::One(clerk, person) => {
                let most_bytes = self.voice.client.most_fetched_bytes();
                let told =
                    uploads::take(clerk.flow(), update, message, &person, most_bytes, now).await?;
                if let Some(told) = told.filter(|_| self.answered.add(spot.chat)) {
                    self.voice.say(spot, &told);
                }
            }
        }
        Ok(())
    }

    /// Somebody wrote in a group. People also talk to each other there.
    async fn hear_in_chat(&self, heard: &Heard<'_>, now: Timestamp) -> Result<(), Error> {
        let is_awaited = self.clerks.iter().any(|clerk| clerk.awaits(heard));
        if heard.command.is_none() && heard.reply.is_none() && !is_awaited {
            return Ok(());
        }
        let of_story = match heard.reply {
            Some((message, _)) => self.clerk_of(self.teams.of_message(message).await?),
            None => None,
        };
        let at_spot = self.clerk_at(heard.spot).await?;
        let Some(clerk) = of_story.or(at_spot) else {
            return Ok(()); // a team's plan is nobody else's business
        };
        if heard.is_anonymous() {
            return clerk.take(heard, None, now).instrument(clerk.span()).await;
        }
        match clerk
            .asker(heard.user, deed(heard, is_awaited), now)
            .await?
        {
            Asker::Of(person) => {
                let taken = clerk.take(heard, Some(&person), now);
                return taken.instrument(clerk.span()).await;
            }
            Asker::Stranger => self.greet(heard.spot),
            Asker::Unsure => self.doubt(heard.spot, ""),
        }
        Ok(())
    }

    /// Somebody wrote to the bot alone.
    async fn hear_in_private(&self, heard: &Heard<'_>, now: Timestamp) -> Result<(), Error> {
        if let Some(clerk) = self.clerk(|clerk| clerk.awaits(heard)) {
            match clerk.asker(heard.user, Deed::Settings, now).await? {
                Asker::Of(person) => {
                    let taken = clerk.take(heard, Some(&person), now);
                    return taken.instrument(clerk.span()).await;
                }
                Asker::Stranger => self.greet(heard.spot),
                Asker::Unsure => self.doubt(heard.spot, ""),
            }
            return Ok(());
        }
        let is_choice = heard.command == Some(Command::Team);
        let deed = deed(heard, false);
        match self.whose(heard.user, deed, is_choice, now).await? {
            Whose::Nobodys => self.greet(heard.spot),
            Whose::Unsure => self.doubt(heard.spot, ""),
            Whose::Several(clerks) => self.ask_whose(heard.spot, &clerks, "").await?,
            Whose::One(clerk, person) if heard.command.is_some() => {
                return clerk
                    .take(heard, Some(&person), now)
                    .instrument(clerk.span())
                    .await;
            }
            Whose::One(..) => {
                if self.greeted.add(heard.spot.chat) {
                    self.voice
                        .say(heard.spot, "I know a few commands; /help tells them.");
                }
            }
        }
        Ok(())
    }

    /// One neutral word an hour for whoever does not belong.
    fn greet(&self, spot: Spot) {
        if self.greeted.add(spot.chat) {
            self.voice.say(
                spot,
                "I work for my teams only, and you are in no chat of theirs.",
            );
        }
    }

    /// A word for whoever may belong, or not: Telegram does not say.
    fn doubt(&self, spot: Spot, and_then: &str) {
        if self.answered.add(spot.chat) {
            self.voice.say(spot, &format!("{UNSURE}{and_then}"));
        }
    }

    /// A channel's posts have no sender, so nobody can be asked who they are.
    async fn hear_post(&self, name: &str, post: &Message) -> Result<(), Error> {
        let is_command = post
            .text()
            .is_some_and(|text| Command::parse(text, name).is_ok());
        let spot = Spot::of(post);
        if is_command && self.clerk_at(spot).await?.is_some() && self.greeted.add(spot.chat) {
            self.voice.say(
                spot,
                "In a channel I cannot see who writes. Write commands to me in private.",
            );
        }
        Ok(())
    }

    /// The clerk of the team whose story this is; of what nobody knows any more, whose desk it stands at.
    pub(super) async fn clerk_of_story(&self, story: StoryId, spot: Spot) -> Result<&Clerk, Error> {
        if let [only] = self.clerks.as_slice() {
            return Ok(only);
        }
        if let Some(clerk) = self.clerk_of(self.teams.of_story(story).await?) {
            return Ok(clerk);
        }
        Ok(self.clerk_at(spot).await?.unwrap_or(&self.clerks[0]))
    }

    pub(super) fn clerk_of(&self, team: Option<TeamId>) -> Option<&Clerk> {
        self.clerk(|clerk| Some(clerk.flow().team()) == team)
    }

    pub(super) fn clerk(&self, is_it: impl Fn(&Clerk) -> bool) -> Option<&Clerk> {
        self.clerks.iter().find(|clerk| is_it(clerk))
    }

    /// The clerk of the team whose chat this is. Teams may share a group, each with a topic of its own.
    async fn clerk_at(&self, spot: Spot) -> Result<Option<&Clerk>, Error> {
        let mut found = None;
        for clerk in &self.clerks {
            let settings = clerk.settings().await?;
            let thread = spot.thread.map(|thread| thread.0.0);
            let places = settings.places();
            if places
                .iter()
                .any(|place| (place.chat, place.thread) == (spot.chat, thread))
            {
                return Ok(Some(clerk));
            }
            if found.is_none() && places.iter().any(|place| place.chat == spot.chat) {
                found = Some(clerk);
            }
        }
        if found.is_none() {
            for clerk in &self.clerks {
                if clerk.linked_group().await? == Some(spot.chat) {
                    return Ok(Some(clerk));
                }
            }
        }
        Ok(found)
    }
}

/// What somebody wants who writes this; an awaited value is one of a setting.
fn deed(heard: &Heard<'_>, is_awaited: bool) -> Deed {
    match heard.command {
        Some(command) => command.deed(),
        None if is_awaited => Deed::Settings,
        None => Deed::Decide,
    }
}
