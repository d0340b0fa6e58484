//! Which keys may lie in the tree: a filter in front of it.
//!
//! The tree asks a filter of each of its sorted runs about a key, at some five cache
//! misses each, and what a write looks up is mostly nowhere: its idempotency key,
//! the id of what it makes. Here an absent key costs one cache miss per segment in
//! use, and those misses overlap.
//!
//! It is a split block Bloom filter (Putze, Sanders, Singler, "Cache-, hash- and
//! space-efficient Bloom filters", 2007): a key sets one bit in each of the eight
//! words of one block. It grows by segments, and keys are never taken out. When all
//! the memory that it may take is used it turns itself off, and says of every key that
//! it may be there; the merge thread then fills it anew from the tree, if what is left
//! there fits by far.
//!
//! It speaks of the newest state only: filled anew, it does not know what older
//! states held.

use parking_lot::RwLock;

use crate::key_index::WideHash;

/// Pieces in which it grows.
const SEGMENTS_MAX: usize = 8;

/// About one absent key in 150 passes a full segment.
const BITS_PER_KEY: usize = 12;

/// Keys that are inserted under one lock.
const AT_ONCE: usize = 32;

type Block = [u32; 8];

/// The filter.
#[derive(Debug)]
pub(super) struct Presence {
    segment_blocks: usize,
    /// None while it is off.
    filter: RwLock<Option<Filter>>,
}

#[derive(Debug, Default)]
struct Filter {
    segments: Vec<Vec<Block>>,
    /// In the last segment.
    keys: usize,
    /// All keys of the tree are in it, not only those written back since it began.
    complete: bool,
}

impl Presence {
    /// A filter that is off, and may take so much memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        let segment_blocks = (bytes_max / SEGMENTS_MAX / size_of::<Block>()).max(1);
        Self { segment_blocks, filter: RwLock::default() }
    }

    const fn segment_keys(&self) -> usize {
        self.segment_blocks * size_of::<Block>() * 8 / BITS_PER_KEY
    }

    /// Should it be filled anew from a tree of so many rows?
    pub(super) fn is_wanted(&self, rows: usize) -> bool {
        rows <= SEGMENTS_MAX * self.segment_keys() / 2 && self.filter.read().is_none()
    }

    /// Begins anew, without any key.
    pub(super) fn begin(&self) {
        *self.filter.write() = Some(Filter::default());
    }

    /// All keys that lay in the tree when it began have been inserted.
    pub(super) fn complete(&self) {
        if let Some(filter) = &mut *self.filter.write() {
            filter.complete = true;
        }
    }

    /// May a key with this hash be in the tree?
    pub(super) fn may_have(&self, hash: WideHash) -> bool {
        match &*self.filter.read() {
            Some(filter) if filter.complete => filter.has(hash, self.segment_blocks),
            Some(_) | None => true,
        }
    }

    /// Keys with these hashes are about to be in the tree.
    pub(super) fn insert(&self, hashes: impl IntoIterator<Item = WideHash>) {
        let mut hashes = hashes.into_iter();
        let mut fresh = Vec::with_capacity(AT_ONCE);
        loop {
            // Whether they are there already is asked first, beside those who read;
            // that also brings the memory near.
            if let Some(filter) = &*self.filter.read() {
                let some = hashes.by_ref().take(AT_ONCE);
                let blocks = self.segment_blocks;
                fresh.extend(some.map(|hash| (hash, filter.has(hash, blocks))));
            }
            if fresh.is_empty() {
                return;
            }
            let mut filter = self.filter.write();
            for (hash, _) in fresh.drain(..).filter(|(_, known)| !known) {
                self.add(&mut filter, hash);
            }
        }
    }

    fn add(&self, slot: &mut Option<Filter>, hash: WideHash) {
        let Some(filter) = slot else { return };
        if filter.segments.is_empty() || filter.keys >= self.segment_keys() {
            if filter.segments.len() >= SEGMENTS_MAX {
                *slot = None;
                return;
            }
            filter.segments.push(vec![Block::default(); self.segment_blocks]);
            filter.keys = 0;
        }
        filter.keys += 1;
        let last = filter.segments.last_mut().expect("pushed when there was none");
        let block = &mut last[block_of(hash, self.segment_blocks)];
        block.iter_mut().zip(bits_of(hash)).for_each(|(word, bit)| *word |= bit);
    }
}

impl Filter {
    /// Looks at every segment, so that the processor asks for all of them before it
    /// waits for one.
    fn has(&self, hash: WideHash, blocks: usize) -> bool {
        let (place, bits) = (block_of(hash, blocks), bits_of(hash));
        let has = |block: &Block| block.iter().zip(bits).all(|(word, bit)| word & bit != 0);
        self.segments.iter().fold(false, |any, segment| any | has(&segment[place]))
    }
}

/// The upper half of the hash chooses the block.
fn block_of(hash: WideHash, blocks: usize) -> usize {
    let share = u128::from(hash) * blocks as u128;
    usize::try_from(share >> 64).expect("less than the number of blocks")
}

/// The lower half chooses the bits: multiplied by odd numbers, as Parquet does.
fn bits_of(hash: WideHash) -> Block {
    const SALT: Block = [
        0x47b6_137b,
        0x4497_4d91,
        0x8824_ad5b,
        0xa2b7_289d,
        0x7054_95c7,
        0x2df1_424b,
        0x9efc_4947,
        0x5c6b_fb31,
    ];
    let low = u32::try_from(hash & u64::from(u32::MAX)).expect("32 bits are left");
    SALT.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_index::wide_hash_of;

    fn hashes(range: std::ops::Range<u32>) -> impl Iterator<Item = WideHash> {
        range.map(|number| wide_hash_of(&number.to_be_bytes()))
    }

    #[test]
    fn no_key_is_missed_and_few_absent_ones_pass() {
        let presence = Presence::new(64 << 10);
        assert!(presence.may_have(1), "nothing is known");
        presence.begin();
        presence.insert(hashes(0..10_000));
        assert!(hashes(10_000..10_100).all(|hash| presence.may_have(hash)), "not all is known");
        presence.insert(hashes(5_000..20_000));
        presence.complete();
        assert!(hashes(0..20_000).all(|hash| presence.may_have(hash)));
        let passed = hashes(20_000..40_000).filter(|hash| presence.may_have(*hash)).count();
        assert!((1..1_000).contains(&passed), "{passed} of 20,000 absent keys passed");
        let known = presence.filter.read().as_ref().map(|filter| filter.segments.len());
        assert_eq!(known, Some(4), "what is known takes no room again");
    }

    #[test]
    fn a_full_one_says_nothing_until_it_is_filled_anew() {
        let presence = Presence::new(8 << 10);
        presence.begin();
        presence.insert(hashes(0..3_000));
        presence.complete();
        assert!(!hashes(9_000..9_100).all(|hash| presence.may_have(hash)));
        assert!(!presence.is_wanted(0), "it is there");
        presence.insert(hashes(3_000..8_000));
        assert!(hashes(9_000..9_100).all(|hash| presence.may_have(hash)));
        assert!(presence.is_wanted(2_000) && !presence.is_wanted(3_000));
        presence.begin();
        presence.insert(hashes(7_000..8_000));
        presence.complete();
        assert!(hashes(7_000..8_000).all(|hash| presence.may_have(hash)));
        assert!(!hashes(0..100).all(|hash| presence.may_have(hash)));
    }
}
