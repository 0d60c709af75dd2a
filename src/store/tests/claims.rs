//! One daemon a database.

use super::*;

on_every_engine! {
    async fn a_database_is_claimed_by_one_store_at_a_time(bed: Bed) {
        let second = bed.another();
        assert!(!second.is_claimed().await.expect("a look"));
        assert!(bed.store.claim().await.expect("a claim"));
        assert!(second.is_claimed().await.expect("a look"));
        assert!(!bed.store.is_claimed().await.expect("a look"), "by nobody else");
        assert!(bed.store.claim().await.expect("a claim"), "what is mine is mine");
        assert!(!second.claim().await.expect("a try"));
        let Bed { store, .. } = bed;
        drop(store);
        // The claim ends with the thread of the store, a moment later.
        wait_for("the claim", async || second.claim().await.expect("a try")).await;
    }

    async fn every_change_gives_the_records_another_mark_and_a_look_gives_none(bed: Bed) {
        let (team, another) = (bed.team, bed.another());
        let edition = async || bed.store.edition().await.expect("a mark");
        let raise = |topic: &'static str| {
            move |tx: &mut dyn Tx| alerts::raise(tx, team, topic, "full", noon()).map(drop)
        };
        // A server of PostgreSQL has one mark for all its databases, and the tests beside this one write too.
        wait_for("a moment of rest", async || {
            let before = edition().await;
            bed.store.read(move |tx| alerts::standing(tx, team)).await.expect("a look");
            bed.store.write(|_| Ok(())).await.expect("nothing is written");
            edition().await == before
        })
        .await;
        let first = edition().await;
        bed.store.write(raise("disk")).await.expect("a write");
        let second = edition().await;
        assert_ne!(second, first);
        another.write(raise("library")).await.expect("a write of somebody else's");
        assert_ne!(edition().await, second);
    }

    async fn whoever_claims_nothing_may_still_work(bed: Bed) {
        let team = bed.team;
        let command_line = bed.another();
        assert!(bed.store.claim().await.expect("a claim"));
        let raised = command_line
            .write(move |tx| alerts::raise(tx, team, "disk", "full", noon()))
            .await;
        assert!(raised.expect("a write"));
    }
}

#[tokio::test]
async fn a_database_that_was_there_and_is_gone_is_not_made_anew_in_silence() {
    let Bed { store, home, .. } = Bed::sqlite().await;
    assert!(store.claim().await.expect("a claim"));
    drop(store);
    let path = home.path();
    let journal = path.with_extension("db-wal");
    wait_for("the end of the store", async || !journal.exists()).await;
    for empty in [false, true] {
        std::fs::remove_file(&path).expect("the database");
        if empty {
            std::fs::write(&path, "").expect("an empty file");
        }
        let Err(error) = Store::open_sqlite(&path) else {
            panic!("a new database was made");
        };
        assert_eq!(
            error.to_string(),
            format!(
                "the database {0} was there and is gone, or empty; restore a backup. To begin anew on purpose, delete \
                 {0}.lock too",
                path.display()
            )
        );
        std::fs::write(&path, "").expect("something to remove");
    }
    std::fs::remove_file(path.with_extension("db.lock")).expect("the lock");
    Store::open_sqlite(&path).expect("a new beginning");
}
