//! `sessions.get`: Shows a session that is open, and what hangs on it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::{
    command::{Command, Kind, Method, encode},
    json::Json,
    lifetime::Lifetime,
};

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetSessionSpec {
    /// Its id.
    pub id: String,
}

impl GetSessionSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// A session, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionAndTied {
    /// Its id.
    pub id: String,
    /// The transaction that opened it.
    pub version: u64,
    /// When it was opened.
    pub opened_at: String,
    /// When it ends unless it is renewed.
    pub expires_at: String,
    /// How long it is open from a renewal on.
    pub ttl: Lifetime,
    /// The first hundred things that hang on it: places in queues, leases, documents.
    pub tied: Vec<TiedThing>,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// There are more of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What hangs on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TiedKind {
    /// An owner's place in the queue of a lease.
    Place,
    /// A lease that is held.
    Lease,
    /// A document.
    Document,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// Something that hangs on a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TiedThing {
    /// What it is.
    pub kind: TiedKind,
    /// The document's collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// The document's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The lease that is held or waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// Who waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl Command for GetSessionSpec {
    type Outcome = SessionAndTied;
    const NAME: &'static str = "sessions.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/sessions/{}", encode(&self.id))
    }
}
