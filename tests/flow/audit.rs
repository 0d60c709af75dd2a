//! What must hold after every life, asked of the records and of what the team saw.

use std::collections::{HashMap, HashSet};

use storyline::domain::calendar::{minimum_spacing, slots_between};
use storyline::domain::entry::Entry;
use storyline::domain::outcome::Outcome;
use storyline::domain::story::{LATEST, PATIENCE};

use crate::harness::{TheBox, days, hours};

impl TheBox {
    /// Every rule that holds whatever happened.
    pub(crate) fn audit(&self) {
        self.no_story_has_more_than_two_messages_and_the_second_says_so();
        self.posted_means_pressed_and_missed_has_a_reason();
        self.rejected_is_never_seen_again_and_posted_not_for_a_month();
        self.nothing_stands_too_long();
        self.what_is_counted_is_what_stands_in_the_history();
        self.nobody_is_reminded_twice();
    }

    /// The ends that were not taken back.
    fn ends(&self) -> Vec<Entry> {
        let mut ends = self.history();
        ends.retain(|entry| entry.withdrawn.is_none());
        ends
    }

    fn what_is_counted_is_what_stands_in_the_history(&self) {
        let ends = self.ends();
        let stories: HashSet<_> = ends.iter().map(|entry| entry.story).collect();
        assert_eq!(stories.len(), ends.len(), "a story has two outcomes");
        let open = self.count(
            "SELECT COUNT(*) FROM stories s JOIN history h ON h.story_id = s.id WHERE h.part % 2 = 1
                 AND NOT EXISTS (SELECT 1 FROM history w WHERE w.story_id = h.story_id AND w.part = h.part + 1)",
        );
        assert_eq!(open, 0, "a story with an outcome is in the queue");
        let ended = |outcome| ends.iter().filter(|entry| entry.outcome == outcome).count() as i64;
        for (sql, outcome) in [
            ("SELECT SUM(posted_count) FROM media", Outcome::Posted),
            ("SELECT SUM(skipped_count) FROM media", Outcome::Skipped),
            ("SELECT SUM(posted_count) FROM people", Outcome::Posted),
            ("SELECT SUM(skipped_count) FROM people", Outcome::Skipped),
            ("SELECT SUM(rejected_count) FROM people", Outcome::Rejected),
            (
                "SELECT COUNT(*) FROM locks WHERE kind = 'rejected'",
                Outcome::Rejected,
            ),
        ] {
            let sql = format!("SELECT CAST(COALESCE(({sql}), 0) AS BIGINT)");
            assert_eq!(self.count(&sql), ended(outcome), "{outcome}: {sql}");
        }
    }

    fn nobody_is_reminded_twice(&self) {
        let mut times: HashMap<u64, usize> = HashMap::new();
        for (_, number) in &self.desk.records().reminded {
            *times.entry(*number).or_default() += 1;
        }
        for (number, times) in times {
            let put_off = self.put_off.get(&number).copied().unwrap_or(0);
            assert!(
                times <= 1 + put_off,
                "#{number}: reminded {times} times, put off {put_off} times"
            );
        }
    }

    fn no_story_has_more_than_two_messages_and_the_second_says_so(&self) {
        let mut seen = HashMap::new();
        let taken_out = self.desk.records().taken_out.clone();
        for arrived in self.rang() {
            // Where an announcement takes no picture, the story takes its place.
            if taken_out.contains(&arrived.message) {
                continue;
            }
            let times: &mut u32 = seen.entry(arrived.card.story).or_default();
            *times += 1;
            assert!(*times <= 2, "#{} has a third message", arrived.card.number);
            assert!(
                *times == 1 || arrived.card.sent_again,
                "#{} was repeated blindly",
                arrived.card.number
            );
        }
    }

    fn posted_means_pressed_and_missed_has_a_reason(&self) {
        let mut slots = HashSet::new();
        for entry in self.ends() {
            if entry.outcome == Outcome::Posted {
                let number = entry.number.unwrap();
                assert!(
                    entry.person.is_some() && self.pressed_posted.contains(&number),
                    "{entry:?}"
                );
            }
            if entry.outcome == Outcome::Missed {
                assert!(
                    entry
                        .reason
                        .as_deref()
                        .is_some_and(|reason| !reason.is_empty()),
                    "{entry:?}"
                );
            }
            if let Some(slot) = entry.slot {
                assert!(slots.insert(slot), "{slot} has two ends");
            }
        }
    }

    fn rejected_is_never_seen_again_and_posted_not_for_a_month(&self) {
        let mut rejected = HashMap::new();
        let mut posted = HashMap::new();
        for entry in self.ends() {
            if entry.outcome == Outcome::Rejected {
                rejected.insert(entry.snapshot.fingerprint.clone(), entry.ended_at);
            }
            if entry.outcome == Outcome::Posted {
                let ends = posted
                    .entry(entry.snapshot.fingerprint.clone())
                    .or_insert_with(Vec::new);
                ends.push((entry.story, entry.ended_at));
            }
        }
        let ttl = days(i64::from(self.settings.repost_ttl_days));
        for arrived in self.arrived() {
            let content = &arrived.card.media.fingerprint;
            // A message whose answer was lost may come a second time at the very moment of the press.
            assert!(
                rejected.get(content).is_none_or(|at| arrived.at <= *at),
                "{arrived:?}"
            );
            for (story, ended_at) in posted.get(content).into_iter().flatten() {
                let since = arrived.at.duration_since(*ended_at);
                assert!(
                    *story == arrived.card.story || !since.is_positive() || since >= ttl,
                    "posted at {ended_at}, shown again: {arrived:?}"
                );
            }
        }
    }

    fn nothing_stands_too_long(&self) {
        let limit = (PATIENCE + LATEST + hours(2)).as_millis();
        let now = self.now.as_millisecond();
        let open = self.count(&format!(
            "SELECT COUNT(*) FROM stories WHERE state <> 'planned' AND abs({now} - state_since) > {limit}"
        ));
        assert_eq!(open, 0, "stories stand longer than any state may");
        let late = i64::from(self.settings.late_minutes + 1) * 60_000;
        let waiting = self.count(&format!(
            "SELECT COUNT(*) FROM stories WHERE state = 'planned' AND {now} - due_at > {late}"
        ));
        assert_eq!(waiting, 0, "stories wait beyond the late window");
    }

    /// Every slot since the box was born, under settings that never changed, has one end or one open story.
    pub(crate) fn audit_slots(&self) {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT slot_date || ' ' || slot_ordinal FROM history h WHERE slot_date IS NOT NULL AND outcome <> 'withdrawn'
                     AND NOT EXISTS (SELECT 1 FROM history w WHERE w.story_id = h.story_id AND w.part = h.part + 1)
                 UNION ALL SELECT slot_date || ' ' || slot_ordinal FROM stories WHERE slot_date IS NOT NULL",
            )
            .unwrap();
        let mut kept: HashMap<String, u32> = HashMap::new();
        for slot in statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
        {
            *kept.entry(slot.unwrap()).or_default() += 1;
        }
        for slot in slots_between(self.flow().team(), &self.settings, self.born, self.now) {
            let name = format!("{} {}", slot.id.date, slot.id.ordinal);
            assert_eq!(kept.get(&name), Some(&1), "{} at {}", slot.id, slot.at);
        }
        assert!(kept.values().all(|times| *times == 1));
    }

    /// No automatic delivery came too close to another, but for the repetition of its own message.
    pub(crate) fn audit_spacing(&self) {
        let mut last: Option<crate::desk::Arrived> = None;
        for arrived in self.rang() {
            if self.asked_for.contains(&arrived.card.number) {
                continue;
            }
            if let Some(last) = &last
                && last.card.story != arrived.card.story
                && arrived.at >= last.at
            {
                let gap = arrived.at.duration_since(last.at);
                // A day with a clock change has shorter intervals than its neighbours.
                let team = self.flow().team();
                let least = [-1, 0, 1]
                    .map(|day| minimum_spacing(team, &self.settings, arrived.at + days(day)))
                    .into_iter()
                    .min()
                    .unwrap();
                assert!(gap >= least, "{gap} between {last:?} and {arrived:?}");
            }
            last = Some(arrived);
        }
    }
}
