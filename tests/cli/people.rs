//! The people of the team.

use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use storyline::domain::person::{PersonId, Role};

use crate::bench::Bench;

async fn a_team() -> Bench {
    let bench = Bench::new();
    let flow = bench.flow().await;
    for (id, name, username, role) in [
        (11, "Ann", Some("ann_r"), Role::Owner),
        (12, "Ben", None, Role::Member),
        (13, "Cleo", Some("cleo"), Role::Member),
        (14, "Cleo", Some("cleo_the_other"), Role::Member),
    ] {
        let username = username.map(str::to_owned);
        flow.meet(
            PersonId(id),
            name.to_owned(),
            username,
            role,
            Timestamp::now(),
        )
        .await
        .unwrap();
    }
    bench
}

#[tokio::test]
async fn people_are_listed_with_their_roles() {
    let bench = a_team().await;
    assert_snapshot!(bench.type_in("person list").all(), @r#"
    Name  Username         Number  Role    Active  Since (Europe/Berlin)
    Ann   @ann_r               11  owner   yes     Day 0000-00-00 00:00
    Ben   –                    12  member  yes     Day 0000-00-00 00:00
    Cleo  @cleo                13  member  yes     Day 0000-00-00 00:00
    Cleo  @cleo_the_other      14  member  yes     Day 0000-00-00 00:00
    "#);
    assert_snapshot!(bench.type_in("person stats").all(), @r#"
    Name  Posted  Skipped  Rejected
    Ann        0        0         0
    Ben        0        0         0
    Cleo       0        0         0
    Cleo       0        0         0
    "#);
    let people = bench.type_in("person list --json").json();
    assert_eq!(people[0]["role"], "owner");
    assert_eq!(people[0]["username"], "ann_r");
    assert_eq!(bench.type_in("person stats --json").json()[0]["posted"], 0);
}

#[tokio::test]
async fn a_person_is_found_by_username_name_or_number() {
    let bench = a_team().await;
    assert_snapshot!(bench.type_in("person promote ben").all(), @"! Ben is an admin now.");
    assert_snapshot!(bench.type_in("person promote 12").all(), @"! Ben was an admin already.");
    assert_snapshot!(bench.type_in("person demote @Ann_R").all(), @"! Ann is an admin now.");
    assert_snapshot!(bench.type_in("person demote ben").all(), @"! Ben is a member now.");
    assert_snapshot!(bench.type_in("person deactivate @cleo").all(), @"! Cleo's presses are refused from now on.");
    assert_snapshot!(bench.type_in("person deactivate @cleo").all(), @"! Cleo was deactivated already.");
    let back = bench.type_in("person activate 13 --json").json();
    assert_eq!(back["deactivated_at"], serde_json::Value::Null);
}

#[tokio::test]
async fn who_is_not_clear_is_told_with_the_candidates() {
    let bench = a_team().await;
    assert_snapshot!(bench.type_in("person promote Cleo").all(), @r#"
    ! error: several people are called `Cleo`: Cleo (@cleo, 13); Cleo (@cleo_the_other, 14)
    ! hint: say who by @username or number
    exit 3
    "#);
    assert_snapshot!(bench.type_in("person promote @clee").all(), @r#"
    ! error: nobody of the team is called `@clee`
    ! hint: did you mean `@cleo`?
    exit 3
    "#);
    assert_snapshot!(bench.type_in("person promote nobody").all(), @r#"
    ! error: nobody of the team is called `nobody`
    ! hint: `storyline person list` shows everybody
    exit 3
    "#);
}

/// Somebody posted a story yesterday at twelve past nine, twelve minutes after it came.
fn posted_yesterday(bench: &Bench, person: i64) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let yesterday = Timestamp::now().to_zoned(zone).date().yesterday().unwrap();
    let at = yesterday.at(9, 12, 0, 0).in_tz("Europe/Berlin").unwrap();
    let at_ms = at.timestamp().as_millisecond();
    let connection = rusqlite::Connection::open(bench.database()).unwrap();
    let sql = "INSERT INTO history (story_id, part, team_id, number, due_at, sent_at, ended_at, ended_from, outcome,
                   person_id, snapshot)
               SELECT id, 1, id, 1, ?1 - 720000, ?1 - 720000, ?1, 'awaiting', 'posted', ?2, ?3 FROM teams";
    let written = connection.execute(sql, (at_ms, person, "{\"tags\": [\"sale\"]}"));
    assert_eq!(written.unwrap(), 1);
}

#[tokio::test]
async fn a_month_is_told_of_the_team_and_of_a_person() {
    let bench = a_team().await;
    assert_snapshot!(bench.type_in("stats").all(), @r#"
    Days  30
    Team  0 posted, 0 skipped, 0 rejected, 0 expired
    "#);
    posted_yesterday(&bench, 11);
    assert_snapshot!(bench.type_in("stats --person ann").all(), @r#"
    Days           30
    Team           1 posted, half of them within 12 min, 0 skipped, 0 rejected, 0 expired
    Ann            1 posted, half of them within 12 min, 0 skipped, 0 rejected, 0 expired
    Busiest hours  09:00 (1)
    Tags           #sale (1)
    "#);
    let told = bench.type_in("stats --person @cleo --json").json();
    assert_eq!(told["days"], 30);
    assert_eq!(told["team"]["posted"], 1);
    assert_eq!(told["person"]["name"], "Cleo");
    assert_eq!(told["person"]["posted"], 0);
    assert_eq!(
        told["tags"][0],
        serde_json::json!({"tag": "sale", "posted": 1})
    );
    assert_eq!(told["busiest_hours"][0]["posted"], 1);
    assert_eq!(
        bench.type_in("stats --json").json()["person"],
        serde_json::Value::Null
    );
    assert_eq!(bench.type_in("stats --person nobody").code, 3);
}
