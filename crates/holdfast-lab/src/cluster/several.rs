//! Nodes as the runner of scenarios asks and strikes them.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::runtime::Handle;

use super::{Cluster, Leading, leading};
use crate::scenario::Counts;

/// Somebody leads so soon, or the run is given up.
const LED_WITHIN: Duration = Duration::from_secs(60);

/// How often it is looked whether somebody does.
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// A cluster that callers share. Dropped, all its processes are killed.
#[derive(Debug)]
pub struct Several {
    addresses: Vec<SocketAddr>,
    /// Whom the next caller asks.
    turn: AtomicUsize,
    /// Locked while somebody is struck.
    struck: Mutex<Struck>,
}

#[derive(Debug)]
struct Struck {
    cluster: Cluster,
    killed: i64,
    halted: i64,
}

impl Several {
    /// These nodes, which have been started.
    #[must_use]
    pub fn new(cluster: Cluster) -> Self {
        let addresses = cluster.addresses();
        let struck = Mutex::new(Struck { cluster, killed: 0, halted: 0 });
        Self { addresses, turn: AtomicUsize::new(0), struck }
    }

    /// Where the nodes listen.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// One node after the other, whether it is there or not.
    pub(crate) fn next_address(&self) -> SocketAddr {
        self.addresses[self.turn.fetch_add(1, Ordering::Relaxed) % self.addresses.len()]
    }

    /// Kills whoever leads, or halts it, in turn, until another leads; then it is back.
    pub(crate) fn strike(&self) -> anyhow::Result<()> {
        let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        let leader = self.await_leader(0)?;
        let Struck { cluster, killed, halted } = &mut *struck;
        if *killed <= *halted {
            cluster.node(leader.node).kill()?;
            self.await_leader(leader.epoch + 1)?;
            cluster.node(leader.node).start()?;
            *killed += 1;
        } else {
            cluster.node(leader.node).pause()?;
            let another = self.await_leader(leader.epoch + 1);
            cluster.node(leader.node).resume()?;
            another?;
            *halted += 1;
        }
        Ok(())
    }

    /// What [`strike`](Self::strike) has done so far.
    pub(crate) fn suffered(&self) -> Counts {
        let struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        let told = [("leaders killed", struck.killed), ("leaders halted", struck.halted)];
        told.map(|(what, count)| (what.to_owned(), count)).into()
    }

    /// Asks every node to stop, and waits until it has.
    pub(crate) fn end(&self) -> anyhow::Result<()> {
        let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        (0..self.addresses.len()).try_for_each(|node| struck.cluster.node(node).drain())
    }

    /// Waits until somebody leads, in this epoch or a later one.
    fn await_leader(&self, epoch: u64) -> anyhow::Result<Leading> {
        let begun = Instant::now();
        while begun.elapsed() < LED_WITHIN {
            let found = Handle::current().block_on(leading(&self.addresses));
            if let Some(leader) = found.filter(|leader| leader.epoch >= epoch) {
                return Ok(leader);
            }
            std::thread::sleep(LOOKED_EVERY);
        }
        bail!("nobody came to lead in epoch {epoch} or later within {LED_WITHIN:?}")
    }
}
