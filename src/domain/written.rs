//! What each kind of text must be like that a person writes, and the complaint if it is not.

use std::path::{Component, PathBuf};

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::framing::{Color, Fit};
use super::nearest::nearest;
use super::verbosity::Verbosity;

/// The longest name a team may have, in characters.
const LONGEST_NAME: usize = 100;

/// What is wrong with a value, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl Complaint {
    /// A complaint.
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

/// The least and the most that a whole number may be, and what is counted.
pub type Bounds = (u32, u32, &'static str);

/// A whole number within its bounds.
///
/// # Errors
/// If it is none.
pub fn whole(text: &str, (least, most, unit): Bounds) -> Result<u32, Complaint> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let remedy = format!("write a whole number of {unit}, {least} to {most}");
            Complaint::new(format!("it must be {least} to {most}"), remedy)
        })
}

/// A whole path, from `/` on.
///
/// # Errors
/// If it is not.
pub fn absolute(text: &str) -> Result<PathBuf, Complaint> {
    let path = PathBuf::from(text);
    let complain = |reason: &str| Complaint::new(reason, "write the whole path, from `/` on");
    if !path.is_absolute() {
        return Err(complain("the path must be absolute"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(complain("the path must not lead back by `..`"));
    }
    Ok(path)
}

/// How a picture fills its frame.
///
/// # Errors
/// If it is no such word.
pub fn fit(text: &str) -> Result<Fit, Complaint> {
    text.parse()
        .map_err(|reason: String| Complaint::new(reason, "write `blur`"))
}

/// How much a review message tells.
///
/// # Errors
/// If it is no such word.
pub fn verbosity(text: &str) -> Result<Verbosity, Complaint> {
    text.parse()
        .map_err(|reason: String| Complaint::new(reason, "write `normal`"))
}

/// A time of day, or `off`.
///
/// # Errors
/// If it is neither.
pub fn time_or_off(text: &str) -> Result<Option<Time>, Complaint> {
    if text.is_empty() || text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    time(text).map(Some).map_err(|complaint| {
        let remedy = format!("{}, or `off`", complaint.remedy);
        Complaint::new(complaint.reason, remedy)
    })
}

/// A colour.
///
/// # Errors
/// If it is none.
pub fn color(text: &str) -> Result<Color, Complaint> {
    text.parse().map_err(|reason: String| {
        Complaint::new(
            reason,
            "write six hexadecimal digits, such as `\"#1a2b3c\"`",
        )
    })
}

/// A team's name.
///
/// # Errors
/// If it is empty or too long.
pub fn name(text: &str) -> Result<String, Complaint> {
    match text.chars().count() {
        0 => Err(Complaint::new(
            "the team needs a name",
            "write `name = \"Our team\"`",
        )),
        length if length > LONGEST_NAME => Err(Complaint::new(
            format!("it has {length} characters"),
            format!("at most {LONGEST_NAME} are allowed"),
        )),
        _ => Ok(text.to_owned()),
    }
}

/// A time of day, as `9:30`; `24:00` is midnight.
///
/// # Errors
/// If it is none.
pub fn time(text: &str) -> Result<Time, Complaint> {
    let digits = |text: &str, longest| {
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (all_digits && text.len() <= longest).then(|| text.parse::<i8>().ok())?
    };
    text.split_once(':')
        .filter(|(_, minute)| minute.len() == 2)
        .and_then(|(hour, minute)| Some((digits(hour, 2)?, digits(minute, 2)?)))
        .map(|time| if time == (24, 0) { (0, 0) } else { time })
        .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
        .ok_or_else(|| {
            Complaint::new(
                "it is no time of day",
                "write hour and minute, such as `\"09:30\"`",
            )
        })
}

/// A time zone, by its IANA name.
///
/// # Errors
/// If there is none of that name; the complaint names the one that was probably meant.
pub fn zone(text: &str) -> Result<TimeZone, Complaint> {
    TimeZone::get(text).map_err(|_| {
        let remedy = near_zone(text).map_or_else(
            || "write the name of a place, such as `Europe/Berlin`; `timedatectl list-timezones` has all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Complaint::new("there is no such time zone", remedy)
    })
}

/// The zone that was probably meant: a name nearly as written, or that of a place nearly so called.
fn near_zone(text: &str) -> Option<String> {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let place = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let written = text.replace(' ', "_");
    let same_place = || names.iter().find(|name| place(name) == place(&written));
    nearest(&written, names.iter().map(String::as_str))
        .filter(|_| written.contains('/'))
        .or_else(|| same_place().map(String::as_str))
        .or_else(|| nearest(&written, names.iter().map(String::as_str)))
        .map(str::to_owned)
}

/// The number of a chat. People know chats by `@name` and look for the number in vain.
///
/// # Errors
/// If it is no such number.
pub fn chat(text: &str) -> Result<i64, Complaint> {
    text.parse()
        .ok()
        .filter(|number| *number != 0)
        .ok_or_else(|| {
            Complaint::new(
                "a chat is known by its number, not by its name",
                "open the chat in the web version of Telegram: its number is at the end of the address (that of a channel \
                 or group looks like -1001234567890)",
            )
        })
}

/// The number of a topic.
///
/// # Errors
/// If it is no such number.
pub fn thread(text: &str) -> Result<i32, Complaint> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        Complaint::new(
            "a topic is known by its number",
            "copy the link of a message in it: the topic's number stands before the message's",
        )
    })
}

/// Yes or no.
///
/// # Errors
/// If it is neither.
pub fn truth(text: &str) -> Result<bool, Complaint> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(Complaint::new(
            "it is neither yes nor no",
            "write `true` or `false`",
        )),
    }
}
