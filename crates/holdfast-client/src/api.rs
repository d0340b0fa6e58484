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
pub mod schemas;
pub mod sessions;
pub mod timers;
pub mod topics;
pub mod transactions;

use std::collections::BTreeMap;

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

/// The attributes of a `CloudEvent` that a message has no field for. Type, key and JSON
/// data are the message's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEvent {
    /// Where it comes from: a URI or a relative reference. With the id it identifies the
    /// event, and is used once in the topic.
    pub source: String,
    /// Its id, which is its producer's and not the message's.
    pub id: String,
    /// Data that is neither JSON nor text; the message's data is `null` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<String>,
    /// What its data is; JSON when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// Which schema its data adheres to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// It has no data, which is something else than `null`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
    /// Extension attributes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Json>,
    /// What it is about, for those who filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, as its producer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

impl MessageEvent {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(source: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            id: id.into(),
            data_base64: None,
            datacontenttype: None,
            dataschema: None,
            empty: false,
            extensions: BTreeMap::new(),
            subject: None,
            time: None,
        }
    }
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
