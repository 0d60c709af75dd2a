//! How an alert leaves the box. No reason for a failure holds an address.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::Target;
use crate::domain::alert::Severity;
use crate::domain::way::{News, Stage};
use crate::system::http_client::{Body, HttpClient, Limits};
use crate::system::neutral;

/// What a call may cost.
const LIMITS: Limits = Limits {
    bytes: 64 * 1024,
    time: Duration::from_secs(20),
};
/// How long the program that sends mail may take.
const MAILING: Duration = Duration::from_secs(30);
/// How long what it said at last may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How much of its complaints is read, in bytes.
const COMPLAINTS: u64 = 4096;
/// How much of them is told, in characters.
const TOLD: usize = 200;

/// What a webhook is called with.
#[derive(Serialize)]
struct Json<'a> {
    title: &'a str,
    text: &'a str,
    severity: Severity,
    stage: Stage,
    #[serde(rename = "box")]
    name: &'a str,
}

/// Sends it, and waits until it is taken.
///
/// # Errors
/// In plain words, if it is not taken.
pub(super) async fn send(
    http: &HttpClient,
    target: &Target,
    news: &News,
    name: &str,
) -> Result<(), String> {
    let title = title(news, name);
    let (address, body) = match target {
        Target::Mail(to) => return mail(to, &title, &news.text).await,
        Target::Webhook(address) => {
            let json = Json {
                title: &title,
                text: &news.text,
                severity: news.severity,
                stage: news.stage,
                name,
            };
            let json = serde_json::to_vec(&json).map_err(|error| error.to_string())?;
            (address, Body::Json(json))
        }
        Target::Ntfy(address) => {
            let headers = vec![("title", title), ("priority", priority(news).to_owned())];
            (address, Body::Text(news.text.clone(), headers))
        }
    };
    let answer = http.call(address.url().clone(), body, LIMITS).await;
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.is_success() {
        true => Ok(()),
        false => Err(format!("the server answered {}", answer.status)),
    }
}

/// One line of ASCII: it is a header.
fn title(news: &News, name: &str) -> String {
    let what = match (news.stage, news.severity) {
        (Stage::Test, _) => "a test",
        (Stage::Resolved, _) => "over",
        (Stage::Raised, Severity::Problem) => "a problem",
        (Stage::Raised, _) => "a warning",
        (Stage::Reminder, _) => "still so",
    };
    format!("Storyline on {name}: {what}")
}

/// As ntfy calls it.
fn priority(news: &News) -> &'static str {
    match (news.stage, news.severity) {
        (Stage::Raised | Stage::Reminder, Severity::Problem) => "high",
        (Stage::Raised | Stage::Reminder, _) => "default",
        (Stage::Resolved | Stage::Test, _) => "low",
    }
}

/// By the system's own program. What it leaves running to deliver the mail goes on, so it is no child like others.
async fn mail(to: &str, title: &str, text: &str) -> Result<(), String> {
    let letter = format!(
        "To: {to}\nSubject: {title}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    );
    let mut command = Command::new("sendmail");
    command.args(["-i", to]).env_clear().env("LANG", "C.UTF-8");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            "the program `sendmail` is not installed (`apt install msmtp-mta`)".to_owned()
        }
        _ => format!("`sendmail` cannot be run: {error}"),
    })?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let sending = async {
        if let Some(mut stdin) = stdin {
            // One that does not want it says why by how it ends.
            let _ = stdin.write_all(letter.as_bytes()).await;
        }
        child.wait().await
    };
    let ended = timeout(MAILING, sending).await;
    let ended =
        ended.map_err(|_| format!("`sendmail` did not end within {} s", MAILING.as_secs()))?;
    // What it leaves running may hold its stderr open, and is not waited for.
    let mut said = Vec::new();
    if let Some(stderr) = stderr {
        let mut reading = stderr.take(COMPLAINTS);
        let _ = timeout(LAST_WORDS, reading.read_to_end(&mut said)).await;
    }
    let said = String::from_utf8_lossy(&said);
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let said = neutral::line(said.lines().last().unwrap_or_default());
            let said: String = said.chars().take(TOLD).collect();
            Err(format!("`sendmail` failed ({status}) {said}")
                .trim_end()
                .to_owned())
        }
        Err(error) => Err(format!("`sendmail` cannot be waited for: {error}")),
    }
}
