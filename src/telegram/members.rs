//! Who belongs. A person is of the team if Telegram says that they are in its chat; only then do they get a row, and they are
//! asked about again, so that who has left can do nothing any more. Everybody else gets one neutral word an hour, and leaves
//! no trace.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use teloxide::prelude::Requester;
use teloxide::types::{ChatId, User, UserId};
use tokio::time::Instant;

use super::client::{Client, SMALL_CALL};
use super::trouble::{Failure, Untold, untold};
use crate::domain::person::{Deed, PersonId, Role};
use crate::system::lock::lock;

/// How long a stranger is taken for one without asking again: they may be joining the chat just now.
const STRANGE: Duration = Duration::from_secs(60);
/// How long a chat that had its neutral word hears nothing more.
const QUIET: Duration = Duration::from_secs(3600);
/// How many strangers are remembered; nobody can fill the memory by coming under many names.
const MOST_STRANGERS: usize = 1000;

/// For how long somebody is taken to be in the chat still, for what everybody of the team may do.
const FRESH: Duration = Duration::from_secs(300);
/// The same for what only admins may do.
const FRESH_FOR_ADMINS: Duration = Duration::from_secs(30);
/// How long Telegram may take to say whether somebody is in the chat; others wait so long.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it is not asked again after it did not say, so that not everybody waits for it in turn.
const SILENCE: Duration = Duration::from_secs(30);
/// For how long they may do what everybody may, if Telegram does not say.
const GRACE: Duration = Duration::from_secs(3600);

/// The account that speaks for a group's anonymous administrators.
pub const ANONYMOUS_ADMIN: u64 = 1_087_968_824;

/// A user's number, as the records keep it. Telegram's have 52 bits.
#[must_use]
pub fn person_id(user: &User) -> PersonId {
    PersonId(i64::try_from(user.id.0).unwrap_or(i64::MAX))
}

/// What Telegram says of a person and the team's chats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// They are in one of them.
    In,
    /// They are in none.
    Out,
    /// It does not tell the bot who is there, for this reason of its own.
    Hidden(String),
    /// It did not say, for this reason.
    Untold(String),
}

/// How somebody on record stands, as far as it is known without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// They were there a moment ago.
    Fresh,
    /// It is to be asked.
    Ask,
    /// Telegram did not say just now; they may do what everybody may.
    Kept,
    /// Telegram has not said for too long, or not soon enough for what they want.
    Doubtful,
}

/// What is known of who belongs, until the box ends.
pub struct Members {
    looks: Mutex<HashMap<PersonId, Look>>,
    strangers: Recently,
    /// Of whom Telegram did not tell whether they belong, when it was asked ahead of what they want.
    doubted: Recently,
    /// Telegram did not answer at all until then.
    silent_until: Mutex<Option<Instant>>,
}

/// How it went when Telegram was asked about somebody on record.
#[derive(Clone, Copy)]
struct Look {
    /// When it said that they are there; if it never did, when it first did not say.
    since: Instant,
    /// Whether it ever did.
    was_seen: bool,
    /// When it did not say, if that was later.
    in_vain: Option<(Instant, bool)>,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            looks: Mutex::default(),
            strangers: Recently::for_so_long(STRANGE),
            doubted: Recently::for_so_long(SILENCE),
            silent_until: Mutex::default(),
        }
    }
}

impl Members {
    /// How somebody on record stands who wants to do this.
    pub fn known(&self, id: PersonId, deed: Deed) -> Known {
        let is_for_all = Role::Member.may(deed);
        let fresh = if is_for_all { FRESH } else { FRESH_FOR_ADMINS };
        let look = lock(&self.looks).get(&id).copied();
        if look.is_some_and(|look| look.was_seen && look.since.elapsed() < fresh) {
            return Known::Fresh;
        }
        let in_vain = look.and_then(|look| look.in_vain);
        let is_recent = in_vain.is_some_and(|(at, _)| at.elapsed() < SILENCE);
        if !is_recent && !self.is_silent() {
            return Known::Ask;
        }
        let is_hidden = in_vain.is_some_and(|(_, is_hidden)| is_hidden);
        let is_in_grace = look.is_none_or(|look| look.since.elapsed() < GRACE);
        if is_hidden || (is_for_all && is_in_grace) {
            Known::Kept
        } else {
            Known::Doubtful
        }
    }

    /// Whether somebody was found not to belong a moment ago.
    pub fn is_stranger(&self, id: PersonId) -> bool {
        self.strangers.has(id.0)
    }

    /// It was asked ahead of what somebody wants who is not on record, and Telegram did not say.
    pub fn doubt(&self, id: PersonId) {
        self.doubted.add(id.0);
    }

    /// Whether that is so. What they want next is asked about anew.
    pub fn was_doubted(&self, id: PersonId) -> bool {
        self.doubted.remove(id.0)
    }

    /// Notes what Telegram said of somebody who is on record, or is to be; or that it said no.
    pub fn note(&self, id: PersonId, word: &Word) {
        let now = Instant::now();
        let mut looks = lock(&self.looks);
        match word {
            Word::In => {
                self.strangers.remove(id.0);
                let look = Look {
                    since: now,
                    was_seen: true,
                    in_vain: None,
                };
                looks.insert(id, look);
            }
            Word::Out => {
                looks.remove(&id);
                self.strangers.add(id.0);
            }
            Word::Hidden(_) | Word::Untold(_) => {
                let is_hidden = matches!(word, Word::Hidden(_));
                let new = Look {
                    since: now,
                    was_seen: false,
                    in_vain: None,
                };
                looks.entry(id).or_insert(new).in_vain = Some((now, is_hidden));
            }
        }
    }

    /// Something is new with somebody: whatever was known of them is to be asked again.
    pub fn forget(&self, id: PersonId) {
        lock(&self.looks).remove(&id);
        self.strangers.remove(id.0);
    }

    fn is_silent(&self) -> bool {
        lock(&self.silent_until).is_some_and(|until| until > Instant::now())
    }

    /// Asks Telegram whether a person is in one of these chats. Nobody waits long, and not everybody in turn.
    pub async fn ask(&self, client: &Client, chats: &[i64], user: UserId) -> Word {
        if self.is_silent() {
            return Word::Untold("Telegram is silent".to_owned());
        }
        match tokio::time::timeout(PATIENCE, asked(client, chats, user)).await {
            Ok(word) => word,
            Err(_) => {
                *lock(&self.silent_until) = Some(Instant::now() + SILENCE);
                Word::Untold(format!("no answer in {} s", PATIENCE.as_secs()))
            }
        }
    }
}

/// What Telegram says of a person in several chats: one is enough, and a "no" counts if none may be hidden behind it.
async fn asked(client: &Client, chats: &[i64], user: UserId) -> Word {
    let mut word = Word::Out;
    for chat in chats {
        let asked = client.bot.get_chat_member(ChatId(*chat), user);
        let said = match client.ask(SMALL_CALL, asked).await {
            Ok(member) if member.kind.is_present() => return Word::In,
            Ok(_) => Word::Out,
            Err(failure) => refused(&failure),
        };
        if word == Word::Out || matches!(said, Word::Hidden(_)) {
            word = said;
        }
    }
    word
}

fn refused(failure: &Failure) -> Word {
    match untold(failure) {
        Untold::Absent => Word::Out,
        Untold::Hidden(reason) => Word::Hidden(reason),
        Untold::Unknown => Word::Untold(failure.trouble().reason()),
    }
}

/// Remembers people or chats for a while.
pub struct Recently {
    seen: Mutex<HashMap<i64, Instant>>,
    long: Duration,
}

impl Recently {
    fn for_so_long(long: Duration) -> Self {
        let seen = Mutex::default();
        Self { seen, long }
    }

    /// For chats that had their neutral word.
    #[must_use]
    pub fn greeted() -> Self {
        Self::for_so_long(QUIET)
    }

    /// For chats that had an answer to one of many files.
    #[must_use]
    pub fn answered() -> Self {
        Self::for_so_long(STRANGE)
    }

    fn has(&self, id: i64) -> bool {
        let seen = lock(&self.seen);
        seen.get(&id).is_some_and(|at| at.elapsed() < self.long)
    }

    /// Forgets one; whether it was remembered.
    fn remove(&self, id: i64) -> bool {
        let removed = lock(&self.seen).remove(&id);
        removed.is_some_and(|at| at.elapsed() < self.long)
    }

    /// Remembers one from now on. False if it is remembered already, or if the memory is full.
    pub fn add(&self, id: i64) -> bool {
        if self.has(id) {
            return false;
        }
        let mut seen = lock(&self.seen);
        if seen.len() >= MOST_STRANGERS {
            seen.retain(|_, at| at.elapsed() < self.long);
        }
        let has_room = seen.len() < MOST_STRANGERS;
        if has_room {
            seen.insert(id, Instant::now());
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: PersonId = PersonId(11);

    #[tokio::test(start_paused = true)]
    async fn who_is_on_record_is_asked_about_again_and_sooner_for_an_admins_deed() {
        let members = Members::default();
        assert_eq!(members.known(ANN, Deed::Decide), Known::Ask);
        members.note(ANN, &Word::In);
        assert_eq!(members.known(ANN, Deed::Settings), Known::Fresh);
        tokio::time::advance(FRESH_FOR_ADMINS).await;
        assert_eq!(members.known(ANN, Deed::Settings), Known::Ask);
        assert_eq!(members.known(ANN, Deed::Decide), Known::Fresh);
        tokio::time::advance(FRESH).await;
        assert_eq!(members.known(ANN, Deed::Decide), Known::Ask);
        members.note(ANN, &Word::Out);
        assert!(members.is_stranger(ANN));
        members.forget(ANN);
        assert!(!members.is_stranger(ANN));
    }

    #[tokio::test(start_paused = true)]
    async fn while_telegram_does_not_say_people_keep_what_all_have_and_not_for_ever() {
        let members = Members::default();
        let untold = Word::Untold("no answer".to_owned());
        members.note(ANN, &Word::In);
        tokio::time::advance(FRESH).await;
        members.note(ANN, &untold);
        assert_eq!(members.known(ANN, Deed::Decide), Known::Kept);
        assert_eq!(members.known(ANN, Deed::Settings), Known::Doubtful);
        tokio::time::advance(SILENCE).await;
        assert_eq!(members.known(ANN, Deed::Decide), Known::Ask);
        tokio::time::advance(GRACE).await;
        members.note(ANN, &untold);
        assert_eq!(members.known(ANN, Deed::Decide), Known::Doubtful);
        // A list that is hidden hides nothing new: the owner is told, and people go on.
        members.note(ANN, &Word::Hidden("hidden".to_owned()));
        assert_eq!(members.known(ANN, Deed::Settings), Known::Kept);
    }
}
