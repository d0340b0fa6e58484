//! `reservations.confirm`: what was held is sold. Confirming twice is the same as
//! once; from `expires_at` on it is too late, whether or not the timer has fired yet.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    get_hold::Hold,
    levels::OpenLevels,
    nights::slots,
    row::{Holds, Stamp, Status},
    standing::{Standing, StandingRefusal, standing},
};

/// The command.
#[derive(Debug)]
pub struct ConfirmHold;

/// Which hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSpec {
    /// Its id.
    pub id: Id,
}

/// The hold is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfirmOutcome {
    /// Always the same.
    pub outcome: Confirmed,
    /// It had been confirmed before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The hold.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirmed {
    /// What was held is sold.
    Confirmed,
}

impl Command for ConfirmHold {
    const NAME: &'static str = "reservations.confirm";
    const SUMMARY: &'static str = "Confirms a hold: what was held is sold.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/holds/{id}/confirm";
    type Spec = ConfirmSpec;
    type Outcome = ConfirmOutcome;
    type Refusal = StandingRefusal;
}

impl Write for ConfirmHold {
    fn run(tx: &mut Tx<'_>, spec: &ConfirmSpec) -> Result<ConfirmOutcome, Stop<StandingRefusal>> {
        confirm(tx, spec)
    }
}

/// Confirms a hold. A refusal has written nothing.
///
/// # Errors
/// [`StandingRefusal`], or an abort.
pub fn confirm(
    tx: &mut Tx<'_>,
    spec: &ConfirmSpec,
) -> Result<ConfirmOutcome, Stop<StandingRefusal>> {
    let (mut row, standing) = standing(tx, &spec.id)?;
    let existed = standing == Standing::Confirmed;
    if !existed {
        if let Some(timer) = row.timer {
            tx.cancel_timer(timer)?;
        }
        let slots = slots(row.nights);
        let mut levels = OpenLevels::of(&row.resource);
        levels.read(tx, slots.clone())?;
        levels.sell(&slots, row.quantity)?;
        levels.write(tx)?;
        row.status = Status::Confirmed;
        row.confirmed = Some(Stamp::of(tx));
        tx.put::<Holds>(spec.id.as_str(), &row)?;
    }
    let hold = Hold::of(spec.id.clone(), row);
    Ok(ConfirmOutcome { outcome: Confirmed::Confirmed, existed, hold })
}
