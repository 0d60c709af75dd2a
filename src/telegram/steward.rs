//! The settings by buttons: admins open a panel, press, or write a value. What is written is awaited from one person in one
//! chat for five minutes, and what is not understood changes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use teloxide::payloads::{EditMessageTextSetters, SendMessageSetters};
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, ForceReply, MessageId, ReplyMarkup};
use tokio::time::Instant;

use super::client::SMALL_CALL;
use super::message::plain;
use super::pace::Urgency;
use super::panel::{self, Panel, Wish, label};
use super::voice::{Spot, Voice};
use crate::domain::audit::{Asked, By};
use crate::domain::category::{in_ppm, share};
use crate::domain::person::{Deed, Person, PersonId};
use crate::domain::setting::Setting;
use crate::domain::story::MessageRef;
use crate::domain::written::Complaint;
use crate::flow::settings::Changed;
use crate::flow::{Error, Flow};
use crate::system::aside::aside;
use crate::system::lock::lock;

/// How long a written value is awaited.
const AWAITED: Duration = Duration::from_secs(300);
/// How many changes a panel tells.
const CHANGES: u32 = 3;

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Setting(Setting),
    Mix,
}

struct Dialog {
    question: Question,
    /// The message that asks; unknown as long as it is on its way.
    prompt: Option<i32>,
    until: Instant,
}

/// Who is awaited where, and for what.
type Dialogs = Arc<Mutex<HashMap<(i64, PersonId), Dialog>>>;

/// Changes settings as people wish.
pub struct Steward {
    voice: Voice,
    flow: Flow,
    dialogs: Dialogs,
}

impl Steward {
    /// A steward of a team's settings.
    #[must_use]
    pub fn new(voice: Voice, flow: Flow) -> Self {
        Self {
            voice,
            flow,
            dialogs: Dialogs::default(),
        }
    }

    /// Opens a panel for an admin.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn open(&self, spot: Spot) -> Result<(), Error> {
        let panel = self.overview().await?;
        self.say(spot, panel);
        Ok(())
    }

    /// Does what a button of a panel asks for; returns the answer, as the phone shows it for a moment. The person may change
    /// settings.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing was done.
    pub async fn press(
        &self,
        update: u32,
        wish: Wish,
        person: &Person,
        message: MessageRef,
        spot: Spot,
        now: Timestamp,
    ) -> Result<String, Error> {
        let by = By::from(person);
        let mut told = String::new();
        if wish.is_for_the_owner() && !Flow::may(person, Deed::Promote) {
            return Ok("Only the owner may do that.".to_owned());
        }
        // It says what is to be, so twice at once is once; but not again after others have decided otherwise.
        if self.flow.is_taken(update).await? {
            return Ok(told);
        }
        let panel = match wish {
            Wish::Overview => self.overview().await?,
            Wish::Open(setting) => panel::one(setting, &self.flow.settings().await?),
            Wish::Set(setting, value) => {
                told = answer(setting, &self.flow.set(setting, value, by, now).await?);
                self.overview().await?
            }
            Wish::Write(setting) => {
                self.ask(Question::Setting(setting), person, spot);
                return Ok(told);
            }
            Wish::WriteMix => {
                self.ask(Question::Mix, person, spot);
                return Ok(told);
            }
            Wish::Pause => {
                self.flow.pause(Some(update), by, now).await?;
                self.overview().await?
            }
            Wish::Resume => {
                self.flow.resume(Some(update), by, now).await?;
                self.overview().await?
            }
            Wish::Close => {
                self.close(message);
                return Ok(told);
            }
            Wish::People => self.people(person).await?,
            Wish::Role(id, role) => {
                self.flow.set_role(id, role, by, now).await?;
                self.people(person).await?
            }
            Wish::Active(id, active) => {
                self.flow.set_active(id, active, by, now).await?;
                self.people(person).await?
            }
        };
        self.flow.take_update(update, now).await?;
        self.show(message, panel);
        Ok(told)
    }

    /// Whether this person is awaited to write something here: in a group as a reply to the question.
    #[must_use]
    pub fn awaits(
        &self,
        chat: i64,
        person: PersonId,
        reply_to: Option<i32>,
        private: bool,
    ) -> bool {
        let mut dialogs = lock(&self.dialogs);
        dialogs.retain(|_, dialog| dialog.until > Instant::now());
        dialogs
            .get(&(chat, person))
            .is_some_and(|dialog| match (reply_to, dialog.prompt) {
                (Some(answered), Some(prompt)) => answered == prompt,
                (Some(_), None) => true,
                (None, _) => private,
            })
    }

    /// Awaits nothing of this person here any more.
    pub fn forget(&self, chat: i64, person: PersonId) {
        lock(&self.dialogs).remove(&(chat, person));
    }

    /// Takes what a person wrote who was awaited.
    ///
    /// # Errors
    /// If the store cannot be written; then nothing was done.
    pub async fn written(
        &self,
        text: &str,
        person: &Person,
        spot: Spot,
        now: Timestamp,
    ) -> Result<(), Error> {
        let awaited = (spot.chat, person.id);
        let question = lock(&self.dialogs)
            .get(&awaited)
            .map(|dialog| dialog.question);
        let Some(question) = question else {
            return Ok(());
        };
        let by = By::from(person);
        let changed = match question {
            Question::Setting(setting) => self.flow.set(setting, text.to_owned(), by, now).await?,
            Question::Mix => self.mix(text, by, now).await?,
        };
        if let Changed::Refused(Complaint { reason, remedy }) = changed {
            let is_zone = question == Question::Setting(Setting::Timezone);
            let zones = panel::zones(text).filter(|_| is_zone);
            let why = format!("{reason}: {remedy}.").replace("?.", "?");
            self.say(spot, (plain(&why), zones.unwrap_or_default()));
        } else {
            lock(&self.dialogs).remove(&awaited);
            self.open(spot).await?;
        }
        Ok(())
    }

    /// Sets the mix that was written.
    async fn mix(&self, text: &str, by: By, now: Timestamp) -> Result<Changed, Error> {
        let words = text.split([' ', ',', '\n']).filter(|word| !word.is_empty());
        let is_none = text.trim().eq_ignore_ascii_case("none");
        let shares: Result<Vec<_>, String> = words.filter(|_| !is_none).map(share).collect();
        match shares.and_then(|shares| in_ppm(shares).map_err(|why| why.to_string())) {
            Ok(shares) => self.flow.set_mix(shares, by, now).await,
            Err(why) => Ok(Changed::Refused(Complaint::new(
                why,
                "write it like `memes=70 merch=30`",
            ))),
        }
    }

    async fn overview(&self) -> Result<Panel, Error> {
        let settings = self.flow.settings().await?;
        let paused = self.flow.is_paused().await?;
        let asked = Asked {
            limit: CHANGES,
            ..Asked::default()
        };
        let changes = self.flow.audit(asked).await?;
        Ok(panel::overview(&settings, paused, &changes))
    }

    async fn people(&self, person: &Person) -> Result<Panel, Error> {
        let may_promote = Flow::may(person, Deed::Promote);
        Ok(panel::people(&self.flow.people().await?, may_promote))
    }

    /// Asks a person to write something, by a message that they answer.
    fn ask(&self, question: Question, person: &Person, spot: Spot) {
        let what = match question {
            Question::Setting(setting) => {
                let bounds = setting
                    .bounds()
                    .map_or_else(String::new, |(least, most, unit)| {
                        format!(" ({least} to {most} {unit})")
                    });
                format!("write {}{bounds}", label(setting).to_lowercase())
            }
            Question::Mix => {
                "write the shares of the categories, like `memes=70 merch=30`, or `none`".to_owned()
            }
        };
        let name = plain(&person.name);
        let text = format!(
            "<a href=\"tg://user?id={}\">{name}</a>, please {} as an answer to this message, within five minutes.",
            person.id,
            plain(&what)
        );
        let request = self
            .voice
            .message(spot, text)
            .reply_markup(ReplyMarkup::ForceReply(ForceReply::new().selective()));
        let (voice, dialogs) = (self.voice.clone(), Arc::clone(&self.dialogs));
        let awaited = (spot.chat, person.id);
        let dialog = Dialog {
            question,
            prompt: None,
            until: Instant::now() + AWAITED,
        };
        lock(&dialogs).insert(awaited, dialog);
        aside(async move {
            let asked = voice.call(spot.chat, Urgency::Now, SMALL_CALL, request);
            match asked.await {
                Ok(message) => {
                    if let Some(dialog) = lock(&dialogs).get_mut(&awaited) {
                        dialog.prompt = Some(message.id.0);
                    }
                }
                Err(trouble) => tracing::warn!("a question was not asked: {}", trouble.reason()),
            }
        });
    }

    fn say(&self, spot: Spot, (text, keyboard): Panel) {
        let keyboard = panel::marked(keyboard, self.flow.team());
        self.voice.show(spot, text, keyboard);
    }

    fn show(&self, message: MessageRef, (text, keyboard): Panel) {
        let keyboard = panel::marked(keyboard, self.flow.team());
        let edit = self.voice.rewording(message, text);
        self.voice.aside(message.chat, edit.reply_markup(keyboard));
    }

    fn close(&self, message: MessageRef) {
        let (chat, id) = (ChatId(message.chat), MessageId(message.message));
        let delete = self.voice.client.bot.delete_message(chat, id);
        self.voice.aside(message.chat, delete);
    }
}

fn answer(setting: Setting, changed: &Changed) -> String {
    let label = label(setting);
    match changed {
        Changed::Done => format!("{label}: changed."),
        Changed::AlreadySo => format!("{label}: it was so already."),
        Changed::Refused(complaint) => format!("{label}: {}.", complaint.reason),
    }
}
