//! `ledger.void_pending`: what was set aside goes back. Voiding twice is the
//! same as once; from `expires_at` on the transfer expires instead.

use holdfast_state::{
    Amount, Id, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    balances::Event,
    get_transfer::{TRANSFER_NOT_FOUND, Transfer},
    movement::resolve,
    post_pending::refusal::{ALREADY_EXPIRED, ALREADY_POSTED, NOT_PENDING},
    row::{Status, TransferRow, Transfers},
};

/// The command.
#[derive(Debug)]
pub struct VoidPending;

/// Which transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidPendingSpec {
    /// Its id.
    pub id: Id,
}

/// The transfer is voided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VoidPendingOutcome {
    /// Always the same.
    pub outcome: Voided,
    /// It had been voided before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The transfer.
    #[serde(flatten)]
    pub transfer: Transfer,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Voided {
    /// The amount went back.
    Voided,
}

/// Why a pending transfer is not voided, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum VoidPendingRefusal {
    /// It was never made.
    TransferNotFound {
        /// Its id.
        id: Id,
    },
    /// It was posted at once when it was made.
    NotPending,
    /// It was posted.
    AlreadyPosted {
        /// How much of it.
        posted: Amount,
    },
    /// Its time is over.
    AlreadyExpired {
        /// Since when.
        expired_at: LogTime,
    },
}

impl Refusal for VoidPendingRefusal {
    const ALL: &'static [RefusalInfo] =
        &[TRANSFER_NOT_FOUND, NOT_PENDING, ALREADY_POSTED, ALREADY_EXPIRED];

    fn code(&self) -> &'static str {
        match self {
            Self::TransferNotFound { .. } => TRANSFER_NOT_FOUND.code,
            Self::NotPending => NOT_PENDING.code,
            Self::AlreadyPosted { .. } => ALREADY_POSTED.code,
            Self::AlreadyExpired { .. } => ALREADY_EXPIRED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for VoidPending {
    const NAME: &'static str = "ledger.void_pending";
    const SUMMARY: &'static str = "Takes a pending transfer back.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/transfers/{id}/void";
    type Spec = VoidPendingSpec;
    type Outcome = VoidPendingOutcome;
    type Refusal = VoidPendingRefusal;
}

impl Write for VoidPending {
    fn run(
        tx: &mut Tx<'_>,
        spec: &VoidPendingSpec,
    ) -> Result<VoidPendingOutcome, Stop<VoidPendingRefusal>> {
        void_pending(tx, spec)
    }
}

/// Voids a pending transfer. A refusal has written nothing.
///
/// # Errors
/// [`VoidPendingRefusal`], or an abort.
pub fn void_pending(
    tx: &mut Tx<'_>,
    spec: &VoidPendingSpec,
) -> Result<VoidPendingOutcome, Stop<VoidPendingRefusal>> {
    let row = tx.get::<Transfers>(spec.id.as_str())?;
    let not_found = || VoidPendingRefusal::TransferNotFound { id: spec.id.clone() };
    let mut row = row.ok_or_else(|| Stop::Refused(not_found()))?;
    let existed = decide(tx, &row).map_err(Stop::Refused)?;
    if !existed {
        if let Some(timer) = row.timer {
            tx.cancel_timer(timer)?;
        }
        resolve(tx, &spec.id, &mut row, Event::Voided, Amount::ZERO)?;
    }
    let transfer = Transfer::of(spec.id.clone(), row);
    Ok(VoidPendingOutcome { outcome: Voided::Voided, existed, transfer })
}

/// Whether it was voided already, or may be now.
fn decide(tx: &Tx<'_>, row: &TransferRow) -> Result<bool, VoidPendingRefusal> {
    let over = row.expires_at.filter(|at| *at <= tx.now());
    match (row.status, row.resolution, over) {
        (Status::Posted, Some(end), _) => {
            Err(VoidPendingRefusal::AlreadyPosted { posted: end.amount })
        }
        (Status::Posted, None, _) => Err(VoidPendingRefusal::NotPending),
        (Status::Voided, _, _) => Ok(true),
        (Status::Expired | Status::Pending, _, Some(expired_at)) => {
            Err(VoidPendingRefusal::AlreadyExpired { expired_at })
        }
        (Status::Pending, _, None) => Ok(false),
        (Status::Expired, _, None) => unreachable!("only what has an end expires, and after it"),
    }
}
