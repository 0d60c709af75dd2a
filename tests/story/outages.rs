//! A server that fails for a while, in every way there is: the real desk, over real HTTP.

use storyline::domain::outcome::Outcome;

use crate::harness::{Office, Plan, TEAM};
use crate::pretend::telegram::Fault;

/// A hotel's sign-in page.
const PAGE: &str = "<html>Welcome! Please sign in.</html>";
/// An answer in the form of the Bot API, with words that nobody knows.
const ODD: &str = r#"{"ok":false,"error_code":500,"description":"the hamster sleeps"}"#;

async fn with_a_plan(announce: bool) -> Office {
    let office = Office::open_with(Plan {
        announce,
        ..Plan::default()
    })
    .await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    office
}

/// Everything that sends, and the question whether it works, is answered so.
fn fails(office: &Office, fault: impl Fn() -> Fault) {
    for method in ["sendMessage", "sendPhoto", "editMessageMedia", "getMe"] {
        office.telegram.inject(fault().on(method).times(10_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_for_three_quarters_of_an_hour_delays_a_story_and_ends_none() {
    for announce in [true, false] {
        for text in [PAGE, ODD] {
            let office = with_a_plan(announce).await;
            fails(&office, || Fault::ServerError(200, text.to_owned()));
            office.it_is("09:00");
            office.wait_for_state(1, "unconfirmed").await;
            let greeted = || office.telegram.calls_of("getMe").len();
            for time in ["09:11", "09:20", "09:40"] {
                let before = greeted();
                office.it_is(time);
                office
                    .wait_until("it is asked whether it works", async || greeted() > before)
                    .await;
            }
            assert_eq!(office.state_of(1).await, "unconfirmed");
            let method = if announce { "sendMessage" } else { "sendPhoto" };
            let calls = office.telegram.calls_of(method);
            let to_team = calls.iter().filter(|call| call.chat == Some(TEAM));
            assert_eq!(to_team.count(), 1, "the repetition is kept");

            office.telegram.clear_faults();
            office.it_is("09:45");
            let story = office.story(1).await;
            assert!(story.text.contains("Sent again"), "{}", story.text);
            assert!(office.history().await.is_empty());
            office.close_with_messages(1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_for_a_day_has_the_story_missed_and_nobody_blamed() {
    let office = with_a_plan(true).await;
    fails(&office, || Fault::ServerError(200, PAGE.to_owned()));
    office.it_is("09:00");
    office.wait_for_state(1, "unconfirmed").await;
    office.it_is("13:00");
    office.it_is("14:01");
    let ended = office.wait_for_history(1).await;
    assert_eq!(ended[0].outcome, Outcome::Missed);
    let reason = ended[0].reason.clone().unwrap_or_default();
    assert!(reason.contains("at the last try"), "{reason}");
    office.it_is("+1 09:01");
    office.flow().upkeep(office.now()).await.unwrap();
    let history = office.history().await;
    assert!(
        history.iter().all(|end| end.outcome == Outcome::Missed),
        "{history:?}"
    );
    let first = history.iter().find(|end| end.number == Some(1)).unwrap();
    let reason = first.reason.clone().unwrap_or_default();
    assert!(
        reason.contains("nobody is known to have had it"),
        "{reason}"
    );
    office.stop_only().await;
}
