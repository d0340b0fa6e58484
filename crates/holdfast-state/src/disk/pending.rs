//! Deleted ranges whose rows are still in the tree.
//!
//! A range costs one fact to delete, and should not cost a tombstone per row to
//! reclaim. So when a recent table that deleted a range is written back, the
//! range is only *noted*, in the same step, as a row of the store's own; readers
//! of the tree see through the note. Later, between two merges, tables that lie
//! wholly in the range are dropped unread, what is left at the edges gets
//! tombstones, and the same step removes the note. A crash in between finds the
//! note and does it again.
//!
//! This is sound only while no newer row lies in a noted range: dropping tables
//! does not ask for the age of their rows. Whoever writes back a table that has
//! such rows reclaims first; see [`worker`](super::worker).

use bytes::Bytes;

use super::base::{Base, OWN, Pin, doubt, raw_key};
use crate::store::StoreError;

/// Name of the store's own rows that note a range.
const NOTE: u8 = b'p';

/// Ranges noted and not yet reclaimed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    ranges: Vec<Note>,
    next_id: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Note {
    id: u64,
    from: Bytes,
    to: Bytes,
}

impl Note {
    fn key(&self) -> Bytes {
        [&[OWN, NOTE][..], &self.id.to_be_bytes()].concat().into()
    }

    fn value(&self) -> Bytes {
        let length = (self.from.len() as u64).to_le_bytes();
        [&length[..], &self.from, &self.to].concat().into()
    }

    fn parse(key: &Bytes, value: &Bytes) -> Option<Self> {
        let id = u64::from_be_bytes(key.get(2..)?.try_into().ok()?);
        let (length, rest) = value.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (from, to) = rest.split_at_checked(length)?;
        (from < to).then(|| Self { id, from: value.slice_ref(from), to: value.slice_ref(to) })
    }

    /// The row that notes this range.
    pub(super) fn row(&self) -> (Bytes, Option<Bytes>) {
        (self.key(), Some(self.value()))
    }
}

impl Pending {
    /// What a tree has noted.
    pub(super) fn read(pin: &Pin) -> Result<Self, StoreError> {
        let mut pending = Self::default();
        for row in pin.range(&[OWN, NOTE], &[OWN, NOTE + 1])? {
            let (key, value) = row?;
            let note = Note::parse(&key, &value)
                .ok_or_else(|| doubt("the note of a deleted range has not its form"))?;
            pending.next_id = note.id + 1;
            pending.ranges.push(note);
        }
        Ok(pending)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Numbers ranges, to be [`add`](Self::add)ed once their notes are written.
    pub(super) fn number(&mut self, ranges: Vec<(Bytes, Bytes)>) -> Vec<Note> {
        let mut note = |(from, to)| {
            let id = self.next_id;
            self.next_id += 1;
            Note { id, from, to }
        };
        ranges.into_iter().map(&mut note).collect()
    }

    pub(super) fn add(&mut self, notes: Vec<Note>) {
        self.ranges.extend(notes);
    }

    /// Does any noted range satisfy this?
    pub(super) fn any(&self, mut wanted: impl FnMut(&[u8], &[u8]) -> bool) -> bool {
        self.ranges.iter().any(|note| wanted(&note.from, &note.to))
    }

    /// The ranges in order of their keys, joined where they touch.
    pub(super) fn joined(&self) -> Vec<(Bytes, Bytes)> {
        join(self.ranges.iter().map(|note| (note.from.clone(), note.to.clone())).collect())
    }

    /// Removes the rows of all noted ranges, and the notes.
    pub(super) fn reclaim(&mut self, base: &std::sync::Arc<Base>) -> Result<(), StoreError> {
        let joined = self.joined();
        for (from, to) in &joined {
            base.drop_tables_in(&raw_key(from), &raw_key(to))?;
        }
        let notes = self.ranges.iter().map(|note| Ok((note.key(), None)));
        let left = survivors(base.pin()?, joined).map(|key| Ok((key?, None)));
        base.ingest(notes.chain(left))?;
        self.ranges.clear();
        Ok(())
    }
}

/// Sorts ranges and joins those that overlap or touch.
pub(super) fn join(mut ranges: Vec<(Bytes, Bytes)>) -> Vec<(Bytes, Bytes)> {
    ranges.sort();
    let mut joined: Vec<(Bytes, Bytes)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.clone().max(to),
            Some(_) | None => joined.push((from, to)),
        }
    }
    joined
}

/// Keys of the tree, as stored, in ranges that are in order and apart.
pub(super) fn survivors(
    pin: Pin,
    ranges: Vec<(Bytes, Bytes)>,
) -> impl Iterator<Item = Result<Bytes, StoreError>> {
    ranges.into_iter().flat_map(move |(from, to)| {
        let (rows, failed) = match pin.range(&raw_key(&from), &raw_key(&to)) {
            Ok(rows) => (Some(rows), None),
            Err(error) => (None, Some(Err(error))),
        };
        let keys = rows.into_iter().flatten().map(|row| row.map(|(key, _)| key));
        failed.into_iter().chain(keys)
    })
}
