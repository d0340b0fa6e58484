//! A disk in memory that fails exactly where a test wants it to.
//!
//! It keeps, for every file, what processes see and what would survive a power cut, and counts
//! every operation. A test asks for a fault at the n-th operation, lets the code under test run
//! into it, and then takes the disk as it is found after a reboot ([`FaultDisk::crash`]) or by the
//! next process ([`FaultDisk::kill`]). Enumerating n enumerates every crash point.
//!
//! Harsher than most disks, gentler than none: unsynced data survives per sector of 512 bytes,
//! independently, also in the state of an intermediate write; names survive one by one. Sectors
//! themselves do not tear, and synced data stays unless a test spoils it.

mod contents;
mod names;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contents::Contents;
pub use contents::SECTOR_BYTES;
use names::Names;

use super::{DirLock, Disk, DiskFile, Locking};

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes: the operation may or may not have happened, all later ones fail.
    PowerCut,
    /// The operation fails with an IO error and does nothing.
    Error,
    /// The disk is full; of a write, the first half is done.
    NoSpace,
    /// A sync fails, and what it was to save is lost although it can still be read. Other
    /// operations fail as with [`Fault::Error`].
    LostSync,
    /// A read gives bytes of which one bit is not what is on the disk. Other operations fail as
    /// with [`Fault::Error`].
    FlippedRead,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// Reading, listing or opening.
    Read,
    /// Writing to a file.
    Write,
    /// Making a file's bytes durable.
    Sync,
    /// Creating, renaming or removing a file.
    Name,
    /// Making the names durable.
    SyncDir,
}

/// What a power cut does to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// All of it had reached the disk.
    Kept,
    /// None of it had.
    Lost,
    /// Some had, by this seed: each sector and each name for itself.
    Torn(u64),
}

/// A disk in memory; clones are the same disk.
#[derive(Clone, Debug)]
pub struct FaultDisk {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    contents: Contents,
    names: Names,
    /// Operations so far; the next one has this index.
    ios: u64,
    syncs: u64,
    /// Faults to come, by index of operation.
    at: Vec<(u64, Fault)>,
    /// Faults to come, by kind: the next operation of it.
    next: Vec<(Io, Fault)>,
    off: bool,
    /// All files together may not grow beyond this.
    limit_bytes: Option<u64>,
    sync_latency: Duration,
    ids: u64,
}

impl Default for FaultDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl FaultDisk {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::with(State::default())
    }

    fn with(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), locked: Arc::new(AtomicBool::new(false)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the operation with this index (see [`FaultDisk::ios`]) fail.
    pub fn fail_at(&self, io: u64, fault: Fault) {
        self.state().at.push((io, fault));
    }

    /// Lets the next operation of this kind fail.
    pub fn fail_next(&self, kind: Io, fault: Fault) {
        self.state().next.push((kind, fault));
    }

    /// Lets writes fail with "no space" that would bring all files together beyond this size.
    pub fn limit_bytes(&self, bytes: u64) {
        self.state().limit_bytes = Some(bytes);
    }

    /// Makes every sync take this long, in real time: a slow disk, to test overload.
    pub fn set_sync_latency(&self, latency: Duration) {
        self.state().sync_latency = latency;
    }

    /// How many operations there were, failed ones included.
    #[must_use]
    pub fn ios(&self) -> u64 {
        self.state().ios
    }

    /// How many syncs of files succeeded.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Whether the power went.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().off
    }

    /// Cuts the power now.
    pub fn power_cut(&self) {
        self.state().off = true;
    }

    /// Cuts the power and gives the disk as it is found after the reboot, without faults.
    #[must_use]
    pub fn crash(&self, crash: Crash) -> Self {
        let mut state = self.state();
        state.off = true;
        let mut dice = Dice::of(crash);
        let names = state.names.after(&mut dice);
        let contents = state.contents.after(&mut dice);
        Self::with(State { contents, names, ids: state.ids, ..State::default() })
    }

    /// Ends the process (no operation of this handle succeeds any more) and gives the disk as the
    /// next process finds it: everything is still to be read, nothing more has become durable.
    #[must_use]
    pub fn kill(&self) -> Self {
        let mut state = self.state();
        state.off = true;
        let (contents, names) = (state.contents.clone(), state.names.clone());
        Self::with(State { contents, names, ids: state.ids, ..State::default() })
    }

    /// The names of all files.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.state().names.list()
    }

    /// A file's bytes, as a process would read them; `None` if there is no such file.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        Some(state.contents.seen(state.names.get(name)?).to_vec())
    }

    /// Spoils a byte behind everyone's back: flips the bits of `mask` in it, durably.
    ///
    /// # Panics
    /// If there is no such byte.
    pub fn flip(&self, name: &str, offset: u64, mask: u8) {
        let mut state = self.state();
        let inode = state.names.get(name).expect("a file to spoil");
        state.contents.flip(inode, offset, mask);
    }

    /// Removes a file behind everyone's back, durably.
    pub fn lose(&self, name: &str) {
        let mut state = self.state();
        state.names.unset(name);
        state.names.sync();
    }

    /// Puts a file there behind everyone's back, durably.
    pub fn plant(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.contents.create();
        state.contents.write(inode, 0, bytes);
        state.contents.sync(inode);
        state.names.set(name, inode);
        state.names.sync();
    }
}

impl State {
    /// Counts an operation and says what goes wrong with it.
    fn begin(&mut self, kind: Io) -> io::Result<Option<Fault>> {
        if self.off {
            return Err(power_is_off());
        }
        let index = self.ios;
        self.ios += 1;
        let planned = self.at.iter().position(|(at, _)| *at == index);
        let fault = planned.map(|found| self.at.swap_remove(found).1);
        let fault = fault.or_else(|| {
            let found = self.next.iter().position(|(next, _)| *next == kind)?;
            Some(self.next.remove(found).1)
        });
        if fault == Some(Fault::PowerCut) {
            self.off = true;
        }
        Ok(fault)
    }

    /// For operations that a fault prevents as a whole.
    fn begin_or_fail(&mut self, kind: Io) -> io::Result<()> {
        self.begin(kind)?.map_or(Ok(()), |fault| Err(error_of(fault)))
    }

    /// Changes names; a power cut at it leaves the change undecided, as unsynced ones are.
    fn change_names<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.begin(Io::Name)? {
            None => change(self),
            Some(Fault::PowerCut) => change(self).and(Err(power_is_off())),
            Some(fault) => Err(error_of(fault)),
        }
    }

    fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.begin(Io::Write)?;
        let grown = self.contents.total_after(inode, offset, bytes.len());
        let full = self.limit_bytes.is_some_and(|limit| grown > limit);
        match fault.or(full.then_some(Fault::NoSpace)) {
            None => self.contents.write(inode, offset, bytes),
            Some(fault @ Fault::PowerCut) => {
                self.contents.write(inode, offset, bytes);
                return Err(error_of(fault));
            }
            Some(fault @ Fault::NoSpace) => {
                // What fits without growing is overwritten, as on a disk that has no block left.
                let fits = if full { 0 } else { bytes.len() / 2 };
                self.contents.write(inode, offset, &bytes[..fits]);
                return Err(error_of(fault));
            }
            Some(fault) => return Err(error_of(fault)),
        }
        Ok(())
    }

    fn sync(&mut self, inode: u64) -> io::Result<()> {
        match self.begin(Io::Sync)? {
            None => {
                self.contents.sync(inode);
                self.syncs += 1;
                Ok(())
            }
            Some(fault) => {
                if fault == Fault::LostSync {
                    self.contents.lose_unsynced(inode);
                }
                Err(error_of(fault))
            }
        }
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::PowerCut => power_is_off(),
        Fault::Error => io::Error::other("planned IO error"),
        Fault::NoSpace => io::Error::new(io::ErrorKind::StorageFull, "planned: no space left"),
        Fault::LostSync => io::Error::other("planned failure of a sync"),
        Fault::FlippedRead => io::Error::other("planned failure of a read"),
    }
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, name.to_owned())
}

impl Disk for FaultDisk {
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inode = self.state().change_names(|state| {
            let inode = state.contents.create();
            state.names.set(name, inode);
            Ok(inode)
        })?;
        Ok(Arc::new(FaultFile { disk: self.clone(), inode }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.begin_or_fail(Io::Read)?;
        let inode = state.names.get(name).ok_or_else(|| not_found(name))?;
        Ok(Arc::new(FaultFile { disk: self.clone(), inode }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.begin_or_fail(Io::Read)?;
        Ok(state.names.list())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().change_names(|state| {
            if state.names.rename(from, to) { Ok(()) } else { Err(not_found(from)) }
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().change_names(|state| {
            if state.names.unset(name) { Ok(()) } else { Err(not_found(name)) }
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.begin_or_fail(Io::SyncDir)?;
        state.names.sync();
        Ok(())
    }

    fn lock(&self) -> io::Result<Locking> {
        if self.locked.swap(true, Ordering::SeqCst) {
            return Ok(Locking::Busy { holder: Some(std::process::id()) });
        }
        Ok(Locking::Ours(DirLock::new(Unlock(Arc::clone(&self.locked)))))
    }

    /// Counted up, so that the same run makes the same bytes.
    fn fresh_id(&self) -> io::Result<[u8; 16]> {
        let mut state = self.state();
        state.ids += 1;
        let mut dice = Dice { state: state.ids, crash: Crash::Kept };
        let id = (u128::from(dice.roll()) << 64) | u128::from(dice.roll());
        Ok(id.to_le_bytes())
    }

    fn location(&self) -> String {
        "a disk in memory".to_owned()
    }
}

#[derive(Debug)]
struct Unlock(Arc<AtomicBool>);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    inode: u64,
}

impl DiskFile for FaultFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let fault = state.begin(Io::Read)?;
        if let Some(fault) = fault.filter(|fault| *fault != Fault::FlippedRead) {
            return Err(error_of(fault));
        }
        let seen = state.contents.seen(self.inode);
        let start = usize::try_from(offset).expect("files in memory fit into memory");
        let end = start.saturating_add(buffer.len());
        let part = seen.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        if let (Some(_), Some(byte)) = (fault, buffer.get_mut(part.len() * 3 / 4)) {
            *byte ^= 1;
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.state().write(self.inode, offset, bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        let latency = self.disk.state().sync_latency;
        if !latency.is_zero() {
            #[expect(clippy::disallowed_methods, reason = "the slow disk is what is simulated")]
            std::thread::sleep(latency);
        }
        self.disk.state().sync(self.inode)
    }

    fn len(&self) -> io::Result<u64> {
        let state = self.disk.state();
        Ok(u64::try_from(state.contents.seen(self.inode).len()).expect("a length fits u64"))
    }
}

/// Decides what survives a crash.
struct Dice {
    state: u64,
    crash: Crash,
}

impl Dice {
    fn of(crash: Crash) -> Self {
        let state = if let Crash::Torn(seed) = crash { seed } else { 0 };
        Self { state, crash }
    }

    /// Which of `choices` (the oldest is durable, the newest is seen) survives.
    fn survivor(&mut self, choices: usize) -> usize {
        match self.crash {
            Crash::Kept => choices - 1,
            Crash::Lost => 0,
            Crash::Torn(_) => {
                let choices = u64::try_from(choices).expect("few choices");
                usize::try_from(self.roll() % choices).expect("below the number of choices")
            }
        }
    }

    /// splitmix64: small, seeded, good enough to scatter.
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
