//! Two directories on one failing disk, so that one count of operations covers the log and the
//! snapshots, and a power cut takes both.

use std::{io, sync::Arc};

use holdfast_log::{
    Disk, FaultDisk,
    disk::{DiskFile, Locking},
};

/// A directory: the files whose names begin with its own.
#[derive(Debug)]
pub(crate) struct Directory {
    disk: FaultDisk,
    prefix: &'static str,
}

impl Directory {
    pub(crate) fn of(disk: &FaultDisk, prefix: &'static str) -> Arc<dyn Disk> {
        Arc::new(Self { disk: disk.clone(), prefix })
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Disk for Directory {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(&self.name(name))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&self.name(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let all = self.disk.list()?;
        Ok(all
            .iter()
            .filter_map(|name| name.strip_prefix(self.prefix))
            .map(str::to_owned)
            .collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(&self.name(from), &self.name(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(&self.name(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn lock(&self) -> io::Result<Locking> {
        self.disk.lock()
    }

    fn fresh_id(&self) -> io::Result<[u8; 16]> {
        self.disk.fresh_id()
    }

    fn location(&self) -> String {
        format!("{} ({})", self.disk.location(), self.prefix)
    }
}
