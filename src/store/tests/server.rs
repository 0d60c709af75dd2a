//! What only a server can do: cut the line, stop, and come back.

use std::sync::Arc;

use super::postgres_server::{Cluster, Database};
use super::*;

async fn works(store: &Store) -> Result<()> {
    store.write(|tx| state::note_time(tx, noon())).await
}

/// The server's database of a test.
fn database(bed: &Bed) -> &Database {
    match &bed.home {
        Home::Postgres(database) => database,
        Home::Sqlite(_) => panic!("a file is on no server"),
    }
}

#[tokio::test]
async fn a_cut_line_is_mended_by_the_next_transaction_and_the_claim_holds() {
    let bed = Bed::postgres().await;
    assert!(bed.store.claim().await.expect("a claim"));
    for _ in 0..3 {
        database(&bed).cut();
        works(&bed.store).await.expect("a new line");
        let other = bed.another();
        assert!(!other.claim().await.expect("a try"), "the claim went over");
        works(&bed.store).await.expect("the same line");
    }
    database(&bed).cut();
    assert!(bed.store.claim().await.expect("a claim over a new line"));
    database(&bed).cut();
    let looked = bed.store.read(state::latest_time).await;
    assert_eq!(looked.expect("a look"), Some(noon()));
}

#[tokio::test]
async fn a_line_cut_in_the_middle_has_the_transaction_run_again_from_its_beginning() {
    let bed = Bed::postgres().await;
    let bed = Arc::new(bed);
    let (team, same) = (bed.team, bed.clone());
    let mut runs = 0;
    let numbers = bed
        .write(move |tx| {
            runs += 1;
            let number = teams::take_number(tx, team)?;
            if runs == 1 {
                database(&same).cut();
            }
            teams::note_sent(tx, team, noon())?;
            Ok((runs, number))
        })
        .await;
    assert_eq!(numbers, (2, 1), "the first run left no trace");
}

#[tokio::test]
async fn a_claim_that_another_took_while_the_line_was_cut_is_not_worked_without() {
    let bed = Bed::postgres().await;
    assert!(bed.store.claim().await.expect("a claim"));
    database(&bed).cut();
    let other = bed.another();
    assert!(other.claim().await.expect("a claim"));
    for _ in 0..3 {
        let refused = works(&bed.store).await.expect_err("no claim, no work");
        assert_eq!(
            refused.to_string(),
            "the database was claimed by another daemon while the connection was lost, or the server holds the lost \
             connection for alive still"
        );
    }
    drop(other);
    wait_for("the claim", async || works(&bed.store).await.is_ok()).await;
}

#[tokio::test]
async fn a_server_that_stops_is_told_of_and_found_again() {
    let cluster = Cluster::start_new();
    let url = cluster.create_database("box", None);
    let store = Store::open_postgres(&url).expect("a store");
    assert!(store.claim().await.expect("a claim"));
    works(&store).await.expect("a write");
    cluster.stop();
    for _ in 0..2 {
        let told = works(&store).await.expect_err("no server").to_string();
        assert!(
            told.starts_with("the database server cannot be reached: "),
            "{told}"
        );
        assert!(
            told.ends_with("is `[database] url` right, and is the server up?"),
            "{told}"
        );
    }
    let nobody = Store::open_postgres(&url).map(drop).expect_err("no server");
    assert!(matches!(nobody, Error::Unavailable(_)));
    cluster.start();
    works(&store).await.expect("the server is back");
    assert!(store.claim().await.expect("a claim"));
}

#[test]
fn no_password_is_in_what_is_told() {
    for url in [
        "postgres://me:hunter2@127.0.0.1:1/box",
        "postgres://me:hunter2@[/box",
        "host=127.0.0.1 port=nine password=hunter2",
        "host=127.0.0.1 port=1 password='hunter2",
    ] {
        let told = Store::open_postgres(url)
            .map(drop)
            .expect_err("nobody there");
        assert!(matches!(told, Error::Unavailable(_)), "{told:?}");
        assert!(!format!("{told} {told:?}").contains("hunter2"), "{told:?}");
    }
}
