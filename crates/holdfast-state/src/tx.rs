//! A transaction while it runs.
//!
//! The closure of a transaction gets a [`Tx`]: it reads the state with every
//! earlier write in it, and writes facts. Time, fresh ids and randomness are
//! asked of the transaction, which got them as data, so running it again with
//! the same context on the same state gives the same facts.
//!
//! A transaction is short: each call counts against a [`Budget`], and beyond it
//! [`Abort::TooLarge`] ends the transaction.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use holdfast_planted::planted;

use crate::{
    fact::BatchBuilder,
    instrument::Family,
    key::{Key, KeyBuf, after_prefix},
    overlay::{Overlay, OverlayMark},
    row::Row,
    store::{Scan, Source, StoreError},
    table::{Namespace, Read, Table, stored_key, write_key},
    tally::Tally,
    time::LogTime,
    timer::{TimerId, TimerRow, Timers},
    version::Version,
};

/// What a transaction may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Calls that read (a scan counts once, and once more per row).
    pub reads_max: u32,
    /// Calls that write.
    pub writes_max: u32,
    /// Bytes read by gets and scans.
    pub read_bytes_max: usize,
    /// Bytes of facts.
    pub write_bytes_max: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            reads_max: 100_000,
            writes_max: 100_000,
            read_bytes_max: 16 << 20,
            write_bytes_max: 10 << 20,
        }
    }
}

/// Why a transaction came to no outcome. It wrote nothing, and nothing is
/// remembered of it under its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Abort {
    /// It went beyond its [`Budget`].
    #[error("the transaction exceeds its limit of {limit} {what}")]
    TooLarge {
        /// Which limit.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The state cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a command stopped: a decision about the request, or an abort.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop<R> {
    /// The state does not allow it. An outcome like any other, but nothing is written.
    #[error("refused: {0:?}")]
    Refused(R),
    /// No outcome was reached.
    #[error(transparent)]
    Aborted(Abort),
}

impl<R> From<Abort> for Stop<R> {
    fn from(abort: Abort) -> Self {
        Self::Aborted(abort)
    }
}

impl<R> Stop<R> {
    /// The same stop with the refusal in other words.
    pub fn map<S>(self, into: impl FnOnce(R) -> S) -> Stop<S> {
        match self {
            Self::Refused(refusal) => Stop::Refused(into(refusal)),
            Self::Aborted(abort) => Stop::Aborted(abort),
        }
    }
}

/// What a transaction is given.
#[derive(Clone, Copy, Debug)]
pub struct TxContext {
    /// The version it will have if it writes.
    pub version: Version,
    /// Log time.
    pub now: LogTime,
    /// Log time of the entry it will stand in, at most `now`.
    pub entry_time: LogTime,
    /// Whose rows it sees.
    pub namespace: Namespace,
    /// Seed of its randomness.
    pub seed: u64,
    /// What it may use.
    pub budget: Budget,
}

/// A place in a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint {
    overlay: OverlayMark,
    bytes: usize,
    writes: u32,
    timers: u16,
}

/// A transaction while it runs. Dropped without [`commit`](Self::commit), it
/// leaves no trace.
#[derive(Debug)]
pub struct Tx<'a> {
    base: &'a dyn Source,
    overlay: &'a mut Overlay,
    batch: &'a mut BatchBuilder,
    context: TxContext,
    reads: Cell<u32>,
    read_bytes: Cell<usize>,
    writes: u32,
    timers: u16,
    ids: u32,
    random: u64,
    /// What was decided on the way, written or not.
    counted: Vec<Tally>,
    /// The first abort: it ends the transaction, whatever the work makes of it.
    aborted: RefCell<Option<Abort>>,
    /// Memory for the key and the row of the call at hand.
    key: Vec<u8>,
    row: Vec<u8>,
    finished: bool,
}

impl<'a> Tx<'a> {
    /// Begins a transaction on `base` with `overlay` above it, whose facts go
    /// into `batch`.
    #[must_use]
    pub fn begin(
        base: &'a dyn Source,
        overlay: &'a mut Overlay,
        batch: &'a mut BatchBuilder,
        context: TxContext,
    ) -> Self {
        overlay.begin();
        batch.begin(context.now.since_us(context.entry_time));
        Self {
            base,
            overlay,
            batch,
            context,
            reads: Cell::new(0),
            read_bytes: Cell::new(0),
            writes: 0,
            timers: 0,
            ids: 0,
            random: context.seed,
            counted: Vec::new(),
            aborted: RefCell::new(None),
            key: Vec::with_capacity(64),
            row: Vec::with_capacity(256),
            finished: false,
        }
    }

    /// The version this transaction has if it writes: also its fencing token.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.context.version
    }

    /// Has it written anything yet?
    #[must_use]
    pub const fn has_written(&self) -> bool {
        self.writes > 0
    }

    /// A fresh id such as `tr_01hf3k9c2m4q8000000007`: sorts by log time, then
    /// by version, and is never given twice in a partition.
    pub fn fresh_id(&mut self, prefix: &str) -> crate::id::Id {
        let number = self.ids;
        self.ids += 1;
        let mut text = format!("{prefix}_");
        push_base32(&mut text, self.context.now.as_us() / 1000, 10);
        push_base32(&mut text, self.context.version.get(), 10);
        if number > 0 {
            push_base32(&mut text, u64::from(number), 4);
        }
        crate::id::Id::new(&text).expect("a prefix of ours and base 32 make an id")
    }

    /// A number nobody can foresee from the request (SplitMix64 from the
    /// context's seed).
    pub const fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`Abort::TooLarge`], as for every write.
    pub fn put<T: Table>(&mut self, key: T::Key<'_>, row: &T::Row) -> Result<(), Abort> {
        let namespace = self.context.namespace;
        self.put_in::<T>(namespace, &key, row)
    }

    /// Removes a row, if there is one.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn delete<T: Table>(&mut self, key: T::Key<'_>) -> Result<(), Abort> {
        let key = stored_key(self.context.namespace, T::ID, &key);
        self.delete_stored(&key)
    }

    /// Removes every row whose key begins with `prefix`: one fact, whatever it removes.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn delete_prefix<T: Table>(&mut self, prefix: &impl Key) -> Result<(), Abort> {
        let from = stored_key(self.context.namespace, T::ID, prefix);
        let to = after_prefix(&from).expect("a stored key begins with a table number, not all FF");
        self.delete_range_stored(&from, &to)
    }

    /// Removes every row with `from <= key < to`; both are keys or prefixes of keys: one
    /// fact, whatever it removes.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn delete_range<T: Table>(&mut self, from: &impl Key, to: &impl Key) -> Result<(), Abort> {
        let namespace = self.context.namespace;
        let (from, to) = (stored_key(namespace, T::ID, from), stored_key(namespace, T::ID, to));
        self.delete_range_stored(&from, &to)
    }

    /// Arms a timer: `handler` runs with `payload` as a transaction of this
    /// namespace once log time has reached `due`. A time that is not in the future
    /// means as soon as can be.
    ///
    /// # Errors
    /// [`Abort::TooLarge`], also beyond 65,535 timers.
    pub fn arm_timer(
        &mut self,
        due: LogTime,
        handler: &str,
        payload: &impl Row,
    ) -> Result<TimerId, Abort> {
        let number = self.timers;
        let Some(next) = number.checked_add(1) else {
            return self.abort(Abort::TooLarge { what: "timers", limit: 65_535 });
        };
        self.timers = next;
        // Strictly later than now: whoever has looked for timers due by now has seen them all.
        let due = due.max(self.context.now.plus_us(1));
        let timer = TimerId { due, version: self.context.version, number };
        let mut bytes = Vec::with_capacity(64);
        payload.write(&mut bytes);
        let row = TimerRow { handler: handler.to_owned(), payload: bytes.into() };
        self.put_in::<Timers>(Namespace::SYSTEM, &timer.key(self.context.namespace), &row)?;
        Ok(timer)
    }

    /// Takes a timer back. One that has fired or was cancelled is gone already:
    /// nothing happens.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn cancel_timer(&mut self, timer: TimerId) -> Result<(), Abort> {
        let key = timer.key(self.context.namespace);
        self.delete_stored(&stored_key(Namespace::SYSTEM, Timers::ID, &key))
    }

    /// Writes a row of another namespace: for the engine's own tables.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn put_in<T: Table>(
        &mut self,
        namespace: Namespace,
        key: &impl Key,
        row: &T::Row,
    ) -> Result<(), Abort> {
        let mut buf = KeyBuf::reusing(std::mem::take(&mut self.key));
        write_key(&mut buf, namespace, T::ID, key);
        let mut value = std::mem::take(&mut self.row);
        value.clear();
        row.write(&mut value);
        let written = self.put_stored(buf.as_slice(), &value);
        (self.key, self.row) = (buf.into_vec(), value);
        written
    }

    /// Writes a value under a stored key.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn put_stored(&mut self, key: &[u8], value: &[u8]) -> Result<(), Abort> {
        self.charge_write(key.len() + value.len())?;
        self.batch.put(key, value);
        self.overlay.set(key, Some(value), self.context.version);
        Ok(())
    }

    /// Removes the value under a stored key.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn delete_stored(&mut self, key: &[u8]) -> Result<(), Abort> {
        self.charge_write(key.len())?;
        self.batch.delete(key);
        self.overlay.set(key, None, self.context.version);
        Ok(())
    }

    /// Removes the values of all stored keys with `from <= key < to`.
    ///
    /// # Errors
    /// [`Abort::TooLarge`]
    pub fn delete_range_stored(&mut self, from: &[u8], to: &[u8]) -> Result<(), Abort> {
        self.charge_write(from.len() + to.len())?;
        self.batch.delete_range(from, to);
        self.overlay.delete_range(from, to, self.context.version);
        Ok(())
    }

    /// Counts so many of this family, an [instrument](crate::instrument)'s whose source is
    /// what is counted, under as many names as it has labels. It is kept whatever becomes of the
    /// transaction, and is no part of what it writes.
    pub fn count(&mut self, family: &'static Family, names: &[&str], count: u64) {
        let names = names.iter().map(|name| Box::from(*name)).collect();
        self.counted.push(Tally { family: family.name, names, count });
    }

    /// What it has counted, for whoever ran it to add up.
    #[must_use]
    pub fn take_counted(&mut self) -> Vec<Tally> {
        std::mem::take(&mut self.counted)
    }

    /// The abort that ended it, if one did. Work that passes over an abort must not
    /// be committed: what it did not read or write is missing from what it did.
    #[must_use]
    pub fn aborted(&self) -> Option<Abort> {
        self.aborted.borrow().clone()
    }

    fn abort<T>(&self, abort: impl Into<Abort>) -> Result<T, Abort> {
        let abort = abort.into();
        self.aborted.borrow_mut().get_or_insert_with(|| abort.clone());
        Err(abort)
    }

    fn charge_write(&mut self, bytes: usize) -> Result<(), Abort> {
        let budget = &self.context.budget;
        let limit = budget.writes_max;
        if self.writes >= limit {
            return self.abort(Abort::TooLarge { what: "writes", limit: limit as usize });
        }
        let limit = budget.write_bytes_max;
        if self.batch.open_bytes().saturating_add(bytes) > limit {
            return self.abort(Abort::TooLarge { what: "bytes written", limit });
        }
        self.writes += 1;
        Ok(())
    }

    fn charge_read(&self, rows: usize, bytes: usize) -> Result<(), Abort> {
        let budget = &self.context.budget;
        let reads =
            u32::try_from(rows).map_or(u32::MAX, |rows| self.reads.get().saturating_add(rows));
        self.reads.set(reads);
        if reads > budget.reads_max {
            let limit = budget.reads_max as usize;
            return self.abort(Abort::TooLarge { what: "reads", limit });
        }
        self.read_bytes.set(self.read_bytes.get().saturating_add(bytes));
        if self.read_bytes.get() > budget.read_bytes_max {
            return self
                .abort(Abort::TooLarge { what: "bytes read", limit: budget.read_bytes_max });
        }
        Ok(())
    }

    /// What it did so far, in calls and hundreds of bytes: what fairness charges.
    #[must_use]
    pub fn cost(&self) -> u32 {
        let bytes = self.read_bytes.get().saturating_add(self.batch.open_bytes());
        let bytes = u32::try_from(bytes / 100).unwrap_or(u32::MAX);
        self.reads.get().saturating_add(self.writes).saturating_add(bytes)
    }

    /// Where it stands, to come back to.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        Savepoint {
            overlay: self.overlay.mark(),
            bytes: self.batch.open_bytes(),
            writes: self.writes,
            timers: self.timers,
        }
    }

    /// Takes back what it wrote since the savepoint; what it read and spent stays
    /// counted, and an abort stays an abort. Savepoints made later are void.
    pub fn rollback_to(&mut self, savepoint: &Savepoint) {
        self.overlay.rollback_to(savepoint.overlay);
        self.batch.truncate_open(savepoint.bytes);
        self.writes = savepoint.writes;
        self.timers = savepoint.timers;
    }

    /// Takes back all it wrote; it goes on as if it had just begun, so that a
    /// refusal can still record itself.
    pub fn rollback(&mut self) {
        if !planted!(RefusalLeaks) {
            self.overlay.rollback();
        }
        self.overlay.begin();
        self.batch.clear_open(self.context.now.since_us(self.context.entry_time));
        self.writes = 0;
        self.timers = 0;
    }

    /// Ends the transaction: what it wrote stands. Returns whether it wrote, and
    /// so has a version.
    #[must_use]
    pub fn commit(mut self) -> bool {
        self.finished = true;
        if self.has_written() {
            self.batch.commit();
        } else {
            self.batch.abandon();
        }
        self.has_written()
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.overlay.rollback();
            self.batch.abandon();
        }
    }
}

impl Read for Tx<'_> {
    fn namespace(&self) -> Namespace {
        self.context.namespace
    }

    fn now(&self) -> LogTime {
        self.context.now
    }

    fn get_stored(&self, key: &[u8]) -> Result<Option<Bytes>, Abort> {
        let value = self.overlay.get(self.base, key).or_else(|error| self.abort(error))?;
        self.charge_read(1, value.as_ref().map_or(0, Bytes::len))?;
        Ok(value)
    }

    fn scan_stored(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<(Bytes, Bytes)>, Abort> {
        let left = self.context.budget.reads_max.saturating_sub(self.reads.get()) as usize;
        let bounded = Scan { limit: scan.limit.min(left.saturating_add(1)), ..scan };
        let rows = self.overlay.scan(self.base, from, to, bounded);
        let rows = rows.or_else(|error| self.abort(error))?;
        let bytes = rows.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.charge_read(1 + rows.len(), bytes)?;
        Ok(rows)
    }
}

/// Crockford's base 32, lower case: digits sort before letters as in ASCII.
fn push_base32(out: &mut String, number: u64, digits: u32) {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    for digit in (0..digits).rev() {
        let index = usize::try_from((number >> (5 * digit)) & 31).expect("five bits");
        out.push(char::from(ALPHABET[index]));
    }
}
