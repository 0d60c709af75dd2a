//! Work on files that takes a while, where it delays no task. What nobody waits for, looking at files and examining pictures,
//! has threads of its own, which yield to everything else: a press and a slot are served first, whatever there is to look at.

use std::fmt::Display;

use tokio::sync::oneshot;

use crate::flow::Error;

/// How much its threads yield: as `nice` does.
const NICENESS: i32 = 19;

/// Does work that somebody waits for, on a thread that may block.
///
/// # Errors
/// If the work panics.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

/// Does the work on a thread of low priority.
///
/// # Errors
/// If there is no thread to be had, or the work panics.
pub(super) async fn background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("library".to_owned())
        .spawn(move || {
            // On Linux a priority is a thread's own.
            if let Err(cause) = rustix::process::setpriority_process(None, NICENESS) {
                tracing::debug!("looking at files does not yield: {cause}");
            }
            // Nobody listens any more if the service is stopping.
            let _ = sender.send(work());
        })
        .map_err(failed)?;
    receiver.await.map_err(failed)
}

fn failed(cause: impl Display) -> Error {
    Error::Unavailable(format!("was not asked: reading a file failed ({cause})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_yields_and_everything_else_does_not() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let within = background(priority).await.unwrap();
        assert_eq!((within, priority()), ((before + NICENESS).min(19), before));
        // On Linux a second step down starts from where the thread is, which is new.
        assert_eq!(background(priority).await.unwrap(), within);
        background(|| panic!("a bad file")).await.unwrap_err();
    }
}
