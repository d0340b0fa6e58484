//! The directory in which the one node keeps its state, and what befalls it between two
//! processes: it is wiped, an old copy is put in its place, bits are flipped in its files.
//!
//! The store in it is the production [`DiskStore`], without its threads. It lives in a real
//! directory, since its library knows no other, in memory where the system offers that; so
//! a power cut is no worse to it than a kill. State is a cache of the log: whatever is wrong
//! with it must be noticed, and then it is made anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use holdfast_state::{DiskOptions, DiskStore, Mark, Store, StoreError, disk::Upkeep};
use tempfile::TempDir;

use crate::random::Random;

/// Where temporary directories cost no disk.
const IN_MEMORY: &str = "/dev/shm";

/// A directory with state, and an old copy of it.
#[derive(Debug)]
pub(super) struct StateDir {
    place: TempDir,
    options: DiskOptions,
    /// Something was done to what is there, so it may be found in doubt.
    spoiled: bool,
    /// Something was done to it in this run.
    ever: bool,
}

impl StateDir {
    /// An empty one, for a store that writes back whenever so many bytes have changed.
    ///
    /// # Panics
    /// When the system has no room for a directory.
    pub(super) fn new(memtable_bytes: usize) -> Self {
        let place = tempfile::tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir());
        let options = DiskOptions {
            memtable_bytes,
            block_cache_bytes: 64 << 10,
            filter_bytes: 4 << 10,
            files_before_merge: 2,
            table_bytes: 8 << 10,
            upkeep: Upkeep::Inline,
        };
        Self { place: place.expect("room for a directory"), options, spoiled: false, ever: false }
    }

    fn state(&self) -> PathBuf {
        self.place.path().join("state")
    }

    fn old(&self) -> PathBuf {
        self.place.path().join("old")
    }

    pub(super) const fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    /// Has it ever been?
    pub(super) const fn was_spoiled(&self) -> bool {
        self.ever
    }

    /// The state that is there, or an empty one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(super) fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(DiskStore::open(&self.state(), &self.options)?))
    }

    /// A state of these rows, in place of what is there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(super) fn make(
        &mut self,
        rows: Vec<(Bytes, Bytes)>,
        mark: &Mark,
    ) -> Result<Box<dyn Store>, StoreError> {
        self.wipe();
        let rows = rows.into_iter().map(Ok);
        Ok(Box::new(DiskStore::create_from(&self.state(), &self.options, rows, mark)?))
    }

    /// Nothing is left.
    pub(super) fn wipe(&mut self) {
        remove(&self.state());
        self.spoiled = false;
    }

    /// Takes a copy for later.
    pub(super) fn copy(&self) {
        remove(&self.old());
        copy(&self.state(), &self.old()).expect("a directory can be copied");
    }

    /// Puts the copy that was taken in the place of what is there; false when there is none.
    pub(super) fn restore(&mut self) -> bool {
        if !self.old().exists() || self.spoiled {
            return false;
        }
        remove(&self.state());
        copy(&self.old(), &self.state()).expect("a directory can be copied");
        true
    }

    /// Flips a bit in one of the tree's files; false when there is none.
    pub(super) fn flip(&mut self, random: &mut Random) -> bool {
        let files = files(&self.state());
        let Some(file) = files.get(index(random.below(files.len().max(1) as u64))) else {
            return false;
        };
        let mut bytes = fs::read(file).expect("a file that was listed");
        let offset = index(random.below(bytes.len().max(1) as u64));
        let mask = 1 << random.below(8);
        let Some(byte) = bytes.get_mut(offset) else { return false };
        *byte ^= mask;
        fs::write(file, bytes).expect("a file that was read");
        self.spoiled = true;
        self.ever = true;
        true
    }
}

fn index(drawn: u64) -> usize {
    usize::try_from(drawn).expect("files in memory fit into memory")
}

fn remove(dir: &Path) {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            panic!("{} cannot be removed: {error}", dir.display())
        }
        Ok(()) | Err(_) => {}
    }
}

/// The entries of a directory, in the order of their names; none if it is not there.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<PathBuf> = found.filter_map(Result::ok).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// The files of the trees in it: what lies beside names a tree, whose name tells the process.
fn files(state: &Path) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = entries(state).into_iter().filter(|path| path.is_dir()).collect();
    let mut files = Vec::new();
    while let Some(dir) = dirs.pop() {
        for path in entries(&dir) {
            if path.is_dir() { dirs.push(path) } else { files.push(path) }
        }
    }
    files
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for path in entries(from) {
        let name = path.file_name().expect("an entry has a name");
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
