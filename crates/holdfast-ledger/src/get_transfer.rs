//! `ledger.get_transfer`: a transfer; and [`Transfer`], which every command
//! about transfers answers with.

use holdfast_state::{
    Amount, Id, LogTime, Read, Stop,
    command::{Class, Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Asset, Metadata,
    row::{Status, TransferRow, Transfers},
};

/// The command.
#[derive(Debug)]
pub struct GetTransfer;

/// Which transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTransferSpec {
    /// Its id.
    pub id: Id,
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Transfer {
    /// Its id.
    pub id: Id,
    /// The account it takes from.
    pub debit_account: Id,
    /// The account it gives to.
    pub credit_account: Id,
    /// What it was made over, in minor units.
    pub amount: Amount,
    /// The asset of both accounts.
    pub asset: Asset,
    /// Where it stands.
    pub status: Status,
    /// The transaction that made it.
    pub version: u64,
    /// When it was made.
    pub time: LogTime,
    /// From when on it is expired, if it was made pending with an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// How much of a pending transfer was posted; zero if it was voided or expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted_amount: Option<Amount>,
    /// The transaction that posted, voided or expired a pending transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_version: Option<u64>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<LogTime>,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Transfer {
    /// The transfer `id`.
    pub(crate) fn of(id: Id, row: TransferRow) -> Self {
        Self {
            id,
            debit_account: row.debit_account,
            credit_account: row.credit_account,
            amount: row.amount,
            asset: row.asset,
            status: row.status,
            version: row.version.get(),
            time: row.time,
            expires_at: row.expires_at,
            posted_amount: row.resolution.map(|end| end.amount),
            resolved_version: row.resolution.map(|end| end.version.get()),
            resolved_at: row.resolution.map(|end| end.time),
            metadata: row.metadata,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetTransferRefusal {
    /// It was never made.
    TransferNotFound {
        /// Its id.
        id: Id,
    },
}

/// What every command says of a transfer that was never made.
pub(crate) const TRANSFER_NOT_FOUND: RefusalInfo = RefusalInfo {
    code: "transfer_not_found",
    class: Class::NotFound,
    summary: "No transfer with this id was made.",
};

impl Refusal for GetTransferRefusal {
    const ALL: &'static [RefusalInfo] = &[TRANSFER_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TransferNotFound { .. } => TRANSFER_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetTransfer {
    const NAME: &'static str = "ledger.get_transfer";
    const SUMMARY: &'static str = "Shows a transfer and where it stands.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/transfers/{id}";
    type Spec = GetTransferSpec;
    type Outcome = Transfer;
    type Refusal = GetTransferRefusal;
}

impl Query for GetTransfer {
    fn run(
        state: &impl Read,
        spec: &GetTransferSpec,
    ) -> Result<Transfer, Stop<GetTransferRefusal>> {
        let row = state.get::<Transfers>(spec.id.as_str())?;
        let refusal = || GetTransferRefusal::TransferNotFound { id: spec.id.clone() };
        Ok(Transfer::of(spec.id.clone(), row.ok_or_else(|| Stop::Refused(refusal()))?))
    }
}
