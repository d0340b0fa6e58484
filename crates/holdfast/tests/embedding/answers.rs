//! What [`Node::transact`] answers, besides what the example shows.

use std::{collections::BTreeMap, time::Duration};

use holdfast::{
    At, Failure, Intent, MemoryLog, Namespace, Node, NodeConfig, PartitionFailure, Read as _,
    Settled, Stop, Stopped, Storage, Table, TableId, TransactError, Tx, Version, command::Never,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

struct Counts;

impl Table for Counts {
    const ID: TableId = TableId(0x7f02);
    const NAME: &'static str = "test.counts";
    type Key<'k> = &'k str;
    type Row = u64;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct TooMany {
    sum: u64,
}

/// Adds to the one count; above 100 it refuses, having written.
fn add(tx: &mut Tx<'_>, by: u64) -> Result<u64, Stop<TooMany>> {
    let sum = tx.get::<Counts>("a")?.unwrap_or(0) + by;
    tx.put::<Counts>("a", &sum)?;
    if sum > 100 { Err(Stop::Refused(TooMany { sum })) } else { Ok(sum) }
}

struct World {
    node: Node,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let config = NodeConfig::new(Storage::Memory(MemoryLog::default()));
        Self { node: Node::open(config).unwrap(), runtime: Runtime::new().unwrap() }
    }

    fn add(&self, by: u64, key: &str) -> Result<Settled<u64, TooMany>, TransactError> {
        let intent = Intent::new("test.add", &by).keyed(key);
        self.runtime.block_on(self.node.transact(intent, move |tx| add(tx, by)))
    }

    fn count_in(&self, namespace: Namespace) -> Option<u64> {
        let view = self.runtime.block_on(self.node.view(namespace)).unwrap();
        view.get::<Counts>("a").unwrap()
    }
}

fn failure<O: std::fmt::Debug, R: std::fmt::Debug>(
    answer: Result<Settled<O, R>, TransactError>,
) -> PartitionFailure {
    match answer.unwrap_err() {
        TransactError::Failed(Failure::Partition(failure)) => failure,
        other => panic!("{other}"),
    }
}

#[test]
fn a_refusal_is_an_answer_too_and_undoes_what_was_written() {
    let world = World::new();
    let first = world.add(60, "k-1").unwrap();
    assert_eq!(
        (&first.result, first.at, first.replayed),
        (&Ok(60), At::here(Version::new(1)), false)
    );
    let refused = world.add(41, "k-2").unwrap();
    assert_eq!(refused.result, Err(TooMany { sum: 101 }));
    assert_eq!(world.count_in(Namespace::DEFAULT), Some(60));
    // There would be room for it now; it was answered all the same.
    let down = Intent::new("test.reset", &());
    let reset = world.runtime.block_on(world.node.transact(down, |tx| {
        tx.delete::<Counts>("a")?;
        Ok::<_, Stop<Never>>(())
    }));
    assert_eq!(reset.unwrap().result, Ok(()));
    let again = world.add(41, "k-2").unwrap();
    assert!(again.replayed);
    assert_eq!((again.result, again.at), (refused.result, refused.at));
    assert_eq!(world.count_in(Namespace::DEFAULT), None);
    assert_eq!(world.node.close(), Stopped::Cleanly);
}

#[test]
fn a_key_stands_for_one_name_and_one_input() {
    let world = World::new();
    assert_eq!(world.add(1, "k").unwrap().result, Ok(1));
    assert_eq!(failure(world.add(2, "k")), PartitionFailure::KeyReused);
    let renamed = Intent::new("test.plus", &1_u64).keyed("k");
    let renamed = world.runtime.block_on(world.node.transact(renamed, |tx| add(tx, 1)));
    assert_eq!(failure(renamed), PartitionFailure::KeyReused);
    // Without a key, what is asked twice is done twice.
    for sum in [2, 3] {
        let unkeyed = Intent::new("test.add", &1_u64);
        let settled = world.runtime.block_on(world.node.transact(unkeyed, |tx| add(tx, 1)));
        assert_eq!(settled.unwrap().result, Ok(sum));
    }
}

#[test]
fn an_answer_of_another_form_is_told_from_none() {
    let world = World::new();
    world.add(1, "k").unwrap();
    let other = world.runtime.block_on(world.node.transact::<BTreeMap<String, u64>, Never>(
        Intent::new("test.add", &1_u64).keyed("k"),
        |_| panic!("it was answered before"),
    ));
    let error = other.unwrap_err();
    assert!(
        matches!(error, TransactError::OtherForm { at, .. } if at == At::here(Version::new(1)))
    );
    assert!(error.to_string().starts_with("the answer at 0:1 has another form: "), "{error}");
}

#[test]
fn work_that_panics_or_comes_too_late_has_not_happened() {
    let world = World::new();
    let panicking = world.runtime.block_on(world.node.transact::<(), Never>(
        Intent::new("test.panic", &()).keyed("p"),
        |tx| {
            tx.put::<Counts>("a", &7)?;
            panic!("on purpose")
        },
    ));
    assert!(matches!(failure(panicking), PartitionFailure::Panicked { .. }));
    let late = Intent::new("test.add", &1_u64).keyed("late").within(Duration::ZERO);
    let late = world.runtime.block_on(world.node.transact(late, |tx| add(tx, 1)));
    let late = late.unwrap_err();
    assert!(
        matches!(
            late,
            TransactError::Failed(
                Failure::TimedOut { .. } | Failure::Partition(PartitionFailure::Deadline)
            )
        ),
        "{late}"
    );
    // Whatever came of it, under the key it comes once.
    assert_eq!(world.add(1, "late").unwrap().result, Ok(1));
    assert_eq!(world.count_in(Namespace::DEFAULT), Some(1));
}

#[test]
fn a_namespace_has_rows_and_keys_of_its_own() {
    let world = World::new();
    world.add(1, "k").unwrap();
    let intent = Intent::new("test.add", &5_u64).keyed("k").in_namespace(Namespace::new(9));
    let settled = world.runtime.block_on(world.node.transact(intent, |tx| add(tx, 5))).unwrap();
    assert_eq!(settled.result, Ok(5));
    assert_eq!(world.count_in(Namespace::DEFAULT), Some(1));
    assert_eq!(world.count_in(Namespace::new(9)), Some(5));
}

#[test]
#[should_panic(expected = "the system's namespace is the engine's")]
fn the_systems_namespace_is_nobodys() {
    drop(Intent::new("test.add", &()).in_namespace(Namespace::SYSTEM));
}
