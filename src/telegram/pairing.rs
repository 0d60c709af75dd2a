//! Chats come and go: the bot is added to one and offers to use it, is removed or loses its rights, or a group becomes a
//! supergroup with another number.

use jiff::Timestamp;
use teloxide::types::{
    Chat, ChatMemberUpdated, ChatPermissions, InlineKeyboardButton, InlineKeyboardMarkup,
};

use super::members::person_id;
use super::message::plain;
use super::panel::{Wish, marked};
use super::rights::{Kind, lacking};
use super::voice::{Spot, Voice};
use crate::domain::ids::TeamId;
use crate::domain::person::Deed;
use crate::domain::setting::Setting;
use crate::flow::teams::Teams;
use crate::flow::{Error, Flow};

/// Minds in which chats the bot is.
pub struct Pairing {
    voice: Voice,
    teams: Teams,
    /// The owner's chat, which is asked whether a new one is to be used.
    admin_chat: Option<i64>,
}

impl Pairing {
    /// Minds the chats of all teams.
    #[must_use]
    pub fn new(voice: Voice, teams: Teams, admin_chat: Option<i64>) -> Self {
        Self {
            voice,
            teams,
            admin_chat,
        }
    }

    /// The bot stands otherwise in a chat than before.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn changed(
        &self,
        update: u32,
        change: &ChatMemberUpdated,
        now: Timestamp,
    ) -> Result<(), Error> {
        let chat = &change.chat;
        let mut is_known_chat = false;
        for (flow, _) in self.teams.all() {
            if flow.settings().await?.chats().contains(&chat.id.0) {
                is_known_chat = true;
                flow.chat_rights(trouble(change), now).await?;
            }
        }
        let was_there = change.old_chat_member.kind.is_present();
        let is_there = change.new_chat_member.kind.is_present();
        if is_known_chat || chat.is_private() || was_there || !is_there {
            return Ok(());
        }
        // Anybody may add a bot to any group, and nobody may fill the owner's chat by it.
        let is_trusted = self.is_trusted(change).await?;
        if !self.teams.own().take_update(update, now).await? {
            return Ok(());
        }
        match self.admin_chat.filter(|_| is_trusted) {
            Some(owner) => self.offer(owner, chat).await,
            None => {
                tracing::info!(
                    "the bot was added to {}; `storyline team set chat={}` has the team's stories go there",
                    named(chat),
                    chat.id
                );
                Ok(())
            }
        }
    }

    /// Whether the owner or an admin added the bot.
    async fn is_trusted(&self, change: &ChatMemberUpdated) -> Result<bool, Error> {
        let by = person_id(&change.from);
        for (flow, _) in self.teams.all() {
            let person = flow.person(by).await?;
            if person.is_some_and(|person| Flow::may(&person, Deed::Settings)) {
                return Ok(true);
            }
        }
        Ok(self.admin_chat == Some(by.0))
    }

    /// A group has become a supergroup, or has had another number all along.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn moved(&self, from: i64, to: i64, now: Timestamp) -> Result<(), Error> {
        for (flow, _) in self.teams.all() {
            flow.chat_moved(from, to, now).await?;
        }
        Ok(())
    }

    /// Asks the owner whether a chat is to be a team's, and which.
    async fn offer(&self, owner: i64, chat: &Chat) -> Result<(), Error> {
        let wish = Wish::Set(Setting::Chat, chat.id.to_string());
        let row = |text: String, wish: &Wish, team: TeamId| {
            let button = InlineKeyboardButton::callback(text, wish.encode());
            marked(InlineKeyboardMarkup::new([[button]]), team).inline_keyboard
        };
        let (mut rows, mut whose) = (Vec::new(), "of a team".to_owned());
        for (flow, _) in self.teams.all() {
            let settings = flow.settings().await?;
            let instead = match settings.chat {
                Some(_) => ", in place of the one that it has",
                None => "",
            };
            let mut text = format!("✅ For {}{instead}", settings.name);
            if self.teams.all().len() == 1 {
                whose = format!("of {}{instead}", settings.name);
                text = "✅ Use it".to_owned();
            }
            rows.extend(row(text, &wish, flow.team()));
        }
        rows.extend(row(
            "✖ No".to_owned(),
            &Wish::Close,
            self.teams.own().team(),
        ));
        let text = format!(
            "I was added to {}. Use this chat for the stories {whose}?",
            named(chat)
        );
        let spot = Spot {
            chat: owner,
            thread: None,
        };
        let keyboard = InlineKeyboardMarkup::new(rows);
        self.voice.show(spot, plain(&text), keyboard);
        Ok(())
    }
}

fn named(chat: &Chat) -> String {
    let title = chat.title().unwrap_or("a chat without a name");
    format!("“{title}” ({})", chat.id)
}

/// Why the bot cannot work in a team's chat any more, if it cannot, and what to do. What everybody may do there is not told
/// with the change; `storyline telegram test` asks.
fn trouble(change: &ChatMemberUpdated) -> Option<String> {
    let kind = if change.chat.is_channel() {
        Kind::Channel
    } else {
        Kind::Group(ChatPermissions::all())
    };
    let lack = lacking(kind, &change.new_chat_member.kind)?;
    Some(format!(
        "The team's chat {}: {} (changed by {}), so nothing can be sent there. To mend it, {}.",
        named(&change.chat),
        lack.reason,
        change.from.full_name(),
        lack.remedy
    ))
}
