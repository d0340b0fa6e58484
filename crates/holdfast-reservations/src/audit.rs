//! The audit: what is taken of every night derived again, from the holds alone.
//!
//! It reads a state (or begins with none), then the changes of the log in order, and
//! at the end looks at the state that the partition says it has come to. Levels and
//! waitlists are not believed:
//!
//! - after every transaction, each slot that it touched has held and sold just what
//!   the holds of that slot take, and no more than its stock;
//! - a hold goes from held to confirmed, released or expired, from confirmed to
//!   cancelled, in time, at the version and time of its transaction; extending and
//!   moving change what they may and nothing else, and what was asked for first stays;
//! - the places of a waitlist are those of the entries that wait, each resource counts
//!   them, and an entry that is served has the hold that it asked for;
//! - at the end nobody waits who would fit, unless the offering still goes on;
//! - nothing is removed but levels that say nothing and places that were left.
//!
//! It shares no arithmetic with the commands. It keeps every hold and waitlist entry
//! in memory, about 300 bytes each.

mod books;
mod difference;
mod holds;
mod taken;

use holdfast_state::{
    Abort, Batch, Fact, Id, Namespace, Read, Table, TableId, View,
    audit::{AuditEntry, Findings},
    fact::Change,
    key::{BadKey, KeyReader, after_prefix},
    page::each,
    row::Row as _,
    table::{split_key, stored_key},
};

use self::books::Books;
pub use self::{
    difference::{Difference, Report},
    taken::Taken,
};
use crate::{
    TABLES,
    row::{Entries, Holds, Levels, Queue, ResourceMetadata, Resources, Stamp},
};

/// How reservations are audited.
pub const AUDIT: AuditEntry = AuditEntry {
    name: "reservations",
    from_nothing: |namespace| Box::new(Audit::from_nothing(namespace)),
    from_state: |state| Ok(Box::new(Audit::from_state(state)?)),
};

/// A namespace's reservations, derived again.
#[derive(Clone, Debug)]
pub struct Audit {
    namespace: Namespace,
    books: Books,
    report: Report,
}

impl Audit {
    /// Begins before the first transaction.
    #[must_use]
    pub fn from_nothing(namespace: Namespace) -> Self {
        Self { namespace, books: Books::default(), report: Report::default() }
    }

    /// Begins with a state, whose rows are checked against one another.
    ///
    /// # Errors
    /// [`Abort`]: the state cannot be read.
    pub fn from_state(state: &impl Read) -> Result<Self, Abort> {
        let mut report = Report::default();
        let books = load(state, &mut report)?;
        Ok(Self { namespace: state.namespace(), books, report })
    }

    /// Goes on with the transactions of a batch.
    pub fn batch(&mut self, batch: &Batch) {
        for change in batch.changes() {
            match change {
                Ok(change) => self.change(&change),
                Err(_) => self.report.add(Difference::Undecodable { what: "a batch" }),
            }
        }
    }

    /// Goes on with one transaction.
    pub fn change(&mut self, change: &Change) {
        let stamp = Stamp { version: change.version, time: change.time };
        self.report.transactions += 1;
        for fact in change.facts() {
            match fact {
                Ok(Fact::Put { key, value }) => self.put(key, value, stamp),
                Ok(Fact::Delete { key }) => self.deleted(key),
                Ok(Fact::DeleteRange { from, to }) => self.removed(from, to),
                Err(_) => self.report.add(Difference::Undecodable { what: "a fact" }),
            }
        }
        self.books.settle(&mut self.report);
    }

    /// Ends: compares what was derived with the state that there is.
    ///
    /// # Errors
    /// [`Abort`]: the state cannot be read.
    pub fn finish(mut self, state: &impl Read) -> Result<Report, Abort> {
        self.books.complete(&mut self.report);
        let stored = load(state, &mut self.report)?;
        self.books.compare(&stored, &mut self.report);
        Ok(self.report)
    }

    fn put(&mut self, key: &[u8], value: &[u8], stamp: Stamp) {
        if let Some((table, mut parts)) = self.ours(key) {
            let done = put(&mut self.books, table, (&mut parts, value), stamp, &mut self.report);
            if done.is_err() {
                let what = name_of(table);
                self.report.add(Difference::Undecodable { what });
            }
        }
    }

    fn deleted(&mut self, key: &[u8]) {
        let Some((table, mut parts)) = self.ours(key) else { return };
        let done = match table {
            Levels::ID => slot_of(&mut parts).map(|(id, slot)| self.books.level(id, slot, None)),
            Queue::ID => ticket_of(&mut parts).map(|(id, at)| self.books.place(id, at, None)),
            _ => {
                let table = name_of(table);
                self.report.add(Difference::Removed { table });
                Ok(())
            }
        };
        if done.is_err() {
            let what = name_of(table);
            self.report.add(Difference::Undecodable { what });
        }
    }

    /// The table and the parts of a key of ours.
    fn ours<'k>(&self, key: &'k [u8]) -> Option<(TableId, KeyReader<'k>)> {
        let (namespace, table, parts) = split_key(key)?;
        let ours = namespace == self.namespace && TABLES.iter().any(|(id, _)| *id == table);
        ours.then_some((table, parts))
    }

    /// Notes it when a range that was removed touches one of our tables.
    fn removed(&mut self, from: &[u8], to: &[u8]) {
        for (id, table) in TABLES {
            let start = stored_key(self.namespace, *id, &());
            let end = after_prefix(&start).expect("a table's number is not all FF");
            if from < &end[..] && to > &start[..] {
                self.report.add(Difference::Removed { table });
            }
        }
    }
}

impl holdfast_state::audit::Audit for Audit {
    fn batch(&mut self, batch: &Batch) {
        self.batch(batch);
    }

    fn finish(self: Box<Self>, state: &View) -> Result<Findings, Abort> {
        let report = (*self).finish(state)?;
        Ok(Findings {
            transactions: report.transactions,
            counts: vec![
                ("resources", report.resources),
                ("holds", report.holds),
                ("waitlist entries", report.entries),
            ],
            differences: report.differences.in_words(),
        })
    }
}

/// Bytes that are no key or no row.
struct Undecodable;

impl From<BadKey> for Undecodable {
    fn from(_: BadKey) -> Self {
        Self
    }
}

fn row<T: Table>(bytes: &[u8]) -> Result<T::Row, Undecodable> {
    T::Row::parse(bytes).map_err(|_| Undecodable)
}

fn put(
    books: &mut Books,
    table: TableId,
    (key, value): (&mut KeyReader<'_>, &[u8]),
    stamp: Stamp,
    report: &mut Report,
) -> Result<(), Undecodable> {
    match table {
        Resources::ID => books.resource(key.id()?, row::<Resources>(value)?, Some(stamp), report),
        ResourceMetadata::ID => {
            books.metadata.insert(key.id()?, row::<ResourceMetadata>(value)?);
        }
        Levels::ID => {
            let (id, slot) = slot_of(key)?;
            books.level(id, slot, Some(row::<Levels>(value)?));
        }
        Holds::ID => books.hold(key.id()?, row::<Holds>(value)?, Some(stamp), report),
        Entries::ID => books.entry(key.id()?, row::<Entries>(value)?, Some(stamp), report),
        Queue::ID => {
            let (id, ticket) = ticket_of(key)?;
            books.place(id, ticket, Some(row::<Queue>(value)?));
        }
        _ => {}
    }
    Ok(())
}

fn name_of(table: TableId) -> &'static str {
    TABLES.iter().find(|(id, _)| *id == table).map_or("a table", |(_, name)| name)
}

fn slot_of(key: &mut KeyReader<'_>) -> Result<(Id, u32), BadKey> {
    Ok((key.id()?, key.u32()?))
}

fn ticket_of(key: &mut KeyReader<'_>) -> Result<(Id, u64), BadKey> {
    Ok((key.id()?, key.u64()?))
}

/// A state's books, with its rows checked against one another.
fn load(state: &impl Read, report: &mut Report) -> Result<Books, Abort> {
    let mut books = Books::default();
    each::<Resources>(state, |found| {
        books.resource(found.key().id()?, found.row, None, report);
        Ok(())
    })?;
    each::<ResourceMetadata>(state, |found| {
        books.metadata.insert(found.key().id()?, found.row);
        Ok(())
    })?;
    each::<Holds>(state, |found| {
        books.hold(found.key().id()?, found.row, None, report);
        Ok(())
    })?;
    each::<Levels>(state, |found| {
        let (id, slot) = slot_of(&mut found.key())?;
        books.level(id, slot, Some(found.row));
        Ok(())
    })?;
    each::<Entries>(state, |found| {
        books.entry(found.key().id()?, found.row, None, report);
        Ok(())
    })?;
    each::<Queue>(state, |found| {
        let (id, ticket) = ticket_of(&mut found.key())?;
        books.place(id, ticket, Some(found.row));
        Ok(())
    })?;
    books.complete(report);
    Ok(books)
}
