//! The life of a story: what the database itself refuses, whatever the program does.

use std::collections::BTreeSet;

use super::*;
use crate::domain::ids::StoryId;

/// Where a state is come to from.
fn before(state: State) -> &'static str {
    match state {
        State::Planned => "new",
        State::Sending => "planned",
        State::Retrying | State::Awaiting | State::Unconfirmed => "sending",
    }
}

/// A story in that state, put there past all the rules of the program. There is one at a time.
async fn story_in(bed: &Bed, media: MediaId, state: State) -> Story {
    let team = bed.team;
    bed.write(move |tx| {
        tx.execute("DELETE FROM stories", &[])?;
        tx.execute("DELETE FROM history", &[])?;
        let id: StoryId = fresh(noon());
        tx.execute(
            "INSERT INTO stories (id, team_id, number, media_id, turn, due_at, state, previous_state, state_since,
                 attempt, failures, messages)
             VALUES (?1, ?2, 1, ?3, 'memes', 1, ?4, ?5, 1, 0, 0, 0)",
            values![id, team, media, state, before(state)],
        )?;
        Ok(stories::get(tx, id)?.expect("the story"))
    })
    .await
}

on_every_engine! {
    async fn the_database_and_the_program_have_the_same_table_of_changes(bed: Bed) {
        let written: BTreeSet<(String, String)> = bed
            .read(|tx| {
                tx.query("SELECT from_state, to_state FROM story_transitions", &[])?
                    .into_iter()
                    .map(|row| {
                        let mut cells = row.cells();
                        Ok((cells.text()?, cells.text()?))
                    })
                    .collect()
            })
            .await;
        let mut meant: BTreeSet<(String, String)> = State::ALL
            .into_iter()
            .flat_map(|from| State::ALL.map(|to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .map(|(from, to)| (from.to_string(), to.to_string()))
            .collect();
        meant.insert(("new".to_owned(), "planned".to_owned()));
        meant.insert(("ended".to_owned(), "awaiting".to_owned()));
        assert_eq!(written, meant);
    }

    async fn the_database_and_the_program_have_the_same_table_of_endings(bed: Bed) {
        let written: BTreeSet<(String, String)> = bed
            .read(|tx| {
                tx.query("SELECT from_state, outcome FROM story_endings", &[])?
                    .into_iter()
                    .map(|row| {
                        let mut cells = row.cells();
                        Ok((cells.text()?, cells.text()?))
                    })
                    .collect()
            })
            .await;
        let mut meant: BTreeSet<(String, String)> = State::ALL
            .into_iter()
            .flat_map(|from| Outcome::ALL.map(|outcome| (from, outcome)))
            .filter(|(from, outcome)| from.may_end(*outcome))
            .map(|(from, outcome)| (from.to_string(), outcome.to_string()))
            .collect();
        meant.insert(("new".to_owned(), "missed".to_owned()));
        // What a wrong clock called missed.
        meant.insert(("missed".to_owned(), "withdrawn".to_owned()));
        let may_be_taken_back = Outcome::ALL.into_iter().filter(|outcome| outcome.may_be_taken_back());
        meant.extend(may_be_taken_back.map(|outcome| (outcome.to_string(), "withdrawn".to_owned())));
        assert_eq!(written, meant);
    }

    async fn the_database_refuses_every_change_that_is_not_in_the_table(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        for from in State::ALL {
            for to in State::ALL {
                let story = story_in(&bed, media, from).await;
                let past_the_rules = bed
                    .store
                    .write(move |tx| {
                        tx.execute("UPDATE stories SET previous_state = state, state = ?1", values![to])
                    })
                    .await;
                let allowed = from.may_become(to);
                assert_eq!(past_the_rules.is_ok(), allowed, "{from} → {to}");
                assert_eq!(is_refused(&past_the_rules), !allowed, "{past_the_rules:?}");

                let story = if allowed { story_in(&bed, media, from).await } else { story };
                let by_the_rules = bed
                    .store
                    .write(move |tx| stories::advance(tx, &story, to, &story.delivery, noon()))
                    .await;
                assert_eq!(matches!(by_the_rules, Ok(true)), allowed, "{from} → {to}");
                assert_eq!(is_refused(&by_the_rules), !allowed, "{by_the_rules:?}");
            }
        }
    }

    async fn a_story_cannot_begin_in_the_middle_of_its_life(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let team = bed.team;
        for (previous, state) in State::ALL
            .into_iter()
            .map(|state| ("new", state.as_str()))
            .chain([("posted", "planned"), ("new", "sent"), ("", "")])
        {
            let begun = bed
                .store
                .write(move |tx| {
                    tx.execute(
                        "INSERT INTO stories (id, team_id, number, media_id, turn, due_at, state, previous_state,
                             state_since, attempt, failures, messages)
                         VALUES ('x', ?1, 1, ?2, 'memes', 1, ?3, ?4, 1, 0, 0, 0)",
                        values![team, media, state, previous],
                    )?;
                    tx.execute("DELETE FROM stories", &[])
                })
                .await;
            assert_eq!(begun.is_ok(), (previous, state) == ("new", "planned"), "{previous} → {state}");
        }
    }

    async fn the_database_refuses_every_ending_that_is_not_in_the_table(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let team = bed.team;
        for from in State::ALL {
            for outcome in Outcome::ALL {
                let story = story_in(&bed, media, from).await;
                let allowed = from.may_end(outcome);
                let entry = ended(&story, outcome, None);
                let past_the_rules = bed
                    .store
                    .write(move |tx| history::add(tx, team, from.as_str(), &entry))
                    .await;
                assert_eq!(past_the_rules.is_ok(), allowed, "{from} → {outcome}");
                assert_eq!(is_refused(&past_the_rules), !allowed, "{past_the_rules:?}");
                let by_the_rules = bed
                    .store
                    .write(move |tx| stories::remove(tx, &story, outcome))
                    .await;
                assert_eq!(matches!(by_the_rules, Ok(true)), allowed, "{from} → {outcome}");
                assert_eq!(is_refused(&by_the_rules), !allowed, "{by_the_rules:?}");
            }
        }
    }

    async fn only_a_missed_slot_may_end_without_a_story(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let story = story_in(&bed, media, State::Planned).await;
        let team = bed.team;
        for outcome in Outcome::ALL {
            let entry = ended(&story, outcome, None);
            let written = bed.store.write(move |tx| history::add(tx, team, "new", &entry)).await;
            assert_eq!(written.is_ok(), outcome == Outcome::Missed, "{outcome}");
        }
    }

    async fn whoever_comes_second_changes_nothing(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let read_before = bed.planned(media, 0).await;
        let first = read_before.clone();
        let sending = bed.write(move |tx| advanced(tx, &first, State::Sending)).await;
        let before = everything(&bed.store).await;
        let second = read_before.clone();
        bed.write(move |tx| {
            assert!(!stories::advance(tx, &second, State::Sending, &second.delivery, noon())?);
            assert!(!stories::remove(tx, &second, Outcome::Cancelled)?);
            assert!(!stories::unplan(tx, second.id)?);
            assert!(!stories::bring_forward(tx, second.id, false, "Ada", noon())?);
            assert!(!stories::ask_reject(tx, second.id, Some(noon()))?);
            Ok(())
        })
        .await;
        assert_eq!(everything(&bed.store).await, before);
        // The same state in a later attempt is another one.
        bed.write(move |tx| {
            let again = advanced(tx, &sending, State::Retrying)?;
            advanced(tx, &again, State::Sending)?;
            assert!(!stories::advance(tx, &sending, State::Awaiting, &sending.delivery, noon())?);
            Ok(())
        })
        .await;
    }

    async fn two_open_stories_of_a_team_never_share_content(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        bed.planned(media, 0).await;
        let twice = bed
            .store
            .write(move |tx| stories::plan(tx, team, &for_slot(media, 1), None, noon()))
            .await;
        assert!(is_refused(&twice), "{twice:?}");
        assert_eq!(bed.read(move |tx| stories::queue(tx, team)).await.len(), 1);
    }

    async fn a_slot_is_filled_at_most_once_ever(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let other = bed.media("memes/b.jpg", 2).await;
        let story = bed.awaiting(media, 0).await;
        let plan_again = move |tx: &mut dyn Tx| stories::plan(tx, team, &for_slot(other, 0), None, noon());
        assert!(is_refused(&bed.store.write(plan_again).await), "while its story is open");
        bed.write(move |tx| close(tx, &story, Outcome::Posted, None)).await;
        assert!(is_refused(&bed.store.write(plan_again).await), "and when it has ended");
        bed.read(move |tx| {
            assert!(history::has_slot(tx, team, slot(0))?);
            assert!(!history::has_slot(tx, team, slot(1))?);
            assert_eq!(stories::of_slot(tx, team, slot(0))?, None);
            Ok(())
        })
        .await;
        let missed = bed
            .store
            .write(move |tx| {
                let mut entry = ended(&Story { id: fresh(noon()), ..story_like(tx, team)? }, Outcome::Missed, None);
                (entry.number, entry.slot) = (None, Some(slot(0)));
                history::add(tx, team, "new", &entry)
            })
            .await;
        assert!(is_refused(&missed), "nor is it missed after that: {missed:?}");
    }

    async fn a_number_is_never_given_twice(bed: Bed) {
        let team = bed.team;
        let media = bed.media("memes/a.jpg", 1).await;
        let other = bed.media("memes/b.jpg", 2).await;
        let mut given = BTreeSet::new();
        for ordinal in 0..5 {
            let story = bed.awaiting(media, ordinal).await;
            assert!(given.insert(story.number));
            bed.write(move |tx| {
                close(tx, &story, Outcome::Posted, None)?;
                locks::remove(tx, media, None)
            })
            .await;
        }
        // A failed transaction gives its number back; nobody has seen it.
        let failed = bed
            .store
            .write(move |tx| {
                stories::plan(tx, team, &for_slot(other, 9), None, noon())?;
                Err::<(), _>(Error::unexpected("a change of mind"))
            })
            .await;
        assert!(failed.is_err());
        let in_place_of = bed
            .store
            .write(move |tx| stories::plan(tx, team, &for_slot(other, 9), Some(1), noon()))
            .await;
        assert!(is_refused(&in_place_of), "#1 is history");
        let story = bed.planned(other, 9).await;
        assert_eq!(story.number, given.last().expect("five") + 1);
        let kept = bed
            .write(move |tx| {
                assert!(stories::unplan(tx, story.id)?);
                let id = stories::plan(tx, team, &for_slot(media, 9), Some(story.number), noon())?;
                Ok(stories::get(tx, id)?.expect("the story").number)
            })
            .await;
        assert_eq!(kept, story.number, "a slot keeps its number whatever it shows in the end");
    }

    async fn a_story_brought_forward_keeps_its_slot_or_leaves_it(bed: Bed) {
        let team = bed.team;
        let near = bed.media("memes/a.jpg", 1).await;
        let far = bed.media("memes/b.jpg", 2).await;
        let (near, far) = (bed.planned(near, 0).await, bed.planned(far, 1).await);
        let now = noon() - minutes(9);
        let (near, far, by_number) = bed
            .write(move |tx| {
                assert!(stories::bring_forward(tx, near.id, true, "Ada", now)?);
                assert!(stories::bring_forward(tx, far.id, false, "Ada", now)?);
                Ok((
                    stories::get(tx, near.id)?.expect("it"),
                    stories::get(tx, far.id)?.expect("it"),
                    stories::by_number(tx, team, far.number)?,
                ))
            })
            .await;
        assert_eq!((near.slot, near.due_at), (Some(slot(0)), now));
        assert_eq!((far.slot, far.requested_by.as_deref()), (None, Some("Ada")));
        assert_eq!(by_number, Some(far));
    }
}

/// Something to make an entry from.
fn story_like(tx: &mut dyn Tx, team: TeamId) -> Result<Story> {
    let media: MediaId = tx
        .first("SELECT id FROM media ORDER BY id LIMIT 1", &[])?
        .expect("a media")
        .cells()
        .parsed()?;
    Ok(Story {
        id: fresh(noon()),
        team,
        number: 0,
        media,
        slot: None,
        turn: Category::new("memes"),
        due_at: noon(),
        requested_by: None,
        state: State::Planned,
        state_since: noon(),
        delivery: Delivery::default(),
        reject_asked_at: None,
        offered_again_at: None,
        claim: None,
        later: None,
        reminded_at: None,
        swaps: 0,
        swapped_at: None,
        undone_by: None,
        original_at: None,
        swapped_by: None,
    })
}
