//! Whether a newer version is there, as far as the system's own lists of packages know. Nobody outside is asked.

use std::process::Command;
use std::time::Duration;

use super::Findings;
use crate::system::program::{Leash, output_of};

/// What runs.
const RUNS: &str = env!("CARGO_PKG_VERSION");
/// How long apt may take on a slow card, and how much it may say.
const LEASH: Leash = Leash {
    patience: Duration::from_secs(60),
    most_output_bytes: 64 * 1024,
    is_strange: false,
};

/// The version that apt would install in place of the one that is installed; nothing if there is none.
///
/// # Errors
/// In plain words, if it is not known.
pub fn newer() -> Result<Option<String>, String> {
    let mut apt = Command::new("apt-cache");
    apt.args(["policy", "storyline"]);
    let said = output_of(&mut apt, &LEASH).map_err(|error| error.to_string())?;
    candidate(&String::from_utf8_lossy(&said))
}

/// Says whether there is a newer version.
pub fn version(findings: &mut Findings) {
    match newer() {
        Ok(None) => findings.ok("version", format!("{RUNS}, the newest that apt knows")),
        Ok(Some(newer)) => findings.note(
            "version",
            format!("{RUNS}, and {newer} is there"),
            Some("`sudo apt upgrade` installs it, after a backup of the records"),
        ),
        Err(why) => {
            tracing::debug!("no newer version is known: {why}");
            findings.ok(
                "version",
                format!("{RUNS}; whether there is a newer one is not known"),
            );
        }
    }
}

/// Out of what `apt-cache policy` says of one package.
fn candidate(said: &str) -> Result<Option<String>, String> {
    let value = |name: &str| {
        let mut lines = said.lines().map(str::trim);
        let value = lines.find_map(|line| line.strip_prefix(name))?.trim();
        let is_version = |letter: char| letter.is_ascii_alphanumeric() || "+-.:~".contains(letter);
        (!value.is_empty() && value.chars().all(is_version)).then(|| value.to_owned())
    };
    match (value("Installed:"), value("Candidate:")) {
        (Some(installed), Some(candidate)) if installed == candidate => Ok(None),
        (Some(_), Some(candidate)) => Ok(Some(candidate)),
        _ => Err("apt does not know the package".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_newer() {
        let said = |installed: &str, candidate: &str| {
            format!(
                "storyline:\n  Installed: {installed}\n  Candidate: {candidate}\n  Version table:\n *** 0.1.0 500\n"
            )
        };
        for (installed, candidate_is, newer) in [
            ("0.1.0", "0.1.0", Ok(None)),
            (
                "0.1.0",
                "1:0.2.0~rc1-1",
                Ok(Some("1:0.2.0~rc1-1".to_owned())),
            ),
            ("(none)", "0.2.0", Err(())),
            ("0.1.0", "(none)", Err(())),
        ] {
            let found = candidate(&said(installed, candidate_is));
            assert_eq!(found.map_err(drop), newer, "{installed} {candidate_is}");
        }
        assert!(candidate("").is_err());
    }
}
