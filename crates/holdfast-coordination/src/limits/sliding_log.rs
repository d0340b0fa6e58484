//! The sliding log: a stamp for whatever was accepted, so every window is counted exactly.
//!
//! A cost is accepted if it and what the stamps of the last `window` cost are at most
//! `max`; a stamp that is exactly as old as the window is long counts no more. So what any
//! window `(t, t + window]` holds was at most `max` when its last stamp was made.
//!
//! The latest stamps are in the counter's row (`tail`). When they are too many they become
//! its `front`, or, behind one that is not used up, a chunk: a row that is never changed
//! and says what was accepted before it, so nothing between the earliest stamp that counts
//! and the latest has to be read. Whoever finds the front used up reads the chunk that
//! holds the earliest stamp that counts. An accepted request so costs one row read and one
//! written, and each 32nd up to four scans more, however many stamps there are.
//!
//! What edges hold as slices is in the row too: it counts until a window after the last
//! moment at which it can be used, or until the edge says how much was.

use std::collections::VecDeque;

use holdfast_planted::planted;
use holdfast_state::{Abort, Id, Lifetime, LogTime, Read, Scan, Tx};

use super::{
    quota::Units,
    reading::{Reading, Room},
    row::{ChunkRow, Chunks, Held, LogRow, Logs},
    shelf::Place,
    stamps::Stamp,
};

/// Stamps of a tail, and so of a chunk.
const TAIL_MAX: usize = 32;

/// Stamps of a front that the tail is added to; then chunks begin.
const FRONT_MAX: usize = 64;

/// Chunks that are gone through to say when there is room; beyond, a lower bound is said.
const LOOKED_THROUGH_MAX: usize = 64;

/// A sliding log, as it is now: stamps that count no more are gone from it.
#[derive(Clone, Debug)]
pub(super) struct Log {
    found: Option<u64>,
    row: LogRow,
    max: Units,
    window_us: u64,
}

impl Log {
    pub(super) fn find(
        state: &impl Read,
        place: Place<'_>,
        max: Units,
        window: Lifetime,
    ) -> Result<Self, Abort> {
        let (found, row) = match place.find::<Logs>(state)? {
            Some((shelf, row)) => (Some(shelf), row),
            None => (None, LogRow::default()),
        };
        let mut log = Self { found, row, max, window_us: window.as_us() };
        let now = state.now();
        log.row.held.retain(|held| held.expires_at.plus_us(window.as_us()) > now);
        // Before 1970 there are no stamps.
        let early_us = if planted!(WindowForgetsTooEarly) { log.window_us / 10 } else { 0 };
        if let Some(until) = state.now().as_us().checked_sub(log.window_us - early_us) {
            log.prune(state, place, LogTime::from_us(until))?;
        }
        Ok(log)
    }

    /// Takes away the stamps up to this time.
    fn prune(&mut self, state: &impl Read, place: Place<'_>, until: LogTime) -> Result<(), Abort> {
        let row = &mut self.row;
        row.before = row.before.wrapping_add(row.front.drop_until(until));
        if !row.front.is_empty() {
            return Ok(());
        }
        if row.chunks {
            if let Some(chunk) = earliest(state, place, until)? {
                (row.before, row.front) = (chunk.before, chunk.stamps);
                row.before = row.before.wrapping_add(row.front.drop_until(until));
                return Ok(());
            }
            row.chunks = false;
            row.before = row.total.wrapping_sub(row.tail.cost());
        }
        row.before = row.before.wrapping_add(row.tail.drop_until(until));
        Ok(())
    }

    /// What the stamps cost that count, and what edges hold.
    fn taken(&self) -> u64 {
        let held: u64 = self.row.held.iter().map(|held| held.permits).sum();
        self.row.total.wrapping_sub(self.row.before) + held
    }

    pub(super) fn read(
        &self,
        state: &impl Read,
        place: Place<'_>,
        cost: u64,
    ) -> Result<Reading, Abort> {
        let (now, taken, max) = (state.now(), self.taken(), self.max.get());
        let remaining = max.saturating_sub(taken);
        let room = if cost <= remaining {
            Room::Now
        } else if cost > max {
            Room::Never
        } else {
            let freed = self.freed(state, place, taken + cost - max)?;
            Room::In(self.over_at(freed).since_us(now))
        };
        let last = self.row.tail.last().or_else(|| self.row.front.last()).map(|stamp| stamp.at);
        let last = last.max(self.row.held.iter().map(|held| held.expires_at).max());
        let reset_us = last.map_or(0, |at| self.over_at(at).since_us(now));
        Ok(Reading { remaining, reset_us, room })
    }

    /// When a stamp of this time counts no more.
    fn over_at(&self, stamp: LogTime) -> LogTime {
        stamp.plus_us(self.window_us)
    }

    /// The stamp with which so much of the cost goes; an earlier one when it would take too
    /// long to find.
    fn freed(&self, state: &impl Read, place: Place<'_>, wanted: u64) -> Result<LogTime, Abort> {
        let mut going = Going::new(wanted, &self.row.held);
        if self.row.front.iter().any(|stamp| going.enough(stamp)) {
            return Ok(going.last);
        }
        if self.row.chunks {
            let after = self.row.front.last().map_or(LogTime::ZERO, |stamp| stamp.at);
            let chunks = following(state, place, after, LOOKED_THROUGH_MAX)?;
            let whole = chunks.len() < LOOKED_THROUGH_MAX;
            let mut stamps = chunks.iter().flat_map(|chunk| chunk.stamps.iter());
            if stamps.any(|stamp| going.enough(stamp)) || !whole {
                return Ok(going.last);
            }
        }
        let found = self.row.tail.iter().any(|stamp| going.enough(stamp)) || going.rest();
        debug_assert!(found, "what is taken is in the stamps, or held");
        Ok(going.last)
    }

    /// The latest stamps that count, at most `limit`, the latest first; those in chunks are
    /// left out.
    pub(super) fn latest(&self, limit: usize) -> Vec<Stamp> {
        let (front, tail) = (self.row.front.iter(), self.row.tail.iter());
        let mut stamps: Vec<_> =
            if self.row.chunks { tail.collect() } else { front.chain(tail).collect() };
        stamps.reverse();
        stamps.truncate(limit);
        stamps
    }

    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
    ) -> Result<(), Abort> {
        self.stamp(tx, place, cost)?;
        self.keep(tx, place)
    }

    fn keep(&self, tx: &mut Tx<'_>, place: Place<'_>) -> Result<(), Abort> {
        place.keep::<Logs>(tx, self.found, &self.row)
    }

    fn stamp(&mut self, tx: &mut Tx<'_>, place: Place<'_>, cost: u64) -> Result<(), Abort> {
        let stamp = Stamp { at: tx.now(), cost };
        if !self.row.tail.merge(stamp) {
            if self.row.tail.len() >= TAIL_MAX {
                self.stow(tx, place)?;
            }
            self.row.tail.append(stamp.into());
        }
        self.row.total = self.row.total.wrapping_add(cost);
        Ok(())
    }

    /// How many slices are held, or were and still count.
    pub(super) fn slices(&self) -> usize {
        self.row.held.len()
    }

    /// The slice that was held last under this name is held no more. What was used of it is
    /// stamped now, which is later than it was used; or, of a slice that expired, counts on
    /// as if it was used at the last moment.
    pub(super) fn settle(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        slice: &Id,
        used: Option<u64>,
    ) -> Result<(), Abort> {
        let named =
            self.row.held.iter().enumerate().filter(|(_, held)| held.slice.as_ref() == Some(slice));
        let last = named.max_by_key(|(_, held)| held.expires_at).map(|(at, _)| at);
        let Some(last) = last else { return Ok(()) };
        let mut held = self.row.held.swap_remove(last);
        held.permits = used.map_or(held.permits, |used| used.min(held.permits));
        match held {
            Held { permits: 0, .. } => {}
            Held { expires_at, .. } if expires_at <= tx.now() => {
                self.row.held.push(Held { slice: None, ..held });
            }
            Held { .. } if planted!(SliceComesBackTwice) => {}
            Held { permits, .. } => self.stamp(tx, place, permits)?,
        }
        self.keep(tx, place)
    }

    /// So much is held from now on.
    pub(super) fn hold(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        held: Held,
    ) -> Result<(), Abort> {
        self.row.held.push(held);
        self.keep(tx, place)
    }

    /// Makes room in the tail.
    fn stow(&mut self, tx: &mut Tx<'_>, place: Place<'_>) -> Result<(), Abort> {
        let row = &mut self.row;
        let stamps = std::mem::take(&mut row.tail);
        if !row.chunks && row.front.len() + stamps.len() <= FRONT_MAX {
            row.front.append(stamps);
            return Ok(());
        }
        row.chunks = true;
        let first = stamps.first().expect("a tail that is full has stamps").at;
        let [shelf, _] = place.shelves_of(tx.now());
        let (limit, since, number, key) = place.key_on(shelf);
        let before = row.total.wrapping_sub(stamps.cost());
        tx.put::<Chunks>((limit, since, number, (key, first)), &ChunkRow { before, stamps })
    }
}

/// What goes as time passes, until it is enough: stamps in their order, and what edges hold
/// as stamps of the time at which that expires.
struct Going {
    left: u64,
    held: VecDeque<Stamp>,
    /// What went last.
    last: LogTime,
}

impl Going {
    fn new(wanted: u64, held: &[Held]) -> Self {
        let held = held.iter().map(|held| Stamp { at: held.expires_at, cost: held.permits });
        let mut held: Vec<_> = held.collect();
        held.sort_by_key(|stamp| stamp.at);
        Self { left: wanted, held: held.into(), last: LogTime::ZERO }
    }

    fn goes(&mut self, stamp: Stamp) -> bool {
        self.left = self.left.saturating_sub(stamp.cost);
        self.last = stamp.at;
        self.left == 0
    }

    /// This stamp goes, after what is held and goes before it: is it enough?
    fn enough(&mut self, stamp: Stamp) -> bool {
        while let Some(held) = self.held.pop_front_if(|held| held.at <= stamp.at) {
            if self.goes(held) {
                return true;
            }
        }
        self.goes(stamp)
    }

    /// All that is still held goes: is it enough?
    fn rest(&mut self) -> bool {
        while let Some(held) = self.held.pop_front() {
            if self.goes(held) {
                return true;
            }
        }
        false
    }
}

/// The chunk with the earliest stamp after `until`. It has one if there is such a chunk at
/// all, and perhaps earlier ones too.
fn earliest(
    state: &impl Read,
    place: Place<'_>,
    until: LogTime,
) -> Result<Option<ChunkRow>, Abort> {
    let [here, before] = place.shelves_of(state.now());
    let began =
        |shelf| chunks(state, place, shelf, (LogTime::ZERO, until.plus_us(1)), Scan::down(1));
    let mut running = began(here)?;
    if running.is_empty() && before < here {
        running = began(before)?;
    }
    let running = running.pop();
    let counts = |chunk: &ChunkRow| chunk.stamps.last().is_some_and(|stamp| stamp.at > until);
    if let Some(chunk) = running.filter(counts) {
        return Ok(Some(chunk));
    }
    let mut next = following(state, place, until, 1)?;
    Ok(next.pop())
}

/// The first chunks that begin after this time.
fn following(
    state: &impl Read,
    place: Place<'_>,
    after: LogTime,
    count: usize,
) -> Result<Vec<ChunkRow>, Abort> {
    let [here, before] = place.shelves_of(state.now());
    let times = (after.plus_us(1), LogTime::MAX);
    let mut found = Vec::new();
    if before < here {
        found = chunks(state, place, before, times, Scan::up(count))?;
    }
    if found.len() < count {
        found.extend(chunks(state, place, here, times, Scan::up(count - found.len()))?);
    }
    Ok(found)
}

/// The chunks on a shelf whose first stamps are in `from..to`.
fn chunks(
    state: &impl Read,
    place: Place<'_>,
    shelf: u64,
    (from, to): (LogTime, LogTime),
    scan: Scan,
) -> Result<Vec<ChunkRow>, Abort> {
    let (limit, since, number, key) = place.key_on(shelf);
    let at = |time: LogTime| (limit, since, number, (key, time));
    let found = state.range::<Chunks>(&at(from), &at(to), scan)?;
    Ok(found.into_iter().map(|found| found.row).collect())
}
