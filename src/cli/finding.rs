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
    pub(super) subject: String,
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) remedy: Option<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
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
        self.0.push(Finding {
            subject: subject.to_owned(),
            state,
            reason: reason.into(),
            remedy: remedy.map(str::to_owned),
        });
    }

    /// Prints them all; problems among them are a failure.
    pub(super) fn tell(&self, print: Print) -> Result<(), Failure> {
        if print.is_json() {
            print.json(&self.0)?;
        } else {
            print.text(&self.lines())?;
        }
        let problems = self.0.iter().filter(|one| one.state == State::Problem);
        match problems.count() {
            0 => Ok(()),
            problems => Err(Failure::Problems(problems)),
        }
    }

    fn lines(&self) -> String {
        let width = self.0.iter().map(|one| one.subject.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        for finding in &self.0 {
            let state = match finding.state {
                State::Ok => "ok",
                State::Note => "note",
                State::Warning => "warning",
                State::Problem => "problem",
            };
            let subject = plain(&finding.subject);
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
