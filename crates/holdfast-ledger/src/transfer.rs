//! `ledger.transfer`: moves an amount, at once or pending.
//!
//! The rules, in order: what the request alone decides; whether the id was used
//! (the same transfer again is the same outcome, another one is refused); the two
//! accounts; their asset; expiry; room for the sums; the limits. Everything is
//! decided before the first row is written.

mod refusal;

use holdfast_state::{
    Amount, Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use refusal::TransferRefusal;

pub use crate::get_transfer::Transfer;
use crate::{
    Asset, Metadata,
    balances::{Event, Side},
    expire_pending,
    movement::Movement,
    row::{AccountRow, Accounts, Status, TransferRow, Transfers},
};

/// The command.
#[derive(Debug)]
pub struct MakeTransfer;

/// Which amount moves, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferSpec {
    /// Its id; without one it gets a fresh id, and a retry would be another transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// The account it takes from.
    pub debit_account: Id,
    /// The account it gives to.
    pub credit_account: Id,
    /// How much, in minor units; above zero.
    pub amount: Amount,
    /// What asset the caller believes the accounts have; refused if they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Asset>,
    /// Set the amount aside only, until it is posted, voided or expired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// A pending transfer not posted before this time expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// The same, counted from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Lifetime>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl TransferSpec {
    /// A transfer that posts at once.
    #[must_use]
    pub const fn posted(
        id: Option<Id>,
        debit_account: Id,
        credit_account: Id,
        amount: Amount,
    ) -> Self {
        Self {
            id,
            debit_account,
            credit_account,
            amount,
            asset: None,
            pending: false,
            expires_at: None,
            expires_in: None,
            metadata: None,
        }
    }

    fn expiry(&self, made: LogTime) -> Option<LogTime> {
        self.expires_in.map_or(self.expires_at, |lifetime| Some(made.plus_us(lifetime.as_us())))
    }
}

/// The transfer is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferOutcome {
    /// What was done with the amount.
    pub outcome: Made,
    /// It had been made before, in the same words; `transfer` is how it stands now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The transfer.
    #[serde(flatten)]
    pub transfer: Transfer,
}

/// What making a transfer does with its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It has moved.
    Posted,
    /// It is set aside.
    Pending,
}

impl Command for MakeTransfer {
    const NAME: &'static str = "ledger.transfer";
    const SUMMARY: &'static str =
        "Moves an amount from one account to another, at once or pending.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/transfers";
    type Spec = TransferSpec;
    type Outcome = TransferOutcome;
    type Refusal = TransferRefusal;
}

impl Write for MakeTransfer {
    fn run(tx: &mut Tx<'_>, spec: &TransferSpec) -> Result<TransferOutcome, Stop<TransferRefusal>> {
        transfer(tx, spec)
    }
}

/// Makes a transfer. A refusal has written nothing.
///
/// # Errors
/// [`TransferRefusal`], or an abort.
pub fn transfer(
    tx: &mut Tx<'_>,
    spec: &TransferSpec,
) -> Result<TransferOutcome, Stop<TransferRefusal>> {
    check_request(spec).map_err(Stop::Refused)?;
    let id = match &spec.id {
        Some(id) => {
            if let Some(row) = tx.get::<Transfers>(id.as_str())? {
                return existing(spec, id, row).map_err(Stop::Refused);
            }
            id.clone()
        }
        None => tx.fresh_id("tr"),
    };
    let debit = account(tx, spec, Side::Debit)?;
    let credit = account(tx, spec, Side::Credit)?;
    check_accounts(spec, &debit, &credit).map_err(Stop::Refused)?;
    let expires_at = spec.expiry(tx.now());
    if let Some(expires_at) = expires_at.filter(|at| *at <= tx.now()) {
        return Err(Stop::Refused(TransferRefusal::ExpiryInPast { expires_at, now: tx.now() }));
    }
    make(tx, spec, id, debit, credit)
}

/// What the request alone decides.
fn check_request(spec: &TransferSpec) -> Result<(), TransferRefusal> {
    if spec.debit_account == spec.credit_account {
        return Err(TransferRefusal::SameAccount { account: spec.debit_account.clone() });
    }
    if !spec.amount.is_positive() {
        return Err(TransferRefusal::AmountNotPositive { amount: spec.amount });
    }
    match (spec.expires_at, spec.expires_in) {
        (Some(_), Some(_)) => Err(TransferRefusal::ExpiryGivenTwice),
        (Some(_), None) | (None, Some(_)) if !spec.pending => {
            Err(TransferRefusal::ExpiryWithoutPending)
        }
        (Some(_) | None, None) | (None, Some(_)) => Ok(()),
    }
}

/// The transfer that has the id already: the same one?
fn existing(
    spec: &TransferSpec,
    id: &Id,
    row: TransferRow,
) -> Result<TransferOutcome, TransferRefusal> {
    let pending = row.began_pending();
    let field = match () {
        () if spec.debit_account != row.debit_account => "debit_account",
        () if spec.credit_account != row.credit_account => "credit_account",
        () if spec.amount != row.amount => "amount",
        () if spec.asset.is_some_and(|asset| asset != row.asset) => "asset",
        () if spec.pending != pending => "pending",
        () if spec.expires_in.is_some() && spec.expiry(row.time) != row.expires_at => "expires_in",
        () if spec.expiry(row.time) != row.expires_at => "expires_at",
        () if spec.metadata != row.metadata => "metadata",
        () => {
            let outcome = if pending { Made::Pending } else { Made::Posted };
            let transfer = Transfer::of(id.clone(), row);
            return Ok(TransferOutcome { outcome, existed: true, transfer });
        }
    };
    Err(TransferRefusal::TransferExists { id: id.clone(), field })
}

fn account(
    tx: &Tx<'_>,
    spec: &TransferSpec,
    side: Side,
) -> Result<AccountRow, Stop<TransferRefusal>> {
    let id = match side {
        Side::Debit => &spec.debit_account,
        Side::Credit => &spec.credit_account,
    };
    tx.get::<Accounts>(id.as_str())?.ok_or_else(|| {
        let account = id.clone();
        Stop::Refused(match side {
            Side::Debit => TransferRefusal::DebitAccountNotFound { account },
            Side::Credit => TransferRefusal::CreditAccountNotFound { account },
        })
    })
}

fn check_accounts(
    spec: &TransferSpec,
    debit: &AccountRow,
    credit: &AccountRow,
) -> Result<(), TransferRefusal> {
    let requested = spec.asset.unwrap_or(debit.asset);
    if debit.asset != requested || credit.asset != requested {
        let (debit_asset, credit_asset) = (debit.asset, credit.asset);
        return Err(TransferRefusal::AssetMismatch { requested, debit_asset, credit_asset });
    }
    for (row, id) in [(debit, &spec.debit_account), (credit, &spec.credit_account)] {
        if row.closed_at.is_some() {
            return Err(TransferRefusal::AccountClosed { account: id.clone() });
        }
    }
    Ok(())
}

/// The last two rules, then the rows.
fn make(
    tx: &mut Tx<'_>,
    spec: &TransferSpec,
    id: Id,
    debit: AccountRow,
    credit: AccountRow,
) -> Result<TransferOutcome, Stop<TransferRefusal>> {
    let (event, status, outcome) = if spec.pending {
        (Event::Pending, Status::Pending, Made::Pending)
    } else {
        (Event::Posted, Status::Posted, Made::Posted)
    };
    let after = |account: &AccountRow, id: &Id, side| {
        let overflows = || TransferRefusal::Overflows { account: id.clone() };
        account.balances.after(side, event, spec.amount, spec.amount).ok_or_else(overflows)
    };
    let debited = after(&debit, &spec.debit_account, Side::Debit).map_err(Stop::Refused)?;
    let credited = after(&credit, &spec.credit_account, Side::Credit).map_err(Stop::Refused)?;
    check_limit(spec, &spec.debit_account, &debit, Side::Debit).map_err(Stop::Refused)?;
    check_limit(spec, &spec.credit_account, &credit, Side::Credit).map_err(Stop::Refused)?;
    let expires_at = spec.expiry(tx.now());
    let timer = match expires_at {
        Some(due) => Some(tx.arm_timer(due, expire_pending::HANDLER, &id)?),
        None => None,
    };
    let row = TransferRow {
        debit_account: spec.debit_account.clone(),
        credit_account: spec.credit_account.clone(),
        amount: spec.amount,
        asset: debit.asset,
        status,
        version: tx.version(),
        time: tx.now(),
        resolution: None,
        expires_at,
        timer,
        metadata: spec.metadata.clone(),
        unknown: Unknown::default(),
    };
    tx.put::<Transfers>(id.as_str(), &row)?;
    let movement = Movement { transfer: &id, event, made: spec.amount, posted: spec.amount };
    movement.record(tx, &spec.debit_account, debit, Side::Debit, debited)?;
    movement.record(tx, &spec.credit_account, credit, Side::Credit, credited)?;
    Ok(TransferOutcome { outcome, existed: false, transfer: Transfer::of(id, row) })
}

fn check_limit(
    spec: &TransferSpec,
    account: &Id,
    row: &AccountRow,
    side: Side,
) -> Result<(), TransferRefusal> {
    match row.limit.available(&row.balances, side) {
        Some(available) if spec.amount > available => Err(TransferRefusal::ExceedsLimit {
            account: account.clone(),
            limit: row.limit,
            available,
            requested: spec.amount,
        }),
        Some(_) | None => Ok(()),
    }
}
