//! `reservations.join_waitlist`: waits for what is not to be had now.
//!
//! If it can be had now, it is offered at once: nobody who waits could use it, and
//! nobody else may take it in between. Otherwise the entry takes the last place of
//! the resource's waitlist; [`offers`] says when it is its turn. Joining again in the
//! same words is the same outcome.

mod refusal;

use holdfast_state::{
    Date, Id, Lifetime, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::JoinWaitlistRefusal;

use crate::{
    Price, Quantity,
    get_waitlist_entry::WaitlistEntry,
    levels::{OpenLevels, Part},
    offers,
    room::Want,
    row::{Entries, EntryRow, EntryStatus, Queue, QueueRow, ResourceRow, Resources, Stamp},
    stay::nights_of,
};

/// The command.
#[derive(Debug)]
pub struct JoinWaitlist;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinWaitlistSpec {
    /// The entry's id; without one it gets a fresh id, and a retry would be another
    /// entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Of which resource.
    pub resource: Id,
    /// The first night, of a resource that has nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The day of departure: the night before it is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// How many, of each night.
    #[serde(default)]
    pub quantity: Quantity,
    /// How long an offer stays open, once there is one.
    pub offer_expires_in: Lifetime,
    /// What the hold will cost: carried, not interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The caller's own words; the hold will bear them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The entry is in the waitlist, or has its offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JoinWaitlistOutcome {
    /// Always the same; `status` says whether it waits.
    pub outcome: Joined,
    /// It had joined before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The entry as it is now.
    #[serde(flatten)]
    pub entry: WaitlistEntry,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Joined {
    /// The entry has joined.
    Joined,
}

impl Command for JoinWaitlist {
    const NAME: &'static str = "reservations.join_waitlist";
    const SUMMARY: &'static str = "Waits for units or nights that are not to be had now.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/waitlist";
    type Spec = JoinWaitlistSpec;
    type Outcome = JoinWaitlistOutcome;
    type Refusal = JoinWaitlistRefusal;
}

impl Write for JoinWaitlist {
    fn run(
        tx: &mut Tx<'_>,
        spec: &JoinWaitlistSpec,
    ) -> Result<JoinWaitlistOutcome, Stop<JoinWaitlistRefusal>> {
        join_waitlist(tx, spec)
    }
}

/// Joins a waitlist. A refusal has written nothing.
///
/// # Errors
/// [`JoinWaitlistRefusal`], or an abort.
pub fn join_waitlist(
    tx: &mut Tx<'_>,
    spec: &JoinWaitlistSpec,
) -> Result<JoinWaitlistOutcome, Stop<JoinWaitlistRefusal>> {
    let nights = nights_of(spec.from, spec.to)
        .map_err(|stay| Stop::Refused(JoinWaitlistRefusal::Stay(stay)))?;
    let want = Want { resource: &spec.resource, nights, quantity: spec.quantity };
    let id = match &spec.id {
        Some(id) => {
            if let Some(row) = tx.get::<Entries>(id.as_str())? {
                return existing(tx, spec, &want, (id, row));
            }
            id.clone()
        }
        None => tx.fresh_id("wait"),
    };
    let resource = want.resource(tx).map_err(|stop| stop.map(JoinWaitlistRefusal::Stay))?;
    let row = join(tx, spec, &want, (&id, resource))?;
    let entry = WaitlistEntry::of(tx, id, row)?;
    Ok(JoinWaitlistOutcome { outcome: Joined::Joined, existed: false, entry })
}

/// The next ticket, and either a place or an offer.
fn join(
    tx: &mut Tx<'_>,
    spec: &JoinWaitlistSpec,
    want: &Want<'_>,
    (id, mut resource): (&Id, ResourceRow),
) -> Result<EntryRow, holdfast_state::Abort> {
    let mut levels = OpenLevels::of(want.resource);
    levels.read(tx, want.slots())?;
    let waits = want.check(&resource, &levels).is_err();
    let count = "a partition does not outlive 2^64 tickets";
    resource.tickets = resource.tickets.checked_add(1).expect(count);
    let mut row = EntryRow {
        resource: spec.resource.clone(),
        nights: want.nights,
        quantity: spec.quantity,
        ticket: resource.tickets,
        offer_expires_in: spec.offer_expires_in,
        status: EntryStatus::Waiting,
        joined: Stamp::of(tx),
        ended: None,
        price: spec.price,
        metadata: spec.metadata.clone(),
        unknown: Unknown::default(),
    };
    if waits {
        let place = QueueRow { entry: id.clone(), nights: want.nights, quantity: want.quantity };
        tx.put::<Queue>((want.resource.as_str(), row.ticket), &place)?;
        tx.put::<Entries>(id.as_str(), &row)?;
        resource.waiting = resource.waiting.checked_add(1).expect(count);
    } else {
        levels.take(&want.slots(), Part::Held, want.quantity, resource.stock);
        levels.write(tx)?;
        offers::give(tx, id, &mut row)?;
    }
    resource.version = tx.version();
    tx.put::<Resources>(want.resource.as_str(), &resource)?;
    Ok(row)
}

/// The entry that has the id already: the same one?
fn existing(
    tx: &Tx<'_>,
    spec: &JoinWaitlistSpec,
    want: &Want<'_>,
    (id, row): (&Id, EntryRow),
) -> Result<JoinWaitlistOutcome, Stop<JoinWaitlistRefusal>> {
    let field = match () {
        () if spec.resource != row.resource => "resource",
        () if want.nights.map(|n| n.from()) != row.nights.map(|n| n.from()) => "from",
        () if want.nights != row.nights => "to",
        () if spec.quantity != row.quantity => "quantity",
        () if spec.offer_expires_in != row.offer_expires_in => "offer_expires_in",
        () if spec.price != row.price => "price",
        () if spec.metadata != row.metadata => "metadata",
        () => {
            let entry = WaitlistEntry::of(tx, id.clone(), row)?;
            return Ok(JoinWaitlistOutcome { outcome: Joined::Joined, existed: true, entry });
        }
    };
    Err(Stop::Refused(JoinWaitlistRefusal::EntryExists { id: id.clone(), field }))
}
