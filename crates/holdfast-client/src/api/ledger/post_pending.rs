//! `ledger.post_pending`: Posts a pending transfer, whole or in part.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::Status,
    command::{Command, Kind, Method, encode},
    json::Json,
};

/// Which transfer, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostPendingSpec {
    /// Its id.
    pub id: String,
    /// How much of it, above zero; all of it when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
}

impl PostPendingSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), amount: None }
    }
}

/// The transfer is posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PostPendingOutcome {
    /// Always the same.
    pub outcome: Posted,
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
    /// The same amount of it had been posted before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
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

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Posted {
    /// The amount has moved.
    Posted,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for PostPendingSpec {
    type Outcome = PostPendingOutcome;
    const NAME: &'static str = "ledger.post_pending";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        format!("/v1/ledger/transfers/{}/post", encode(&self.id))
    }
}
