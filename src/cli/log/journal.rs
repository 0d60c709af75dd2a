//! What the journal says of a story, asked of `journalctl`. It may be gone, or not to be read: that is no failure.

use std::io;
use std::process::Output;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use super::{Line, Source};
use crate::system::neutral;

/// The longest that it may take: a full journal on an SD card is slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most entries; the latest are taken.
const MOST: &str = "1000";

/// An entry as `journalctl --output=json` writes it, one a line. A field may be a text, a list of texts if it was given more
/// than once, a list of bytes if it is no plain text, or null if it is too long.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    at: String,
    #[serde(rename = "MESSAGE")]
    message: Value,
    #[serde(rename = "PERSON", default)]
    person: Value,
    #[serde(rename = "TEAM", default)]
    team: Value,
}

/// What the service logged of the story of this number since its life began, in order, but for that of these other teams. An
/// older story of that number was one of records that are gone.
///
/// # Errors
/// In plain words, if the journal tells nothing.
pub(super) async fn of_story(
    number: u64,
    born: Timestamp,
    others: &[&str],
) -> Result<Vec<Line>, String> {
    let mut command = Command::new("journalctl");
    command
        .args(["--quiet", "--no-pager", "--unit=storyline", "--output=json"])
        .args(["--lines", MOST])
        .arg(format!("--since=@{}", born.as_second()))
        .arg(format!("STORY={number}"))
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let lines = match output {
        Ok(output) if output.status.success() => read(&output.stdout, others),
        Ok(output) => {
            return Err(format!(
                "the journal cannot be read: {}",
                complaint(&output)
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(
                "`journalctl` is not on this machine; this is what is on record".to_owned(),
            );
        }
        Err(error) => return Err(format!("`journalctl` was of no use: {error}")),
    };
    if lines.is_empty() {
        return Err(
            "the journal says nothing of it: it reaches back only so far, and root and the group `systemd-journal` may read it"
                .to_owned(),
        );
    }
    Ok(lines)
}

/// Why `journalctl` failed, in its own words.
fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = stderr.lines().find(|line| !line.trim().is_empty());
    said.map_or_else(|| output.status.to_string(), str::to_owned)
}

/// What cannot be read is passed over: the records tell what counts.
fn read(output: &[u8], others: &[&str]) -> Vec<Line> {
    let lines = output.split(|byte| *byte == b'\n');
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    entries
        .filter(|entry| {
            text(&entry.team).is_none_or(|team| !others.iter().any(|of| neutral::line(of) == team))
        })
        .filter_map(|entry| {
            Some(Line {
                at: Timestamp::from_microsecond(entry.at.parse().ok()?).ok()?,
                source: Source::Journal,
                what: text(&entry.message)?,
                by: text(&entry.person),
            })
        })
        .collect()
}

/// The text of a field; of several, the last, which is nearest to what is told.
fn text(field: &Value) -> Option<String> {
    let text = match field {
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.iter().all(Value::is_u64) => {
            let bytes = parts.iter().filter_map(Value::as_u64);
            let bytes: Vec<u8> = bytes.filter_map(|byte| u8::try_from(byte).ok()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Value::Array(parts) => text(parts.last()?)?,
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_whatever_shape_its_fields_have() {
        let output = concat!(
            r#"{"__REALTIME_TIMESTAMP":"1795262400500123","MESSAGE":"1 posted by Ann","PERSON":"Ann","TEAM":"Storyline"}"#,
            "\n",
            r#"{"__REALTIME_TIMESTAMP":"1795262400600000","MESSAGE":[35,49,27,91],"PERSON":"","TEAM":["Club","Storyline"]}"#,
            "\n",
            r#"{"__REALTIME_TIMESTAMP":"1795262400700000","MESSAGE":"of another team","TEAM":"Club"}"#,
            "\n",
            r#"{"__REALTIME_TIMESTAMP":"1795262400800000","MESSAGE":null}"#,
            "\nhalf a li",
        );
        let lines = read(output.as_bytes(), &["Club"]);
        let told: Vec<(&str, Option<&str>)> = lines
            .iter()
            .map(|line| (&*line.what, line.by.as_deref()))
            .collect();
        assert_eq!(
            told,
            [("1 posted by Ann", Some("Ann")), ("#1\u{1b}[", None)]
        );
        assert_eq!(lines[0].at.to_string(), "2026-11-21T12:00:00.500123Z");
    }
}
