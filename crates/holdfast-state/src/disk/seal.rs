//! The directory of a disk store: who may use it, and where the tree is.
//!
//! ```text
//! lock             held by the store that uses the directory
//! whole            names the tree; written last when a store is made: a tree it
//!                  does not name was never finished, and is thrown away
//! tree-<p>-<n>/    an lsm-tree, the n-th made by process p
//!   lock           held by whatever still reads the tree, snapshots too
//! ```
//!
//! A store that is made anew gets a tree of a new name, so that snapshots of
//! the one before, which remove files when they go, cannot remove its files. For
//! the same reason a tree is not opened again while anybody holds on to it.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::base::{OWN, doubt, io_error};
use crate::{
    store::{Mark, StoreError},
    version::Version,
};

const LOCK: &str = "lock";
const WHOLE: &str = "whole";
const FORMAT: &str = "holdfast state store, format 1";
const TREE: &str = "tree-";

/// Name of the store's own row that holds the mark.
const MARK: u8 = b'm';

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io { what: format!("{}: {error}", path.display()) }
}

/// A directory that is somebody's own until this is dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would not do while a child process that is being started
        // shares the file. An error leaves it to the closing after all.
        drop(self.0.unlock());
    }
}

/// Makes a directory this store's own, and makes it if it is not there.
pub(super) fn lock(dir: &Path) -> Result<Lock, StoreError> {
    let open = || -> io::Result<File> {
        fs::create_dir_all(dir)?;
        File::options().create(true).truncate(false).write(true).open(dir.join(LOCK))
    };
    let file = open().map_err(|error| failed(dir, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Io { what: format!("{} is in use", dir.display()) })
        }
        Err(TryLockError::Error(error)) => Err(failed(dir, &error)),
    }
}

/// A name that no tree of this process had.
pub(super) fn new_tree(dir: &Path) -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    dir.join(format!("{TREE}{}-{number}", std::process::id()))
}

/// The tree of the finished store in the directory, if there is one.
pub(super) fn whole(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
    let content = match fs::read(dir.join(WHOLE)) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("reading which tree is the store's", &error)),
    };
    let name = std::str::from_utf8(&content).ok().and_then(|text| {
        let name = text.strip_prefix(FORMAT)?.strip_prefix('\n')?.lines().next()?;
        (text == whole_content(name)).then_some(name)
    });
    let tree = name.map(|name| dir.join(name));
    tree.map(Some).ok_or_else(|| doubt("the file that names the store's tree is damaged"))
}

fn whole_content(tree: &str) -> String {
    let text = format!("{FORMAT}\n{tree}\n");
    let sum = xxh3_64(text.as_bytes());
    format!("{text}{sum:016x}\n")
}

/// Throws away whatever stores are in the directory, finished or not.
pub(super) fn wipe(dir: &Path) -> Result<(), StoreError> {
    let wipe = || -> io::Result<()> {
        match fs::remove_file(dir.join(WHOLE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => sync(dir)?,
        }
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(TREE) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    };
    wipe().map_err(|error| failed(dir, &error))
}

/// Declares the store in the directory finished: its tree is this one.
pub(super) fn finish(dir: &Path, tree: &Path) -> Result<(), StoreError> {
    let name = tree.file_name().expect("made by new_tree").to_string_lossy();
    let write = || -> io::Result<()> {
        let temporary = dir.join("whole.new");
        let mut file = File::create(&temporary)?;
        file.write_all(whole_content(&name).as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, dir.join(WHOLE))?;
        sync(dir)
    };
    write().map_err(|error| failed(dir, &error))
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

pub(super) fn mark_key() -> Bytes {
    Bytes::from_static(&[OWN, MARK])
}

pub(super) const fn mark_name() -> u8 {
    MARK
}

pub(super) fn encode_mark(mark: &Mark) -> Bytes {
    [&mark.version.get().to_le_bytes()[..], &mark.checkpoint].concat().into()
}

pub(super) fn decode_mark(value: &Bytes) -> Result<Mark, StoreError> {
    let (version, _) = value
        .split_first_chunk::<8>()
        .ok_or_else(|| doubt("the mark of the store has not its form"))?;
    let version = Version::new(u64::from_le_bytes(*version));
    Ok(Mark { version, checkpoint: Bytes::copy_from_slice(&value[8..]) })
}
