//! People press, several at once, late, twice, and without being asked. Every story has one outcome.

use std::time::Duration;

use storyline::domain::audit::By;
use storyline::domain::outcome::Outcome;

use crate::harness::{ANN, BEN, CLEO, Office, TEAM, ZED};
use crate::pretend::telegram::{Fault, Status};

async fn an_office_with_a_story() -> (Office, i64) {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    office.it_is("09:00");
    let story = office.story(1).await.id;
    (office, story)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_press_wins_and_the_others_are_told_the_truth() {
    let (office, story) = an_office_with_a_story().await;
    for person in [ANN, BEN, CLEO, ANN] {
        office.telegram.press(person, TEAM, story, "Posted");
    }
    office
        .see(|state| (state.answers.len() == 4).then_some(()))
        .await;
    let texts: Vec<String> = office
        .telegram
        .answers()
        .into_iter()
        .filter_map(|answer| answer.text)
        .collect();
    let of = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!(of("Noted as posted"), 1, "{texts:?}");
    assert_eq!(of("was faster") + of("You did"), 3, "{texts:?}");
    let history = office.history().await;
    assert_eq!(history.len(), 1);
    assert_eq!(office.flow().locks(office.now()).await.unwrap().len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_asks_once_more_and_is_for_ever() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.press(BEN, TEAM, story, "Reject");
    let asking = office.see_text(story, "Really reject it?").await;
    assert_eq!(asking.labels(), [["🚫 Yes, never again", "↩ No, keep it"]]);
    office.telegram.press(CLEO, TEAM, story, "No, keep it");
    office
        .see(|state| {
            state
                .message(TEAM, story)
                .filter(|m| m.button("Posted").is_some())
                .map(|_| ())
        })
        .await;
    office.telegram.press(BEN, TEAM, story, "Reject");
    office.see_text(story, "Really reject it?").await;
    office.telegram.press(BEN, TEAM, story, "never again");
    office.see_text(story, "Rejected by Ben").await;
    assert_eq!(office.history().await[0].outcome, Outcome::Rejected);
    let locks = office.flow().locks(office.now()).await.unwrap();
    assert_eq!((locks[0].kind.as_str(), locks[0].until), ("rejected", None));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_and_leaves_no_trace() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.press_raw(ZED, TEAM, story, "nonsense");
    office.telegram.press(ZED, TEAM, story, "Posted");
    office.see_answer("for the team of this chat only").await;
    office.telegram.say(ZED, ZED, "/status");
    office.see_said(ZED, "I work for my teams only").await;
    assert!(office.flow().people().await.unwrap().is_empty());
    assert!(office.history().await.is_empty());

    // Once in the chat, they belong; but the box asks Telegram again only after a while.
    office.telegram.member(TEAM, BEN, Status::Member);
    office.telegram.press(BEN, TEAM, story, "Skip");
    office.see_text(story, "Skipped by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_persons_press_is_refused() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.say(BEN, TEAM, "/status");
    office.see_said(TEAM, "Posted today").await;
    let ben = office.flow().people().await.unwrap()[0].id;
    office
        .beside()
        .await
        .set_active(ben, false, By::terminal("ann"), office.now())
        .await
        .unwrap();
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_answer("switched off").await;
    assert!(office.history().await.is_empty());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_came_while_the_box_was_off_takes_effect_once_at_its_start() {
    let (mut office, story) = an_office_with_a_story().await;
    office.stop().await;
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.start().await;
    office.see_text(story, "Posted by Ann").await;
    assert_eq!(office.history().await.len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_presses_that_come_together_the_first_one_counts() {
    let (mut office, story) = an_office_with_a_story().await;
    let team = [CLEO, BEN, ANN];
    for person in team {
        office.telegram.press(person, TEAM, story, "on it");
    }
    office
        .see(|state| (state.answers.len() == team.len()).then_some(()))
        .await;
    office.stop().await;
    for (person, button) in team.into_iter().zip(["Skip", "Posted", "Swap"]) {
        office.telegram.press(person, TEAM, story, button);
    }
    office.start().await;
    office.see_text(story, "Skipped by Cleo").await;
    office.see_answer("Cleo was faster").await;
    assert_eq!(office.history().await.len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_absence_open_stories_are_offered_again() {
    let (mut office, story) = an_office_with_a_story().await;
    office.stop().await;
    office.telegram.press(ANN, TEAM, story, "Posted");
    // Telegram keeps a press for 150 seconds only.
    office.it_is("09:10");
    office.start().await;
    office.see_text(story, "I was away until 09:10").await;
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ann at 09:10").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_written_word_under_the_story_works_as_its_button() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.reply(CLEO, TEAM, story, "Posted!");
    office.see_text(story, "Posted by Cleo").await;
    office.see_said(TEAM, "Noted as posted").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_could_not_be_changed_follows_later() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.inject(
        Fault::ServerError(502, "<html>bad gateway</html>".into())
            .on("editMessageCaption")
            .times(1),
    );
    office
        .telegram
        .inject(Fault::RetryAfter(1).on("editMessageCaption").times(1));
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.wait_for_history(1).await;
    let done = async {
        loop {
            if office
                .telegram
                .message(TEAM, story)
                .is_some_and(|m| m.text.contains("Posted by Ann"))
            {
                return;
            }
            // The pretended time does not pass by itself, and a retry waits for it.
            office.clock.advance(jiff::SignedDuration::from_secs(10));
            office.nudge();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done)
        .await
        .expect("the message shows the truth in the end");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_late_changes_nothing() {
    let (office, story) = an_office_with_a_story().await;
    office.telegram.inject(
        Fault::ServerError(400, String::new())
            .on("answerCallbackQuery")
            .times(1),
    );
    office.telegram.press(ANN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ann").await;
    office.close().await;
}
