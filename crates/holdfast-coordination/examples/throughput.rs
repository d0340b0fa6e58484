//! How long documents and leases take on one core: evaluated in transactions, encoded into
//! batches, applied to a store in memory. No log, no disk, no answer as JSON.
//!
//! `cargo run --release -p holdfast-coordination --example throughput -- 300000`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::disallowed_types, reason = "it measures wall time")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_coordination::{
    documents::{
        PatchDocumentSpec, PutDocumentSpec, Value,
        index::{
            create::{CreateIndex, CreateIndexSpec},
            path::Path,
        },
        patch, put,
    },
    leases::{AcquireLeaseSpec, ReleaseLeaseSpec, RenewLeaseSpec, acquire, release, renew},
};
use holdfast_state::{
    Batch, BatchBuilder, Budget, Id, Lifetime, LogTime, MemoryStore, Namespace, Overlay,
    Store as _, Tx, TxContext, Version, command::Write as _,
};

const PER_BATCH: u32 = 500;
const NOW: LogTime = LogTime::from_us(1_767_225_600_000_000);

#[derive(Default)]
struct Bench {
    store: MemoryStore,
    overlay: Overlay,
    batch: BatchBuilder,
    version: Version,
    evaluating: Duration,
    applying: Duration,
    bytes: usize,
}

impl Bench {
    fn transact(&mut self, work: impl FnOnce(&mut Tx<'_>)) {
        let start = Instant::now();
        let context = TxContext {
            version: self.version.next(),
            now: NOW,
            entry_time: NOW,
            namespace: Namespace::DEFAULT,
            seed: 1,
            budget: Budget::default(),
        };
        let mut tx = Tx::begin(&self.store, &mut self.overlay, &mut self.batch, context);
        work(&mut tx);
        assert!(tx.commit(), "it wrote");
        self.version = self.version.next();
        self.evaluating += start.elapsed();
        if self.batch.count() >= PER_BATCH {
            self.apply();
        }
    }

    fn apply(&mut self) {
        let start = Instant::now();
        let builder = std::mem::take(&mut self.batch);
        let count = builder.count();
        let first = Version::new(self.version.get() + 1 - u64::from(count));
        let bytes = builder.into_bytes();
        self.bytes += bytes.len();
        let batch = Batch { first, count, time: NOW, bytes: bytes.into() };
        self.store.apply(&batch, Bytes::new()).unwrap();
        self.overlay.applied(self.version);
        self.applying += start.elapsed();
    }

    /// What so many operations took since it was asked last.
    fn report(&mut self, what: &str, count: u32) {
        self.apply();
        let each = |total: Duration| total.as_nanos() / u128::from(count);
        println!(
            "{what}: evaluate {} ns, apply {} ns, {} bytes of log",
            each(self.evaluating),
            each(self.applying),
            self.bytes / usize::try_from(count).unwrap()
        );
        (self.evaluating, self.applying, self.bytes) = (Duration::ZERO, Duration::ZERO, 0);
    }
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// A document of 100 bytes.
fn write(number: u32) -> PutDocumentSpec {
    let json = format!(r#"{{"status":"paid","n":1{number:09},"note":"{}"}}"#, "x".repeat(58));
    assert_eq!(json.len(), 100);
    PutDocumentSpec {
        collection: id("orders"),
        id: id(&format!("order-{number:09}")),
        value: Value::new(&json).unwrap(),
        expires_in: None,
        if_match: None,
        if_none_match: None,
    }
}

fn documents(bench: &mut Bench, count: u32) {
    for number in 0..count {
        let spec = write(number);
        bench.transact(|tx| drop(put(tx, &spec).unwrap()));
    }
    bench.report("put, new", count);
    for number in 0..count {
        let spec = write(number);
        bench.transact(|tx| drop(put(tx, &spec).unwrap()));
    }
    bench.report("put, again", count);
    for number in 0..count {
        let (collection, id) = (id("orders"), id(&format!("order-{number:09}")));
        let patch_value = Value::new(r#"{"status":"shipped"}"#).unwrap();
        let spec = PatchDocumentSpec {
            collection,
            id,
            patch: patch_value,
            expires_in: None,
            if_match: None,
        };
        bench.transact(|tx| drop(patch(tx, &spec).unwrap()));
    }
    bench.report("patch of one member", count);
}

fn indexed(bench: &mut Bench, count: u32) {
    let (collection, path) = (id("orders2"), Path::new("/status").unwrap());
    let spec = CreateIndexSpec { collection, id: id("status"), path };
    bench.transact(|tx| drop(CreateIndex::run(tx, &spec).unwrap()));
    bench.report("creating an index", 1);
    for number in 0..count {
        let spec = PutDocumentSpec { collection: id("orders2"), ..write(number) };
        bench.transact(|tx| drop(put(tx, &spec).unwrap()));
    }
    bench.report("put, new, with an index", count);
}

fn leases(bench: &mut Bench, count: u32) {
    let ttl = Lifetime::from_us(10_000_000).unwrap();
    let lease = |number: u32| id(&format!("lease-{:06}", number % 10_000));
    for number in 0..count {
        let (id, owner) = (lease(number), id("node-1"));
        let spec = AcquireLeaseSpec { id, owner, ttl, wait_for: None, metadata: None };
        let mut token = None;
        bench.transact(|tx| token = acquire(tx, &spec).unwrap().token);
        let spec = ReleaseLeaseSpec { id: lease(number), token: token.unwrap() };
        bench.transact(|tx| drop(release(tx, &spec).unwrap()));
    }
    bench.report("acquire and release", count);
    let mut token = None;
    let spec =
        AcquireLeaseSpec { id: id("l"), owner: id("a"), ttl, wait_for: None, metadata: None };
    bench.transact(|tx| token = acquire(tx, &spec).unwrap().token);
    let spec = RenewLeaseSpec { id: id("l"), token: token.unwrap(), ttl: None };
    for _ in 0..count {
        bench.transact(|tx| drop(renew(tx, &spec).unwrap()));
    }
    bench.report("renew", count);
}

fn main() {
    let count: u32 = std::env::args().nth(1).map_or(300_000, |text| text.parse().unwrap());
    let mut bench = Bench::default();
    documents(&mut bench, count);
    indexed(&mut bench, count);
    leases(&mut bench, count);
}
