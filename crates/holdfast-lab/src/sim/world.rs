//! The world of one run: nodes, clients, the log, the network between them, and time.
//!
//! One thread takes what happens next from the agenda and lets it happen. There is no
//! other clock, no thread, and no order but the agenda's; so a seed is a run. First
//! everything may fail, then all faults end and the world must get well:
//! `world/driving` is a node's driver, `world/carrying` the log and the network,
//! `world/asking` the clients, `world/breaking` the faults.

mod asking;
mod breaking;
mod carrying;
mod driving;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use holdfast_engine::{Reads, SnapshotKeeper};
use holdfast_log::FaultDisk;
use holdfast_state::Version;

use super::{
    agenda::{Agenda, Happening, Micros},
    client::{Client, Operation},
    clock::Clock,
    judge::{self, History, State},
    log::SharedLog,
    nemesis::Nemesis,
    network::Network,
    node::{Life, Mailbox, Node, NodeId},
    primitives::Mind,
    shape::{Fault, Shape},
    streams::Streams,
    trace::Trace,
    truth::Truth,
    violation::Violation,
};
use crate::{
    check::{agreement::Digest, liveness::Bounds, zombies::Zombies},
    random::Random,
};

/// Within so much simulated time after the last fault everything must be well.
const WELL_WITHIN_US: Micros = 60_000_000;

/// A run that has so many things happen is going in circles.
const HAPPENINGS_MAX: u64 = 3_000_000;

/// Operations that each client still begins once the faults are over.
const LAST_OPERATIONS: u32 = 4;

/// The world.
pub(super) struct World {
    pub(super) shape: Shape,
    pub(super) trace: Trace,
    now: Micros,
    agenda: Agenda,
    log: SharedLog,
    network: Network,
    nemesis: Nemesis,
    truth: Truth,
    nodes: Vec<Node>,
    clients: Vec<Client>,
    operations: Vec<Operation>,
    /// What the nodes' states were on the way.
    digests: Vec<Digest>,
    /// The newest version that any client was answered.
    told: u64,
    /// When that was which.
    told_when: Vec<(Micros, u64)>,
    mailbox: Mailbox,
    /// The last version in the log, for those who answer.
    durable: Arc<AtomicU64>,
    /// The directory of snapshots that all nodes share.
    snapshots: FaultDisk,
    /// The snapshot that was spoiled last.
    spoiled: Option<String>,
    log_random: Random,
    /// Writes that deposed leaders tried.
    pub(super) zombies: Zombies,
    /// When the faults ended.
    healed: Option<Micros>,
}

impl World {
    pub(super) fn new(seed: u64, printing: bool) -> Self {
        let streams = Streams::new(seed);
        let shape = Shape::draw(streams);
        let clients = (0..shape.clients).map(|number| Client {
            random: streams.of_nth("client", number as u64),
            target: number % shape.nodes,
            current: None,
            step: 0,
            given_up: Vec::new(),
            left: LAST_OPERATIONS,
            mind: Mind::new(number),
        });
        let nodes = (0..shape.nodes).map(|number| {
            let mut random = streams.of_nth("node", number as u64);
            Node::new(Clock::new(1_000_000 + random.below(1 << 40)), random)
        });
        Self {
            trace: Trace::new(printing),
            now: 0,
            agenda: Agenda::default(),
            log: SharedLog::new(if shape.has(Fault::StaleReads) { 300_000 } else { 0 }),
            network: Network::new(streams.of("network"), shape.weather),
            nemesis: Nemesis::new(streams.of("nemesis"), &shape),
            truth: Truth::new(),
            nodes: nodes.collect(),
            clients: clients.collect(),
            operations: Vec::new(),
            digests: Vec::new(),
            told: 0,
            told_when: Vec::new(),
            mailbox: Mailbox::default(),
            durable: Arc::new(AtomicU64::new(0)),
            snapshots: FaultDisk::new(),
            spoiled: None,
            log_random: streams.of("log"),
            zombies: Zombies::default(),
            healed: None,
            shape,
        }
    }

    /// Runs to the end, and judges.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub(super) fn run(&mut self) -> Result<(), Violation> {
        self.set_up();
        while let Some((at, happening)) = self.agenda.next() {
            self.now = at;
            self.happen(happening)?;
            if self.healed.is_some_and(|healed| self.is_well() || at > healed + WELL_WITHIN_US) {
                return self.judge();
            }
            if self.agenda.entered() > HAPPENINGS_MAX {
                let after_ms = self.now / 1000;
                let what = "it is going in circles".to_owned();
                return Err(Violation::NotHealed { after_ms, what });
            }
        }
        unreachable!("somebody always has something to do")
    }

    fn set_up(&mut self) {
        for number in 0..self.nodes.len() {
            if self.shape.has(Fault::Steps) {
                let offset = self.nemesis.offset();
                self.nodes[number].clock.set_wall_offset(offset);
            }
            if self.shape.has(Fault::Drift) {
                let rate = self.nemesis.rate();
                self.nodes[number].clock.set_rate(0, rate);
            }
            let at = self.nodes[number].random.below(20_000);
            self.agenda.enter(at, Happening::Start(number));
        }
        for client in 0..self.clients.len() {
            self.agenda.enter(client as u64, Happening::Acts { client, step: 0 });
        }
        let first = self.nemesis.rests();
        self.agenda.enter(first, Happening::Strikes);
        self.agenda.enter(self.shape.faulty_us, Happening::Heals);
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Violation> {
        if let Some(node) = for_the_process_on(&happening)
            && self.nodes[node].paused
        {
            self.nodes[node].backlog.push_back(happening);
            return Ok(());
        }
        match happening {
            Happening::Start(node) => self.start(node)?,
            Happening::Turn { node, life, number } => self.turn(node, life, number)?,
            Happening::Reaches(call) => self.reaches_the_log(call),
            Happening::Performs(call, run) => self.log_performs(&call, run)?,
            Happening::Hears(call, heard) => self.hears(&call, heard),
            Happening::GivesUp(call) => self.gives_up(&call),
            Happening::Resends { node, life, position, bytes } => {
                self.resends(node, life, position, bytes);
            }
            Happening::Applies { node, life } => self.applies(node, life)?,
            Happening::Keeps { node, life, snapshot } => self.keeps(node, life, snapshot.as_ref()),
            Happening::Arrives { node, attempt } => self.arrives(node, attempt),
            Happening::Told { node, attempt, answer } => self.told(node, attempt, answer)?,
            Happening::Acts { client, step } => self.acts(client, step),
            Happening::Strikes => self.strike(),
            Happening::Mends(mend) => self.mend(mend),
            Happening::Heals => self.heal(),
        }
        self.look_at_answers()
    }

    /// The log has taken something: everyone's account of it goes on.
    fn follow(&mut self) -> Result<(), Violation> {
        self.truth.follow(&|position| self.log.ever(position).cloned())?;
        self.durable.store(self.truth.version(), Ordering::SeqCst);
        Ok(())
    }

    /// Everything asked was answered, nothing is pending, every node has all of it.
    fn is_well(&self) -> bool {
        let idle = |client: &Client| {
            client.left == 0 && client.current.is_none() && client.given_up.is_empty()
        };
        self.clients.iter().all(idle)
            && self.truth.holds_open() == 0
            && self.truth.overdue() == 0
            && self.nodes.iter().all(|node| self.has_everything(node))
    }

    fn has_everything(&self, node: &Node) -> bool {
        node.process
            .as_ref()
            .is_some_and(|process| process.applied() == self.truth.version() && !process.is_busy())
    }

    /// What can be said only at the end.
    fn judge(&mut self) -> Result<(), Violation> {
        let history = History {
            operations: &self.operations,
            truth: &self.truth,
            entries: judge::entries(&|position| self.log.ever(position).cloned()),
            digests: &self.digests,
            tokens_only: self.shape.reads == Reads::Lease,
        };
        let told = history.is_safe()?;
        self.zombies = told.zombies;
        let healed = self.healed.unwrap_or(self.now);
        let bounds = Bounds {
            healed: Duration::from_micros(healed),
            recovery: Duration::from_micros(WELL_WITHIN_US),
            answer: Duration::from_micros(WELL_WITHIN_US),
            end: Duration::from_micros(self.now),
        };
        let states: Vec<_> = self.nodes.iter().enumerate().filter_map(state_of).collect();
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshots.clone()));
        history.is_well(&bounds, &states, &keeper, &told.primitives)?;
        for (what, count) in told.primitives.counts() {
            self.trace.count_many(what, count);
        }
        if !self.is_well() {
            let after_ms = (self.now - healed) / 1000;
            return Err(Violation::NotHealed { after_ms, what: self.what_is_missing() });
        }
        self.count_what_the_log_shows();
        Ok(())
    }

    fn what_is_missing(&self) -> String {
        let open = self.clients.iter().filter(|client| client.current.is_some()).count();
        let down = self.nodes.iter().filter(|node| node.process.is_none()).count();
        let holds = self.truth.holds_open();
        let overdue = self.truth.overdue();
        format!(
            "{open} clients wait, {holds} holds have not lapsed, {overdue} timers are overdue, \
             {down} nodes are down"
        )
    }

    fn count_what_the_log_shows(&mut self) {
        self.trace.count_many("claims that counted", self.truth.claims);
        self.trace.count_many("renewals", self.truth.renewals);
        self.trace.count_many("transactions", self.truth.version());
        self.trace.count_many("path: dead entries", self.truth.dead);
        self.trace.count_many("path: writes of deposed leaders", self.zombies.attempted);
        self.trace.count_many("path: lapsed under another leader", self.truth.lapsed_elsewhere);
        let answered = self.operations.iter().filter(|asked| asked.answered).count();
        self.trace.count_many("operations answered", answered as u64);
        let open = self.operations.len() - answered;
        let heard = |(name, _): &(String, Version)| {
            name.parse().is_ok_and(|number: usize| self.operations[number].answered)
        };
        let unheard = self.truth.effects().filter(|effect| !heard(effect)).count();
        self.trace.count_many("path: done, and nobody was told", unheard as u64);
        self.trace.count_many("operations without an outcome", open as u64);
    }
}

/// The node whose process has to run for this to happen.
const fn for_the_process_on(happening: &Happening) -> Option<NodeId> {
    match happening {
        Happening::Turn { node, .. }
        | Happening::Resends { node, .. }
        | Happening::Applies { node, .. }
        | Happening::Keeps { node, .. }
        | Happening::Arrives { node, .. } => Some(*node),
        Happening::Hears(call, _) | Happening::GivesUp(call) => Some(call.node),
        Happening::Start(_)
        | Happening::Reaches(_)
        | Happening::Performs(..)
        | Happening::Told { .. }
        | Happening::Acts { .. }
        | Happening::Strikes
        | Happening::Mends(_)
        | Happening::Heals => None,
    }
}

fn state_of((number, node): (usize, &Node)) -> Option<State<'_>> {
    let process = node.process.as_ref()?;
    let version = Version::new(process.applied());
    Some(State { who: format!("node {number}"), version, rows: process.store.as_ref() })
}

/// As it is written in traces.
fn pair(node: NodeId, life: Life) -> [u64; 2] {
    [node as u64, life]
}
