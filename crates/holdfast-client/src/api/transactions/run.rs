//! `transactions.run`: Runs operations of any primitive as one transaction.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    api::OperationSpec,
    command::{Command, Kind, Method},
    json::Json,
};

/// Which operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionSpec {
    /// In the order in which they run: 1 to 128, or to 10,000 in mode `each`.
    pub operations: Vec<OperationSpec>,
    /// One outcome for all, or one for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl TransactionSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(operations: Vec<OperationSpec>) -> Self {
        Self { operations, mode: None }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionOutcome {
    /// Partition and version: the transaction's place in the one order.
    pub at: String,
    /// Log time.
    pub time: String,
    /// For each operation, in order: its name, if it has one, and its outcome's
    /// fields. In mode `each` a refused one has the outcome `refused`, and the
    /// refusal's `code`, `pointer` and `facts`.
    pub results: Vec<Json>,
}

/// How outcomes hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All operations are done, or none.
    All,
    /// Each operation is done or refused by itself; all have one version.
    Each,
}

impl Command for TransactionSpec {
    type Outcome = TransactionOutcome;
    const NAME: &'static str = "transactions.run";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/transactions".to_owned()
    }
}
