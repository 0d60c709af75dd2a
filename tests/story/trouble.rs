//! What goes wrong between the box and Telegram, and that nothing is lost, doubled or silent.

use storyline::domain::outcome::Outcome;

use crate::harness::{ANN, BEN, Office, Plan, TEAM};
use crate::pretend::telegram::{Fault, Status};

async fn an_office_with_a_plan() -> Office {
    planned(Plan::default()).await
}

/// The same, where stories are sent in one call.
async fn a_direct_office_with_a_plan() -> Office {
    let announce = false;
    planned(Plan {
        announce,
        ..Plan::default()
    })
    .await
}

async fn planned(plan: Plan) -> Office {
    let office = Office::open_with(plan).await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_whose_answer_was_lost_is_bound_by_a_press_and_not_sent_again() {
    let office = a_direct_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("sendPhoto").times(1));
    office.it_is("09:00");
    office.wait_for_state(1, "unconfirmed").await;
    let orphan = office.story_message(1).await;
    office.telegram.press(BEN, TEAM, orphan.id, "Posted");
    office.see_text(orphan.id, "Posted by Ben").await;
    office.it_is("09:30");
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_whose_answer_was_lost_is_sent_once_more_and_says_so_but_never_a_third_time() {
    let office = a_direct_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::DropAfterAccepting.on("sendPhoto").times(2));
    office.it_is("09:00");
    office.wait_for_state(1, "unconfirmed").await;
    office.it_is("09:09");
    office
        .wait_until("nothing more was sent", || async {
            office.telegram.messages(TEAM).len() == 1
        })
        .await;
    office.it_is("09:11");
    office
        .see(|state| {
            state
                .messages(TEAM)
                .iter()
                .find(|m| m.text.contains("Sent again"))
                .map(|_| ())
        })
        .await;
    office.it_is("09:40");
    office.it_is("12:00");
    // A press on either message decides, and both show it.
    let second = office.telegram.messages(TEAM)[1].id;
    office.telegram.press(BEN, TEAM, second, "Posted");
    office.see_text(second, "Posted by Ben").await;
    let first = office.telegram.messages(TEAM)[0].id;
    office.telegram.press(ANN, TEAM, first, "Posted");
    office.see_answer("Ben was faster").await;
    office.see_text(first, "Posted by Ben").await;
    office.close_with_messages(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_same_picture_waits_and_goes_out_when_it_is_back() {
    let office = an_office_with_a_plan().await;
    office.telegram.go_offline().await;
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    let before = office.flow().queue().await.unwrap()[0].path.clone();
    office.telegram.come_back().await;
    office.it_is("09:06");
    let story = office.story(1).await;
    assert!(
        story.text.contains(before.rsplit('/').next().unwrap()),
        "{}",
        story.text
    );
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_costs_slots_but_no_picture_and_one_story_catches_up() {
    let office = an_office_with_a_plan().await;
    office.telegram.go_offline().await;
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    office.it_is("13:00");
    let history = office.wait_for_history(1).await;
    assert_eq!(history[0].outcome, Outcome::Missed);
    assert!(office.flow().locks(office.now()).await.unwrap().is_empty());
    office.wait_for_state(2, "retrying").await;
    office.telegram.come_back().await;
    office.it_is("13:20");
    office.story(2).await;
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_that_telegram_asks_for_is_no_failure() {
    let office = an_office_with_a_plan().await;
    office
        .telegram
        .inject(Fault::RetryAfter(1).on("sendMessage").in_chat(TEAM));
    office
        .telegram
        .inject(Fault::RetryAfter(1).on("editMessageMedia"));
    office.it_is("09:00");
    office.wait_for_state(1, "retrying").await;
    assert!(office.telegram.messages(TEAM).is_empty());
    office.it_is("09:01");
    office.story_text(1).await;
    office.wait_for_state(1, "retrying").await;
    office.it_is("09:02");
    office.story(1).await;
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_was_thrown_out_alarms_the_owner_and_loses_nothing() {
    let office = an_office_with_a_plan().await;
    office.telegram.bot_stands(TEAM, Status::Kicked);
    office.it_is("09:00");
    let alarm = office.see_said(ANN, "Stories cannot be delivered").await;
    assert!(alarm.text.contains("add it there"), "{}", alarm.text);
    office.telegram.bot_stands(TEAM, Status::Administrator);
    office.it_is("09:06");
    office.story(1).await;
    office
        .see_said(ANN, "Over: Stories cannot be delivered")
        .await;
    office.close_with_messages(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_told_in_the_log_and_the_box_stays_up() {
    let mut office = Office::furnish(Plan::default()).await;
    office
        .telegram
        .inject(Fault::Unauthorized.on("getMe").times(100));
    office.start().await;
    office
        .wait_until("the alert stands", || async {
            let alerts = office.flow().alerts().await.unwrap();
            alerts
                .iter()
                .any(|alert| alert.text.contains("refuses the bot token"))
        })
        .await;
    office.drop_picture("memes/a.jpg");
    office.wait_until_ready(1).await;
    office.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_presses_and_the_story_expires_and_its_picture_is_free_again() {
    let office = an_office_with_a_plan().await;
    office.it_is("09:00");
    let story = office.story(1).await;
    office.it_is("+1 09:01");
    office.flow().upkeep(office.now()).await.unwrap();
    office
        .see_text(story.id, "Expired on Tue 5 Jan, 09:01")
        .await;
    let history = office.history().await;
    assert!(
        history
            .iter()
            .any(|entry| entry.outcome == Outcome::Expired)
    );
    assert!(office.flow().locks(office.now()).await.unwrap().is_empty());
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_library_is_the_loudest_case() {
    let office = Office::open().await;
    office.see_said(ANN, "The library is empty").await;
    office.drop_picture("memes/a.jpg");
    office.see_said(ANN, "Over: The library is empty").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_with_the_same_token_is_told_of() {
    let office = Office::open().await;
    office
        .telegram
        .inject(Fault::Conflict.on("getUpdates").times(3));
    // The poll that is open now ends with an update, and the next ones meet the other program.
    office.telegram.say(BEN, TEAM, "/help");
    office
        .see_said(
            ANN,
            "Another program polls Telegram with the same bot token",
        )
        .await;
    // A good poll in between proves nothing: two that poll are heard in turns.
    office.telegram.say(BEN, TEAM, "/queue");
    office.see_said(TEAM, "The queue is empty").await;
    assert_eq!(office.times_said(ANN, "Over: Another program"), 0);
    office.clock.advance(jiff::SignedDuration::from_mins(6));
    office.telegram.say(BEN, TEAM, "/help");
    office.see_said(ANN, "Over: Another program").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_cannot_be_looked_up_holds_up_nobody() {
    let office = an_office_with_a_plan().await;
    office.it_is("09:00");
    let story = office.story(1).await.id;
    let refusal =
        "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}";
    office.telegram.inject(
        Fault::ServerError(400, refusal.into())
            .on("getChatMember")
            .times(1),
    );
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.telegram.say(ANN, ANN, "/status");
    office.see_answer("does not tell me who you are").await;
    office.see_said(ANN, "Posted today").await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_cannot_be_written_to_is_stood_in_for_by_the_team() {
    let office = Office::furnish(Plan::default()).await;
    office.telegram.bot_stands(ANN, Status::Kicked);
    let mut office = office;
    office.start().await;
    office.see_said(TEAM, "The library is empty").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_cannot_be_kept_are_told_of_once_and_no_press_is_lost() {
    let office = an_office_with_a_plan().await;
    office.it_is("09:00");
    let message = office.story(1).await;
    // Another program holds the database for good, as a full or failing disk would.
    let rival = rusqlite::Connection::open(office.database()).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    office.telegram.press(BEN, TEAM, message.id, "Posted");
    office.see_said(ANN, "Nothing can be recorded").await;
    rival.execute_batch("ROLLBACK").unwrap();
    office.nudge();
    office
        .see_said(ANN, "Over: the records can be kept again")
        .await;
    office.see_text(message.id, "Posted by Ben").await;
    assert_eq!(office.times_said(ANN, "Nothing can be recorded"), 1);
    office.close().await;
}

/// A hundred updates may be longer than what is read at a time; one by one they are not.
#[tokio::test(flavor = "multi_thread")]
async fn updates_that_are_too_long_together_are_taken_one_at_a_time() {
    let office = an_office_with_a_plan().await;
    office.it_is("09:00");
    let story = office.story_message(1).await;
    let endless = Fault::ServerErrorAfterAccepting(200, "x".repeat(5 << 20));
    office.telegram.inject(endless.on("getUpdates"));
    // The poll that is held open brings this, and the next one breaks.
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    let asked_for = async |most: u64| {
        office
            .wait_until("the next poll", || async {
                let polls = office.telegram.calls_of("getUpdates");
                polls
                    .last()
                    .is_some_and(|poll| poll.params["limit"] == most)
            })
            .await;
    };
    asked_for(1).await;
    office.telegram.press(BEN, TEAM, story.id, "Undo");
    asked_for(100).await;
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.close_with_messages(1).await;
}
