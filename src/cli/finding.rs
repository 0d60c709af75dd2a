//! What a check finds: how one part of the box is, why, and what to do about it.

use serde::Serialize;

use super::Failure;
use super::print::{Print, plain};
use crate::domain::alert::Severity;

/// How a part of the box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// All well.
    Ok,
    /// Worth knowing.
    Note,
    /// Something should be done, before it is a problem.
    Warning,
    /// Something is to be done.
    Problem,
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
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    /// Whose it is, where the box has several teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    pub(super) subject: String,
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) remedy: Option<String>,
}

impl Finding {
    fn shown(&self) -> String {
        match &self.team {
            Some(team) => format!("{team}: {}", self.subject),
            None => self.subject.clone(),
        }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
    team: Option<String>,
}

impl Findings {
    /// What is found from here on is a team's, or again the whole box's.
    pub(super) fn of_team(&mut self, name: Option<&str>) {
        self.team = name.map(str::to_owned);
    }

    pub(super) fn ok(&mut self, subject: &str, reason: impl Into<String>) {
        self.add(subject, State::Ok, reason, None);
    }

    pub(super) fn note(&mut self, subject: &str, reason: impl Into<String>, remedy: Option<&str>) {
        self.add(subject, State::Note, reason, remedy);
    }

    pub(super) fn problem(
        &mut self,
        subject: &str,
        reason: impl Into<String>,
        remedy: Option<&str>,
    ) {
        self.add(subject, State::Problem, reason, remedy);
    }

    pub(super) fn add(
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

    /// Prints them all; problems among them are a failure.
    pub(super) fn tell(&self, print: Print) -> Result<(), Failure> {
        if print.is_json() {
            print.json(&self.found)?;
        } else {
            print.text(&self.lines())?;
        }
        let problems = self.found.iter().filter(|one| one.state == State::Problem);
        match problems.count() {
            0 => Ok(()),
            problems => Err(Failure::Problems(problems)),
        }
    }

    fn lines(&self) -> String {
        let subjects = self.found.iter().map(Finding::shown);
        let width = subjects.map(|subject| subject.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        for finding in &self.found {
            let state = match finding.state {
                State::Ok => "ok",
                State::Note => "note",
                State::Warning => "warning",
                State::Problem => "problem",
            };
            let subject = plain(&finding.shown());
            text.push_str(&format!(
                "{state:<7}  {subject:<width$}  {}\n",
                plain(&finding.reason)
            ));
            if let Some(remedy) = &finding.remedy {
                text.push_str(&format!(
                    "{:<7}  {:<width$}  hint: {}\n",
                    "",
                    "",
                    plain(remedy)
                ));
            }
        }
        text
    }
}
