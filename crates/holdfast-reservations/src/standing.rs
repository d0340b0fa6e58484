//! Whether a hold still stands: what confirming, extending and moving it ask first.

use holdfast_state::{
    Id, LogTime, Read as _, Stop, Tx,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{
    refusals::{HOLD_CANCELLED, HOLD_EXPIRED, HOLD_NOT_FOUND, HOLD_RELEASED},
    row::{HoldRow, Holds, Status},
};

/// Why a hold does not stand any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum StandingRefusal {
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
    /// It was given back before it was confirmed.
    HoldReleased,
    /// It was given back after it was confirmed.
    HoldCancelled,
}

impl Refusal for StandingRefusal {
    const ALL: &'static [RefusalInfo] =
        &[HOLD_NOT_FOUND, HOLD_EXPIRED, HOLD_RELEASED, HOLD_CANCELLED];

    fn code(&self) -> &'static str {
        match self {
            Self::HoldNotFound { .. } => HOLD_NOT_FOUND.code,
            Self::HoldExpired { .. } => HOLD_EXPIRED.code,
            Self::HoldReleased => HOLD_RELEASED.code,
            Self::HoldCancelled => HOLD_CANCELLED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

/// How a hold stands that can still come to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Held,
    Confirmed,
}

/// A hold that is held or confirmed. From `expires_at` on a held one is neither,
/// whether or not its timer has fired yet.
pub(crate) fn standing(tx: &Tx<'_>, id: &Id) -> Result<(HoldRow, Standing), Stop<StandingRefusal>> {
    let row = tx.get::<Holds>(id.as_str())?;
    let not_found = || StandingRefusal::HoldNotFound { id: id.clone() };
    let row = row.ok_or_else(|| Stop::Refused(not_found()))?;
    let refusal = match row.status {
        Status::Confirmed => return Ok((row, Standing::Confirmed)),
        Status::Held => match row.expires_at.filter(|at| *at <= tx.now()) {
            Some(expired_at) => StandingRefusal::HoldExpired { expired_at },
            None => return Ok((row, Standing::Held)),
        },
        Status::Expired => StandingRefusal::HoldExpired {
            expired_at: row.expires_at.expect("only what has an end expires"),
        },
        Status::Released => StandingRefusal::HoldReleased,
        Status::Cancelled => StandingRefusal::HoldCancelled,
    };
    Err(Stop::Refused(refusal))
}
