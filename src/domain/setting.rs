//! The settings that a team may change while the box runs: what they are called, what may be written for each, and how it is
//! shown. The file of settings gives their first values; the records hold what counts.

use std::fmt;
use std::str::FromStr;

use super::nearest::nearest;
use super::team::TeamSettings;
use super::written::{self, Bounds, Complaint};

/// One setting of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// The team's name.
    Name,
    /// The chat in which its stories are reviewed.
    Chat,
    /// The topic in that chat.
    Thread,
    /// Where stories of some tags and categories go instead.
    Routes,
    /// The folder that is watched for it.
    Library,
    /// The zone of its hours.
    Timezone,
    /// How many stories a day.
    PostsPerDay,
    /// When its hours begin.
    WindowStart,
    /// When they end.
    WindowEnd,
    /// How far a story is moved from its even place.
    JitterMinutes,
    /// How far ahead the plan is filled.
    HorizonDays,
    /// When a story is too late.
    LateMinutes,
    /// How long a posted picture rests.
    RepostTtlDays,
    /// How long a skipped picture rests.
    SkipTtlDays,
    /// When the team is reminded.
    RemindMinutes,
    /// When a story expires.
    ExpireHours,
    /// How a picture fills its frame.
    Fit,
    /// On which colour.
    FitColor,
    /// How much a review message tells.
    Verbosity,
    /// When the team is told what comes that day.
    Digest,
    /// Whether it is told what the week before was like.
    WeeklySummary,
    /// Whether nothing is sent.
    DryRun,
}

impl Setting {
    /// Every setting.
    pub const ALL: [Self; 22] = [
        Self::Name,
        Self::Chat,
        Self::Thread,
        Self::Routes,
        Self::Library,
        Self::Timezone,
        Self::PostsPerDay,
        Self::WindowStart,
        Self::WindowEnd,
        Self::JitterMinutes,
        Self::HorizonDays,
        Self::LateMinutes,
        Self::RepostTtlDays,
        Self::SkipTtlDays,
        Self::RemindMinutes,
        Self::ExpireHours,
        Self::Fit,
        Self::FitColor,
        Self::Verbosity,
        Self::Digest,
        Self::WeeklySummary,
        Self::DryRun,
    ];

    /// Its name, in rows and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Chat => "chat",
            Self::Thread => "thread",
            Self::Routes => "routes",
            Self::Library => "library",
            Self::Timezone => "timezone",
            Self::PostsPerDay => "posts_per_day",
            Self::WindowStart => "window_start",
            Self::WindowEnd => "window_end",
            Self::JitterMinutes => "jitter_minutes",
            Self::HorizonDays => "horizon_days",
            Self::LateMinutes => "late_minutes",
            Self::RepostTtlDays => "repost_ttl_days",
            Self::SkipTtlDays => "skip_ttl_days",
            Self::RemindMinutes => "remind_minutes",
            Self::ExpireHours => "expire_hours",
            Self::Fit => "fit",
            Self::FitColor => "fit_color",
            Self::Verbosity => "verbosity",
            Self::Digest => "digest",
            Self::WeeklySummary => "weekly_summary",
            Self::DryRun => "dry_run",
        }
    }

    /// Where the file of settings gives its first value.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Chat | Self::Thread => format!("telegram.{self}"),
            Self::Routes => "routes.to".to_owned(),
            Self::Library => "library.path".to_owned(),
            _ => format!("team.{self}"),
        }
    }

    /// What may be written; nothing for what is no number.
    #[must_use]
    pub const fn bounds(self) -> Option<Bounds> {
        Some(match self {
            Self::PostsPerDay => (1, 50, "stories a day"),
            Self::JitterMinutes => (0, 720, "minutes"),
            Self::HorizonDays => (1, 60, "days"),
            Self::LateMinutes => (1, 1440, "minutes"),
            Self::RepostTtlDays | Self::SkipTtlDays => (0, 3650, "days"),
            Self::RemindMinutes => (0, 1440, "minutes"),
            Self::ExpireHours => (1, 168, "hours"),
            _ => return None,
        })
    }

    /// What it is; empty if it is not set.
    #[must_use]
    pub fn shown(self, settings: &TeamSettings) -> String {
        let time = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
        let maybe = |number: Option<i64>| number.map(|it| it.to_string()).unwrap_or_default();
        match self {
            Self::Name => settings.name.clone(),
            Self::Chat => maybe(settings.chat),
            Self::Thread => maybe(settings.thread.map(i64::from)),
            Self::Routes => settings.routes.to_string(),
            Self::Library => settings.library.display().to_string(),
            Self::Timezone => settings.timezone.iana_name().unwrap_or("UTC").to_owned(),
            Self::WindowStart => time(settings.window.start),
            Self::WindowEnd => time(settings.window.end),
            Self::Fit => settings.framing.fit.as_str().to_owned(),
            Self::FitColor => settings.framing.color.to_string(),
            Self::Verbosity => settings.verbosity.as_str().to_owned(),
            Self::Digest => settings.digest.map_or_else(|| "off".to_owned(), time),
            Self::WeeklySummary => settings.weekly_summary.to_string(),
            Self::DryRun => settings.dry_run.to_string(),
            Self::PostsPerDay => settings.posts_per_day.to_string(),
            Self::JitterMinutes => settings.jitter_minutes.to_string(),
            Self::HorizonDays => settings.horizon_days.to_string(),
            Self::LateMinutes => settings.late_minutes.to_string(),
            Self::RepostTtlDays => settings.repost_ttl_days.to_string(),
            Self::SkipTtlDays => settings.skip_ttl_days.to_string(),
            Self::RemindMinutes => settings.remind_minutes.to_string(),
            Self::ExpireHours => settings.expire_hours.to_string(),
        }
    }

    /// Puts what a person wrote into the settings.
    ///
    /// # Errors
    /// If it is not what may be written; then the settings are as they were.
    pub fn put(self, settings: &mut TeamSettings, text: &str) -> Result<(), Complaint> {
        let text = text.trim();
        match self {
            Self::Name => settings.name = written::name(text)?,
            Self::Chat => settings.chat = optional(text, written::chat)?,
            Self::Thread => settings.thread = optional(text, written::thread)?,
            Self::Routes => settings.routes = text.parse()?,
            Self::Library => settings.library = written::absolute(text)?,
            Self::Timezone => settings.timezone = written::zone(text)?,
            Self::WindowStart => settings.window.start = written::time(text)?,
            Self::WindowEnd => settings.window.end = written::time(text)?,
            Self::Fit => settings.framing.fit = written::fit(text)?,
            Self::FitColor => settings.framing.color = written::color(text)?,
            Self::Verbosity => settings.verbosity = written::verbosity(text)?,
            Self::Digest => settings.digest = written::time_or_off(text)?,
            Self::WeeklySummary => settings.weekly_summary = written::truth(text)?,
            Self::DryRun => settings.dry_run = written::truth(text)?,
            Self::PostsPerDay => settings.posts_per_day = self.number(text)?,
            Self::JitterMinutes => settings.jitter_minutes = self.number(text)?,
            Self::HorizonDays => settings.horizon_days = self.number(text)?,
            Self::LateMinutes => settings.late_minutes = self.number(text)?,
            Self::RepostTtlDays => settings.repost_ttl_days = self.number(text)?,
            Self::SkipTtlDays => settings.skip_ttl_days = self.number(text)?,
            Self::RemindMinutes => settings.remind_minutes = self.number(text)?,
            Self::ExpireHours => settings.expire_hours = self.number(text)?,
        }
        Ok(())
    }

    fn number(self, text: &str) -> Result<u32, Complaint> {
        written::whole(text, self.bounds().unwrap_or((0, u32::MAX, "")))
    }
}

/// What may be empty: then it is not set.
fn optional<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, Complaint>,
) -> Result<Option<T>, Complaint> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some)
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::as_str);
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| match nearest(text, names) {
            Some(near) => format!("`{text}` is no setting; did you mean `{near}`?"),
            None => format!("`{text}` is no setting; there are {}", names.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_written() {
        let mut all = TeamSettings {
            chat: Some(-100),
            thread: Some(7),
            dry_run: true,
            ..TeamSettings::default()
        };
        let before = all.clone();
        for setting in Setting::ALL {
            let shown = setting.shown(&all);
            setting.put(&mut all, &shown).unwrap();
            assert_eq!(all, before, "{setting}");
            assert_eq!(setting.as_str().parse(), Ok(setting));
        }
    }

    #[test]
    fn what_is_out_of_bounds_changes_nothing() {
        let mut all = TeamSettings::default();
        for setting in Setting::ALL {
            let wrong = match setting.bounds() {
                Some((_, most, _)) => (most + 1).to_string(),
                None => "~".repeat(101),
            };
            let complaint = setting.put(&mut all, &wrong).unwrap_err();
            assert!(!complaint.remedy.is_empty());
            assert_eq!(all, TeamSettings::default(), "{setting}");
        }
        assert_eq!(
            "post_per_day".parse::<Setting>(),
            Err("`post_per_day` is no setting; did you mean `posts_per_day`?".to_owned())
        );
    }
}
