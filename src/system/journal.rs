//! Tells the journal what happened, each event as an entry whose fields keep their names, in its native protocol
//! (`systemd.io/JOURNAL_NATIVE_PROTOCOL`). It only makes the entries; [`Pen`] sends them.

use std::fmt;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::neutral;
use super::pen::{Paper, Pen};

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";
/// The name the entries bear.
const IDENTIFIER: &str = "storyline";
/// The longest value, in bytes: an entry is one datagram, and the kernel takes no more than some 200 kB of one.
const MOST_VALUE_BYTES: usize = 48_000;

/// The journal's socket.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The one that listens there.
    ///
    /// # Errors
    /// If none does.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        // To connect asks whether it is there, and waits for nobody.
        UnixDatagram::unbound()?.connect(path)?;
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            path: path.to_owned(),
        })
    }
}

impl Paper for Journal {
    fn write(&mut self, entry: &[u8]) -> io::Result<()> {
        // By its path each time: a journal that was started anew may have another socket.
        self.socket.send_to(entry, &self.path).map(drop)
    }

    fn lost(&self, count: u64) -> Vec<u8> {
        let mut entry = begin(Level::WARN);
        let lines = if count == 1 { "line was" } else { "lines were" };
        let text = format!("{count} log {lines} lost: the journal did not read");
        put(&mut entry, "message", &text);
        entry
    }
}

/// Makes an entry of each event, with the fields of the spans that it is in.
pub(super) struct Entries(pub(super) Pen);

/// What a span adds to the entries of its events.
struct OfSpan(Vec<u8>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Entries {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Vec::new();
            attributes.record(&mut Fields(&mut fields));
            span.extensions_mut().insert(OfSpan(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(OfSpan(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let about = event.metadata();
        let mut entry = begin(*about.level());
        put(&mut entry, "target", about.target());
        if let (Some(file), Some(line)) = (about.file(), about.line()) {
            put(&mut entry, "code_file", file);
            put(&mut entry, "code_line", &line.to_string());
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(OfSpan(fields)) = span.extensions().get() {
                entry.extend_from_slice(fields);
            }
        }
        event.record(&mut Fields(&mut entry));
        self.0.put(entry);
    }
}

/// What every entry begins with.
fn begin(level: Level) -> Vec<u8> {
    // As syslog has them: an error, a warning, what is worth a notice, and two that are for whoever looks for something.
    let priority = match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "5",
        Level::DEBUG => "6",
        Level::TRACE => "7",
    };
    let mut entry = Vec::with_capacity(512);
    put(&mut entry, "priority", priority);
    put(&mut entry, "syslog_identifier", IDENTIFIER);
    entry
}

struct Fields<'a>(&'a mut Vec<u8>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        put(self.0, field.name(), &neutral::line(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        put(self.0, field.name(), &format!("{:?}", neutral::Line(value)));
    }
}

/// Adds a field: its name, and how long its value is, so that the value may hold anything. The journal takes names of capital
/// letters, digits and `_`, and keeps those that begin with `_` for itself.
fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    let value = &value[..value.floor_char_boundary(MOST_VALUE_BYTES)];
    let before = entry.len();
    let letters = name.bytes().map(|letter| match letter {
        b'.' => b'_',
        other => other.to_ascii_uppercase(),
    });
    let known = letters.filter(|letter| letter.is_ascii_alphanumeric() || *letter == b'_');
    entry.extend(known.skip_while(|letter| *letter == b'_'));
    if entry.len() == before {
        return;
    }
    entry.push(b'\n');
    entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::logging::span_of;
    use std::collections::BTreeMap;
    use std::time::Duration;
    use tracing_subscriber::layer::SubscriberExt;

    /// What lies in a datagram.
    fn read(mut entry: &[u8]) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        while let Some(end) = entry.iter().position(|byte| *byte == b'\n') {
            let name = String::from_utf8(entry[..end].to_vec()).unwrap();
            let length = u64::from_le_bytes(entry[end + 1..end + 9].try_into().unwrap());
            let value = &entry[end + 9..][..usize::try_from(length).unwrap()];
            let value = String::from_utf8(value.to_vec()).unwrap();
            entry = &entry[end + 10 + value.len()..];
            fields.insert(name, value);
        }
        fields
    }

    #[test]
    fn an_entry_has_its_fields_and_those_of_its_span() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        let pen = Pen::on(Journal::at(&path).unwrap()).unwrap();
        let subscriber = tracing_subscriber::registry().with(Entries(pen.clone()));
        let long = "ü".repeat(MOST_VALUE_BYTES);
        tracing::subscriber::with_default(subscriber, || {
            let span = span_of("Club");
            let _within = span.enter();
            let person = "Ann\u{202e}\n";
            tracing::warn!(
                story = 47,
                outcome = "posted",
                person,
                long,
                "two\nlines of {person}"
            );
        });
        assert!(pen.finish(Duration::from_secs(20)));
        let mut entry = vec![0; 300_000];
        let length = socket.recv(&mut entry).unwrap();
        let mut entry = read(&entry[..length]);
        assert_eq!(entry.remove("LONG").unwrap().len(), MOST_VALUE_BYTES);
        assert!(entry.remove("CODE_LINE").unwrap().parse::<u32>().is_ok());
        let entry: Vec<(&str, &str)> = entry.iter().map(|(name, of)| (&**name, &**of)).collect();
        assert_eq!(
            entry,
            [
                ("CODE_FILE", file!()),
                ("MESSAGE", r"two\nlines of Ann\u{202e}\n"),
                ("OUTCOME", "posted"),
                ("PERSON", r"Ann\u{202e}\n"),
                ("PRIORITY", "4"),
                ("STORY", "47"),
                ("SYSLOG_IDENTIFIER", "storyline"),
                ("TARGET", module_path!()),
                ("TEAM", "Club"),
            ]
        );
    }

    #[test]
    fn a_journal_that_is_not_there_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Journal::at(&folder.path().join("socket")).is_err());
    }

    #[test]
    fn how_many_were_lost_is_an_entry_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = UnixDatagram::bind(&path).unwrap();
        let entry = read(&Journal::at(&path).unwrap().lost(12));
        assert_eq!(
            entry["MESSAGE"],
            "12 log lines were lost: the journal did not read"
        );
        assert_eq!(entry["PRIORITY"], "4");
    }
}
