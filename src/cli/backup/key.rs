//! `storyline backup key`: makes the key that copies are encrypted for. What opens them is shown once, and kept nowhere.

use std::path::Path;

use secrecy::ExposeSecret;
use serde::Serialize;

use crate::backup::copies::age::{Pair, make_pair};
use crate::cli::print::{Print, say};
use crate::cli::{Failure, told};
use crate::config::{Draft, Environment, path_of};

const SETTING: &str = "backup.encrypt_for";

#[derive(Serialize)]
struct Shown<'a> {
    private_key: &'a str,
    public_key: &'a str,
}

/// The settings may be wrong for want of this key, so no more of them is read than it needs.
pub(in crate::cli) async fn run(
    print: Print,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let pair = make_pair().await;
    let pair = pair.map_err(|error| Failure::plain(error.to_string()))?;
    // First what is lost if it is not read: a setting for a key that nobody has would encrypt for nobody.
    show(print, &pair)?;
    if !print.is_json() {
        say(
            "This is the private key. It opens the copies, and is shown this once: keep it away from the box, in a password",
        );
        say(
            "manager or on paper. Whoever takes the box cannot open them; without this key neither can you.",
        );
    }
    let path = path_of(path, environment);
    let line = format!("encrypt_for = \"{}\"", pair.public);
    match write(&path, environment, &pair.public) {
        Ok(true) => say(&format!(
            "Its public half is written into `{}`: {line}\n`sudo systemctl restart storyline` makes it true.",
            path.display()
        )),
        Ok(false) => say(&format!(
            "Copies are encrypted for another key already. To have this one too, or in its place, write its public half below \
             `[backup]` in `{}`, of several a line each: {line}",
            path.display()
        )),
        Err(reason) => {
            return Err(Failure::Other(told(
                format!(
                    "the public half was not written into `{}`: {reason}",
                    path.display()
                ),
                format!("write it there by hand, below `[backup]`: {line}"),
            )));
        }
    }
    Ok(())
}

fn show(print: Print, pair: &Pair) -> Result<(), Failure> {
    let private_key = pair.private.expose_secret();
    if print.is_json() {
        return print.json(&Shown {
            private_key,
            public_key: &pair.public,
        });
    }
    print.text(&format!("{private_key}\n"))
}

/// Writes the setting, unless it is set; whether it was written.
fn write(path: &Path, environment: &Environment, public: &str) -> Result<bool, String> {
    let mut draft = Draft::open(path).map_err(|error| error.to_string())?;
    let is_set = |loaded: crate::config::Loaded| !loaded.config.backup.copies.recipients.is_empty();
    if draft.load(environment).is_ok_and(is_set) {
        return Ok(false);
    }
    draft
        .put(SETTING, public)
        .map_err(|complaint| complaint.reason)?;
    draft.keep().map_err(|error| error.to_string())?;
    Ok(true)
}
