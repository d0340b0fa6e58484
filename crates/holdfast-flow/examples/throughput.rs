//! How long an append takes on one core: evaluated in a transaction, encoded into a
//! batch, applied to a store in memory. No log, no disk, no answer as JSON.
//!
//! `cargo run --release -p holdfast-flow --example throughput -- 300000`

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::disallowed_types, reason = "it measures wall time")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_flow::topics::{
    AppendSpec, Data, MessageKey, Messages, NewMessage, append,
    append_batch::{AppendBatch, AppendBatchSpec},
    create::{CreateTopic, CreateTopicSpec},
};
use holdfast_state::{
    Batch, BatchBuilder, Budget, Id, LogTime, MemoryStore, Namespace, Overlay, Store as _, Tx,
    TxContext, Version, command::Write as _,
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

    /// What so many messages took since it was asked last.
    fn report(&mut self, what: &str, messages: u32) {
        self.apply();
        let each = |total: Duration| total.as_nanos() / u128::from(messages);
        println!(
            "{what}: a message evaluate {} ns, apply {} ns, {} bytes of log",
            each(self.evaluating),
            each(self.applying),
            self.bytes / usize::try_from(messages).unwrap()
        );
        (self.evaluating, self.applying, self.bytes) = (Duration::ZERO, Duration::ZERO, 0);
    }
}

fn topic() -> Id {
    Id::new("bookings").unwrap()
}

fn message(id: Option<u32>) -> NewMessage {
    NewMessage {
        id: id.map(|number| Id::new(&format!("message-{number:09}")).unwrap()),
        key: Some(MessageKey::new("lisbon-double").unwrap()),
        r#type: Id::new("booking.held").unwrap(),
        data: Data::new(r#"{"hold":"hold_01kdvdna000000000003"}"#).unwrap(),
    }
}

fn main() {
    let messages: u32 = std::env::args().nth(1).map_or(300_000, |text| text.parse().unwrap());
    let mut bench = Bench::default();
    let spec = CreateTopicSpec { id: topic(), metadata: None };
    bench.transact(|tx| drop(CreateTopic::run(tx, &spec).unwrap()));
    bench.report("creating the topic", 1);
    let spec = AppendSpec::new(topic(), message(None));
    for _ in 0..messages {
        bench.transact(|tx| drop(append(tx, &spec).unwrap()));
    }
    bench.report("one by one", messages);
    for number in 0..messages {
        let spec = AppendSpec::new(topic(), message(Some(number)));
        bench.transact(|tx| drop(append(tx, &spec).unwrap()));
    }
    bench.report("one by one, with ids", messages);
    let batch = Messages::new(vec![message(None); 100]).unwrap();
    let spec = AppendBatchSpec { topic: topic(), messages: batch };
    for _ in 0..messages / 100 {
        bench.transact(|tx| drop(AppendBatch::run(tx, &spec).unwrap()));
    }
    bench.report("in batches of 100", messages / 100 * 100);
}
