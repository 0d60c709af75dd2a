//! Nobody reads the log: a journal that hangs, a pipe that is full, a stderr that is closed. The service goes on, and ends when
//! it is told.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::pretend::telegram::PretendTelegram;
use crate::{ANN, Daemon, PATIENCE, Site, TEAM, namespaces, noted_presses, window_from_now};

/// Runs the program where this folder is the journal's.
const WITH_JOURNAL: &str = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && \
    mount --bind \"$FAKE_JOURNAL\" /run/systemd/journal && exec \"$0\" \"$@\"";

/// Stories come every two seconds and a half.
async fn site() -> Site {
    Site::new(20, 50, window_from_now(2)).await
}

/// Presses count, the watchdog is fed, and it ends when told.
async fn it_works_all_the_same(site: &Site, daemon: &mut Daemon) {
    let deadline = Instant::now() + PATIENCE;
    let mut pressed = BTreeSet::new();
    while noted_presses(site).len() < 3 {
        assert!(Instant::now() < deadline, "presses are not taken");
        press_all(&site.telegram, &mut pressed);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What was said meanwhile is not what is waited for.
    site.socket.set_nonblocking(true).unwrap();
    while site.socket.recv(&mut [0; 4096]).is_ok() {}
    site.socket.set_nonblocking(false).unwrap();
    site.hear("WATCHDOG=1");
    daemon.signal("TERM");
    let (code, took) = daemon.end();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

fn press_all(telegram: &PretendTelegram, pressed: &mut BTreeSet<i64>) {
    for message in telegram.messages(TEAM) {
        let is_open = message.is_from_bot() && message.button("✅ Posted").is_some();
        if is_open && pressed.insert(message.id) {
            telegram.press(ANN, TEAM, message.id, "✅ Posted");
        }
    }
}

/// Until it takes no more, from anybody.
fn fill(socket: &Path) {
    let mut took_some = true;
    while std::mem::take(&mut took_some) {
        let another = UnixDatagram::unbound().unwrap();
        another.set_nonblocking(true).unwrap();
        while another.send_to(b"MESSAGE=full\n", socket).is_ok() {
            took_some = true;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_does_not_read_holds_up_nothing_and_hears_it_later() {
    if !namespaces::can_be_made() {
        return;
    }
    let site = site().await;
    let journal = site.folder.path().join("journal");
    std::fs::create_dir(&journal).unwrap();
    let socket = UnixDatagram::bind(journal.join("socket")).unwrap();
    fill(&journal.join("socket"));
    let mut command = Command::new("unshare");
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            WITH_JOURNAL,
        ])
        .arg(env!("CARGO_BIN_EXE_storyline"))
        .env("FAKE_JOURNAL", &journal)
        .env("STORYLINE_LOG_FORMAT", "journal")
        .env("STORYLINE_LOG_LEVEL", "trace");
    let mut daemon = Daemon(site.serving(&mut command).spawn().unwrap());
    site.hear("READY=1");

    // It is read for a moment, and hangs again.
    let mut entry = [0; 300_000];
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    loop {
        let length = socket.recv(&mut entry).unwrap();
        if String::from_utf8_lossy(&entry[..length]).contains("is at work") {
            break;
        }
    }
    fill(&journal.join("socket"));
    it_works_all_the_same(&site, &mut daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_is_full_or_closed_holds_up_nothing() {
    for is_full in [true, false] {
        let site = site().await;
        let (reader, mut writer) = std::io::pipe().unwrap();
        // The pipe is one for all who hold it, and the service's own must wait as others do.
        let flags = fcntl_getfl(&writer).unwrap();
        fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
        let error = loop {
            if let Err(error) = writer.write_all(&[b'x'; 512]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        fcntl_setfl(&writer, flags).unwrap();
        let reader = Some(reader).filter(|_| is_full);
        let mut command = Command::new(env!("CARGO_BIN_EXE_storyline"));
        command.env("STORYLINE_LOG_LEVEL", "trace");
        let command = site.serving(&mut command).stderr(Stdio::from(writer));
        let mut daemon = Daemon(command.spawn().unwrap());
        site.hear("READY=1");
        it_works_all_the_same(&site, &mut daemon).await;
        drop(reader);
    }
}
