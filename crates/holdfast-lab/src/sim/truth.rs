//! What the log really says, as it grows: the one account that everything is judged by.
//!
//! A reader of its own follows what positions took, never behind a trim, and keeps what
//! each transaction turned out to be. What only somebody inside can see is checked as it
//! happens: that a fresh reader can go on (P2), that what counts was sent by the life that won
//! its epoch (P4, P7), that log time never goes back (P15), and whether what a node applies or
//! answers is in the log already. The rest is judged at the end, from the story told here
//! (`judge`).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use holdfast_engine::{
    Decision,
    digest::Digests,
    idempotency::{Record, Records},
};
use holdfast_log::{EntryHeader, Position, Reader, Step};
use holdfast_state::{
    Batch, LogTime, Table as _, Version,
    fact::{Change, Fact},
    row::Row as _,
    table::split_key,
    timer::{TimerRow, Timers},
};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    client,
    node::{Life, NodeId},
    violation::Violation,
    workload::{Accounts, Answers, LAPSE, Lapsed, Told},
};
use crate::check::timers::{Armed, Cancelled, Fired};

/// What a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody asked for it.
    Operation(usize),
    /// A hold lapsed that this version armed.
    Lapse(u64),
    /// A timer of a primitive fired.
    Fired,
    /// The engine's own: digests, forgetting records.
    Housekeeping,
}

/// One transaction in the log.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) time: LogTime,
    pub(super) kind: Kind,
    /// It holds the record of a refusal and nothing else.
    pub(super) refused: bool,
    /// It arms a timer that makes a hold lapse.
    pub(super) arms: bool,
    /// What it is answered, where the log says so.
    pub(super) answer: Option<Vec<u8>>,
    /// Balances as it leaves them, by account.
    pub(super) balances: Vec<(u64, i64)>,
}

/// A timer: when it is due, the transaction that armed it, and which of that one's it is.
pub(super) type Timer = (u64, u64, u16);

/// What became of the primitives' timers.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    pub(super) armed: Vec<Armed<Timer>>,
    pub(super) cancelled: Vec<Cancelled<Timer>>,
    pub(super) fired: Vec<Fired<Timer>>,
    /// Neither cancelled nor fired.
    pending: BTreeSet<Timer>,
}

/// Who sent an entry.
pub(super) type Sender = (NodeId, Life);

/// What the log says.
pub(super) struct Truth {
    reader: Reader,
    /// By version, from 1.
    story: Vec<Transaction>,
    /// Batches by their first version: how many transactions, and a hash of their bytes.
    batches: BTreeMap<Version, (u32, u128)>,
    /// Who sent which bytes first.
    senders: BTreeMap<u128, Sender>,
    /// Who won the present epoch.
    leader: Option<Sender>,
    pub(super) claims: u64,
    pub(super) renewals: u64,
    pub(super) dead: u64,
    /// Timers that fired in another epoch than they were armed in.
    pub(super) lapsed_elsewhere: u64,
    /// Timers that have not fired: who armed them, in which epoch.
    armed: BTreeMap<u64, u64>,
    alarms: Alarms,
}

impl Truth {
    pub(super) fn new() -> Self {
        Self {
            reader: Reader::start(None),
            story: Vec::new(),
            batches: BTreeMap::new(),
            senders: BTreeMap::new(),
            leader: None,
            claims: 0,
            renewals: 0,
            dead: 0,
            lapsed_elsewhere: 0,
            armed: BTreeMap::new(),
            alarms: Alarms::default(),
        }
    }

    /// The last version in the log.
    pub(super) const fn version(&self) -> u64 {
        self.story.len() as u64
    }

    /// Every transaction, by version from 1.
    pub(super) fn story(&self) -> &[Transaction] {
        &self.story
    }

    /// The transaction of this version.
    pub(super) fn transaction(&self, version: Version) -> Option<&Transaction> {
        let index = usize::try_from(version.get().checked_sub(1)?).ok()?;
        self.story.get(index)
    }

    /// Every effect that an operation had: its name, and the version.
    pub(super) fn effects(&self) -> impl Iterator<Item = (String, Version)> {
        (1..).zip(&self.story).filter_map(|(version, transaction)| match transaction.kind {
            Kind::Operation(operation) => Some((client::name(operation), Version::new(version))),
            Kind::Lapse(_) | Kind::Fired | Kind::Housekeeping => None,
        })
    }

    /// Holds that have not lapsed.
    pub(super) fn holds_open(&self) -> usize {
        self.armed.len()
    }

    /// What became of the primitives' timers.
    pub(super) const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// The log time of the last transaction.
    pub(super) fn time(&self) -> LogTime {
        self.story.last().map_or(LogTime::ZERO, |last| last.time)
    }

    /// Timers of primitives that were due by the last transaction and have not fired.
    pub(super) fn overdue(&self) -> usize {
        let now = self.time().as_us();
        self.alarms.pending.iter().take_while(|(due, ..)| *due <= now).count()
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
    ) -> Result<(), Violation> {
        loop {
            let position = self.reader.state().next_position;
            let Some(bytes) = taken(position) else { return Ok(()) };
            let step = self.reader.feed(position, &bytes);
            match step.map_err(|why| Violation::Broken { why: why.to_string() })? {
                Step::Claim(..) => {
                    self.claims += 1;
                    self.leader = self.senders.get(&xxh3_128(&bytes)).copied();
                }
                Step::Batch(header, body) => {
                    self.written_by_the_leader(position, &header, &bytes)?;
                    self.take(&header, body)?;
                }
                Step::Renewal(header, _) => {
                    self.written_by_the_leader(position, &header, &bytes)?;
                    self.renewals += 1;
                }
                Step::Dead(_) => self.dead += 1,
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

    fn take(&mut self, header: &EntryHeader, body: Bytes) -> Result<(), Violation> {
        let first = Version::new(header.first_version);
        let time = LogTime::from_us(header.log_time_us);
        self.batches.insert(first, (header.count, xxh3_128(&body)));
        let batch = Batch { first, count: header.count, time, bytes: body };
        for change in batch.changes() {
            let change = change.map_err(|bad| Violation::Broken { why: bad.to_string() })?;
            self.goes_on(&change)?;
        }
        Ok(())
    }

    fn goes_on(&mut self, change: &Change) -> Result<(), Violation> {
        let version = change.version.get();
        let before = self.time();
        if change.time < before {
            let (time, before) = (change.time.as_us(), before.as_us());
            return Err(Violation::TimeWentBack { version, time, before });
        }
        let transaction = Transaction::of(change)?;
        self.alarms.go_on(change, transaction.kind)?;
        if let Kind::Lapse(armed) = transaction.kind {
            let elsewhere = self.armed.remove(&armed).is_some_and(|epoch| epoch != self.epoch());
            self.lapsed_elsewhere += u64::from(elsewhere);
        }
        if transaction.arms {
            self.armed.insert(version, self.epoch());
        }
        self.story.push(transaction);
        Ok(())
    }
}

impl Alarms {
    /// Takes note of the timers that a transaction armed, cancelled or was.
    fn go_on(&mut self, change: &Change, kind: Kind) -> Result<(), Violation> {
        let at = change.version;
        for (number, fact) in change.facts().enumerate() {
            let fact = fact.map_err(|_| unasked(change, "facts that do not decode"))?;
            let (Fact::Put { key, .. } | Fact::Delete { key }) = fact else { continue };
            let Some(timer) = timer(key) else { continue };
            match fact {
                Fact::Put { value, .. } if handler(change, value)? != LAPSE => {
                    self.armed.push(Armed { timer, due: LogTime::from_us(timer.0), at });
                    self.pending.insert(timer);
                }
                Fact::Delete { .. } if self.pending.remove(&timer) => {
                    if kind == Kind::Fired && number == 0 {
                        self.fired.push(Fired { timer, time: change.time, at });
                    } else {
                        self.cancelled.push(Cancelled { timer, at });
                    }
                }
                Fact::Put { .. } | Fact::Delete { .. } | Fact::DeleteRange { .. } => {}
            }
        }
        Ok(())
    }
}

/// The timer whose stored key this is.
fn timer(key: &[u8]) -> Option<Timer> {
    let (_, table, mut parts) = split_key(key)?;
    let (due, _namespace) = (parts.u64().ok()?, parts.u32().ok()?);
    let timer = (due, parts.u64().ok()?, parts.u16().ok()?);
    (table == Timers::ID).then_some(timer)
}

fn handler(change: &Change, row: &[u8]) -> Result<String, Violation> {
    let row = TimerRow::parse(row).map_err(|_| unasked(change, "a bad timer"))?;
    Ok(row.handler)
}

fn unasked(change: &Change, what: &str) -> Violation {
    Violation::Unasked { version: change.version.get(), what: what.to_owned() }
}

impl Transaction {
    /// What its facts say.
    fn of(change: &Change) -> Result<Self, Violation> {
        let mut told = Facts::default();
        for (number, fact) in change.facts().enumerate() {
            let fact = fact.map_err(|_| unasked(change, "facts that do not decode"))?;
            match fact {
                Fact::Put { key, value } => told.put(change, key, value)?,
                // Whoever fires a timer first takes it away.
                Fact::Delete { key } if number == 0 && timer(key).is_some() => told.fires = true,
                Fact::Delete { key } | Fact::DeleteRange { from: key, .. } => {
                    told.forgets |=
                        split_key(key).is_some_and(|(_, table, _)| table == Records::ID);
                }
            }
        }
        let housekeeping = told.forgets.then_some(Kind::Housekeeping);
        let kind = told.kind.or(housekeeping).or(told.fires.then_some(Kind::Fired));
        let kind = kind.ok_or_else(|| unasked(change, "no name, no key"))?;
        let unnamed = matches!(kind, Kind::Operation(_)) && !told.named;
        Ok(Self {
            time: change.time,
            kind,
            refused: told.refused.unwrap_or(unnamed),
            arms: told.arms,
            answer: told.answer,
            balances: told.balances.into_iter().collect(),
        })
    }
}

/// What was found in a transaction's facts.
#[derive(Default)]
struct Facts {
    kind: Option<Kind>,
    /// It names itself.
    named: bool,
    /// What its record says.
    refused: Option<bool>,
    answer: Option<Vec<u8>>,
    arms: bool,
    fires: bool,
    forgets: bool,
    balances: BTreeMap<u64, i64>,
}

impl Facts {
    fn put(&mut self, change: &Change, key: &[u8], value: &[u8]) -> Result<(), Violation> {
        let bad = |what: &str| unasked(change, what);
        let (_, table, mut parts) = split_key(key).ok_or_else(|| bad("a bare key"))?;
        if table == Told::ID {
            self.named = true;
            let operation = u64::parse(value).map_err(|_| bad("a bad name"))?;
            self.kind = Some(Kind::Operation(index(operation)));
        } else if table == Records::ID {
            let name = parts.u32().and_then(|_| parts.u32()).and_then(|_| parts.str());
            let operation = name.ok().and_then(|name| name.parse().ok());
            self.kind = Some(Kind::Operation(index(operation.ok_or_else(|| bad("a key"))?)));
            let record = Record::parse(value).map_err(|_| bad("a bad record"))?;
            self.refused = Some(record.decision() == Decision::Refused);
            self.answer = Some(record.body.into());
        } else if table == Answers::ID {
            self.answer = Some(String::parse(value).map_err(|_| bad("a bad answer"))?.into_bytes());
        } else if table == Lapsed::ID {
            self.kind = Some(Kind::Lapse(parts.u64().map_err(|_| bad("a bad lapse"))?));
        } else if table == Digests::ID {
            self.kind = Some(Kind::Housekeeping);
        } else if table == Timers::ID {
            self.arms |= handler(change, value)? == LAPSE;
        } else if table == Accounts::ID {
            let account = parts.u64().map_err(|_| bad("a bad account"))?;
            self.balances.insert(account, i64::parse(value).map_err(|_| bad("a bad row"))?);
        }
        Ok(())
    }
}

fn index(operation: u64) -> usize {
    usize::try_from(operation).expect("operations are numbered from 0")
}
