//! The settings by buttons: what a panel shows, and what its buttons mean. A button carries the value that it sets and not a
//! step, so pressing it twice is pressing it once.

use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use teloxide::types::InlineKeyboardButtonKind::CallbackData;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::buttons::NoButton;
use super::message::{moment, plain};
use crate::domain::audit::Audited;
use crate::domain::ids::TeamId;
use crate::domain::person::{Person, PersonId, Role};
use crate::domain::setting::Setting;
use crate::domain::team::TeamSettings;
use crate::domain::verbosity::Verbosity;

/// What every button of a panel begins with; the version is raised when the meaning of one changes.
const PREFIX: &str = "set2:";
/// What those of other versions begin with.
const ANY_VERSION: &str = "set";

/// What a button of a panel asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// All settings.
    Overview,
    /// One setting, to be changed.
    Open(Setting),
    /// The setting is to be this.
    Set(Setting, String),
    /// The setting is to be written.
    Write(Setting),
    /// The mix is to be written.
    WriteMix,
    /// Nothing is to be sent by itself.
    Pause,
    /// It goes on.
    Resume,
    /// The people of the team.
    People,
    /// This person is to have this role.
    Role(PersonId, Role),
    /// This person's presses count, or not.
    Active(PersonId, bool),
    /// The panel is to go.
    Close,
}

impl Wish {
    /// Whether only the owner may have it: who is an admin, and where the team's chat and library are.
    #[must_use]
    pub fn is_for_the_owner(&self) -> bool {
        match self {
            Self::Role(..) | Self::Active(..) => true,
            Self::Open(setting) | Self::Set(setting, _) | Self::Write(setting) => {
                SHOWN.iter().all(|(shown, _)| shown != setting)
            }
            _ => false,
        }
    }

    /// The person whose standing it changes.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Role(person, _) | Self::Active(person, _) => Some(*person),
            _ => None,
        }
    }

    /// What the button carries, in at most 64 bytes with its team.
    #[must_use]
    pub fn encode(&self) -> String {
        let word = match self {
            Self::Overview => "all".to_owned(),
            Self::Open(setting) => format!("open:{setting}"),
            Self::Set(setting, value) => format!("to:{setting}:{value}"),
            Self::Write(setting) => format!("write:{setting}"),
            Self::WriteMix => "mix".to_owned(),
            Self::Pause => "pause".to_owned(),
            Self::Resume => "resume".to_owned(),
            Self::People => "people".to_owned(),
            Self::Role(person, role) => format!("role:{person}:{}", role.as_str()),
            Self::Active(person, active) => format!("active:{person}:{active}"),
            Self::Close => "close".to_owned(),
        };
        format!("{PREFIX}:{word}")
    }

    /// What a button meant, and the mark of its team.
    ///
    /// # Errors
    /// If it is a panel's of another version, or none of a panel's.
    pub fn decode(data: &str) -> Result<(&str, Self), NoButton> {
        let Some(rest) = data.strip_prefix(PREFIX) else {
            let is_other = data.starts_with(ANY_VERSION) && data.contains(':');
            return Err(if is_other {
                NoButton::OtherVersion
            } else {
                NoButton::Foreign
            });
        };
        let (team, word) = rest.split_once(':').ok_or(NoButton::OtherVersion)?;
        let wish = Self::of_word(word).ok_or(NoButton::OtherVersion)?;
        Ok((team, wish))
    }

    fn of_word(word: &str) -> Option<Self> {
        let (name, rest) = word.split_once(':').unwrap_or((word, ""));
        let (first, second) = rest.split_once(':').unwrap_or((rest, ""));
        let person = || first.parse().ok().map(PersonId);
        Some(match name {
            "all" => Self::Overview,
            "open" => Self::Open(rest.parse().ok()?),
            "to" => Self::Set(first.parse().ok()?, second.to_owned()),
            "write" => Self::Write(rest.parse().ok()?),
            "mix" => Self::WriteMix,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "people" => Self::People,
            "role" => Self::Role(person()?, second.parse().ok()?),
            "active" => Self::Active(person()?, second.parse().ok()?),
            "close" => Self::Close,
            _ => return None,
        })
    }
}

/// The mark of a team in a button: eight of the 64 bytes tell one team of a box from the others.
#[must_use]
pub fn mark(team: TeamId) -> String {
    HEXLOWER.encode(&team.as_bytes()[12..])
}

/// Puts the team whose panel it is into every button: who is in several teams changes the settings of the one that they see.
#[must_use]
pub fn marked(mut keyboard: InlineKeyboardMarkup, team: TeamId) -> InlineKeyboardMarkup {
    let begin = format!("{PREFIX}{}", mark(team));
    for button in keyboard.inline_keyboard.iter_mut().flatten() {
        if let CallbackData(data) = &mut button.kind {
            *data = data.replacen(PREFIX, &begin, 1);
        }
    }
    keyboard
}

/// What stands in the chat: a text in HTML, and buttons.
pub type Panel = (String, InlineKeyboardMarkup);

/// The settings that a team changes in its chat, and what they are called there. Chats and library are the owner's.
const SHOWN: [(Setting, &str); 16] = [
    (Setting::PostsPerDay, "Stories a day"),
    (Setting::WindowStart, "From"),
    (Setting::WindowEnd, "Until"),
    (Setting::Timezone, "Time zone"),
    (Setting::JitterMinutes, "Moved by at most (minutes)"),
    (Setting::RepostTtlDays, "Rest after a post (days)"),
    (Setting::SkipTtlDays, "Rest after a skip (days)"),
    (Setting::RemindMinutes, "Reminder after (minutes)"),
    (Setting::ExpireHours, "Expires after (hours)"),
    (Setting::LateMinutes, "Missed after (minutes)"),
    (Setting::HorizonDays, "Planned ahead (days)"),
    (Setting::Fit, "Other shapes"),
    (Setting::Verbosity, "Messages tell"),
    (Setting::Digest, "Morning digest"),
    (Setting::WeeklySummary, "Weekly summary"),
    (Setting::DryRun, "Dry run"),
];

/// What a setting is called in the chat.
#[must_use]
pub fn label(setting: Setting) -> &'static str {
    let known = SHOWN.iter().find(|(shown, _)| *shown == setting);
    known.map_or(setting.as_str(), |(_, label)| label)
}

fn button(text: impl Into<String>, wish: &Wish) -> InlineKeyboardButton {
    InlineKeyboardButton::callback(text, wish.encode())
}

/// All settings, the latest changes, and a button for each.
#[must_use]
pub fn overview(settings: &TeamSettings, paused: bool, changes: &[Audited]) -> Panel {
    let mut lines = vec![format!("⚙️ {}", settings.name)];
    lines.extend(SHOWN.iter().map(|(setting, label)| {
        let value = setting.shown(settings);
        format!("{label}: {value}")
    }));
    if paused {
        lines.push("⏸ Paused".to_owned());
    }
    if !changes.is_empty() {
        lines.push(String::new());
        lines.push("Latest changes".to_owned());
        lines.extend(changes.iter().map(|line| change(line, &settings.timezone)));
    }
    let mut rows: Vec<Vec<InlineKeyboardButton>> = SHOWN
        .chunks(2)
        .map(|pair| {
            let open = |(setting, label): &(Setting, &str)| button(*label, &Wish::Open(*setting));
            pair.iter().map(open).collect()
        })
        .collect();
    rows.push(vec![
        button("Mix", &Wish::WriteMix),
        button("People", &Wish::People),
    ]);
    let pause = if paused {
        button("▶ Resume", &Wish::Resume)
    } else {
        button("⏸ Pause", &Wish::Pause)
    };
    rows.push(vec![pause, button("✖ Close", &Wish::Close)]);
    (plain(&lines.join("\n")), InlineKeyboardMarkup::new(rows))
}

fn change(line: &Audited, zone: &TimeZone) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "–".to_owned(),
        other => other.to_string(),
    };
    let what = match line.change.name.parse::<Setting>() {
        Ok(setting) => label(setting),
        Err(_) => line.change.subject.as_str(),
    };
    format!(
        "{} · {} · {what}: {} → {}",
        moment(line.at, zone),
        line.by,
        text(&line.change.before),
        text(&line.change.after)
    )
}

/// One setting, with the values near it, or all there are.
#[must_use]
pub fn one(setting: Setting, settings: &TeamSettings) -> Panel {
    let value = setting.shown(settings);
    let text = format!("{}: {value}", label(setting));
    let set = |value: &str| button(value, &Wish::Set(setting, value.to_owned()));
    let choices: Vec<InlineKeyboardButton> = match setting {
        Setting::Fit => ["blur", "crop", "color"].map(set).into(),
        Setting::Verbosity => Verbosity::ALL.map(|it| set(it.as_str())).into(),
        Setting::Digest => ["off", "07:00", "08:00", "09:00"].map(set).into(),
        Setting::WeeklySummary | Setting::DryRun => vec![
            button("On", &Wish::Set(setting, "true".to_owned())),
            button("Off", &Wish::Set(setting, "false".to_owned())),
        ],
        Setting::WindowStart => ["07:00", "08:00", "09:00", "10:00", "12:00"]
            .map(set)
            .into(),
        Setting::WindowEnd => ["18:00", "20:00", "21:00", "22:00", "00:00"]
            .map(set)
            .into(),
        Setting::Timezone => ["UTC", "Europe/Berlin", "America/New_York"].map(set).into(),
        _ => near(setting, &value)
            .iter()
            .map(|value| set(value))
            .collect(),
    };
    let rows = [
        choices,
        vec![
            button("✏️ Write it", &Wish::Write(setting)),
            button("‹ Back", &Wish::Overview),
        ],
    ];
    (plain(&text), InlineKeyboardMarkup::new(rows))
}

/// The values around a number, within its bounds.
fn near(setting: Setting, value: &str) -> Vec<String> {
    let (Some((least, most, _)), Ok(value)) = (setting.bounds(), value.parse::<i64>()) else {
        return Vec::new();
    };
    let step = if most > 100 { 15 } else { 1 };
    let bounds = i64::from(least)..=i64::from(most);
    [-2, -1, 1, 2]
        .map(|steps| value + steps * step)
        .into_iter()
        .filter(|near| bounds.contains(near))
        .map(|near| near.to_string())
        .collect()
}

/// The people of the team, each with what may be done. `may_promote` says whether whoever looks may say who is an admin.
#[must_use]
pub fn people(people: &[Person], may_promote: bool) -> Panel {
    let mut lines = vec!["👥 People".to_owned()];
    let mut rows = Vec::new();
    // A keyboard has a hundred buttons at most.
    for person in people.iter().take(30) {
        let off = person.deactivated_at.map_or("", |_| ", switched off");
        let left = person.left_at.map_or("", |_| ", not in the chat");
        lines.push(format!("{} ({}{off}{left})", person.name, person.role));
        if person.role == Role::Owner || !may_promote {
            continue;
        }
        let name: String = person.name.chars().take(20).collect();
        let role = match person.role {
            Role::Member => button(
                format!("{name}: make admin"),
                &Wish::Role(person.id, Role::Admin),
            ),
            _ => button(
                format!("{name}: make member"),
                &Wish::Role(person.id, Role::Member),
            ),
        };
        let is_off = person.deactivated_at.is_some();
        let switch = if is_off { "switch on" } else { "switch off" };
        let active = button(
            format!("{name}: {switch}"),
            &Wish::Active(person.id, is_off),
        );
        rows.push(vec![role, active]);
    }
    rows.push(vec![button("‹ Back", &Wish::Overview)]);
    (plain(&lines.join("\n")), InlineKeyboardMarkup::new(rows))
}

/// The zones that a person may have meant, as buttons.
#[must_use]
pub fn zones(typed: &str) -> Option<InlineKeyboardMarkup> {
    let typed = typed.trim().replace(' ', "_").to_lowercase();
    if typed.chars().count() < 3 {
        return None;
    }
    let names: Vec<Vec<InlineKeyboardButton>> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| name.contains('/') && name.to_lowercase().contains(&typed))
        .take(6)
        .map(|name| vec![button(name.clone(), &Wish::Set(Setting::Timezone, name))])
        .collect();
    (!names.is_empty()).then(|| InlineKeyboardMarkup::new(names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::buttons::MOST_BYTES;

    fn data(panel: &InlineKeyboardMarkup) -> Vec<String> {
        let buttons = panel.inline_keyboard.iter().flatten();
        buttons
            .filter_map(|button| match &button.kind {
                CallbackData(data) => Some(data.clone()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn every_button_of_every_panel_fits_and_comes_back() {
        let settings = TeamSettings::default();
        let mut all = data(&overview(&settings, true, &[]).1);
        for setting in Setting::ALL {
            all.extend(data(&one(setting, &settings).1));
        }
        for name in jiff::tz::db().available() {
            all.push(Wish::Set(Setting::Timezone, name.to_string()).encode());
        }
        let admin = Wish::Role(PersonId(i64::MAX), Role::Admin);
        all.push(admin.encode());
        all.push(Wish::Active(PersonId(1), false).encode());
        let team = TeamId::from_bytes([7; 16]);
        for plain in all {
            let button = InlineKeyboardButton::callback("", plain.clone());
            let data = data(&marked(InlineKeyboardMarkup::new([[button]]), team)).remove(0);
            assert!(data.len() <= MOST_BYTES, "{data}");
            let (of, wish) = Wish::decode(&data).unwrap_or_else(|_| panic!("{data}"));
            assert_eq!((of, wish.encode()), ("07070707", plain));
        }
        assert_eq!(Wish::decode("p2:AAAA"), Err(NoButton::Foreign));
        for old in [
            "set1:to:fit:crop",
            "set2:",
            "set2::to:nothing:3",
            "set3:x:y",
        ] {
            assert_eq!(Wish::decode(old), Err(NoButton::OtherVersion), "{old}");
        }
    }

    #[test]
    fn where_stories_go_and_who_is_an_admin_is_the_owners() {
        for (wish, is_the_owners) in [
            (Wish::Set(Setting::Chat, "-100".to_owned()), true),
            (Wish::Write(Setting::Library), true),
            (Wish::Open(Setting::Thread), true),
            (Wish::Role(PersonId(1), Role::Admin), true),
            (Wish::Active(PersonId(1), false), true),
            (Wish::Set(Setting::PostsPerDay, "4".to_owned()), false),
            (Wish::Pause, false),
            (Wish::WriteMix, false),
        ] {
            assert_eq!(wish.is_for_the_owner(), is_the_owners, "{wish:?}");
        }
    }

    #[test]
    fn only_values_within_the_bounds_are_offered() {
        assert_eq!(near(Setting::PostsPerDay, "1"), ["2", "3"]);
        assert_eq!(near(Setting::PostsPerDay, "49"), ["47", "48", "50"]);
        assert_eq!(near(Setting::RemindMinutes, "30"), ["0", "15", "45", "60"]);
    }

    #[test]
    fn a_zone_is_found_by_a_part_of_its_name() {
        let found = zones("new york").unwrap();
        assert_eq!(data(&found), ["set2::to:timezone:America/New_York"]);
        assert!(zones("ab").is_none());
        assert!(zones("nowhere at all").is_none());
    }
}
