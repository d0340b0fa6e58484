//! Finds rows by their keys' hashes: one cache line for most lookups, above all
//! for those of keys that are not there.
//!
//! A map in key order walks some twenty cache lines before it knows that a key is
//! absent, and most lookups of a write are of absent keys: the idempotency
//! key, the id of what is to be made. So the order, which only scans need, is kept
//! elsewhere, and here stand eight bytes per row: its number, and enough of the
//! hash to tell nearly every other row apart without looking at it.
//!
//! The owner keeps the rows and compares the keys. Collisions are probed linearly,
//! and removal closes the gap, so nothing is ever left behind.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::LazyLock,
};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A key's hash, never 0.
pub(crate) type KeyHash = u32;

/// The whole of a key's hash.
pub(crate) type WideHash = u64;

/// Clients choose keys; they must not be able to choose which of them collide.
/// No answer depends on it.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());

/// The hash of a key, the same for as long as the process lives.
pub(crate) fn wide_hash_of(key: &[u8]) -> WideHash {
    xxh3_64_with_seed(key, *SEED)
}

/// A half of it, for an index.
pub(crate) fn hash_of(key: &[u8]) -> KeyHash {
    let hash = wide_hash_of(key) >> 32;
    // Bit 31 is the last that chooses a slot, and tells a row from an empty slot.
    u32::try_from(hash).expect("32 bits are left") | 1 << 31
}

/// The index. Empty slots are 0, others a hash and a number.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    /// None, or a power of two of them, of which at most two thirds are taken.
    slots: Vec<u64>,
    taken: usize,
}

impl KeyIndex {
    /// An index in which so many rows find room before it has to grow.
    pub(crate) fn with_room_for(rows: usize) -> Self {
        let slots = if rows == 0 { 0 } else { (rows + rows / 2 + 1).next_power_of_two() };
        Self { slots: vec![0; slots], taken: 0 }
    }

    fn slot(&self, hash: KeyHash) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }

    /// Asks for the memory where this hash is looked for, and does not wait for it.
    pub(crate) fn touch(&self, hash: KeyHash) {
        if !self.slots.is_empty() {
            std::hint::black_box(self.slots[self.slot(hash)]);
        }
    }

    /// The number of the row with this hash that `is` the one.
    pub(crate) fn find(&self, hash: KeyHash, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.taken == 0 {
            return None;
        }
        let mut slot = self.slot(hash);
        loop {
            let (found, number) = parts(self.slots[slot]);
            if found == 0 {
                return None;
            }
            if found == hash && is(number) {
                return Some(number);
            }
            slot = self.after(slot);
        }
    }

    /// Adds a row whose key is not here.
    pub(crate) fn insert(&mut self, hash: KeyHash, number: u32) {
        if 3 * (self.taken + 1) > 2 * self.slots.len() {
            self.grow();
        }
        self.taken += 1;
        self.put(whole(hash, number));
    }

    fn put(&mut self, entry: u64) {
        let mut slot = self.slot(parts(entry).0);
        while self.slots[slot] != 0 {
            slot = self.after(slot);
        }
        self.slots[slot] = entry;
    }

    fn grow(&mut self) {
        let fresh = vec![0; (2 * self.slots.len()).max(16)];
        let before = std::mem::replace(&mut self.slots, fresh);
        before.into_iter().filter(|entry| *entry != 0).for_each(|entry| self.put(entry));
    }

    fn slot_of(&self, entry: u64) -> usize {
        let mut slot = self.slot(parts(entry).0);
        while self.slots[slot] != entry {
            assert!(self.slots[slot] != 0, "only what was inserted is changed");
            slot = self.after(slot);
        }
        slot
    }

    /// The row of this hash and number has another number now.
    pub(crate) fn renumber(&mut self, hash: KeyHash, from: u32, to: u32) {
        let slot = self.slot_of(whole(hash, from));
        self.slots[slot] = whole(hash, to);
    }

    /// Removes the row of this hash and number.
    pub(crate) fn remove(&mut self, hash: KeyHash, number: u32) {
        let mut gap = self.slot_of(whole(hash, number));
        let mask = self.slots.len() - 1;
        let mut slot = gap;
        loop {
            slot = self.after(slot);
            let entry = self.slots[slot];
            if entry == 0 {
                break;
            }
            // What would be found before the gap may move into it.
            let from_home = slot.wrapping_sub(self.slot(parts(entry).0)) & mask;
            if from_home >= slot.wrapping_sub(gap) & mask {
                self.slots[gap] = entry;
                gap = slot;
            }
        }
        self.slots[gap] = 0;
        self.taken -= 1;
    }
}

fn whole(hash: KeyHash, number: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(number)
}

fn parts(entry: u64) -> (KeyHash, u32) {
    let half = |bits: u64| u32::try_from(bits).expect("32 bits are left");
    (half(entry >> 32), half(entry & u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, btree_map::Entry};

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Insert(u32),
        Remove(u32),
        Renumber(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..40_u32).prop_map(Step::Insert),
            3 => (0..40_u32).prop_map(Step::Remove),
            1 => (0..40_u32).prop_map(Step::Renumber),
        ]
    }

    /// So that slots collide, and wrap around at the end.
    fn crowded(key: u32) -> KeyHash {
        (1 << 31) | (13 + key % 5)
    }

    proptest! {
        #[test]
        fn finds_what_was_inserted_and_not_removed(
            steps in proptest::collection::vec(step(), 0..200), room in 0_usize..30
        ) {
            let mut index = KeyIndex::with_room_for(room);
            let (mut rows, mut next) = (BTreeMap::new(), 0_u32);
            for step in steps {
                next += 1;
                match step {
                    Step::Insert(key) => {
                        if let Entry::Vacant(vacant) = rows.entry(key) {
                            index.insert(crowded(key), next);
                            vacant.insert(next);
                        }
                    }
                    Step::Remove(key) => {
                        if let Some(number) = rows.remove(&key) {
                            index.remove(crowded(key), number);
                        }
                    }
                    Step::Renumber(key) => {
                        if let Some(number) = rows.get_mut(&key) {
                            index.renumber(crowded(key), *number, next);
                            *number = next;
                        }
                    }
                }
                for key in 0..40 {
                    let number = rows.get(&key).copied();
                    prop_assert_eq!(index.find(crowded(key), |n| Some(n) == number), number);
                }
            }
            prop_assert_eq!(index.taken, rows.len());
        }
    }
}
