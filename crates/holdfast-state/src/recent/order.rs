//! The rows of one kind in the order of their keys.
//!
//! Nobody pays for it who does not scan: rows are put in order when somebody asks,
//! a bounded number at a time, and stay so. What is asked for often is nearly
//! in order already; what is never asked for is sorted once, when the table is
//! written back, at a small part of what keeping it in order would have cost.

use std::{collections::BTreeMap, ops::Bound, ops::ControlFlow};

use super::Row;
use crate::{inline_key::InlineKey, store::Direction};

/// Rows of a leaf at most.
const LEAF_MAX: usize = 128;

/// Numbers of rows in order, as far as it was asked for.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By a key that is at most their first. The first leaf has the empty key.
    leaves: BTreeMap<InlineKey, Vec<u32>>,
    /// So many of the kind's numbers are in the leaves.
    ordered: usize,
}

impl Order {
    /// Puts rows that are not yet in order there, `at_most` of them, from which
    /// they are taken off. False when some are left.
    pub(super) fn bring_forward(
        &mut self,
        rows: &[Row],
        numbers: &[u32],
        at_most: &mut usize,
    ) -> bool {
        let left = &numbers[self.ordered..];
        let taken = &left[..left.len().min(*at_most)];
        if self.leaves.is_empty() {
            self.fill(rows, taken);
        } else {
            taken.iter().for_each(|number| self.insert(rows, *number));
        }
        *at_most -= taken.len();
        self.ordered += taken.len();
        taken.len() == left.len()
    }

    fn fill(&mut self, rows: &[Row], numbers: &[u32]) {
        for leaf in sorted(rows, numbers).chunks(LEAF_MAX / 2) {
            let least = if self.leaves.is_empty() { &[] } else { key_of(rows, leaf[0]) };
            self.leaves.insert(InlineKey::new(least), leaf.to_vec());
        }
    }

    fn insert(&mut self, rows: &[Row], number: u32) {
        let key = key_of(rows, number);
        let below = self.leaves.range_mut(..=InlineKey::new(key)).next_back();
        let (_, leaf) = below.expect("the first leaf has the empty key");
        let place = leaf.partition_point(|other| key_of(rows, *other) < key);
        leaf.insert(place, number);
        if leaf.len() > LEAF_MAX {
            // Rows that come in order leave full leaves behind.
            let half = if place + 1 == leaf.len() { LEAF_MAX } else { LEAF_MAX / 2 };
            let upper = leaf.split_off(half);
            self.leaves.insert(InlineKey::new(key_of(rows, upper[0])), upper);
        }
    }

    /// Shows the rows with `from <= key < to` that are in order, until told to stop.
    pub(super) fn visit(
        &self,
        rows: &[Row],
        (from, to): (&[u8], &[u8]),
        direction: Direction,
        mut show: impl FnMut(&Row) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (start, end) = (InlineKey::new(from), InlineKey::new(to));
        let first = self.leaves.range(..=&start).next_back();
        let start = first.map_or(&start, |(least, _)| least);
        let leaves = self.leaves.range((Bound::Included(start), Bound::Excluded(&end)));
        let within = |(_, leaf): (_, &'_ Vec<u32>)| {
            let place = |key| leaf.partition_point(|number| key_of(rows, *number) < key);
            place(from)..place(to)
        };
        let mut show = |number: &u32| show(&rows[*number as usize]);
        match direction {
            Direction::Up => leaves
                .map(|leaf| &leaf.1[within(leaf)])
                .try_for_each(|leaf| leaf.iter().try_for_each(&mut show)),
            Direction::Down => leaves
                .rev()
                .map(|leaf| &leaf.1[within(leaf)])
                .try_for_each(|leaf| leaf.iter().rev().try_for_each(&mut show)),
        }
    }

    /// All rows of the kind in order.
    pub(super) fn all(&mut self, rows: &[Row], numbers: &[u32]) -> Vec<u32> {
        if self.ordered == 0 {
            return sorted(rows, numbers);
        }
        let mut all = usize::MAX;
        self.bring_forward(rows, numbers, &mut all);
        self.leaves.values().flatten().copied().collect()
    }
}

fn key_of(rows: &[Row], number: u32) -> &[u8] {
    rows[number as usize].key()
}

/// Sorts by sixteen bytes that stand beside the numbers: those after what all keys
/// have in common. Only where they are equal the keys are looked at, which lie
/// scattered over memory.
fn sorted(rows: &[Row], numbers: &[u32]) -> Vec<u32> {
    let Some(first) = numbers.first().map(|number| key_of(rows, *number)) else {
        return Vec::new();
    };
    let common = numbers.iter().fold(first.len(), |common, number| {
        let key = key_of(rows, *number);
        first[..common].iter().zip(key).take_while(|(a, b)| a == b).count()
    });
    let with_head = |number: &u32| {
        let rest = &key_of(rows, *number)[common..];
        let mut head = [0; 16];
        let known = rest.len().min(16);
        head[..known].copy_from_slice(&rest[..known]);
        (u128::from_be_bytes(head), *number)
    };
    let mut heads: Vec<_> = numbers.iter().map(with_head).collect();
    heads.sort_unstable_by(|(a, this), (b, other)| {
        a.cmp(b).then_with(|| key_of(rows, *this).cmp(key_of(rows, *other)))
    });
    heads.into_iter().map(|(_, number)| number).collect()
}
