//! `sessions.get`: a session and what hangs on it.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read, Stop, Version,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refusals::SESSION_NOT_FOUND;
use crate::ties::{
    self, Tie, Tied,
    row::{SessionRow, Sessions},
};

/// The most of what hangs on a session that is shown.
pub const SHOWN_MAX: usize = 100;

/// The command.
#[derive(Debug)]
pub struct GetSession;

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSessionSpec {
    /// Its id.
    pub id: Id,
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Session {
    /// Its id.
    pub id: Id,
    /// The transaction that opened it.
    pub version: u64,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
    /// When it was opened.
    pub opened_at: LogTime,
    /// When it ends unless it is renewed.
    pub expires_at: LogTime,
    /// How long it is open from a renewal on.
    pub ttl: Lifetime,
    /// The owner's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Session {
    pub(super) fn of(id: Id, row: SessionRow) -> Self {
        Self {
            id,
            version: row.opened.get(),
            owner: row.owner,
            opened_at: row.opened_at,
            expires_at: row.expires_at,
            ttl: row.ttl,
            metadata: row.metadata,
        }
    }
}

/// A session, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SessionAndTied {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// The first hundred things that hang on it: places in queues, leases, documents.
    pub tied: Vec<TiedThing>,
    /// There are more of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Something that hangs on a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TiedThing {
    /// What it is.
    pub kind: TiedKind,
    /// The lease that is held or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Id>,
    /// Who waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
    /// The document's collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<Id>,
    /// The document's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
}

/// What hangs on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TiedKind {
    /// An owner's place in the queue of a lease.
    Place,
    /// A lease that is held.
    Lease,
    /// A document.
    Document,
}

impl From<Tied> for TiedThing {
    fn from(tied: Tied) -> Self {
        let of = |kind| Self { kind, lease: None, owner: None, collection: None, id: None };
        match tied {
            Tied::Place { lease, owner } => {
                Self { lease: Some(lease), owner: Some(owner), ..of(TiedKind::Place) }
            }
            Tied::Lease { lease } => Self { lease: Some(lease), ..of(TiedKind::Lease) },
            Tied::Document { collection, id } => {
                Self { collection: Some(collection), id: Some(id), ..of(TiedKind::Document) }
            }
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetSessionRefusal {
    /// It is not open.
    SessionNotFound {
        /// The id.
        session: Id,
    },
}

impl Refusal for GetSessionRefusal {
    const ALL: &'static [RefusalInfo] = &[SESSION_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetSession {
    const NAME: &'static str = "sessions.get";
    const SUMMARY: &'static str = "Shows a session that is open, and what hangs on it.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/sessions/{id}";
    type Spec = GetSessionSpec;
    type Outcome = SessionAndTied;
    type Refusal = GetSessionRefusal;
}

impl Query for GetSession {
    fn run(
        state: &impl Read,
        spec: &GetSessionSpec,
    ) -> Result<SessionAndTied, Stop<GetSessionRefusal>> {
        let id = spec.id.clone();
        let Some(row) = open_session(state, &id, None)? else {
            return Err(Stop::Refused(GetSessionRefusal::SessionNotFound { session: id }));
        };
        let mut tied = ties::tied(state, &Tie::of(&id, &row), SHOWN_MAX + 1)?;
        let more = tied.len() > SHOWN_MAX;
        tied.truncate(SHOWN_MAX);
        let tied = tied.into_iter().map(TiedThing::from).collect();
        Ok(SessionAndTied { session: Session::of(id, row), tied, more })
    }
}

/// The session with this id, opened by this transaction or by any, if it is open.
pub(super) fn open_session(
    state: &impl Read,
    id: &Id,
    version: Option<u64>,
) -> Result<Option<SessionRow>, Abort> {
    let row = state.get::<Sessions>(id.as_str())?.filter(|row| !row.is_over(state.now()));
    Ok(row.filter(|row| version.is_none_or(|version| row.opened == Version::new(version))))
}
