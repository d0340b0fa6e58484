//! `sessions.close`: the session is over, and what hangs on it goes.
//!
//! Its leases pass to who is next, its owners wait no longer, its documents are deleted:
//! in this transaction, or where it is very much in pieces that follow at once. In
//! either case nobody sees any of it from here on. A grant that this very transaction
//! made does not end in it (P24): it counts no more, and the lease passes on in the next.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ending::end, get::open_session, refusals::SESSION_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct CloseSession;

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseSessionSpec {
    /// Its id.
    pub id: Id,
    /// The transaction that opened it: only that session, and none that has had its id
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The session is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CloseSessionOutcome {
    /// Always the same.
    pub outcome: Closed,
    /// Its id.
    pub id: Id,
    /// The transaction that opened it.
    pub version: u64,
    /// Some of what hung on it is yet to be taken away: it counts for nobody, and what
    /// waits behind it comes at once, but in transactions that follow.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub in_pieces: bool,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The session is over.
    Closed,
}

/// Why it was not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CloseSessionRefusal {
    /// It is not open.
    SessionNotFound {
        /// The id.
        session: Id,
    },
}

impl Refusal for CloseSessionRefusal {
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

impl Command for CloseSession {
    const NAME: &'static str = "sessions.close";
    const SUMMARY: &'static str = "Ends a session and all that hangs on it.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/sessions/{id}/close";
    type Spec = CloseSessionSpec;
    type Outcome = CloseSessionOutcome;
    type Refusal = CloseSessionRefusal;
}

impl Write for CloseSession {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CloseSessionSpec,
    ) -> Result<CloseSessionOutcome, Stop<CloseSessionRefusal>> {
        close(tx, spec)
    }
}

/// Ends a session. A refusal has written nothing.
///
/// # Errors
/// [`CloseSessionRefusal`], or an abort.
pub fn close(
    tx: &mut Tx<'_>,
    spec: &CloseSessionSpec,
) -> Result<CloseSessionOutcome, Stop<CloseSessionRefusal>> {
    let id = spec.id.clone();
    let Some(row) = open_session(tx, &id, spec.version)? else {
        return Err(Stop::Refused(CloseSessionRefusal::SessionNotFound { session: id }));
    };
    let in_pieces = end(tx, &id, &row)?;
    let version = row.opened.get();
    Ok(CloseSessionOutcome { outcome: Closed::Closed, id, version, in_pieces })
}
