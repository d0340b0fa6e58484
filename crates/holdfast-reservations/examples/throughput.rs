//! How long a hold of two nights takes on one core, and a hold that is confirmed in the
//! same transaction: evaluated, encoded into a batch, applied to a store in memory. No
//! log, no disk, no answer as JSON.
//!
//! `cargo run --release -p holdfast-reservations --example throughput -- 200000`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::disallowed_types, reason = "it measures wall time")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_reservations::{
    HoldSpec, Quantity, Stock,
    confirm::{ConfirmSpec, confirm},
    create_resource::{CreateResource, CreateResourceSpec},
    hold,
    row::Kind,
};
use holdfast_state::{
    Batch, BatchBuilder, Budget, Date, Id, LogTime, MemoryStore, Namespace, Overlay, Store as _,
    Tx, TxContext, Version, command::Write as _,
};

const RESOURCES: u64 = 1_000;
const NIGHTS: u64 = 365;
const PER_BATCH: u32 = 500;
const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

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
            now: TIME,
            entry_time: TIME,
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
        let batch = Batch { first, count, time: TIME, bytes: bytes.into() };
        self.store.apply(&batch, Bytes::new()).unwrap();
        self.overlay.applied(self.version);
        self.applying += start.elapsed();
    }

    fn report(&mut self, what: &str, holds: u32) {
        self.apply();
        let each = |total: Duration| total.as_nanos() / u128::from(holds);
        println!(
            "{holds} {what}: evaluate {} ns, apply {} ns, {} bytes of log each",
            each(self.evaluating),
            each(self.applying),
            self.bytes / usize::try_from(holds).unwrap()
        );
        (self.evaluating, self.applying, self.bytes) = (Duration::ZERO, Duration::ZERO, 0);
    }
}

fn resource(number: u64) -> Id {
    Id::new(&format!("room-{number:06}")).unwrap()
}

fn spec(number: u32, resource_number: u64, night: u64) -> HoldSpec {
    let date = |night: u64| Date::from_day(20_000 + u32::try_from(night).unwrap()).unwrap();
    HoldSpec {
        id: Some(Id::new(&format!("hold-{number:010}")).unwrap()),
        resource: resource(resource_number),
        from: Some(date(night)),
        to: Some(date(night + 2)),
        quantity: Quantity::default(),
        expires_at: None,
        expires_in: Some("PT15M".parse().unwrap()),
        price: None,
        metadata: None,
    }
}

fn main() {
    let holds: u32 = std::env::args().nth(1).map_or(200_000, |text| text.parse().unwrap());
    let mut bench = Bench {
        store: MemoryStore::new(),
        overlay: Overlay::default(),
        batch: BatchBuilder::default(),
        version: Version::ZERO,
        evaluating: Duration::ZERO,
        applying: Duration::ZERO,
        bytes: 0,
    };
    for number in 0..RESOURCES {
        let (id, stock) = (resource(number), Stock::new(1_000_000).unwrap());
        let spec = CreateResourceSpec { id, kind: Kind::Nights, stock, metadata: None };
        bench.transact(|tx| drop(CreateResource::run(tx, &spec).unwrap()));
    }
    bench.apply();
    (bench.evaluating, bench.applying, bench.bytes) = (Duration::ZERO, Duration::ZERO, 0);
    let mut random = 7_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % below
    };
    for number in 0..holds {
        let spec = spec(number, next(RESOURCES), next(NIGHTS));
        bench.transact(|tx| drop(hold(tx, &spec).unwrap()));
    }
    bench.report("holds of two nights", holds);
    for number in holds..2 * holds {
        let spec = spec(number, next(RESOURCES), next(NIGHTS));
        let id = spec.id.clone().unwrap();
        bench.transact(|tx| {
            drop(hold(tx, &spec).unwrap());
            drop(confirm(tx, &ConfirmSpec { id }).unwrap());
        });
    }
    bench.report("holds confirmed in the same transaction", holds);
}
