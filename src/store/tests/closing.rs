//! The end of a story, and the history it becomes.

use std::collections::BTreeMap;

use super::undos::Undo;
use super::*;
use crate::domain::person::{Person, Tally};

const ADA: PersonId = PersonId(7);

on_every_engine! {
    async fn an_end_is_all_of_it_or_nothing(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(media, 0).await;
        bed.write(move |tx| people::note(tx, team, ADA, "Ada", None, Role::Member, noon())).await;
        let before = everything(&bed.store).await;

        let read = story.clone();
        let failed = bed
            .store
            .write_durably(move |tx| {
                assert!(close(tx, &read, Outcome::Posted, Some(ADA))?);
                Err::<(), _>(Error::unexpected("something after it"))
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(everything(&bed.store).await, before);

        let read = story.clone();
        let (media, people, locks, entry) = bed
            .write(move |tx| {
                assert!(close(tx, &read, Outcome::Posted, Some(ADA))?);
                assert!(!close(tx, &read, Outcome::Skipped, Some(ADA))?, "there is one end");
                Ok((
                    media::get(tx, media)?,
                    people::list(tx, team)?,
                    locks::holding(tx, team, noon())?,
                    history::of_story(tx, read.id)?,
                ))
            })
            .await;
        assert_eq!((media.posted_count, media.last_posted_at), (1, Some(noon())));
        assert_eq!((people[0].tally.posted, people[0].tally.skipped), (1, 0));
        assert_eq!(locks.len(), 1);
        assert_eq!(entry, Some(ended(&story, Outcome::Posted, Some(ADA))));
        assert_eq!(bed.read(move |tx| stories::get(tx, story.id)).await, None);
    }

    async fn an_entry_comes_back_as_it_was_written(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(media, 3).await;
        let shown = bed.read(move |tx| media::get(tx, media)).await;
        let mut entry = ended(&story, Outcome::Rejected, Some(ADA));
        entry.snapshot = Snapshot::of(&shown);
        entry.snapshot.metadata.tags = vec!["🎉 'party'".to_owned()];
        entry.reason = Some("never again".to_owned());
        let written = entry.clone();
        let (by_number, of_story, latest, since) = bed
            .write(move |tx| {
                history::add(tx, team, "awaiting", &written)?;
                Ok((
                    history::by_number(tx, team, story.number)?,
                    history::of_story(tx, story.id)?,
                    history::latest(tx, team, 1)?,
                    history::since(tx, team, noon())?,
                ))
            })
            .await;
        for found in [by_number, of_story, latest.into_iter().next(), since.into_iter().next()] {
            assert_eq!(found.as_ref(), Some(&entry));
        }
        let later = bed.read(move |tx| history::since(tx, team, noon() + minutes(1))).await;
        assert_eq!(later, []);
    }

    async fn a_slot_that_never_had_a_story_is_history_too(bed: Bed) {
        let team = bed.team;
        let (entry, back) = bed
            .write(move |tx| {
                let entry = Entry {
                    story: fresh(noon()),
                    number: None,
                    media: None,
                    slot: Some(slot(0)),
                    turn: None,
                    due_at: noon(),
                    sent_at: None,
                    ended_at: noon(),
                    outcome: Outcome::Missed,
                    reason: Some("nothing fits".to_owned()),
                    person: None,
                    person_name: None,
                    snapshot: Snapshot::default(),
                    part: 1,
                    withdrawn: None,
                };
                history::add(tx, team, "new", &entry)?;
                let other = Entry { story: fresh(noon()), slot: Some(slot(1)), ..entry.clone() };
                history::add(tx, team, "new", &other)?;
                Ok((entry.clone(), history::of_story(tx, entry.story)?))
            })
            .await;
        assert_eq!(back, Some(entry));
    }

    async fn an_outcome_that_is_taken_back_stays_on_record_and_may_be_followed_by_another(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(media, 0).await;
        let ada = Person {
            id: ADA,
            name: "Ada".to_owned(),
            username: None,
            role: Role::Member,
            deactivated_at: None,
            left_at: None,
            joined_at: noon(),
            tally: Tally::default(),
        };
        bed.write(move |tx| {
            close(tx, &story, Outcome::Posted, None)?;
            let undo = Undo::of(&story, None, None, noon() + minutes(1));
            undos::keep(tx, team, story.id, &undo)?;
            assert_eq!(undos::get(tx, story.id)?.as_ref(), Some(&undo));
            assert_eq!(undos::open(tx, team)?, [(story.id, undo.until)]);
            let entry = history::of_story(tx, story.id)?.expect("its end");

            history::withdraw(tx, team, &entry, &ada, noon() + minutes(1))?;
            undos::forget(tx, story.id)?;
            stories::reopen(tx, team, &entry, &undo, "Ada", noon() + minutes(1))?;
            assert_eq!(history::of_story(tx, story.id)?, None, "it has no outcome");
            assert!(history::has_slot(tx, team, slot(0))?, "its slot is nobody else's");
            assert_eq!(history::since(tx, team, noon())?, []);
            let kept = history::by_number(tx, team, story.number)?.expect("on record");
            let withdrawn = kept.withdrawn.clone().expect("taken back");
            assert_eq!((kept.outcome, withdrawn.by.as_deref()), (Outcome::Posted, Some("Ada")));
            assert_eq!(withdrawn.at, noon() + minutes(1));

            let open = stories::get(tx, story.id)?.expect("open again");
            assert_eq!((open.state, open.number, open.slot), (State::Awaiting, story.number, story.slot));
            assert_eq!(open.delivery.attempt, story.delivery.attempt);
            assert!(stories::remove(tx, &open, Outcome::Skipped)?);
            let part = history::next_part(tx, story.team, story.id, story.slot)?;
            assert_eq!(part, 3);
            history::add(tx, team, "awaiting", &Entry { part, ..ended(&open, Outcome::Skipped, None) })?;
            let last = history::of_story(tx, story.id)?.expect("its end");
            assert_eq!((last.outcome, last.withdrawn), (Outcome::Skipped, None));
            assert_eq!(history::latest(tx, team, 9)?.len(), 2, "what was taken back stays");
            assert_eq!(history::since(tx, team, noon())?.len(), 1);
            Ok(())
        })
        .await;
    }

    async fn only_an_outcome_of_a_person_can_be_taken_back_and_only_once(bed: Bed) {
        let team = bed.team;
        bed.write(move |tx| people::note(tx, team, ADA, "Ada", None, Role::Member, noon())).await;
        for (seed, outcome, may) in [
            (1, Outcome::Posted, true),
            (2, Outcome::Skipped, true),
            (3, Outcome::Rejected, true),
            (4, Outcome::Expired, false),
        ] {
            let media = bed.media(sql(format!("memes/{seed}.jpg")), seed).await;
            let story = bed.awaiting(media, seed).await;
            let id = story.id;
            bed.write(move |tx| close(tx, &story, outcome, None).map(|_| ())).await;
            for is_first in [true, false] {
                let withdrawn = bed
                    .store
                    .write(move |tx| {
                        let entry = history::by_number(tx, team, u64::from(seed))?.expect("its end");
                        let ada = people::get(tx, team, ADA)?.expect("Ada");
                        history::withdraw(tx, team, &entry, &ada, noon())
                    })
                    .await;
                assert_eq!(withdrawn.is_ok(), may && is_first, "{outcome} {id} {withdrawn:?}");
            }
        }
    }

    async fn turns_are_counted_by_what_was_sent_and_what_is_in_the_queue(bed: Bed) {
        let team = bed.team;
        let mut stories = Vec::new();
        for ordinal in 0..3 {
            let media = bed.media(sql(format!("memes/{ordinal}.jpg")), ordinal).await;
            stories.push(bed.awaiting(media, ordinal).await);
        }
        let planned = bed.media("memes/9.jpg", 9).await;
        bed.planned(planned, 9).await;
        let [posted, never_sent, _open] = <[Story; 3]>::try_from(stories).expect("three");
        let turns = bed
            .write(move |tx| {
                close(tx, &posted, Outcome::Posted, None)?;
                // Cancelled before anybody saw it: its category had no turn.
                assert!(stories::remove(tx, &never_sent, Outcome::Cancelled)?);
                let entry = Entry { sent_at: None, ..ended(&never_sent, Outcome::Cancelled, None) };
                history::add(tx, team, "awaiting", &entry)?;
                Ok((
                    history::turns_since(tx, team, noon())?,
                    history::turns_since(tx, team, noon() + minutes(1))?,
                ))
            })
            .await;
        let memes = |count| BTreeMap::from([(Category::new("memes"), count)]);
        assert_eq!(turns, (memes(3), memes(1)), "since noon, and since a minute later");
    }

    async fn every_outcome_moves_its_own_counter(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let (posted, tally) = bed
            .write(move |tx| {
                people::note(tx, team, ADA, "Ada", None, Role::Member, noon())?;
                for outcome in Outcome::ALL {
                    media::count_outcome(tx, media, outcome, noon())?;
                    people::credit(tx, team, ADA, outcome, 1)?;
                }
                Ok((media::get(tx, media)?.posted_count, people::get(tx, team, ADA)?.expect("Ada").tally))
            })
            .await;
        assert_eq!(posted, 1);
        assert_eq!((tally.posted, tally.skipped, tally.rejected), (1, 1, 1));
        let (shown, tally) = bed
            .write(move |tx| {
                for outcome in Outcome::ALL {
                    media::uncount_outcome(tx, media, outcome, None)?;
                    people::credit(tx, team, ADA, outcome, -1)?;
                }
                Ok((media::get(tx, media)?, people::get(tx, team, ADA)?.expect("Ada").tally))
            })
            .await;
        assert_eq!((shown.posted_count, shown.last_posted_at), (0, None));
        assert_eq!(tally, Tally::default());
    }
}
