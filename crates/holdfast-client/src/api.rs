//! What can be asked and what is answered: a type for every command of the registry,
//! by primitive.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.
//!
//! What a command takes is made with `new`, from what it must have, and the rest as fields:
//! `AcquireLeaseSpec { ttl, ..AcquireLeaseSpec::new(id, owner) }`. Answers may have more
//! fields in later releases of the server, which this one passes over.

pub mod documents;
pub mod groups;
pub mod leases;
pub mod ledger;
pub mod limits;
pub mod queues;
pub mod reservations;
pub mod sessions;
pub mod timers;
pub mod topics;
pub mod transactions;

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deleted {
    /// What was named is gone.
    Deleted,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationSpec {
    /// A command: `ledger.transfer`.
    pub op: String,
    /// What the command takes.
    pub args: Json,
    /// What later operations, results and refusals call it; its own within the
    /// request, at most 64 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl OperationSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(op: impl Into<String>, args: Json) -> Self {
        Self { op: op.into(), args, name: None }
    }
}
