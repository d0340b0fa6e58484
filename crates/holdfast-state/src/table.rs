//! Tables: typed, namespaced ranges of the keyspace.
//!
//! A stored key is `namespace (4 bytes) | table (2 bytes) | the key's parts`.
//! Primitives never see the first: a [`Tx`](crate::Tx) or a
//! [`View`](crate::View) adds it, so a tenant cannot name another's rows.

use std::fmt;

use bytes::Bytes;

use crate::{
    key::{Key, KeyBuf, KeyReader, after_prefix},
    row::Row,
    store::{Scan, StoreError},
    time::LogTime,
    tx::Abort,
};

/// A tenant's number. What belongs to the partition itself lies in
/// [`SYSTEM`](Self::SYSTEM), where no request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(u32);

impl Namespace {
    /// The partition's own rows: timers, leadership, configuration.
    pub const SYSTEM: Self = Self(0);
    /// The namespace of a server that was given no credentials.
    pub const DEFAULT: Self = Self(1);

    /// The namespace with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A table's number, never given twice: `0x00..` engine, `0x01..` ledger,
/// `0x02..` reservations, `0x03..` flow, `0x04..` coordination, and from
/// [`OWN_FIRST`](Self::OWN_FIRST) on what programs that embed this keep of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u16);

impl TableId {
    /// The first number that Holdfast never gives to a table of its own: this one and
    /// all above it, up to `0xffff`, are for programs that embed it.
    pub const OWN_FIRST: Self = Self(0x7f00);

    /// Is it for programs that embed this to give?
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.0 >= Self::OWN_FIRST.0
    }
}

/// Length in bytes of what stands before a key's parts.
pub const PREFIX_LENGTH: usize = 6;

/// A table: what its keys and rows are. Implemented by an empty struct.
///
/// ```
/// use holdfast_state::{Table, TableId};
///
/// #[derive(minicbor::Encode, minicbor::Decode)]
/// struct Visit {
///     #[n(0)]
///     seconds: u32,
/// }
///
/// struct Visits;
///
/// impl Table for Visits {
///     const ID: TableId = TableId(0x7f01);
///     const NAME: &'static str = "site.visits";
///     type Key<'k> = (&'k str, u64);
///     type Row = Visit;
/// }
/// ```
pub trait Table {
    /// The number that stands in every key.
    const ID: TableId;
    /// The name people see: `ledger.accounts`.
    const NAME: &'static str;
    /// What identifies a row.
    type Key<'k>: Key + Copy;
    /// What a row is.
    type Row: Row;
}

/// Writes the stored form of a key.
pub fn write_key(buf: &mut KeyBuf, namespace: Namespace, table: TableId, key: &impl Key) {
    buf.fixed(&namespace.0.to_be_bytes());
    buf.fixed(&table.0.to_be_bytes());
    key.write(buf);
}

/// Room for most keys: what is written to it does not have to move.
const KEY_BYTES_USUAL: usize = 64;

/// The stored form of a key, or of a prefix of one.
#[must_use]
pub fn stored_key(namespace: Namespace, table: TableId, key: &impl Key) -> Vec<u8> {
    let mut buf = KeyBuf::reusing(Vec::with_capacity(KEY_BYTES_USUAL));
    write_key(&mut buf, namespace, table, key);
    buf.into_vec()
}

/// A stored key taken apart: namespace, table, and the parts.
#[must_use]
pub fn split_key(stored: &[u8]) -> Option<(Namespace, TableId, KeyReader<'_>)> {
    let (namespace, rest) = stored.split_first_chunk::<4>()?;
    let (table, parts) = rest.split_first_chunk::<2>()?;
    Some((
        Namespace(u32::from_be_bytes(*namespace)),
        TableId(u16::from_be_bytes(*table)),
        KeyReader::new(parts),
    ))
}

/// A row found by a scan.
#[derive(Debug)]
pub struct Found<R> {
    key: Bytes,
    /// The row.
    pub row: R,
}

impl<R> Found<R> {
    /// The key as it is stored.
    pub(crate) fn stored(&self) -> &[u8] {
        &self.key
    }

    /// The key's parts.
    #[must_use]
    pub fn key(&self) -> KeyReader<'_> {
        KeyReader::new(&self.key[PREFIX_LENGTH..])
    }
}

/// Reading tables; what a transaction and a view have in common.
pub trait Read {
    /// The namespace whose rows are read.
    fn namespace(&self) -> Namespace;

    /// Log time: of the transaction, or when the view was taken.
    fn now(&self) -> LogTime;

    /// The value stored under `key`.
    ///
    /// # Errors
    /// [`Abort`]: a limit of the transaction, or the store is in doubt.
    fn get_stored(&self, key: &[u8]) -> Result<Option<Bytes>, Abort>;

    /// At most `scan.limit` pairs with `from <= key < to`.
    ///
    /// # Errors
    /// As [`get_stored`](Self::get_stored).
    fn scan_stored(&self, from: &[u8], to: &[u8], scan: Scan)
    -> Result<Vec<(Bytes, Bytes)>, Abort>;

    /// The row under `key`, if there is one.
    ///
    /// # Errors
    /// [`Abort`]
    fn get<T: Table>(&self, key: T::Key<'_>) -> Result<Option<T::Row>, Abort> {
        self.get_row::<T>(&stored_key(self.namespace(), T::ID, &key))
    }

    /// The row under a stored key, of whichever namespace.
    ///
    /// # Errors
    /// [`Abort`]
    fn get_row<T: Table>(&self, key: &[u8]) -> Result<Option<T::Row>, Abort> {
        self.get_stored(key)?.map(|bytes| parse::<T>(&bytes)).transpose()
    }

    /// Rows whose key begins with `prefix`, in key order.
    ///
    /// # Errors
    /// [`Abort`]
    fn scan<T: Table>(&self, prefix: &impl Key, scan: Scan) -> Result<Vec<Found<T::Row>>, Abort> {
        let from = stored_key(self.namespace(), T::ID, prefix);
        let to = after_prefix(&from).expect("a stored key begins with a table number, not all FF");
        self.rows::<T>(&from, &to, scan)
    }

    /// Rows with `from <= key < to`; both are keys or prefixes of keys.
    ///
    /// # Errors
    /// [`Abort`]
    fn range<T: Table>(
        &self,
        from: &impl Key,
        to: &impl Key,
        scan: Scan,
    ) -> Result<Vec<Found<T::Row>>, Abort> {
        let from = stored_key(self.namespace(), T::ID, from);
        let to = stored_key(self.namespace(), T::ID, to);
        self.rows::<T>(&from, &to, scan)
    }

    /// The rows between two stored keys. Called by [`scan`](Self::scan) and
    /// [`range`](Self::range).
    ///
    /// # Errors
    /// [`Abort`]
    fn rows<T: Table>(
        &self,
        from: &[u8],
        to: &[u8],
        scan: Scan,
    ) -> Result<Vec<Found<T::Row>>, Abort> {
        let pairs = self.scan_stored(from, to, scan)?;
        pairs.into_iter().map(|(key, value)| Ok(Found { row: parse::<T>(&value)?, key })).collect()
    }
}

fn parse<T: Table>(bytes: &[u8]) -> Result<T::Row, Abort> {
    T::Row::parse(bytes).map_err(|_| {
        Abort::Store(StoreError::Doubt { what: format!("a row of {} does not decode", T::NAME) })
    })
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
