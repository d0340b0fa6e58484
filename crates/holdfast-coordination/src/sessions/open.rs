//! `sessions.open`: a session begins.
//!
//! Opened again under the same id in the same words while it is open, it is the same
//! session, and its time stays as it is; in other words it is refused. An id whose
//! session is over may be opened again: that is another session, and has nothing of what
//! hung on the one before.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ending::{EXPIRE, end},
    refusals::SESSION_EXISTS,
};
use crate::ties::row::{SessionRow, Sessions};

/// The command.
#[derive(Debug)]
pub struct OpenSession;

/// Which session, and how long it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSessionSpec {
    /// Its id; without one it gets a fresh id that nobody can foresee, and a retry without
    /// an idempotency key would be another session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// How long it is open unless it is renewed.
    pub ttl: Lifetime,
    /// Whose it is, for those who look: host and process, say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Id>,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The session is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenSessionOutcome {
    /// Always the same.
    pub outcome: Opened,
    /// It was open before, opened in the same words, and stays as it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// Its id.
    pub id: Id,
    /// The transaction that opened it.
    pub version: u64,
    /// When it ends unless it is renewed.
    pub expires_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// The session is open.
    Opened,
}

/// Why it was not opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum OpenSessionRefusal {
    /// It is open, and was opened in other words.
    SessionExists {
        /// The id.
        session: Id,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for OpenSessionRefusal {
    const ALL: &'static [RefusalInfo] = &[SESSION_EXISTS];

    fn code(&self) -> &'static str {
        match self {
            Self::SessionExists { .. } => SESSION_EXISTS.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for OpenSession {
    const NAME: &'static str = "sessions.open";
    const SUMMARY: &'static str = "Opens a session, which leases and documents can hang on.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/sessions";
    type Spec = OpenSessionSpec;
    type Outcome = OpenSessionOutcome;
    type Refusal = OpenSessionRefusal;
}

impl Write for OpenSession {
    fn run(
        tx: &mut Tx<'_>,
        spec: &OpenSessionSpec,
    ) -> Result<OpenSessionOutcome, Stop<OpenSessionRefusal>> {
        open(tx, spec)
    }
}

/// Opens a session. A refusal has written nothing.
///
/// # Errors
/// [`OpenSessionRefusal`], or an abort.
pub fn open(
    tx: &mut Tx<'_>,
    spec: &OpenSessionSpec,
) -> Result<OpenSessionOutcome, Stop<OpenSessionRefusal>> {
    let id = match &spec.id {
        Some(id) => id.clone(),
        None => fresh_id(tx),
    };
    let stored = tx.get::<Sessions>(id.as_str())?;
    let (row, existed) = match stored {
        Some(row) if !row.is_over(tx.now()) => match differing(spec, &row) {
            None => (row, true),
            Some(field) => {
                let refusal = OpenSessionRefusal::SessionExists { session: id, field };
                return Err(Stop::Refused(refusal));
            }
        },
        over => {
            if let Some(over) = over {
                end(tx, &id, &over)?;
            }
            (begin(tx, &id, spec)?, false)
        }
    };
    let (version, expires_at) = (row.opened.get(), row.expires_at);
    Ok(OpenSessionOutcome { outcome: Opened::Opened, existed, id, version, expires_at })
}

/// An id that was never given, and cannot be foreseen by who may not know it.
fn fresh_id(tx: &mut Tx<'_>) -> Id {
    let secret = tx.random();
    let id = format!("{}_{secret:016x}", tx.fresh_id("session"));
    Id::new(&id).expect("a fresh id and sixteen digits make an id")
}

/// In what a session was opened otherwise.
fn differing(spec: &OpenSessionSpec, row: &SessionRow) -> Option<&'static str> {
    if spec.owner != row.owner {
        Some("owner")
    } else if spec.metadata != row.metadata {
        Some("metadata")
    } else {
        None
    }
}

fn begin(tx: &mut Tx<'_>, id: &Id, spec: &OpenSessionSpec) -> Result<SessionRow, Abort> {
    let expires_at = tx.now().plus_us(spec.ttl.as_us());
    let timer = tx.arm_timer(expires_at, EXPIRE, id)?;
    let row = SessionRow {
        opened: tx.version(),
        number: timer.number,
        opened_at: tx.now(),
        expires_at,
        ttl: spec.ttl,
        timer,
        owner: spec.owner.clone(),
        metadata: spec.metadata.clone(),
        unknown: Unknown::default(),
    };
    tx.put::<Sessions>(id.as_str(), &row)?;
    Ok(row)
}
