//! What becomes free is offered to those who wait for it, in order.
//!
//! Whenever slots get more available (a hold is released, cancelled, expired or moved
//! away, a stock grows) the waitlist of the resource is gone through from its head in
//! the same transaction, and whoever fits now is given a hold: an *offer*, with an end
//! of its own. A large request does not block smaller ones behind it: whoever does
//! not fit is passed over and keeps the place. So between transactions nobody waits
//! who would fit, and what a direct hold finds available is of no use to the waitlist.
//!
//! One transaction looks at [`LOOKED_MAX`] places and makes [`OFFERS_MAX`] offers. If
//! that is not the end, the resource's row remembers the freed slots and how far it
//! came ([`Sweep`]), and the timer [`HANDLER`], due at once, goes on. Meanwhile nobody
//! else may take of these slots. What becomes free meanwhile is added to them, and the
//! sweep begins again at the head, since those passed over may fit now.

use std::ops::Range;

use holdfast_state::{Abort, Id, Read as _, Scan, StoreError, Tx, page::bad_key, row::Row as _};

use crate::{
    hold::make,
    levels::{OpenLevels, Part},
    nights::{NIGHTS_MAX, overlap, slots},
    row::{
        Asked, Entries, EntryRow, EntryStatus, Queue, QueueRow, ResourceRow, Resources, Stamp,
        Sweep,
    },
};

/// The name of the timer's handler.
pub const HANDLER: &str = "reservations.offer";

/// How many places of a waitlist one transaction looks at.
pub const LOOKED_MAX: usize = 512;

/// How many offers one transaction makes.
pub const OFFERS_MAX: usize = 64;

/// Goes on with the sweep of the resource whose id is the payload.
///
/// # Errors
/// [`Abort`]
pub fn go_on(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| doubt("a payload is not an id"))?;
    let row = resource(tx, &id)?;
    match row.sweep {
        Some(left) => sweep(tx, &id, row, left.slots(), left.ticket).map(drop),
        None => Ok(()),
    }
}

/// Offers what became free of these slots, if anybody waits for the resource.
pub(crate) fn freed(tx: &mut Tx<'_>, id: &Id, slots: Range<u32>) -> Result<(), Abort> {
    let row = resource(tx, id)?;
    if row.waiting > 0 {
        offer(tx, id, row, slots)?;
    }
    Ok(())
}

/// The same for a resource whose row is at hand and may have been changed; it is
/// written, and returned.
pub(crate) fn offer(
    tx: &mut Tx<'_>,
    id: &Id,
    row: ResourceRow,
    slots: Range<u32>,
) -> Result<ResourceRow, Abort> {
    let freed = match row.sweep {
        Some(left) => {
            tx.cancel_timer(left.timer)?;
            left.from.min(slots.start)..left.to.max(slots.end)
        }
        None => slots,
    };
    sweep(tx, id, row, freed, 0)
}

/// Goes through the waitlist from `ticket` on, as far as one transaction may.
fn sweep(
    tx: &mut Tx<'_>,
    id: &Id,
    mut row: ResourceRow,
    freed: Range<u32>,
    ticket: u64,
) -> Result<ResourceRow, Abort> {
    row.sweep = match go_through(tx, id, &mut row, &freed, ticket)? {
        Some(ticket) => {
            let timer = tx.arm_timer(tx.now(), HANDLER, id)?;
            Some(Sweep { from: freed.start, to: freed.end, ticket, timer })
        }
        None => None,
    };
    row.version = tx.version();
    tx.put::<Resources>(id.as_str(), &row)?;
    Ok(row)
}

/// Makes offers. Returns the ticket to go on from, unless it came to the end.
fn go_through(
    tx: &mut Tx<'_>,
    id: &Id,
    row: &mut ResourceRow,
    freed: &Range<u32>,
    ticket: u64,
) -> Result<Option<u64>, Abort> {
    let mut levels = OpenLevels::of(id);
    let mut offers = 0;
    let end = (id.as_str(), u64::MAX);
    let places = tx.range::<Queue>(&(id.as_str(), ticket), &end, Scan::up(LOOKED_MAX))?;
    let mut next = (places.len() == LOOKED_MAX).then_some(ticket);
    for found in &places {
        let mut key = found.key();
        let ticket = key.bytes().and_then(|_| key.u64()).map_err(|_| bad_key::<Queue>())?;
        if offers == OFFERS_MAX {
            next = Some(ticket);
            break;
        }
        next = next.map(|_| ticket + 1);
        if !fits(tx, row, &mut levels, freed, &found.row)? {
            continue;
        }
        take_from_queue(tx, id, row, &mut levels, (ticket, &found.row))?;
        offers += 1;
        if nothing_left(tx, row, &mut levels, freed)? {
            next = None;
            break;
        }
    }
    levels.write(tx)?;
    Ok(next)
}

/// Can this be offered, and could it not before?
fn fits(
    tx: &Tx<'_>,
    row: &ResourceRow,
    levels: &mut OpenLevels<'_>,
    freed: &Range<u32>,
    place: &QueueRow,
) -> Result<bool, Abort> {
    let wanted = slots(place.nights);
    if !overlap(&wanted, freed) {
        return Ok(false);
    }
    levels.read(tx, wanted.clone())?;
    Ok(levels.shortage(&wanted, place.quantity, row.stock).is_none())
}

/// Is there certainly nobody left whom a freed slot can serve?
fn nothing_left(
    tx: &Tx<'_>,
    row: &ResourceRow,
    levels: &mut OpenLevels<'_>,
    freed: &Range<u32>,
) -> Result<bool, Abort> {
    if row.waiting == 0 {
        return Ok(true);
    }
    if freed.len() > usize::try_from(NIGHTS_MAX).expect("a few hundred") {
        return Ok(false);
    }
    levels.read(tx, freed.clone())?;
    let mut left = levels.rows(freed).map(|(_, level)| level.available(row.stock));
    Ok(left.all(|available| available == 0))
}

fn take_from_queue(
    tx: &mut Tx<'_>,
    id: &Id,
    row: &mut ResourceRow,
    levels: &mut OpenLevels<'_>,
    (ticket, place): (u64, &QueueRow),
) -> Result<(), Abort> {
    let entry = tx.get::<Entries>(place.entry.as_str())?;
    let mut entry = entry.ok_or_else(|| doubt("a waitlist has a place without an entry"))?;
    tx.delete::<Queue>((id.as_str(), ticket))?;
    row.waiting = row.waiting.checked_sub(1).ok_or_else(|| doubt("a waitlist is miscounted"))?;
    levels.take(&slots(entry.nights), Part::Held, entry.quantity, row.stock);
    give(tx, &place.entry, &mut entry)
}

/// Gives an entry its offer, of which the levels know already.
pub(crate) fn give(tx: &mut Tx<'_>, id: &Id, entry: &mut EntryRow) -> Result<(), Abort> {
    let hold = tx.fresh_id("hold");
    let asked = Asked {
        resource: entry.resource.clone(),
        nights: entry.nights,
        quantity: entry.quantity,
        expires_at: Some(tx.now().plus_us(entry.offer_expires_in.as_us())),
        price: entry.price,
    };
    make(tx, &hold, asked, Some(id.clone()), entry.metadata.clone())?;
    entry.status = EntryStatus::Offered(hold);
    entry.ended = Some(Stamp::of(tx));
    tx.put::<Entries>(id.as_str(), entry)
}

fn resource(tx: &Tx<'_>, id: &Id) -> Result<ResourceRow, Abort> {
    let row = tx.get::<Resources>(id.as_str())?;
    row.ok_or_else(|| doubt("something is held of a resource that is not there"))
}

/// The rows do not fit together: the state must be rebuilt.
fn doubt(what: &str) -> Abort {
    StoreError::Doubt { what: format!("reservations: {what}") }.into()
}
