//! Whoever presses can have their program send any data for any message: a button counts on its own message only.

use crate::harness::{ANN, BEN, CLEO, Office, TEAM};
use crate::pretend::telegram::{MediaKind, Message};
use crate::upload::data_of as data;

/// The team's chat with a story and a panel in it, and Ann's own with an open question about a picture of hers.
struct Desk {
    office: Office,
    story: Message,
    panel: Message,
    queue: Message,
    question: Message,
}

async fn desk() -> Desk {
    let office = Office::open().await;
    for name in ["a", "b", "c", "d"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
    }
    office.wait_until_planned(3).await;
    office.it_is("09:00");
    let story = office.story(1).await;
    office.telegram.say(ANN, TEAM, "/settings");
    let panel = office.see_said(TEAM, "⚙️ Team").await;
    office.telegram.say(ANN, ANN, "/queue");
    let queue = office.see_said(ANN, "#2").await;
    office.send(ANN, MediaKind::Photo, "z.jpg", "");
    let question = office.see_said(ANN, "Which folder?").await;
    Desk {
        office,
        story,
        panel,
        queue,
        question,
    }
}

/// How many edits, deletions and albums there were.
fn changes(office: &Office) -> usize {
    let calls = office.telegram.calls();
    let is_change = |method: &str| {
        method.starts_with("edit") || method.starts_with("delete") || method == "sendMediaGroup"
    };
    calls.iter().filter(|call| is_change(&call.method)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_counts_only_on_the_message_that_it_was_made_for() {
    let Desk {
        office,
        story,
        panel,
        queue,
        question,
    } = desk().await;
    let mark = data(&queue, "Show pictures")
        .split_once(':')
        .unwrap()
        .1
        .to_owned();
    let of_story = |verb: char| format!("{verb}{}", &data(&story, "Posted")[1..]);
    let letters = ['p', 's', 'r', 'x', 'k', 'c', 'w', 'l', 'o', 'u', 'a'];
    let mut forged: Vec<(i64, i64, String)> = Vec::new();
    // A story's buttons on a panel, and on the answer to a question.
    for letter in letters {
        forged.push((TEAM, panel.id, of_story(letter)));
        forged.push((ANN, queue.id, of_story(letter)));
    }
    // Everything else on a story.
    for other in [
        data(&panel, "Pause"),
        data(&panel, "Close"),
        data(&panel, "Stories a day"),
        data(&queue, "Show pictures"),
        data(&question, "memes/"),
        data(&question, "Cancel"),
        format!("team1:{mark}"),
    ] {
        forged.push((TEAM, story.id, other));
    }
    // Among each other; and what a panel may hold, but does not.
    forged.push((TEAM, panel.id, format!("team1:{mark}")));
    forged.push((ANN, queue.id, format!("team1:{mark}")));
    forged.push((ANN, queue.id, data(&question, "memes/")));
    forged.push((ANN, question.id, data(&queue, "Show pictures")));
    forged.push((TEAM, panel.id, format!("set2:{mark}:to:posts_per_day:9")));
    forged.push((TEAM, panel.id, format!("set2:{mark}:role:{BEN}:admin")));
    let before = changes(&office);
    let answered = office.telegram.answers().len();
    for (chat, message, data) in &forged {
        office.telegram.press_raw(ANN, *chat, *message, data);
    }
    office
        .see(|state| (state.answers.len() == answered + forged.len()).then_some(()))
        .await;
    let answers = office.telegram.answers();
    for answer in &answers[answered..] {
        let text = answer.text.as_deref().unwrap_or_default();
        assert!(
            text.contains("not on this message") || text.contains("shows something else"),
            "{answer:?}"
        );
    }
    assert_eq!(changes(&office), before, "{}", office.telegram.dump());
    assert!(office.history().await.is_empty());
    let settings = office.flow().settings().await.unwrap();
    assert_eq!(settings.posts_per_day, 3);
    assert!(
        office
            .flow()
            .status(office.now())
            .await
            .unwrap()
            .paused_since
            .is_none()
    );

    // The true ones work all the same.
    office.telegram.press(ANN, ANN, question.id, "memes/");
    office.telegram.press(ANN, TEAM, panel.id, "Stories a day");
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.see_text(panel.id, "Stories a day: 3").await;
    office
        .see(|state| {
            let message = state.message(ANN, question.id)?;
            message.text.contains("memes/").then_some(())
        })
        .await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_that_was_there_a_moment_ago_is_answered_with_the_truth() {
    let desk = desk().await;
    let (office, story) = (desk.office, desk.story);
    let posted = data(&story, "Posted");
    office.telegram.press(BEN, TEAM, story.id, "Posted");
    office.see_text(story.id, "Posted by Ben").await;
    office.telegram.press_raw(CLEO, TEAM, story.id, &posted);
    office.see_answer("Ben was faster").await;
    // A message of which Telegram tells no more than that it was.
    office.telegram.forget_message(TEAM, story.id);
    office.telegram.press_raw(ANN, TEAM, story.id, &posted);
    office
        .see(|state| {
            let late = state.answers.iter().filter(|answer| {
                answer
                    .text
                    .as_deref()
                    .is_some_and(|text| text.contains("Ben was faster"))
            });
            (late.count() == 2).then_some(())
        })
        .await;
    office.telegram.forget_message(TEAM, desk.panel.id);
    let pause = data(&desk.panel, "Pause");
    office.telegram.press_raw(ANN, TEAM, desk.panel.id, &pause);
    office.see_answer("shows something else").await;
    assert_eq!(office.history().await.len(), 1);
    office.close().await;
}
