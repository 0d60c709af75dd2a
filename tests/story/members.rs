//! People come and go: whoever is in the chat belongs, who has left does nothing any more, and strangers hold up nobody.

use std::time::{Duration, Instant};

use storyline::domain::audit::{Asked, By};
use storyline::domain::person::{Person, PersonId, Role};

use crate::harness::{ANN, BEN, CLEO, Office, TEAM, ZED};
use crate::pretend::telegram::{Fault, MediaKind, Status};

/// A box at nine, with a story before the team, of which Ben is an admin.
async fn an_office_with_an_admin() -> (Office, i64) {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    office.it_is("09:00");
    let story = office.story(1).await.id;
    office.telegram.say(BEN, TEAM, "/help");
    office.see_said(TEAM, "/stats").await;
    let beside = office.beside().await;
    let ann = By::terminal("ann");
    beside
        .set_role(PersonId(BEN), Role::Admin, ann, office.now())
        .await
        .unwrap();
    (office, story)
}

async fn ben(office: &Office) -> Person {
    let ben = office.flow().person(PersonId(BEN)).await.unwrap();
    ben.expect("Ben is on record")
}

/// Whether Ben is on record as being in the chat.
async fn is_there(office: &Office, there: bool) {
    office
        .wait_until("the records know whether Ben is there", async || {
            ben(office).await.left_at.is_none() == there
        })
        .await;
}

async fn actions(office: &Office) -> Vec<(String, String)> {
    let asked = Asked {
        limit: 20,
        ..Asked::default()
    };
    let trail = office.flow().audit(asked).await.unwrap().into_iter();
    let of_ben = trail.filter(|line| line.change.name == "Ben");
    of_ben.map(|line| (line.change.action, line.by)).collect()
}

/// So much time passes for what the box remembers.
async fn passes(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn who_has_left_can_do_nothing_within_minutes_wherever_they_are() {
    let (office, story) = an_office_with_an_admin().await;
    // The bot is a mere member: nobody tells it who leaves.
    office.telegram.member(TEAM, BEN, Status::Left);
    passes(Duration::from_secs(310)).await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_answer("for the team of this chat only").await;
    is_there(&office, false).await;
    office.telegram.say(BEN, BEN, "/pause");
    office.see_said(BEN, "I work for my teams only").await;
    office.send(BEN, MediaKind::Photo, "c.jpg", "");
    office.telegram.press(BEN, TEAM, story, "Original");
    office.telegram.reply(BEN, TEAM, story, "posted");
    office.telegram.say(ANN, ANN, "/status");
    let status = office.see_said(ANN, "Posted today").await;
    assert!(!status.text.contains("Paused"), "{}", status.text);
    assert!(office.history().await.is_empty());
    assert_eq!(office.telegram.calls_of("sendDocument").len(), 0);
    let left = ("left".to_owned(), "Telegram".to_owned());
    assert!(actions(&office).await.contains(&left));

    // Who comes back is what they were.
    office.telegram.member(TEAM, BEN, Status::Member);
    passes(Duration::from_secs(61)).await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    assert_eq!(ben(&office).await.role, Role::Admin);
    assert!(
        actions(&office)
            .await
            .iter()
            .any(|(action, _)| action == "came back")
    );
    office.close().await;
}

#[tokio::test]
async fn for_an_admins_deed_telegram_is_asked_again_after_seconds() {
    let (office, story) = an_office_with_an_admin().await;
    office.telegram.say(BEN, BEN, "/settings");
    let panel = office.see_said(BEN, "⚙️ Team").await;
    office.telegram.member(TEAM, BEN, Status::Kicked);
    passes(Duration::from_secs(31)).await;
    office.telegram.press(BEN, BEN, panel.id, "Pause");
    office.see_answer("Only admins may do that").await;
    is_there(&office, false).await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_answer("for the team of this chat only").await;
    assert!(office.history().await.is_empty());
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_an_administrator_hears_at_once_who_is_removed() {
    let (office, story) = an_office_with_an_admin().await;
    office.telegram.bot_stands(TEAM, Status::Administrator);
    let asked = office.telegram.calls_of("getChatMember").len();
    office.telegram.removes(TEAM, CLEO, BEN);
    is_there(&office, false).await;
    let removed = ("removed".to_owned(), "Cleo".to_owned());
    assert!(actions(&office).await.contains(&removed));
    assert_eq!(office.telegram.calls_of("getChatMember").len(), asked);
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_answer("for the team of this chat only").await;
    office.telegram.member(TEAM, BEN, Status::Restricted);
    is_there(&office, true).await;
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    assert_eq!(ben(&office).await.role, Role::Admin);
    // The owner of the box stays that, whatever the chat says.
    office.telegram.member(TEAM, ANN, Status::Left);
    office.telegram.say(ANN, ANN, "/pause");
    office.see_said(ANN, "Paused. Nothing is sent").await;
    office.close().await;
}

#[tokio::test]
async fn a_list_that_is_hidden_makes_no_strangers_and_is_told_with_its_remedy() {
    let (office, story) = an_office_with_an_admin().await;
    office.telegram.hide_members(TEAM);
    passes(Duration::from_secs(310)).await;
    office.telegram.press(CLEO, TEAM, story, "on it");
    office.see_answer("does not tell me who you are").await;
    office.telegram.say(BEN, BEN, "/pause");
    office.see_said(BEN, "Paused. Nothing is sent").await;
    let alert = office
        .see_said(ANN, "does not tell the bot who is in")
        .await;
    assert!(alert.text.contains("make the bot an administrator"));
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    assert!(ben(&office).await.left_at.is_none());
    assert_eq!(office.flow().people().await.unwrap().len(), 1);

    office.telegram.bot_stands(TEAM, Status::Administrator);
    office.telegram.say(CLEO, TEAM, "/queue");
    office.see_said(ANN, "Over: Telegram does not tell").await;
    office.close().await;
}

#[tokio::test]
async fn while_telegram_does_not_say_who_is_there_nobody_waits_long() {
    let (office, story) = an_office_with_an_admin().await;
    passes(Duration::from_secs(310)).await;
    office
        .telegram
        .inject(Fault::TimeoutAfterAccepting.on("getChatMember").times(1000));
    let began = Instant::now();
    office.telegram.say(BEN, BEN, "/pause");
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.telegram.say(ANN, ANN, "/status");
    office.see_text(story, "Posted by Ben").await;
    office.see_said(BEN, "Please try again in a minute").await;
    let status = office.see_said(ANN, "Posted today").await;
    assert!(!status.text.contains("Paused"), "{}", status.text);
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_strangers_hold_up_no_member_and_leave_no_trace() {
    let (office, story) = an_office_with_an_admin().await;
    let slow = Fault::Slow(Duration::from_millis(100));
    office
        .telegram
        .inject(slow.on("getChatMember").times(100_000));
    for stranger in 1_000_000..1_003_000 {
        office.telegram.private_chat(stranger);
        if stranger % 3 == 0 {
            office.telegram.press_raw(stranger, TEAM, story, "p2:x");
        } else {
            office.telegram.say(stranger, stranger, "/start");
        }
    }
    let began = Instant::now();
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.wait_for_history(1).await;
    let taken = began.elapsed();
    // One after the other they would have been asked about for five minutes.
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    // Somebody new in the chat is not kept out either.
    office.telegram.say(CLEO, TEAM, "/history");
    office.see_said(TEAM, "posted by Ben").await;
    let asked = office.telegram.calls_of("getChatMember").len();
    assert!(asked < 200, "{asked}");
    assert_eq!(office.flow().people().await.unwrap().len(), 2);
    office.stop_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_somebody_new_sends_in_private_nothing_is_lost() {
    let office = Office::open().await;
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        office.send(CLEO, MediaKind::Photo, name, "");
    }
    office
        .see(|state| {
            let messages = state.messages(CLEO).into_iter();
            let questions = messages.filter(|it| it.text.contains("Which folder?"));
            (questions.count() == 3).then_some(())
        })
        .await;
    office.telegram.say(ZED, ZED, "/status");
    office.telegram.say(ZED, ZED, "/status");
    office.see_said(ZED, "I work for my teams only").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_that_bring_nothing_at_once_are_not_repeated_at_once() {
    let (office, story) = an_office_with_an_admin().await;
    office.telegram.hold_polls(false);
    office.telegram.say(BEN, TEAM, "/queue"); // ends the one that is held
    let before = office.telegram.calls_of("getUpdates").len();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let polls = office.telegram.calls_of("getUpdates").len() - before;
    assert!((1..8).contains(&polls), "{polls} polls in four seconds");
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_the_largest_numbers_are_taken_and_not_asked_for_without_end() {
    let (office, story) = an_office_with_an_admin().await;
    office.telegram.renumber_updates(i64::from(i32::MAX));
    office.telegram.press(BEN, TEAM, story, "Posted");
    office.see_text(story, "Posted by Ben").await;
    let before = office.telegram.calls_of("getUpdates").len();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let polls = office.telegram.calls_of("getUpdates").len() - before;
    assert!(polls < 8, "{polls} polls in three seconds");
    assert_eq!(office.history().await.len(), 1);
    office.close().await;
}
