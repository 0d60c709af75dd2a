//! The pretend world: who there is, where they meet, and how it changes.

use serde_json::{Value, json};

use super::chat::{Chat, Kind, Person, State, Status};
use super::message::Author;
use super::people::arrive;
use super::{PretendTelegram, shape};

impl PretendTelegram {
    /// Introduces a person; someone in no chat is a stranger.
    pub fn person(&self, id: i64, first_name: &str) {
        let person = Person {
            id,
            first_name: first_name.to_owned(),
            username: Some(first_name.to_lowercase()).filter(|name| name.is_ascii()),
            is_bot: false,
        };
        self.shared.act(|state| state.people.insert(id, person));
    }

    /// The private chat of a person with the bot; its id is the person's.
    pub fn private_chat(&self, person: i64) {
        self.add_chat(person, Kind::Private, "");
        self.member(person, person, Status::Member);
    }

    pub fn group(&self, id: i64, title: &str) {
        self.add_chat(id, Kind::Group, title);
    }

    pub fn supergroup(&self, id: i64, title: &str) {
        self.add_chat(id, Kind::Supergroup, title);
    }

    /// A supergroup with topics, by thread id. The General topic has none.
    pub fn forum(&self, id: i64, title: &str, topics: &[(i64, &str)]) {
        self.add_chat(id, Kind::Supergroup, title);
        let topics = topics
            .iter()
            .map(|(thread, name)| (*thread, (*name).to_owned()));
        self.change(id, |chat| chat.topics = topics.collect());
    }

    /// A channel, with the bot as an administrator.
    pub fn channel(&self, id: i64, title: &str) {
        self.add_chat(id, Kind::Channel, title);
    }

    fn add_chat(&self, id: i64, kind: Kind, title: &str) {
        self.shared.act(|state| {
            let title = match state.people.get(&id) {
                Some(person) if title.is_empty() => person.first_name.clone(),
                _ => title.to_owned(),
            };
            state.chats.insert(id, Chat::new(id, kind, &title));
        });
    }

    /// Says how a person stands in a chat. The bot hears of it if it is an administrator there, and asked for `chat_member`
    /// updates.
    pub fn member(&self, chat: i64, person: i64, status: Status) {
        self.member_by(chat, person, person, status);
    }

    /// A person throws another one out.
    pub fn removes(&self, chat: i64, by: i64, person: i64) {
        self.member_by(chat, by, person, Status::Kicked);
    }

    fn member_by(&self, chat: i64, by: i64, person: i64, status: Status) {
        self.shared.act(|state| {
            let place = chat_of(state, chat);
            let old = place.members.insert(person, status).unwrap_or(Status::Left);
            if place.kind != Kind::Private && place.bot.is_admin() {
                tell_of_member(state, "chat_member", chat, by, (person, old, status));
            }
        });
    }

    /// From now on a chat shows its members to administrators only.
    pub fn hide_members(&self, chat: i64) {
        self.change(chat, |chat| chat.hides_members = true);
    }

    /// Says how the bot stands in a chat, without telling it.
    pub fn bot_stands(&self, chat: i64, status: Status) {
        self.change(chat, |chat| chat.bot = status);
    }

    /// A person adds the bot, makes it an administrator, throws it out or blocks it; the bot hears of it.
    pub fn change_bot(&self, chat: i64, by: i64, status: Status) {
        self.shared.act(|state| {
            let old = std::mem::replace(&mut chat_of(state, chat).bot, status);
            let bot = state.bot.id;
            tell_of_member(state, "my_chat_member", chat, by, (bot, old, status));
        });
    }

    /// Takes away the bot's right to send "photos", "videos", "documents" or "text messages".
    pub fn forbid_sending(&self, chat: i64, what: &str) {
        self.change(chat, |chat| {
            chat.forbidden.insert(what.to_owned());
        });
    }

    /// Turns a group into a supergroup with a new id; the bot hears of it in both.
    pub fn upgrade_to_supergroup(&self, chat: i64, to: i64) {
        self.shared.act(|state| {
            let mut new = chat_of(state, chat).clone();
            (new.id, new.kind, new.last_message_id) = (to, Kind::Supergroup, 0);
            new.messages.clear();
            let person = new.members.keys().next().copied().unwrap_or(0);
            state.chats.insert(to, new);
            let mut farewell = state.blank(chat, Author::Person(person));
            farewell.service = Some(json!({ "migrate_to_chat_id": to }));
            arrive(state, farewell);
            let mut welcome = state.blank(to, Author::Person(person));
            welcome.service = Some(json!({ "migrate_from_chat_id": chat }));
            arrive(state, welcome);
            chat_of(state, chat).migrated_to = Some(to);
        });
    }

    /// A person removes a message from the chat; bots are not told.
    pub fn delete_message(&self, chat: i64, id: i64) {
        self.change(chat, |chat| {
            chat.messages.remove(&id);
        });
    }

    /// The message stays on the phones, but a press on it carries only its id (`date` 0).
    pub fn forget_message(&self, chat: i64, id: i64) {
        self.change(chat, |chat| {
            chat.forgotten.insert(id);
        });
    }

    /// The next presses never reach the server.
    pub fn lose_presses(&self, count: usize) {
        self.shared.act(|state| state.presses_to_lose += count);
    }

    fn change(&self, chat: i64, change: impl FnOnce(&mut Chat)) {
        self.shared.act(|state| change(chat_of(state, chat)));
    }
}

pub fn chat_of(state: &mut State, id: i64) -> &mut Chat {
    let chat = state.chats.get_mut(&id);
    chat.unwrap_or_else(|| panic!("chat {id} was never made"))
}

fn tell_of_member(
    state: &mut State,
    kind: &'static str,
    chat: i64,
    by: i64,
    (who, old, new): (i64, Status, Status),
) {
    let now = state.now();
    let place = chat_of(state, chat).clone();
    let body: Value = json!({
        "chat": shape::chat(state, &place),
        "from": shape::user_by_id(state, by),
        "date": now.as_secs(),
        "old_chat_member": shape::member(state, &place, who, old),
        "new_chat_member": shape::member(state, &place, who, new),
    });
    state.updates.push(now, kind, body);
}
