//! What a log holds, read by somebody who had no part in it.
//!
//! [`read`] feeds entries to the automaton that every node runs, and keeps what each
//! position turned out to be, with the header of every entry, the dead ones included. The
//! engine's own rows in it tell which keys took effect and which timers were armed.

use bytes::Bytes;
use holdfast_engine::idempotency::Records;
use holdfast_log::{Body, ChainBroken, Entry, EntryHeader, Position, Reader, ReaderState, Step};
use holdfast_state::{
    Batch, Fact, LogTime, Namespace, Table as _, Version,
    fact::{BadBatch, Change},
    table::split_key,
    timer::Timers,
};

/// A stretch of a log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// What each position turned out to be, in order.
    pub entries: Vec<LoggedEntry>,
    /// What the reader knows at the end.
    pub end: ReaderState,
}

/// What a position turned out to be.
#[derive(Clone, Debug)]
pub struct LoggedEntry {
    /// Where.
    pub position: Position,
    /// What the entry says of itself.
    pub header: EntryHeader,
    /// What it is.
    pub kind: Kind,
    /// Whether it counts; else it is dead.
    pub counts: bool,
}

/// What an entry is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Somebody wants to lead.
    Claim,
    /// Somebody leads on, or no more.
    Renewal,
    /// Transactions.
    Batch(Batch),
}

/// Reads entries, the first of which stands where `from` goes on: at position 1 if `None`.
///
/// # Errors
/// As the automaton: the log is not one history.
///
/// # Panics
/// When a position is left out.
pub fn read(
    from: Option<ReaderState>,
    entries: impl IntoIterator<Item = (Position, Bytes)>,
) -> Result<Logged, ChainBroken> {
    let mut reader = Reader::start(from);
    let mut found = Vec::new();
    for (position, bytes) in entries {
        let step = reader.feed(position, &bytes)?;
        let Entry { header, body } = Entry::decode(&bytes).expect("the automaton has decoded it");
        let kind = match body {
            Body::Claim(_) => Kind::Claim,
            Body::Renewal(_) => Kind::Renewal,
            Body::Batch(bytes) => Kind::Batch(Batch {
                first: Version::new(header.first_version),
                count: header.count,
                time: LogTime::from_us(header.log_time_us),
                bytes,
            }),
        };
        let counts = !matches!(step, Step::Dead(_));
        found.push(LoggedEntry { position, header, kind, counts });
    }
    Ok(Logged { entries: found, end: *reader.state() })
}

impl Logged {
    /// The transactions that count, batch by batch.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.entries.iter().filter(|entry| entry.counts).filter_map(|entry| match &entry.kind {
            Kind::Batch(batch) => Some(batch),
            Kind::Claim | Kind::Renewal => None,
        })
    }

    /// The transactions that count, in version order.
    pub fn changes(&self) -> impl Iterator<Item = Result<Change, BadBatch>> {
        self.batches().flat_map(Batch::changes)
    }

    /// The idempotency keys under which transactions took effect, with their versions;
    /// [`super::exactly_once::effects`] takes them.
    ///
    /// # Errors
    /// [`BadBatch`]
    pub fn keys(&self) -> Result<Vec<(Namespace, String, Version)>, BadBatch> {
        let mut found = Vec::new();
        for change in self.changes() {
            let change = change?;
            for fact in change.facts() {
                if let Fact::Put { key, .. } = fact?
                    && let Some((namespace, key)) = idempotency_key(key)
                {
                    found.push((namespace, key, change.version));
                }
            }
        }
        Ok(found)
    }

    /// The timers that were armed.
    ///
    /// # Errors
    /// [`BadBatch`]
    pub fn timers(&self) -> Result<Vec<super::timers::Armed<TimerKey>>, BadBatch> {
        let mut found = Vec::new();
        for change in self.changes() {
            let change = change?;
            for fact in change.facts() {
                if let Fact::Put { key, .. } = fact?
                    && let Some(timer) = timer_key(key)
                {
                    let (due, at) = (timer.due, change.version);
                    found.push(super::timers::Armed { timer, due, at });
                }
            }
        }
        Ok(found)
    }
}

/// Names a timer: when it is due, for whom, which transaction armed it, and which of that
/// transaction's timers it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    /// When it is due.
    pub due: LogTime,
    /// Whose it is.
    pub namespace: Namespace,
    /// The transaction that armed it.
    pub armed: Version,
    /// Which of its timers it is.
    pub number: u16,
}

fn idempotency_key(stored: &[u8]) -> Option<(Namespace, String)> {
    let (Namespace::SYSTEM, Records::ID, mut parts) = split_key(stored)? else { return None };
    parts.u32().ok()?;
    let namespace = Namespace::new(parts.u32().ok()?);
    Some((namespace, parts.str().ok()?))
}

fn timer_key(stored: &[u8]) -> Option<TimerKey> {
    let (Namespace::SYSTEM, Timers::ID, mut parts) = split_key(stored)? else { return None };
    let due = LogTime::from_us(parts.u64().ok()?);
    let namespace = Namespace::new(parts.u32().ok()?);
    let armed = Version::new(parts.u64().ok()?);
    Some(TimerKey { due, namespace, armed, number: parts.u16().ok()? })
}

#[cfg(test)]
mod tests {
    use holdfast_state::{BatchBuilder, table::stored_key};

    use super::*;

    fn logged(transactions: &[&[Vec<u8>]]) -> Logged {
        let mut batch = BatchBuilder::default();
        for keys in transactions {
            batch.begin(0);
            keys.iter().for_each(|key| batch.put(key, b"row"));
            batch.commit();
        }
        let header = EntryHeader {
            feature_level: 1,
            log: holdfast_log::LogId::from_bytes([7; 16]),
            previous: holdfast_log::Hash::ZERO,
            epoch: holdfast_log::Epoch::new(1),
            nonce: holdfast_log::Nonce::from_bytes([1; 16]),
            sequence: 1,
            first_version: 5,
            count: batch.count(),
            log_time_us: 0,
            durable: None,
        };
        let (first, count, time) = (Version::new(5), batch.count(), LogTime::ZERO);
        let kind = Kind::Batch(Batch { first, count, time, bytes: batch.into_bytes().into() });
        let entries = vec![LoggedEntry { position: Position::first(), header, kind, counts: true }];
        Logged { entries, end: ReaderState::default() }
    }

    #[test]
    fn keys_and_timers_are_found_among_other_rows_with_their_versions() {
        let tenant = Namespace::new(3);
        let key = stored_key(Namespace::SYSTEM, Records::ID, &(9_u32, tenant.get(), "order-1"));
        let due = LogTime::from_us(40);
        let timer = (due, tenant.get(), Version::new(6), 2_u16);
        let timer = stored_key(Namespace::SYSTEM, Timers::ID, &timer);
        // The same tables of a tenant are somebody else's rows.
        let other = stored_key(tenant, Records::ID, &(9_u32, 3_u32, "order-2"));
        let log = logged(&[&[other], &[key, timer]]);
        assert_eq!(log.keys(), Ok(vec![(tenant, "order-1".to_owned(), Version::new(6))]));
        let timers = log.timers().unwrap();
        let named = TimerKey { due, namespace: tenant, armed: Version::new(6), number: 2 };
        assert_eq!(timers.len(), 1);
        assert_eq!((timers[0].timer, timers[0].due, timers[0].at), (named, due, Version::new(6)));
    }
}
