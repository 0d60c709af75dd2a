//! What a look finds: how one part of the box is, why, and what to do about it.

use serde::{Deserialize, Serialize};

use crate::domain::alert::Severity;

/// How a part of the box is; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All well.
    Ok,
    /// Worth knowing.
    Note,
    /// Something should be done, before it is a problem.
    Warning,
    /// Something is to be done.
    Problem,
}

impl State {
    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl From<Severity> for State {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Notice => Self::Note,
            Severity::Warning => Self::Warning,
            Severity::Problem => Self::Problem,
        }
    }
}

/// How one part of the box is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Whose it is, where the box has several teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Which part.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
    team: Option<String>,
}

impl Findings {
    /// All of it.
    #[must_use]
    pub fn all(&self) -> &[Finding] {
        &self.found
    }

    /// How many are of this state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.found.iter().filter(|one| one.state == state).count()
    }

    /// How the worst of it is.
    #[must_use]
    pub fn worst(&self) -> State {
        let states = self.found.iter().map(|one| one.state);
        states.max().unwrap_or(State::Ok)
    }

    /// Adds what another has found.
    pub fn extend(&mut self, found: impl IntoIterator<Item = Finding>) {
        self.found.extend(found);
    }

    /// What is found from here on is a team's, or again the whole box's.
    pub fn of_team(&mut self, name: Option<&str>) {
        self.team = name.map(str::to_owned);
    }

    /// All well.
    pub fn ok(&mut self, subject: &str, reason: impl Into<String>) {
        self.add(subject, State::Ok, reason, None);
    }

    /// Worth knowing.
    pub fn note(&mut self, subject: &str, reason: impl Into<String>, remedy: Option<&str>) {
        self.add(subject, State::Note, reason, remedy);
    }

    /// To be seen to before it is a problem.
    pub fn warning(&mut self, subject: &str, reason: impl Into<String>, remedy: &str) {
        self.add(subject, State::Warning, reason, Some(remedy));
    }

    /// Something does not work.
    pub fn problem(&mut self, subject: &str, reason: impl Into<String>, remedy: Option<&str>) {
        self.add(subject, State::Problem, reason, remedy);
    }

    /// How this part of the box is.
    pub fn add(
        &mut self,
        subject: &str,
        state: State,
        reason: impl Into<String>,
        remedy: Option<&str>,
    ) {
        self.found.push(Finding {
            team: self.team.clone(),
            subject: subject.to_owned(),
            state,
            reason: reason.into(),
            remedy: remedy.map(str::to_owned),
        });
    }
}
