//! A PostgreSQL server of the tests' own: no port, no password, nothing of the system's. It starts when the first test asks
//! for it and ends with the process, even one that is killed.
//!
//! A small shell script keeps it, as an unprivileged user where the tests run as root (PostgreSQL refuses root). The script
//! reads commands from a pipe; when the pipe closes, however the process ended, it stops the server and removes the folder.

#![allow(dead_code, reason = "not every test program uses all of it")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// All of it lies in one folder: the user of the server may not reach the folder of the build, and a socket's path is at
/// most 107 bytes long. No signal ends the script before it has cleaned up, least of all the one for an answer that nobody
/// reads any more.
const KEEPER: &str = r#"
trap '' HUP INT TERM PIPE
folder=$(mktemp -d /tmp/storyline-pg.XXXXXX) || exit 1
cd "$folder" || exit 1
start() {
    pg_ctl start -w -D data -l log -o "-c listen_addresses= -c unix_socket_directories=$folder -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off -c shared_buffers=16MB"
}
if initdb -D data -U postgres -A trust --no-sync --wal-segsize=1 --locale=C --encoding=UTF8 >log 2>&1 && start >>log 2>&1
then
    echo "$folder"
    while read -r verb rest; do
        case $verb in
            stop) pg_ctl stop -w -m fast -D data ;;
            start) start ;;
            sql) psql -h "$folder" -U postgres -d postgres -Atq -v ON_ERROR_STOP=1 -c "$rest" ;;
        esac </dev/null 2>&1
        echo "= $?"
    done
else
    cat log >&2
fi
pg_ctl stop -w -m immediate -D data >>log 2>&1
cd / && rm -rf "$folder"
"#;

/// A server, and the folder it lives in.
pub(crate) struct Cluster {
    keeper: Child,
    pipe: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    folder: String,
}

/// The server that all tests of this process share.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start_new)
}

/// A database on the shared server; it goes with its value, whoever is connected to it.
pub(crate) struct Database {
    name: String,
    url: String,
}

impl Database {
    /// A new one. Every one is a copy of a first one that `migrate` prepared.
    pub(crate) fn new(migrate: impl FnOnce(&str)) -> Self {
        static TEMPLATE: OnceLock<()> = OnceLock::new();
        TEMPLATE.get_or_init(|| migrate(&shared().create_database("storyline_template", None)));
        Self::copied_from(Some("storyline_template"))
    }

    /// A new one with nothing in it.
    pub(crate) fn empty() -> Self {
        Self::copied_from(None)
    }

    fn copied_from(template: Option<&str>) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let name = format!("storyline_{}", LAST.fetch_add(1, Ordering::Relaxed));
        let url = shared().create_database(&name, template);
        Self { name, url }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Cuts every connection to it.
    pub(crate) fn cut(&self) {
        shared().sql(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        ));
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that failed has said why; another panic would end all of them.
        let _ = shared().ask(&format!("sql DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

impl Cluster {
    /// Starts a server for one test alone.
    pub(crate) fn start_new() -> Self {
        let programs = programs();
        let mut command = unprivileged();
        command
            .args(["sh", "-c", KEEPER])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .env("LC_ALL", "C")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut keeper = command
            .spawn()
            .expect("a shell to keep PostgreSQL, and `setpriv` if this is root");
        let commands = keeper.stdin.take().expect("a pipe");
        let mut answers = BufReader::new(keeper.stdout.take().expect("a pipe"));
        let mut folder = String::new();
        answers.read_line(&mut folder).expect("the keeper's answer");
        assert!(
            folder.starts_with('/'),
            "PostgreSQL did not start; its log is above"
        );
        Self {
            keeper,
            pipe: Mutex::new(Some((commands, answers))),
            folder: folder.trim_end().to_owned(),
        }
    }

    /// Makes an empty database, or a copy of `template`; returns its URL.
    pub(crate) fn create_database(&self, name: &str, template: Option<&str>) -> String {
        let template = template.unwrap_or("template0");
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        format!("host={} user=postgres dbname={name}", self.folder)
    }

    /// Runs a statement as the server's owner, beside whatever the tests do; returns what `psql` printed.
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.ask(&format!("sql {statement}"))
            .expect("SQL that runs")
    }

    /// Stops the server.
    pub(crate) fn stop(&self) {
        self.ask("stop").expect("a server that stops");
    }

    /// Starts it again.
    pub(crate) fn start(&self) {
        self.ask("start").expect("a server that starts");
    }

    /// Has the keeper do something; returns what was said to it, which is the error if it could not be done.
    fn ask(&self, command: &str) -> Result<String, String> {
        let mut pipe = self
            .pipe
            .lock()
            .map_err(|_| "its pipe is broken".to_owned())?;
        let (commands, answers) = pipe.as_mut().ok_or("it has ended")?;
        writeln!(commands, "{}", command.replace('\n', " ")).map_err(|error| error.to_string())?;
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let read = answers.read_line(&mut line);
            if read.map_err(|error| error.to_string())? == 0 {
                return Err(format!("its keeper is gone: {said}"));
            }
            match line.strip_prefix("= ").map(str::trim_end) {
                Some("0") => return Ok(said.trim_end().to_owned()),
                Some(_) => return Err(format!("{command}: {said}")),
                None => said.push_str(&line),
            }
        }
    }
}

impl Drop for Cluster {
    /// The keeper reads the end of its pipe and cleans up. The shared server has no drop: its pipe closes with the process.
    fn drop(&mut self) {
        drop(self.pipe.get_mut().map(Option::take));
        let _ = self.keeper.wait();
    }
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let version = |path: &PathBuf| -> Option<u32> { path.file_name()?.to_str()?.parse().ok() };
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| version(path).is_some())
        .max_by_key(version)
        .map(|path| path.join("bin"));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .into_iter()
        .chain(std::env::split_paths(&on_path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
        .expect(
            "these tests need PostgreSQL's server: `sudo apt-get install postgresql` (it need not run), or leave it out: \
             `cargo test --no-default-features`",
        )
}

/// The beginning of a command that runs as somebody other than root.
fn unprivileged() -> Command {
    let is_root = Path::new("/proc/self")
        .metadata()
        .is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Command::new("env");
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
    let ids = |name: &str| -> Option<(String, String)> {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        Some((fields.nth(1)?.to_owned(), fields.next()?.to_owned()))
    };
    let (user, group) = ids("postgres")
        .or_else(|| ids("nobody"))
        .expect("a user `postgres` or `nobody`, since PostgreSQL refuses root");
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={group}"),
        "--clear-groups".to_owned(),
    ]);
    command
}
