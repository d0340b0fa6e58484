//! `reservations.extend`: a hold stays longer. Extending it to the time it has is the
//! same outcome; to an earlier one it is refused, and so is what has no end.

mod refusal;

use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::ExtendRefusal;

use crate::{
    expire_hold::HANDLER,
    expiry::{Expiry, GivenTwice},
    get_hold::Hold,
    row::{HoldRow, Holds},
    standing::{Standing, standing},
};

/// The command.
#[derive(Debug)]
pub struct ExtendHold;

/// Which hold, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendSpec {
    /// Its id.
    pub id: Id,
    /// Not confirmed before this time, it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The same, counted from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
}

/// The hold stays longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExtendOutcome {
    /// Always the same.
    pub outcome: Extended,
    /// It would have expired at that time already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The hold.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extended {
    /// It expires later.
    Extended,
}

impl Command for ExtendHold {
    const NAME: &'static str = "reservations.extend";
    const SUMMARY: &'static str = "Lets a hold expire later.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/holds/{id}/extend";
    type Spec = ExtendSpec;
    type Outcome = ExtendOutcome;
    type Refusal = ExtendRefusal;
}

impl Write for ExtendHold {
    fn run(tx: &mut Tx<'_>, spec: &ExtendSpec) -> Result<ExtendOutcome, Stop<ExtendRefusal>> {
        extend(tx, spec)
    }
}

/// Extends a hold. A refusal has written nothing.
///
/// # Errors
/// [`ExtendRefusal`], or an abort.
pub fn extend(tx: &mut Tx<'_>, spec: &ExtendSpec) -> Result<ExtendOutcome, Stop<ExtendRefusal>> {
    let expiry = Expiry::of(spec.expires_at, spec.expires_in)
        .map_err(|GivenTwice| Stop::Refused(ExtendRefusal::ExpiryGivenTwice))?;
    let Some(requested) = expiry.counted_from(tx.now()) else {
        return Err(Stop::Refused(ExtendRefusal::ExpiryMissing));
    };
    let found = standing(tx, &spec.id).map_err(|stop| stop.map(ExtendRefusal::Standing))?;
    let mut row = match found {
        (row, Standing::Held) => row,
        (_, Standing::Confirmed) => return Err(Stop::Refused(ExtendRefusal::HoldConfirmed)),
    };
    let existed = decide(&row, requested).map_err(Stop::Refused)?;
    if !existed {
        if let Some(timer) = row.timer {
            tx.cancel_timer(timer)?;
        }
        row.asked.get_or_insert(Box::new(row.asked()));
        row.expires_at = Some(requested);
        row.timer = Some(tx.arm_timer(requested, HANDLER, &spec.id)?);
        tx.put::<Holds>(spec.id.as_str(), &row)?;
    }
    let hold = Hold::of(spec.id.clone(), row);
    Ok(ExtendOutcome { outcome: Extended::Extended, existed, hold })
}

/// Whether it expires then already, or may from now on.
fn decide(row: &HoldRow, requested: LogTime) -> Result<bool, ExtendRefusal> {
    match row.expires_at {
        Some(expires_at) if requested == expires_at => Ok(true),
        Some(expires_at) if requested > expires_at => Ok(false),
        expires_at => Err(ExtendRefusal::ExpiryNotLater { expires_at, requested }),
    }
}
