//! `reservations.move`: a hold, confirmed or not, to other nights, another quantity,
//! another resource, in one step.
//!
//! What it has counts as free for itself: a stay can be shifted by a night in a full
//! house. Refused, it keeps what it has. What it leaves is offered to those who wait.
//! Moving it to where it is changes nothing. Its end, if it has one, stays.

mod refusal;

use holdfast_state::{
    Date, Id, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::MoveRefusal;

use crate::{
    Price, Quantity,
    ending::part_of,
    get_hold::Hold,
    levels::OpenLevels,
    nights::slots,
    offers,
    room::Want,
    row::{HoldRow, Holds, Kind, ResourceRow, Resources},
    standing::standing,
    stay::{check, nights_of},
};

/// The command.
#[derive(Debug)]
pub struct MoveHold;

/// Which hold, and where to. What is absent stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveSpec {
    /// Its id.
    pub id: Id,
    /// To which resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Id>,
    /// From which night on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Up to which day of departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// How many, of each night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// What it costs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// The hold is where it was to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MoveOutcome {
    /// Always the same.
    pub outcome: Moved,
    /// It was there before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The hold.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// It is there.
    Moved,
}

impl Command for MoveHold {
    const NAME: &'static str = "reservations.move";
    const SUMMARY: &'static str = "Moves a hold to other nights, another quantity or resource.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/holds/{id}/move";
    type Spec = MoveSpec;
    type Outcome = MoveOutcome;
    type Refusal = MoveRefusal;
}

impl Write for MoveHold {
    fn run(tx: &mut Tx<'_>, spec: &MoveSpec) -> Result<MoveOutcome, Stop<MoveRefusal>> {
        move_hold(tx, spec)
    }
}

/// Moves a hold. A refusal has written nothing.
///
/// # Errors
/// [`MoveRefusal`], or an abort.
pub fn move_hold(tx: &mut Tx<'_>, spec: &MoveSpec) -> Result<MoveOutcome, Stop<MoveRefusal>> {
    let (before, _) = standing(tx, &spec.id).map_err(|stop| stop.map(MoveRefusal::Standing))?;
    let (after, resource) = moved(tx, spec, &before)?;
    let existed = after == before;
    if !existed {
        let place = |row: &HoldRow| (row.resource.clone(), row.nights, row.quantity);
        let stays = place(&before) == place(&after);
        if !stays {
            move_levels(tx, &before, &after, &resource)?;
        }
        tx.put::<Holds>(spec.id.as_str(), &after)?;
        if !stays {
            offers::freed(tx, &before.resource, slots(before.nights))?;
        }
    }
    Ok(MoveOutcome { outcome: Moved::Moved, existed, hold: Hold::of(spec.id.clone(), after) })
}

/// The hold as it is to be, and the resource that it is to be of.
fn moved(
    tx: &Tx<'_>,
    spec: &MoveSpec,
    before: &HoldRow,
) -> Result<(HoldRow, ResourceRow), Stop<MoveRefusal>> {
    let refused = |stay| Stop::Refused(MoveRefusal::Stay(stay));
    let mut after = before.clone();
    if let Some(resource) = &spec.resource {
        after.resource = resource.clone();
    }
    let resource = tx.get::<Resources>(after.resource.as_str())?;
    // To a resource without nights none are taken along.
    let has_nights = resource.as_ref().is_none_or(|row| row.kind == Kind::Nights);
    let own = before.nights.filter(|_| has_nights);
    let from = spec.from.or(own.map(|nights| nights.from()));
    let to = spec.to.or(own.map(|nights| nights.to()));
    after.nights = nights_of(from, to).map_err(refused)?;
    let resource = check(resource, &after.resource, after.nights).map_err(refused)?;
    after.quantity = spec.quantity.unwrap_or(before.quantity);
    after.price = spec.price.or(before.price);
    if after != *before {
        after.asked.get_or_insert(Box::new(before.asked()));
    }
    Ok((after, resource))
}

/// Gives back what the hold has and takes what it is to have, if there is room.
fn move_levels(
    tx: &mut Tx<'_>,
    before: &HoldRow,
    after: &HoldRow,
    resource: &ResourceRow,
) -> Result<(), Stop<MoveRefusal>> {
    let part = part_of(before);
    let want = Want { resource: &after.resource, nights: after.nights, quantity: after.quantity };
    let left = slots(before.nights);
    let mut from = OpenLevels::of(&before.resource);
    from.read(tx, left.clone())?;
    from.give(&left, part, before.quantity)?;
    let mut elsewhere = OpenLevels::of(&after.resource);
    let to = if before.resource == after.resource { &mut from } else { &mut elsewhere };
    to.read(tx, want.slots())?;
    want.check(resource, to).map_err(|room| Stop::Refused(MoveRefusal::Room(room)))?;
    to.take(&want.slots(), part, want.quantity, resource.stock);
    from.write(tx)?;
    elsewhere.write(tx)?;
    Ok(())
}
