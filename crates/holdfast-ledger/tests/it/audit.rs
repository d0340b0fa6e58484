//! The audit notices whatever is not as it must be: every row of the ledger left
//! out, written twice, or changed by a single bit, in the log or in the state.

use bytes::Bytes;
use holdfast_ledger::{
    COMMANDS, Limit, TIMERS, TransferSpec,
    audit::{Audit, Difference, Report},
    close_account::{CloseAccount, CloseAccountSpec},
    open_account::{OpenAccount, OpenAccountSpec},
    post_pending::{PostPendingSpec, post_pending},
    row::{AccountRow, Accounts, History, HistoryRow, TransferRow, Transfers},
    transfer,
    void_pending::{VoidPendingSpec, void_pending},
};
use holdfast_state::{
    Abort, Amount, Batch, BatchBuilder, Fact, Id, Mark, MemoryStore, Namespace, Scan, Source as _,
    Store as _, Table as _, TableId, Version, View,
    command::Write as _,
    row::Row,
    scenario::{Vocabulary, World},
    table::{split_key, stored_key},
};

/// A fact of its own, so that it can be changed.
#[derive(Clone, Debug)]
enum Owned {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

type Log = Vec<Vec<Owned>>;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn open(world: &mut World, name: &str, limit: Limit) {
    let asset = "EUR".parse().unwrap();
    let spec = OpenAccountSpec { id: id(name), asset, limit, metadata: None };
    world.transact(|tx| OpenAccount::run(tx, &spec)).unwrap();
}

fn spec(name: &str, debit: &str, credit: &str, amount: i128) -> TransferSpec {
    TransferSpec::posted(Some(id(name)), id(debit), id(credit), Amount::new(amount))
}

fn pending(name: &str, amount: i128) -> TransferSpec {
    let expires_in = Some("PT1M".parse().unwrap());
    TransferSpec { pending: true, expires_in, ..spec(name, "wallet", "shop", amount) }
}

/// A ledger in which everything has happened once.
fn world() -> World {
    let mut world = World::default();
    let limits = [
        ("bank", Limit::None),
        ("shop", Limit::None),
        ("wallet", Limit::DebitsNotAboveCredits),
        ("old", Limit::CreditsNotAboveDebits),
    ];
    limits.into_iter().for_each(|(name, limit)| open(&mut world, name, limit));
    world.transact(|tx| transfer(tx, &spec("1", "bank", "wallet", 1000))).unwrap();
    world.transact(|tx| transfer(tx, &spec("2", "wallet", "shop", 300))).unwrap();
    for (name, amount) in [("3", 10), ("4", 20), ("5", 30), ("6", 40)] {
        world.transact(|tx| transfer(tx, &pending(name, amount))).unwrap();
    }
    let post = PostPendingSpec { id: id("3"), amount: Some(Amount::new(7)) };
    world.transact(|tx| post_pending(tx, &post)).unwrap();
    world.transact(|tx| void_pending(tx, &VoidPendingSpec { id: id("4") })).unwrap();
    world.pass(60_000_000, &Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] });
    world.transact(|tx| transfer(tx, &pending("7", 50))).unwrap();
    // Made and posted in one transaction.
    world
        .transact(|tx| {
            transfer(tx, &pending("8", 60)).map_err(|stop| stop.map(|_| ()))?;
            let post = PostPendingSpec { id: id("8"), amount: None };
            post_pending(tx, &post).map_err(|stop| stop.map(|_| ()))
        })
        .unwrap();
    world.transact(|tx| CloseAccount::run(tx, &CloseAccountSpec { id: id("old") })).unwrap();
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

/// The log's batches with these facts in place of those of `world`; transactions
/// beyond those of `world` are at its last time.
fn batches(world: &World, log: &Log) -> Vec<Batch> {
    let last = world.log().last().unwrap().time;
    (1..)
        .zip(log)
        .map(|(version, facts)| {
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
            let index = usize::try_from(version).unwrap() - 1;
            let time = world.log().get(index).map_or(last, |batch| batch.time);
            let bytes = builder.into_bytes().into();
            Batch { first: Version::new(version), count: 1, time, bytes }
        })
        .collect()
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
    let Owned::Put(key, _) = fact else { return None };
    split_key(key).map(|(_, table, _)| table)
}

fn is_audited(fact: &Owned) -> bool {
    table_of(fact).is_some_and(|t| [Accounts::ID, Transfers::ID, History::ID].contains(&t))
}

/// Where the audited facts are: transaction and place in it. Of several rows of an
/// account in a transaction only the last counts, for it alone becomes state.
fn audited(log: &Log) -> Vec<(usize, usize)> {
    let is_last = |facts: &[Owned], f: usize| {
        let key = |fact: &Owned| match fact {
            Owned::Put(key, _) => Some(key.clone()),
            Owned::Delete(_) | Owned::DeleteRange(..) => None,
        };
        facts[f + 1..].iter().all(|later| key(later) != key(&facts[f]))
    };
    let places = log.iter().enumerate().flat_map(|(t, facts)| {
        (0..facts.len())
            .filter(move |f| is_audited(&facts[*f]))
            .filter(move |f| table_of(&facts[*f]) != Some(Accounts::ID) || is_last(facts, *f))
            .map(move |f| (t, f))
    });
    places.collect()
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
fn a_ledger_as_it_was_made_is_clean() {
    let world = world();
    let log = log_of(&world);
    let report = audit(&world, &log, &world.view()).unwrap();
    assert_eq!(report.differences.listed, []);
    assert_eq!((report.accounts, report.transfers, report.transactions), (4, 8, 17));
    assert_eq!(differences(&world, &log), []);
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
        assert_eq!(report.transfers, 8);
    }
}

#[test]
fn every_row_left_out_of_the_log_is_noticed() {
    let world = world();
    let log = log_of(&world);
    for (t, f) in audited(&log) {
        let mut less = log.clone();
        let gone = less[t].remove(f);
        let report = audit(&world, &less, &world.view()).unwrap();
        assert!(!report.is_clean(), "against the true state, without {gone:?}");
        // A log without the closing at its end is whole, only shorter.
        if t + 1 < log.len() {
            assert_ne!(differences(&world, &less), [], "without {gone:?}");
        }
    }
}

#[test]
fn every_bit_changed_in_the_log_is_noticed() {
    let world = world();
    let log = log_of(&world);
    let mut tried = 0;
    for (t, f) in audited(&log) {
        let Owned::Put(_, value) = &log[t][f] else { unreachable!("only puts are audited") };
        for bit in 0..value.len() * 8 {
            let mut changed = log.clone();
            let Owned::Put(_, value) = &mut changed[t][f] else { unreachable!("as before") };
            value[bit / 8] ^= 1 << (bit % 8);
            let report = audit(&world, &changed, &world.view()).unwrap();
            assert!(!report.is_clean(), "bit {bit} of {:?}", log[t][f]);
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
    for (at, (key, value)) in pairs.iter().enumerate() {
        if !is_audited(&Owned::Put(key.to_vec(), Vec::new())) {
            continue;
        }
        for bit in 0..value.len() * 8 {
            let mut changed = pairs.clone();
            let mut bytes = value.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            changed[at].1 = bytes.into();
            let mark = Mark { version: Version::new(17), checkpoint: Bytes::new() };
            let store = MemoryStore::from_pairs(changed, mark);
            let state = View::new(store.snapshots().latest(), Namespace::DEFAULT, world.now());
            let report = derived.clone().finish(&state);
            assert!(!matches!(report, Ok(report) if report.is_clean()), "bit {bit} of {key:?}");
        }
    }
}

#[test]
fn a_wrong_account_row_is_named() {
    let world = world();
    let mut log = log_of(&world);
    change::<AccountRow>(&mut log, &key(Accounts::ID, "shop"), |row| {
        row.balances.credits_posted = Amount::new(1);
    });
    let found = differences(&world, &log);
    assert!(
        found.iter().any(|difference| matches!(difference,
            Difference::AccountBalances { account, .. } if *account == id("shop"))),
        "{found:?}"
    );
    assert!(found.iter().any(|difference| matches!(difference, Difference::Unbalanced { .. })));
}

#[test]
fn a_missing_leg_is_named() {
    let world = world();
    let mut log = log_of(&world);
    let leg = key(History::ID, ("shop", 1_u64));
    for facts in &mut log {
        facts.retain(|fact| !matches!(fact, Owned::Put(key, _) if *key == leg));
    }
    let found = differences(&world, &log);
    assert!(
        found.iter().any(|difference| matches!(difference,
            Difference::LegMissing { transfer, .. } if *transfer == id("2"))),
        "{found:?}"
    );
}

/// The transaction of transfer 2 once more, as a log that forgot about it would
/// have it: rows and sums all fit together but for the transfer's id.
#[test]
fn a_doubled_transfer_is_named() {
    let world = world();
    let mut log = log_of(&world);
    let mut again = log[5].clone();
    let version = Version::new(18);
    let time = world.log().last().unwrap().time;
    for fact in &mut again {
        let table = table_of(fact);
        let Owned::Put(key, value) = fact else { unreachable!("a transfer only puts") };
        let bytes = std::mem::take(value);
        match table {
            Some(Transfers::ID) => {
                let row = TransferRow { version, time, ..TransferRow::parse(&bytes).unwrap() };
                row.write(value);
            }
            Some(History::ID) => {
                let row = HistoryRow { version, time, ..HistoryRow::parse(&bytes).unwrap() };
                row.write(value);
                let last = key.len() - 1;
                key[last] += 100;
            }
            _ => AccountRow { version, ..AccountRow::parse(&bytes).unwrap() }.write(value),
        }
    }
    log.push(again);
    let found = differences(&world, &log);
    let doubled = Difference::TransferDoubled { transfer: id("2") };
    assert!(found.contains(&doubled), "{found:?}");
    assert!(found.iter().any(|difference| matches!(difference, Difference::LegDoubled { .. })));
}

/// Every row as it must be, but for the limit that the account should have had.
#[test]
fn a_broken_limit_is_named() {
    let world = world();
    let mut log = log_of(&world);
    let bank = key(Accounts::ID, "bank");
    for fact in log.iter_mut().flatten() {
        if let Owned::Put(key, value) = fact
            && *key == bank
        {
            let row = AccountRow::parse(value).unwrap();
            value.clear();
            AccountRow { limit: Limit::DebitsNotAboveCredits, ..row }.write(value);
        }
    }
    let broken = Difference::LimitBroken { account: id("bank"), number: 1 };
    assert_eq!(differences(&world, &log), [broken]);
}

#[test]
fn a_transfer_changed_after_the_fact_is_named() {
    let world = world();
    let mut log = log_of(&world);
    change::<TransferRow>(&mut log, &key(Transfers::ID, "3"), |row| {
        row.credit_account = id("bank");
    });
    let changed = Difference::TransferChanged { transfer: id("3"), field: "content" };
    assert!(differences(&world, &log).contains(&changed));
}

#[test]
fn what_is_removed_is_named() {
    let world = world();
    let log = log_of(&world);
    let removed = |fact: Owned| {
        let mut more = log.clone();
        more[16].push(fact);
        differences(&world, &more)
    };
    let row = Difference::Removed { table: Transfers::NAME };
    assert!(removed(Owned::Delete(key(Transfers::ID, "1"))).contains(&row));
    let rows = Difference::Removed { table: History::NAME };
    let (from, to) = (key(History::ID, "bank"), key(History::ID, "shop"));
    assert!(removed(Owned::DeleteRange(from, to)).contains(&rows));
    let elsewhere = stored_key(Namespace::new(2), Transfers::ID, &"1");
    assert_eq!(removed(Owned::Delete(elsewhere)), []);
}

#[test]
fn a_report_is_bounded() {
    let world = world();
    let mut log = log_of(&world);
    for number in 0..1200_u64 {
        let row = HistoryRow {
            transfer: id("none"),
            event: holdfast_ledger::balances::Event::Posted,
            side: holdfast_ledger::balances::Side::Debit,
            amount: Amount::new(1),
            version: Version::new(17),
            time: world.now(),
            balances: holdfast_ledger::Balances::default(),
        };
        let mut value = Vec::new();
        row.write(&mut value);
        log[16].push(Owned::Put(key(History::ID, ("old", number)), value));
    }
    let report = audit(&world, &log, &state_of(&world, &log)).unwrap();
    assert_eq!(report.differences.listed.len(), 1000);
    assert!(report.differences.more > 0);
}

#[test]
fn a_number_left_out_of_a_history_is_named() {
    let world = world();
    let mut log = log_of(&world);
    let (due, skipped) = (key(History::ID, ("bank", 1_u64)), key(History::ID, ("bank", 2_u64)));
    for fact in log.iter_mut().flatten() {
        if let Owned::Put(key, _) = fact
            && *key == due
        {
            key.clone_from(&skipped);
        }
    }
    change::<AccountRow>(&mut log, &key(Accounts::ID, "bank"), |row| row.changes = 2);
    let gap = Difference::HistoryNumber { account: id("bank"), expected: 1, found: 2 };
    assert_eq!(differences(&world, &log), [gap]);
}

#[test]
fn history_out_of_order_is_named() {
    let world = world();
    let mut store = MemoryStore::new();
    world.log().iter().for_each(|batch| store.apply(batch, Bytes::new()).unwrap());
    let mut pairs = store.scan(&[0], &[0xFF], Scan::up(10_000)).unwrap();
    let place = |number: u64| {
        let of = key(History::ID, ("shop", number));
        pairs.iter().position(|(key, _)| *key == of).unwrap()
    };
    let (first, second) = (place(1), place(2));
    let value = pairs[first].1.clone();
    pairs[first].1 = std::mem::replace(&mut pairs[second].1, value);
    let mark = Mark { version: Version::new(17), checkpoint: Bytes::new() };
    let store = MemoryStore::from_pairs(pairs, mark);
    let state = View::new(store.snapshots().latest(), Namespace::DEFAULT, world.now());
    let found = Audit::from_state(&state).unwrap().finish(&state).unwrap().differences.listed;
    let order = Difference::HistoryOrder { account: id("shop"), number: 2 };
    assert!(found.contains(&order), "{found:?}");
}

#[test]
fn pending_sums_that_no_transfer_stands_for_are_named() {
    let world = world();
    let mut log = log_of(&world);
    change::<AccountRow>(&mut log, &key(Accounts::ID, "wallet"), |row| {
        row.balances.debits_pending = Amount::new(55);
    });
    change::<AccountRow>(&mut log, &key(Accounts::ID, "shop"), |row| {
        row.balances.credits_pending = Amount::new(55);
    });
    let found = differences(&world, &log);
    let named = |account: &str| {
        found.iter().any(|difference| {
            matches!(difference, Difference::PendingTotals { account: a, .. } if *a == id(account))
        })
    };
    assert!(named("wallet") && named("shop"), "{found:?}");
}
