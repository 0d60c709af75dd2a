//! `storyline media validate`: what the rules for stories say of the media.

use super::{Condition, find};
use crate::cli::check;
use crate::cli::print::count;
use crate::cli::{Failure, Seat};
use crate::doctor::Findings;
use crate::domain::media::Media;

/// One media, or all that are there; of many only those of which there is something to say.
pub(super) async fn run(seat: &Seat, typed: Option<&str>) -> Result<(), Failure> {
    let mut findings = Findings::default();
    if let Some(typed) = typed {
        let media = find(seat, typed).await?;
        if !judge(&mut findings, &media) {
            findings.ok(&media.path, "it may be a story");
        }
        return check::tell(seat.print, &findings);
    }
    let mut sound = 0;
    for media in &seat.flow.media(None).await? {
        if media.missing_since.is_none() && !judge(&mut findings, media) {
            sound += 1;
        }
    }
    let sound = count(
        sound,
        "media is as it should be",
        "media are as they should be",
    );
    findings.ok("media", sound);
    check::tell(seat.print, &findings)
}

/// Whether there was something to say.
fn judge(findings: &mut Findings, media: &Media) -> bool {
    for error in &media.errors {
        findings.problem(&media.path, error.as_str(), None);
    }
    for warning in &media.warnings {
        findings.note(&media.path, warning.as_str(), None);
    }
    let unknown = match Condition::of(media) {
        Condition::Missing => Some("its file is gone; it was checked while it was there"),
        Condition::Waiting => Some("it waits to be examined; only its header was checked"),
        Condition::Ready | Condition::Flawed => None,
    };
    if let Some(unknown) = unknown {
        findings.note(&media.path, unknown, None);
    }
    unknown.is_some() || !media.errors.is_empty() || !media.warnings.is_empty()
}
