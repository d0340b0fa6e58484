//! The handle to a partition.
//!
//! Cheap to share; everything it does may be called from any thread. The
//! partition itself is a thread that ends when it is told to [`stop`](Partition::stop)
//! or cannot go on.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
};

use holdfast_log::{Epoch, Log, Position, ReaderState};
use holdfast_state::{Namespace, Snapshots, Stop, Store, StoreError, Tx, Version, View};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    applier::Applier,
    archive::Archive,
    clocks::Clocks,
    config::{Config, Leadership, Reads},
    confirm::Confirm,
    driver::Driver,
    engine::Engine,
    event::{Event, Stopped},
    feed::Feed,
    idempotency::Filing,
    inbox::Inbox,
    leader::{Leader, Lease},
    level::Level,
    metrics::Metrics,
    quarantine::Quarantine,
    request::{Answer, Asked, Failure, Request},
    scrub::{Origin, Scrub},
    snapshots::SnapshotKeeper,
    standing::Standing,
    view::view,
};

/// What a partition runs on.
#[derive(Debug)]
pub struct Parts {
    /// Its log.
    pub log: Arc<dyn Log>,
    /// Its state, wherever it has come to.
    pub store: Box<dyn Store>,
    /// Where that came from.
    pub origin: Origin,
    /// Where snapshots go; without it none are taken, and the log is not trimmed.
    pub snapshots: Option<SnapshotKeeper>,
    /// Where entries go before they are trimmed; without it they are given up.
    pub archive: Option<Archive>,
    /// Readers' states from which the log can still be read: those of the kept
    /// snapshots, newest first.
    pub kept: Vec<ReaderState>,
    /// Who leads, as far as that is said below where the state ends: whoever begins behind a claim
    /// has not read it.
    pub leader: Option<Leader>,
    /// Random, fresh in every life of the process.
    pub seed: u64,
    /// Requests that may have killed the process before.
    pub quarantine: Quarantine,
}

/// Where a partition is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading the log, or claiming leadership.
    Starting,
    /// Taking requests.
    Leading,
    /// Applying what another node writes. Requests are refused; reads that do not ask for the
    /// newest are served.
    Following {
        /// Who leads, if that is known and it is not this node before it started again.
        leader: Option<Leader>,
    },
    /// Over.
    Stopped(Stopped),
}

/// The phase, for everyone to watch.
#[derive(Debug)]
pub(crate) struct Status(watch::Sender<Phase>);

impl Status {
    pub(crate) fn led(&self) {
        self.0.send_replace(Phase::Leading);
    }

    pub(crate) fn follows(&self, leader: Option<Leader>) {
        self.0.send_replace(Phase::Following { leader });
    }

    pub(crate) fn stopped(&self, why: &Stopped) {
        self.0.send_replace(Phase::Stopped(why.clone()));
    }
}

/// A running partition.
#[derive(Debug)]
pub struct Partition {
    inbox: Arc<Inbox>,
    feed: Arc<Feed>,
    status: Arc<Status>,
    snapshots: Arc<dyn Snapshots>,
    metrics: Arc<Metrics>,
    lease: Arc<Lease>,
    /// Whether the lease alone proves that this node leads.
    reads: Reads,
    leadership: Leadership,
    clocks: Clocks,
    /// Where stored outcomes are, whichever there are.
    filing: Filing,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Partition {
    /// Starts a partition. It takes requests at once and answers them when it leads.
    ///
    /// # Errors
    /// [`StoreError::Doubt`] when the store's own checkpoint does not decode.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub fn start(config: Config, parts: Parts) -> Result<Self, StoreError> {
        let clocks = Clocks;
        let config = config.fitted_to(&parts.log.properties());
        let (reads, leadership) = (config.reads, config.leadership);
        let filing = Filing::new(config.retention_us, Some(0));
        let inbox = Arc::new(Inbox::new(config.waiting_max));
        let snapshots = parts.store.snapshots();
        let newest = parts.kept.first().map(|state| state.next_position);
        let mark = parts.store.mark();
        let checkpoint = crate::engine::checkpoint_of(&mark)?;
        let state = Arc::clone(&snapshots);
        let engine =
            Engine::new(config, state, &mark, parts.seed, newest)?.guarded_by(parts.quarantine);
        let engine = engine.told(parts.leader);
        let metrics = Arc::clone(engine.metrics());
        let lease = Arc::clone(engine.lease());
        let feed = Arc::new(Feed::new(Arc::clone(&parts.log), parts.kept, checkpoint));
        let status = Arc::new(Status(watch::channel(Phase::Starting).0));
        let scrub = Scrub::new(parts.origin, Arc::clone(&metrics));
        let driver = Driver {
            engine,
            log: parts.log,
            applier: Applier::start(parts.store, scrub, Arc::clone(&inbox)),
            inbox: Arc::clone(&inbox),
            feed: Arc::clone(&feed),
            status: Arc::clone(&status),
            snapshots: parts.snapshots,
            keeping: None,
            archive: parts.archive,
            archiving: None,
            clocks,
            resting: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("partition-0".to_owned())
            .spawn(guarded(driver))
            .expect("the system gives a partition its thread");
        let thread = Mutex::new(Some(thread));
        Ok(Self {
            inbox,
            feed,
            status,
            snapshots,
            metrics,
            lease,
            reads,
            leadership,
            clocks,
            filing,
            thread,
        })
    }

    /// Hands a request over. Its reply is called exactly once: with an answer,
    /// or at once with a refusal when there is no room.
    pub fn submit(&self, request: Request) {
        self.inbox.submit(request);
    }

    /// Runs a transaction and waits for its answer.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn transact(
        &self,
        namespace: Namespace,
        asked: Option<Asked>,
        deadline_us: Option<u64>,
        work: impl Fn(&mut Tx<'_>) -> Result<Vec<u8>, Stop<Vec<u8>>> + Send + 'static,
    ) -> Answer {
        let (answer, wait) = tokio::sync::oneshot::channel();
        self.submit(Request {
            namespace,
            asked,
            deadline_us,
            work: Box::new(work),
            // A caller that went away needs no answer.
            reply: Box::new(move |given| drop(answer.send(given))),
        });
        wait.await.unwrap_or_else(|_| {
            Err(Failure::OutcomeUnknown { reason: "the partition ended".to_owned() })
        })
    }

    /// A view that shows what `level` says.
    ///
    /// # Errors
    /// [`Failure::NotLeader`] when another node can serve it and this one cannot; nothing
    /// happened. A session's version that was never given out is waited for as long as the
    /// partition runs: the caller bounds that.
    pub async fn look(&self, namespace: Namespace, level: Level) -> Result<View, Failure> {
        // State that was found in doubt is served to nobody, however little is asked.
        let unavailable = |why: Stopped| Failure::Unavailable { reason: why.to_string() };
        if level != Level::Linearizable {
            self.started().await.map_err(unavailable)?;
        }
        match level {
            Level::Linearizable => self.confirmed().await?,
            Level::Session(version) => self.applied(version).await?,
            // Only who leads can prove what its own last look does not.
            Level::Stale { max_age_us: Some(max_age_us) } if !self.is_fresh(max_age_us) => {
                self.confirmed().await?;
            }
            Level::Stale { .. } => {}
        }
        Ok(self.view(namespace))
    }

    /// Waits until it is proved that this node led after the call began, so that a view taken
    /// then shows everything that anyone was told before it.
    ///
    /// # Errors
    /// [`Failure::NotLeader`], [`Failure::Overloaded`], [`Failure::Unavailable`]
    pub async fn confirmed(&self) -> Result<(), Failure> {
        let alone = self.leadership == Leadership::Alone;
        if (alone || self.reads == Reads::Lease) && self.lease.runs(self.clocks.monotonic_us()) {
            return Ok(());
        }
        let (answer, wait) = tokio::sync::oneshot::channel();
        // A reader that went away needs no answer.
        self.inbox.confirm(Confirm(Box::new(move |proved| drop(answer.send(proved)))));
        wait.await.unwrap_or_else(|_| {
            Err(Failure::Unavailable { reason: "the partition ended".to_owned() })
        })
    }

    /// Is everything in the state that was acknowledged until so long ago?
    fn is_fresh(&self, max_age_us: u64) -> bool {
        self.standing().behind_us.is_some_and(|behind_us| behind_us <= max_age_us)
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (metrics, now_us) = (&self.metrics, self.clocks.monotonic_us());
        let since = |us: u64| (us > 0).then(|| now_us.saturating_sub(us));
        let phase = self.phase();
        let leads = phase == Phase::Leading;
        let alone = leads && self.leadership == Leadership::Alone;
        Standing {
            leader: match &phase {
                Phase::Following { leader } => leader.clone(),
                Phase::Starting | Phase::Leading | Phase::Stopped(_) => None,
            },
            phase,
            epoch: Epoch::new(metrics.epoch.get()),
            applied: self.feed.reached(),
            position: Position::new(metrics.position.get()),
            behind_us: if alone { Some(0) } else { since(metrics.fresh_us.get()) },
            lease_us: (leads && !alone).then(|| self.lease.remaining_us(now_us)),
            heard_us: since(metrics.heard_us.get()),
        }
    }

    /// The newest applied state of a namespace. While this node leads, all that was answered is in
    /// it.
    #[must_use]
    pub fn view(&self, namespace: Namespace) -> View {
        view(self.snapshots.latest(), namespace, &self.metrics)
    }

    /// Is an outcome stored under this key, in what is applied here? Where it is not, one may be
    /// on its way. State that cannot be read has none.
    #[must_use]
    pub fn is_answered(&self, namespace: Namespace, key: &str) -> bool {
        let found = self.filing.find(&self.view(namespace), namespace, key);
        found.is_ok_and(|record| record.is_some())
    }

    /// Waits until this version is applied.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when the partition stops before.
    pub async fn applied(&self, version: Version) -> Result<(), Failure> {
        let mut applied = self.feed.applied();
        let reached = applied.wait_for(|at| *at >= version).await;
        reached.map(drop).map_err(|_| Failure::Unavailable { reason: "it has stopped".to_owned() })
    }

    /// The change feed.
    #[must_use]
    pub const fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// What it counts.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The monotonic clock that deadlines are on, in microseconds.
    #[must_use]
    pub fn monotonic_us(&self) -> u64 {
        self.clocks.monotonic_us()
    }

    /// Where it is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.status.0.borrow().clone()
    }

    /// Watches where it is in its life.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Phase> {
        self.status.0.subscribe()
    }

    /// Waits until it leads.
    ///
    /// # Errors
    /// Why it stopped instead.
    pub async fn leading(&self) -> Result<(), Stopped> {
        self.comes_to(|phase| *phase == Phase::Leading).await
    }

    /// Waits until it leads or follows: the log is read to its end.
    ///
    /// # Errors
    /// Why it stopped instead.
    pub async fn started(&self) -> Result<(), Stopped> {
        self.comes_to(|phase| *phase != Phase::Starting).await
    }

    async fn comes_to(&self, there: impl Fn(&Phase) -> bool) -> Result<(), Stopped> {
        let mut phase = self.watch();
        let settled = phase.wait_for(|phase| matches!(phase, Phase::Stopped(_)) || there(phase));
        match &*settled.await.expect("the status outlives whoever watches it") {
            Phase::Stopped(why) => Err(why.clone()),
            Phase::Starting | Phase::Leading | Phase::Following { .. } => Ok(()),
        }
    }

    /// A reader of a view met state that is in doubt: the partition stops, so that
    /// it can be opened again from snapshot and log.
    pub fn doubt(&self, found: StoreError) {
        self.inbox.push(Event::Doubt(found));
    }

    /// Asks it to let another node lead, if it leads: it finishes what is evaluated, gives
    /// leadership up in the log, and follows. Of no effect on a log that is its own.
    pub fn hand_over(&self) {
        self.inbox.push(Event::HandOver);
    }

    /// Asks it to finish what is queued and stop; where nodes share the log, leadership is given up
    /// in it first, so that another need not wait for the lease. New requests are refused.
    pub fn stop(&self) {
        self.inbox.push(Event::Stop);
    }

    /// Waits until the partition has ended; its log is closed then, and a snapshot that
    /// was being written is finished or abandoned.
    ///
    /// # Panics
    /// Never in practice: the thread catches its panics.
    #[must_use]
    pub fn join(&self) -> Stopped {
        if let Some(thread) = self.thread.lock().take() {
            thread.join().expect("the partition's thread catches its panics");
        }
        match self.phase() {
            Phase::Stopped(why) => why,
            Phase::Starting | Phase::Leading | Phase::Following { .. } => {
                Stopped::Failed("it never ended".to_owned())
            }
        }
    }
}

/// The thread's body. A bug of ours ends the partition, never the process.
fn guarded(driver: Driver) -> impl FnOnce() + Send {
    let (status, inbox) = (Arc::clone(&driver.status), Arc::clone(&driver.inbox));
    let (feed, log) = (Arc::clone(&driver.feed), Arc::clone(&driver.log));
    move || {
        if catch_unwind(AssertUnwindSafe(|| driver.run())).is_err() {
            let why = Stopped::Failed("a bug of ours; see the panic message above".to_owned());
            status.stopped(&why);
            inbox.close(&why.to_string());
            feed.close();
            drop(log);
        }
    }
}
