//! The tools that bring files, and what they need: where one comes from, a shell, an SSH server, a web server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::address::free_address;

/// The tools that not every machine has, and the package each is in.
const PACKAGES: [(&str, &str); 14] = [
    ("bash", "bash"),
    ("curl", "curl"),
    ("exiftool", "libimage-exiftool-perl"),
    ("nsenter", "util-linux"),
    ("rclone", "rclone"),
    ("rsync", "rsync"),
    ("scp", "openssh-client"),
    ("sftp", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("tar", "tar"),
    ("unshare", "util-linux"),
    ("unzip", "unzip"),
    ("zip", "zip"),
];

/// Fails, and says what is to be installed, if a tool is not there. Nothing is left out silently.
#[track_caller]
pub(crate) fn need(tools: &[&str]) {
    let is_there = |tool: &str| {
        let path = std::env::var("PATH").unwrap_or_default();
        Path::new(tool).is_absolute() && Path::new(tool).exists()
            || path
                .split(':')
                .any(|folder| Path::new(folder).join(tool).exists())
    };
    let missing: Vec<&str> = tools
        .iter()
        .filter(|tool| !is_there(tool))
        .map(|tool| {
            let package = PACKAGES.iter().find(|(name, _)| name == tool);
            package.map_or(*tool, |(_, package)| package)
        })
        .collect();
    assert!(
        missing.is_empty(),
        "`apt-get install {}`, please; `make test` does it",
        missing.join(" ")
    );
}

/// A line for the shell, which ends at the first failure.
pub(crate) fn shell(line: &str, words: &[(&str, &Path)]) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", line])
        .env("LC_ALL", "C")
        .env("PATH", path_with_system_tools())
        .stdin(Stdio::null())
        .envs(words.iter().copied());
    command
}

fn path_with_system_tools() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Runs a line, which must succeed.
#[track_caller]
pub(crate) fn run(line: &str, words: &[(&str, &Path)]) {
    let output = shell(line, words).output().unwrap();
    assert!(
        output.status.success(),
        "`{line}` failed: {}{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A process that ends with its owner.
pub(crate) struct Kept(pub(crate) Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An SSH server of our own: its keys, its port, nothing of the machine's.
pub(crate) struct Ssh {
    folder: tempfile::TempDir,
    pub(crate) port: u16,
    _server: Kept,
}

impl Ssh {
    pub(crate) fn start() -> Self {
        need(&["ssh-keygen", "scp", "sftp", "/usr/sbin/sshd"]);
        let folder = tempfile::tempdir().unwrap();
        let port = free_address().port();
        run(
            r#"cd "$folder"; for key in host own; do ssh-keygen -q -t ed25519 -N '' -f $key; done; cp own.pub authorized
               if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi"#,
            &[("folder", folder.path())],
        );
        let at = folder.path().display();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n\
             Subsystem sftp internal-sftp\n"
        );
        let client = format!(
            "Host box\nHostName 127.0.0.1\nPort {port}\nIdentityFile {at}/own\nIdentitiesOnly yes\n\
             UserKnownHostsFile {at}/known\nStrictHostKeyChecking no\nLogLevel ERROR\nBatchMode yes\n"
        );
        fs::write(folder.path().join("server"), server).unwrap();
        fs::write(folder.path().join("client"), client).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("server"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let ssh = Self {
            _server: Kept(child),
            port,
            folder,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "sshd: {}", ssh.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        ssh
    }

    /// What `-F` takes; the server's name in it is `box`.
    pub(crate) fn client(&self) -> PathBuf {
        self.folder.path().join("client")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("own")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// A web server for one folder, which sends a piece at a time. It ends with the process.
pub(crate) fn serve_slowly(folder: &Path) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &folder);
        }
    });
    url
}

fn answer(mut stream: TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let length = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..length]);
    let name = request.split(['/', ' ']).nth(2).unwrap_or_default();
    let all = fs::read(folder.join(name))?;
    // Somebody may have the beginning already.
    let from = request
        .split_once("Range: bytes=")
        .and_then(|(_, range)| range.split('-').next()?.parse().ok());
    let bytes = &all[from.unwrap_or(0)..];
    let status = match from {
        Some(from) => format!(
            "206 Partial Content\r\nContent-Range: bytes {from}-{}/{}",
            all.len() - 1,
            all.len()
        ),
        None => "200 OK".to_owned(),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    for piece in bytes.chunks(bytes.len() / 8 + 1) {
        stream.write_all(piece)?;
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
