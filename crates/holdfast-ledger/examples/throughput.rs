//! How long a transfer takes on one core: evaluated in a transaction, encoded
//! into a batch, applied to a store in memory. No log, no disk, no answer as JSON.
//!
//! `cargo run --release -p holdfast-ledger --example throughput -- 200000`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::disallowed_types, reason = "it measures wall time")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_ledger::{
    Limit, TransferSpec,
    open_account::{OpenAccount, OpenAccountSpec},
    transfer,
};
use holdfast_state::{
    Amount, Batch, BatchBuilder, Budget, Id, LogTime, MemoryStore, Namespace, Overlay, Store as _,
    Tx, TxContext, Version, command::Write as _,
};

const ACCOUNTS: u64 = 1_000;
const PER_BATCH: u32 = 500;

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
            now: LogTime::from_us(1_767_225_600_000_000),
            entry_time: LogTime::from_us(1_767_225_600_000_000),
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
        let time = LogTime::from_us(1_767_225_600_000_000);
        let batch = Batch { first, count, time, bytes: bytes.into() };
        self.store.apply(&batch, Bytes::new()).unwrap();
        self.overlay.applied(self.version);
        self.applying += start.elapsed();
    }
}

fn account(number: u64) -> Id {
    Id::new(&format!("account-{number:06}")).unwrap()
}

fn main() {
    let transfers: u32 = std::env::args().nth(1).map_or(200_000, |text| text.parse().unwrap());
    let mut bench = Bench {
        store: MemoryStore::new(),
        overlay: Overlay::default(),
        batch: BatchBuilder::default(),
        version: Version::ZERO,
        evaluating: Duration::ZERO,
        applying: Duration::ZERO,
        bytes: 0,
    };
    for number in 0..ACCOUNTS {
        let asset = "EUR".parse().unwrap();
        let spec =
            OpenAccountSpec { id: account(number), asset, limit: Limit::None, metadata: None };
        bench.transact(|tx| drop(OpenAccount::run(tx, &spec).unwrap()));
    }
    bench.apply();
    (bench.evaluating, bench.applying, bench.bytes) = (Duration::ZERO, Duration::ZERO, 0);
    let mut random = 7_u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % ACCOUNTS
    };
    for number in 0..transfers {
        let from = next();
        let to = (from + 1 + next() % (ACCOUNTS - 1)) % ACCOUNTS;
        let id = Some(Id::new(&format!("transfer-{number:09}")).unwrap());
        let spec = TransferSpec::posted(id, account(from), account(to), Amount::new(100));
        bench.transact(|tx| drop(transfer(tx, &spec).unwrap()));
    }
    bench.apply();
    let each = |total: Duration| total.as_nanos() / u128::from(transfers);
    println!(
        "{transfers} transfers: evaluate {} ns, apply {} ns, {} bytes of log each",
        each(bench.evaluating),
        each(bench.applying),
        bench.bytes / usize::try_from(transfers).unwrap()
    );
}
