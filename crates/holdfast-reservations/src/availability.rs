//! `reservations.availability`: how much is left, night by night.

use holdfast_state::{
    Date, Id, Read, Scan, Stop,
    command::{Command, Method, Query},
    page::bad_key,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Stock,
    nights::slots,
    row::{LevelRow, Levels, night_of},
    stay::{StayRefusal, nights_of, resource},
};

/// The command.
#[derive(Debug)]
pub struct ShowAvailability;

/// Of which resource, on which nights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilitySpec {
    /// The resource's id.
    pub resource: Id,
    /// The first night, of a resource that has nights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The day of departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Availability {
    /// The resource's id.
    pub resource: Id,
    /// How many are left on every one of the nights: the least of them.
    pub available: u64,
    /// Night by night; one element without a night, of a resource that has none.
    pub levels: Vec<LevelView>,
}

/// A night, or the one level of a resource that has units. `available + held + sold =
/// stock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LevelView {
    /// Which night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub night: Option<Date>,
    /// How many there are.
    pub stock: u64,
    /// How many are held.
    pub held: u64,
    /// How many are sold.
    pub sold: u64,
    /// How many are left.
    pub available: u64,
}

impl LevelView {
    fn of(night: Option<Date>, row: &LevelRow, default: Stock) -> Self {
        Self {
            night,
            stock: row.stock(default),
            held: row.held,
            sold: row.sold,
            available: row.available(default),
        }
    }
}

impl Command for ShowAvailability {
    const NAME: &'static str = "reservations.availability";
    const SUMMARY: &'static str = "Shows what is left of a resource, night by night.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/resources/{resource}/availability";
    type Spec = AvailabilitySpec;
    type Outcome = Availability;
    type Refusal = StayRefusal;
}

impl Query for ShowAvailability {
    fn run(state: &impl Read, spec: &AvailabilitySpec) -> Result<Availability, Stop<StayRefusal>> {
        let id = spec.resource.as_str();
        let nights = nights_of(spec.from, spec.to).map_err(Stop::Refused)?;
        let resource = resource(state, &spec.resource, nights)?;
        let slots = slots(nights);
        let scan = Scan::up(slots.len());
        let found = state.range::<Levels>(&(id, slots.start), &(id, slots.end), scan)?;
        let mut found = found.into_iter().peekable();
        let mut levels = Vec::with_capacity(slots.len());
        for slot in slots {
            let row = match found.peek().map(slot_of).transpose()? {
                Some(next) if next == slot => found.next().map(|level| level.row),
                Some(_) | None => None,
            };
            let night = night_of(resource.kind, slot);
            levels.push(LevelView::of(night, &row.unwrap_or_default(), resource.stock));
        }
        let available = levels.iter().map(|level| level.available).min();
        let available = available.expect("there is one level at least");
        Ok(Availability { resource: spec.resource.clone(), available, levels })
    }
}

/// The slot of a level that was found.
pub(crate) fn slot_of(
    found: &holdfast_state::table::Found<LevelRow>,
) -> Result<u32, holdfast_state::Abort> {
    let mut key = found.key();
    key.bytes().and_then(|_| key.u32()).map_err(|_| bad_key::<Levels>())
}
