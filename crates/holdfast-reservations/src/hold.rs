//! `reservations.hold`: sets something aside until it is confirmed, released, or
//! expires.
//!
//! The rules, in order: what the request alone decides; whether the id was used (the
//! same hold again is the same outcome, another one is refused); the resource and
//! whether it has nights; expiry; whether those who wait come first; room on every
//! night. Everything is decided before the first row is written.

mod refusal;

use holdfast_state::{
    Abort, Date, Id, Lifetime, LogTime, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::HoldRefusal;

use crate::{
    Price, Quantity,
    expire_hold::HANDLER,
    expiry::{Expiry, GivenTwice},
    get_hold::Hold,
    levels::{OpenLevels, Part},
    room::Want,
    row::{Asked, HoldRow, Holds, Stamp, Status},
    stay::nights_of,
};

/// The command.
#[derive(Debug)]
pub struct MakeHold;

/// What is held, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldSpec {
    /// Its id; without one it gets a fresh id, and a retry would be another hold.
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
    /// A hold not confirmed before this time expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The same, counted from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// What it costs: carried, not interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl HoldSpec {
    /// One of each night from `from` to before `to`, until it is ended.
    #[must_use]
    pub fn nights(id: Option<Id>, resource: Id, from: Date, to: Date) -> Self {
        let quantity = Quantity::default();
        Self { from: Some(from), to: Some(to), ..Self::units(id, resource, quantity) }
    }

    /// So many units, until it is ended.
    #[must_use]
    pub const fn units(id: Option<Id>, resource: Id, quantity: Quantity) -> Self {
        Self {
            id,
            resource,
            from: None,
            to: None,
            quantity,
            expires_at: None,
            expires_in: None,
            price: None,
            metadata: None,
        }
    }
}

/// The hold is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HoldOutcome {
    /// Always the same.
    pub outcome: Held,
    /// It had been made before, in the same words; `hold` is how it stands now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The hold.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It is set aside.
    Held,
}

impl Command for MakeHold {
    const NAME: &'static str = "reservations.hold";
    const SUMMARY: &'static str =
        "Sets units or nights aside until they are confirmed, released, or expire.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/holds";
    type Spec = HoldSpec;
    type Outcome = HoldOutcome;
    type Refusal = HoldRefusal;
}

impl Write for MakeHold {
    fn run(tx: &mut Tx<'_>, spec: &HoldSpec) -> Result<HoldOutcome, Stop<HoldRefusal>> {
        hold(tx, spec)
    }
}

/// Makes a hold. A refusal has written nothing.
///
/// # Errors
/// [`HoldRefusal`], or an abort.
pub fn hold(tx: &mut Tx<'_>, spec: &HoldSpec) -> Result<HoldOutcome, Stop<HoldRefusal>> {
    let refused = |refusal: HoldRefusal| Stop::Refused(refusal);
    let expiry = Expiry::of(spec.expires_at, spec.expires_in)
        .map_err(|GivenTwice| refused(HoldRefusal::ExpiryGivenTwice))?;
    let nights = nights_of(spec.from, spec.to).map_err(|stay| refused(stay.into()))?;
    let want = Want { resource: &spec.resource, nights, quantity: spec.quantity };
    let id = match &spec.id {
        Some(id) => {
            if let Some(row) = tx.get::<Holds>(id.as_str())? {
                return existing(spec, &want, expiry, (id, row)).map_err(refused);
            }
            id.clone()
        }
        None => tx.fresh_id("hold"),
    };
    let resource = want.resource(tx).map_err(|stop| stop.map(HoldRefusal::from))?;
    let expires_at = expiry.counted_from(tx.now());
    if let Some(expires_at) = expires_at.filter(|at| *at <= tx.now()) {
        return Err(refused(HoldRefusal::ExpiryInPast { expires_at, now: tx.now() }));
    }
    let mut levels = OpenLevels::of(want.resource);
    levels.read(tx, want.slots())?;
    want.check(&resource, &levels).map_err(|room| refused(room.into()))?;
    levels.take(&want.slots(), Part::Held, want.quantity, resource.stock);
    levels.write(tx)?;
    let asked = asked(spec, &want, expires_at);
    let row = make(tx, &id, asked, None, spec.metadata.clone())?;
    Ok(HoldOutcome { outcome: Held::Held, existed: false, hold: Hold::of(id, row) })
}

fn asked(spec: &HoldSpec, want: &Want<'_>, expires_at: Option<LogTime>) -> Asked {
    Asked {
        resource: want.resource.clone(),
        nights: want.nights,
        quantity: want.quantity,
        expires_at,
        price: spec.price,
    }
}

/// The hold that has the id already: the same one?
fn existing(
    spec: &HoldSpec,
    want: &Want<'_>,
    expiry: Expiry,
    (id, row): (&Id, HoldRow),
) -> Result<HoldOutcome, HoldRefusal> {
    let before = row.asked();
    let field = match () {
        () if spec.resource != before.resource => "resource",
        () if want.nights.map(|n| n.from()) != before.nights.map(|n| n.from()) => "from",
        () if want.nights != before.nights => "to",
        () if spec.quantity != before.quantity => "quantity",
        () if expiry.counted_from(row.made.time) != before.expires_at => expiry.field(),
        () if spec.price != before.price => "price",
        () if spec.metadata != row.metadata => "metadata",
        // An offer bears an id of ours, which no caller can have chosen.
        () if row.entry.is_some() => "id",
        () => {
            let hold = Hold::of(id.clone(), row);
            return Ok(HoldOutcome { outcome: Held::Held, existed: true, hold });
        }
    };
    Err(HoldRefusal::HoldExists { id: id.clone(), field })
}

/// The row of a new hold, of which the levels know already, and its timer.
pub(crate) fn make(
    tx: &mut Tx<'_>,
    id: &Id,
    asked: Asked,
    entry: Option<Id>,
    metadata: Option<Metadata>,
) -> Result<HoldRow, Abort> {
    let timer = match asked.expires_at {
        Some(due) => Some(tx.arm_timer(due, HANDLER, id)?),
        None => None,
    };
    let row = HoldRow {
        resource: asked.resource,
        nights: asked.nights,
        quantity: asked.quantity,
        status: Status::Held,
        made: Stamp::of(tx),
        confirmed: None,
        ended: None,
        expires_at: asked.expires_at,
        timer,
        price: asked.price,
        entry,
        asked: None,
        metadata,
        unknown: Unknown::default(),
    };
    tx.put::<Holds>(id.as_str(), &row)?;
    Ok(row)
}
