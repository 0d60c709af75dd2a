//! Two processes, and a hundred fingers.

use std::collections::BTreeSet;

use super::*;
use crate::domain::ids::StoryId;

/// Sends whatever is planned, until nothing is; returns what it sent.
async fn sender(store: Store, team: TeamId) -> Vec<StoryId> {
    let mut sent = Vec::new();
    loop {
        let queue = store
            .read(move |tx| stories::queue(tx, team))
            .await
            .expect("the queue");
        let Some(story) = queue
            .into_iter()
            .find(|story| story.state == State::Planned)
        else {
            return sent;
        };
        let id = story.id;
        let delivery = Delivery {
            attempt: 1,
            ..Delivery::default()
        };
        let mine = store
            .write(move |tx| stories::advance(tx, &story, State::Sending, &delivery, noon()))
            .await
            .expect("a claim that is lost without an error");
        sent.extend(mine.then_some(id));
    }
}

on_every_engine! {
    async fn two_processes_send_three_hundred_stories_once_each(bed: Bed) {
        let team = bed.team;
        bed.write(move |tx| {
            for seed in 0..300 {
                let media = ready_media(tx, team, &format!("memes/{seed}.jpg"), seed)?;
                stories::plan(tx, team, &for_slot(media, seed), None, noon())?;
            }
            Ok(())
        })
        .await;
        let one = tokio::spawn(sender(bed.store.clone(), team));
        let two = tokio::spawn(sender(bed.another(), team));
        let (one, two) = (one.await.expect("a sender"), two.await.expect("a sender"));
        assert_eq!(one.len() + two.len(), 300);
        let different: BTreeSet<StoryId> = one.into_iter().chain(two).collect();
        assert_eq!(different.len(), 300);
    }

    async fn a_hundred_presses_on_one_story_are_one_end(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(media, 0).await.id;
        bed.write(move |tx| people::note(tx, team, PersonId(7), "Ada", None, Role::Member, noon())).await;
        let stores = [bed.store.clone(), bed.another(), bed.another()];
        let presses: Vec<_> = (0..100)
            .map(|press: usize| {
                let store = stores[press % stores.len()].clone();
                let outcome = [Outcome::Posted, Outcome::Skipped, Outcome::Rejected][press % 3];
                tokio::spawn(async move {
                    store
                        .write_durably(move |tx| match stories::get(tx, story)? {
                            Some(open) => {
                                assert!(close(tx, &open, outcome, Some(PersonId(7)))?, "nobody else writes meanwhile");
                                Ok(None)
                            }
                            None => Ok(history::of_story(tx, story)?.map(|entry| entry.outcome)),
                        })
                        .await
                        .expect("an answer")
                })
            })
            .collect();
        let mut told = BTreeSet::new();
        let mut first = 0;
        for press in presses {
            match press.await.expect("a press") {
                None => first += 1,
                Some(outcome) => {
                    told.insert(outcome.to_string());
                }
            }
        }
        assert_eq!((first, told.len()), (1, 1), "one ends it, the others are told the truth: {told:?}");
        let (ends, locks, person) = bed
            .read(move |tx| {
                Ok((
                    history::latest(tx, team, 200)?.len(),
                    locks::holding(tx, team, noon())?.len(),
                    people::get(tx, team, PersonId(7))?.expect("Ada").tally,
                ))
            })
            .await;
        assert_eq!((ends, locks), (1, 1));
        assert_eq!(person.posted + person.skipped + person.rejected, 1);
    }

    async fn two_processes_that_raise_one_alert_raise_it_once_and_neither_fails(bed: Bed) {
        let team = bed.team;
        let stores = [bed.store.clone(), bed.another()];
        let raising: Vec<_> = (0..40)
            .map(|turn: usize| {
                let store = stores[turn % 2].clone();
                tokio::spawn(async move {
                    store.write(move |tx| alerts::raise(tx, team, "disk", "full", noon())).await
                })
            })
            .collect();
        let mut raised = 0;
        for raise in raising {
            raised += u32::from(raise.await.expect("a task").expect("no error"));
        }
        assert_eq!(raised, 1);
    }

    async fn a_look_sees_one_picture_while_others_write(bed: Bed) {
        let team = bed.team;
        let other = bed.another();
        let (asked, ask) = std::sync::mpsc::channel();
        let (answered, answer) = std::sync::mpsc::channel();
        let looking = {
            let store = bed.store.clone();
            tokio::spawn(async move {
                store
                    .read(move |tx| {
                        let before = tx.count("SELECT COUNT(*) FROM alerts", &[])?;
                        let _ = asked.send(());
                        let _ = answer.recv();
                        Ok((before, tx.count("SELECT COUNT(*) FROM alerts", &[])?))
                    })
                    .await
            })
        };
        tokio::task::spawn_blocking(move || ask.recv()).await.expect("a task").expect("a look");
        other.write(move |tx| alerts::raise(tx, team, "disk", "full", noon())).await.expect("an alert");
        answered.send(()).expect("it looks still");
        assert_eq!(looking.await.expect("a task").expect("a look"), (0, 0));
    }
}
