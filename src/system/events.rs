//! The events that an owner asks the journal for: each has an id of its own, `MESSAGE_ID=`, which stays when its words change.
//! `journalctl -x` explains them, from the catalog that is made of this list.

/// One of them. A log line that tells of it bears `message_id = events::STORY_SENT.id`.
#[derive(Debug)]
pub struct Event {
    /// 128 bits, in hexadecimal digits; made once, at random.
    pub id: &'static str,
    /// What happened, in short.
    pub name: &'static str,
    /// What it means and what to do. `@FIELD@` stands for a field of the entry.
    pub meaning: &'static str,
}

/// The name of the field that bears the id.
pub const FIELD: &str = "message_id";

/// The service works.
pub const SERVICE_READY: Event = Event {
    id: "9bfef777249946549dc08610fe4314bc",
    name: "Storyline is at work",
    meaning: "The service has started, and works. `storyline check` tells how it is.",
};
/// The service ended in good order.
pub const SERVICE_STOPPED: Event = Event {
    id: "5070e8ac3779477abead8269956c4dac",
    name: "Storyline has stopped",
    meaning: "The service ended in good order, because it was told to. A start that no such entry stands before follows a \
              crash, a kill or a power cut; nothing is lost by one.",
};
/// Another version runs than before.
pub const VERSION_CHANGED: Event = Event {
    id: "e74ffedd981a430e87a1082c7bcfd772",
    name: "Another version of Storyline runs",
    meaning: "The program is another version than at its last start. Its database was brought to that version, if need be.",
};
/// A story is before the team.
pub const STORY_SENT: Event = Event {
    id: "64644389a9224763968d546c747ff092",
    name: "Story @STORY@ is before the team",
    meaning: "Its picture and its buttons are in the team's chat, and it awaits a press. `storyline log @STORY@` tells its life.",
};
/// A story could not be sent.
pub const STORY_NOT_SENT: Event = Event {
    id: "820d47554418411189393653573921fe",
    name: "Story @STORY@ was not delivered",
    meaning: "An attempt to send it failed, for the reason given. What may pass is tried again after 5, 10 and 20 minutes and so on. \
              `storyline check` tells what to do about what does not.",
};
/// A story has its outcome.
pub const STORY_ENDED: Event = Event {
    id: "bde5c47a82504ab1979af19d4111535a",
    name: "Story @STORY@ has ended: @OUTCOME@",
    meaning: "It is history; `storyline log @STORY@` tells its life. An outcome that nobody pressed for (missed, expired, failed) \
              leaves the picture free to be chosen again.",
};
/// The outcome of a story was taken back.
pub const STORY_REOPENED: Event = Event {
    id: "a9c6e773abdd42da8a905c344c2d4684",
    name: "The outcome of story @STORY@ was taken back",
    meaning: "@PERSON@ pressed Undo within the minute. The story awaits a press again.",
};
/// A slot passed without a story.
pub const SLOT_MISSED: Event = Event {
    id: "7ae1de590990457b9d2eb2e8e47019a6",
    name: "A slot passed without a story",
    meaning: "Nothing was sent in it, for the reason given: most often because no picture fits, or because the box was off. It \
              is not made up for.",
};
/// Something is wrong that a person must know of.
pub const ALERT_RAISED: Event = Event {
    id: "acc9a236f9c34aebb4f2d82b1e3cd2dd",
    name: "Something is to be seen to: @TASK@",
    meaning: "The admin chat is told so too. `storyline check` tells what stands, and what to do.",
};
/// It is over.
pub const ALERT_RESOLVED: Event = Event {
    id: "e5f35b850d0a461f8a0493b33c046242",
    name: "It is over: @TASK@",
    meaning: "What was to be seen to is well again.",
};

/// A backup was made.
pub const BACKUP_MADE: Event = Event {
    id: "eaa21140878ed94e9af04e96ab3068e2",
    name: "A backup was made",
    meaning: "The records were copied, unpacked again and counted. `storyline backup list` shows all there are.",
};
/// A backup could not be made.
pub const BACKUP_FAILED: Event = Event {
    id: "64c7dd09d3b5901383699fff9b8601bb",
    name: "No backup could be made",
    meaning: "The reason is given; it is tried again within the hour. `storyline backup create` makes one by hand.",
};
/// A copy of a backup has left the box.
pub const BACKUP_COPIED: Event = Event {
    id: "2510db196c874bd8abf8f7344850b3d2",
    name: "A backup was copied off the box",
    meaning: "An encrypted copy is in the place that is told. `storyline backup verify FILE --key KEYFILE` opens one.",
};
/// A copy of a backup did not get to its place.
pub const BACKUP_NOT_COPIED: Event = Event {
    id: "f1d75d91d9ac4e13a889b25fe6d86f5f",
    name: "A backup could not be copied off the box",
    meaning: "The reason is given; it is tried again within the hour. `storyline backup copy` sends one by hand.",
};

/// All of them.
pub const ALL: [&Event; 14] = [
    &SERVICE_READY,
    &SERVICE_STOPPED,
    &VERSION_CHANGED,
    &STORY_SENT,
    &STORY_NOT_SENT,
    &STORY_ENDED,
    &STORY_REOPENED,
    &SLOT_MISSED,
    &ALERT_RAISED,
    &ALERT_RESOLVED,
    &BACKUP_MADE,
    &BACKUP_FAILED,
    &BACKUP_COPIED,
    &BACKUP_NOT_COPIED,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const CATALOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/storyline.catalog");
    /// If set, the catalog is written anew.
    const WRITE: &str = "STORYLINE_WRITE_CATALOG";

    fn catalog() -> String {
        let entries = ALL.map(|event| {
            format!(
                "\n-- {}\nSubject: {}\nDefined-By: Storyline\n\n{}\n",
                event.id, event.name, event.meaning
            )
        });
        format!(
            "# What `journalctl -x` says about entries of Storyline.\n{}",
            entries.concat()
        )
    }

    #[test]
    fn every_id_is_one_that_the_journal_takes_and_no_two_are_the_same() {
        for event in ALL {
            let is_digit = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
            assert!(
                event.id.len() == 32 && event.id.chars().all(is_digit),
                "{event:?}"
            );
        }
        let ids: BTreeSet<&str> = ALL.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), ALL.len());
    }

    #[test]
    fn the_catalog_that_is_shipped_is_made_of_them() {
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(CATALOG, catalog()).unwrap();
        }
        let shipped = std::fs::read_to_string(CATALOG).unwrap_or_default();
        assert_eq!(
            shipped,
            catalog(),
            "`{WRITE}=1 cargo test events` writes it"
        );
    }
}
