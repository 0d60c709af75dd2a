//! The schema's way to the newest version.

use super::*;

impl Home {
    /// A database without a schema.
    fn empty_sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    #[cfg(feature = "postgres")]
    fn empty_postgres() -> Self {
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

/// A database of the first version, in which a clip is on record as of no use.
async fn from_the_first_version(bed: Bed) {
    let team = bed.team;
    let picture = bed.media("memes/a.jpg", 1).await;
    bed.write(move |tx| {
        for undo in [
            "ALTER TABLE media DROP COLUMN clip",
            "DROP INDEX media_to_examine",
            "ALTER TABLE media DROP COLUMN looked_at",
            "CREATE INDEX media_to_examine ON media (team_id, indexed_at)
                 WHERE examined_at IS NULL AND missing_since IS NULL",
            "ALTER TABLE media DROP COLUMN lookalike",
            "ALTER TABLE media DROP COLUMN edits",
            "ALTER TABLE media DROP COLUMN unedited",
            "DROP TABLE audit_log",
            "UPDATE media SET title = 'A'",
        ] {
            tx.execute(undo, &[])?;
        }
        tx.execute("DELETE FROM refinery_schema_history WHERE version > 1", &[])?;
        let clips = "clips are not supported yet; JPEG, PNG, GIF and WebP pictures are";
        for (path, reason) in [("memes/b.mov", clips), ("memes/c.zip", "a ZIP archive")] {
            let unusable = files::Found::Unusable(reason);
            files::put(tx, team, path, stat(2), "", &unusable, noon())?;
        }
        Ok(())
    })
    .await;
    let store = bed.home.open(PATIENCE).expect("brought to the newest");
    let (media, clip, zip) = store
        .read(move |tx| {
            Ok((
                media::get(tx, picture)?,
                files::get(tx, team, "memes/b.mov")?,
                files::get(tx, team, "memes/c.zip")?,
            ))
        })
        .await
        .expect("the records");
    assert_eq!((media.path.as_str(), media.clip), ("memes/a.jpg", None));
    assert_eq!(media.metadata.title.as_deref(), Some("A"));
    assert!(media.edits.is_empty(), "nothing was said by hand");
    assert!(media.examined_at.is_some(), "it may still be sent");
    let again = store.read(move |tx| media::to_examine(tx, team, 9)).await;
    assert_eq!(
        again.expect("the records").len(),
        1,
        "its look is to be taken"
    );
    assert_eq!(clip, None, "it is looked at anew");
    assert!(zip.is_some());
}

#[tokio::test]
async fn sqlite_comes_from_the_first_version_with_its_records() {
    from_the_first_version(Bed::sqlite().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_comes_from_the_first_version_with_its_records() {
    from_the_first_version(Bed::postgres().await).await;
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
