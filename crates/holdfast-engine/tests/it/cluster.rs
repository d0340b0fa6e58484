//! Several nodes that share one log, on one thread and one clock that the test moves.
//!
//! A node that is paused does nothing, as a process that is stopped or a machine that stalls does:
//! what it sent may arrive meanwhile, and what the log answers waits for it.

use holdfast_engine::{Config, Leadership, Shared};
use holdfast_log::MemoryLog;
use holdfast_state::{MemoryStore, Store};

use crate::{
    held::HeldLog,
    node::{Clock, Node, Start, config},
    toy::Op,
};

/// The lease of every node here.
pub(crate) const LEASE_US: u64 = 1_000_000;

/// How far time moves between two turns.
pub(crate) const STEP_US: u64 = 10_000;

/// No failover takes longer: a lease as others wait for it, the longest jitter, and some looks.
pub(crate) const FAILOVER_US: u64 = LEASE_US + LEASE_US / 100 + LEASE_US / 2 + 10 * STEP_US;

/// Nor where the clocks of all who could claim contradict the log: they leave it to others first.
pub(crate) const FAILOVER_IN_DOUBT_US: u64 = FAILOVER_US + 2 * LEASE_US;

/// The settings of a node of this name in a cluster.
pub(crate) fn shared(name: &str) -> Config {
    let shared = Shared { lease_ms: LEASE_US / 1_000, look_every_us: STEP_US, ..Shared::default() };
    Config {
        node: name.to_owned(),
        address: format!("{name}:1"),
        leadership: Leadership::Shared(shared),
        ..config()
    }
}

/// A node, and whether it runs.
pub(crate) struct Member {
    pub(crate) node: Node,
    pub(crate) log: HeldLog,
    pub(crate) paused: bool,
}

/// Nodes `n0`, `n1` and so on.
pub(crate) struct Cluster {
    pub(crate) memory: MemoryLog,
    pub(crate) clock: Clock,
    pub(crate) members: Vec<Member>,
    seed: u64,
}

impl Cluster {
    /// No nodes yet; those that come draw other numbers for every seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        let (memory, clock) = (MemoryLog::new(), Clock::new());
        Self { memory, clock, members: Vec::new(), seed }
    }

    /// So many nodes on a new log, that have not done anything yet.
    pub(crate) fn of(nodes: usize) -> Self {
        let mut cluster = Self::seeded(10);
        for _ in 0..nodes {
            cluster.join(|_| {});
        }
        cluster
    }

    /// One whose first node leads and whose others follow.
    pub(crate) fn led_by_the_first(nodes: usize) -> Self {
        let mut cluster = Self::of(1);
        cluster.until(FAILOVER_US, |cluster| cluster.leader() == Some(0));
        for _ in 1..nodes {
            cluster.join(|_| {});
        }
        cluster.pass_us(STEP_US);
        cluster
    }

    /// Another node, that begins with nothing but the log.
    pub(crate) fn join(&mut self, adapt: impl FnOnce(&mut Config)) -> usize {
        self.join_with(Box::new(MemoryStore::new()), adapt)
    }

    pub(crate) fn join_with(
        &mut self,
        store: Box<dyn Store>,
        adapt: impl FnOnce(&mut Config),
    ) -> usize {
        let member = self.member(self.members.len(), store, adapt);
        self.members.push(member);
        self.members.len() - 1
    }

    /// A new process takes the place and the name of one, which is given back.
    pub(crate) fn replace(
        &mut self,
        index: usize,
        store: Box<dyn Store>,
        adapt: impl FnOnce(&mut Config),
    ) -> Member {
        let member = self.member(index, store, adapt);
        std::mem::replace(&mut self.members[index], member)
    }

    fn member(
        &mut self,
        index: usize,
        store: Box<dyn Store>,
        adapt: impl FnOnce(&mut Config),
    ) -> Member {
        let log = HeldLog::over(&self.memory);
        let mut config = shared(&format!("n{index}"));
        adapt(&mut config);
        self.seed += 1;
        let (seed, clock) = (self.seed, self.clock.clone());
        let node = Node::new(&log, Start { config, store, seed, clock, ..Start::default() });
        Member { node, log, paused: false }
    }

    pub(crate) fn node(&mut self, index: usize) -> &mut Node {
        &mut self.members[index].node
    }

    /// The wall clock of this node is off by so much from now on.
    pub(crate) fn off_by_us(&mut self, index: usize, us: i64) {
        self.members[index].node.clock = self.clock.off_by_us(us);
    }

    pub(crate) fn pause(&mut self, index: usize) {
        self.members[index].paused = true;
    }

    pub(crate) fn resume(&mut self, index: usize) {
        self.members[index].paused = false;
    }

    /// Everything happens that happens by itself now.
    pub(crate) fn settle(&mut self) {
        for member in self.members.iter_mut().filter(|member| !member.paused) {
            member.node.settle();
        }
    }

    pub(crate) fn step(&mut self) {
        self.clock.pass_us(STEP_US);
        self.settle();
    }

    pub(crate) fn pass_us(&mut self, us: u64) {
        self.settle();
        (0..us.div_ceil(STEP_US)).for_each(|_| self.step());
    }

    /// Lets time pass until it holds, and says how much did.
    pub(crate) fn until(&mut self, limit_us: u64, mut holds: impl FnMut(&mut Self) -> bool) -> u64 {
        let begun = self.clock.now().monotonic_us;
        self.settle();
        while !holds(self) {
            let passed = self.clock.now().monotonic_us - begun;
            assert!(passed <= limit_us, "it did not come in {limit_us} us");
            self.step();
        }
        self.clock.now().monotonic_us - begun
    }

    /// The node that believes it leads, of those that run.
    pub(crate) fn leader(&self) -> Option<usize> {
        let leads = |member: &Member| !member.paused && member.node.led.is_some();
        let mut leaders = self.members.iter().enumerate().filter(|(_, member)| leads(member));
        let leader = leaders.next().map(|(index, _)| index);
        assert!(leaders.next().is_none(), "two that run and are settled do not both lead for long");
        leader
    }

    /// Opens an account at this node, and waits for it.
    pub(crate) fn open(&mut self, index: usize, account: u64) -> u64 {
        let asked = self.node(index).op("open", &Op::Open { account, balance: 10 });
        self.settle();
        asked.version()
    }
}
