//! What a press means. Whoever presses can have their program send any data for any message of the bot's, so a press counts
//! only on the message that it was made for: the one whose buttons, as Telegram tells them, hold it, or the one that the
//! records have for it.

use jiff::Timestamp;
use teloxide::payloads::AnswerCallbackQuerySetters;
use teloxide::prelude::Requester;
use teloxide::types::InlineKeyboardButtonKind::CallbackData;
use teloxide::types::{CallbackQuery, User};
use tracing::Instrument;

use super::album;
use super::buttons::{NoButton, decode};
use super::clerk::{Asker, Clerk, UNSURE};
use super::client::SMALL_CALL;
use super::hear::Hearing;
use super::members::person_id;
use super::panel::Wish;
use super::receipt::Button;
use super::uploads;
use super::voice::Spot;
use super::whose::CHOICE;
use crate::domain::ids::StoryId;
use crate::domain::person::Deed;
use crate::domain::story::MessageRef;
use crate::flow::Error;
use crate::flow::act::{Press, Verb};
use crate::system::aside::aside;

/// The answer to a button of a team that was removed.
pub(super) const NOT_HERE: &str = "That team is not here any more.";
/// The answer to a button that the message does not have.
pub(super) const NOT_THERE: &str =
    "That button is not on this message. Please look at the message again.";
/// The same of a panel.
const NOT_ON_PANEL: &str = "The panel shows something else by now. /settings shows it anew.";

/// What a press says, and how it must be confirmed.
type Answer = (String, bool);

fn brief(text: &str) -> Answer {
    (text.to_owned(), false)
}

impl Hearing {
    pub(super) async fn press(
        &self,
        update: u32,
        query: &CallbackQuery,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some((message, data)) = query.message.as_ref().zip(query.data.as_deref()) else {
            return Ok(());
        };
        let message = MessageRef {
            chat: message.chat().id.0,
            message: message.id().0,
        };
        let (text, alarm) = self.pressed(update, query, message, data, now).await?;
        self.answer(query, &text, alarm);
        Ok(())
    }

    async fn pressed(
        &self,
        update: u32,
        query: &CallbackQuery,
        message: MessageRef,
        data: &str,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let user = &query.from;
        let spot = Spot::of_press(query, message);
        let stands_there = stands_there(query, data);
        match decode(data) {
            Ok((verb, story, saw)) => {
                let clerk = self.clerk_of_story(story, spot).await?;
                if !stands_there && !is_on_record(clerk, verb, story, message).await? {
                    return Ok((NOT_THERE.to_owned(), true));
                }
                let press = Press {
                    update,
                    story,
                    verb,
                    person: person_id(user),
                    message,
                    saw,
                };
                let pressed = clerk.press(press, user, now);
                return pressed.instrument(clerk.span()).await;
            }
            Err(NoButton::OtherVersion) if Wish::decode(data) == Err(NoButton::Foreign) => {
                let team = self.teams.of_message(message).await?;
                if let Some(clerk) = self.clerk_of(team) {
                    clerk.flow().renew(message).await?;
                }
                let text =
                    "This button is from another version of me. The message will be renewed.";
                return Ok((text.to_owned(), true));
            }
            Err(_) => {}
        }
        match Wish::decode(data) {
            Ok(_) if !stands_there => return Ok(brief(NOT_ON_PANEL)),
            Ok((mark, wish)) => {
                return self
                    .wished(update, mark, wish, user, message, spot, now)
                    .await;
            }
            Err(NoButton::OtherVersion) => {
                let text = "This panel is from another version of me. /settings shows it anew.";
                return Ok((text.to_owned(), true));
            }
            Err(NoButton::Foreign) => {}
        }
        let (choice, button) = (data.strip_prefix(CHOICE), Button::decode(data));
        let pictures_of = album::team_of(data);
        if choice.is_none() && button.is_none() && pictures_of.is_none() {
            return Ok(brief("")); // none of ours
        }
        let is_asked = match button {
            Some(button) if !stands_there => self.is_asked(button, message).await?,
            _ => stands_there,
        };
        if !is_asked {
            return Ok((NOT_THERE.to_owned(), true));
        }
        let text = match (choice, button, pictures_of) {
            (Some(mark), ..) => self.choose(update, mark, user, message, now).await?,
            (_, Some(button), _) => {
                self.choose_folder(update, button, user, message, now)
                    .await?
            }
            (.., mark) => {
                let mark = mark.unwrap_or_default();
                self.show_pictures(update, mark, user, spot, now).await?
            }
        };
        Ok((text, false))
    }

    /// Does what a button of a panel asks for.
    #[expect(clippy::too_many_arguments, reason = "a press has so many sides")]
    async fn wished(
        &self,
        update: u32,
        mark: &str,
        wish: Wish,
        user: &User,
        message: MessageRef,
        spot: Spot,
        now: Timestamp,
    ) -> Result<Answer, Error> {
        let Some(clerk) = self.clerk(|clerk| clerk.mark() == mark) else {
            return Ok((NOT_HERE.to_owned(), true));
        };
        // What they write next is meant for the panel that they pressed last.
        for other in self.clerks.iter().filter(|other| other.mark() != mark) {
            other.await_nothing_of(message.chat, user);
        }
        let is_about = wish.person();
        let wished = clerk.wish(update, wish, user, message, spot, now);
        let text = wished.instrument(clerk.span()).await?;
        if let Some(person) = is_about {
            self.renew_menu(person);
        }
        Ok((text, false))
    }

    /// Somebody wants to see what comes.
    async fn show_pictures(
        &self,
        update: u32,
        mark: &str,
        user: &User,
        spot: Spot,
        now: Timestamp,
    ) -> Result<String, Error> {
        let Some(clerk) = self.clerk(|clerk| clerk.mark() == mark) else {
            return Ok(NOT_HERE.to_owned());
        };
        let asker = match clerk.asker(user, Deed::Look, now).await? {
            Asker::Of(person) => Some(person),
            Asker::Stranger => None,
            Asker::Unsure => return Ok(UNSURE.to_owned()),
        };
        let asked = album::ask(clerk.flow(), asker.as_ref(), update, spot.into(), now);
        Ok(asked.await?.to_owned())
    }

    /// Whether this message is the one that asks for the folder, by the records.
    async fn is_asked(&self, button: Button, message: MessageRef) -> Result<bool, Error> {
        let team = self.teams.of_hand_in(button.hand_in).await?;
        match self.clerk_of(team) {
            Some(clerk) => clerk.flow().asks(button.hand_in, message).await,
            None => Ok(false),
        }
    }

    /// Somebody chose the folder for what they handed in; returns the answer.
    async fn choose_folder(
        &self,
        update: u32,
        button: Button,
        user: &User,
        message: MessageRef,
        now: Timestamp,
    ) -> Result<String, Error> {
        let team = self.teams.of_hand_in(button.hand_in).await?;
        let Some(clerk) = self.clerk_of(team) else {
            return Ok(uploads::FORGOTTEN.to_owned());
        };
        let asker = match clerk.asker(user, Deed::Upload, now).await? {
            Asker::Of(person) => Some(person),
            Asker::Stranger => None,
            Asker::Unsure => return Ok(UNSURE.to_owned()),
        };
        uploads::press(clerk.flow(), update, button, message, asker, now).await
    }

    /// Answers a press, as the phone shows it for a moment.
    fn answer(&self, query: &CallbackQuery, text: &str, alarm: bool) {
        let (client, answering) = (self.voice.client.clone(), self.answering.clone());
        let mut request = client.bot.answer_callback_query(query.id.clone());
        if !text.is_empty() {
            request = request.text(text).show_alert(alarm);
        }
        aside(async move {
            let _turn = answering.acquire().await;
            // Best effort: "query is too old" and all the rest change nothing about what was decided.
            if let Err(trouble) = client.call(SMALL_CALL, request).await {
                tracing::debug!("a press was not answered: {}", trouble.reason());
            }
        });
    }
}

/// Whether the message has the button that was pressed, as Telegram tells of it. Of an old or deleted message it tells nothing.
fn stands_there(query: &CallbackQuery, data: &str) -> bool {
    let keyboard = query.regular_message().and_then(|it| it.reply_markup());
    let mut buttons = keyboard
        .iter()
        .flat_map(|keyboard| keyboard.inline_keyboard.iter().flatten());
    buttons.any(|button| matches!(&button.kind, CallbackData(of) if of == data))
}

/// Whether the records have this message for the story: its buttons may have changed since the phone showed them.
async fn is_on_record(
    clerk: &Clerk,
    verb: Verb,
    story: StoryId,
    message: MessageRef,
) -> Result<bool, Error> {
    let flow = clerk.flow();
    if flow.story_of(message).await? == Some(story) {
        return Ok(true);
    }
    Ok(verb == Verb::SwapAhead && flow.tells_of_the_day(message).await?)
}
