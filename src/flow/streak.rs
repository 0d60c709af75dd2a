//! Deliveries that fail one after the other, for the same kind of reason: a single one is nobody's concern, but a few in a row
//! do not pass by themselves. How many there were is on record, so a restart does not forget them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Result;
use super::conditions::judge;
use super::outlet::Trouble;
use crate::domain::alert::topic::DELIVERY;
use crate::domain::calendar::moment;
use crate::domain::ids::TeamId;
use crate::domain::team::TeamSettings;
use crate::store::{Tx, state};

/// So many in a row are told of.
const MANY: u32 = 3;

/// Why a delivery failed, as far as it matters who mends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Network,
    Rights,
    Refused,
    Patience,
}

impl Kind {
    /// Nothing, if it is no failure.
    fn of(trouble: &Trouble) -> Option<Self> {
        match trouble {
            Trouble::Unreachable(_) | Trouble::Unsure(_) => Some(Self::Network),
            Trouble::Owner(_) => Some(Self::Rights),
            Trouble::Never(_) => Some(Self::Refused),
            Trouble::Later(_) => Some(Self::Patience),
            // What follows from these is done at once: another number, another message, another way.
            Trouble::Moved(_) | Trouble::Gone | Trouble::StaysText | Trouble::Changed => None,
        }
    }

    /// After how many of them a person is told: what only a person can mend is told at once.
    fn patience(self) -> u32 {
        match self {
            Self::Rights => 1,
            Self::Network | Self::Refused | Self::Patience => MANY,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Network => {
                "Check the box's network, and whether Telegram works; each is tried again by itself."
            }
            Self::Patience => "Nothing is to be done: each is tried again as soon as it may be.",
            Self::Rights => "`storyline telegram test` tells what the bot needs.",
            Self::Refused => {
                "Telegram refuses what it is sent; `storyline history list` shows which stories."
            }
        }
    }
}

/// Failures of one kind with no success between them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Streak {
    kind: Kind,
    failures: u32,
    since: Timestamp,
}

/// Notes a delivery that failed, and tells of it if it is one of many.
pub(super) fn fail(
    tx: &mut dyn Tx,
    team: TeamId,
    settings: &TeamSettings,
    trouble: &Trouble,
    now: Timestamp,
) -> Result<()> {
    let Some(kind) = Kind::of(trouble) else {
        return Ok(());
    };
    let before = state::failures(tx, team)?
        .and_then(|text| serde_json::from_str::<Streak>(&text).ok())
        .filter(|before| before.kind == kind);
    let streak = Streak {
        kind,
        failures: before.map_or(0, |before| before.failures).saturating_add(1),
        since: before.map_or(now, |before| before.since),
    };
    // More than many are no news: a long outage writes nothing.
    if streak.failures <= MANY {
        let text = serde_json::to_string(&streak).unwrap_or_default();
        state::note_failures(tx, team, &text)?;
    }
    if streak.failures >= kind.patience() {
        let text = format!(
            "Stories cannot be delivered since {}: {}. {}",
            moment(streak.since, &settings.timezone),
            trouble.reason(),
            kind.remedy()
        );
        judge(tx, team, DELIVERY, Some(&text), now)?;
    }
    Ok(())
}

/// Notes that a delivery succeeded.
pub(super) fn succeed(tx: &mut dyn Tx, team: TeamId, now: Timestamp) -> Result<()> {
    if state::failures(tx, team)?.is_some_and(|text| !text.is_empty()) {
        state::note_failures(tx, team, "")?;
    }
    judge(tx, team, DELIVERY, None, now)?;
    Ok(())
}
