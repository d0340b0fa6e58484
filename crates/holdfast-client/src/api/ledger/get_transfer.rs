//! `ledger.get_transfer`: Shows a transfer and where it stands.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::Status,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetTransferSpec {
    /// Its id.
    pub id: String,
}

impl GetTransferSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Transfer {
    /// Its id.
    pub id: String,
    /// The account it takes from.
    pub debit_account: String,
    /// The account it gives to.
    pub credit_account: String,
    /// What it was made over, in minor units.
    pub amount: i64,
    /// The asset of both accounts.
    pub asset: String,
    /// Where it stands.
    pub status: Status,
    /// The transaction that made it.
    pub version: u64,
    /// When it was made.
    pub time: String,
    /// From when on it is expired, if it was made pending with an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// How much of a pending transfer was posted; zero if it was voided or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_amount: Option<i64>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// The transaction that posted, voided or expired a pending transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_version: Option<u64>,
}

impl Command for GetTransferSpec {
    type Outcome = Transfer;
    const NAME: &'static str = "ledger.get_transfer";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/ledger/transfers/{}", encode(&self.id))
    }
}
