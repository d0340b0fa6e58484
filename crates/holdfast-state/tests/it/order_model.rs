//! Many rows of few tables, scanned while they come and when they lie in several
//! tables of memory: a store shows what a map shows, in the same order.

use std::collections::BTreeMap;

use holdfast_state::{DiskOptions, DiskStore, MemoryStore, Scan, Source, Store};
use proptest::prelude::*;

use crate::disk_world::{Change, Rows, apply, place, replay, tiny};

#[derive(Clone, Debug)]
enum Step {
    /// So many new or overwritten rows, scattered from a seed, or in order.
    Write {
        table: u8,
        rows: u16,
        seed: u16,
        in_order: bool,
    },
    Delete {
        table: u8,
        seed: u16,
    },
    Scan {
        table: u8,
        from: u16,
        to: u16,
        limit: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let table = || 0..3_u8;
    prop_oneof![
        4 => (table(), 1..1500_u16, any::<u16>(), any::<bool>()).prop_map(
            |(table, rows, seed, in_order)| Step::Write { table, rows, seed, in_order }),
        1 => (table(), any::<u16>()).prop_map(|(table, seed)| Step::Delete { table, seed }),
        6 => (table(), any::<u16>(), any::<u16>(), prop_oneof![0..5_usize, Just(300), Just(9000)])
            .prop_map(|(table, from, to, limit)| Step::Scan { table, from, to, limit }),
    ]
}

/// A key as tables have them: a namespace, a table, and what tells rows apart
/// only behind what they have in common.
fn key(table: u8, number: u16) -> Vec<u8> {
    [&[0, 0, 0, 1, 0, table][..], &[7; 20], &number.to_be_bytes()].concat()
}

fn scattered(number: u16, seed: u16) -> u16 {
    number.wrapping_mul(40_503).wrapping_add(seed) % 5000
}

fn check(source: &dyn Source, model: &Rows, from: &[u8], to: &[u8], limit: usize) {
    let within: Vec<_> =
        model.iter().filter(|(key, _)| from <= &key[..] && &key[..] < to).collect();
    let same = |found: Vec<(bytes::Bytes, bytes::Bytes)>, wanted: Vec<&(&Vec<u8>, &Vec<u8>)>| {
        assert_eq!(found.len(), wanted.len());
        for ((key, value), wanted) in found.iter().zip(wanted) {
            assert_eq!((&key[..], &value[..]), (&wanted.0[..], &wanted.1[..]));
        }
    };
    same(source.scan(from, to, Scan::up(limit)).unwrap(), within.iter().take(limit).collect());
    let down = within.iter().rev().take(limit).collect();
    same(source.scan(from, to, Scan::down(limit)).unwrap(), down);
}

fn run(store: &mut impl Store, steps: &[Step]) {
    let (mut model, mut next) = (Rows::new(), BTreeMap::new());
    let mut held = store.snapshots().latest();
    let mut held_model = model.clone();
    for (number, step) in (0_u8..).zip(steps) {
        match *step {
            Step::Write { table, rows, seed, in_order } => {
                let next = next.entry(table).or_insert(5000_u16);
                let keys = (0..rows).map(|row| {
                    *next += u16::from(in_order);
                    key(table, if in_order { *next } else { scattered(row, seed) })
                });
                let transaction: Vec<_> =
                    keys.map(|key| Change::Put(key, vec![number; 9])).collect();
                apply(store, std::slice::from_ref(&transaction));
                replay(&mut model, &[transaction]);
            }
            Step::Delete { table, seed } => {
                let change = Change::Delete(key(table, scattered(1, seed)));
                let range =
                    Change::DeleteRange(key(table, seed), key(table, seed.saturating_add(99)));
                apply(store, &[vec![change.clone()], vec![range.clone()]]);
                replay(&mut model, &[vec![change, range]]);
            }
            Step::Scan { table, from, to, limit } => {
                let (from, to) = (key(table, from % 9000), key(table, to % 9000));
                check(store, &model, &from, &to, limit);
                check(&*held, &held_model, &from, &to, limit);
            }
        }
        if number % 8 == 5 {
            held = store.snapshots().latest();
            held_model = model.clone();
        }
    }
    check(store, &model, &[], &[0xFF], usize::MAX);
    check(&*held, &held_model, &[], &[0xFF], usize::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn memory_is_in_order(steps in prop::collection::vec(step(), 1..30)) {
        run(&mut MemoryStore::new(), &steps);
    }

    #[test]
    fn tables_in_memory_and_on_disk_are_in_one_order(steps in prop::collection::vec(step(), 1..30)) {
        let dir = place();
        let options = DiskOptions { memtable_bytes: 600 << 10, table_bytes: 64 << 10, ..tiny() };
        run(&mut DiskStore::open(dir.path(), &options).unwrap(), &steps);
    }
}
