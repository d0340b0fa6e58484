//! How long commands take on one core: evaluated in a transaction, encoded into a batch,
//! applied to a store in memory. No log, no disk, no threads, no answer as JSON.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use bytes::Bytes;
use holdfast_coordination::{
    documents::{PutDocumentSpec, Value, put},
    leases::{AcquireLeaseSpec, ReleaseLeaseSpec, acquire, release},
};
use holdfast_flow::topics::{
    AppendSpec, Data, MessageKey, Messages, NewMessage, Partitions, Retention, append,
    append_batch::{AppendBatch, AppendBatchSpec},
    create::{CreateTopic, CreateTopicSpec},
};
use holdfast_ledger::TransferSpec;
use holdfast_reservations::{
    HoldSpec, Quantity, Stock,
    confirm::{ConfirmSpec, confirm},
    create_resource::{CreateResource, CreateResourceSpec},
    hold,
    row::Kind,
};
use holdfast_state::{
    Amount, Batch, BatchBuilder, Budget, Date, Id, Lifetime, LogTime, MemoryStore, Namespace,
    Overlay, Stop, Store as _, Tx, TxContext, Version, command::Write as _,
};

use super::{
    BenchArgs,
    in_process::{account, id, mix, open},
};

/// Operations of each figure.
const OPERATIONS: u64 = 300_000;

/// Transactions that are applied together.
const PER_BATCH: u32 = 500;

const RESOURCES: u64 = 1_000;
const NIGHTS: u64 = 365;
const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

/// A partition without anything around it.
#[derive(Default)]
struct Core {
    store: MemoryStore,
    overlay: Overlay,
    batch: BatchBuilder,
    version: Version,
    evaluating: Duration,
    applying: Duration,
    bytes: usize,
}

/// One figure.
#[derive(serde::Serialize)]
struct Cost {
    name: &'static str,
    evaluate_ns: u128,
    apply_ns: u128,
    log_bytes: usize,
}

impl Core {
    fn transact<O, R: Debug>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<O, Stop<R>>,
    ) -> anyhow::Result<()> {
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
        work(&mut tx).map_err(|stop| anyhow!("a command of the run was not done: {stop:?}"))?;
        assert!(tx.commit(), "it wrote");
        self.version = self.version.next();
        self.evaluating += start.elapsed();
        if self.batch.count() >= PER_BATCH {
            self.apply()?;
        }
        Ok(())
    }

    fn apply(&mut self) -> anyhow::Result<()> {
        let start = Instant::now();
        let builder = std::mem::take(&mut self.batch);
        let count = builder.count();
        let first = Version::new(self.version.get() + 1 - u64::from(count));
        let bytes = builder.into_bytes();
        self.bytes += bytes.len();
        let batch = Batch { first, count, time: TIME, bytes: bytes.into() };
        self.store.apply(&batch, Bytes::new())?;
        self.overlay.applied(self.version);
        self.applying += start.elapsed();
        Ok(())
    }

    /// What each of so many operations took since it was asked last.
    fn cost(&mut self, name: &'static str, operations: u64) -> anyhow::Result<Cost> {
        self.apply()?;
        let each = |total: Duration| total.as_nanos() / u128::from(operations);
        let cost = Cost {
            name,
            evaluate_ns: each(self.evaluating),
            apply_ns: each(self.applying),
            log_bytes: self.bytes / usize::try_from(operations)?,
        };
        (self.evaluating, self.applying, self.bytes) = (Duration::ZERO, Duration::ZERO, 0);
        Ok(cost)
    }
}

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    for cost in [transfers, holds, messages, documents, leases].map(|figures| figures(args)) {
        for cost in cost? {
            if args.json {
                println!("{}", serde_json::to_string(&cost)?);
            } else {
                let Cost { name, evaluate_ns, apply_ns, log_bytes } = cost;
                println!(
                    "{name:<42} evaluate {evaluate_ns:>5} ns, apply {apply_ns:>5} ns, {log_bytes:>4} bytes of log"
                );
            }
        }
    }
    Ok(())
}

fn transfers(args: &BenchArgs) -> anyhow::Result<Vec<Cost>> {
    let mut core = Core::default();
    for number in 0..args.accounts {
        core.transact(|tx| open(tx, number).map_err(Stop::<()>::from))?;
    }
    core.cost("opening accounts", args.accounts)?;
    for number in 0..OPERATIONS {
        let mixed = mix(number);
        let from = mixed % args.accounts;
        let to = (from + 1 + (mixed >> 32) % (args.accounts - 1)) % args.accounts;
        let id = Some(id(&format!("transfer-{number:09}")));
        let spec = TransferSpec::posted(id, account(from), account(to), Amount::new(100));
        core.transact(|tx| holdfast_ledger::transfer(tx, &spec))?;
    }
    Ok(vec![core.cost("a transfer", OPERATIONS)?])
}

fn holds(_: &BenchArgs) -> anyhow::Result<Vec<Cost>> {
    let mut core = Core::default();
    for number in 0..RESOURCES {
        let stock = Stock::new(1_000_000).ok_or_else(|| anyhow!("a million is a stock"))?;
        let (id, kind) = (resource(number), Kind::Nights);
        let spec = CreateResourceSpec { id, kind, stock, metadata: None };
        core.transact(|tx| CreateResource::run(tx, &spec))?;
    }
    core.cost("creating resources", RESOURCES)?;
    for number in 0..OPERATIONS {
        let spec = two_nights(number)?;
        core.transact(|tx| hold(tx, &spec))?;
    }
    let held = core.cost("a hold of two nights", OPERATIONS)?;
    for number in OPERATIONS..2 * OPERATIONS {
        let spec = two_nights(number)?;
        let id = spec.id.clone().ok_or_else(|| anyhow!("it was given one"))?;
        core.transact(|tx| {
            hold(tx, &spec).map_err(shown)?;
            confirm(tx, &ConfirmSpec { id }).map_err(shown)
        })?;
    }
    let name = "a hold of two nights, confirmed at once";
    Ok(vec![held, core.cost(name, OPERATIONS)?])
}

fn shown<R: Debug>(stop: Stop<R>) -> Stop<String> {
    stop.map(|refusal| format!("{refusal:?}"))
}

fn resource(number: u64) -> Id {
    id(&format!("room-{number:06}"))
}

fn two_nights(number: u64) -> anyhow::Result<HoldSpec> {
    let mixed = mix(number);
    let first = 20_000 + u32::try_from((mixed >> 32) % NIGHTS)?;
    Ok(HoldSpec {
        id: Some(id(&format!("hold-{number:010}"))),
        resource: resource(mixed % RESOURCES),
        from: Some(Date::from_day(first)?),
        to: Some(Date::from_day(first + 2)?),
        quantity: Quantity::default(),
        expires_at: None,
        expires_in: Some("PT15M".parse::<Lifetime>()?),
        price: None,
        metadata: None,
    })
}

fn messages(_: &BenchArgs) -> anyhow::Result<Vec<Cost>> {
    const BATCH: usize = 100;
    let topic = id("bookings");
    let message = |id: Option<Id>| -> anyhow::Result<NewMessage> {
        Ok(NewMessage {
            id,
            key: Some(MessageKey::new("lisbon-double")?),
            r#type: self::id("booking.held").into(),
            data: Data::new(r#"{"hold":"hold_01kdvdna000000000003"}"#)?,
            event: None,
        })
    };
    let mut core = Core::default();
    let (partitions, retention) = (Partitions::ONE, Retention::default());
    let spec = CreateTopicSpec { id: topic.clone(), partitions, retention, metadata: None };
    core.transact(|tx| CreateTopic::run(tx, &spec))?;
    core.cost("creating a topic", 1)?;
    let spec = AppendSpec::new(topic.clone(), message(None)?);
    for _ in 0..OPERATIONS {
        core.transact(|tx| append(tx, &spec))?;
    }
    let plain = core.cost("a message", OPERATIONS)?;
    for number in 0..OPERATIONS {
        let with_id = message(Some(id(&format!("message-{number:09}"))))?;
        let spec = AppendSpec::new(topic.clone(), with_id);
        core.transact(|tx| append(tx, &spec))?;
    }
    let with_id = core.cost("a message with an id", OPERATIONS)?;
    let spec = AppendBatchSpec { topic, messages: Messages::new(vec![message(None)?; BATCH])? };
    for _ in 0..OPERATIONS / BATCH as u64 {
        core.transact(|tx| AppendBatch::run(tx, &spec))?;
    }
    Ok(vec![plain, with_id, core.cost("a message in batches of 100", OPERATIONS)?])
}

fn documents(_: &BenchArgs) -> anyhow::Result<Vec<Cost>> {
    let mut core = Core::default();
    let mut figures = Vec::new();
    for name in ["a document of 100 bytes, new", "the same, written again"] {
        for number in 0..OPERATIONS {
            let note = "x".repeat(58);
            let json = format!(r#"{{"status":"paid","n":1{number:09},"note":"{note}"}}"#);
            let spec = PutDocumentSpec {
                collection: id("orders"),
                id: id(&format!("order-{number:09}")),
                value: Value::new(&json)?,
                expires_in: None,
                session: None,
                if_match: None,
                if_none_match: None,
            };
            core.transact(|tx| put(tx, &spec))?;
        }
        figures.push(core.cost(name, OPERATIONS)?);
    }
    Ok(figures)
}

fn leases(_: &BenchArgs) -> anyhow::Result<Vec<Cost>> {
    let mut core = Core::default();
    let ttl = "PT10S".parse::<Lifetime>()?;
    for number in 0..OPERATIONS {
        let lease = id(&format!("lease-{:04}", mix(number) % RESOURCES));
        let (id, owner) = (lease.clone(), id("node-1"));
        let spec = AcquireLeaseSpec {
            id,
            owner,
            ttl: Some(ttl),
            wait_for: None,
            session: None,
            metadata: None,
        };
        core.transact(|tx| acquire(tx, &spec))?;
        // The grant's token is the version of its transaction.
        let spec = ReleaseLeaseSpec { id: lease, token: core.version.get() };
        core.transact(|tx| release(tx, &spec))?;
    }
    Ok(vec![core.cost("a lease, acquired and released", OPERATIONS)?])
}
