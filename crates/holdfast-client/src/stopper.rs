//! Ends a consumer or a worker, from anywhere.

use std::sync::Arc;

use tokio::sync::watch;

/// Ends a [`Consumer`](crate::Consumer) or a [`Worker`](crate::Worker): its `next` answers `None` from
/// now on.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Default for Stopper {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stopper {
    /// Ends it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is to end.
    pub(crate) async fn stopped(&self) {
        let mut stopped = self.0.subscribe();
        // The sender is here, so there is somebody to wait for.
        drop(stopped.wait_for(|stopped| *stopped).await);
    }
}
