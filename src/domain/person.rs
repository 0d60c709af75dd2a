//! A person of the team, as Telegram knows them, and what their role lets them do.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

/// Telegram's number for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PersonId(pub i64);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a person may do in the team. Later roles may do all that earlier ones may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Decides stories and looks.
    Member,
    /// Also decides how the box runs.
    Admin,
    /// Also decides who is an admin.
    Owner,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role above this one; an admin is the highest that a promotion makes.
    #[must_use]
    pub fn promoted(self) -> Self {
        self.max(Self::Admin)
    }

    /// Whether this role lets a person do that.
    #[must_use]
    pub fn may(self, deed: Deed) -> bool {
        match deed {
            Deed::Look | Deed::Decide | Deed::Upload => true,
            Deed::UndoOthers | Deed::SendNext | Deed::Pause | Deed::Settings => self >= Self::Admin,
            Deed::Promote => self >= Self::Owner,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no role"))
    }
}

/// What a person may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Read the status, the queue, the history.
    Look,
    /// Press a button of a story.
    Decide,
    /// Put pictures into the library by handing them in.
    Upload,
    /// Take back an outcome that somebody else brought about.
    UndoOthers,
    /// Send the next story now.
    SendNext,
    /// Pause and resume the plan.
    Pause,
    /// Change what the team decided.
    Settings,
    /// Say who is an admin, and whose presses count.
    Promote,
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 8] = [
        Self::Look,
        Self::Decide,
        Self::Upload,
        Self::UndoOthers,
        Self::SendNext,
        Self::Pause,
        Self::Settings,
        Self::Promote,
    ];
}

/// A person as the team's records have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Telegram's number for them.
    pub id: PersonId,
    /// How they call themselves.
    pub name: String,
    /// Their @name, without the @, if they have one.
    pub username: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Since when their presses are refused, if they are.
    pub deactivated_at: Option<Timestamp>,
    /// Since when they are not in the team's chat any more, if they are not.
    pub left_at: Option<Timestamp>,
    /// When they were first met.
    pub joined_at: Timestamp,
    /// What they decided so far.
    pub tally: Tally,
}

/// How many stories a person ended, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Stories they posted.
    pub posted: u64,
    /// Stories they skipped.
    pub skipped: u64,
    /// Stories they rejected.
    pub rejected: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_table_says() {
        let table: Vec<(Deed, [bool; 3])> = Deed::ALL
            .into_iter()
            .map(|deed| (deed, Role::ALL.map(|role| role.may(deed))))
            .collect();
        assert_eq!(
            table,
            [
                (Deed::Look, [true, true, true]),
                (Deed::Decide, [true, true, true]),
                (Deed::Upload, [true, true, true]),
                (Deed::UndoOthers, [false, true, true]),
                (Deed::SendNext, [false, true, true]),
                (Deed::Pause, [false, true, true]),
                (Deed::Settings, [false, true, true]),
                (Deed::Promote, [false, false, true]),
            ]
        );
    }
}
