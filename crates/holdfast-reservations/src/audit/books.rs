//! The books an audit keeps: every resource, hold, level and waitlist as its rows say,
//! and what is taken as the holds say.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::{Id, Metadata, Table as _};

use super::{
    difference::{Difference, Report},
    holds::{changed, last_stamp, malformed},
    taken::{Taken, Takings, slots_of},
};
use crate::row::{
    Entries, EntryRow, EntryStatus, HoldRow, Holds, Kind, LevelRow, Levels, Queue, QueueRow,
    ResourceMetadata, ResourceRow, Resources, Stamp,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) resources: BTreeMap<Id, ResourceRow>,
    pub(super) metadata: BTreeMap<Id, Metadata>,
    pub(super) levels: BTreeMap<(Id, u32), LevelRow>,
    pub(super) holds: BTreeMap<Id, HoldRow>,
    pub(super) entries: BTreeMap<Id, EntryRow>,
    pub(super) places: BTreeMap<(Id, u64), QueueRow>,
    /// What the holds take: levels are not believed.
    takings: Takings,
    /// Places of each waitlist, counted.
    waiting: BTreeMap<Id, u64>,
    touched: Touched,
}

/// What a transaction has touched, and so what must fit together after it.
#[derive(Clone, Debug, Default)]
struct Touched {
    slots: BTreeSet<(Id, u32)>,
    resources: BTreeSet<Id>,
    entries: BTreeSet<Id>,
    places: BTreeSet<(Id, u64)>,
}

impl Books {
    /// A row of a resource. `stamp` is that of the transaction that wrote it, when the
    /// row comes from the log.
    pub(super) fn resource(
        &mut self,
        id: Id,
        row: ResourceRow,
        stamp: Option<Stamp>,
        report: &mut Report,
    ) {
        let before = self.resources.get(&id);
        let sweeps = row.sweep.is_none_or(|sweep| sweep.from < sweep.to);
        let field = match before {
            _ if stamp.is_some_and(|stamp| stamp.version != row.version) => Some("version"),
            _ if !sweeps => Some("sweep"),
            Some(before) if before.kind != row.kind => Some("kind"),
            Some(before) if before.stock_created != row.stock_created => Some("stock_created"),
            Some(before) if before.created_at != row.created_at => Some("created_at"),
            Some(before) if before.tickets > row.tickets => Some("tickets"),
            None if stamp.is_some_and(|stamp| stamp.time != row.created_at) => Some("created_at"),
            None if stamp.is_some() && row.stock != row.stock_created => Some("stock"),
            None if stamp.is_some() && (row.tickets > 0 || row.waiting > 0) => Some("tickets"),
            Some(_) | None => None,
        };
        if let Some(field) = field {
            report.add(Difference::ResourceField { resource: id.clone(), field });
        }
        if before.is_some_and(|before| before.stock != row.stock) {
            let of = |(resource, _): &&(Id, u32)| *resource == id;
            self.touched.slots.extend(self.takings.slots().filter(of).cloned());
        }
        self.touched.resources.insert(id.clone());
        self.resources.insert(id, row);
    }

    pub(super) fn hold(&mut self, id: Id, row: HoldRow, stamp: Option<Stamp>, report: &mut Report) {
        if let Some(field) = malformed(&row) {
            report.add(Difference::HoldMalformed { hold: id.clone(), field });
        }
        let before = self.holds.get(&id);
        let last = before.map(|before| (before.status, last_stamp(before)));
        let fresh = last != Some((row.status, last_stamp(&row)));
        if fresh && stamp.is_some_and(|stamp| stamp != last_stamp(&row)) {
            report.add(Difference::HoldStamp { hold: id.clone() });
        }
        let timer = row.timer.filter(|_| before.map(|before| before.timer) != Some(row.timer));
        if stamp.is_some_and(|stamp| timer.is_some_and(|timer| timer.version != stamp.version)) {
            report.add(Difference::HoldMalformed { hold: id.clone(), field: "timer" });
        }
        match before {
            Some(before) => {
                if let Some(field) = changed(before, &row) {
                    report.add(Difference::HoldChanged { hold: id.clone(), field });
                }
                self.takings.count(before, -1);
                self.touched.slots.extend(slots_of(before).map(|s| (before.resource.clone(), s)));
            }
            None if stamp.is_some() && (last_stamp(&row) != row.made || row.asked.is_some()) => {
                report.add(Difference::HoldMalformed { hold: id.clone(), field: "beginning" });
            }
            None => {}
        }
        self.takings.count(&row, 1);
        self.touched.slots.extend(slots_of(&row).map(|slot| (row.resource.clone(), slot)));
        self.holds.insert(id, row);
    }

    /// A level's row, or none any more.
    pub(super) fn level(&mut self, resource: Id, slot: u32, row: Option<LevelRow>) {
        let key = (resource, slot);
        self.touched.slots.insert(key.clone());
        match row {
            Some(row) => self.levels.insert(key, row),
            None => self.levels.remove(&key),
        };
    }

    pub(super) fn entry(
        &mut self,
        id: Id,
        row: EntryRow,
        stamp: Option<Stamp>,
        report: &mut Report,
    ) {
        let before = self.entries.get(&id);
        let last = row.ended.unwrap_or(row.joined);
        if stamp.is_some_and(|stamp| stamp != last) {
            report.add(Difference::EntryStamp { entry: id.clone() });
        }
        if (row.status == EntryStatus::Waiting) != row.ended.is_none() {
            report.add(Difference::EntryMalformed { entry: id.clone(), field: "status" });
        }
        if let Some(before) = before {
            let allowed = EntryRow {
                status: row.status.clone(),
                ended: row.ended,
                unknown: row.unknown.clone(),
                ..before.clone()
            };
            if before.status != EntryStatus::Waiting || row.status == EntryStatus::Waiting {
                report.add(Difference::EntryChanged { entry: id.clone(), field: "status" });
            } else if allowed != row {
                report.add(Difference::EntryChanged { entry: id.clone(), field: "content" });
            }
        }
        self.touched.places.insert((row.resource.clone(), row.ticket));
        self.touched.entries.insert(id.clone());
        self.entries.insert(id, row);
    }

    /// A place in a waitlist, or none any more.
    pub(super) fn place(&mut self, resource: Id, ticket: u64, row: Option<QueueRow>) {
        let key = (resource, ticket);
        self.touched.resources.insert(key.0.clone());
        self.touched.places.insert(key.clone());
        let (resource, is_there) = (key.0.clone(), row.is_some());
        if let Some(row) = &row {
            self.touched.entries.insert(row.entry.clone());
        }
        let before = match row {
            Some(row) => self.places.insert(key, row),
            None => self.places.remove(&key),
        };
        self.touched.entries.extend(before.as_ref().map(|row| row.entry.clone()));
        let count = self.waiting.entry(resource).or_default();
        match (before.is_some(), is_there) {
            (false, true) => *count += 1,
            (true, false) => *count -= 1,
            (true, true) | (false, false) => {}
        }
    }

    /// Everything that was touched fits together?
    pub(super) fn settle(&mut self, report: &mut Report) {
        let touched = std::mem::take(&mut self.touched);
        for (resource, slot) in &touched.slots {
            self.check_slot(resource, *slot, report);
        }
        for id in &touched.resources {
            let derived = self.waiting.get(id).copied().unwrap_or(0);
            match self.resources.get(id) {
                Some(row) if row.waiting == derived => {}
                Some(row) => {
                    let (resource, stored) = (id.clone(), row.waiting);
                    report.add(Difference::WaitingCount { resource, derived, stored });
                }
                None => report.add(Difference::ResourceMissing { resource: id.clone() }),
            }
        }
        for id in &touched.entries {
            self.check_entry(id, report);
        }
        for (resource, ticket) in &touched.places {
            self.check_place(resource, *ticket, report);
        }
    }

    fn check_slot(&self, resource: &Id, slot: u32, report: &mut Report) {
        let resource = resource.clone();
        let derived = self.takings.at(&resource, slot);
        let row = self.levels.get(&(resource.clone(), slot));
        let stored = row.map(Taken::of).unwrap_or_default();
        let Some(of) = self.resources.get(&resource) else {
            return report.add(Difference::ResourceMissing { resource });
        };
        if derived != stored {
            report.add(Difference::LevelTaken {
                resource: resource.clone(),
                slot,
                derived,
                stored,
            });
        }
        let own = row.and_then(|row| row.stock);
        let stock = own.unwrap_or(of.stock).get();
        if derived.total() > i128::from(stock) {
            report.add(Difference::Oversold { resource: resource.clone(), slot, derived, stock });
        }
        if of.kind == Kind::Units && (slot > 0 || own.is_some()) {
            report.add(Difference::ResourceField { resource: resource.clone(), field: "kind" });
        }
        if row.is_some_and(|row| *row == LevelRow::default()) {
            report.add(Difference::LevelIdle { resource, slot });
        }
    }

    /// An entry that waits has its place, one that was served the hold it asked for.
    fn check_entry(&self, id: &Id, report: &mut Report) {
        let Some(row) = self.entries.get(id) else { return };
        let offer = match &row.status {
            EntryStatus::Left => return,
            EntryStatus::Offered(offer) => offer,
            EntryStatus::Waiting => {
                if !self.places.contains_key(&(row.resource.clone(), row.ticket)) {
                    report.add(Difference::EntryMalformed { entry: id.clone(), field: "place" });
                }
                return;
            }
        };
        let fits = self.holds.get(offer).is_some_and(|hold| {
            let asked = hold.asked();
            let lasts = row.offer_expires_in.as_us();
            hold.entry.as_ref() == Some(id)
                && (&asked.resource, asked.nights) == (&row.resource, row.nights)
                && (asked.quantity, asked.price) == (row.quantity, row.price)
                && Some(hold.made) == row.ended
                && asked.expires_at == Some(hold.made.time.plus_us(lasts))
                && hold.metadata == row.metadata
        });
        if !fits {
            report.add(Difference::EntryMalformed { entry: id.clone(), field: "offer" });
        }
    }

    /// A place is there just if its entry waits.
    fn check_place(&self, resource: &Id, ticket: u64, report: &mut Report) {
        let place = self.places.get(&(resource.clone(), ticket));
        let waits = |entry: &EntryRow| entry.status == EntryStatus::Waiting;
        let is_its = |entry: &EntryRow, place: &QueueRow| {
            (&entry.resource, entry.ticket) == (resource, ticket)
                && (entry.nights, entry.quantity) == (place.nights, place.quantity)
        };
        let right = match place {
            Some(place) => self
                .entries
                .get(&place.entry)
                .is_some_and(|entry| waits(entry) && is_its(entry, place)),
            // Whoever had the place has left it.
            None => true,
        };
        let given = self.resources.get(resource).is_some_and(|row| ticket <= row.tickets);
        if !right || !given {
            report.add(Difference::PlaceForeign { resource: resource.clone(), ticket });
        }
    }

    /// What can only be told of all rows together.
    pub(super) fn complete(&mut self, report: &mut Report) {
        self.settle(report);
        for ((resource, ticket), place) in &self.places {
            let Some(row) = self.resources.get(resource) else { continue };
            if row.sweep.is_none() && self.has_room(resource, row, place) {
                report.add(Difference::PassedOver { resource: resource.clone(), ticket: *ticket });
            }
        }
        for id in self.metadata.keys().filter(|id| !self.resources.contains_key(*id)) {
            report.add(Difference::ResourceMissing { resource: id.clone() });
        }
        for (id, hold) in &self.holds {
            let offered = |entry: &EntryRow| entry.status == EntryStatus::Offered(id.clone());
            let of = hold.entry.as_ref();
            if of.is_some_and(|entry| !self.entries.get(entry).is_some_and(offered)) {
                report.add(Difference::HoldMalformed { hold: id.clone(), field: "entry" });
            }
        }
    }

    fn has_room(&self, resource: &Id, row: &ResourceRow, place: &QueueRow) -> bool {
        let mut slots = place.nights.map_or(0..1, |n| n.from().day()..n.to().day());
        slots.all(|slot| {
            let own = self.levels.get(&(resource.clone(), slot)).and_then(|level| level.stock);
            let stock = i128::from(own.unwrap_or(row.stock).get());
            stock - self.takings.at(resource, slot).total() >= i128::from(place.quantity.get())
        })
    }

    /// What the log says, against what the state says of itself.
    pub(super) fn compare(&self, stored: &Self, report: &mut Report) {
        let words = |(resource, number): &(Id, String)| format!("{resource} {number}");
        let numbered = |id: &Id, number: u64| words(&(id.clone(), number.to_string()));
        differ(&self.resources, &stored.resources, Resources::NAME, Id::to_string, report);
        differ(&self.metadata, &stored.metadata, ResourceMetadata::NAME, Id::to_string, report);
        differ(&self.holds, &stored.holds, Holds::NAME, Id::to_string, report);
        differ(&self.entries, &stored.entries, Entries::NAME, Id::to_string, report);
        let key = |(id, slot): &(Id, u32)| numbered(id, u64::from(*slot));
        differ(&self.levels, &stored.levels, Levels::NAME, key, report);
        let key = |(id, ticket): &(Id, u64)| numbered(id, *ticket);
        differ(&self.places, &stored.places, Queue::NAME, key, report);
        let count = |number: usize| u64::try_from(number).expect("a count");
        report.resources = count(stored.resources.len());
        report.holds = count(self.holds.len());
        report.entries = count(self.entries.len());
    }
}

/// Notes the keys under which the two have not the same.
fn differ<K: Ord, V: PartialEq>(
    derived: &BTreeMap<K, V>,
    stored: &BTreeMap<K, V>,
    table: &'static str,
    key: impl Fn(&K) -> String,
    report: &mut Report,
) {
    let keys: BTreeSet<&K> = derived.keys().chain(stored.keys()).collect();
    for each in keys.into_iter().filter(|each| derived.get(each) != stored.get(each)) {
        report.add(Difference::Differs { table, key: key(each) });
    }
}
