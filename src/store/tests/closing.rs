//! The end of a story, and the history it becomes.

use std::collections::BTreeMap;

use super::*;

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
                };
                history::add(tx, team, "new", &entry)?;
                let other = Entry { story: fresh(noon()), slot: Some(slot(1)), ..entry.clone() };
                history::add(tx, team, "new", &other)?;
                Ok((entry.clone(), history::of_story(tx, entry.story)?))
            })
            .await;
        assert_eq!(back, Some(entry));
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
                    people::credit(tx, team, ADA, outcome)?;
                }
                Ok((media::get(tx, media)?.posted_count, people::get(tx, team, ADA)?.expect("Ada").tally))
            })
            .await;
        assert_eq!(posted, 1);
        assert_eq!((tally.posted, tally.skipped, tally.rejected), (1, 1, 1));
    }
}
