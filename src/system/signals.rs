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
    use std::process::{Command, id};
    use std::time::Duration;

    fn kill(signal: &str) {
        let command = format!("kill -{signal} {}", id());
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.unwrap().success());
    }

    // One test for both: signals belong to the whole process.
    #[tokio::test]
    async fn a_hangup_is_survived_and_a_termination_stops() {
        let shutdown = Shutdown::new();
        let listening = listen(shutdown.clone()).unwrap();
        kill("HUP");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!shutdown.is_signalled());
        kill("TERM");
        tokio::time::timeout(Duration::from_secs(10), shutdown.wait())
            .await
            .unwrap();
        listening.abort();
    }
}
