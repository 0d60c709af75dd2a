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

    /// Gives it the schema of the first version, and records.
    fn fill_first_version(&self) {
        match self {
            Self::Sqlite(_) => {
                let mut connection = rusqlite::Connection::open(self.path()).expect("a database");
                migrations::run_to(&mut connection, 1);
                connection
                    .execute_batch(OF_THE_FIRST_VERSION)
                    .expect("records");
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut client = ::postgres::Client::connect(database.url(), ::postgres::NoTls)
                    .expect("a server");
                migrations::run_to(&mut client, 1);
                client.batch_execute(OF_THE_FIRST_VERSION).expect("records");
            }
        }
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

/// What the first version had on record: a picture that awaits a press, one that was posted, a slot that was missed, a clip
/// that was of no use then, and an archive that still is.
const OF_THE_FIRST_VERSION: &str = "
    INSERT INTO teams (id, name, created_at, next_number, slots_settled_until, last_sent_at, plan_stamp)
    VALUES ('00000000-0000-7000-8000-000000000001', 'Studio', 0, 3, 5000, 5000, 'x');
    INSERT INTO media (id, team_id, fingerprint, format, size_bytes, width_px, height_px, category, last_path, title,
        tags, custom_metadata, errors, warnings, indexed_at, examined_at, posted_count, last_posted_at, skipped_count)
    SELECT '00000000-0000-7000-8000-00000000000' || n, '00000000-0000-7000-8000-000000000001',
        '00000000000000000000000000000000000000000000000000000000000000' || '0' || n, 'jpeg', 9, 1080, 1920, 'memes',
        'memes/' || n || '.jpg', 'A', '[]', '{}', '[]', '[]', 1000, 2000, n - 2, NULL, 0
    FROM (SELECT 2 AS n UNION SELECT 3) AS numbers;
    INSERT INTO files (team_id, path, media_id, size_bytes, modified_ns, changed_ns, inode, metadata_stamp, state, reason,
        state_since)
    VALUES
        ('00000000-0000-7000-8000-000000000001', 'memes/2.jpg', '00000000-0000-7000-8000-000000000002', 9, 1, 1, 1, '',
            'whole', NULL, 1000),
        ('00000000-0000-7000-8000-000000000001', 'memes/b.mov', NULL, 9, 1, 1, 2, '', 'unusable',
            'clips are not supported yet; JPEG, PNG, GIF and WebP pictures are', 1000),
        ('00000000-0000-7000-8000-000000000001', 'memes/c.zip', NULL, 9, 1, 1, 3, '', 'unusable', 'a ZIP archive', 1000);
    INSERT INTO stories (id, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, state, previous_state,
        state_since, attempt, failures, messages, sent_at)
    VALUES ('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-000000000001', 2,
        '00000000-0000-7000-8000-000000000002', '2026-11-21', 2, 'memes', 4000, 'awaiting', 'sending', 4000, 1, 0, 1, 4000);
    INSERT INTO messages (chat_id, message_id, team_id, story_id, attempt, wanted, shown, failures, created_at)
    VALUES (-1, 7, '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-00000000000a', 1, 0, 0, 0, 4000);
    INSERT INTO history (story_id, team_id, number, media_id, slot_date, slot_ordinal, turn, due_at, sent_at, ended_at,
        ended_from, outcome, person_id, person_name, snapshot)
    VALUES
        ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-000000000001', 1,
            '00000000-0000-7000-8000-000000000003', '2026-11-21', 1, 'memes', 3000, 3000, 3500, 'awaiting', 'posted', 11,
            'Ann', '{\"path\":\"memes/3.jpg\"}'),
        ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-000000000001', NULL, NULL, '2026-11-20', 3,
            NULL, 2000, NULL, 2500, 'new', 'missed', NULL, NULL, '{}');
    INSERT INTO people (team_id, person_id, name, role, joined_at, posted_count, skipped_count, rejected_count)
    VALUES ('00000000-0000-7000-8000-000000000001', 11, 'Ann', 'member', 0, 1, 0, 0);
";

/// A database of the first version is brought to the newest, and all that was on record is on record.
async fn from_the_first_version(home: Home) {
    // On a thread of its own: the client waits in a way that a task may not.
    std::thread::scope(|scope| scope.spawn(|| home.fill_first_version()).join()).expect("records");
    let store = home.open(PATIENCE).expect("brought to the newest");
    let id = |last: &str| format!("00000000-0000-7000-8000-00000000000{last}");
    let team: TeamId = id("1").parse().expect("an id");
    let picture: MediaId = id("2").parse().expect("an id");
    let (media, clip, zip, again, queue, history, people) = store
        .read(move |tx| {
            Ok((
                media::get(tx, picture)?,
                files::get(tx, team, "memes/b.mov")?,
                files::get(tx, team, "memes/c.zip")?,
                media::to_examine(tx, team, 9)?,
                stories::queue(tx, team)?,
                history::latest(tx, team, 9)?,
                people::list(tx, team)?,
            ))
        })
        .await
        .expect("the records");
    assert_eq!((media.path.as_str(), media.clip), ("memes/2.jpg", None));
    assert_eq!(media.metadata.title.as_deref(), Some("A"));
    assert!(media.edits.is_empty(), "nothing was said by hand");
    assert!(media.examined_at.is_some(), "it may still be sent");
    assert!(
        again.iter().any(|media| media.id == picture),
        "its look is to be taken"
    );
    assert_eq!(clip, None, "it is looked at anew");
    assert!(zip.is_some());
    let [story] = &queue[..] else {
        panic!("{queue:?}")
    };
    assert_eq!(
        (story.number, story.state, story.media),
        (2, State::Awaiting, picture)
    );
    let ends: Vec<_> = history
        .iter()
        .map(|entry| (entry.number, entry.outcome))
        .collect();
    assert_eq!(ends, [(Some(1), Outcome::Posted), (None, Outcome::Missed)]);
    assert_eq!(history[0].snapshot.path, "memes/3.jpg");
    assert_eq!((people.len(), people[0].tally.posted), (1, 1));
    let story = story.clone();
    let posted = Some(PersonId(11));
    let ended = move |tx: &mut dyn Tx| {
        assert!(stories::remove(tx, &story, Outcome::Posted)?);
        history::add(
            tx,
            team,
            story.state.as_str(),
            &ended(&story, Outcome::Posted, posted),
        )
    };
    store.write(ended).await.expect("it goes on from there");
}

#[tokio::test]
async fn sqlite_comes_from_the_first_version_with_its_records() {
    from_the_first_version(Home::empty_sqlite()).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_comes_from_the_first_version_with_its_records() {
    from_the_first_version(Home::empty_postgres()).await;
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
    home.fill_first_version();
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
