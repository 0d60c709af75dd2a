//! Several teams in one store.

use super::*;

on_every_engine! {
    async fn teams_come_go_and_come_back(bed: Bed) {
        let own = bed.team;
        // A clock that was wrong: the second team looks older than the first.
        let club = bed.write(|tx| teams::add(tx, "Club", noon() - SignedDuration::from_hours(9000))).await;
        assert_eq!(bed.read(teams::present).await, [own, club]);
        assert_eq!(bed.write(|tx| teams::ensure(tx, "Another", noon())).await, own);

        bed.write(move |tx| teams::set_removed(tx, club, Some(noon()))).await;
        assert_eq!(bed.read(teams::present).await, [own]);
        assert_eq!(bed.read(teams::removed).await, [(club, "Club".to_owned())]);
        assert!(bed.read(move |tx| teams::is_removed(tx, club)).await);
        bed.write(move |tx| teams::set_removed(tx, club, None)).await;
        assert_eq!(bed.read(teams::present).await, [own, club]);
        assert_eq!(bed.read(teams::removed).await, []);
        assert!(!bed.read(move |tx| teams::is_removed(tx, own)).await);
    }

    async fn a_story_is_of_its_team_open_or_ended(bed: Bed) {
        let media = bed.media("memes/a.jpg", 1).await;
        let story = bed.planned(media, 0).await;
        let (team, id) = (bed.team, story.id);
        assert_eq!(bed.read(move |tx| teams::of_story(tx, id)).await, Some(team));
        let nobodys = StoryId::from_bytes([9; 16]);
        assert_eq!(bed.read(move |tx| teams::of_story(tx, nobodys)).await, None);
    }

    async fn a_person_chooses_one_of_their_teams(bed: Bed) {
        let (team, ben) = (bed.team, PersonId(12));
        bed.write(move |tx| people::note(tx, team, ben, "Ben", None, Role::Member, noon())).await;
        assert_eq!(bed.read(move |tx| people::chosen_at(tx, team, ben)).await, None);
        bed.write(move |tx| people::choose(tx, team, ben, noon())).await;
        assert_eq!(bed.read(move |tx| people::chosen_at(tx, team, ben)).await, Some(noon()));
    }
}
