//! Facts: what transactions wrote, as the log carries it.
//!
//! A *batch* is the body of a log entry: the write sets of consecutive
//! transactions, in order. Nothing in it needs the code that wrote it: a
//! follower or a later release applies keys and values blindly, so it cannot
//! come to another state (CockroachDB calls this proposer-evaluated).
//!
//! ```text
//! batch       := transaction*
//! transaction := length of the rest (u32) | time offset in us (varint) | fact*
//! fact        := 1 key value | 2 key | 3 from to        put, delete, delete range
//! key, value  := length (varint) | bytes
//! ```
//!
//! Versions and log times are relative to the entry's header: the n-th
//! transaction of a batch has version `first + n`.

use bytes::Bytes;

use crate::{time::LogTime, version::Version};

const PUT: u8 = 1;
const DELETE: u8 = 2;
const DELETE_RANGE: u8 = 3;

/// One change of state; keys and values are slices of the batch that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// This key now has this value.
    Put {
        /// Stored key.
        key: &'a [u8],
        /// Stored value.
        value: &'a [u8],
    },
    /// This key has no value any more.
    Delete {
        /// Stored key.
        key: &'a [u8],
    },
    /// No key with `from <= key < to` has a value any more. One fact, whatever
    /// it removes: retention by bucket costs the log nothing.
    DeleteRange {
        /// First stored key that goes.
        from: &'a [u8],
        /// First stored key that stays.
        to: &'a [u8],
    },
}

/// Bytes that are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body of a log entry is not a batch of transactions")]
pub struct BadBatch;

/// Collects transactions into a batch.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    /// Where the transaction being written begins.
    open: Option<usize>,
    count: u32,
}

impl BatchBuilder {
    /// A builder that appends to `memory`, so that a caller may keep room in
    /// front for a header.
    #[must_use]
    pub const fn reusing(memory: Vec<u8>) -> Self {
        Self { bytes: memory, open: None, count: 0 }
    }

    /// Begins a transaction `time_offset_us` after the entry's log time.
    ///
    /// # Panics
    /// When one is open already: that is a bug of ours.
    pub fn begin(&mut self, time_offset_us: u64) {
        assert!(self.open.is_none(), "one transaction at a time");
        self.open = Some(self.bytes.len());
        self.bytes.extend_from_slice(&[0; 4]);
        push_varint(&mut self.bytes, time_offset_us);
    }

    /// Appends a put to the open transaction.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.fact(PUT, key);
        self.part(value);
    }

    /// Appends a delete to the open transaction.
    pub fn delete(&mut self, key: &[u8]) {
        self.fact(DELETE, key);
    }

    /// Appends a delete of a range to the open transaction.
    pub fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        self.fact(DELETE_RANGE, from);
        self.part(to);
    }

    fn fact(&mut self, tag: u8, key: &[u8]) {
        debug_assert!(self.open.is_some(), "facts belong to a transaction");
        self.bytes.push(tag);
        self.part(key);
    }

    fn part(&mut self, bytes: &[u8]) {
        push_varint(&mut self.bytes, bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that the open transaction has so far.
    #[must_use]
    pub fn open_bytes(&self) -> usize {
        self.open.map_or(0, |start| self.bytes.len() - start)
    }

    /// Forgets the facts of the open transaction, which stays open.
    pub fn clear_open(&mut self, time_offset_us: u64) {
        self.abandon();
        self.begin(time_offset_us);
    }

    /// Forgets the facts of the open transaction beyond its first `bytes`.
    ///
    /// # Panics
    /// When it has fewer.
    pub fn truncate_open(&mut self, bytes: usize) {
        assert!(bytes <= self.open_bytes(), "a transaction goes back, not forth");
        self.bytes.truncate(self.open.expect("a transaction is open") + bytes);
    }

    /// Drops the open transaction.
    pub fn abandon(&mut self) {
        let start = self.open.take().expect("a transaction is open");
        self.bytes.truncate(start);
    }

    /// Closes the open transaction: it is part of the batch now.
    ///
    /// # Panics
    /// When it has 4 GiB or more, which its budget does not allow.
    pub fn commit(&mut self) {
        let start = self.open.take().expect("a transaction is open");
        let length = u32::try_from(self.bytes.len() - start - 4).expect("bounded by the budget");
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.count += 1;
    }

    /// Transactions in the batch.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bytes in the batch, with the room kept in front.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// No transaction yet?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The batch, behind whatever stood in the memory it was given.
    ///
    /// # Panics
    /// When a transaction is open: that is a bug of ours.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        assert!(self.open.is_none(), "a batch holds whole transactions");
        self.bytes
    }
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7F);
            return;
        }
        out.push(low | 0x80);
    }
}

/// The transactions of one log entry.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Version of the first transaction.
    pub first: Version,
    /// How many there are.
    pub count: u32,
    /// The entry's log time.
    pub time: LogTime,
    /// As [`BatchBuilder`] wrote them.
    pub bytes: Bytes,
}

/// One transaction of a batch.
#[derive(Clone, Debug)]
pub struct Change {
    /// The transaction's version.
    pub version: Version,
    /// The log time it saw.
    pub time: LogTime,
    facts: Bytes,
}

impl Batch {
    /// The transactions in order. An error ends the iteration; so does one when
    /// their number is not `count`.
    pub fn changes(&self) -> impl Iterator<Item = Result<Change, BadBatch>> + use<> {
        let batch = self.clone();
        let (mut at, mut seen) = (0, 0);
        std::iter::from_fn(move || {
            if at == batch.bytes.len() && seen == batch.count {
                return None;
            }
            let change = if seen < batch.count {
                batch.change_at(&mut at, batch.first.plus(u64::from(seen)))
            } else {
                Err(BadBatch)
            };
            seen += 1;
            if change.is_err() {
                (at, seen) = (batch.bytes.len(), batch.count);
            }
            Some(change)
        })
    }

    fn change_at(&self, at: &mut usize, version: Version) -> Result<Change, BadBatch> {
        let mut rest = Cursor(&self.bytes[*at..]);
        let before = rest.0.len();
        let length = rest.take(4)?.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
        let length = usize::try_from(length.ok_or(BadBatch)?).map_err(|_| BadBatch)?;
        let mut transaction = Cursor(rest.take(length)?);
        *at += before - rest.0.len();
        let time = self.time.plus_us(transaction.varint()?);
        Ok(Change { version, time, facts: self.bytes.slice_ref(transaction.0) })
    }

    /// Every fact checked for form, so that a later pass cannot fail half way.
    ///
    /// # Errors
    /// [`BadBatch`]
    pub fn check(&self) -> Result<(), BadBatch> {
        for change in self.changes() {
            for fact in change?.facts() {
                fact?;
            }
        }
        Ok(())
    }
}

impl Change {
    /// The facts in the order they were written; of two about one key the later holds.
    pub fn facts(&self) -> impl Iterator<Item = Result<Fact<'_>, BadBatch>> {
        let mut rest = Cursor(&self.facts);
        std::iter::from_fn(move || {
            if rest.0.is_empty() {
                return None;
            }
            let fact = rest.fact();
            if fact.is_err() {
                rest.0 = &[];
            }
            Some(fact)
        })
    }

    /// A part of one of its facts that shares the memory of the whole batch: no
    /// copy, but the batch lives as long as the part.
    #[must_use]
    pub fn shared(&self, part: &[u8]) -> Bytes {
        self.facts.slice_ref(part)
    }

    /// As [`shared`](Self::shared): from the beginning of one part to the end of a
    /// later one, with whatever lies between.
    ///
    /// # Panics
    /// When they are not parts of its facts, in this order.
    pub(crate) fn shared_between(&self, first: &[u8], last: &[u8]) -> Bytes {
        let place = |part: &[u8]| part.as_ptr().addr() - self.facts.as_ptr().addr();
        self.facts.slice(place(first)..place(last) + last.len())
    }
}

/// Takes slices off the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn fact(&mut self) -> Result<Fact<'a>, BadBatch> {
        match self.take(1)?[0] {
            PUT => Ok(Fact::Put { key: self.part()?, value: self.part()? }),
            DELETE => Ok(Fact::Delete { key: self.part()? }),
            DELETE_RANGE => Ok(Fact::DeleteRange { from: self.part()?, to: self.part()? }),
            _ => Err(BadBatch),
        }
    }

    fn part(&mut self) -> Result<&'a [u8], BadBatch> {
        let length = usize::try_from(self.varint()?).map_err(|_| BadBatch)?;
        self.take(length)
    }

    fn varint(&mut self) -> Result<u64, BadBatch> {
        let mut number = 0u64;
        for (index, byte) in self.0.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7F);
            let shifted = bits << (7 * index);
            if shifted >> (7 * index) != bits {
                return Err(BadBatch);
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                self.take(index + 1)?;
                return Ok(number);
            }
        }
        Err(BadBatch)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], BadBatch> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BadBatch)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Which kind of fact, and its parts.
    type Parts = (u8, Vec<u8>, Vec<u8>);

    fn parts() -> impl Strategy<Value = Parts> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        (PUT..=DELETE_RANGE, bytes(), bytes())
    }

    fn fact((kind, key, value): &Parts) -> Fact<'_> {
        match *kind {
            PUT => Fact::Put { key, value },
            DELETE => Fact::Delete { key },
            _ => Fact::DeleteRange { from: key, to: value },
        }
    }

    fn write(builder: &mut BatchBuilder, fact: Fact<'_>) {
        match fact {
            Fact::Put { key, value } => builder.put(key, value),
            Fact::Delete { key } => builder.delete(key),
            Fact::DeleteRange { from, to } => builder.delete_range(from, to),
        }
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written(
            transactions in proptest::collection::vec(
                (any::<u32>(), proptest::collection::vec(parts(), 0..6), any::<bool>()), 0..6)
        ) {
            let mut builder = BatchBuilder::default();
            for (offset, facts, kept) in &transactions {
                builder.begin(u64::from(*offset));
                facts.iter().for_each(|parts| write(&mut builder, fact(parts)));
                if *kept { builder.commit() } else { builder.abandon() }
            }
            let kept: Vec<_> = transactions.iter().filter(|t| t.2).collect();
            let batch = Batch {
                first: Version::new(7),
                count: builder.count(),
                time: LogTime::from_us(1_000),
                bytes: builder.into_bytes().into(),
            };
            prop_assert_eq!(batch.check(), Ok(()));
            let read: Vec<Change> = batch.changes().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), kept.len());
            for (index, (change, (offset, facts, _))) in read.iter().zip(kept).enumerate() {
                prop_assert_eq!(change.version, Version::new(7 + index as u64));
                prop_assert_eq!(change.time.as_us(), 1_000 + u64::from(*offset));
                let read: Vec<Fact<'_>> = change.facts().map(Result::unwrap).collect();
                let written: Vec<Fact<'_>> = facts.iter().map(fact).collect();
                prop_assert_eq!(&read, &written);
            }
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..64), count in 0u32..4
        ) {
            let batch = Batch {
                first: Version::new(1), count, time: LogTime::ZERO, bytes: bytes.into(),
            };
            let whole = batch.check().is_ok();
            let seen = batch.changes().filter(Result::is_ok).count();
            prop_assert!(!whole || seen == count as usize);
        }
    }
}
