//! Work on files that takes a while, where it delays no task. What nobody waits for, looking at files and examining pictures,
//! has threads of its own, which yield to everything else: a press and a slot are served first, whatever there is to look at.

use tokio::sync::oneshot;

/// How much its threads yield: as `nice` does.
const NICENESS: i32 = 19;

/// Work that had no thread, or panicked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("work on a file was cut off: {0}")]
pub struct CutOff(String);

/// Does work that somebody waits for, on a thread that may block.
///
/// # Errors
/// If the work panics.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CutOff> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| CutOff(error.to_string()))
}

/// Does the work on a thread of low priority.
///
/// # Errors
/// If there is no thread to be had, or the work panics.
pub async fn background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CutOff> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("background".to_owned())
        .spawn(move || {
            // On Linux a priority is a thread's own.
            if let Err(cause) = rustix::process::setpriority_process(None, NICENESS) {
                tracing::debug!("looking at files does not yield: {cause}");
            }
            // Nobody listens any more if the service is stopping.
            let _ = sender.send(work());
        })
        .map_err(|error| CutOff(error.to_string()))?;
    receiver.await.map_err(|error| CutOff(error.to_string()))
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
