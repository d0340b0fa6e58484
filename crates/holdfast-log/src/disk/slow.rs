//! A disk that takes its time: another disk, with a pause before every sync of a
//! file. Shows on a fast machine what a slow disk does to whatever waits for it.

use std::{fmt, io, sync::Arc, thread, time::Duration};

use super::{Disk, DiskFile, Locking};

/// A disk whose syncs take longer.
#[derive(Debug)]
pub struct SlowDisk {
    disk: Arc<dyn Disk>,
    pause: Duration,
}

impl SlowDisk {
    /// `disk`, with this pause before every [`DiskFile::sync_data`].
    #[must_use]
    pub const fn new(disk: Arc<dyn Disk>, pause: Duration) -> Self {
        Self { disk, pause }
    }

    fn slow(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(SlowFile { file, pause: self.pause })
    }
}

impl Disk for SlowDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(name).map(|file| self.slow(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(name).map(|file| self.slow(file))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
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
        self.disk.location()
    }
}

struct SlowFile {
    file: Arc<dyn DiskFile>,
    pause: Duration,
}

impl fmt::Debug for SlowFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, slowed by {:?}", self.file, self.pause)
    }
}

impl DiskFile for SlowFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    #[expect(clippy::disallowed_methods, reason = "a disk that works is what is imitated")]
    fn sync_data(&self) -> io::Result<()> {
        thread::sleep(self.pause);
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}
