//! What the log really says, as it grows: the one account that everything is judged by.
//!
//! A reader of its own follows what positions took, never behind a trim, and replays
//! every transaction on the naive model at once. So a violation is found when it
//! happens, with its cause still among the last lines.

use std::collections::BTreeMap;

use bytes::Bytes;
use holdfast_engine::{digest::Digests, idempotency::Records};
use holdfast_log::{EntryHeader, Position, Reader, Step};
use holdfast_state::{
    Batch, LogTime, Table as _, Version,
    fact::{Change, Fact},
    row::Row as _,
    table::split_key,
    timer::Timers,
};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    naive::{Came, Naive},
    node::{Life, NodeId},
    violation::Violation,
    workload::{Lapsed, Op, Told},
};

/// What a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody asked for it.
    Operation(usize),
    /// A hold lapsed that this version armed.
    Lapse(u64),
    /// The engine's own: digests, forgetting records.
    Housekeeping,
}

/// One transaction in the log.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) time: LogTime,
    /// What it came to, if somebody asked for it.
    pub(super) came: Option<Came>,
    /// What [`Op::Sum`] tells after it.
    pub(super) sum: String,
}

/// Who sent an entry.
pub(super) type Sender = (NodeId, Life);

/// What the log says.
pub(super) struct Truth {
    reader: Reader,
    naive: Naive,
    /// By version, from 1.
    transactions: Vec<Transaction>,
    /// Batches by their first version: how many transactions, and a hash of their bytes.
    batches: BTreeMap<Version, (u32, u128)>,
    /// Where each operation took effect.
    placed: BTreeMap<usize, u64>,
    /// Who sent which bytes first.
    senders: BTreeMap<u128, Sender>,
    /// Who won the present epoch.
    leader: Option<Sender>,
    pub(super) claims: u64,
    pub(super) renewals: u64,
    pub(super) dead: u64,
    /// Dead entries whose epoch was over: what deposed leaders wrote.
    pub(super) zombies: u64,
    /// Timers that fired in another epoch than they were armed in.
    pub(super) lapsed_elsewhere: u64,
    armed_in: BTreeMap<u64, u64>,
}

impl Truth {
    pub(super) fn new() -> Self {
        Self {
            reader: Reader::start(None),
            naive: Naive::default(),
            transactions: Vec::new(),
            batches: BTreeMap::new(),
            placed: BTreeMap::new(),
            senders: BTreeMap::new(),
            leader: None,
            claims: 0,
            renewals: 0,
            dead: 0,
            zombies: 0,
            lapsed_elsewhere: 0,
            armed_in: BTreeMap::new(),
        }
    }

    /// The last version in the log.
    pub(super) const fn version(&self) -> u64 {
        self.transactions.len() as u64
    }

    /// The transaction of this version.
    pub(super) fn transaction(&self, version: u64) -> Option<&Transaction> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        self.transactions.get(index)
    }

    /// What [`Op::Sum`] tells at this version.
    pub(super) fn sum_at(&self, version: u64) -> Option<&str> {
        if version == 0 { Some("0/0") } else { Some(&self.transaction(version)?.sum) }
    }

    /// The version of an operation, if it took effect or its refusal was recorded.
    pub(super) fn placed(&self, operation: usize) -> Option<u64> {
        self.placed.get(&operation).copied()
    }

    /// The workload's state.
    pub(super) const fn naive(&self) -> &Naive {
        &self.naive
    }

    /// The present epoch.
    pub(super) fn epoch(&self) -> u64 {
        self.reader.state().epoch.get()
    }

    /// Somebody sends these bytes.
    pub(super) fn sent(&mut self, bytes: &Bytes, sender: Sender) {
        self.senders.entry(xxh3_128(bytes)).or_insert(sender);
    }

    /// Is this what the log holds? A renewal brings nothing, behind versions that are there.
    pub(super) fn holds(&self, batch: &Batch) -> bool {
        if batch.count == 0 {
            return batch.first.get() <= self.version() + 1;
        }
        self.batches.get(&batch.first) == Some(&(batch.count, xxh3_128(&batch.bytes)))
    }

    /// Reads on as far as positions are taken, by what each of them ever took.
    ///
    /// # Errors
    /// Whatever the log shows to be broken.
    pub(super) fn follow(
        &mut self,
        taken: &dyn Fn(Position) -> Option<Bytes>,
        ops: &[Op],
    ) -> Result<(), Violation> {
        loop {
            let position = self.reader.state().next_position;
            let Some(bytes) = taken(position) else { return Ok(()) };
            let epoch = self.epoch();
            let step = self.reader.feed(position, &bytes);
            match step.map_err(|why| Violation::Broken { why: why.to_string() })? {
                Step::Claim(header, _) => {
                    self.claims += 1;
                    self.leader = self.senders.get(&xxh3_128(&bytes)).copied();
                    debug_assert_eq!(header.epoch.get(), epoch + 1);
                }
                Step::Batch(header, body) => {
                    self.written_by_the_leader(position, &header, &bytes)?;
                    self.take(&header, body, ops)?;
                }
                Step::Renewal(header, _) => {
                    self.written_by_the_leader(position, &header, &bytes)?;
                    self.renewals += 1;
                }
                Step::Dead(reason) => {
                    self.dead += 1;
                    let over = matches!(
                        reason,
                        holdfast_log::DeadReason::Epoch { found, current } if found < current
                    );
                    self.zombies += u64::from(over);
                }
            }
        }
    }

    fn written_by_the_leader(
        &self,
        position: Position,
        header: &EntryHeader,
        bytes: &Bytes,
    ) -> Result<(), Violation> {
        let writer = self.senders.get(&xxh3_128(bytes)).copied();
        if writer.is_some() && writer == self.leader {
            return Ok(());
        }
        let epoch = header.epoch.get();
        Err(Violation::WrittenByAnother { position, epoch, writer: format!("{writer:?}") })
    }

    fn take(&mut self, header: &EntryHeader, body: Bytes, ops: &[Op]) -> Result<(), Violation> {
        let first = Version::new(header.first_version);
        let time = LogTime::from_us(header.log_time_us);
        self.batches.insert(first, (header.count, xxh3_128(&body)));
        let batch = Batch { first, count: header.count, time, bytes: body };
        for change in batch.changes() {
            let change = change.map_err(|bad| Violation::Broken { why: bad.to_string() })?;
            self.replay(&change, ops)?;
        }
        Ok(())
    }

    fn replay(&mut self, change: &Change, ops: &[Op]) -> Result<(), Violation> {
        let version = change.version.get();
        let before = self.transactions.last().map_or(LogTime::ZERO, |last| last.time);
        if change.time < before {
            let (time, before) = (change.time.as_us(), before.as_us());
            return Err(Violation::TimeWentBack { version, time, before });
        }
        let read = Contents::of(change)?;
        let came = match read.kind {
            Kind::Operation(operation) => {
                if let Some(first) = self.placed.insert(operation, version) {
                    return Err(Violation::Twice { operation, first, second: version });
                }
                let came = self.naive.run(ops[operation], version, change.time.as_us());
                self.matches(version, ops[operation], &came, &read)?;
                Some(came)
            }
            Kind::Lapse(armed) => {
                let lapsed = self.naive.lapse(armed, change.time.as_us());
                lapsed.map_err(|what| Violation::Timer { armed, version, what })?;
                let elsewhere = self.armed_in.get(&armed).is_some_and(|in_| *in_ != self.epoch());
                self.lapsed_elsewhere += u64::from(elsewhere);
                None
            }
            Kind::Housekeeping => None,
        };
        if read.arms {
            self.armed_in.insert(version, self.epoch());
        }
        if !self.naive.is_conserved() {
            let (expected, found) = ("what was opened".to_owned(), self.naive.sum());
            return Err(Violation::Diverged { version, what: "a sum".to_owned(), expected, found });
        }
        let sum = self.naive.sum();
        self.transactions.push(Transaction { time: change.time, came, sum });
        Ok(())
    }

    /// Does the write set say what the model says?
    fn matches(&self, version: u64, op: Op, came: &Came, read: &Contents) -> Result<(), Violation> {
        let expected = if came.refused { Vec::new() } else { self.written(op) };
        if read.refused == came.refused && read.balances == expected {
            return Ok(());
        }
        Err(Violation::Diverged {
            version,
            what: op.to_string(),
            expected: format!("{came:?}, writing {expected:?}"),
            found: format!("refused: {}, writing {:?}", read.refused, read.balances),
        })
    }

    /// The balances that an operation which was just replayed writes.
    fn written(&self, op: Op) -> Vec<(u64, i64)> {
        let accounts = match op {
            Op::Open { account } => vec![account],
            Op::Transfer { from, to, .. } => vec![from, to],
            Op::Hold { from, .. } => vec![from, super::workload::HELD],
            Op::Bump { .. } | Op::Say | Op::Hush | Op::Sum | Op::Look { .. } | Op::Panic { .. } => {
                Vec::new()
            }
        };
        let mut balances: Vec<(u64, i64)> =
            accounts.iter().map(|account| (*account, self.naive.balances()[account])).collect();
        balances.sort_unstable();
        balances.dedup();
        balances
    }
}

/// What a transaction's facts say.
struct Contents {
    kind: Kind,
    /// It holds a record and nothing else.
    refused: bool,
    arms: bool,
    /// Balances as it leaves them.
    balances: Vec<(u64, i64)>,
}

impl Contents {
    fn of(change: &Change) -> Result<Self, Violation> {
        let unasked = |what: &str| Violation::Unasked {
            version: change.version.get(),
            what: what.to_owned(),
        };
        let (mut kind, mut told, mut arms) = (None, false, false);
        let mut balances = BTreeMap::new();
        for fact in change.facts() {
            let fact = fact.map_err(|_| unasked("facts that do not decode"))?;
            let (Fact::Put { key, .. }
            | Fact::Delete { key }
            | Fact::DeleteRange { from: key, .. }) = fact;
            let (_, table, mut parts) = split_key(key).ok_or_else(|| unasked("a bare key"))?;
            let Fact::Put { value, .. } = fact else {
                if table == Records::ID {
                    kind = Some(Kind::Housekeeping);
                }
                continue;
            };
            if table == Told::ID {
                told = true;
                let operation = u64::parse(value).map_err(|_| unasked("a bad name"))?;
                kind = Some(Kind::Operation(index(operation)));
            } else if table == Records::ID {
                let name = parts.u32().and_then(|_| parts.u32()).and_then(|_| parts.str());
                let operation = name.ok().and_then(|name| name.parse().ok());
                kind = Some(Kind::Operation(index(operation.ok_or_else(|| unasked("a key"))?)));
            } else if table == Lapsed::ID {
                kind = Some(Kind::Lapse(parts.u64().map_err(|_| unasked("a bad lapse"))?));
            } else if table == Digests::ID {
                kind = Some(Kind::Housekeeping);
            } else if table == Timers::ID {
                arms = true;
            } else if table == super::workload::Accounts::ID {
                let account = parts.u64().map_err(|_| unasked("a bad account"))?;
                balances.insert(account, i64::parse(value).map_err(|_| unasked("a bad row"))?);
            }
        }
        let kind = kind.ok_or_else(|| unasked("no name, no key"))?;
        let refused = matches!(kind, Kind::Operation(_)) && !told;
        let balances = match kind {
            Kind::Operation(_) => balances.into_iter().collect(),
            Kind::Lapse(_) | Kind::Housekeeping => Vec::new(),
        };
        Ok(Self { kind, refused, arms, balances })
    }
}

fn index(operation: u64) -> usize {
    usize::try_from(operation).expect("operations are numbered from 0")
}
