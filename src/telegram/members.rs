//! Who belongs. A person is of the team if Telegram says that they are in its chat; only then do they get a row. Everybody
//! else gets one neutral word an hour, and leaves no trace.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use teloxide::prelude::Requester;
use teloxide::types::{ChatId, User, UserId};
use tokio::time::Instant;

use super::client::{Client, SMALL_CALL};
use crate::domain::person::{PersonId, Role};
use crate::flow::Flow;
use crate::flow::outlet::Trouble;
use crate::system::lock::lock;

/// How long a stranger is taken for one without asking again: they may be joining the chat just now.
const STRANGE: Duration = Duration::from_secs(60);
/// How long a chat that had its neutral word hears nothing more.
const QUIET: Duration = Duration::from_secs(3600);
/// How many strangers are remembered; nobody can fill the memory by coming under many names.
const MOST_STRANGERS: usize = 1000;

/// The account that speaks for a group's anonymous administrators.
pub const ANONYMOUS_ADMIN: u64 = 1_087_968_824;

/// Where a person may be known from.
pub struct Places {
    /// The team's chats: who is in one of them belongs.
    pub team_chats: Vec<i64>,
    /// The owner's chat: whose private one it is owns the box.
    pub admin_chat: Option<i64>,
}

/// Finds out who belongs, and remembers for a while who does not.
pub struct Members {
    strangers: Recently,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            strangers: Recently::for_so_long(STRANGE),
        }
    }
}

impl Members {
    /// Whether a person is of the team; puts them on record if so.
    ///
    /// # Errors
    /// If Telegram cannot be asked, or the store cannot be written.
    pub async fn admit(
        &self,
        client: &Client,
        flow: &Flow,
        places: Places,
        user: &User,
        now: Timestamp,
    ) -> Result<bool, NotNow> {
        let id = person_id(user);
        if self.strangers.has(id.0) {
            return Ok(false);
        }
        let is_owner = places.admin_chat == Some(id.0);
        let mut is_of_team = is_owner;
        for chat in places.team_chats {
            is_of_team = is_of_team
                || is_member(client, chat, user.id)
                    .await
                    .map_err(NotNow::Telegram)?;
        }
        if !is_of_team {
            self.strangers.add(id.0);
            return Ok(false);
        }
        let role = if is_owner { Role::Owner } else { Role::Member };
        let name = user.full_name();
        flow.meet(id, name.clone(), user.username.clone(), role, now)
            .await
            .map_err(NotNow::Store)?;
        tracing::info!(person = name, "{name} is of the team now, as {role}");
        Ok(true)
    }
}

/// Why nobody can tell just now whether a person belongs.
pub enum NotNow {
    /// Telegram did not say.
    Telegram(Trouble),
    /// The store failed.
    Store(crate::flow::Error),
}

/// A user's number, as the records keep it. Telegram's have 52 bits.
#[must_use]
pub fn person_id(user: &User) -> PersonId {
    PersonId(i64::try_from(user.id.0).unwrap_or(i64::MAX))
}

async fn is_member(client: &Client, chat: i64, user: UserId) -> Result<bool, Trouble> {
    let asked = client.bot.get_chat_member(ChatId(chat), user);
    match client.call(SMALL_CALL, asked).await {
        Ok(member) => Ok(member.kind.is_present()),
        // "user not found", "PARTICIPANT_ID_INVALID": a clear no.
        Err(Trouble::Never(_)) => Ok(false),
        Err(trouble) => Err(trouble),
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
