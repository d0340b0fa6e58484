//! Where each position is: a slot per position from the trim mark on, holes included.
//!
//! It knows only what is durable: the writer enters a position after its sync, so whoever looks
//! here never shows what a power cut could take back.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use crate::position::Position;

/// Where an entry's record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The segment's number; never 0, so that a hole costs nothing.
    pub(super) segment: NonZeroU64,
    /// Where the record begins in it.
    pub(super) offset: u32,
    /// The size of the entry.
    pub(super) length: u32,
}

/// What a position holds, as far as the index knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Trimmed,
    Nothing,
    Entry(Slot),
}

/// The durable positions of a log.
#[derive(Debug)]
pub(super) struct Index {
    /// Everything below is trimmed.
    mark: Position,
    /// The first hole; `mark <= tail`.
    tail: Position,
    /// One per position from `mark` on.
    slots: VecDeque<Option<Slot>>,
}

impl Index {
    /// Nothing, trimmed below `mark`.
    pub(super) fn new(mark: Position) -> Self {
        Self { mark, tail: mark, slots: VecDeque::new() }
    }

    pub(super) fn mark(&self) -> Position {
        self.mark
    }

    pub(super) fn tail(&self) -> Position {
        self.tail
    }

    pub(super) fn holds(&self, position: Position) -> Holds {
        let Some(at) = self.at(position) else { return Holds::Trimmed };
        self.slots.get(at).copied().flatten().map_or(Holds::Nothing, Holds::Entry)
    }

    /// Enters an entry at a position that holds nothing; below the mark it is ignored.
    ///
    /// # Panics
    /// If the position holds something: a position is written once.
    pub(super) fn insert(&mut self, position: Position, slot: Slot) {
        let Some(at) = self.at(position) else { return };
        if self.slots.len() <= at {
            self.slots.resize(at + 1, None);
        }
        let before = self.slots[at].replace(slot);
        assert_eq!(before, None, "a position is written once");
        while matches!(self.holds(self.tail), Holds::Entry(_)) {
            self.tail = self.tail.next();
        }
    }

    /// Forgets the positions below; a mark never moves back, nor beyond the first hole.
    pub(super) fn trim(&mut self, below: Position) {
        assert!(below <= self.tail, "a trim does not pass the first hole");
        if let Some(dropped) = self.at(below) {
            self.slots.drain(..dropped.min(self.slots.len()));
            self.mark = below;
        }
    }

    /// The slot's place; `None` below the mark.
    fn at(&self, position: Position) -> Option<usize> {
        let distance = position.get().checked_sub(self.mark.get())?;
        Some(usize::try_from(distance).expect("positions held fit into memory"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn slot(offset: u32) -> Slot {
        Slot { segment: NonZeroU64::MIN, offset, length: 1 }
    }

    fn position(number: u64) -> Position {
        Position::new(number).unwrap()
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_map(steps in prop::collection::vec((any::<bool>(), 1u64..40), 1..80)) {
            let mut index = Index::new(Position::first());
            let (mut model, mut mark) = (BTreeMap::new(), 1);
            for (offset, (is_trim, number)) in (0u32..).zip(steps) {
                let first_hole = (mark..).find(|n| !model.contains_key(n)).unwrap();
                if is_trim && number <= first_hole {
                    index.trim(position(number));
                    mark = mark.max(number);
                    model.retain(|n, _| *n >= mark);
                } else if !is_trim && number >= mark && !model.contains_key(&number) {
                    index.insert(position(number), slot(offset));
                    model.insert(number, offset);
                }
                let first_hole = (mark..).find(|n| !model.contains_key(n)).unwrap();
                prop_assert_eq!((index.mark().get(), index.tail().get()), (mark, first_hole));
                for n in 1..45 {
                    let expected = match model.get(&n) {
                        _ if n < mark => Holds::Trimmed,
                        Some(offset) => Holds::Entry(slot(*offset)),
                        None => Holds::Nothing,
                    };
                    prop_assert_eq!(index.holds(position(n)), expected);
                }
            }
        }
    }
}
