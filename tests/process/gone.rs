//! The database's files are taken away under the running service.

use std::time::{Duration, Instant};

use crate::pretend::telegram::Message;
use crate::{ANN, PATIENCE, Site, TEAM, noted_presses, outcomes, window_from_now};

impl Site {
    /// What `/health` finds wrong with the database.
    fn says_of_the_database(&self) -> Option<String> {
        let (code, health) = self.get("/health");
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        let findings = health["findings"].as_array().unwrap();
        let wrong =
            |one: &&serde_json::Value| one["subject"] == "database" && one["state"] == "problem";
        let wrong = findings.iter().find(wrong)?;
        assert_eq!(code, 503, "{health}");
        Some(wrong["reason"].as_str().unwrap().to_owned())
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(
                Instant::now() < deadline,
                "not in time: {what}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The message of the first story, when it can be decided.
    async fn story(&self) -> i64 {
        let open = |message: &Message| message.button("✅ Posted").is_some();
        let messages = || self.telegram.messages(TEAM);
        self.until("a story is to be decided", || messages().iter().any(open))
            .await;
        messages().iter().find(|one| open(one)).unwrap().id
    }
}

/// SQLite goes on with a file that is gone, and all that is recorded then is gone with the process.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_deleted_under_it_takes_no_press_and_is_waited_for() {
    for all in [false, true] {
        let site = Site::new(3, 50, window_from_now(3)).await;
        let _daemon = site.serve();
        site.hear("STATUS=At work");
        let story = site.story().await;
        let made = site.ask(&["backup", "create"]);
        let beside: &[&str] = match all {
            true => &["", "-wal", "-shm", ".lock"],
            false => &[""],
        };
        let file = |end: &str| site.folder.path().join(format!("storyline.db{end}"));
        for end in beside {
            std::fs::remove_file(file(end)).unwrap();
        }
        site.telegram.press(ANN, TEAM, story, "✅ Posted");
        let wanted = format!(
            "storyline backup restore {}",
            made["name"].as_str().unwrap()
        );
        site.until("it says what is wrong, and what helps", || {
            let said = site.says_of_the_database().unwrap_or_default();
            said.contains("was there and is gone") && said.contains(&wanted)
        })
        .await;
        assert!(noted_presses(&site).is_empty(), "a press was acknowledged");
        assert!(!file("").exists(), "an empty one was made in silence");
        let shown = site.telegram.messages(TEAM);
        let shown = shown.iter().find(|one| one.id == story).unwrap();
        assert!(!shown.text.contains("Posted by"), "{}", shown.text);

        // It is not stopped for that, and the press counts as soon as it can.
        site.ask(&["backup", "restore", "latest"]);
        site.until("the press is on record", || {
            outcomes(&site.ask(&["history", "list"]), "posted") == 1
        })
        .await;
        assert!(site.says_of_the_database().is_none());
    }
}

/// What was written ahead lies beside the database until it is taken in.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_the_database_may_be_deleted_and_nothing_is_lost() {
    let site = Site::new(3, 50, window_from_now(3)).await;
    let _daemon = site.serve();
    site.hear("STATUS=At work");
    let story = site.story().await;
    std::fs::remove_file(site.folder.path().join("storyline.db-wal")).unwrap();
    site.telegram.press(ANN, TEAM, story, "✅ Posted");
    site.until("it is noticed, and works again", || {
        let log = site.log();
        log.contains("lost a file beside it") && log.matches("is at work").count() > 1
    })
    .await;
    site.until("the press is on record", || {
        outcomes(&site.ask(&["history", "list"]), "posted") == 1
    })
    .await;
}
