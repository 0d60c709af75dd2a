//! The model: what the box may do of its own accord, and what it must have done when it has looked at everything.

use super::life::{DAY, HOUR, MINUTE, Rules, on_it};
use super::records::{End, Ms, Open, Records};

/// What happened between two looks at the records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: Ms,
    pub(super) to: Ms,
    pub(super) rules: Rules,
}

impl Stretch {
    /// Whatever changed was allowed to.
    pub(super) fn allows(&self, before: &Records, after: &Records) {
        for (id, story) in &before.open {
            match after.open.get(id) {
                Some(now) => self.allows_change(story, now, before.is_paused),
                None => match after.end_of(*id) {
                    Some(end) => self.allows_end(story, end),
                    None => assert!(
                        story.state == "planned" && !story.is_wish,
                        "{story:?} is gone without a trace"
                    ),
                },
            }
        }
        for (id, story) in &after.open {
            if !before.open.contains_key(id) {
                assert!(!story.is_wish && !story.is_undone, "{story:?}");
                assert!(before.end_of(*id).is_none(), "{story:?} has ended");
                assert!(
                    story.state == "planned" || story.due_at <= self.to,
                    "{story:?}"
                );
            }
        }
        assert!(
            after.history.is_superset(&before.history),
            "the history changed"
        );
        let (mut locks, new) = (
            before.locks.clone(),
            after.history.difference(&before.history),
        );
        for end in new {
            assert_eq!(end.person, None, "{end:?}");
            assert_ne!(end.outcome, "withdrawn", "{end:?}");
            if let Some((kind, until)) = self.rules.lock(&end.outcome, end.at) {
                assert_eq!(end.outcome, "failed", "{end:?}");
                locks.push((end.media.clone().unwrap(), kind.to_owned(), until));
            }
        }
        locks.sort();
        assert_eq!(after.locks, locks);
        for (story, until) in &before.undos {
            let is_over = self.to >= *until || until - self.from.min(self.to) > MINUTE;
            let kept = after.undos.get(story);
            assert!(kept == Some(until) || (kept.is_none() && is_over));
        }
        assert!(after.undos.len() <= before.undos.len());
        assert_eq!(after.counters, before.counters);
        assert_eq!(after.people, before.people);
        assert_eq!(after.is_paused, before.is_paused);
    }

    fn allows_change(&self, was: &Open, is: &Open, is_paused: bool) {
        let both = format!("{was:?}\nbecame {is:?}");
        let same = Open {
            state: was.state.clone(),
            since: was.since,
            messages: was.messages,
            sent_at: was.sent_at,
            asked_at: was.asked_at,
            claim: was.claim,
            original_at: was.original_at,
            ..is.clone()
        };
        assert_eq!(same, *was, "{both}");
        let may_follow = match was.state.as_str() {
            "planned" => {
                is.state == "planned" || (was.due_at <= self.to && (!is_paused || was.is_wish))
            }
            "retrying" | "unconfirmed" => is.state != "planned",
            _ => is.state == was.state,
        };
        assert!(may_follow, "{both}");
        assert!(was.messages <= is.messages && is.messages <= 2, "{both}");
        assert!(was.sent_at.is_none() || was.sent_at == is.sent_at, "{both}");
        assert!(is.state != "awaiting" || is.sent_at.is_some(), "{both}");
        let question_is_over = |asked| (self.to - asked_or(asked)).abs() > 2 * MINUTE;
        assert!(
            is.asked_at == was.asked_at
                || (is.asked_at.is_none() && question_is_over(was.asked_at)),
            "{both}"
        );
        assert!(
            is.claim == was.claim || (is.claim.is_none() && on_it(was, self.to).is_none()),
            "{both}"
        );
        assert!(
            is.original_at == was.original_at || is.original_at.is_none(),
            "{both}"
        );
    }

    fn allows_end(&self, was: &Open, end: &End) {
        let both = format!("{was:?}\nended {end:?}");
        assert_eq!(
            (end.number, end.media.as_ref()),
            (Some(was.number), Some(&was.media)),
            "{both}"
        );
        let may_end = match (was.state.as_str(), end.outcome.as_str()) {
            ("planned", "missed" | "failed" | "expired") => was.due_at <= end.at,
            ("planned", "cancelled") => was.is_wish,
            ("retrying" | "unconfirmed", "missed" | "failed") | ("retrying", "expired") => true,
            ("awaiting" | "unconfirmed", "expired") => {
                // What began ahead of the clock is timed by the steady one.
                waited(was, end.at) > self.rules.expire_hours * HOUR || began(was) > end.at
            }
            _ => false,
        };
        assert!(may_end, "{both}");
    }

    /// What it must have done, having looked at everything just now.
    pub(super) fn is_settled(&self, now: &Records) {
        for story in now.open.values() {
            let stands = match story.state.as_str() {
                "planned" => {
                    self.to - story.due_at
                        <= if now.is_paused && !story.is_wish {
                            -1
                        } else {
                            HOUR
                        }
                }
                "retrying" => self.to - story.since <= DAY,
                "unconfirmed" | "awaiting" => {
                    waited(story, self.to) <= self.rules.expire_hours * HOUR
                        || began(story) > self.to
                }
                _ => false,
            };
            assert!(stands, "{story:?} should not stand at {}", self.to);
            assert!(
                story.claim.is_none() || on_it(story, self.to).is_some(),
                "{story:?}"
            );
            let asked = story.asked_at.unwrap_or(self.to);
            assert!((self.to - asked).abs() <= 2 * MINUTE, "{story:?}");
        }
        assert!(now.undos.values().all(|until| *until > self.to));
    }
}

fn asked_or(asked: Option<Ms>) -> Ms {
    asked.unwrap_or(Ms::MIN / 2)
}

/// When a story began to wait for a press.
fn began(story: &Open) -> Ms {
    let seen = story
        .sent_at
        .filter(|_| !story.is_undone)
        .unwrap_or(story.since);
    story.later_at.map_or(seen, |later| later.max(seen))
}

/// How long a story has waited for a press, in either direction of the clock. While it is put off it does not wait.
fn waited(story: &Open, now: Ms) -> Ms {
    let waited = now - began(story);
    if story.later_at.is_some() && (-48 * HOUR..=0).contains(&waited) {
        return 0;
    }
    waited.abs()
}
