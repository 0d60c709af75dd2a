//! Whether the second ways for alerts work, as far as it is known.

use jiff::Timestamp;

use super::Findings;
use crate::config::Config;
use crate::flow::{Error, Flow};

const SUBJECT: &str = "alerts";
const TRY: &str = "`sudo storyline alert test` tries each way and says how it went";

/// What is on record of each way.
///
/// # Errors
/// If the records cannot be read.
pub(super) async fn ways(
    findings: &mut Findings,
    config: &Config,
    flow: &Flow,
    now: Timestamp,
) -> Result<(), Error> {
    for (way, to) in config.alerts.ways() {
        let record = flow.way(way, &to).await?;
        match (record.failed, record.worked_at) {
            (Some(failed), _) => {
                let minutes = now.duration_since(failed.at).as_mins();
                let told = format!("{way} {to}: failed {minutes} minutes ago: {}", failed.why);
                findings.warning(SUBJECT, told, TRY);
            }
            (None, Some(at)) => {
                let told = at.strftime("%Y-%m-%d %H:%M UTC");
                findings.ok(SUBJECT, format!("{way} {to}: it worked at {told}"));
            }
            (None, None) => {
                let told = format!("{way} {to}: nothing has gone there yet");
                findings.note(SUBJECT, told, Some(TRY));
            }
        }
    }
    Ok(())
}
