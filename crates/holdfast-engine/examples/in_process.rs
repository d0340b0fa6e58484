//! Throughput of one partition with the row mix of a transfer, without a
//! primitive: what the engine alone costs.
//!
//! `cargo run --release -p holdfast-engine --example in_process -- SECONDS IN_FLIGHT`
#![expect(clippy::disallowed_types, reason = "a measurement looks at the clock")]
#![expect(clippy::unwrap_used, reason = "a measurement may stop at any error")]

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use holdfast_engine::{Config, Fingerprint, Idempotency, Partition, Parts, Request};
use holdfast_log::{FileLog, disk::RealDisk};
use holdfast_state::{
    LogTime, MemoryStore, Namespace, Read, Stop, Store, Table, TableId, Tx,
    disk::{DiskOptions, DiskStore},
};
use minicbor::bytes::ByteVec;

struct Rows;

impl Table for Rows {
    const ID: TableId = TableId(0x7f00);
    const NAME: &'static str = "bench.rows";
    type Key<'k> = (u16, u64, u64);
    type Row = ByteVec;
}

fn transfer(tx: &mut Tx<'_>, id: u64, from: u64, to: u64) -> Result<Vec<u8>, Stop<Vec<u8>>> {
    let version = tx.version().get();
    let exists = tx.get::<Rows>((1, id, 0))?;
    assert!(exists.is_none());
    for account in [from, to] {
        let mut row = tx.get::<Rows>((2, account, 0))?.unwrap_or_else(|| vec![1; 45].into());
        row[0] = row[0].wrapping_add(1);
        tx.put::<Rows>((2, account, 0), &row)?;
        tx.put::<Rows>((3, account, version), &vec![2; 20].into())?;
    }
    tx.put::<Rows>((1, id, 0), &vec![3; 40].into())?;
    tx.put::<Rows>((4, version, 0), &vec![4; 40].into())?;
    let due = LogTime::from_us(tx.now().as_us() + 3_600_000_000);
    tx.arm_timer(due, "bench", &id)?;
    Ok(vec![5; 30])
}

fn main() {
    let mut args = std::env::args().skip(1);
    let seconds: u64 = args.next().map_or(5, |arg| arg.parse().unwrap());
    let in_flight: u64 = args.next().map_or(256, |arg| arg.parse().unwrap());
    let accounts: u64 = args.next().map_or(10_000, |arg| arg.parse().unwrap());
    let dir = tempfile::tempdir_in(".").unwrap();
    let disk = Arc::new(RealDisk::open(dir.path()).unwrap());
    let log = Arc::new(FileLog::open(disk, holdfast_log::FileLogOptions::default()).unwrap());
    let state = dir.path().join("state");
    let store: Box<dyn Store> = match args.next().as_deref() {
        Some("memory") => Box::new(MemoryStore::new()),
        _ => Box::new(DiskStore::open(&state, &DiskOptions::default()).unwrap()),
    };
    let parts = Parts { log: log.clone(), store, snapshots: None, kept: Vec::new(), seed: 7 };
    let depth = args.next().map_or(2, |arg| arg.parse().unwrap());
    let config =
        Config { snapshot_bytes: u64::MAX, entries_in_flight_max: depth, ..Config::default() };
    let partition = Partition::start(config, parts).unwrap();

    let (answered, answers) = mpsc::channel();
    let submit = |n: u64| {
        let answered = answered.clone();
        let spread = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (from, to) = (spread % accounts, (spread >> 20) % accounts);
        let begun = Instant::now();
        partition.submit(Request {
            namespace: Namespace::DEFAULT,
            idempotency: Some(Idempotency {
                key: format!("{spread:036x}").into(),
                fingerprint: Fingerprint([7; 16]),
            }),
            deadline_us: None,
            work: Box::new(move |tx| transfer(tx, spread, from, to)),
            reply: Box::new(move |answer| {
                answer.unwrap();
                drop(answered.send(begun.elapsed()));
            }),
        });
    };
    let begun = Instant::now();
    let mut next = 0;
    while next < in_flight {
        submit(next);
        next += 1;
    }
    let mut latencies = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        latencies.push(answers.recv().unwrap());
        submit(next);
        next += 1;
    }
    let per_second = latencies.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize];
    let metrics = partition.metrics();
    println!(
        "{per_second:.0}/s  p50 {:?}  p99 {:?}  max {:?}  {:.1} per entry  {:.0} B each",
        at(0.5),
        at(0.99),
        latencies.last().unwrap(),
        metrics.applied.get() as f64 / metrics.entries.get() as f64,
        metrics.entry_bytes.get() as f64 / metrics.applied.get() as f64,
    );
    println!("{:?}", log.stats());
    partition.stop();
    println!("{:?}", partition.join());
}
