//! `reservations.release`: a hold gives back what it has. One that was confirmed is
//! *cancelled* thereby. Releasing twice is the same as once; a hold whose time is
//! over expires instead.

use holdfast_state::{
    Id, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ending::end,
    get_hold::Hold,
    refusals::{HOLD_EXPIRED, HOLD_NOT_FOUND},
    row::{HoldRow, Holds, Status},
};

/// The command.
#[derive(Debug)]
pub struct ReleaseHold;

/// Which hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// Its id.
    pub id: Id,
}

/// The hold has given back what it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReleaseOutcome {
    /// What that is called.
    pub outcome: Released,
    /// It had done so before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The hold.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Released {
    /// It had not been confirmed.
    Released,
    /// It had been confirmed.
    Cancelled,
}

/// Why a hold is not released, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ReleaseRefusal {
    /// It was never made.
    HoldNotFound {
        /// Its id.
        id: Id,
    },
    /// Its time is over.
    HoldExpired {
        /// Since when.
        expired_at: LogTime,
    },
}

impl Refusal for ReleaseRefusal {
    const ALL: &'static [RefusalInfo] = &[HOLD_NOT_FOUND, HOLD_EXPIRED];

    fn code(&self) -> &'static str {
        match self {
            Self::HoldNotFound { .. } => HOLD_NOT_FOUND.code,
            Self::HoldExpired { .. } => HOLD_EXPIRED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for ReleaseHold {
    const NAME: &'static str = "reservations.release";
    const SUMMARY: &'static str = "Releases a hold, or cancels a confirmed one.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/holds/{id}/release";
    type Spec = ReleaseSpec;
    type Outcome = ReleaseOutcome;
    type Refusal = ReleaseRefusal;
}

impl Write for ReleaseHold {
    fn run(tx: &mut Tx<'_>, spec: &ReleaseSpec) -> Result<ReleaseOutcome, Stop<ReleaseRefusal>> {
        release(tx, spec)
    }
}

/// Releases or cancels a hold. A refusal has written nothing.
///
/// # Errors
/// [`ReleaseRefusal`], or an abort.
pub fn release(
    tx: &mut Tx<'_>,
    spec: &ReleaseSpec,
) -> Result<ReleaseOutcome, Stop<ReleaseRefusal>> {
    let row = tx.get::<Holds>(spec.id.as_str())?;
    let not_found = || ReleaseRefusal::HoldNotFound { id: spec.id.clone() };
    let mut row = row.ok_or_else(|| Stop::Refused(not_found()))?;
    let (outcome, existed) = decide(tx, &row).map_err(Stop::Refused)?;
    if !existed {
        let status = match outcome {
            Released::Released => Status::Released,
            Released::Cancelled => Status::Cancelled,
        };
        // The timer of a confirmed hold was cancelled when it was confirmed.
        if let Some(timer) = row.timer.filter(|_| outcome == Released::Released) {
            tx.cancel_timer(timer)?;
        }
        end(tx, &spec.id, &mut row, status)?;
    }
    Ok(ReleaseOutcome { outcome, existed, hold: Hold::of(spec.id.clone(), row) })
}

/// What releasing comes to, and whether it had come to that before.
fn decide(tx: &Tx<'_>, row: &HoldRow) -> Result<(Released, bool), ReleaseRefusal> {
    let over = row.expires_at.filter(|at| *at <= tx.now());
    match (row.status, over) {
        (Status::Held | Status::Expired, Some(expired_at)) => {
            Err(ReleaseRefusal::HoldExpired { expired_at })
        }
        (Status::Held, None) => Ok((Released::Released, false)),
        (Status::Confirmed, _) => Ok((Released::Cancelled, false)),
        (Status::Released, _) => Ok((Released::Released, true)),
        (Status::Cancelled, _) => Ok((Released::Cancelled, true)),
        (Status::Expired, None) => unreachable!("only what has an end expires, and after it"),
    }
}
