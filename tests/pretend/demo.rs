//! `demo STORYLINE_BINARY`: the whole product on one desk, without Telegram.
//!
//! Makes a scratch folder with sample pictures, starts the pretend Telegram with its chat page, writes a configuration
//! that plans a story every fifty seconds or so, and runs the real binary against it until told to stop.
#![expect(clippy::print_stdout, reason = "it talks to the person who runs it")]

#[path = "demo/pictures.rs"]
mod pictures;
#[path = "mod.rs"]
mod pretend;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use jiff::{ToSpan, Zoned, tz::TimeZone};
use pretend::telegram::{PretendTelegram, Status};
use tokio::signal::unix::{SignalKind, signal};

const TEAM: i64 = -1_001_000_000_001;
const ANN: i64 = 11;
/// How long the child may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows Storyline at work with a pretend Telegram in the browser.
#[derive(Parser)]
struct Options {
    /// The `storyline` binary to run.
    storyline: PathBuf,
    /// Port of the chat page; a free one unless given.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// End by itself after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let scratch = tempfile::tempdir().context("a scratch folder")?;
    let library = scratch.path().join("library");
    println!("Drawing sample pictures …");
    draw_library(&library)?;
    let telegram = PretendTelegram::start_with_page_on(options.port).await;
    gather(&telegram);
    let config = scratch.path().join("storyline.toml");
    fs::write(&config, configuration(scratch.path(), &telegram))
        .context("writing storyline.toml")?;
    let mut child = run(&options.storyline, &config)?;
    println!(
        "\n  Open    {page}\n  Drop    pictures into {library}\n          (memes/, merch/, quotes/, or a folder of your own)\n  \
         Then    stories come to “Team stories” within a minute; press their buttons as Ann, Ben or Cleo,\n          \
         try a stranger, type /status, and make trouble with the switches\n  Config  {config}\n  End     Ctrl-C\n",
        page = telegram.page_url(),
        library = library.display(),
        config = config.display(),
    );
    let died = tokio::select! {
        ended = until_ended(&mut child) => Some(ended?),
        told = until_told(options.seconds) => { told?; None }
    };
    let code = match died {
        Some(status) => {
            println!("storyline ended by itself: {status}");
            ExitCode::FAILURE
        }
        None => stop(&mut child).await?,
    };
    drop(telegram);
    scratch.close().context("removing the scratch folder")?;
    Ok(code)
}

fn draw_library(library: &Path) -> Result<()> {
    for (path, draw) in pictures::SAMPLES {
        let path = library.join(path);
        let folder = path.parent().context("a sample lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        draw()
            .0
            .save(&path)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    let about = serde_json::json!({
        "title": "The morning mug",
        "caption": "Back in stock: holds exactly one Monday. ☕",
        "tags": ["mug", "new"],
        "link_url": "https://shop.example.com/mug",
    });
    fs::write(library.join("merch/mug.json"), format!("{about:#}\n")).context("writing mug.json")
}

/// The people and their chats.
fn gather(telegram: &PretendTelegram) {
    for (id, name) in [(ANN, "Ann"), (12, "Ben"), (13, "Cleo"), (99, "Zed")] {
        telegram.person(id, name);
    }
    telegram.supergroup(TEAM, "Team stories");
    telegram.member(TEAM, ANN, Status::Administrator);
    telegram.member(TEAM, 12, Status::Member);
    telegram.member(TEAM, 13, Status::Member);
    telegram.private_chat(ANN);
}

fn configuration(scratch: &Path, telegram: &PretendTelegram) -> String {
    // Fifty slots in forty minutes; the first falls on the next full minute.
    let start = Zoned::now().with_time_zone(TimeZone::UTC) + 1.minute();
    let end = &start + 40.minutes();
    format!(
        "[library]\npath = \"{scratch}/library\"\ncache = \"{scratch}/cache\"\n\
         [database]\nurl = \"sqlite:{scratch}/storyline.db\"\n\
         [telegram]\ntoken = \"{token}\"\napi_url = \"{url}\"\nchat = {TEAM}\nadmin_chat = {ANN}\n\
         [team]\nname = \"Demo team\"\ntimezone = \"UTC\"\nposts_per_day = 50\n\
         window_start = \"{start}\"\nwindow_end = \"{end}\"\njitter_minutes = 0\n\
         [log]\nlevel = \"info\"\n",
        scratch = scratch.display(),
        token = telegram.token(),
        url = telegram.url(),
        start = start.strftime("%H:%M"),
        end = end.strftime("%H:%M"),
    )
}

fn run(binary: &Path, config: &Path) -> Result<Child> {
    let mut child = Command::new(binary)
        .arg("--config")
        .arg(config)
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0) // Ctrl-C is for the demo, which then asks the child to end
        .spawn()
        .with_context(|| format!("starting {}", binary.display()))?;
    show(child.stdout.take());
    show(child.stderr.take());
    Ok(child)
}

/// Prints what the child writes, line by line.
fn show(output: Option<impl Read + Send + 'static>) {
    let Some(output) = output else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("storyline │ {line}");
        }
    });
}

async fn until_ended(child: &mut Child) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("watching the child")? {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Returns at Ctrl-C, at SIGTERM, or when the time is over.
async fn until_told(seconds: Option<u64>) -> Result<()> {
    let mut terminated = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let over = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("listening for Ctrl-C")?,
        _ = terminated.recv() => {}
        () = over => {}
    }
    Ok(())
}

/// Asks the child to end, and makes it after a while.
async fn stop(child: &mut Child) -> Result<ExitCode> {
    println!("Ending …");
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    asked.context("asking the child to end with `kill`")?;
    let started = Instant::now();
    if let Ok(status) = tokio::time::timeout(PATIENCE, until_ended(child)).await {
        let status = status?;
        println!("storyline ended after {:.1?}: {status}", started.elapsed());
        return Ok(ExitCode::SUCCESS);
    }
    println!("storyline did not end within {PATIENCE:?} and was killed");
    child.kill().context("killing the child")?;
    child.wait().context("waiting for the child")?;
    Ok(ExitCode::FAILURE)
}
