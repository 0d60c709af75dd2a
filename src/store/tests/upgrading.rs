//! The way from every version with records of its time to the newest: all that was on record is on record.

use super::*;
use crate::domain::audit::Asked;
use crate::domain::handin::Choice;

/// What was on record in the first version: a picture that awaits a press, one that was posted, a slot that was missed, a clip
/// that was of no use then, and an archive that still is.
const FIRST: &str = "
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

/// What came with a later version, with the version.
const LATER: [(i32, &str); 7] = [
    (3, "
    INSERT INTO audit_log (id, team_id, done_at, done_by, subject, subject_id, subject_name, action, value_before, value_after)
    VALUES ('00000000-0000-7000-8000-00000000000d', '00000000-0000-7000-8000-000000000001', 4100, 'ann', 'media',
        '00000000-0000-7000-8000-000000000002', 'memes/2.jpg', 'title', '{}', '{}');
    "),
    (6, "
    UPDATE stories SET claimed_by = 11, claimed_name = 'Ann', claimed_at = 4200;
    INSERT INTO undos (story_id, team_id, until_at, attempt, messages, swaps)
    VALUES ('00000000-0000-7000-8000-00000000000b', '00000000-0000-7000-8000-000000000001', 9000, 1, 1, 0);
    "),
    (7, "
    INSERT INTO settings (team_id, name, value, file_value, set_at, set_by)
    VALUES ('00000000-0000-7000-8000-000000000001', 'posts_per_day', '7', '3', 4300, 'Ann');
    "),
    (8, "
    INSERT INTO uploads (bot, fingerprint, form, file_id, noted_at)
    VALUES ('1', 'f', 'photo', 'known', 4400), ('1', 'f', 'document', 'with its place', 4400);
    "),
    (10, "
    INSERT INTO hand_ins (id, team_id, person_id, chat_id, received_at, chosen_at, category, wanted, shown, doubts)
    VALUES ('00000000-0000-7000-8000-00000000000e', '00000000-0000-7000-8000-000000000001', 11, 11, 4500, 4600, 'memes', 1, 1, 0);
    INSERT INTO handed_files (hand_in_id, message_id, file_id, kind, size_bytes, fate, tries)
    VALUES ('00000000-0000-7000-8000-00000000000e', 8, 'x', 'photo', 9, 'waiting', 0);
    "),
    (12, "
    INSERT INTO bulletins (team_id, kind, day, chat_id, message_id, shown)
    VALUES ('00000000-0000-7000-8000-000000000001', 'day', '2026-11-21', -1, 9, 'the day');
    "),
    (13, "
    INSERT INTO secrets (team_id, name, key_id, sealed, set_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 'instagram', 'k', 'AAAA', 4700);
    "),
];

impl Home {
    /// Gives it the schema of a version, by way of all before it, and records of each.
    pub(super) fn fill(&self, version: i32) {
        for version in 1..=version {
            let later = LATER.iter().find(|(since, _)| *since == version);
            let records = match version {
                1 => FIRST,
                _ => later.map_or("", |(_, records)| records),
            };
            match self {
                Self::Sqlite(_) => {
                    let mut connection = rusqlite::Connection::open(self.path()).expect("a file");
                    migrations::run_to(&mut connection, version).expect("that version");
                    connection.execute_batch(records).expect("records");
                }
                #[cfg(feature = "postgres")]
                Self::Postgres(database) => {
                    let mut client = ::postgres::Client::connect(database.url(), ::postgres::NoTls)
                        .expect("a server");
                    migrations::run_to(&mut client, version).expect("that version");
                    client.batch_execute(records).expect("records");
                }
            }
        }
    }
}

/// A database of that version is brought to the newest.
async fn from_version(home: Home, version: i32) {
    // On a thread of its own: the client waits in a way that a task may not.
    std::thread::scope(|scope| scope.spawn(|| home.fill(version)).join()).expect("records");
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
    later_records(&store, version).await;
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

/// What later versions had on record is there, from the version on that had it.
async fn later_records(store: &Store, version: i32) {
    let id = |last: &str| format!("00000000-0000-7000-8000-00000000000{last}");
    let team: TeamId = id("1").parse().expect("an id");
    let (posted, handed) = (id("b"), id("e"));
    let found = store
        .read(move |tx| {
            let all = Asked {
                media: None,
                since: None,
                limit: 9,
            };
            let handed = handed.parse().expect("an id");
            let chosen = handins::get(tx, team, handed)?.map(|it| it.choice);
            Ok([
                (3, audit::list(tx, team, all)?.len() == 1),
                (6, stories::queue(tx, team)?[0].claim.is_some()),
                (6, undos::get(tx, posted.parse().expect("an id"))?.is_some()),
                (7, settings::of(tx, team)?.posts_per_day == 7),
                (8, uploads::get(tx, "1", "f", "photo")?.is_some()),
                (10, matches!(chosen, Some(Choice::Folder(_)))),
                (10, handins::files(tx, handed)?.len() == 1),
                (12, bulletins::standing(tx, team)?.is_some()),
                (13, secrets::all(tx)?.len() == 1),
            ])
        })
        .await
        .expect("the records");
    for (at, (since, is_there)) in found.into_iter().enumerate() {
        assert_eq!(is_there, version >= since, "{at}: from version {version}");
    }
    let document = store
        .read(|tx| uploads::get(tx, "1", "f", "document"))
        .await
        .expect("an answer");
    assert_eq!(document, None, "it was uploaded with its place");
}

/// The newest there is.
async fn newest() -> i32 {
    let home = Home::empty_sqlite();
    let store = home.open(PATIENCE).expect("from nothing");
    let version = store.read(state::schema_version).await.expect("a version");
    i32::try_from(version).expect("a small number")
}

#[tokio::test]
async fn sqlite_comes_from_every_version_with_its_records() {
    for version in 1..=newest().await {
        from_version(Home::empty_sqlite(), version).await;
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_comes_from_every_version_with_its_records() {
    for version in 1..=newest().await {
        from_version(Home::empty_postgres(), version).await;
    }
}
