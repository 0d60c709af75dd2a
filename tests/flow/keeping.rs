//! A story that stays open: somebody is on it, wants it later, wants another one, or takes an outcome back; and the team is
//! reminded of it.

use jiff::SignedDuration;
use storyline::domain::entry::Entry;
use storyline::domain::outcome::Outcome;
use storyline::domain::story::Claim;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::outlet::{Awaiting, CardStatus, Contents};

use crate::desk::{Arrived, Network};
use crate::harness::*;

/// The first story is before a team that looks on: it was due at nine.
fn first_story() -> (TheBox, Arrived) {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let arrived = the_box.arrived()[0].clone();
    (the_box, arrived)
}

fn awaiting(the_box: &TheBox, story: &Arrived) -> Awaiting {
    match the_box.shown(story).status {
        CardStatus::Awaiting(awaiting) => awaiting,
        other => panic!("{other:?}"),
    }
}

fn may_undo(the_box: &TheBox, story: &Arrived) -> bool {
    matches!(
        the_box.shown(story).status,
        CardStatus::Ended { may_undo: true, .. }
    )
}

#[test]
fn who_is_on_it_is_shown_to_everybody_and_lapses() {
    let (mut the_box, story) = first_story();
    assert_eq!(the_box.press(&story, Verb::Claim), Pressed::Claimed);
    the_box.look();
    let claim = Claim {
        person: ANNA,
        name: "Anna".to_owned(),
        at: at("2027-03-01T09:10:00Z"),
    };
    assert_eq!(awaiting(&the_box, &story).claim, Some(claim.clone()));
    let told = the_box.press_by_ben(&story, Verb::Claim);
    assert_eq!(told, Pressed::ClaimedBefore(claim.clone()));
    the_box.live_for(minutes(14));
    assert_eq!(awaiting(&the_box, &story).claim, Some(claim));
    the_box.tick = minutes(1);
    the_box.live_for(minutes(2));
    assert_eq!(awaiting(&the_box, &story).claim, None);
    assert_eq!(the_box.press_by_ben(&story, Verb::Claim), Pressed::Claimed);
    assert_eq!(the_box.press_by_ben(&story, Verb::Claim), Pressed::Released);
    assert_eq!(the_box.press(&story, Verb::Claim), Pressed::Claimed);
    let finished = the_box.press_by_ben(&story, Verb::Skip);
    let while_on_it = Some("Anna".to_owned());
    assert_eq!(
        finished,
        Pressed::Ended {
            outcome: Outcome::Skipped,
            while_on_it
        }
    );
    the_box.audit();
}

#[test]
fn an_outcome_is_taken_back_within_its_minute_and_all_is_as_it_was() {
    for (verb, outcome) in [
        (Verb::Posted, Outcome::Posted),
        (Verb::Skip, Outcome::Skipped),
        (Verb::ReallyReject, Outcome::Rejected),
    ] {
        let (mut the_box, story) = first_story();
        let counters = "SELECT COUNT(*) * 100 + SUM(posted_count) * 10 + SUM(skipped_count) FROM media WHERE last_posted_at IS NULL";
        let before = (
            the_box.count(counters),
            the_box.count("SELECT COUNT(*) FROM locks"),
        );
        assert_eq!(the_box.press(&story, verb), ended(outcome));
        the_box.look();
        assert!(may_undo(&the_box, &story));
        the_box.now += SignedDuration::from_secs(59);
        assert_eq!(
            the_box.press(&story, Verb::Undo),
            Pressed::TakenBack(outcome)
        );
        the_box.look();
        assert_eq!(
            awaiting(&the_box, &story).undone_by.as_deref(),
            Some("Anna")
        );
        assert_eq!(
            (
                the_box.count(counters),
                the_box.count("SELECT COUNT(*) FROM locks")
            ),
            before
        );
        assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
        let kept = the_box.history();
        assert_eq!((kept.len(), kept[0].withdrawn.is_some()), (1, true));
        the_box.audit();
        assert_eq!(the_box.press(&story, Verb::Skip), ended(Outcome::Skipped));
        the_box.live_for(hours(30));
        assert!(!may_undo(&the_box, &story));
        the_box.audit();
        the_box.audit_slots();
    }
}

#[test]
fn after_its_minute_an_outcome_stands_and_the_button_goes() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.look();
    assert!(may_undo(&the_box, &story));
    the_box.live_for(minutes(2));
    assert!(!may_undo(&the_box, &story), "it is offered no more");
    assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
    assert_eq!(the_box.history()[0].withdrawn, None);
}

#[test]
fn a_clock_that_was_set_back_takes_nothing_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.set_clock(the_box.now - days(20));
    assert_eq!(the_box.press(&story, Verb::Undo), Pressed::TooLate);
    the_box.look();
    assert!(!may_undo(&the_box, &story));
}

#[test]
fn only_who_did_it_or_an_admin_takes_it_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    let only = Pressed::OnlyTheirs("Anna".to_owned());
    assert_eq!(the_box.press_by_ben(&story, Verb::Undo), only);
    the_box.press(&story, Verb::Undo);
    the_box.press_by_ben(&story, Verb::Skip);
    let taken_back = Pressed::TakenBack(Outcome::Skipped);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        taken_back,
        "Anna is an admin"
    );
    the_box.audit();
}

#[test]
fn a_picture_that_is_free_at_once_can_be_taken_back_although_it_is_planned_again() {
    let mut settings = three_a_day();
    settings.skip_ttl_days = 0;
    let mut the_box = TheBox::with(settings).with_pictures(1);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    the_box.press(&story, Verb::Skip);
    the_box.now += minutes(1);
    the_box.run(the_box.flow().plan(the_box.now)).unwrap();
    assert_eq!(the_box.queue().len(), 1, "it is planned again");
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Skipped)
    );
    assert_eq!(the_box.queue().len(), 1);
    the_box.audit();
}

#[test]
fn another_picture_takes_the_place_and_a_late_tap_means_nothing() {
    let (mut the_box, story) = first_story();
    let before = the_box.shown(&story).media.path;
    let late = the_box.a_press(story.card.story, story.message, Verb::Posted);
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::Swapped);
    the_box.look();
    let shown = the_box.shown(&story);
    assert_ne!(shown.media.path, before);
    assert_eq!((shown.number, shown.swaps), (story.card.number, 1));
    assert_eq!(
        the_box.desk.records().replaced.len(),
        1,
        "the chat shows another picture"
    );
    let told = the_box
        .run(the_box.flow().press(late, the_box.now))
        .unwrap();
    assert_eq!(told, Pressed::SwappedBefore);
    assert!(the_box.history().is_empty());

    assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
    assert_eq!(the_box.history()[0].snapshot.path, shown.media.path);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Posted)
    );
    the_box.look();
    assert_eq!(the_box.shown(&story).swaps, 1, "it is still the other one");
    assert_eq!(the_box.desk.records().replaced.len(), 1);
    // What was swapped out is left alone for a day, and comes back.
    let locks = the_box.run(the_box.flow().locks(the_box.now)).unwrap();
    assert_eq!((locks.len(), &locks[0].path), (1, &before));
    the_box.live_for(days(25));
    assert!(
        the_box
            .arrived()
            .iter()
            .any(|arrived| arrived.card.media.path == before)
    );
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn a_reply_from_before_a_swap_means_nothing_and_one_after_it_counts() {
    let (mut the_box, story) = first_story();
    let reply = |the_box: &mut TheBox, at| Press {
        saw: Saw::At(at),
        ..the_box.a_press(story.card.story, story.message, Verb::Posted)
    };
    let before = the_box.now;
    the_box.now += minutes(1);
    the_box.press(&story, Verb::Swap);
    let now = the_box.now;
    for (said_at, has_followed, answer) in [
        (now, false, Pressed::SwappedBefore),
        (before, true, Pressed::SwappedBefore),
        (now, true, ended(Outcome::Posted)),
    ] {
        if has_followed {
            the_box.look();
        }
        let press = reply(&mut the_box, said_at);
        let pressed = the_box
            .run(the_box.flow().press(press, the_box.now))
            .unwrap();
        assert_eq!(pressed, answer);
    }
}

#[test]
fn two_who_swap_at_once_swap_once() {
    let (mut the_box, story) = first_story();
    let presses = [(); 2].map(|()| the_box.a_press(story.card.story, story.message, Verb::Swap));
    let answers = presses.map(|press| {
        the_box
            .run(the_box.flow().press(press, the_box.now))
            .unwrap()
    });
    assert_eq!(answers, [Pressed::Swapped, Pressed::SwappedBefore]);
}

#[test]
fn where_all_is_planned_the_next_story_gives_up_its_picture() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(2);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    assert_eq!(
        the_box.queue().len(),
        2,
        "the other one is planned for one o'clock"
    );
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::Swapped);
    the_box.look();
    assert_ne!(the_box.shown(&story).media.path, story.card.media.path);
    let next = &the_box.queue()[1];
    assert!(
        next.due_at >= the_box.now + days(1),
        "nothing is left for one o'clock"
    );
    the_box.live_for(days(2));
    the_box.audit();
    the_box.audit_slots();
}

#[test]
fn where_nothing_else_fits_the_story_stays_as_it_is() {
    let mut the_box = TheBox::with(three_a_day()).with_pictures(1);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    assert_eq!(the_box.press(&story, Verb::Swap), Pressed::NothingElse);
    assert_eq!(the_box.press(&story, Verb::Posted), ended(Outcome::Posted));
}

#[test]
fn a_swapped_picture_is_shown_when_its_disk_is_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Swap);
    the_box.network(Network::IsAway);
    the_box.look();
    assert_eq!(the_box.shown(&story).swaps, 0);
    the_box.network(Network::Works);
    the_box.live_for(minutes(60));
    assert_eq!(the_box.shown(&story).swaps, 1);
    assert_eq!(the_box.desk.records().replaced.len(), 1);
}

#[test]
fn the_team_is_reminded_once_and_the_reminder_goes_with_the_story() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:29:00Z"));
    assert!(the_box.desk.records().reminded.is_empty());
    the_box.live_until(at("2027-03-01T12:00:00Z"));
    assert_eq!(
        the_box.desk.records().reminded,
        [(at("2027-03-01T09:30:00Z"), story.card.number)]
    );
    assert_eq!(the_box.desk.records().reminders.len(), 1);
    the_box.press(&story, Verb::Posted);
    the_box.look();
    assert!(the_box.desk.records().reminders.is_empty());
    the_box.audit();
}

#[test]
fn whoever_is_on_it_is_left_in_peace_and_a_reminder_that_did_not_leave_is_sent_again() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:25:00Z"));
    the_box.press(&story, Verb::Claim);
    the_box.live_until(at("2027-03-01T09:38:00Z"));
    assert!(the_box.desk.records().reminded.is_empty());
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:50:00Z"));
    the_box.network(Network::Works);
    the_box.live_until(at("2027-03-01T10:30:00Z"));
    assert_eq!(the_box.desk.records().reminded.len(), 1);
}

#[test]
fn nobody_is_reminded_where_nobody_wants_it() {
    let mut settings = three_a_day();
    settings.remind_minutes = 0;
    let mut the_box = TheBox::with(settings).with_pictures(9);
    the_box.team = Team::Looks;
    the_box.live_for(days(2));
    assert!(the_box.desk.records().reminded.is_empty());
}

#[test]
fn after_a_long_absence_a_team_is_not_flooded_with_reminders() {
    let mut settings = settings(12, "09:00", "21:00", "UTC");
    settings.remind_minutes = 1440;
    settings.expire_hours = 72;
    let mut the_box = TheBox::with(settings.clone()).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T21:30:00Z"));
    assert_eq!(the_box.arrived().len(), 12);
    settings.remind_minutes = 30;
    the_box.restart_with(settings);
    the_box.look();
    assert_eq!(the_box.desk.records().reminded.len(), 3);
    the_box.live_for(hours(10));
    assert_eq!(the_box.desk.records().reminded.len(), 3);
}

#[test]
fn a_story_that_is_put_off_comes_up_again_in_the_teams_hours() {
    let (mut the_box, story) = first_story();
    the_box.tick = minutes(1);
    let noon = at("2027-03-01T11:10:00Z");
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOff(noon));
    the_box.look();
    let later = awaiting(&the_box, &story).later.unwrap();
    assert_eq!((later.at, later.by.as_str()), (noon, "Anna"));
    the_box.live_until(noon + minutes(5));
    assert_eq!(the_box.desk.records().reminded, [(noon, story.card.number)]);
    assert_eq!(awaiting(&the_box, &story).later, None);
    // In the evening it is the next morning; that, and not more than two days after it was first seen.
    the_box.live_until(at("2027-03-01T20:00:00Z"));
    let morning = at("2027-03-02T09:00:00Z");
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOff(morning));
    the_box.live_until(at("2027-03-03T08:00:00Z"));
    assert_eq!(the_box.press(&story, Verb::Later), Pressed::PutOffEnough);
    the_box.look();
    assert!(!awaiting(&the_box, &story).may_put_off);
    the_box.live_until(at("2027-03-03T10:00:00Z"));
    let history = the_box.history();
    let is_it = |entry: &&Entry| entry.number == Some(story.card.number);
    let end = history.iter().find(is_it).unwrap();
    assert_eq!(
        (end.outcome, end.ended_at),
        (Outcome::Expired, morning + days(1) + minutes(1))
    );
    the_box.audit();
}

#[test]
fn all_that_was_promised_for_the_morning_comes_up_a_few_at_a_time() {
    let mut the_box = TheBox::with(settings(8, "09:00", "21:00", "UTC")).with_pictures(60);
    the_box.team = Team::Looks;
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T20:30:00Z"));
    let stories = the_box.arrived();
    assert!(stories.len() > 5);
    let before = the_box.desk.records().reminded.len();
    for story in &stories {
        the_box.press(story, Verb::Later);
    }
    the_box.live_until(at("2027-03-02T09:00:00Z"));
    assert_eq!(the_box.desk.records().reminded.len() - before, 3);
    the_box.live_until(at("2027-03-02T09:10:00Z"));
    assert_eq!(
        the_box.desk.records().reminded.len() - before,
        stories.len()
    );
    the_box.audit();
}

#[test]
fn a_story_that_was_put_off_and_taken_back_waits_anew() {
    let mut settings = three_a_day();
    settings.expire_hours = 1;
    let mut the_box = TheBox::with(settings).with_pictures(20);
    the_box.team = Team::Looks;
    the_box.tick = minutes(1);
    the_box.live_until(at("2027-03-01T09:10:00Z"));
    let story = the_box.arrived()[0].clone();
    the_box.press(&story, Verb::Later);
    the_box.live_until(at("2027-03-01T11:00:00Z"));
    the_box.press(&story, Verb::Posted);
    assert_eq!(
        the_box.press(&story, Verb::Undo),
        Pressed::TakenBack(Outcome::Posted)
    );
    the_box.live_until(at("2027-03-01T11:55:00Z"));
    assert!(
        the_box
            .queue()
            .iter()
            .any(|open| open.number == story.card.number)
    );
    the_box.audit();
}

#[test]
fn a_reminder_that_cannot_be_sent_is_tried_once_a_minute() {
    let (mut the_box, _) = first_story();
    the_box.tick = minutes(1);
    the_box.network(Network::IsAway);
    the_box.live_until(at("2027-03-01T09:31:00Z"));
    let again = the_box
        .run(the_box.flow().remind(&the_box.desk.clone(), the_box.now))
        .unwrap();
    assert_eq!(again, Some(the_box.now + minutes(1)));
}

#[test]
fn an_original_that_was_on_its_way_when_the_box_stopped_may_be_asked_for_again() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Original);
    let sql = "UPDATE stories SET original_wanted = 2 WHERE original_wanted = 1";
    let connection = rusqlite::Connection::open(the_box.database()).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    the_box.restart();
    the_box.look();
    assert!(the_box.desk.records().originals.is_empty());
    assert_eq!(the_box.press(&story, Verb::Original), Pressed::SendOriginal);
}

#[test]
fn the_original_is_sent_once_to_everybody() {
    let (mut the_box, story) = first_story();
    assert_eq!(the_box.press(&story, Verb::Original), Pressed::SendOriginal);
    let since = the_box.now;
    assert_eq!(
        the_box.press_by_ben(&story, Verb::Original),
        Pressed::OriginalSentAt(since)
    );
    the_box.look();
    the_box.look();
    let number = story.card.number;
    let bytes = Contents::Bytes(vec![0xff]);
    assert_eq!(the_box.desk.records().originals, [(number, bytes.clone())]);
    // Later again, without another upload; and again, when it did not leave the box.
    the_box.now += hours(2);
    the_box.network(Network::IsAway);
    assert_eq!(
        the_box.press_by_ben(&story, Verb::Original),
        Pressed::SendOriginal
    );
    the_box.look();
    assert_eq!(the_box.desk.records().originals.len(), 1);
    the_box.network(Network::Works);
    the_box.live_for(minutes(2));
    let known = Contents::Known("uploaded".to_owned());
    assert_eq!(
        the_box.desk.records().originals,
        [(number, bytes), (number, known)]
    );
}

#[test]
fn a_month_is_told_in_numbers_without_what_was_taken_back() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Posted);
    the_box.press(&story, Verb::Undo);
    the_box.press_by_ben(&story, Verb::Posted);
    the_box.live_until(at("2027-03-01T13:01:00Z"));
    let second = the_box.arrived()[1].clone();
    the_box.press(&second, Verb::Skip);
    let stats = the_box
        .run(the_box.flow().stats(Some(ANNA), the_box.now))
        .unwrap();
    assert_eq!((stats.team.posted, stats.team.skipped), (1, 1));
    let mine = stats.mine.unwrap();
    assert_eq!(
        (mine.posted, mine.skipped, mine.median_seconds),
        (0, 1, None)
    );
    assert_eq!(
        stats.team.median_seconds,
        Some(600),
        "from nine to ten past"
    );
    assert_eq!(stats.busiest_hours, [(9, 1)]);
    the_box.now += days(31);
    let later = the_box
        .run(the_box.flow().stats(None, the_box.now))
        .unwrap();
    assert_eq!(later, Default::default());
}

#[test]
fn an_original_that_may_have_arrived_is_not_sent_again() {
    let (mut the_box, story) = first_story();
    the_box.press(&story, Verb::Original);
    the_box.network(Network::LosesTheAnswer);
    the_box.look();
    the_box.network(Network::Works);
    the_box.live_for(minutes(30));
    assert!(the_box.desk.records().originals.is_empty());
}
