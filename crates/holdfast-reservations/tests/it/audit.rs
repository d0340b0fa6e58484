//! The audit notices whatever is not as it must be: rows left out, written twice, or
//! changed by a single bit, in the log or in the state.

use bytes::Bytes;
use holdfast_reservations::{
    COMMANDS, HoldSpec, Nights, Quantity, Stock, TABLES, TIMERS,
    audit::{Audit, Difference, Report},
    confirm::{ConfirmSpec, confirm},
    create_resource::{CreateResource, CreateResourceSpec},
    extend::{ExtendSpec, extend},
    hold,
    join_waitlist::{JoinWaitlistSpec, join_waitlist},
    leave_waitlist::{LeaveWaitlistSpec, leave_waitlist},
    move_hold::{MoveSpec, move_hold},
    release::{ReleaseSpec, release},
    resize_resource::{ResizeResourceSpec, resize_resource},
    row::{
        Entries, EntryRow, EntryStatus, HoldRow, Holds, Kind, LevelRow, Levels, Queue, ResourceRow,
        Resources,
    },
};
use holdfast_state::{
    Abort, Batch, BatchBuilder, Date, Fact, Id, Lifetime, Mark, MemoryStore, Metadata, Namespace,
    Read as _, Scan, Source as _, Store as _, Table as _, TableId, Version, View,
    command::Write as _,
    row::Row,
    scenario::{Vocabulary, World},
    table::{split_key, stored_key},
};

/// A fact of its own, so that it can be changed.
#[derive(Clone, Debug, PartialEq)]
enum Owned {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

type Log = Vec<Vec<Owned>>;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn date(day: u32) -> Date {
    Date::from_day(20_000 + day).unwrap()
}

fn lifetime(minutes: u64) -> Lifetime {
    Lifetime::from_us(minutes * 60_000_000).unwrap()
}

fn spec(name: &str, from: u32, to: u32, quantity: u64) -> HoldSpec {
    HoldSpec {
        id: Some(id(name)),
        resource: id("room"),
        from: Some(date(from)),
        to: Some(date(to)),
        quantity: Quantity::new(quantity).unwrap(),
        expires_at: None,
        expires_in: Some(lifetime(15)),
        price: None,
        metadata: None,
    }
}

fn entry(name: &str, from: u32, to: u32) -> JoinWaitlistSpec {
    JoinWaitlistSpec {
        id: Some(id(name)),
        resource: id("room"),
        from: Some(date(from)),
        to: Some(date(to)),
        quantity: Quantity::default(),
        offer_expires_in: lifetime(10),
        price: None,
        metadata: Some(Metadata::new(r#"{"guest":3}"#).unwrap()),
    }
}

fn create(world: &mut World, name: &str, kind: Kind, stock: u64) {
    let metadata = Some(Metadata::new(r#"{"stars":4}"#).unwrap());
    let stock = Stock::new(stock).unwrap();
    let spec = CreateResourceSpec { id: id(name), kind, stock, metadata };
    world.transact(|tx| CreateResource::run(tx, &spec)).unwrap();
}

/// Reservations in which everything has happened once.
fn world() -> World {
    let mut world = World::default();
    create(&mut world, "room", Kind::Nights, 2);
    create(&mut world, "sale", Kind::Units, 9);
    for (name, from, to, quantity) in
        [("1", 0, 3, 1), ("2", 0, 2, 1), ("3", 2, 4, 1), ("4", 5, 6, 2)]
    {
        world.transact(|tx| hold(tx, &spec(name, from, to, quantity))).unwrap();
    }
    let units = HoldSpec { resource: id("sale"), from: None, to: None, ..spec("5", 0, 1, 4) };
    world.transact(|tx| hold(tx, &units)).unwrap();
    world.transact(|tx| confirm(tx, &ConfirmSpec { id: id("1") })).unwrap();
    for (name, from, to) in [("w1", 0, 1), ("w2", 1, 3), ("w3", 0, 1), ("w4", 5, 6)] {
        world.transact(|tx| join_waitlist(tx, &entry(name, from, to))).unwrap();
    }
    let later = ExtendSpec { id: id("5"), expires_at: None, expires_in: Some(lifetime(60)) };
    world.transact(|tx| extend(tx, &later)).unwrap();
    world.transact(|tx| release(tx, &ReleaseSpec { id: id("2") })).unwrap();
    let elsewhere = MoveSpec {
        id: id("3"),
        resource: None,
        from: Some(date(7)),
        to: Some(date(8)),
        quantity: None,
        price: None,
    };
    world.transact(|tx| move_hold(tx, &elsewhere)).unwrap();
    world.transact(|tx| leave_waitlist(tx, &LeaveWaitlistSpec { id: id("w4") })).unwrap();
    let some = |stock: u64, from: Option<u32>, to: Option<u32>| ResizeResourceSpec {
        id: id("room"),
        stock: Stock::new(stock).unwrap(),
        from: from.map(date),
        to: to.map(date),
    };
    world.transact(|tx| resize_resource(tx, &some(5, Some(20), Some(22)))).unwrap();
    let vocabulary = Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };
    world.pass(20 * 60_000_000, &vocabulary);
    world.transact(|tx| release(tx, &ReleaseSpec { id: id("1") })).unwrap();
    world.transact(|tx| hold(tx, &spec("6", 30, 32, 1))).unwrap();
    world.transact(|tx| hold(tx, &spec("7", 30, 31, 1))).unwrap();
    world.transact(|tx| join_waitlist(tx, &entry("w5", 30, 31))).unwrap();
    world.transact(|tx| resize_resource(tx, &some(1, Some(31), None))).unwrap();
    world
}

fn log_of(world: &World) -> Log {
    let changes = world.log().iter().flat_map(Batch::changes);
    changes
        .map(|change| {
            let change = change.unwrap();
            let facts = change.facts().map(|fact| match fact.unwrap() {
                Fact::Put { key, value } => Owned::Put(key.to_vec(), value.to_vec()),
                Fact::Delete { key } => Owned::Delete(key.to_vec()),
                Fact::DeleteRange { from, to } => Owned::DeleteRange(from.to_vec(), to.to_vec()),
            });
            facts.collect()
        })
        .collect()
}

/// The log's batches with these facts in place of those of `world`.
fn batches(world: &World, log: &Log) -> Vec<Batch> {
    let facts_of = |(index, facts): (usize, &Vec<Owned>)| {
        let mut builder = BatchBuilder::default();
        builder.begin(0);
        for fact in facts {
            match fact {
                Owned::Put(key, value) => builder.put(key, value),
                Owned::Delete(key) => builder.delete(key),
                Owned::DeleteRange(from, to) => builder.delete_range(from, to),
            }
        }
        builder.commit();
        let (first, time) = (world.log()[index].first, world.log()[index].time);
        Batch { first, count: 1, time, bytes: builder.into_bytes().into() }
    };
    log.iter().enumerate().map(facts_of).collect()
}

fn state_of(world: &World, log: &Log) -> View {
    let mut store = MemoryStore::new();
    for batch in batches(world, log) {
        store.apply(&batch, Bytes::new()).unwrap();
    }
    View::new(store.snapshots().latest(), Namespace::DEFAULT, world.now())
}

/// What an audit of this log says of this state.
fn audit(world: &World, log: &Log, state: &View) -> Result<Report, Abort> {
    let mut audit = Audit::from_nothing(Namespace::DEFAULT);
    batches(world, log).iter().for_each(|batch| audit.batch(batch));
    audit.finish(state)
}

fn differences(world: &World, log: &Log) -> Vec<Difference> {
    audit(world, log, &state_of(world, log)).unwrap().differences.listed
}

fn table_of(fact: &Owned) -> Option<TableId> {
    let (Owned::Put(key, _) | Owned::Delete(key)) = fact else { return None };
    let (namespace, table, _) = split_key(key)?;
    (namespace == Namespace::DEFAULT).then_some(table)
}

fn key_of(fact: &Owned) -> Option<&[u8]> {
    match fact {
        Owned::Put(key, _) | Owned::Delete(key) => Some(key),
        Owned::DeleteRange(..) => None,
    }
}

/// Where facts of these tables are: transaction and place in it. Of several rows under
/// one key in a transaction only the last counts, for it alone becomes state.
fn places(log: &Log, tables: &[TableId]) -> Vec<(usize, usize)> {
    let is_last = |facts: &[Owned], f: usize| {
        facts[f + 1..].iter().all(|later| key_of(later) != key_of(&facts[f]))
    };
    let each = log.iter().enumerate().flat_map(|(t, facts)| {
        (0..facts.len())
            .filter(move |f| table_of(&facts[*f]).is_some_and(|table| tables.contains(&table)))
            .filter(move |f| is_last(facts, *f))
            .map(move |f| (t, f))
    });
    each.collect()
}

/// Changes the row that was written under `key` in the last transaction that did.
fn change<R: Row>(log: &mut Log, key: &[u8], alter: impl FnOnce(&mut R)) {
    let facts = log.iter_mut().rev().flat_map(|facts| facts.iter_mut().rev());
    let value = facts.filter_map(|fact| match fact {
        Owned::Put(of, value) if of == key => Some(value),
        Owned::Put(..) | Owned::Delete(_) | Owned::DeleteRange(..) => None,
    });
    let value = value.into_iter().next().expect("the log has the row");
    let mut row = R::parse(value).unwrap();
    alter(&mut row);
    value.clear();
    row.write(value);
}

fn key<K: holdfast_state::key::Key>(table: TableId, parts: K) -> Vec<u8> {
    stored_key(Namespace::DEFAULT, table, &parts)
}

#[test]
fn reservations_as_they_were_made_are_clean() {
    let world = world();
    let log = log_of(&world);
    let report = audit(&world, &log, &world.view()).unwrap();
    assert_eq!(report.differences.listed, []);
    let transactions = u64::try_from(log.len()).unwrap();
    assert_eq!((report.resources, report.transactions), (2, transactions));
    assert_eq!((report.holds, report.entries), (10, 5));
    // Everything is there: each status, and somebody who still waits.
    let view = world.view();
    let mut kinds: Vec<_> = view
        .scan::<Holds>(&(), Scan::up(100))
        .unwrap()
        .iter()
        .map(|found| format!("{:?}", found.row.status))
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["Cancelled", "Expired", "Held", "Released"]);
    assert_eq!(view.scan::<Queue>(&(), Scan::up(100)).unwrap().len(), 1);
}

#[test]
fn it_can_begin_with_the_state_at_any_version() {
    let world = world();
    let log = log_of(&world);
    for middle in 0..=log.len() {
        let start = state_of(&world, &log[..middle].to_vec());
        let mut audit = Audit::from_state(&start).unwrap();
        batches(&world, &log)[middle..].iter().for_each(|batch| audit.batch(batch));
        let report = audit.finish(&world.view()).unwrap();
        assert_eq!(report.differences.listed, [], "from version {middle}");
    }
}

#[test]
fn every_row_left_out_of_the_log_is_noticed() {
    let world = world();
    let log = log_of(&world);
    let tables = [Holds::ID, Levels::ID, Entries::ID, Queue::ID, Resources::ID];
    for (t, f) in places(&log, &tables) {
        let mut less = log.clone();
        let gone = less[t].remove(f);
        let report = audit(&world, &less, &world.view()).unwrap();
        // A resource's row that is written again soon says nothing that the next does not.
        let heard = table_of(&gone) != Some(Resources::ID) || last_row(&log, t, f);
        assert!(!report.is_clean() || !heard, "without {gone:?} of {t}");
    }
}

/// Is this the last fact under its key?
fn last_row(log: &Log, t: usize, f: usize) -> bool {
    let later = log[t + 1..].iter().flatten();
    later.filter_map(key_of).all(|key| Some(key) != key_of(&log[t][f]))
}

/// Which of its transaction's timers it was says a hold's row alone: of a hold that was
/// extended since, nothing is left to compare it with.
fn is_only_a_timers_number(before: &[u8], after: &[u8]) -> bool {
    let row = |bytes: &[u8]| {
        let mut row = HoldRow::parse(bytes).ok()?;
        row.timer.as_mut()?.number = 0;
        Some(row)
    };
    row(before).is_some_and(|before| row(after) == Some(before))
}

#[test]
fn every_bit_changed_in_the_log_is_noticed() {
    let world = world();
    let log = log_of(&world);
    let mut tried = 0;
    let all: Vec<TableId> = TABLES.iter().map(|(id, _)| *id).collect();
    for (t, f) in places(&log, &all) {
        // What a level or a resource says of its stock and nothing else does is known
        // only from its last row.
        let own = [Holds::ID, Entries::ID, Queue::ID].map(Some);
        let Owned::Put(_, value) = &log[t][f] else { continue };
        if !own.contains(&table_of(&log[t][f])) && !last_row(&log, t, f) {
            continue;
        }
        for bit in 0..value.len() * 8 {
            let mut changed = log.clone();
            let Owned::Put(_, changed_to) = &mut changed[t][f] else { unreachable!("as before") };
            changed_to[bit / 8] ^= 1 << (bit % 8);
            if !last_row(&log, t, f) && is_only_a_timers_number(value, changed_to) {
                continue;
            }
            let report = audit(&world, &changed, &world.view()).unwrap();
            assert!(!report.is_clean(), "bit {bit} of {:?} in {t}", log[t][f]);
            tried += 1;
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn every_bit_changed_in_the_state_is_noticed() {
    let world = world();
    let log = log_of(&world);
    let mut store = MemoryStore::new();
    batches(&world, &log).iter().for_each(|batch| store.apply(batch, Bytes::new()).unwrap());
    let pairs = store.scan(&[0], &[0xFF], Scan::up(10_000)).unwrap();
    let mut derived = Audit::from_nothing(Namespace::DEFAULT);
    batches(&world, &log).iter().for_each(|batch| derived.batch(batch));
    let version = Version::new(u64::try_from(log.len()).unwrap());
    for (at, (key, value)) in pairs.iter().enumerate() {
        if table_of(&Owned::Delete(key.to_vec())).is_none() {
            continue;
        }
        for bit in 0..value.len() * 8 {
            let mut changed = pairs.clone();
            let mut bytes = value.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed[at].1 = bytes.into();
            let mark = Mark { version, checkpoint: Bytes::new() };
            let store = MemoryStore::from_pairs(changed, mark);
            let state = View::new(store.snapshots().latest(), Namespace::DEFAULT, world.now());
            let report = derived.clone().finish(&state);
            assert!(!matches!(report, Ok(report) if report.is_clean()), "bit {bit} of {key:?}");
        }
    }
}

/// What an audit says after `alter` changed the last row under this key.
fn altered<R: Row>(key: &[u8], alter: impl FnOnce(&mut R)) -> Vec<Difference> {
    let world = world();
    let mut log = log_of(&world);
    change::<R>(&mut log, key, alter);
    differences(&world, &log)
}

fn slot(day: u32) -> Vec<u8> {
    key(Levels::ID, ("room", 20_000 + day))
}

#[test]
fn a_wrong_level_is_named() {
    let found = altered::<LevelRow>(&slot(30), |row| (row.held, row.sold) = (1, 1));
    assert!(matches!(&found[..], [Difference::LevelTaken { slot: 20_030, .. }]), "{found:?}");
}

#[test]
fn more_than_there_is_is_named() {
    let room = key(Resources::ID, "room");
    let found = altered::<ResourceRow>(&room, |row| row.stock = Stock::new(0).unwrap());
    let oversold = |day: u32| {
        found.iter().any(|difference| {
            matches!(difference, Difference::Oversold { slot, .. } if *slot == 20_000 + day)
        })
    };
    assert!(oversold(31), "{found:?}");
    // This night kept the stock that it had.
    assert!(!oversold(30), "{found:?}");
}

#[test]
fn a_hold_that_changed_otherwise_than_holds_do_is_named() {
    let hold = key(Holds::ID, "3");
    let quantity = Quantity::new(2).unwrap();
    let found = altered::<HoldRow>(&hold, |row| row.quantity = quantity);
    let changed = Difference::HoldChanged { hold: id("3"), field: "content" };
    assert!(found.contains(&changed), "{found:?}");
    let found = altered::<HoldRow>(&hold, |row| row.asked = None);
    let changed = Difference::HoldChanged { hold: id("3"), field: "beginning" };
    assert!(found.contains(&changed), "{found:?}");
    let found = altered::<HoldRow>(&hold, |row| row.confirmed = row.ended);
    let malformed = Difference::HoldMalformed { hold: id("3"), field: "status" };
    assert!(found.contains(&malformed), "{found:?}");
}

#[test]
fn an_offer_that_nobody_asked_for_is_named() {
    let world = world();
    let row = world.view().get::<Entries>("w1").unwrap().unwrap();
    let EntryStatus::Offered(offer) = row.status else { panic!("it was offered a hold") };
    let found = altered::<HoldRow>(&key(Holds::ID, offer.as_str()), |row| row.entry = None);
    let malformed = Difference::EntryMalformed { entry: id("w1"), field: "offer" };
    assert!(found.contains(&malformed), "{found:?}");
    let stays = nights(0, 2);
    let found = altered::<EntryRow>(&key(Entries::ID, "w5"), |row| row.nights = stays);
    assert!(
        found.iter().any(|difference| matches!(difference, Difference::PlaceForeign { .. })),
        "{found:?}"
    );
}

fn nights(from: u32, to: u32) -> Option<Nights> {
    Nights::new(date(from), date(to)).ok()
}

#[test]
fn who_waits_although_there_is_room_is_named() {
    let world = world();
    let mut log = log_of(&world);
    // The hold that w5 waits behind ends, and nobody is offered what it had.
    let last = log.len() - 1;
    log[last].clear();
    let view = state_of(&world, &log);
    let mut row = view.get::<Holds>("7").unwrap().unwrap();
    row.status = holdfast_reservations::row::Status::Released;
    let (version, time) = (world.log()[last].first, world.log()[last].time);
    row.ended = Some(holdfast_reservations::row::Stamp { version, time });
    let mut bytes = Vec::new();
    row.write(&mut bytes);
    log[last].push(Owned::Put(key(Holds::ID, "7"), bytes));
    let mut level = view.get::<Levels>(("room", 20_030)).unwrap().unwrap();
    level.held -= 1;
    let mut bytes = Vec::new();
    level.write(&mut bytes);
    log[last].push(Owned::Put(slot(30), bytes));
    let passed = Difference::PassedOver { resource: id("room"), ticket: 5 };
    assert_eq!(differences(&world, &log), [passed]);
}

#[test]
fn a_waitlist_that_is_miscounted_is_named() {
    let found = altered::<ResourceRow>(&key(Resources::ID, "room"), |row| row.waiting = 7);
    let (derived, stored) = (1, 7);
    let miscounted = Difference::WaitingCount { resource: id("room"), derived, stored };
    assert!(found.contains(&miscounted), "{found:?}");
}

#[test]
fn what_is_removed_is_named() {
    let world = world();
    let log = log_of(&world);
    let last = log.len() - 1;
    let removed = |fact: Owned| {
        let mut more = log.clone();
        more[last].push(fact);
        differences(&world, &more)
    };
    let row = Difference::Removed { table: Holds::NAME };
    assert!(removed(Owned::Delete(key(Holds::ID, "1"))).contains(&row));
    let rows = Difference::Removed { table: Levels::NAME };
    let (from, to) = (key(Levels::ID, "a"), key(Levels::ID, "z"));
    assert!(removed(Owned::DeleteRange(from, to)).contains(&rows));
    let elsewhere = stored_key(Namespace::new(2), Holds::ID, &"1");
    assert_eq!(removed(Owned::Delete(elsewhere)), []);
    let place = removed(Owned::Delete(key(Queue::ID, ("room", 5_u64))));
    let unplaced = Difference::EntryMalformed { entry: id("w5"), field: "place" };
    assert!(place.contains(&unplaced), "{place:?}");
}
