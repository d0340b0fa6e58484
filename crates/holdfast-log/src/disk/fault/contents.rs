//! The bytes of files: what processes see, and what of it would survive.
//!
//! A file has a durable image and, for each sector written since, every state the sector was in:
//! after a power cut any one of them may be found.

use std::collections::BTreeMap;

use super::Dice;

/// The unit in which unsynced data survives a power cut.
pub const SECTOR_BYTES: usize = 512;

type Sector = [u8; SECTOR_BYTES];

/// All files ever created, by inode; names are kept elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    files: BTreeMap<u64, File>,
    next_inode: u64,
}

#[derive(Clone, Debug, Default)]
struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// The states of each sector written since the last sync, oldest first.
    unsynced: BTreeMap<usize, Vec<Sector>>,
}

impl Contents {
    pub(super) fn create(&mut self) -> u64 {
        self.next_inode += 1;
        self.files.insert(self.next_inode, File::default());
        self.next_inode
    }

    fn file(&self, inode: u64) -> &File {
        self.files.get(&inode).expect("an inode stays")
    }

    fn file_mut(&mut self, inode: u64) -> &mut File {
        self.files.get_mut(&inode).expect("an inode stays")
    }

    pub(super) fn seen(&self, inode: u64) -> &[u8] {
        &self.file(inode).seen
    }

    /// The size of all files together after a write.
    pub(super) fn total_after(&self, inode: u64, offset: u64, len: usize) -> u64 {
        let own = self.file(inode).seen.len();
        let all: usize = self.files.values().map(|file| file.seen.len()).sum();
        let grown = own.max(to_index(offset) + len);
        u64::try_from(all - own + grown).expect("a length fits u64")
    }

    pub(super) fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) {
        self.file_mut(inode).write(to_index(offset), bytes);
    }

    pub(super) fn sync(&mut self, inode: u64) {
        let file = self.file_mut(inode);
        let len = file.seen.len();
        file.durable.resize(len, 0);
        for sector in std::mem::take(&mut file.unsynced).into_keys() {
            let part = sector * SECTOR_BYTES..len.min((sector + 1) * SECTOR_BYTES);
            file.durable[part.clone()].copy_from_slice(&file.seen[part]);
        }
    }

    /// A failed sync: the system believes the sectors clean, so no later sync saves them.
    pub(super) fn lose_unsynced(&mut self, inode: u64) {
        self.file_mut(inode).unsynced.clear();
    }

    pub(super) fn flip(&mut self, inode: u64, offset: u64, mask: u8) {
        let file = self.file_mut(inode);
        file.seen[to_index(offset)] ^= mask;
        file.durable[to_index(offset)] ^= mask;
    }

    /// What is found after a power cut.
    pub(super) fn after(&self, dice: &mut Dice) -> Self {
        let files = self.files.iter().map(|(inode, file)| (*inode, file.after(dice))).collect();
        Self { files, next_inode: self.next_inode }
    }
}

impl File {
    fn write(&mut self, start: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = start + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[start..end].copy_from_slice(bytes);
        for sector in start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            let state = self.sector(sector);
            self.unsynced.entry(sector).or_default().push(state);
        }
    }

    fn sector(&self, sector: usize) -> Sector {
        let mut state = [0; SECTOR_BYTES];
        let start = sector * SECTOR_BYTES;
        let part = &self.seen[start..self.seen.len().min(start + SECTOR_BYTES)];
        state[..part.len()].copy_from_slice(part);
        state
    }

    fn after(&self, dice: &mut Dice) -> Self {
        let lengths = [self.durable.len(), self.seen.len()];
        let len = lengths[dice.survivor(2)];
        let mut found = self.durable.clone();
        found.resize(len, 0);
        for (sector, states) in &self.unsynced {
            let survivor = dice.survivor(states.len() + 1);
            let start = sector * SECTOR_BYTES;
            if survivor > 0 && start < len {
                let end = len.min(start + SECTOR_BYTES);
                found[start..end].copy_from_slice(&states[survivor - 1][..end - start]);
            }
        }
        Self { seen: found.clone(), durable: found, unsynced: BTreeMap::new() }
    }
}

fn to_index(offset: u64) -> usize {
    usize::try_from(offset).expect("files in memory fit into memory")
}
