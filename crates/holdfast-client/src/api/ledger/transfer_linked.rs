//! `ledger.transfer_linked`: Makes several transfers, all or none.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::ledger::{TransferOutcome, TransferSpec},
    command::{Command, Kind, Method},
};

/// Which transfers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferLinkedSpec {
    /// 1 to 100 of them.
    pub transfers: Vec<TransferSpec>,
}

impl TransferLinkedSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(transfers: Vec<TransferSpec>) -> Self {
        Self { transfers }
    }
}

/// All transfers are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransferLinkedOutcome {
    /// Always the same.
    pub outcome: Linked,
    /// Their outcomes, in the order asked.
    pub transfers: Vec<TransferOutcome>,
    /// All had been made before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Linked {
    /// All transfers were made.
    Made,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for TransferLinkedSpec {
    type Outcome = TransferLinkedOutcome;
    const NAME: &'static str = "ledger.transfer_linked";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/ledger/linked-transfers".to_owned()
    }
}
