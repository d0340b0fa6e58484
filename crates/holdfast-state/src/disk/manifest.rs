//! The files that lsm-tree reads without checking them, checked here first.
//!
//! lsm-tree 3.1 checks each block of a table (data, index, filter, metadata)
//! whenever it comes from disk, but at open it believes three things as they
//! are: `current` (which manifest is the newest), the manifest `v<n>` itself
//! (which tables there are, in which order, above which sequence number), and
//! the length in a table's list of sections, which it allocates by before it
//! looks at the checksum. A flipped bit there is other data, or an abort. The
//! checksums that settle it are written all the same, so [`verify`] compares
//! them before the library opens anything.
//!
//! ```text
//! current  := id of manifest (u64) | xxh3-128 of that file (u128) | 0       little-endian
//! archive  := sections | list of sections | trailer                         manifests, tables
//! list     := "TOC!" | count (u32) | { position (u64) | length (u64) | name length (u16) | name }
//! trailer  := "SFA!" | 1 | 0 | xxh3-128 of the list (u128) | its position (u64) | its length (u64)
//! "tables" := levels (u8) | { runs (u8) | { tables (u32) | { id (u64) | 0 | xxh3-128 (u128) | sequence number (u64) } } }
//! ```

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use xxhash_rust::xxh3::xxh3_128;

use super::base::{doubt, io_error};
use crate::store::StoreError;

const CURRENT_LENGTH: usize = 8 + 16 + 1;
const TRAILER_LENGTH: usize = 4 + 1 + 1 + 16 + 8 + 8;
/// The longest list of sections that is believed: a table has seven of them.
const LIST_LENGTH_MAX: u64 = 64 * 1024;

/// Checks what the library does not, for the tree in `tree`.
///
/// # Errors
/// [`StoreError::Doubt`] when a file is missing or is not what was written.
pub(super) fn verify(tree: &Path) -> Result<(), StoreError> {
    let current = read(&tree.join("current"))?;
    let mut bytes = Bytes(&current);
    let (id, sum, kind) = (bytes.u64(), bytes.u128(), bytes.u8());
    let (Some(id), Some(sum), Some(0), CURRENT_LENGTH) = (id, sum, kind, current.len()) else {
        return Err(doubt("the pointer to the newest manifest has not its form"));
    };
    let manifest = read(&tree.join(format!("v{id}")))?;
    if xxh3_128(&manifest) != sum {
        return Err(doubt(format!("manifest {id} is not what was written")));
    }
    let tables = section(&manifest, b"tables").and_then(tables).ok_or_else(|| {
        doubt(format!("manifest {id} has a form that this release does not know"))
    })?;
    for id in tables {
        let path = tree.join("tables").join(id.to_string());
        if !list_is_sound(&path)? {
            return Err(doubt(format!("the list of sections of table {id} is damaged")));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(|error| io_error(&format!("reading {}", path.display()), &error))
}

/// Is the list of sections at the end of an archive the one that was written?
fn list_is_sound(path: &Path) -> Result<bool, StoreError> {
    let tail = || -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut trailer = [0; TRAILER_LENGTH];
        let Some(end) = length.checked_sub(trailer.len() as u64) else { return Ok(None) };
        file.seek(SeekFrom::Start(end))?;
        file.read_exact(&mut trailer)?;
        let Some((_, start)) = parse_trailer(&trailer) else { return Ok(None) };
        if start > end || end - start > LIST_LENGTH_MAX {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(Some(tail))
    };
    let tail = tail().map_err(|error| io_error(&format!("reading {}", path.display()), &error))?;
    Ok(tail.is_some_and(|tail| {
        let (list, trailer) = tail.split_at(tail.len() - TRAILER_LENGTH);
        parse_trailer(trailer).is_some_and(|(sum, _)| xxh3_128(list) == sum)
    }))
}

/// The checksum of the list of sections, and where it starts.
fn parse_trailer(trailer: &[u8]) -> Option<(u128, u64)> {
    let mut bytes = Bytes(trailer);
    (bytes.take(4)? == b"SFA!" && bytes.take(2)? == [1, 0]).then_some(())?;
    Some((bytes.u128()?, bytes.u64()?))
}

/// The bytes of a named section.
fn section<'a>(archive: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let end = archive.len().checked_sub(TRAILER_LENGTH)?;
    let (_, start) = parse_trailer(&archive[end..])?;
    let mut list = Bytes(archive.get(usize::try_from(start).ok()?..end)?);
    (list.take(4)? == b"TOC!").then_some(())?;
    for _ in 0..list.u32()? {
        let (position, length) = (list.u64()?, list.u64()?);
        let name_length = list.u16()?;
        if list.take(usize::from(name_length))? == wanted {
            let position = usize::try_from(position).ok()?;
            let end = position.checked_add(usize::try_from(length).ok()?)?;
            return archive.get(position..end);
        }
    }
    None
}

/// The ids of all tables.
fn tables(section: &[u8]) -> Option<Vec<u64>> {
    let mut bytes = Bytes(section);
    let mut ids = Vec::new();
    for _ in 0..bytes.u8()? {
        for _ in 0..bytes.u8()? {
            for _ in 0..bytes.u32()? {
                ids.push(bytes.u64()?);
                bytes.take(1 + 16 + 8)?;
            }
        }
    }
    bytes.0.is_empty().then_some(ids)
}

/// What is left to parse.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }
}
