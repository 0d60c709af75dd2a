//! The schema's way to the newest version.

use super::*;

impl Home {
    /// A database without a schema.
    pub(super) fn empty_sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    #[cfg(feature = "postgres")]
    pub(super) fn empty_postgres() -> Self {
        Self::Postgres(postgres_server::Database::empty())
    }
}

/// What refinery has on record, and the tables there are (by being able to read them all).
async fn schema(store: &Store) -> Vec<value::Row> {
    everything(store).await;
    store
        .read(|tx| {
            tx.query(
                "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version",
                &[],
            )
        })
        .await
        .expect("the record")
}

async fn from_nothing_and_again(home: Home) {
    let first = home.open(PATIENCE).expect("from nothing");
    let before = schema(&first).await;
    assert!(!before.is_empty());
    let again = home.open(PATIENCE).expect("again");
    assert_eq!(schema(&again).await, before);
}

/// Many at once, as when the command line is used while the daemon starts for the first time.
async fn at_the_same_time(home: Home) {
    let stores: Vec<Store> = std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| home.open(PATIENCE)))
            .collect();
        opening
            .into_iter()
            .map(|store| store.join().expect("no panic").expect("a store"))
            .collect()
    });
    let record = schema(&stores[0]).await;
    for store in &stores {
        assert_eq!(schema(store).await, record);
    }
}

async fn a_newer_one(bed: Bed) {
    bed.write(|tx| {
        tx.execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (999, 'future', '2030-01-01T00:00:00Z', '1')",
            &[],
        )
    })
    .await;
    let (before, record) = (everything(&bed.store).await, schema(&bed.store).await);
    let Err(error) = bed.home.open(PATIENCE) else {
        panic!("it was opened");
    };
    assert!(
        matches!(error, Error::Newer { found: 999, .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("install the newer Storyline again, or restore the backup")
    );
    assert_eq!(everything(&bed.store).await, before);
    assert_eq!(schema(&bed.store).await, record);
}

#[tokio::test]
async fn sqlite_comes_from_nothing_to_the_newest_schema_and_stays_there() {
    from_nothing_and_again(Home::empty_sqlite()).await;
}

#[tokio::test]
async fn sqlite_is_brought_there_once_by_many_at_the_same_time() {
    for _ in 0..10 {
        at_the_same_time(Home::empty_sqlite()).await;
    }
}

#[tokio::test]
async fn sqlite_with_a_newer_schema_is_refused_and_left_alone() {
    a_newer_one(Bed::sqlite().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_comes_from_nothing_to_the_newest_schema_and_stays_there() {
    from_nothing_and_again(Home::empty_postgres()).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_is_brought_there_once_by_many_at_the_same_time() {
    for _ in 0..3 {
        at_the_same_time(Home::empty_postgres()).await;
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_with_a_newer_schema_is_refused_and_left_alone() {
    a_newer_one(Bed::postgres().await).await;
}

/// What a schema that holds records is told before it is changed; a new one has nothing to lose, and the newest is left alone.
#[test]
fn an_older_schema_is_copied_first_and_stays_if_that_fails() {
    let home = Home::empty_sqlite();
    home.fill(1);
    let refused = Store::open_sqlite_after(&home.path(), |from| {
        assert_eq!(from, 1);
        Err(Error::Unavailable("stays".to_owned()))
    });
    assert!(matches!(refused.err(), Some(Error::Unavailable(_))));
    let (told, asked) = mpsc::channel();
    let mut opened = Vec::new();
    for _ in 0..2 {
        let told = told.clone();
        let before = move |from| {
            told.send(from).expect("asked");
            Ok(())
        };
        opened.push(Store::open_sqlite_after(&home.path(), before).expect("a store"));
    }
    let new = Home::empty_sqlite();
    let before = move |from| {
        told.send(from).expect("asked");
        Ok(())
    };
    opened.push(Store::open_sqlite_after(&new.path(), before).expect("a store"));
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [1]);
}
