//! A story is announced in a few words, and its picture put into that message, as often as it takes: whatever is lost on the
//! way, nobody sees it twice.

use storyline::domain::outcome::Outcome;
use storyline::domain::story::State;
use storyline::flow::act::{Press, Pressed, Saw, Verb};
use storyline::flow::outlet::CardStatus;

use crate::desk::{Arrived, Network};
use crate::harness::*;

/// A minute before the first slot, with a team that looks on.
fn before_nine(home: Home) -> TheBox {
    let born = at("2027-03-01T00:00:00Z");
    let mut the_box = TheBox::in_home(home, three_a_day(), born).with_pictures(20);
    the_box.team = Team::Looks;
    the_box.live_until(at("2027-03-01T08:59:00Z"));
    the_box.tick = minutes(1);
    the_box
}

/// The first story is announced, and this happens to its picture.
fn announced(home: Home, network: Network) -> (TheBox, Arrived) {
    let mut the_box = before_nine(home);
    the_box.once_at_picture(network);
    the_box.live_for(minutes(2));
    let rang = the_box.rang();
    assert_eq!(rang.len(), 1);
    (the_box, rang[0].clone())
}

impl TheBox {
    /// The minutes of the hour at which a picture was put into the first announcement.
    fn pictures_at(&self) -> Vec<i64> {
        let pictures = self.desk.records().pictures.clone();
        let first = self.rang()[0].message;
        assert!(pictures.iter().all(|(_, message)| *message == first));
        let minute = |(at, _): &(jiff::Timestamp, _)| at.as_second() / 60 % 60;
        pictures.iter().map(minute).collect()
    }

    /// How the first story ended, as its announcement tells it.
    fn end_told(&self) -> (Outcome, String) {
        match self.shown_on(self.rang()[0].message).status {
            CardStatus::Ended {
                outcome, reason, ..
            } => (outcome, reason.unwrap_or_default()),
            other => panic!("{other:?}"),
        }
    }

    /// Nothing more rings for the first story, and it awaits a press in its only message.
    fn is_before_the_team_once(&self) {
        assert_eq!(self.rang().len(), 1);
        assert_eq!(self.arrived().len(), 1);
        assert_eq!(self.arrived()[0].message, self.rang()[0].message);
        assert_eq!(self.queue()[0].state, State::Awaiting);
        assert!(!self.shown(&self.rang()[0]).sent_again);
        assert_eq!(
            self.count("SELECT messages FROM stories WHERE number = 1"),
            1
        );
        self.audit();
    }
}

on_every_engine! {
    fn a_new_picture_takes_two_calls_and_one_that_is_known_takes_one(home: Home) {
        let born = at("2027-03-01T00:00:00Z");
        let mut the_box = TheBox::in_home(home, three_a_day(), born).with_pictures(1);
        the_box.team = Team::Looks;
        the_box.live_until(at("2027-03-01T09:10:00Z"));
        assert_eq!(the_box.pictures_at(), [0]);
        the_box.is_before_the_team_once();
        // It expires, and comes up again.
        the_box.live_for(days(2));
        let calls = {
            let records = the_box.desk.records();
            (records.attempts.len(), records.pictures.len())
        };
        assert_eq!(calls, (2, 1));
        assert_eq!(the_box.arrived().len(), 2);
        the_box.audit();
    }

    fn a_picture_that_does_not_get_through_is_put_into_the_same_message_later(home: Home) {
        let mut the_box = before_nine(home);
        for network in [Network::IsAway, Network::LosesTheMessage, Network::LosesTheAnswer] {
            the_box.once_at_picture(network);
        }
        the_box.live_for(minutes(50));
        assert_eq!(the_box.pictures_at(), [0, 5, 15, 35]);
        assert_eq!(the_box.alert("delivery"), None);
        the_box.is_before_the_team_once();
    }

    fn a_picture_that_never_gets_through_misses_its_slot_and_the_announcement_tells_it(home: Home) {
        let mut the_box = before_nine(home);
        for _ in 0..6 {
            the_box.once_at_picture(Network::IsAway);
        }
        the_box.live_for(minutes(70));
        assert_eq!(the_box.pictures_at(), [0, 5, 15, 35, 55, 59]);
        assert_eq!(the_box.end_told(), (Outcome::Missed, "no network".to_owned()));
        assert!(the_box.run(the_box.flow().locks(the_box.now)).unwrap().is_empty());
        the_box.audit();
    }

    fn a_picture_that_may_have_got_through_is_not_called_missed_and_follows_late(home: Home) {
        let mut the_box = before_nine(home);
        for _ in 0..6 {
            the_box.once_at_picture(Network::LosesTheMessage);
        }
        the_box.live_for(minutes(65));
        assert_eq!(the_box.pictures_at(), [0, 5, 15, 35, 55, 59]);
        assert_eq!(the_box.queue()[0].state, State::Retrying);
        // It rang once, and now it is complete.
        the_box.live_for(minutes(30));
        the_box.is_before_the_team_once();
        the_box.live_for(days(1));
        assert_eq!(the_box.end_told().0, Outcome::Expired);
        the_box.audit();
    }

    fn a_picture_that_never_follows_is_missed_in_the_end(home: Home) {
        let mut the_box = before_nine(home);
        the_box.once(Network::Works);
        the_box.network(Network::LosesTheMessage);
        the_box.live_for(days(1) + hours(2));
        assert_eq!(the_box.rang().len(), 1);
        let (outcome, reason) = the_box.end_told();
        assert_eq!(outcome, Outcome::Missed);
        assert!(reason.contains("nobody is known to have had it"), "{reason}");
        assert!(the_box.ended(Outcome::Expired).is_empty());
        the_box.audit();
    }

    fn a_crash_between_announcement_and_picture_is_gone_on_from(home: Home) {
        for (cut, home) in [(Network::PowerFailsBefore, home), (Network::PowerFailsAfter, Home::sqlite())] {
            let mut the_box = before_nine(home);
            the_box.once_at_picture(cut);
            the_box.set_clock(at("2027-03-01T09:00:00Z"));
            the_box.desk.records().now = the_box.now;
            while the_box.dispatch().is_some() {}
            the_box.be_off_for(minutes(7));
            assert_eq!(the_box.queue()[0].state, State::Retrying);
            the_box.look();
            assert_eq!(the_box.pictures_at(), [0, 7]);
            the_box.is_before_the_team_once();
        }
    }

    fn a_task_that_died_at_the_picture_is_found_by_the_lease_and_goes_on(home: Home) {
        let mut the_box = before_nine(home);
        the_box.once_at_picture(Network::PowerFailsAfter);
        the_box.set_clock(at("2027-03-01T09:00:00Z"));
        the_box.desk.records().now = the_box.now;
        while the_box.dispatch().is_some() {}
        the_box.live_for(minutes(9));
        assert_eq!(the_box.pictures_at(), [0, 8]);
        the_box.is_before_the_team_once();
    }

    fn a_picture_that_is_refused_fails_and_the_announcement_tells_it(home: Home) {
        let (the_box, _) = announced(home, Network::RefusesTheStory);
        assert_eq!(the_box.end_told(), (Outcome::Failed, "bad picture".to_owned()));
        assert!(the_box.alert("refused").is_some());
        the_box.audit();
    }

    fn what_ends_meanwhile_is_told_by_the_announcement(home: Home) {
        let (mut the_box, _) = announced(home, Network::IsAway);
        let number = the_box.queue()[0].number;
        the_box.run(the_box.flow().cancel(number, anna(), the_box.now)).unwrap();
        the_box.look();
        assert_eq!(the_box.end_told().0, Outcome::Cancelled);
        the_box.live_for(minutes(30));
        assert_eq!(the_box.pictures_at(), [0]);

        let (mut the_box, _) = announced(Home::sqlite(), Network::IsAway);
        the_box.pause();
        the_box.look();
        assert_eq!(the_box.end_told().0, Outcome::Missed);
        the_box.audit();
    }

    fn a_press_on_a_picture_whose_answer_was_lost_counts(home: Home) {
        let (mut the_box, story) = announced(home, Network::LosesTheAnswer);
        assert_eq!(the_box.queue()[0].state, State::Retrying);
        assert_eq!(the_box.press(&story, Verb::Skip), ended(Outcome::Skipped));
        the_box.live_for(minutes(30));
        assert_eq!(the_box.end_told().0, Outcome::Skipped);
        assert_eq!(the_box.pictures_at(), [0]);
        the_box.audit();
    }

    fn a_press_on_a_picture_whose_story_was_missed_is_told_the_truth(home: Home) {
        let (mut the_box, story) = announced(home, Network::LosesTheAnswer);
        the_box.pause();
        the_box.look();
        let pressed = the_box.press(&story, Verb::Posted);
        assert!(matches!(pressed, Pressed::EndedBefore { outcome: Outcome::Missed, .. }), "{pressed:?}");
        the_box.look();
        assert_eq!(the_box.end_told().0, Outcome::Missed);
        the_box.audit();
    }

    fn who_answers_the_announcement_of_a_story_that_ended_changes_nothing(home: Home) {
        let (mut the_box, story) = announced(home, Network::IsAway);
        the_box.pause();
        the_box.look();
        let reply = Press {
            saw: Saw::At(the_box.now),
            ..the_box.a_press(story.card.story, story.message, Verb::Posted)
        };
        let pressed = the_box.run(the_box.flow().press(reply, the_box.now)).unwrap();
        assert!(matches!(pressed, Pressed::EndedBefore { .. }), "{pressed:?}");
        // It is a text still, and told as one.
        the_box.look();
        assert_eq!(the_box.end_told().0, Outcome::Missed);
    }

    fn who_answers_a_mere_announcement_has_not_seen_the_story(home: Home) {
        let (mut the_box, story) = announced(home, Network::IsAway);
        let reply = Press {
            saw: Saw::At(the_box.now),
            ..the_box.a_press(story.card.story, story.message, Verb::Posted)
        };
        let pressed = the_box.run(the_box.flow().press(reply, the_box.now)).unwrap();
        assert_eq!(pressed, Pressed::NotShown);
        the_box.live_for(minutes(10));
        the_box.is_before_the_team_once();
    }

    fn an_announcement_that_was_taken_out_is_sent_anew_once_and_says_so(home: Home) {
        let (mut the_box, story) = announced(home, Network::IsAway);
        the_box.takes_out(&story);
        the_box.live_for(minutes(10));
        let rang = the_box.rang();
        assert_eq!(rang.len(), 2);
        assert!(rang[1].card.sent_again);
        assert_eq!(the_box.arrived()[0].message, rang[1].message);
        assert_eq!(the_box.queue()[0].state, State::Awaiting);
        the_box.audit();

        let (mut the_box, story) = announced(Home::sqlite(), Network::IsAway);
        the_box.takes_out(&story);
        the_box.once_at_picture(Network::Works);
        the_box.once_at_picture(Network::IsAway);
        the_box.live_for(minutes(8));
        the_box.takes_out(&the_box.rang()[1].clone());
        the_box.live_for(minutes(60));
        assert_eq!(the_box.rang().len(), 2, "never a third");
        let missed = the_box.ended(Outcome::Missed);
        assert_eq!(missed[0].reason.as_deref(), Some("the message is gone"));
        the_box.audit();
    }

    fn a_server_that_puts_no_picture_into_a_text_is_sent_to_in_one_call(home: Home) {
        let mut the_box = before_nine(home);
        the_box.takes_no_picture(true);
        the_box.live_until(at("2027-03-01T13:10:00Z"));
        let rang = the_box.rang();
        assert_eq!(rang.len(), 3, "an announcement, and two stories");
        assert!(the_box.desk.records().taken_out.contains(&rang[0].message));
        assert_eq!(the_box.arrived().len(), 2);
        assert_eq!(the_box.pictures_at(), [0], "it was tried once");
        assert!(the_box.arrived().iter().all(|story| !story.card.sent_again));
        assert_eq!(the_box.count("SELECT messages FROM stories WHERE number = 1"), 1);
        the_box.audit();
    }

    fn a_picture_waits_for_no_other_story(home: Home) {
        let (mut the_box, _) = announced(home, Network::IsAway);
        the_box.live_for(minutes(2));
        the_box.send_next();
        the_box.live_for(minutes(5));
        let pictures: Vec<_> = the_box.desk.records().pictures.iter().map(|(_, message)| message.message).collect();
        assert_eq!(pictures, [1, 2, 1]);
        the_box.audit();
    }
}

/// Whatever goes wrong with the first message and with two pictures, in whatever order.
#[test]
fn whatever_goes_wrong_there_are_two_messages_at_most_and_one_outcome() {
    let mut settings = three_a_day();
    settings.expire_hours = 1;
    for (first, picture) in Network::ALL
        .into_iter()
        .flat_map(|first| Network::ALL.map(|picture| (first, picture)))
    {
        for again in [picture, Network::LosesTheAnswer] {
            let mut the_box = TheBox::with(settings.clone()).with_pictures(5);
            the_box.team = Team::Looks;
            the_box.live_until(at("2027-03-01T08:59:00Z"));
            the_box.once(first);
            the_box.once_at_picture(picture);
            the_box.once_at_picture(again);
            the_box.live_until(at("2027-03-01T12:30:00Z"));
            let case = format!("{first:?}, {picture:?}, {again:?}");
            let ends: Vec<_> = the_box.history().iter().map(|end| end.outcome).collect();
            assert!(
                matches!(
                    ends[..],
                    [Outcome::Expired | Outcome::Missed | Outcome::Failed]
                ),
                "{case}: {ends:?}"
            );
            the_box.audit();
            the_box.audit_slots();
        }
    }
}
