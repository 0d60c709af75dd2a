//! The word that it is time to stop: said once, heard by every task.

use std::sync::Arc;

use tokio::sync::watch;

/// Tells every holder of a clone to stop. A small cancellation token, by a watch channel.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Shutdown {
    /// One that has not been signalled.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Says that it is time to stop. Saying it again changes nothing.
    pub fn signal(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_signalled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is time to stop.
    pub async fn wait(&self) {
        // The channel cannot be closed while `self` holds its sender, so there is no error to hear.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everyone_hears_it_and_late_listeners_too() {
        let shutdown = Shutdown::new();
        let early = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.wait().await }
        });
        assert!(!shutdown.is_signalled());
        shutdown.signal();
        early.await.unwrap();
        shutdown.wait().await;
        assert!(shutdown.is_signalled());
    }
}
