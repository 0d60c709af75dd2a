//! What is told of one story, whoever asks.

use super::*;
use crate::domain::audit::{By, Change};

on_every_engine! {
    async fn what_is_on_record_of_a_story_is_found_by_it_and_in_order(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        let story = bed.awaiting(id, 0).await;
        let message = |message| MessageRef { chat: -100, message };
        bed.write(move |tx| {
            for (minute, number, kind) in [(5, 9, messages::Kind::Reminder), (0, 8, messages::Kind::Story)] {
                let new = messages::NewMessage { kind, ..shown_in(message(number), false) };
                messages::add(tx, team, story.id, &new, noon() + minutes(minute))?;
            }
            let noted = messages::of_story(tx, story.id)?;
            let order: Vec<_> = noted.iter().map(|noted| (noted.message, noted.kind, noted.at)).collect();
            assert_eq!(order, [
                (message(8), messages::Kind::Story, noon()),
                (message(9), messages::Kind::Reminder, noon() + minutes(5)),
            ]);

            let media = media::get(tx, id)?;
            for (minute, change) in [
                (-1, Change::of_media(&media, "before its life")),
                (1, Change::of_media(&media, "in its life")),
                (9, Change::of_media(&media, "after its life")),
                (0, Change::of_story(story.id, story.number, "sent next")),
                (0, Change::of_mix(team, "something else")),
            ] {
                audit::add(tx, team, &By::terminal("root"), &change, noon() + minutes(minute))?;
            }
            let changes = audit::of_story(tx, story.id, Some(id), (noon(), noon() + minutes(8)))?;
            let told: Vec<&str> = changes.iter().map(|line| line.change.action.as_str()).collect();
            assert_eq!(told, ["sent next", "in its life"]);
            // An end without a media has no changes of any.
            assert_eq!(audit::of_story(tx, story.id, None, (noon(), Timestamp::MAX))?.len(), 1);

            alerts::raise(tx, team, "refused", "#1", noon() - minutes(1))?;
            alerts::raise(tx, team, "overdue", "#1", noon())?;
            alerts::resolve(tx, team, "overdue", noon() + minutes(1))?;
            let found = alerts::since(tx, team, noon())?;
            assert_eq!((found.len(), found[0].resolved_at), (1, Some(noon() + minutes(1))));

            assert!(history::ends_of(tx, team, story.number)?.is_empty());
            assert!(close(tx, &story, Outcome::Posted, None)?);
            assert_eq!(history::ends_of(tx, team, story.number)?, [ended(&story, Outcome::Posted, None)]);
            Ok(())
        })
        .await;
    }
}
