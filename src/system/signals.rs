//! What the process is told by signals: `SIGTERM` and `SIGINT` mean stop; `SIGHUP` means nothing here and must not kill.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::shutdown::Shutdown;

/// Listens from now on, and signals `shutdown` when the process is to stop.
///
/// # Errors
/// If the signals cannot be listened to.
///
/// # Panics
/// Outside a tokio runtime.
pub fn listen(shutdown: Shutdown) -> io::Result<JoinHandle<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    // Not a task of the supervisor: it rests for years and has nothing that could fail.
    Ok(tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                _ = hang_up.recv() => {
                    tracing::info!("SIGHUP changes nothing; restart the service to read its settings anew");
                    continue;
                }
            };
            tracing::info!("{name}: stopping");
            shutdown.signal();
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    const TEST: &str = "system::signals::tests::a_hangup_is_survived_and_a_termination_stops";
    const ROLE: &str = "STORYLINE_TEST_SIGNALLED";
    const DEADLINE: Duration = Duration::from_secs(30);

    // Signals belong to a whole process, so the one that is signalled is this test again, in a process of its own.
    #[tokio::test]
    async fn a_hangup_is_survived_and_a_termination_stops() {
        if std::env::var_os(ROLE).is_some() {
            let shutdown = Shutdown::new();
            let _listening = listen(shutdown.clone()).unwrap();
            println!("\nlistening");
            tokio::time::timeout(DEADLINE, shutdown.wait())
                .await
                .unwrap();
            return;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(ROLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "listening"));
        let kills = format!("kill -HUP {0} && sleep 0.1 && kill -TERM {0}", child.id());
        let told = Command::new("sh").args(["-c", &kills]).status().unwrap();
        assert!(told.success(), "it did not survive the hangup");
        assert!(lines.any(|line| line.unwrap().contains("1 passed")));
        assert!(child.wait().unwrap().success());
    }
}
