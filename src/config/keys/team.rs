//! What the box's own team decided first.

use super::{Key, Kind, Section, TEXT};
use crate::domain::setting::Setting;

pub(super) const SECTION: Section = Section {
    name: "team",
    doc: "What the box's own team decided first: when, how often and how stories are sent. What is decided later, in the chat or \
          by `storyline team set`, wins; so does a later change here. Other teams are added by `storyline team add` and have \
          their settings there.",
};

pub(super) const ROUTES: Section = Section {
    name: "routes",
    doc: "Where stories go that are not for the team's usual place.",
};

const fn whole(setting: Setting) -> Kind {
    match setting.bounds() {
        Some(bounds) => Kind::Whole(bounds),
        None => Kind::Text,
    }
}

pub(super) const KEYS: &[Key] = &[
    Key {
        section: SECTION.name,
        name: "name",
        default: "Storyline",
        doc: "The team's name, as people read it; at most 100 characters.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "timezone",
        default: "UTC",
        doc: "The time zone of the window, by its IANA name, such as `Europe/Berlin`.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "posts_per_day",
        kind: whole(Setting::PostsPerDay),
        default: "3",
        doc: "How many stories are sent on a day, evenly spread over the window.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "window_start",
        default: "09:00",
        doc: "When the window begins, as `HH:MM` of the team's time zone.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "window_end",
        default: "21:00",
        doc: "When the window ends. An end before the start lies on the next day; equal times mean the whole day.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "jitter_minutes",
        kind: whole(Setting::JitterMinutes),
        default: "30",
        doc: "The most that a story is moved from its even place, so that the times look human; never more than a quarter \
              of the time between two stories.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "horizon_days",
        kind: whole(Setting::HorizonDays),
        default: "7",
        doc: "How far ahead the plan is kept filled.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "late_minutes",
        kind: whole(Setting::LateMinutes),
        default: "60",
        doc: "A story that could not be sent for so long after its time is missed, not sent late.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "repost_ttl_days",
        kind: whole(Setting::RepostTtlDays),
        default: "30",
        doc: "A posted picture is not chosen again for so long.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "skip_ttl_days",
        kind: whole(Setting::SkipTtlDays),
        default: "45",
        doc: "A skipped picture is not chosen again for so long.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "remind_minutes",
        kind: whole(Setting::RemindMinutes),
        default: "30",
        doc: "The team is reminded once of a story that waits for a press for so long; 0: never.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "expire_hours",
        kind: whole(Setting::ExpireHours),
        default: "24",
        doc: "A story that waits for a press for so long expires; its picture may be chosen again.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "fit",
        default: "blur",
        doc: "How a picture of another shape fills a story: `blur` (whole, on a blurred extension of itself), `crop` (its \
              middle) or `color` (whole, on `fit_color`). It is never stretched.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "fit_color",
        default: "#000000",
        doc: "The colour for `fit = \"color\"`, as red, green and blue in hexadecimal digits.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "verbosity",
        default: "normal",
        doc: "How much the message of a story tells: `brief` (title, link, caption, number and time), `normal` (tags and \
              category too) or `full` (also the file's path, its size, and how often and when it was posted).",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "digest",
        default: "off",
        doc: "When the team is told each day what comes that day, with pictures, as `HH:MM` of its time zone; or `off`.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "weekly_summary",
        kind: Kind::Truth,
        default: "false",
        doc: "Whether the team is told on Mondays what the week before was like: at the time of the digest, or at 09:00.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "dry_run",
        kind: Kind::Truth,
        default: "false",
        doc: "Everything happens except what people outside can see; the log says what would have been done.",
        ..TEXT
    },
    Key {
        section: ROUTES.name,
        name: "to",
        sample: "#sale=-1001234567890, memes=/12, merch=-1001234567890/5",
        doc: "For a tag (with its `#`) or a category, where its stories go: another chat, a topic of the team's chat (`/12`), or \
              a topic of another chat. The first that fits counts. People in one of these chats are of the team. First value; \
              what is decided later wins.",
        ..TEXT
    },
];
