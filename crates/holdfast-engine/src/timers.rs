//! Due timers become transactions.
//!
//! Timers run from applied state (P23). Firing one deletes its row in the very
//! transaction that runs its handler, so it fires once, whoever leads by then:
//! a second firing finds no row and does nothing. A handler that is unknown,
//! aborts, panics or is in quarantine leaves its timer where it is, and others
//! go on; it is tried again when leadership next begins.

use holdfast_planted::planted;
use holdfast_state::{
    LogTime, Namespace, Read as _, Scan, Source, StoreError, Table as _, Tx,
    fact::Fact,
    row::Row as _,
    table::{split_key, stored_key},
    timer::{TimerRow, Timers},
};

use xxhash_rust::xxh3::Xxh3;

use crate::{
    config::TimerHandler,
    request::{Asked, Fingerprint, Request, Work},
};

/// At most this many timers are fired at once; the others follow right after.
const FIRED_AT_ONCE: usize = 256;

/// Keeps track of when to look.
#[derive(Debug)]
pub struct DueTimers {
    handlers: Vec<(&'static str, TimerHandler)>,
    /// No applied timer that was not fired is due before this.
    earliest: LogTime,
    /// Of those due at `earliest`, the ones before this key were fired too: as many
    /// may be due at one moment as there are, and parked ones among them stay.
    from: Option<Vec<u8>>,
}

impl DueTimers {
    /// Looks at all timers first.
    #[must_use]
    pub const fn new(handlers: Vec<(&'static str, TimerHandler)>) -> Self {
        Self { handlers, earliest: LogTime::ZERO, from: None }
    }

    /// Notes an applied fact.
    pub fn applied(&mut self, fact: Fact<'_>) {
        let Fact::Put { key, .. } = fact else { return };
        if let Some((Namespace::SYSTEM, Timers::ID, mut parts)) = split_key(key)
            && let Ok(due) = parts.u64()
        {
            let due = LogTime::from_us(due);
            if due <= self.earliest && self.from.as_ref().is_none_or(|from| key[..] < from[..]) {
                self.earliest = due;
                self.from = None;
            }
        }
    }

    /// When to look again.
    #[must_use]
    pub const fn earliest(&self) -> LogTime {
        self.earliest
    }

    /// The requests that fire what is due.
    ///
    /// # Errors
    /// Those of the store.
    pub fn due(&mut self, state: &dyn Source, now: LogTime) -> Result<Vec<Request>, StoreError> {
        if now < self.earliest {
            return Ok(Vec::new());
        }
        let earliest = || stored_key(Namespace::SYSTEM, Timers::ID, &(self.earliest,));
        let from = self.from.take().unwrap_or_else(earliest);
        let until = stored_key(Namespace::SYSTEM, Timers::ID, &(now.plus_us(1),));
        let rows = state.scan(&from, &until, Scan::up(FIRED_AT_ONCE))?;
        self.earliest = match rows.last() {
            Some((key, _)) if rows.len() == FIRED_AT_ONCE => {
                self.from = Some([key, &[0][..]].concat());
                due_of(key)?
            }
            Some(_) | None => next_due(state, &until)?,
        };
        rows.iter().map(|(key, row)| self.fire(key, row)).collect()
    }

    fn fire(&self, key: &[u8], row: &[u8]) -> Result<Request, StoreError> {
        let broken = || StoreError::Doubt { what: "a timer does not decode".to_owned() };
        let row = TimerRow::parse(row).map_err(|_| broken())?;
        let (_, _, mut parts) = split_key(key).ok_or_else(broken)?;
        let namespace = parts.u64().and_then(|_| parts.u32()).map_err(|_| broken())?;
        let handler = self.handlers.iter().find(|(name, _)| *name == row.handler);
        let reply = {
            let name = row.handler.clone();
            move |answer| {
                if let Err(failure) = answer {
                    tracing::error!(handler = name, %failure, "a timer is parked");
                }
            }
        };
        if handler.is_none() {
            tracing::error!(handler = row.handler, "a timer is parked: nobody handles it");
        }
        Ok(Request {
            namespace: Namespace::new(namespace),
            asked: Some(Asked { fingerprint: fingerprint(namespace, &row), key: None }),
            deadline_us: None,
            work: firing(key.to_vec(), row, handler.map(|(_, handler)| handler.clone())),
            reply: Box::new(reply),
        })
    }
}

/// What the timer asks: for whom, which handler, with what.
fn fingerprint(namespace: u32, row: &TimerRow) -> Fingerprint {
    let mut hash = Xxh3::new();
    hash.update(&namespace.to_le_bytes());
    for part in [row.handler.as_bytes(), &row.payload] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Fingerprint(hash.digest128().to_le_bytes())
}

fn firing(key: Vec<u8>, row: TimerRow, handler: Option<TimerHandler>) -> Work {
    Box::new(move |tx: &mut Tx<'_>| {
        if let Some(handler) = &handler
            && tx.get_stored(&key)?.is_some()
        {
            if !planted!(TimerFiresTwiceAfterFailover) {
                tx.delete_stored(&key)?;
            }
            handler.run(tx, &row.payload)?;
        }
        Ok(Vec::new())
    })
}

fn due_of(key: &[u8]) -> Result<LogTime, StoreError> {
    let due = split_key(key).and_then(|(_, _, mut parts)| parts.u64().ok());
    due.map(LogTime::from_us)
        .ok_or_else(|| StoreError::Doubt { what: "a timer's key does not decode".to_owned() })
}

fn next_due(state: &dyn Source, from: &[u8]) -> Result<LogTime, StoreError> {
    let all = stored_key(Namespace::SYSTEM, Timers::ID, &());
    let end = holdfast_state::key::after_prefix(&all).expect("a table's number is not all FF");
    match state.scan(from, &end, Scan::up(1))?.first() {
        Some((key, _)) => due_of(key),
        None => Ok(LogTime::MAX),
    }
}
