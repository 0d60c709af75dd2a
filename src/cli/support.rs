//! `storyline support`: what whoever helps wants to know, in one file, with nothing secret in it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use tar::{Builder, Header};
use tokio::process::Command;

use super::print::Print;
use super::{Failure, check, missing_database, told};
use crate::appliance::{self, open_teams};
use crate::config::{Config, Environment};
use crate::flow::Error;
use crate::system::clock::Clock;
use crate::system::secret::redact;
use crate::system::storage::why;

/// How many of the latest runs are told.
const RUNS: u32 = 200;
/// How many of the latest lines of the log.
const LINES: &str = "--lines=3000";
/// How long each program that is asked may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked of systemd.
const UNIT: &str = "--property=Id,FragmentPath,DropInPaths,UnitFileState,ActiveState,SubState,Result,StatusText,NRestarts,\
                    ExecMainStartTimestamp,ExecMainStatus,MemoryCurrent,MemoryPeak,CPUUsageNSec,TasksCurrent,WatchdogTimestamp";

const ABOUT: &str = "\
What a box that runs Storyline says of itself, by `storyline support`, for whoever helps with it.

versions.txt  the program, the system, the machine
check.json    what `storyline check` finds
settings.json what is set, and where; of secrets only that they are set
runs.json     the latest runs of the service's jobs
backups.json  the backups
unit.txt      how systemd runs it
log.txt       the latest lines of its log

There is no token, key or password in it, and no picture. There are names: of people, teams, chats and files.
";

#[derive(Debug, Args)]
pub(super) struct Support {
    /// The file to write; it must not be there yet [default: storyline-support-TIME.tar.gz, here]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
}

pub(super) async fn run(
    print: Print,
    options: Support,
    path: Option<&Path>,
    environment: &Environment,
) -> Result<(), Failure> {
    let now = Clock::system().now();
    let file = options.file.unwrap_or_else(|| {
        let stamp = now.strftime("%Y-%m-%dT%H%M%SZ");
        format!("storyline-support-{stamp}.tar.gz").into()
    });
    let opened = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file);
    let failed = |error: io::Error| {
        Failure::Other(told(
            format!(
                "`{}` cannot be written: {}",
                file.display(),
                why(&file, &error)
            ),
            "name another file: `storyline support FILE`",
        ))
    };
    let mut bundle = Bundle::new(opened.map_err(failed)?, now);
    gather(&mut bundle, path, environment)
        .await
        .map_err(failed)?;
    bundle.finish().map_err(failed)?;
    let sentence = format!(
        "{}: no token, key or password is in it; names of people and files are",
        file.display()
    );
    print.done(&Written { file: &file }, &sentence)
}

/// What cannot be had is left out, and its place says why.
async fn gather(
    bundle: &mut Bundle,
    path: Option<&Path>,
    environment: &Environment,
) -> io::Result<()> {
    bundle.add("README.txt", ABOUT)?;
    let loaded = Config::load(path, environment);
    if let Ok(loaded) = &loaded {
        bundle.secrets = loaded.config.held_secrets();
    }
    let system = output(
        "sh",
        &[
            "-c",
            "cat /etc/os-release; uname -a; cat /proc/meminfo | head -3; df -h; uptime",
        ],
    );
    let versions = format!(
        "storyline {}\n\n{}",
        env!("CARGO_PKG_VERSION"),
        system.await
    );
    bundle.add("versions.txt", &versions)?;
    let found = check::gather(path, environment, false).await;
    bundle.json("check.json", found.all())?;
    if let Ok(loaded) = &loaded {
        bundle.json("settings.json", &loaded.show())?;
        match runs(&loaded.config).await {
            Ok(runs) => bundle.json("runs.json", &runs)?,
            Err(error) => bundle.add("runs.json", &error.to_string())?,
        }
        match appliance::backups(&loaded.config).map(|backups| backups.list()) {
            Some(Ok(all)) => bundle.json("backups.json", &all)?,
            Some(Err(error)) => bundle.add("backups.json", &error.to_string())?,
            None => {}
        }
    }
    // Not all of it: what is set in the unit's environment may be secret.
    let unit = ["show", "--no-pager", UNIT, "storyline"];
    bundle.add("unit.txt", &output("systemctl", &unit).await)?;
    let log = [
        "--no-pager",
        "--quiet",
        "--unit=storyline",
        "--output=short-iso",
        LINES,
    ];
    bundle.add("log.txt", &output("journalctl", &log).await)
}

async fn runs(config: &Config) -> Result<Vec<crate::domain::run::Run>, Error> {
    if let Some(missing) = missing_database(config) {
        return Err(Error::Unavailable(missing.error));
    }
    let teams = open_teams(config, Clock::system().now()).await?;
    let mut all = Vec::new();
    for (flow, _) in teams.all() {
        all.extend(flow.runs(RUNS).await?);
    }
    Ok(all)
}

/// What another program says; or why it says nothing.
async fn output(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => {
            let said = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&said).into_owned()
        }
        Ok(Err(error)) => format!("`{program}` cannot be run: {error}\n"),
        Err(_) => format!("`{program}` took too long\n"),
    }
}

/// The file as it grows. Everything that goes in is cleaned of what is secret, whoever wrote it.
struct Bundle {
    tar: Builder<GzEncoder<File>>,
    secrets: Vec<SecretString>,
    now: Timestamp,
}

impl Bundle {
    fn new(file: File, now: Timestamp) -> Self {
        Self {
            tar: Builder::new(GzEncoder::new(file, Compression::default())),
            secrets: Vec::new(),
            now,
        }
    }

    fn add(&mut self, name: &str, text: &str) -> io::Result<()> {
        let secrets: Vec<&SecretString> = self.secrets.iter().collect();
        let text = redact(text, &secrets);
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.now.as_second()).unwrap_or(0));
        let name = format!("storyline-support/{name}");
        self.tar.append_data(&mut header, name, text.as_bytes())
    }

    fn json<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> io::Result<()> {
        self.add(name, &serde_json::to_string_pretty(value)?)
    }

    fn finish(self) -> io::Result<()> {
        let mut file = self.tar.into_inner()?.finish()?;
        file.flush()?;
        file.sync_all()
    }
}
