//! Transactions as a pipelining leader runs them, against maps: evaluated over an
//! overlay, applied later in groups, with snapshots held meanwhile and a follower
//! that gets the same batches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use holdfast_state::{
    Batch, BatchBuilder, Budget, LogTime, MemoryStore, Namespace, Overlay, Read, Scan, Snapshot,
    Store, Tx, TxContext, Version, store::Direction,
};
use proptest::prelude::*;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Call {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
    Get(Vec<u8>),
    Scan {
        from: Vec<u8>,
        to: Vec<u8>,
        scan: Scan,
    },
    /// A refusal takes back what was written so far.
    Rollback,
    /// Remembers where it stands.
    Save,
    /// Goes back to where it last remembered standing.
    Back,
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Call>),
    /// Dropped without a commit: an abort or a panic.
    Drop(Vec<Call>),
    /// The batch that is being gathered goes to the log.
    Seal,
    /// The log has confirmed the oldest batch on its way.
    Apply,
    TakeSnapshot,
    DropSnapshot,
    /// The follower catches up.
    Follow,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0_u8), Just(1), Just(2), Just(254), Just(255)];
    prop::collection::vec(byte, 0..4)
}

fn call() -> impl Strategy<Value = Call> {
    let scan = (any::<bool>(), prop_oneof![0..4_usize, Just(100)]).prop_map(|(up, limit)| Scan {
        direction: if up { Direction::Up } else { Direction::Down },
        limit,
    });
    prop_oneof![
        6 => (key(), prop::collection::vec(any::<u8>(), 0..3)).prop_map(|(k, v)| Call::Put(k, v)),
        3 => key().prop_map(Call::Delete),
        2 => (key(), key()).prop_map(|(from, to)| Call::DeleteRange(from, to)),
        3 => key().prop_map(Call::Get),
        4 => (key(), key(), scan).prop_map(|(from, to, scan)| Call::Scan { from, to, scan }),
        1 => Just(Call::Rollback),
        2 => Just(Call::Save),
        2 => Just(Call::Back),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let calls = || prop::collection::vec(call(), 0..8);
    prop_oneof![
        8 => calls().prop_map(Step::Commit),
        2 => calls().prop_map(Step::Drop),
        4 => Just(Step::Seal),
        3 => Just(Step::Apply),
        1 => Just(Step::TakeSnapshot),
        1 => Just(Step::DropSnapshot),
        1 => Just(Step::Follow),
    ]
}

fn scanned(rows: &Rows, from: &[u8], to: &[u8], scan: Scan) -> Vec<(Bytes, Bytes)> {
    let within = rows.iter().filter(|(key, _)| from <= &key[..] && &key[..] < to);
    let pair = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))
    };
    match scan.direction {
        Direction::Up => within.map(pair).take(scan.limit).collect(),
        Direction::Down => within.rev().map(pair).take(scan.limit).collect(),
    }
}

fn everything(source: &(impl holdfast_state::Source + ?Sized)) -> Rows {
    let pairs = source.scan(&[], &[0xFF; 8], Scan::up(10_000)).unwrap();
    pairs.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// A leader, its follower, and what a map says of them.
struct World {
    store: MemoryStore,
    follower: MemoryStore,
    overlay: Overlay,
    gathering: BatchBuilder,
    on_their_way: VecDeque<Batch>,
    for_follower: VecDeque<Batch>,
    /// The state after each version.
    states: Vec<Rows>,
    held: Vec<(Arc<dyn Snapshot>, Rows)>,
}

impl World {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            follower: MemoryStore::new(),
            overlay: Overlay::default(),
            gathering: BatchBuilder::default(),
            on_their_way: VecDeque::new(),
            for_follower: VecDeque::new(),
            states: vec![Rows::new()],
            held: Vec::new(),
        }
    }

    fn last(&self) -> u64 {
        u64::try_from(self.states.len()).unwrap() - 1
    }

    fn transact(&mut self, calls: &[Call], commit: bool) {
        let before = self.states.last().unwrap().clone();
        let context = TxContext {
            version: Version::new(self.last()).next(),
            now: LogTime::from_us(5),
            entry_time: LogTime::from_us(3),
            namespace: Namespace::DEFAULT,
            seed: 1,
            budget: Budget::default(),
        };
        let mut tx = Tx::begin(&self.store, &mut self.overlay, &mut self.gathering, context);
        let (mut rows, mut wrote, mut saved) = (before.clone(), false, Vec::new());
        for call in calls {
            match call {
                Call::Put(key, value) => {
                    tx.put_stored(key, value).unwrap();
                    rows.insert(key.clone(), value.clone());
                    wrote = true;
                }
                Call::Delete(key) => {
                    tx.delete_stored(key).unwrap();
                    rows.remove(key);
                    wrote = true;
                }
                Call::DeleteRange(from, to) => {
                    tx.delete_range_stored(from, to).unwrap();
                    rows.retain(|key, _| !(from <= key && key < to));
                    wrote = true;
                }
                Call::Get(key) => {
                    let found = tx.get_stored(key).unwrap();
                    assert_eq!(found.as_deref(), rows.get(key).map(|value| &value[..]), "{key:?}");
                }
                Call::Scan { from, to, scan } => {
                    let found = tx.scan_stored(from, to, *scan).unwrap();
                    assert_eq!(found, scanned(&rows, from, to, *scan), "{from:?}..{to:?} {scan:?}");
                }
                Call::Rollback => {
                    tx.rollback();
                    rows.clone_from(&before);
                    wrote = false;
                    saved.clear();
                }
                Call::Save => saved.push((tx.savepoint(), rows.clone(), wrote)),
                Call::Back => {
                    if let Some((savepoint, then, had_written)) = saved.pop() {
                        tx.rollback_to(&savepoint);
                        (rows, wrote) = (then, had_written);
                    }
                }
            }
        }
        if commit {
            assert_eq!(tx.commit(), wrote);
            if wrote {
                self.states.push(rows);
            }
        }
    }

    fn seal(&mut self) {
        let builder = std::mem::take(&mut self.gathering);
        let count = builder.count();
        if count == 0 {
            return;
        }
        let first = Version::new(self.last() + 1 - u64::from(count));
        let bytes = builder.into_bytes().into();
        let batch = Batch { first, count, time: LogTime::from_us(3), bytes };
        self.on_their_way.push_back(batch.clone());
        self.for_follower.push_back(batch);
    }

    fn apply(&mut self) {
        let Some(batch) = self.on_their_way.pop_front() else { return };
        self.store.apply(&batch, Bytes::from_static(b"here")).unwrap();
        self.overlay.applied(self.store.mark().version);
    }

    fn follow(&mut self) {
        for batch in self.for_follower.drain(..) {
            self.follower.apply(&batch, Bytes::from_static(b"here")).unwrap();
        }
    }

    fn applied(&self) -> &Rows {
        &self.states[usize::try_from(self.store.mark().version.get()).unwrap()]
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Commit(calls) => self.transact(calls, true),
            Step::Drop(calls) => self.transact(calls, false),
            Step::Seal => self.seal(),
            Step::Apply => self.apply(),
            Step::Follow => self.follow(),
            Step::TakeSnapshot => {
                let snapshot = self.store.snapshots().latest();
                assert_eq!(snapshot.mark(), &self.store.mark());
                self.held.push((snapshot, self.applied().clone()));
            }
            Step::DropSnapshot => drop((!self.held.is_empty()).then(|| self.held.remove(0))),
        }
        assert_eq!(&everything(&self.store), self.applied(), "the applied state");
        for (snapshot, rows) in &self.held {
            assert_eq!(&everything(&**snapshot), rows, "a snapshot of {:?}", snapshot.mark());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_pipelined_leader_and_its_follower_do_what_a_map_does(
        steps in prop::collection::vec(step(), 0..60)
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.take(step));
        world.seal();
        while !world.on_their_way.is_empty() {
            world.take(&Step::Apply);
        }
        world.follow();
        prop_assert!(world.overlay.is_empty());
        prop_assert_eq!(world.store.mark().version.get(), world.last());
        prop_assert_eq!(world.follower.mark(), world.store.mark());
        prop_assert_eq!(everything(&world.follower), everything(&world.store));
    }
}
