//! The address of the database. It may hold a password, which never prints.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::written::Complaint;

/// The forms an address may have.
const FORMS: &str = "write `sqlite:/path/to/file.db` or `postgres://user:password@host/database`";

/// Where everything is remembered.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file of SQLite, by its absolute path.
    Sqlite(PathBuf),
    /// A PostgreSQL database, by its URL.
    Postgres(SecretString),
}

impl DatabaseUrl {
    /// Where the box keeps what belongs to the database but is not in it.
    pub(super) fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(path) => path.parent().unwrap_or(Path::new("/")),
            Self::Postgres(_) => Path::new("/var/lib/storyline"),
        }
    }

    /// The password in it, as it is written there.
    pub(super) fn password(&self) -> Option<SecretString> {
        let Self::Postgres(url) = self else {
            return None;
        };
        let url = Url::parse(url.expose_secret()).ok()?;
        let in_query = url.query_pairs().find(|(name, _)| name == "password");
        let password = in_query.map(|(_, password)| password.into_owned());
        password
            .or_else(|| url.password().map(str::to_owned))
            .map(SecretString::from)
    }

    pub(super) fn parse(text: &str) -> Result<Self, Complaint> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "sqlite" => {
                // `sqlite:///var/x.db` and `sqlite:/var/x.db` are the same file.
                let path = PathBuf::from(rest.strip_prefix("//").unwrap_or(rest));
                if path.is_absolute() && path.file_name().is_some() {
                    return Ok(Self::Sqlite(path));
                }
                Err(Complaint::new(
                    "the file needs an absolute path",
                    "write `sqlite:/var/lib/storyline/storyline.db`",
                ))
            }
            "postgres" | "postgresql" if !cfg!(feature = "postgres") => Err(Complaint::new(
                "this build of Storyline has no PostgreSQL",
                "use `sqlite:/path/to/file.db`, or a build with the feature `postgres`",
            )),
            "postgres" | "postgresql" if rest.starts_with("//") && Url::parse(text).is_ok() => {
                Ok(Self::Postgres(text.into()))
            }
            "postgres" | "postgresql" => Err(Complaint::new(
                "it is no valid URL",
                format!(
                    "{FORMS}; letters such as `@`, `/` and `#` in a password are written `%40`, `%2F` and `%23`"
                ),
            )),
            _ => Err(Complaint::new("it names no database", FORMS)),
        }
    }
}

/// The address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url.expose_secret())),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A database's address as it may be shown, be it valid or not: of one that is not understood, only the scheme.
pub(super) fn without_password(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        let is_word = scheme.chars().all(|letter| letter.is_ascii_alphanumeric());
        return format!("{}…", if is_word { scheme } else { "" });
    };
    if !url.has_host() {
        return format!("{}:…", url.scheme());
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return format!("{}:…", url.scheme());
    }
    // A query may hold `password=` too, and what else is secret in it nobody knows.
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_absolute_path() {
        for text in ["sqlite:/var/x.db", "sqlite:///var/x.db"] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), "sqlite:/var/x.db");
        }
        for text in [
            "sqlite:x.db",
            "sqlite:",
            "sqlite:/",
            "/var/x.db",
            "mysql://h/d",
            "",
        ] {
            assert!(DatabaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_server_is_shown_without_its_password() {
        for (text, shown) in [
            (
                "postgres://team:canary@db/stories",
                "postgres://team:***@db/stories",
            ),
            (
                "postgresql://db:5433/s?password=canary",
                "postgresql://db:5433/s",
            ),
            ("postgresql:///s?host=/run&password=canary", "postgresql:…"),
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn an_address_that_is_not_understood_shows_no_password_either() {
        for text in [
            "postgress://team:canary@db/stories",
            "postgres://team:can#ary@db:x/stories",
            "host=db password=canary",
            "canary",
            "postgres:canary",
            "a canary://x",
        ] {
            assert!(!without_password(text).contains("canary"), "{text}");
        }
    }
}
