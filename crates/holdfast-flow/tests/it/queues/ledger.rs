//! What became of each message, written down one by one.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_flow::topics::queues::receipt::Receipt;

/// Where a message is in its topic.
pub(crate) type Key = (u16, u64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// Never given out; when it was appended.
    Waiting(u64),
    /// Given out, or back to be given out again: with which receipt, how often in this
    /// life, and until when it is out of sight.
    Out {
        receipt: Option<Receipt>,
        attempt: u32,
        until: u64,
    },
    Dead,
    Done,
    /// Removed from the topic, and known to be.
    Lost,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    /// What it says, as a number.
    says: u64,
    /// How often it was given out in lives that ended in death.
    attempts: u64,
    /// How often in this one.
    attempt: u32,
    /// The queue has a copy.
    copied: bool,
    /// The topic has it no more.
    removed: bool,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    entries: BTreeMap<Key, Entry>,
    pub(crate) now: u64,
    delay: u64,
    deliveries_max: u32,
}

impl Ledger {
    pub(crate) fn new(delay: u64, deliveries_max: u32) -> Self {
        Self { entries: BTreeMap::new(), now: 0, delay, deliveries_max }
    }

    fn entry(&mut self, key: Key) -> &mut Entry {
        self.entries.get_mut(&key).expect("it was appended")
    }

    pub(crate) fn appended(&mut self, key: Key, says: u64) {
        let place = Place::Waiting(self.now);
        let (copied, removed) = (false, false);
        let entry = Entry { place, says, attempts: 0, attempt: 0, copied, removed };
        assert!(self.entries.insert(key, entry).is_none(), "one place, one message");
    }

    pub(crate) fn says(&self, key: Key) -> u64 {
        self.entries[&key].says
    }

    pub(crate) fn attempts(&self, key: Key) -> u64 {
        self.entries[&key].attempts
    }

    /// These messages of a partition are gone. What was never given out is lost at once.
    pub(crate) fn removed_before(&mut self, partition: u16, first: u64) {
        for (_, entry) in self.entries.range_mut((partition, 0)..(partition, first)) {
            entry.removed = true;
            if matches!(entry.place, Place::Waiting(_)) {
                entry.place = Place::Lost;
            }
        }
    }

    /// Somebody received, and these messages are still in a delivery. Of those that were
    /// removed the others were found to be, if their time was over; where everything was
    /// looked at, so was each of them.
    pub(crate) fn found_lost(&mut self, held: &BTreeSet<Key>, all: bool) {
        for (key, entry) in &mut self.entries {
            let Place::Out { until, .. } = entry.place else { continue };
            if !entry.removed || entry.copied {
                continue;
            }
            let due = until <= self.now;
            if held.contains(key) {
                assert!(!(all && due), "{key:?} was removed, and is out: {entry:?}");
            } else {
                assert!(due, "{key:?} is lost before its time was over: {entry:?}");
                entry.place = Place::Lost;
            }
        }
    }

    fn is_ready(&self, entry: &Entry) -> bool {
        if entry.removed && !entry.copied {
            return false;
        }
        match entry.place {
            Place::Waiting(since) => since + self.delay <= self.now,
            Place::Out { attempt, until, .. } => until <= self.now && attempt < self.deliveries_max,
            Place::Dead | Place::Done | Place::Lost => false,
        }
    }

    /// How many may be given out now.
    pub(crate) fn ready(&self) -> usize {
        self.entries.values().filter(|entry| self.is_ready(entry)).count()
    }

    /// When there is something to be done first: given out, buried, or found to be lost.
    pub(crate) fn next(&self) -> Option<u64> {
        let when = |entry: &Entry| match entry.place {
            Place::Waiting(since) => Some(since + self.delay),
            Place::Out { until, .. } => Some(until),
            Place::Dead | Place::Done | Place::Lost => None,
        };
        self.entries.values().filter_map(when).min()
    }

    pub(crate) fn given(&mut self, key: Key, receipt: Receipt, attempt: u32, until: u64) {
        assert!(self.is_ready(&self.entries[&key]), "{key:?} may not be given out");
        assert!(self.place_of(receipt).is_none(), "a receipt is given out once");
        assert_eq!(receipt.offset, key.1);
        let entry = self.entry(key);
        entry.attempt += 1;
        assert_eq!(entry.attempt, attempt);
        entry.place = Place::Out { receipt: Some(receipt), attempt, until };
    }

    /// The message that a receipt settles; none if it is stale.
    pub(crate) fn place_of(&self, receipt: Receipt) -> Option<Key> {
        let names =
            |place: Place| matches!(place, Place::Out { receipt: Some(its), .. } if its == receipt);
        self.entries.iter().find(|(_, entry)| names(entry.place)).map(|(key, _)| *key)
    }

    pub(crate) fn settled(&mut self, receipt: Receipt, place: Place) {
        let key = self.place_of(receipt).expect("the receipt is good");
        self.entry(key).place = place;
    }

    pub(crate) fn rejected(&mut self, receipt: Receipt) {
        let key = self.place_of(receipt).expect("the receipt is good");
        let entry = self.entry(key);
        if entry.removed && !entry.copied {
            entry.place = Place::Lost;
            return;
        }
        entry.place = Place::Dead;
        entry.copied = true;
        entry.attempts += u64::from(entry.attempt);
    }

    pub(crate) fn given_back(&mut self, receipt: Receipt, delay: u64) {
        let key = self.place_of(receipt).expect("the receipt is good");
        let until = self.now + delay;
        let entry = self.entry(key);
        entry.place = Place::Out { receipt: None, attempt: entry.attempt, until };
    }

    /// Whatever was given out with it.
    pub(crate) fn extended(&mut self, receipt: Receipt, visibility: u64) {
        let now = self.now;
        for entry in self.entries.values_mut() {
            if let Place::Out { receipt: Some(its), until, .. } = &mut entry.place
                && its.delivery == receipt.delivery
            {
                *until = now + visibility;
            }
        }
    }

    /// These are the dead letters now. Who has died was given out as often as may be, and
    /// its time was over; where everything was looked at, everybody of whom that is true.
    pub(crate) fn died(&mut self, dead: &BTreeSet<Key>, all: bool) {
        for (key, entry) in &mut self.entries {
            let exhausted = matches!(entry.place, Place::Out { attempt, until, .. }
                if until <= self.now && attempt >= self.deliveries_max);
            if dead.contains(key) && entry.place != Place::Dead {
                assert!(exhausted, "{key:?} is dead: {entry:?}");
                entry.place = Place::Dead;
                entry.copied = true;
                entry.attempts += u64::from(entry.attempt);
            } else {
                assert!(!(all && exhausted), "{key:?} is not dead: {entry:?}");
            }
        }
    }

    pub(crate) fn redriven(&mut self, key: Key) {
        let until = self.now;
        let entry = self.entry(key);
        assert_eq!(entry.place, Place::Dead);
        entry.attempt = 0;
        entry.place = Place::Out { receipt: None, attempt: 0, until };
    }

    pub(crate) fn purged(&mut self, key: Key) {
        assert_eq!(self.entry(key).place, Place::Dead);
        self.entry(key).place = Place::Done;
    }

    pub(crate) fn edited(&mut self, key: Key, says: u64) {
        self.entry(key).says = says;
    }

    fn count(&self, is: impl Fn(&Place) -> bool) -> u64 {
        self.entries.values().filter(|entry| is(&entry.place)).count() as u64
    }

    /// How many wait, are out, are dead, and are lost.
    pub(crate) fn counts(&self) -> (u64, u64, u64, u64) {
        (
            self.count(|place| matches!(place, Place::Waiting(_))),
            self.count(|place| matches!(place, Place::Out { .. })),
            self.count(|place| *place == Place::Dead),
            self.count(|place| *place == Place::Lost),
        )
    }

    pub(crate) fn done(&self) -> u64 {
        self.count(|place| *place == Place::Done)
    }

    /// How many wait for their delay to be over.
    pub(crate) fn delayed(&self) -> u64 {
        self.count(|place| matches!(place, Place::Waiting(since) if since + self.delay > self.now))
    }

    /// How many are out and may not be given out again.
    pub(crate) fn out_of_sight(&self) -> u64 {
        self.count(|place| matches!(place, Place::Out { until, .. } if *until > self.now))
    }
}
