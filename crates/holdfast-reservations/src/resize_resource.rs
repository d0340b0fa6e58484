//! `reservations.resize_resource`: another stock, for all nights, from a night on, or
//! on some nights only.
//!
//! A stock never becomes less than what is held and sold: that is refused, naming the
//! first night. Without dates the resource's stock changes, and with it every night
//! that has none of its own. With `from` alone the same, but earlier nights of which
//! something is taken keep what they had. With `from` and `to` these nights get a
//! stock of their own; given the resource's, they follow the resource again.

mod refusal;

use std::ops::Range;

use holdfast_state::{
    Date, Id, Read as _, Scan, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::ResizeResourceRefusal;

use crate::{
    Stock,
    availability::slot_of,
    get_resource::Resource,
    levels::OpenLevels,
    nights::slots,
    offers,
    row::{Kind, LevelRow, Levels, ResourceRow, Resources, night_of},
    stay::{StayRefusal, nights_of},
};

/// The command.
#[derive(Debug)]
pub struct ResizeResource;

/// Which resource, how many there are from now on, and on which nights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResizeResourceSpec {
    /// Its id.
    pub id: Id,
    /// How many there are.
    pub stock: Stock,
    /// The first night it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The night after the last that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

/// The stock is as asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResizeResourceOutcome {
    /// Always the same.
    pub outcome: Resized,
    /// It was so before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The resource as it is now.
    #[serde(flatten)]
    pub resource: Resource,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resized {
    /// The stock is as asked.
    Resized,
}

impl Command for ResizeResource {
    const NAME: &'static str = "reservations.resize_resource";
    const SUMMARY: &'static str = "Changes the stock of a resource, or of some of its nights.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/resources/{id}/resize";
    type Spec = ResizeResourceSpec;
    type Outcome = ResizeResourceOutcome;
    type Refusal = ResizeResourceRefusal;
}

impl Write for ResizeResource {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ResizeResourceSpec,
    ) -> Result<ResizeResourceOutcome, Stop<ResizeResourceRefusal>> {
        resize_resource(tx, spec)
    }
}

/// Whether it was so before, and the resource as it is now.
type Done = Result<(bool, ResourceRow), Stop<ResizeResourceRefusal>>;

/// Changes a stock. A refusal has written nothing.
///
/// # Errors
/// [`ResizeResourceRefusal`], or an abort.
pub fn resize_resource(
    tx: &mut Tx<'_>,
    spec: &ResizeResourceSpec,
) -> Result<ResizeResourceOutcome, Stop<ResizeResourceRefusal>> {
    let refused = |stay: StayRefusal| Stop::Refused(ResizeResourceRefusal::Stay(stay));
    let some = match (spec.from, spec.to) {
        (Some(_), None) => None,
        (from, to) => nights_of(from, to).map_err(refused)?,
    };
    let row = tx.get::<Resources>(spec.id.as_str())?;
    let resource = || spec.id.clone();
    let row = row.ok_or_else(|| refused(StayRefusal::ResourceNotFound { resource: resource() }))?;
    if row.kind == Kind::Units && spec.from.is_some() {
        return Err(refused(StayRefusal::NightsNotAllowed { resource: resource() }));
    }
    let (existed, row) = match some {
        Some(nights) => resize_some(tx, spec, row, slots(Some(nights)))?,
        None => resize_all(tx, spec, row, spec.from.map_or(0, Date::day))?,
    };
    let resource = Resource::of(tx, &spec.id, &row)?;
    Ok(ResizeResourceOutcome { outcome: Resized::Resized, existed, resource })
}

/// The resource's stock, for `first` and later slots.
fn resize_all(
    tx: &mut Tx<'_>,
    spec: &ResizeResourceSpec,
    mut row: ResourceRow,
    first: u32,
) -> Done {
    let stock = spec.stock;
    if stock == row.stock {
        return Ok((true, row));
    }
    let levels = tx.scan::<Levels>(&(spec.id.as_str(),), Scan::up(usize::MAX))?;
    let mut keeping = Vec::new();
    for level in levels.into_iter().filter(|level| level.row.stock.is_none()) {
        let slot = slot_of(&level)?;
        if slot < first {
            keeping.push((slot, LevelRow { stock: Some(row.stock), ..level.row }));
        } else {
            check(row.kind, slot, &level.row, stock)?;
        }
    }
    for (slot, level) in keeping {
        tx.put::<Levels>((spec.id.as_str(), slot), &level)?;
    }
    let grew = stock > row.stock;
    row.stock = stock;
    row.version = tx.version();
    if grew && row.waiting > 0 {
        // Nights before `first` of which nothing is taken grow as well.
        row = offers::offer(tx, &spec.id, row, 0..u32::MAX)?;
    } else {
        tx.put::<Resources>(spec.id.as_str(), &row)?;
    }
    Ok((false, row))
}

/// A stock of their own for these slots.
fn resize_some(
    tx: &mut Tx<'_>,
    spec: &ResizeResourceSpec,
    mut row: ResourceRow,
    slots: Range<u32>,
) -> Done {
    let stock = spec.stock;
    let own = (stock != row.stock).then_some(stock);
    let mut levels = OpenLevels::of(&spec.id);
    levels.read(tx, slots.clone())?;
    if levels.rows(&slots).all(|(_, level)| level.stock == own) {
        return Ok((true, row));
    }
    let mut grew = false;
    for (slot, level) in levels.rows(&slots) {
        check(row.kind, slot, level, stock)?;
        grew |= stock.get() > level.stock(row.stock);
    }
    levels.set_stock(&slots, own);
    levels.write(tx)?;
    if grew && row.waiting > 0 {
        row = offers::offer(tx, &spec.id, row, slots)?;
    }
    Ok((false, row))
}

/// Nothing that is held or sold may be left without stock.
fn check(
    kind: Kind,
    slot: u32,
    level: &LevelRow,
    stock: Stock,
) -> Result<(), Stop<ResizeResourceRefusal>> {
    if level.taken() <= stock.get() {
        return Ok(());
    }
    let night = night_of(kind, slot);
    let (held, sold) = (level.held, level.sold);
    Err(Stop::Refused(ResizeResourceRefusal::StockTaken { night, held, sold, requested: stock }))
}
