//! What a partition is told when it is opened. All of it bounds something.

use std::{fmt, sync::Arc};

use holdfast_log::{Properties, entry::CLAIM_TEXT_BYTES_MAX};
use holdfast_state::{Abort, Budget, Tx};

use crate::clock::ClockBounds;

/// Does what a due timer says. It runs as a transaction of the namespace that armed
/// the timer, with the payload it was armed with.
#[derive(Clone)]
pub struct TimerHandler(Arc<HandlerFn>);

type HandlerFn = dyn Fn(&mut Tx<'_>, &[u8]) -> Result<(), Abort> + Send + Sync;

impl TimerHandler {
    /// Does it.
    ///
    /// # Errors
    /// [`Abort`]: the timer is parked.
    pub fn run(&self, tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
        (self.0)(tx, payload)
    }
}

impl<F> From<F> for TimerHandler
where
    F: Fn(&mut Tx<'_>, &[u8]) -> Result<(), Abort> + Send + Sync + 'static,
{
    fn from(handler: F) -> Self {
        Self(Arc::new(handler))
    }
}

impl fmt::Debug for TimerHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandler").finish_non_exhaustive()
    }
}

/// Who may write the log beside this node, and so when it claims (P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// Nobody: the log is this node's own. It claims at once, leads for as long as it runs, and
    /// stops when it finds another's claim.
    Alone,
    /// Others, who may lead as well. It follows whoever leads, and claims when the lease has run out.
    Shared(Shared),
}

/// How nodes that share a log take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared {
    /// How long others leave this node alone after they read an entry of its, in milliseconds: it
    /// stands in its claims and binds everyone; one at least, since 0 says that nobody leads. An idle
    /// leader writes an entry three times as often.
    pub lease_ms: u64,
    /// How long a follower waits after it saw the log's end before it looks again, in microseconds,
    /// where the log cannot tell when something has come; longer where it can.
    pub look_every_us: u64,
    /// Whether this node may ever lead.
    pub may_lead: bool,
}

impl Shared {
    /// The lease in microseconds.
    #[must_use]
    pub const fn lease_us(&self) -> u64 {
        self.lease_ms.saturating_mul(1_000)
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self { lease_ms: 1_000, look_every_us: 20_000, may_lead: true }
    }
}

/// What stands in the claims of a node that is alone, so that later readers know it.
const LEASE_MS: u64 = 2_000;

impl Leadership {
    /// The lease that stands in claims, in milliseconds.
    pub(crate) fn lease_ms(self) -> u64 {
        match self {
            Self::Alone => LEASE_MS,
            Self::Shared(shared) => shared.lease_ms.max(1),
        }
    }
}

/// What a linearizable read rests on. Where nobody else writes the log, on nothing: it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// On the log, asked after the read came (P10). Clocks have no part in it.
    Confirmed,
    /// On the leader's lease while it runs (P11): free, and right while no clock gains more than a
    /// hundredth on another. A virtual machine that is paused or moved while it runs may break that.
    Lease,
}

/// Settings of a partition's engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this node is called in its claims: at most [`CLAIM_TEXT_BYTES_MAX`] bytes.
    pub node: String,
    /// Where others reach it; part of its claims, and bounded as they are.
    pub address: String,
    /// Whether others share the log.
    pub leadership: Leadership,
    /// What linearizable reads rest on.
    pub reads: Reads,
    /// The log's [`empty_read_is_linearizable`](Properties::empty_read_is_linearizable): an empty
    /// read proves leadership where a write would.
    pub empty_read_is_linearizable: bool,
    /// Handlers by name.
    pub timers: Vec<(&'static str, TimerHandler)>,
    /// What one transaction may use. Bytes written are bounded by the log's
    /// largest entry as well.
    pub budget: Budget,
    /// Requests that may wait for evaluation; one more is refused. As many answers
    /// may wait for the log, those of transactions that write nothing included.
    pub waiting_max: usize,
    /// Entries that may be on their way to the log. Two keep the disk busy while
    /// the next batch gathers; more make batches smaller.
    pub entries_in_flight_max: usize,
    /// Entries that are durable and not yet applied; evaluation waits beyond, so
    /// that what is evaluated and not applied stays bounded.
    pub entries_unapplied_max: usize,
    /// A batch this large goes out even though more could be gathered, in bytes.
    pub batch_bytes: usize,
    /// Idempotency records are kept at least this long, in microseconds; two seconds if
    /// this is less.
    pub retention_us: u64,
    /// A snapshot is taken after this many bytes of log.
    pub snapshot_bytes: u64,
    /// A digest of some rows goes into the log every so many entries, itself counted:
    /// two or more.
    pub digest_entries: u64,
    /// How far the wall clock may be off; `None` accepts any.
    pub clock: Option<ClockBounds>,
}

/// What a transaction's last fact may add beyond its budget: its tag and lengths.
const FRAMING_BYTES: usize = 64;

/// Settings that no engine can run with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// What a claim says of its writer is bounded.
    #[error("the node's {what} has {bytes} bytes; at most {CLAIM_TEXT_BYTES_MAX} go into a claim")]
    TextTooLong {
        /// Name or address.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
}

impl Config {
    /// Looks at what no type can say.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn check(&self) -> Result<(), ConfigError> {
        for (what, text) in [("name", &self.node), ("address", &self.address)] {
            let bytes = text.len();
            if bytes > CLAIM_TEXT_BYTES_MAX {
                return Err(ConfigError::TextTooLong { what, bytes });
            }
        }
        Ok(())
    }

    /// These settings within what the log takes, and as it answers: a full batch and the largest
    /// transaction after it make one entry that is not too large (P8).
    #[must_use]
    pub fn fitted_to(mut self, log: &Properties) -> Self {
        let batch = log.max_entry_bytes / 4;
        let transaction = log.max_entry_bytes.saturating_sub(batch + FRAMING_BYTES);
        self.batch_bytes = self.batch_bytes.min(batch);
        self.empty_read_is_linearizable = log.empty_read_is_linearizable;
        self.budget.write_bytes_max = self.budget.write_bytes_max.min(transaction);
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: "node".to_owned(),
            address: String::new(),
            leadership: Leadership::Alone,
            reads: Reads::Confirmed,
            empty_read_is_linearizable: false,
            timers: Vec::new(),
            budget: Budget::default(),
            waiting_max: 8_192,
            entries_in_flight_max: 2,
            entries_unapplied_max: 16,
            batch_bytes: 1 << 20,
            retention_us: 24 * 3600 * 1_000_000,
            snapshot_bytes: 1 << 30,
            digest_entries: 1_024,
            clock: Some(ClockBounds::default()),
        }
    }
}
