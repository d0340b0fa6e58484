//! Which log's files these are.
//!
//! A directory of a log holds a small file, written once when the log is complete: segment 1 exists
//! before it does. So a directory without it never acknowledged anything, and one with it and
//! without segments has lost them. Every segment and every record repeat the identity: files of
//! two logs cannot be mixed up.

use xxhash_rust::xxh3::xxh3_64;

use crate::disk::Disk;
use crate::error::LogError;

/// The file's name.
pub(super) const NAME: &str = "identity";

/// What it is called until it is complete.
pub(super) const TEMPORARY_NAME: &str = "identity.tmp";

const BYTES: usize = 32;
const FORMAT: u16 = 1;
const MAGIC: [u8; 4] = *b"HFI\x01";

/// The identity of a log's files: 128 random bits. Not the [`LogId`](crate::LogId) inside entries,
/// which the files know nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId([u8; 16]);

impl FileId {
    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Writes the file, durably.
pub(super) fn write(disk: &dyn Disk, identity: FileId) -> Result<(), LogError> {
    let mut bytes = [0; BYTES];
    bytes[0..4].copy_from_slice(&MAGIC);
    bytes[4..6].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[8..24].copy_from_slice(&identity.0);
    let check = xxh3_64(&bytes[..24]);
    bytes[24..32].copy_from_slice(&check.to_le_bytes());
    let write = || {
        let file = disk.create(TEMPORARY_NAME)?;
        file.write_at(0, &bytes)?;
        file.sync_data()?;
        disk.rename(TEMPORARY_NAME, NAME)?;
        disk.sync_dir()
    };
    write().map_err(LogError::io("writing the identity file"))
}

/// Reads the file, which exists.
pub(super) fn read(disk: &dyn Disk) -> Result<FileId, LogError> {
    let read = || {
        let file = disk.open(NAME)?;
        let whole = file.len()? == BYTES as u64;
        let mut bytes = [0; BYTES];
        if whole {
            file.read_at(0, &mut bytes)?;
        }
        Ok(whole.then_some(bytes))
    };
    let bytes = read().map_err(LogError::io("reading the identity file"))?;
    let Some(bytes) = bytes else { return Err(damaged("its length is wrong")) };
    if bytes[0..4] != MAGIC || bytes[24..32] != xxh3_64(&bytes[..24]).to_le_bytes() {
        return Err(damaged("its checksum does not match"));
    }
    let found = u16::from_le_bytes([bytes[4], bytes[5]]);
    if found != FORMAT {
        let file = NAME.to_owned();
        return Err(LogError::UnsupportedFormat { file, found, supported: FORMAT });
    }
    Ok(FileId(bytes[8..24].try_into().expect("the slice has 16 bytes")))
}

/// The file is not what was written, or not there.
pub(super) fn damaged(what: &str) -> LogError {
    LogError::Damaged { file: NAME.to_owned(), offset: 0, what: what.to_owned() }
}
