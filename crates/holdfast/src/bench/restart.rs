//! How long a start takes that has only a snapshot and the log after it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use holdfast_engine::Partition;
use holdfast_node::{Node, Storage};

use super::{
    BenchArgs,
    in_process::{Spread, closed_loop, node},
};

/// Transactions after the snapshot.
const AFTER: u64 = 100_000;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let dir = args.ground.scratch()?;
    let data = dir.path().join("data");
    let spread = Spread::Uniform(args.accounts);
    {
        let node = node(Storage::Directory(data.clone()), args.accounts, |_| {})?;
        let load = (1, args.in_flight, spread);
        closed_loop(&node.partition(), load, |so_far| so_far.count() >= args.transfers)?;
        drop(node.close());
    }
    {
        // Small enough that the first batch brings a snapshot.
        let node =
            node(Storage::Directory(data.clone()), 1, |config| config.engine.snapshot_bytes = 1)?;
        closed_loop(&node.partition(), (2, 1, spread), |so_far| so_far.count() >= 1)?;
        wait_for_snapshot(&node.partition());
        drop(node.close());
    }
    {
        let node = node(Storage::Directory(data.clone()), 1, |_| {})?;
        let load = (3, args.in_flight, spread);
        closed_loop(&node.partition(), load, |so_far| so_far.count() >= AFTER)?;
        drop(node.close());
    }
    let with_state = time_start(&data)?;
    std::fs::remove_dir_all(data.join("partition-0/state")).context("removing the state")?;
    let rebuilt = time_start(&data)?;
    let transfers = args.transfers;
    if args.json {
        println!(
            "{}",
            serde_json::json!({
                "name": "restart", "transfers": transfers, "after_snapshot": AFTER,
                "state_on_disk_ms": with_state.as_millis(), "rebuilt_ms": rebuilt.as_millis(),
            })
        );
    } else {
        println!("start with the state on disk:                    {with_state:.2?}");
        println!(
            "start from a snapshot of {transfers} transfers and {AFTER} transactions of log: {rebuilt:.2?}"
        );
    }
    Ok(())
}

fn wait_for_snapshot(partition: &Partition) {
    while partition.metrics().snapshots.get() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// From nothing to leading.
fn time_start(data: &std::path::Path) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let config = holdfast_node::NodeConfig::new(Storage::Directory(data.to_owned()));
    let node = Node::open(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(node.partition().leading()).map_err(|why| anyhow::anyhow!("{why}"))?;
    let took = begun.elapsed();
    drop(node.close());
    Ok(took)
}
