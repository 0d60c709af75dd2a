//! A newer version is told of as news, once a week at most.

use jiff::{SignedDuration, Timestamp};

use super::conditions::judge;
use super::{Flow, Result};
use crate::domain::alert::topic::NEWER;
use crate::store::state;

/// How long the same is not told again.
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

impl Flow {
    /// Says that this version may be installed.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn newer_version(&self, version: &str, now: Timestamp) -> Result<()> {
        if !self.trusts_clock(now).await? {
            return Ok(());
        }
        let (team, version) = (self.team, version.to_owned());
        let is_news = self
            .store
            .write(move |tx| {
                let lately = |at: Timestamp| now.duration_since(at).abs() < WEEK;
                if state::newer(tx)?.is_some_and(lately) {
                    return Ok(false);
                }
                state::note_newer(tx, now)?;
                let text = format!(
                    "Storyline {version} is there; {} runs. `sudo apt upgrade` on the box installs it.",
                    env!("CARGO_PKG_VERSION")
                );
                judge(tx, team, NEWER, Some(&text), now)
            })
            .await?;
        if is_news {
            self.nudges.alerts.notify();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::team::TeamSettings;
    use crate::flow::Store;

    #[tokio::test]
    async fn it_is_told_once_a_week_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("s.db")).unwrap();
        let began: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
        let flow = Flow::open(store, TeamSettings::default(), began)
            .await
            .unwrap();
        for (hours, is_told) in [(1, true), (25, false), (24 * 7, false), (24 * 7 + 2, true)] {
            let now = began + SignedDuration::from_hours(hours);
            flow.newer_version("9.0.0", now).await.unwrap();
            let standing = flow.alerts().await.unwrap();
            assert_eq!(standing.len(), usize::from(is_told), "{hours}");
            // As the loop that tells news does.
            flow.condition(NEWER, None, now).await.unwrap();
        }
    }
}
