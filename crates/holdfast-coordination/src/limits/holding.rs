//! What a holder has of limits of concurrency: finding it, and why it cannot be found.

use holdfast_state::{
    Abort, Id, Read as _, Stop, Tx,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use super::{
    concurrency::Occupancy,
    descriptors::Descriptors,
    evaluate::{Asked, evaluate},
    meter::Meter,
    refusals::{HOLDER_NOT_FOUND, LIMIT_NOT_FOUND},
    row::Limits,
    shelf::{Counters, Place},
};

/// Why nothing changed, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum HoldingRefusal {
    /// There is no such limit.
    LimitNotFound {
        /// The limit.
        limit: Id,
    },
    /// It holds nothing: it never did, gave it back, or its time is over.
    HolderNotFound {
        /// The limit.
        limit: Id,
        /// The holder.
        holder: Id,
    },
}

impl Refusal for HoldingRefusal {
    const ALL: &'static [RefusalInfo] = &[LIMIT_NOT_FOUND, HOLDER_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
            Self::HolderNotFound { .. } => HOLDER_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::LimitNotFound { .. } => "/id",
            Self::HolderNotFound { .. } => "/holder",
        })
    }
}

/// Changes all that a holder has under a limit, and says what came of it, rule by rule.
pub(super) fn each_held<T>(
    tx: &mut Tx<'_>,
    (id, descriptors, holder): (&Id, &Descriptors, &Id),
    mut change: impl FnMut(&mut Tx<'_>, &mut Occupancy, Place<'_>) -> Result<Option<T>, Abort>,
) -> Result<Vec<(Id, T)>, Stop<HoldingRefusal>> {
    let limit = id.clone();
    let Some(row) = tx.get::<Limits>(id.as_str())? else {
        return Err(Stop::Refused(HoldingRefusal::LimitNotFound { limit }));
    };
    let asked = Asked { limit: id, request: descriptors, cost: 0, holder: Some(holder) };
    let mut found = Vec::new();
    for mut applied in evaluate(tx, &row, asked)?.rules {
        let place =
            Place { counters: Counters { limit: id, rule: applied.row }, key: &applied.key };
        let Meter::Occupancy(occupancy) = &mut applied.meter else { continue };
        if let Some(came) = change(tx, occupancy, place)? {
            found.push((applied.row.rule.name.clone(), came));
        }
    }
    if found.is_empty() {
        let holder = holder.clone();
        return Err(Stop::Refused(HoldingRefusal::HolderNotFound { limit, holder }));
    }
    Ok(found)
}
