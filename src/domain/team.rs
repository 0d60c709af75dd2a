//! A team and what it decided: when, how often and how stories are sent.

use std::path::PathBuf;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::entry::Snapshot;
use super::framing::Framing;
use super::route::Routes;
use super::verbosity::Verbosity;

/// What a team decided. Every default is the one of the product: three stories a day between nine and nine.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamSettings {
    /// The team's name, as people read it.
    pub name: String,
    /// The chat in which its stories are reviewed, by Telegram's number; without one nothing is sent.
    pub chat: Option<i64>,
    /// The topic in that chat, if it has topics.
    pub thread: Option<i32>,
    /// Where stories of some tags and categories go instead.
    pub routes: Routes,
    /// The folder that is watched for it, an absolute path.
    pub library: PathBuf,
    /// The IANA zone in which [`TeamSettings::window`] is meant.
    pub timezone: TimeZone,
    /// Stories a day, 1 to 50.
    pub posts_per_day: u32,
    /// The hours in which stories are sent.
    pub window: Window,
    /// The most that a slot is moved from its even place, in minutes; a quarter of the interval bounds it too.
    pub jitter_minutes: u32,
    /// How far ahead the plan is kept filled, in days.
    pub horizon_days: u32,
    /// A slot first reached later than this after its time is missed, in minutes.
    pub late_minutes: u32,
    /// A posted media may not be chosen again for this long, in days.
    pub repost_ttl_days: u32,
    /// A skipped media may not be chosen again for this long, in days.
    pub skip_ttl_days: u32,
    /// The team is reminded of a story that waits for a press for so long, in minutes; 0: never.
    pub remind_minutes: u32,
    /// A story that waits for a press for so long expires, in hours.
    pub expire_hours: u32,
    /// How a picture of another shape is brought into a story's frame.
    pub framing: Framing,
    /// How much a review message tells.
    pub verbosity: Verbosity,
    /// When the team is told in the morning what comes that day, by its clock on the wall; nothing if it is not.
    pub digest: Option<Time>,
    /// Whether the team is told on Mondays what the week before was like.
    pub weekly_summary: bool,
    /// Everything happens but the calls that people outside can see.
    pub dry_run: bool,
}

impl Default for TeamSettings {
    fn default() -> Self {
        Self {
            name: "Storyline".to_owned(),
            chat: None,
            thread: None,
            routes: Routes::default(),
            library: PathBuf::from("/srv/storyline/library"),
            timezone: TimeZone::UTC,
            posts_per_day: 3,
            window: Window::default(),
            jitter_minutes: 30,
            horizon_days: 7,
            late_minutes: 60,
            repost_ttl_days: 30,
            skip_ttl_days: 45,
            remind_minutes: 30,
            expire_hours: 24,
            framing: Framing::default(),
            verbosity: Verbosity::default(),
            digest: None,
            weekly_summary: false,
            dry_run: false,
        }
    }
}

/// Where a team is shown its stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The chat, by Telegram's number.
    pub chat: i64,
    /// The topic in it.
    pub thread: Option<i32>,
}

/// A chat, in no topic.
impl From<i64> for Place {
    fn from(chat: i64) -> Self {
        Self { chat, thread: None }
    }
}

impl TeamSettings {
    /// Where it is at home: its stories go there, unless a route leads elsewhere. Nothing as long as no chat is set.
    #[must_use]
    pub fn home(&self) -> Option<Place> {
        let thread = self.thread;
        self.chat.map(|chat| Place { chat, thread })
    }

    /// Where a story with this media goes.
    #[must_use]
    pub fn place_of(&self, media: &Snapshot) -> Option<Place> {
        self.home().map(|home| self.routes.place(media, home))
    }

    /// Every place where its stories may go, its home first.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let home = self.home();
        let routes = home.into_iter().flat_map(|home| self.routes.places(home));
        home.into_iter().chain(routes).collect()
    }

    /// The chats of those places, each once.
    #[must_use]
    pub fn chats(&self) -> Vec<i64> {
        let mut chats: Vec<i64> = self.places().iter().map(|place| place.chat).collect();
        chats.sort_unstable();
        chats.dedup();
        chats
    }
}

/// The hours of a day in which stories are sent, by the team's clock on the wall. An end at or before the start lies on
/// the next day, so equal times mean the whole day; a window belongs to the day on which it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub start: Time,
    /// The moment after the last.
    pub end: Time,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            start: Time::constant(9, 0, 0, 0),
            end: Time::constant(21, 0, 0, 0),
        }
    }
}
