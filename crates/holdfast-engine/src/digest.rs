//! What the leader says its state is: a digest of some rows, as a fact in the log (P17).
//!
//! Every so many entries the leader reads the next few hundred rows of its state,
//! in key order and round and round, and writes their hash into a row of its own.
//! It does so in the first transaction of a batch, so what it saw is the state after
//! every batch before: whoever applies those and then finds the digest can compare
//! (see [`scrub`](crate::scrub)).
//!
//! The place to go on from is the digest before; nothing else remembers it.

use bytes::Bytes;
use holdfast_state::{
    Batch, Namespace, Read as _, Scan, StoreError, Table, TableId, Tx, fact::Fact, row::Row as _,
    table::stored_key,
};
use minicbor::bytes::ByteVec;
use xxhash_rust::xxh3::Xxh3;

use crate::request::Request;

/// Rows that a digest covers at most.
pub const ROWS_MAX: usize = 512;

/// Rows are read so many at a time, until they have [`BYTES_ENOUGH`].
const ROWS_AT_ONCE: usize = 64;

/// A digest covers no more rows once those it has are this large, in bytes.
const BYTES_ENOUGH: usize = 256 << 10;

/// The first stored key that no row has: the namespaces end there.
const END: [u8; 8] = [0xFF; 8];

/// The newest digest. One row.
#[derive(Debug)]
pub struct Digests;

impl Table for Digests {
    const ID: TableId = TableId(0x0003);
    const NAME: &'static str = "engine.digest";
    type Key<'k> = ();
    type Row = Digest;
}

/// What the rows with `from <= key < to` were, all of them, when the transaction
/// that wrote this began.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Digest {
    #[n(0)]
    from: ByteVec,
    #[n(1)]
    to: ByteVec,
    /// How many there were.
    #[n(2)]
    pub rows: u32,
    #[n(3)]
    hash: u64,
}

impl Digest {
    /// The digest of these rows, which are all with `from <= key < to`.
    #[must_use]
    pub fn of(from: &[u8], to: &[u8], rows: &[(Bytes, Bytes)]) -> Self {
        let mut hash = Xxh3::new();
        for (key, value) in rows {
            hash.update(&(key.len() as u64).to_le_bytes());
            hash.update(key);
            hash.update(&(value.len() as u64).to_le_bytes());
            hash.update(value);
        }
        Self {
            from: from.to_vec().into(),
            to: to.to_vec().into(),
            rows: u32::try_from(rows.len()).expect("a digest covers a few hundred rows"),
            hash: hash.digest(),
        }
    }

    /// The first key that is covered.
    #[must_use]
    pub fn from(&self) -> &[u8] {
        &self.from
    }

    /// The first key that is not covered any more.
    #[must_use]
    pub fn to(&self) -> &[u8] {
        &self.to
    }

    /// The digest that a batch begins with, if it does.
    ///
    /// # Errors
    /// [`StoreError::Doubt`] when it does not decode: whoever wrote it had other rows.
    pub fn heading(batch: &Batch) -> Result<Option<Self>, StoreError> {
        let Some(Ok(first)) = batch.changes().next() else { return Ok(None) };
        match first.facts().next() {
            Some(Ok(Fact::Put { key, value })) if key == digest_key() => {
                let undecodable =
                    |_| StoreError::Doubt { what: "a digest does not decode".to_owned() };
                Self::parse(value).map(Some).map_err(undecodable)
            }
            Some(_) | None => Ok(None),
        }
    }
}

fn digest_key() -> Vec<u8> {
    stored_key(Namespace::SYSTEM, Digests::ID, &())
}

/// The transaction that digests the next rows.
pub(crate) fn request() -> Request {
    Request {
        namespace: Namespace::SYSTEM,
        asked: None,
        deadline_us: None,
        work: Box::new(|tx| {
            let before = tx.get_row::<Digests>(&digest_key())?;
            let from = before.map(|before| before.to.to_vec()).filter(|to| *to < END.to_vec());
            let digest = digest_from(tx, &from.unwrap_or_default())?;
            tx.put_in::<Digests>(Namespace::SYSTEM, &(), &digest)?;
            Ok(Vec::new())
        }),
        reply: Box::new(|answer| {
            if let Err(failure) = answer {
                tracing::warn!(%failure, "the state was not digested");
            }
        }),
    }
}

fn digest_from(tx: &Tx<'_>, from: &[u8]) -> Result<Digest, holdfast_state::Abort> {
    let (mut rows, mut bytes, mut next) = (Vec::with_capacity(ROWS_MAX), 0, from.to_vec());
    while rows.len() < ROWS_MAX && bytes < BYTES_ENOUGH {
        let found = tx.scan_stored(&next, &END, Scan::up(ROWS_AT_ONCE))?;
        let last = found.len() < ROWS_AT_ONCE;
        bytes += found.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        next = match found.last() {
            Some((key, _)) if !last => [key, &[0][..]].concat(),
            Some(_) | None => END.to_vec(),
        };
        rows.extend(found);
        if last {
            break;
        }
    }
    Ok(Digest::of(from, &next, &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_format_stays_as_it_is() {
        // Logs of earlier releases hold these; nodes of two releases compare them.
        let rows = [("a", "1"), ("bc", "")].map(|(key, value)| (key.into(), value.into()));
        let mut bytes = Vec::new();
        Digest::of(b"a", b"c", &rows).write(&mut bytes);
        assert_eq!(bytes, b"\x84AaAc\x02\x1be\x873\x86\xeeLo\xb4");
    }

    #[test]
    fn every_part_of_every_row_counts() {
        let of = |rows: &[(&'static str, &'static str)]| {
            let rows: Vec<_> =
                rows.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            Digest::of(b"", b"z", &rows).hash
        };
        let base = of(&[("a", "1"), ("b", "2")]);
        for other in [
            of(&[]),
            of(&[("a", "1")]),
            of(&[("b", "2"), ("a", "1")]),
            of(&[("a", "1b"), ("", "2")]),
            of(&[("a1", ""), ("b", "2")]),
            of(&[("a", "1"), ("b", "3")]),
        ] {
            assert_ne!(base, other);
        }
    }
}
