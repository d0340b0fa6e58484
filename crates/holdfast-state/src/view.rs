//! Reading the state at one version, from any thread.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    store::{Scan, Snapshot},
    table::{Namespace, Read},
    time::LogTime,
    tx::Abort,
    version::Version,
};

/// A namespace's state at one version.
#[derive(Clone, Debug)]
pub struct View {
    snapshot: Arc<dyn Snapshot>,
    namespace: Namespace,
    now: LogTime,
}

impl View {
    /// What `namespace` holds in `snapshot`, looked at when log time was `now`.
    #[must_use]
    pub fn new(snapshot: Arc<dyn Snapshot>, namespace: Namespace, now: LogTime) -> Self {
        Self { snapshot, namespace, now }
    }

    /// The version that is looked at.
    #[must_use]
    pub fn version(&self) -> Version {
        self.snapshot.mark().version
    }
}

impl Read for View {
    fn namespace(&self) -> Namespace {
        self.namespace
    }

    fn now(&self) -> LogTime {
        self.now
    }

    fn get_stored(&self, key: &[u8]) -> Result<Option<Bytes>, Abort> {
        Ok(self.snapshot.get(key)?)
    }

    fn scan_stored(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<(Bytes, Bytes)>, Abort> {
        Ok(self.snapshot.scan(from, to, scan)?)
    }
}
