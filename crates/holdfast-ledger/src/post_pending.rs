//! `ledger.post_pending`: what was set aside moves for good, whole or in part.
//! What is not posted goes back.
//!
//! From `expires_at` on it is too late, whether or not the timer has fired yet:
//! who gave the money a deadline is held to it by log time alone. Posting the
//! same amount again is the same outcome.

pub(crate) mod refusal;

use holdfast_state::{
    Amount, Id, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::PostPendingRefusal;

use crate::{
    balances::Event,
    get_transfer::Transfer,
    movement::resolve,
    row::{Status, TransferRow, Transfers},
};

/// The command.
#[derive(Debug)]
pub struct PostPending;

/// Which transfer, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostPendingSpec {
    /// Its id.
    pub id: Id,
    /// How much of it, above zero; all of it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// The transfer is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PostPendingOutcome {
    /// Always the same.
    pub outcome: Posted,
    /// The same amount of it had been posted before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The transfer.
    #[serde(flatten)]
    pub transfer: Transfer,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Posted {
    /// The amount has moved.
    Posted,
}

impl Command for PostPending {
    const NAME: &'static str = "ledger.post_pending";
    const SUMMARY: &'static str = "Posts a pending transfer, whole or in part.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/transfers/{id}/post";
    type Spec = PostPendingSpec;
    type Outcome = PostPendingOutcome;
    type Refusal = PostPendingRefusal;
}

impl Write for PostPending {
    fn run(
        tx: &mut Tx<'_>,
        spec: &PostPendingSpec,
    ) -> Result<PostPendingOutcome, Stop<PostPendingRefusal>> {
        post_pending(tx, spec)
    }
}

/// Posts a pending transfer. A refusal has written nothing.
///
/// # Errors
/// [`PostPendingRefusal`], or an abort.
pub fn post_pending(
    tx: &mut Tx<'_>,
    spec: &PostPendingSpec,
) -> Result<PostPendingOutcome, Stop<PostPendingRefusal>> {
    if let Some(amount) = spec.amount.filter(|amount| !amount.is_positive()) {
        return Err(Stop::Refused(PostPendingRefusal::AmountNotPositive { amount }));
    }
    let row = tx.get::<Transfers>(spec.id.as_str())?;
    let not_found = || PostPendingRefusal::TransferNotFound { id: spec.id.clone() };
    let mut row = row.ok_or_else(|| Stop::Refused(not_found()))?;
    let amount = spec.amount.unwrap_or(row.amount);
    let existed = decide(tx, &row, amount).map_err(Stop::Refused)?;
    if !existed {
        if let Some(timer) = row.timer {
            tx.cancel_timer(timer)?;
        }
        resolve(tx, &spec.id, &mut row, Event::PostedPending, amount)?;
    }
    let transfer = Transfer::of(spec.id.clone(), row);
    Ok(PostPendingOutcome { outcome: Posted::Posted, existed, transfer })
}

/// Whether it was posted so already, or may be now.
fn decide(tx: &Tx<'_>, row: &TransferRow, amount: Amount) -> Result<bool, PostPendingRefusal> {
    match (row.status, row.resolution) {
        (Status::Posted, Some(end)) if end.amount == amount => Ok(true),
        (Status::Posted, Some(end)) => {
            Err(PostPendingRefusal::AlreadyPosted { posted: end.amount, requested: amount })
        }
        (Status::Posted, None) => Err(PostPendingRefusal::NotPending),
        (Status::Voided, _) => Err(PostPendingRefusal::AlreadyVoided),
        (Status::Expired, _) => Err(expired(row)),
        (Status::Pending, _) if row.expires_at.is_some_and(|at| at <= tx.now()) => {
            Err(expired(row))
        }
        (Status::Pending, _) if amount > row.amount => {
            Err(PostPendingRefusal::ExceedsPending { pending: row.amount, requested: amount })
        }
        (Status::Pending, _) => Ok(false),
    }
}

fn expired(row: &TransferRow) -> PostPendingRefusal {
    let expires_at = row.expires_at.expect("only what has an end expires");
    PostPendingRefusal::AlreadyExpired { expired_at: expires_at }
}
