//! The second ways for alerts, and the heartbeat.

use super::{Key, Kind, Secrecy, Section, TEXT};
use crate::domain::written::Bounds;

/// How often the heartbeat may come.
pub(in crate::config) const MINUTES: Bounds = (1, 24 * 60, "minutes");

pub(super) const SECTION: Section = Section {
    name: "alerts",
    doc: "A second way for alerts: for problems, and for whatever Telegram does not take. `storyline alert test` sends one by each \
          way. And a heartbeat for a watcher outside, who tells you when this box is silent.",
};

pub(super) const KEYS: [Key; 6] = [
    Key {
        section: SECTION.name,
        name: "webhook_url",
        doc: "An address that is called by POST, with JSON: `title`, `text`, `severity`, `stage` (`raised`, `reminder`, `resolved` or \
              `test`) and `box`. Whoever has it may write there, so it is a secret: prefer the systemd credential \
              `alerts.webhook_url`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "ntfy_url",
        doc: "A topic of a server of ntfy, `https://SERVER/TOPIC`, that phones are subscribed to. Whoever knows it may read there, so \
              it is a secret: prefer the systemd credential `alerts.ntfy_url`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "sendmail",
        sample: "you@example.org",
        doc: "To whom a mail goes, by the system's program `sendmail`. The service may gain no rights, so it has to be one that needs \
              none, such as that of msmtp (`apt install msmtp-mta`, settings in `/etc/msmtprc` that the user `storyline` may read).",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "heartbeat_url",
        doc: "An address that is called by GET while all is well: the service works, its parts move, nothing is overdue and \
              `storyline check` would tell of no problem. A watcher outside, of the kind that expects a ping in time, tells you when \
              none comes. It is a secret: prefer the systemd credential `alerts.heartbeat_url`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "heartbeat_minutes",
        kind: Kind::Whole(MINUTES),
        default: "5",
        doc: "How often; let the watcher wait for three of them.",
        ..TEXT
    },
    Key {
        section: SECTION.name,
        name: "heartbeat_fail",
        kind: Kind::Truth,
        default: "false",
        doc: "Whether the address is called with `/fail` at its end when something is wrong, for a watcher that knows that; else \
              nothing is said then.",
        ..TEXT
    },
];
