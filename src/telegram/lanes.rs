//! Who is heard first. People of the team never wait for strangers, however many there are: what strangers do goes to a queue
//! of their own, and Telegram is asked about the team's people ahead, all at once, so that nobody waits for it in turn.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use teloxide::types::{Update, UpdateKind, User};

use super::clerk::Clerk;
use super::hear::Hearing;
use super::heard::Heard;
use super::members::person_id;
use super::panel::Wish;
use super::uploads;
use crate::domain::person::{Deed, PersonId};
use crate::flow::Error;

/// About how many people Telegram is asked at a time.
const ASKED_AT_ONCE: usize = 8;

/// Somebody who does something for which they must belong.
struct Actor<'a> {
    user: &'a User,
    id: PersonId,
    chat: i64,
    is_private: bool,
    deed: Deed,
}

/// Who does something that only people of the team may do; nobody of what concerns the bot alone, or is talk among people.
fn actor<'a>(name: &str, update: &'a Update) -> Option<Actor<'a>> {
    let (user, chat, is_private, deed) = match &update.kind {
        UpdateKind::CallbackQuery(query) => {
            let chat = query.message.as_ref()?.chat();
            let is_panel = query
                .data
                .as_deref()
                .is_some_and(|data| Wish::decode(data).is_ok());
            let deed = if is_panel {
                Deed::Settings
            } else {
                Deed::Decide
            };
            (&query.from, chat.id.0, chat.is_private(), deed)
        }
        UpdateKind::Message(message) => {
            let user = message.from.as_ref()?;
            let is_private = message.chat.is_private();
            let heard = Heard::new(update.id.0, message, name);
            let is_anonymous = heard.as_ref().is_some_and(Heard::is_anonymous);
            let is_for_the_bot = match &heard {
                Some(heard) => is_private || heard.command.is_some() || heard.reply.is_some(),
                None => uploads::hands_in(message),
            };
            if is_anonymous || !is_for_the_bot {
                return None;
            }
            let command = heard.and_then(|heard| heard.command);
            let deed = command.map_or(Deed::Decide, |command| command.deed());
            (user, message.chat.id.0, is_private, deed)
        }
        _ => return None,
    };
    let id = person_id(user);
    Some(Actor {
        user,
        id,
        chat,
        is_private,
        deed,
    })
}

/// What is known of a team before anybody is asked about.
struct Desk<'a> {
    clerk: &'a Clerk,
    people: HashSet<PersonId>,
    chats: Vec<i64>,
}

impl Hearing {
    /// Sorts updates: returns those that are to be taken now, in their order, when Telegram has been asked about whom that
    /// needs; the others wait among the strangers'. `name` is the bot's own.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(super) async fn sort<'a>(
        &self,
        name: &str,
        updates: &'a [Update],
        now: Timestamp,
    ) -> Result<Vec<&'a Update>, Error> {
        let mut first = Vec::new();
        let mut to_ask: Vec<(&Clerk, &User, Deed)> = Vec::new();
        let mut desks = None;
        for update in updates {
            let Some(actor) = actor(name, update) else {
                first.push(update);
                continue;
            };
            let Actor { user, id, .. } = actor;
            if self.strangers.has(id) {
                // What they did before comes first.
                self.strangers.put(id, update.clone(), false);
                continue;
            }
            if self
                .clerks
                .iter()
                .any(|clerk| clerk.is_fresh(id, actor.deed))
            {
                first.push(update);
                continue;
            }
            let desks = match &mut desks {
                Some(desks) => desks,
                None => desks.insert(self.desks().await?),
            };
            let is_here = |desk: &&Desk<'_>| desk.chats.contains(&actor.chat);
            let is_known = desks.iter().any(|desk| desk.people.contains(&id));
            let is_near = desks.iter().any(|desk| is_here(&desk));
            let may_come = is_known || (is_near && self.strangers.may_ask_now());
            if !may_come {
                self.strangers.put(id, update.clone(), is_near);
                continue;
            }
            first.push(update);
            let wanted = |desk: &&Desk<'_>| match is_known {
                true => {
                    desk.people.contains(&id) && (actor.is_private || !is_near || is_here(desk))
                }
                false => is_here(desk),
            };
            for desk in desks.iter().filter(wanted) {
                let is_noted = to_ask.iter().any(|(clerk, user, deed)| {
                    (clerk.mark(), user.id, *deed) == (desk.clerk.mark(), actor.user.id, actor.deed)
                });
                if !is_noted {
                    to_ask.push((desk.clerk, user, actor.deed));
                }
            }
        }
        for some in to_ask.chunks(ASKED_AT_ONCE) {
            let asked = FuturesUnordered::new();
            for (clerk, user, deed) in some {
                asked.push(clerk.ask_ahead(user, *deed, now));
            }
            asked.try_collect::<()>().await?;
        }
        Ok(first)
    }

    /// What the records tell of the teams. Who has left is nobody's until Telegram says otherwise.
    async fn desks(&self) -> Result<Vec<Desk<'_>>, Error> {
        let mut desks = Vec::new();
        for clerk in &self.clerks {
            let people = clerk.flow().people().await?.into_iter();
            let there = people.filter(|person| person.left_at.is_none());
            let mut chats = clerk.settings().await?.chats();
            chats.extend(clerk.known_linked_group());
            desks.push(Desk {
                clerk,
                people: there.map(|person| person.id).collect(),
                chats,
            });
        }
        Ok(desks)
    }
}
