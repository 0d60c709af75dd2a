//! The table of all settings, the one source of what they are called, what they mean and what they are unless set. The
//! example, the checks, the names of environment variables, the hints for a mistyped key and `config show` come from it.

mod alerts;
mod messages;
mod team;

use crate::domain::written::Bounds;

/// A section of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Its name, as in `[team]`.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
}

/// What may be written for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, in quotes.
    Text,
    /// A whole number between two bounds.
    Whole(Bounds),
    /// The number of a chat or a topic.
    Id,
    /// `true` or `false`.
    Truth,
}

/// How carefully a value is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// As it is.
    Open,
    /// Without the password it may hold.
    HoldsPassword,
    /// Not at all.
    Secret,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The section it stands in.
    pub section: &'static str,
    /// Its name in the section.
    pub name: &'static str,
    /// What may be written for it.
    pub kind: Kind,
    /// What it is unless set, as in the file but without quotes; empty where it is not set.
    pub default: &'static str,
    /// What stands in the example where there is no default to show.
    pub sample: &'static str,
    /// What it means, in one paragraph.
    pub doc: &'static str,
    /// How carefully its value is to be shown.
    pub secrecy: Secrecy,
}

impl Key {
    /// Section and name: `team.posts_per_day`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that overrides it: `STORYLINE_TEAM_POSTS_PER_DAY`.
    #[must_use]
    pub fn environment_name(&self) -> String {
        format!("STORYLINE_{}_{}", self.section, self.name).to_uppercase()
    }

    /// As it is written in the file, with this value: on one line, unless the value has several.
    #[must_use]
    pub fn line(&self, value: &str) -> String {
        match self.kind {
            Kind::Text if value.contains('\n') => format!("{} = '''\n{value}'''", self.name),
            Kind::Text => format!("{} = {value:?}", self.name),
            Kind::Whole(_) | Kind::Id | Kind::Truth => format!("{} = {value}", self.name),
        }
    }

    /// What the example shows: the default, or a sample where there is none.
    #[must_use]
    pub fn shown(&self) -> &'static str {
        if self.default.is_empty() {
            self.sample
        } else {
            self.default
        }
    }
}

/// The key with this path.
#[must_use]
pub fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.')?;
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// All sections, in the order of the example.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "library",
        doc: "The folder of pictures and clips.",
    },
    Section {
        name: "database",
        doc: "Where everything is remembered.",
    },
    Section {
        name: "secrets",
        doc: "How secrets in the database (`storyline secret`) are encrypted.",
    },
    Section {
        name: "backup",
        doc: "The backups of what is remembered, made every night and before an upgrade; of SQLite only, a PostgreSQL \
              server has its own.",
    },
    Section {
        name: "health",
        doc: "Who may ask how the service is. It always answers beside itself, at `health.sock` in its runtime folder.",
    },
    alerts::SECTION,
    Section {
        name: "network",
        doc: "How Telegram and the server of a bucket are reached.",
    },
    Section {
        name: "telegram",
        doc: "The bot and the chats it works in.",
    },
    team::SECTION,
    team::ROUTES,
    Section {
        name: "log",
        doc: "What is told of the running service, and where.",
    },
    messages::SECTION,
];

const TEXT: Key = Key {
    section: "",
    name: "",
    kind: Kind::Text,
    default: "",
    sample: "",
    doc: "",
    secrecy: Secrecy::Open,
};

/// How much may be kept in the cache.
pub(super) const CACHE_MB: Bounds = (1, 1_000_000, "MB");

/// How often the heartbeat may come.
pub(super) const HEARTBEAT_MINUTES: Bounds = alerts::MINUTES;

/// How long backups may be kept.
pub(super) const KEEP_DAYS: Bounds = (1, 3650, "days");

/// All settings, in the order of the example.
pub const KEYS: &[Key] = &all();

const fn all() -> [Key; COUNT] {
    let mut keys = [TEXT; COUNT];
    let (mut part, mut first, mut at) = (0, 0, 0);
    while at < COUNT {
        if at - first == PARTS[part].len() {
            (part, first) = (part + 1, at);
        }
        keys[at] = PARTS[part][at - first];
        at += 1;
    }
    keys
}

const PARTS: [&[Key]; 4] = [HERE, &alerts::KEYS, team::KEYS, &messages::KEYS];
const COUNT: usize = HERE.len() + alerts::KEYS.len() + team::KEYS.len() + messages::KEYS.len();

/// All but what a team decides and the texts of messages.
const HERE: &[Key] = &[
    Key {
        section: "library",
        name: "path",
        default: "/srv/storyline/library",
        doc: "The folder that is watched, as an absolute path. The folders in it are the categories. The first value for the box's \
              own team; what is decided later wins.",
        ..TEXT
    },
    Key {
        section: "library",
        name: "cache",
        default: "/var/cache/storyline",
        doc: "The folder in which rendered pictures are kept, as an absolute path outside of the library. It may be \
              deleted at any time; what is needed is rendered anew.",
        ..TEXT
    },
    Key {
        section: "library",
        name: "cache_mb",
        kind: Kind::Whole(CACHE_MB),
        default: "500",
        doc: "How much is kept there; beyond, what was used longest ago goes.",
        ..TEXT
    },
    Key {
        section: "database",
        name: "url",
        default: "sqlite:/var/lib/storyline/storyline.db",
        doc: "A file of SQLite (`sqlite:/path/to/file.db`), or a PostgreSQL database \
              (`postgres://user:password@host/database`) for a team that outgrows one box. It may also be the systemd \
              credential `database.url`.",
        secrecy: Secrecy::HoldsPassword,
        ..TEXT
    },
    Key {
        section: "secrets",
        name: "key",
        doc: "The key: 64 hexadecimal digits, best those of `openssl rand -hex 32`; unset, one is made in `secret.key` beside the \
              database when it is first needed. Unless it stands here, it is in no backup: keep a copy. Of several, a line each, the first encrypts. It \
              is a secret: prefer the systemd credential `secrets.key`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: "backup",
        name: "folder",
        sample: "/var/lib/storyline/backups",
        doc: "The folder that they are kept in, as an absolute path; unset, `backups` beside the database. The service must be \
              able to write there: for one elsewhere, `systemctl edit storyline` and write `[Service]` and \
              `ReadWritePaths=/the/folder`.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "keep_days",
        kind: Kind::Whole(KEEP_DAYS),
        default: "30",
        doc: "How long they are kept: every one of the last week, of the nightly ones before it one a week, and always the \
              newest.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "encrypt_for",
        doc: "For whom the copies that leave the box are encrypted, as `storyline backup key` tells it: a public key of `age` \
              (`age1…`) or of SSH (`ssh-ed25519 …`), of several a line each. What opens them is kept elsewhere; whoever has it \
              needs no Storyline, but any `age` and `tar`.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "copy_to",
        sample: "/media/stick/backups",
        doc: "A folder on a stick, another disk or a share that the newest backup is copied to, encrypted, as an absolute path; \
              copies are kept there as long as backups are here. Make it on the stick itself, one of its own for each box: while \
              it is not there nothing is written, and the newest follows when it is back. The service may write there after \
              `systemctl edit storyline` with the lines `[Service]` and `ReadWritePaths=-/media/stick` and a restart, if the \
              folder's rights let the user `storyline` do so.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "copy_to_chat",
        kind: Kind::Truth,
        default: "false",
        doc: "Whether the newest backup is sent to `[telegram] admin_chat`, encrypted and without a sound; up to 50 MB, which is \
              the most that bots may send, on a line that carries it in five minutes.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "s3_url",
        sample: "https://s3.eu-central-1.amazonaws.com/bucket/storyline",
        doc: "The bucket that the newest backup is copied to, encrypted: the address of any server that speaks S3, the name of the \
              bucket, and a folder in it if you like. An access key that may do nothing but put files there is enough. What is too old \
              is removed by the bucket's own rule (its lifecycle), not by Storyline.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "s3_region",
        default: "us-east-1",
        doc: "The region of the bucket. Many servers that are not Amazon's take any.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "s3_access_key",
        sample: "storyline",
        doc: "The name of the access key; it goes with `s3_url`.",
        ..TEXT
    },
    Key {
        section: "backup",
        name: "s3_secret_key",
        doc: "The secret of the access key; it goes with `s3_url`. Prefer the systemd credential `backup.s3_secret_key`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: "health",
        name: "listen",
        sample: "127.0.0.1:9180",
        doc: "An address and port where it answers by HTTP, too: `/health` with 200, or 503 if something does not work, and \
              all that a check finds; `/metrics` for Prometheus. Anybody who reaches it may ask.",
        ..TEXT
    },
    Key {
        section: "network",
        name: "proxy",
        sample: "http://proxy.example.com:3128",
        doc: "The proxy by which servers outside are reached: `http://HOST:PORT`, `https://HOST:PORT`, `socks5://HOST:PORT`, or \
              `socks5h://HOST:PORT` where the proxy finds names; with `USER:PASSWORD@` before the host if it wants them. Unset, \
              the variables `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` count, as elsewhere. This machine itself, and what \
              `NO_PROXY` names, is reached without.",
        secrecy: Secrecy::HoldsPassword,
        ..TEXT
    },
    Key {
        section: "network",
        name: "ca_file",
        sample: "/etc/storyline/ca.pem",
        doc: "The certificate of an authority of your own, or several, in PEM, as an absolute path: for a server of the Bot API or \
              a bucket in the house, or an office that inspects TLS. Those of the machine's store (`update-ca-certificates`; \
              `SSL_CERT_FILE` names another one) are trusted as well.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "token",
        doc: "The bot's token, as @BotFather gave it; unset, the service stays up, indexes, and says what is missing. It is \
              a secret: prefer `token_file` or the systemd credential `telegram.token`. An environment variable wins over \
              a credential, a credential over this file.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "token_file",
        sample: "/etc/storyline/telegram.token",
        doc: "A file that holds the token and nothing else, in place of `token`, as an absolute path. Only the service \
              should be able to read it.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "chat",
        kind: Kind::Id,
        sample: "-1001234567890",
        doc: "The number of the team's channel or group, where stories are reviewed. First value; what is decided later wins.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "thread",
        kind: Kind::Id,
        sample: "12",
        doc: "The topic in that group, if it has topics and stories belong in one of them. First value; what is decided later wins.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "admin_chat",
        kind: Kind::Id,
        sample: "123456789",
        doc: "The number of the chat that alerts go to; unset, they go to the team's chat. Whose private chat it is owns the box.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "api_url",
        default: "https://api.telegram.org",
        doc: "The server of the Bot API; another one only if you run your own.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "api_files",
        sample: "/var/lib/telegram-bot-api",
        doc: "The folder in which your own server of the Bot API keeps files, as an absolute path, if it runs on this machine with \
              `--local`: what people send may then have 2 GB in place of 20 MB, and is read from there. The service's user has to \
              be allowed to read it.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "announce",
        kind: Kind::Truth,
        default: "true",
        doc: "A story that has to be uploaded is announced in a few words, and its picture put into that message: an upload \
              whose answer is lost is repeated, and nobody sees it twice. `false` sends it in one call, for a server of the \
              Bot API that cannot turn a text into a picture; one that says so is sent to in one call anyway.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "webhook_url",
        sample: "https://stories.example.com/telegram",
        doc: "For a box that the internet reaches: the public address that Telegram calls with what people do. Unset, the \
              box asks Telegram, which needs no address, no certificate and no open port.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "webhook_listen",
        default: "127.0.0.1:8443",
        doc: "Where this box takes those calls, as address and port. It speaks plain HTTP: the web server that holds the \
              certificate passes them on to it.",
        ..TEXT
    },
    Key {
        section: "telegram",
        name: "webhook_secret",
        doc: "What Telegram shows with each call, so that nobody else is heard: 1 to 256 letters, digits, `_` and `-`, \
              best at random. It goes with `webhook_url`. It is a secret: prefer the systemd credential \
              `telegram.webhook_secret`.",
        secrecy: Secrecy::Secret,
        ..TEXT
    },
    Key {
        section: "log",
        name: "level",
        default: "info",
        doc: "How much is told: `error`, `warn`, `info`, `debug` or `trace`; parts of the program may have their own, as in \
              `info,storyline::telegram=debug`.",
        ..TEXT
    },
    Key {
        section: "log",
        name: "format",
        default: "auto",
        doc: "`journal` (with fields for journalctl), `text`, `json`, or `auto`: the journal under systemd, else text.",
        ..TEXT
    },
];

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
