//! Ten times more than it can take: a disk whose syncs take 20 ms, small batches,
//! and transfers offered by the clock whether or not earlier ones were answered.
//!
//! What is to be seen: refusals come at once, what was admitted is finished, and
//! memory stays where it is.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use holdfast_engine::{Failure, Partition};
use holdfast_node::Storage;

use super::{
    BenchArgs,
    in_process::{ReplyTo, Spread, closed_loop, node, request},
    measure::{Figure, Latencies, print, resident_bytes},
};

/// What a sync takes.
const SYNC: Duration = Duration::from_millis(20);

/// Bytes of a batch: with the sync, the artificial capacity.
const BATCH_BYTES: usize = 32 << 10;

/// How much more is offered than can be taken.
const TIMES: u64 = 10;

/// How an offered transfer ended, and how long that took.
enum Ended {
    Done(Duration),
    Refused(Duration),
    Otherwise(Failure),
}

/// How those offered in a while ended.
struct Counted {
    done: Latencies,
    refused: Latencies,
}

impl Counted {
    fn start() -> Self {
        Self { done: Latencies::start(), refused: Latencies::start() }
    }

    fn count(&mut self, ended: Ended) -> anyhow::Result<()> {
        match ended {
            Ended::Done(took) => self.done.record(took),
            Ended::Refused(took) => self.refused.record(took),
            Ended::Otherwise(failure) => return Err(failure.into()),
        }
        Ok(())
    }

    fn print(mut self, name: &str, json: bool) {
        self.done.stop();
        self.refused.stop();
        let (resident, highest) = resident_bytes();
        let note = format!("resident {} MiB (highest {})", resident >> 20, highest >> 20);
        print(&Figure::new(format!("{name}: admitted and done"), &self.done, note), json);
        print(&Figure::new(format!("{name}: refused"), &self.refused, String::new()), json);
    }
}

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let dir = args.ground.scratch()?;
    let node = node(Storage::Directory(dir.path().join("data")), args.accounts, |config| {
        config.sync_pause = SYNC;
        config.engine.batch_bytes = BATCH_BYTES;
    })?;
    let partition = node.partition();
    let spread = Spread::Uniform(args.accounts);
    let run = args.run_for();
    // Enough to fill its batches, and fewer than it would refuse.
    let most = args.in_flight.max(1_024);
    let capacity = closed_loop(&partition, (1, most, spread), |so_far| so_far.elapsed() >= run)?;
    let note = format!("{most} in flight, a sync takes {} ms", SYNC.as_millis());
    print(&Figure::new("overload: what it can take", &capacity, note), args.json);
    // One is offered every so many nanoseconds.
    let taken = u128::from(capacity.count().max(1) * TIMES);
    let pace = capacity.elapsed().as_nanos().div_ceil(taken);
    offer(args, &partition, spread, pace)?;
    drop(partition);
    drop(node.close());
    Ok(())
}

/// Offers one every `pace` nanoseconds, in four parts of the run, and counts each.
fn offer(
    args: &BenchArgs,
    partition: &Arc<Partition>,
    spread: Spread,
    pace: u128,
) -> anyhow::Result<()> {
    let (ended, ends) = mpsc::channel();
    let begun = Instant::now();
    let (mut offered, mut answered) = (0, 0);
    for quarter in 1..=4 {
        let until = args.run_for() * quarter / 4;
        let mut counted = Counted::start();
        while begun.elapsed() < until {
            let due = u64::try_from(begun.elapsed().as_nanos() / pace)?;
            for n in offered..due {
                partition.submit(request(2, n, spread, reply(ended.clone())));
            }
            offered = offered.max(due);
            for end in ends.try_iter() {
                counted.count(end)?;
                answered += 1;
            }
            thread::sleep(Duration::from_micros(200));
        }
        counted.print(&format!("overload, {quarter}/4"), args.json);
    }
    while answered < offered {
        let end = ends.recv_timeout(Duration::from_secs(10));
        ensure!(end.is_ok(), "{answered} of {offered} were answered, and then none");
        answered += 1;
    }
    Ok(())
}

fn reply(ended: mpsc::Sender<Ended>) -> ReplyTo {
    let begun = Instant::now();
    Box::new(move |answer| {
        let took = begun.elapsed();
        let end = match answer {
            Ok(_) => Ended::Done(took),
            Err(Failure::Overloaded) => Ended::Refused(took),
            Err(failure) => Ended::Otherwise(failure),
        };
        // At the end of a run that failed nobody listens any more.
        drop(ended.send(end));
    })
}
