//! `storyline backup key`: makes the key that copies are encrypted for. What opens them is shown once, and kept nowhere.

use std::path::Path;

use secrecy::ExposeSecret;
use serde::Serialize;

use crate::backup::copies::age::{Pair, make_pair};
use crate::cli::print::{Print, say};
use crate::cli::{Failure, told};
use crate::config::{Draft, Environment, Problems, path_of};

const SETTING: &str = "backup.encrypt_for";

#[derive(Serialize)]
struct Shown<'a> {
    private_key: &'a str,
    public_key: &'a str,
    /// Whether copies are encrypted for it from now on.
    is_in_force: bool,
}

/// Settings that are wrong for want of this key alone are right for it.
pub(in crate::cli) async fn run(
    print: Print,
    another: bool,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let path = path_of(path, environment);
    let mut draft = Draft::open(&path).map_err(|error| {
        let reason = format!("`{}` cannot be read: {error}", path.display());
        Failure::Other(told(reason, "run the command with `sudo`"))
    })?;
    let in_force = match draft.load(environment) {
        Ok(loaded) => loaded.config.backup.copies.recipients,
        Err(Problems(problems)) if problems.iter().all(|problem| problem.key == SETTING) => {
            Vec::new()
        }
        Err(problems) => return Err(Failure::Config(problems)),
    };
    // Whoever only wants to see the key again must not lose the one that opens the copies.
    if !in_force.is_empty() && !another {
        return Err(Failure::Other(told(
            format!(
                "copies are encrypted for a key already, {}: its private half was shown when it was made",
                in_force.join(", ")
            ),
            "if that is lost, or for somebody else to open them too, `storyline backup key --another` makes one more",
        )));
    }
    let pair = make_pair().await;
    let pair = pair.map_err(|error| Failure::plain(error.to_string()))?;
    // First what is lost if it is not read: a setting for a key that nobody has would encrypt for nobody.
    show(print, &pair, in_force.is_empty())?;
    let line = format!("encrypt_for = \"{}\"", pair.public);
    let shown = path.display();
    if !in_force.is_empty() {
        say(&format!(
            "Nothing is encrypted for this key yet. Write its public half into `{shown}`, below `[backup]`, beside those that are \
             there (of several, a line each) or in their place: {line}"
        ));
        return Ok(());
    }
    let written = draft
        .put(SETTING, &pair.public)
        .map_err(|complaint| complaint.reason)
        .and_then(|()| draft.keep().map_err(|error| error.to_string()));
    if let Err(reason) = written {
        return Err(Failure::Other(told(
            format!("the public half was not written into `{shown}`: {reason}"),
            format!("write it there by hand, below `[backup]`: {line}"),
        )));
    }
    say(&format!(
        "Its public half is written into `{shown}`: {line}\n`sudo systemctl restart storyline` makes it true."
    ));
    Ok(())
}

fn show(print: Print, pair: &Pair, is_in_force: bool) -> Result<(), Failure> {
    let private_key = pair.private.expose_secret();
    if print.is_json() {
        return print.json(&Shown {
            private_key,
            public_key: &pair.public,
            is_in_force,
        });
    }
    print.text(&format!("{private_key}\n"))?;
    say(
        "This is the private key, shown this once: it opens the copies that are encrypted for its public half. Keep it\n\
         away from the box, in a password manager or on paper. Whoever takes the box cannot open them; without it neither can you.",
    );
    Ok(())
}
