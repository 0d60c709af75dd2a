//! The log as people read it, and who is heard in it.

use super::*;
use std::sync::{Arc, Mutex};
use tracing::Level;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(layer: impl FnOnce(Paper) -> BoxLayer, levels: &str) -> String {
    of(layer, levels, || {
        tracing::info!(
            message_id = events::STORY_ENDED.id,
            story = 47,
            outcome = "posted",
            "story 47 was posted"
        );
        tracing::debug!("unheard");
        tracing::info!(target: "hyper::client", "unheard");
    })
}

fn of(layer: impl FnOnce(Paper) -> BoxLayer, levels: &str, talk: impl FnOnce()) -> String {
    let paper = Paper::default();
    let levels: Levels = levels.parse().unwrap();
    let subscriber =
        tracing_subscriber::registry().with(layer(paper.clone()).with_filter(levels.targets()));
    tracing::subscriber::with_default(subscriber, talk);
    String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
}

const FORGED: &str = "Ann\n2027-01-01T00:00:00Z  INFO forged\0\u{202e}\u{2028}\u{85}";

fn forge() {
    let span = span_of(FORGED);
    let _in = span.enter();
    let error = io::Error::other(FORGED);
    let person = FORGED;
    tracing::info!(person, story = 47, error = %error, seen = ?FORGED, "{FORGED} is of the team now");
}

#[test]
fn nobody_can_forge_a_line_or_turn_one_around() {
    let log = of(|paper| text(writer(paper), false), "info", forge);
    assert_eq!(log.lines().count(), 1, "{log}");
    let steers = ['\0', '\u{202e}', '\u{2028}', '\u{85}'];
    assert!(!log.contains(steers), "{log}");
    assert!(log.contains("forged\\u{0}\\u{202e}"), "{log}");
    let log = of(|paper| json(writer(paper)), "info", forge);
    assert!(!log.contains(steers) && log.lines().count() == 1, "{log}");
    let line: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["person"], FORGED);
}

fn writer(paper: Paper) -> impl Fn() -> Paper + Send + Sync + 'static {
    move || paper.clone()
}

#[test]
fn a_line_has_time_level_message_and_fields() {
    let log = written(|paper| text(writer(paper), false), "info");
    let (time, rest) = log.split_once(' ').unwrap();
    assert_eq!(time.len(), "2026-11-21T12:00:00Z".len(), "{time}");
    assert_eq!(
        rest.trim(),
        r#"INFO story 47 was posted story=47 outcome="posted""#
    );
}

#[test]
fn a_json_line_has_the_fields_at_its_top() {
    let log = written(|paper| json(writer(paper)), "info");
    let line: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["story"], 47);
    assert_eq!(line["message"], "story 47 was posted");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message_id"], events::STORY_ENDED.id);
}

#[test]
fn noisy_libraries_are_heard_from_warnings_on_unless_named() {
    let heard = |levels: &str, target: &str, level: Level| {
        let levels: Levels = levels.parse().unwrap();
        levels.targets().would_enable(target, &level)
    };
    assert!(heard("info", "storyline::store", Level::INFO));
    assert!(!heard("info", "storyline::store", Level::DEBUG));
    assert!(!heard("debug", "hyper::proto", Level::INFO));
    assert!(heard("debug", "hyper::proto", Level::WARN));
    assert!(!heard("error", "hyper::proto", Level::WARN));
    assert!(heard("info,hyper=debug", "hyper::proto", Level::DEBUG));
    assert!(heard(
        "warn, storyline = debug",
        "storyline::flow",
        Level::DEBUG
    ));
    assert!(!heard("off", "storyline", Level::ERROR));
}

#[test]
fn a_level_that_is_none_is_refused() {
    for text in ["inof", "", "info,", "3", "storyline=loud", "storyline"] {
        assert!(text.parse::<Levels>().is_err(), "{text}");
    }
    assert_eq!("INFO".parse::<Levels>().unwrap().to_string(), "INFO");
}

#[test]
fn every_format_has_a_word() {
    for word in ["auto", "journal", "text", "json"] {
        assert_eq!(word.parse::<Format>().unwrap().as_str(), word);
    }
    assert!("xml".parse::<Format>().is_err());
}

#[test]
fn the_journal_is_chosen_only_if_stderr_is_connected_to_it() {
    let (device, inode) = stderr_identity().unwrap();
    let stream = |text: String| Environment::from_iter([("JOURNAL_STREAM", text)]);
    let connected = stream(format!("{device}:{inode}"));
    assert_eq!(resolve(Format::Auto, &connected), Format::Journal);
    assert_eq!(resolve(Format::Json, &connected), Format::Json);
    for text in [format!("{device}:{}", inode + 1), "x:y".into(), "".into()] {
        assert_eq!(resolve(Format::Auto, &stream(text)), Format::Text);
    }
    let nothing = Environment::default();
    assert_eq!(resolve(Format::Auto, &nothing), Format::Text);
    assert_eq!(resolve(Format::Journal, &nothing), Format::Journal);
}
