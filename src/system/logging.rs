//! Where the log goes and what is in it. Under systemd each event is a journal entry whose fields keep their names, so
//! that `journalctl -u storyline STORY=47` tells the life of one story; elsewhere it is readable lines on stderr, or JSON.
//!
//! Nobody waits for whoever reads it: what is told lies in a queue, which one thread writes ([`super::pen`]).
//!
//! Fields in use: `story`, `media`, `team`, `person`, `task`, `outcome`, `attempt`; and of the main events `message_id`, which
//! only machines read.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use tracing::Span;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::{RecordFields, VisitOutput};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use super::clock::Clock;
use super::environment::Environment;
use super::events;
use super::journal::{Entries, Journal, SOCKET};
use super::neutral;
use super::pen::{Paper, Pen};
use super::secret::redact;

/// How long the end of the process, or a panic, waits for what is not written yet.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Libraries that tell more than anyone wants; they are heard from `warn` on unless they are named.
const NOISY: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "notify",
    "refinery",
    "refinery_core",
    "reqwest",
    "rustls",
    "teloxide",
    "teloxide_core",
    "tokio_postgres",
    "tower",
];

/// What is logged: a level for everything, and levels for parts, as in `info,storyline::store=debug`.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    text: String,
    everything: LevelFilter,
    parts: Vec<(String, LevelFilter)>,
}

/// What a team's work bears in the log: whose it is.
#[must_use]
pub fn span_of(team: &str) -> Span {
    // At every level that is heard at all: a warning must tell whose it is too.
    tracing::error_span!("of", team)
}

impl Levels {
    fn targets(&self) -> Targets {
        let noise = self.everything.min(LevelFilter::WARN);
        Targets::new()
            .with_default(self.everything)
            .with_targets(NOISY.iter().map(|&name| (name, noise)))
            .with_targets(self.parts.iter().cloned())
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            text: "info".to_owned(),
            everything: LevelFilter::INFO,
            parts: Vec::new(),
        }
    }
}

/// A text that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no level: `error`, `warn`, `info`, `debug`, `trace` and `off` are")]
pub struct NotALevel(String);

impl FromStr for Levels {
    type Err = NotALevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut levels = Self {
            text: text.trim().to_owned(),
            ..Self::default()
        };
        for word in levels.text.split(',').map(str::trim) {
            // LevelFilter also reads numbers and the empty text, which nobody means.
            let level = |name: &str| match name.parse() {
                Ok(level) if name.chars().any(char::is_alphabetic) => Ok(level),
                _ => Err(NotALevel(name.to_owned())),
            };
            match word.split_once('=') {
                None => levels.everything = level(word)?,
                Some((part, name)) => levels
                    .parts
                    .push((part.trim().to_owned(), level(name.trim())?)),
            }
        }
        Ok(levels)
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// To the journal if stderr is connected to it, else as text.
    #[default]
    Auto,
    /// To the journal, with fields.
    Journal,
    /// Readable lines on stderr.
    Text,
    /// A JSON object a line on stderr.
    Json,
}

impl Format {
    /// The word for it, in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Journal => "journal",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// A text that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format of the log: `auto`, `journal`, `text` and `json` are")]
pub struct NotAFormat(String);

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Auto, Self::Journal, Self::Text, Self::Json]
            .into_iter()
            .find(|format| format.as_str() == text.trim())
            .ok_or_else(|| NotAFormat(text.to_owned()))
    }
}

/// A log that could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The journal was asked for and is not there.
    #[error("the log cannot go to the journal: {0}; set `log.format` to `text` or `auto`")]
    NoJournal(#[source] io::Error),
    /// There is nothing to write on, or nobody to write it.
    #[error("the log cannot be written: {0}")]
    NoPen(#[source] io::Error),
    /// The process logs already.
    #[error("the log was begun twice")]
    Twice,
}

/// The log of the process. When it goes, what is not written yet still is, if that takes no longer than a second.
#[must_use = "without it, the last lines are lost"]
pub struct Log(Pen);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.finish(LAST_WORDS);
    }
}

/// Begins the log of the process, and tells panics to it in place of stderr.
///
/// # Errors
/// If the journal was asked for and is not there, or the log was begun before.
pub fn init(
    levels: &Levels,
    format: Format,
    environment: &Environment,
) -> Result<Log, LoggingError> {
    let (layer, pen) = match resolve(format, environment) {
        Format::Journal | Format::Auto => {
            let journal = Journal::at(Path::new(SOCKET)).map_err(LoggingError::NoJournal)?;
            let pen = Pen::on(journal).map_err(LoggingError::NoPen)?;
            (Box::new(Entries(pen.clone())) as BoxLayer, pen)
        }
        Format::Text => {
            let (writer, pen) = on_stderr(false)?;
            (text(writer, colourful(environment)), pen)
        }
        Format::Json => {
            let (writer, pen) = on_stderr(true)?;
            (json(writer), pen)
        }
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(levels.targets()))
        .try_init()
        .map_err(|_| LoggingError::Twice)?;
    let log = Log(pen.clone());
    std::panic::set_hook(Box::new(move |panic| {
        let text = redact(&panic.to_string(), &[]).replace('\n', " ");
        tracing::error!("{text}");
        // It may be the last that is heard.
        pen.finish(LAST_WORDS);
    }));
    Ok(log)
}

type BoxLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Stderr, as lines or as JSON. The file is our own: nobody who says something there waits for the thread that writes.
struct Stderr {
    file: File,
    is_json: bool,
}

impl Paper for Stderr {
    fn write(&mut self, entry: &[u8]) -> io::Result<()> {
        self.file.write_all(entry)
    }

    fn lost(&self, count: u64) -> Vec<u8> {
        let lines = if count == 1 { "line was" } else { "lines were" };
        let (time, text) = (
            seconds(),
            format!("{count} log {lines} lost: nobody read stderr"),
        );
        let line = match self.is_json {
            true => {
                serde_json::json!({"timestamp": time, "level": "WARN", "message": text}).to_string()
            }
            false => format!("{time}  WARN {text}"),
        };
        (line + "\n").into_bytes()
    }
}

fn on_stderr(
    is_json: bool,
) -> Result<(impl Fn() -> Pen + Send + Sync + 'static, Pen), LoggingError> {
    let file = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let pen = file.and_then(|file| Pen::on(Stderr { file, is_json }));
    let pen = pen.map_err(LoggingError::NoPen)?;
    let writer = pen.clone();
    Ok((move || writer.clone(), pen))
}

fn text<W>(writer: W, colour: bool) -> BoxLayer
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    Box::new(
        tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_timer(Seconds)
            .with_target(false)
            .with_ansi(colour)
            .fmt_fields(Readable),
    )
}

/// The fields as they are written by default, in neutral words, but for what is no use to a reader.
struct Readable;

impl<'writer> FormatFields<'writer> for Readable {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = ReadableVisitor(DefaultVisitor::new(writer, true));
        fields.record(&mut visitor);
        visitor.0.finish()
    }
}

struct ReadableVisitor<'writer>(DefaultVisitor<'writer>);

impl Visit for ReadableVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() != events::FIELD {
            self.0.record_str(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.record_debug(field, &neutral::Line(value));
    }
}

fn json<W>(writer: W) -> BoxLayer
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    Box::new(
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(NeutralJson(writer))
            .with_timer(Seconds),
    )
}

/// Writes JSON without what a terminal would obey; JSON itself escapes only some of it.
struct NeutralJson<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for NeutralJson<W> {
    type Writer = NeutralJson<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        NeutralJson(self.0.make_writer())
    }
}

impl<W: io::Write> io::Write for NeutralJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            // A line is written at once, so that no character is cut in two.
            Ok(text) => self.0.write_all(neutral::json(text).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The time in UTC, to the second.
struct Seconds;

impl FormatTime for Seconds {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        writer.write_str(&seconds())
    }
}

fn seconds() -> String {
    format!("{:.0}", Clock::system().now())
}

fn resolve(format: Format, environment: &Environment) -> Format {
    match format {
        Format::Auto if journal_listens(environment, stderr_identity()) => Format::Journal,
        Format::Auto => Format::Text,
        chosen => chosen,
    }
}

/// Whether stderr, by its device and inode, is what `JOURNAL_STREAM` names. The variable alone says nothing: children
/// inherit it, wherever their stderr goes.
fn journal_listens(environment: &Environment, stderr: Option<(u64, u64)>) -> bool {
    environment
        .get("JOURNAL_STREAM")
        .and_then(|stream| stream.split_once(':'))
        .and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)))
        .is_some_and(|stream: (u64, u64)| Some(stream) == stderr)
}

fn stderr_identity() -> Option<(u64, u64)> {
    let stderr = io::stderr().as_fd().try_clone_to_owned().ok()?;
    let metadata = std::fs::File::from(stderr).metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn colourful(environment: &Environment) -> bool {
    environment.get("NO_COLOR").is_none() && io::stderr().is_terminal()
}

#[cfg(test)]
#[path = "logging_tests.rs"]
mod tests;
