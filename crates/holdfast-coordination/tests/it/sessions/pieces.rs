//! A session that has much ends in pieces, and counts for nobody from the first on.

use holdfast_coordination::{
    documents::{
        PutDocumentSpec, Value,
        list::{ListDocuments, ListDocumentsSpec},
        put,
        row::Documents,
    },
    leases::{AcquireLeaseSpec, acquire},
    sessions::{self, CloseSessionSpec, OpenSessionSpec, TIED_AT_ONCE, close, open},
    ties::row::Ties,
};
use holdfast_state::{
    Id, Lifetime, Read as _, Scan, Table,
    command::Query as _,
    page::PageSize,
    scenario::{Vocabulary, World},
};

use crate::timers;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn minute() -> Lifetime {
    Lifetime::from_us(60_000_000).unwrap()
}

fn opened() -> World {
    let mut world = World::default();
    let spec = OpenSessionSpec { id: Some(id("s")), ttl: minute(), owner: None, metadata: None };
    world.transact(|tx| open(tx, &spec)).unwrap();
    world
}

fn write(world: &mut World, number: usize, value: &str) {
    let spec = PutDocumentSpec {
        collection: id("c"),
        id: id(&format!("d{number:04}")),
        value: Value::new(value).unwrap(),
        expires_in: None,
        session: Some(id("s")),
        if_match: None,
        if_none_match: None,
    };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

fn take(world: &mut World, lease: &str, owner: &str, session: Option<&str>) -> u64 {
    let spec = AcquireLeaseSpec {
        id: id(lease),
        owner: id(owner),
        ttl: Some(minute()),
        wait_for: Some(minute()),
        session: session.map(id),
        metadata: None,
    };
    world.transact(|tx| acquire(tx, &spec)).unwrap().token.unwrap_or_default()
}

fn ended(world: &mut World) -> bool {
    let spec = CloseSessionSpec { id: id("s"), version: None };
    world.transact(|tx| close(tx, &spec)).unwrap().in_pieces
}

fn stored<T: Table>(world: &World) -> usize {
    world.view().scan::<T>(&(), Scan::up(10_000)).unwrap().len()
}

fn seen(world: &World) -> usize {
    let spec = ListDocumentsSpec {
        collection: id("c"),
        prefix: None,
        from: None,
        to: None,
        cursor: None,
        limit: PageSize::new(1000).unwrap(),
    };
    ListDocuments::run(&world.view(), &spec).unwrap().documents.len()
}

/// Fires what is due at once, and what that sets.
fn fire(world: &mut World) -> Vec<String> {
    let timers = timers();
    world.pass(1_000, &Vocabulary { commands: &[], timers: &timers, looks: &[] })
}

#[test]
fn what_fits_into_one_transaction_goes_in_one() {
    let mut world = opened();
    for number in 0..TIED_AT_ONCE {
        write(&mut world, number, "1");
    }
    assert_eq!(seen(&world), TIED_AT_ONCE);
    assert!(!ended(&mut world));
    assert_eq!((stored::<Documents>(&world), stored::<Ties>(&world)), (0, 0));
    assert!(fire(&mut world).is_empty());
}

#[test]
fn more_goes_in_pieces_that_nobody_sees() {
    let mut world = opened();
    let all = 2 * TIED_AT_ONCE + 2;
    for number in 0..all - 1 {
        write(&mut world, number, "1");
    }
    let token = take(&mut world, "l", "a", Some("s"));
    take(&mut world, "l", "b", None);
    // Leases go before documents, so here a piece is gone; the rest is there for nobody.
    assert!(ended(&mut world));
    assert_eq!((stored::<Documents>(&world), seen(&world)), (all - TIED_AT_ONCE, 0));
    assert!(take(&mut world, "l", "b", None) > token);
    // One that is written anew meanwhile stays.
    let spec = OpenSessionSpec { id: Some(id("s")), ttl: minute(), owner: None, metadata: None };
    world.transact(|tx| open(tx, &spec)).unwrap();
    write(&mut world, all - 3, "2");
    assert_eq!(seen(&world), 1);
    assert_eq!(fire(&mut world), [sessions::SWEEP, sessions::SWEEP]);
    assert_eq!((stored::<Documents>(&world), stored::<Ties>(&world), seen(&world)), (1, 1, 1));
}

#[test]
fn large_documents_make_a_piece_smaller() {
    let mut world = opened();
    let large = format!("\"{}\"", "x".repeat(200_000));
    for number in 0..TIED_AT_ONCE / 2 {
        write(&mut world, number, &large);
    }
    assert!(ended(&mut world));
    let pieces = fire(&mut world).len();
    assert!(pieces > 2, "{pieces} pieces");
    assert_eq!((stored::<Documents>(&world), stored::<Ties>(&world)), (0, 0));
}
