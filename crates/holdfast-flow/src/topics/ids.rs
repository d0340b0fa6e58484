//! Ids that callers gave, and where their messages are.
//!
//! They go with their messages, and not one by one: they lie in *buckets* by when they were
//! given, and a bucket goes as a whole, in one fact, when the messages of its time are gone.
//! A topic that keeps everything has one bucket; others a handful, the newest of which takes
//! what is new, and all of which are looked into, newest first. An id whose message was
//! removed is free, whether or not its bucket is there still.

use std::ops::RangeInclusive;

use holdfast_state::{Abort, Id, Lifetime, LogTime, Read, Tx};

use super::{
    messages::Identity,
    retention::Retention,
    row::{IdBuckets, IdBucketsRow, MessageIds, PlaceRow},
    sequence::Sequence,
};

/// How many buckets share the time that ids are remembered.
const BUCKETS: u64 = 4;

/// There are more than [`BUCKETS`] of them while the oldest waits for its last messages to
/// go, or when the time was made longer; never more than this.
const BUCKETS_MAX: usize = 8;

/// Where a topic is bounded by size, ids are remembered for so long at most: 7 days. A
/// partition that gets few messages would keep all buckets otherwise.
const REMEMBERED: Lifetime = match Lifetime::from_us(7 * 86_400_000_000) {
    Ok(remembered) => remembered,
    Err(_) => panic!("a week is a lifetime"),
};

/// The ids of a topic's messages.
#[derive(Clone, Debug)]
pub(super) struct Ids<'a> {
    topic: &'a Id,
    buckets: RangeInclusive<u64>,
}

impl<'a> Ids<'a> {
    pub(super) fn of(state: &impl Read, topic: &'a Id) -> Result<Self, Abort> {
        let row = state.get::<IdBuckets>(topic.as_str())?;
        let buckets = row.map_or(0..=0, |row| row.oldest..=row.newest());
        Ok(Self { topic, buckets })
    }

    /// Where the message is that has this id, if there is one.
    pub(super) fn find(&self, state: &impl Read, id: &Identity) -> Result<Option<PlaceRow>, Abort> {
        let id = id.key();
        for bucket in self.buckets.clone().rev() {
            let key = (self.topic.as_str(), bucket, &*id);
            if let Some(place) = state.get::<MessageIds>(key)? {
                let head = Sequence::new(self.topic, place.partition).head(state)?;
                return Ok(Some(place).filter(|place| place.offset >= head.first));
            }
        }
        Ok(None)
    }

    /// Writes down an id that no message has.
    pub(super) fn put(
        &self,
        tx: &mut Tx<'_>,
        id: &Identity,
        place: &PlaceRow,
    ) -> Result<(), Abort> {
        let id = id.key();
        let key = (self.topic.as_str(), *self.buckets.end(), &*id);
        tx.put::<MessageIds>(key, place)
    }
}

impl IdBucketsRow {
    /// Number of the bucket that takes what is new.
    fn newest(&self) -> u64 {
        self.oldest + (self.begun.len() as u64).saturating_sub(1)
    }
}

/// Removes the buckets whose time is over as of then, and begins another when the newest
/// has had its time.
pub(super) fn turn(
    tx: &mut Tx<'_>,
    topic: &Id,
    retention: Retention,
    as_of: LogTime,
) -> Result<(), Abort> {
    let key = topic.as_str();
    let Some(remembered) = remembered(retention) else { return Ok(()) };
    let Some(mut row) = tx.get::<IdBuckets>(key)? else {
        return tx.put::<IdBuckets>(key, &IdBucketsRow { oldest: 0, begun: vec![as_of] });
    };
    let before = row.clone();
    while row.begun.get(1).is_some_and(|ended| ended.plus_us(remembered.as_us()) <= as_of) {
        tx.delete_prefix::<MessageIds>(&(key, row.oldest))?;
        row.begun.remove(0);
        row.oldest += 1;
    }
    let share = remembered.as_us() / BUCKETS;
    let full = row.begun.last().is_none_or(|begun| begun.plus_us(share) <= as_of);
    if full && row.begun.len() < BUCKETS_MAX {
        row.begun.push(as_of);
    }
    if row == before { Ok(()) } else { tx.put::<IdBuckets>(key, &row) }
}

/// How long ids are remembered; `None` for ever.
fn remembered(retention: Retention) -> Option<Lifetime> {
    let Retention { age, bytes } = retention;
    let bounded = bytes.map(|_| REMEMBERED);
    age.into_iter().chain(bounded).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::retention::{BYTES_MIN, KeptBytes};

    #[test]
    fn ids_are_remembered_as_long_as_messages_but_for_a_week_where_size_is_bounded() {
        let days = |days: u64| Some(Lifetime::from_us(days * 86_400_000_000).unwrap());
        let of = |age, bytes| remembered(Retention { age, bytes });
        let bytes = KeptBytes::new(BYTES_MIN);
        assert_eq!(of(None, None), None);
        assert_eq!(of(days(30), None), days(30));
        assert_eq!(of(None, bytes), days(7));
        assert_eq!(of(days(30), bytes), days(7));
        assert_eq!(of(days(1), bytes), days(1));
    }
}
