//! Finds what is set, and where: the file, the environment over it, secrets from files and systemd credentials.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::{self, Raw, Values, Written};
use super::keys::{KEYS, Key, Secrecy};
use super::problem::{Origin, Problem, Problems};
use super::{Config, Environment, check};
use crate::domain::nearest::nearest;
use crate::system::named::text_of;

/// The file that is read if no other is named. It alone may be missing.
pub const DEFAULT_PATH: &str = "/etc/storyline/storyline.toml";

/// Where root keeps the secrets of services, from where systemd hands them out.
const CREDENTIAL_STORE: &str = "/etc/credstore";

/// The variable that names another file.
const PATH_VARIABLE: &str = "STORYLINE_CONFIG";
/// The beginning of all our variables.
const PREFIX: &str = "STORYLINE_";
/// The variable in which systemd names the directory of the service's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// More than any settings take, in bytes, and more than any secret.
pub(super) const MOST_BYTES: u64 = 1_000_000;
/// Others may read the file.
const READABLE_BY_OTHERS: u32 = 0o004;

/// It may hold a password, and is no secret otherwise.
const PROXY: &str = "network.proxy";
const TOKEN: &str = "telegram.token";
const TOKEN_FILE: &str = "telegram.token_file";

/// The settings, and how they came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file they were read from; `None` if there is none, and the defaults hold.
    pub path: Option<PathBuf>,
    /// Where the value of each key came from.
    pub origins: BTreeMap<String, Origin>,
    /// What is odd but stops nothing.
    pub warnings: Vec<Problem>,
    /// Secrets that are missing, or root's alone and not this user's to read: only the service itself cannot do without.
    pub withheld: Vec<Problem>,
}

impl Config {
    /// Reads the settings from this file, or the one that `STORYLINE_CONFIG` names, or [`DEFAULT_PATH`]; each may be
    /// overridden by its variable, and secrets may come from files and credentials.
    ///
    /// # Errors
    /// Everything that is wrong with them, at once.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Loaded, Problems> {
        load(path, environment, HOUSE)
    }
}

/// The file that is read: this one, or the one that `STORYLINE_CONFIG` names, or [`DEFAULT_PATH`].
#[must_use]
pub fn path_of(path: Option<&Path>, environment: &Environment) -> PathBuf {
    named(path, environment)
        .unwrap_or(Path::new(HOUSE.settings))
        .to_owned()
}

/// Where root keeps the service's secret of this key.
#[must_use]
pub fn credential_of(key: &str) -> PathBuf {
    HOUSE.credential(key)
}

/// Where the service's own settings and secrets are.
#[derive(Clone, Copy)]
struct House<'a> {
    settings: &'a str,
    credentials: &'a str,
}

const HOUSE: House<'static> = House {
    settings: DEFAULT_PATH,
    credentials: CREDENTIAL_STORE,
};

impl House<'_> {
    fn credential(self, key: &str) -> PathBuf {
        Path::new(self.credentials).join(format!("storyline.{key}"))
    }
}

fn named<'a>(path: Option<&'a Path>, environment: &'a Environment) -> Option<&'a Path> {
    path.or_else(|| environment.get(PATH_VARIABLE).map(Path::new))
}

fn load(
    path: Option<&Path>,
    environment: &Environment,
    house: House<'_>,
) -> Result<Loaded, Problems> {
    let named = named(path, environment);
    let (path, text) = match read(named.unwrap_or(Path::new(house.settings)), named.is_some()) {
        Ok(found) => found,
        Err(problem) => return Err(Problems(vec![*problem])),
    };
    digest(path, &text, environment, house)
}

/// The settings that this text would be in the file of this path.
pub(super) fn load_text(
    path: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Loaded, Problems> {
    digest(Some(path.to_owned()), text, environment, HOUSE)
}

fn digest(
    path: Option<PathBuf>,
    text: &str,
    environment: &Environment,
    house: House<'_>,
) -> Result<Loaded, Problems> {
    let (mut values, mut problems) = match &path {
        Some(path) => file::read(text, path),
        None => (Values::new(), Vec::new()),
    };
    let is_house = path
        .as_deref()
        .is_none_or(|path| path == Path::new(house.settings));
    let mut warnings: Vec<_> = path
        .iter()
        .filter_map(|path| exposed(path, &values))
        .collect();
    overlay_variables(&mut values, environment);
    warnings.extend(environment.names().filter_map(unknown_variable));
    let mut closed = Vec::new();
    for key in KEYS.iter().filter(|key| key.secrecy != Secrecy::Open) {
        let house = is_house.then_some(house);
        match overlay_credential(&mut values, environment, house, key) {
            Ok(Access::Open) => {}
            Ok(Access::Closed) => closed.push(key.path()),
            Err(problem) => problems.push(*problem),
        }
    }
    match overlay_token_file(&mut values) {
        Ok(warning) => warnings.extend(warning),
        Err(problem) => problems.push(*problem),
    }

    let (mut config, wrong, odd) = check::check(&values);
    config.network = std::mem::take(&mut config.network).within(environment);
    config.backup.settings.clone_from(&path);
    config.secrets.is_withheld = closed.iter().any(|key| key == "secrets.key");
    let is_withheld =
        |problem: &Problem| closed.contains(&problem.key) && !values.contains_key(&problem.key);
    let (withheld, wrong): (Vec<_>, Vec<_>) = wrong.into_iter().partition(is_withheld);
    problems.extend(wrong);
    warnings.extend(odd);
    if !problems.is_empty() {
        // In the order of the file, so that one pass through it mends all.
        problems.sort_by(|one, other| one.origin.cmp(&other.origin));
        return Err(Problems(problems));
    }
    Ok(Loaded {
        config,
        path,
        origins: origins(values),
        warnings,
        withheld,
    })
}

/// The file and its text; neither, if there is none and none has to be.
fn read(path: &Path, must_exist: bool) -> Result<(Option<PathBuf>, String), Box<Problem>> {
    match text_of(path, MOST_BYTES) {
        Ok(text) => Ok((Some(path.to_owned()), text)),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => {
            Ok((None, String::new()))
        }
        Err(error) => Err(Box::new(Problem::new(
            path.display().to_string(),
            format!("the configuration cannot be read: {error}"),
            match error.kind() {
                ErrorKind::PermissionDenied => {
                    "run the command with `sudo`; if it is the service that may not read it, give the file to its group: \
                     `chgrp storyline FILE && chmod 640 FILE`"
                }
                _ => "check the path; the file is UTF-8 text",
            },
        ))),
    }
}

/// A file that tells its secrets to everyone.
fn exposed(path: &Path, values: &Values) -> Option<Problem> {
    let is_set = |key: &Key, written: &Written| match &written.raw {
        Raw::Text(text) if key.path() == PROXY => text.contains('@'),
        Raw::Text(text) => !text.trim().is_empty() && !text.starts_with("sqlite:"),
        _ => false,
    };
    let secret = KEYS
        .iter()
        .filter(|key| key.secrecy != Secrecy::Open)
        .find(|key| {
            values
                .get(&key.path())
                .is_some_and(|written| is_set(key, written))
        })?;
    readable_by_others(path).then(|| exposed_file(&secret.path(), path))
}

fn readable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & READABLE_BY_OTHERS != 0)
}

fn exposed_file(key: &str, path: &Path) -> Problem {
    let path = path.display();
    Problem::new(
        key,
        format!("every user of this machine can read it in `{path}`"),
        format!("run `chmod o= {path}`"),
    )
}

fn overlay_variables(values: &mut Values, environment: &Environment) {
    for key in KEYS {
        let name = key.environment_name();
        if let Some(text) = environment.get(&name) {
            let written = Written {
                raw: Raw::Loose(text.to_owned()),
                origin: Origin::Variable(name),
            };
            values.insert(key.path(), written);
        }
    }
}

fn unknown_variable(name: &str) -> Option<Problem> {
    let names: Vec<_> = KEYS.iter().map(Key::environment_name).collect();
    if !name.starts_with(PREFIX) || name == PATH_VARIABLE || names.iter().any(|known| known == name)
    {
        return None;
    }
    let remedy = nearest(name, names.iter().map(String::as_str)).map_or_else(
        || "remove it; `storyline config show` has all settings".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Some(Problem::new(
        format!("${name}"),
        "it sets nothing: there is no such setting",
        remedy,
    ))
}

/// Whether this user may know if there is a credential.
enum Access {
    Open,
    Closed,
}

/// Takes a secret from systemd's credential of its name, unless a variable has set it. Nobody hands one to a command; with the
/// settings of the house, root's looks where systemd takes them from.
fn overlay_credential(
    values: &mut Values,
    environment: &Environment,
    house: Option<House<'_>>,
    key: &Key,
) -> Result<Access, Box<Problem>> {
    let by_variable = |path: &str| {
        let written = values.get(path);
        written.is_some_and(|written| matches!(written.origin, Origin::Variable(_)))
    };
    if by_variable(&key.path()) || key.path() == TOKEN && by_variable(TOKEN_FILE) {
        return Ok(Access::Open);
    }
    let handed = environment.get(CREDENTIALS).map(Path::new);
    let places = match (handed, house) {
        (Some(directory), _) => vec![
            directory.join(key.path()),
            directory.join(key.path().replace('.', "_")),
        ],
        (None, Some(house)) => vec![house.credential(&key.path())],
        (None, None) => return Ok(Access::Open),
    };
    let mut access = Access::Open;
    for path in places {
        match secret_in(&path) {
            Ok(None) => {}
            Ok(Some(raw)) => {
                let origin = Origin::Credential(path);
                values.insert(key.path(), Written { raw, origin });
                return Ok(Access::Open);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // They are root's alone; to anybody else the command is as good as without them.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && handed.is_none() => {
                access = Access::Closed;
            }
            Err(error) => return Err(Box::new(unreadable(key.path(), &path, &error))),
        }
    }
    Ok(access)
}

/// Takes the token from the file that is named for it. What outranks the file leaves it unread; a file and a token named
/// side by side are refused, since nobody could say which is meant.
fn overlay_token_file(values: &mut Values) -> Result<Option<Problem>, Box<Problem>> {
    let path = match values.get(TOKEN_FILE).map(|written| &written.raw) {
        Some(Raw::Text(text) | Raw::Loose(text)) if !text.trim().is_empty() => {
            PathBuf::from(text.trim())
        }
        _ => return Ok(None),
    };
    let file_by_variable = matches!(values[TOKEN_FILE].origin, Origin::Variable(_));
    if let Some(token) = values.get(TOKEN) {
        let is_empty = matches!(&token.raw, Raw::Text(text) if text.trim().is_empty());
        match &token.origin {
            Origin::Variable(_) | Origin::Credential(_) => return Ok(None),
            origin if !is_empty && !file_by_variable => {
                return Err(Box::new(
                    Problem::new(
                        TOKEN,
                        "both `token` and `token_file` are set",
                        "remove one of them, best the token itself",
                    )
                    .at(origin),
                ));
            }
            _ => {}
        }
    }
    if !path.is_absolute() {
        return Ok(None); // The check of the path says so.
    }
    match secret_in(&path) {
        Ok(raw) => {
            let raw = raw.unwrap_or(Raw::Text(String::new()));
            let warning = readable_by_others(&path).then(|| exposed_file(TOKEN, &path));
            let origin = Origin::SecretFile(path);
            values.insert(TOKEN.to_owned(), Written { raw, origin });
            Ok(warning)
        }
        Err(error) => {
            let problem = unreadable(TOKEN_FILE, &path, &error);
            Err(Box::new(problem.at(&values[TOKEN_FILE].origin)))
        }
    }
}

/// The secret in a file, without the line break that editors leave; `None` if it is empty.
fn secret_in(path: &Path) -> std::io::Result<Option<Raw>> {
    let text = text_of(path, MOST_BYTES)?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| Raw::Text(text.to_owned())))
}

fn unreadable(key: impl Into<String>, path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        key,
        format!("`{}` cannot be read: {error}", path.display()),
        match error.kind() {
            ErrorKind::PermissionDenied => {
                "run the command with `sudo`; if it is the service that may not read it, give its user the right to"
            }
            _ => "check the path",
        },
    )
}

fn origins(values: Values) -> BTreeMap<String, Origin> {
    let mut origins: BTreeMap<_, _> = KEYS
        .iter()
        .map(|key| (key.path(), Origin::Default))
        .collect();
    origins.extend(
        values
            .into_iter()
            .map(|(path, written)| (path, written.origin)),
    );
    origins
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
