//! The second ways for alerts, beside the chat: which there are, what is on record of each, and what is to be told by it now. Each
//! tells an alert once, reminds of it daily at most, and tells its end once.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, REMINDER, Severity};

/// An alert that the chat has not taken for so long goes the second way, too, though it is none of the gravest.
const UNHEARD: SignedDuration = SignedDuration::from_mins(10);

/// A second way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// An address that is called with JSON.
    Webhook,
    /// A topic of ntfy.
    Ntfy,
    /// A mail.
    Mail,
    /// No alert goes there: it is called while all is well.
    Heartbeat,
}

impl Way {
    /// As it is on record and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Mail => "mail",
            Self::Heartbeat => "heartbeat",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is on record of a way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where it leads, with nothing secret in it.
    pub to: String,
    /// The alerts that were told by it and are not over, by their ids.
    pub told: BTreeMap<String, Told>,
    /// When something got there last.
    pub worked_at: Option<Timestamp>,
    /// The last try, if it failed.
    pub failed: Option<Failed>,
}

/// An alert that was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was told last.
    pub at: Timestamp,
    /// What was told.
    pub text: String,
}

/// A try that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// When it was.
    pub at: Timestamp,
    /// Why, in plain words, with nothing secret in it.
    pub why: String,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It has come.
    Raised,
    /// It still stands.
    Reminder,
    /// It is over.
    Resolved,
    /// Somebody only wants to see whether it arrives.
    Test,
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The alert.
    pub id: String,
    /// What is told of it.
    pub stage: Stage,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about, in plain words.
    pub text: String,
}

/// Whether an alert is for a second way: the gravest are, and what the chat does not take.
fn is_concerned(alert: &Alert, now: Timestamp) -> bool {
    let is_unheard =
        alert.told_at.is_none() && now.duration_since(alert.raised_at).abs() >= UNHEARD;
    match alert.severity {
        Severity::Problem => true,
        Severity::Warning => is_unheard,
        Severity::Notice => false,
    }
}

impl Record {
    /// What is to be told now of the alerts that stand. If they are not `all` that stand, nothing is known to be over.
    #[must_use]
    pub fn news(&self, standing: &[Alert], all: bool, now: Timestamp) -> Vec<News> {
        let mut news = Vec::new();
        for alert in standing {
            let id = alert.id.to_string();
            let stage = match self.told.get(&id) {
                None if is_concerned(alert, now) => Stage::Raised,
                Some(told) if now.duration_since(told.at).abs() >= REMINDER => Stage::Reminder,
                _ => continue,
            };
            news.push(News {
                id,
                stage,
                severity: alert.severity,
                text: alert.text.clone(),
            });
        }
        let is_over = |id: &str| all && standing.iter().all(|alert| alert.id.to_string() != id);
        for (id, told) in self.told.iter().filter(|(id, _)| is_over(id)) {
            news.push(News {
                id: id.clone(),
                stage: Stage::Resolved,
                severity: Severity::Notice,
                text: told.text.clone(),
            });
        }
        news
    }

    /// Notes that it was told.
    pub fn note_told(&mut self, news: &News, now: Timestamp) {
        match news.stage {
            Stage::Raised | Stage::Reminder => {
                let text = news.text.clone();
                self.told.insert(news.id.clone(), Told { at: now, text });
            }
            Stage::Resolved => drop(self.told.remove(&news.id)),
            Stage::Test => {}
        }
        self.worked_at = Some(now);
        self.failed = None;
    }

    /// Notes that it failed.
    pub fn note_failed(&mut self, why: String, now: Timestamp) {
        self.failed = Some(Failed { at: now, why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::topic;
    use crate::domain::ids::AlertId;

    fn at(hours: i64) -> Timestamp {
        let began: Timestamp = "2027-01-01T12:00:00Z".parse().unwrap();
        began + SignedDuration::from_hours(hours)
    }

    fn alert(number: u8, topic: &str) -> Alert {
        Alert {
            id: AlertId::from_bytes([number; 16]),
            topic: topic.to_owned(),
            severity: Severity::of(topic),
            text: topic.to_owned(),
            raised_at: at(0),
            told_at: None,
            resolved_at: None,
        }
    }

    /// Tells all there is to tell, and returns what it was.
    fn tell(record: &mut Record, standing: &[Alert], all: bool, hours: i64) -> Vec<Stage> {
        let news = record.news(standing, all, at(hours));
        news.iter().for_each(|one| record.note_told(one, at(hours)));
        news.into_iter().map(|one| one.stage).collect()
    }

    #[test]
    fn a_problem_is_told_once_reminded_of_daily_and_ended_once() {
        let mut record = Record::default();
        let standing = [alert(1, topic::OVERDUE)];
        for (standing, all, hours, told) in [
            (&standing[..], true, 0, &[Stage::Raised][..]),
            (&standing, true, 1, &[]),
            (&standing, true, 23, &[]),
            (&standing, true, 24, &[Stage::Reminder]),
            (&standing, true, 25, &[]),
            // The records cannot be read: nobody knows whether it is over.
            (&[], false, 26, &[]),
            (&[], true, 27, &[Stage::Resolved]),
            (&[], true, 28, &[]),
        ] {
            assert_eq!(tell(&mut record, standing, all, hours), told, "{hours}");
        }
        assert!(record.told.is_empty());
    }

    #[test]
    fn a_warning_is_told_only_if_the_chat_does_not_take_it() {
        let mut heard = alert(1, topic::BACKUP);
        heard.told_at = Some(at(0));
        let unheard = alert(2, topic::BACKLOG);
        let news = alert(3, topic::AWAY);
        let mut record = Record::default();
        let standing = [heard, unheard, news];
        assert!(tell(&mut record, &standing, true, 0).is_empty());
        assert_eq!(tell(&mut record, &standing, true, 1), [Stage::Raised]);
        let id = AlertId::from_bytes([2; 16]).to_string();
        assert!(record.told.contains_key(&id), "{record:?}");
    }

    #[test]
    fn a_failure_is_on_record_until_something_gets_there() {
        let mut record = Record::default();
        record.note_failed("it answered 500".to_owned(), at(0));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        tell(&mut record, &[alert(1, topic::CLOCK)], true, 0);
        assert_eq!((record.failed, record.worked_at), (None, Some(at(0))));
    }
}
