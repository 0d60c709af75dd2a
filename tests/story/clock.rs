//! A clock that is wrong, seen from a phone: why nothing comes, and how to say that the time is right.

use jiff::SignedDuration;
use storyline::system::clock::Shown;

use crate::harness::{ANN, BEN, Office, TEAM};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_vouches_for_the_clock_on_the_phone() {
    let office = Office::open().await;
    office.drop_picture("memes/a.jpg");
    office.drop_picture("memes/b.jpg");
    office.wait_until_planned(2).await;
    office.it_is("09:00");
    office.story(1).await;
    // The clock is set more than a year ahead; nobody vouches for it.
    office.clock.show(Shown {
        now: office.now() + SignedDuration::from_hours(400 * 24),
        steady: office.clock.steady(),
        synchronised: false,
    });
    office.nudge();
    let told = office
        .see_said(ANN, "nothing is sent until it is right")
        .await;
    assert!(told.text.contains("8 Feb 2028"), "{}", told.text);
    assert!(told.text.contains("/trustclock"), "{}", told.text);
    assert!(office.history().await.is_empty());

    office.telegram.say(BEN, TEAM, "/trustclock");
    office.see_said(TEAM, "Only admins may do that").await;
    assert!(office.history().await.is_empty());
    office.telegram.say(ANN, ANN, "/trustclock");
    office.see_said(ANN, "The clock is trusted").await;
    office.nudge();
    office.see_said(ANN, "Over: The clock shows").await;
    office.stop_only().await;
}
