//! Several teams on one box: each has a chat, a folder, a plan and people of its own, and nobody touches another's.

use jiff::SignedDuration;
use storyline::domain::audit::By;
use storyline::domain::outcome::Outcome;
use storyline::domain::person::PersonId;
use storyline::domain::setting::Setting;
use storyline::flow::Flow;
use storyline::flow::settings::Changed;
use storyline::flow::teams::Enrolled;

use crate::harness::{ANN, BEN, CLEO, Office, Plan, TEAM, ZED, drop_picture};
use crate::pretend::telegram::{Message, Status};

/// The chat of the second team. Ben is in both, Zed only here.
const CLUB: i64 = -1_001_000_000_002;

fn ann() -> By {
    By::terminal("ann")
}

/// A box for two teams, which is not switched on yet.
async fn two_teams() -> Office {
    let office = Office::furnish(Plan::default()).await;
    office.telegram.supergroup(CLUB, "Club stories");
    for person in [BEN, ZED] {
        office.telegram.member(CLUB, person, Status::Member);
    }
    let teams = office.teams_beside().await;
    let folder = office.folder("club");
    let added = teams.add("Club", Some(folder), ann(), office.now()).await;
    assert!(matches!(added, Ok(Enrolled::Done(_))), "{added:?}");
    let teams = office.teams_beside().await;
    let club = teams.named("club").unwrap();
    for (setting, value) in [
        (Setting::Chat, CLUB.to_string()),
        (Setting::JitterMinutes, "0".to_owned()),
    ] {
        let changed = club.set(setting, value, ann(), office.now()).await;
        assert_eq!(changed.unwrap(), Changed::Done);
    }
    office
}

fn club(office: &Office) -> &Flow {
    office.teams().named("Club").unwrap()
}

async fn story_in(office: &Office, chat: i64) -> Message {
    office
        .see(|state| {
            let messages = state.messages(chat);
            let mut stories = messages.into_iter().filter(|m| m.text.contains("#1 ·"));
            stories.find(|m| m.button("Posted").is_some()).cloned()
        })
        .await
}

/// Switched on, at nine, with a story of each team before it.
async fn at_work() -> (Office, Message, Message) {
    let mut office = two_teams().await;
    office.start().await;
    for name in ["a", "b", "c"] {
        office.drop_picture(&format!("memes/{name}.jpg"));
        drop_picture(&office.folder("club"), &format!("matches/{name}.jpg"));
    }
    office.wait_until_planned(3).await;
    office
        .wait_until("the club's are planned", || async {
            club(&office).queue().await.unwrap().len() >= 3
        })
        .await;
    office.it_is("09:00");
    let (team, other) = (story_in(&office, TEAM).await, story_in(&office, CLUB).await);
    (office, team, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_team_is_sent_its_own_pictures_and_decides_about_them_alone() {
    let (office, team, other) = at_work().await;
    assert!(team.text.contains("memes"), "{}", team.text);
    assert!(other.text.contains("matches"), "{}", other.text);
    let media = |flow: &Flow| {
        let flow = flow.clone();
        async move { flow.media(None).await.unwrap().len() }
    };
    assert_eq!(media(office.flow()).await, 3);
    assert_eq!(media(club(&office)).await, 3);

    // Who is in the club's chat only has no say here; and the other way round.
    office.telegram.press(ZED, TEAM, team.id, "Posted");
    office.see_answer("for the team of this chat only").await;
    office.telegram.press(ZED, CLUB, other.id, "Posted");
    office
        .wait_until("the club has posted", || async {
            club(&office).history(10).await.unwrap().len() == 1
        })
        .await;
    assert!(office.history().await.is_empty());
    assert_eq!(
        club(&office).history(10).await.unwrap()[0].outcome,
        Outcome::Posted
    );
    office.telegram.press(CLEO, TEAM, team.id, "Skip");
    office.see_text(team.id, "Skipped by Cleo").await;
    assert_eq!(club(&office).history(10).await.unwrap().len(), 1);
    let names = |flow: &Flow| {
        let flow = flow.clone();
        async move {
            let people = flow.people().await.unwrap().into_iter();
            people.map(|person| person.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(office.flow()).await, ["Cleo"]);
    assert_eq!(names(club(&office)).await, ["Zed"]);
    assert!(office.flow().locks(office.now()).await.unwrap().len() == 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_a_command_and_an_alert_are_of_one_team() {
    let (office, ..) = at_work().await;
    office.telegram.say(ANN, CLUB, "/pause");
    office.see_said(CLUB, "Paused.").await;
    assert!(club(&office).is_paused().await.unwrap());
    assert!(!office.flow().is_paused().await.unwrap());
    office.telegram.say(CLEO, TEAM, "/status");
    let status = office.see_said(TEAM, "Posted today").await;
    assert!(status.text.starts_with("Team ·"), "{}", status.text);
    office.it_is("13:00");
    office
        .see(|state| {
            let sent = state.messages(TEAM).into_iter();
            sent.filter(|m| m.button("Posted").is_some())
                .nth(1)
                .cloned()
        })
        .await;
    let in_club = office.telegram.messages(CLUB);
    let stories = in_club.iter().filter(|m| m.text.contains(" · matches"));
    assert_eq!(stories.count(), 1, "the club's plan is paused");

    // Its disk goes away: the owner is told whose.
    std::fs::remove_dir_all(office.folder("club")).unwrap();
    office.see_said(ANN, "Club: the library").await;
    let alerts = office.flow().alerts().await.unwrap();
    assert!(
        alerts.iter().all(|alert| alert.topic != "library"),
        "{alerts:?}"
    );
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_button_of_one_teams_panel_changes_that_team_wherever_it_is_pressed() {
    let (office, ..) = at_work().await;
    office.telegram.say(ANN, ANN, "/settings");
    let question = office.see_said(ANN, "You are in several teams").await;
    office.telegram.press(ANN, ANN, question.id, "Club");
    office.see_said(ANN, "You speak to Club now").await;
    office.telegram.say(ANN, ANN, "/settings");
    let panel = office.see_said(ANN, "⚙️ Club").await;
    // Meanwhile she speaks to the other team; the panel is still the club's.
    office.telegram.say(ANN, ANN, "/team");
    office
        .wait_until("she is asked again", || async {
            office.times_said(ANN, "You are in several teams") == 1
        })
        .await;
    let again = office.see_said(ANN, "You are in several teams").await;
    office.clock.advance(SignedDuration::from_secs(1));
    office.telegram.press(ANN, ANN, again.id, "Team");
    office.see_said(ANN, "You speak to Team now").await;
    office.telegram.press(ANN, ANN, panel.id, "Stories a day");
    office
        .see(|state| {
            state
                .message(ANN, panel.id)
                .filter(|m| m.button("5").is_some())
                .map(drop)
        })
        .await;
    office.telegram.press(ANN, ANN, panel.id, "5");
    office
        .wait_until("the club has five a day", || async {
            club(&office).settings().await.unwrap().posts_per_day == 5
        })
        .await;
    assert_eq!(office.flow().settings().await.unwrap().posts_per_day, 3);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_one_team_only_is_answered_for_that_one() {
    let (office, ..) = at_work().await;
    office.telegram.say(ZED, ZED, "/status");
    let status = office.see_said(ZED, "Posted today").await;
    assert!(status.text.starts_with("Club ·"), "{}", status.text);
    assert!(
        office.flow().person(PersonId(ZED)).await.unwrap().is_none(),
        "a read makes no row in another team"
    );
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_comes_and_goes_while_the_box_runs() {
    let mut office = Office::furnish(Plan::default()).await;
    office.telegram.supergroup(CLUB, "Club stories");
    office.telegram.member(CLUB, ZED, Status::Member);
    office.start().await;
    let folder = office.folder("club");
    drop_picture(&folder, "matches/a.jpg");
    let teams = office.teams_beside().await;
    let added = teams.add("Club", Some(folder), ann(), office.now()).await;
    assert!(matches!(added, Ok(Enrolled::Done(_))), "{added:?}");
    let teams = office.teams_beside().await;
    let club = teams.named("Club").unwrap();
    for (setting, value) in [
        (Setting::Chat, CLUB.to_string()),
        (Setting::JitterMinutes, "0".to_owned()),
    ] {
        club.set(setting, value, ann(), office.now()).await.unwrap();
    }
    // As if the tick had come: the box looks, and begins anew with both.
    office.nudge();
    office
        .wait_until("the club's picture is planned", || async {
            !club.queue().await.unwrap().is_empty()
        })
        .await;
    office.it_is("09:00");
    club.knock(office.now()).await.unwrap();
    let story = story_in(&office, CLUB).await;

    let removed = teams.remove(club, ann(), office.now()).await;
    assert!(matches!(removed, Ok(Enrolled::Done(_))), "{removed:?}");
    office
        .see(|state| {
            state
                .message(CLUB, story.id)
                .filter(|m| m.text.contains("Cancelled"))
                .map(drop)
        })
        .await;
    assert_eq!(
        club.history(10).await.unwrap()[0].outcome,
        Outcome::Cancelled
    );
    assert_eq!(office.teams_beside().await.all().len(), 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_go_where_their_tag_or_category_leads() {
    const SALES: i64 = -1_001_000_000_003;
    let office = Office::open().await;
    office.telegram.supergroup(SALES, "Sales");
    office.telegram.member(SALES, ZED, Status::Member);
    let set = |setting, value: String| office.flow().set(setting, value, ann(), office.now());
    set(Setting::Routes, format!("merch={SALES}"))
        .await
        .unwrap();
    office.drop_picture("merch/a.jpg");
    office.wait_until_planned(1).await;
    office.it_is("09:00");
    let story = story_in(&office, SALES).await;
    assert!(office.telegram.messages(TEAM).is_empty());
    // Whoever is there is of the team, and the chat moves with its group.
    office.telegram.press(ZED, SALES, story.id, "Posted");
    let history = office.wait_for_history(1).await;
    assert_eq!(history[0].person_name.as_deref(), Some("Zed"));
    office.telegram.say(ZED, SALES, "/status");
    office.see_said(SALES, "Posted today: 1").await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_team_takes_what_another_has() {
    let office = two_teams().await;
    let teams = office.teams_beside().await;
    let (own, club) = (teams.own(), teams.named("Club").unwrap());
    for (setting, value) in [
        (Setting::Chat, CLUB.to_string()),
        (Setting::Routes, format!("merch={CLUB}")),
        (
            Setting::Library,
            office.folder("club/inner").display().to_string(),
        ),
        (Setting::Name, "CLUB".to_owned()),
    ] {
        let changed = own.set(setting, value, ann(), office.now()).await.unwrap();
        assert!(
            matches!(changed, Changed::Refused(_)),
            "{setting}: {changed:?}"
        );
    }
    // Nor by the file: what it says stays unread, and the owner hears of it.
    let mut file = office.config.team.clone();
    file.chat = Some(CLUB);
    own.adopt(file, office.now()).await.unwrap();
    assert_eq!(own.settings().await.unwrap().chat, Some(TEAM));
    let alerts = own.alerts().await.unwrap();
    assert!(
        alerts[0].text.contains("The file of settings says"),
        "{alerts:?}"
    );

    // What a removed team had may be another's when it comes back.
    teams.remove(club, ann(), office.now()).await.unwrap();
    let moved = own.set(Setting::Chat, CLUB.to_string(), ann(), office.now());
    assert_eq!(moved.await.unwrap(), Changed::Done);
    let teams = office.teams_beside().await;
    let back = teams.add("club", None, ann(), office.now()).await;
    assert!(matches!(back, Ok(Enrolled::Refused(_))), "{back:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_for_a_team_that_was_removed() {
    let (mut office, ..) = at_work().await;
    office.stop().await;
    let teams = office.teams_beside().await;
    let club = teams.named("Club").unwrap();
    teams.remove(club, ann(), office.now()).await.unwrap();
    // As the service does that has not noticed yet.
    club.plan(office.now()).await.unwrap();
    assert!(club.queue().await.unwrap().is_empty());
    office.start().await;
    office
        .see(|state| {
            let mut messages = state.messages(CLUB).into_iter();
            messages.find(|m| m.text.contains("Cancelled")).map(drop)
        })
        .await;
    office.close().await;
}
