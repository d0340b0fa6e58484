//! The names in the directory: as processes see them, and as they would survive.
//!
//! Creations, renames and removals since the last sync of the directory are kept in order; after a
//! power cut each may have survived or not, whatever became of the others. A rename is one step.

use std::collections::BTreeMap;

use super::Dice;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    seen: BTreeMap<String, u64>,
    durable: BTreeMap<String, u64>,
    /// Since the last sync, oldest first.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Set { name: String, inode: u64 },
    Unset { name: String },
    Rename { from: String, to: String, inode: u64 },
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        self.seen.get(name).copied()
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.seen.keys().cloned().collect()
    }

    pub(super) fn set(&mut self, name: &str, inode: u64) {
        self.change(Change::Set { name: name.to_owned(), inode });
    }

    /// Whether there was such a name.
    pub(super) fn unset(&mut self, name: &str) -> bool {
        let was_there = self.seen.contains_key(name);
        if was_there {
            self.change(Change::Unset { name: name.to_owned() });
        }
        was_there
    }

    /// Whether there was such a name.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(inode) = self.get(from) else { return false };
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        true
    }

    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.seen);
        self.unsynced.clear();
    }

    /// What is found after a power cut.
    pub(super) fn after(&self, dice: &mut Dice) -> Self {
        let mut found = self.durable.clone();
        for change in &self.unsynced {
            if dice.survivor(2) == 1 {
                change.apply(&mut found);
            }
        }
        Self { seen: found.clone(), durable: found, unsynced: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Set { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Unset { name } => {
                names.remove(name);
            }
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }
}
