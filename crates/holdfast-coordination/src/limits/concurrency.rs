//! Concurrency: so much at one time. Who holds some of it gives it back, or has it until its
//! time is over.
//!
//! A counter's row has the ends of what is held, in order: since a rule gives everybody the
//! same time, they come in the order in which holders come. A row under the holder's name
//! says which of it is its own.

use holdfast_planted::planted;
use holdfast_state::{Abort, Id, Lifetime, LogTime, Read, Tx, unknown::Unknown};

use super::{
    quota::Units,
    reading::{Reading, Room},
    row::{HolderRow, Holders, Occupancies, OccupancyRow},
    shelf::Place,
    stamps::Stamp,
};

/// What is held, now: what is over is gone from it.
#[derive(Clone, Debug)]
pub(super) struct Occupancy {
    found: Option<u64>,
    row: OccupancyRow,
    max: Units,
    ttl_us: u64,
    /// What the one who asks holds already.
    own: Option<HolderRow>,
}

/// Under which name a holder's row lies: a counter's key is JSON, so no two are alike.
fn name_of(place: Place<'_>, holder: &Id) -> String {
    format!("{}{holder}", place.key)
}

impl Occupancy {
    pub(super) fn find(
        state: &impl Read,
        place: Place<'_>,
        max: Units,
        ttl: Lifetime,
        holder: Option<&Id>,
    ) -> Result<Self, Abort> {
        let (found, mut row) = match place.find::<Occupancies>(state)? {
            Some((shelf, row)) => (Some(shelf), row),
            None => (None, OccupancyRow::default()),
        };
        if !planted!(HolderOutlivesItsTime) {
            row.ends.drop_until(state.now());
        }
        let own = match holder.map(|holder| name_of(place, holder)) {
            Some(name) => Place { key: &name, ..place }.find::<Holders>(state)?,
            None => None,
        };
        let own = own.map(|(_, own)| own).filter(|own| own.ends > state.now());
        Ok(Self { found, row, max, ttl_us: ttl.as_us(), own })
    }

    /// Does the one who asks hold some of it already?
    pub(super) const fn is_held(&self) -> bool {
        self.own.is_some()
    }

    pub(super) fn read(&self, now: LogTime, cost: u64) -> Reading {
        let remaining = self.max.get().saturating_sub(self.row.ends.cost());
        let reset_us = self.row.ends.last().map_or(0, |last| last.at.since_us(now));
        let room = if self.is_held() || cost <= remaining {
            Room::Now
        } else if cost > self.max.get() {
            Room::Never
        } else {
            let (mut free, wanted) = (remaining, cost);
            let mut ends = self.row.ends.iter();
            let last = ends.find(|stamp| {
                free += stamp.cost;
                free >= wanted + self.above()
            });
            Room::In(last.map_or(0, |stamp| stamp.at.since_us(now)))
        };
        Reading { remaining, reset_us, room }
    }

    /// How much more is held than may be, since less may be than before.
    fn above(&self) -> u64 {
        self.row.ends.cost().saturating_sub(self.max.get())
    }

    /// The holder has so much from now on. Who holds some of it already keeps that as it is.
    pub(super) fn charge(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
        holder: &Id,
    ) -> Result<(), Abort> {
        if self.is_held() {
            return Ok(());
        }
        self.hold(tx, place, cost, holder)?;
        self.keep(tx, place)
    }

    fn hold(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        cost: u64,
        holder: &Id,
    ) -> Result<(), Abort> {
        let ends = tx.now().plus_us(self.ttl_us);
        let stamp = Stamp { at: ends, cost };
        if !self.row.ends.merge(stamp) {
            self.row.ends.append(stamp.into());
        }
        let own = HolderRow { cost, ends, unknown: Unknown::default() };
        Place { key: &name_of(place, holder), ..place }.keep::<Holders>(tx, None, &own)?;
        self.own = Some(own);
        Ok(())
    }

    fn keep(&self, tx: &mut Tx<'_>, place: Place<'_>) -> Result<(), Abort> {
        place.keep::<Occupancies>(tx, self.found, &self.row)
    }

    /// The holder has nothing any more. Says whether it had something.
    pub(super) fn release(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        holder: &Id,
    ) -> Result<bool, Abort> {
        let any = || self.row.ends.first().filter(|_| planted!(ReleaseFreesAnother));
        let own = self.own.take().map(|own| Stamp { at: own.ends, cost: own.cost });
        let Some(own) = own.or_else(any) else { return Ok(false) };
        self.row.ends.take(own);
        Place { key: &name_of(place, holder), ..place }.discard::<Holders>(tx)?;
        self.keep(tx, place)?;
        Ok(true)
    }

    /// The holder has its whole time again: until when, if it has anything.
    pub(super) fn renew(
        &mut self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        holder: &Id,
    ) -> Result<Option<LogTime>, Abort> {
        let Some(own) = self.own.take() else { return Ok(None) };
        self.row.ends.take(Stamp { at: own.ends, cost: own.cost });
        self.hold(tx, place, own.cost, holder)?;
        self.keep(tx, place)?;
        Ok(self.own.as_ref().map(|own| own.ends))
    }
}
