//! One run: rounds of faults while callers go on, then peace, then the verdict.
//!
//! A round inflicts every [`Fault`] there is, in an order that the seed decides, one at a time:
//! each begins when everybody is well, lasts as long as was drawn, and must be got over within a
//! bound. Between rounds all nodes are started again, one after the other, with the other way of
//! serving linearizable reads. Then the log is read by somebody who had no part in it, and what
//! callers saw is judged.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use holdfast_log::{Durability, Log, blocking};
use holdfast_log_postgres::{PostgresLog, PostgresOptions};
use holdfast_state::Version;
use serde_json::Value;
use tokio::task::block_in_place;

use super::{
    Cluster, Leading, Machine,
    fault::{Fault, deck},
    infos, judge, leading,
    load::{CROWD, Callers, Load, Reads, Seen},
    outage::{Acknowledged, Times},
    proxy::{Proxy, Weather},
};
use crate::{
    random::Random,
    scenario::{Counts, Wrong},
};

/// Everybody is well again so soon after a fault, or the run fails.
const WELL_WITHIN: Duration = Duration::from_secs(60);

/// For how long those who want the newest of a halted leader have asked when it goes on.
const CROWDED_FOR: Duration = Duration::from_millis(100);

/// How often it is looked whether they are.
const LOOKED_EVERY: Duration = Duration::from_millis(10);

/// Deaths of leaders in a round.
const DEATHS: usize = 3;

/// The longest that anything but a pause lasts, in milliseconds.
const LASTS_MS_MAX: u64 = 5_000;

/// The shortest fault, in milliseconds: longer than a lease and the wait for a claim, so that
/// leadership moves.
const LASTS_MS_MIN: u64 = 1_800;

/// How a run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the processes run.
    pub machine: Machine,
    /// Where everything lies: new, or empty.
    pub dir: PathBuf,
    /// Rounds are begun for so long; two there are in any case, one for each [`Reads`].
    pub lasts: Duration,
    /// The longest pause of a leader. Nothing else lasts longer either, nor longer than five seconds.
    pub pause_max: Duration,
    /// Decides what goes wrong and when, and what callers ask.
    pub seed: u64,
    /// Who asks.
    pub callers: Callers,
    /// Called with what happens, for people.
    pub tell: fn(&str),
}

/// What one kind of fault came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// How often it was inflicted.
    pub inflicted: u64,
    /// How often it met somebody: a process that died or halted, bytes that were held.
    pub met: u64,
    /// How often another leader was there at its end.
    pub moved: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// What went wrong, by kind.
    pub faults: BTreeMap<Fault, Happened>,
    /// From each fault to the first write that was acknowledged and sent after it, by kind.
    pub outages: BTreeMap<Fault, Times>,
    /// Linearizable reads that were answered, by what they rested on.
    pub reads: [(Reads, u64); 2],
    /// What else is to be told.
    pub counts: Counts,
    /// How long callers worked.
    pub took: Duration,
    /// Pass, or what is wrong.
    pub verdict: Result<(), Wrong>,
}

/// Makes a run.
///
/// # Errors
/// When it cannot be made; a verdict is no error.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let cluster = Cluster::create(&options.machine, &options.dir)?;
    runtime.block_on(async {
        let mut field = Field::new(cluster, options).await?;
        let (seen, verdict) = field.run().await?;
        block_in_place(|| field.report(&seen, verdict))
    })
}

/// A fault that is over.
#[derive(Clone, Copy, Debug)]
struct Over {
    fault: Fault,
    at: Duration,
    met: bool,
    moved: bool,
}

/// Where it all happens.
struct Field<'a> {
    options: &'a Options,
    cluster: Cluster,
    addresses: Vec<SocketAddr>,
    /// From each node to each server.
    ways: Vec<Vec<Proxy>>,
    load: Arc<Load>,
    random: Random,
    over: Vec<Over>,
    /// What those saw who had asked leaders that were halted.
    woken: Seen,
    asked_halted: usize,
    halted_answered: usize,
}

/// A run ends early: with a verdict, or because it cannot go on.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Wrong(#[from] Wrong),
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl<'a> Field<'a> {
    async fn new(mut cluster: Cluster, options: &'a Options) -> anyhow::Result<Self> {
        let addresses = cluster.addresses();
        let mut ways = Vec::new();
        for _ in &addresses {
            let mut of_node = Vec::new();
            for port in cluster.servers().ports() {
                of_node.push(Proxy::to((Ipv4Addr::LOCALHOST, port).into()).await?);
            }
            ways.push(of_node);
        }
        let load = Load::new(addresses.clone(), options.callers, options.seed);
        Ok(Self {
            options,
            cluster,
            addresses,
            ways,
            load,
            random: Random::new(options.seed),
            over: Vec::new(),
            woken: Seen::default(),
            asked_halted: 0,
            halted_answered: 0,
        })
    }

    /// Faults to the end, and what callers saw meanwhile.
    async fn run(&mut self) -> anyhow::Result<(Seen, Result<(), Wrong>)> {
        for node in 0..self.addresses.len() {
            self.start(node, Reads::Confirmed)?;
        }
        let mut seen = self.load.prepare().await?;
        let mut working = tokio::spawn(Arc::clone(&self.load).run());
        let ended = tokio::select! {
            ended = self.rounds() => ended,
            // Callers end when they are told to, and before only by an error.
            ended = &mut working => {
                ended??;
                bail!("the callers ended before the faults did");
            }
        };
        let verdict = match ended {
            Ok(()) => Ok(()),
            Err(Ended::Wrong(wrong)) => Err(wrong),
            Err(Ended::Failed(error)) => return Err(error),
        };
        self.load.end();
        seen.add(working.await??);
        seen.add(std::mem::take(&mut self.woken));
        Ok((seen, verdict))
    }

    async fn rounds(&mut self) -> Result<(), Ended> {
        self.load.nodes_have(Some(Reads::Confirmed));
        for (round, reads) in Reads::ALL.into_iter().cycle().enumerate() {
            if round >= Reads::ALL.len() && self.load.now() >= self.options.lasts {
                break;
            }
            if round > 0 {
                self.change_reads(reads).await?;
            }
            self.tell(&format!(
                "round {}: reads rest on the {}",
                round + 1,
                match reads {
                    Reads::Confirmed => "log",
                    Reads::Lease => "lease",
                }
            ));
            for fault in deck(&mut self.random, DEATHS) {
                self.well().await?;
                self.suffer(fault, reads).await?;
            }
        }
        self.well().await
    }

    /// One fault from its beginning to its end.
    async fn suffer(&mut self, fault: Fault, reads: Reads) -> Result<(), Ended> {
        let leader = self.leader().await?;
        let at = self.load.now();
        let met = match fault {
            Fault::LeaderKilled => self.kill(leader, reads).await?,
            Fault::LeaderPaused => self.pause(leader).await?,
            Fault::LeaderDrained => {
                block_in_place(|| self.cluster.node(leader.node).drain())?;
                self.start(leader.node, reads)?;
                true
            }
            Fault::PrimaryKilled => {
                self.promote()?;
                true
            }
            Fault::PrimaryFrozen => self.freeze().await?,
            Fault::LeaderRefused
            | Fault::LeaderCutOff
            | Fault::LeaderUnheard
            | Fault::LeaderDeaf
            | Fault::LeaderSlow => self.cut(fault, leader.node).await,
            Fault::FollowerCutOff => {
                let follower = (leader.node + 1) % self.addresses.len();
                self.cut(fault, follower).await
            }
        };
        let moved = leading(&self.addresses).await.is_some_and(|now| now.epoch > leader.epoch);
        self.over.push(Over { fault, at, met, moved });
        let after = self.load.now().saturating_sub(at);
        let led = if moved { "another leads" } else { "the same leads" };
        self.tell(&format!(
            "{:8.2} s  {:<34} {:.1} s; {led}",
            at.as_secs_f64(),
            fault.name(),
            after.as_secs_f64()
        ));
        Ok(())
    }

    async fn kill(&mut self, leader: Leading, reads: Reads) -> Result<bool, Ended> {
        block_in_place(|| self.cluster.node(leader.node).kill())?;
        self.await_another(leader).await?;
        let rest = self.random.below(1_000);
        tokio::time::sleep(Duration::from_millis(rest)).await;
        self.start(leader.node, reads)?;
        Ok(true)
    }

    async fn pause(&mut self, leader: Leading) -> Result<bool, Ended> {
        let longest = u64::try_from(self.options.pause_max.as_millis()).unwrap_or(u64::MAX);
        // Between all lengths alike, so that most are near a lease and some are long.
        let doublings = (longest.max(1_000) / 1_000).ilog2();
        let base = 1_000 << self.random.below(u64::from(doublings) + 1);
        let lasts = (base + self.random.below(base)).clamp(1_000, longest.max(1_000));
        block_in_place(|| self.cluster.nodes()[leader.node].pause())?;
        tokio::time::sleep(Duration::from_millis(lasts)).await;
        // What it believes when it wakes is what is put to the test: that another leads.
        let waits = lasts >= LASTS_MS_MIN;
        let awaited = if waits { self.await_another(leader).await } else { Ok(()) };
        let crowd = tokio::spawn(Arc::clone(&self.load).crowd(leader.node));
        tokio::time::sleep(CROWDED_FOR).await;
        self.cluster.nodes()[leader.node].resume()?;
        let woken = crowd.await.map_err(anyhow::Error::from)??;
        self.asked_halted += CROWD;
        self.halted_answered += woken.calls.len();
        self.woken.add(woken);
        awaited.map(|()| true)
    }

    fn promote(&mut self) -> anyhow::Result<()> {
        let servers = self.cluster.servers();
        block_in_place(|| {
            let old = servers.primary_number();
            servers.kill_primary()?;
            servers.promote_the_one_with_the_most()?;
            Ok(servers.rebuild(old)?)
        })
    }

    async fn freeze(&mut self) -> anyhow::Result<bool> {
        let lasts = self.lasts();
        self.cluster.servers().primary().pause()?;
        tokio::time::sleep(lasts).await;
        self.cluster.servers().primary().resume()?;
        Ok(true)
    }

    /// Whether anybody met it.
    async fn cut(&mut self, fault: Fault, node: usize) -> bool {
        let weather = fault.weather(&mut self.random).unwrap_or(Weather::clear());
        let lasts = self.lasts();
        let done_to = |ways: &[Proxy]| ways.iter().map(Proxy::done_to).sum::<u64>();
        let before = done_to(&self.ways[node]);
        self.ways[node].iter().for_each(|way| way.set(weather));
        tokio::time::sleep(lasts).await;
        self.ways[node].iter().for_each(|way| way.set(Weather::clear()));
        done_to(&self.ways[node]) > before
    }

    fn lasts(&mut self) -> Duration {
        let longest = u64::try_from(self.options.pause_max.as_millis()).unwrap_or(u64::MAX);
        let longest = longest.clamp(LASTS_MS_MIN + 1, LASTS_MS_MAX);
        Duration::from_millis(LASTS_MS_MIN + self.random.below(longest - LASTS_MS_MIN))
    }

    /// Every node is asked to stop and started again with this, those that follow first.
    async fn change_reads(&mut self, reads: Reads) -> Result<(), Ended> {
        self.well().await?;
        self.load.nodes_have(None);
        let leader = self.leader().await?.node;
        for step in 1..=self.addresses.len() {
            let node = (leader + step) % self.addresses.len();
            block_in_place(|| self.cluster.node(node).drain())?;
            self.start(node, reads)?;
            self.well().await?;
        }
        self.load.nodes_have(Some(reads));
        Ok(())
    }

    fn start(&mut self, node: usize, reads: Reads) -> anyhow::Result<()> {
        let ports: Vec<u16> = self.ways[node].iter().map(|way| way.address().port()).collect();
        self.cluster.configure(node, &ports, reads)?;
        block_in_place(|| self.cluster.node(node).start())
    }

    async fn leader(&self) -> Result<Leading, Ended> {
        let begun = self.load.now();
        loop {
            if let Some(leading) = leading(&self.addresses).await {
                return Ok(leading);
            }
            self.rest(begun, "nobody leads").await?;
        }
    }

    /// Returns when a later claim than this one's counts.
    async fn await_another(&self, than: Leading) -> Result<(), Ended> {
        let begun = self.load.now();
        while leading(&self.addresses).await.is_none_or(|now| now.epoch <= than.epoch) {
            self.rest(begun, "nobody else came to lead").await?;
        }
        Ok(())
    }

    /// Returns when writes are acknowledged, one leads, and every node follows and has all of it.
    async fn well(&self) -> Result<(), Ended> {
        let begun = self.load.now();
        let version = loop {
            if let Some(version) = self.load.written_since(begun) {
                break version;
            }
            self.rest(begun, "no write was acknowledged").await?;
        };
        loop {
            let told = infos(&self.addresses).await;
            if told.iter().all(|info| has(info.as_ref(), version)) {
                return Ok(());
            }
            if self.load.now() - begun > WELL_WITHIN {
                let shown = told.iter().map(|info| match info {
                    Some(info) => info["partitions"][0].to_string(),
                    None => "no answer".to_owned(),
                });
                let shown = shown.collect::<Vec<_>>().join("; ");
                let wrong = format!("not every node came to version {version}: {shown}");
                return Err(Wrong(wrong).into());
            }
            tokio::time::sleep(LOOKED_EVERY).await;
        }
    }

    /// A moment's rest for somebody who waits since `begun`.
    async fn rest(&self, begun: Duration, what: &str) -> Result<(), Ended> {
        if self.load.now() - begun > WELL_WITHIN {
            return Err(Wrong(format!("{what} within {WELL_WITHIN:?}")).into());
        }
        tokio::time::sleep(LOOKED_EVERY).await;
        Ok(())
    }

    fn tell(&self, what: &str) {
        (self.options.tell)(what);
    }

    // ---- what came of it ---------------------------------------------------------

    fn report(&mut self, seen: &Seen, verdict: Result<(), Wrong>) -> anyhow::Result<Report> {
        let took = self.load.now();
        let mut faults: BTreeMap<Fault, Happened> = BTreeMap::new();
        for over in &self.over {
            let happened = faults.entry(over.fault).or_default();
            happened.inflicted += 1;
            happened.met += u64::from(over.met);
            happened.moved += u64::from(over.moved);
        }
        let acknowledged = Acknowledged::of(&seen.calls);
        let outages = Fault::ALL.map(|fault| {
            let of_kind = self.over.iter().filter(|over| over.fault == fault);
            (fault, of_kind.filter_map(|over| acknowledged.outage(over.at)).collect())
        });
        let judged = judge::judge(seen, self.entries()?);
        let (counts, judged) = match judged {
            Ok(mut counts) => {
                let asked = i64::try_from(self.asked_halted).unwrap_or(i64::MAX);
                let answered = i64::try_from(self.halted_answered).unwrap_or(i64::MAX);
                counts.push(("reads asked of leaders as they woke".to_owned(), asked));
                counts.push(("answers of leaders that had been halted".to_owned(), answered));
                (counts, Ok(()))
            }
            Err(wrong) => (Counts::new(), Err(wrong)),
        };
        let reads = Reads::ALL.map(|reads| (reads, self.load.answered(reads)));
        let unmet = || unmet(&faults, &reads);
        let verdict = judged.and(verdict).and_then(|()| unmet());
        Ok(Report { faults, outages: outages.into(), reads, counts, took, verdict })
    }

    /// What the log holds, as it is told to somebody who had no part in it.
    fn entries(&mut self) -> anyhow::Result<Vec<(holdfast_log::Position, bytes::Bytes)>> {
        let servers = self.cluster.servers().connection();
        let options = PostgresOptions {
            durability: Durability::QuorumFsync,
            ..PostgresOptions::new(servers)
        };
        let log = PostgresLog::open(options).context("opening the log to read it")?;
        let entries = judge::entries(&log);
        blocking::close(&log as &dyn Log)?;
        Ok(entries?)
    }
}

/// Does this node lead or follow, and have this version?
fn has(info: Option<&Value>, version: Version) -> bool {
    let Some(partition) = info.map(|info| &info["partitions"][0]) else { return false };
    let at = partition["version"].as_u64();
    matches!(partition["phase"].as_str(), Some("leading" | "following"))
        && at.is_some_and(|at| at >= version.get())
}

/// A run in which something was not put to the test shows nothing of it.
fn unmet(faults: &BTreeMap<Fault, Happened>, reads: &[(Reads, u64)]) -> Result<(), Wrong> {
    for fault in Fault::ALL {
        if faults.get(&fault).is_none_or(|happened| happened.met == 0) {
            return Wrong::because(format!("{} never happened to anybody", fault.name()));
        }
    }
    let unread = reads.iter().find(|(_, count)| *count == 0);
    unread.map_or(Ok(()), |(reads, _)| {
        Wrong::because(format!("no linearizable read was answered on the {}", reads.as_str()))
    })
}
