//! The few operations that durable things ask of a disk.
//!
//! A [`Disk`] is one directory of files; a [`DiskFile`] is an open file, read and written at
//! offsets. The seam exists because there are two real disks: [`RealDisk`], and [`FaultDisk`],
//! which lives in memory and loses power, tears writes, forgets renames and fails syncs exactly
//! where a test wants it to. [`SlowDisk`] is either of them, slower.
//!
//! Promises asked of a disk, and nothing more: what was written before a successful
//! [`DiskFile::sync_data`] survives; a name created, renamed or removed before a successful
//! [`Disk::sync_dir`] stays so. Anything else may or may not survive a power cut, in pieces of 512
//! bytes and in any order. After a failed sync, what it was to save may be gone although it can
//! still be read, and a later sync may succeed without saving it.

mod fault;
mod real;
mod slow;

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Arc;

pub use fault::{Crash, Fault, FaultDisk, Io, SECTOR_BYTES};
pub use real::RealDisk;
pub use slow::SlowDisk;

/// One directory.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes an empty file of this name and opens it; a file of that name is replaced.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is none, or what the system says.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// The names in the directory, sorted, without its lock.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Gives a file another name, in one step, replacing a file that had it.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Whoever has it open can go on reading it.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes all names durable as they are.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self) -> io::Result<()>;

    /// Tries to take the directory for oneself, against other processes and other callers in
    /// this one, without waiting.
    ///
    /// # Errors
    /// What the system says; that somebody else has it is not an error but [`Locking::Busy`].
    fn lock(&self) -> io::Result<Locking>;

    /// 128 bits that no one had before.
    ///
    /// # Errors
    /// What the system says.
    fn fresh_id(&self) -> io::Result<[u8; 16]>;

    /// Where it is, for messages.
    fn location(&self) -> String;
}

/// An open file.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before, or what the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, extending the file if need be.
    ///
    /// # Errors
    /// What the system says; some of the bytes may then have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far durable, the file's length included.
    ///
    /// # Errors
    /// What the system says; what was written since the last sync may then be gone for good.
    fn sync_data(&self) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file holds nothing.
    ///
    /// # Errors
    /// What the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// What became of trying to lock a directory.
#[derive(Debug)]
pub enum Locking {
    /// It is ours until the lock is dropped or the process ends.
    Ours(DirLock),
    /// Somebody has it.
    Busy {
        /// Their process id, where it could be read.
        holder: Option<u32>,
    },
}

/// A directory taken for oneself; dropping it gives it back.
pub struct DirLock {
    _held: Box<dyn Any + Send + Sync>,
}

impl DirLock {
    /// A lock that lasts as long as `held` does.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for DirLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirLock").finish_non_exhaustive()
    }
}
