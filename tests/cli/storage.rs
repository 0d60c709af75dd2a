//! A server of buckets that others wrote, and that looks at every signature: `packaging/prepare storage` has built it.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::address::free_address;

pub(crate) const ACCESS_KEY: &str = "box";
pub(crate) const SECRET_KEY: &str = "canary-of-the-bucket-0123456789";

pub(crate) struct Storage {
    folder: tempfile::TempDir,
    address: std::net::SocketAddr,
    server: Child,
}

impl Storage {
    /// A server with one bucket, `copies`.
    pub(crate) fn start() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let program = target.join("storage/bin/s3s-fs");
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("root/copies")).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let address = free_address();
        let server = Command::new(&program)
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY])
            .arg(folder.path().join("root"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let server = server.unwrap_or_else(|why| {
            panic!(
                "the server of buckets is missing ({why}); `packaging/prepare storage {}` builds it",
                target.join("storage").display()
            )
        });
        let storage = Self {
            folder,
            address,
            server,
        };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "no server: {}", storage.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        storage
    }

    /// The settings for a folder in its bucket, with this secret.
    pub(crate) fn settings(&self, secret_key: &str) -> String {
        format!(
            "s3_url = \"http://{}/copies/team\"\ns3_access_key = \"{ACCESS_KEY}\"\ns3_secret_key = \"{secret_key}\"\n",
            self.address
        )
    }

    /// What is in that folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("root/copies/team");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
