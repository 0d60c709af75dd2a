//! The audit log: who changed what by hand, when, and how it was before. What becomes of stories is history; this is about
//! everything else that people decide.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::ids::{MediaId, StoryId, TeamId};
use super::lock::LockKind;
use super::media::Media;
use super::person::{Person, PersonId};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// How they are called.
    pub name: String,
    /// Telegram's number for them; nothing for whoever sits at the terminal.
    pub person: Option<PersonId>,
}

impl By {
    /// Whoever sits at the terminal, by login name.
    #[must_use]
    pub fn terminal(login_name: &str) -> Self {
        Self {
            name: login_name.to_owned(),
            person: None,
        }
    }

    /// Telegram, of what it says unasked or when it is asked.
    #[must_use]
    pub fn telegram() -> Self {
        Self {
            name: "Telegram".to_owned(),
            person: None,
        }
    }
}

impl From<&Person> for By {
    fn from(person: &Person) -> Self {
        Self {
            name: person.name.clone(),
            person: Some(person.id),
        }
    }
}

/// What kind of thing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// What is said of a media.
    Media,
    /// A lock on a media.
    Lock,
    /// The shares of the categories.
    Mix,
    /// A person of the team.
    Person,
    /// The team's plan.
    Team,
    /// A story of the queue.
    Story,
    /// The box's clock.
    Clock,
}

impl Subject {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Media,
        Self::Lock,
        Self::Mix,
        Self::Person,
        Self::Team,
        Self::Story,
        Self::Clock,
    ];

    /// The word for it, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Lock => "lock",
            Self::Mix => "mix",
            Self::Person => "person",
            Self::Team => "team",
            Self::Story => "story",
            Self::Clock => "clock",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|subject| subject.as_str() == text)
            .ok_or_else(|| format!("`{text}` is nothing that is audited"))
    }
}

/// One change, as the audit log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What kind of thing was changed.
    pub subject: Subject,
    /// The id of its row; a lock's is its media's.
    #[serde(skip)]
    pub id: String,
    /// How people called it then.
    pub name: String,
    /// What was done with it.
    pub action: String,
    /// How it was before; null if there was nothing.
    pub before: Value,
    /// How it was then; null if there was nothing any more.
    pub after: Value,
}

impl Change {
    /// What is said of a media was changed.
    #[must_use]
    pub fn of_media(media: &Media, action: &str) -> Self {
        Self::new(Subject::Media, media.id.to_string(), &media.path, action)
    }

    /// Something was decided about the library as a whole.
    #[must_use]
    pub fn of_library(action: &str) -> Self {
        Self::new(Subject::Media, String::new(), "the library", action)
    }

    /// A media was locked or let go.
    #[must_use]
    pub fn of_lock(media: &Media, action: &str) -> Self {
        Self::new(Subject::Lock, media.id.to_string(), &media.path, action)
    }

    /// The team's mix was changed.
    #[must_use]
    pub fn of_mix(team: TeamId, action: &str) -> Self {
        Self::new(Subject::Mix, team.to_string(), "", action)
    }

    /// A person was given another role, deactivated or activated.
    #[must_use]
    pub fn of_person(person: &Person, action: &str) -> Self {
        Self::new(Subject::Person, person.id.to_string(), &person.name, action)
    }

    /// The team's plan was paused, resumed or drawn anew.
    #[must_use]
    pub fn of_team(team: TeamId, action: &str) -> Self {
        Self::new(Subject::Team, team.to_string(), "", action)
    }

    /// A setting of the team was changed.
    #[must_use]
    pub fn of_setting(team: TeamId, name: &str) -> Self {
        Self::new(Subject::Team, team.to_string(), name, "set")
    }

    /// A secret of the team was set or removed; what it is is nobody's business.
    #[must_use]
    pub fn of_secret(team: TeamId, name: &str, action: &str) -> Self {
        let name = format!("secret {name}");
        Self::new(Subject::Team, team.to_string(), &name, action)
    }

    /// A story was sent out of turn, or taken out of the queue.
    #[must_use]
    pub fn of_story(id: StoryId, number: u64, action: &str) -> Self {
        let name = format!("#{number}");
        Self::new(Subject::Story, id.to_string(), &name, action)
    }

    /// The clock was vouched for.
    #[must_use]
    pub fn of_clock(action: &str) -> Self {
        Self::new(Subject::Clock, String::new(), "", action)
    }

    /// The same, with how it was before and then.
    #[must_use]
    pub fn between(self, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self {
            before: before.into(),
            after: after.into(),
            ..self
        }
    }

    fn new(subject: Subject, id: String, name: &str, action: &str) -> Self {
        Self {
            subject,
            id,
            name: name.to_owned(),
            action: action.to_owned(),
            before: Value::Null,
            after: Value::Null,
        }
    }
}

/// A lock, as the audit log tells of it.
#[must_use]
pub fn lock_value(kind: LockKind, until: Option<Timestamp>, reason: Option<&str>) -> Value {
    let until = until.map_or_else(|| "for ever".to_owned(), |until| until.to_string());
    let mut value = serde_json::json!({ "kind": kind.as_str(), "until": until });
    if let Some(reason) = reason {
        value["reason"] = reason.into();
    }
    value
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// Who, as they were called then.
    pub by: String,
    /// Telegram's number for them; nothing for whoever sat at the terminal.
    pub person: Option<PersonId>,
    /// What they changed.
    #[serde(flatten)]
    pub change: Change,
}

/// Which lines of the audit log are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Only those about this media.
    pub media: Option<MediaId>,
    /// Only those at this time or later.
    pub since: Option<Timestamp>,
    /// The newest so many.
    pub limit: u32,
}
