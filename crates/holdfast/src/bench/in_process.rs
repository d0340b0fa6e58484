//! Transfers in this process: no HTTP, the partition's own handle.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use holdfast_engine::{Answer, Asked, Decision, Fingerprint, Partition, Request};
use holdfast_ledger::{
    Limit, TransferSpec,
    open_account::{OpenAccount, OpenAccountSpec},
};
use holdfast_node::{Node, NodeConfig, Storage};
use holdfast_state::{
    Abort, Amount, Id, Namespace, Read as _, Stop, Table, TableId, Tx, command::Write as _,
};

use super::{
    BenchArgs, floor,
    ground::LogKind,
    measure::{Figure, Latencies, cpu, print, resident_bytes},
};

/// Takes a request's answer.
pub(super) type ReplyTo = Box<dyn FnOnce(Answer) + Send>;

/// One hour: timers that the run arms do not fire in it.
const TIMER_US: u64 = 3_600_000_000;

/// What happened, for whoever follows: the event row of a transfer.
struct Events;

impl Table for Events {
    const ID: TableId = TableId(0x7f01);
    const NAME: &'static str = "bench.events";
    type Key<'k> = u64;
    type Row = Event;
}

#[derive(minicbor::Encode, minicbor::Decode)]
struct Event {
    #[n(0)]
    kind: String,
    #[n(1)]
    transfer: String,
    #[n(2)]
    amount: u32,
}

/// Which accounts transfers go between.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spread {
    /// Any to any.
    Uniform(u64),
    /// Always from the first, to any.
    Hot(u64),
}

impl Spread {
    /// The accounts of the n-th transfer; never the same twice in one.
    fn accounts(self, n: u64) -> (u64, u64) {
        let mixed = mix(n);
        match self {
            Self::Uniform(count) => {
                let from = mixed % count;
                (from, (from + 1 + (mixed >> 32) % (count - 1)) % count)
            }
            Self::Hot(count) => (0, 1 + mixed % (count - 1)),
        }
    }
}

/// SplitMix64's finisher: spreads numbers without a pattern.
pub(super) const fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

pub(super) fn id(text: &str) -> Id {
    Id::new(text).expect("made of letters, digits and dashes")
}

pub(super) fn account(number: u64) -> Id {
    id(&format!("account-{number:06}"))
}

fn transfer(tx: &mut Tx<'_>, spec: &TransferSpec) -> Result<Vec<u8>, Stop<Vec<u8>>> {
    let made = holdfast_ledger::transfer(tx, spec)
        .map_err(|stop| stop.map(|refusal| format!("{refusal:?}").into_bytes()))?;
    let event = Event {
        kind: "transfer.posted".to_owned(),
        transfer: made.transfer.id.to_string(),
        amount: 100,
    };
    tx.put::<Events>(tx.version().get(), &event)?;
    let due = tx.now().plus_us(TIMER_US);
    tx.arm_timer(due, "bench.remind", &tx.version())?;
    Ok(b"posted".to_vec())
}

/// The n-th transfer's request. `serial` tells runs on one state apart.
pub(super) fn request(serial: u64, n: u64, spread: Spread, reply: ReplyTo) -> Request {
    let (from, to) = spread.accounts(n);
    let name = mix(n ^ (serial << 48));
    let spec = TransferSpec::posted(
        Some(id(&format!("t-{name:016x}"))),
        account(from),
        account(to),
        Amount::new(100),
    );
    let key = format!("{serial:08x}-0000-4000-8000-{name:012x}");
    Request {
        namespace: Namespace::DEFAULT,
        asked: Some(Asked { fingerprint: Fingerprint([7; 16]), key: Some(key[..36].into()) }),
        deadline_us: None,
        work: Box::new(move |tx| transfer(tx, &spec)),
        reply,
    }
}

fn tell(answered: mpsc::Sender<Answered>) -> ReplyTo {
    let begun = Instant::now();
    Box::new(move |answer| {
        let done = answer.is_ok_and(|outcome| outcome.decision == Decision::Done);
        // At the end of a run nobody listens any more.
        drop(answered.send(Answered { took: begun.elapsed(), done }));
    })
}

struct Answered {
    took: Duration,
    done: bool,
}

/// Keeps `in_flight` transfers going until `enough`; counts those that were done.
pub(super) fn closed_loop(
    partition: &Partition,
    (serial, in_flight, spread): (u64, u64, Spread),
    enough: impl FnMut(&Latencies) -> bool,
) -> anyhow::Result<Latencies> {
    let request = |n, reply| request(serial, n, spread, reply);
    closed_loop_of(partition, in_flight, request, enough)
}

/// Keeps `in_flight` requests going until `enough`; each must be done.
pub(super) fn closed_loop_of(
    partition: &Partition,
    in_flight: u64,
    request: impl Fn(u64, ReplyTo) -> Request,
    mut enough: impl FnMut(&Latencies) -> bool,
) -> anyhow::Result<Latencies> {
    let (answered, answers) = mpsc::channel();
    let submit = |n| partition.submit(request(n, tell(answered.clone())));
    let mut latencies = Latencies::start();
    (0..in_flight).for_each(submit);
    let mut next = in_flight;
    while !enough(&latencies) {
        let Answered { took, done } = answers.recv().expect("a sender is held here");
        if !done {
            bail!("a request of the run was not done");
        }
        latencies.record(took);
        submit(next);
        next += 1;
    }
    latencies.stop();
    for _ in 0..in_flight {
        answers.recv().expect("a sender is held here");
    }
    Ok(latencies)
}

/// A node on an empty log, that leads, with its accounts opened.
pub(super) fn node(
    storage: Storage,
    accounts: u64,
    config: impl FnOnce(&mut NodeConfig),
) -> anyhow::Result<Node> {
    let mut settings = NodeConfig::new(storage);
    settings.engine.snapshot_bytes = u64::MAX;
    config(&mut settings);
    let node = Node::open(settings)?;
    let partition = node.partition();
    // Where others could lead it has to claim first, and says so to whoever comes before.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(partition.leading()).map_err(|why| anyhow!("it does not lead: {why}"))?;
    let (answered, answers) = mpsc::channel();
    for first in (0..accounts).step_by(100) {
        let answered = answered.clone();
        partition.submit(Request {
            namespace: Namespace::DEFAULT,
            asked: None,
            deadline_us: None,
            work: Box::new(move |tx| {
                for number in first..(first + 100).min(accounts) {
                    open(tx, number)?;
                }
                Ok(Vec::new())
            }),
            reply: Box::new(move |answer| {
                answered.send(answer.is_ok()).expect("whoever opens accounts waits");
            }),
        });
        if !answers.recv().context("the partition ended")? {
            bail!("the accounts could not be opened");
        }
    }
    Ok(node)
}

pub(super) fn open(tx: &mut Tx<'_>, number: u64) -> Result<(), Abort> {
    let asset = holdfast_ledger::Asset::new("EUR").expect("a currency");
    let spec = OpenAccountSpec { id: account(number), asset, limit: Limit::None, metadata: None };
    match OpenAccount::run(tx, &spec) {
        Ok(_) => Ok(()),
        Err(Stop::Aborted(abort)) => Err(abort),
        Err(Stop::Refused(refusal)) => unreachable!("a fresh account is not refused: {refusal:?}"),
    }
}

/// 256 in flight, uniform and hot.
pub(super) fn throughput(args: &BenchArgs) -> anyhow::Result<()> {
    let spreads = [
        ("in process, uniform", Spread::Uniform(args.accounts)),
        ("in process, one hot account", Spread::Hot(args.accounts)),
    ];
    for (name, spread) in spreads {
        let ground = args.ground.ground()?;
        let node = node(ground.storage()?, args.accounts, |_| {})?;
        let partition = node.partition();
        let before =
            (partition.metrics().entry_bytes.get(), partition.metrics().applied.get(), cpu());
        let run = args.run_for();
        let load = (1, args.in_flight, spread);
        let latencies = closed_loop(&partition, load, |so_far| so_far.elapsed() >= run)?;
        let metrics = partition.metrics();
        let applied = (metrics.applied.get() - before.1).max(1) as f64;
        let note = format!(
            "{} in flight, {:.0} B of log and {:.1} us of processor time each",
            args.in_flight,
            (metrics.entry_bytes.get() - before.0) as f64 / applied,
            (cpu() - before.2).as_secs_f64() * 1e6 / applied,
        );
        print(&Figure::new(name, &latencies, note), args.json);
        drop(node.close());
    }
    Ok(())
}

/// How often the bare write and the transfers of `alone` take turns: both see the same disk.
const TURNS: u32 = 4;

/// Bytes of the entry that one transfer alone makes, to the next hundred.
const ALONE_BYTES: usize = 700;

/// One at a time, and the bare write in turns with it.
pub(super) fn alone(args: &BenchArgs) -> anyhow::Result<()> {
    let ground = args.ground.ground()?;
    let node = node(ground.storage()?, args.accounts, |_| {})?;
    let (mut bare, mut own) = (Latencies::start(), Latencies::start());
    let turn = args.run_for() / TURNS;
    let enough = |so_far: &Latencies| so_far.elapsed() >= turn;
    for number in 0..TURNS {
        bare.append(&match args.ground.log() {
            LogKind::Files => floor::append_and_sync(ground.dir(), ALONE_BYTES, turn)?,
            LogKind::Postgres => ground.bare_insert(ALONE_BYTES, enough)?,
        });
        let load = (1 + u64::from(number), 1, Spread::Uniform(args.accounts));
        own.append(&closed_loop(&node.partition(), load, enough)?);
    }
    let name = match args.ground.log() {
        LogKind::Files => "floor: append 700 B + fdatasync",
        LogKind::Postgres => "floor: bare INSERT of 700 B",
    };
    let bare = Figure::new(name, &bare, String::new());
    print(&bare, args.json);
    let figure = Figure::new("in process, alone", &own, String::new());
    print(&figure, args.json);
    if !args.json {
        println!("    p50 is {:.2} times that of the bare write", figure.p50_us() / bare.p50_us());
    }
    drop(node.close());
    Ok(())
}

/// What a long run says beside its figures; `spent_us` is the processor time of each request.
pub(super) fn memory(spent_us: f64) -> String {
    let (resident, highest) = resident_bytes();
    let (resident, highest) = (resident >> 20, highest >> 20);
    format!("resident {resident} MiB (highest {highest}), {spent_us:.1} us of processor time each")
}

/// Throughput and memory, tenth by tenth.
pub(super) fn fill(args: &BenchArgs) -> anyhow::Result<()> {
    let ground = args.ground.ground()?;
    let node = node(ground.storage()?, args.accounts, |_| {})?;
    let partition = node.partition();
    for tenth in 0..10 {
        let before = cpu();
        let load = (tenth + 1, args.in_flight, Spread::Uniform(args.accounts));
        let share = (args.transfers / 10).max(1);
        let latencies = closed_loop(&partition, load, |so_far| so_far.count() >= share)?;
        let spent = (cpu() - before).as_secs_f64() * 1e6 / latencies.count() as f64;
        let name = format!("fill, {} transfers", share * (tenth + 1));
        print(&Figure::new(name, &latencies, memory(spent)), args.json);
    }
    drop(Arc::clone(&partition));
    drop(node.close());
    Ok(())
}
